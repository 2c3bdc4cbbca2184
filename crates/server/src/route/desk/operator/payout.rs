//! One payout at the console: looked at, approved, rejected.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_service::desk::payout::{Asker, Payout, PayoutState, Whose};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed, Reason};
use tacit_service::posting::{self, FactId};

use super::bookings::look;
use super::payouts::{PATH, alone_max, iban, needed, whose};
use super::{called, page};
use crate::bank::order;
use crate::desk::Desk;
use crate::desk::money::ask;
use crate::desk::page::{Page, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{Empty, SignedForm, StaffLogin};
use crate::route::desk::see;
use crate::shop::money;
use crate::text::{ENGLISH, fill};

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/operator/payouts/{id}", get(one))
        .route("/operator/payouts/{id}/approve", post(approve))
        .route("/operator/payouts/{id}/reject", post(reject))
}

#[derive(Template)]
#[template(path = "operator/payout.html")]
struct PayoutPage {
    page: Page,
    path: String,
    wrong: Option<String>,
    state: &'static str,
    name: String,
    iban: String,
    said: String,
    whose: String,
    /// Where the booking is whose money goes back.
    booking: Option<String>,
    by: String,
    asked: String,
    rule: String,
    approvers: Vec<String>,
    /// Why whoever looks cannot approve it, where it waits for that.
    not_you: Option<&'static str>,
    may_approve: bool,
    may_reject: bool,
    reason: String,
}

#[derive(Deserialize)]
struct Done {
    done: Option<String>,
}

/// `GET /operator/payouts/{id}`.
async fn one(
    State(desk): State<Desk>,
    login: StaffLogin,
    Path(id): Path<String>,
    Query(asked): Query<Done>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeeMoney)?;
    let text = &ENGLISH.finance;
    let notice = match asked.done.as_deref() {
        Some("approved") => Some(text.approve_done),
        Some("rejected") => Some(text.reject_done),
        _ => None,
    };
    let payout = find(&desk, &id).await?;
    let subject = format!("payout {}", payout.id);
    look(&desk, &login, Action::PayoutSeen, subject, String::new()).await?;
    show_one(&desk, &login, &payout, Said { notice, ..Said::default() }).await
}

async fn find(desk: &Desk, id: &str) -> Result<Payout, Refusal> {
    let id: FactId = id.parse().map_err(|_| Refusal::NotFound)?;
    desk.run(move |store| Ok(store.payout(id)?)).await?.ok_or(Refusal::NotFound)
}

/// What is said of what was just tried.
#[derive(Default)]
struct Said {
    notice: Option<&'static str>,
    wrong: Option<String>,
    reason: String,
}

async fn show_one(
    desk: &Desk,
    login: &StaffLogin,
    payout: &Payout,
    said: Said,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.finance;
    let id = payout.id;
    let (approvers, staff) =
        desk.run(move |store| Ok((store.approvers(id)?, store.all_staff()?))).await?;
    let left = has_left(desk, payout).await?;
    let needs = needed(&desk.shared, payout);
    let is_sender = matches!(payout.whose, Whose::Sender(_));
    let waits =
        payout.state == PayoutState::Held || (is_sender && payout.state == PayoutState::Asked);
    let (is_short, is_own) = (payout.approvals < needs, approvers.contains(&login.staff.id));
    let may = login.staff.role.may(Permission::ApproveMoney);
    let limit = money(alone_max(&desk.shared, payout.unit), payout.unit);
    let rule = if needs == 0 { text.approve_rule_alone } else { text.approve_rule };
    let title = fill(text.payout_title, "amount", money(payout.amount, payout.unit));
    let status =
        if said.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(show_with(
        status,
        &PayoutPage {
            page: page(desk, login, PATH, &title).with_notice(said.notice),
            path: path(id),
            wrong: said.wrong,
            state: state(payout, left, is_short),
            name: payout.name.clone(),
            iban: iban(payout),
            said: payout.text.clone(),
            whose: whose(payout),
            booking: match payout.whose {
                Whose::Sender(entry) => Some(super::bookings::path(entry)),
                Whose::Account(_) => None,
            },
            by: match payout.by {
                Asker::Holder => text.by_holder.to_owned(),
                Asker::Machine => text.by_machine.to_owned(),
                Asker::Staff(id) => called(&staff, id),
            },
            asked: payout.asked.to_string(),
            rule: fill(rule, "amount", limit),
            approvers: approvers.iter().map(|id| called(&staff, *id)).collect(),
            not_you: match () {
                () if !waits || needs == 0 => None,
                () if !is_short => Some(text.approve_enough),
                () if is_own => Some(text.approve_you),
                () if !may => Some(text.approve_role),
                () => None,
            },
            may_approve: waits && is_short && may && !is_own,
            may_reject: may && may_be_rejected(payout),
            reason: said.reason,
        },
    ))
}

