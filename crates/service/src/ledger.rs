//! Double entry: accounts, and immutable transfers between two of them.
//!
//! A transfer debits one account and credits another of the same unit by the same amount, so debits equal
//! credits always. Nothing is edited: a correction is a new transfer. Ids are made by the caller from what
//! the transfer records, so posting the same fact twice is refused by the store.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use tacit_core::time::Day;
use tacit_core::unit::Unit;

use crate::account::AccountId;
use crate::keyset::KeysetNumber;

/// An account of the operator's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// Asset: money that a rail holds for us, the bank account among them.
    Settlement(Unit),
    /// Liability: received for mint quotes whose e-cash is not issued yet.
    Unissued(Unit),
    /// Liability: e-cash outstanding of one keyset.
    Ecash(Unit, KeysetNumber),
    /// Liability: e-cash that expired with its keyset, redeemable at the desk.
    Expired(Unit),
    /// Income: input fees, and change for which the wallet supplied no output.
    Fees(Unit),
    /// Expense: what a rail charged above its reserve.
    RailLoss(Unit),
    /// Liability: received for quotes of a vault that was an older copy, which cannot say whether they were issued since.
    SetAside(Unit),
    /// Liability: what is owed to whoever has an account here.
    Holder(Unit, AccountId),
    /// What the bank booked and nobody has been found for: a liability where money came, a claim where it went.
    Suspense(Unit),
    /// Liability: taken from accounts for payouts and cash codes, and not paid yet.
    Held(Unit),
    /// Between what was held and the bank's booking of it: empty but within a commit.
    Clearing(Unit),
    /// Liability: refunds that were granted and not fetched yet.
    Refunds(Unit),
    /// Equity: the operator's own money at the bank, paid in or earned there.
    Own(Unit),
}

impl Account {
    /// Unit of all its transfers.
    pub fn unit(self) -> Unit {
        match self {
            Self::Settlement(unit)
            | Self::Unissued(unit)
            | Self::Ecash(unit, _)
            | Self::Expired(unit)
            | Self::Fees(unit)
            | Self::RailLoss(unit)
            | Self::SetAside(unit)
            | Self::Holder(unit, _)
            | Self::Suspense(unit)
            | Self::Held(unit)
            | Self::Clearing(unit)
            | Self::Refunds(unit)
            | Self::Own(unit) => unit,
        }
    }
}

/// Written `settlement/usd`, `ecash/usd/3`.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settlement(unit) => write!(f, "settlement/{unit}"),
            Self::Unissued(unit) => write!(f, "unissued/{unit}"),
            Self::Ecash(unit, keyset) => write!(f, "ecash/{unit}/{keyset}"),
            Self::Expired(unit) => write!(f, "expired/{unit}"),
            Self::Fees(unit) => write!(f, "fees/{unit}"),
            Self::RailLoss(unit) => write!(f, "rail-loss/{unit}"),
            Self::SetAside(unit) => write!(f, "set-aside/{unit}"),
            Self::Holder(unit, id) => write!(f, "holder/{unit}/{id}"),
            Self::Suspense(unit) => write!(f, "suspense/{unit}"),
            Self::Held(unit) => write!(f, "held/{unit}"),
            Self::Clearing(unit) => write!(f, "clearing/{unit}"),
            Self::Refunds(unit) => write!(f, "refunds/{unit}"),
            Self::Own(unit) => write!(f, "own/{unit}"),
        }
    }
}

/// The text names no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no account has this name")]
pub struct UnknownAccount;

impl FromStr for Account {
    type Err = UnknownAccount;

