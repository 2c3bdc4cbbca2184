//! `tacitd`: the mint as a process, and what an operator does to it from the command line.

mod command;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches};

use self::command::{Cli, Command, ConfigCommand, KeysetCommand, SeedCommand, StaffCommand};

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let own = innermost(&matches);
    let mut stdout = std::io::stdout();
    let (result, cannot) = match cli.command {
        Command::Init(args) => (command::init::run(&args, &mut stdout), 1),
        Command::Serve(args) => (command::serve::run(&args, own, &mut stdout), 1),
        Command::Verify(args) => (command::verify::run(&args, &mut stdout), 2),
        Command::Backup(args) => (command::backup::run(&args, &mut stdout), 1),
        Command::AcceptLoss(args) => (command::accept_loss::run(&args, &mut stdout), 1),
        Command::Migrate(args) => (command::migrate::run(&args, &mut stdout), 1),
        Command::Restore(args) => (command::restore::run(&args, &mut stdout), 1),
        Command::Inventory(args) => (command::inventory::run(&args, &mut stdout), 1),
        Command::Statement(args) => (command::statement::run(&args, &mut stdout), 1),
        Command::Reconcile(args) => (command::reconcile::run(&args, &mut stdout), 2),
        Command::Health(args) => (command::health::run(&args, &mut stdout), 1),
        Command::Config { command: ConfigCommand::Check(args) } => {
            (command::config::run(&args, own, &mut stdout), 1)
        }
        Command::Keyset { command: KeysetCommand::Rotate(args) } => {
            (command::rotate::run(&args, &mut stdout), 1)
        }
        Command::Bank { command } => (command::bank::run(&command, &mut stdout), 1),
        Command::Screening { command } => (command::screening::run(&command, &mut stdout), 1),
        Command::Seed { command: SeedCommand::Passphrase(args) } => {
            (command::passphrase::run(&args, &mut stdout), 1)
        }
        Command::Staff { command: StaffCommand::Add(args) } => {
            (command::staff::add(&args, &mut stdout), 1)
        }
        Command::Staff { command: StaffCommand::Invite(args) } => {
            (command::staff::invite(&args, &mut stdout), 1)
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("tacitd: {error:#}");
        ExitCode::from(cannot)
    })
}

/// What was given to the command itself.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| innermost(inner))
}
