//! `tacitd`: the mint as a process, and what an operator does to it from the command line.

mod command;

use std::process::ExitCode;

use clap::Parser;

use self::command::{Cli, Command, KeysetCommand, SeedCommand};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut stdout = std::io::stdout();
    let (result, cannot) = match cli.command {
        Command::Init(args) => (command::init::run(&args, &mut stdout), 1),
        Command::Serve(args) => (command::serve::run(args, &mut stdout), 1),
        Command::Verify(args) => (command::verify::run(&args, &mut stdout), 2),
        Command::Inventory(args) => (command::inventory::run(&args, &mut stdout), 1),
        Command::Keyset { command: KeysetCommand::Rotate(args) } => {
            (command::rotate::run(&args, &mut stdout), 1)
        }
        Command::Seed { command: SeedCommand::Passphrase(args) } => {
            (command::passphrase::run(&args, &mut stdout), 1)
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("tacitd: {error:#}");
        ExitCode::from(cannot)
    })
}
