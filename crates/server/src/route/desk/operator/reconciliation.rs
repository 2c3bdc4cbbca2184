//! Daily reconciliation at the console: a row a day with a verdict, and what people say of differences.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_service::desk::reconcile::Approved;
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed, Reason};
use tacit_service::reconcile::{Approval, Explanation, Position, Row, Verdict, settled_before};

use super::{called, page, signed};
use crate::bank::reconcile::{self, DAYS, Standing};
use crate::desk::Desk;
use crate::desk::page::{Page, show, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::route::desk::see;
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/reconciliation";

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(list))
        .route("/operator/reconciliation/{unit}/{day}", get(one).post(explain))
        .route("/operator/reconciliation/{unit}/{day}/approve", post(approve))
}

/// A day in a table.
struct DayRow {
    path: String,
    day: String,
    closing: String,
    settlement: String,
    unclear: String,
    difference: String,
    cover: String,
    verdict: &'static str,
    is_exception: bool,
    /// What two people said of it.
    why: Option<String>,
}

impl DayRow {
    fn of(row: &Row, unit: Unit) -> Self {
        let optional =
            |sum: Option<i64>| sum.map_or_else(|| "–".to_owned(), |sum| signed(sum, unit));
        Self {
            path: path(unit, row.day),
            day: row.day.to_string(),
            closing: optional(row.closing),
            settlement: signed(row.settlement, unit),
            unclear: signed(row.unclear, unit),
            difference: optional(row.difference),
            cover: optional(row.cover),
            verdict: verdict(row.verdict).0,
            is_exception: row.verdict.is_exception(),
            why: row.explanation.as_ref().map(|said| said.note.clone()),
        }
    }
}

fn path(unit: Unit, day: Day) -> String {
    format!("{PATH}/{unit}/{}", day.number())
}

/// A verdict in a few words, and what is to be done.
fn verdict(verdict: Verdict) -> (&'static str, &'static str) {
    let text = &ENGLISH.finance;
    match verdict {
        Verdict::Agrees => (text.verdict_agrees, text.hint_agrees),
        Verdict::Explained => (text.verdict_explained, text.hint_explained),
        Verdict::Differs => (text.verdict_differs, text.hint_differs),
        Verdict::Short => (text.verdict_short, text.hint_short),
        Verdict::Missing => (text.verdict_missing, text.hint_missing),
        Verdict::Contradicts => (text.verdict_contradicts, text.hint_contradicts),
    }
}

/// How a currency stands now.
struct Now {
    unit: String,
    lines: Vec<(&'static str, String)>,
    owed: String,
    settlement: String,
    cover: String,
    is_short: bool,
    days: Vec<DayRow>,
    /// Days that somebody has to look at.
    unexplained: usize,
    /// Days on which money was missing, which two people have explained.
    missing: usize,
}

impl Now {
    fn of(standing: &Standing) -> Self {
        let (text, unit) = (&ENGLISH.finance, standing.unit);
        let Position { ecash, accounts, unissued, held, refunds, suspense, settlement } =
            standing.position;
        let lines = [
            (text.owed_ecash, ecash),
            (text.owed_accounts, accounts),
            (text.owed_unissued, unissued),
            (text.owed_held, held),
            (text.owed_refunds, refunds),
            (text.owed_suspense, suspense.max(0)),
        ];
        let rows = &standing.rows;
        Self {
            unit: unit.to_string().to_uppercase(),
            lines: lines.map(|(name, sum)| (name, signed(sum, unit))).into(),
            owed: signed(standing.position.owed(), unit),
            settlement: signed(settlement, unit),
            cover: signed(standing.position.cover(), unit),
            is_short: standing.position.cover() < 0,
            days: rows.iter().map(|row| DayRow::of(row, unit)).collect(),
            unexplained: rows.iter().filter(|row| row.is_unexplained()).count(),
            missing: rows
                .iter()
                .filter(|row| row.verdict.is_exception() && !row.is_unexplained())
                .count(),
        }
    }

