//! Bills of contracts: in time for the payer, paid once, with one receipt a contract and month.

use tacit_core::time::{Day, Timestamp};
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::{Contract, ReceiptFacts};
use tacit_ecash::proof::Proof;

use super::rig::{Rig, usd};
use crate::account::{AccountId, Holder, HolderKind, HolderState, Level};
use crate::bill::{
    Bill, BillContract, BillError, BillState, MonthError, NOTICE_DAYS, PayBillError,
    PreparedBillPayment, PreparedMonth, PreparedReceipt, Stream, UnitSize, WrongBill, oldest_month,
};
use crate::mint::InputError;
use crate::passport::desk::{month_subject, receipt_name};
use crate::passport::{AnswerError, Bucket, PreparedAnswer, RequestDigest};
use crate::posting::Posted;
use crate::vault::{Change, Outcome, ProofState};

/// Below what the billers of these checks bill nothing.
const FLOOR: u64 = 3;

fn biller(rig: &mut Rig) -> AccountId {
    let id = AccountId::from_random(*rig.draw().first_chunk().expect("32 bytes"));
    let (kind, state) = (HolderKind::Merchant, HolderState::Open);
    let holder = Holder { id, kind, level: Level::default(), state, key: None };
    assert_eq!(rig.commit_one(Change::OpenHolder(holder)), Outcome::Applied(true));
    id
}

fn contract(rig: &mut Rig, holder: AccountId) -> BillContract {
    let id = Contract(*rig.draw().first_chunk().expect("32 bytes"));
    let begun = Epoch::of(rig.now);
    let contract = BillContract { id, holder, unit: usd(), begun, ended: None };
    let open = || Change::OpenContract(contract.clone());
    assert_eq!(rig.commit(&[open(), open()]), [Outcome::Applied(true), Outcome::Applied(false)]);
    contract
}

/// A biller with a contract.
fn stream(rig: &mut Rig) -> BillContract {
    let holder = biller(rig);
    contract(rig, holder)
}

fn kept(rig: &mut Rig, of: &BillContract) -> Stream {
    rig.bed().reader().stream(of.id).expect("readable").expect("kept")
}

fn in_days(rig: &Rig, days: u64) -> Day {
    Day::from_number(rig.now.day().number() + days)
}

fn wait(rig: &mut Rig, days: u64) {
    rig.now = Timestamp::from_seconds(rig.now.seconds() + days * Day::SECONDS);
}

fn new_bill(of: &BillContract, due: Day, amount: u64) -> Bill {
    Bill { contract: of.id, amount, due, is_last: false, state: BillState::Open }
}

fn open(rig: &mut Rig, of: &BillContract, bills: &[Bill]) -> Outcome {
    rig.commit_one(Change::OpenBills { holder: of.holder, floor: FLOOR, bills: bills.to_vec() })
}

/// A bill that the vault has taken, due in so many days.
fn bill(rig: &mut Rig, of: &BillContract, days: u64, amount: u64) -> Bill {
    let bill = new_bill(of, in_days(rig, days), amount);
    assert_eq!(open(rig, of, &[bill]), Outcome::Billed(Ok(Posted::Now)));
    bill
}

/// A receipt of a month, as an answer to the request of a number.
fn receipt(of: Contract, month: Epoch, facts: ReceiptFacts, request: u8) -> PreparedReceipt {
    let answer = PreparedAnswer {
        names: vec![receipt_name(&month_subject(of, month))],
        bucket: Bucket::new(1),
        digest: RequestDigest::of(&[request]),
        reply: format!("reply to {request}, {facts:?}").into_bytes(),
        sealed: vec![request],
        keys: 0,
    };
    PreparedReceipt { facts, answer }
}

fn prepare(rig: &Rig, of: &BillContract, bill: &Bill, proofs: &[Proof]) -> PreparedBillPayment {
    rig.mint.prepare_bill_payment(of, bill, None, proofs).expect("a good request")
}

/// A payment with a receipt.
fn with(rig: &Rig, of: &BillContract, bill: &Bill, proofs: &[Proof], request: u8) -> Change {
    let facts = bill.receipt(rig.now, UnitSize::new(2).expect("above 0"));
    let receipt = receipt(of.id, bill.month(), facts, request);
    Change::PayBill(Box::new(prepare(rig, of, bill, proofs).with_receipt(receipt)))
}

fn pay(rig: &mut Rig, of: &BillContract, bill: &Bill, proofs: &[Proof]) -> Outcome {
    let payment = prepare(rig, of, bill, proofs);
    rig.commit_one(Change::PayBill(Box::new(payment)))
}

