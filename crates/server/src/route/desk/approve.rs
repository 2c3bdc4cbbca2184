//! A mint quote, paid from an account: what a wallet shows is looked at, then paid by a second click.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_service::posting::{PostError, Posting};
use tacit_service::quote::{MintQuote, MintQuoteState, QuoteId};

use super::money::why_not;
use super::portal;
use super::see;
use crate::desk::Desk;
use crate::desk::money::{self, amount, ask, written};
use crate::desk::page::{Page, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{PersonLogin, SignedForm};
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/portal/approve";

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(ask_for_it).post(look))
        .route("/portal/approve/confirm", post(confirm))
}

#[derive(Template)]
#[template(path = "portal/approve.html")]
struct ApprovePage {
    page: Page,
    /// Why not, if something was refused.
    wrong: Option<&'static str>,
    said: String,
    sure: Option<Sure>,
}

/// What is to be paid.
struct Sure {
    quote: String,
    question: String,
    balance: String,
    button: String,
}

fn page(
    desk: &Desk,
    login: &PersonLogin,
    wrong: Option<&'static str>,
    said: &str,
    sure: Option<Sure>,
) -> Response {
    let text = &ENGLISH.money;
    let page = portal::page(desk, login, PATH, text.approve_title);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    show_with(status, &ApprovePage { page, wrong, said: said.to_owned(), sure })
}

/// `GET /portal/approve`.
async fn ask_for_it(State(desk): State<Desk>, login: PersonLogin) -> Response {
    page(&desk, &login, None, "", None)
}

#[derive(Deserialize)]
struct Said {
    quote: String,
}

/// `POST /portal/approve`: says what would be paid. By a form's body, because a quote's name is the right to its money, and
/// an address stays in the browser's history.
async fn look(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Said>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    let (text, said) = (&ENGLISH.money, form.quote.as_str());
    let Some(quote) = money::find_quote(&desk.shared, said).await? else {
        return Ok(page(&desk, &login, Some(text.approve_unknown), said, None));
    };
    if let Some(wrong) = not_open(&desk, &quote) {
        return Ok(page(&desk, &login, Some(wrong), said, None));
    }
    let (unit, account) = (quote.unit, login.person.account);
    let purse = ask(&desk.shared, move |reader| reader.purse(account, unit)).await?;
    let (held, asked) = (amount(purse.balance.owed()?, unit)?, amount(quote.amount, unit)?);
    let sure = Sure {
        quote: quote.id.to_string(),
        question: fill(text.approve_sure, "amount", written(asked)),
        balance: fill(text.approve_balance, "amount", written(held)),
        button: fill(text.approve_button, "amount", written(asked)),
    };
    if held.value() < asked.value() {
        return Ok(page(&desk, &login, Some(text.approve_poor), said, None));
    }
    Ok(page(&desk, &login, None, said, Some(sure)))
}

/// Why a quote cannot be paid, if it cannot.
fn not_open(desk: &Desk, quote: &MintQuote) -> Option<&'static str> {
    let text = &ENGLISH.money;
    match quote.state {
        MintQuoteState::Paid | MintQuoteState::Issued { .. } => Some(text.approve_paid),
        MintQuoteState::Unpaid if quote.expiry <= desk.now() => Some(text.approve_expired),
        MintQuoteState::Unpaid => None,
    }
}

/// `POST /portal/approve/confirm`: pays. Sent twice, it pays once.
async fn confirm(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Said>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    let text = &ENGLISH.money;
    let unknown = || page(&desk, &login, Some(text.approve_unknown), "", None);
    let Ok(id) = form.quote.parse::<QuoteId>() else { return Ok(unknown()) };
    let found = ask(&desk.shared, move |reader| reader.mint_quote(id)).await?;
    let Some(quote) = found else { return Ok(unknown()) };
    let holder = login.person.account;
    let posting = Posting::Approve { holder, quote: id, unit: quote.unit };
    let wrong = match money::post(&desk.shared, posting).await? {
        Ok(_) => return Ok(see("/portal?done=approved")),
        Err(PostError::QuoteNotOpen) => not_open(&desk, &quote).unwrap_or(text.approve_paid),
        Err(error) => why_not(error),
    };
    Ok(page(&desk, &login, Some(wrong), "", None))
}
