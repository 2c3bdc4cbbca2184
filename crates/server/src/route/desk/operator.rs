//! The operator's console: what staff may see and do follows from their role, in one table.

mod agents;
mod billers;
mod bookings;
mod complaints;
mod exceptions;
mod identification;
mod judging;
mod logins;
pub(super) mod paging;
mod payout;
pub(super) mod payouts;
mod people;
mod person;
mod reconciliation;
mod resolve;
mod screening;
mod second;
mod serving;
mod statements;
mod verifiers;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_service::desk::staff::{Permission, Role, Staff, StaffId};
use tacit_service::desk::{DeskStore, OwnerKind, trail};
use tacit_service::vault::StoreError;

use super::passkeys::{self, Named, Passkeys, Which};
use super::portal::SignInPage;
use super::{enter, leave, see, staff};
use crate::desk::page::{Item, Page, PasskeyForm, show, utc};
use crate::desk::passkey::{Created, Question, Used};
use crate::desk::refusal::Refusal;
use crate::desk::session::{Empty, Login, ScriptJson, SignedForm, SignedJson, StaffLogin};
use crate::desk::{Desk, DeskHandle};
use crate::shop::money;
use crate::text::{ENGLISH, fill};

/// Where staff log out.
const SIGN_OUT: &str = "/operator/sign-out";

/// For how long what was read of the trail is not read again, but its last entry.
const WHOLE_TRAIL: Duration = Duration::from_secs(3600);

/// Entries of the trail on one page.
const ENTRIES: u64 = 50;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/operator", get(home))
        .route("/operator/sign-in", get(sign_in))
        .route("/operator/sign-in/begin", post(begin_sign_in))
        .route("/operator/sign-in/finish", post(finish_sign_in))
        .route(SIGN_OUT, post(sign_out))
        .route("/operator/passkeys", get(own_passkeys))
        .route("/operator/passkeys/begin", post(begin_add))
        .route("/operator/passkeys/finish", post(finish_add))
        .route("/operator/passkeys/remove", post(remove))
        .route("/operator/trail", get(show_trail))
        .merge(people::router())
        .merge(bookings::router())
        .merge(second::router())
        .merge(payouts::router())
        .merge(statements::router())
        .merge(reconciliation::router())
        .merge(exceptions::router())
        .merge(serving::router())
        .merge(logins::router())
        .merge(identification::router())
        .merge(screening::router())
        .merge(complaints::router())
        .merge(agents::router())
        .merge(verifiers::router())
        .merge(billers::router())
}

/// Pages of the console, and what is needed to see each: `None` if everybody who works here may.
fn pages() -> [(Option<Permission>, Item); 15] {
    let (text, finance) = (&ENGLISH.operator, &ENGLISH.finance);
    let item = |path, name, about| Item { path, name, about };
    let (people, agents) = (&ENGLISH.people, &ENGLISH.agent);
    [
        (Some(Permission::SeePeople), item(people::PATH, people.menu, people.menu_about)),
        (
            Some(Permission::SeePeople),
            item(identification::PATH, people.cases_menu, people.cases_about),
        ),
        (
            Some(Permission::SeeSuspicions),
            item(screening::PATH, ENGLISH.screening.menu, ENGLISH.screening.menu_about),
        ),
        (
            Some(Permission::SeePeople),
            item(complaints::PATH, ENGLISH.complaints.menu, ENGLISH.complaints.menu_about),
        ),
        (
            Some(Permission::SeeMoney),
            item(bookings::PATH, finance.menu_bookings, finance.menu_bookings_about),
        ),
        (
            Some(Permission::SeeMoney),
            item(payouts::PATH, finance.menu_payouts, finance.menu_payouts_about),
        ),
        (
            Some(Permission::SeeMoney),
            item(statements::PATH, finance.menu_statements, finance.menu_statements_about),
        ),
        (
            Some(Permission::SeeMoney),
            item(
                reconciliation::PATH,
                finance.menu_reconciliation,
                finance.menu_reconciliation_about,
            ),
        ),
        (
            Some(Permission::SeeMoney),
            item(exceptions::PATH, finance.menu_exceptions, finance.menu_exceptions_about),
        ),
        (Some(Permission::SeeAgents), item(agents::PATH, agents.staff_menu, agents.staff_about)),
        (
            Some(Permission::SeeVerifiers),
            item(verifiers::PATH, ENGLISH.verifier.staff_menu, ENGLISH.verifier.staff_about),
        ),
        (
            Some(Permission::SeeMerchants),
            item(billers::PATH, ENGLISH.biller.staff_menu, ENGLISH.biller.staff_about),
        ),
        (Some(Permission::SeeStaff), item(staff::PATH, text.menu_staff, text.menu_staff_about)),
        (
            Some(Permission::SeeTrail),
            item("/operator/trail", text.menu_trail, text.menu_trail_about),
        ),
        (None, item("/operator/passkeys", text.menu_passkeys, text.menu_passkeys_about)),
    ]
}

