//! Binary `tacit`: what a person, an auditor or an operator runs on their own machine.
//!
//! Reading order: this file, then one module a command: [`bench`], the load generator for Cashu mints.
//! Architecture invariant: knows mints from the wire only. Neither `service`, `store` nor `server` is a dependency,
//! so that what is measured or checked here is never checked with the code that made it.

mod bench;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tacit on the command line
#[derive(Parser)]
#[command(name = "tacit", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure a mint
    #[command(subcommand)]
    Bench(Bench),
}

#[derive(Subcommand)]
enum Bench {
    Swaps(bench::Swaps),
}

fn main() -> ExitCode {
    let Command::Bench(Bench::Swaps(arguments)) = Arguments::parse().command;
    match bench::run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let code = error.exit_code();
            eprintln!("tacit: {:#}", anyhow::Error::from(error));
            ExitCode::from(code)
        }
    }
}
