//! Cash at a shop, in the portal: codes to get cash and to pay it in, and receipts.

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::hex;
use tacit_core::unit::Unit;
use tacit_service::account::OverLimit;
use tacit_service::desk::cash::{Cash, CashKind, CashState, receipt_number};
use tacit_service::desk::webhook::full_minute;
use tacit_service::posting::{FactId, PostError};

use super::{new_id, portal, see};
use crate::cash::{fees, go_on, secret};
use crate::desk::Desk;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{PersonLogin, SignedForm};
use crate::shop::request::qr_svg;
use crate::shop::{amount_of, money};
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/portal/cash";

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(look))
        .route("/portal/cash/out", post(ask_out))
        .route("/portal/cash/in", post(ask_in))
        .route("/portal/cash/call-off", post(call_off))
        .route("/portal/cash/receipt/{id}", get(receipt))
}

#[derive(Template)]
#[template(path = "portal/cash.html")]
struct CashPage {
    page: Page,
    wrong: Option<&'static str>,
    units: Vec<String>,
    unit: String,
    amount: String,
    sure: Option<Sure>,
    codes: Vec<Code>,
    done: Vec<Done>,
    nonce: String,
    has_fees: bool,
    is_agent: bool,
}

/// What is asked before money is set aside.
struct Sure {
    question: String,
    fee: String,
}

/// A code that is good, or is about to be, or was.
struct Code {
    id: String,
    head: String,
    hint: &'static str,
    /// Empty while it is not good.
    code: String,
    qr: Option<String>,
    until: String,
    /// What is waited for.
    waits: Option<&'static str>,
}

/// What was done.
struct Done {
    id: String,
    day: String,
    kind: &'static str,
    amount: String,
    number: String,
}

#[derive(Default, Deserialize)]
struct Asked {
    unit: Option<String>,
    amount: Option<String>,
    done: Option<String>,
}

/// `GET /portal/cash`; with an amount, what it would cost.
async fn look(
    State(desk): State<Desk>,
    login: PersonLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    show_page(&desk, &login, asked, None).await
}

async fn show_page(
    desk: &Desk,
    login: &PersonLogin,
    asked: Asked,
    wrong: Option<&'static str>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.cash;
    let (account, own) = (login.person.account, login.person.id);
    let (all, agent) =
        desk.run(move |store| Ok((store.cash_of(account)?, store.agent_of(own)?))).await?;
    let (done, open): (Vec<Cash>, Vec<Cash>) =
        all.into_iter().partition(|cash| cash.state == CashState::Done);
    let units: Vec<Unit> = desk.shared.config.units.iter().map(|terms| terms.unit).collect();
    let unit = units.iter().find(|unit| asked.unit.as_deref() == Some(unit.code()));
    let unit = *unit.or(units.first()).ok_or(Refusal::NotFound)?;
    let said = asked.amount.as_deref().map(str::trim);
    let amount = said.and_then(|said| amount_of(said, unit));
    let is_misread = said.is_some() && amount.is_none();
    let notice = (asked.done.as_deref() == Some("called-off")).then_some(text.called_off);
    Ok(show(&CashPage {
        page: portal::page(desk, login, PATH, text.title).with_notice(notice),
        wrong: wrong.or(is_misread.then_some(text.wrong_amount)),
        sure: amount.filter(|_| wrong.is_none()).map(|amount| sure(desk, unit, amount)),
        units: units.iter().map(ToString::to_string).collect(),
        unit: unit.to_string(),
        amount: said.unwrap_or_default().to_owned(),
        codes: open.iter().map(|cash| code(desk, cash)).collect(),
        done: done.iter().map(done_row).collect(),
        nonce: hex::encode(&new_id()?),
        is_agent: agent.is_some(),
        has_fees: desk.shared.config.units.iter().any(|terms| !terms.fees.are_none()),
    }))
}

