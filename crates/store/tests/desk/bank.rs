//! What the bank booked finds what it was for, once, whoever is killed in the middle.

use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_service::account::{
    AccountId, Direction, Holder, HolderKind, HolderState, Level, Limits,
};
use tacit_service::bank::payout::{message_id, order_of, settle as settle_payouts};
use tacit_service::bank::{self, BankVault, Settled, end_to_end_id, settle};
use tacit_service::desk::booking::{
    Booking, BookingState, BookingStore, Listed, Paper, Unclear, Why,
};
use tacit_service::desk::payout::{Asker, Order, Payout, PayoutState, PayoutStore, Whose};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::ledger::{Transfer, TransferId};
use tacit_service::memory::MemoryVault;
use tacit_service::posting::{EntryId, FactId, PostError, Posted, Posting};
use tacit_service::quote::{Method, MintQuote, MintQuoteState, QuoteId};
use tacit_service::vault::{Change, Outcome, StoreError, VaultReader, VaultStore};
use tacit_store::desk::sqlite::SqliteDesk;

use crate::opening::desk;

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_392_000);

pub(crate) fn eur() -> Unit {
    Unit::new("eur").unwrap()
}

/// A desk on disk beside a vault that can be made to fail.
pub(crate) struct Town {
    pub(crate) desk: SqliteDesk,
    pub(crate) vault: MemoryVault,
    /// Postings until the vault answers no more, as if the process were killed.
    pub(crate) posts_left: usize,
    pub(crate) limits: Option<Limits>,
    fee: u64,
    _folder: tempfile::TempDir,
}

/// The vault, until it answers no more.
pub(crate) struct Failing<'a>(pub(crate) &'a mut MemoryVault, pub(crate) &'a mut usize);

impl BankVault for Failing<'_> {
    type Error = StoreError;

    fn holder(&mut self, id: AccountId) -> Result<Option<Holder>, StoreError> {
        self.0.holder(id)
    }

    fn transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        VaultReader::transfer(self.0, id)
    }

    fn unpaid_mint_quotes(&mut self) -> Result<Vec<MintQuote>, StoreError> {
        VaultReader::unpaid_mint_quotes(self.0, NOW)
    }

    fn mint_quotes_of(&mut self, reference: &str) -> Result<Vec<MintQuote>, StoreError> {
        VaultReader::mint_quotes_of(self.0, reference)
    }

    fn post(&mut self, posting: Posting) -> Result<Result<Posted, PostError>, StoreError> {
        *self.1 = self.1.checked_sub(1).ok_or(StoreError::Busy)?;
        let outcome = self.0.commit(&[Change::Post(posting)], NOW)?.remove(0);
        let Outcome::Posted(posted) = outcome else { panic!("{outcome:?}") };
        Ok(posted)
    }
}

