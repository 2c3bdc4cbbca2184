//! `tacitd keyset rotate`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use tacit_core::time::Clock;
use tacit_core::unit::Unit;
use tacit_server::clock::DemoClock;
use tacit_server::config::UnitConfig;
use tacit_server::control::{self, RotateError, Rotation};
use tacit_server::data_dir::{DataDir, DataDirError, control_of, demo_clock_of, seed_of, vault_of};
use tacit_server::keyset::{add, next};
use tacit_server::seed;
use tacit_service::identity::Identity;
use tacit_service::mint::Mint;
use tacit_service::vault::{Outcome, VaultReader, VaultStore};
use tacit_store::postgres::{PostgresReader, PostgresVault, Target};
use tacit_store::sqlite::{SqliteReader, SqliteVault};

use super::{PassphraseArgs, VaultArgs, need_data_dir};

/// Let a new keyset take over signing; the old one goes on redeeming
///
/// A mint that runs takes it up at once; of one that is stopped the passphrase is needed. With a vault in a database the
/// passphrase is needed either way, and every server on it learns of the new keyset within seconds. Prints the new
/// keyset's id.
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
    need_data_dir(&args.dir)?;
    let rotation = Rotation {
        unit: args.unit.code().to_owned(),
        input_fee_ppk: args.fee_ppk,
        final_expiry: args.final_expiry,
    };
    let target = args.vault.target()?;
    let id = if target.is_some() {
        rotate_here(args, target.as_ref(), &rotation)? // The database takes care of who else writes to it.
    } else {
        match DataDir::lock(&args.dir) {
            Ok(data) if !data.has_vault()? => bail!("there is no vault in {}", args.dir.display()),
            Ok(_data) => rotate_here(args, None, &rotation)?,
            Err(DataDirError::InUse { .. }) => ask_running(&args.dir, &rotation)?,
            Err(error) => return Err(error.into()),
        }
    };
    writeln!(stdout, "{id}")?;
    Ok(ExitCode::SUCCESS)
}

/// A mint that runs has its seed open already.
fn ask_running(dir: &Path, rotation: &Rotation) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(control::ask_to_rotate(&control_of(dir), rotation))?)
}

fn rotate_here(
    args: &Rotate,
    target: Option<&Target>,
    rotation: &Rotation,
) -> anyhow::Result<String> {
    let clock =
        DemoClock::open(demo_clock_of(&args.dir)).context("the demo clock cannot be read")?;
    let (unit, terms) = rotation.read(clock.now())?;
    let seed = seed::read(&seed_of(&args.dir))?.open(&args.passphrase.places())?;
    let mint = Identity::derive(&seed).public();
    let mut store: Box<dyn VaultStore> = match target {
        Some(target) => Box::new(PostgresVault::open(target, &mint)?),
        None => Box::new(SqliteVault::open(&vault_of(&args.dir), &mint)?),
    };
    let keysets = || match target {
        Some(target) => anyhow::Ok(PostgresReader::open(target)?.keysets()?),
        None => anyhow::Ok(SqliteReader::open(&vault_of(&args.dir))?.keysets()?),
    };
    let records = keysets()?;
    Mint::new(&seed, records.clone())?;
    let spec = next(&records, unit, terms).ok_or(RotateError::UnknownUnit(unit))?;
    let change = add(&seed, spec);
    let outcomes = store.commit(std::slice::from_ref(&change), clock.now())?;
    if outcomes != [Outcome::Applied(true)] {
        return Err(RotateError::There.into());
    }
    let added = keysets()?;
    let added = added.iter().find(|record| record.spec == spec);
    Ok(added.context("the new keyset is not in the vault")?.id.to_string())
}