fn sure(desk: &Desk, unit: Unit, amount: u64) -> Sure {
    let text = &ENGLISH.cash;
    let fee = fees(&desk.shared, unit).cash_out.of(amount);
    Sure {
        question: fill(text.sure, "amount", money(amount, unit)),
        fee: match fee {
            0 => text.sure_free.to_owned(),
            fee => fill(text.sure_fee, "fee", money(fee, unit)),
        },
    }
}

fn code(desk: &Desk, cash: &Cash) -> Code {
    let text = &ENGLISH.cash;
    let waits = match cash.state {
        CashState::Asked => Some(text.asked),
        CashState::Dealing => Some(text.dealing),
        CashState::Ending => Some(text.ending),
        CashState::Ready | CashState::Done => None,
    };
    let spelled = match waits {
        None => secret(&desk.shared).code(cash.id).spelled(),
        Some(_) => String::new(),
    };
    let moment = cash.expires.to_string().replace('T', " ").replace(":00Z", "");
    Code {
        id: cash.id.to_string(),
        head: match (cash.kind, cash.unit) {
            (CashKind::Out, Some(unit)) => fill(text.out_head, "amount", money(cash.amount, unit)),
            (CashKind::Out | CashKind::In | CashKind::Card, _) => text.in_head.to_owned(),
        },
        hint: if cash.kind == CashKind::Out { text.code_hint } else { text.in_hint },
        qr: qr_svg(&spelled, text.picture).filter(|_| waits.is_none()),
        code: spelled,
        until: fill(text.until, "moment", moment),
        waits,
    }
}

fn done_row(cash: &Cash) -> Done {
    let text = &ENGLISH.cash;
    Done {
        id: cash.id.to_string(),
        day: cash.day.map(|day| day.to_string()).unwrap_or_default(),
        kind: if cash.kind == CashKind::Out { text.kind_out } else { text.kind_in },
        amount: cash.unit.map(|unit| money(cash.amount, unit)).unwrap_or_default(),
        number: receipt_number(cash.id),
    }
}

#[derive(Deserialize)]
struct Wanted {
    unit: String,
    amount: String,
    nonce: String,
}

/// `POST /portal/cash/out`: sets the money aside, and shows the code.
async fn ask_out(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Wanted>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.cash;
    let (login, form) = (signed.login, signed.form);
    let units = desk.shared.config.units.iter().map(|terms| terms.unit);
    let unit = units.clone().find(|unit| unit.code() == form.unit).ok_or(Refusal::Bad)?;
    let asked =
        |form: Wanted| Asked { unit: Some(form.unit), amount: Some(form.amount), done: None };
    let Some(amount) = amount_of(&form.amount, unit) else {
        return show_page(&desk, &login, asked(form), Some(text.wrong_amount)).await;
    };
    let cash = Cash {
        kind: CashKind::Out,
        unit: Some(unit),
        amount,
        fee: fees(&desk.shared, unit).cash_out.of(amount),
        state: CashState::Asked,
        ..begin(&desk, &login, &form.nonce, 3600 * desk.shared.config.agent.code_hours)?
    };
    let id = cash.id;
    if !desk.run(move |store| Ok(store.ask_cash(&cash)?)).await? {
        return show_page(&desk, &login, asked(form), Some(text.full)).await;
    }
    match go_on(&desk.shared, &desk.handle, id).await? {
        Ok(()) => Ok(see(PATH)),
        Err(error) => show_page(&desk, &login, asked(form), Some(why_not(error))).await,
    }
}

#[derive(Deserialize)]
struct Nonce {
    nonce: String,
}

/// `POST /portal/cash/in`: a code to pay cash in with, in the place of the one before.
async fn ask_in(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Nonce>,
) -> Result<Response, Refusal> {
    let life = 60 * desk.shared.config.agent.deposit_minutes;
    let cash = begin(&desk, &signed.login, &signed.form.nonce, life)?;
    desk.run(move |store| Ok(store.ask_cash(&cash)?)).await?;
    Ok(see(PATH))
}