fn refused(error: PayBillError) -> Outcome {
    Outcome::BillPaid(Err(error))
}

/// What the vault makes of a month's receipt that says what the contract says now.
fn close(
    rig: &mut Rig,
    of: &BillContract,
    month: Epoch,
    request: u8,
) -> Result<ReceiptFacts, MonthError> {
    let holder = rig.bed().reader().holder(of.holder).expect("readable").expect("there");
    let is_open = holder.state == HolderState::Open;
    let facts = kept(rig, of).quiet_month(month, is_open, rig.now)?;
    let receipt = receipt(of.id, month, facts, request);
    let reply = receipt.answer.reply.clone();
    let month = PreparedMonth { contract: of.id, holder: of.holder, month, receipt };
    let outcome = rig.commit_one(Change::CloseMonth(Box::new(month)));
    let Outcome::MonthClosed(closed) = outcome else { panic!("{outcome:?}") };
    assert_eq!(closed?, reply);
    Ok(facts)
}

fn owed(rig: &mut Rig, holder: AccountId) -> u64 {
    let purse = rig.bed().reader().purse(holder, usd()).expect("readable");
    purse.balance.owed().expect("not overdrawn")
}

/// Money, state and receipt are one commit; the same again is answered alike, and something else changes nothing.
pub fn a_bill_is_paid_once_with_its_receipt(rig: &mut Rig) {
    let of = stream(rig);
    let bill = bill(rig, &of, 10, 12);
    let (proofs, others) = (rig.issue(&[8, 4]), rig.issue(&[8, 4]));
    let pay = |rig: &Rig| with(rig, &of, &bill, &proofs, 1);
    let facts = bill.receipt(rig.now, UnitSize::new(2).expect("above 0"));
    assert_eq!((facts.met, facts.amount, facts.last), (true, 6, false));
    let reply = receipt(of.id, bill.month(), facts, 1).answer.reply;
    let told = || Outcome::BillPaid(Ok(Some(reply.clone())));
    let other = with(rig, &of, &bill, &others, 2);
    let batch = [pay(rig), pay(rig), other];
    assert_eq!(rig.commit(&batch), [told(), told(), refused(PayBillError::AlreadyPaid)]);
    let before = rig.audit();
    rig.restart();
    // A day on which it would be late: what was said stands.
    wait(rig, 20);
    let again = pay(rig);
    assert_eq!(rig.commit_one(again), told());
    let other = with(rig, &of, &bill, &others, 2);
    assert_eq!(rig.commit_one(other), refused(PayBillError::AlreadyPaid));
    let without = prepare(rig, &of, &bill, &others);
    assert_eq!(
        rig.commit_one(Change::PayBill(Box::new(without))),
        refused(PayBillError::AlreadyPaid)
    );
    let transfers = |books: crate::audit::Books| books.transfers;
    assert_eq!(transfers(rig.audit()), transfers(before), "a repetition moves nothing");
    assert_eq!(rig.states(&proofs), [ProofState::Spent(None); 2]);
    assert_eq!(rig.states(&others), [ProofState::Unspent; 2]);
    assert_eq!(owed(rig, of.holder), 12);
    assert_eq!(kept(rig, &of).bills[&bill.month()].state, BillState::InTime);
    let found = rig.bed().reader().reply(RequestDigest::of(&[1])).expect("readable");
    assert_eq!(found, Some(reply));
    assert_eq!(rig.bed().reader().reply(RequestDigest::of(&[2])).expect("readable"), None);
}

/// Who has no passport pays, too; the biller pays its fee once, and never more than the bill.
pub fn a_bill_is_paid_without_a_receipt(rig: &mut Rig) {
    let of = stream(rig);
    for (days, fee, left) in [(10, 3, 9), (40, u64::MAX, 9)] {
        let (bill, proofs) = (bill(rig, &of, days, 12), rig.issue(&[8, 4]));
        let pay =
            |rig: &Rig| Change::PayBill(Box::new(prepare(rig, &of, &bill, &proofs).with_fee(fee)));
        let batch = [pay(rig), pay(rig)];
        assert_eq!(rig.commit(&batch), [Outcome::BillPaid(Ok(None)), Outcome::BillPaid(Ok(None))]);
        rig.restart();
        let again = pay(rig);
        assert_eq!(rig.commit_one(again), Outcome::BillPaid(Ok(None)));
        assert_eq!(owed(rig, of.holder), left);
        let taken = rig.bed().reader().transfer(bill.fee_transfer()).expect("readable");
        assert_eq!(taken.expect("posted").amount, fee.min(12));
    }
}