    /// What all of it comes to.
    fn verdict(&self) -> String {
        let text = &ENGLISH.finance;
        match (self.unexplained, self.missing) {
            _ if self.is_short => fill(text.now_short, "amount", &self.cover),
            (0, 0) if self.days.is_empty() => text.now_nothing.to_owned(),
            (0, 0) => text.now_agrees.to_owned(),
            (0, count) => fill(text.now_missing, "count", count),
            (count, _) => fill(text.now_exceptions, "count", count),
        }
    }
}

#[derive(Template)]
#[template(path = "operator/reconciliation.html")]
struct ListPage {
    page: Page,
    lead: String,
    units: Vec<Now>,
}

/// `GET /operator/reconciliation`.
async fn list(State(desk): State<Desk>, login: StaffLogin) -> Result<Response, Refusal> {
    login.may(Permission::SeeMoney)?;
    let text = &ENGLISH.finance;
    let mut units = Vec::new();
    for terms in reconcile::units(&desk.shared) {
        units.push(Now::of(&reconcile::standing(&desk.shared, terms.unit).await?));
    }
    Ok(show(&ListPage {
        page: page(&desk, &login, PATH, text.reconciliation_title),
        lead: fill(text.reconciliation_lead, "days", DAYS),
        units,
    }))
}

/// What somebody said, as it is shown.
struct Said {
    number: u64,
    noted: String,
    staff: String,
    difference: String,
    note: String,
    /// Who found it right, or that nobody has yet.
    approved: String,
    may_approve: bool,
}

#[derive(Template)]
#[template(path = "operator/reconciliation_day.html")]
struct DayPage {
    page: Page,
    row: DayRow,
    hint: &'static str,
    said: Vec<Said>,
    wrong: Option<String>,
    may_explain: bool,
    /// The difference that is looked at, so that another is not explained unseen.
    difference: String,
    reason: String,
}

#[derive(Deserialize)]
struct Done {
    done: Option<String>,
}

/// `GET /operator/reconciliation/{unit}/{day}`.
async fn one(
    State(desk): State<Desk>,
    login: StaffLogin,
    Path((unit, day)): Path<(String, u64)>,
    Query(asked): Query<Done>,
) -> Result<Response, Refusal> {
    let (standing, row) = find(&desk, &login, &unit, day).await?;
    let text = &ENGLISH.finance;
    let notice = match asked.done.as_deref() {
        Some("explained") => Some(text.explained),
        Some("approved") => Some(text.explanation_approved),
        _ => None,
    };
    show_one(&desk, &login, &standing, &row, Typed { notice, ..Typed::default() }).await
}

async fn find(
    desk: &Desk,
    login: &StaffLogin,
    unit: &str,
    day: u64,
) -> Result<(Standing, Row), Refusal> {
    login.may(Permission::SeeMoney)?;
    let unit =
        reconcile::units(&desk.shared).map(|terms| terms.unit).find(|own| own.code() == unit);
    let standing = reconcile::standing(&desk.shared, unit.ok_or(Refusal::NotFound)?).await?;
    let row = standing.rows.iter().find(|row| row.day.number() == day).cloned();
    Ok((standing, row.ok_or(Refusal::NotFound)?))
}

/// What was typed, and what became of it.
#[derive(Default)]
struct Typed {
    notice: Option<&'static str>,
    wrong: Option<String>,
    reason: String,
}

async fn show_one(
    desk: &Desk,
    login: &StaffLogin,
    standing: &Standing,
    row: &Row,
    typed: Typed,
) -> Result<Response, Refusal> {
    let (text, unit) = (&ENGLISH.finance, standing.unit);
    let staff = desk.run(|store| Ok(store.all_staff()?)).await?;
    // What was said on an earlier day and still holds, and all that was said of this one.
    let earlier = row.explanation.iter().filter(|said| said.day != row.day);
    let of_day = standing.facts.explanations.iter().filter(|said| said.day == row.day);
    let shown = |said: &Explanation| Said {
        number: said.number,
        noted: said.noted.to_string(),
        staff: called(&staff, said.staff),
        difference: said.difference.map_or_else(|| "–".to_owned(), |sum| signed(sum, unit)),
        note: said.note.clone(),
        approved: match said.approval {
            None => text.said_alone.to_owned(),
            Some(Approval { staff: by, day }) => {
                fill(&fill(text.said_by_two, "name", called(&staff, by)), "day", day)
            }
        },
        may_approve: said.approval.is_none()
            && said.day == row.day
            && said.difference == row.difference
            && said.staff != login.staff.id
            && login.staff.role.may(Permission::ApproveMoney),
    };
    let title = fill(text.day_title, "day", row.day);
    let title = fill(&title, "unit", unit.to_string().to_uppercase());
    let status =
        if typed.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(show_with(
        status,
        &DayPage {
            page: page(desk, login, PATH, &title).with_notice(typed.notice),
            row: DayRow::of(row, unit),
            hint: verdict(row.verdict).1,
            said: earlier.chain(of_day).map(shown).collect(),
            wrong: typed.wrong,
            may_explain: login.staff.role.may(Permission::HandleMoney) && row.is_unexplained(),
            difference: written(row.difference),
            reason: typed.reason,
        },
    ))
}

/// A difference as a form carries it.
fn written(difference: Option<i64>) -> String {
    difference.map_or_else(|| "none".to_owned(), |sum| sum.to_string())
}

#[derive(Deserialize)]
struct Explained {
    difference: String,
    reason: String,
}

/// `POST /operator/reconciliation/{unit}/{day}`: why there is a difference. Sent twice, it is said once.
async fn explain(
    State(desk): State<Desk>,
    Path((unit, day)): Path<(String, u64)>,
    signed: SignedForm<StaffLogin, Explained>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::HandleMoney)?;
    let (standing, row) = find(&desk, &login, &unit, day).await?;
    let text = &ENGLISH.finance;
    let done = format!("{}?done=explained", path(standing.unit, row.day));
    let wrong = match Reason::new(&form.reason) {
        Err(why) => fill(text.wrong_reason, "why", why),
        Ok(_) if form.difference != written(row.difference) => text.explain_other.to_owned(),
        // Two people have said why.
        Ok(_) if !row.is_unexplained() => return Ok(see(&done)),
        Ok(reason) => {
            let of_day = standing.facts.explanations.iter().filter(|said| said.day == row.day);
            let explanation = Explanation {
                unit: standing.unit,
                day: row.day,
                number: of_day.clone().map(|said| said.number).max().unwrap_or(0) + 1,
                difference: row.difference,
                note: reason.as_str().to_owned(),
                staff: login.staff.id,
                noted: desk.now().day(),
                approval: None,
            };
            let is_same = |said: &Explanation| {
                let Explanation { number, noted, .. } = *said;
                *said == Explanation { number, noted, ..explanation.clone() }
            };
            // The second click.
            if of_day.clone().any(is_same) {
                return Ok(see(&done));
            }
            let detail = format!("{}: {}", written(row.difference), reason.as_str());
            let deed = deed(&desk, &login, Action::DifferenceExplained, &explanation, detail);
            // If somebody else said something at the same moment, the page shows it.
            return Ok(
                match desk.run(move |store| Ok(store.explain(&explanation, &deed)?)).await? {
                    true => see(&done),
                    false => see(&path(standing.unit, row.day)),
                },
            );
        }
    };
    let typed = Typed { wrong: Some(wrong), notice: None, reason: form.reason };
    show_one(&desk, &login, &standing, &row, typed).await
}

