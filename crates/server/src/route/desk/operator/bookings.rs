//! What the bank booked and nobody has been found for: the list, one booking with its paper, and what a person says of it.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::time::Day;
use tacit_service::account::Direction;
use tacit_service::desk::booking::{Booking, BookingState, Listed, Place, Unclear, Why};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed, Reason};
use tacit_service::ledger::Account;
use tacit_service::posting::EntryId;

use super::page;
use super::resolve::{self, Form, Typed};
use super::second::{self, Waiting};
use crate::bank::suspense;
use crate::desk::Desk;
use crate::desk::page::{Page, show, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::log::{self, Level};
use crate::route::desk::see;
use crate::shop::money;
use crate::text::finance::Finance;
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/bookings";

/// Bookings on one page.
const ROWS: u32 = 50;

/// Characters of a stranger's text in a list.
const SHOWN: usize = 80;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(list))
        .route("/operator/bookings/{id}", get(one).post(resolve::resolve))
        .route("/operator/bookings/{id}/judge", post(judge))
}

/// A booking in a table.
pub(super) struct Row {
    pub(super) path: String,
    pub(super) day: String,
    pub(super) name: String,
    pub(super) said: String,
    pub(super) why: &'static str,
    pub(super) amount: String,
    pub(super) is_in: bool,
}

impl Row {
    pub(super) fn of(booking: &Booking) -> Self {
        let text = &ENGLISH.finance;
        let name = booking.paper.name.as_deref().unwrap_or(text.nobody);
        let said = booking.paper.text.lines().next().unwrap_or_default();
        Self {
            path: path(booking.id),
            day: day(booking.day),
            name: cut(name),
            said: cut(said),
            why: state(booking.state).0,
            amount: signed(booking),
            is_in: booking.direction == Direction::In,
        }
    }
}

#[derive(Template)]
#[template(path = "operator/bookings.html")]
struct ListPage {
    page: Page,
    rows: Vec<Row>,
    lead: String,
    empty: &'static str,
    tabs: [Tab; 3],
    next: Option<String>,
}

/// One of the lists.
struct Tab {
    path: &'static str,
    name: &'static str,
    is_here: bool,
}

#[derive(Deserialize)]
struct Asked {
    show: Option<String>,
    day: Option<u64>,
    after: Option<String>,
}

/// `GET /operator/bookings`.
async fn list(
    State(desk): State<Desk>,
    login: StaffLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeeMoney)?;
    let text = &ENGLISH.finance;
    let aside = "/operator/bookings?show=aside";
    let proposed = "/operator/bookings?show=proposed";
    let (listed, here, lead, empty) = match (asked.day.map(Day::from_number), asked.show.as_deref())
    {
        (Some(of), _) => {
            let here = format!("{PATH}?day={}", of.number());
            (Listed::OfDay(of), here, fill(text.day_lead, "day", of), text.day_empty)
        }
        (None, Some("aside")) => {
            (Listed::SetAside, aside.to_owned(), text.aside_lead.to_owned(), text.aside_empty)
        }
        (None, Some("returned")) => (
            Listed::Returned,
            "/operator/bookings?show=returned".to_owned(),
            text.returned_lead.to_owned(),
            text.returned_empty,
        ),
        (None, Some("proposed")) => (
            Listed::Proposed,
            proposed.to_owned(),
            text.proposed_lead.to_owned(),
            text.proposed_empty,
        ),
        (None, _) => {
            (Listed::Waiting, PATH.to_owned(), text.waiting_lead.to_owned(), text.waiting_empty)
        }
    };
    let after = asked.after.as_deref().map(|place| place_of(place).ok_or(Refusal::Bad));
    let after = after.transpose()?;
    let subject = format!("bookings {}", here.split_once('?').map_or("waiting", |(_, of)| of));
    let mut found = desk.run(move |store| Ok(store.bookings(listed, after, ROWS + 1)?)).await?;
    let count = found.len().min(ROWS as usize);
    look(&desk, &login, Action::BookingsListed, subject, format!("{count} shown")).await?;
    let is_more = ROWS < u32::try_from(found.len()).unwrap_or(u32::MAX);
    found.truncate(ROWS as usize);
    let last = found.last().filter(|_| is_more).map(Booking::place);
    let sign = if here.contains('?') { '&' } else { '?' };
    let next = last.map(|place| format!("{here}{sign}after={}", written(place)));
    let tab = |path, name, own| Tab { path, name, is_here: listed == own };
    Ok(show(&ListPage {
        page: page(&desk, &login, PATH, text.bookings_title),
        rows: found.iter().map(Row::of).collect(),
        lead,
        empty,
        tabs: [
            tab(PATH, text.tab_waiting, Listed::Waiting),
            tab(proposed, text.tab_proposed, Listed::Proposed),
            tab(aside, text.tab_aside, Listed::SetAside),
        ],
        next,
    }))
}

