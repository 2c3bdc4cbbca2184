//! Orders at the console: the list, one order, a refund in two steps, and all of it as a file.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::hex;
use tacit_service::account::AccountId;
use tacit_service::desk::paper::{CheckoutId, Line, OrderPaper, RefundPaper, RefundWay};
use tacit_service::order::sale_fee;

use super::{Asked, Shop, own};
use crate::cash::fees;
use crate::desk::Desk;
use crate::desk::money::ask;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{Empty, PersonLogin, SignedForm};
use crate::random;
use crate::route::desk::see;
use crate::shop::live::{self, Live};
use crate::shop::{amount_of, money, order, refund};
use crate::text::{ENGLISH, fill};

/// Orders on a page, and in one step of the file.
const PAGE: u64 = 50;
const STEP: u64 = 1000;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/merchant/orders", get(list))
        .route("/merchant/orders.csv", get(file))
        .route("/merchant/orders/{order}", get(one))
        .route("/merchant/orders/{order}/cancel", post(cancel))
        .route("/merchant/orders/{order}/refund", get(ask_refund).post(give_back))
}

/// An order in a table.
struct Row {
    path: String,
    number: u64,
    description: String,
    amount: String,
    state: &'static str,
    day: String,
}

#[derive(Template)]
#[template(path = "merchant/orders.html")]
struct OrdersPage {
    page: Page,
    orders: Vec<Row>,
    older: Option<String>,
}

#[derive(Deserialize)]
struct Place {
    before: Option<u64>,
}

/// `GET /merchant/orders`.
async fn list(
    State(desk): State<Desk>,
    shop: Shop,
    Query(place): Query<Place>,
) -> Result<Response, Refusal> {
    let account = shop.merchant.account;
    let mut papers =
        desk.run(move |store| Ok(store.orders(account, place.before, PAGE + 1)?)).await?;
    let is_more = PAGE < papers.len() as u64;
    papers.truncate(usize::try_from(PAGE).expect("few"));
    let now = desk.now();
    let line = |paper: &OrderPaper| Row {
        path: path(paper),
        number: paper.number,
        description: paper.description.as_str().to_owned(),
        amount: money(paper.amount, paper.unit),
        state: state(paper, Live::on_paper(paper, now)),
        day: paper.created.to_string(),
    };
    let older = papers.last().filter(|_| is_more);
    Ok(show(&OrdersPage {
        page: shop.page(&desk, "/merchant/orders", ENGLISH.merchant.orders_title),
        older: older.map(|paper| format!("/merchant/orders?before={}", paper.number)),
        orders: papers.iter().map(line).collect(),
    }))
}

fn path(paper: &OrderPaper) -> String {
    format!("/merchant/orders/{}", paper.checkout)
}

/// How far an order is, in a word.
pub(super) fn state(paper: &OrderPaper, live: Live) -> &'static str {
    let text = &ENGLISH.merchant;
    match live {
        Live::Open => text.state_open,
        Live::Expired => text.state_expired,
        Live::Cancelled => text.state_cancelled,
        Live::Paid if paper.refunded == 0 => text.state_paid,
        Live::Paid if paper.refunded < paper.amount => text.state_part_refunded,
        Live::Paid => text.state_refunded,
    }
}

/// An order of this merchant's.
pub(super) async fn find(
    desk: &Desk,
    merchant: AccountId,
    id: &str,
) -> Result<OrderPaper, Refusal> {
    let id: CheckoutId = id.parse().map_err(|_| Refusal::NotFound)?;
    let paper = desk.run(move |store| Ok(store.order_paper(id.order())?)).await?;
    paper.filter(|paper| paper.merchant == merchant).ok_or(Refusal::NotFound)
}

struct ShownRefund {
    amount: String,
    day: String,
    said: &'static str,
    url: Option<String>,
}

