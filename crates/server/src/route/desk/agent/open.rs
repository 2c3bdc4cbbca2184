//! An account for somebody who comes to an agent without a passkey: opened at the till, with a card to take home.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tacit_core::hex;
use tacit_service::desk::person::Name;

use super::Till;
use crate::cash::{agent, secret};
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{PersonLogin, SignedForm};
use crate::desk::{Desk, staffing};
use crate::route::desk::{new_id, passkeys};
use crate::shop::request::qr_svg;
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/agent/open";

pub(super) fn router() -> Router<Desk> {
    Router::new().route(PATH, get(form).post(open))
}

#[derive(Template)]
#[template(path = "agent/open.html")]
struct OpenPage {
    page: Page,
    nonce: String,
}

/// `GET /agent/open`.
async fn form(State(desk): State<Desk>, till: Till) -> Result<Response, Refusal> {
    till.works()?;
    let page = till.page(&desk, PATH, ENGLISH.agent.open_title);
    Ok(show(&OpenPage { page, nonce: hex::encode(&new_id()?) }))
}

#[derive(Deserialize)]
struct Newcomer {
    name: String,
    nonce: String,
}

#[derive(Template)]
#[template(path = "agent/card.html")]
struct CardPage {
    page: Page,
    how: String,
    code: String,
    code_qr: Option<String>,
    link: String,
    link_qr: Option<String>,
    until: String,
}

/// `POST /agent/open`. The card is shown here and nowhere else; the same form sent again shows the same one.
async fn open(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Newcomer>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.agent;
    let till = Till::own(&desk, signed.login).await?;
    till.works()?;
    let name = match signed.form.name.trim() {
        "" => text.open_default,
        name => name,
    };
    let name = Name::new(name);
    let name = name.map_err(|why| Refusal::Field(fill(text.open_bad_name, "why", why)))?;
    // As many accounts may be opened here as by passkeys.
    passkeys::take_turn(&desk)?;
    let how = fill(text.card_code, "name", name.as_str());
    let nonce = hex::decode(&signed.form.nonce).map_err(|_| Refusal::Bad)?;
    let id = secret(&desk.shared).name(till.login.person.id, nonce);
    let account = till.agent.account;
    let card = agent::open_account(&desk.shared, &desk.handle, account, id, name).await?;
    let link = staffing::link(&desk.handle, &card.link);
    Ok(show(&CardPage {
        page: till.page(&desk, PATH, text.card_title),
        how,
        code_qr: qr_svg(&card.code, text.picture),
        code: card.code,
        link_qr: qr_svg(&link, text.picture),
        link,
        until: fill(text.card_until, "day", card.expires.day()),
    }))
}
