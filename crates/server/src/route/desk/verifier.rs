//! Verifiers: who they are, for everybody; what they ask and are shown, for themselves; and what wallets fetch and send.
//!
//! What wallets fetch and send has no login, reads no cookie and comes from no page of the desk: it is known by the question's
//! name alone, and by what is signed.

use std::sync::{MutexGuard, PoisonError};

use askama::Template;
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tacit_core::hex;
use tacit_credit::certificate::query::Question;
use tacit_credit::certificate::response::{Response as Answer, ResponseError};
use tacit_credit::certificate::verify::Presented;
use tacit_service::desk::person::{KycLevel, Person, PersonState};
use tacit_service::desk::verifier::{VERIFIERS_MAX, Verifier, VerifierId, VerifierState};

use super::abroad::for_any_origin;
use super::operator::paging::{Paging, cut, skipped};
use super::portal::SIGN_OUT;
use super::{present, see};
use crate::certificate::ask::{self, ANSWER_PATH, Ask, AskId, Asks};
use crate::desk::Desk;
use crate::desk::page::{Item, Page, show, show_with, utc};
use crate::desk::refusal::Refusal;
use crate::desk::session::{PersonLogin, SignedForm, read};
use crate::random;
use crate::shop::request::qr_svg;
use crate::text::{ENGLISH, fill};

/// Where verifiers ask.
const PATH: &str = "/verifier";
/// Where everybody reads who they are.
const LIST: &str = "/verifiers";

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(LIST, get(list))
        .route(PATH, get(home).post(begin))
        .route("/verifier/{ask}", get(one))
}

/// What wallets fetch and send, and how a question stands, for the page's script.
pub(super) fn for_wallets(desk: &Desk) -> Router {
    let router = Router::new()
        .route("/certificate/{ask}/state", get(state))
        .route("/certificate/{ask}/request", get(request))
        .route(ANSWER_PATH, post(answer))
        .method_not_allowed_fallback(async || Refusal::Method)
        .layer(from_fn_with_state(desk.clone(), present));
    for_any_origin(router, desk).with_state(desk.clone())
}

/// The questions of these minutes.
fn asks(desk: &Desk) -> MutexGuard<'_, Asks> {
    desk.handle.asks.lock().unwrap_or_else(PoisonError::into_inner)
}

fn page(desk: &Desk, login: &PersonLogin, title: &str) -> Page {
    let mut page = Page::new(desk, PATH, title).seen_by_person(desk, login, SIGN_OUT);
    let text = &ENGLISH.verifier;
    let item = |path, name| Item { path, name, about: "" };
    page.menu = vec![item(PATH, text.menu_ask), item(LIST, text.menu_list)];
    page
}

#[derive(Template)]
#[template(path = "verifier/list.html")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    paging: Option<Paging>,
}

struct Row {
    name: String,
    purpose: String,
    since: String,
    state: &'static str,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    page: u32,
}

/// `GET /verifiers`: for everybody.
async fn list(State(desk): State<Desk>, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let text = &ENGLISH.verifier;
    let skip = skipped(asked.page, VERIFIERS_MAX);
    let mut verifiers =
        desk.run(move |store| Ok(store.verifiers(skip, VERIFIERS_MAX + 1)?)).await?;
    let paging = cut(&mut verifiers, LIST, asked.page, VERIFIERS_MAX);
    let row = |verifier: &Verifier| Row {
        name: verifier.name.as_str().to_owned(),
        purpose: verifier.purpose.as_str().to_owned(),
        since: verifier.opened.to_string(),
        state: state_text(verifier.state),
    };
    let rows = verifiers.iter().map(row).collect();
    Ok(show(&ListPage { page: Page::new(&desk, LIST, text.list_title), rows, paging }))
}

/// A state as people read it.
pub(super) fn state_text(state: VerifierState) -> &'static str {
    match state {
        VerifierState::Working => ENGLISH.verifier.state_working,
        VerifierState::Stopped => ENGLISH.verifier.state_stopped,
    }
}

#[derive(Template)]
#[template(path = "verifier/home.html")]
struct HomePage {
    page: Page,
    /// As whom it asks; nothing for who is no verifier.
    verifier: Option<(String, String)>,
    is_stopped: bool,
    thresholds: Vec<u16>,
    tenures: Vec<u16>,
    wrong: Option<&'static str>,
    said: Form,
}

/// The verifier that somebody is.
async fn own(desk: &Desk, login: &PersonLogin) -> Result<Option<Verifier>, Refusal> {
    let owner = login.person.id;
    desk.run(move |store| Ok(store.verifier_of(owner)?)).await
}

