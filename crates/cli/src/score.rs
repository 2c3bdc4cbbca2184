//! `tacit score`: scorecards fitted, explained and checked, on this machine alone.
//!
//! Reading order: [`fit`], [`explain`], [`verify`], [`new_key`], one a command; [`report`] and [`record`] (what a fit says,
//! for people and programs), [`page`] and [`plot`] (the model card), [`disk`], [`error`].
//! Invariant: nothing here reaches a network. What people's files hold is read, counted and forgotten; only the card,
//! its figures and its signature are written.

mod disk;
mod error;
pub(crate) mod explain;
mod figure;
mod fit;
mod new_key;
mod page;
mod plot;
mod record;
mod report;
mod verify;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::error::ScoreError;

/// Fit, explain and check scorecards
///
/// Results go to stdout, all else to stderr.
///
/// Exits 0 when done, 1 if it cannot be (no counter tells who pays, a signature is not right), 2 if the request or a
/// file's content makes no sense, 4 if a file cannot be read or written, 75 if the result could not be printed.
#[derive(Args)]
pub(crate) struct ScoreArguments {
    #[command(subcommand)]
    command: Command,
    /// Print results as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    Fit(fit::Fit),
    Explain(explain::Explain),
    Verify(verify::Verify),
    NewKey(new_key::NewKey),
}

/// Runs a command, and says how it ended.
pub(crate) fn run(arguments: &ScoreArguments) -> ExitCode {
    let is_json = arguments.json;
    let result = match &arguments.command {
        Command::Fit(arguments) => fit::run(arguments, is_json),
        Command::Explain(arguments) => explain::run(arguments, is_json),
        Command::Verify(arguments) => verify::run(arguments, is_json),
        Command::NewKey(arguments) => new_key::run(arguments, is_json),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    let exit = error.exit();
    // Whoever reads the beginning of a report has what they wanted.
    let is_quiet =
        matches!(&error, ScoreError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe);
    if !is_quiet {
        let said = format!("{:#}", anyhow::Error::from(error));
        let line = if is_json {
            json!({"error": said, "exit": exit}).to_string()
        } else {
            format!("tacit: {said}")
        };
        // Who closed stderr does not want to hear.
        _ = writeln!(io::stderr().lock(), "{line}");
    }
    ExitCode::from(exit)
}

/// Prints a result: for people or for programs.
fn print(is_json: bool, text: &str, json: &Value) -> Result<(), ScoreError> {
    let mut stdout = io::stdout().lock();
    let written =
        if is_json { writeln!(stdout, "{json}") } else { writeln!(stdout, "{}", text.trim_end()) };
    written.and_then(|()| stdout.flush()).map_err(ScoreError::Output)
}
