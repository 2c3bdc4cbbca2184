//! What payers see: checkout, receipt, refund. Nobody is logged in, no cookie is read or set, and nothing is kept of who looks.

use askama::Template;
use axum::Json;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::token::Token;
use tacit_service::desk::merchant::Merchant;
use tacit_service::desk::paper::{
    CheckoutId, Line, OrderPaper, RefundCode, RefundPaper, RefundWay,
};

use super::see;
use crate::desk::Desk;
use crate::desk::page::show;
use crate::desk::refusal::Refusal;
use crate::shop::live::{self, Live};
use crate::shop::pay::{Payment, pay};
use crate::shop::{money, refund, refused, request};
use crate::street;
use crate::text::{ENGLISH, Text, fill};

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/checkout/{checkout}", get(checkout))
        .route("/checkout/{checkout}/state", get(state))
        .route("/checkout/{checkout}/token", post(paste))
        .route("/refund/{code}", get(refund_page).post(take_refund))
        .route("/checkout.js", get(script))
}

/// `GET /checkout.js`.
async fn script() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (headers, include_str!("../../page/checkout.js")).into_response()
}

/// What pages of a payer have in common.
struct Frame {
    text: &'static Text,
    title: String,
    shop: String,
    amount: String,
    is_demo: bool,
}

impl Frame {
    fn new(desk: &Desk, found: &Found, amount: u64, title: &str) -> Self {
        let shop = found.merchant.name.as_str().to_owned();
        Self {
            text: &ENGLISH,
            title: fill(title, "shop", &shop),
            shop,
            amount: money(amount, found.paper.unit),
            is_demo: desk.shared.config.demo,
        }
    }
}

#[derive(Template)]
#[template(path = "checkout/open.html")]
struct OpenPage {
    frame: Frame,
    path: String,
    /// Seconds left, and until when.
    left: u64,
    until: String,
    description: String,
    qr: Option<String>,
    creq: String,
    /// Into the web wallet, if there is one.
    wallet: Option<String>,
    creq_short: String,
    mint: String,
    paste_hint: String,
    wrong: Option<String>,
}

#[derive(Template)]
#[template(path = "checkout/paid.html")]
struct PaidPage {
    frame: Frame,
    lead: String,
    description: String,
    day: Option<String>,
    number: u64,
    reference: Option<String>,
    refunds: Vec<ShownRefund>,
    /// Of the street of a demonstration, and not brought back: the name of its checkout.
    returnable: Option<String>,
}

struct ShownRefund {
    said: String,
    url: Option<String>,
}

#[derive(Template)]
#[template(path = "checkout/ended.html")]
struct EndedPage {
    frame: Frame,
    lead: String,
    more: Option<String>,
}

#[derive(Template)]
#[template(path = "checkout/refund.html")]
struct RefundPage {
    frame: Frame,
    lead: String,
    path: String,
    token: Option<String>,
    qr: Option<String>,
    receipt: String,
}

/// An order with its shop.
struct Found {
    paper: OrderPaper,
    merchant: Merchant,
    refunds: Vec<RefundPaper>,
}

async fn find(desk: &Desk, checkout: &str) -> Result<Found, Refusal> {
    let id: CheckoutId = checkout.parse().map_err(|_| Refusal::NotFound)?;
    desk.run(move |store| {
        let paper = store.order_paper(id.order())?.ok_or(Refusal::NotFound)?;
        let merchant = store.merchant(paper.merchant)?.ok_or(Refusal::NotFound)?;
        let refunds = store.refunds(paper.id)?;
        Ok(Found { paper, merchant, refunds })
    })
    .await
}

/// `GET /checkout/{checkout}`.
async fn checkout(
    State(desk): State<Desk>,
    Path(checkout): Path<String>,
) -> Result<Response, Refusal> {
    let found = find(&desk, &checkout).await?;
    show_order(&desk, &found, None).await
}

