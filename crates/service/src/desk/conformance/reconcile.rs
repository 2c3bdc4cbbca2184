//! Files of the bank's, its balances, and what is held against them.

use tacit_core::time::Day;
use tacit_core::unit::Unit;

use super::{NOW, deed};
use crate::account::Direction;
use crate::desk::booking::{Booking, BookingState, Paper, Unclear, Why};
use crate::desk::reconcile::{Approved, HandedIn, StatementFile};
use crate::desk::staff::StaffId;
use crate::desk::trail::Action;
use crate::desk::{DeskStore, Owner};
use crate::posting::EntryId;
use crate::reconcile::{Approval, DaySum, Explanation, Position, StatementBalance};

fn eur() -> Unit {
    Unit::new("eur").expect("a unit")
}

fn usd() -> Unit {
    Unit::new("usd").expect("a unit")
}

fn day(number: u64) -> Day {
    Day::from_number(number)
}

fn owner() -> Owner {
    Owner::Staff(StaffId::from_bytes([1; 16]))
}

fn balance(of: u64, statement: &str, closing: i64) -> StatementBalance {
    StatementBalance {
        account: "DE89370400440532013000".to_owned(),
        day: day(of),
        statement: statement.to_owned(),
        unit: eur(),
        opening: Some(-5),
        closing,
        adds_up: Some(true),
        is_contradicted: false,
    }
}

/// A file is known by its bytes; of a statement the later word stands, and contradicts the earlier if it is another.
pub(super) fn files(desk: &mut dyn DeskStore) {
    let file = StatementFile {
        hash: [1; 32],
        day: day(3),
        is_statement: true,
        new: 4,
        known: 3,
        unclear: 2,
        unbooked: 1,
    };
    let imported = deed(Action::StatementImported, owner());
    let balances = [balance(2, "a", -100), balance(2, "b", 200)];
    assert!(desk.note_file(&file, &balances, Some(&imported)).expect("it answers"));
    let again = StatementFile { day: day(9), new: 0, ..file.clone() };
    let corrected = [
        StatementBalance { opening: None, adds_up: None, ..balance(2, "b", 201) },
        balance(4, "c", 1),
    ];
    assert!(!desk.note_file(&again, &corrected, None).expect("it answers"));
    assert_eq!(desk.file([1; 32]).expect("it answers"), Some(file.clone()));
    assert_eq!(desk.file([2; 32]).expect("it answers"), None);
    let later = StatementFile { hash: [2; 32], day: day(5), is_statement: false, ..file.clone() };
    assert!(desk.note_file(&later, &[], None).expect("it answers"));
    assert_eq!(desk.files(0, 9).expect("it answers"), [later.clone(), file.clone()]);
    assert_eq!(desk.files(0, 1).expect("it answers"), [later]);
    assert_eq!(desk.files(1, 9).expect("it answers"), [file]);
    let all = desk.balances(eur(), day(0)).expect("it answers");
    let other = StatementBalance { is_contradicted: true, ..corrected[0].clone() };
    assert_eq!(all, [balance(2, "a", -100), other.clone(), corrected[1].clone()]);
    // The same again makes it no better, and what says less contradicts nothing.
    let same = [balance(2, "a", -100), StatementBalance { opening: None, ..balance(4, "c", 1) }];
    assert!(
        !desk.note_file(&again, &[same[0].clone(), same[1].clone()], None).expect("it answers")
    );
    assert!(!desk.note_file(&again, &corrected[..1], None).expect("it answers"));
    let all = desk.balances(eur(), day(0)).expect("it answers");
    assert_eq!(all, [same[0].clone(), other, same[1].clone()]);
    assert_eq!(desk.balances(eur(), day(3)).expect("it answers").len(), 1);
    assert_eq!(desk.balances(usd(), day(0)).expect("it answers"), []);
    assert_eq!(desk.trail_head().expect("it answers").length, 1);
}

fn note(desk: &mut dyn DeskStore, number: u8, of: Option<u64>, amount: i64, state: BookingState) {
    let id = EntryId::from_bytes([number; 32]);
    let booking = Booking {
        id,
        entry: id,
        day: of.map(day),
        direction: if amount < 0 { Direction::Out } else { Direction::In },
        unit: eur(),
        amount: amount.unsigned_abs(),
        paper: Paper::default(),
        state,
    };
    assert!(desk.note_bookings(id, &[booking]).expect("it answers"));
}

/// What is posted and what is unclear are summed apart, and what is no money not at all.
pub(super) fn booked(desk: &mut dyn DeskStore) {
    let unclear = BookingState::Unclear(Unclear::Undivided);
    for (number, of, amount, state) in [
        (1, Some(1), 1000, BookingState::Done),
        (2, Some(2), 500, BookingState::Done),
        (3, Some(2), -200, BookingState::Open(Why::NotOurs)),
        (4, Some(3), 70, BookingState::Open(Why::Unknown)),
        (5, Some(3), 9, unclear),
        (6, Some(1), -4, unclear),
        (7, None, 1, unclear),
        (8, None, 10_000, BookingState::Done),
        (9, Some(3), 33, BookingState::SetAside(Unclear::NoReference)),
        (10, Some(3), 44, BookingState::Noted),
    ] {
        note(desk, number, of, amount, state);
    }
    let sums = desk.booked(eur(), day(1)).expect("it answers");
    let sum = |posted, unclear| DaySum { posted, unclear };
    assert_eq!(sums.days, [(day(2), sum(300, 0)), (day(3), sum(70, 9))].into());
    assert_eq!((sums.unclear, sums.noted), (6, 1));
    assert_eq!(desk.booked(usd(), day(0)).expect("it answers"), Default::default());
}

