//! `tacitd migrate`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tacit_server::data_dir::DataDir;
use tacit_server::seed;
use tacit_store::migrate::migrate;

use super::VaultArgs;
use super::progress::Progress;

/// Move the vault from the file in the data directory to a database
///
/// The mint must be stopped. Everything is moved in one transaction and compared; then the file is marked as moved, and
/// is not opened again. Cut off, it is run again. Afterwards serve with the same --vault-url.
#[derive(clap::Args)]
pub(crate) struct Migrate {
    /// Data directory of the mint
    dir: PathBuf,
    #[command(flatten)]
    vault: VaultArgs,
}

pub(crate) fn run(args: &Migrate, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    let target = args.vault.target()?.context("where to? Give --vault-url postgres://...")?;
    if !args.dir.is_dir() {
        bail!("there is no data directory {}", args.dir.display());
    }
    let data = DataDir::lock(&args.dir)?;
    if !data.has_vault()? {
        bail!("there is no vault in {}", args.dir.display());
    }
    let mint = seed::read(&data.seed())?.mint();
    let mut progress = Progress::start();
    let moved = migrate(&data.vault(), &mint, &target, |rows| progress.count("moving rows", rows));
    progress.end();
    let rows = moved?;
    writeln!(
        stdout,
        "{rows} rows moved, and all sums agree. The file is marked as moved.\n\
         Now serve with --vault-url; keep the data directory, for the seed is in it."
    )?;
    Ok(ExitCode::SUCCESS)
}