impl Town {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(&folder.path().join("desk.sqlite"));
        let vault = MemoryVault::default();
        Self { desk, vault, posts_left: usize::MAX, limits: None, fee: 0, _folder: folder }
    }

    pub(crate) fn commit(&mut self, change: Change) -> Outcome {
        self.vault.commit(&[change], NOW).unwrap().remove(0)
    }

    pub(crate) fn post(&mut self, posting: Posting) {
        assert!(matches!(self.commit(Change::Post(posting)), Outcome::Posted(Ok(Posted::Now))));
    }

    pub(crate) fn open_account(&mut self, number: u8) -> AccountId {
        let id = AccountId::from_random([number; 8]);
        let (kind, level, state) = (HolderKind::Customer, Level::default(), HolderState::Open);
        self.commit(Change::OpenHolder(Holder { id, kind, level, state, key: None }));
        id
    }

    pub(crate) fn note(&mut self, booking: Booking) -> bool {
        self.desk.note_bookings(booking.entry, &[booking]).unwrap()
    }

    pub(crate) fn settle(&mut self) -> Result<Settled, StoreError> {
        let limits = self.limits;
        let mut vault = Failing(&mut self.vault, &mut self.posts_left);
        settle(&mut self.desk, &mut vault, &|_, _| limits)
    }

    pub(crate) fn settle_payouts(&mut self) -> Result<(), StoreError> {
        let mut vault = Failing(&mut self.vault, &mut self.posts_left);
        let fee = self.fee;
        let settled =
            settle_payouts(&mut self.desk, &mut vault, &|_, _| None, &|_| 1000, &|_| fee, NOW);
        settled.map(|exceptions| assert_eq!(exceptions, 0))
    }

    pub(crate) fn ask(&mut self, number: u8, account: AccountId, amount: u64) -> FactId {
        let id = FactId::from_bytes([number; 16]);
        let payout = Payout {
            id,
            whose: Whose::Account(account),
            by: Asker::Holder,
            asked: NOW.day(),
            name: "Anna Apfel".to_owned(),
            iban: "DE89370400440532013000".to_owned(),
            unit: eur(),
            amount,
            text: "Payout".to_owned(),
            state: PayoutState::Asked,
            approvals: 0,
        };
        assert!(self.desk.add_payout(&payout, None).unwrap());
        assert!(!self.desk.add_payout(&payout, None).unwrap());
        id
    }

    pub(crate) fn payout_state(&mut self, id: FactId) -> PayoutState {
        self.desk.payout(id).unwrap().unwrap().state
    }

    pub(crate) fn order(&mut self, number: u8, ids: &[FactId]) -> u64 {
        let id = FactId::from_bytes([number; 16]);
        let order = Order { id, unit: eur(), made: NOW, execution: NOW.day() };
        let deed = deed(Action::PayoutsOrdered);
        self.desk.order_payouts(&order, 1000, ids, &deed).unwrap()
    }

    pub(crate) fn state(&mut self, id: EntryId) -> BookingState {
        self.desk.booking(id).unwrap().unwrap().state
    }

    pub(crate) fn owed(&mut self, id: AccountId) -> u64 {
        self.vault.purse(id, eur()).unwrap().balance.owed().unwrap()
    }
}

pub(crate) fn deed(action: Action) -> Deed {
    Deed { moment: NOW, staff: None, action, subject: String::new(), detail: String::new() }
}

pub(crate) fn entry(number: u8) -> EntryId {
    EntryId::from_bytes([number; 32])
}

pub(crate) fn came(number: u8, amount: u64, reference: Option<String>) -> Booking {
    let paper = Paper { reference, text: "rent".to_owned(), ..Paper::default() };
    Booking {
        id: entry(number),
        entry: entry(number),
        day: Some(Day::from_number(20_779)),
        direction: Direction::In,
        unit: eur(),
        amount,
        paper,
        state: BookingState::Noted,
    }
}

pub(crate) fn reference_of(id: AccountId) -> Option<String> {
    Some(format!("RF00{id}"))
}

pub(crate) fn with_end_to_end(mut booking: Booking, hold: FactId) -> Booking {
    booking.paper.end_to_end = Some(end_to_end_id(hold));
    booking
}

#[test]
fn money_for_an_account_is_credited_once_however_often_it_is_told() {
    let mut town = Town::new();
    let anna = town.open_account(1);
    let booking = came(1, 15_000, reference_of(anna));
    assert!(town.note(booking.clone()));
    assert_eq!(town.settle().unwrap(), Settled { done: 1, open: 0 });
    assert_eq!((town.owed(anna), town.state(entry(1))), (15_000, BookingState::Done));
    assert!(!town.note(booking), "the other file of the bank's");
    assert_eq!(town.settle().unwrap(), Settled::default());
    assert_eq!(town.owed(anna), 15_000);
}

#[test]
fn a_crash_at_any_posting_loses_and_doubles_nothing() {
    for posts in 0..=4 {
        let mut town = Town::new();
        let anna = town.open_account(1);
        for number in [1, 2] {
            town.note(came(number, 700, reference_of(anna)));
        }
        town.posts_left = posts;
        assert_eq!(town.settle().is_ok(), posts == 4, "{posts}");
        // The process begins anew, and the bank's file is imported once more.
        town.posts_left = usize::MAX;
        assert!(!town.note(came(1, 700, reference_of(anna))));
        town.settle().unwrap();
        assert_eq!(town.owed(anna), 1400, "{posts}");
        assert_eq!(town.desk.unsettled_bookings(None, 10).unwrap(), []);
    }
}

