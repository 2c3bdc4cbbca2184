//! `tacitd inventory`.

use std::io::Write;
use std::process::ExitCode;

use tacit_server::inventory::{SECTIONS, json};
use tacit_service::inventory::page;

/// Print all that is kept, logged or counted: what it is for, who reads it, how long it stays
///
/// It is what a seizure of this mint could return.
#[derive(clap::Args)]
pub(crate) struct Inventory {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Inventory, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    if args.json {
        writeln!(stdout, "{}", json())?;
    } else {
        write!(stdout, "{}", page(&SECTIONS.map(|section| *section)))?;
    }
    Ok(ExitCode::SUCCESS)
}
