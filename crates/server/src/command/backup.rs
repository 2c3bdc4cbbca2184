//! `tacitd backup`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use tacit_core::time::Clock;
use tacit_server::backup;
use tacit_server::clock::SystemClock;
use tacit_server::data_dir::vault_of;

use super::progress::Progress;

/// Copy the vault to a new directory, while the mint runs or not
///
/// The copy is of one moment, checked and hashed. It holds no seed: keep that apart. A copy that is older than the
/// vault would let be spent again what was spent since; what `tacitd restore` makes of one, it says itself.
#[derive(clap::Args)]
pub(crate) struct Backup {
    /// Data directory of the mint
    dir: PathBuf,
    /// Directory to be made for the backup
    target: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Backup, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    let mut progress = Progress::start();
    let now = SystemClock.now();
    let note = backup::take(&vault_of(&args.dir), &args.target, now, &mut |phase, done, all| {
        progress.show(phase.name(), done, all);
    });
    progress.end();
    let note = note?;
    if args.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&note)?)?;
    } else {
        writeln!(
            stdout,
            "{} bytes after {} commits, checked, are in {}",
            note.bytes,
            note.commits,
            args.target.display()
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