/// An amount that may lie below zero, as people read it.
fn signed(amount: i64, unit: Unit) -> String {
    let sign = if amount < 0 { "\u{2212}" } else { "" };
    format!("{sign}{}", money(amount.unsigned_abs(), unit))
}

/// Those that a role may see.
fn items(role: Role) -> Vec<Item> {
    let may = |permission: &Option<Permission>| permission.is_none_or(|needed| role.may(needed));
    pages().into_iter().filter(|(needed, _)| may(needed)).map(|(_, item)| item).collect()
}

/// A page of the console, for whoever is logged in.
pub(super) fn page(desk: &Desk, login: &StaffLogin, path: &'static str, title: &str) -> Page {
    let mut page =
        Page::new(desk, path, title).seen_by(login.staff.name.as_str(), &login.key, SIGN_OUT);
    let text = &ENGLISH.operator;
    page.menu = vec![Item { path: "/operator", name: text.menu_home, about: "" }];
    page.menu.extend(items(login.staff.role));
    page
}

#[derive(Template)]
#[template(path = "operator/home.html")]
struct Home {
    page: Page,
    lead: String,
    items: Vec<Item>,
}

/// `GET /operator`.
async fn home(State(desk): State<Desk>, login: StaffLogin) -> Response {
    let text = &ENGLISH.operator;
    let page = page(&desk, &login, "/operator", text.home_title);
    let role = login.staff.role;
    show(&Home { page, lead: fill(text.home_lead, "role", role.name()), items: items(role) })
}

/// `GET /operator/sign-in`.
async fn sign_in(State(desk): State<Desk>) -> Response {
    let text = &ENGLISH.operator;
    let page = Page::new(&desk, "/operator/sign-in", text.sign_in_title).with_script();
    let form = PasskeyForm { what: "get", path: "/operator/sign-in", token: String::new() };
    show(&SignInPage { page, lead: text.sign_in_lead, form, is_portal: false })
}

/// `POST /operator/sign-in/begin`.
async fn begin_sign_in(
    State(desk): State<Desk>,
    ScriptJson(Empty {}): ScriptJson<Empty>,
) -> Result<Json<Question>, Refusal> {
    passkeys::begin_sign_in(&desk, OwnerKind::Staff).map(Json)
}

/// `POST /operator/sign-in/finish`.
async fn finish_sign_in(
    State(desk): State<Desk>,
    ScriptJson(answer): ScriptJson<Used>,
) -> Result<Response, Refusal> {
    let key = passkeys::finish_sign_in(&desk, OwnerKind::Staff, answer).await?;
    Ok(enter(&desk, OwnerKind::Staff, &key))
}

/// `POST /operator/sign-out`: everywhere, for a console that was left open elsewhere is nobody's.
async fn sign_out(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Empty>,
) -> Result<Response, Refusal> {
    let owner = signed.login.owner();
    desk.run(move |store| Ok(store.log_out_everywhere(owner)?)).await?;
    Ok(leave(OwnerKind::Staff, &desk))
}

#[derive(Template)]
#[template(path = "operator/passkeys.html")]
struct PasskeysPage {
    page: Page,
    passkeys: Passkeys,
    form: PasskeyForm,
}

/// `GET /operator/passkeys`.
async fn own_passkeys(State(desk): State<Desk>, login: StaffLogin) -> Result<Response, Refusal> {
    let owner = login.owner();
    let keys = desk.run(move |store| Ok(store.passkeys(owner)?)).await?;
    let path = "/operator/passkeys";
    let page = page(&desk, &login, path, ENGLISH.operator.passkeys_title).with_script();
    let form = PasskeyForm { what: "create", path, token: page.form_token() };
    Ok(show(&PasskeysPage { passkeys: Passkeys::of(keys, path), form, page }))
}

/// `POST /operator/passkeys/begin`.
async fn begin_add(
    State(desk): State<Desk>,
    signed: SignedJson<StaffLogin, Named>,
) -> Result<Json<Question>, Refusal> {
    let name = &signed.login.staff.name;
    passkeys::begin_add(&desk, &signed.login, name, &signed.body).await.map(Json)
}

