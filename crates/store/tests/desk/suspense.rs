//! What people say of bookings and payouts reaches the vault once, whoever is killed between the two.

use tacit_service::account::{Direction, HolderState};
use tacit_service::bank::resolve::{carry_out, settle as settle_resolutions};
use tacit_service::desk::booking::{
    Booking, BookingState, BookingStore, Purpose, QuoteMark, Resolution, Unclear, Why,
};
use tacit_service::desk::payout::{Asker, Payout, PayoutState, PayoutStore, Whose};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::{Action, Deed, TrailStore};
use tacit_service::posting::{self, FactId, PostError, Posting};
use tacit_service::quote::{Method, MintQuote, MintQuoteState, QuoteId};
use tacit_service::vault::{Change, StoreError, VaultReader};

use crate::bank::{Failing, NOW, Town, came, deed, entry, eur, reference_of, with_end_to_end};

impl Town {
    /// Somebody says what a booking was for; the vault is not told yet.
    fn say(&mut self, number: u8, purpose: Purpose) -> bool {
        let resolution = Resolution { booking: entry(number), purpose };
        self.desk.begin_resolution(&resolution, &deed(Action::BookingResolved)).unwrap()
    }

    fn settle_resolutions(&mut self) -> Result<(), StoreError> {
        let limits = self.limits;
        let mut vault = Failing(&mut self.vault, &mut self.posts_left);
        settle_resolutions(&mut self.desk, &mut vault, &|_, _| limits, NOW)
    }

    fn carry_out(&mut self, number: u8, purpose: Purpose) -> Result<(), PostError> {
        let limits = self.limits;
        let resolution = Resolution { booking: entry(number), purpose };
        let mut vault = Failing(&mut self.vault, &mut self.posts_left);
        carry_out(&mut self.desk, &mut vault, &resolution, &|_, _| limits, NOW).unwrap()
    }

    fn resolve(&mut self, number: u8, purpose: Purpose) -> Result<(), PostError> {
        assert!(self.say(number, purpose));
        self.carry_out(number, purpose)
    }

    fn trail(&mut self) -> Vec<String> {
        let entries = self.desk.trail(1, 100).unwrap();
        entries.into_iter().map(|entry| entry.action).collect()
    }

    /// Somebody sends back what came.
    fn send_back(&mut self, number: u8, amount: u64) -> FactId {
        let id = FactId::from_bytes([number + 100; 16]);
        let payout = Payout {
            id,
            whose: Whose::Sender(entry(number)),
            by: Asker::Staff(StaffId::from_bytes([1; 16])),
            asked: NOW.day(),
            name: "Nobody".to_owned(),
            iban: "DE89370400440532013000".to_owned(),
            unit: eur(),
            amount,
            text: "Returned".to_owned(),
            state: PayoutState::Asked,
            approvals: 0,
        };
        assert!(self.desk.send_back(&payout, &deed(Action::BookingSentBack)).unwrap());
        id
    }

    fn approve(&mut self, id: FactId, by: u8) {
        let staff = StaffId::from_bytes([by; 16]);
        let deed = Deed { staff: Some(staff), ..deed(Action::PayoutApproved) };
        assert!(self.desk.approve_payout(id, staff, &deed).unwrap());
    }

    /// What is in suspense, less what went out for nothing known.
    fn suspense(&mut self) -> i128 {
        let books = self.vault.books().unwrap();
        let account = tacit_service::ledger::Account::Suspense(eur());
        let balance = books.balances.get(&account).copied().unwrap_or_default();
        i128::from(balance.credits) - i128::from(balance.debits)
    }
}

#[test]
fn what_somebody_says_is_booked_once_wherever_the_server_is_killed() {
    // Killed before the vault has it; and after that, before the desk knows.
    for is_posted in [false, true] {
        let mut town = Town::new();
        let anna = town.open_account(1);
        town.note(came(1, 700, None));
        town.settle().unwrap();
        assert!(town.say(1, Purpose::Account(anna)));
        if is_posted {
            let to = posting::Assignee::Holder {
                holder: anna,
                limits: None,
                source: posting::Source::Own,
            };
            town.post(Posting::Assign { entry: entry(1), unit: eur(), to });
        }
        town.posts_left = 0;
        assert!(town.settle_resolutions().is_err());
        assert_eq!(town.state(entry(1)), BookingState::Open(Why::NoReference));
        town.posts_left = usize::MAX;
        for _ in 0..2 {
            town.settle_resolutions().unwrap();
            assert_eq!((town.owed(anna), town.state(entry(1))), (700, BookingState::Done));
        }
        assert_eq!(town.desk.resolutions(9).unwrap(), []);
        assert_eq!(town.trail(), ["booking-resolved"]);
        assert_eq!(town.suspense(), 0);
    }
}

