//! Money: in, out, and between people.

use std::ops::Range;

use serde_json::Value;
use tacit_core::amount::Amount;
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::message::MeltQuoteResponse;
use tacit_ecash::payment_request::PaymentRequest;
use tacit_ecash::token::Token;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::melt::{self, Melt};
use tacit_wallet::operation::mint::{Mint, Quote, Quoted};
use tacit_wallet::operation::pay::{Paid, Pay, Payable, payable};
use tacit_wallet::operation::receive::Receive;
use tacit_wallet::operation::reclaim::{Reclaim, Reclaimed};
use tacit_wallet::operation::refund::{Refund, due};
use tacit_wallet::operation::restore::{Pace, Restore};
use tacit_wallet::operation::send::{Order, Send};
use tacit_wallet::state::{OperationId, Purpose};
use tacit_wallet::token::SealedToken;

use crate::clock;
use crate::keep::random;
use crate::session::Session;
use crate::trouble::Trouble;

/// Ways to pay a quote that are shown, the best first.
const METHODS: [&str; 2] = ["bank", "bolt11"];
/// Between these many seconds e-cash waits after it was paid for, so that the two are not joined by their time.
const DELAY: Range<u32> = 5 * 60..60 * 60;
/// Between these many milliseconds pass between questions for refunds.
const PAUSE: Range<u32> = 10_000..120_000;

/// What a token says it holds, if it is of a mint of this operator.
pub(crate) fn claim(
    session: &Session,
    token: &Token,
) -> Result<(MintUrl, u64, Option<Unit>), Trouble> {
    let mint: MintUrl = token.mint.parse()?;
    if !session.peek(|_, book| book.operator.knows(&mint)) {
        return Err(Trouble::ForeignMint { mint: mint.to_string() });
    }
    let sum = token.proofs.iter().fold(0_u64, |sum, proof| sum.saturating_add(proof.amount));
    Ok((mint, sum, token.unit.as_ref().and_then(|unit| unit.parse().ok())))
}

/// Makes a token one's own; gives its unit and what was added.
pub(crate) async fn receive(session: &Session, token: &Token) -> Result<(u64, Unit), Trouble> {
    let (mint, _, _) = claim(session, token)?;
    super::learn(session).await?;
    let mut receive = Receive::new(token.clone());
    let amount = session.run(|wallet, answer| receive.step(wallet, answer)).await?;
    let unit = session.peek(|state, _| {
        state.history().values().rev().find(|entry| entry.mint == mint).map(|entry| entry.unit)
    });
    Ok((amount, unit.ok_or(Trouble::Damaged)?))
}

fn order(mint: &MintUrl, amount: Amount, memo: Option<String>) -> Order {
    Order { mint: mint.clone(), amount, is_fee_added: true, memo, lock: None, delivery: None }
}

/// What it would cost to send, beside the amount.
pub(crate) fn cost(session: &Session, mint: &MintUrl, amount: Amount) -> Result<u64, Trouble> {
    let mut trial = Send::new(order(mint, amount, None));
    let foreseen = session.foresee(|wallet, answer| trial.step(wallet, answer));
    foreseen
        .map(|entry| entry.map_or(0, |entry| entry.fee))
        .map_err(|error| error.in_unit(amount.unit()))
}

/// Makes a token to give away; gives its number.
pub(crate) async fn send(
    session: &Session,
    mint: &MintUrl,
    amount: Amount,
    memo: Option<String>,
) -> Result<OperationId, Trouble> {
    let mut send = Send::new(order(mint, amount, memo));
    let sealed = session.run(|wallet, answer| send.step(wallet, answer)).await;
    sealed.map(|sealed| sealed.id).map_err(|error| error.in_unit(amount.unit()))
}

/// The text of a token that is out; none once it is spent.
pub(crate) fn token(session: &Session, id: OperationId) -> Option<String> {
    let sealed = session.look(|wallet| SealedToken::open(wallet, id)).ok()??;
    Some(sealed.token.to_text().expose().clone())
}

/// Asks whether a token was received; what is left of it.
pub(crate) async fn left(session: &Session, id: OperationId) -> Result<u64, Trouble> {
    let mut look = Reclaim::look(id);
    match session.run(|wallet, answer| look.step(wallet, answer)).await? {
        Reclaimed::Unspent { amount } | Reclaimed::Taken { amount } => Ok(amount),
    }
}

