//! The portal: people open accounts, log in, and look after how they do.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tacit_service::account::AccountId;
use tacit_service::desk::Owner;
use tacit_service::desk::OwnerKind;
use tacit_service::desk::login::{Label, Passkey, Session};
use tacit_service::desk::person::{
    Contact, Iban, KycLevel, Name, Person, PersonId, PersonState, SignUp, SignedUp,
};

use super::money::Overview;
use super::passkeys::{self, Named, Passkeys, Which};
use super::{
    approve, cash, cash_out, complaints, enter, identify, invitation, leave, my_passport, new_id,
    new_session_key, payout, see,
};
use crate::desk::page::{Item, Page, PasskeyForm, show};
use crate::desk::passkey::{Ceremony, Created, Question, Used};
use crate::desk::refusal::Refusal;
use crate::desk::session::{Empty, Login, PersonLogin, ScriptJson, SignedForm, SignedJson};
use crate::desk::{Desk, account, screening};
use crate::random;
use crate::text::{ENGLISH, fill};

/// Where people log out.
pub(super) const SIGN_OUT: &str = "/portal/sign-out";

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/portal", get(home))
        .route("/portal/sign-up", get(sign_up))
        .route("/portal/sign-up/begin", post(begin_sign_up))
        .route("/portal/sign-up/finish", post(finish_sign_up))
        .route("/portal/sign-in", get(sign_in))
        .route("/portal/sign-in/begin", post(begin_sign_in))
        .route("/portal/sign-in/finish", post(finish_sign_in))
        .route(SIGN_OUT, post(sign_out))
        .route("/portal/sign-out-everywhere", post(sign_out_everywhere))
        .route("/portal/passkeys/begin", post(begin_add))
        .route("/portal/passkeys/finish", post(finish_add))
        .route("/portal/passkeys/remove", post(remove))
        .route("/portal/details", post(details))
        .route("/portal/stop-login", post(invitation::stop))
}

/// Pages of the portal, for its menu.
fn menu() -> Vec<Item> {
    let text = &ENGLISH.money;
    let item = |path, name| Item { path, name, about: "" };
    vec![
        item("/portal", text.menu_home),
        item("/portal/statement", text.menu_statement),
        item(approve::PATH, text.menu_approve),
        item(cash_out::PATH, text.menu_cash_out),
        item(cash::PATH, ENGLISH.cash.title),
        item(payout::PATH, ENGLISH.payout.menu),
        item(my_passport::PATH, ENGLISH.passport.title),
        item(identify::PATH, ENGLISH.identify.menu),
        item(complaints::PATH, ENGLISH.complaints.menu),
    ]
}

#[derive(Template)]
#[template(path = "portal/sign_up.html")]
struct SignUpPage {
    page: Page,
    form: PasskeyForm,
}