#[test]
fn what_nobody_can_place_waits_in_suspense_with_its_paper() {
    let mut town = Town::new();
    let unknown = reference_of(AccountId::from_random([9; 8]));
    town.note(came(1, 100, None));
    town.note(came(2, 100, unknown));
    town.note(Booking { direction: Direction::Out, ..came(3, 100, None) });
    assert_eq!(town.settle().unwrap(), Settled { done: 0, open: 3 });
    let whys = [Why::NoReference, Why::Unknown, Why::NotOurs];
    for (number, why) in (1..).zip(whys) {
        assert_eq!(town.state(entry(number)), BookingState::Open(why));
        assert!(
            VaultReader::transfer(&mut town.vault, tacit_service::posting::booked(entry(number)))
                .unwrap()
                .is_some()
        );
    }
    let waiting = town.desk.bookings(Listed::Waiting, None, 2).unwrap();
    assert_eq!(waiting.len(), 2);
    assert_eq!(waiting[0].paper.text, "rent");
    let rest = town.desk.bookings(Listed::Waiting, Some(waiting[1].place()), 2).unwrap();
    assert_eq!(rest.len(), 1);

    // Its owner opens the account, and the next file finds it.
    let late = town.open_account(9);
    assert_eq!(town.settle().unwrap(), Settled { done: 1, open: 2 });
    assert_eq!(town.owed(late), 100);
}

#[test]
fn a_person_at_the_desk_may_say_what_it_was_for() {
    let mut town = Town::new();
    let anna = town.open_account(1);
    town.note(came(1, 100, None));
    town.settle().unwrap();
    let to = tacit_service::posting::Assignee::Holder {
        holder: anna,
        limits: None,
        source: tacit_service::posting::Source::Own,
    };
    town.post(Posting::Assign { entry: entry(1), unit: eur(), to });
    assert_eq!(town.settle().unwrap(), Settled { done: 1, open: 0 });
    assert_eq!((town.owed(anna), town.state(entry(1))), (100, BookingState::Done));
}

#[test]
fn limits_and_frozen_accounts_keep_money_in_suspense() {
    let mut town = Town::new();
    let anna = town.open_account(1);
    town.limits = Some(Limits { day: 150, month: 1000 });
    town.note(came(1, 100, reference_of(anna)));
    town.note(came(2, 100, reference_of(anna)));
    assert_eq!(town.settle().unwrap(), Settled { done: 1, open: 1 });
    assert_eq!(town.state(entry(2)), BookingState::Open(Why::Limit));
    assert_eq!(town.owed(anna), 100);
    let state = HolderState::Frozen;
    town.commit(Change::SetHolderState { holder: anna, state, units: vec![eur()] });
    town.settle().unwrap();
    assert_eq!(town.state(entry(2)), BookingState::Open(Why::Account));
}

#[test]
fn a_mint_quote_is_paid_by_its_reference_and_exact_amount() {
    let mut town = Town::new();
    let id = QuoteId::from_random([5; 16]);
    let reference = "RF59000000000077".to_owned();
    town.commit(Change::OpenMintQuote(MintQuote {
        id,
        unit: eur(),
        method: Method::Bank,
        request: reference.clone(),
        amount: 1050,
        pubkey: None,
        expiry: Timestamp::from_seconds(NOW.seconds() + 3600),
        state: MintQuoteState::Unpaid,
    }));
    town.note(came(1, 1000, Some(reference.clone())));
    town.note(came(2, 1050, Some(reference.clone())));
    town.note(came(3, 1050, Some(reference)));
    town.settle().unwrap();
    assert_eq!(town.state(entry(1)), BookingState::Open(Why::Amount));
    assert_eq!(town.state(entry(2)), BookingState::Done);
    assert_eq!(town.state(entry(3)), BookingState::Open(Why::Paid), "paid twice");
    let quote = VaultReader::mint_quote(&mut town.vault, id).unwrap().unwrap();
    assert_eq!(quote.state, MintQuoteState::Paid);
}

