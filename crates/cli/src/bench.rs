//! `tacit bench swaps`: a load generator for any Cashu mint whose quotes pay themselves.
//!
//! Reading order: [`plan`] (which amounts), [`wallet`] (the client's cryptography), [`mint`] (what a mint is asked),
//! [`prepare`] (all that comes before the clock), [`load`] (the timed part, over [`http`]), [`check`] (whether the
//! mint did what it was measured at), [`report`].
//! Invariant: in the timed part nothing is computed but the sending and receiving of bytes, for the generator
//! usually shares its cores with the mint; how much processor time it took is part of the report.

mod check;
mod error;
mod http;
mod load;
mod mint;
mod plan;
mod prepare;
mod progress;
mod report;
mod statistics;
mod wallet;

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use clap::value_parser;
use tacit_core::unit::Unit;

use crate::bench::check::Evidence;
use crate::bench::error::BenchError;
use crate::bench::http::MintUrl;
use crate::bench::mint::{Method, MintClient};
use crate::bench::plan::Plan;
use crate::bench::prepare::Order;
use crate::bench::report::Report;

/// Measure how many swaps a second a Cashu mint makes, and check that it makes them right
///
/// Works against any mint whose quotes pay themselves: `tacitd serve --demo`, cdk-mintd or Nutshell with their fake
/// wallets. All cryptography of the wallet is done before the clock starts. Amounts are the smallest that leave the
/// fee paid: two inputs and two outputs are 1+1 into 1+1 without fee, 1+2 into 1+1 at a fee of 100 ppk.
/// Afterwards every answer is read; a sample of the signatures is verified and spent; spent inputs with fresh
/// outputs must be refused, and the same bytes sent again must be answered with the same signatures.
///
/// Exits 0 if all of this holds, 1 if not or if the mint refuses to prepare the run, 2 if the request makes no sense
/// for this mint, 75 (EX_TEMPFAIL) if the mint cannot be reached.
#[derive(clap::Args)]
pub(crate) struct Swaps {
    /// URL of the mint, such as <http://127.0.0.1:3338/usd>
    #[arg(long, value_name = "URL")]
    mint: MintUrl,
    /// Unit of its e-cash
    #[arg(long)]
    unit: Unit,
    /// How many swaps
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..))]
    swaps: u32,
    /// Proofs spent in each swap
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = value_parser!(u16).range(1..=1000))]
    inputs: u16,
    /// Outputs signed in each swap
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = value_parser!(u16).range(1..=1000))]
    outputs: u16,
    /// How many connections send at the same time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = value_parser!(u32).range(1..))]
    connections: u32,
    /// How the quotes are paid [default: what the mint offers, bank before bolt11]
    #[arg(long)]
    method: Option<Method>,
    /// How long the mint's quotes may take to pay themselves
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pay_timeout: u64,
    /// Process of the mint, if it runs on this machine: its processor time is then reported, too
    #[arg(long, value_name = "ID")]
    mint_process: Option<u32>,
    /// Print one JSON object in place of the table
    #[arg(long)]
    json: bool,
}

/// Runs the benchmark and prints its report; whether every check held.
///
/// # Errors
/// [`BenchError`] if there is no result to report.
pub(crate) fn run(arguments: &Swaps) -> Result<bool, BenchError> {
    let Swaps { connections, swaps, .. } = *arguments;
    if connections > swaps {
        return Err(BenchError::TooManyConnections { connections, swaps });
    }
    if let Some(id) = arguments.mint_process {
        load::process_cpu(&id.to_string()).ok_or(BenchError::NoProcess { id })?;
    }
    // One thread: the mint gets the other core, and no time goes into handing work over.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(BenchError::Machine)?.block_on(measure(arguments))
}

async fn measure(arguments: &Swaps) -> Result<bool, BenchError> {
    let Swaps { unit, swaps, inputs, outputs, connections, .. } = *arguments;
    let mint = MintClient { url: arguments.mint.clone() };
    let begun = Instant::now();
    let keyset = mint.keyset(unit).await?;
    let info = mint.info(unit, arguments.method).await?;
    let fee_ppk = keyset.fee_ppk;
    let plan = Plan::new(inputs, outputs, fee_ppk, &keyset.keys.keys().copied().collect())
        .ok_or(BenchError::NoPlan { inputs, outputs, fee_ppk })?;
    let order = Order {
        unit,
        method: info.method,
        keyset: &keyset,
        plan: &plan,
        swaps,
        amount_max: info.amount_max,
        pay_seconds: arguments.pay_timeout,
    };
    let prepared = Arc::new(prepare::prepare(&mint, &order).await?);
    let preparation = begun.elapsed();

    let load = load::run(&mint.url, &prepared, connections, arguments.mint_process).await;
    let load = load.map_err(|source| BenchError::Unreachable { what: "a connection", source })?;

    let evidence = Evidence {
        mint: &mint,
        keyset: &keyset,
        plan: &plan,
        repeats: info.repeats,
        swaps: &prepared,
        load: &load,
    };
    let (checks, signed) = check::check(&evidence).await?;
    let report = Report {
        mint: &mint,
        info: &info,
        unit,
        keyset: &keyset,
        plan: &plan,
        swaps,
        connections,
        preparation,
        load: &load,
        signed,
        checks: &checks,
    };
    print(&report, arguments.json).map_err(BenchError::Machine)?;
    Ok(report.passed())
}

fn print(report: &Report<'_>, is_json: bool) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    if is_json { writeln!(stdout, "{}", report.to_json()) } else { report.write_table(&mut stdout) }
}