/// A deed about an explanation.
fn deed(
    desk: &Desk,
    login: &StaffLogin,
    action: Action,
    explanation: &Explanation,
    detail: String,
) -> Deed {
    let subject = format!("day {} {}", explanation.day, explanation.unit);
    Deed { moment: desk.now(), staff: Some(login.staff.id), action, subject, detail }
}

#[derive(Deserialize)]
struct FoundRight {
    number: u64,
}

/// `POST /operator/reconciliation/{unit}/{day}/approve`: somebody else finds an explanation right.
async fn approve(
    State(desk): State<Desk>,
    Path((unit, day)): Path<(String, u64)>,
    signed: SignedForm<StaffLogin, FoundRight>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::ApproveMoney)?;
    let (standing, row) = find(&desk, &login, &unit, day).await?;
    let text = &ENGLISH.finance;
    let of_day = |said: &&Explanation| said.day == row.day && said.number == form.number;
    let found = standing.facts.explanations.iter().find(of_day).cloned();
    let said = found.ok_or(Refusal::NotFound)?;
    let wrong = if said.difference == row.difference {
        let approval = Approval { staff: login.staff.id, day: desk.now().day() };
        let settled = settled_before(&standing.rows, row.day);
        let detail = format!("number {}: {}", said.number, written(said.difference));
        let deed = deed(&desk, &login, Action::ExplanationApproved, &said, detail);
        let approved =
            desk.run(move |store| Ok(store.approve_explanation(&said, settled, approval, &deed)?));
        match approved.await? {
            Approved::Done | Approved::Before => {
                return Ok(see(&format!("{}?done=approved", path(standing.unit, row.day))));
            }
            Approved::Unknown => return Err(Refusal::NotFound),
            Approved::Own => text.approve_own,
            Approved::HandedIn => text.approve_handed_in,
        }
    } else {
        text.explain_other
    };
    let typed = Typed { wrong: Some(wrong.to_owned()), ..Typed::default() };
    show_one(&desk, &login, &standing, &row, typed).await
}