    fn from_str(text: &str) -> Result<Self, UnknownAccount> {
        let mut parts = text.split('/');
        let kind = parts.next().ok_or(UnknownAccount)?;
        let unit = parts.next().and_then(|code| Unit::new(code).ok()).ok_or(UnknownAccount)?;
        match (kind, parts.next(), parts.next()) {
            ("settlement", None, None) => Ok(Self::Settlement(unit)),
            ("unissued", None, None) => Ok(Self::Unissued(unit)),
            ("ecash", Some(number), None) => {
                let number = number.parse().map_err(|_| UnknownAccount)?;
                Ok(Self::Ecash(unit, KeysetNumber::new(number)))
            }
            ("holder", Some(id), None) => {
                id.parse().map(|id| Self::Holder(unit, id)).map_err(|_| UnknownAccount)
            }
            ("expired", None, None) => Ok(Self::Expired(unit)),
            ("fees", None, None) => Ok(Self::Fees(unit)),
            ("rail-loss", None, None) => Ok(Self::RailLoss(unit)),
            ("set-aside", None, None) => Ok(Self::SetAside(unit)),
            ("suspense", None, None) => Ok(Self::Suspense(unit)),
            ("held", None, None) => Ok(Self::Held(unit)),
            ("clearing", None, None) => Ok(Self::Clearing(unit)),
            ("refunds", None, None) => Ok(Self::Refunds(unit)),
            ("own", None, None) => Ok(Self::Own(unit)),
            _ => Err(UnknownAccount),
        }
    }
}

/// What a transfer records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TransferKind {
    /// Money arrived for a mint quote.
    Received,
    /// E-cash was issued for it.
    Issued,
    /// E-cash was redeemed by a melt.
    Melted,
    /// A day's swaps between two keysets.
    Swapped,
    /// Input fees: of a melt, or of a day's swaps.
    Fee,
    /// A closed keyset's outstanding e-cash.
    Expired,
    /// A paid quote's money, when its vault turned out to be an older copy.
    SetAside,
    /// The bank booked something: money that came, or went.
    Booked,
    /// It was found out what a booking was for.
    Assigned,
    /// The same, where it was for an account, and somebody else's money: income.
    Earned,
    /// The holder of an account pays for a mint quote.
    Approved,
    /// Money of an account is set apart for a payout or a cash code.
    Held,
    /// What was set apart goes back to its account.
    Released,
    /// Money moves between two accounts: cash taken or given by an agent.
    Moved,
    /// An account pays a fee.
    Charged,
    /// An order is paid with e-cash.
    Sold,
    /// A merchant gives back what it was paid.
    Refunded,
    /// A refund that waited is fetched as e-cash.
    Fetched,
    /// What a booking was assigned to is taken back: it was a mistake.
    Reversed,
}

impl TransferKind {
    /// All kinds.
    pub const ALL: [Self; 19] = [
        Self::Received,
        Self::Issued,
        Self::Melted,
        Self::Swapped,
        Self::Fee,
        Self::Expired,
        Self::SetAside,
        Self::Booked,
        Self::Assigned,
        Self::Earned,
        Self::Approved,
        Self::Held,
        Self::Released,
        Self::Moved,
        Self::Charged,
        Self::Sold,
        Self::Refunded,
        Self::Fetched,
        Self::Reversed,
    ];

    /// The kind of a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }

    /// Whether what it records has a row of its own, a quote, an order or a day, that changes in the same commit. Of the others,
    /// the transfer's own name is all that says that they happened.
    pub const fn has_row(self) -> bool {
        match self {
            Self::Received
            | Self::Issued
            | Self::Melted
            | Self::Swapped
            | Self::Fee
            | Self::Expired
            | Self::SetAside
            | Self::Sold => true,
            Self::Booked
            | Self::Assigned
            | Self::Earned
            | Self::Approved
            | Self::Held
            | Self::Released
            | Self::Moved
            | Self::Charged
            | Self::Refunded
            | Self::Fetched
            | Self::Reversed => false,
        }
    }

    /// The word stored and hashed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Issued => "issued",
            Self::Melted => "melted",
            Self::Swapped => "swapped",
            Self::Fee => "fee",
            Self::Expired => "expired",
            Self::SetAside => "set-aside",
            Self::Booked => "booked",
            Self::Assigned => "assigned",
            Self::Earned => "earned",
            Self::Approved => "approved",
            Self::Held => "held",
            Self::Released => "released",
            Self::Moved => "moved",
            Self::Charged => "charged",
            Self::Sold => "sold",
            Self::Refunded => "refunded",
            Self::Fetched => "fetched",
            Self::Reversed => "reversed",
        }
    }
}

/// A transfer's name, made from what it records: the idempotency key of its posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransferId([u8; 16]);

