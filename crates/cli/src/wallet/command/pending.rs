//! `pending`: what was sent and not received, and what is under way. `reclaim`: takes it back.

use clap::Args;
use serde_json::{Value, json};
use tacit_core::unit::Unit;
use tacit_wallet::history::Progress;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::reclaim::{Reclaim as ReclaimIt, ReclaimError, Reclaimed};
use tacit_wallet::state::{OperationId, Purpose};
use tacit_wallet::token::SealedToken;

use super::deliver::undelivered;
use crate::wallet::error::WalletError;
use crate::wallet::money::shown;
use crate::wallet::place::Options;
use crate::wallet::session::Session;

/// Show what is under way: tokens nobody has received yet, and operations without an answer
///
/// Asks the mints first, so that what is done goes from the list.
#[derive(Args)]
pub(crate) struct Pending {
    /// Print this token again, to stdout
    #[arg(long, value_name = "NUMBER")]
    token: Option<u64>,
    /// Show that token as a QR code, too
    #[arg(long, requires = "token")]
    qr: bool,
    /// Ask no mint
    #[arg(long)]
    offline: bool,
}

/// Take back tokens that nobody has received
///
/// What has been received meanwhile stays received. Whoever still has the text of a token can do nothing with it then.
#[derive(Args)]
pub(crate) struct Reclaim {
    /// Numbers of the tokens, as `tacit wallet pending` shows them
    #[arg(required_unless_present = "all")]
    numbers: Vec<u64>,
    /// Every token
    #[arg(long, conflicts_with = "numbers")]
    all: bool,
}

pub(crate) fn run(arguments: &Pending, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    if let Some(number) = arguments.token {
        return print(&session, number, arguments.qr);
    }
    if !arguments.offline {
        session.settle_open()?;
    }
    let (mut lines, mut list) = (Vec::new(), Vec::new());
    for (id, mint, unit, amount) in tokens(&session) {
        let number = id.number();
        let mut left = amount;
        if !arguments.offline {
            let mut look = ReclaimIt::look(id);
            let looked =
                session.run("asking what was received", |wallet, answer| look.step(wallet, answer));
            match looked {
                Ok(Reclaimed::Unspent { amount: 0 }) => {
                    session
                        .terminal
                        .say(&format!("token {number}: {} was received", shown(amount, unit)));
                    continue;
                }
                Ok(Reclaimed::Unspent { amount } | Reclaimed::Taken { amount }) => left = amount,
                Err(error @ WalletError::File(_)) => return Err(error),
                Err(error) => session.terminal.say(&format!("token {number}: {error}")),
            }
        }
        let (kind, told) = match undelivered(&session).contains(&id) {
            true => ("payment", "  is not known to have arrived: tacit wallet deliver"),
            false => ("token", ""),
        };
        lines.push(format!("{number:>4}  {kind:<9}  {:>14}  {mint}{told}", shown(left, unit)));
        list.push(
            json!({"operation": number, "kind": kind, "mint": mint, "unit": unit, "amount": left}),
        );
    }
    for (id, operation) in session.state().operations() {
        let (number, mint, unit) = (id.number(), &operation.mint, operation.unit);
        let (kind, told) = match &operation.purpose {
            Purpose::Mint { .. } if operation.exchange.is_none() => {
                ("quote", "waits to be paid: tacit wallet quotes")
            }
            Purpose::Mint { .. } => ("mint", "without an answer yet"),
            Purpose::Receive => ("receive", "without an answer yet"),
            Purpose::Send { .. } => ("send", "without an answer yet"),
            Purpose::Melt { .. } => ("pay", "without an answer yet"),
        };
        let amount = session.state().history().get(id).map_or(0, |entry| entry.amount);
        lines.push(format!("{number:>4}  {kind:<9}  {:>14}  {mint}  {told}", shown(amount, unit)));
        list.push(json!({"operation": number, "kind": kind, "mint": mint, "unit": unit, "amount": amount}));
    }
    if list.is_empty() {
        session.terminal.say("nothing is pending");
    }
    session.terminal.result(&lines.join("\n"), &Value::Array(list))
}

pub(crate) fn reclaim(arguments: &Reclaim, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    session.settle_open()?;
    let all = tokens(&session);
    let is_wanted = |id: &OperationId| arguments.all || arguments.numbers.contains(&id.number());
    if let Some(number) =
        arguments.numbers.iter().find(|number| !all.iter().any(|(id, ..)| id.number() == **number))
    {
        return Err(WalletError::NoSuch { what: "token", number: *number });
    }
    let (mut list, mut failed) = (Vec::new(), None);
    for (id, mint, unit, _) in all.into_iter().filter(|(id, ..)| is_wanted(id)) {
        let number = id.number();
        let mut reclaim = ReclaimIt::new(id);
        let taken = session.learn_again(&mint).and_then(|()| {
            session.run("taking the token back", |wallet, answer| reclaim.step(wallet, answer))
        });
        let amount = match taken {
            Ok(Reclaimed::Taken { amount }) => amount,
            Ok(Reclaimed::Unspent { .. }) => 0,
            Err(WalletError::Reclaim(ReclaimError::UnknownToken)) => 0,
            Err(error) => {
                session.terminal.say(&format!("token {number}: {error}"));
                failed = Some(error);
                continue;
            }
        };
        match amount {
            0 => session
                .terminal
                .say(&format!("token {number}: it was received, nothing is left of it")),
            _ => {
                session.terminal.say(&format!("token {number}: {} taken back", shown(amount, unit)))
            }
        }
        list.push(json!({"operation": number, "mint": mint, "unit": unit, "amount": amount}));
    }
    session.terminal.result("", &Value::Array(list))?;
    failed.map_or(Ok(()), Err)
}

/// Tokens out, with what the receiver was to have.
fn tokens(session: &Session) -> Vec<(OperationId, MintUrl, Unit, u64)> {
    let state = session.state();
    let amount = |id: &OperationId| {
        let entry = state.history().get(id);
        entry.filter(|entry| entry.progress != Progress::Done).map_or(0, |entry| entry.amount)
    };
    let tokens = state.tokens().iter();
    tokens.map(|(id, token)| (*id, token.mint.clone(), token.unit, amount(id))).collect()
}

/// A token again, for one that was lost on its way to the screen.
fn print(session: &Session, number: u64, is_shown: bool) -> Result<(), WalletError> {
    let id = OperationId::from_number(number);
    let opened: Result<Option<SealedToken>, _> =
        session.look(|wallet| SealedToken::open(wallet, id));
    let sealed = opened.map_err(|error| WalletError::Prepare(error.into()))?;
    let sealed = sealed.ok_or(WalletError::NoSuch { what: "token", number })?;
    let text = sealed.token.to_text();
    session
        .terminal
        .result(text.expose(), &json!({"operation": number, "token": text.expose()}))?;
    if is_shown {
        session.terminal.show_code(text.expose());
    }
    Ok(())
}
