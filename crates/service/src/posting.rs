//! What moves money of accounts: each posting is named by the fact it records, so that it happens once.
//!
//! All that the bank books goes through suspense: first it is written down that the bank's balance changed, once by
//! the bank's own reference, then what that was for, once by the same. Whatever is sent again, or comes in both of a
//! bank's files, is found done.

use std::fmt;

use sha2::{Digest, Sha256};
use tacit_core::hex::{self, HexError};
use tacit_core::unit::Unit;

use crate::account::{AccountId, Limits, OverLimit};
use crate::ledger::TransferId;
use crate::quote::QuoteId;

/// Prefix of the name of what is taken back.
const REVERSAL_DOMAIN: &[u8] = b"tacit/reversal/v1";

/// Names an entry of the bank's statement: a hash of what the bank itself names it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId([u8; 32]);

impl EntryId {
    /// The entry of a name.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What is taken back from where this was assigned to waits under a name of its own: a booking is assigned once.
    pub fn reversed(&self) -> Self {
        Self(Sha256::new_with_prefix(REVERSAL_DOMAIN).chain_update(self.0).finalize().into())
    }
}

impl std::str::FromStr for EntryId {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::decode(text).map(Self)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// Names what a caller wants to happen once: a payout, a cash code, a movement, a fee. 16 random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FactId([u8; 16]);

impl FactId {
    /// The fact of a name.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::str::FromStr for FactId {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::decode(text).map(Self)
    }
}

impl fmt::Display for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// Whose the money was that came for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somebody else's: it is income ([`crate::income`]).
    Others,
    /// Their own, from an account they have elsewhere.
    Own,
}

/// Whom a booking of the bank concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignee {
    /// Money that came, for an account. Counts as money in, if there are limits.
    Holder {
        /// Whose.
        holder: AccountId,
        /// How much may come in.
        limits: Option<Limits>,
        /// Whose the money was before.
        source: Source,
    },
    /// Money that came, for a mint quote of exactly this amount.
    Quote(QuoteId),
    /// Money that went, for what was held: the payout has left the bank.
    Hold {
        /// What was held.
        hold: FactId,
        /// For whom.
        holder: AccountId,
    },
    /// Money that came: a payout that had left is back, and whoever it was for has it again, whatever limits there are.
    Returned {
        /// What had been held.
        hold: FactId,
        /// For whom.
        holder: AccountId,
    },
    /// Money that came: the operator's own, paid in or earned as interest.
    OwnMoney,
    /// Money that went: what the bank charges.
    BankCost,
    /// Money that came and goes back where it came from: it is set apart until it has left.
    SendBack,
    /// Money that went: what had come under this name is back where it came from.
    SentBack(EntryId),
}

