//! What a person says that a booking was for: the choices a page offers, and the form that comes back.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use tacit_bank::iban::Iban;
use tacit_core::unit::Unit;
use tacit_service::account::{AccountId, Direction, HolderState, OverLimit};
use tacit_service::desk::booking::{Booking, BookingState, Purpose, Resolution, Why};
use tacit_service::desk::payout::{Asker, Payout, PayoutState, Whose};
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Reason};
use tacit_service::posting::{FactId, PostError};

use super::bookings::{Shown, deed, find, path, show_one};
use super::payouts::order_wrong;
use crate::bank::order::{self, OrderError};
use crate::bank::suspense::{self, AccountState, Candidates, Said};
use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::route::desk::{new_id, see};
use crate::shop::money;
use crate::text::{ENGLISH, fill};

/// What was typed, to be shown again if something is wrong with it.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Typed {
    /// A word, and for some what it is about: `account`, `to:…`, `mark:…`, `payout:…`, `returned:…`, `own`, `cost`, `back`.
    #[serde(default)]
    pub(super) purpose: String,
    #[serde(default)]
    pub(super) account: String,
    #[serde(default)]
    pub(super) reason: String,
}

/// The form, with what it offers.
pub(super) struct Form {
    pub(super) choices: Vec<Choice>,
    pub(super) account: String,
    pub(super) reason: String,
}

/// One thing that a booking may have been for.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) is_chosen: bool,
    /// Whether the number of an account is to be written beside it.
    pub(super) has_account: bool,
}

impl Form {
    /// That of a booking.
    pub(super) fn of(
        desk: &Desk,
        booking: &Booking,
        candidates: &Candidates,
        typed: Typed,
    ) -> Self {
        let mut choices = match booking.direction {
            Direction::In => choices_in(desk, booking, candidates),
            Direction::Out => choices_out(candidates),
        };
        for choice in &mut choices {
            choice.is_chosen = choice.value == typed.purpose;
        }
        Self { choices, account: typed.account, reason: typed.reason }
    }
}

fn choice(value: String, label: String, hint: String) -> Choice {
    Choice { value, label, hint, is_chosen: false, has_account: false }
}

fn choices_in(desk: &Desk, booking: &Booking, candidates: &Candidates) -> Vec<Choice> {
    let text = &ENGLISH.finance;
    let mut choices = Vec::new();
    if let Some(account) = candidates.account {
        let label = fill(text.choice_reference, "account", account.id);
        choices.push(choice(format!("to:{}", account.id), label, standing(account, booking.unit)));
    }
    for (mark, request) in &candidates.quotes {
        let (_, about) = Purpose::Quote(*mark).names();
        let label = fill(text.choice_quote, "reference", request);
        let value = format!("mark:{}", about.unwrap_or_default());
        choices.push(choice(value, label, text.choice_quote_hint.to_owned()));
    }
    for payout in &candidates.returned {
        let value = format!("returned:{}", payout.id);
        choices.push(choice(
            value,
            fill(text.choice_returned, "name", &payout.name),
            about(payout),
        ));
    }
    choices.push(Choice {
        has_account: true,
        ..choice(
            "account".to_owned(),
            text.choice_account.to_owned(),
            text.choice_account_hint.to_owned(),
        )
    });
    let own = text.choice_own.to_owned();
    choices.push(choice("own".to_owned(), own, text.choice_own_hint.to_owned()));
    let (label, hint) = match back_to(booking) {
        Some(_) if booking.unit.code() != "eur" => (None, text.back_not_euro),
        Some(_) if desk.shared.config.bank_name.is_none() => (None, text.back_no_name),
        Some(iban) => (Some(fill(text.choice_back, "iban", iban.grouped())), text.choice_back_hint),
        None => (None, text.back_no_iban),
    };
    if let Some(label) = label {
        choices.push(choice("back".to_owned(), label, hint.to_owned()));
    } else if let Some(last) = choices.last_mut() {
        last.hint = format!("{} {hint}", last.hint);
    }
    choices
}

