//! The merchants' API: orders and refunds, for programs that show a key; [`bills`] for those of billers.

mod bills;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_service::desk::merchant::{ApiKeyText, Merchant, Scope, Scopes};
use tacit_service::desk::paper::{CheckoutId, Line, OrderPaper, RefundPaper, RefundWay};

use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::shop::live::Live;
use crate::shop::order::{NewOrder, SECONDS, SECONDS_MAX, SECONDS_MIN};
use crate::shop::refusal::ShopRefusal;
use crate::shop::{live, order, refund, request};
use crate::text::{ENGLISH, fill};

/// Bytes of a body.
const BODY_MAX: usize = 16 * 1024;

/// Orders on a page, if nothing is said, and at most.
const LIMIT: u64 = 20;
const LIMIT_MAX: u64 = 100;

/// The largest number that every JSON library reads as it was written (RFC 8259, section 6).
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// The largest amount of an order: what the largest integer of JSON can carry in every language (RFC 8259, section 6).
pub(crate) const AMOUNT_MAX: u64 = (1 << 53) - 1;

const DOCUMENT: &str = include_str!("../../desk_openapi.json");

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/api/openapi.json", get(document))
        .route("/api/v1/orders", get(list).post(create))
        .route("/api/v1/orders/{order}", get(show))
        .route("/api/v1/orders/{order}/cancel", post(cancel))
        .route("/api/v1/orders/{order}/refunds", get(refunds).post(give_back))
        .merge(bills::router())
}

/// A program with a key.
pub(super) struct Program {
    merchant: Merchant,
    scopes: Scopes,
}

impl Program {
    fn may(&self, scope: Scope) -> Result<(), Refusal> {
        if self.scopes.allow(scope) { Ok(()) } else { Err(ShopRefusal::Scope.into()) }
    }

    /// The shop's order of this name.
    async fn order(&self, desk: &Desk, id: &str) -> Result<OrderPaper, Refusal> {
        let id: CheckoutId = id.parse().map_err(|_| Refusal::NotFound)?;
        let paper = desk.run(move |store| Ok(store.order_paper(id.order())?)).await?;
        paper.filter(|paper| paper.merchant == self.merchant.account).ok_or(Refusal::NotFound)
    }
}

impl FromRequestParts<Desk> for Program {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Refusal> {
        let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.split_once(' '));
        let key = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let key: Option<ApiKeyText> = key.and_then(|(_, key)| key.trim().parse().ok());
        let hash = key.ok_or(ShopRefusal::ApiKey)?.hash();
        let now = desk.now();
        let known = desk.run(move |store| Ok(store.api_key(hash, now)?)).await?;
        let (key, merchant) = known.ok_or(ShopRefusal::ApiKey)?;
        Ok(Self { merchant, scopes: key.scopes })
    }
}

/// The key of a request that changes something.
struct RequestKey(String);

impl FromRequestParts<Desk> for RequestKey {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Desk) -> Result<Self, Refusal> {
        let value = parts.headers.get("idempotency-key").and_then(|value| value.to_str().ok());
        let is_good = |key: &&str| {
            (1..=100).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let key = value.map(str::trim).filter(is_good).ok_or(ShopRefusal::RequestKey)?;
        // What the console and the counter make up themselves cannot meet what a program chose.
        Ok(Self(format!("api:{key}")))
    }
}

async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    read_up_to(body, BODY_MAX).await
}

