//! `tacitd keyset rotate`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tacit_core::time::{Clock, Timestamp};
use tacit_core::unit::Unit;
use tacit_server::clock::DemoClock;
use tacit_server::config::UnitConfig;
use tacit_server::data_dir::{DataDir, demo_clock_of, seed_of, vault_of};
use tacit_server::keyset::{Terms, add, next};
use tacit_server::seed;
use tacit_service::identity::Identity;
use tacit_service::mint::Mint;
use tacit_service::vault::{Outcome, VaultReader, VaultStore};
use tacit_store::postgres::{PostgresReader, PostgresVault};
use tacit_store::sqlite::{SqliteReader, SqliteVault};

use super::{PassphraseArgs, VaultArgs};

/// Let a new keyset take over signing; the old one goes on redeeming
///
/// With a vault in its data directory the mint must be stopped; with one in a database it may run, and every server on it
/// learns of the new keyset within seconds. Prints the new keyset's id.
#[derive(clap::Args)]
pub(crate) struct Rotate {
    /// Data directory of the mint
    dir: PathBuf,
    #[command(flatten)]
    vault: VaultArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Unit of the keyset
    #[arg(long)]
    unit: Unit,
    /// Fee for each input, in thousandths of the minor unit [default: as before]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=UnitConfig::FEE_MAX))]
    fee_ppk: Option<u64>,
    /// When its e-cash stops being redeemable at the mint, in seconds since 1970: $(date -d 2031-01-01 +%s)
    /// [default: never]
    #[arg(long, value_name = "SECONDS")]
    final_expiry: Option<u64>,
}

pub(crate) fn run(args: &Rotate, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    if !args.dir.is_dir() {
        bail!("there is no data directory {}", args.dir.display());
    }
    let target = args.vault.target()?;
    // Not while a server writes to the vault beside it; a database takes care of that itself.
    let data = if target.is_none() { Some(DataDir::lock(&args.dir)?) } else { None };
    if let Some(data) = &data
        && !data.has_vault()?
    {
        bail!("there is no vault in {}", args.dir.display());
    }
    let clock =
        DemoClock::open(demo_clock_of(&args.dir)).context("the demo clock cannot be read")?;
    let final_expiry = args.final_expiry.map(Timestamp::from_seconds);
    if final_expiry.is_some_and(|expiry| expiry <= clock.now()) {
        bail!("the final expiry must lie in the future");
    }
    let seed = seed::read(&seed_of(&args.dir))?.open(&args.passphrase.places())?;
    let mint = Identity::derive(&seed).public();
    let mut store: Box<dyn VaultStore> = match &target {
        Some(target) => Box::new(PostgresVault::open(target, &mint)?),
        None => Box::new(SqliteVault::open(&vault_of(&args.dir), &mint)?),
    };
    let keysets = || match &target {
        Some(target) => anyhow::Ok(PostgresReader::open(target)?.keysets()?),
        None => anyhow::Ok(SqliteReader::open(&vault_of(&args.dir))?.keysets()?),
    };
    let records = keysets()?;
    Mint::new(&seed, records.clone())?;
    let terms = Terms { input_fee_ppk: args.fee_ppk, final_expiry };
    let spec = next(&records, args.unit, terms)
        .with_context(|| format!("the vault has no keyset of unit {}", args.unit))?;
    let change = add(&seed, spec);
    let outcomes = store.commit(std::slice::from_ref(&change), clock.now())?;
    if outcomes != [Outcome::Applied(true)] {
        bail!("the vault has this keyset already");
    }
    let added = keysets()?;
    let added = added.iter().find(|record| record.spec == spec);
    writeln!(stdout, "{}", added.context("the new keyset is not in the vault")?.id)?;
    Ok(ExitCode::SUCCESS)
}