/// Whoever comes second keeps the e-cash: two payers of one bill, one payment for two bills.
pub fn two_payers_of_a_bill_pay_it_once(rig: &mut Rig) {
    let of = stream(rig);
    let first = bill(rig, &of, 10, 4);
    let (one, other) = (rig.issue(&[4]), rig.issue(&[4]));
    let both = [with(rig, &of, &first, &one, 1), with(rig, &of, &first, &other, 2)];
    let outcomes = rig.commit(&both);
    assert!(matches!(&outcomes[0], Outcome::BillPaid(Ok(Some(_)))));
    assert_eq!(outcomes[1], refused(PayBillError::AlreadyPaid));
    let second = bill(rig, &of, 40, 4);
    assert_eq!(
        pay(rig, &of, &second, &one),
        refused(InputError::AlreadySpent { index: 0 }.into()),
        "what paid one bill pays no other"
    );
    // A request that was answered is no receipt of something else.
    let used = with(rig, &of, &second, &other, 1);
    let shown = PayBillError::Receipt(AnswerError::Shown { index: 0 });
    assert_eq!(rig.commit_one(used), refused(shown));
    assert_eq!(rig.states(&other), [ProofState::Unspent]);
    assert_eq!(owed(rig, of.holder), 4);
}

/// In time for the payer, at most one a contract and month, all of a list or none of it.
pub fn bills_come_in_time_and_one_a_month(rig: &mut Rig) {
    let of = stream(rig);
    let (more, foreign) = (contract(rig, of.holder), stream(rig));
    let good = new_bill(&of, in_days(rig, NOTICE_DAYS), 5);
    let wrong = [
        (new_bill(&foreign, good.due, 5), BillError::UnknownContract),
        (new_bill(&more, good.due, 0), BillError::BadAmount),
        (new_bill(&more, good.due, u64::MAX), BillError::BadAmount),
        (new_bill(&more, good.due, FLOOR - 1), BillError::BelowFloor { floor: FLOOR }),
        (new_bill(&more, in_days(rig, NOTICE_DAYS - 1), 5), BillError::TooSoon),
        (new_bill(&more, in_days(rig, 367), 5), BillError::TooFar),
        (Bill { amount: 6, ..good }, BillError::Another),
        (new_bill(&of, in_days(rig, NOTICE_DAYS + 1), 5), BillError::Another),
    ];
    let all: Vec<Bill> = [good].into_iter().chain(wrong.map(|(bill, _)| bill)).collect();
    let named =
        |(at, (_, why)): (usize, &(Bill, BillError))| WrongBill { index: at + 1, why: *why };
    let named: Vec<WrongBill> = wrong.iter().enumerate().map(named).collect();
    assert_eq!(open(rig, &of, &all), Outcome::Billed(Err(named)));
    assert!(kept(rig, &of).bills.is_empty(), "nothing is half taken");

    let other = new_bill(&more, in_days(rig, 9), 7);
    assert_eq!(open(rig, &of, &[good, good, other]), Outcome::Billed(Ok(Posted::Now)));
    rig.restart();
    assert_eq!(open(rig, &of, &[other, good]), Outcome::Billed(Ok(Posted::Before)));
    assert_eq!(kept(rig, &of).bills[&good.month()], good);
    assert_eq!(kept(rig, &more).bills[&other.month()], other);
    // Taken already, it is taken when its time would be over.
    wait(rig, 2);
    assert_eq!(open(rig, &of, &[good]), Outcome::Billed(Ok(Posted::Before)));
}

/// The operator's clock at the commit says whether it is in time; what was prepared for another day is not given.
pub fn a_late_payment_says_so(rig: &mut Rig) {
    let of = stream(rig);
    let bill = bill(rig, &of, NOTICE_DAYS, 4);
    let proofs = rig.issue(&[4]);
    wait(rig, NOTICE_DAYS);
    let prepared = [1, 1].map(|request| with(rig, &of, &bill, &proofs, request));
    let [before, again] = prepared;
    wait(rig, 1);
    assert_eq!(rig.commit_one(before), refused(PayBillError::Changed));
    assert_eq!(rig.states(&proofs), [ProofState::Unspent]);
    wait(rig, 40);
    assert_eq!(rig.commit_one(again), refused(PayBillError::Changed));
    let facts = bill.receipt(rig.now, UnitSize::new(2).expect("above 0"));
    assert_eq!((facts.met, facts.amount), (false, 2));
    let late = with(rig, &of, &bill, &proofs, 1);
    assert!(matches!(rig.commit_one(late), Outcome::BillPaid(Ok(Some(_)))));
    assert_eq!(kept(rig, &of).bills[&bill.month()].state, BillState::Late);
}