fn choices_out(candidates: &Candidates) -> Vec<Choice> {
    let text = &ENGLISH.finance;
    let payout = |payout: &Payout| {
        let label = fill(text.choice_payout, "name", &payout.name);
        choice(format!("payout:{}", payout.id), label, about(payout))
    };
    let mut choices: Vec<Choice> = candidates.payouts.iter().map(payout).collect();
    let cost = text.choice_cost.to_owned();
    choices.push(choice("cost".to_owned(), cost, text.choice_cost_hint.to_owned()));
    choices
}

/// What else is said of a payout.
fn about(payout: &Payout) -> String {
    let text = &ENGLISH.finance;
    let iban =
        payout.iban.parse().map_or_else(|_| payout.iban.clone(), |iban: Iban| iban.grouped());
    fill(&fill(text.choice_payout_hint, "iban", iban), "day", payout.asked)
}

/// How much may come into an account, in words.
fn standing(account: AccountState, unit: Unit) -> String {
    let text = &ENGLISH.finance;
    match (account.state, account.left) {
        (HolderState::Frozen, _) => text.account_frozen.to_owned(),
        (HolderState::Closed, _) => text.account_closed.to_owned(),
        (HolderState::Open, None) => fill(text.account_unlimited, "level", account.level),
        (HolderState::Open, Some(left)) => {
            let said = fill(text.account_left, "level", account.level);
            fill(&said, "amount", money(left, unit))
        }
    }
}

/// Where money goes that goes back: to the account it came from, and to no other.
fn back_to(booking: &Booking) -> Option<Iban> {
    booking.paper.account.as_deref()?.parse().ok()
}

/// What a form says.
enum Chosen {
    Purpose(Purpose),
    Back,
}

fn chosen(typed: &Typed) -> Result<Chosen, &'static str> {
    let text = &ENGLISH.finance;
    let (word, about) = match typed.purpose.split_once(':') {
        Some((word, about)) => (word, about),
        None => (typed.purpose.as_str(), ""),
    };
    let number: String = typed.account.split_whitespace().collect();
    let purpose = match word {
        "back" => return Ok(Chosen::Back),
        "own" => Some(Purpose::OwnMoney),
        "cost" => Some(Purpose::BankCost),
        "account" => {
            let account = number.to_ascii_uppercase().parse::<AccountId>();
            return account
                .map(|id| Chosen::Purpose(Purpose::Account(id)))
                .map_err(|_| text.wrong_account);
        }
        "to" => Purpose::of_names("account", Some(about)),
        "mark" | "payout" | "returned" => Purpose::of_names(word, Some(about)),
        _ => None,
    };
    purpose.map(Chosen::Purpose).ok_or(text.wrong_purpose)
}

/// `POST /operator/bookings/{id}`: says what it was for. Sent twice, it is booked once.
pub(super) async fn resolve(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Typed>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::HandleMoney)?;
    let booking = find(&desk, &login, &id).await?;
    let text = &ENGLISH.finance;
    let read = chosen(&form).and_then(|chosen| {
        let is_other_way = match chosen {
            Chosen::Purpose(Purpose::OwnMoney) => booking.direction == Direction::Out,
            Chosen::Purpose(Purpose::BankCost) => booking.direction == Direction::In,
            Chosen::Purpose(_) | Chosen::Back => false,
        };
        if is_other_way { Err(text.not_way) } else { Ok(chosen) }
    });
    let read = read.map_err(str::to_owned).and_then(|chosen| {
        let reason = Reason::new(&form.reason);
        reason.map(|reason| (chosen, reason)).map_err(|why| fill(text.wrong_reason, "why", why))
    });
    let wrong = match read {
        Err(wrong) => wrong,
        Ok((Chosen::Back, reason)) => match send_back(&desk, &login, &booking, &reason).await? {
            None => return Ok(see(&format!("{}?done=sent", path(booking.id)))),
            Some(wrong) => wrong,
        },
        Ok((Chosen::Purpose(purpose), reason)) => {
            let resolution = Resolution { booking: booking.id, purpose };
            let detail = format!("{purpose}: {}", reason.as_str());
            let deed = deed(&desk, &login, Action::BookingResolved, booking.id, detail);
            match suspense::say(&desk.shared, resolution, deed).await? {
                Said::Done => return Ok(see(&format!("{}?done=booked", path(booking.id)))),
                Said::Proposed => {
                    return Ok(see(&format!("{}?done=proposed", path(booking.id))));
                }
                // A second click, or somebody else: the page says what became of it.
                Said::NotOpen => return Ok(see(&path(booking.id))),
                Said::Refused(error) => not_booked(error).to_owned(),
            }
        }
    };
    let shown = Shown { wrong: Some(wrong), notice: None };
    show_one(&desk, &login, &booking, form, shown).await
}

