//! `tacitd bank import`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use tacit_server::bank::{Imported, read_bounded};
use tacit_server::control::bank::ask_to_import;
use tacit_server::data_dir::control_of;

use super::need_data_dir;

/// Hand a file of the bank's (camt.053 or camt.054) to the mint that runs
///
/// Money that came is credited to the account, or pays the mint quote, whose reference stands on it; payouts that left are
/// done; what nobody can place waits for a person at the desk. The same file twice, or another that tells of the same
/// bookings, changes nothing. Exits 0 when the file was read, whatever waits; 1 if not.
#[derive(clap::Args)]
pub(crate) struct Import {
    /// Data directory of the mint
    dir: PathBuf,
    /// The file, as the bank sent it
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Import, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    need_data_dir(&args.dir)?;
    let bytes = read_bounded(&args.file);
    let bytes = bytes.with_context(|| format!("cannot read {}", args.file.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let imported = runtime.block_on(ask_to_import(&control_of(&args.dir), bytes))?;
    if args.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&imported)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Imported { new, known, unclear, unbooked, inconsistent, settled, open } = imported;
    writeln!(stdout, "{new} new bookings, {known} known before, {unbooked} not booked yet")?;
    writeln!(stdout, "{settled} payments settled")?;
    for (count, what) in [
        (unclear, "bookings that the file does not say enough of"),
        (open, "payments that nobody could place"),
        (inconsistent, "statements whose bookings do not lead from one balance to the other"),
    ] {
        if count > 0 {
            writeln!(stdout, "to be looked at: {count} {what}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
