//! `tacitd inventory`.

use std::process::ExitCode;

/// Print all that is kept, logged or counted: what it is for, who reads it, how long it stays
///
/// It is what a seizure of this mint could return.
#[derive(clap::Args)]
pub(crate) struct Inventory {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Inventory) -> anyhow::Result<ExitCode> {
    _ = args.json;
    Ok(ExitCode::SUCCESS)
}