/// Writes down a payout to whoever sent it; returns why not, if not.
async fn send_back(
    desk: &Desk,
    login: &StaffLogin,
    booking: &Booking,
    reason: &Reason,
) -> Result<Option<String>, Refusal> {
    let text = &ENGLISH.finance;
    let Some(iban) = back_to(booking) else { return Ok(Some(text.back_no_iban.to_owned())) };
    let payout = Payout {
        id: FactId::from_bytes(new_id()?),
        whose: Whose::Sender(booking.id),
        by: Asker::Staff(login.staff.id),
        asked: desk.now().day(),
        name: booking.paper.name.clone().unwrap_or_else(|| text.back_name.to_owned()),
        iban: iban.as_str().to_owned(),
        unit: booking.unit,
        amount: booking.amount,
        text: text.back_text.to_owned(),
        state: PayoutState::Asked,
        approvals: 0,
    };
    let checked = order::terms(&desk.shared, booking.unit.code())
        .and_then(|terms| order::check(&desk.shared, terms, &payout));
    match checked {
        Ok(()) => {}
        Err(OrderError::Store(error)) => return Err(error.into()),
        Err(error) => return Ok(Some(order_wrong(&error))),
    }
    let detail = format!("payout {}: {}", payout.id, reason.as_str());
    let deed = deed(desk, login, Action::BookingSentBack, booking.id, detail);
    let is_sent = desk.run(move |store| Ok(store.send_back(&payout, &deed)?)).await?;
    let own = booking.id;
    let state = desk.run(move |store| Ok(store.booking(own)?)).await?.map(|known| known.state);
    // The second click finds it on its way; if somebody else was quicker with another word, that is said.
    if !is_sent && state != Some(BookingState::Open(Why::SendBack)) {
        return Ok(Some(text.back_not_open.to_owned()));
    }
    order::settle_payouts_by_and_by(&desk.shared).await;
    Ok(None)
}

/// Why the vault did not take it.
pub(super) fn not_booked(error: PostError) -> &'static str {
    let text = &ENGLISH.finance;
    match error {
        PostError::Frozen => text.not_frozen,
        PostError::Closed => text.not_closed,
        PostError::UnknownHolder => text.not_account,
        PostError::OverLimit(OverLimit::Day) => text.not_day,
        PostError::OverLimit(OverLimit::Month) => text.not_month,
        PostError::QuoteNotOpen | PostError::UnknownQuote => text.not_quote,
        PostError::WrongAmount | PostError::BadAmount => text.not_amount,
        PostError::WrongWay => text.not_way,
        PostError::Done => text.not_done,
        PostError::Insufficient => text.not_gone,
        PostError::Missing | PostError::Conflict => text.not_payout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(purpose: &str, account: &str) -> Typed {
        Typed { purpose: purpose.to_owned(), account: account.to_owned(), reason: String::new() }
    }

    #[test]
    fn a_form_says_one_thing_that_a_booking_can_be_for() {
        let id = AccountId::from_random([7; 8]);
        for (purpose, account) in [
            ("account".to_owned(), format!(" {}  ", id.to_string().to_lowercase())),
            (format!("to:{id}"), String::new()),
        ] {
            let read = chosen(&typed(&purpose, &account));
            assert!(matches!(read, Ok(Chosen::Purpose(Purpose::Account(read))) if read == id));
        }
        assert!(matches!(chosen(&typed("back", "")), Ok(Chosen::Back)));
        assert!(matches!(chosen(&typed("cost", "")), Ok(Chosen::Purpose(Purpose::BankCost))));
        assert!(matches!(chosen(&typed("own", "")), Ok(Chosen::Purpose(Purpose::OwnMoney))));
        for wrong in [
            "",
            "account",
            "to:me",
            "mark:00",
            "payout:x",
            "returned:",
            "bank cost:",
            "reversed",
            "x:y",
        ] {
            assert!(chosen(&typed(wrong, "nobody")).is_err(), "{wrong}");
        }
    }
}