impl TransferId {
    /// The id of the transfer that records `kind` between two accounts for one fact.
    ///
    /// `fact`: what distinguishes it from others of its kind, such as a quote's id or a day. Truncated SHA-256:
    /// the books of one operator hold far fewer than 2^64 transfers.
    pub fn of(kind: TransferKind, debit: Account, credit: Account, fact: &[u8]) -> Self {
        Self::hash(&format!("tacit/transfer/v1|{}|{debit}|{credit}|", kind.name()), fact)
    }

    /// The id of the one transfer there may be on `topic` for a fact, whatever accounts it turns out to be between.
    ///
    /// What must not happen twice in any form has one topic: what was held is either paid or given back.
    pub fn once(topic: &str, fact: &[u8]) -> Self {
        Self::hash(&format!("tacit/transfer/v1/once|{topic}|"), fact)
    }

    fn hash(about: &str, fact: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(about).chain_update(fact).finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }

    /// The 16 bytes as stored.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// An immutable movement between two accounts of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Its name.
    pub id: TransferId,
    /// What it records.
    pub kind: TransferKind,
    /// Account debited.
    pub debit: Account,
    /// Account credited.
    pub credit: Account,
    /// Minor units, above 0.
    pub amount: u64,
    /// UTC day it was posted.
    pub day: Day,
}

impl Transfer {
    /// A transfer named after what it records; `None` if the amount is 0, for which nothing is posted.
    ///
    /// # Panics
    /// In debug builds if the two accounts differ in unit: callers derive both from one unit.
    pub fn of(
        kind: TransferKind,
        debit: Account,
        credit: Account,
        amount: u64,
        fact: &[u8],
        day: Day,
    ) -> Option<Self> {
        debug_assert_eq!(debit.unit(), credit.unit(), "a transfer has one unit");
        let id = TransferId::of(kind, debit, credit, fact);
        (amount > 0).then_some(Self { id, kind, debit, credit, amount, day })
    }
}

/// What moved between two keysets on one day, not yet posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayFlow {
    /// Minor units that left the first keyset and were signed anew in the second.
    pub value: u64,
    /// Minor units that left the first keyset as fees.
    pub fee: u64,
}

/// The swaps of the open day, by keyset spent and keyset signed.
pub type DayFlows = BTreeMap<(KeysetNumber, KeysetNumber), DayFlow>;

/// Matches what sources give with what sinks take, in order: who gave how much to whom.
///
/// `sources` and `sinks`: minor units each, with equal sums. Returns parts above 0; a source's parts add up to it,
/// and so do a sink's.
pub fn attribute<S: Copy, T: Copy>(sources: &[(S, u64)], sinks: &[(T, u64)]) -> Vec<(S, T, u64)> {
    let mut parts = Vec::with_capacity(sources.len().max(sinks.len()));
    let mut givers = sources.iter().copied().filter(|(_, value)| *value > 0);
    let mut giver = givers.next();
    for (sink, wanted) in sinks {
        let mut wanted = *wanted;
        while wanted > 0 {
            let Some((source, left)) = giver else { return parts };
            let part = wanted.min(left);
            parts.push((source, *sink, part));
            wanted -= part;
            giver = if part == left { givers.next() } else { Some((source, left - part)) };
        }
    }
    parts
}

/// Attributes a swap's value and fee to pairs of keysets.
///
/// `inputs` and `outputs`: minor units by keyset; their sums differ by `fee`. A fee is paired with the last
/// keyset signed, or with the paying keyset itself where nothing is signed.
pub fn flows(
    inputs: &BTreeMap<KeysetNumber, u64>,
    outputs: &BTreeMap<KeysetNumber, u64>,
    fee: u64,
) -> Vec<((KeysetNumber, KeysetNumber), DayFlow)> {
    let sources: Vec<(KeysetNumber, u64)> =
        inputs.iter().map(|(keyset, value)| (*keyset, *value)).collect();
    let signed = outputs.iter().map(|(keyset, value)| (Some(*keyset), *value));
    let sinks: Vec<(Option<KeysetNumber>, u64)> = signed.chain([(None, fee)]).collect();
    let last = outputs.keys().next_back().copied();
    let flow = |(from, to, part): (KeysetNumber, Option<KeysetNumber>, u64)| match to {
        Some(to) => ((from, to), DayFlow { value: part, fee: 0 }),
        None => ((from, last.unwrap_or(from)), DayFlow { value: 0, fee: part }),
    };
    attribute(&sources, &sinks).into_iter().map(flow).collect()
}

