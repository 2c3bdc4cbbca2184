//! Cash at an agent: money moves once, whoever is killed between desk and vault.

use std::time::Duration;

use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_service::account::{AccountId, Holder, HolderKind, HolderState, Level, Limits};
use tacit_service::bank::BankVault;
use tacit_service::cash::{settle, settle_one};
use tacit_service::desk::cash::{Cash, CashHash, CashKind, CashState, CashStore, Deal, Dealt};
use tacit_service::ledger::{Account, Transfer, TransferId};
use tacit_service::memory::MemoryVault;
use tacit_service::posting::{Assignee, EntryId, FactId, PostError, Posted, Posting, Source};
use tacit_service::quote::MintQuote;
use tacit_service::vault::{Change, Outcome, StoreError, VaultReader, VaultStore};
use tacit_store::desk::sqlite::SqliteDesk;

use crate::opening::desk;

const NOW: Timestamp = Timestamp::from_seconds(1_795_392_000);

fn usd() -> Unit {
    Unit::new("usd").unwrap()
}

fn account(number: u8) -> AccountId {
    AccountId::from_random([number; 8])
}

const ANNA: u8 = 1;
const KIOSK: u8 = 2;

/// A desk on disk beside a vault, and a process that may be killed before or after any posting.
struct Town {
    desk: SqliteDesk,
    vault: MemoryVault,
    /// Steps until the process is killed: each posting is two, before it is made and after.
    steps_left: usize,
    limits: Option<Limits>,
    _folder: tempfile::TempDir,
}

struct Killed<'a>(&'a mut MemoryVault, &'a mut usize);

impl Killed<'_> {
    fn step(&mut self) -> Result<(), StoreError> {
        *self.1 = self.1.checked_sub(1).ok_or(StoreError::Busy)?;
        Ok(())
    }
}

impl BankVault for Killed<'_> {
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
        self.step()?;
        let outcome = self.0.commit(&[Change::Post(posting)], NOW)?.remove(0);
        let Outcome::Posted(posted) = outcome else { panic!("{outcome:?}") };
        self.step()?;
        Ok(posted)
    }
}

impl Town {
    /// Anna has 100.00 and the kiosk a float of 50.00.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(&folder.path().join("desk.sqlite"));
        let (vault, steps_left) = (MemoryVault::default(), usize::MAX);
        let mut town = Self { desk, vault, steps_left, limits: None, _folder: folder };
        for (number, kind, amount) in
            [(ANNA, HolderKind::Customer, 10_000), (KIOSK, HolderKind::Agent, 5_000)]
        {
            let (id, level, state) = (account(number), Level::default(), HolderState::Open);
            town.commit(Change::OpenHolder(Holder { id, kind, level, state, key: None }));
            let entry = EntryId::from_bytes([number; 32]);
            let to = Assignee::Holder { holder: id, limits: None, source: Source::Own };
            town.commit(Change::Post(Posting::Arrived { entry, unit: usd(), amount }));
            town.commit(Change::Post(Posting::Assign { entry, unit: usd(), to }));
        }
        town
    }

    fn commit(&mut self, change: Change) {
        self.vault.commit(&[change], NOW).unwrap();
    }

    fn freeze(&mut self, number: u8, state: HolderState) {
        let units = vec![usd()];
        self.commit(Change::SetHolderState { holder: account(number), state, units });
    }

    fn go_on(&mut self, id: FactId) -> Result<Result<(), PostError>, StoreError> {
        let limits = self.limits;
        let mut vault = Killed(&mut self.vault, &mut self.steps_left);
        settle_one(&mut self.desk, &mut vault, id, &|_, _, _| limits, NOW)
    }

    /// Another process, that nobody kills.
    fn round(&mut self, now: Timestamp) {
        self.steps_left = usize::MAX;
        let limits = self.limits;
        let mut vault = Killed(&mut self.vault, &mut self.steps_left);
        settle(&mut self.desk, &mut vault, &|_, _, _| limits, now).unwrap();
    }

    fn ask(&mut self, cash: &Cash) -> FactId {
        assert!(self.desk.ask_cash(cash).unwrap());
        cash.id
    }

    fn confirm(&mut self, cash: &Cash, amount: u64, fee: u64) -> Dealt {
        let (id, code, agent) = (cash.id, cash.code.unwrap(), account(KIOSK));
        self.desk.deal(&Deal { id, code, agent, unit: usd(), amount, fee, now: NOW }).unwrap()
    }

    fn state(&mut self, id: FactId) -> Option<CashState> {
        self.desk.cash(id).unwrap().map(|cash| cash.state)
    }

    /// What Anna has, the kiosk, what is held, and the fees.
    fn sums(&mut self) -> (u64, u64, u64, u64) {
        let mut owed =
            |number: u8| self.vault.purse(account(number), usd()).unwrap().balance.owed().unwrap();
        let (anna, kiosk) = (owed(ANNA), owed(KIOSK));
        let books = self.vault.books().unwrap();
        let of = |account| books.transfers.get(&account).map_or(0, |sum| sum.owed().unwrap());
        (anna, kiosk, of(Account::Held(usd())), of(Account::Fees(usd())))
    }
}

