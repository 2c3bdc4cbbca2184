//! Bills of contracts: what a biller asks for month by month, paid with e-cash, and what a passport gets to see of it.
//!
//! A contract is known by its number alone: whoever has it sees the bills, pays them, and takes the stream on. Nothing here says
//! who that is, and nothing joins two contracts of one payer. Payable state lives here and not at the desk, so that a payment
//! and its receipt are one commit.
//!
//! A bill belongs to the month it is due in, and there is at most one a contract and month. It is in the vault [`NOTICE_DAYS`] before
//! it is due, so that nobody is late with what they could not know. A contract's month has one receipt: of its bill, or, once none
//! can come any more, of nothing due ([`Stream::quiet_month`]).

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::{Contract, ReceiptFacts, UNITS_MAX};
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::Proof;

use crate::account::AccountId;
use crate::keyset::KeysetNumber;
use crate::ledger::TransferId;
use crate::mint::{InputError, Mint};
use crate::order::is_open_to;
use crate::passport::desk::{Claim, month_subject};
use crate::passport::{AnswerError, PreparedAnswer, key_epoch};
use crate::vault::SpentProof;

/// Days between a bill's coming and the day it is due, at least.
pub const NOTICE_DAYS: u64 = 7;

/// Days between a bill's coming and the day it is due, at most.
pub const DUE_DAYS_MAX: u64 = 366;

/// The largest amount of a bill: what an integer of JSON carries in every language (RFC 8259, section 6).
pub const AMOUNT_MAX: u64 = (1 << 53) - 1;

/// A contract between a biller and whoever knows its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillContract {
    /// Its number.
    pub id: Contract,
    /// The biller's account.
    pub holder: AccountId,
    /// Currency.
    pub unit: Unit,
    /// The first month a bill can be due in.
    pub begun: Epoch,
    /// The last one, once that is known.
    pub ended: Option<Epoch>,
}

/// How far a bill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BillState {
    /// It is to be paid, also after it was due.
    Open,
    /// Paid on the day it was due, or before.
    InTime,
    /// Paid later.
    Late,
    /// Taken back by its biller, unpaid.
    Withdrawn,
}

/// A bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bill {
    /// Of which contract.
    pub contract: Contract,
    /// Minor units of the contract's currency, above 0.
    pub amount: u64,
    /// The last day on which it is paid in time, in UTC. Its month is the bill's.
    pub due: Day,
    /// Whether the contract ends with it.
    pub is_last: bool,
    /// How far it is.
    pub state: BillState,
}

/// A contract with its bills, as far as they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The contract.
    pub contract: BillContract,
    /// Its bills, by month.
    pub bills: BTreeMap<Epoch, Bill>,
}

/// How money becomes units of a passport: so many minor units are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitSize(NonZeroU64);

/// Why a bill is not taken. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    /// No such contract of this biller's.
    #[error("the contract is not known")]
    UnknownContract,
    /// Nothing, or more than an amount can be.
    #[error("the amount is not from 1 to {AMOUNT_MAX}")]
    BadAmount,
    /// Less than the biller's licence allows.
    #[error("the amount is below {floor}")]
    BelowFloor {
        /// Minor units.
        floor: u64,
    },
    /// Another bill of the contract is due in this month.
    #[error("another bill of the contract is due in that month")]
    Another,
    /// The payer would hear of it too late.
    #[error("the bill is due in less than {NOTICE_DAYS} days")]
    TooSoon,
    /// Nobody plans so far ahead.
    #[error("the bill is due in more than {DUE_DAYS_MAX} days")]
    TooFar,
    /// The contract ended before.
    #[error("the contract has ended")]
    Ended,
    /// It is to be the last, and there is a later one.
    #[error("a later bill of the contract is there")]
    NotLast,
    /// The month's receipt says that nothing was due.
    #[error("a receipt says that nothing was due in that month")]
    Closed,
}

/// A bill that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongBill {
    /// Which one of those that came together, counted from 0.
    pub index: usize,
    /// Why.
    pub why: BillError,
}

