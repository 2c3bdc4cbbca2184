//! `tacitd migrate`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tacit_server::data_dir::DataDir;
use tacit_server::seed;
use tacit_store::migrate::migrate;
use tacit_store::sqlite::SqliteVault;

use super::progress::Progress;
use super::{VaultArgs, need_data_dir};

/// Move the vault from the file in the data directory to a database
///
/// The mint must be stopped. Everything is moved in one transaction and compared; then the file is marked as moved, and
/// is not opened again. Cut off, it is run again; until then the file is not opened either. Afterwards serve with the same --vault-url.
#[derive(clap::Args)]
pub(crate) struct Migrate {
    /// Data directory of the mint
    dir: PathBuf,
    #[command(flatten)]
    vault: VaultArgs,
    /// Go on with the file after a move that did not end: only if nothing was served from the database
    #[arg(long)]
    call_off: bool,
}

pub(crate) fn run(args: &Migrate, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    need_data_dir(&args.dir)?;
    let data = DataDir::lock(&args.dir)?;
    if !data.has_vault()? {
        bail!("there is no vault in {}", args.dir.display());
    }
    let mint = seed::read(&data.seed())?.mint();
    if args.call_off {
        SqliteVault::open_to_move(&data.vault(), &mint)?.call_move_off()?;
        writeln!(
            stdout,
            "The vault stays where it is. Empty the database before it is moved again."
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let target = args.vault.target()?.context("where to? Give --vault-url postgres://...")?;
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
