//! Accounts of people and firms: nothing twice, nothing overdrawn, nothing beyond a limit.

use tacit_core::time::{Day, Timestamp};

use super::rig::{Rig, usd};
use crate::account::{
    AccountId, Direction, Holder, HolderKind, HolderState, Level, Limits, OverLimit, Usage,
};
use crate::ledger::{Account, TransferKind};
use crate::melt::MeltError;
use crate::posting::{self, Assignee, EntryId, FactId, PostError, Posted, Posting, Source};
use crate::quote::{MeltQuote, MeltQuoteState, MintQuoteState};
use crate::vault::{Change, Outcome, ProofState};

const NOW: Outcome = Outcome::Posted(Ok(Posted::Now));
const BEFORE: Outcome = Outcome::Posted(Ok(Posted::Before));

fn refused(error: PostError) -> Outcome {
    Outcome::Posted(Err(error))
}

fn account_id(rig: &mut Rig) -> AccountId {
    let drawn = rig.draw();
    AccountId::from_random(*drawn.first_chunk().expect("32 bytes"))
}

fn fact(rig: &mut Rig) -> FactId {
    let drawn = rig.draw();
    FactId::from_bytes(*drawn.first_chunk().expect("32 bytes"))
}

fn open(rig: &mut Rig, kind: HolderKind) -> AccountId {
    let id = account_id(rig);
    let holder = Holder { id, kind, level: Level::default(), state: HolderState::Open, key: None };
    assert_eq!(rig.commit_one(Change::OpenHolder(holder)), Outcome::Applied(true));
    id
}

fn set(rig: &mut Rig, holder: AccountId, state: HolderState) -> Outcome {
    rig.commit_one(Change::SetHolderState { holder, state, units: vec![usd()] })
}

fn post(rig: &mut Rig, posting: &Posting) -> Outcome {
    rig.commit_one(Change::Post(posting.clone()))
}

/// Money that comes by the bank for an account.
fn pay_in(rig: &mut Rig, holder: AccountId, amount: u64) -> EntryId {
    let entry = arrive(rig, amount);
    let to = Assignee::Holder { holder, limits: None, source: Source::Own };
    assert_eq!(post(rig, &Posting::Assign { entry, unit: usd(), to }), NOW);
    entry
}

fn arrive(rig: &mut Rig, amount: u64) -> EntryId {
    let entry = EntryId::from_bytes(rig.draw());
    assert_eq!(post(rig, &Posting::Arrived { entry, unit: usd(), amount }), NOW);
    entry
}

fn owed(rig: &mut Rig, holder: AccountId) -> u64 {
    let purse = rig.bed().reader().purse(holder, usd()).expect("readable");
    purse.balance.owed().expect("not overdrawn")
}

/// An account is opened once, frozen and thawed, and closed only when it is empty.
pub fn an_account_is_opened_once_and_closed_empty(rig: &mut Rig) {
    let id = open(rig, HolderKind::Merchant);
    let again = Holder {
        id,
        kind: HolderKind::Customer,
        level: Level::default(),
        state: HolderState::Open,
        key: None,
    };
    assert_eq!(rig.commit_one(Change::OpenHolder(again)), Outcome::Applied(false));
    let level = Level::new(2).expect("a level");
    let raise = || Change::SetLevel { holder: id, level };
    assert_eq!(rig.commit(&[raise(), raise()]), [Outcome::Applied(true), Outcome::Applied(false)]);
    rig.restart();
    let kept = rig.bed().reader().holder(id).expect("readable").expect("there");
    assert_eq!((kept.kind, kept.level), (HolderKind::Merchant, level));

    pay_in(rig, id, 10);
    assert_eq!(set(rig, id, HolderState::Closed), Outcome::Applied(false), "not empty");
    assert_eq!(set(rig, id, HolderState::Frozen), Outcome::Applied(true));
    let hold = Posting::Hold {
        hold: fact(rig),
        holder: id,
        unit: usd(),
        amount: 10,
        fee: 0,
        limits: None,
    };
    assert_eq!(post(rig, &hold), refused(PostError::Frozen));
    assert_eq!(set(rig, id, HolderState::Open), Outcome::Applied(true));
    assert_eq!(post(rig, &hold), NOW);
    assert_eq!(set(rig, id, HolderState::Closed), Outcome::Applied(true));
    assert_eq!(set(rig, id, HolderState::Open), Outcome::Applied(false), "closed for good");
    let entry = arrive(rig, 5);
    let to = Assignee::Holder { holder: id, limits: None, source: Source::Own };
    assert_eq!(post(rig, &Posting::Assign { entry, unit: usd(), to }), refused(PostError::Closed));
    let nobody = account_id(rig);
    let to = Assignee::Holder { holder: nobody, limits: None, source: Source::Own };
    let unknown = refused(PostError::UnknownHolder);
    assert_eq!(post(rig, &Posting::Assign { entry, unit: usd(), to }), unknown);
    assert_eq!(set(rig, nobody, HolderState::Frozen), Outcome::Applied(false));
}

