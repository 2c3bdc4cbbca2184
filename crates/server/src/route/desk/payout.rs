//! Money of an account to a bank: asked for in the portal, for one's own account or one's shop.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tacit_bank::iban::BankAccount;
use tacit_core::hex;
use tacit_core::unit::Unit;
use tacit_service::account::{AccountId, Direction, HolderState};
use tacit_service::desk::payout::{Asker, Payout, PayoutState};
use tacit_service::desk::person::Iban;
use tacit_service::posting::{self, FactId};

use super::operator::payouts::order_wrong;
use super::{new_id, portal, see};
use crate::bank::order::{self, OrderError, Wanted};
use crate::cash::fees;
use crate::desk::Desk;
use crate::desk::money::ask;
use crate::desk::page::{Page, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{PersonLogin, SignedForm};
use crate::shop::{amount_of, money};
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/portal/payout";

/// Payouts that are shown.
const SHOWN: u32 = 50;

/// Prefix of what a payout's name is made of.
const DOMAIN: &[u8] = b"tacit/desk/payout/v1";

pub(super) fn router() -> Router<Desk> {
    Router::new().route(PATH, get(look).post(pay_out))
}

/// A payout in a table.
struct Row {
    day: String,
    iban: String,
    state: &'static str,
    amount: String,
}

/// An account that money can be paid out of.
struct Source {
    id: String,
    said: String,
    is_chosen: bool,
}

/// The form, as far as it can be filled in.
struct Form {
    iban: String,
    sources: Vec<Source>,
    left: Option<String>,
    /// What it costs, if anything.
    fee: Option<String>,
    amount: String,
    nonce: String,
}

#[derive(Template)]
#[template(path = "portal/payout.html")]
struct PayoutPage {
    page: Page,
    wrong: Option<String>,
    has_euro: bool,
    form: Option<Form>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Asked {
    done: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    from: String,
    amount: String,
    nonce: String,
}

/// An account of whoever is logged in, as far as money may go out.
struct Own {
    id: AccountId,
    /// Of the shop, or of the agent whose float it is; `None` for the person's own account.
    shop: Option<String>,
    state: Option<HolderState>,
    held: u64,
    /// Minor units that may go out yet; `None` if there is no limit.
    left: Option<u64>,
}

/// `GET /portal/payout`.
async fn look(
    State(desk): State<Desk>,
    login: PersonLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let notice = (asked.done.as_deref() == Some("asked")).then_some(ENGLISH.payout.done);
    show_page(&desk, &login, Typed::default(), notice, None).await
}

/// The currency that is paid out, if the operator has an account for it: orders to banks are in euros.
fn euros(desk: &Desk) -> Option<Unit> {
    let shared = &desk.shared;
    let terms = shared.config.units.iter().find(|terms| terms.unit.code() == "eur")?;
    let has_iban =
        terms.bank.as_ref().is_some_and(|bank| matches!(bank.account, BankAccount::Iban(_)));
    (has_iban && shared.config.bank_name.is_some()).then_some(terms.unit)
}

async fn show_page(
    desk: &Desk,
    login: &PersonLogin,
    typed: Typed,
    notice: Option<&str>,
    wrong: Option<String>,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.payout;
    let unit = euros(desk);
    let own = match unit {
        Some(unit) => accounts(desk, login, unit).await?,
        None => Vec::new(),
    };
    let mut rows = Vec::new();
    for account in &own {
        rows.extend(payouts(desk, account.id).await?);
    }
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let fee = unit.map_or(0, |unit| fees(&desk.shared, unit).payout);
    let form = unit.zip(login.person.iban.as_ref());
    let form = form.map(|(unit, iban)| self::form(&own, unit, iban, fee, typed));
    Ok(show_with(
        status,
        &PayoutPage {
            page: portal::page(desk, login, PATH, text.title).with_notice(notice),
            wrong,
            has_euro: unit.is_some(),
            form: form.transpose()?,
            rows,
        },
    ))
}

fn form(own: &[Own], unit: Unit, iban: &Iban, fee: u64, typed: Typed) -> Result<Form, Refusal> {
    let text = &ENGLISH.payout;
    let source = |account: &Own| {
        let held = money(account.held, unit);
        let said = match &account.shop {
            Some(shop) => fill(&fill(text.from_shop, "amount", held), "shop", shop),
            None => fill(text.from_own, "amount", held),
        };
        let id = account.id.to_string();
        Source { is_chosen: id == typed.from, id, said }
    };
    let nonce = if typed.nonce.is_empty() { hex::encode(&new_id()?) } else { typed.nonce };
    let first = own.first().and_then(|account| account.left);
    Ok(Form {
        iban: iban.grouped(),
        sources: own.iter().map(source).collect(),
        left: first.map(|left| fill(text.left, "amount", money(left, unit))),
        fee: (fee > 0).then(|| fill(text.fee, "fee", money(fee, unit))),
        amount: typed.amount,
        nonce,
    })
}

/// The accounts of whoever is logged in: their own, their shop's and their float as an agent, if they are in that currency.
async fn accounts(desk: &Desk, login: &PersonLogin, unit: Unit) -> Result<Vec<Own>, Refusal> {
    let owner = login.person.id;
    let (shop, agent) =
        desk.run(move |store| Ok((store.merchant_of(owner)?, store.agent_of(owner)?))).await?;
    let shop = shop.filter(|shop| shop.unit == unit);
    let agent = agent.filter(|agent| agent.unit == unit);
    let mut ids = vec![(login.person.account, None)];
    ids.extend(agent.map(|agent| (agent.account, Some(agent.name.as_str().to_owned()))));
    ids.extend(shop.map(|shop| (shop.account, Some(shop.name.as_str().to_owned()))));
    let mut own = Vec::new();
    for (id, shop) in ids {
        let asked =
            ask(&desk.shared, move |reader| Ok((reader.holder(id)?, reader.purse(id, unit)?)));
        let (holder, purse) = asked.await?;
        let usage = purse.usage.at(desk.now());
        let level = holder.as_ref().map(|holder| holder.level).unwrap_or_default();
        let left = desk.shared.config.limits(unit, Direction::Out, level).map(|limits| {
            let of_day = limits.day.saturating_sub(usage.out_day);
            of_day.min(limits.month.saturating_sub(usage.out_month))
        });
        let (state, held) = (holder.map(|holder| holder.state), purse.balance.owed()?);
        own.push(Own { id, shop, state, held, left });
    }
    Ok(own)
}

async fn payouts(desk: &Desk, account: AccountId) -> Result<Vec<Row>, Refusal> {
    let all = desk.run(move |store| Ok(store.payouts_asked(account, SHOWN)?)).await?;
    ask(&desk.shared, move |reader| {
        let mut rows = Vec::new();
        for payout in all {
            let is_paid = payout.state == PayoutState::Ordered
                && reader.transfer(posting::ended(payout.id))?.is_some();
            rows.push(row(&payout, is_paid));
        }
        Ok(rows)
    })
    .await
}

fn row(payout: &Payout, is_paid: bool) -> Row {
    let text = &ENGLISH.payout;
    let iban = Iban::new(&payout.iban);
    Row {
        day: payout.asked.to_string(),
        iban: iban.map_or_else(|_| payout.iban.clone(), |iban| iban.grouped()),
        state: match payout.state {
            PayoutState::Asked | PayoutState::Releasing => text.state_asked,
            PayoutState::Held => text.state_held,
            PayoutState::Refused => text.state_refused,
            PayoutState::Rejecting | PayoutState::Rejected => text.state_rejected,
            PayoutState::Ordered if is_paid => text.state_paid,
            PayoutState::Ordered => text.state_ordered,
        },
        amount: money(payout.amount, payout.unit),
    }
}

/// `POST /portal/payout`. Sent twice, it is one payout.
async fn pay_out(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Typed>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    let wrong = match try_to(&desk, &login, &form).await? {
        None => return Ok(see(&format!("{PATH}?done=asked"))),
        Some(wrong) => wrong,
    };
    show_page(&desk, &login, form, None, Some(wrong)).await
}

/// Asks for a payout; returns why not, if not.
async fn try_to(desk: &Desk, login: &PersonLogin, form: &Typed) -> Result<Option<String>, Refusal> {
    let text = &ENGLISH.payout;
    let Some(unit) = euros(desk) else { return Ok(Some(text.no_euro.to_owned())) };
    let Some(iban) = &login.person.iban else { return Ok(Some(text.no_iban.to_owned())) };
    let own = accounts(desk, login, unit).await?;
    let chosen = own.iter().find(|account| account.id.to_string() == form.from);
    let chosen = chosen.or(own.first().filter(|_| form.from.is_empty())).ok_or(Refusal::Bad)?;
    let nonce: FactId = form.nonce.parse().map_err(|_| Refusal::Bad)?;
    let id = name(chosen.id, nonce);
    // A second click: what the first did stands in the list.
    if desk.run(move |store| Ok(store.payout(id)?)).await?.is_some() {
        return Ok(None);
    }
    let Some(amount) = amount_of(&form.amount, unit) else {
        return Ok(Some(text.wrong_amount.to_owned()));
    };
    let fee = fees(&desk.shared, unit).payout;
    if let Some(wrong) = not_now(chosen, (amount, fee), unit) {
        return Ok(Some(wrong));
    }
    let payee = chosen.shop.clone().unwrap_or_else(|| login.person.name.as_str().to_owned());
    let wanted = Wanted {
        account: chosen.id.to_string(),
        name: payee,
        iban: iban.as_str().to_owned(),
        unit: unit.code().to_owned(),
        amount,
        text: text.bank_text.to_owned(),
    };
    match order::ask_for(&desk.shared, id, Asker::Holder, &wanted).await {
        Ok(PayoutState::Refused) => Ok(Some(text.wrong_held.to_owned())),
        Ok(_) => Ok(None),
        Err(OrderError::Store(error)) => Err(error.into()),
        Err(error) => Ok(Some(order_wrong(&error))),
    }
}

/// Why the vault would not hold it, as far as that is known beforehand.
fn not_now(account: &Own, (amount, fee): (u64, u64), unit: Unit) -> Option<String> {
    let text = &ENGLISH.payout;
    match account.state {
        None => return Some(text.wrong_opening.to_owned()),
        Some(HolderState::Frozen | HolderState::Closed) => {
            return Some(text.wrong_frozen.to_owned());
        }
        Some(HolderState::Open) => {}
    }
    if account.held < amount.saturating_add(fee) {
        return Some(fill(text.wrong_poor, "amount", money(account.held, unit)));
    }
    let left = account.left.filter(|left| *left < amount)?;
    let left = fill(text.left, "amount", money(left, unit));
    Some(fill(text.wrong_day, "left", left))
}

/// A payout's name, which follows from the form that was sent, so that nobody can send one of somebody else's.
fn name(account: AccountId, nonce: FactId) -> FactId {
    let hash = Sha256::new_with_prefix(DOMAIN).chain_update(account.to_string());
    let hash = hash.chain_update(nonce.as_bytes()).finalize();
    let mut name = [0; 16];
    name.copy_from_slice(&hash[..16]);
    FactId::from_bytes(name)
}
