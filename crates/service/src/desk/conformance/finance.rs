//! What the bank booked and is asked to pay.

use tacit_core::time::Day;
use tacit_core::unit::Unit;

use super::{NOW, deed};
use crate::account::{AccountId, Direction};
use crate::desk::booking::{
    Agreed, Booking, BookingState, Listed, Paper, Place, Proposal, Purpose, Resolution, Unclear,
    Why,
};
use crate::desk::payout::{Asker, Order, Payout, PayoutState, Turn, Whose};
use crate::desk::staff::StaffId;
use crate::desk::trail::{Action, Deed};
use crate::desk::{DeskStore, Owner};
use crate::posting::{EntryId, FactId};

fn eur() -> Unit {
    Unit::new("eur").expect("a unit")
}

fn entry(number: u8) -> EntryId {
    EntryId::from_bytes([number; 32])
}

fn booking(number: u8, state: BookingState) -> Booking {
    let line = |text: &str| Some(text.to_owned());
    Booking {
        id: entry(number),
        entry: entry(number),
        day: Some(Day::from_number(20_000 + u64::from(number))),
        direction: Direction::In,
        unit: eur(),
        amount: 100 * u64::from(number),
        paper: Paper {
            name: line("<b>Ärger & \"Söhne\"</b>"),
            account: line("DE89370400440532013000"),
            end_to_end: line("NOTPROVIDED"),
            text: "rent\nof May".to_owned(),
            reference: line("RF18539007547034"),
            returned: None,
        },
        state,
    }
}

fn note(desk: &mut dyn DeskStore, booking: &Booking) -> bool {
    desk.note_bookings(booking.entry, std::slice::from_ref(booking)).expect("it answers")
}

fn state(desk: &mut dyn DeskStore, number: u8) -> BookingState {
    desk.booking(entry(number)).expect("it answers").expect("there").state
}

fn somebody(number: u8) -> StaffId {
    StaffId::from_bytes([number; 16])
}

fn done(action: Action) -> Deed {
    deed(action, Owner::Staff(somebody(1)))
}

fn length(desk: &mut dyn DeskStore) -> u64 {
    desk.trail_head().expect("it answers").length
}

/// What is written is read, once, and makes room only for what is known better.
pub(super) fn bookings(desk: &mut dyn DeskStore) {
    let whole = booking(1, BookingState::Noted);
    assert!(note(desk, &whole));
    assert!(!note(desk, &Booking { amount: 1, ..whole.clone() }), "the first that says it counts");
    assert_eq!(desk.booking(whole.id).expect("it answers"), Some(whole.clone()));
    assert_eq!(desk.booking(entry(9)).expect("it answers"), None);
    let bare = Booking { day: None, paper: Paper::default(), ..booking(2, BookingState::Noted) };
    let bare = Booking { direction: Direction::Out, ..bare };
    assert!(note(desk, &bare));
    assert_eq!(desk.unsettled_bookings(None, 10).expect("it answers"), [whole, bare.clone()]);
    let rest = desk.unsettled_bookings(Some(entry(1)), 10).expect("it answers");
    assert_eq!(rest, [bare]);
    let mut from = BookingState::Noted;
    for to in Why::ALL.map(BookingState::Open).into_iter().chain([BookingState::Done]) {
        assert!(!desk.move_booking(entry(9), from, to).expect("it answers"), "no such booking");
        assert!(desk.move_booking(entry(1), from, to).expect("it answers"));
        assert!(!desk.move_booking(entry(1), from, to).expect("it answers"), "moved already");
        assert_eq!(state(desk, 1), to);
        from = to;
    }
    let unclear = booking(3, BookingState::Unclear(Unclear::Undivided));
    assert!(note(desk, &unclear));
    assert!(!note(desk, &unclear));
    let part = |number| Booking { entry: entry(3), ..booking(number, BookingState::Noted) };
    assert!(desk.note_bookings(entry(3), &[part(30), part(31)]).expect("it answers"));
    assert_eq!(desk.booking(entry(3)).expect("it answers"), None);
    assert!(!note(desk, &unclear), "divided once and for all");
}

