//! Exceptions of money at the console: what no program can set right, until somebody has said what became of it.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use tacit_core::time::Day;
use tacit_service::desk::exception::{Exception, Kind};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed, Reason};

use super::page;
use crate::desk::Desk;
use crate::desk::page::{Page, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::route::desk::see;
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/exceptions";

/// Exceptions on one page.
const ROWS: u32 = 50;

pub(super) fn router() -> Router<Desk> {
    Router::new().route(PATH, get(list).post(end))
}

/// One of them, with the form that ends it.
struct Row {
    kind: &'static str,
    said: &'static str,
    hint: &'static str,
    subject: String,
    path: Option<String>,
    raised: String,
    wrong: Option<String>,
    reason: String,
}

#[derive(Template)]
#[template(path = "operator/exceptions.html")]
struct ExceptionsPage {
    page: Page,
    rows: Vec<Row>,
    may_end: bool,
    next: Option<String>,
}

/// After which one, as an address says it.
#[derive(Default, Deserialize, Serialize)]
struct After {
    raised: Option<u64>,
    kind: Option<String>,
    subject: Option<String>,
}

impl After {
    fn read(self) -> Result<Option<Exception>, Refusal> {
        let (Some(raised), Some(kind), Some(subject)) = (self.raised, self.kind, self.subject)
        else {
            return Ok(None);
        };
        let kind = Kind::of_name(&kind).ok_or(Refusal::Bad)?;
        let day = Some(raised).filter(|day| *day < 1 << 32).ok_or(Refusal::Bad)?;
        Ok(Some(Exception { kind, subject, raised: Day::from_number(day) }))
    }

    fn written(last: &Exception) -> String {
        let after = Self {
            raised: Some(last.raised.number()),
            kind: Some(last.kind.name().to_owned()),
            subject: Some(last.subject.clone()),
        };
        serde_urlencoded::to_string(after).unwrap_or_default()
    }
}

/// `GET /operator/exceptions`.
async fn list(
    State(desk): State<Desk>,
    login: StaffLogin,
    Query(after): Query<After>,
) -> Result<Response, Refusal> {
    show_list(&desk, &login, after.read()?, None).await
}

/// What was typed for one of them, and what is wrong with it.
struct Typed {
    kind: String,
    subject: String,
    reason: String,
    wrong: String,
}

async fn show_list(
    desk: &Desk,
    login: &StaffLogin,
    after: Option<Exception>,
    typed: Option<Typed>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeeMoney)?;
    let found = desk.run(move |store| Ok(store.exceptions(after.as_ref(), ROWS + 1)?));
    let mut found = found.await?;
    let is_more = ROWS < u32::try_from(found.len()).unwrap_or(u32::MAX);
    found.truncate(ROWS as usize);
    let next = found.last().filter(|_| is_more);
    let next = next.map(|last| format!("{PATH}?{}", After::written(last)));
    let status = if typed.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(show_with(
        status,
        &ExceptionsPage {
            page: page(desk, login, PATH, ENGLISH.finance.exceptions_title),
            rows: found.iter().map(|one| row(one, typed.as_ref())).collect(),
            may_end: login.staff.role.may(Permission::ApproveMoney),
            next,
        },
    ))
}

fn row(exception: &Exception, typed: Option<&Typed>) -> Row {
    let text = &ENGLISH.finance;
    let (said, hint) = match exception.kind {
        Kind::Payout => (text.exception_payout, text.hint_exception_payout),
        Kind::Gone => (text.exception_gone, text.hint_exception_gone),
    };
    let (kind, subject) = (exception.kind.name(), exception.subject.clone());
    let typed = typed.filter(|typed| typed.kind == kind && typed.subject == subject);
    Row {
        kind,
        said,
        hint,
        path: leads_to(&subject),
        subject,
        raised: exception.raised.to_string(),
        wrong: typed.map(|typed| typed.wrong.clone()),
        reason: typed.map(|typed| typed.reason.clone()).unwrap_or_default(),
    }
}

/// The page of what an exception is about.
fn leads_to(subject: &str) -> Option<String> {
    match subject.split_once(' ')? {
        ("payout", id) => Some(format!("{}/{id}", super::payouts::PATH)),
        ("booking", id) => Some(format!("{}/{id}", super::bookings::PATH)),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Ended {
    kind: String,
    subject: String,
    reason: String,
}

/// `POST /operator/exceptions`: what became of one. Sent twice, it is said once.
async fn end(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Ended>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::ApproveMoney)?;
    let kind = Kind::of_name(&form.kind).ok_or(Refusal::Bad)?;
    let Ended { kind: name, subject, reason } = form;
    let reason = match Reason::new(&reason) {
        Ok(reason) => reason,
        Err(why) => {
            let wrong = fill(ENGLISH.finance.wrong_reason, "why", why);
            let typed = Typed { kind: name, subject, reason, wrong };
            return show_list(&desk, &login, None, Some(typed)).await;
        }
    };
    let deed = Deed {
        moment: desk.now(),
        staff: Some(login.staff.id),
        action: Action::ExceptionEnded,
        subject: subject.clone(),
        detail: format!("{name}: {}", reason.as_str()),
    };
    // The second click finds that it does not wait any more.
    desk.run(move |store| Ok(store.end_exception(kind, &subject, &deed)?)).await?;
    Ok(see(PATH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_is_read_back_from_its_address() {
        let last = Exception {
            kind: Kind::Gone,
            subject: "booking 00ff".to_owned(),
            raised: Day::from_number(20_779),
        };
        let read: After = serde_urlencoded::from_str(&After::written(&last)).unwrap();
        assert_eq!(read.read().ok().flatten(), Some(last));
        assert_eq!(After::default().read().ok().flatten(), None);
    }
}