async fn show_order(
    desk: &Desk,
    found: &Found,
    wrong: Option<String>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.checkout;
    let paper = &found.paper;
    let frame = |title| Frame::new(desk, found, paper.amount, title);
    let shop = found.merchant.name.as_str();
    let page = match live::of(desk, paper).await? {
        Live::Open => show(&open_page(desk, found, wrong)?),
        Live::Paid => {
            let is_kept = desk.shared.demo.is_some() && found.refunds.is_empty();
            let is_streets = is_kept && street::seller(desk, paper).await?.is_some();
            let returnable = is_streets.then(|| paper.checkout.to_string());
            show(&PaidPage { returnable, ..paid_page(desk, found) })
        }
        Live::Expired => {
            let lead = fill(text.expired_lead, "moment", clock(paper.expiry));
            let back = paper.expiry.after(request::MARGIN);
            let more = Some(fill(text.expired_locked, "moment", clock(back)));
            show(&EndedPage {
                frame: frame(text.expired_title),
                lead: fill(&lead, "shop", shop),
                more,
            })
        }
        Live::Cancelled => {
            let lead = fill(text.cancelled_lead, "shop", shop);
            show(&EndedPage { frame: frame(text.cancelled_title), lead, more: None })
        }
    };
    Ok(private(page))
}

fn open_page(desk: &Desk, found: &Found, wrong: Option<String>) -> Result<OpenPage, Refusal> {
    let (text, paper) = (&ENGLISH.checkout, &found.paper);
    let request = request::of(&desk.shared, paper, &found.merchant.key)?;
    let frame = Frame::new(desk, found, paper.amount, text.pay_to);
    Ok(OpenPage {
        path: format!("/checkout/{}", paper.checkout),
        left: paper.expiry.seconds().saturating_sub(desk.now().seconds()),
        until: fill(text.until, "moment", clock(paper.expiry)),
        description: paper.description.as_str().to_owned(),
        qr: request::qr_svg(&request.creq_a, text.qr_label),
        wallet: desk.shared.wallet_link("pay", &request.creq_a),
        creq_short: request.creq_b,
        creq: request.creq_a,
        mint: request::mint_url(&desk.shared, paper.unit).unwrap_or_default(),
        paste_hint: fill(text.paste_hint, "amount", &frame.amount),
        wrong,
        frame,
    })
}

fn paid_page(desk: &Desk, found: &Found) -> PaidPage {
    let (text, paper) = (&ENGLISH.checkout, &found.paper);
    let frame = Frame::new(desk, found, paper.amount, text.paid_title);
    let shown = |refund: &RefundPaper| {
        let (said, url) = match refund.way {
            RefundWay::Blanks => (text.refund_blanks, None),
            RefundWay::Code => {
                let code = found.merchant.naming.refund_code(refund.id);
                (text.refund_code, Some(format!("/refund/{code}")))
            }
        };
        ShownRefund { said: fill(said, "amount", money(refund.amount, paper.unit)), url }
    };
    let lead = fill(text.paid_lead, "shop", &frame.shop);
    PaidPage {
        lead: fill(&lead, "amount", &frame.amount),
        description: paper.description.as_str().to_owned(),
        day: paper.paid.map(|day| day.to_string()),
        number: paper.number,
        reference: paper.reference.as_ref().map(Line::as_str).map(str::to_owned),
        refunds: found.refunds.iter().filter(|refund| refund.is_done).map(shown).collect(),
        returnable: None,
        frame,
    }
}

/// Search engines and pages that are linked to learn nothing of it.
fn private(mut page: Response) -> Response {
    let headers = page.headers_mut();
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    page
}

/// `2026-11-23 14:05`.
fn clock(moment: tacit_core::time::Timestamp) -> String {
    let seconds = moment.seconds() % 86_400;
    format!("{} {:02}:{:02}", moment.day(), seconds / 3600, seconds / 60 % 60)
}

#[derive(Serialize)]
struct StateTold {
    state: &'static str,
    left: u64,
}

