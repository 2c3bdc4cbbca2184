//! The merchant's console: whoever is logged in and has a shop looks after it here.
//!
//! Reading order: this file (the shop and its overview), [`sales`] (orders and refunds), [`pos`] (the counter), [`contracts`] and [`bill_upload`] (bills month
//! by month), [`programs`] (keys
//! and webhooks).

mod bill_upload;
mod chart;
mod contracts;
mod pos;
mod programs;
mod sales;

use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::unit::Unit;
use tacit_ecash::point::PointBytes;
use tacit_service::account::{AccountId, HolderState};
use tacit_service::desk::merchant::{Merchant, NamingSecret};
use tacit_service::desk::paper::DaySales;
use tacit_service::desk::person::{Name, Person, PersonState};

use super::portal::SIGN_OUT;
use super::see;
use crate::cash::fees;
use crate::desk::Desk;
use crate::desk::page::{Item, Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{PersonLogin, SignedForm};
use crate::random;
use crate::shop::{merchant as shop, money, refused};
use crate::text::{ENGLISH, fill};

/// Days of the chart.
const DAYS: u64 = 30;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/merchant", get(home))
        .route("/merchant/register", post(register))
        .merge(sales::router())
        .merge(pos::router())
        .merge(contracts::router())
        .merge(bill_upload::router())
        .merge(programs::router())
}

/// Somebody with a shop is logged in.
struct Shop {
    merchant: Merchant,
    login: PersonLogin,
}

impl FromRequestParts<Desk> for Shop {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Response> {
        let login = PersonLogin::from_request_parts(parts, desk).await;
        let login = login.map_err(IntoResponse::into_response)?;
        match of(desk, &login.person).await.map_err(IntoResponse::into_response)? {
            Some(merchant) => Ok(Self { merchant, login }),
            None => Err(see("/merchant")),
        }
    }
}

impl Shop {
    fn page(&self, desk: &Desk, path: &'static str, title: &str) -> Page {
        page(desk, &self.login, path, title, true)
    }
}

/// The shop of somebody.
async fn of(desk: &Desk, person: &Person) -> Result<Option<Merchant>, Refusal> {
    let owner = person.id;
    desk.run(move |store| Ok(store.merchant_of(owner)?)).await
}

/// The shop of whoever sent a form.
async fn own(desk: &Desk, login: &PersonLogin) -> Result<Merchant, Refusal> {
    of(desk, &login.person).await?.ok_or(Refusal::NotFound)
}

fn page(desk: &Desk, login: &PersonLogin, path: &'static str, title: &str, has_shop: bool) -> Page {
    let mut page = Page::new(desk, path, title).seen_by_person(desk, login, SIGN_OUT);
    if has_shop {
        let text = &ENGLISH.merchant;
        let item = |path, name| Item { path, name, about: "" };
        page.menu = vec![
            item("/merchant", text.menu_home),
            item("/merchant/orders", text.menu_orders),
            item("/merchant/pos", text.menu_pos),
            item(contracts::PATH, ENGLISH.biller.menu),
            item("/merchant/keys", text.menu_keys),
            item("/merchant/webhooks", text.menu_webhooks),
        ];
    }
    page
}

/// What was just done, for the page that is shown after it.
#[derive(Deserialize)]
struct Asked {
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "merchant/register.html")]
struct RegisterPage {
    page: Page,
    units: Vec<String>,
}

#[derive(Template)]
#[template(path = "merchant/home.html")]
struct HomePage {
    page: Page,
    shop: String,
    account: String,
    balance: String,
    is_frozen: bool,
    today: String,
    today_orders: String,
    month: String,
    chart: Option<String>,
    has_fees: bool,
}

