//! Verifiers, on the console: registered, stopped, and let ask again.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_service::account::AccountId;
use tacit_service::desk::Owner;
use tacit_service::desk::person::{Name, PersonState};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::desk::verifier::{
    VERIFIERS_MAX, Verifier, VerifierId, VerifierPurpose, VerifierRegistered, VerifierState,
};

use super::page;
use super::paging::{Asked, Paging, cut, skipped};
use crate::desk::Desk;
use crate::desk::page::{Page, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::route::desk::verifier::state_text;
use crate::route::desk::{new_id, see};
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/verifiers";

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(list))
        .route("/operator/verifiers/add", post(add))
        .route("/operator/verifiers/change", post(change))
}

#[derive(Template)]
#[template(path = "operator/verifiers.html")]
struct VerifiersPage {
    page: Page,
    rows: Vec<Row>,
    paging: Option<Paging>,
    may_judge: bool,
    wrong: Option<String>,
    said: Newcomer,
}

struct Row {
    id: String,
    name: String,
    purpose: String,
    person: String,
    since: String,
    state: &'static str,
    is_working: bool,
}

/// `GET /operator/verifiers`.
async fn list(
    State(desk): State<Desk>,
    login: StaffLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.verifier;
    let notice = match asked.done.as_deref() {
        Some("added") => Some(text.staff_added),
        Some("changed") => Some(text.staff_changed),
        _ => None,
    };
    show_list(&desk, &login, asked.page, notice, None, Newcomer::default()).await
}

async fn show_list(
    desk: &Desk,
    login: &StaffLogin,
    page_number: u32,
    notice: Option<&'static str>,
    wrong: Option<String>,
    said: Newcomer,
) -> Result<Response, Refusal> {
    login.may(Permission::SeeVerifiers)?;
    let text = &ENGLISH.verifier;
    let skip = skipped(page_number, VERIFIERS_MAX);
    let mut rows = desk
        .run(move |store| {
            let mut rows = Vec::new();
            for verifier in store.verifiers(skip, VERIFIERS_MAX + 1)? {
                let person = store.person(verifier.owner)?.map(|person| person.account);
                rows.push(row(&verifier, person));
            }
            Ok(rows)
        })
        .await?;
    let paging = cut(&mut rows, PATH, page_number, VERIFIERS_MAX);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(show_with(
        status,
        &VerifiersPage {
            page: page(desk, login, PATH, text.staff_menu).with_notice(notice),
            rows,
            paging,
            may_judge: login.staff.role.may(Permission::JudgeVerifiers),
            wrong,
            said,
        },
    ))
}

fn row(verifier: &Verifier, person: Option<AccountId>) -> Row {
    Row {
        id: verifier.id.to_string(),
        name: verifier.name.as_str().to_owned(),
        purpose: verifier.purpose.as_str().to_owned(),
        person: person.map(|person| person.to_string()).unwrap_or_default(),
        since: verifier.opened.to_string(),
        state: state_text(verifier.state),
        is_working: verifier.state == VerifierState::Working,
    }
}

#[derive(Default, Deserialize)]
struct Newcomer {
    account: String,
    name: String,
    purpose: String,
}

/// `POST /operator/verifiers/add`.
async fn add(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Newcomer>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.verifier;
    let SignedForm { login, form } = signed;
    login.may(Permission::JudgeVerifiers)?;
    let verifier = match read(&desk, &form).await? {
        Ok(verifier) => verifier,
        Err(wrong) => return show_list(&desk, &login, 0, None, Some(wrong), form).await,
    };
    let deed = Deed {
        moment: desk.now(),
        staff: Some(login.staff.id),
        action: Action::VerifierRegistered,
        subject: Owner::Person(verifier.owner).to_string(),
        detail: verifier.id.to_string(),
    };
    let done = desk.run(move |store| Ok(store.register_verifier(&verifier, &deed)?)).await?;
    let wrong = match done {
        VerifierRegistered::Done => return Ok(see("/operator/verifiers?done=added")),
        VerifierRegistered::Unidentified => text.staff_unidentified,
        VerifierRegistered::Taken => text.staff_taken,
    };
    show_list(&desk, &login, 0, None, Some(wrong.to_owned()), form).await
}

/// The verifier of a form; within, what is wrong with it.
async fn read(desk: &Desk, form: &Newcomer) -> Result<Result<Verifier, String>, Refusal> {
    let text = &ENGLISH.verifier;
    let number: String = form.account.to_ascii_uppercase().split_whitespace().collect();
    let Ok(number) = number.parse::<AccountId>() else {
        return Ok(Err(text.staff_no_account.to_owned()));
    };
    let person = desk.run(move |store| Ok(store.person_of_account(number)?)).await?;
    let Some(person) = person.filter(|person| person.state == PersonState::Open) else {
        return Ok(Err(text.staff_no_account.to_owned()));
    };
    let name = match Name::new(&form.name) {
        Ok(name) => name,
        Err(why) => return Ok(Err(fill(text.staff_bad_name, "why", why))),
    };
    let purpose = match VerifierPurpose::new(&form.purpose) {
        Ok(purpose) => purpose,
        Err(why) => return Ok(Err(fill(text.staff_bad_purpose, "why", why))),
    };
    Ok(Ok(Verifier {
        id: VerifierId::from_bytes(new_id()?),
        name,
        purpose,
        owner: person.id,
        opened: desk.now().day(),
        state: VerifierState::Working,
    }))
}

#[derive(Deserialize)]
struct Change {
    verifier: String,
    what: What,
}

/// Which of the buttons.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Stop,
    Resume,
}

/// `POST /operator/verifiers/change`.
async fn change(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Change>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::JudgeVerifiers)?;
    let id: VerifierId = form.verifier.parse().map_err(|_| Refusal::NotFound)?;
    let (state, action) = match form.what {
        What::Stop => (VerifierState::Stopped, Action::VerifierStopped),
        What::Resume => (VerifierState::Working, Action::VerifierResumed),
    };
    let (moment, staff) = (desk.now(), Some(login.staff.id));
    desk.run(move |store| {
        let verifier = store.verifier(id)?.ok_or(Refusal::NotFound)?;
        let subject = Owner::Person(verifier.owner).to_string();
        let deed = Deed { moment, staff, action, subject, detail: id.to_string() };
        // Done already, it is as it was wanted.
        Ok(store.set_verifier_state(id, state, &deed)?)
    })
    .await?;
    Ok(see("/operator/verifiers?done=changed"))
}