/// Why a bill was not paid. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayBillError {
    /// No such contract, or no bill of it in that month.
    #[error("the bill is not known")]
    Unknown,
    /// An input cannot be spent.
    #[error(transparent)]
    Input(#[from] InputError),
    /// An input is locked to somebody else than the biller, or in a way that the biller alone cannot open.
    #[error("input {index} is not locked to this biller")]
    WrongLock {
        /// Which input.
        index: usize,
    },
    /// Neither the amount of the bill, nor that with the fee for spending the inputs. All in minor units.
    #[error("inputs of {inputs} do not pay {amount}; a fee of {fee} may be added")]
    WrongAmount {
        /// Sum of the inputs.
        inputs: u64,
        /// What is asked for.
        amount: u64,
        /// What the inputs cost to spend.
        fee: u64,
    },
    /// It has been paid, with other proofs or another request.
    #[error("the bill is paid")]
    AlreadyPaid,
    /// The biller has taken it back.
    #[error("the bill was taken back")]
    Withdrawn,
    /// The biller's account is frozen or closed: the month is as one without a bill.
    #[error("the biller takes no payments now")]
    BillerClosed,
    /// The bill, or the day, is another than when the request was read: read it again.
    #[error("the bill has changed")]
    Changed,
    /// A receipt of the month was given before, or the request was used for something else.
    #[error("no receipt can be given for it")]
    Receipt(#[source] AnswerError),
}

/// Why a month has no receipt of nothing due. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MonthError {
    /// No such contract.
    #[error("the contract is not known")]
    Unknown,
    /// The contract began later.
    #[error("the contract had not begun in {month}")]
    NotBegun {
        /// Which month.
        month: Epoch,
    },
    /// Bills of so long ago are not kept.
    #[error("bills of {month} are not kept any more")]
    TooOld {
        /// Which month.
        month: Epoch,
    },
    /// There is a bill: its receipt comes with its payment.
    #[error("there is a bill for {month}")]
    Billed {
        /// Which month.
        month: Epoch,
    },
    /// A bill may yet come.
    #[error("a bill for {month} may yet come")]
    TooEarly {
        /// Which month.
        month: Epoch,
    },
    /// Something is another than when the request was read: read it again.
    #[error("the contract has changed")]
    Changed,
    /// A receipt of the month was given before, or the request was used for something else.
    #[error("no receipt can be given for it")]
    Receipt(#[source] AnswerError),
}

/// A receipt that was made for a contract's month, with what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedReceipt {
    /// What it says.
    pub facts: ReceiptFacts,
    /// The reply, with all that the request uses up.
    pub answer: PreparedAnswer,
}

/// A payment that may be made: proofs checked. Made only by [`Mint::prepare_bill_payment`].
pub struct PreparedBillPayment {
    bill: Bill,
    holder: AccountId,
    unit: Unit,
    inputs: Vec<SpentProof>,
    by_keyset: BTreeMap<KeysetNumber, u64>,
    total: u64,
    fee: u64,
    receipt: Option<PreparedReceipt>,
}

/// A month without a bill that may be closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedMonth {
    /// Of which contract.
    pub contract: Contract,
    /// Whose, as the vault has it.
    pub holder: AccountId,
    /// Which month.
    pub month: Epoch,
    /// Its receipt.
    pub receipt: PreparedReceipt,
}

impl UnitSize {
    /// So many minor units are one; `None` of 0.
    pub fn new(minor: u64) -> Option<Self> {
        NonZeroU64::new(minor).map(Self)
    }

    /// What an amount counts for. Rounded down: who pays less than a unit has paid none.
    pub fn units(self, amount: u64) -> u8 {
        u8::try_from(amount / self.0).unwrap_or(UNITS_MAX).min(UNITS_MAX)
    }
}

impl BillState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::InTime, Self::Late, Self::Withdrawn];

    /// As programs read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InTime => "paid",
            Self::Late => "paid-late",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether it was paid, in time or not.
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::InTime | Self::Late)
    }
}

impl Bill {
    /// The month it is due in.
    pub fn month(&self) -> Epoch {
        Epoch::of(self.due.start())
    }

