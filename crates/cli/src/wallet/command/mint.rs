//! `mint`: money in. `quotes`: what waits to be paid, and what was paid meanwhile.

use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tacit_core::amount::Amount;
use tacit_core::unit::Unit;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::mint::{Mint as MintIt, Quote, Quoted};
use tacit_wallet::state::{OperationId, Purpose};

use crate::wallet::error::WalletError;
use crate::wallet::money::{Typed, read_unit, shown};
use crate::wallet::place::Options;
use crate::wallet::session::{Account, Session};

/// Between two questions whether a quote is paid.
const PAUSE: Duration = Duration::from_secs(2);
/// Ways to pay that this wallet knows, the best first.
const METHODS: [&str; 2] = ["bank", "bolt11"];

/// Put money in: ask the mint for a quote, pay it, and have e-cash issued
///
/// Shows what to pay, and waits. Stop it when you like: `tacit wallet quotes` collects what was paid meanwhile.
#[derive(Args)]
pub(crate) struct Mint {
    /// How much, as in 10.50
    amount: String,
    /// Of what, as in usd; not needed where there is one unit only
    #[arg(value_parser = read_unit)]
    unit: Option<Unit>,
    /// At which mint; one you have not dealt with is added
    #[arg(long, value_name = "URL")]
    mint: Option<MintUrl>,
    /// How the quote is paid [default: what the mint offers, bank before bolt11]
    #[arg(long)]
    method: Option<String>,
    /// How long to wait for the payment
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    wait: u64,
    /// Show what to pay as a QR code, too
    #[arg(long)]
    qr: bool,
}

