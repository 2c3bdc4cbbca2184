//! The street of a demonstration, as pages: nobody is logged in, and nothing is kept of who looks.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::hex;
use tacit_service::desk::paper::CheckoutId;

use super::{my_passport, see, verifier};
use crate::desk::Desk;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::random;
use crate::shop::request::qr_svg;
use crate::shop::{money, refund};
use crate::street::{self, Ware};
use crate::text::ENGLISH;

/// Where the street is.
pub(super) const PATH: &str = "/demo";
/// Where the lender's questions are.
const QUESTION: &str = "/demo/question";

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(shelf))
        .route("/demo/order", post(buy))
        .route("/demo/return", post(bring_back))
        .route("/demo/passport", post(passport))
        .route("/demo/contract", post(contract))
        .route(QUESTION, post(ask))
        .route("/demo/question/{ask}", get(question))
}

fn page(desk: &Desk, title: &str) -> Page {
    Page::new(desk, PATH, title)
}

#[derive(Template)]
#[template(path = "demo/street.html")]
struct StreetPage {
    page: Page,
    shop: &'static str,
    wares: Vec<Shown>,
    nonce: String,
}

/// Something on the shelf.
struct Shown {
    key: &'static str,
    name: &'static str,
    price: String,
}

/// `GET /demo`.
async fn shelf(State(desk): State<Desk>) -> Result<Response, Refusal> {
    let unit = street::unit(&desk)?;
    let shown = |ware: Ware| Shown {
        key: ware.key(),
        name: ware.name(),
        price: money(ware.price(unit), unit),
    };
    let nonce: [u8; 16] = random::bytes().map_err(|error| Refusal::internal(&error))?;
    Ok(show(&StreetPage {
        page: page(&desk, ENGLISH.street.title),
        shop: street::SHOP,
        wares: Ware::ALL.map(shown).into(),
        nonce: hex::encode(&nonce),
    }))
}

#[derive(Deserialize)]
struct Choice {
    ware: String,
    /// Drawn with the page, so that a second click makes no second order.
    nonce: String,
}

/// `POST /demo/order`: on to the checkout.
async fn buy(State(desk): State<Desk>, Form(choice): Form<Choice>) -> Result<Response, Refusal> {
    let ware = Ware::ALL.into_iter().find(|ware| ware.key() == choice.ware).ok_or(Refusal::Bad)?;
    let nonce: [u8; 16] = hex::decode(&choice.nonce).map_err(|_| Refusal::Bad)?;
    let key = format!("street:{}:{}", ware.key(), hex::encode(&nonce));
    let paper = street::sell(&desk, ware, &key).await?;
    Ok(see(&format!("/checkout/{}", paper.checkout)))
}

#[derive(Deserialize)]
struct Receipt {
    checkout: String,
}

/// `POST /demo/return`: all of it is given back, once.
async fn bring_back(
    State(desk): State<Desk>,
    Form(receipt): Form<Receipt>,
) -> Result<Response, Refusal> {
    let checkout: CheckoutId = receipt.checkout.parse().map_err(|_| Refusal::NotFound)?;
    let paper = desk.run(move |store| Ok(store.order_paper(checkout.order())?)).await?;
    let paper = paper.ok_or(Refusal::NotFound)?;
    let shop = street::seller(&desk, &paper).await?.ok_or(Refusal::NotFound)?;
    refund::refund(&desk, &shop, &paper, "street", paper.amount).await?;
    Ok(see(&format!("/checkout/{checkout}")))
}

#[derive(Template)]
#[template(path = "demo/code.html")]
struct CodePage {
    page: Page,
    lead: &'static str,
    link: String,
    qr: Option<String>,
    /// Into the web wallet, if there is one.
    wallet: Option<String>,
    /// The same at a command line.
    command: String,
}

/// `POST /demo/passport`: a code for a wallet.
async fn passport(State(desk): State<Desk>) -> Result<Response, Refusal> {
    let text = &ENGLISH.street;
    let code = street::visitor(&desk).await?;
    let link = my_passport::link(&desk, &code);
    Ok(show(&CodePage {
        page: page(&desk, text.passport_title),
        lead: text.passport_code,
        qr: qr_svg(&link, text.code_label),
        wallet: desk.shared.wallet_link("enrol", &link),
        command: format!("tacit passport enrol '{link}'"),
        link,
    }))
}

/// `POST /demo/contract`: a code for a wallet.
async fn contract(State(desk): State<Desk>) -> Result<Response, Refusal> {
    let text = &ENGLISH.street;
    let link = street::contract(&desk).await?;
    Ok(show(&CodePage {
        page: page(&desk, text.biller_title),
        lead: text.biller_code,
        qr: qr_svg(&link, text.code_label),
        wallet: desk.shared.wallet_link("bill", &link),
        command: format!("tacit passport bills add '{link}'"),
        link,
    }))
}

/// `POST /demo/question`.
async fn ask(State(desk): State<Desk>) -> Result<Response, Refusal> {
    let (id, _) = begin(&desk).await?;
    Ok(see(&format!("{QUESTION}/{id}")))
}

/// A question of the lender's: its name in paths, and the link that wallets answer.
///
/// # Errors
/// [`Refusal::Busy`] if as many are asked as may be, and as [`street::question`].
pub(crate) async fn begin(desk: &Desk) -> Result<(String, String), Refusal> {
    let (id, asked) = street::question(desk).await?;
    let link = verifier::put(desk, id, asked).ok_or(Refusal::Busy)?;
    Ok((hex::encode(&id), link))
}

/// Where the question of this name is.
pub(crate) fn question_page(desk: &Desk, id: &str) -> String {
    format!("{}{QUESTION}/{id}", desk.handle.origin)
}

/// `GET /demo/question/{ask}`: what is asked, and what was shown.
async fn question(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let lender = street::lender(&desk).await?;
    verifier::show_ask(&desk, page(&desk, ENGLISH.street.lender_title), lender.id, &id, PATH)
}