/// A movement of money of accounts. Amounts are in minor units and above 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posting {
    /// The bank booked money that came.
    Arrived {
        /// The bank's name of it.
        entry: EntryId,
        /// Currency.
        unit: Unit,
        /// How much.
        amount: u64,
    },
    /// The bank booked money that went.
    Departed {
        /// The bank's name of it.
        entry: EntryId,
        /// Currency.
        unit: Unit,
        /// How much.
        amount: u64,
    },
    /// It is known what a booking was for.
    Assign {
        /// Which booking.
        entry: EntryId,
        /// Its currency.
        unit: Unit,
        /// What for.
        to: Assignee,
    },
    /// What a booking was assigned to is taken back into suspense, under [`EntryId::reversed`]: it was a mistake. Not of what
    /// may have been issued, paid out or sent back.
    Reverse {
        /// Which booking.
        entry: EntryId,
        /// Its currency.
        unit: Unit,
        /// Whose account it was credited to, if it was anybody's.
        holder: Option<AccountId>,
    },
    /// The holder of an account pays for a mint quote, which may then be issued.
    Approve {
        /// Who pays.
        holder: AccountId,
        /// For what.
        quote: QuoteId,
        /// Currency of both.
        unit: Unit,
    },
    /// Sets money of an account apart: for a payout, or for cash at an agent. Counts as money out, if there are limits.
    Hold {
        /// The name of what it is set apart for.
        hold: FactId,
        /// Whose money.
        holder: AccountId,
        /// Currency.
        unit: Unit,
        /// How much is to be paid.
        amount: u64,
        /// Fee taken beside it, if any.
        fee: u64,
        /// How much may go out.
        limits: Option<Limits>,
    },
    /// Gives back what was held and not paid, and the fee that was taken beside it: what was not done costs nothing.
    Release {
        /// What was held.
        hold: FactId,
        /// For whom.
        holder: AccountId,
        /// Currency.
        unit: Unit,
    },
    /// Gives what was held to another account: an agent has paid cash for it. Both accounts must be open.
    HandOver {
        /// What was held.
        hold: FactId,
        /// For whom.
        from: AccountId,
        /// To whom.
        to: AccountId,
        /// Currency.
        unit: Unit,
    },
    /// Moves money between two accounts: an agent has taken cash. Counts as money in for whom it goes to, if there are limits.
    Move {
        /// Its name.
        fact: FactId,
        /// Whose money.
        from: AccountId,
        /// Whose it becomes.
        to: AccountId,
        /// Currency.
        unit: Unit,
        /// How much.
        amount: u64,
        /// Fee that whoever it goes to pays out of it, if any; at most the amount.
        fee: u64,
        /// How much may come in.
        limits: Option<Limits>,
    },
    /// Takes a fee.
    Charge {
        /// Its name.
        fact: FactId,
        /// Whose money.
        holder: AccountId,
        /// Currency.
        unit: Unit,
        /// How much.
        amount: u64,
    },
}

/// Whether a posting was made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It was.
    Now,
    /// The same was made before; nothing changed.
    Before,
}

/// Why a posting was not made. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// Of an amount of 0, or above what an amount can be, or below its fee.
    #[error("the amount is not above 0, or too large, or below its fee")]
    BadAmount,
    /// Another posting has this name.
    #[error("something else was posted under this name")]
    Conflict,
    /// What it rests on was not posted: a booking, or a hold of this account and currency.
    #[error("what this rests on is not there")]
    Missing,
    /// What was held was paid or given back, what was booked was assigned.
    #[error("this is done already, in another way")]
    Done,
    /// A booking of money that came cannot be for what went, nor the other way round.
    #[error("the bank booked this the other way round")]
    WrongWay,
    /// Its amount is not that of what it is for.
    #[error("the amount is another")]
    WrongAmount,
    /// No such account.
    #[error("the account is not known")]
    UnknownHolder,
    /// The account is frozen.
    #[error("the account is frozen")]
    Frozen,
    /// The account is closed.
    #[error("the account is closed")]
    Closed,
    /// No such quote of this currency.
    #[error("the quote is not known")]
    UnknownQuote,
    /// The quote is paid already, or has expired.
    #[error("the quote is not open")]
    QuoteNotOpen,
    /// The account does not hold as much.
    #[error("the account does not hold as much")]
    Insufficient,
    /// More than may pass the edge.
    #[error(transparent)]
    OverLimit(#[from] OverLimit),
}

impl Posting {
    /// Currency of all its accounts.
    pub fn unit(&self) -> Unit {
        match self {
            Self::Arrived { unit, .. }
            | Self::Departed { unit, .. }
            | Self::Assign { unit, .. }
            | Self::Reverse { unit, .. }
            | Self::Approve { unit, .. }
            | Self::Hold { unit, .. }
            | Self::Release { unit, .. }
            | Self::HandOver { unit, .. }
            | Self::Move { unit, .. }
            | Self::Charge { unit, .. } => *unit,
        }
    }

    /// Accounts that it concerns.
    pub fn holders(&self) -> Vec<AccountId> {
        match self {
            Self::Assign {
                to:
                    Assignee::Holder { holder, .. }
                    | Assignee::Hold { holder, .. }
                    | Assignee::Returned { holder, .. },
                ..
            }
            | Self::Reverse { holder: Some(holder), .. }
            | Self::Approve { holder, .. }
            | Self::Hold { holder, .. }
            | Self::Release { holder, .. }
            | Self::Charge { holder, .. } => vec![*holder],
            Self::HandOver { from, to, .. } | Self::Move { from, to, .. } => vec![*from, *to],
            Self::Arrived { .. }
            | Self::Departed { .. }
            | Self::Assign { .. }
            | Self::Reverse { .. } => Vec::new(),
        }
    }

