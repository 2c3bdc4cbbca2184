//! The agent's till: what the float holds, codes that customers come with, and receipts.
//!
//! What an agent sees of a customer: the code, the amount and the receipt's number. No name and no account's number: to hand over
//! cash for a code nobody need be known, and whom the law wants known the operator knows. Whoever comes with a card twice can
//! be told to be the same, by the card.
//! Reading order: this file (who is an agent, the first page, the statement), [`till`] (codes), [`open`] (accounts).

mod open;
mod till;

use std::fmt::Write;

use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tacit_core::hex;
use tacit_service::account::HolderState;
use tacit_service::desk::agent::{Agent, AgentState};
use tacit_service::desk::cash::{Cash, CashKind, CashState, receipt_number};
use tacit_service::desk::person::{KycLevel, Person, PersonState};
use tacit_service::ledger::{Account, Transfer, TransferKind};

use super::new_id;
use super::portal::SIGN_OUT;
use crate::cash;
use crate::desk::Desk;
use crate::desk::money::{self, ask};
use crate::desk::page::{Item, Page, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::PersonLogin;
use crate::rail;
use crate::shop::money;
use crate::text::{ENGLISH, fill};

/// Where the till is.
const PATH: &str = "/agent";

/// Movements on one page.
const ROWS: u64 = 50;

/// Movements in a file: the latest.
const FILE_ROWS: u64 = 10_000;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(home))
        .route("/agent/statement", get(statement))
        .route("/agent/statement.csv", get(csv))
        .merge(till::router())
        .merge(open::router())
}

/// An agent is logged in.
struct Till {
    agent: Agent,
    login: PersonLogin,
}

impl FromRequestParts<Desk> for Till {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Response> {
        let login = PersonLogin::from_request_parts(parts, desk).await;
        let login = login.map_err(IntoResponse::into_response)?;
        match of(desk, &login.person).await.map_err(IntoResponse::into_response)? {
            Some(agent) => Ok(Self { agent, login }),
            None => Err(no_agent(desk, &login)),
        }
    }
}

impl Till {
    /// That of whoever sent a form.
    async fn own(desk: &Desk, login: PersonLogin) -> Result<Self, Refusal> {
        let agent = of(desk, &login.person).await?.ok_or(Refusal::NotFound)?;
        Ok(Self { agent, login })
    }

    fn page(&self, desk: &Desk, path: &'static str, title: &str) -> Page {
        let text = &ENGLISH.agent;
        let mut page = Page::new(desk, path, title).seen_by_person(desk, &self.login, SIGN_OUT);
        let item = |path, name| Item { path, name, about: "" };
        page.menu = vec![
            item(PATH, text.menu_home),
            item(open::PATH, text.menu_open),
            item("/agent/statement", text.menu_statement),
        ];
        page
    }

    /// Why no cash may be taken or given, if so.
    fn closed(&self) -> Option<&'static str> {
        let text = &ENGLISH.agent;
        let person = &self.login.person;
        match (person.state, self.agent.state) {
            (PersonState::Frozen | PersonState::Closed, _) => Some(text.frozen),
            (PersonState::Open, AgentState::Stopped) => Some(text.stopped),
            // Their level was taken back since they became an agent.
            (PersonState::Open, AgentState::Working) if person.kyc == KycLevel::Unknown => {
                Some(text.unidentified)
            }
            (PersonState::Open, AgentState::Working) => None,
        }
    }

    /// Fails where [`Self::closed`] says why.
    fn works(&self) -> Result<(), Refusal> {
        self.closed().map_or(Ok(()), |why| Err(Refusal::Field(why.to_owned())))
    }
}

async fn of(desk: &Desk, person: &Person) -> Result<Option<Agent>, Refusal> {
    let owner = person.id;
    desk.run(move |store| Ok(store.agent_of(owner)?)).await
}

#[derive(Template)]
#[template(path = "agent/none.html")]
struct NonePage {
    page: Page,
}

fn no_agent(desk: &Desk, login: &PersonLogin) -> Response {
    let page = Page::new(desk, PATH, ENGLISH.agent.none_title);
    let page = page.seen_by_person(desk, login, SIGN_OUT);
    show_with(StatusCode::NOT_FOUND, &NonePage { page })
}

#[derive(Template)]
#[template(path = "agent/home.html")]
struct HomePage {
    page: Page,
    shop: String,
    closed: Option<&'static str>,
    wrong: Option<&'static str>,
    code: String,
    nonce: String,
    balance: String,
    reference: String,
    deals: Vec<Deal>,
    sum: String,
    /// That not all of them are listed.
    cut: Option<String>,
}

/// A deal of today's.
struct Deal {
    id: String,
    number: String,
    kind: String,
    amount: String,
}

/// `GET /agent`.
async fn home(State(desk): State<Desk>, till: Till) -> Result<Response, Refusal> {
    show_home(&desk, &till, String::new(), None).await
}

