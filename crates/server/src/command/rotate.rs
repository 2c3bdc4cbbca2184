//! `tacitd keyset rotate`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tacit_core::time::{Clock, Timestamp};
use tacit_core::unit::Unit;
use tacit_server::clock::DemoClock;
use tacit_server::config::UnitConfig;
use tacit_server::data_dir::DataDir;
use tacit_server::keyset::{Terms, add, next};
use tacit_server::seed;
use tacit_service::identity::Identity;
use tacit_service::mint::Mint;
use tacit_service::vault::{Outcome, VaultReader, VaultStore};
use tacit_store::sqlite::{SqliteReader, SqliteVault};

use super::PassphraseArgs;

/// Let a new keyset take over signing; the old one goes on redeeming
///
/// The mint must be stopped. Prints the new keyset's id.
#[derive(clap::Args)]
pub(crate) struct Rotate {
    /// Data directory of the mint
    dir: PathBuf,
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
    let data = DataDir::lock(&args.dir)?;
    if !data.has_vault()? {
        bail!("there is no vault in {}", args.dir.display());
    }
    let clock = DemoClock::open(data.demo_clock()).context("the demo clock cannot be read")?;
    let final_expiry = args.final_expiry.map(Timestamp::from_seconds);
    if final_expiry.is_some_and(|expiry| expiry <= clock.now()) {
        bail!("the final expiry must lie in the future");
    }
    let seed = seed::read(&data.seed())?.open(&args.passphrase.places())?;
    let mut store = SqliteVault::open(&data.vault(), &Identity::derive(&seed).public())?;
    let records = SqliteReader::open(&data.vault())?.keysets()?;
    Mint::new(&seed, records.clone())?;
    let terms = Terms { input_fee_ppk: args.fee_ppk, final_expiry };
    let spec = next(&records, args.unit, terms)
        .with_context(|| format!("the vault has no keyset of unit {}", args.unit))?;
    let change = add(&seed, spec);
    let outcomes = store.commit(std::slice::from_ref(&change), clock.now())?;
    if outcomes != [Outcome::Applied(true)] {
        bail!("the vault has this keyset already");
    }
    let added = SqliteReader::open(&data.vault())?.keysets()?;
    let added = added.iter().find(|record| record.spec == spec);
    writeln!(stdout, "{}", added.context("the new keyset is not in the vault")?.id)?;
    Ok(ExitCode::SUCCESS)
}