/// A place in a list, as it stands in an address.
fn written(place: Place) -> String {
    let day = place.day.map_or_else(|| "none".to_owned(), |day| day.number().to_string());
    format!("{day}-{}", place.id)
}

fn place_of(text: &str) -> Option<Place> {
    let (day, id) = text.split_once('-')?;
    let day = match day {
        "none" => None,
        number => Some(Day::from_number(number.parse().ok().filter(|day| *day < 1 << 32)?)),
    };
    Some(Place { day, id: id.parse().ok()? })
}

#[derive(Template)]
#[template(path = "operator/booking.html")]
struct BookingPage {
    page: Page,
    path: String,
    state: &'static str,
    /// What that means, and what to do.
    hint: &'static str,
    day: String,
    name: String,
    account: String,
    end_to_end: String,
    reference: String,
    returned: Option<String>,
    lines: Vec<String>,
    /// What it was for, once that is known.
    purpose: Option<String>,
    /// Why something was not done.
    wrong: Option<String>,
    form: Option<Form>,
    may_take_in: bool,
    may_set_aside: bool,
    may_bring_back: bool,
    /// What somebody said and somebody else has to find right.
    waiting: Option<Waiting>,
    may_reverse: bool,
    /// Where what was taken back waits.
    taken_back: Option<String>,
    reason: String,
    alike: Vec<Row>,
    /// That there are more than these, or more that it may have been for.
    is_cut: Option<String>,
}

#[derive(Deserialize)]
struct Done {
    done: Option<String>,
}

/// `GET /operator/bookings/{id}`.
async fn one(
    State(desk): State<Desk>,
    login: StaffLogin,
    Path(id): Path<String>,
    Query(asked): Query<Done>,
) -> Result<Response, Refusal> {
    let booking = find(&desk, &login, &id).await?;
    let (text, subject) = (&ENGLISH.finance, format!("booking {}", booking.id));
    look(&desk, &login, Action::BookingSeen, subject, String::new()).await?;
    let notice = match asked.done.as_deref() {
        Some("booked") => Some(text.done_booked),
        Some("sent") => Some(text.done_sent),
        Some("taken") => Some(text.done_taken),
        Some("aside") => Some(text.done_aside),
        Some("back") => Some(text.done_back),
        Some("proposed") => Some(text.done_proposed),
        Some("declined") => Some(text.done_declined),
        _ => None,
    };
    show_one(&desk, &login, &booking, Typed::default(), Shown { notice, ..Shown::default() }).await
}

/// Whoever looks at what strangers wrote, and from which accounts they paid, is in the trail before it is shown.
pub(super) async fn look(
    desk: &Desk,
    login: &StaffLogin,
    action: Action,
    subject: String,
    detail: String,
) -> Result<(), Refusal> {
    let deed = Deed { moment: desk.now(), staff: Some(login.staff.id), action, subject, detail };
    desk.run(move |store| Ok(store.note(&deed)?)).await
}

/// The booking of a path, for whoever may see money.
pub(super) async fn find(desk: &Desk, login: &StaffLogin, id: &str) -> Result<Booking, Refusal> {
    login.may(Permission::SeeMoney)?;
    let id: EntryId = id.parse().map_err(|_| Refusal::NotFound)?;
    desk.run(move |store| Ok(store.booking(id)?)).await?.ok_or(Refusal::NotFound)
}