/// Takes a token back.
pub(crate) async fn reclaim(session: &Session, id: OperationId) -> Result<u64, Trouble> {
    let mut reclaim = Reclaim::new(id);
    match session.run(|wallet, answer| reclaim.step(wallet, answer)).await? {
        Reclaimed::Unspent { amount } | Reclaimed::Taken { amount } => Ok(amount),
    }
}

/// With what a request would be paid.
pub(crate) fn payable_for(
    session: &Session,
    request: &PaymentRequest,
    amount: Option<Amount>,
) -> Result<Payable, Trouble> {
    let unit = request.unit.as_ref().and_then(|unit| unit.parse::<Unit>().ok());
    let found = session.peek(|state, _| payable(state, request, amount)).map_err(Trouble::from);
    let found = found.map_err(|error| unit.map_or(error.clone(), |unit| error.in_unit(unit)))?;
    found.into_iter().next().ok_or(Trouble::Unreadable)
}

/// Pays a request.
pub(crate) async fn pay(
    session: &Session,
    request: &PaymentRequest,
    payable: Payable,
) -> Result<Paid, Trouble> {
    let unit = payable.amount.unit();
    let mut pay = Pay::new(request, payable, None, random()?);
    let paid = session.run(|wallet, answer| pay.step(wallet, answer)).await;
    let paid = paid.map_err(|error| error.in_unit(unit))?;
    if let Some(what) = &request.description {
        remember(session, paid.token.id, what).await;
    }
    Ok(paid)
}

/// What a payment was for, of which there may be more than a note holds.
const WORDS_MAX: usize = 120;

/// Keeps what a payment was for, in the words of whoever was paid, as a note that the person may change.
async fn remember(session: &Session, id: OperationId, what: &str) {
    let words: String = what.chars().filter(|c| !c.is_control()).take(WORDS_MAX).collect();
    // It is paid all the same if the note cannot be kept.
    _ = session.persist(|state| state.note(id, &words)).await;
}

/// Asks for money: keeps the request and gives its texts, for reading and as a code.
pub(crate) async fn ask(
    session: &Session,
    amount: Amount,
    mints: Vec<MintUrl>,
    what: Option<String>,
) -> Result<(String, String), Trouble> {
    let request = PaymentRequest {
        id: Some(hex::encode(&random::<8>()?)),
        amount: Some(amount.value()),
        unit: Some(amount.unit().to_string()),
        is_single_use: Some(true),
        mints: mints.iter().map(ToString::to_string).collect(),
        is_any_mint_taken: None,
        methods: Vec::new(),
        description: what,
        transports: Vec::new(),
        lock: None,
    };
    session.persist(|state| state.ask(&request, clock::now())).await?;
    let texts = (request.to_creq_a(), request.to_creq_b());
    match texts {
        (Ok(plain), Ok(code)) => Ok((plain, code.to_ascii_uppercase())),
        (Err(error), _) | (_, Err(error)) => Err(Trouble::other(&error)),
    }
}

/// Payments that a shop may have refunded.
pub(crate) fn refundable(session: &Session) -> Vec<OperationId> {
    session.peek(|state, _| due(state, clock::now()))
}

/// Asks what was refunded of one payment; gives what came back, if anything did.
pub(crate) async fn refund(
    session: &Session,
    payment: OperationId,
) -> Result<Option<(u64, Unit)>, Trouble> {
    let unit = session.peek(|state, _| state.history().get(&payment).map(|entry| entry.unit));
    let mut refund = Refund::new(payment);
    let came = session.run(|wallet, answer| refund.step(wallet, answer)).await?;
    Ok(unit.map(|unit| (came.amount, unit)).filter(|(amount, _)| 0 < *amount))
}

/// Milliseconds to wait before the next such question, so that they are not seen to be one wallet's by coming together.
pub(crate) fn pause_between() -> Result<u32, Trouble> {
    drawn(PAUSE)
}

/// How a mint's quotes are paid.
async fn method(session: &Session, mint: &MintUrl, unit: Unit) -> Result<&'static str, Trouble> {
    let info = session.get(mint, "/v1/info").await?;
    let offered = info["nuts"]["4"]["methods"].as_array().cloned().unwrap_or_default();
    let is_offered = |method: &&&str| {
        let fits = |it: &Value| it["method"] == ***method && it["unit"] == unit.code();
        offered.iter().any(fits)
    };
    METHODS.iter().find(is_offered).copied().ok_or(Trouble::NoAnswer)
}

