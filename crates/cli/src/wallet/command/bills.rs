//! `tacit passport bills`: bill streams, their bills, and payments that count.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tacit_core::secret::Secret;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::{Contract, STREAMS};
use tacit_credit::passport::wire::bill;
use tacit_ecash::message::KeysetsResponse;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::bills::{Agreed, BillError, PayBill, TakeOn, give_up};
use tacit_wallet::operation::pay::Deliver;
use tacit_wallet::passport::bills::{Link, Stream};

use super::passport::{desk_of, kept};
use crate::wallet::error::WalletError;
use crate::wallet::money::shown;
use crate::wallet::session::Session;
use crate::wallet::terminal::read_argument;

/// List bills, take a biller's contract on, and pay
///
/// A bill that is paid from here gives the passport a receipt: paid in time, it counts. The biller does not learn that you have a
/// passport, and nobody whose bills a passport counts. It holds two contracts at a time.
#[derive(Args)]
pub(crate) struct Bills {
    #[command(subcommand)]
    command: Option<Command>,
    /// Whose passport, if there are several: the operator's desk
    #[arg(long, value_name = "URL", global = true)]
    desk: Option<MintUrl>,
}

#[derive(Subcommand)]
enum Command {
    /// List contracts and their bills: what is done without a command
    List,
    Add(Add),
    Pay(Pay),
    Drop(Drop),
}

/// Take on the contract of a biller
///
/// The biller hands its code over, on paper or as a QR code. Whoever has the code sees the bills.
#[derive(Args)]
struct Add {
    /// The code, between quotes; - is stdin
    code: String,
}

/// Pay a bill, so that it counts
///
/// The oldest open bill of the contract, unless a month is said. Asked again after an interruption, nothing is paid twice.
#[derive(Args)]
struct Pay {
    /// Number of the contract, as the list shows it
    number: usize,
    /// The month that the bill is due in, as in 2026-12
    #[arg(long)]
    month: Option<Epoch>,
}

/// Forget a contract that the passport does not count
#[derive(Args)]
struct Drop {
    /// Number of the contract, as the list shows it
    number: usize,
}

pub(super) fn run(session: &mut Session, arguments: &Bills) -> Result<(), WalletError> {
    let desk = desk_of(session, arguments.desk.as_ref())?;
    match &arguments.command {
        None | Some(Command::List) => list(session, &desk),
        Some(Command::Add(add)) => take_on(session, &desk, add),
        Some(Command::Pay(wanted)) => pay(session, &desk, wanted),
        Some(Command::Drop(wanted)) => forget(session, &desk, wanted),
    }
}

fn list(session: &mut Session, desk: &MintUrl) -> Result<(), WalletError> {
    deliver(session, desk)?;
    let (mint, counted, streams) = {
        let (kept, standing) = kept(session, desk)?;
        (kept.mint().clone(), standing.contracts, kept.streams().to_vec())
    };
    let (mut text, mut rows) = (String::new(), Vec::new());
    for (index, stream) in streams.iter().enumerate() {
        let told = look(session, &mint, stream)?;
        let is_counted = counted.contains(&Some(stream.contract()));
        let counts = if is_counted { "counted by the passport" } else { "not counted yet" };
        let ended = told.ended.map(|month| format!(", ends with {month}")).unwrap_or_default();
        let number = index + 1;
        writeln!(text, "{number}  {} ({counts}{ended})", named(stream)).expect("a String");
        let bills = told.months.iter().filter_map(|month| Some((month, month.bill.as_ref()?)));
        for (month, bill) in bills.clone() {
            let receipt = match stream.receipts().contains_key(&month.month) {
                true => ", its receipt is at hand",
                false => "",
            };
            let amount = shown(bill.amount, stream.unit());
            let (month, due, state) = (month.month, &bill.due, word(&bill.state));
            writeln!(text, "   {month}  {amount}, due on {due}: {state}{receipt}")
                .expect("a String");
        }
        let bill = |(month, bill): (&bill::Month, &bill::Bill)| {
            json!({"month": month.month.to_string(), "amount": bill.amount, "due": bill.due, "state": bill.state, "units": bill.units,
                "receipt": stream.receipts().contains_key(&month.month)})
        };
        rows.push(json!({
            "number": number, "biller": stream.biller(), "description": stream.description(), "mint": stream.mint(),
            "unit": stream.unit(), "counted": is_counted, "ended": told.ended.map(|month| month.to_string()),
            "bills": bills.map(bill).collect::<Vec<_>>(),
        }));
    }
    if streams.is_empty() {
        text.push_str(
            "No contract is taken on. A biller's code brings one: tacit passport bills add CODE",
        );
    }
    session.terminal.result(text.trim_end(), &Value::Array(rows))
}

