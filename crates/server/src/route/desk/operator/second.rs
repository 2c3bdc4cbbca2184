//! What takes two at the console: what one said of a booking is found right, or not, by another; and a mistake is taken back.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use tacit_service::desk::booking::{Booking, BookingState, Proposal, Purpose, Resolution};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Reason};
use tacit_service::ledger::{Account, Transfer};

use super::bookings::{Shown, deed, find, path, show_one};
use super::name_of;
use super::resolve::{Typed, not_booked};
use crate::bank::suspense::{self, Found, Said};
use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::desk::session::{Empty, SignedForm, StaffLogin};
use crate::route::desk::see;
use crate::text::{ENGLISH, fill};

/// Deeds of a booking that are looked through for what was said of it last.
const DEEDS: u32 = 20;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/operator/bookings/{id}/approve", post(approve))
        .route("/operator/bookings/{id}/decline", post(decline))
        .route("/operator/bookings/{id}/reverse", post(reverse))
}

/// What waits for a second person.
pub(super) struct Waiting {
    /// Who said it.
    pub(super) by: String,
    /// What they said, with their reason.
    pub(super) said: String,
    /// Whether whoever looks can find it right.
    pub(super) may_approve: bool,
    /// Whether they can say that it is not.
    pub(super) may_decline: bool,
    /// Whether it is what they said themselves.
    pub(super) is_own: bool,
}

/// What was said of a booking and waits for a second person.
///
/// # Errors
/// Those of the desk.
pub(super) async fn waiting(
    desk: &Desk,
    login: &StaffLogin,
    booking: &Booking,
) -> Result<Option<Waiting>, Refusal> {
    let (own, subject) = (booking.id, format!("booking {}", booking.id));
    let (proposal, staff, deeds) = desk
        .run(move |store| {
            let proposal = store.proposal(own)?;
            Ok((proposal, store.all_staff()?, store.trail_about(&subject, None, DEEDS)?))
        })
        .await?;
    let Some(Proposal { resolution, staff: by, is_approved: false }) = proposal else {
        return Ok(None);
    };
    let said = deeds.iter().find(|deed| deed.action == Action::BookingResolved.name());
    let (is_own, role) = (by == Some(login.staff.id), login.staff.role);
    Ok(Some(Waiting {
        by: by.and_then(|by| name_of(&staff, by)).unwrap_or_default().to_owned(),
        said: said.map_or_else(|| resolution.purpose.to_string(), |deed| deed.detail.clone()),
        may_approve: !is_own && role.may(Permission::ApproveMoney),
        may_decline: role.may(Permission::HandleMoney) || role.may(Permission::ApproveMoney),
        is_own,
    }))
}

/// Whether what a booking was for can be taken back: not what may have been issued, paid out or sent back.
pub(super) fn is_reversible(booking: &Booking, assigned: Option<&Transfer>) -> bool {
    let Some(assigned) = assigned else { return false };
    booking.state == BookingState::Done
        && match (assigned.debit, assigned.credit) {
            (_, Account::Holder(..) | Account::Own(_)) => true,
            (debit, _) => matches!(debit, Account::RailLoss(_)),
        }
}

/// `POST /operator/bookings/{id}/approve`: somebody else finds right what was said of it.
async fn approve(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Empty>,
) -> Result<Response, Refusal> {
    let login = signed.login;
    login.may(Permission::ApproveMoney)?;
    let booking = find(&desk, &login, &id).await?;
    let text = &ENGLISH.finance;
    let (own, by) = (booking.id, login.staff.id);
    let deed = deed(&desk, &login, Action::ResolutionApproved, own, String::new());
    let wrong = match suspense::approve(&desk.shared, own, by, deed).await? {
        Found::Told(Said::Done) => return Ok(see(&format!("{}?done=booked", path(own)))),
        // The second click, or somebody else: the page says what became of it.
        Found::Nothing | Found::Told(Said::NotOpen | Said::Proposed) => return Ok(see(&path(own))),
        Found::Own => text.approve_own,
        Found::Told(Said::Refused(error)) => not_booked(error),
    };
    let shown = Shown { wrong: Some(wrong.to_owned()), notice: None };
    show_one(&desk, &login, &booking, Typed::default(), shown).await
}

#[derive(Deserialize)]
struct Reasoned {
    reason: String,
}

/// `POST /operator/bookings/{id}/decline`: it is not right, or whoever said it thinks better of it.
async fn decline(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Reasoned>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    if login.may(Permission::HandleMoney).is_err() {
        login.may(Permission::ApproveMoney)?;
    }
    let booking = find(&desk, &login, &id).await?;
    let reason = match reason(&desk, &login, &booking, form.reason).await? {
        Ok(reason) => reason,
        Err(page) => return Ok(page),
    };
    let (own, detail) = (booking.id, reason.as_str().to_owned());
    let deed = deed(&desk, &login, Action::ResolutionDeclined, own, detail);
    let is_declined = desk.run(move |store| Ok(store.decline_resolution(own, &deed)?)).await?;
    let done = if is_declined { "?done=declined" } else { "" };
    Ok(see(&format!("{}{done}", path(own))))
}

/// `POST /operator/bookings/{id}/reverse`: what it was booked to was a mistake. Sent twice, it is proposed once.
async fn reverse(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Reasoned>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::HandleMoney)?;
    let booking = find(&desk, &login, &id).await?;
    let reason = match reason(&desk, &login, &booking, form.reason).await? {
        Ok(reason) => reason,
        Err(page) => return Ok(page),
    };
    let assigned = suspense::assigned(&desk.shared, &booking).await?;
    if !is_reversible(&booking, assigned.as_ref()) {
        let wrong = Some(ENGLISH.finance.not_reversible.to_owned());
        let shown = Shown { wrong, notice: None };
        return show_one(&desk, &login, &booking, Typed::default(), shown).await;
    }
    let resolution = Resolution { booking: booking.id, purpose: Purpose::Reversed };
    let detail = format!("{}: {}", Purpose::Reversed, reason.as_str());
    let deed = deed(&desk, &login, Action::BookingResolved, booking.id, detail);
    let done = match suspense::say(&desk.shared, resolution, deed).await? {
        Said::Proposed => "?done=proposed",
        // Somebody has said so, or it was taken back: the page says which.
        Said::NotOpen | Said::Done | Said::Refused(_) => "",
    };
    Ok(see(&format!("{}{done}", path(booking.id))))
}

/// A reason, or the page again with what is wrong with it.
async fn reason(
    desk: &Desk,
    login: &StaffLogin,
    booking: &Booking,
    typed: String,
) -> Result<Result<Reason, Response>, Refusal> {
    let why = match Reason::new(&typed) {
        Ok(reason) => return Ok(Ok(reason)),
        Err(why) => why,
    };
    let wrong = Some(fill(ENGLISH.finance.wrong_reason, "why", why));
    let typed = Typed { reason: typed, ..Typed::default() };
    let page = show_one(desk, login, booking, typed, Shown { wrong, notice: None });
    Ok(Err(page.await?))
}