/// Each once, closed ones as well, page by page.
pub fn accounts_are_listed_by_their_numbers(rig: &mut Rig) {
    let mut opened: Vec<AccountId> = HolderKind::ALL.iter().map(|kind| open(rig, *kind)).collect();
    assert_eq!(set(rig, opened[0], HolderState::Closed), Outcome::Applied(true));
    opened.sort_unstable();
    for size in [1, 3, 4, 9] {
        let mut found: Vec<AccountId> = Vec::new();
        loop {
            let page = rig.bed().reader().holders(found.last().copied(), size);
            let page = page.expect("readable");
            assert!(page.len() as u64 <= size);
            if page.is_empty() {
                break;
            }
            found.extend(page.into_iter().map(|holder| holder.id));
        }
        assert_eq!(found, opened, "{size} at once");
    }
}

/// A statement and the bank's notice of the same entry, in one batch or two, are one booking.
pub fn what_the_bank_books_is_posted_once(rig: &mut Rig) {
    let entry = EntryId::from_bytes(rig.draw());
    let came = |amount| Posting::Arrived { entry, unit: usd(), amount };
    let batch = [Change::Post(came(700)), Change::Post(came(700))];
    assert_eq!(rig.commit(&batch), [NOW, BEFORE]);
    let before = rig.audit();
    assert_eq!(post(rig, &came(700)), BEFORE);
    assert_eq!(post(rig, &came(701)), refused(PostError::Conflict));
    let went = Posting::Departed { entry, unit: usd(), amount: 700 };
    assert_eq!(post(rig, &went), refused(PostError::Conflict));
    assert_eq!(rig.audit(), before);
    let none = EntryId::from_bytes(rig.draw());
    for amount in [0, 1 << 53, u64::MAX] {
        let bad = Posting::Arrived { entry: none, unit: usd(), amount };
        assert_eq!(post(rig, &bad), refused(PostError::BadAmount));
    }
}

/// What came is for one account; told again, nothing changes; told otherwise, it is refused.
pub fn a_booking_is_assigned_once(rig: &mut Rig) {
    let (alice, bob) = (open(rig, HolderKind::Customer), open(rig, HolderKind::Customer));
    let entry = pay_in(rig, alice, 500);
    let assign = |holder| {
        let to = Assignee::Holder { holder, limits: None, source: Source::Own };
        Posting::Assign { entry, unit: usd(), to }
    };
    assert_eq!(post(rig, &assign(alice)), BEFORE);
    assert_eq!(post(rig, &assign(bob)), refused(PostError::Done));
    assert_eq!((owed(rig, alice), owed(rig, bob)), (500, 0));

    let unknown = EntryId::from_bytes(rig.draw());
    let of = |entry, to| Posting::Assign { entry, unit: usd(), to };
    let to = Assignee::Holder { holder: bob, limits: None, source: Source::Own };
    assert_eq!(post(rig, &of(unknown, to)), refused(PostError::Missing));
    let went = EntryId::from_bytes(rig.draw());
    let departed = Posting::Departed { entry: went, unit: usd(), amount: 3 };
    assert_eq!(post(rig, &departed), NOW);
    assert_eq!(post(rig, &of(went, to)), refused(PostError::WrongWay));
    assert_eq!(post(rig, &of(went, Assignee::BankCost)), NOW);
    let came = arrive(rig, 8);
    assert_eq!(post(rig, &of(came, Assignee::BankCost)), refused(PostError::WrongWay));

    // Nobody's: it goes back, and is done when the bank has booked that.
    assert_eq!(post(rig, &of(came, Assignee::SendBack)), NOW);
    let back = EntryId::from_bytes(rig.draw());
    assert_eq!(post(rig, &Posting::Departed { entry: back, unit: usd(), amount: 8 }), NOW);
    assert_eq!(post(rig, &of(back, Assignee::SentBack(came))), NOW);
    assert_eq!(post(rig, &of(back, Assignee::SentBack(came))), BEFORE);
    let twice = EntryId::from_bytes(rig.draw());
    assert_eq!(post(rig, &Posting::Departed { entry: twice, unit: usd(), amount: 8 }), NOW);
    assert_eq!(post(rig, &of(twice, Assignee::SentBack(came))), refused(PostError::Done));
}