    /// How far it is once it is paid now; of a bill that is paid, as it is.
    pub fn paid(&self, now: Timestamp) -> BillState {
        match self.state {
            BillState::InTime | BillState::Late => self.state,
            BillState::Open | BillState::Withdrawn if now.day() <= self.due => BillState::InTime,
            BillState::Open | BillState::Withdrawn => BillState::Late,
        }
    }

    /// What the receipt of its payment says, if it is paid now or was paid before.
    pub fn receipt(&self, now: Timestamp, size: UnitSize) -> ReceiptFacts {
        ReceiptFacts {
            contract: Some(self.contract),
            met: self.paid(now) == BillState::InTime,
            amount: size.units(self.amount),
            last: self.is_last,
        }
    }

    /// What its payment is named after: one a contract and month.
    pub(crate) fn fact(&self) -> [u8; 18] {
        let mut fact = [0; 18];
        fact[..16].copy_from_slice(&self.contract.0);
        fact[16..].copy_from_slice(&self.month().number().to_be_bytes());
        fact
    }

    /// The transfer of what its biller pays for it.
    pub fn fee_transfer(&self) -> TransferId {
        TransferId::once("bill-fee", &self.fact())
    }
}

/// What a receipt of a contract's month is claimed to be.
///
/// # Panics
/// If the facts are of no contract.
pub fn claim(month: Epoch, facts: ReceiptFacts) -> Claim<'static> {
    let contract = facts.contract.expect("the facts of a contract's month");
    Claim::Receipt { subject: month_subject(contract, month), epoch: month, facts }
}

impl Stream {
    /// What the receipt of a month says in which nothing is due.
    ///
    /// There is one if the contract had begun, the month has no bill that can be paid, and none can come any more: it would be due
    /// in less than [`NOTICE_DAYS`]. It counts for no units. The month is met unless an earlier bill is unpaid at this moment,
    /// for nobody is rid of a bill by waiting for a month without one; and only a month that is met says that the contract has
    /// ended. What cannot be paid since the biller's account is not open is as if it were not there.
    ///
    /// # Errors
    /// [`MonthError`], all but what a commit finds.
    pub fn quiet_month(
        &self,
        month: Epoch,
        is_biller_open: bool,
        now: Timestamp,
    ) -> Result<ReceiptFacts, MonthError> {
        let BillContract { id, begun, ended, .. } = self.contract;
        if month < begun {
            return Err(MonthError::NotBegun { month });
        }
        if month < oldest_month(now) {
            return Err(MonthError::TooOld { month });
        }
        let is_owed = |bill: &Bill| bill.state == BillState::Open && is_biller_open;
        let bill = self.bills.get(&month);
        if bill.is_some_and(|bill| bill.state.is_paid() || is_owed(bill)) {
            return Err(MonthError::Billed { month });
        }
        let may_come = earliest_month(now) <= month && ended.is_none_or(|ended| month <= ended);
        if may_come || Epoch::of(now) < month {
            return Err(MonthError::TooEarly { month });
        }
        let met = !self.bills.range(..month).any(|(_, bill)| is_owed(bill));
        let last = met && ended.is_some_and(|ended| ended <= month);
        Ok(ReceiptFacts { contract: Some(id), met, amount: 0, last })
    }

    /// Whether a new bill may be taken. `floor`: what the biller's licence says, in minor units.
    ///
    /// # Errors
    /// [`BillError`], all but what only the vault knows.
    pub fn takes(&self, bill: &Bill, floor: u64, now: Timestamp) -> Result<(), BillError> {
        let (month, today) = (bill.month(), now.day().number());
        if !(1..=AMOUNT_MAX).contains(&bill.amount) {
            return Err(BillError::BadAmount);
        }
        if bill.amount < floor {
            return Err(BillError::BelowFloor { floor });
        }
        let known = self.bills.get(&month);
        if known.is_some_and(|known| known.state != BillState::Withdrawn) {
            return Err(BillError::Another);
        }
        if bill.due.number() < today + NOTICE_DAYS {
            return Err(BillError::TooSoon);
        }
        if today + DUE_DAYS_MAX < bill.due.number() {
            return Err(BillError::TooFar);
        }
        if self.contract.ended.is_some_and(|ended| ended < month) {
            return Err(BillError::Ended);
        }
        let is_later =
            |(later, other): (&Epoch, &Bill)| month < *later && other.state != BillState::Withdrawn;
        if bill.is_last && self.bills.iter().any(is_later) {
            return Err(BillError::NotLast);
        }
        Ok(())
    }