/// What a page says of what was just tried.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) notice: Option<&'static str>,
    pub(super) wrong: Option<String>,
}

/// A booking, with what was typed and what was wrong with it.
pub(super) async fn show_one(
    desk: &Desk,
    login: &StaffLogin,
    booking: &Booking,
    typed: Typed,
    shown: Shown,
) -> Result<Response, Refusal> {
    let text = &ENGLISH.finance;
    let may = login.staff.role.may(Permission::HandleMoney);
    let candidates = suspense::candidates(&desk.shared, booking).await?;
    let assigned = suspense::assigned(&desk.shared, booking).await?;
    let waiting = second::waiting(desk, login, booking).await?;
    let taken_back = suspense::taken_back(&desk.shared, booking).await?;
    let is_open = matches!(booking.state, BookingState::Open(_)) && assigned.is_none();
    let goes_back = booking.state == BookingState::Open(Why::SendBack);
    let reason = typed.reason.clone();
    let form = may && is_open && !goes_back && waiting.is_none();
    let may_reverse = may
        && waiting.is_none()
        && taken_back.is_none()
        && second::is_reversible(booking, assigned.as_ref());
    let form = form.then(|| Form::of(desk, booking, &candidates, typed));
    let (said, hint) = state(booking.state);
    let paper = &booking.paper;
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let title = fill(text.booking_title, "amount", signed(booking));
    let page = page(desk, login, PATH, &title).with_notice(shown.notice);
    let status =
        if shown.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let unclear =
        if let BookingState::Unclear(unclear) = booking.state { Some(unclear) } else { None };
    Ok(show_with(
        status,
        &BookingPage {
            page,
            path: path(booking.id),
            state: said,
            hint,
            day: day(booking.day),
            name: or_none(&paper.name),
            account: or_none(&paper.account),
            end_to_end: or_none(&paper.end_to_end),
            reference: or_none(&paper.reference),
            returned: paper.returned.clone(),
            lines: paper.text.lines().map(str::to_owned).collect(),
            purpose: assigned.map(|transfer| purpose(text, transfer.debit, transfer.credit)),
            wrong: shown.wrong,
            form,
            may_take_in: may && unclear.is_some_and(Unclear::may_be_taken_in),
            may_set_aside: may && unclear.is_some(),
            may_bring_back: may && matches!(booking.state, BookingState::SetAside(_)),
            waiting,
            may_reverse,
            taken_back: taken_back.map(|_| path(booking.id.reversed())),
            reason,
            alike: candidates.alike.iter().map(Row::of).collect(),
            is_cut: candidates.is_cut.then(|| fill(text.offered_cut, "count", suspense::OFFERED)),
        },
    ))
}

/// What a booking was for, by the accounts that the vault moved it between.
fn purpose(text: &Finance, debit: Account, credit: Account) -> String {
    match (debit, credit) {
        (_, Account::Holder(_, id)) => fill(text.was_account, "account", id),
        (_, Account::Unissued(_)) => text.was_quote.to_owned(),
        (_, Account::Held(_)) => text.was_back.to_owned(),
        (_, Account::Own(_)) => text.was_own.to_owned(),
        (_, Account::Clearing(_)) => text.was_returned.to_owned(),
        (Account::Clearing(_), _) => text.was_payout.to_owned(),
        (Account::RailLoss(_), _) => text.was_cost.to_owned(),
        _ => text.was_other.to_owned(),
    }
}

#[derive(Deserialize)]
struct Judged {
    what: What,
    reason: String,
}

/// Which of the buttons.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    TakeIn,
    SetAside,
    BringBack,
}

