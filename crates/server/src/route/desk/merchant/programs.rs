//! What a shop's programs need: keys for the API, and webhooks.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::hex;
use tacit_core::time::Day;
use tacit_service::desk::login::Label;
use tacit_service::desk::merchant::{ApiKey, ApiKeyHash, ApiKeyText, Scope, Scopes};
use tacit_service::desk::webhook::{Delivery, DeliveryState};
use tacit_service::order::EventId;

use super::{Asked, Shop, own, page};
use crate::desk::Desk;
use crate::desk::page::{Page, show};
use crate::desk::refusal::Refusal;
use crate::desk::session::{PersonLogin, SignedForm};
use crate::random;
use crate::route::desk::see;
use crate::shop::hook_url::{HookUrl, Reach};
use crate::shop::money;
use crate::shop::refusal::ShopRefusal;
use crate::text::{ENGLISH, fill};

/// Days a key may last.
const DAYS_MAX: u64 = 730;

/// Deliveries on one page.
const DELIVERIES: u32 = 100;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/merchant/keys", get(keys).post(add_key))
        .route("/merchant/keys/revoke", post(revoke))
        .route("/merchant/webhooks", get(webhooks).post(set_webhook))
        .route("/merchant/webhooks/again", post(again))
}

struct ShownKey {
    hash: String,
    label: String,
    scopes: String,
    until: String,
}

#[derive(Template)]
#[template(path = "merchant/keys.html")]
struct KeysPage {
    page: Page,
    keys: Vec<ShownKey>,
}

/// `GET /merchant/keys`.
async fn keys(
    State(desk): State<Desk>,
    shop: Shop,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.merchant;
    let account = shop.merchant.account;
    let known = desk.run(move |store| Ok(store.api_keys(account)?)).await?;
    let shown = |key: &ApiKey| ShownKey {
        hash: hex::encode(&key.hash.bytes()),
        label: key.label.as_str().to_owned(),
        scopes: key.scopes.to_string(),
        until: fill(text.key_until, "day", key.expires),
    };
    let notice = (asked.done.as_deref() == Some("revoked")).then_some(text.key_revoked);
    Ok(show(&KeysPage {
        page: shop.page(&desk, "/merchant/keys", text.keys_title).with_notice(notice),
        keys: known.iter().map(shown).collect(),
    }))
}

#[derive(Deserialize)]
struct KeyAsked {
    label: String,
    days: u64,
    #[serde(default)]
    read: Option<String>,
    #[serde(default)]
    write: Option<String>,
    #[serde(default)]
    refund: Option<String>,
    #[serde(default)]
    bills_read: Option<String>,
    #[serde(default)]
    bills_write: Option<String>,
}

#[derive(Template)]
#[template(path = "merchant/key.html")]
struct KeyPage {
    page: Page,
    key: String,
}

/// `POST /merchant/keys`.
async fn add_key(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, KeyAsked>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.merchant;
    let merchant = own(&desk, &signed.login).await?;
    let form = signed.form;
    let bad = || Refusal::Field(text.key_bad.to_owned());
    let asked = [
        form.read.map(|_| Scope::ReadOrders),
        form.write.map(|_| Scope::WriteOrders),
        form.refund.map(|_| Scope::WriteRefunds),
        form.bills_read.map(|_| Scope::ReadBills),
        form.bills_write.map(|_| Scope::WriteBills),
    ];
    let scopes: Vec<Scope> = asked.into_iter().flatten().collect();
    let scopes = Scopes::new(&scopes).ok_or_else(bad)?;
    let label = Label::new(&form.label).map_err(|_| bad())?;
    if !(1..=DAYS_MAX).contains(&form.days) {
        return Err(bad());
    }
    let random = random::bytes().map_err(|error| Refusal::internal(&error))?;
    let key = ApiKeyText::from_random(random);
    let today = desk.now().day();
    let kept = ApiKey {
        hash: key.hash(),
        merchant: merchant.account,
        label,
        scopes,
        added: today,
        expires: Day::from_number(today.number() + form.days),
        is_revoked: false,
    };
    if !desk.run(move |store| Ok(store.add_api_key(&kept)?)).await? {
        return Err(ShopRefusal::KeysFull.into());
    }
    // Shown once, here, and kept as a hash.
    let page = page(&desk, &signed.login, "/merchant/keys", text.key_new_title, true);
    Ok(show(&KeyPage { page, key: key.reveal() }))
}

