//! Two servers at one desk, each stopped between any two of its steps, with the other going on.

use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;

use super::{NOW, deed};
use crate::account::{AccountId, Direction, Holder, HolderKind, HolderState, Level, Limits};
use crate::bank::payout::{Became, carry, give_back, note, settle};
use crate::bank::{self, BankVault};
use crate::desk::booking::{Booking, BookingState, Paper, Why};
use crate::desk::exception::{Exception, Kind};
use crate::desk::payout::{Asker, Order, Payout, PayoutState, Whose};
use crate::desk::staff::StaffId;
use crate::desk::trail::Action;
use crate::desk::{DeskStore, Owner};
use crate::ledger::{Transfer, TransferId};
use crate::memory::MemoryVault;
use crate::posting::{self, Assignee, EntryId, FactId, PostError, Posted, Posting, Source};
use crate::quote::MintQuote;
use crate::vault::{Change, Outcome, StoreError, VaultReader, VaultStore};

const AMOUNT: u64 = 400;

/// The vault, as both servers have it.
struct Vault(MemoryVault);

impl BankVault for Vault {
    type Error = StoreError;

    fn holder(&mut self, id: AccountId) -> Result<Option<Holder>, StoreError> {
        self.0.holder(id)
    }

    fn transfer(&mut self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        VaultReader::transfer(&mut self.0, id)
    }

    fn unpaid_mint_quotes(&mut self) -> Result<Vec<MintQuote>, StoreError> {
        VaultReader::unpaid_mint_quotes(&mut self.0, NOW)
    }

    fn mint_quotes_of(&mut self, reference: &str) -> Result<Vec<MintQuote>, StoreError> {
        VaultReader::mint_quotes_of(&mut self.0, reference)
    }

    fn post(&mut self, posting: Posting) -> Result<Result<Posted, PostError>, StoreError> {
        let outcome = self.0.commit(&[Change::Post(posting)], NOW)?.remove(0);
        let Outcome::Posted(posted) = outcome else { panic!("{outcome:?}") };
        Ok(posted)
    }
}

impl Vault {
    /// With an account of 1,000, which it returns.
    fn with_money(number: u8) -> (Self, AccountId) {
        let id = AccountId::from_random([number; 8]);
        let (kind, level, state) = (HolderKind::Customer, Level::default(), HolderState::Open);
        let mut vault = Self(MemoryVault::default());
        let holder = Holder { id, kind, level, state, key: None };
        vault.0.commit(&[Change::OpenHolder(holder)], NOW).expect("it answers");
        let entry = EntryId::from_bytes([number; 32]);
        vault.put(Posting::Arrived { entry, unit: eur(), amount: 1000 });
        let to = Assignee::Holder { holder: id, limits: None, source: Source::Own };
        vault.put(Posting::Assign { entry, unit: eur(), to });
        (vault, id)
    }

    fn put(&mut self, posting: Posting) {
        assert_eq!(self.post(posting).expect("it answers"), Ok(Posted::Now));
    }

    fn owed(&mut self, id: AccountId) -> u64 {
        self.0.purse(id, eur()).expect("it answers").balance.owed().expect("not below zero")
    }
}

fn eur() -> Unit {
    Unit::new("eur").expect("a unit")
}

fn staff() -> Owner {
    Owner::Staff(StaffId::from_bytes([1; 16]))
}

fn payout(number: u8, whose: Whose) -> Payout {
    Payout {
        id: FactId::from_bytes([number; 16]),
        whose,
        by: Asker::Holder,
        asked: NOW.day(),
        name: "Anna Äpfel".to_owned(),
        iban: "DE89370400440532013000".to_owned(),
        unit: eur(),
        amount: AMOUNT,
        text: "Payout".to_owned(),
        state: PayoutState::Asked,
        approvals: 0,
    }
}

fn state(desk: &mut dyn DeskStore, id: FactId) -> PayoutState {
    desk.payout(id).expect("it answers").expect("there").state
}

fn settle_all(desk: &mut dyn DeskStore, vault: &mut Vault, limits: Option<Limits>) -> u64 {
    settle(desk, vault, &|_, _| limits, &|_| 1000, &|_| 0, NOW).expect("it answers")
}

