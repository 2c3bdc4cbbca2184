//! Names that are like one on a list: each is cleared by somebody, or leads to a freeze.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_service::desk::Owner;
use tacit_service::desk::judgement::{DecisionId, Judgement, Reason};
use tacit_service::desk::person::Person;
use tacit_service::desk::screening::{Hit, HitEnd, HitId, ImportedList};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed};

use super::super::{new_id, see};
use super::page;
use super::paging::{Asked, Paging, cut, skipped};
use super::people::{Purpose, listed, state_name};
use super::person;
use crate::desk::Desk;
use crate::desk::judgement::carry_out;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/screening";

/// Hits on one page, the most alike first.
const ROWS: u32 = 50;

pub(super) fn router() -> Router<Desk> {
    Router::new().route(PATH, get(queue)).route("/operator/screening/{id}", post(end))
}

#[derive(Template)]
#[template(path = "operator/screening.html")]
struct ScreeningPage {
    page: Page,
    lists: Vec<ListRow>,
    rows: Vec<Row>,
    paging: Option<Paging>,
    page_number: u32,
    may_judge: bool,
}

struct ListRow {
    name: String,
    names: u64,
    imported: String,
}

struct Row {
    id: String,
    path: String,
    name: String,
    state: &'static str,
    listed: String,
    list: String,
    entry: String,
    alike: String,
    found: String,
    reason: String,
    wrong: Option<String>,
}

/// `GET /operator/screening`.
async fn queue(
    State(desk): State<Desk>,
    login: StaffLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.screening;
    let notice = match asked.done.as_deref() {
        Some("cleared") => Some(text.done_cleared),
        Some("frozen") => Some(text.done_frozen),
        _ => None,
    };
    show_queue(&desk, &login, asked.page, notice, None).await
}

/// What was written about a hit and refused.
struct Draft {
    id: HitId,
    reason: String,
    wrong: String,
}

async fn show_queue(
    desk: &Desk,
    login: &StaffLogin,
    page_number: u32,
    notice: Option<&'static str>,
    draft: Option<Draft>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeeSuspicions)?;
    let skip = skipped(page_number, ROWS);
    let found = desk.run(move |store| Ok((store.lists()?, store.open_hits(skip, ROWS + 1)?)));
    let (lists, mut hits) = found.await?;
    let paging = cut(&mut hits, PATH, page_number, ROWS);
    let noted = listed(desk, login, "hits of screening", hits.len());
    desk.run(move |store| Ok(store.note(&noted)?)).await?;
    let list = |list: ImportedList| ListRow {
        name: list.name,
        names: list.names,
        imported: list.imported.to_string(),
    };
    Ok(show(&ScreeningPage {
        page: page(desk, login, PATH, ENGLISH.screening.title).with_notice(notice),
        lists: lists.into_iter().map(list).collect(),
        rows: hits.into_iter().map(|(hit, person)| row(hit, &person, draft.as_ref())).collect(),
        paging,
        page_number,
        may_judge: login.staff.role.may(Permission::JudgePeople),
    }))
}

fn row(hit: Hit, person: &Person, draft: Option<&Draft>) -> Row {
    let draft = draft.filter(|draft| draft.id == hit.id);
    Row {
        id: hit.id.to_string(),
        path: person::path(person.id, Purpose::Screening),
        name: person.name.as_str().to_owned(),
        state: state_name(person.state),
        listed: hit.name,
        list: hit.list,
        entry: hit.entry,
        alike: format!("{} %", hit.likeness.thousandths() / 10), // The floor is meant.
        found: hit.found.to_string(),
        reason: draft.map_or_else(String::new, |draft| draft.reason.clone()),
        wrong: draft.map(|draft| draft.wrong.clone()),
    }
}

#[derive(Deserialize)]
struct Ended {
    what: What,
    reason: String,
    /// The page it stood on.
    #[serde(default)]
    page: u32,
}

/// Which of the buttons.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Clear,
    Freeze,
}

/// `POST /operator/screening/{id}`. A second click finds it done. Freezing comes before the hit is ended: cut off in between, it
/// waits still, and is ended by another click.
async fn end(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Ended>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::JudgePeople)?;
    let id: HitId = id.parse().map_err(|_| Refusal::NotFound)?;
    let reason = match Reason::new(&form.reason) {
        Ok(reason) => reason,
        Err(why) => {
            let wrong = fill(ENGLISH.people.reason_wrong, "why", why);
            let draft = Draft { id, reason: form.reason, wrong };
            return show_queue(&desk, &login, form.page, None, Some(draft)).await;
        }
    };
    let (now, by) = (desk.now(), Some(login.staff.id));
    let decision = DecisionId::from_bytes(new_id()?);
    let ended = desk.run(move |store| {
        let Some((hit, person)) = store.open_hit(id)? else { return Ok(None) };
        let detail = format!("{} {}: {}", hit.list, hit.entry, reason.as_str());
        let deed = |action| {
            let deed = Deed::about(now, by, action, Owner::Person(person.id));
            Deed { detail: detail.clone(), ..deed }
        };
        if form.what == What::Freeze {
            store.judge(person.id, Judgement::Freeze, decision, &deed(Action::PersonFrozen))?;
            store.end_hit(id, HitEnd::Frozen, &deed(Action::HitConfirmed))?;
        } else {
            store.end_hit(id, HitEnd::Cleared, &deed(Action::HitCleared))?;
        }
        Ok(Some(person.id))
    });
    let Some(person) = ended.await? else { return Ok(see(PATH)) };
    if form.what == What::Clear {
        return Ok(see(&format!("{PATH}?done=cleared&page={}", form.page)));
    }
    // What the vault cannot do now, it does in a while.
    _ = carry_out(&desk, person).await;
    Ok(see(&format!("{PATH}?done=frozen&page={}", form.page)))
}