/// The last word of a day stays.
pub(super) fn days(desk: &mut dyn DeskStore) {
    let position = |settlement| Position {
        settlement,
        ecash: 1,
        accounts: 2,
        unissued: 3,
        held: 4,
        refunds: 5,
        suspense: -6,
    };
    for (of, settlement) in [(1, 10), (2, 20), (2, 21)] {
        desk.note_position(eur(), day(of), &position(settlement)).expect("it answers");
    }
    let found = desk.positions(eur(), day(2)).expect("it answers");
    assert_eq!(found, [(day(2), position(21))].into());
    assert_eq!(desk.positions(eur(), day(0)).expect("it answers").len(), 2);
    assert_eq!(desk.positions(usd(), day(0)).expect("it answers").len(), 0);
}

fn said(of: u64, number: u64, difference: Option<i64>, note: &str) -> Explanation {
    Explanation {
        unit: eur(),
        day: day(of),
        number,
        difference,
        note: note.to_owned(),
        staff: StaffId::from_bytes([1; 16]),
        noted: NOW.day(),
        approval: None,
    }
}

fn approve(
    desk: &mut dyn DeskStore,
    explanation: &Explanation,
    settled: Option<u64>,
    by: u8,
) -> Approved {
    let approval = Approval { staff: StaffId::from_bytes([by; 16]), day: NOW.day() };
    let deed = deed(Action::ExplanationApproved, owner());
    let settled = settled.map(day);
    desk.approve_explanation(explanation, settled, approval, &deed).expect("it answers")
}

/// What was said of a difference stays, and counts once somebody else has found it right.
pub(super) fn explanations(desk: &mut dyn DeskStore) {
    let mut all =
        [said(1, 1, Some(-7), "first"), said(2, 1, None, "second"), said(2, 2, Some(7), "third")];
    let explain = |desk: &mut dyn DeskStore, explanation: &Explanation| {
        let deed = deed(Action::DifferenceExplained, owner());
        desk.explain(explanation, &deed).expect("it answers")
    };
    for explanation in [&all[1], &all[2], &all[0]] {
        assert!(explain(desk, explanation));
    }
    assert!(!explain(desk, &said(2, 2, Some(8), "at the same moment")), "its number is taken");
    assert_eq!(desk.explanations(eur()).expect("it answers"), all);
    assert_eq!(desk.explanations(usd()).expect("it answers"), []);
    assert_eq!(approve(desk, &said(3, 1, None, ""), None, 2), Approved::Unknown);
    assert_eq!(approve(desk, &all[0], None, 1), Approved::Own);
    assert_eq!(approve(desk, &all[0], None, 2), Approved::Done);
    assert_eq!(approve(desk, &all[0], None, 3), Approved::Before);
    let approval = Approval { staff: StaffId::from_bytes([2; 16]), day: NOW.day() };
    all[0].approval = Some(approval);
    assert_eq!(desk.explanations(eur()).expect("it answers"), all);
    assert_eq!(desk.trail_head().expect("it answers").length, 4);
}

/// Whoever handed in a file judges nothing of the days it tells of, back to the last that needed no word.
pub(super) fn handed_in(desk: &mut dyn DeskStore) {
    let hand = |desk: &mut dyn DeskStore, number: u8, by: u8, days: Option<(u64, u64)>| {
        let staff = StaffId::from_bytes([by; 16]);
        let days = days.map(|(first, last)| (day(first), day(last)));
        let deed = deed(Action::StatementHandedIn, owner());
        let handed = HandedIn { hash: [number; 32], staff, days };
        desk.hand_in(&handed, &deed).expect("it answers");
    };
    hand(desk, 1, 2, Some((10, 12)));
    hand(desk, 1, 2, Some((10, 12)));
    hand(desk, 1, 3, Some((14, 15)));
    hand(desk, 2, 4, None);
    let of = said(13, 1, Some(1), "why");
    let told = deed(Action::DifferenceExplained, owner());
    assert!(desk.explain(&of, &told).expect("it answers"));
    assert_eq!(approve(desk, &of, None, 2), Approved::HandedIn);
    assert_eq!(approve(desk, &of, Some(11), 2), Approved::HandedIn);
    assert_eq!(approve(desk, &of, Some(12), 4), Approved::HandedIn, "of what days, nobody knows");
    let later = said(14, 1, Some(1), "why");
    assert!(desk.explain(&later, &told).expect("it answers"));
    assert_eq!(approve(desk, &later, Some(13), 3), Approved::HandedIn);
    assert_eq!(approve(desk, &later, Some(12), 2), Approved::Done, "its days were settled");
    assert_eq!(approve(desk, &of, Some(9), 3), Approved::Done, "it tells of later days");
    assert_eq!(desk.trail_head().expect("it answers").length, 8);
}