/// `POST /operator/passkeys/finish`.
async fn finish_add(
    State(desk): State<Desk>,
    signed: SignedJson<StaffLogin, Created>,
) -> Result<Response, Refusal> {
    passkeys::finish_add(&desk, &signed.login, signed.body).await?;
    Ok(Json(serde_json::json!({ "next": "/operator/passkeys" })).into_response())
}

/// `POST /operator/passkeys/remove`.
async fn remove(
    State(desk): State<Desk>,
    signed: SignedForm<StaffLogin, Which>,
) -> Result<Response, Refusal> {
    passkeys::remove(&desk, &signed.login, &signed.form).await?;
    Ok(see("/operator/passkeys"))
}

#[derive(Template)]
#[template(path = "operator/trail.html")]
struct TrailPage {
    page: Page,
    lead: String,
    is_sound: bool,
    verdict: String,
    entries: Vec<EntryRow>,
    /// Where older entries begin.
    older: Option<u64>,
    /// Whether there are newer ones than these.
    is_older: bool,
}

struct EntryRow {
    number: u64,
    moment: String,
    staff: String,
    action: String,
    subject: String,
    detail: String,
}

#[derive(Deserialize)]
struct Older {
    before: Option<u64>,
}

/// What a member of staff is called, if they are among these.
fn name_of(staff: &[Staff], id: StaffId) -> Option<&str> {
    staff.iter().find(|staff| staff.id == id).map(|staff| staff.name.as_str())
}

/// Whoever that is, also if they are gone.
fn called(staff: &[Staff], id: StaffId) -> String {
    name_of(staff, id).map_or_else(|| id.to_string(), str::to_owned)
}

/// Holds what was written since the last look against the rules, and now and then all of it.
fn check_trail(
    handle: &DeskHandle,
    store: &mut dyn DeskStore,
    now: Timestamp,
) -> Result<Result<trail::Head, trail::Break>, StoreError> {
    let known = *handle.checked.lock().unwrap_or_else(PoisonError::into_inner);
    let (known, whole) = known.unwrap_or((trail::Head::EMPTY, now));
    let is_due = whole.after(WHOLE_TRAIL).seconds() <= now.seconds();
    let mut checked = trail::check_on(store, known)?;
    if is_due && checked.is_ok() {
        checked = trail::check(store)?;
    }
    // What was once found whole is remembered for as long as it is broken.
    if let Ok(head) = checked {
        let next = (head, if is_due { now } else { whole });
        *handle.checked.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
    }
    Ok(checked)
}

/// `GET /operator/trail`.
async fn show_trail(
    State(desk): State<Desk>,
    login: StaffLogin,
    Query(older): Query<Older>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeeTrail)?;
    let (handle, now) = (Arc::clone(&desk.handle), desk.now());
    let (head, checked, entries, staff) = desk
        .run(move |store| {
            let head = store.trail_head()?;
            let end = older.before.unwrap_or(u64::MAX).min(head.length + 1);
            let from = end.saturating_sub(ENTRIES).max(1);
            let count = u32::try_from(end.saturating_sub(from)).unwrap_or(0);
            let entries = if count == 0 { Vec::new() } else { store.trail(from, count)? };
            Ok((head, check_trail(&handle, store, now)?, entries, store.all_staff()?))
        })
        .await?;
    let text = &ENGLISH.operator;
    let name = |entry: &trail::Entry| match entry.staff {
        None => text.trail_machine.to_owned(),
        Some(id) => called(&staff, id),
    };
    let sees_all = login.staff.role.may(Permission::SeeSuspicions);
    let row = |entry: &trail::Entry| EntryRow {
        number: entry.number,
        moment: utc(entry.moment),
        staff: name(entry),
        action: entry.action.clone(),
        subject: entry.subject.clone(),
        detail: if sees_all || entry.is_for_all() {
            entry.detail.clone()
        } else {
            text.trail_hidden.to_owned()
        },
    };
    let first = entries.first().map_or(0, |entry| entry.number);
    Ok(show(&TrailPage {
        page: page(&desk, &login, "/operator/trail", text.trail_title),
        lead: fill(text.trail_lead, "hash", head.hash),
        is_sound: checked.is_ok(),
        verdict: match checked {
            Ok(head) => fill(text.trail_sound, "count", head.length),
            Err(broken) => fill(text.trail_broken, "what", broken),
        },
        entries: entries.iter().rev().map(row).collect(),
        older: (first > 1).then_some(first),
        is_older: older.before.is_some(),
    }))
}