#[test]
fn money_that_comes_after_a_quote_has_expired_is_for_it_all_the_same() {
    let mut town = Town::new();
    let id = QuoteId::from_random([5; 16]);
    let reference = "RF59000000000077".to_owned();
    town.commit(Change::OpenMintQuote(MintQuote {
        id,
        unit: eur(),
        method: Method::Bank,
        request: reference.clone(),
        amount: 1050,
        pubkey: None,
        expiry: Timestamp::from_seconds(NOW.seconds() - 86_400),
        state: MintQuoteState::Unpaid,
    }));
    town.note(came(1, 1000, Some(reference.clone())));
    town.note(came(2, 1050, Some(reference)));
    town.settle().unwrap();
    assert_eq!(town.state(entry(1)), BookingState::Open(Why::Amount));
    assert_eq!(town.state(entry(2)), BookingState::Done);
    let quote = VaultReader::mint_quote(&mut town.vault, id).unwrap().unwrap();
    assert_eq!(quote.state, MintQuoteState::Paid);
}

#[test]
fn a_payout_is_paid_when_the_bank_says_so_and_comes_back_to_its_owner() {
    let mut town = Town::new();
    let anna = town.open_account(1);
    town.note(came(1, 1000, reference_of(anna)));
    town.settle().unwrap();
    let hold = FactId::from_bytes([7; 16]);
    town.post(Posting::Hold { hold, holder: anna, unit: eur(), amount: 400, fee: 0, limits: None });
    let returned = |number| {
        let mut booking = with_end_to_end(came(number, 400, None), hold);
        booking.paper.returned = Some("AC04".to_owned());
        booking
    };
    // Its notification may come before that of the payment itself.
    town.note(returned(2));
    town.settle().unwrap();
    assert_eq!(town.state(entry(2)), BookingState::Open(Why::Early));
    let went = |number, amount| {
        let booking = Booking { direction: Direction::Out, ..came(number, amount, None) };
        with_end_to_end(booking, hold)
    };
    town.note(went(3, 401));
    town.settle().unwrap();
    assert_eq!(town.state(entry(3)), BookingState::Open(Why::Amount));
    town.note(went(4, 400));
    town.settle().unwrap();
    town.settle().unwrap();
    assert_eq!(town.state(entry(4)), BookingState::Done);
    assert_eq!(town.state(entry(2)), BookingState::Done);
    assert_eq!(town.owed(anna), 1000);
    // The bank carries the same order out a second time: that is nobody's, and somebody has to see it.
    town.note(went(5, 400));
    town.settle().unwrap();
    assert_eq!(town.state(entry(5)), BookingState::Open(Why::Paid));
    assert_eq!(town.owed(anna), 1000);
}

#[test]
fn an_unclear_booking_makes_room_for_its_details_and_for_nothing_else() {
    let mut town = Town::new();
    let anna = town.open_account(1);
    let unclear = BookingState::Unclear(Unclear::Undivided);
    assert!(town.note(Booking { state: unclear, ..came(1, 300, None) }));
    assert_eq!(town.settle().unwrap(), Settled::default());
    assert_eq!(town.state(entry(1)), unclear);
    assert!(!town.note(Booking { state: unclear, ..came(1, 300, None) }), "the same again");
    let part =
        |number, amount| Booking { entry: entry(1), ..came(number, amount, reference_of(anna)) };
    let parts = [part(11, 100), part(12, 200)];
    assert!(town.desk.note_bookings(entry(1), &parts).unwrap());
    assert_eq!(town.desk.booking(entry(1)).unwrap(), None);
    // A file that divides it in another way comes too late, and so does one that does not divide it.
    assert!(!town.desk.note_bookings(entry(1), &[part(13, 300)]).unwrap());
    assert!(!town.note(Booking { state: unclear, ..came(1, 300, None) }));
    assert_eq!(town.settle().unwrap(), Settled { done: 2, open: 0 });
    assert_eq!(town.owed(anna), 300);
}