/// `GET /verifier`.
async fn home(State(desk): State<Desk>, login: PersonLogin) -> Result<Response, Refusal> {
    let verifier = own(&desk, &login).await?;
    let said = Form {
        id: hex::encode(&super::new_id()?),
        threshold: String::new(),
        tenure: String::new(),
        nothing_overdue: None,
    };
    Ok(show_home(&desk, &login, verifier.as_ref(), said, None))
}

fn show_home(
    desk: &Desk,
    login: &PersonLogin,
    verifier: Option<&Verifier>,
    said: Form,
    wrong: Option<&'static str>,
) -> Response {
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let offers = desk.shared.passports.offers();
    let names = |verifier: &Verifier| {
        (verifier.name.as_str().to_owned(), verifier.purpose.as_str().to_owned())
    };
    show_with(
        status,
        &HomePage {
            page: page(desk, login, ENGLISH.verifier.title),
            verifier: verifier.map(names),
            is_stopped: verifier.is_some_and(|it| !may_ask(it, Some(&login.person))),
            thresholds: offers.map(|(_, thresholds, _)| thresholds.to_vec()).unwrap_or_default(),
            tenures: offers.map(|(_, _, tenures)| tenures.to_vec()).unwrap_or_default(),
            wrong,
            said,
        },
    )
}

#[derive(Deserialize)]
struct Form {
    /// Drawn with the form, so that a second click asks nothing more.
    id: String,
    threshold: String,
    /// Empty: any age.
    tenure: String,
    nothing_overdue: Option<String>,
}

/// `POST /verifier`: asks.
async fn begin(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Form>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.verifier;
    let SignedForm { login, form } = signed;
    let verifier = own(&desk, &login).await?;
    let verifier = verifier.filter(|it| may_ask(it, Some(&login.person)));
    let verifier = verifier.ok_or(Refusal::Forbidden)?;
    let id: AskId = hex::decode(&form.id).map_err(|_| Refusal::Bad)?;
    let Some(question) = question(&desk, &form) else {
        return Ok(show_home(&desk, &login, Some(&verifier), form, Some(text.wrong_choice)));
    };
    let nonce = random::bytes().map_err(|error| Refusal::internal(&error))?;
    let now = desk.now();
    if put(&desk, id, Ask::new(verifier.id, question, &nonce, now)).is_none() {
        return Ok(show_home(&desk, &login, Some(&verifier), form, Some(text.wrong_many)));
    }
    Ok(see(&format!("{PATH}/{}", hex::encode(&id))))
}

/// Keeps a question: the link that wallets answer. None if there are as many as may be.
pub(super) fn put(desk: &Desk, id: AskId, ask: Ask) -> Option<String> {
    let verifier = ask.verifier;
    let is_kept = asks(desk).put(id, ask, desk.now());
    is_kept.then(|| ask::invitation(desk, &id, verifier))
}

/// The question of a form: whatever is offered from the least that was chosen on. None if something else was chosen.
fn question(desk: &Desk, form: &Form) -> Option<Question> {
    let (card, thresholds, tenures) = desk.shared.passports.offers()?;
    let from = |all: &[u16], least: &str| {
        let least: u16 = least.parse().ok()?;
        let at = all.iter().position(|offered| *offered == least)?;
        Some(all[at..].to_vec())
    };
    let tenures = match form.tenure.as_str() {
        "" => vec![],
        months => from(tenures, months)?,
    };
    Some(Question {
        cards: vec![card],
        thresholds: from(thresholds, &form.threshold)?,
        tenures,
        nothing_overdue: form.nothing_overdue.is_some(),
    })
}

