//! Payouts at the console: what waits for approval, what is ready, the orders to the bank, and what came back.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_bank::iban::{BankAccount, Iban};
use tacit_bank::payout::PayoutError;
use tacit_core::hex;
use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_service::bank::payout::{message_id, order_of};
use tacit_service::desk::booking::Listed;
use tacit_service::desk::payout::{APPROVALS, OrderSums, Payout, PayoutState, Turn, Whose};
use tacit_service::desk::staff::Permission;
use tacit_service::posting::FactId;

use super::bookings::Row as BookingRow;
use super::{page, payout};
use crate::bank::order::{self, OrderError};
use crate::desk::Desk;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::route::desk::{new_id, see};
use crate::shop::money;
use crate::state::Shared;
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/payouts";

/// Payouts of a kind on one page.
const ROWS: u32 = 100;

/// Orders on the page.
const ORDERS: u32 = 20;

/// The furthest day on which the bank may be asked to pay.
const DAYS_MAX: u64 = 30;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(list))
        .route("/operator/payouts/order", post(make))
        .route("/operator/payouts/orders/{file}", get(download))
        .merge(payout::router())
}

/// A payout in a table.
struct Row {
    path: String,
    name: String,
    iban: String,
    whose: String,
    asked: String,
    approvals: String,
    amount: String,
}

/// An order in a table.
struct OrderRow {
    id: String,
    path: String,
    made: String,
    execution: String,
    payouts: u64,
    amount: String,
}

/// The form that makes an order.
struct OrderForm {
    units: Vec<String>,
    nonce: String,
    days: Vec<(u64, String)>,
}

#[derive(Template)]
#[template(path = "operator/payouts.html")]
struct PayoutsPage {
    page: Page,
    wrong: Option<String>,
    waiting: Vec<Row>,
    ready: Vec<Row>,
    form: Option<OrderForm>,
    may_download: bool,
    orders: Vec<OrderRow>,
    older: Option<String>,
    /// Where payouts stand that do not fit on this page.
    more: Option<String>,
    returned: Vec<BookingRow>,
    is_returned_cut: bool,
}

#[derive(Default, Deserialize)]
struct Asked {
    done: Option<String>,
    #[serde(default)]
    older: u32,
    /// After which payouts that are held, and that go back, as [`written`].
    held: Option<String>,
    sent: Option<String>,
}

/// Where a payout stands, as an address has it.
fn written(turn: Turn) -> String {
    format!("{}-{}", turn.asked.number(), turn.id)
}

fn turn_of(text: &str) -> Option<Turn> {
    let (day, id) = text.split_once('-')?;
    let day = day.parse().ok().filter(|day| *day < 1 << 32)?;
    Some(Turn { asked: Day::from_number(day), id: id.parse().ok()? })
}

/// Takes what does not fit on a page off a list; returns where the next page goes on, and whether there is more.
fn cut(payouts: &mut Vec<Payout>, from: Option<Turn>) -> (Option<Turn>, bool) {
    let is_more = ROWS < u32::try_from(payouts.len()).unwrap_or(u32::MAX);
    payouts.truncate(ROWS as usize);
    (payouts.last().map(Payout::turn).or(from), is_more)
}

/// `GET /operator/payouts`.
async fn list(
    State(desk): State<Desk>,
    login: StaffLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    show_list(&desk, &login, &asked, None).await
}

