//! `tacitd backup`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use tacit_core::time::Clock;
use tacit_server::clock::SystemClock;
use tacit_server::data_dir::{desk_of, seed_of, vault_of};
use tacit_server::{backup, desk_backup, seed};

use super::progress::Progress;

/// Copy the vault, or the desk, to a new directory, while the mint runs or not
///
/// The copy is of one moment, checked and hashed. It holds no seed: keep that apart. A copy that is older than the
/// vault would let be spent again what was spent since; what `tacitd restore` makes of one, it says itself.
/// The desk is copied by itself, with --desk: keep the two apart, for whoever has both can join names to accounts.
#[derive(clap::Args)]
pub(crate) struct Backup {
    /// Data directory of the mint
    dir: PathBuf,
    /// Directory to be made for the backup
    target: PathBuf,
    /// Copy the desk, which knows people, and not the vault
    #[arg(long)]
    desk: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Backup, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    if args.desk {
        return copy_desk(args, stdout);
    }
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

fn copy_desk(args: &Backup, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    let mint = seed::read(&seed_of(&args.dir))?.mint();
    let (mut progress, now) = (Progress::start(), SystemClock.now());
    let note = desk_backup::take(
        &desk_of(&args.dir),
        &mint,
        &args.target,
        now,
        &mut |phase, done, all| {
            progress.show(phase.name(), done, all);
        },
    );
    progress.end();
    let note = note?;
    if args.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&note)?)?;
    } else {
        let (bytes, entries, target) = (note.bytes, note.trail_length, args.target.display());
        writeln!(
            stdout,
            "{bytes} bytes of the desk, its trail of {entries} entries checked, are in {target}"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