/// `GET /merchant`.
async fn home(
    State(desk): State<Desk>,
    login: PersonLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.merchant;
    let Some(merchant) = of(&desk, &login.person).await? else {
        let units = desk.shared.config.units.iter();
        let units = units.map(|terms| terms.unit.code().to_owned()).collect();
        let page = page(&desk, &login, "/merchant", text.register_title, false);
        return Ok(show(&RegisterPage { page, units }));
    };
    let (account, unit) = (merchant.account, merchant.unit);
    let today = desk.now().day();
    let from = tacit_core::time::Day::from_number(today.number().saturating_sub(DAYS - 1));
    let sales = desk.run(move |store| Ok(store.sales(account, from)?)).await?;
    let asked_vault = desk
        .shared
        .ask(move |reader| Ok((reader.holder(account)?, reader.purse(account, unit)?.balance)));
    let (holder, balance) = asked_vault.await.map_err(refused)?;
    let notice = (asked.done.as_deref() == Some("registered")).then_some(text.registered);
    let page = page(&desk, &login, "/merchant", text.title, true).with_notice(notice);
    let of_today = sales.iter().find(|sales| sales.day == today);
    let sum: u64 = sales.iter().map(|sales| sales.paid).sum();
    Ok(show(&HomePage {
        page,
        shop: merchant.name.as_str().to_owned(),
        account: account.to_string(),
        balance: money(balance.credits.saturating_sub(balance.debits), unit),
        is_frozen: holder.is_some_and(|holder| holder.state != HolderState::Open),
        today: money(of_today.map_or(0, |sales| sales.paid), unit),
        today_orders: fill(text.today_orders, "count", of_today.map_or(0, |sales| sales.orders)),
        month: money(sum, unit),
        chart: chart_of(&sales, from, unit),
        has_fees: !fees(&desk.shared, unit).are_none(),
    }))
}

fn chart_of(sales: &[DaySales], from: tacit_core::time::Day, unit: Unit) -> Option<String> {
    (!sales.is_empty()).then(|| chart::svg(sales, from, DAYS, unit))
}

#[derive(Deserialize)]
struct Newcomer {
    name: String,
    unit: String,
    key: String,
}

#[derive(Template)]
#[template(path = "merchant/key_pair.html")]
struct KeyPairPage {
    page: Page,
    secret: String,
    public: String,
}

/// `POST /merchant/register`.
async fn register(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Newcomer>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.merchant_refusal;
    let (login, form) = (signed.login, signed.form);
    if login.person.state != PersonState::Open {
        return Err(Refusal::Field(ENGLISH.money.approve_frozen.to_owned()));
    }
    let name = Name::new(&form.name);
    let name = name.map_err(|why| Refusal::Field(fill(text.shop_name, "why", why)))?;
    let unit = desk.shared.config.units.iter().map(|terms| terms.unit);
    let unit = unit.clone().find(|unit| unit.code() == form.unit);
    let unit = unit.ok_or_else(|| Refusal::Field(text.currency.to_owned()))?;
    let (key, secret) = match form.key.trim() {
        "" => {
            let (key, secret) = shop::new_key()?;
            (key, Some(secret))
        }
        text => (given_key(text)?, None),
    };
    let random = || random::bytes::<32>().map_err(|error| Refusal::internal(&error));
    let number = random::bytes().map_err(|error| Refusal::internal(&error))?;
    let merchant = Merchant {
        account: AccountId::from_random(number),
        name,
        owner: login.person.id,
        unit,
        key,
        naming: NamingSecret::new(random()?),
        webhook: None,
        webhook_secret: Secret::new(random()?),
        opened: desk.now().day(),
        is_in_vault: false,
    };
    shop::register(&desk, merchant).await?;
    match secret {
        None => Ok(see("/merchant?done=registered")),
        // Shown once, here, and kept nowhere.
        Some(secret) => {
            let page = page(&desk, &login, "/merchant", ENGLISH.merchant.key_title, true);
            let secret = hex::encode(secret.expose());
            Ok(show(&KeyPairPage { page, secret, public: key.to_string() }))
        }
    }
}

fn given_key(text: &str) -> Result<PointBytes, Refusal> {
    let bad = || Refusal::Field(ENGLISH.merchant_refusal.public_key.to_owned());
    let key: PointBytes = text.to_ascii_lowercase().parse().map_err(|_| bad())?;
    key.parse().map_err(|_| bad())?;
    Ok(key)
}