/// Collect what was paid, and list what waits to be paid
#[derive(Args)]
pub(crate) struct Quotes {
    /// Wait until all are paid, this long at most
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// Ask no mint
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(arguments: &Mint, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    let typed = Typed::read(&arguments.amount, arguments.unit)?;
    if let Some(mint) = &arguments.mint {
        session.adopt(mint)?;
    }
    let account = one_account(&session, arguments.mint.as_ref(), typed.unit)?;
    let amount = typed.amount(account.unit)?;
    let Account { mint, unit } = account;
    session.check(&mint)?;
    if arguments.mint.is_none() {
        session.learn(&mint)?;
    }
    let method = match &arguments.method {
        Some(method) => method.clone(),
        None => offered(&session.get(&mint, "/v1/info")?, unit)
            .ok_or_else(|| WalletError::NoMethod { mint: mint.clone(), unit })?,
    };
    let quoted = quote(&mut session, &mint, &method, amount)?;
    let terminal = session.terminal;
    let number = quoted.operation.number();
    terminal.say(&format!("to be paid to {mint}, for {amount} ({method}), quote {number}:"));
    terminal.say(&format!("  {}", printable(&quoted.quote.request)));
    if let Some(expiry) = quoted.quote.expiry {
        terminal.say(&format!("  until {expiry}"));
    }
    if arguments.qr {
        terminal.show_code(&quoted.quote.request);
    }
    let issued = collect(&mut session, quoted.operation, arguments.wait)?;
    terminal.say(&format!("issued {} at {mint}", shown(issued, unit)));
    let result = json!({"mint": mint, "unit": unit, "amount": issued, "operation": number});
    terminal.result("", &result)
}

pub(crate) fn quotes(arguments: &Quotes, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    if !arguments.offline {
        session.settle_open()?;
    }
    let (mut lines, mut list) = (Vec::new(), Vec::new());
    for (id, account, amount, request) in waiting(&session) {
        let Account { mint, unit } = account;
        let state = match arguments.offline {
            true => "waits".to_owned(),
            false => match collect(&mut session, id, arguments.wait) {
                Ok(issued) => {
                    session.terminal.say(&format!("issued {} at {mint}", shown(issued, unit)));
                    "issued".to_owned()
                }
                Err(WalletError::AwaitsPayment) => "waits".to_owned(),
                Err(error @ WalletError::File(_)) => return Err(error),
                Err(error) => error.to_string(),
            },
        };
        let (number, request) = (id.number(), printable(&request));
        lines.push(format!("{number}  {}  {mint}  {state}\n    {request}", shown(amount, unit)));
        list.push(json!({"operation": number, "mint": mint, "unit": unit, "amount": amount,
            "request": request, "state": state}));
    }
    if list.is_empty() {
        session.terminal.say("no quote is open");
    }
    session.terminal.result(&lines.join("\n"), &Value::Array(list))
}

/// Opens a quote.
fn quote(
    session: &mut Session,
    mint: &MintUrl,
    method: &str,
    amount: Amount,
) -> Result<Quoted, WalletError> {
    let mut quote = Quote::new(mint.clone(), method.to_owned(), amount);
    session.run(&format!("asking {mint} for a quote"), |wallet, answer| quote.step(wallet, answer))
}

/// Waits until a quote is paid, and has its e-cash issued. How much.
fn collect(session: &mut Session, id: OperationId, seconds: u64) -> Result<u64, WalletError> {
    let tries = seconds / PAUSE.as_secs(); // The floor is meant: the first question takes no time.
    let mut tried = 0;
    loop {
        let mut mint = MintIt::new(id);
        let what = "waiting for the payment";
        match session.run(what, |wallet, answer| mint.step(wallet, answer)) {
            Err(error) if tried < tries && may_change(&error) => {
                let _waiting = session.terminal.wait(what);
                sleep(PAUSE);
            }
            result => return result,
        }
        tried += 1;
    }
}

/// Whether another question may have another answer.
fn may_change(error: &WalletError) -> bool {
    matches!(
        error,
        WalletError::AwaitsPayment
            | WalletError::Pending
            | WalletError::NoAnswer { .. }
            | WalletError::Open { .. }
    )
}

/// Quotes that wait for their payment.
fn waiting(session: &Session) -> Vec<(OperationId, Account, u64, String)> {
    let mut found = Vec::new();
    for (id, operation) in session.state().operations() {
        if let Purpose::Mint { amount, request, .. } = &operation.purpose {
            let account = Account { mint: operation.mint.clone(), unit: operation.unit };
            found.push((*id, account, *amount, request.clone()));
        }
    }
    found
}

/// The one account that fits, or the preferred one.
fn one_account(
    session: &Session,
    mint: Option<&MintUrl>,
    unit: Option<Unit>,
) -> Result<Account, WalletError> {
    let fitting = session.candidates(mint, unit)?;
    let preferred = session.place.mint.as_ref();
    match fitting.as_slice() {
        [one] => Ok(one.clone()),
        [first, ..] if Some(&first.mint) == preferred => Ok(first.clone()),
        [first, ..] => Err(WalletError::SeveralMints { unit: first.unit }),
        [] => Err(WalletError::NoMint { unit }),
    }
}

/// The best method that a mint offers for a unit (NUT-04, NUT-06).
fn offered(info: &Value, unit: Unit) -> Option<String> {
    let methods = info["nuts"]["4"]["methods"].as_array()?;
    let has = |name: &str| {
        methods.iter().any(|method| {
            method["method"].as_str() == Some(name) && method["unit"].as_str() == Some(unit.code())
        })
    };
    METHODS.into_iter().find(|name| has(name)).map(str::to_owned)
}

/// A text from outside without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bank_comes_before_bolt11_and_other_units_do_not_count() {
        let info = json!({"nuts": {"4": {"methods": [
            {"method": "bolt11", "unit": "usd"}, {"method": "bank", "unit": "usd"},
            {"method": "bolt11", "unit": "sat"}, {"method": "shells", "unit": "kes"},
        ]}}});
        let of = |code| offered(&info, Unit::new(code).unwrap());
        assert_eq!(of("usd").as_deref(), Some("bank"));
        assert_eq!(of("sat").as_deref(), Some("bolt11"));
        assert_eq!((of("kes"), of("eur")), (None, None));
        assert_eq!(offered(&json!({}), Unit::new("usd").unwrap()), None);
    }

    #[test]
    fn what_a_terminal_obeys_is_left_out() {
        assert_eq!(printable("pay\u{1b}[2J \n ref"), "pay[2J  ref");
    }
}
