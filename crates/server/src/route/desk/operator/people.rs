//! Finding people. Whoever browses is found: each search and each look stands in the trail, with what it was for.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_service::account::AccountId;
use tacit_service::desk::person::{Found, Person, PersonState};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed};

use super::{page, person};
use crate::desk::Desk;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::text::ENGLISH;
use crate::text::people::People;

/// Where this page is.
pub(super) const PATH: &str = "/operator/people";

/// Characters a search needs, so that nobody pages through all by the alphabet.
const QUERY_MIN: usize = 2;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(ask).post(search))
        .route("/operator/people/{id}", get(person::look))
        .route("/operator/people/{id}/state", post(super::judging::decide))
}

/// What somebody is looked at for. A short list instead of free words, so that no name stands in the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Purpose {
    Served,
    Payment,
    Complaint,
    Identification,
    Screening,
    Audit,
}

impl Purpose {
    const ALL: [Self; 6] = [
        Self::Served,
        Self::Payment,
        Self::Complaint,
        Self::Identification,
        Self::Screening,
        Self::Audit,
    ];

    /// As it stands in the trail and in paths.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Payment => "payment",
            Self::Complaint => "complaint",
            Self::Identification => "identification",
            Self::Screening => "screening",
            Self::Audit => "audit",
        }
    }

    /// As staff read it.
    const fn said(self, text: &People) -> &'static str {
        match self {
            Self::Served => text.why_served,
            Self::Payment => text.why_payment,
            Self::Complaint => text.why_complaint,
            Self::Identification => text.why_identification,
            Self::Screening => text.why_screening,
            Self::Audit => text.why_audit,
        }
    }

    /// The one of this name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A purpose to choose.
pub(super) struct Choice {
    pub(super) name: &'static str,
    pub(super) said: &'static str,
    pub(super) is_chosen: bool,
}

/// All there are.
pub(super) fn choices(chosen: Option<Purpose>) -> Vec<Choice> {
    let choice = |purpose: Purpose| Choice {
        name: purpose.name(),
        said: purpose.said(&ENGLISH.people),
        is_chosen: chosen == Some(purpose),
    };
    Purpose::ALL.map(choice).into()
}

/// What a state is called.
pub(super) const fn state_name(state: PersonState) -> &'static str {
    let text = &ENGLISH.people;
    match state {
        PersonState::Open => text.state_open,
        PersonState::Frozen => text.state_frozen,
        PersonState::Closed => text.state_closed,
    }
}

#[derive(Template)]
#[template(path = "operator/people.html")]
struct PeoplePage {
    page: Page,
    query: String,
    choices: Vec<Choice>,
    wrong_query: Option<&'static str>,
    wrong_why: Option<&'static str>,
    found: Option<FoundRows>,
    may_take_in: bool,
}

struct FoundRows {
    rows: Vec<Row>,
    is_cut: bool,
}

struct Row {
    path: String,
    name: String,
    account: String,
    state: &'static str,
    since: String,
}

/// `GET /operator/people`.
async fn ask(State(desk): State<Desk>, login: StaffLogin) -> Result<Response, Refusal> {
    login.may(Permission::SeePeople)?;
    Ok(show(&PeoplePage {
        page: page(&desk, &login, PATH, ENGLISH.people.title),
        query: String::new(),
        choices: choices(None),
        wrong_query: None,
        wrong_why: None,
        found: None,
        may_take_in: login.staff.role.may(Permission::ServePeople),
    }))
}

#[derive(Deserialize)]
struct Search {
    query: String,
    why: String,
}

/// `POST /operator/people`: by a form's body, because names do not belong into the addresses a browser remembers.
async fn search(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Search>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::SeePeople)?;
    let text = &ENGLISH.people;
    let why = Purpose::of_name(&form.why);
    let is_short = form.query.trim().chars().count() < QUERY_MIN;
    let found = match why.filter(|_| !is_short) {
        Some(why) => Some(rows(find(&desk, &login, &form.query, why).await?, why)),
        None => None,
    };
    Ok(show(&PeoplePage {
        page: page(&desk, &login, PATH, text.title),
        query: form.query,
        choices: choices(why),
        wrong_query: is_short.then_some(text.query_short),
        wrong_why: why.is_none().then_some(text.why_missing),
        found,
        may_take_in: login.staff.role.may(Permission::ServePeople),
    }))
}

/// A list of people was shown: which, and how many.
pub(super) fn listed(desk: &Desk, login: &StaffLogin, list: &str, count: usize) -> Deed {
    Deed {
        moment: desk.now(),
        staff: Some(login.staff.id),
        action: Action::PeopleSearched,
        subject: "people".to_owned(),
        detail: format!("{list}, {count} found"),
    }
}

/// Searches, and notes that it was done: by whom, what for, how many were found, and not with which words.
async fn find(
    desk: &Desk,
    login: &StaffLogin,
    query: &str,
    why: Purpose,
) -> Result<Found, Refusal> {
    let (query, now, staff) = (query.to_owned(), desk.now(), Some(login.staff.id));
    desk.run(move |store| {
        let found = match account_in(&query) {
            Some(account) => {
                let person = store.person_of_account(account)?;
                Found { people: person.into_iter().collect(), is_cut: false }
            }
            None => store.find_people(&query)?,
        };
        let count = found.people.len();
        let more = if found.is_cut { "more than " } else { "" };
        store.note(&Deed {
            moment: now,
            staff,
            action: Action::PeopleSearched,
            subject: "people".to_owned(),
            detail: format!("{}, {more}{count} found", why.name()),
        })?;
        Ok(found)
    })
    .await
}

fn rows(found: Found, why: Purpose) -> FoundRows {
    let row = |person: Person| Row {
        path: person::path(person.id, why),
        name: person.name.as_str().to_owned(),
        account: person.account.to_string(),
        state: state_name(person.state),
        since: person.opened.to_string(),
    };
    FoundRows { rows: found.people.into_iter().map(row).collect(), is_cut: found.is_cut }
}

/// The account number that a text is, if it is one: alone, or within a payment reference (ISO 11649).
fn account_in(text: &str) -> Option<AccountId> {
    let plain: String = text.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let plain = plain.to_ascii_uppercase();
    let is_reference = plain.len() == 16 && plain.starts_with("RF");
    let digits = if is_reference { &plain[4..] } else { plain.as_str() };
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_as_people_write_it() {
        let account = AccountId::from_random([0x5a; 8]);
        let plain = account.to_string();
        let spaced = format!("{} {} {}", &plain[..4], &plain[4..8], &plain[8..]);
        for text in [plain.clone(), plain.to_lowercase(), spaced, format!("RF18 {plain}")] {
            assert_eq!(account_in(&text), Some(account), "{text}");
        }
        for text in ["", "Ada", "Adam Müller-Lü", "RF185390075470", "ILOU00000000"] {
            assert_eq!(account_in(text), None, "{text}");
        }
    }

    #[test]
    fn purposes_are_known_by_their_names() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::of_name(purpose.name()), Some(purpose));
        }
        assert_eq!(Purpose::of_name("curiosity"), None);
    }
}