/// `GET /portal/sign-up`.
async fn sign_up(State(desk): State<Desk>) -> Response {
    let page = Page::new(&desk, "/portal/sign-up", ENGLISH.portal.sign_up_title).with_script();
    let form = PasskeyForm { what: "create", path: "/portal/sign-up", token: String::new() };
    show(&SignUpPage { page, form })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Newcomer {
    name: String,
}

/// `POST /portal/sign-up/begin`.
async fn begin_sign_up(
    State(desk): State<Desk>,
    ScriptJson(newcomer): ScriptJson<Newcomer>,
) -> Result<Json<Question>, Refusal> {
    passkeys::take_turn(&desk)?;
    let name = Name::new(&newcomer.name);
    let name = name.map_err(|why| Refusal::Field(fill(ENGLISH.refusal.name, "why", why)))?;
    let id = PersonId::from_bytes(new_id()?);
    let own = name.clone();
    let passkeys = &desk.handle.passkeys;
    let question = passkeys.ask_for_new(Owner::Person(id), &own, Vec::new(), desk.now(), |state| {
        Ceremony::SignUp { id, name, state }
    });
    question.map(Json)
}

/// `POST /portal/sign-up/finish`.
async fn finish_sign_up(
    State(desk): State<Desk>,
    ScriptJson(answer): ScriptJson<Created>,
) -> Result<Response, Refusal> {
    let now = desk.now();
    let Ceremony::SignUp { id, name, state } = desk.handle.passkeys.take(&answer, now)? else {
        return Err(Refusal::Ceremony);
    };
    let (credential, record) = desk.handle.passkeys.created(&answer.credential, &state)?;
    let (key, owner) = (new_session_key()?, Owner::Person(id));
    let label =
        Label::new(ENGLISH.portal.passkey_first).map_err(|error| Refusal::internal(&error))?;
    let random = random::bytes().map_err(|error| Refusal::internal(&error))?;
    let sign_up = SignUp {
        person: Person::newcomer(id, AccountId::from_random(random), name, now.day()),
        session: Session::begin(&key, owner, now),
        passkey: Passkey {
            credential,
            owner,
            record,
            label,
            added: now.day(),
            last_used: Some(now.day()),
        },
    };
    let person = sign_up.person.clone();
    match desk.run(move |store| Ok(store.sign_up(&sign_up)?)).await? {
        SignedUp::Done => {
            // They are in, whatever the vault says now: what it could not do is done in a while.
            _ = account::open(&desk.shared, &desk.handle, &person).await;
            screening::soon(&desk);
            Ok(enter(&desk, OwnerKind::Person, &key))
        }
        SignedUp::Taken => Err(Refusal::PasskeyTaken),
    }
}

#[derive(Template)]
#[template(path = "portal/sign_in.html")]
pub(super) struct SignInPage {
    pub(super) page: Page,
    pub(super) lead: &'static str,
    pub(super) form: PasskeyForm,
    /// Whether people log in here, and not staff.
    pub(super) is_portal: bool,
}

/// `GET /portal/sign-in`.
async fn sign_in(State(desk): State<Desk>) -> Response {
    let page = Page::new(&desk, "/portal/sign-in", ENGLISH.portal.sign_in_title).with_script();
    let form = PasskeyForm { what: "get", path: "/portal/sign-in", token: String::new() };
    show(&SignInPage { page, lead: ENGLISH.portal.sign_in_lead, form, is_portal: true })
}

/// `POST /portal/sign-in/begin`.
async fn begin_sign_in(
    State(desk): State<Desk>,
    ScriptJson(Empty {}): ScriptJson<Empty>,
) -> Result<Json<Question>, Refusal> {
    passkeys::begin_sign_in(&desk, OwnerKind::Person).map(Json)
}

/// `POST /portal/sign-in/finish`.
async fn finish_sign_in(
    State(desk): State<Desk>,
    ScriptJson(answer): ScriptJson<Used>,
) -> Result<Response, Refusal> {
    let key = passkeys::finish_sign_in(&desk, OwnerKind::Person, answer).await?;
    Ok(enter(&desk, OwnerKind::Person, &key))
}

#[derive(Template)]
#[template(path = "portal/home.html")]
struct Home {
    page: Page,
    name: String,
    account: String,
    level: &'static str,
    overview: Overview,
    is_frozen: bool,
    is_opening: bool,
    passkeys: Passkeys,
    contact: String,
    iban: String,
    form: PasskeyForm,
}

/// What was just done, for the page that is shown after it.
#[derive(Deserialize)]
struct Asked {
    done: Option<String>,
}

/// A page of the portal, for whoever is logged in.
pub(super) fn page(desk: &Desk, login: &PersonLogin, path: &'static str, title: &str) -> Page {
    let mut page = Page::new(desk, path, title).seen_by_person(desk, login, SIGN_OUT);
    page.menu = menu();
    page
}

/// `GET /portal`.
async fn home(
    State(desk): State<Desk>,
    login: PersonLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.portal;
    let owner = login.owner();
    let keys = desk.run(move |store| Ok(store.passkeys(owner)?)).await?;
    let overview = Overview::of(&desk, login.person.account).await?;
    let notice = match asked.done.as_deref() {
        Some("details") => Some(text.details_saved),
        Some("added") => Some(text.passkey_made),
        Some("removed") => Some(text.passkey_gone),
        Some("login-stopped") => Some(text.login_stopped),
        Some("approved") => Some(ENGLISH.money.approve_done),
        Some("demo-money") => Some(ENGLISH.money.demo_done),
        _ => None,
    };
    let person = &login.person;
    let page = page(&desk, &login, "/portal", text.home_title).with_script().with_notice(notice);
    let form = PasskeyForm { what: "create", path: "/portal/passkeys", token: page.form_token() };
    Ok(show(&Home {
        name: person.name.as_str().to_owned(),
        account: person.account.to_string(),
        level: match person.kyc {
            KycLevel::Unknown => text.level_0,
            KycLevel::Identified => text.level_1,
            KycLevel::Verified => text.level_2,
        },
        is_frozen: person.state == PersonState::Frozen || overview.is_frozen,
        is_opening: !person.is_in_vault,
        overview,
        passkeys: Passkeys::of(keys, "/portal/passkeys"),
        contact: person.contact.as_ref().map_or_else(String::new, |own| own.as_str().to_owned()),
        iban: person.iban.as_ref().map_or_else(String::new, Iban::grouped),
        form,
        page,
    }))
}

/// `POST /portal/sign-out`.
async fn sign_out(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Empty>,
) -> Result<Response, Refusal> {
    let hash = signed.login.key.hash();
    desk.run(move |store| Ok(store.log_out(hash)?)).await?;
    Ok(leave(OwnerKind::Person, &desk))
}

/// `POST /portal/sign-out-everywhere`.
async fn sign_out_everywhere(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Empty>,
) -> Result<Response, Refusal> {
    let owner = signed.login.owner();
    desk.run(move |store| Ok(store.log_out_everywhere(owner)?)).await?;
    Ok(leave(OwnerKind::Person, &desk))
}

/// `POST /portal/passkeys/begin`.
async fn begin_add(
    State(desk): State<Desk>,
    signed: SignedJson<PersonLogin, Named>,
) -> Result<Json<Question>, Refusal> {
    let name = &signed.login.person.name;
    passkeys::begin_add(&desk, &signed.login, name, &signed.body).await.map(Json)
}

/// `POST /portal/passkeys/finish`.
async fn finish_add(
    State(desk): State<Desk>,
    signed: SignedJson<PersonLogin, Created>,
) -> Result<Response, Refusal> {
    passkeys::finish_add(&desk, &signed.login, signed.body).await?;
    Ok(Json(serde_json::json!({ "next": "/portal?done=added#passkeys" })).into_response())
}

/// `POST /portal/passkeys/remove`.
async fn remove(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Which>,
) -> Result<Response, Refusal> {
    passkeys::remove(&desk, &signed.login, &signed.form).await?;
    Ok(see("/portal?done=removed"))
}

#[derive(Deserialize)]
struct Details {
    contact: String,
    iban: String,
}

/// `POST /portal/details`.
async fn details(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Details>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.refusal;
    let given = |field: &str| (!field.trim().is_empty()).then(|| field.to_owned());
    let contact = given(&signed.form.contact).map(|text| Contact::new(&text)).transpose();
    let contact = contact.map_err(|why| Refusal::Field(fill(text.contact, "why", why)))?;
    let iban = given(&signed.form.iban).map(|text| Iban::new(&text)).transpose();
    let iban = iban.map_err(|why| Refusal::Field(fill(text.iban, "why", why)))?;
    let id = signed.login.person.id;
    desk.run(move |store| Ok(store.set_person_details(id, contact.as_ref(), iban.as_ref())?))
        .await?;
    Ok(see("/portal?done=details"))
}