async fn show_list(
    desk: &Desk,
    login: &StaffLogin,
    asked: &Asked,
    wrong: Option<String>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeeMoney)?;
    let text = &ENGLISH.finance;
    let skip = u64::from(asked.older) * u64::from(ORDERS);
    let turn = |text: &Option<String>| {
        text.as_deref().map(|text| turn_of(text).ok_or(Refusal::Bad)).transpose()
    };
    let (held_from, sent_from) = (turn(&asked.held)?, turn(&asked.sent)?);
    let (mut held, mut sent, mut orders, mut returned) = desk
        .run(move |store| {
            let held = store.payouts(PayoutState::Held, held_from, ROWS + 1)?;
            let sent = store.payouts(PayoutState::Asked, sent_from, ROWS + 1)?;
            let orders = store.payout_orders(skip, ORDERS + 1)?;
            Ok((held, sent, orders, store.bookings(Listed::Returned, None, ORDERS + 1)?))
        })
        .await?;
    let ((held_to, more_held), (sent_to, more_sent)) =
        (cut(&mut held, held_from), cut(&mut sent, sent_from));
    let place = |name, turn: Option<Turn>| {
        turn.map(|turn| format!("&{name}={}", written(turn))).unwrap_or_default()
    };
    let more = (more_held || more_sent)
        .then(|| format!("{PATH}?{}{}", place("held", held_to), place("sent", sent_to)));
    let is_returned_cut = ORDERS < u32::try_from(returned.len()).unwrap_or(u32::MAX);
    returned.truncate(ORDERS as usize);
    let is_sender = |payout: &Payout| matches!(payout.whose, Whose::Sender(_));
    let (mut waiting, mut ready) = (Vec::new(), Vec::new());
    for payout in sent.into_iter().filter(is_sender).chain(held) {
        let needs = needed(&desk.shared, &payout);
        let row = row(desk, &payout, needs).await?;
        if payout.approvals < needs { waiting.push(row) } else { ready.push(row) }
    }
    let is_cut = ORDERS < u32::try_from(orders.len()).unwrap_or(u32::MAX);
    orders.truncate(ORDERS as usize);
    let may = login.staff.role.may(Permission::HandleMoney);
    let notice = match asked.done.as_deref() {
        Some("ordered") => Some(text.order_made),
        _ => None,
    };
    Ok(show(&PayoutsPage {
        page: page(desk, login, PATH, text.payouts_title).with_notice(notice),
        wrong,
        waiting,
        ready,
        form: may.then(|| order_form(&desk.shared)).transpose()?.flatten(),
        may_download: may,
        orders: orders.iter().map(order_row).collect(),
        older: is_cut.then(|| format!("{PATH}?older={}", asked.older.saturating_add(1))),
        more,
        returned: returned.iter().map(BookingRow::of).collect(),
        is_returned_cut,
    }))
}

/// How many people's approval a payout needs.
pub(super) fn needed(shared: &Shared, payout: &Payout) -> u64 {
    if alone_max(shared, payout.unit) < payout.amount { APPROVALS } else { 0 }
}

/// What goes out without approval, in minor units.
pub(super) fn alone_max(shared: &Shared, unit: Unit) -> u64 {
    let terms = shared.config.units.iter().find(|terms| terms.unit == unit);
    terms.map_or(0, |terms| terms.payout_alone_max)
}

async fn row(desk: &Desk, payout: &Payout, needs: u64) -> Result<Row, Refusal> {
    let text = &ENGLISH.finance;
    let approvals = match needs {
        _ if !order::is_open(&desk.shared, payout).await? => text.waits_account.to_owned(),
        0 => text.approvals_none.to_owned(),
        _ => fill(&fill(text.approvals_of, "count", payout.approvals), "needed", needs),
    };
    Ok(Row {
        path: format!("{PATH}/{}", payout.id),
        name: payout.name.clone(),
        iban: iban(payout),
        whose: whose(payout),
        asked: payout.asked.to_string(),
        approvals,
        amount: money(payout.amount, payout.unit),
    })
}

/// Whose money a payout is made of.
pub(super) fn whose(payout: &Payout) -> String {
    let text = &ENGLISH.finance;
    match payout.whose {
        Whose::Account(account) => fill(text.whose_account, "account", account),
        Whose::Sender(_) => text.whose_sender.to_owned(),
    }
}

/// Where a payout goes, in groups of four.
pub(super) fn iban(payout: &Payout) -> String {
    payout.iban.parse().map_or_else(|_| payout.iban.clone(), |iban: Iban| iban.grouped())
}

fn order_row(sums: &OrderSums) -> OrderRow {
    let id = message_id(sums.order.id);
    OrderRow {
        path: format!("{PATH}/orders/{id}.xml"),
        id,
        made: sums.order.made.to_string().replace('T', " ").replace('Z', ""),
        execution: sums.order.execution.to_string(),
        payouts: sums.payouts,
        amount: money(sums.amount, sums.order.unit),
    }
}

/// What an order can be made of: currencies of which the bank can be asked to pay.
fn order_form(shared: &Arc<Shared>) -> Result<Option<OrderForm>, Refusal> {
    let text = &ENGLISH.finance;
    let units = shared.config.units.iter().filter(|terms| {
        let account = terms.bank.as_ref().map(|bank| &bank.account);
        terms.unit.code() == "eur" && matches!(account, Some(BankAccount::Iban(_)))
    });
    let units: Vec<String> = units.map(|terms| terms.unit.to_string()).collect();
    if units.is_empty() || shared.config.bank_name.is_none() {
        return Ok(None);
    }
    let nonce = hex::encode(&new_id()?);
    let day = |days| match days {
        0 => (days, text.order_today.to_owned()),
        1 => (days, text.order_tomorrow.to_owned()),
        _ => (days, fill(text.order_in_days, "days", days)),
    };
    Ok(Some(OrderForm { units, nonce, days: (0..6).map(day).collect() }))
}

