//! `tacitd reconcile`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use tacit_core::unit::Unit;
use tacit_server::bank::reconcile::{DayReport, Report};
use tacit_server::control::bank::ask_to_reconcile;
use tacit_server::data_dir::control_of;

use super::need_data_dir;

/// Exit code if money is missing, and two people have said why.
const MISSING: u8 = 3;

/// Hold the bank's balances against the books, and the books against what is owed, day by day
///
/// Asks the mint that runs. A day that differs is an exception until two people have explained it on the console; money that is
/// missing stays one. Exits 0 if all days agree or are explained and all that is owed is covered; 1 if not; 3 if all that is
/// wrong is missing money that two people have explained; 2 if it cannot be told.
#[derive(clap::Args)]
pub(crate) struct Reconcile {
    /// Data directory of the mint
    dir: PathBuf,
    /// Print JSON, with amounts in minor units
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Reconcile, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    need_data_dir(&args.dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(ask_to_reconcile(&control_of(&args.dir)))?;
    let text =
        if args.json { serde_json::to_string_pretty(&report)? + "\n" } else { table(&report)? };
    stdout.write_all(text.as_bytes())?;
    Ok(match report.holds {
        true => ExitCode::SUCCESS,
        false if report.is_unexplained => ExitCode::FAILURE,
        false => ExitCode::from(MISSING),
    })
}

fn table(report: &Report) -> anyhow::Result<String> {
    let mut text = String::new();
    for of in &report.units {
        let unit = Unit::new(&of.unit)?;
        let said = |sum| signed(sum, unit);
        let (settlement, owed, cover) = (said(of.settlement), said(of.owed), said(of.cover));
        text.push_str(&format!("{unit}: books {settlement}, owed {owed}, beyond that {cover}\n"));
        for day in &of.days {
            text.push_str(&line(day, unit));
        }
        if of.days.is_empty() {
            text.push_str("  the bank has told no balance\n");
        }
    }
    text.push_str(match report.holds {
        true => "all agrees\n",
        false if report.is_unexplained => "to be looked at\n",
        false => "money is missing, and two people have said why\n",
    });
    Ok(text)
}

fn line(of: &DayReport, unit: Unit) -> String {
    let or_none = |sum: Option<i64>| sum.map_or_else(|| "none".to_owned(), |sum| signed(sum, unit));
    let DayReport { day, verdict, .. } = of;
    let (bank, books, unclear) =
        (or_none(of.bank), signed(of.books, unit), signed(of.unclear, unit));
    let difference = or_none(of.difference);
    let why = of.explanation.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
    format!(
        "  {day}  {verdict:11}  bank {bank}, books {books}, unclear {unclear}, difference {difference}{why}\n"
    )
}

fn signed(sum: i64, unit: Unit) -> String {
    let sign = if sum < 0 { "-" } else { "" };
    format!("{sign}{}", unit.decimal(sum.unsigned_abs()))
}