/// Lists go by day, in pages, and say what waits, what was set aside and what a day brought.
pub(super) fn lists(desk: &mut dyn DeskStore) {
    for number in [5, 3, 4] {
        note(desk, &booking(number, BookingState::Open(Why::Unknown)));
    }
    note(desk, &Booking { day: None, ..booking(9, BookingState::Open(Why::Limit)) });
    note(desk, &booking(1, BookingState::Noted));
    note(desk, &booking(2, BookingState::Unclear(Unclear::NoReference)));
    let numbers = |desk: &mut dyn DeskStore, listed, after, max| -> Vec<u8> {
        let found = desk.bookings(listed, after, max).expect("it answers");
        found.iter().map(|booking| booking.id.as_bytes()[0]).collect()
    };
    assert_eq!(numbers(desk, Listed::Waiting, None, 10), [9, 2, 3, 4, 5]);
    assert_eq!(numbers(desk, Listed::Waiting, None, 2), [9, 2]);
    let second = booking(2, BookingState::Noted).place();
    assert_eq!(numbers(desk, Listed::Waiting, Some(second), 2), [3, 4]);
    let no_day = Place { day: None, id: entry(9) };
    assert_eq!(numbers(desk, Listed::Waiting, Some(no_day), 1), [2]);
    assert_eq!(numbers(desk, Listed::OfDay(Day::from_number(20_001)), None, 9), [1]);
    let twin = Booking { id: entry(6), entry: entry(6), ..booking(3, BookingState::Noted) };
    note(desk, &twin);
    let like = desk.bookings_like(&booking(3, BookingState::Noted), 5).expect("it answers");
    assert_eq!(like, [twin]);
    assert_eq!(numbers(desk, Listed::SetAside, None, 9), [0_u8; 0]);
    for number in [10, 12, 11] {
        let mut back = booking(number, BookingState::Done);
        back.paper.returned = Some("AC04".to_owned());
        note(desk, &back);
    }
    assert_eq!(numbers(desk, Listed::Returned, None, 9), [12, 11, 10]);
    let first = booking(12, BookingState::Done).place();
    assert_eq!(numbers(desk, Listed::Returned, Some(first), 1), [11]);
}

/// What somebody says of a booking is written down with who said it, and nothing else is said until the vault has it.
pub(super) fn resolutions(desk: &mut dyn DeskStore) {
    let account = AccountId::from_random([7; 8]);
    let resolution = |number, purpose| Resolution { booking: entry(number), purpose };
    let said = done(Action::BookingResolved);
    let begin = |desk: &mut dyn DeskStore, resolution| {
        desk.begin_resolution(&resolution, &said).expect("it answers")
    };
    note(desk, &booking(1, BookingState::Noted));
    let first = resolution(1, Purpose::Account(account));
    assert!(!begin(desk, first), "not in suspense yet");
    assert!(!begin(desk, resolution(9, Purpose::BankCost)), "no such booking");
    let open = BookingState::Open(Why::Unknown);
    assert!(desk.move_booking(entry(1), BookingState::Noted, open).expect("it answers"));
    assert!(begin(desk, first));
    assert!(!begin(desk, resolution(1, Purpose::BankCost)), "a second word");
    assert_eq!(desk.resolutions(5).expect("it answers"), [first]);
    assert_eq!(length(desk), 1, "what was not begun is no deed");
    let refused = done(Action::BookingNotResolved);
    let end = |desk: &mut dyn DeskStore, is_done, refused| {
        desk.end_resolution(entry(1), is_done, refused).expect("it answers")
    };
    assert!(end(desk, false, Some(&refused)));
    assert!(!end(desk, true, None), "ended already");
    assert_eq!((state(desk, 1), length(desk)), (BookingState::Open(Why::Unknown), 2));
    for purpose in [
        Purpose::Payout(FactId::from_bytes([1; 16])),
        Purpose::Returned(FactId::from_bytes([2; 16])),
        Purpose::Account(account),
    ] {
        assert!(begin(desk, resolution(1, purpose)));
        assert_eq!(desk.resolutions(5).expect("it answers"), [resolution(1, purpose)]);
        assert!(end(desk, false, None));
    }
    assert!(begin(desk, first));
    assert!(end(desk, true, None));
    assert_eq!(state(desk, 1), BookingState::Done);
    assert!(!begin(desk, first), "it is known what it was for");
    assert_eq!(desk.resolutions(5).expect("it answers"), []);
}