/// Whether the bank has booked it.
async fn has_left(desk: &Desk, payout: &Payout) -> Result<bool, Refusal> {
    let id = match payout.whose {
        Whose::Account(_) => posting::ended(payout.id),
        Whose::Sender(entry) => posting::sent_back(entry),
    };
    let asked = ask(&desk.shared, move |reader| reader.transfer(id)).await?;
    Ok(payout.state == PayoutState::Ordered && asked.is_some())
}

fn state(payout: &Payout, left: bool, is_short: bool) -> &'static str {
    let text = &ENGLISH.finance;
    match (payout.state, payout.whose) {
        (PayoutState::Asked, Whose::Account(_)) => text.payout_state_asked,
        (PayoutState::Asked, Whose::Sender(_)) => text.payout_state_sender,
        (PayoutState::Releasing, _) => text.payout_state_releasing,
        (PayoutState::Held, _) if is_short => text.payout_state_held,
        (PayoutState::Held, _) => text.payout_state_ready,
        (PayoutState::Refused, _) => text.payout_state_refused,
        (PayoutState::Rejecting, _) => text.payout_state_rejecting,
        (PayoutState::Rejected, _) => text.payout_state_rejected,
        (PayoutState::Ordered, _) if left => text.payout_state_left,
        (PayoutState::Ordered, _) => text.payout_state_ordered,
    }
}

/// What stands in no order; of what goes back to its sender, only what nobody let go.
fn may_be_rejected(payout: &Payout) -> bool {
    match payout.whose {
        Whose::Account(_) => matches!(payout.state, PayoutState::Asked | PayoutState::Held),
        Whose::Sender(_) => payout.state == PayoutState::Asked,
    }
}

/// `POST /operator/payouts/{id}/approve`. Sent twice, it is one approval.
async fn approve(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Empty>,
) -> Result<Response, Refusal> {
    let login = signed.login;
    login.may(Permission::ApproveMoney)?;
    let payout = find(&desk, &id).await?;
    let (own, by) = (payout.id, login.staff.id);
    let deed = deed(&desk, &login, Action::PayoutApproved, own, String::new());
    let is_approved = desk.run(move |store| Ok(store.approve_payout(own, by, &deed)?)).await?;
    if is_approved {
        // What goes back to its sender is set apart by its last approval.
        order::settle_payouts_by_and_by(&desk.shared).await;
        return Ok(see(&format!("{}?done=approved", path(own))));
    }
    let wrong = Some(ENGLISH.finance.approve_twice.to_owned());
    let payout = find(&desk, &id).await?;
    show_one(&desk, &login, &payout, Said { wrong, ..Said::default() }).await
}

#[derive(Deserialize)]
struct Rejected {
    reason: String,
}

/// `POST /operator/payouts/{id}/reject`.
async fn reject(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Rejected>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::ApproveMoney)?;
    let payout = find(&desk, &id).await?;
    let own = payout.id;
    let text = &ENGLISH.finance;
    let wrong = match Reason::new(&form.reason) {
        Err(why) => fill(text.wrong_reason, "why", why),
        Ok(reason) => {
            let detail = reason.as_str().to_owned();
            let deed = deed(&desk, &login, Action::PayoutRejected, own, detail);
            let is_rejected = desk.run(move |store| Ok(store.reject_payout(own, &deed)?)).await?;
            if is_rejected {
                order::settle_payouts_by_and_by(&desk.shared).await;
                return Ok(see(&format!("{}?done=rejected", path(own))));
            }
            text.reject_late.to_owned()
        }
    };
    let payout = find(&desk, &id).await?;
    let said = Said { wrong: Some(wrong), notice: None, reason: form.reason };
    show_one(&desk, &login, &payout, said).await
}

fn deed(desk: &Desk, login: &StaffLogin, action: Action, payout: FactId, detail: String) -> Deed {
    let subject = format!("payout {payout}");
    Deed { moment: desk.now(), staff: Some(login.staff.id), action, subject, detail }
}

fn path(id: FactId) -> String {
    format!("{PATH}/{id}")
}