#[derive(Template)]
#[template(path = "merchant/order.html")]
struct OrderPage {
    page: Page,
    path: String,
    description: String,
    amount: String,
    state: &'static str,
    created: String,
    paid: Option<String>,
    refunded: Option<String>,
    fee: Option<String>,
    reference: Option<String>,
    checkout: String,
    may_cancel: bool,
    may_refund: bool,
    left: String,
    left_hint: String,
    nonce: String,
    refunds: Vec<ShownRefund>,
}

/// `GET /merchant/orders/{order}`.
async fn one(
    State(desk): State<Desk>,
    shop: Shop,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.merchant;
    let paper = find(&desk, shop.merchant.account, &id).await?;
    let live = live::of(&desk, &paper).await?;
    let order = paper.id;
    let refunds = desk.run(move |store| Ok(store.refunds(order)?)).await?;
    let notice = match asked.done.as_deref() {
        Some("refunded") => Some(text.refund_done),
        Some("cancelled") => Some(text.cancelled),
        _ => None,
    };
    let left = paper.amount.saturating_sub(paper.refunded);
    let shown = |refund: &RefundPaper| {
        let code = shop.merchant.naming.refund_code(refund.id);
        let is_code = refund.way == RefundWay::Code;
        ShownRefund {
            amount: money(refund.amount, paper.unit),
            day: refund.created.to_string(),
            said: if is_code { text.refund_code } else { text.refund_blanks },
            url: is_code.then(|| format!("{}/refund/{code}", desk.handle.origin)),
        }
    };
    let title = fill(text.order_title, "number", paper.number);
    Ok(show(&OrderPage {
        page: shop.page(&desk, "/merchant/orders", &title).with_notice(notice),
        path: path(&paper),
        description: paper.description.as_str().to_owned(),
        amount: money(paper.amount, paper.unit),
        state: state(&paper, live),
        created: paper.created.to_string(),
        paid: paper.paid.map(|day| day.to_string()),
        refunded: (0 < paper.refunded).then(|| money(paper.refunded, paper.unit)),
        fee: fee(&desk, &paper, live).await?,
        reference: paper.reference.as_ref().map(Line::as_str).map(str::to_owned),
        checkout: format!("{}/checkout/{}", desk.handle.origin, paper.checkout),
        may_cancel: live == Live::Open,
        may_refund: live == Live::Paid && 0 < left,
        left: paper.unit.decimal(left),
        left_hint: fill(text.refund_hint, "amount", money(left, paper.unit)),
        nonce: nonce()?,
        refunds: refunds.iter().filter(|refund| refund.is_done).map(shown).collect(),
    }))
}

/// What is asked for the sale, or was taken for it.
async fn fee(desk: &Desk, paper: &OrderPaper, live: Live) -> Result<Option<String>, Refusal> {
    let text = &ENGLISH.merchant;
    let (said, fee) = match live {
        Live::Open => (text.fee_open, fees(&desk.shared, paper.unit).sale.of(paper.amount)),
        Live::Paid => {
            let id = sale_fee(paper.id);
            let taken = ask(&desk.shared, move |reader| reader.transfer(id)).await?;
            (text.fee_taken, taken.map_or(0, |taken| taken.amount))
        }
        Live::Expired | Live::Cancelled => return Ok(None),
    };
    Ok((fee > 0).then(|| fill(said, "fee", money(fee, paper.unit))))
}

/// Names what a form asks for, so that a form sent twice does it once.
pub(super) fn nonce() -> Result<String, Refusal> {
    let random: [u8; 16] = random::bytes().map_err(|error| Refusal::internal(&error))?;
    Ok(hex::encode(&random))
}

/// `POST /merchant/orders/{order}/cancel`.
async fn cancel(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<PersonLogin, Empty>,
) -> Result<Response, Refusal> {
    let merchant = own(&desk, &signed.login).await?;
    let paper = find(&desk, merchant.account, &id).await?;
    let paper = order::cancel(&desk, paper).await?;
    Ok(see(&format!("{}?done=cancelled", path(&paper))))
}