/// A quote is paid once: by its reference, or by an account that approves it.
pub fn a_quote_is_paid_by_a_booking_or_from_an_account(rig: &mut Rig) {
    let alice = open(rig, HolderKind::Customer);
    pay_in(rig, alice, 100);
    let quotes = [rig.new_mint_quote(64), rig.new_mint_quote(32), rig.new_mint_quote(64)];
    for quote in &quotes {
        assert_eq!(rig.commit_one(Change::OpenMintQuote(quote.clone())), Outcome::Applied(true));
    }
    let approve = |at: usize| Posting::Approve { holder: alice, quote: quotes[at].id, unit: usd() };
    let batch = [Change::Post(approve(0)), Change::Post(approve(0))];
    assert_eq!(rig.commit(&batch), [NOW, BEFORE]);
    assert_eq!(post(rig, &approve(0)), BEFORE);
    assert_eq!(post(rig, &approve(2)), refused(PostError::Insufficient));
    assert_eq!(owed(rig, alice), 36);
    let paid = rig.mint_quote(quotes[0].id).expect("kept");
    assert_eq!(paid.state, MintQuoteState::Paid);

    let (wrong, right) = (arrive(rig, 31), arrive(rig, 32));
    let assign = |entry| Posting::Assign { entry, unit: usd(), to: Assignee::Quote(quotes[1].id) };
    assert_eq!(post(rig, &assign(wrong)), refused(PostError::WrongAmount));
    assert_eq!(post(rig, &assign(right)), NOW);
    assert_eq!(post(rig, &assign(right)), BEFORE);
    let again = arrive(rig, 32);
    assert_eq!(post(rig, &assign(again)), refused(PostError::QuoteNotOpen));
    assert_eq!(post(rig, &approve(1)), refused(PostError::QuoteNotOpen));

    let drafts = rig.drafts(&[64]);
    let prepared = rig.mint.prepare_mint(
        (usd(), quotes[0].method),
        &paid,
        &super::rig::messages(&drafts),
        None,
    );
    let issued = rig.commit_one(Change::Mint(prepared.expect("a good request")));
    assert_eq!(issued, Outcome::Mint(Ok(())));
    rig.now = Timestamp::from_seconds(rig.now.seconds() + 3600);
    pay_in(rig, alice, 64);
    assert_eq!(post(rig, &approve(2)), refused(PostError::QuoteNotOpen), "expired");
    // What came by the bank is there, however late.
    let late = arrive(rig, 64);
    let to = Assignee::Quote(quotes[2].id);
    assert_eq!(post(rig, &Posting::Assign { entry: late, unit: usd(), to }), NOW);
    let unknown = rig.new_mint_quote(1);
    let of_unknown = Posting::Approve { holder: alice, quote: unknown.id, unit: usd() };
    assert_eq!(post(rig, &of_unknown), refused(PostError::UnknownQuote));
}