    /// The bill of a month that says the same.
    pub fn has(&self, bill: &Bill) -> bool {
        let terms = |bill: &Bill| (bill.contract, bill.amount, bill.due, bill.is_last);
        let known = self.bills.get(&bill.month());
        known
            .is_some_and(|known| known.state != BillState::Withdrawn && terms(known) == terms(bill))
    }
}

/// The first month whose bills are kept at this moment, paid or not: January of the year before. As long can a passport that stands in
/// it be shown ([`key_epoch`]), and a wallet that stayed away close one month after another with receipts.
pub fn oldest_month(now: Timestamp) -> Epoch {
    let year = key_epoch(Epoch::of(now)).saturating_sub(1);
    let first = u16::try_from(year * 12).ok().and_then(|number| Epoch::new(number).ok());
    first.expect("a month before this one")
}

/// The first month for which a bill may come at this moment.
pub fn earliest_month(now: Timestamp) -> Epoch {
    Epoch::of(Day::from_number(now.day().number() + NOTICE_DAYS).start())
}

impl PreparedBillPayment {
    /// The bill, as it was when the payment was prepared.
    pub fn bill(&self) -> &Bill {
        &self.bill
    }

    /// The biller.
    pub fn holder(&self) -> AccountId {
        self.holder
    }

    /// Currency.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Proofs to be spent, all different.
    pub fn inputs(&self) -> &[SpentProof] {
        &self.inputs
    }

    /// Their value in minor units, by keyset.
    pub fn by_keyset(&self) -> &BTreeMap<KeysetNumber, u64> {
        &self.by_keyset
    }

    /// Their value in minor units: the amount, and at most the fee for spending them beside it.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The same for which the biller pays so much of the amount, in minor units; never more than all of it.
    #[must_use]
    pub fn with_fee(mut self, fee: u64) -> Self {
        self.fee = fee;
        self
    }

    /// What the biller pays for it, in minor units, as it was asked for.
    pub fn fee(&self) -> u64 {
        self.fee
    }

    /// The same with a receipt for the payer.
    #[must_use]
    pub fn with_receipt(mut self, receipt: PreparedReceipt) -> Self {
        self.receipt = Some(receipt);
        self
    }

    /// The receipt, if the payer asked for one.
    pub fn receipt(&self) -> Option<&PreparedReceipt> {
        self.receipt.as_ref()
    }
}

impl Mint {
    /// Checks the proofs that a bill is to be paid with. Nothing is changed yet.
    ///
    /// `bill`: as the vault has it; it is looked at again when the change is committed. `key`: the biller's: what is locked to it
    /// alone needs no signature here, for it goes to the account of whose key it is. Proofs without a lock are taken, too.
    ///
    /// # Errors
    /// [`PayBillError`], all but what the vault knows.
    pub fn prepare_bill_payment(
        &self,
        contract: &BillContract,
        bill: &Bill,
        key: Option<&PointBytes>,
        proofs: &[Proof],
    ) -> Result<PreparedBillPayment, PayBillError> {
        let counted = self.count_inputs(contract.unit, proofs)?;
        if let Some(index) = proofs.iter().position(|proof| !is_open_to(proof, key)) {
            return Err(PayBillError::WrongLock { index });
        }
        let (inputs, amount, fee) = (counted.total, bill.amount, counted.fee);
        if inputs < amount || amount.checked_add(fee).is_some_and(|most| most < inputs) {
            return Err(PayBillError::WrongAmount { inputs, amount, fee });
        }
        let spent = self.verify_unlocked(proofs, &counted, vec![None; proofs.len()])?;
        Ok(PreparedBillPayment {
            bill: *bill,
            holder: contract.holder,
            unit: contract.unit,
            inputs: spent,
            by_keyset: counted.by_keyset,
            total: inputs,
            fee: 0,
            receipt: None,
        })
    }
}