#[test]
fn what_the_vault_refuses_waits_again_and_stands_in_the_trail() {
    let mut town = Town::new();
    let anna = town.open_account(1);
    town.note(came(1, 700, None));
    town.settle().unwrap();
    town.limits = Some(tacit_service::account::Limits { day: 699, month: 10_000 });
    let over = PostError::OverLimit(tacit_service::account::OverLimit::Day);
    assert_eq!(town.resolve(1, Purpose::Account(anna)), Err(over));
    assert_eq!(town.state(entry(1)), BookingState::Open(Why::NoReference));
    town.limits = None;
    let state = HolderState::Frozen;
    town.commit(Change::SetHolderState { holder: anna, state, units: vec![eur()] });
    assert_eq!(town.resolve(1, Purpose::Account(anna)), Err(PostError::Frozen));
    let nobody = tacit_service::account::AccountId::from_random([9; 8]);
    assert_eq!(town.resolve(1, Purpose::Account(nobody)), Err(PostError::UnknownHolder));
    assert_eq!(town.resolve(1, Purpose::BankCost), Err(PostError::WrongWay));
    let hold = FactId::from_bytes([7; 16]);
    assert_eq!(town.resolve(1, Purpose::Payout(hold)), Err(PostError::Missing));
    assert_eq!(town.resolve(1, Purpose::Returned(hold)), Err(PostError::Missing));
    assert_eq!((town.owed(anna), town.suspense()), (0, 700));
    let refused = town.trail().iter().filter(|action| *action == "booking-not-resolved").count();
    assert_eq!((refused, town.trail().len()), (6, 12));
}

#[test]
fn of_two_who_say_different_things_one_is_right() {
    let mut town = Town::new();
    let (anna, bert) = (town.open_account(1), town.open_account(2));
    town.note(came(1, 700, reference_of(anna)));
    town.limits = Some(tacit_service::account::Limits { day: 1, month: 1 });
    town.settle().unwrap();
    town.limits = None;
    assert!(town.say(1, Purpose::Account(bert)));
    assert!(!town.say(1, Purpose::Account(anna)), "somebody is saying so just now");
    // The hour strikes: its reference places it first.
    town.settle().unwrap();
    assert_eq!(town.carry_out(1, Purpose::Account(bert)), Err(PostError::Done));
    assert_eq!((town.owed(anna), town.owed(bert)), (700, 0));
    assert_eq!(town.state(entry(1)), BookingState::Done);
    assert_eq!(town.trail(), ["booking-resolved", "booking-not-resolved"]);
}

#[test]
fn a_quote_is_found_by_its_mark_and_paid_once() {
    let mut town = Town::new();
    let id = QuoteId::from_random([5; 16]);
    town.commit(Change::OpenMintQuote(MintQuote {
        id,
        unit: eur(),
        method: Method::Bank,
        request: "RF59000000000077".to_owned(),
        amount: 1050,
        pubkey: None,
        expiry: tacit_core::time::Timestamp::from_seconds(NOW.seconds() + 3600),
        state: MintQuoteState::Unpaid,
    }));
    for (number, amount) in [(1, 1050), (2, 1050), (3, 1000)] {
        town.note(came(number, amount, None));
    }
    town.settle().unwrap();
    let mark = |number| Purpose::Quote(QuoteMark::of(entry(number), id));
    assert_eq!(town.resolve(3, mark(3)), Err(PostError::WrongAmount));
    assert_eq!(town.resolve(1, mark(2)), Err(PostError::QuoteNotOpen), "another booking's mark");
    // Killed after the vault has it: the quote is no longer among the open ones.
    assert!(town.say(1, mark(1)));
    let to = posting::Assignee::Quote(id);
    town.post(Posting::Assign { entry: entry(1), unit: eur(), to });
    town.settle_resolutions().unwrap();
    assert_eq!(town.state(entry(1)), BookingState::Done);
    assert_eq!(town.resolve(2, mark(2)), Err(PostError::QuoteNotOpen), "paid already");
    let quote = VaultReader::mint_quote(&mut town.vault, id).unwrap().unwrap();
    assert_eq!(quote.state, MintQuoteState::Paid);
}

#[test]
fn money_that_went_is_a_payout_or_a_charge_and_comes_back_to_its_owner() {
    let mut town = Town::new();
    let anna = town.open_account(1);
    town.note(came(1, 1000, reference_of(anna)));
    town.settle().unwrap();
    let hold = town.ask(7, anna, 400);
    town.settle_payouts().unwrap();
    assert_eq!(town.order(9, &[hold]), 1);
    let went = |number, amount| Booking { direction: Direction::Out, ..came(number, amount, None) };
    for (number, amount) in [(2, 400), (3, 401), (4, 25), (5, 400)] {
        town.note(went(number, amount));
    }
    town.note(came(6, 400, None));
    town.settle().unwrap();
    assert_eq!(town.resolve(6, Purpose::Returned(hold)), Err(PostError::Missing), "not gone yet");
    assert_eq!(town.resolve(3, Purpose::Payout(hold)), Err(PostError::WrongAmount));
    assert_eq!(town.resolve(2, Purpose::Payout(hold)), Ok(()));
    assert_eq!(town.resolve(5, Purpose::Payout(hold)), Err(PostError::Done), "it left once");
    assert_eq!(town.resolve(4, Purpose::BankCost), Ok(()));
    assert_eq!(town.owed(anna), 600);
    town.limits = Some(tacit_service::account::Limits { day: 0, month: 0 });
    assert_eq!(town.resolve(6, Purpose::Returned(hold)), Ok(()), "it was theirs before");
    assert_eq!(town.owed(anna), 1000);
    assert_eq!(town.state(entry(3)), BookingState::Open(Why::NotOurs));
}