/// What is set apart leaves by the bank, goes to an agent, or comes back: one of them, once.
pub fn what_is_held_ends_once(rig: &mut Rig) {
    let (alice, agent) = (open(rig, HolderKind::Customer), open(rig, HolderKind::Agent));
    pay_in(rig, alice, 1000);
    let holds = [fact(rig), fact(rig), fact(rig)];
    let hold = |at: usize, amount| Posting::Hold {
        hold: holds[at],
        holder: alice,
        unit: usd(),
        amount,
        fee: 5,
        limits: None,
    };
    let batch = [Change::Post(hold(0, 300)), Change::Post(hold(0, 300))];
    assert_eq!(rig.commit(&batch), [NOW, BEFORE]);
    assert_eq!(post(rig, &hold(0, 301)), refused(PostError::Conflict));
    assert_eq!(owed(rig, alice), 695);
    for (at, amount) in [(1, 200), (2, 100)] {
        assert_eq!(post(rig, &hold(at, amount)), NOW);
    }
    let release = |at: usize, holder| Posting::Release { hold: holds[at], holder, unit: usd() };
    let hand_over =
        |at: usize| Posting::HandOver { hold: holds[at], from: alice, to: agent, unit: usd() };
    assert_eq!(post(rig, &release(0, agent)), refused(PostError::Missing), "not the agent's");
    assert_eq!(post(rig, &release(0, alice)), NOW);
    assert_eq!(post(rig, &release(0, alice)), BEFORE);
    assert_eq!(
        post(rig, &hold(0, 300)),
        refused(PostError::Done),
        "nothing is held by that name any more"
    );
    assert_eq!(owed(rig, alice), 1000 - 205 - 105, "the fee came back, too, and once");
    assert_eq!(post(rig, &hand_over(0)), refused(PostError::Done));
    let of_another = Posting::HandOver { hold: holds[1], from: agent, to: alice, unit: usd() };
    assert_eq!(post(rig, &of_another), refused(PostError::Missing));
    for frozen in [alice, agent] {
        set(rig, frozen, HolderState::Frozen);
        assert_eq!(post(rig, &hand_over(1)), refused(PostError::Frozen));
        set(rig, frozen, HolderState::Open);
    }
    assert_eq!(post(rig, &hand_over(1)), NOW);
    assert_eq!(post(rig, &hand_over(1)), BEFORE);
    assert_eq!(post(rig, &release(1, alice)), refused(PostError::Done));
    assert_eq!((owed(rig, alice), owed(rig, agent)), (1000 - 205 - 105, 200));

    let went = |entry, amount| Posting::Departed { entry, unit: usd(), amount };
    let paid = |entry| {
        let to = Assignee::Hold { hold: holds[2], holder: alice };
        Posting::Assign { entry, unit: usd(), to }
    };
    let [wrong, right, twice] = [(); 3].map(|()| EntryId::from_bytes(rig.draw()));
    for (entry, amount) in [(wrong, 99), (right, 100), (twice, 100)] {
        assert_eq!(post(rig, &went(entry, amount)), NOW);
    }
    assert_eq!(post(rig, &paid(wrong)), refused(PostError::WrongAmount));
    assert_eq!(post(rig, &paid(right)), NOW);
    assert_eq!(post(rig, &paid(right)), BEFORE);
    assert_eq!(post(rig, &paid(twice)), refused(PostError::Done));
    assert_eq!(post(rig, &release(2, alice)), refused(PostError::Done));
}

/// Of what an account holds, no more is spent, whatever stands in one batch.
pub fn no_account_is_overdrawn(rig: &mut Rig) {
    let (alice, shop) = (open(rig, HolderKind::Customer), open(rig, HolderKind::Merchant));
    pay_in(rig, alice, 100);
    let movements: Vec<Posting> = (0..3)
        .map(|_| Posting::Move {
            fact: fact(rig),
            from: alice,
            to: shop,
            unit: usd(),
            amount: 40,
            fee: 0,
            limits: None,
        })
        .collect();
    let batch: Vec<Change> = movements.iter().cloned().map(Change::Post).collect();
    let short = || refused(PostError::Insufficient);
    assert_eq!(rig.commit(&batch), [NOW, NOW, short()]);
    let charge = |amount, fact| Posting::Charge { fact, holder: alice, unit: usd(), amount };
    let (large, small) = (fact(rig), fact(rig));
    assert_eq!(post(rig, &charge(21, large)), short());
    assert_eq!(post(rig, &charge(20, small)), NOW);
    let huge = fact(rig);
    let hold = Posting::Hold {
        hold: huge,
        holder: alice,
        unit: usd(),
        amount: (1 << 53) - 1,
        fee: u64::MAX,
        limits: None,
    };
    assert_eq!(post(rig, &hold), refused(PostError::BadAmount));
    // What one change brings in, the next of the batch may spend.
    let entry = arrive(rig, 7);
    let to = Assignee::Holder { holder: alice, limits: None, source: Source::Own };
    let batch = [
        Change::Post(Posting::Assign { entry, unit: usd(), to }),
        Change::Post(charge(7, fact(rig))),
    ];
    assert_eq!(rig.commit(&batch), [NOW, NOW]);
    assert_eq!((owed(rig, alice), owed(rig, shop)), (0, 80));
    let itself = Posting::Move {
        fact: fact(rig),
        from: shop,
        to: shop,
        unit: usd(),
        amount: 1,
        fee: 0,
        limits: None,
    };
    assert_eq!(post(rig, &itself), refused(PostError::WrongWay));
}