/// `POST /operator/bookings/{id}/judge`: whether an unclear booking is money.
async fn judge(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Judged>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::HandleMoney)?;
    let booking = find(&desk, &login, &id).await?;
    let text = &ENGLISH.finance;
    let typed = Typed { reason: form.reason.clone(), ..Typed::default() };
    let reason = match Reason::new(&form.reason) {
        Ok(reason) => reason,
        Err(why) => {
            let shown = Shown { wrong: Some(fill(text.wrong_reason, "why", why)), notice: None };
            return show_one(&desk, &login, &booking, typed, shown).await;
        }
    };
    let (action, done) = match form.what {
        What::TakeIn => (Action::BookingTakenIn, "taken"),
        What::SetAside => (Action::BookingSetAside, "aside"),
        What::BringBack => (Action::BookingBroughtBack, "back"),
    };
    let own = booking.id;
    let deed = deed(&desk, &login, action, own, reason.as_str().to_owned());
    let changed = desk
        .run(move |store| {
            Ok(match form.what {
                What::TakeIn => store.take_in_booking(own, &deed)?,
                What::SetAside => store.set_booking_aside(own, &deed)?,
                What::BringBack => store.bring_booking_back(own, &deed)?,
            })
        })
        .await?;
    if changed && matches!(form.what, What::TakeIn) {
        // It is written down: what cannot be booked now is booked within the hour.
        if let Err(error) = crate::bank::settle(&desk.shared).await {
            log::error_chain(Level::Warn, "a booking that was taken in waits", &error);
        }
    }
    Ok(see(&format!("{}?done={done}", path(own))))
}

/// A deed about a booking.
pub(super) fn deed(
    desk: &Desk,
    login: &StaffLogin,
    action: Action,
    booking: EntryId,
    detail: String,
) -> Deed {
    let subject = format!("booking {booking}");
    Deed { moment: desk.now(), staff: Some(login.staff.id), action, subject, detail }
}

/// Where one booking is.
pub(super) fn path(id: EntryId) -> String {
    format!("{PATH}/{id}")
}

fn day(day: Option<Day>) -> String {
    day.map_or_else(|| "–".to_owned(), |day| day.to_string())
}

/// An amount with the way it went.
fn signed(booking: &Booking) -> String {
    let sign = if booking.direction == Direction::In { '+' } else { '\u{2212}' };
    format!("{sign}{}", money(booking.amount, booking.unit))
}

/// The beginning of what a stranger wrote.
fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(SHOWN).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// A state in a few words, and what is to be done.
fn state(state: BookingState) -> (&'static str, &'static str) {
    let text = &ENGLISH.finance;
    match state {
        BookingState::Noted => (text.state_noted, text.hint_noted),
        BookingState::Done => (text.state_done, text.hint_done),
        BookingState::SetAside(_) => (text.state_aside, text.hint_aside),
        BookingState::Unclear(unclear) => match unclear {
            Unclear::Undivided => (text.unclear_undivided, text.hint_undivided),
            Unclear::NoReference => (text.unclear_no_reference, text.hint_no_reference),
            Unclear::SameReference => (text.unclear_same_reference, text.hint_same_reference),
            Unclear::Currency => (text.unclear_currency, text.hint_currency),
            Unclear::Conflict => (text.unclear_conflict, text.hint_conflict),
        },
        BookingState::Open(why) => match why {
            Why::NoReference => (text.why_no_reference, text.hint_why_no_reference),
            Why::Unknown => (text.why_unknown, text.hint_why_unknown),
            Why::Amount => (text.why_amount, text.hint_why_amount),
            Why::Account => (text.why_account, text.hint_why_account),
            Why::Limit => (text.why_limit, text.hint_why_limit),
            Why::Early => (text.why_early, text.hint_why_early),
            Why::NotOurs => (text.why_not_ours, text.hint_why_not_ours),
            Why::Paid => (text.why_paid, text.hint_why_paid),
            Why::SendBack => (text.why_send_back, text.hint_why_send_back),
            Why::Reversed => (text.why_reversed, text.hint_why_reversed),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_list_is_read_back_from_its_address() {
        let id = EntryId::from_bytes([7; 32]);
        for day in [None, Some(Day::from_number(20_779))] {
            let place = Place { day, id };
            assert_eq!(place_of(&written(place)), Some(place));
        }
        for text in ["", "1", "x-07", "99999999999999-07", "none-"] {
            assert_eq!(place_of(text), None, "{text}");
        }
    }

    #[test]
    fn what_strangers_wrote_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        let long = "ß".repeat(200);
        assert_eq!(cut(&long).chars().count(), SHOWN + 1);
    }
}
