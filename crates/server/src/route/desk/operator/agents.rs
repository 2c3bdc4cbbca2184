//! Agents, on the console: taken in, stopped, and let work again.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::unit::Unit;
use tacit_service::account::AccountId;
use tacit_service::desk::Owner;
use tacit_service::desk::agent::{AGENTS_MAX, Agent, AgentState, AgentTakenIn};
use tacit_service::desk::person::{Name, PersonState};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed};

use super::page;
use super::paging::{Asked, Paging, cut, skipped};
use crate::cash::agent::open_float;
use crate::desk::Desk;
use crate::desk::money::ask;
use crate::desk::page::{Page, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::random;
use crate::route::desk::see;
use crate::shop::money;
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/agents";

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(list))
        .route("/operator/agents/add", post(add))
        .route("/operator/agents/change", post(change))
}

#[derive(Template)]
#[template(path = "operator/agents.html")]
struct AgentsPage {
    page: Page,
    rows: Vec<Row>,
    paging: Option<Paging>,
    may_judge: bool,
    units: Vec<String>,
    wrong: Option<String>,
    said: Newcomer,
}

struct Row {
    account: String,
    name: String,
    person: String,
    balance: String,
    since: String,
    state: &'static str,
    is_working: bool,
}

/// `GET /operator/agents`.
async fn list(
    State(desk): State<Desk>,
    login: StaffLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.agent;
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
    login.may(Permission::SeeAgents)?;
    let text = &ENGLISH.agent;
    let skip = skipped(page_number, AGENTS_MAX);
    let mut agents = desk
        .run(move |store| {
            let mut agents = Vec::new();
            for agent in store.agents(skip, AGENTS_MAX + 1)? {
                let person = store.person(agent.owner)?;
                agents.push((agent, person.map(|person| person.account)));
            }
            Ok(agents)
        })
        .await?;
    let paging = cut(&mut agents, PATH, page_number, AGENTS_MAX);
    let floats: Vec<(AccountId, Unit)> =
        agents.iter().map(|(agent, _)| (agent.account, agent.unit)).collect();
    let held = ask(&desk.shared, move |reader| {
        floats.iter().map(|(id, unit)| reader.purse(*id, *unit)?.balance.owed()).collect()
    });
    let held: Vec<u64> = held.await?;
    let row = |((agent, person), held): (&(Agent, Option<AccountId>), &u64)| Row {
        account: agent.account.to_string(),
        name: agent.name.as_str().to_owned(),
        person: person.map(|person| person.to_string()).unwrap_or_default(),
        balance: money(*held, agent.unit),
        since: agent.opened.to_string(),
        state: match agent.state {
            AgentState::Working => text.staff_working,
            AgentState::Stopped => text.staff_stopped,
        },
        is_working: agent.state == AgentState::Working,
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(show_with(
        status,
        &AgentsPage {
            page: page(desk, login, PATH, text.staff_menu).with_notice(notice),
            rows: agents.iter().zip(&held).map(row).collect(),
            paging,
            may_judge: login.staff.role.may(Permission::JudgeAgents),
            units: desk.shared.config.units.iter().map(|terms| terms.unit.to_string()).collect(),
            wrong,
            said,
        },
    ))
}

#[derive(Default, Deserialize)]
struct Newcomer {
    account: String,
    name: String,
    unit: String,
}

/// `POST /operator/agents/add`.
async fn add(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Newcomer>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.agent;
    let SignedForm { login, form } = signed;
    login.may(Permission::JudgeAgents)?;
    let agent = match read(&desk, &form).await? {
        Ok(agent) => agent,
        Err(wrong) => return show_list(&desk, &login, 0, None, Some(wrong), form).await,
    };
    let deed = Deed {
        moment: desk.now(),
        staff: Some(login.staff.id),
        action: Action::AgentTakenIn,
        subject: Owner::Person(agent.owner).to_string(),
        detail: agent.account.to_string(),
    };
    let own = agent.clone();
    let wrong = match desk.run(move |store| Ok(store.take_in_agent(&own, &deed)?)).await? {
        AgentTakenIn::Done => None,
        AgentTakenIn::Unidentified => Some(text.staff_unidentified),
        AgentTakenIn::Taken => Some(text.staff_is_agent),
    };
    if let Some(wrong) = wrong {
        return show_list(&desk, &login, 0, None, Some(wrong.to_owned()), form).await;
    }
    // They are in, whatever the vault says now: what it could not do is done in a while.
    _ = open_float(&desk.shared, &desk.handle, &agent).await;
    Ok(see("/operator/agents?done=added"))
}

/// The agent of a form; within, what is wrong with it.
async fn read(desk: &Desk, form: &Newcomer) -> Result<Result<Agent, String>, Refusal> {
    let text = &ENGLISH.agent;
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
    let mut units = desk.shared.config.units.iter().map(|terms| terms.unit);
    let Some(unit) = units.find(|unit| unit.code() == form.unit) else {
        return Ok(Err(text.staff_bad_unit.to_owned()));
    };
    let random = random::bytes().map_err(|error| Refusal::internal(&error))?;
    Ok(Ok(Agent {
        account: AccountId::from_random(random),
        name,
        owner: person.id,
        unit,
        opened: desk.now().day(),
        state: AgentState::Working,
        is_in_vault: false,
    }))
}

#[derive(Deserialize)]
struct Change {
    account: String,
    what: What,
}

/// Which of the buttons.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Stop,
    Resume,
}

/// `POST /operator/agents/change`.
async fn change(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Change>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::JudgeAgents)?;
    let account: AccountId = form.account.parse().map_err(|_| Refusal::NotFound)?;
    let (state, action) = match form.what {
        What::Stop => (AgentState::Stopped, Action::AgentStopped),
        What::Resume => (AgentState::Working, Action::AgentResumed),
    };
    let (moment, staff) = (desk.now(), Some(login.staff.id));
    desk.run(move |store| {
        let agent = store.agent(account)?.ok_or(Refusal::NotFound)?;
        let subject = Owner::Person(agent.owner).to_string();
        let deed = Deed { moment, staff, action, subject, detail: account.to_string() };
        // Done already, it is as it was wanted.
        Ok(store.set_agent_state(account, state, &deed)?)
    })
    .await?;
    Ok(see("/operator/agents?done=changed"))
}