/// What is moved pays its fee out of itself, once with it, and never more than itself.
pub fn a_movement_pays_its_fee_once(rig: &mut Rig) {
    let (agent, alice) = (open(rig, HolderKind::Agent), open(rig, HolderKind::Customer));
    pay_in(rig, agent, 100);
    let of = |fact, amount, fee| Posting::Move {
        fact,
        from: agent,
        to: alice,
        unit: usd(),
        amount,
        fee,
        limits: Some(Limits { day: 60, month: 60 }),
    };
    let (first, second) = (fact(rig), fact(rig));
    assert_eq!(post(rig, &of(first, 5, 6)), refused(PostError::BadAmount));
    let batch = [Change::Post(of(first, 50, 3)), Change::Post(of(first, 50, 3))];
    assert_eq!(rig.commit(&batch), [NOW, BEFORE]);
    rig.restart();
    assert_eq!(post(rig, &of(first, 50, 3)), BEFORE);
    assert_eq!((owed(rig, agent), owed(rig, alice)), (50, 47));
    let over = refused(PostError::OverLimit(OverLimit::Day));
    assert_eq!(post(rig, &of(second, 11, 3)), over, "the fee does not make room");
    assert_eq!(post(rig, &of(second, 10, 10)), NOW, "all of it");
    assert_eq!((owed(rig, agent), owed(rig, alice)), (40, 47));
    let fees = rig.audit().transfers[&Account::Fees(usd())];
    assert_eq!((fees.credits, fees.debits), (13, 0));
}

/// Limits count what passed the edge, each way for itself, over a restart; what was refused counts nothing.
pub fn limits_hold_whatever_is_sent(rig: &mut Rig) {
    let alice = open(rig, HolderKind::Customer);
    let limits = Some(Limits { day: 100, month: 150 });
    let entries: Vec<EntryId> = [60, 60, 40, 60].map(|amount| arrive(rig, amount)).into();
    let assign = |at: usize| {
        let to = Assignee::Holder { holder: alice, limits, source: Source::Own };
        Posting::Assign { entry: entries[at], unit: usd(), to }
    };
    let over = |which| refused(PostError::OverLimit(which));
    let batch: Vec<Change> = (0..3).map(|at| Change::Post(assign(at))).collect();
    assert_eq!(rig.commit(&batch), [NOW, over(OverLimit::Day), NOW]);
    rig.restart();
    let used = rig.bed().reader().purse(alice, usd()).expect("readable").usage;
    assert_eq!((used.in_day, used.in_month, used.out_day), (100, 100, 0));
    rig.now = Timestamp::from_seconds(rig.now.seconds() + Day::SECONDS);
    assert_eq!(post(rig, &assign(1)), over(OverLimit::Month));
    let hold = |fact, amount| Posting::Hold {
        hold: fact,
        holder: alice,
        unit: usd(),
        amount,
        fee: 1,
        limits,
    };
    let (too_much, enough) = (fact(rig), fact(rig));
    assert_eq!(post(rig, &hold(too_much, 100)), refused(PostError::Insufficient));
    assert_eq!(post(rig, &hold(enough, 99)), NOW);
    let used = rig.bed().reader().purse(alice, usd()).expect("readable").usage;
    let of_today = Usage { version: 0, ..used.at(rig.now) };
    let day = rig.now.day();
    let expected = Usage { day, in_day: 0, out_day: 99, in_month: 100, out_month: 99, version: 0 };
    assert_eq!(of_today, expected);
    let one_more = used.with(Direction::Out, 2, Limits { day: 100, month: 150 });
    assert_eq!(one_more, Err(OverLimit::Day));
}