/// Sixty, and one as a fee.
fn out(number: u8) -> Cash {
    Cash {
        id: FactId::from_bytes([number; 16]),
        kind: CashKind::Out,
        account: account(ANNA),
        unit: Some(usd()),
        amount: 6000,
        fee: 100,
        code: Some(CashHash::from_bytes([number; 32])),
        expires: NOW.after(Duration::from_secs(600)),
        state: CashState::Asked,
        agent: None,
        day: None,
    }
}

fn into(number: u8) -> Cash {
    let (kind, state) = (CashKind::In, CashState::Ready);
    Cash { kind, unit: None, amount: 0, fee: 0, state, ..out(number) }
}

const PAID_OUT: (u64, u64, u64, u64) = (3900, 11_000, 0, 100);
const AS_BEFORE: (u64, u64, u64, u64) = (10_000, 5000, 0, 0);

#[test]
fn cash_goes_out_once_wherever_the_process_is_killed() {
    // Killed before or after the hold, then before or after the hand-over.
    for (first, second) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let mut town = Town::new();
        let cash = out(7);
        let id = town.ask(&cash);
        town.steps_left = first;
        assert!(town.go_on(id).is_err());
        assert_eq!(town.state(id), Some(CashState::Asked));
        town.round(NOW);
        assert_eq!(town.state(id), Some(CashState::Ready));
        assert_eq!(town.sums(), (3900, 5000, 6000, 100));
        assert!(matches!(town.confirm(&cash, 0, 0), Dealt::Begun(_)));
        town.steps_left = second;
        assert!(town.go_on(id).is_err());
        assert_eq!(town.state(id), Some(CashState::Dealing));
        // Neither time nor its owner can take it back now.
        assert!(!town.desk.call_off(id, account(ANNA)).unwrap());
        town.round(NOW.after(Duration::from_secs(6000)));
        assert_eq!((town.state(id), town.sums()), (Some(CashState::Done), PAID_OUT));
        assert!(matches!(town.confirm(&cash, 0, 0), Dealt::Begun(_)), "the second click");
        assert_eq!(town.go_on(id).unwrap(), Ok(()));
        town.round(NOW);
        assert_eq!(town.sums(), PAID_OUT);
    }
}

#[test]
fn what_expires_or_is_called_off_is_given_back_with_its_fee_wherever_the_process_is_killed() {
    for (is_called_off, killed_at) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
        let mut town = Town::new();
        let id = town.ask(&out(7));
        assert_eq!(town.go_on(id).unwrap(), Ok(()));
        let later = NOW.after(Duration::from_secs(600));
        if is_called_off {
            assert!(town.desk.call_off(id, account(ANNA)).unwrap());
        } else {
            town.desk.expire_cash(later).unwrap();
        }
        assert_eq!(town.confirm(&out(7), 0, 0), Dealt::Unknown);
        town.steps_left = killed_at;
        assert!(town.go_on(id).is_err());
        town.round(later);
        assert_eq!((town.state(id), town.sums()), (None, AS_BEFORE));
        town.round(later);
        assert_eq!(town.sums(), AS_BEFORE);
    }
    // Called off before the vault has heard of it at all, or just when it has.
    for killed_at in [0, 1] {
        let mut town = Town::new();
        let id = town.ask(&out(7));
        town.steps_left = killed_at;
        assert!(town.go_on(id).is_err());
        assert!(town.desk.call_off(id, account(ANNA)).unwrap());
        town.round(NOW);
        assert_eq!((town.state(id), town.sums()), (None, AS_BEFORE));
    }
}