#[derive(Deserialize)]
struct Which {
    id: String,
}

/// `POST /merchant/keys/revoke`.
async fn revoke(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Which>,
) -> Result<Response, Refusal> {
    let account = own(&desk, &signed.login).await?.account;
    let hash = hex::decode(&signed.form.id).map_err(|_| Refusal::Bad)?;
    let hash = ApiKeyHash::from_bytes(hash);
    if !desk.run(move |store| Ok(store.revoke_api_key(account, hash)?)).await? {
        return Err(Refusal::NotFound);
    }
    Ok(see("/merchant/keys?done=revoked"))
}

struct ShownDelivery {
    event: String,
    kind: &'static str,
    order: String,
    amount: String,
    day: String,
    attempts: u32,
    state: &'static str,
    last: String,
}

#[derive(Template)]
#[template(path = "merchant/webhooks.html")]
struct WebhooksPage {
    page: Page,
    url: String,
    secret: String,
    deliveries: Vec<ShownDelivery>,
    older: Option<String>,
}

#[derive(Deserialize)]
struct Log {
    done: Option<String>,
    #[serde(default)]
    older: u32,
}

/// `GET /merchant/webhooks`.
async fn webhooks(
    State(desk): State<Desk>,
    shop: Shop,
    Query(asked): Query<Log>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.merchant;
    let (account, unit) = (shop.merchant.account, shop.merchant.unit);
    let skip = u64::from(asked.older) * u64::from(DELIVERIES);
    let known = desk.run(move |store| Ok(store.deliveries(account, skip, DELIVERIES + 1)?));
    let mut known = known.await?;
    let is_cut = DELIVERIES < u32::try_from(known.len()).unwrap_or(u32::MAX);
    known.truncate(DELIVERIES as usize);
    let shown = |(delivery, number): &(Delivery, Option<u64>)| ShownDelivery {
        event: hex::encode(delivery.event.as_bytes()),
        kind: delivery.kind.name(),
        order: number.map(|number| number.to_string()).unwrap_or_default(),
        amount: money(delivery.amount, unit),
        day: delivery.day.to_string(),
        attempts: delivery.attempts,
        state: match delivery.state {
            DeliveryState::Waiting => text.waiting,
            DeliveryState::Arrived => text.arrived,
            DeliveryState::GivenUp => text.given_up,
        },
        last: delivery.last.clone().unwrap_or_default(),
    };
    let notice = match asked.done.as_deref() {
        Some("saved") => Some(text.hook_saved),
        Some("again") => Some(text.sent_again),
        _ => None,
    };
    Ok(show(&WebhooksPage {
        page: shop.page(&desk, "/merchant/webhooks", text.hooks_title).with_notice(notice),
        url: shop.merchant.webhook.clone().unwrap_or_default(),
        secret: hex::encode(shop.merchant.webhook_secret.expose()),
        deliveries: known.iter().map(shown).collect(),
        older: is_cut
            .then(|| format!("/merchant/webhooks?older={}", asked.older.saturating_add(1))),
    }))
}

#[derive(Deserialize)]
struct HookAsked {
    url: String,
}

/// `POST /merchant/webhooks`.
async fn set_webhook(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, HookAsked>,
) -> Result<Response, Refusal> {
    let account = own(&desk, &signed.login).await?.account;
    let url = match signed.form.url.trim() {
        "" => None,
        text => {
            let url = text.parse::<HookUrl>();
            let url = url.and_then(|url| url.allowed(&Reach::of(&desk.shared.config)));
            let bad = |why| Refusal::Field(fill(ENGLISH.merchant.hook_bad, "why", why));
            Some(url.map_err(bad)?)
        }
    };
    let set =
        desk.run(move |store| Ok(store.set_webhook(account, url.as_ref().map(HookUrl::as_str))?));
    set.await?;
    Ok(see("/merchant/webhooks?done=saved"))
}

/// `POST /merchant/webhooks/again`.
async fn again(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Which>,
) -> Result<Response, Refusal> {
    let account = own(&desk, &signed.login).await?.account;
    let event = hex::decode(&signed.form.id).map_err(|_| Refusal::Bad)?;
    let event = EventId::from_bytes(event);
    if !desk.run(move |store| Ok(store.send_again(account, event)?)).await? {
        return Err(Refusal::NotFound);
    }
    Ok(see("/merchant/webhooks?done=again"))
}