#[derive(Template)]
#[template(path = "verifier/ask.html")]
struct AskPage {
    page: Page,
    asked: Vec<String>,
    until: String,
    live: &'static str,
    live_path: String,
    qr: Option<String>,
    /// Into the web wallet, if there is one.
    wallet: Option<String>,
    link: String,
    shown: Vec<(&'static str, String)>,
    /// Where another can be asked.
    again: &'static str,
}

/// `GET /verifier/{ask}`: the code, and what was shown.
async fn one(
    State(desk): State<Desk>,
    login: PersonLogin,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let verifier = own(&desk, &login).await?.ok_or(Refusal::NotFound)?;
    let page = page(&desk, &login, ENGLISH.verifier.ask_title);
    show_ask(&desk, page, verifier.id, &id, PATH)
}

/// The page of a question.
///
/// # Errors
/// [`Refusal::NotFound`] if this verifier asks nothing of that name, or no longer.
pub(super) fn show_ask(
    desk: &Desk,
    page: Page,
    verifier: VerifierId,
    id: &str,
    again: &'static str,
) -> Result<Response, Refusal> {
    let (id, ask) = find(desk, id)?;
    if ask.verifier != verifier {
        return Err(Refusal::NotFound);
    }
    let link = ask::invitation(desk, &id, verifier);
    Ok(show(&AskPage {
        page,
        asked: lines(&ask.question),
        until: utc(ask.until),
        live: ask.state(),
        live_path: format!("/certificate/{}/state", hex::encode(&id)),
        qr: qr_svg(&link, ENGLISH.verifier.qr_label).filter(|_| ask.shown.is_none()),
        wallet: desk.shared.wallet_link("share", &link),
        link,
        shown: ask.shown.as_ref().map(shown_lines).unwrap_or_default(),
        again,
    }))
}

/// What is asked for, as people read it.
fn lines(question: &Question) -> Vec<String> {
    let text = &ENGLISH.verifier;
    let least = |numbers: &[u16], line| numbers.first().map(|least| fill(line, "least", least));
    [
        least(&question.thresholds, text.line_threshold),
        least(&question.tenures, text.line_tenure),
        question.nothing_overdue.then(|| text.line_overdue.to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn shown_lines(presented: &Presented) -> Vec<(&'static str, String)> {
    let (text, shown) = (&ENGLISH.verifier, &presented.shown);
    let least = |value: u16| fill(text.at_least, "least", value);
    let mut lines = Vec::new();
    lines.extend(shown.threshold.map(|value| (text.shown_threshold, least(value))));
    lines.extend(shown.tenure.map(|value| (text.shown_tenure, least(value))));
    if shown.nothing_overdue {
        lines.push((text.shown_overdue, text.shown_nothing.to_owned()));
    }
    lines.extend(shown.card.map(|card| (text.shown_card, card.to_string())));
    lines.push((text.shown_made, presented.validity.since.day().to_string()));
    lines
}

/// A question of these minutes, by its name in a path.
fn find(desk: &Desk, id: &str) -> Result<(AskId, Ask), Refusal> {
    let id: AskId = hex::decode(id).map_err(|_| Refusal::NotFound)?;
    let found = asks(desk).get(&id, desk.now()).cloned();
    Ok((id, found.ok_or(Refusal::NotFound)?))
}

/// The verifier of a question, if it still may ask.
async fn asking(desk: &Desk, id: VerifierId) -> Result<Verifier, Refusal> {
    desk.run(move |store| {
        let verifier = store.verifier(id)?.ok_or(Refusal::NotFound)?;
        let owner = store.person(verifier.owner)?;
        if may_ask(&verifier, owner.as_ref()) { Ok(verifier) } else { Err(Refusal::NotFound) }
    })
    .await
}

/// Whether a verifier may ask: nobody has stopped it, and it is known who its owner is.
fn may_ask(verifier: &Verifier, owner: Option<&Person>) -> bool {
    let is_known =
        |owner: &Person| owner.state == PersonState::Open && KycLevel::Identified <= owner.kyc;
    verifier.state == VerifierState::Working && owner.is_some_and(is_known)
}

/// `GET /certificate/{ask}/state`: for the page's script.
async fn state(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let (_, ask) = find(&desk, &id)?;
    Ok(Json(json!({"state": ask.state()})).into_response())
}

/// `GET /certificate/{ask}/request`: the signed request (OpenID4VP 1.0, section 5).
async fn request(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let (id, ask) = find(&desk, &id)?;
    let verifier = asking(&desk, ask.verifier).await?;
    let signed = ask::request(&desk, &id, &ask, &verifier).ok_or(Refusal::NotFound)?;
    let kind = [(header::CONTENT_TYPE, "application/oauth-authz-req+jwt")];
    Ok((kind, signed).into_response())
}

/// `POST /certificate/answer` (OpenID4VP 1.0, section 8.2). What is wrong with an answer is told to nobody who sends it but in one word: who
/// sends it may have made it.
async fn answer(State(desk): State<Desk>, request: Request) -> Result<Response, Refusal> {
    let bytes = read(request).await?;
    let answer = match Answer::read(&bytes) {
        Ok(answer) => answer,
        // Anybody who saw the code can say no: the question stays.
        Err(ResponseError::Refused) => return Ok(Json(json!({})).into_response()),
        Err(_) => return Ok(refused()),
    };
    let Ok((_, ask)) = find(&desk, &answer.state) else { return Ok(refused()) };
    if asking(&desk, ask.verifier).await.is_err() {
        return Ok(refused());
    }
    let now = desk.now();
    let taken = asks(&desk).take(&desk, &answer, now);
    Ok(match taken {
        Ok(()) => Json(json!({})).into_response(),
        Err(_) => refused(),
    })
}

/// What whoever sends a bad answer reads (RFC 6749, section 5.2).
fn refused() -> Response {
    let body = Json(json!({"error": "invalid_request"}));
    (StatusCode::BAD_REQUEST, body).into_response()
}