fn take_on(session: &mut Session, desk: &MintUrl, arguments: &Add) -> Result<(), WalletError> {
    let code = read_argument(&arguments.code, 4096)?;
    let link: Link = code.expose().parse()?;
    let mut take = TakeOn::new(desk.clone(), link);
    let contract =
        session.run("asking for the contract", |wallet, answer| take.step(wallet, answer))?;
    let (kept, standing) = kept(session, desk)?;
    let is_full = standing.contracts.iter().all(Option::is_some);
    let place = kept.streams().iter().position(|stream| stream.contract() == contract);
    let place = place.ok_or(WalletError::NoPassport)?;
    let (number, stream) = (place + 1, kept.streams()[place].clone());
    session
        .terminal
        .say(&format!("{number}: {}. To see bills: tacit passport bills", named(&stream)));
    if is_full {
        session.terminal.say(&format!(
            "The passport counts {STREAMS} contracts already: this one counts once another has ended."
        ));
    }
    let json = json!({"number": number, "biller": stream.biller(), "description": stream.description(), "unit": stream.unit()});
    session.terminal.result("", &json)
}

fn pay(session: &mut Session, desk: &MintUrl, arguments: &Pay) -> Result<(), WalletError> {
    session.settle_open()?;
    let stream = numbered(session, desk, arguments.number)?;
    let mint = kept(session, desk)?.0.mint().clone();
    let told = look(session, &mint, &stream)?;
    let bills = told.months.iter().filter_map(|month| Some((month.month, month.bill.as_ref()?)));
    let is_meant = |month: Epoch, bill: &bill::Bill| match arguments.month {
        Some(wanted) => month == wanted,
        None => bill.state == "open",
    };
    let meant = bills.clone().find(|(month, bill)| is_meant(*month, bill));
    let (month, bill) = meant.ok_or(WalletError::NoBill)?;
    let (unit, contract) = (stream.unit(), stream.contract());
    let payer = payer(session, &mint, &stream)?;
    session.check(&payer)?;
    session.learn_again(&payer)?;
    let amount = shown(bill.amount, unit);
    session.terminal.confirm(&format!(
        "Pay {amount} to {}, due on {}, from {payer}?",
        named(&stream),
        bill.due
    ))?;
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    let agreed = Agreed { desk: desk.clone(), contract, month, amount: bill.amount, mint: payer };
    let mut paying = PayBill::new(agreed, Secret::new(random));
    let paid = session.run("paying", |wallet, answer| paying.step(wallet, answer));
    if let Err(WalletError::Bill(BillError::Deliver(_))) = &paid {
        session.terminal.say(
            "the payment waits: the same command sends it again, tacit wallet reclaim takes it back",
        );
    }
    paid.map_err(|error| error.in_unit(unit))?;
    let facts = facts(session, desk, contract, month);
    session.terminal.say(&match facts {
        Some((true, units)) => format!("paid {amount} in time: {month} counts, with {units} units"),
        Some((false, units)) => {
            format!("paid {amount}, late: {month} counts as late, with {units} units")
        }
        None => format!("paid {amount}; {month} is closed, so the passport does not count it"),
    });
    let json = json!({"month": month.to_string(), "unit": unit, "amount": bill.amount,
        "in_time": facts.map(|(met, _)| met), "units": facts.map(|(_, units)| units)});
    session.terminal.result("", &json)
}