/// Nothing due is said once nothing can come, once a month, and then nothing comes.
pub fn a_month_is_closed_once_no_bill_can_come(rig: &mut Rig) {
    let of = stream(rig);
    let month = Epoch::of(rig.now);
    let before = Epoch::new(month.number() - 1).expect("a month");
    assert_eq!(close(rig, &of, before, 1), Err(MonthError::NotBegun { month: before }));
    // The last day of a month for which a bill may come is the seventh before its last.
    while Epoch::of(in_days(rig, NOTICE_DAYS).start()) == month {
        assert_eq!(close(rig, &of, month, 1), Err(MonthError::TooEarly { month }));
        wait(rig, 1);
    }
    let early = new_bill(&of, in_days(rig, NOTICE_DAYS - 1), 5);
    let quiet = ReceiptFacts { contract: Some(of.id), met: true, amount: 0, last: false };
    assert_eq!(close(rig, &of, month, 1), Ok(quiet));
    rig.restart();
    assert_eq!(close(rig, &of, month, 1), Ok(quiet), "the same again");
    let again = close(rig, &of, month, 2);
    assert_eq!(again, Err(MonthError::Receipt(AnswerError::Shown { index: 0 })));
    // Of a clock that goes back, nobody gets a bill beside that receipt.
    rig.now = Timestamp::from_seconds(rig.now.seconds() - 3 * Day::SECONDS);
    let closed = vec![WrongBill { index: 0, why: BillError::Closed }];
    assert_eq!(open(rig, &of, &[early]), Outcome::Billed(Err(closed)));

    wait(rig, 10);
    let next = bill(rig, &of, 10, 4);
    wait(rig, 25);
    let month = next.month();
    assert_eq!(close(rig, &of, month, 3), Err(MonthError::Billed { month }));
    let proofs = rig.issue(&[4]);
    assert_eq!(pay(rig, &of, &next, &proofs), Outcome::BillPaid(Ok(None)));
    assert_eq!(close(rig, &of, month, 3), Err(MonthError::Billed { month }));
}

/// While a bill is unpaid no later month is met, and no contract ends; paid late, it is over.
pub fn an_unpaid_bill_is_not_waited_away(rig: &mut Rig) {
    let of = stream(rig);
    let unpaid = bill(rig, &of, 10, 4);
    wait(rig, 31);
    let end = || Change::EndContract { contract: of.id, holder: of.holder };
    let foreign = Change::EndContract { contract: of.id, holder: AccountId::from_random([7; 8]) };
    let outcomes = rig.commit(&[foreign, end(), end()]);
    assert_eq!(outcomes, [false, true, false].map(Outcome::Applied));
    let ended = Epoch::of(rig.now);
    let late = new_bill(&of, in_days(rig, 40), 5);
    let wrong = vec![WrongBill { index: 0, why: BillError::Ended }];
    assert_eq!(open(rig, &of, &[late]), Outcome::Billed(Err(wrong)));
    wait(rig, 31);
    let said = |met, last| Ok(ReceiptFacts { contract: Some(of.id), met, amount: 0, last });
    assert_eq!(close(rig, &of, ended, 1), said(false, false));
    let proofs = rig.issue(&[4]);
    assert_eq!(pay(rig, &of, &unpaid, &proofs), Outcome::BillPaid(Ok(None)));
    assert_eq!(
        close(rig, &of, Epoch::of(rig.now), 2),
        said(true, true),
        "no bill can come any more"
    );
}

