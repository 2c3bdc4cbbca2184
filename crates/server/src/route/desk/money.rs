//! Money in the portal: the statement of an account, as a page and as files, and the demonstration's gift.

use std::fmt::Write;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tacit_core::amount::Amount;
use tacit_core::unit::Unit;
use tacit_service::account::{AccountId, HolderState, OverLimit};
use tacit_service::ledger::{Account, Transfer};
use tacit_service::posting::PostError;
use tacit_service::vault::StoreError;

use super::portal;
use super::see;
use crate::desk::Desk;
use crate::desk::money::{self, Standing, amount, ask, written};
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{Empty, PersonLogin, SignedForm};
use crate::rail;
use crate::text::{ENGLISH, fill};

/// Movements on one page.
const ROWS: u64 = 50;

/// Movements in one file at most: the latest.
const FILE_ROWS: u64 = 10_000;

/// What the demonstration gives at once, in minor units.
const GIFT: u64 = 10_000;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/portal/statement", get(statement))
        .route("/portal/statement.csv", get(csv))
        .route("/portal/statement.json", get(json_file))
        .route("/portal/demo-money", post(demo_money))
        .route("/copy.js", get(copy_script))
}

/// `GET /copy.js`.
async fn copy_script() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (headers, include_str!("../../page/copy.js")).into_response()
}

/// What the portal's first page says of money.
pub(super) struct Overview {
    pub(super) purses: Vec<PurseRow>,
    pub(super) is_empty: bool,
    pub(super) is_frozen: bool,
    /// In groups of four, and in one piece for copying.
    pub(super) reference: String,
    pub(super) reference_plain: String,
    /// Where to send money to, by currency.
    pub(super) banks: Vec<BankRow>,
    pub(super) gives_demo_money: bool,
}

/// What is held of one currency.
pub(super) struct PurseRow {
    pub(super) unit: String,
    pub(super) balance: String,
    /// How much more may come in.
    pub(super) left: Option<String>,
}

/// The operator's account for one currency.
pub(super) struct BankRow {
    pub(super) said: String,
    pub(super) id: String,
    pub(super) account: String,
    pub(super) plain: String,
}

impl Overview {
    /// That of an account.
    ///
    /// # Errors
    /// [`Refusal::Busy`], [`Refusal::Internal`].
    pub(super) async fn of(desk: &Desk, account: AccountId) -> Result<Self, Refusal> {
        let text = &ENGLISH.money;
        let standing = money::standing(&desk.shared, account).await?;
        let is_frozen =
            standing.as_ref().is_some_and(|standing| standing.state == HolderState::Frozen);
        let held = standing.map_or_else(Vec::new, |Standing { held, .. }| held);
        let is_empty = held.iter().all(|held| held.balance.value() == 0);
        let purses = held.iter().map(|held| PurseRow {
            unit: held.balance.unit().to_string(),
            balance: written(held.balance),
            left: held.left.map(|left| match Amount::new(left, held.balance.unit()) {
                Ok(left) if left.value() > 0 => fill(text.left, "amount", written(left)),
                Ok(_) | Err(_) => text.left_none.to_owned(),
            }),
        });
        let reference = rail::of_account(account);
        let terms = desk.shared.config.units.iter();
        let banks = terms.filter_map(|terms| {
            let bank = terms.bank.as_ref()?;
            let (unit, plain) = (terms.unit, bank.account.as_str());
            Some(BankRow {
                said: fill(text.to_account, "unit", unit.to_string().to_uppercase()),
                id: format!("bank-{unit}"),
                account: grouped(plain),
                plain: plain.to_owned(),
            })
        });
        Ok(Self {
            purses: purses.collect(),
            is_empty,
            is_frozen,
            reference: reference.grouped(),
            reference_plain: reference.as_str().to_owned(),
            banks: banks.collect(),
            gives_demo_money: desk.shared.demo.is_some(),
        })
    }
}

/// An account's number in groups of four, if it is one piece.
fn grouped(account: &str) -> String {
    if !account.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return account.to_owned();
    }
    let starts = (0..account.len()).step_by(4);
    let groups: Vec<&str> = starts.map(|at| &account[at..account.len().min(at + 4)]).collect();
    groups.join(" ")
}

/// Which movements.
#[derive(Deserialize)]
struct Asked {
    unit: Option<Unit>,
    #[serde(default)]
    page: u32,
}

/// Movements of an account.
struct Movements {
    unit: Unit,
    balance: Amount,
    rows: Vec<Transfer>,
    is_cut: bool,
}

/// Movements of one account and currency, the latest first; of the first currency if none is named.
async fn movements(
    desk: &Desk,
    account: AccountId,
    unit: Option<Unit>,
    (skip, limit): (u64, u64),
) -> Result<Movements, Refusal> {
    let known = &desk.shared.config.units;
    let unit = unit.or_else(|| known.first().map(|terms| terms.unit)).ok_or(Refusal::NotFound)?;
    if known.iter().all(|terms| terms.unit != unit) {
        return Err(Refusal::NotFound);
    }
    ask(&desk.shared, move |reader| {
        let balance = amount(reader.purse(account, unit)?.balance.owed()?, unit)?;
        let mut rows = reader.statement(Account::Holder(unit, account), skip, limit + 1)?;
        let is_cut = rows.len() as u64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok::<_, StoreError>(Movements { unit, balance, rows, is_cut })
    })
    .await
}

/// A movement as it is written: day, what it was, amount with sign.
#[derive(Serialize)]
struct Line {
    day: String,
    kind: &'static str,
    amount: String,
    #[serde(skip)]
    is_in: bool,
}