#[test]
fn what_goes_back_leaves_once_wherever_the_server_is_killed() {
    for posts in [0, 1] {
        let mut town = Town::new();
        town.note(came(1, 5000, None));
        town.settle().unwrap();
        let id = town.send_back(1, 5000);
        town.settle_payouts().unwrap();
        town.settle().unwrap();
        assert_eq!(town.payout_state(id), PayoutState::Asked, "nobody has approved it");
        assert_eq!(
            (town.state(entry(1)), town.suspense()),
            (BookingState::Open(Why::SendBack), 5000)
        );
        town.approve(id, 1);
        town.approve(id, 2);
        town.posts_left = posts;
        _ = town.settle_payouts();
        let is_late = !town.desk.reject_payout(id, &deed(Action::PayoutRejected)).unwrap();
        assert!(is_late, "two have let it go");
        town.posts_left = usize::MAX;
        for _ in 0..2 {
            town.settle_payouts().unwrap();
            assert_eq!(town.payout_state(id), PayoutState::Held);
        }
        assert_eq!((town.state(entry(1)), town.suspense()), (BookingState::Done, 0));
        assert_eq!(town.order(9, &[id]), 1);
        let went = Booking { direction: Direction::Out, ..came(2, 5000, None) };
        town.note(with_end_to_end(went, id));
        town.settle().unwrap();
        assert_eq!((town.state(entry(2)), town.suspense()), (BookingState::Done, 0));
    }
}

#[test]
fn what_was_to_go_back_waits_again_if_somebody_says_no_in_time() {
    let mut town = Town::new();
    let anna = town.open_account(1);
    town.note(came(1, 5000, None));
    town.settle().unwrap();
    let id = town.send_back(1, 5000);
    assert!(!town.say(1, Purpose::Account(anna)), "it is to go back");
    town.approve(id, 1);
    town.settle_payouts().unwrap();
    assert!(town.desk.reject_payout(id, &deed(Action::PayoutRejected)).unwrap());
    town.settle_payouts().unwrap();
    town.settle().unwrap();
    assert_eq!(town.payout_state(id), PayoutState::Rejected);
    assert_eq!(town.state(entry(1)), BookingState::Open(Why::NoReference));
    assert_eq!(town.resolve(1, Purpose::Account(anna)), Ok(()));
    assert_eq!(town.owed(anna), 5000);
    // An amount that needs nobody's approval goes at once, and no booking goes back twice.
    town.note(came(2, 900, None));
    town.settle().unwrap();
    let small = town.send_back(2, 900);
    town.settle_payouts().unwrap();
    assert_eq!(town.payout_state(small), PayoutState::Held);
    assert_eq!(town.state(entry(2)), BookingState::Done);
}

#[test]
fn a_rejected_payout_is_given_back_wherever_the_server_is_killed() {
    for is_posted in [false, true] {
        let mut town = Town::new();
        let anna = town.open_account(1);
        town.note(came(1, 1500, reference_of(anna)));
        town.settle().unwrap();
        let hold = town.ask(1, anna, 1200);
        town.settle_payouts().unwrap();
        assert_eq!(town.owed(anna), 300);
        assert!(town.desk.reject_payout(hold, &deed(Action::PayoutRejected)).unwrap());
        if is_posted {
            town.post(Posting::Release { hold, holder: anna, unit: eur() });
        }
        town.posts_left = 0;
        assert!(town.settle_payouts().is_err());
        assert_eq!(town.payout_state(hold), PayoutState::Rejecting);
        town.posts_left = usize::MAX;
        for _ in 0..2 {
            town.settle_payouts().unwrap();
            assert_eq!((town.owed(anna), town.payout_state(hold)), (1500, PayoutState::Rejected));
        }
    }
}

#[test]
fn an_unclear_booking_that_is_taken_in_is_booked_once_and_not_divided_later() {
    let mut town = Town::new();
    let anna = town.open_account(1);
    let unclear = BookingState::Unclear(Unclear::Undivided);
    town.note(Booking { state: unclear, ..came(1, 300, None) });
    town.settle().unwrap();
    assert_eq!(town.suspense(), 0, "nothing is booked that is not clear");
    assert!(town.desk.take_in_booking(entry(1), &deed(Action::BookingTakenIn)).unwrap());
    town.posts_left = 0;
    assert!(town.settle().is_err());
    town.posts_left = usize::MAX;
    for _ in 0..2 {
        town.settle().unwrap();
        assert_eq!(town.suspense(), 300);
    }
    let part = |number| Booking { entry: entry(1), ..came(number, 150, reference_of(anna)) };
    assert!(!town.desk.note_bookings(entry(1), &[part(11), part(12)]).unwrap());
    assert_eq!(town.resolve(1, Purpose::Account(anna)), Ok(()));
    assert_eq!((town.owed(anna), town.suspense()), (300, 0));
}
