//! `tacitd bank`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tacit_core::unit::Unit;
use tacit_server::bank::order::{Wanted, Which};
use tacit_server::bank::{Imported, read_bounded};
use tacit_server::control::bank::{ask_for_order, ask_to_import, ask_to_pay_out};
use tacit_server::data_dir::control_of;

use super::{BankCommand, need_data_dir};

/// Hand a file of the bank's (camt.053 or camt.054) to the mint that runs
///
/// Money that came is credited to the account, or pays the mint quote, whose reference stands on it; payouts that left are
/// done; what nobody can place waits for a person at the desk. The same file twice, or another that tells of the same
/// bookings, changes nothing. Exits 0 when the file was read, whatever waits; 1 if not.
#[derive(clap::Args)]
pub(crate) struct Import {
    /// Data directory of the mint
    dir: PathBuf,
    /// The file, as the bank sent it
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Take money out of an account and let it go to a bank account with the next order
///
/// Prints the payout's name. Exits 1 if the account does not hold as much, or more than may go out.
#[derive(clap::Args)]
pub(crate) struct PayOut {
    /// Data directory of the mint
    dir: PathBuf,
    /// Number of the account
    #[arg(long)]
    account: String,
    /// Who is paid
    #[arg(long)]
    name: String,
    /// Where
    #[arg(long)]
    iban: String,
    /// Currency
    #[arg(long)]
    unit: Unit,
    /// In minor units
    #[arg(long)]
    amount: u64,
    /// What the payee reads
    #[arg(long, default_value = "Payout")]
    text: String,
}

/// Write an order to the bank (pain.001.001.09) of all payouts that may go out
///
/// Writes the file to stdout, and what waits to stderr. A payout stands in one order only: keep the file, or write it again
/// with --again, which gives the same bytes. Exits 1 if nothing may go out.
#[derive(clap::Args)]
pub(crate) struct Order {
    /// Data directory of the mint
    dir: PathBuf,
    /// Currency
    #[arg(long, required_unless_present = "again", conflicts_with = "again")]
    unit: Option<Unit>,
    /// Days from today until the bank shall pay
    #[arg(long, value_name = "DAYS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=365))]
    in_days: u64,
    /// Write the order of this message id once more
    #[arg(long, value_name = "ID")]
    again: Option<String>,
}

pub(crate) fn run(command: &BankCommand, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    match command {
        BankCommand::Import(args) => import(args, stdout),
        BankCommand::Payout(args) => pay_out(args, stdout),
        BankCommand::Order(args) => order(args, stdout),
    }
}

fn pay_out(args: &PayOut, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    need_data_dir(&args.dir)?;
    let wanted = Wanted {
        account: args.account.clone(),
        name: args.name.clone(),
        iban: args.iban.clone(),
        unit: args.unit.code().to_owned(),
        amount: args.amount,
        text: args.text.clone(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asked = runtime.block_on(ask_to_pay_out(&control_of(&args.dir), &wanted))?;
    if !asked.held {
        bail!("the account does not hold as much, or more than may go out");
    }
    writeln!(stdout, "{}", asked.id)?;
    Ok(ExitCode::SUCCESS)
}

fn order(args: &Order, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    need_data_dir(&args.dir)?;
    let which = match (&args.again, args.unit) {
        (Some(message_id), _) => Which::Again { message_id: message_id.clone() },
        (None, Some(unit)) => Which::New { unit: unit.code().to_owned(), in_days: args.in_days },
        (None, None) => bail!("--unit or --again is missing"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ordered = runtime.block_on(ask_for_order(&control_of(&args.dir), &which))?;
    write!(stdout, "{}", ordered.file)?;
    eprintln!("{}: {} payouts, {} wait", ordered.message_id, ordered.payouts, ordered.waiting);
    Ok(ExitCode::SUCCESS)
}

fn import(args: &Import, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    need_data_dir(&args.dir)?;
    let bytes = read_bounded(&args.file);
    let bytes = bytes.with_context(|| format!("cannot read {}", args.file.display()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let imported = runtime.block_on(ask_to_import(&control_of(&args.dir), bytes))?;
    if args.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&imported)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Imported { new, known, unclear, unbooked, inconsistent, settled, open } = imported;
    writeln!(stdout, "{new} new bookings, {known} known before, {unbooked} not booked yet")?;
    writeln!(stdout, "{settled} payments settled")?;
    for (count, what) in [
        (unclear, "bookings that the file does not say enough of"),
        (open, "payments that nobody could place"),
        (inconsistent, "statements whose bookings do not lead from one balance to the other"),
    ] {
        if count > 0 {
            writeln!(stdout, "to be looked at: {count} {what}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