/// What a booking was for is taken back while it is there, once, and is then assigned anew; what may be gone is not.
pub fn a_mistake_is_taken_back_once_and_nobody_is_overdrawn(rig: &mut Rig) {
    let (anna, bert) = (open(rig, HolderKind::Customer), open(rig, HolderKind::Customer));
    let entry = pay_in(rig, anna, 100);
    let back = |holder| Posting::Reverse { entry, unit: usd(), holder };
    assert_eq!(post(rig, &back(Some(bert))), refused(PostError::Missing), "not theirs");
    assert_eq!(post(rig, &back(None)), refused(PostError::Missing));
    let hold = fact(rig);
    let held = Posting::Hold { hold, holder: anna, unit: usd(), amount: 1, fee: 0, limits: None };
    assert_eq!(post(rig, &held), NOW);
    assert_eq!(post(rig, &back(Some(anna))), refused(PostError::Insufficient));
    assert_eq!(post(rig, &Posting::Release { hold, holder: anna, unit: usd() }), NOW);
    // Whoever is frozen for it must not keep it.
    assert_eq!(set(rig, anna, HolderState::Frozen), Outcome::Applied(true));
    assert_eq!(post(rig, &back(Some(anna))), NOW);
    rig.restart();
    assert_eq!(post(rig, &back(Some(anna))), BEFORE);
    assert_eq!(owed(rig, anna), 0);
    let to = |holder| Assignee::Holder { holder, limits: None, source: Source::Own };
    let again = Posting::Assign { entry: entry.reversed(), unit: usd(), to: to(bert) };
    assert_eq!((post(rig, &again), post(rig, &again)), (NOW, BEFORE));
    assert_eq!(owed(rig, bert), 100);
    assert_eq!(
        post(rig, &Posting::Assign { entry, unit: usd(), to: to(bert) }),
        refused(PostError::Done)
    );
    // The operator's own money and the bank's charges are nobody's account, each one way.
    let own = Posting::Assign { entry: arrive(rig, 7), unit: usd(), to: Assignee::OwnMoney };
    assert_eq!((post(rig, &own), post(rig, &own)), (NOW, BEFORE));
    let gone = EntryId::from_bytes(rig.draw());
    assert_eq!(post(rig, &Posting::Departed { entry: gone, unit: usd(), amount: 3 }), NOW);
    let cost = |to| Posting::Assign { entry: gone, unit: usd(), to };
    assert_eq!(post(rig, &cost(Assignee::OwnMoney)), refused(PostError::WrongWay));
    assert_eq!(post(rig, &cost(Assignee::BankCost)), NOW);
    let no_cost = Posting::Reverse { entry: gone, unit: usd(), holder: None };
    assert_eq!((post(rig, &no_cost), post(rig, &no_cost)), (NOW, BEFORE));
    let entry = gone.reversed();
    let came = Posting::Assign { entry, unit: usd(), to: to(bert) };
    assert_eq!(post(rig, &came), refused(PostError::WrongWay), "it went");
}

/// A payout comes back to whom it was for, once, and never as more than had left.
pub fn a_payout_comes_back_once(rig: &mut Rig) {
    let (anna, bert) = (open(rig, HolderKind::Customer), open(rig, HolderKind::Customer));
    pay_in(rig, anna, 100);
    let hold = fact(rig);
    let held = Posting::Hold { hold, holder: anna, unit: usd(), amount: 60, fee: 0, limits: None };
    assert_eq!(post(rig, &held), NOW);
    let [first, second, more] = [60, 60, 61].map(|amount| arrive(rig, amount));
    let back = |entry, holder| {
        let to = Assignee::Returned { hold, holder };
        Posting::Assign { entry, unit: usd(), to }
    };
    assert_eq!(post(rig, &back(first, anna)), refused(PostError::Missing), "it has not left");
    let gone = EntryId::from_bytes(rig.draw());
    assert_eq!(post(rig, &Posting::Departed { entry: gone, unit: usd(), amount: 60 }), NOW);
    let to = Assignee::Hold { hold, holder: anna };
    assert_eq!(post(rig, &Posting::Assign { entry: gone, unit: usd(), to }), NOW);
    assert_eq!(post(rig, &back(first, bert)), refused(PostError::Missing), "not theirs");
    assert_eq!(post(rig, &back(more, anna)), refused(PostError::WrongAmount));
    assert_eq!(post(rig, &back(gone, anna)), refused(PostError::Done), "it went");
    assert_eq!((post(rig, &back(first, anna)), post(rig, &back(first, anna))), (NOW, BEFORE));
    rig.restart();
    assert_eq!(post(rig, &back(second, anna)), refused(PostError::Done), "it came back");
    assert_eq!(owed(rig, anna), 100);
    let taken = Posting::Reverse { entry: first, unit: usd(), holder: Some(anna) };
    assert_eq!(post(rig, &taken), refused(PostError::Missing), "a return is no mistake of ours");
}

