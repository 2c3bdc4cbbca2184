//! The command line.

pub(crate) mod init;
pub(crate) mod inventory;
pub(crate) mod passphrase;
pub(crate) mod rotate;
pub(crate) mod serve;
pub(crate) mod verify;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use tacit_server::passphrase::{Names, Places};

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
    Init(init::Init),
    Serve(serve::Serve),
    Verify(verify::Verify),
    Inventory(inventory::Inventory),
    /// Look after keysets, while the mint is stopped
    Keyset {
        #[command(subcommand)]
        command: KeysetCommand,
    },
    /// Look after the seed, while the mint is stopped
    Seed {
        #[command(subcommand)]
        command: SeedCommand,
    },
}

#[derive(Subcommand)]
pub(crate) enum KeysetCommand {
    Rotate(rotate::Rotate),
}

#[derive(Subcommand)]
pub(crate) enum SeedCommand {
    Passphrase(passphrase::Change),
}

/// Where the passphrase of the seed stands, for each command that opens it.
#[derive(clap::Args)]
pub(crate) struct PassphraseArgs {
    /// File with the passphrase of the seed, less one line end; else it is looked for in TACITD_PASSPHRASE, then
    /// in the systemd credential tacitd-passphrase
    #[arg(long, value_name = "FILE", env = "TACITD_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    pub(crate) fn places(&self) -> Places {
        Places::of_process(Names::CURRENT, self.passphrase_file.clone())
    }
}
