//! Codes at the till: looked at, confirmed once, and a receipt.

use std::sync::PoisonError;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::hex;
use tacit_service::desk::cash::{
    Cash, CashCode, CashHash, CashKind, CashState, Deal, Dealt, receipt_number,
};
use tacit_service::posting::{FactId, PostError};

use super::{PATH, Till, show_home};
use crate::cash::{fees, go_on, secret};
use crate::desk::Desk;
use crate::desk::page::{Page, show, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{PersonLogin, SignedForm};
use crate::route::desk::see;
use crate::shop::{amount_of, money};
use crate::text::{ENGLISH, fill};

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/agent/code", post(look))
        .route("/agent/deal", post(deal))
        .route("/agent/deal/{id}", get(receipt))
}

/// A code, and for cash that is taken, how much.
#[derive(Deserialize)]
struct Said {
    code: String,
    nonce: String,
    #[serde(default)]
    amount: String,
    /// What was shown for the code.
    #[serde(default)]
    deal: String,
}

/// What became of looking for a code.
enum Looked {
    Found(CashHash, Cash),
    Wrong(StatusCode, &'static str),
}

#[derive(Template)]
#[template(path = "agent/out.html")]
struct OutPage {
    page: Page,
    head: String,
    button: String,
    code: String,
    nonce: String,
    deal: String,
}

#[derive(Template)]
#[template(path = "agent/in.html")]
struct InPage {
    page: Page,
    label: String,
    wrong: Option<&'static str>,
    amount: String,
    code: String,
    nonce: String,
    /// What is asked once the amount is known.
    sure: Option<Sure>,
}

struct Sure {
    question: String,
    fee: String,
    button: String,
    deal: String,
}

/// `POST /agent/code`: what a code stands for. In a form, so that no log of addresses has it.
async fn look(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Said>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.agent;
    let (till, said) = (Till::own(&desk, signed.login).await?, signed.form);
    till.works()?;
    let cash = match find(&desk, &till, &said.code).await? {
        Looked::Found(_, cash) => cash,
        Looked::Wrong(status, why) => {
            return show_home(&desk, &till, said.code, Some((status, why))).await;
        }
    };
    if cash.kind == CashKind::Out {
        let amount = money(cash.amount, till.agent.unit);
        return Ok(show(&OutPage {
            page: till.page(&desk, PATH, &fill(text.out_head, "amount", &amount)),
            head: fill(text.out_head, "amount", &amount),
            button: fill(text.out_button, "amount", &amount),
            code: said.code,
            nonce: said.nonce,
            deal: cash.id.to_string(),
        }));
    }
    let nonce = said.nonce.clone();
    let amount = amount_of(&said.amount, till.agent.unit);
    let id = name(&desk, &till, &cash, &nonce)?;
    let is_misread = amount.is_none() && !said.amount.trim().is_empty();
    let wrong = is_misread.then_some(text.wrong_amount);
    Ok(show_in(&desk, &till, said, wrong, amount.map(|amount| (amount, id))))
}

/// The name of a deal: of a card, one of the form's own.
fn name(desk: &Desk, till: &Till, cash: &Cash, nonce: &str) -> Result<FactId, Refusal> {
    let nonce = hex::decode(nonce).map_err(|_| Refusal::Bad)?;
    Ok(match cash.kind {
        CashKind::Card => secret(&desk.shared).name(till.login.person.id, nonce),
        CashKind::Out | CashKind::In => cash.id,
    })
}

fn show_in(
    desk: &Desk,
    till: &Till,
    said: Said,
    wrong: Option<&'static str>,
    sure: Option<(u64, FactId)>,
) -> Response {
    let (text, unit) = (&ENGLISH.agent, till.agent.unit);
    let sure = sure.filter(|_| wrong.is_none()).map(|(amount, id)| {
        let fee = fees(&desk.shared, unit).cash_in.of(amount);
        let credited = fill(text.in_fee, "credited", money(amount.saturating_sub(fee), unit));
        Sure {
            question: fill(text.in_sure, "amount", money(amount, unit)),
            fee: match fee {
                0 => text.in_free.to_owned(),
                fee => fill(&credited, "fee", money(fee, unit)),
            },
            button: fill(text.in_button, "amount", money(amount, unit)),
            deal: id.to_string(),
        }
    });
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    show_with(
        status,
        &InPage {
            page: till.page(desk, PATH, text.in_head),
            label: fill(text.in_amount, "unit", unit.code().to_uppercase()),
            wrong,
            amount: said.amount,
            code: said.code,
            nonce: said.nonce,
            sure,
        },
    )
}

/// What a code stands for, unless it is wrong: then it counts as a guess.
async fn find(desk: &Desk, till: &Till, said: &str) -> Result<Looked, Refusal> {
    const BAD: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let text = &ENGLISH.agent;
    let Ok(code) = said.parse::<CashCode>() else { return Ok(Looked::Wrong(BAD, text.bad_code)) };
    let (agent, now) = (till.agent.account, desk.now());
    let guesses = || desk.handle.guesses.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(guess) = guesses().begin(agent, now) else {
        return Ok(Looked::Wrong(StatusCode::TOO_MANY_REQUESTS, text.too_many));
    };
    let hash = secret(&desk.shared).hash(&code);
    let found = desk.run(move |store| Ok(store.cash_of_code(hash, now)?)).await;
    if !matches!(found, Ok(None)) {
        guesses().take_back(&guess); // It is one, or nobody can say.
    }
    let Some(cash) = found? else { return Ok(Looked::Wrong(BAD, text.unknown)) };
    let is_other_unit = cash.unit.is_some_and(|unit| unit != till.agent.unit);
    let why = match cash.state {
        _ if is_other_unit => Some(text.other_unit),
        _ if cash.account == till.login.person.account => Some(text.own),
        CashState::Dealing if cash.agent != Some(agent) => Some(text.elsewhere),
        CashState::Asked | CashState::Ending | CashState::Done => Some(text.not_ready),
        CashState::Ready | CashState::Dealing => None,
    };
    Ok(why.map_or(Looked::Found(hash, cash), |why| Looked::Wrong(BAD, why)))
}

/// `POST /agent/deal`: cash has changed hands. Sent twice, it happens once.
async fn deal(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Said>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.agent;
    let (till, said) = (Till::own(&desk, signed.login).await?, signed.form);
    let (agent, unit) = (till.agent.account, till.agent.unit);
    let shown: FactId = said.deal.parse().map_err(|_| Refusal::Bad)?;
    // The second click, when the code is forgotten, or the agent has been stopped since.
    if desk.run(move |store| Ok(store.cash(shown)?)).await?.is_some_and(|cash| {
        cash.agent == Some(agent) && matches!(cash.state, CashState::Dealing | CashState::Done)
    }) {
        return carry_out(&desk, &till, shown, said).await;
    }
    till.works()?;
    let (code, cash) = match find(&desk, &till, &said.code).await? {
        Looked::Found(code, cash) => (code, cash),
        Looked::Wrong(status, why) => {
            return show_home(&desk, &till, said.code, Some((status, why))).await;
        }
    };
    let id = name(&desk, &till, &cash, &said.nonce)?;
    let amount = match cash.kind {
        CashKind::Out => cash.amount,
        CashKind::In | CashKind::Card => amount_of(&said.amount, unit).ok_or(Refusal::Bad)?,
    };
    let fee = fees(&desk.shared, unit).cash_in.of(amount);
    let deal = Deal { id, code, agent, unit, amount, fee, now: desk.now() };
    const BAD: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    match desk.run(move |store| Ok(store.deal(&deal)?)).await? {
        Dealt::Begun(cash) => carry_out(&desk, &till, cash.id, said).await,
        Dealt::Unknown => show_home(&desk, &till, said.code, Some((BAD, text.unknown))).await,
        Dealt::Elsewhere => show_home(&desk, &till, said.code, Some((BAD, text.elsewhere))).await,
        Dealt::OtherUnit => show_home(&desk, &till, said.code, Some((BAD, text.other_unit))).await,
    }
}

async fn carry_out(desk: &Desk, till: &Till, id: FactId, said: Said) -> Result<Response, Refusal> {
    let text = &ENGLISH.agent;
    let receipt = format!("/agent/deal/{id}");
    let error = match go_on(&desk.shared, &desk.handle, id).await {
        Ok(Ok(())) => return Ok(see(&receipt)),
        Ok(Err(error)) => error,
        // Perhaps it was done: the receipt says so, now or later.
        Err(_) => return Ok(see(&receipt)),
    };
    let is_taken = !said.amount.is_empty();
    let why = match error {
        PostError::Insufficient => text.poor,
        PostError::OverLimit(_) => text.over,
        PostError::Frozen | PostError::Closed | PostError::UnknownHolder => text.customer_frozen,
        PostError::BadAmount
        | PostError::Conflict
        | PostError::Missing
        | PostError::Done
        | PostError::WrongWay
        | PostError::WrongAmount
        | PostError::UnknownQuote
        | PostError::QuoteNotOpen => text.refused,
    };
    if is_taken {
        return Ok(show_in(desk, till, said, Some(why), None));
    }
    show_home(desk, till, said.code, Some((StatusCode::UNPROCESSABLE_ENTITY, why))).await
}

#[derive(Template)]
#[template(path = "agent/receipt.html")]
struct ReceiptPage {
    page: Page,
    said: String,
    is_done: bool,
    number: String,
    day: String,
    fee: Option<String>,
    credited: Option<String>,
    again: String,
}

/// `GET /agent/deal/{id}`.
async fn receipt(
    State(desk): State<Desk>,
    till: Till,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let (text, unit) = (&ENGLISH.agent, till.agent.unit);
    let id: FactId = id.parse().map_err(|_| Refusal::NotFound)?;
    let agent = till.agent.account;
    let cash = desk.run(move |store| Ok(store.cash(id)?)).await?;
    let own = cash.filter(|cash| cash.agent == Some(agent) && cash.kind != CashKind::Card);
    let page = till.page(&desk, PATH, text.receipt_title);
    let number = receipt_number(id);
    let again = format!("/agent/deal/{id}");
    let (said, cash) = match own {
        None => (text.receipt_gone.to_owned(), None),
        Some(cash) if cash.state != CashState::Done => (text.receipt_pending.to_owned(), None),
        Some(cash) => {
            let said = if cash.kind == CashKind::Out { text.receipt_out } else { text.receipt_in };
            (fill(said, "amount", money(cash.amount, unit)), Some(cash))
        }
    };
    let taken = cash.as_ref().filter(|cash| cash.kind == CashKind::In);
    let credited = |cash: &Cash| money(cash.amount.saturating_sub(cash.fee), unit);
    Ok(show(&ReceiptPage {
        page,
        said,
        is_done: cash.is_some(),
        number,
        day: cash.as_ref().and_then(|cash| cash.day).map(|day| day.to_string()).unwrap_or_default(),
        fee: taken.filter(|cash| cash.fee > 0).map(|cash| money(cash.fee, unit)),
        credited: taken.map(credited),
        again,
    }))
}