fn melt_quote_to(rig: &mut Rig, payee: AccountId, amount: u64) -> MeltQuote {
    let quote = rig.melt_quote_for(amount, 0);
    let request = format!("payto://tacit/{payee}?amount=usd:0.{amount:02}");
    let mut random = [0; 16];
    random.copy_from_slice(&rig.draw()[..16]);
    let quote = MeltQuote { id: crate::quote::QuoteId::from_random(random), request, ..quote };
    let opened = rig.commit_one(Change::OpenMeltQuote(quote.clone()));
    assert_eq!(opened, Outcome::Applied(true));
    quote
}

/// E-cash for an account here is redeemed at once: nothing is pending, change is signed, a repetition is answered.
pub fn a_melt_pays_an_account_at_once(rig: &mut Rig) {
    let alice = open(rig, HolderKind::Customer);
    let proofs = rig.issue(&[8, 4]);
    let quote = melt_quote_to(rig, alice, 9);
    let blanks = rig.drafts(&[1, 1]);
    let paid = rig.start_melt(&quote, &proofs, &blanks).expect("paid");
    assert!(matches!(paid.state, MeltQuoteState::Paid { fee_paid: 0, .. }));
    assert_eq!(rig.states(&proofs), [ProofState::Spent(None); 2]);
    let change = rig.change_of(&paid, &blanks);
    assert_eq!(change.iter().map(|proof| proof.amount).sum::<u64>(), 3);
    assert_eq!(owed(rig, alice), 9);
    let before = rig.audit();
    assert_eq!(rig.start_melt(&quote, &proofs, &blanks), Ok(paid), "asked again");
    assert_eq!(rig.audit(), before);

    assert_eq!(set(rig, alice, HolderState::Frozen), Outcome::Applied(true));
    let proofs = rig.issue(&[2]);
    let quote = melt_quote_to(rig, alice, 2);
    assert_eq!(rig.start_melt(&quote, &proofs, &[]), Err(MeltError::PayeeClosed));
    assert_eq!(rig.states(&proofs), [ProofState::Unspent]);
    let nobody = account_id(rig);
    let quote = melt_quote_to(rig, nobody, 2);
    assert_eq!(rig.start_melt(&quote, &proofs, &[]), Err(MeltError::PayeeClosed));
}

/// A statement shows each transfer of an account, the latest day first, in pieces.
pub fn a_statement_shows_every_transfer_once(rig: &mut Rig) {
    let (alice, bob) = (open(rig, HolderKind::Customer), open(rig, HolderKind::Customer));
    let first = pay_in(rig, alice, 100);
    pay_in(rig, bob, 1);
    rig.now = Timestamp::from_seconds(rig.now.seconds() + Day::SECONDS);
    let movement = fact(rig);
    let of_alice = Posting::Move {
        fact: movement,
        from: alice,
        to: bob,
        unit: usd(),
        amount: 30,
        fee: 0,
        limits: None,
    };
    assert_eq!(post(rig, &of_alice), NOW);
    let account = Account::Holder(usd(), alice);
    let all = rig.bed().reader().statement(account, 0, 10).expect("readable");
    let kinds: Vec<TransferKind> = all.iter().map(|transfer| transfer.kind).collect();
    assert_eq!(kinds, [TransferKind::Moved, TransferKind::Assigned]);
    assert_eq!([all[0].id, all[1].id], [posting::moved(movement), posting::assigned(first)]);
    let page = rig.bed().reader().statement(account, 1, 1).expect("readable");
    assert_eq!(page, all[1..]);
    assert!(rig.bed().reader().statement(account, 2, 1).expect("readable").is_empty());
    let pair = [Account::Suspense(usd()), account];
    let pages = rig.bed().reader().statements(&pair, 1, 1).expect("readable");
    let each = pair.map(|account| rig.bed().reader().statement(account, 1, 1).expect("readable"));
    assert_eq!(pages, each);
    assert_ne!(pages[0], pages[1]);
    let found = rig.bed().reader().transfer(all[0].id).expect("readable");
    assert_eq!(found.as_ref(), Some(&all[0]));
    let stranger = Account::Holder(usd(), account_id(rig));
    assert!(rig.bed().reader().statement(stranger, 0, 1).expect("readable").is_empty());
}