/// What is asked for with a form, as a code to pay in.
fn begin(desk: &Desk, login: &PersonLogin, nonce: &str, seconds: u64) -> Result<Cash, Refusal> {
    let (secret, now) = (secret(&desk.shared), desk.now());
    let id = secret.name(login.person.id, hex::decode(nonce).map_err(|_| Refusal::Bad)?);
    Ok(Cash {
        id,
        kind: CashKind::In,
        account: login.person.account,
        unit: None,
        amount: 0,
        fee: 0,
        code: Some(secret.hash(&secret.code(id))),
        expires: full_minute(now.after(Duration::from_secs(seconds))),
        state: CashState::Ready,
        agent: None,
        day: None,
    })
}

#[derive(Deserialize)]
struct Which {
    id: String,
}

/// `POST /portal/cash/call-off`.
async fn call_off(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Which>,
) -> Result<Response, Refusal> {
    let id: FactId = signed.form.id.parse().map_err(|_| Refusal::NotFound)?;
    let account = signed.login.person.account;
    let (is_off, left) =
        desk.run(move |store| Ok((store.call_off(id, account)?, store.cash(id)?))).await?;
    let left = left.filter(|cash| cash.account == account);
    // Sent twice, the second finds it going or gone.
    let is_going = left.as_ref().is_none_or(|cash| cash.state == CashState::Ending);
    if !is_off && !is_going {
        let asked = Asked::default();
        return show_page(&desk, &signed.login, asked, Some(ENGLISH.cash.too_late)).await;
    }
    if left.is_some() {
        // What cannot be given back now is given back by the next round.
        _ = go_on(&desk.shared, &desk.handle, id).await;
    }
    Ok(see("/portal/cash?done=called-off"))
}

#[derive(Template)]
#[template(path = "portal/receipt.html")]
struct ReceiptPage {
    page: Page,
    said: String,
    number: String,
    day: String,
    shop: String,
    fee: Option<String>,
    credited: Option<String>,
}

/// `GET /portal/cash/receipt/{id}`.
async fn receipt(
    State(desk): State<Desk>,
    login: PersonLogin,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.cash;
    let id: FactId = id.parse().map_err(|_| Refusal::NotFound)?;
    let account = login.person.account;
    let (cash, agent) = desk
        .run(move |store| {
            let cash = store.cash(id)?.filter(|cash| cash.account == account);
            let cash = cash.filter(|cash| cash.state == CashState::Done);
            let cash = cash.ok_or(Refusal::NotFound)?;
            let agent = cash.agent.map(|agent| store.agent(agent)).transpose()?.flatten();
            Ok((cash, agent))
        })
        .await?;
    let unit = cash.unit.ok_or(Refusal::NotFound)?;
    let shop = agent.map_or_else(String::new, |agent| agent.name.as_str().to_owned());
    let is_out = cash.kind == CashKind::Out;
    let said = if is_out { text.receipt_out } else { text.receipt_in };
    let said = fill(said, "amount", money(cash.amount, unit));
    Ok(show(&ReceiptPage {
        page: portal::page(&desk, &login, PATH, text.receipt_title),
        said: fill(&said, "agent", &shop),
        number: receipt_number(id),
        day: cash.day.map(|day| day.to_string()).unwrap_or_default(),
        shop,
        fee: (cash.fee > 0).then(|| money(cash.fee, unit)),
        credited: (!is_out).then(|| money(cash.amount.saturating_sub(cash.fee), unit)),
    }))
}

/// Why money was not set aside, for whoever has it.
fn why_not(error: PostError) -> &'static str {
    let text = &ENGLISH.cash;
    match error {
        PostError::OverLimit(OverLimit::Day) => text.over_day,
        PostError::OverLimit(OverLimit::Month) => text.over_month,
        PostError::Insufficient => text.poor,
        PostError::Frozen => text.frozen,
        PostError::Closed => text.closed,
        PostError::UnknownHolder => text.opening,
        PostError::BadAmount => text.wrong_amount,
        PostError::Conflict
        | PostError::Missing
        | PostError::Done
        | PostError::WrongWay
        | PostError::WrongAmount
        | PostError::UnknownQuote
        | PostError::QuoteNotOpen => text.refused,
    }
}