/// A contract ends with its last bill, and what was taken back is not owed.
pub fn a_last_bill_ends_a_contract(rig: &mut Rig) {
    let of = stream(rig);
    let (now, next) = (new_bill(&of, in_days(rig, 10), 4), new_bill(&of, in_days(rig, 40), 4));
    let last = Bill { is_last: true, ..now };
    let wrong = |index, why| Outcome::Billed(Err(vec![WrongBill { index, why }]));
    assert_eq!(open(rig, &of, &[next, last]), wrong(1, BillError::NotLast));
    assert_eq!(open(rig, &of, &[last, next]), wrong(1, BillError::Ended));
    assert_eq!(open(rig, &of, &[last]), Outcome::Billed(Ok(Posted::Now)));
    assert_eq!(kept(rig, &of).contract.ended, Some(last.month()));
    assert!(last.receipt(rig.now, UnitSize::new(1).expect("above 0")).last);
    let month = last.month();
    let back = || Change::WithdrawBill { contract: of.id, holder: of.holder, month };
    assert_eq!(rig.commit(&[back(), back()]), [Outcome::Applied(true), Outcome::Applied(false)]);
    let proofs = rig.issue(&[4]);
    assert_eq!(pay(rig, &of, &last, &proofs), refused(PayBillError::Withdrawn));
    // Another may come in its place while there is time.
    let other = Bill { amount: 8, ..last };
    assert_eq!(open(rig, &of, &[other]), Outcome::Billed(Ok(Posted::Now)));
    assert_eq!(pay(rig, &of, &last, &proofs), refused(PayBillError::Changed));
    assert_eq!(rig.commit_one(back()), Outcome::Applied(true));
    wait(rig, 26);
    let said = ReceiptFacts { contract: Some(of.id), met: true, amount: 0, last: true };
    assert_eq!(close(rig, &of, month, 1), Ok(said));
    assert_eq!(rig.states(&proofs), [ProofState::Unspent]);
}

/// What cannot be paid is nobody's fault: a frozen biller's months are as those without a bill.
pub fn a_frozen_biller_makes_nobody_late(rig: &mut Rig) {
    let of = stream(rig);
    let bill = bill(rig, &of, 10, 4);
    let set = |state| Change::SetHolderState { holder: of.holder, state, units: vec![usd()] };
    assert_eq!(rig.commit_one(set(HolderState::Frozen)), Outcome::Applied(true));
    let proofs = rig.issue(&[4]);
    let paid = with(rig, &of, &bill, &proofs, 1);
    assert_eq!(rig.commit_one(paid), refused(PayBillError::BillerClosed));
    assert_eq!(rig.states(&proofs), [ProofState::Unspent]);
    wait(rig, 26);
    let said = ReceiptFacts { contract: Some(of.id), met: true, amount: 0, last: false };
    assert_eq!(close(rig, &of, bill.month(), 2), Ok(said));
    assert_eq!(rig.commit_one(set(HolderState::Open)), Outcome::Applied(true));
    // One receipt a contract and month: the bill can be paid, and says nothing more.
    let again = with(rig, &of, &bill, &proofs, 3);
    let shown = PayBillError::Receipt(AnswerError::Shown { index: 0 });
    assert_eq!(rig.commit_one(again), refused(shown));
    assert_eq!(pay(rig, &of, &bill, &proofs), Outcome::BillPaid(Ok(None)));
}

/// Kept as long as a wallet may stay away, and no longer; a contract goes with its last bill.
pub fn bills_are_dropped_in_their_time(rig: &mut Rig) {
    let of = stream(rig);
    let going_on = contract(rig, of.holder);
    let last = Bill { is_last: true, ..new_bill(&of, in_days(rig, 10), 4) };
    assert_eq!(open(rig, &of, &[last]), Outcome::Billed(Ok(Posted::Now)));
    let first = last.month();
    let mut before = rig.now;
    while oldest_month(rig.now) <= first {
        before = rig.now;
        wait(rig, 28);
    }
    let after = std::mem::replace(&mut rig.now, before);
    rig.commit_one(Change::Tick);
    assert_eq!(kept(rig, &of).bills.len(), 1);
    let quiet = close(rig, &going_on, first, 1).map(|facts| facts.met);
    assert_eq!(quiet, Ok(true));
    rig.now = after;
    rig.commit_one(Change::Tick);
    assert_eq!(rig.bed().reader().stream(of.id).expect("readable"), None);
    let too_old = Err(MonthError::TooOld { month: first });
    assert_eq!(close(rig, &going_on, first, 2), too_old);
}

/// Which bills were paid since an older copy, nobody knows: none is owed, and accounts are frozen until somebody has looked.
pub fn an_older_copy_withdraws_bills(rig: &mut Rig) {
    let of = stream(rig);
    let (open, paid) = (bill(rig, &of, 10, 4), bill(rig, &of, 40, 4));
    let proofs = rig.issue(&[4]);
    assert_eq!(pay(rig, &of, &paid, &proofs), Outcome::BillPaid(Ok(None)));
    rig.commit_one(Change::AcceptLoss);
    let kept = kept(rig, &of).bills;
    assert_eq!(kept[&open.month()].state, BillState::Withdrawn);
    assert_eq!(kept[&paid.month()].state, BillState::InTime);
}