/// What the other server does, or staff do on it, while the first stands still.
#[derive(Clone, Copy, Debug)]
enum Other {
    Nothing,
    /// Takes the payout up.
    Settles,
    /// The same, at a moment at which the vault refuses it.
    IsRefused,
    /// Staff say no.
    Rejects,
    /// Staff say no, and it is taken up.
    RejectsAndSettles,
    /// Takes it up, and staff put it into an order.
    Orders,
}

const OTHERS: [Other; 6] = [
    Other::Nothing,
    Other::Settles,
    Other::IsRefused,
    Other::Rejects,
    Other::RejectsAndSettles,
    Other::Orders,
];

impl Other {
    fn goes_on(self, desk: &mut dyn DeskStore, vault: &mut Vault, id: FactId) {
        let nothing = Some(Limits { day: 0, month: 0 });
        match self {
            Self::Nothing => {}
            Self::Settles => assert_eq!(settle_all(desk, vault, None), 0),
            Self::IsRefused => assert_eq!(settle_all(desk, vault, nothing), 0),
            Self::Rejects | Self::RejectsAndSettles => {
                desk.reject_payout(id, &deed(Action::PayoutRejected, staff())).expect("it answers");
                if matches!(self, Self::RejectsAndSettles) {
                    assert_eq!(settle_all(desk, vault, None), 0);
                }
            }
            Self::Orders => {
                assert_eq!(settle_all(desk, vault, None), 0);
                let made = Order { id, unit: eur(), made: NOW, execution: NOW.day() };
                let ordered = deed(Action::PayoutsOrdered, staff());
                desk.order_payouts(&made, 1000, &[id], &ordered).expect("it answers");
            }
        }
    }
}

/// The vault holds what the desk says, wherever the first server stands still, is overtaken, goes on or is killed.
pub(super) fn payouts(desk: &mut dyn DeskStore) {
    let mut number = 0;
    for before in OTHERS {
        for after in OTHERS {
            for (is_refused, is_killed) in
                [(false, false), (true, false), (false, true), (true, true)]
            {
                number += 1;
                let (mut vault, anna) = Vault::with_money(number);
                let asked = payout(number, Whose::Account(anna));
                assert!(desk.add_payout(&asked, None).expect("it answers"));
                before.goes_on(desk, &mut vault, asked.id);
                let limits = is_refused.then_some(Limits { day: 0, month: 0 });
                let carried = carry(&mut vault, &asked, anna, &|_, _| limits, &|_| 0);
                let carried = carried.expect("it answers");
                after.goes_on(desk, &mut vault, asked.id);
                if !is_killed {
                    let became = note(desk, &mut vault, &asked, anna, carried);
                    assert_eq!(became.expect("it answers"), Became::AsItShould);
                }
                assert_eq!(settle_all(desk, &mut vault, None), 0);
                let given = give_back(desk, &mut vault, NOW.day(), NOW).expect("it answers");
                let case = (before, after, is_refused, is_killed);
                assert!(is_killed || given == (0, 0), "{case:?}: left to the sweep");
                let left = match state(desk, asked.id) {
                    PayoutState::Held | PayoutState::Ordered => 1000 - AMOUNT,
                    PayoutState::Refused | PayoutState::Rejected => 1000,
                    other @ (PayoutState::Asked
                    | PayoutState::Releasing
                    | PayoutState::Rejecting) => panic!("{case:?}: {other:?}"),
                };
                assert_eq!(vault.owed(anna), left, "{case:?}");
                finish(desk, asked.id);
            }
        }
    }
    assert_eq!(desk.exceptions(None, 9).expect("it answers"), []);
}

/// What is held waits no longer: the next case has a vault of its own.
fn finish(desk: &mut dyn DeskStore, id: FactId) {
    for from in [PayoutState::Held, PayoutState::Refused, PayoutState::Rejected] {
        desk.move_payout(id, from, PayoutState::Ordered).expect("it answers");
    }
}

