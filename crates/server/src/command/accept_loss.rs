//! `tacitd accept-loss`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tacit_core::time::Clock;
use tacit_server::clock::DemoClock;
use tacit_server::data_dir::{DataDir, demo_clock_of, seed_of};
use tacit_server::restore::{Doubt, accept};
use tacit_server::seed;
use tacit_service::identity::Identity;
use tacit_service::vault::VaultReader;
use tacit_store::postgres::{PostgresReader, PostgresVault};

use super::restore::{loss_in_json, loss_in_words};
use super::{PassphraseArgs, VaultArgs, need_data_dir};

/// Give up what a database that was recovered to an earlier moment may have forgotten
///
/// For a vault on PostgreSQL whose recovery did not reach the end of its log: what was spent after that moment could be
/// spent again, and servers that were there refuse it. Its keysets redeem no more at the mint, its open quotes are withdrawn, and new keysets take over. Stop every
/// server on it first. (The file in a data directory: tacitd restore --accept-loss.)
#[derive(clap::Args)]
pub(crate) struct AcceptLoss {
    /// Data directory of a server on it, for the seed
    dir: PathBuf,
    #[command(flatten)]
    vault: VaultArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Do it: all e-cash that the database knows is given up
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &AcceptLoss, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    let target =
        args.vault.target()?.context("of which database? Give --vault-url postgres://...")?;
    if !args.yes {
        bail!("nothing was changed: --yes gives up all e-cash that the database knows");
    }
    need_data_dir(&args.dir)?;
    let _data = DataDir::lock(&args.dir)?; // The server of this directory, at least, is stopped.
    let clock =
        DemoClock::open(demo_clock_of(&args.dir)).context("the demo clock cannot be read")?;
    let seed = seed::read(&seed_of(&args.dir))?.open(&args.passphrase.places())?;
    let mut store = PostgresVault::open(&target, &Identity::derive(&seed).public())?;
    let books = PostgresReader::open(&target)?.books()?;
    let loss = accept(&books, &mut store, &seed, Doubt::Database, clock.now())?;
    if args.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&loss_in_json(&loss))?)?;
    } else {
        stdout.write_all(loss_in_words(&loss).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}