fn forget(session: &mut Session, desk: &MintUrl, arguments: &Drop) -> Result<(), WalletError> {
    let stream = numbered(session, desk, arguments.number)?;
    session.terminal.confirm(&format!("Forget {}? Its bills stay to be paid.", named(&stream)))?;
    session.persist(|state| give_up(state, desk, stream.contract()))?;
    session.terminal.result("", &json!({"forgotten": arguments.number}))
}

/// Sends payments of bills again that are not known to have arrived: their receipts count in the month.
pub(super) fn deliver(session: &mut Session, desk: &MintUrl) -> Result<(), WalletError> {
    let tokens = session.state().tokens().iter();
    let waiting = tokens.filter(|(_, token)| {
        let asked = token.delivery.as_ref().and_then(|to| to.receipt.as_ref());
        asked.is_some_and(|asked| asked.desk() == desk)
    });
    let waiting: Vec<_> = waiting.map(|(id, _)| *id).collect();
    for id in waiting {
        let mut again = Deliver::new(id);
        match session
            .run("sending the payment of a bill", |wallet, answer| again.step(wallet, answer))
        {
            Ok(()) => {
                session.terminal.say(&format!("payment {} of a bill has arrived", id.number()))
            }
            Err(error @ WalletError::File(_)) => return Err(error),
            Err(error) => {
                session.terminal.say(&format!("payment {} of a bill: {error}", id.number()))
            }
        }
    }
    Ok(())
}

/// What the receipt of a month says, while it is at hand.
fn facts(
    session: &Session,
    desk: &MintUrl,
    contract: Contract,
    month: Epoch,
) -> Option<(bool, u8)> {
    let (kept, _) = kept(session, desk).ok()?;
    let stream = kept.streams().iter().find(|stream| stream.contract() == contract)?;
    let facts = stream.receipts().get(&month)?.facts();
    Some((facts.met, facts.amount))
}

fn numbered(session: &Session, desk: &MintUrl, number: usize) -> Result<Stream, WalletError> {
    let (kept, _) = kept(session, desk)?;
    let stream = number.checked_sub(1).and_then(|index| kept.streams().get(index));
    let none = || WalletError::NoSuch { what: "contract", number: number as u64 };
    stream.cloned().ok_or_else(none)
}

/// The mint of a contract, by the address under which the wallet deals with it: known by its keysets.
fn payer(session: &mut Session, mint: &MintUrl, stream: &Stream) -> Result<MintUrl, WalletError> {
    let told = session.get(mint, &stream.keysets())?;
    let listed: KeysetsResponse =
        serde_json::from_value(told).map_err(|_| WalletError::NoAnswer { reason: None })?;
    let known = session.state().keysets();
    let found = listed.keysets.into_iter().find_map(|it| known.get(&it.id.id()?));
    Ok(found.map_or_else(|| stream.mint().clone(), |keyset| keyset.pinned.mint.clone()))
}

/// What the mint says of a contract.
fn look(
    session: &mut Session,
    mint: &MintUrl,
    stream: &Stream,
) -> Result<bill::Contract, WalletError> {
    let told = session.get(mint, &stream.place())?;
    serde_json::from_value(told).map_err(|_| WalletError::NoAnswer { reason: None })
}

/// Of a month that was closed without a receipt.
pub(super) fn missed(session: &Session, desk: &MintUrl, contract: Contract) -> String {
    let stream = kept(session, desk)
        .ok()
        .and_then(|(kept, _)| kept.streams().iter().find(|stream| stream.contract() == contract));
    stream.map_or_else(|| "a contract of the passport".to_owned(), named)
}

/// A stream by the biller's words, quoted: they are text from outside.
fn named(stream: &Stream) -> String {
    match (stream.biller(), stream.description()) {
        (Some(biller), Some(description)) => format!("{biller:?} for {description:?}"),
        (Some(text), None) | (None, Some(text)) => format!("{text:?}"),
        (None, None) => format!("a contract in {}", stream.unit()),
    }
}

fn word(state: &str) -> &str {
    match state {
        "paid" => "paid in time",
        "paid-late" => "paid late",
        "withdrawn" => "taken back",
        "open" => "to be paid",
        other => other,
    }
}