#[test]
fn cash_comes_in_once_wherever_the_process_is_killed() {
    for killed_at in [0, 1] {
        let mut town = Town::new();
        let cash = into(7);
        let id = town.ask(&cash);
        assert_eq!(town.go_on(id).unwrap(), Ok(()), "the vault has nothing to do");
        assert!(matches!(town.confirm(&cash, 2000, 30), Dealt::Begun(_)));
        town.steps_left = killed_at;
        assert!(town.go_on(id).is_err());
        // Whoever clicks again with another amount gets what was confirmed first.
        let Dealt::Begun(begun) = town.confirm(&cash, 4000, 60) else { panic!("it is its own") };
        assert_eq!(begun.amount, 2000);
        town.round(NOW.after(Duration::from_secs(6000)));
        assert_eq!(town.state(id), Some(CashState::Done));
        assert_eq!(town.sums(), (11_970, 3000, 0, 30));
        town.round(NOW);
        assert_eq!(town.sums(), (11_970, 3000, 0, 30));
    }
}

#[test]
fn what_the_vault_refuses_changes_nothing_and_can_be_tried_again() {
    let mut town = Town::new();
    let (large, cash) = (Cash { amount: 9950, ..out(6) }, into(7));
    let id = town.ask(&large);
    assert_eq!(
        town.go_on(id).unwrap(),
        Err(PostError::Insufficient),
        "with its fee it is too much"
    );
    assert_eq!((town.state(id), town.sums()), (None, AS_BEFORE));

    let id = town.ask(&cash);
    assert!(matches!(town.confirm(&cash, 5001, 0), Dealt::Begun(_)));
    assert_eq!(town.go_on(id).unwrap(), Err(PostError::Insufficient), "the float is too small");
    town.limits = Some(Limits { day: 100, month: 100 });
    assert!(matches!(town.confirm(&cash, 101, 0), Dealt::Begun(_)));
    assert!(matches!(town.go_on(id).unwrap(), Err(PostError::OverLimit(_))));
    assert_eq!((town.state(id), town.sums()), (Some(CashState::Ready), AS_BEFORE));
    assert!(matches!(town.confirm(&cash, 100, 0), Dealt::Begun(_)));
    assert_eq!(town.go_on(id).unwrap(), Ok(()));
    assert_eq!(town.sums(), (10_100, 4900, 0, 0));
    let over = town.ask(&Cash { amount: 101, fee: 0, ..out(8) });
    assert!(matches!(town.go_on(over).unwrap(), Err(PostError::OverLimit(_))));
    assert_eq!(town.state(over), None);
}

#[test]
fn nothing_is_paid_for_a_frozen_account_nor_by_one() {
    for frozen in [ANNA, KIOSK] {
        let mut town = Town::new();
        let cash = out(7);
        let id = town.ask(&cash);
        assert_eq!(town.go_on(id).unwrap(), Ok(()));
        town.freeze(frozen, HolderState::Frozen);
        assert!(matches!(town.confirm(&cash, 0, 0), Dealt::Begun(_)));
        assert_eq!(town.go_on(id).unwrap(), Err(PostError::Frozen));
        assert_eq!(town.sums(), (3900, 5000, 6000, 100));
        // What is held is given back all the same, into the frozen account.
        town.round(NOW.after(Duration::from_secs(600)));
        assert_eq!((town.state(id), town.sums()), (None, AS_BEFORE));
    }
}