#[test]
fn only_ids_of_our_payouts_lead_back_to_them() {
    let hold = FactId::from_bytes([0xab; 16]);
    assert_eq!(end_to_end_id(hold).len(), 34);
    let mut town = Town::new();
    for (number, id) in (1..).zip(["TP", "TPxyz", "NOTPROVIDED", &bank::end_to_end_id(hold)]) {
        let mut booking = Booking { direction: Direction::Out, ..came(number, 5, None) };
        booking.paper.end_to_end = Some(id.to_owned());
        town.note(booking);
        town.settle().unwrap();
        assert_eq!(town.state(entry(number)), BookingState::Open(Why::NotOurs), "{id}");
    }
}

#[test]
fn a_payout_is_held_once_and_ordered_once_whoever_is_killed() {
    for posts in [0, usize::MAX] {
        let mut town = Town::new();
        let anna = town.open_account(1);
        town.note(came(1, 1500, reference_of(anna)));
        town.settle().unwrap();
        let id = town.ask(1, anna, 1000);
        let too_much = town.ask(2, anna, 9999);
        town.posts_left = posts;
        _ = town.settle_payouts();
        town.posts_left = usize::MAX;
        town.settle_payouts().unwrap();
        town.settle_payouts().unwrap();
        assert_eq!(town.payout_state(id), PayoutState::Held);
        assert_eq!(town.payout_state(too_much), PayoutState::Refused);
        assert_eq!(town.owed(anna), 500);

        assert_eq!(town.order(9, &[id, too_much, id]), 1);
        assert_eq!(town.order(8, &[id]), 0, "it stands in an order");
        let order = FactId::from_bytes([9; 16]);
        let (made, payouts) = town.desk.order(order).unwrap().unwrap();
        assert_eq!((made.made, payouts.len(), payouts[0].id), (NOW, 1, id));
        assert_eq!(town.desk.order(FactId::from_bytes([8; 16])).unwrap(), None);
        assert_eq!(order_of(&message_id(order)), Some(order));
        assert_eq!((message_id(order).len(), order_of("TP00")), (34, None));
        assert!(!town.desk.reject_payout(id, &deed(Action::PayoutRejected)).unwrap());
    }
}

#[test]
fn above_the_limit_two_people_approve_and_one_person_counts_once() {
    let mut town = Town::new();
    let anna = town.open_account(1);
    town.note(came(1, 5000, reference_of(anna)));
    town.settle().unwrap();
    let id = town.ask(1, anna, 1001);
    let approve = |town: &mut Town, staff: u8| {
        let staff = StaffId::from_bytes([staff; 16]);
        town.desk.approve_payout(id, staff, &deed(Action::PayoutApproved)).unwrap()
    };
    assert!(!approve(&mut town, 1), "not held yet");
    town.settle_payouts().unwrap();
    assert_eq!(town.order(9, &[id]), 0);
    assert!(approve(&mut town, 1));
    assert!(!approve(&mut town, 1));
    assert_eq!(town.order(9, &[id]), 0);
    assert!(approve(&mut town, 2));
    assert_eq!(town.desk.payout(id).unwrap().unwrap().approvals, 2);
    assert_eq!(town.order(9, &[id]), 1);
    assert!(!approve(&mut town, 3));
}

#[test]
fn a_rejected_payout_gives_the_money_back_once() {
    let mut town = Town::new();
    let anna = town.open_account(1);
    town.note(came(1, 1000, reference_of(anna)));
    town.settle().unwrap();
    town.fee = 5;
    let (held, asked) = (town.ask(1, anna, 600), town.ask(2, anna, 100));
    let reject =
        |town: &mut Town, id| town.desk.reject_payout(id, &deed(Action::PayoutRejected)).unwrap();
    assert!(reject(&mut town, asked), "before anything was held");
    town.settle_payouts().unwrap();
    assert_eq!(town.owed(anna), 395, "the payout, and what it costs");
    assert!(reject(&mut town, held));
    assert!(!reject(&mut town, held));
    assert_eq!(town.order(9, &[held, asked]), 0);
    town.posts_left = 0;
    assert!(town.settle_payouts().is_err());
    town.posts_left = usize::MAX;
    town.settle_payouts().unwrap();
    town.settle_payouts().unwrap();
    assert_eq!(town.owed(anna), 1000);
    for id in [held, asked] {
        assert_eq!(town.payout_state(id), PayoutState::Rejected);
    }
}
