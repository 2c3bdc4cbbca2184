//! The counter: an amount, a large code, and the next customer.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tacit_core::hex;
use tacit_service::desk::paper::Line;

use super::sales::{self, nonce, state};
use super::{Shop, own};
use crate::desk::Desk;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{PersonLogin, SignedForm};
use crate::route::desk::see;
use crate::shop::live::{self, Live};
use crate::shop::order::{self, NewOrder, SECONDS};
use crate::shop::{amount_of, money, request};
use crate::text::{ENGLISH, fill};

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/merchant/pos", get(keypad).post(ring_up))
        .route("/merchant/pos/{order}", get(code))
}

#[derive(Template)]
#[template(path = "merchant/pos.html")]
struct KeypadPage {
    page: Page,
    label: String,
    keys: [&'static str; 12],
    nonce: String,
}

/// `GET /merchant/pos`.
async fn keypad(State(desk): State<Desk>, shop: Shop) -> Result<Response, Refusal> {
    let text = &ENGLISH.merchant;
    let unit = shop.merchant.unit;
    Ok(show(&KeypadPage {
        page: shop.page(&desk, "/merchant/pos", text.pos_title),
        label: fill(text.pos_amount, "unit", unit.code().to_uppercase()),
        keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9", ".", "0", "back"],
        nonce: nonce()?,
    }))
}

#[derive(Deserialize)]
struct Sale {
    amount: String,
    what: String,
    nonce: String,
}

/// `POST /merchant/pos`.
async fn ring_up(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Sale>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.merchant;
    let merchant = own(&desk, &signed.login).await?;
    let bad = || Refusal::Field(text.pos_bad.to_owned());
    let amount = amount_of(&signed.form.amount, merchant.unit).ok_or_else(bad)?;
    let what = match signed.form.what.trim() {
        "" => text.pos_default,
        what => what,
    };
    let description = Line::new(what);
    let description = description
        .map_err(|why| Refusal::Field(fill(ENGLISH.merchant_refusal.description, "why", why)))?;
    let key: [u8; 16] = hex::decode(&signed.form.nonce).map_err(|_| Refusal::Bad)?;
    let key = format!("pos:{}", hex::encode(&key));
    let asked = NewOrder { amount, description, reference: None, seconds: SECONDS };
    let paper = order::open(&desk, &merchant, &key, asked).await?;
    Ok(see(&format!("/merchant/pos/{}", paper.checkout)))
}

#[derive(Template)]
#[template(path = "merchant/pos_code.html")]
struct CodePage {
    page: Page,
    amount: String,
    description: String,
    live: &'static str,
    state: &'static str,
    qr: Option<String>,
    is_open: bool,
    is_paid: bool,
    path: String,
    cancel: String,
    checkout: String,
}

/// `GET /merchant/pos/{order}`.
async fn code(
    State(desk): State<Desk>,
    shop: Shop,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let paper = sales::find(&desk, shop.merchant.account, &id).await?;
    let live = live::of(&desk, &paper).await?;
    let request = request::of(&desk.shared, &paper, &shop.merchant.key)?;
    let qr = request::qr_svg(&request.creq_a, ENGLISH.checkout.qr_label);
    Ok(show(&CodePage {
        page: shop.page(&desk, "/merchant/pos", ENGLISH.merchant.pos_title),
        amount: money(paper.amount, paper.unit),
        description: paper.description.as_str().to_owned(),
        live: live.name(),
        state: state(&paper, live),
        qr: qr.filter(|_| live == Live::Open),
        is_open: live == Live::Open,
        is_paid: live == Live::Paid,
        path: format!("/checkout/{}/state", paper.checkout),
        cancel: format!("/merchant/orders/{}/cancel", paper.checkout),
        checkout: format!("/checkout/{}", paper.checkout),
    }))
}
