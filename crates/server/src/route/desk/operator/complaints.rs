//! Complaints that wait for an answer, the nearest deadline first.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tacit_service::desk::Owner;
use tacit_service::desk::complaint::{Answer, Complaint, Said, business_days_left};
use tacit_service::desk::person::Name;
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed};

use super::super::complaints::topic_name;
use super::super::see;
use super::paging::{Asked, Paging, cut, skipped};
use super::people::Purpose;
use super::{page, person};
use crate::desk::Desk;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/complaints";

/// Complaints on one page.
const ROWS: u32 = 100;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(queue))
        .route("/operator/complaints/{number}", get(look).post(reply))
}

#[derive(Template)]
#[template(path = "operator/complaints.html")]
struct QueuePage {
    page: Page,
    rows: Vec<Row>,
    paging: Option<Paging>,
}

struct Row {
    number: u64,
    topic: &'static str,
    came: String,
    due: String,
    left: String,
    is_overdue: bool,
    is_held: bool,
}

/// How many business days are left, in words.
fn left(desk: &Desk, complaint: &Complaint) -> (String, bool) {
    let text = &ENGLISH.complaints;
    let today = desk.now().day();
    let days = business_days_left(today, complaint.due);
    let is_overdue = complaint.due < today;
    let said = match (is_overdue, days) {
        (true, _) => fill(text.left_overdue, "days", days.unsigned_abs()),
        (false, 0) => text.left_today.to_owned(),
        (false, _) => fill(text.left_days, "days", days),
    };
    (said, is_overdue)
}

/// `GET /operator/complaints`: without names, which nobody needs to see what is due.
async fn queue(
    State(desk): State<Desk>,
    login: StaffLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeePeople)?;
    let text = &ENGLISH.complaints;
    let skip = skipped(asked.page, ROWS);
    let mut open = desk.run(move |store| Ok(store.open_complaints(skip, ROWS + 1)?)).await?;
    let paging = cut(&mut open, PATH, asked.page, ROWS);
    let row = |(complaint, _): (Complaint, Name)| {
        let (left, is_overdue) = left(&desk, &complaint);
        Row {
            number: complaint.number,
            topic: topic_name(complaint.topic),
            came: complaint.came.to_string(),
            due: complaint.due.to_string(),
            left,
            is_overdue,
            is_held: complaint.holding.is_some(),
        }
    };
    let notice = match asked.done.as_deref() {
        Some("answered") => Some(text.done_answered),
        Some("held") => Some(text.done_held),
        _ => None,
    };
    let rows = open.into_iter().map(row).collect();
    let page = page(&desk, &login, PATH, text.queue_title).with_notice(notice);
    Ok(show(&QueuePage { page, rows, paging }))
}

#[derive(Template)]
#[template(path = "operator/complaint.html")]
struct ComplaintPage {
    page: Page,
    number: u64,
    name: String,
    path: String,
    topic: &'static str,
    came: String,
    due: String,
    left: String,
    is_overdue: bool,
    said: String,
    holding: Option<String>,
    answer: Option<String>,
    answered: String,
    may_reply: bool,
    may_hold: bool,
    hold_until: String,
    draft: String,
    wrong: Option<String>,
}

/// `GET /operator/complaints/{number}`: a look at a person, and noted as one.
async fn look(
    State(desk): State<Desk>,
    login: StaffLogin,
    Path(number): Path<u64>,
) -> Result<Response, Refusal> {
    show_complaint(&desk, &login, number, String::new(), None).await
}

async fn show_complaint(
    desk: &Desk,
    login: &StaffLogin,
    number: u64,
    draft: String,
    wrong: Option<String>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeePeople)?;
    let (now, by) = (desk.now(), Some(login.staff.id));
    let found = desk.run(move |store| {
        let (complaint, name) = store.complaint(number)?.ok_or(Refusal::NotFound)?;
        let seen = Deed::about(now, by, Action::PersonSeen, Owner::Person(complaint.person));
        store.note(&Deed { detail: format!("complaint {number}"), ..seen })?;
        Ok((complaint, name))
    });
    let (complaint, name) = found.await?;
    let title = fill(ENGLISH.complaints.one_title, "number", number);
    let (left, is_overdue) = left(desk, &complaint);
    let clock = desk.shared.config.complaints;
    let may_reply = login.staff.role.may(Permission::JudgePeople) && complaint.answer.is_none();
    Ok(show(&ComplaintPage {
        page: page(desk, login, PATH, &title),
        number,
        name: name.as_str().to_owned(),
        path: person::path(complaint.person, Purpose::Complaint),
        topic: topic_name(complaint.topic),
        came: complaint.came.to_string(),
        due: complaint.due.to_string(),
        left,
        is_overdue: is_overdue && complaint.answer.is_none(),
        said: complaint.text.as_str().to_owned(),
        may_hold: may_reply && complaint.holding.is_none(),
        hold_until: fill(ENGLISH.complaints.hold_lead, "day", clock.due_extended(complaint.came)),
        holding: complaint.holding.map(|said| said.as_str().to_owned()),
        answered: complaint
            .answer
            .as_ref()
            .map_or_else(String::new, |answer| answer.day.to_string()),
        answer: complaint.answer.map(|answer| answer.text.as_str().to_owned()),
        may_reply,
        draft,
        wrong,
    }))
}

#[derive(Deserialize)]
struct Reply {
    what: What,
    text: String,
}

/// Which of the buttons.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Answer,
    Hold,
}

/// `POST /operator/complaints/{number}`. A second click finds it answered.
async fn reply(
    State(desk): State<Desk>,
    Path(number): Path<u64>,
    signed: SignedForm<StaffLogin, Reply>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::JudgePeople)?;
    let said = match Said::new(&form.text) {
        Ok(said) => said,
        Err(why) => {
            let wrong = fill(ENGLISH.complaints.text_wrong, "why", why);
            return show_complaint(&desk, &login, number, form.text, Some(wrong)).await;
        }
    };
    let (now, by, clock) = (desk.now(), Some(login.staff.id), desk.shared.config.complaints);
    let done = desk.run(move |store| {
        let (complaint, _) = store.complaint(number)?.ok_or(Refusal::NotFound)?;
        let deed = |action| {
            let deed = Deed::about(now, by, action, Owner::Person(complaint.person));
            Deed { detail: format!("complaint {number}"), ..deed }
        };
        match form.what {
            What::Answer => {
                let answer = Answer { text: said.clone(), day: now.day() };
                store.answer_complaint(number, &answer, &deed(Action::ComplaintAnswered))?;
            }
            What::Hold => {
                let due = clock.due_extended(complaint.came);
                store.hold_complaint(number, &said, due, &deed(Action::ComplaintHeld))?;
            }
        }
        // A second click finds its own words there.
        let (kept, _) = store.complaint(number)?.ok_or(Refusal::NotFound)?;
        let (words, done) = match form.what {
            What::Answer => (kept.answer.map(|answer| answer.text), "answered"),
            What::Hold => (kept.holding, "held"),
        };
        Ok((words == Some(said)).then_some(done))
    });
    match done.await? {
        Some(done) => Ok(see(&format!("{PATH}?done={done}"))),
        // A colleague was first, and what they wrote stands: nobody is told that this was sent.
        None => {
            let wrong = Some(ENGLISH.complaints.late.to_owned());
            show_complaint(&desk, &login, number, form.text, wrong).await
        }
    }
}