/// The first page, with what was typed, and what is wrong with it.
async fn show_home(
    desk: &Desk,
    till: &Till,
    code: String,
    wrong: Option<(StatusCode, &'static str)>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.agent;
    cash::agent::open_float(&desk.shared, &desk.handle, &till.agent).await?;
    let (account, unit, today) = (till.agent.account, till.agent.unit, desk.now().day());
    let asked = ask(&desk.shared, move |reader| {
        Ok((reader.holder(account)?, reader.purse(account, unit)?.balance.owed()?))
    });
    let (holder, owed) = asked.await?;
    let found =
        desk.run(move |store| Ok((store.deals_of(account, today)?, store.day_of(account, today)?)));
    let (deals, day) = found.await?;
    let is_frozen = holder.is_none_or(|holder| holder.state != HolderState::Open);
    let sum = fill(text.today_sum, "given", money(day.given, unit));
    let shown = deals.len() as u64;
    let cut = (shown < day.count)
        .then(|| fill(&fill(text.today_cut, "shown", shown), "count", day.count));
    let status = wrong.map_or(StatusCode::OK, |(status, _)| status);
    Ok(show_with(
        status,
        &HomePage {
            page: till.page(desk, PATH, text.title),
            shop: till.agent.name.as_str().to_owned(),
            closed: till.closed().or(is_frozen.then_some(text.frozen)),
            wrong: wrong.map(|(_, wrong)| wrong),
            code,
            nonce: hex::encode(&new_id()?),
            balance: money(owed, unit),
            reference: rail::of_account(account).grouped(),
            sum: fill(&sum, "taken", money(day.taken, unit)),
            cut,
            deals: deals.iter().map(|cash| deal_row(cash, till)).collect(),
        },
    ))
}

fn deal_row(cash: &Cash, till: &Till) -> Deal {
    let text = &ENGLISH.agent;
    let kind = if cash.kind == CashKind::Out { text.kind_out } else { text.kind_in };
    Deal {
        id: cash.id.to_string(),
        number: receipt_number(cash.id),
        kind: match cash.state {
            CashState::Done => kind.to_owned(),
            CashState::Asked | CashState::Ready | CashState::Dealing | CashState::Ending => {
                fill(text.pending, "kind", kind)
            }
        },
        amount: money(cash.amount, till.agent.unit),
    }
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    page: u32,
}

#[derive(Template)]
#[template(path = "agent/statement.html")]
struct StatementPage {
    page: Page,
    lines: Vec<Line>,
    newer: Option<u32>,
    older: Option<u32>,
}

struct Line {
    day: String,
    kind: &'static str,
    amount: String,
}

/// `GET /agent/statement`.
async fn statement(
    State(desk): State<Desk>,
    till: Till,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let own = Account::Holder(till.agent.unit, till.agent.account);
    let skip = u64::from(asked.page) * ROWS;
    let mut rows = ask(&desk.shared, move |reader| reader.statement(own, skip, ROWS + 1)).await?;
    let is_cut = rows.len() as u64 > ROWS;
    rows.truncate(usize::try_from(ROWS).unwrap_or(usize::MAX));
    let title = ENGLISH.agent.statement_title;
    Ok(show_with(
        StatusCode::OK,
        &StatementPage {
            page: till.page(&desk, "/agent/statement", title),
            lines: rows.iter().map(|row| line(row, own)).collect(),
            newer: asked.page.checked_sub(1),
            older: is_cut.then_some(asked.page.saturating_add(1)),
        },
    ))
}

/// `GET /agent/statement.csv`: for tables. Every word in it is ours, so that no cell is taken for a formula.
async fn csv(State(desk): State<Desk>, till: Till) -> Result<Response, Refusal> {
    let (account, unit) = (till.agent.account, till.agent.unit);
    let own = Account::Holder(unit, account);
    let rows = ask(&desk.shared, move |reader| reader.statement(own, 0, FILE_ROWS)).await?;
    let mut file = "day,kind,amount,currency\r\n".to_owned();
    for row in &rows {
        let Line { day, kind, amount } = line(row, own);
        let (amount, currency) =
            (amount.replace('\u{2212}', "-").replace('+', ""), unit.code().to_uppercase());
        // Writing to a text cannot fail.
        _ = write!(file, "{day},\"{kind}\",{amount},{currency}\r\n");
    }
    let name = format!("attachment; filename=\"statement-{account}-{unit}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, file).into_response())
}

/// A movement as an agent reads it: what goes out of the float is cash that came in.
fn line(transfer: &Transfer, own: Account) -> Line {
    let text = &ENGLISH.agent;
    let is_in = transfer.credit == own;
    let kind = match (transfer.kind, is_in) {
        (TransferKind::Moved, true) => text.kind_moved_in,
        (TransferKind::Moved, false) => text.kind_moved_out,
        _ => money::kind(&ENGLISH.money, transfer, own),
    };
    let sign = if is_in { '+' } else { '\u{2212}' };
    let amount = format!("{sign}{}", own.unit().decimal(transfer.amount));
    Line { day: transfer.day.to_string(), kind, amount }
}