/// What was paid without an order cannot be given back: a person is told, once.
pub(super) fn stuck(desk: &mut dyn DeskStore) {
    let (mut vault, anna) = Vault::with_money(1);
    let asked = payout(1, Whose::Account(anna));
    assert!(desk.add_payout(&asked, None).expect("it answers"));
    assert_eq!(settle_all(desk, &mut vault, None), 0);
    let entry = EntryId::from_bytes([9; 32]);
    vault.put(Posting::Departed { entry, unit: eur(), amount: AMOUNT });
    let to = Assignee::Hold { hold: asked.id, holder: anna };
    vault.put(Posting::Assign { entry, unit: eur(), to });
    let rejected = deed(Action::PayoutRejected, staff());
    assert!(desk.reject_payout(asked.id, &rejected).expect("it answers"));
    assert_eq!(settle_all(desk, &mut vault, None), 1);
    assert_eq!(settle_all(desk, &mut vault, None), 0, "it is known");
    let subject = format!("payout {}", asked.id);
    let known = Exception { kind: Kind::Payout, subject: subject.clone(), raised: NOW.day() };
    assert_eq!(desk.exceptions(None, 9).expect("it answers"), std::slice::from_ref(&known));
    assert_eq!(desk.exceptions(Some(&known), 9).expect("it answers"), []);
    let end = |desk: &mut dyn DeskStore, kind| {
        let ended = deed(Action::ExceptionEnded, staff());
        desk.end_exception(kind, &subject, &ended).expect("it answers")
    };
    let length = desk.trail_head().expect("it answers").length;
    assert!(!end(desk, Kind::Gone));
    assert!(end(desk, Kind::Payout));
    assert!(!end(desk, Kind::Payout), "ended already");
    assert_eq!(desk.exceptions(None, 9).expect("it answers"), []);
    assert_eq!(desk.trail_head().expect("it answers").length, length + 1);
    assert_eq!(settle_all(desk, &mut vault, None), 1, "it is as it was");
}

fn open(desk: &mut dyn DeskStore, number: u8) -> Booking {
    let id = EntryId::from_bytes([number; 32]);
    let booking = Booking {
        id,
        entry: id,
        day: Some(Day::from_number(20_000)),
        direction: Direction::In,
        unit: eur(),
        amount: AMOUNT,
        paper: Paper::default(),
        state: BookingState::Noted,
    };
    assert!(desk.note_bookings(id, std::slice::from_ref(&booking)).expect("it answers"));
    booking
}

/// What goes back goes back once, although a server that was slow says that it is open.
pub(super) fn send_back(desk: &mut dyn DeskStore) {
    let (mut vault, _) = Vault::with_money(1);
    let noted = open(desk, 2);
    let unknown = BookingState::Open(Why::NoReference);
    let settled = bank::settle(desk, &mut vault, &|_, _| None).expect("it answers");
    assert_eq!((settled.done, settled.open), (0, 1));
    let sent = deed(Action::BookingSentBack, staff());
    let back = |number| payout(number, Whose::Sender(noted.id));
    assert!(desk.send_back(&back(1), &sent).expect("it answers"));
    // The slow one read it before it was settled.
    assert!(!desk.move_booking(noted.id, noted.state, unknown).expect("it answers"));
    assert!(!desk.send_back(&back(2), &sent).expect("it answers"));
    // Even if the booking said that it was open, what is on its way is on its way.
    let goes_back = BookingState::Open(Why::SendBack);
    assert!(desk.move_booking(noted.id, goes_back, unknown).expect("it answers"));
    assert!(!desk.send_back(&back(2), &sent).expect("it answers"));
    let kept = desk.booking(noted.id).expect("it answers").map(|booking| booking.state);
    assert_eq!(kept, Some(unknown), "what is refused leaves no trace");
    assert!(desk.move_booking(noted.id, unknown, goes_back).expect("it answers"));
    let rejected = deed(Action::PayoutRejected, staff());
    assert!(desk.reject_payout(back(1).id, &rejected).expect("it answers"));
    assert!(desk.send_back(&back(2), &sent).expect("it answers"), "the first was rejected");
    // Both servers set it apart, and one of them finds it done.
    for _ in 0..2 {
        assert_eq!(settle_all(desk, &mut vault, None), 0);
    }
    assert_eq!(state(desk, back(2).id), PayoutState::Held);
    let kept = desk.booking(noted.id).expect("it answers").map(|booking| booking.state);
    assert_eq!(kept, Some(BookingState::Done));
    assert!(vault.transfer(posting::assigned(noted.id)).expect("it answers").is_some());
    let late: Timestamp = NOW;
    let given = give_back(desk, &mut vault, late.day(), late).expect("it answers");
    assert_eq!(given, (0, 0), "what goes back is no account's");
}