/// `GET /checkout/{checkout}/state`: for the page's script.
async fn state(
    State(desk): State<Desk>,
    Path(checkout): Path<String>,
) -> Result<Json<StateTold>, Refusal> {
    let found = find(&desk, &checkout).await?;
    let live = live::of(&desk, &found.paper).await?;
    let left = found.paper.expiry.seconds().saturating_sub(desk.now().seconds());
    Ok(Json(StateTold { state: live.name(), left }))
}

#[derive(Deserialize)]
struct Pasted {
    token: String,
}

/// `POST /checkout/{checkout}/token`: redeems a token straight into the order.
async fn paste(
    State(desk): State<Desk>,
    Path(checkout): Path<String>,
    Form(pasted): Form<Pasted>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.checkout;
    let found = find(&desk, &checkout).await?;
    let Ok(token) = pasted.token.trim().parse::<Token>() else {
        return show_order(&desk, &found, Some(text.paste_form.to_owned())).await;
    };
    let (unit, order) = (found.paper.unit, found.paper.id);
    let mint = desk.shared.mint();
    let known: Vec<KeysetId> = mint
        .keysets()
        .iter()
        .filter(|keyset| keyset.record().spec.unit == unit)
        .map(|keyset| keyset.record().id)
        .collect();
    // What the token says of its mint is its sender's word: its keysets tell.
    let Ok(proofs) = token.resolve(&known) else {
        return show_order(&desk, &found, Some(text.paste_mint.to_owned())).await;
    };
    let payment = Payment { order, unit, proofs, blanks: Vec::new() };
    match pay(&desk.shared, payment).await.map_err(refused)? {
        Ok(()) => Ok(see(&format!("/checkout/{}", found.paper.checkout))),
        Err(why) => {
            let wrong = fill(text.paste_refused, "why", why);
            show_order(&desk, &found, Some(wrong)).await
        }
    }
}

async fn find_refund(desk: &Desk, code: &str) -> Result<(Found, RefundPaper), Refusal> {
    let code: RefundCode = code.parse().map_err(|_| Refusal::NotFound)?;
    desk.run(move |store| {
        let refund = store.refund_of_code(code.hash())?;
        let is_waiting = |refund: &RefundPaper| refund.is_done && refund.way == RefundWay::Code;
        let refund = refund.filter(is_waiting).ok_or(Refusal::NotFound)?;
        let paper = store.order_paper(refund.order)?.ok_or(Refusal::NotFound)?;
        let merchant = store.merchant(paper.merchant)?.ok_or(Refusal::NotFound)?;
        Ok((Found { paper, merchant, refunds: Vec::new() }, refund))
    })
    .await
}

/// `GET /refund/{code}`: asks first, for programs that look at links for their users would fetch it.
async fn refund_page(
    State(desk): State<Desk>,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    let (found, refund) = find_refund(&desk, &code).await?;
    Ok(show_refund(&desk, &found, &refund, None))
}

/// `POST /refund/{code}`.
async fn take_refund(
    State(desk): State<Desk>,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    let (found, refund) = find_refund(&desk, &code).await?;
    let token = refund::fetch(&desk, &found.paper, &refund).await?;
    Ok(show_refund(&desk, &found, &refund, Some(token.expose())))
}

fn show_refund(
    desk: &Desk,
    found: &Found,
    refund: &RefundPaper,
    token: Option<&String>,
) -> Response {
    let text = &ENGLISH.checkout;
    let frame = Frame::new(desk, found, refund.amount, text.refund_title);
    let lead = fill(text.refund_lead, "amount", &frame.amount);
    private(show(&RefundPage {
        lead: fill(&lead, "shop", &frame.shop),
        path: format!("/refund/{}", found.merchant.naming.refund_code(refund.id)),
        qr: token.and_then(|token| request::qr_svg(token, text.refund_label)),
        token: token.cloned(),
        receipt: format!("/checkout/{}", found.paper.checkout),
        frame,
    }))
}
