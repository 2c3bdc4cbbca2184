//! The passport, in the portal: what it is, a code for a wallet, and beginning again.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::time::Timestamp;
use tacit_service::desk::enrolment::{CODE_LIFE, Enrolment, EnrolmentCode, Offer};
use tacit_service::desk::webhook::full_minute;

use super::passport::passport_name;
use super::{new_id, portal};
use crate::desk::Desk;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{Empty, PersonLogin, SignedForm};
use crate::shop::request::qr_svg;
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/portal/passport";

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(look).post(take_code))
        .route("/portal/passport/again", post(again))
}

#[derive(Template)]
#[template(path = "portal/passport.html")]
struct PassportPage {
    page: Page,
    wrong: Option<&'static str>,
    head: &'static str,
    said: &'static str,
    /// Until when a code counts.
    waits: Option<String>,
    button: Option<&'static str>,
    again: Option<Again>,
}

/// What beginning again means.
struct Again {
    lead: String,
    number: u32,
}

#[derive(Template)]
#[template(path = "portal/passport_code.html")]
struct CodePage {
    page: Page,
    link: String,
    qr: Option<String>,
    /// Into the web wallet, if there is one.
    wallet: Option<String>,
}

/// `GET /portal/passport`.
async fn look(State(desk): State<Desk>, login: PersonLogin) -> Result<Response, Refusal> {
    show_page(&desk, &login, None).await
}

async fn show_page(
    desk: &Desk,
    login: &PersonLogin,
    wrong: Option<&'static str>,
) -> Result<Response, Refusal> {
    let (text, id) = (&ENGLISH.passport, login.person.id);
    let found = desk.run(move |store| Ok(store.enrolment(id)?)).await?;
    let (enrolment, expires) = found.unzip();
    let begun = enrolment.filter(|enrolment| enrolment.holder.is_some());
    let has_it = match begun {
        Some(begun) => is_given(desk, login, begun.number).await?,
        None => false,
    };
    let (head, said, button) = match (begun, has_it) {
        (_, true) => (text.has_title, text.has, None),
        (Some(_), false) => (text.begun_title, text.begun, Some(text.code_again)),
        (None, false) => (text.none_title, text.none, Some(text.code)),
    };
    let waits = expires.flatten().filter(|expires| button.is_some() && desk.now() < *expires);
    Ok(show(&PassportPage {
        page: portal::page(desk, login, PATH, text.title),
        wrong,
        head,
        said,
        waits: waits.map(|expires| fill(text.waits, "moment", minute(expires))),
        button,
        again: begun.map(|Enrolment { number, .. }| Again { lead: lead(desk, has_it), number }),
    }))
}

/// What somebody loses who begins again.
fn lead(desk: &Desk, has_it: bool) -> String {
    let text = &ENGLISH.passport;
    let months = desk.shared.config.passport.again_months;
    if has_it { fill(text.again_lead, "months", months) } else { text.again_anew.to_owned() }
}

/// A moment as people read it.
fn minute(moment: Timestamp) -> String {
    moment.to_string().replace('T', " ").replace(":00Z", "")
}

/// Whether the vault has given out the passport of this number.
async fn is_given(desk: &Desk, login: &PersonLogin, number: u32) -> Result<bool, Refusal> {
    let name = passport_name(login.person.account, number);
    let shown = desk.shared.pool.run(move |reader| reader.shown(&[name])).await;
    let shown = shown.map_err(|_| Refusal::Busy)??;
    Ok(shown.first().is_some_and(Option::is_some))
}

/// `POST /portal/passport`: a code, shown once.
async fn take_code(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Empty>,
) -> Result<Response, Refusal> {
    give_code(&desk, &signed.login, Offer::Same).await
}

async fn give_code(desk: &Desk, login: &PersonLogin, offer: Offer) -> Result<Response, Refusal> {
    let text = &ENGLISH.passport;
    let code = EnrolmentCode::from_random(new_id()?);
    let (id, hash) = (login.person.id, code.hash());
    // To the minute: nobody needs to know when it was taken.
    let expires = full_minute(desk.now().after(CODE_LIFE));
    let made = desk.run(move |store| Ok(store.offer_enrolment(id, offer, hash, expires)?)).await?;
    if made.is_none() {
        return show_page(desk, login, Some(text.closed)).await;
    }
    let link = link(desk, &code);
    Ok(show(&CodePage {
        page: portal::page(desk, login, PATH, text.code_title),
        qr: qr_svg(&link, text.code_picture),
        wallet: desk.shared.wallet_link("enrol", &link),
        link,
    }))
}

/// What a wallet reads a code from.
pub(crate) fn link(desk: &Desk, code: &EnrolmentCode) -> String {
    format!("{}{PATH}#{}", desk.handle.origin, code.reveal())
}

#[derive(Deserialize)]
struct Sure {
    number: u32,
    sure: Option<String>,
}

/// `POST /portal/passport/again`: other words, and a code for them. A second click takes another code for the same.
async fn again(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Sure>,
) -> Result<Response, Refusal> {
    let (login, Sure { number, sure }) = (signed.login, signed.form);
    if sure.is_none() {
        return show_page(&desk, &login, Some(ENGLISH.passport.unsure)).await;
    }
    let offer = match is_given(&desk, &login, number).await? {
        true => Offer::Instead { number },
        false => Offer::Anew { number },
    };
    give_code(&desk, &login, offer).await
}