/// What takes two waits for the second, who is not the first; what is taken back is open anew, once.
pub(super) fn two_people(desk: &mut dyn DeskStore) {
    let said = Deed { staff: Some(somebody(1)), ..done(Action::BookingResolved) };
    let found = done(Action::ResolutionApproved);
    let begin = |desk: &mut dyn DeskStore, purpose| {
        let resolution = Resolution { booking: entry(1), purpose };
        desk.begin_resolution(&resolution, &said).expect("it answers")
    };
    let approve = |desk: &mut dyn DeskStore, by| {
        desk.approve_resolution(entry(1), somebody(by), &found).expect("it answers")
    };
    note(desk, &booking(1, BookingState::Open(Why::Unknown)));
    assert_eq!(approve(desk, 2), Agreed::Nothing);
    assert!(!begin(desk, Purpose::Reversed), "it was not booked anywhere yet");
    let declined = done(Action::ResolutionDeclined);
    for purpose in [Purpose::BankCost, Purpose::OwnMoney] {
        assert!(begin(desk, purpose));
        assert_eq!(desk.resolutions(5).expect("it answers"), [], "nobody else has said so");
        assert_eq!(desk.bookings(Listed::Proposed, None, 5).expect("it answers").len(), 1);
        assert_eq!(approve(desk, 1), Agreed::Own);
        assert!(desk.decline_resolution(entry(1), &declined).expect("it answers"));
        assert!(!desk.decline_resolution(entry(1), &declined).expect("it answers"));
        assert_eq!(desk.bookings(Listed::Proposed, None, 5).expect("it answers"), []);
    }
    let resolution = Resolution { booking: entry(1), purpose: Purpose::OwnMoney };
    assert!(begin(desk, Purpose::OwnMoney));
    assert_eq!((approve(desk, 2), approve(desk, 3)), (Agreed::Done, Agreed::Nothing));
    assert_eq!(desk.resolutions(5).expect("it answers"), [resolution]);
    let known = Proposal { resolution, staff: Some(somebody(1)), is_approved: true };
    assert_eq!(desk.proposal(entry(1)).expect("it answers"), Some(known));
    assert!(!desk.decline_resolution(entry(1), &declined).expect("it answers"), "too late");
    assert!(desk.end_resolution(entry(1), true, None).expect("it answers"));
    assert_eq!(desk.proposal(entry(1)).expect("it answers"), None);
    // A mistake, of which the vault says first that the money is gone.
    let back = entry(1).reversed();
    for is_done in [false, true] {
        assert_eq!(desk.booking(back).expect("it answers"), None);
        assert!(begin(desk, Purpose::Reversed));
        assert_eq!(approve(desk, 2), Agreed::Done);
        assert!(desk.end_resolution(entry(1), is_done, None).expect("it answers"));
        assert_eq!(state(desk, 1), BookingState::Done);
    }
    let was = booking(1, BookingState::Open(Why::Reversed));
    let anew = Booking { id: back, entry: back, day: None, ..was };
    assert_eq!(desk.booking(back).expect("it answers"), Some(anew));
    assert!(!begin(desk, Purpose::Reversed), "taken back once");
}

/// An unclear booking is taken in or set aside by somebody, whose deed is in the trail.
pub(super) fn unclear(desk: &mut dyn DeskStore) {
    for (number, reason) in (1..).zip(Unclear::ALL) {
        note(desk, &booking(number, BookingState::Unclear(reason)));
        let aside = done(Action::BookingSetAside);
        assert!(desk.set_booking_aside(entry(number), &aside).expect("it answers"));
        assert!(!desk.set_booking_aside(entry(number), &aside).expect("it answers"));
        assert_eq!(state(desk, number), BookingState::SetAside(reason));
        let back = done(Action::BookingBroughtBack);
        assert!(desk.bring_booking_back(entry(number), &back).expect("it answers"));
        assert!(!desk.bring_booking_back(entry(number), &back).expect("it answers"));
        assert_eq!(state(desk, number), BookingState::Unclear(reason));
        let taken = done(Action::BookingTakenIn);
        let is_taken = desk.take_in_booking(entry(number), &taken).expect("it answers");
        assert_eq!(is_taken, reason.may_be_taken_in(), "{reason:?}");
        assert!(!desk.take_in_booking(entry(number), &taken).expect("it answers"));
    }
    assert_eq!(length(desk), 2 * 5 + 3);
    // What was set aside makes room for what is known better, as what is unclear does.
    note(desk, &booking(9, BookingState::Unclear(Unclear::Undivided)));
    let aside = done(Action::BookingSetAside);
    assert!(desk.set_booking_aside(entry(9), &aside).expect("it answers"));
    assert_eq!(desk.bookings(Listed::SetAside, None, 9).expect("it answers").len(), 1);
    assert!(!note(desk, &booking(9, BookingState::Unclear(Unclear::Undivided))));
    assert!(note(desk, &booking(9, BookingState::Noted)));
    assert_eq!(state(desk, 9), BookingState::Noted);
}