#[derive(Deserialize)]
struct Wanted {
    unit: String,
    in_days: u64,
    nonce: String,
}

/// `POST /operator/payouts/order`. Sent twice, it makes one order.
async fn make(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Wanted>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::HandleMoney)?;
    let id: FactId = form.nonce.parse().map_err(|_| Refusal::Bad)?;
    if DAYS_MAX < form.in_days {
        return Err(Refusal::Bad);
    }
    let made = order::make(&desk.shared, id, &form.unit, form.in_days, Some(login.staff.id)).await;
    let wrong = match made {
        Ok(_) => return Ok(see(&format!("{PATH}?done=ordered#orders"))),
        Err(OrderError::Store(error)) => return Err(error.into()),
        Err(OrderError::Nothing { .. }) => {
            fill(ENGLISH.finance.order_none, "unit", form.unit.to_uppercase())
        }
        Err(error) => order_wrong(&error),
    };
    show_list(&desk, &login, &Asked::default(), Some(wrong)).await
}

/// `GET /operator/payouts/orders/{file}`: the file of an order, the same bytes each time.
async fn download(
    State(desk): State<Desk>,
    login: StaffLogin,
    Path(file): Path<String>,
) -> Result<Response, Refusal> {
    login.may(Permission::HandleMoney)?;
    let id = file.strip_suffix(".xml").and_then(order_of).ok_or(Refusal::NotFound)?;
    let written = match order::again(&desk.shared, id).await {
        Ok(written) => written,
        Err(OrderError::NoOrder) => return Err(Refusal::NotFound),
        Err(OrderError::Store(error)) => return Err(error.into()),
        Err(error) => return Err(Refusal::Field(order_wrong(&error))),
    };
    let disposition = format!("attachment; filename=\"{}.xml\"", written.message_id);
    let headers = [
        (header::CONTENT_TYPE, "application/xml; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, written.file).into_response())
}

/// Why the bank cannot be asked for a payout.
pub(in crate::route::desk) fn order_wrong(error: &OrderError) -> String {
    let text = &ENGLISH.finance;
    let said = match error {
        OrderError::Unit => text.order_wrong_unit,
        OrderError::NoName => text.order_wrong_name,
        OrderError::NoAccount => text.order_wrong_account,
        OrderError::Account => text.order_wrong_holder,
        OrderError::Iban => text.order_wrong_iban,
        OrderError::Payout(PayoutError::NotEuro { .. }) => text.order_wrong_euro,
        OrderError::Payout(PayoutError::Amount { .. }) => text.order_wrong_amount,
        OrderError::Payout(PayoutError::OutsideSepa { .. }) => text.order_wrong_sepa,
        OrderError::Payout(_) => text.order_wrong_write,
        OrderError::NoOrder
        | OrderError::Nothing { .. }
        | OrderError::Random
        | OrderError::Store(_) => ENGLISH.refusal.internal,
    };
    said.to_owned()
}

#[cfg(test)]
mod tests {
    use tacit_service::account::AccountId;
    use tacit_service::desk::payout::Asker;

    use super::*;

    fn payout(number: u32) -> Payout {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        Payout {
            id: FactId::from_bytes(id),
            whose: Whose::Account(AccountId::from_random([1; 8])),
            by: Asker::Holder,
            asked: Day::from_number(20_000),
            name: String::new(),
            iban: String::new(),
            unit: Unit::new("eur").unwrap(),
            amount: 1,
            text: String::new(),
            state: PayoutState::Held,
            approvals: 0,
        }
    }

    #[test]
    fn a_list_that_is_cut_says_where_it_goes_on() {
        let all: Vec<Payout> = (0..=ROWS).map(payout).collect();
        let mut page = all.clone();
        let (to, is_more) = cut(&mut page, None);
        assert_eq!((page.len(), is_more), (ROWS as usize, true));
        assert_eq!(to, Some(all[ROWS as usize - 1].turn()));
        let (same, is_more) = cut(&mut Vec::new(), to);
        assert_eq!((same, is_more), (to, false), "nothing comes twice");
        assert_eq!(turn_of(&written(all[7].turn())), Some(all[7].turn()));
        for text in ["", "1", "x-00", "99999999999-00", "1-"] {
            assert_eq!(turn_of(text), None, "{text}");
        }
    }
}
