//! Who waits to be identified, and what compliance decides about it.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_service::desk::Owner;
use tacit_service::desk::identification::{Case, CaseState, Document};
use tacit_service::desk::judgement::{DecisionId, Judgement, Reason};
use tacit_service::desk::person::{KycLevel, PersonId};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed};

use super::super::{new_id, see};
use super::logins::{WaitingRow, waiting_row};
use super::page;
use super::paging::{Paging, cut, skipped};
use super::people::{Purpose, listed};
use super::person::{Draft, Part, path, show_person};
use crate::desk::Desk;
use crate::desk::judgement::carry_out;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/identification";

/// Requests on one page, the oldest first.
const ROWS: u32 = 100;

pub(super) fn router() -> Router<Desk> {
    Router::new().route(PATH, get(queue)).route("/operator/people/{id}/level", post(set_level))
}

#[derive(Template)]
#[template(path = "operator/identification.html")]
struct QueuePage {
    page: Page,
    rows: Vec<Row>,
    /// Logins that a second member of staff can confirm, for those who may.
    logins: Option<Vec<WaitingRow>>,
    logins_cut: bool,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    page: u32,
}

struct Row {
    path: String,
    name: String,
    account: String,
    state: String,
    since: String,
}

/// What a document is called.
pub(super) const fn document_name(document: Document) -> &'static str {
    let text = &ENGLISH.people;
    match document {
        Document::Passport => text.document_passport,
        Document::IdentityCard => text.document_identity_card,
        Document::ResidencePermit => text.document_residence_permit,
        Document::Other => text.document_other,
    }
}

/// How far a request is.
pub(super) fn state_said(state: CaseState) -> String {
    let text = &ENGLISH.people;
    match state {
        CaseState::Asked => text.case_asked.to_owned(),
        CaseState::Seen(document) => fill(text.case_seen, "document", document_name(document)),
        CaseState::Refused => text.case_refused.to_owned(),
    }
}

/// `GET /operator/identification`.
async fn queue(
    State(desk): State<Desk>,
    login: StaffLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeePeople)?;
    let (now, skip) = (desk.now(), skipped(asked.page, ROWS));
    let confirms = login.staff.role.may(Permission::ConfirmLogins);
    let found = desk.run(move |store| {
        let logins = if confirms { store.unconfirmed_logins(now, ROWS + 1)? } else { Vec::new() };
        Ok((store.cases(skip, ROWS + 1)?, logins, store.all_staff()?))
    });
    let (mut cases, mut logins, staff) = found.await?;
    let paging = cut(&mut cases, PATH, asked.page, ROWS);
    let logins_cut = (ROWS as usize) < logins.len();
    logins.truncate(ROWS as usize);
    let noted = listed(&desk, &login, "who waits to be identified", cases.len() + logins.len());
    desk.run(move |store| Ok(store.note(&noted)?)).await?;
    let logins = logins.iter().map(|(code, person)| waiting_row(code, person, &staff));
    let logins = confirms.then(|| logins.collect());
    let row = |case: Case| Row {
        path: path(case.person.id, Purpose::Identification),
        name: case.person.name.as_str().to_owned(),
        account: case.person.account.to_string(),
        state: state_said(case.state),
        since: case.since.to_string(),
    };
    let page = page(&desk, &login, PATH, ENGLISH.people.cases_title);
    let rows = cases.into_iter().map(row).collect();
    Ok(show(&QueuePage { page, rows, logins, logins_cut, paging }))
}

#[derive(Deserialize)]
struct Decided {
    why: String,
    level: String,
    reason: String,
}

/// `POST /operator/people/{id}/level`: sets a level, says no to a request, or takes a number off that was written down wrongly. A second click finds it done.
async fn set_level(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Decided>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::JudgePeople)?;
    let id: PersonId = id.parse().map_err(|_| Refusal::NotFound)?;
    let why = Purpose::of_name(&form.why).ok_or(Refusal::Bad)?;
    let text = &ENGLISH.people;
    let again = |wrong: String| Draft {
        part: Some(Part::Level),
        reason: form.reason.clone(),
        wrong: Some(wrong),
        ..Draft::default()
    };
    let reason = match Reason::new(&form.reason) {
        Ok(reason) => reason,
        Err(wrong) => {
            let draft = again(fill(text.reason_wrong, "why", wrong));
            return show_person(&desk, &login, id, why, None, draft).await;
        }
    };
    let (now, by, owner) = (desk.now(), Some(login.staff.id), Owner::Person(id));
    if form.level == "refuse" {
        let deed = Deed::about(now, by, Action::IdentificationRefused, owner);
        let deed = Deed { detail: reason.as_str().to_owned(), ..deed };
        desk.run(move |store| Ok(store.refuse_identification(id, now.day(), &deed)?)).await?;
        return Ok(see(&format!("{}&done=level", path(id, why))));
    }
    if form.level == "release" {
        let deed = Deed::about(now, by, Action::NumberReleased, owner);
        let deed = Deed { detail: reason.as_str().to_owned(), ..deed };
        desk.run(move |store| Ok(store.release_number(id, &deed)?)).await?;
        return Ok(see(&format!("{}&done=level", path(id, why))));
    }
    let level = form.level.parse().ok().and_then(KycLevel::of_number).ok_or(Refusal::Bad)?;
    let deed = Deed::about(now, by, Action::LevelSet, owner);
    let deed = Deed { detail: format!("{}: {}", level.number(), reason.as_str()), ..deed };
    let decision = DecisionId::from_bytes(new_id()?);
    let judged = desk.run(move |store| {
        let is_set = store.judge(id, Judgement::Level(level), decision, &deed)?;
        let known = store.person(id)?.ok_or(Refusal::NotFound)?;
        Ok(is_set || known.kyc == level)
    });
    if !judged.await? {
        return show_person(&desk, &login, id, why, None, again(text.level_unseen.to_owned()))
            .await;
    }
    let done = if carry_out(&desk, id).await.is_ok() { "level" } else { "waiting" };
    Ok(see(&format!("{}&done={done}", path(id, why))))
}
