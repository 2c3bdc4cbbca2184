//! `tacit wallet`: e-cash for a person at a terminal.
//!
//! Reading order: [`place`] (options), [`file`] (what is kept, sealed), [`net`] (the wire), [`session`] (drives the
//! operations of `tacit-wallet` over both), [`command`] (what a person can ask for), [`error`] (how it ends).
//! Invariant: results go to stdout, all else to stderr; no token and no word is in a message, a log or an argument that
//! this program makes. What was done is known to the wallet file alone.

mod book;
pub(crate) mod clock;
mod command;
mod error;
mod file;
mod keyring;
mod net;
mod passphrase;
mod paste;
mod place;
mod qr;
mod session;
mod terminal;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use tacit_wallet::money;

use self::command::{
    deliver, init, look, mint, mints, passport, pay, pending, receive, refund, request, restore,
    send,
};
use self::error::WalletError;
use self::place::Options;

/// Keep, send and receive e-cash
///
/// The wallet is one encrypted file. Results go to stdout, all else to stderr.
///
/// Exits 0 when done, 1 if the mint refuses, 2 if the request makes no sense, 3 if there is too little, 4 if the wallet
/// file or its passphrase is at fault, 5 if consent was not given, 75 if the mint cannot be reached or has not finished:
/// then nothing is lost, and the same or any other command takes up what is open.
#[derive(Args)]
pub(crate) struct WalletArguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    options: Options,
}

/// Keep a credit history that nobody else has
///
/// A passport grows with what is earned and paid, and proves a score to whoever you choose. The operator cannot look into it. It is
/// part of the wallet file, and comes back from the wallet's words.
#[derive(Args)]
pub(crate) struct PassportArguments {
    #[command(subcommand)]
    command: passport::Command,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Init),
    Mint(mint::Mint),
    Send(send::Send),
    Receive(receive::Receive),
    Pay(pay::Pay),
    Request(request::Request),
    Requests(request::Requests),
    Balance(look::Balance),
    History(look::History),
    Note(look::Note),
    Pending(pending::Pending),
    Deliver(deliver::Deliver),
    Reclaim(pending::Reclaim),
    Refunds(refund::Refunds),
    Quotes(mint::Quotes),
    Mints(mints::Mints),
    Restore(restore::Restore),
    Passphrase(init::ChangePassphrase),
}

/// Runs a command of the wallet, and says how it ended.
pub(crate) fn run(arguments: &WalletArguments) -> ExitCode {
    let WalletArguments { command, options } = arguments;
    let result = match command {
        Command::Init(arguments) => init::run(arguments, options),
        Command::Mint(arguments) => mint::run(arguments, options),
        Command::Send(arguments) => send::run(arguments, options),
        Command::Receive(arguments) => receive::run(arguments, options),
        Command::Pay(arguments) => pay::run(arguments, options),
        Command::Request(arguments) => request::run(arguments, options),
        Command::Requests(arguments) => request::list(arguments, options),
        Command::Balance(arguments) => look::balance(arguments, options),
        Command::History(arguments) => look::history(arguments, options),
        Command::Note(arguments) => look::note(arguments, options),
        Command::Pending(arguments) => pending::run(arguments, options),
        Command::Deliver(arguments) => deliver::run(arguments, options),
        Command::Reclaim(arguments) => pending::reclaim(arguments, options),
        Command::Refunds(arguments) => refund::run(arguments, options),
        Command::Quotes(arguments) => mint::quotes(arguments, options),
        Command::Mints(arguments) => mints::run(arguments, options),
        Command::Restore(arguments) => restore::run(arguments, options),
        Command::Passphrase(arguments) => init::change_passphrase(arguments, options),
    };
    ended(result, options)
}

/// Runs a command of `tacit passport`, and says how it ended.
pub(crate) fn run_passport(arguments: &PassportArguments) -> ExitCode {
    let PassportArguments { command, options } = arguments;
    ended(passport::run(command, options), options)
}

fn ended(result: Result<(), WalletError>, options: &Options) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the beginning of a list has what they wanted.
        Err(WalletError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::from(error::Exit::Later as u8)
        }
        Err(error) => {
            let exit = error.exit() as u8;
            let said = format!("{:#}", anyhow::Error::from(error));
            if options.json {
                eprintln!("{}", json!({"error": said, "exit": exit}));
            } else {
                eprintln!("tacit: {said}");
            }
            ExitCode::from(exit)
        }
    }
}