fn payout(number: u8, whose: Whose, amount: u64) -> Payout {
    Payout {
        id: FactId::from_bytes([number; 16]),
        whose,
        by: Asker::Holder,
        asked: Day::from_number(20_100 - u64::from(number)),
        name: "Anna Äpfel".to_owned(),
        iban: "DE89370400440532013000".to_owned(),
        unit: eur(),
        amount,
        text: "Payout".to_owned(),
        state: PayoutState::Asked,
        approvals: 0,
    }
}

fn of_anna() -> Whose {
    Whose::Account(AccountId::from_random([7; 8]))
}

fn add(desk: &mut dyn DeskStore, number: u8, amount: u64) -> FactId {
    let payout = payout(number, of_anna(), amount);
    assert!(desk.add_payout(&payout, None).expect("it answers"));
    assert!(!desk.add_payout(&payout, None).expect("it answers"), "once under its name");
    payout.id
}

fn moved(desk: &mut dyn DeskStore, id: FactId, from: PayoutState, to: PayoutState) -> bool {
    desk.move_payout(id, from, to).expect("it answers")
}

fn approve(desk: &mut dyn DeskStore, id: FactId, by: u8) -> bool {
    let approved = Deed { staff: Some(somebody(by)), ..done(Action::PayoutApproved) };
    desk.approve_payout(id, somebody(by), &approved).expect("it answers")
}

fn order(desk: &mut dyn DeskStore, number: u8, ids: &[FactId]) -> u64 {
    let id = FactId::from_bytes([number; 16]);
    let order = Order { id, unit: eur(), made: NOW, execution: NOW.day() };
    let ordered = done(Action::PayoutsOrdered);
    desk.order_payouts(&order, 1000, ids, &ordered).expect("it answers")
}

/// A payout is approved once by each, ordered once, and not without the approvals it needs.
pub(super) fn payouts(desk: &mut dyn DeskStore) {
    let (small, large) = (add(desk, 1, 1000), add(desk, 2, 1001));
    let known = desk.payout(small).expect("it answers");
    assert_eq!(known, Some(payout(1, of_anna(), 1000)));
    assert_eq!(desk.payout(FactId::from_bytes([9; 16])).expect("it answers"), None);
    assert!(!approve(desk, large, 1), "its money is not held yet");
    for id in [small, large] {
        assert!(moved(desk, id, PayoutState::Asked, PayoutState::Held));
        assert!(!moved(desk, id, PayoutState::Asked, PayoutState::Refused));
    }
    let held = desk.payouts(PayoutState::Held, None, 9).expect("it answers");
    assert_eq!(held.iter().map(|payout| payout.id).collect::<Vec<_>>(), [large, small]);
    let after = Some(Turn { asked: held[0].asked, id: large });
    assert_eq!(desk.payouts(PayoutState::Held, after, 9).expect("it answers").len(), 1);
    assert!(approve(desk, large, 1));
    assert!(!approve(desk, large, 1), "nobody is two");
    assert_eq!(order(desk, 1, &[small, large]), 1);
    assert!(approve(desk, large, 2));
    assert_eq!(desk.approvers(large).expect("it answers"), [somebody(1), somebody(2)]);
    assert_eq!(desk.payout(large).expect("it answers").expect("there").approvals, 2);
    assert_eq!(order(desk, 2, &[small, large, large]), 1);
    assert_eq!(order(desk, 3, &[small, large]), 0, "each stands in one");
    assert_eq!(length(desk), 4);
    let (made, within) =
        desk.order(FactId::from_bytes([2; 16])).expect("it answers").expect("there");
    assert_eq!((made.made, within.len(), within[0].id), (NOW, 1, large));
    assert_eq!(desk.order(FactId::from_bytes([3; 16])).expect("it answers"), None);
    let orders = desk.payout_orders(0, 9).expect("it answers");
    let sums: Vec<_> = orders.iter().map(|sums| (sums.payouts, sums.amount)).collect();
    assert_eq!(sums, [(1, 1000), (1, 1001)]);
    assert_eq!(desk.payout_orders(1, 9).expect("it answers").len(), 1);
    let rejected = done(Action::PayoutRejected);
    assert!(!desk.reject_payout(large, &rejected).expect("it answers"), "it is out");
    let asked = add(desk, 3, 1001);
    assert!(desk.reject_payout(asked, &rejected).expect("it answers"));
    assert!(!desk.reject_payout(asked, &rejected).expect("it answers"));
    assert!(moved(desk, asked, PayoutState::Rejecting, PayoutState::Rejected));
    let Whose::Account(anna) = of_anna() else { panic!("an account") };
    let own = desk.payouts_asked(anna, 2).expect("it answers");
    assert_eq!(own.iter().map(|payout| payout.id).collect::<Vec<_>>(), [small, large]);
    let alike = desk.payouts_of_amount(eur(), 1001, 9).expect("it answers");
    assert_eq!(alike.iter().map(|payout| payout.id).collect::<Vec<_>>(), [large]);
    let by_machine = Payout {
        by: Asker::Machine,
        ..payout(4, Whose::Account(AccountId::from_random([8; 8])), 5)
    };
    let asked = done(Action::PayoutAsked);
    assert!(desk.add_payout(&by_machine, Some(&asked)).expect("it answers"));
    assert_eq!(desk.payout(by_machine.id).expect("it answers"), Some(by_machine));
    assert_eq!(length(desk), 6);
}