    /// The mint quote that it pays.
    pub fn quote(&self) -> Option<QuoteId> {
        match self {
            Self::Assign { to: Assignee::Quote(quote), .. } | Self::Approve { quote, .. } => {
                Some(*quote)
            }
            Self::Assign { .. }
            | Self::Reverse { .. }
            | Self::Arrived { .. }
            | Self::Departed { .. }
            | Self::Hold { .. }
            | Self::Release { .. }
            | Self::HandOver { .. }
            | Self::Move { .. }
            | Self::Charge { .. } => None,
        }
    }

    /// Transfers whose being there, or not, it depends on; its own first.
    pub fn transfers(&self) -> Vec<TransferId> {
        match self {
            Self::Arrived { entry, .. } | Self::Departed { entry, .. } => vec![booked(*entry)],
            Self::Assign { entry, to, .. } => {
                let mut asked = vec![assigned(*entry), booked(*entry)];
                match to {
                    Assignee::Hold { hold, .. } => asked.extend([held(*hold), ended(*hold)]),
                    Assignee::Returned { hold, .. } => {
                        asked.extend([held(*hold), ended(*hold), returned(*hold)]);
                    }
                    Assignee::SentBack(came) => asked.extend([assigned(*came), sent_back(*came)]),
                    Assignee::Holder { .. }
                    | Assignee::Quote(_)
                    | Assignee::OwnMoney
                    | Assignee::BankCost
                    | Assignee::SendBack => {}
                }
                asked
            }
            Self::Reverse { entry, .. } => vec![booked(entry.reversed()), assigned(*entry)],
            Self::Approve { quote, .. } => vec![approved(*quote)],
            Self::Hold { hold, .. } => vec![held(*hold), ended(*hold)],
            Self::Release { hold, .. } => vec![ended(*hold), held(*hold), held_fee(*hold)],
            Self::HandOver { hold, .. } => vec![ended(*hold), held(*hold)],
            Self::Move { fact, .. } => vec![moved(*fact)],
            Self::Charge { fact, .. } => vec![charged(*fact)],
        }
    }
}

/// The transfer of a booking of the bank.
pub fn booked(entry: EntryId) -> TransferId {
    TransferId::once("booked", entry.as_bytes())
}

/// The transfer that says what a booking was for.
pub fn assigned(entry: EntryId) -> TransferId {
    TransferId::once("assigned", entry.as_bytes())
}

/// The transfer that says that what came has gone back.
pub fn sent_back(came: EntryId) -> TransferId {
    TransferId::once("sent-back", came.as_bytes())
}

/// The transfer by which a payout that came back is credited to whom it was for.
pub fn returned(hold: FactId) -> TransferId {
    TransferId::once("returned", hold.as_bytes())
}

/// The transfer by which an account pays for a mint quote.
pub fn approved(quote: QuoteId) -> TransferId {
    TransferId::once("approved", quote.as_bytes())
}

/// The transfer that sets money apart.
pub fn held(hold: FactId) -> TransferId {
    TransferId::once("held", hold.as_bytes())
}

/// The transfer that ends this: it is paid, or given back.
pub fn ended(hold: FactId) -> TransferId {
    TransferId::once("hold-ended", hold.as_bytes())
}

/// The fee of what was held.
pub(crate) fn held_fee(hold: FactId) -> TransferId {
    TransferId::once("hold-fee", hold.as_bytes())
}

/// The same given back, with what was held.
pub(crate) fn held_fee_back(hold: FactId) -> TransferId {
    TransferId::once("hold-fee-back", hold.as_bytes())
}

/// The transfer of a movement between two accounts.
pub fn moved(fact: FactId) -> TransferId {
    TransferId::once("moved", fact.as_bytes())
}

/// The fee of a movement between two accounts.
pub(crate) fn moved_fee(fact: FactId) -> TransferId {
    TransferId::once("move-fee", fact.as_bytes())
}

/// The transfer of a fee.
pub fn charged(fact: FactId) -> TransferId {
    TransferId::once("charged", fact.as_bytes())
}