async fn read_up_to<T: DeserializeOwned>(body: Body, most: usize) -> Result<T, Refusal> {
    let read = axum::body::to_bytes(body, most);
    let read = tokio::time::timeout(std::time::Duration::from_secs(20), read).await;
    let bytes = read.map_err(|_| Refusal::Bad)?.map_err(|_| Refusal::TooLarge)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::Bad)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderAsked {
    amount: u64,
    #[serde(default)]
    unit: Option<Unit>,
    description: String,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl OrderAsked {
    fn checked(self, merchant: &Merchant) -> Result<NewOrder, Refusal> {
        let text = &ENGLISH.merchant_refusal;
        if !(1..=AMOUNT_MAX).contains(&self.amount) {
            return Err(Refusal::Field(fill(text.amount, "max", AMOUNT_MAX)));
        }
        if self.unit.is_some_and(|unit| unit != merchant.unit) {
            return Err(Refusal::Field(fill(text.unit, "unit", merchant.unit)));
        }
        let description = Line::new(&self.description);
        let description =
            description.map_err(|why| Refusal::Field(fill(text.description, "why", why)))?;
        let reference = self.reference.as_deref().map(Line::new).transpose();
        let reference =
            reference.map_err(|why| Refusal::Field(fill(text.reference, "why", why)))?;
        let seconds = self.expires_in.unwrap_or(SECONDS);
        if !(SECONDS_MIN..=SECONDS_MAX).contains(&seconds) {
            return Err(Refusal::Field(text.seconds.to_owned()));
        }
        Ok(NewOrder { amount: self.amount, description, reference, seconds })
    }
}

#[derive(Serialize)]
struct OrderTold {
    id: String,
    number: u64,
    reference: Option<String>,
    description: String,
    amount: u64,
    unit: Unit,
    state: &'static str,
    refunded: u64,
    created: String,
    paid: Option<String>,
    expires: Timestamp,
    checkout_url: String,
    payment_request: String,
    payment_request_bech32: String,
}

impl OrderTold {
    fn of(
        desk: &Desk,
        merchant: &Merchant,
        paper: &OrderPaper,
        live: Live,
    ) -> Result<Self, Refusal> {
        let request = request::of(&desk.shared, paper, &merchant.key)?;
        Ok(Self {
            id: paper.checkout.to_string(),
            number: paper.number,
            reference: paper.reference.as_ref().map(|line| line.as_str().to_owned()),
            description: paper.description.as_str().to_owned(),
            amount: paper.amount,
            unit: paper.unit,
            state: live.name(),
            refunded: paper.refunded,
            created: paper.created.to_string(),
            paid: paper.paid.map(|day| day.to_string()),
            expires: paper.expiry,
            checkout_url: format!("{}/checkout/{}", desk.handle.origin, paper.checkout),
            payment_request: request.creq_a,
            payment_request_bech32: request.creq_b,
        })
    }
}

/// `POST /api/v1/orders`.
async fn create(
    State(desk): State<Desk>,
    program: Program,
    RequestKey(key): RequestKey,
    request: Request,
) -> Result<Json<OrderTold>, Refusal> {
    program.may(Scope::WriteOrders)?;
    let asked: OrderAsked = read(request.into_body()).await?;
    let asked = asked.checked(&program.merchant)?;
    let paper = order::open(&desk, &program.merchant, &key, asked).await?;
    tell(&desk, &program.merchant, &paper).await
}

/// `GET /api/v1/orders/{order}`.
async fn show(
    State(desk): State<Desk>,
    program: Program,
    Path(id): Path<String>,
) -> Result<Json<OrderTold>, Refusal> {
    program.may(Scope::ReadOrders)?;
    let paper = program.order(&desk, &id).await?;
    tell(&desk, &program.merchant, &paper).await
}

/// `POST /api/v1/orders/{order}/cancel`.
async fn cancel(
    State(desk): State<Desk>,
    program: Program,
    Path(id): Path<String>,
) -> Result<Json<OrderTold>, Refusal> {
    program.may(Scope::WriteOrders)?;
    let paper = program.order(&desk, &id).await?;
    let paper = order::cancel(&desk, paper).await?;
    tell(&desk, &program.merchant, &paper).await
}

async fn tell(
    desk: &Desk,
    merchant: &Merchant,
    paper: &OrderPaper,
) -> Result<Json<OrderTold>, Refusal> {
    let live = live::of(desk, paper).await?;
    OrderTold::of(desk, merchant, paper, live).map(Json)
}

#[derive(Deserialize)]
struct Asked {
    limit: Option<u64>,
    before: Option<u64>,
}

/// How many are asked for, and from below which number on.
fn page_of(asked: Result<Query<Asked>, QueryRejection>) -> Result<(u64, Option<u64>), Refusal> {
    let bad = || Refusal::Field(ENGLISH.merchant_refusal.limit.to_owned());
    let Query(Asked { limit, before }) = asked.map_err(|_| bad())?;
    let limit = limit.unwrap_or(LIMIT);
    let is_number = before.is_none_or(|before| (1..=NUMBER_MAX).contains(&before));
    if !(1..=LIMIT_MAX).contains(&limit) || !is_number {
        return Err(bad());
    }
    Ok((limit, before))
}

/// Cuts papers to a page, of which one more was asked for; what `before` is for the next page, if there is one.
fn cut_page<T>(papers: &mut Vec<T>, limit: u64, number: impl Fn(&T) -> u64) -> Option<u64> {
    let is_more = limit < papers.len() as u64;
    papers.truncate(usize::try_from(limit).expect("at most a hundred"));
    papers.last().filter(|_| is_more).map(number)
}

#[derive(Serialize)]
struct Orders {
    orders: Vec<OrderTold>,
    /// What `before` is for the next page, if there is one.
    next: Option<u64>,
}

/// `GET /api/v1/orders`: the latest first, as the desk last heard of them.
async fn list(
    State(desk): State<Desk>,
    program: Program,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Orders>, Refusal> {
    program.may(Scope::ReadOrders)?;
    let (limit, before) = page_of(asked)?;
    let account = program.merchant.account;
    let mut papers = desk.run(move |store| Ok(store.orders(account, before, limit + 1)?)).await?;
    let next = cut_page(&mut papers, limit, |paper| paper.number);
    let now = desk.now();
    let orders: Result<_, _> = papers
        .iter()
        .map(|paper| OrderTold::of(&desk, &program.merchant, paper, Live::on_paper(paper, now)))
        .collect();
    Ok(Json(Orders { orders: orders?, next }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundAsked {
    /// All of it, if nothing is said: the same however often it is asked.
    #[serde(default)]
    amount: Option<u64>,
}

#[derive(Serialize)]
struct RefundTold {
    id: String,
    amount: u64,
    way: &'static str,
    created: String,
    /// Where whoever has this can take the refund; empty if it went to the payer's wallet.
    refund_url: Option<String>,
}

impl RefundTold {
    fn of(desk: &Desk, merchant: &Merchant, refund: &RefundPaper) -> Self {
        let code = merchant.naming.refund_code(refund.id);
        let url = format!("{}/refund/{code}", desk.handle.origin);
        Self {
            id: refund.id.to_string(),
            amount: refund.amount,
            way: refund.way.name(),
            created: refund.created.to_string(),
            refund_url: (refund.way == RefundWay::Code).then_some(url),
        }
    }
}

/// `POST /api/v1/orders/{order}/refunds`.
async fn give_back(
    State(desk): State<Desk>,
    program: Program,
    Path(id): Path<String>,
    RequestKey(key): RequestKey,
    request: Request,
) -> Result<Json<RefundTold>, Refusal> {
    program.may(Scope::WriteRefunds)?;
    let asked: RefundAsked = read(request.into_body()).await?;
    let paper = program.order(&desk, &id).await?;
    let amount = asked.amount.unwrap_or(paper.amount);
    if !(1..=AMOUNT_MAX).contains(&amount) {
        return Err(ShopRefusal::TooMuch.into());
    }
    let done = refund::refund(&desk, &program.merchant, &paper, &key, amount).await?;
    Ok(Json(RefundTold::of(&desk, &program.merchant, &done)))
}

#[derive(Serialize)]
struct Refunds {
    refunds: Vec<RefundTold>,
}

/// `GET /api/v1/orders/{order}/refunds`.
async fn refunds(
    State(desk): State<Desk>,
    program: Program,
    Path(id): Path<String>,
) -> Result<Json<Refunds>, Refusal> {
    program.may(Scope::ReadOrders)?;
    let order = program.order(&desk, &id).await?.id;
    let known = desk.run(move |store| Ok(store.refunds(order)?)).await?;
    let done = known.iter().filter(|refund| refund.is_done);
    let refunds = done.map(|refund| RefundTold::of(&desk, &program.merchant, refund)).collect();
    Ok(Json(Refunds { refunds }))
}

/// `GET /api/openapi.json`.
async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_document_has_every_path_and_its_examples_are_read() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let (own, of_bills) = (include_str!("api.rs"), include_str!("api/bills.rs"));
        let routes = |text: &'static str| text.split(".route(\"/api/").skip(1);
        let mut told = 0;
        for part in routes(own).take(5).chain(routes(of_bills)) {
            let (path, rest) = part.split_once('"').unwrap();
            let handlers = rest.split('\n').next().unwrap();
            let operations = document["paths"][format!("/api/{path}")].as_object().unwrap();
            for method in ["get", "post"] {
                let is_known = handlers.contains(&format!("{method}("));
                assert_eq!(operations.contains_key(method), is_known, "{method} {path}");
                told += usize::from(is_known);
            }
        }
        let all = document["paths"].as_object().unwrap().values();
        assert_eq!(all.map(|it| it.as_object().unwrap().len()).sum::<usize>(), told);
        for part in DOCUMENT.split("\"$ref\": \"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        let examples = |schema: &str| document["components"]["schemas"][schema]["examples"].clone();
        for example in examples("NewOrder").as_array().unwrap() {
            serde_json::from_value::<OrderAsked>(example.clone()).unwrap();
        }
        for example in examples("NewRefund").as_array().unwrap() {
            serde_json::from_value::<RefundAsked>(example.clone()).unwrap();
        }
        for example in examples("NewContract").as_array().unwrap() {
            serde_json::from_value::<bills::ContractAsked>(example.clone()).unwrap();
        }
        for example in examples("NewBills").as_array().unwrap() {
            serde_json::from_value::<bills::BillsAsked>(example.clone()).unwrap();
        }
    }
}