/// What goes back to its sender is approved first and set apart then; who says no in time has it open again.
pub(super) fn send_back(desk: &mut dyn DeskStore) {
    let sent = done(Action::BookingSentBack);
    let back = |number, amount| Payout {
        by: Asker::Staff(somebody(3)),
        ..payout(number, Whose::Sender(entry(1)), amount)
    };
    let send = |desk: &mut dyn DeskStore, payout: &Payout| {
        desk.send_back(payout, &sent).expect("it answers")
    };
    assert!(!send(desk, &back(1, 100)), "no such booking");
    note(desk, &booking(1, BookingState::Open(Why::Unknown)));
    let resolution = Resolution { booking: entry(1), purpose: Purpose::BankCost };
    let said = done(Action::BookingResolved);
    assert!(desk.begin_resolution(&resolution, &said).expect("it answers"));
    assert!(!send(desk, &back(1, 100)), "somebody says otherwise");
    assert!(desk.end_resolution(entry(1), false, None).expect("it answers"));
    assert!(send(desk, &back(1, 100)));
    assert!(!send(desk, &back(2, 100)), "it goes back already");
    assert!(!desk.begin_resolution(&resolution, &said).expect("it answers"), "so nothing else");
    assert_eq!(state(desk, 1), BookingState::Open(Why::SendBack));
    assert_eq!(desk.payout(back(1, 100).id).expect("it answers"), Some(back(1, 100)));
    let rejected = done(Action::PayoutRejected);
    assert!(desk.reject_payout(back(1, 100).id, &rejected).expect("it answers"));
    assert_eq!(state(desk, 1), BookingState::Open(Why::Unknown));
    let id = back(2, 100).id;
    assert!(send(desk, &back(2, 100)));
    assert!(!desk.release_payout(id, 99).expect("it answers"), "nobody has approved it");
    assert!(approve(desk, id, 1) && approve(desk, id, 2));
    assert!(desk.release_payout(id, 99).expect("it answers"));
    assert!(!desk.release_payout(id, 99).expect("it answers"));
    assert!(!desk.reject_payout(id, &rejected).expect("it answers"), "too late");
    assert!(moved(desk, id, PayoutState::Releasing, PayoutState::Held));
    assert_eq!(order(desk, 1, &[id]), 1);
    note(
        desk,
        &Booking { direction: Direction::Out, ..booking(2, BookingState::Open(Why::NotOurs)) },
    );
    let out = Payout { whose: Whose::Sender(entry(2)), ..back(3, 200) };
    assert!(!send(desk, &out), "what went cannot go back");
    note(desk, &booking(3, BookingState::Open(Why::Unknown)));
    let alone = Payout { whose: Whose::Sender(entry(3)), ..back(4, 300) };
    assert!(send(desk, &alone));
    assert!(desk.release_payout(alone.id, 300).expect("it answers"), "small enough");
    let account = add(desk, 5, 100);
    assert!(!desk.release_payout(account, 1000).expect("it answers"), "of an account");
}