impl Line {
    fn of(transfer: &Transfer, account: Account, is_with_unit: bool) -> Result<Self, StoreError> {
        let is_in = transfer.credit == account;
        let sum = amount(transfer.amount, account.unit())?.to_string();
        let number = sum.split(' ').next().unwrap_or(&sum);
        let sign = if is_in { "+" } else { "-" };
        // A minus as people read it, on the page; one as programs read it, in files.
        let (sign, number) = match (is_with_unit, is_in) {
            (true, false) => ("\u{2212}", number),
            (true | false, true) | (false, false) => (sign, number),
        };
        let kind = money::kind(&ENGLISH.money, transfer, account);
        Ok(Self { day: transfer.day.to_string(), kind, amount: format!("{sign}{number}"), is_in })
    }
}

#[derive(Template)]
#[template(path = "portal/statement.html")]
struct StatementPage {
    page: Page,
    unit: String,
    units: Vec<String>,
    head: String,
    lines: Vec<Line>,
    newer: Option<u32>,
    older: Option<u32>,
}

/// `GET /portal/statement`.
async fn statement(
    State(desk): State<Desk>,
    login: PersonLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let (text, account) = (&ENGLISH.money, login.person.account);
    let range = (u64::from(asked.page) * ROWS, ROWS);
    let found = movements(&desk, account, asked.unit, range).await?;
    let own = Account::Holder(found.unit, account);
    let lines: Result<Vec<_>, _> = found.rows.iter().map(|row| Line::of(row, own, true)).collect();
    let unit = found.unit.to_string();
    let head = fill(text.statement_of, "account", account);
    let head = fill(&head, "unit", unit.to_uppercase());
    Ok(show(&StatementPage {
        page: portal::page(&desk, &login, "/portal/statement", text.statement_title),
        units: desk.shared.config.units.iter().map(|terms| terms.unit.to_string()).collect(),
        head: fill(&head, "balance", written(found.balance)),
        unit,
        lines: lines?,
        newer: asked.page.checked_sub(1),
        older: found.is_cut.then_some(asked.page.saturating_add(1)),
    }))
}

/// `GET /portal/statement.csv`: for tables. Every word in it is ours, so that no cell is taken for a formula.
async fn csv(
    State(desk): State<Desk>,
    login: PersonLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let account = login.person.account;
    let found = movements(&desk, account, asked.unit, (0, FILE_ROWS)).await?;
    let own = Account::Holder(found.unit, account);
    let mut file = "day,kind,amount,currency\r\n".to_owned();
    for transfer in &found.rows {
        let line = Line::of(transfer, own, false)?;
        let currency = found.unit.to_string().to_uppercase();
        // Writing to a text cannot fail.
        _ = write!(file, "{},\"{}\",{},{currency}\r\n", line.day, line.kind, line.amount);
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, file_name(account, found.unit, "csv")),
    ];
    Ok((headers, file).into_response())
}

/// `GET /portal/statement.json`: for programs.
async fn json_file(
    State(desk): State<Desk>,
    login: PersonLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let account = login.person.account;
    let found = movements(&desk, account, asked.unit, (0, FILE_ROWS)).await?;
    let own = Account::Holder(found.unit, account);
    let lines: Result<Vec<_>, _> = found.rows.iter().map(|row| Line::of(row, own, false)).collect();
    let balance = found.balance.to_string();
    let file = json!({
        "account": account.to_string(),
        "currency": found.unit.to_string().to_uppercase(),
        "balance": balance.split(' ').next(),
        "is_complete": !found.is_cut,
        "movements": lines?,
    });
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, file_name(account, found.unit, "json")),
    ];
    Ok((headers, file.to_string()).into_response())
}

fn file_name(account: AccountId, unit: Unit, end: &str) -> String {
    format!("attachment; filename=\"statement-{account}-{unit}.{end}\"")
}

/// `POST /portal/demo-money`: a hundred dollars from nowhere, in a demonstration and nowhere else.
async fn demo_money(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Empty>,
) -> Result<Response, Refusal> {
    if desk.shared.demo.is_none() {
        return Err(Refusal::NotFound);
    }
    let text = &ENGLISH.money;
    let dollars = Unit::new("usd").map_err(|error| Refusal::internal(&error))?;
    let has_dollars = desk.shared.config.units.iter().any(|terms| terms.unit == dollars);
    if !has_dollars {
        return Err(Refusal::Field(text.demo_no_unit.to_owned()));
    }
    let gift = amount(GIFT, dollars)?;
    let account = signed.login.person.account;
    let shared = Arc::clone(&desk.shared);
    match money::give_demo_money(&shared, account, gift).await? {
        Ok(_) => Ok(see("/portal?done=demo-money")),
        Err(error) => Err(Refusal::Field(why_not(error).to_owned())),
    }
}

/// Why money of an account was not moved, for whoever has it.
pub(super) fn why_not(error: PostError) -> &'static str {
    let text = &ENGLISH.money;
    match error {
        PostError::OverLimit(OverLimit::Day) => text.limit_day,
        PostError::OverLimit(OverLimit::Month) => text.limit_month,
        PostError::Insufficient => text.approve_poor,
        PostError::Frozen => text.approve_frozen,
        PostError::Closed => text.approve_closed,
        PostError::UnknownHolder => text.approve_opening,
        PostError::Done | PostError::QuoteNotOpen => text.approve_paid,
        PostError::BadAmount
        | PostError::Conflict
        | PostError::Missing
        | PostError::WrongWay
        | PostError::WrongAmount
        | PostError::UnknownQuote => text.approve_unknown,
    }
}
