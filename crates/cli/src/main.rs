//! Binary `tacit`: what a person, an auditor or an operator runs on their own machine.
//!
//! Reading order: this file, then one module a command: [`wallet`], [`score`], [`certificate`], and [`bench`], the load generator for Cashu
//! mints.
//! Architecture invariant: knows mints from the wire only. Neither `service`, `store` nor `server` is a dependency,
//! so that what is measured or checked here is never checked with the code that made it.

mod bench;
mod certificate;
mod score;
mod wallet;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

/// Tacit on the command line
#[derive(Parser)]
#[command(name = "tacit", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Wallet(wallet::WalletArguments),
    Passport(wallet::PassportArguments),
    Score(score::ScoreArguments),
    VerifyCertificate(certificate::VerifyCertificate),
    /// Measure a mint
    #[command(subcommand)]
    Bench(Bench),
    /// Print what a shell needs to complete commands
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write the manual pages into a directory
    Man {
        /// The directory, such as ~/.local/share/man/man1
        directory: std::path::PathBuf,
    },
}

#[derive(Subcommand)]
enum Bench {
    Swaps(bench::Swaps),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Wallet(arguments) => wallet::run(&arguments),
        Command::Passport(arguments) => wallet::run_passport(&arguments),
        Command::Score(arguments) => score::run(&arguments),
        Command::VerifyCertificate(arguments) => certificate::run(&arguments),
        Command::Bench(Bench::Swaps(arguments)) => measure(&arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "tacit", &mut script);
            ended(std::io::stdout().lock().write_all(&script))
        }
        Command::Man { directory } => ended(
            std::fs::create_dir_all(&directory)
                .and_then(|()| clap_mangen::generate_to(Arguments::command(), &directory)),
        ),
    }
}

fn measure(arguments: &bench::Swaps) -> ExitCode {
    match bench::run(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let code = error.exit_code();
            eprintln!("tacit: {:#}", anyhow::Error::from(error));
            ExitCode::from(code)
        }
    }
}

fn ended(written: std::io::Result<()>) -> ExitCode {
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tacit: {error}");
            ExitCode::FAILURE
        }
    }
}