#[derive(Deserialize)]
struct RefundAsked {
    amount: String,
    nonce: String,
}

#[derive(Template)]
#[template(path = "merchant/refund.html")]
struct RefundPage {
    page: Page,
    path: String,
    button: String,
    amount: String,
    nonce: String,
}

/// `GET /merchant/orders/{order}/refund`: what will happen, before it does.
async fn ask_refund(
    State(desk): State<Desk>,
    shop: Shop,
    Path(id): Path<String>,
    Query(asked): Query<RefundAsked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.merchant;
    let paper = find(&desk, shop.merchant.account, &id).await?;
    let amount = refund_amount(&paper, &asked.amount)?;
    let shown = money(amount, paper.unit);
    let title = fill(text.refund_confirm_title, "amount", &shown);
    Ok(show(&RefundPage {
        page: shop.page(&desk, "/merchant/orders", &title),
        path: path(&paper),
        button: fill(text.refund_button, "amount", &shown),
        amount: paper.unit.decimal(amount),
        nonce: asked.nonce,
    }))
}

/// `POST /merchant/orders/{order}/refund`.
async fn give_back(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<PersonLogin, RefundAsked>,
) -> Result<Response, Refusal> {
    let merchant = own(&desk, &signed.login).await?;
    let paper = find(&desk, merchant.account, &id).await?;
    let bad = || Refusal::Field(ENGLISH.merchant.refund_bad.to_owned());
    let amount = amount_of(&signed.form.amount, paper.unit).ok_or_else(bad)?;
    let key: [u8; 16] = hex::decode(&signed.form.nonce).map_err(|_| Refusal::Bad)?;
    let key = format!("console:{}", hex::encode(&key));
    refund::refund(&desk, &merchant, &paper, &key, amount).await?;
    Ok(see(&format!("{}?done=refunded", path(&paper))))
}

fn refund_amount(paper: &OrderPaper, text: &str) -> Result<u64, Refusal> {
    let left = paper.amount.saturating_sub(paper.refunded);
    let amount = amount_of(text, paper.unit).filter(|amount| *amount <= left);
    amount.ok_or_else(|| Refusal::Field(ENGLISH.merchant.refund_bad.to_owned()))
}

/// `GET /merchant/orders.csv` (RFC 4180).
async fn file(State(desk): State<Desk>, shop: Shop) -> Result<Response, Refusal> {
    let account = shop.merchant.account;
    let now = desk.now();
    let mut text =
        "number,order,reference,description,amount,unit,state,created,paid,refunded\r\n".to_owned();
    let mut below = None;
    loop {
        let papers = desk.run(move |store| Ok(store.orders(account, below, STEP)?)).await?;
        let Some(last) = papers.last() else { break };
        below = Some(last.number);
        for paper in &papers {
            let reference = paper.reference.as_ref().map_or("", Line::as_str);
            let paid = paper.paid.map(|day| day.to_string()).unwrap_or_default();
            let fields = [
                paper.number.to_string(),
                paper.checkout.to_string(),
                field(reference),
                field(paper.description.as_str()),
                paper.unit.decimal(paper.amount),
                paper.unit.code().to_owned(),
                Live::on_paper(paper, now).name().to_owned(),
                paper.created.to_string(),
                paid,
                paper.unit.decimal(paper.refunded),
            ];
            text.push_str(&fields.join(","));
            text.push_str("\r\n");
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"orders.csv\""),
    ];
    Ok((headers, text).into_response())
}

/// A text in quotes. What spreadsheets take for a formula gets an apostrophe first: payers' and merchants' words are not code.
fn field(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_a_file_is_no_formula_and_ends_no_field() {
        assert_eq!(field("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(field("=1+1"), "\"'=1+1\"");
        assert_eq!(field(""), "\"\"");
    }
}