/// The transfers that post a day's swaps. Value that stayed within one keyset changes no balance.
pub fn post_day(
    day: Day,
    unit_of: impl Fn(KeysetNumber) -> Unit,
    flows: &DayFlows,
) -> Vec<Transfer> {
    let mut transfers = Vec::new();
    for ((from, to), flow) in flows {
        let unit = unit_of(*from);
        let (debit, credit) = (Account::Ecash(unit, *from), Account::Ecash(unit, *to));
        let mut fact = day.number().to_be_bytes().to_vec();
        if from != to {
            transfers.extend(Transfer::of(
                TransferKind::Swapped,
                debit,
                credit,
                flow.value,
                &fact,
                day,
            ));
        }
        fact.extend(to.get().to_be_bytes()); // Fees of one keyset, one transfer for each keyset they were paid towards.
        transfers.extend(Transfer::of(
            TransferKind::Fee,
            debit,
            Account::Fees(unit),
            flow.fee,
            &fact,
            day,
        ));
    }
    transfers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd() -> Unit {
        Unit::new("usd").unwrap()
    }

    #[test]
    fn account_names_are_read_back() {
        let keyset = KeysetNumber::new(3);
        for account in [
            Account::Settlement(usd()),
            Account::Unissued(usd()),
            Account::Ecash(usd(), keyset),
            Account::Expired(usd()),
            Account::Fees(usd()),
            Account::RailLoss(usd()),
            Account::SetAside(usd()),
            Account::Holder(usd(), AccountId::from_random([0x5a; 8])),
            Account::Suspense(usd()),
            Account::Held(usd()),
            Account::Clearing(usd()),
            Account::Refunds(usd()),
        ] {
            assert_eq!(account.to_string().parse(), Ok(account));
        }
        for text in [
            "",
            "ecash/usd",
            "ecash/usd/x",
            "fees",
            "fees/usd/1",
            "cash/usd",
            "ecash/usd/1/2",
            "holder/usd",
            "holder/usd/x",
        ] {
            assert_eq!(text.parse::<Account>(), Err(UnknownAccount), "{text:?}");
        }
    }

    #[test]
    fn one_fact_has_one_id() {
        let id = |fact: &[u8]| {
            TransferId::of(
                TransferKind::Issued,
                Account::Unissued(usd()),
                Account::Fees(usd()),
                fact,
            )
        };
        assert_eq!(id(b"a"), id(b"a"));
        assert_ne!(id(b"a"), id(b"b"));
    }

    proptest! {
        /// Whatever the mix of keysets, flows carry all that came in, and no more than each keyset gave or got.
        #[test]
        fn flows_conserve_value(
            inputs in prop::collection::btree_map(0_u32..4, 1_u64..1000, 1..4),
            to in prop::collection::vec(0_u32..4, 1..4),
            cut in 0_u64..100,
        ) {
            let inputs: BTreeMap<_, _> = inputs.into_iter().map(|(k, v)| (KeysetNumber::new(k), v)).collect();
            let total: u64 = inputs.values().sum();
            let fee = cut.min(total);
            let mut outputs = BTreeMap::new();
            let mut left = total - fee;
            for keyset in &to {
                let part = left / 2;
                *outputs.entry(KeysetNumber::new(*keyset)).or_insert(0) += part;
                left -= part;
            }
            *outputs.entry(KeysetNumber::new(to[0])).or_insert(0) += left;
            let found = flows(&inputs, &outputs, fee);
            for (keyset, value) in &inputs {
                let out: u64 = found.iter().filter(|((from, _), _)| from == keyset).map(|(_, f)| f.value + f.fee).sum();
                prop_assert_eq!(out, *value);
            }
            for (keyset, value) in &outputs {
                let got: u64 = found.iter().filter(|((_, to), _)| to == keyset).map(|(_, f)| f.value).sum();
                prop_assert_eq!(got, *value);
            }
            prop_assert_eq!(found.iter().map(|(_, f)| f.fee).sum::<u64>(), fee);
        }
    }
}