/// Asks what to pay for e-cash.
pub(crate) async fn quote(
    session: &Session,
    mint: &MintUrl,
    amount: Amount,
) -> Result<Quoted, Trouble> {
    let method = method(session, mint, amount.unit()).await?;
    let mut quote = Quote::new(mint.clone(), method.to_owned(), amount);
    let quoted = session.run(|wallet, answer| quote.step(wallet, answer)).await?;
    if !session.peek(|_, book| book.is_hasty) {
        let later = later()?;
        session.note(|book| _ = book.delayed.insert(quoted.operation.number(), later)).await?;
    }
    Ok(quoted)
}

/// When e-cash is fetched that is asked for now.
fn later() -> Result<Timestamp, Trouble> {
    Ok(Timestamp::from_seconds(clock::now().seconds() + u64::from(drawn(DELAY)?)))
}

/// One number of a range, by lot.
fn drawn(range: Range<u32>) -> Result<u32, Trouble> {
    let lot = u32::from_le_bytes(random()?);
    Ok(range.start + lot % (range.end - range.start))
}

/// Fetches the e-cash of quotes that are paid, and whose time has come.
pub(crate) async fn collect(session: &Session) {
    let due: Vec<OperationId> = session.peek(|state, book| {
        let waiting = state
            .operations()
            .iter()
            .filter(|(_, it)| it.exchange.is_none() && matches!(it.purpose, Purpose::Mint { .. }));
        let is_due = |id: &OperationId| {
            book.delayed.get(&id.number()).is_none_or(|from| *from <= clock::now())
        };
        waiting.map(|(id, _)| *id).filter(is_due).collect()
    });
    for id in due {
        _ = fetch(session, id).await; // It waits on, or is open and taken up again.
    }
}

/// Fetches the e-cash of one quote now, or as soon as it is paid.
pub(crate) async fn hurry(session: &Session, id: OperationId) -> Result<(), Trouble> {
    session.note(|book| _ = book.delayed.remove(&id.number())).await?;
    match fetch(session, id).await {
        Ok(_) | Err(Trouble::AwaitsPayment) => Ok(()),
        Err(trouble) => Err(trouble),
    }
}

/// Fetches the e-cash of one quote.
async fn fetch(session: &Session, id: OperationId) -> Result<u64, Trouble> {
    let mut mint = Mint::new(id);
    let issued = session.run(|wallet, answer| mint.step(wallet, answer)).await?;
    if session.peek(|_, book| book.delayed.contains_key(&id.number())) {
        session.note(|book| _ = book.delayed.remove(&id.number())).await?;
    }
    Ok(issued)
}

/// What a payment outside costs.
pub(crate) async fn melt_quote(
    session: &Session,
    mint: &MintUrl,
    unit: Unit,
    target: &str,
    amount: Option<Amount>,
) -> Result<(String, MeltQuoteResponse), Trouble> {
    let method = if target.starts_with("payto:") { "bank" } else { "bolt11" };
    let (mint, target) = (mint.clone(), target.to_owned());
    let mut quote = match amount {
        None => melt::Quote::new(mint, method.to_owned(), target, unit),
        Some(amount) => melt::Quote::of_amount(mint, method.to_owned(), target, amount),
    };
    let quote = session.run(|_, answer| quote.step(answer)).await?;
    Ok((method.to_owned(), quote))
}

/// Has the mint pay.
pub(crate) async fn melt(
    session: &Session,
    mint: &MintUrl,
    unit: Unit,
    method: &str,
    quote: &MeltQuoteResponse,
) -> Result<(), Trouble> {
    let mut melt = Melt::new(mint.clone(), method.to_owned(), quote.clone());
    let paid = session.run(|wallet, answer| melt.step(wallet, answer)).await;
    paid.map(drop).map_err(|error| error.in_unit(unit))
}

/// Looks for money that the words lead to, at every mint of the operator; gives what was found, by unit.
pub(crate) async fn restore(session: &Session) -> Result<Vec<(Unit, u64)>, Trouble> {
    super::learn(session).await?;
    let mut found = Vec::new();
    for (mint, unit, _) in session.balances() {
        let mut restore = Restore::new(mint, unit, Pace::default(), random()?);
        let restored = session.run(|wallet, answer| restore.step(wallet, answer)).await?;
        if 0 < restored.amount {
            found.push((unit, restored.amount));
        }
    }
    Ok(found)
}
