//! The command line.

pub(crate) mod inventory;
pub(crate) mod rotate;
pub(crate) mod serve;
pub(crate) mod verify;

use clap::{Parser, Subcommand};

/// A mint of blind-signed e-cash
///
/// Exit codes: 0 when done; 1 if that failed; 2 if the command line is wrong. `serve` and `verify` have more.
#[derive(Parser)]
#[command(name = "tacitd", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Serve(serve::Serve),
    Verify(verify::Verify),
    Inventory(inventory::Inventory),
    /// Look after keysets, while the mint is stopped
    Keyset {
        #[command(subcommand)]
        command: KeysetCommand,
    },
}

#[derive(Subcommand)]
pub(crate) enum KeysetCommand {
    Rotate(rotate::Rotate),
}
