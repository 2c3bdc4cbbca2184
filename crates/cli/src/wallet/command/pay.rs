//! `pay`: money out to somebody who asks for it.

use clap::Args;
use serde_json::json;
use tacit_core::unit::Unit;
use tacit_ecash::limit;
use tacit_ecash::message::MeltQuoteResponse;
use tacit_ecash::payment_request::PaymentRequest;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::melt::{Melt, Quote};
use tacit_wallet::operation::pay::{Pay as PayIt, PayError, Payable, payable};

use super::receive;
use crate::wallet::error::WalletError;
use crate::wallet::money::{MoneyError, Typed, read_unit, shown};
use crate::wallet::place::Options;
use crate::wallet::session::{Account, Session};
use crate::wallet::terminal;

/// Pay a payment request, or somebody who does not take e-cash: then the mint pays them
///
/// The target is a payment request (creqA… or creqB…), a payto address that names its amount, as in <payto://iban/DE75512108001245126199?amount=EUR:10.50>,
/// or a Lightning invoice. What it costs is shown and asked for first.
#[derive(Args)]
pub(crate) struct Pay {
    /// Whom: a payment request, a payto address or an invoice, or `-` to read it from stdin
    target: String,
    /// How much, where the target does not say
    #[arg(long)]
    amount: Option<String>,
    /// Of what, as in usd
    #[arg(long, value_parser = read_unit)]
    unit: Option<Unit>,
    /// From which mint [default: the first that has enough]
    #[arg(long, value_name = "URL")]
    mint: Option<MintUrl>,
    /// How the mint is to pay [default: bank for payto addresses, bolt11 for invoices]
    #[arg(long)]
    method: Option<String>,
    /// A few words for yourself, in the history
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub(crate) fn run(arguments: &Pay, options: &Options) -> Result<(), WalletError> {
    let text = terminal::read_argument(&arguments.target, limit::TOKEN)?;
    let target = text.expose();
    if receive::read_token(target).is_ok() {
        return Err(WalletError::OtherCommand { what: "a token", command: "receive" });
    }
    let mut session = Session::open(options)?;
    session.settle_open()?;
    match is_request(target) {
        true => pay_request(&mut session, arguments, &target.parse()?),
        false => melt(&mut session, arguments, target),
    }
}

/// What can be done about a payment that is not known to have arrived.
const WAITS: &str =
    "the payment waits: tacit wallet deliver sends it again, tacit wallet reclaim takes it back";

/// Whether a text is a payment request of NUT-18 or NUT-26.
fn is_request(text: &str) -> bool {
    let text = text.strip_prefix("cashu:").unwrap_or(text).to_ascii_lowercase();
    text.starts_with("creqa") || text.starts_with("creqb1")
}

/// Pays a request: the token goes where it says, or to stdout if it says nothing.
fn pay_request(
    session: &mut Session,
    arguments: &Pay,
    request: &PaymentRequest,
) -> Result<(), WalletError> {
    let asked = request.unit.as_deref().map(read_unit).transpose().map_err(MoneyError::from)?;
    let chosen = match &arguments.amount {
        None => None,
        Some(amount) => {
            let typed = Typed::read(amount, arguments.unit.or(asked))?;
            let accounts = session.candidates(arguments.mint.as_ref(), typed.unit)?;
            let unit = accounts.first().ok_or(WalletError::NoMint { unit: typed.unit })?.unit;
            Some(typed.amount(unit)?)
        }
    };
    let payable = payable(session.state(), request, chosen).inspect_err(|error| {
        if matches!(error, PayError::Undelivered { .. }) {
            session.terminal.say(WAITS);
        }
    })?;
    let wanted = |it: &Payable| arguments.mint.as_ref().is_none_or(|mint| *mint == it.mint);
    let payable = payable.into_iter().find(wanted).ok_or(PayError::NotTaken)?;
    let (mint, amount) = (payable.mint.clone(), payable.amount);
    session.check(&mint)?;
    session.learn_again(&mint)?;
    let terminal = session.terminal;
    let what = request.description.as_deref().map(|text| format!(" for {text:?}"));
    let to = match request.post_url() {
        Some(url) => format!("to {url:?}"),
        None => "as a token that you hand over".to_owned(),
    };
    let what = what.unwrap_or_default();
    terminal.confirm(&format!("Pay {amount}{what} from {mint}, {to}?"))?;
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    let mut pay = PayIt::new(request, payable, None, random);
    let paid = session.run("paying", |wallet, answer| pay.step(wallet, answer));
    if let Err(WalletError::PayRequest(PayError::Deliver(_))) = &paid {
        terminal.say(WAITS);
    }
    let paid = paid.map_err(|error| error.in_unit(amount.unit()))?;
    let id = paid.token.id;
    if let Some(note) = &arguments.note {
        session.persist(|state| state.note(id, note))?;
    }
    let text = paid.token.token.to_text();
    let mut result = json!({"operation": id.number(), "mint": mint, "unit": amount.unit(),
        "amount": amount.value(), "delivered": paid.is_delivered});
    if !paid.is_delivered {
        result["token"] = json!(text.expose());
    }
    terminal.result(if paid.is_delivered { "" } else { text.expose() }, &result)?;
    terminal.say(&match paid.is_delivered {
        true => format!("paid {amount}, and the receiver has it"),
        false => format!("hand over this token of {amount}: that is the payment"),
    });
    Ok(())
}

/// Has a mint pay.
fn melt(session: &mut Session, arguments: &Pay, target: &str) -> Result<(), WalletError> {
    let is_payto = target.starts_with("payto:");
    let typed = match &arguments.amount {
        Some(amount) => Some(Typed::read(amount, arguments.unit)?),
        None => None,
    };
    let named = if is_payto { unit_of_payto(target) } else { None };
    let unit = arguments.unit.or(typed.as_ref().and_then(|typed| typed.unit)).or(named);
    let account = account(session, arguments.mint.as_ref(), unit)?;
    let Account { mint, unit } = account;
    session.check(&mint)?;
    session.learn(&mint)?;
    let method = match (&arguments.method, is_payto) {
        (Some(method), _) => method.as_str(),
        (None, true) => "bank",
        (None, false) => "bolt11",
    };
    let mut quote = match &typed {
        None => Quote::new(mint.clone(), method.to_owned(), target.to_owned(), unit),
        Some(typed) => {
            let amount = typed.amount(unit)?;
            Quote::of_amount(mint.clone(), method.to_owned(), target.to_owned(), amount)
        }
    };
    let quote: MeltQuoteResponse =
        session.run(&format!("asking {mint} what it costs"), |_, answer| quote.step(answer))?;
    pay_quote(session, &mint, unit, method, &quote, arguments.note.as_deref())
}

/// Shows what a quote costs, and pays it.
fn pay_quote(
    session: &mut Session,
    mint: &MintUrl,
    unit: Unit,
    method: &str,
    quote: &MeltQuoteResponse,
    note: Option<&str>,
) -> Result<(), WalletError> {
    let melt = || Melt::new(mint.clone(), method.to_owned(), quote.clone());
    let mut trial = melt();
    let foreseen = session.foresee(|wallet, answer| trial.step(wallet, answer));
    let fee = foreseen.map_err(|error| error.in_unit(unit))?.map_or(0, |entry| entry.fee);
    let terminal = session.terminal;
    let (amount, most) = (shown(quote.amount, unit), shown(fee, unit));
    terminal.confirm(&format!("Pay {amount} from {mint}, for a fee of {most} at most?"))?;
    let before = session.state().history().last_key_value().map(|(id, _)| *id);
    let mut melt = melt();
    let payment = session.run("paying", |wallet, answer| melt.step(wallet, answer));
    let entries = session.state().history();
    let entry = entries.iter().rev().find(|(id, _)| before.is_none_or(|before| before < **id));
    let done = entry.map(|(id, entry)| (*id, entry.fee));
    if let (Some((id, _)), Some(note)) = (done, note) {
        session.persist(|state| state.note(id, note))?;
    }
    let payment = payment.map_err(|error| error.in_unit(unit))?;
    let (number, cost) = done.map_or((None, 0), |(id, fee)| (Some(id.number()), fee));
    terminal.say(&format!("paid {amount}; it cost {}", shown(cost, unit)));
    let result = json!({"operation": number, "mint": mint, "unit": unit, "amount": quote.amount, "fee": cost,
        "change": payment.change, "preimage": payment.preimage});
    terminal.result("", &result)
}

/// The account to pay from: of several, the one with the most.
fn account(
    session: &Session,
    mint: Option<&MintUrl>,
    unit: Option<Unit>,
) -> Result<Account, WalletError> {
    let mut fitting = session.candidates(mint, unit)?;
    // Stable: the preferred one stays first among equals.
    fitting.sort_by_key(|account| u64::MAX - session.state().balance(&account.mint, account.unit));
    fitting.into_iter().next().ok_or(WalletError::NoMint { unit })
}

/// The unit of a payto address's amount (RFC 8905, section 5).
fn unit_of_payto(target: &str) -> Option<Unit> {
    let (_, options) = target.split_once('?')?;
    let amount = options.split('&').find_map(|option| option.strip_prefix("amount="))?;
    read_unit(amount.split_once(':')?.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payto_address_names_its_unit() {
        let of = |text: &str| unit_of_payto(text).map(|unit| unit.code().to_owned());
        assert_eq!(of("payto://demo/x?amount=KES:5.00").as_deref(), Some("kes"));
        assert_eq!(of("payto://demo/x?message=a&amount=usd:1").as_deref(), Some("usd"));
        assert_eq!((of("payto://demo/x"), of("payto://demo/x?amount=5")), (None, None));
    }
}
