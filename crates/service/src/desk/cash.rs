//! Cash at an agent: what a person asks for, the code that stands for it, and how far it is.
//!
//! Whoever has a code has what it stands for, as with a ticket of a cloakroom: the agent learns neither name nor account.
//! The desk keeps a keyed hash of it and the agent's word; money is the vault's, which knows it by [`Cash::id`].

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;

use super::person::PersonId;
use super::spelling;
use crate::account::AccountId;
use crate::posting::FactId;
use crate::vault::StoreError;

/// Digits of a code.
const LENGTH: usize = 10;

/// A code as people read it aloud: ten of Crockford's digits, 50 bits.
#[derive(Clone)]
pub struct CashCode(Secret<u64>);

/// The text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has ten letters and digits, such as 7K2M9 XPQR4")]
pub struct CashCodeError;

/// What codes are made of, and hashed with. It follows from the seed: of the desk's database alone no code can be tried.
pub struct CashSecret(Secret<[u8; 32]>);

/// Keyed hash of a code: all that is kept of it, until it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CashHash([u8; 32]);

/// What a code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CashKind {
    /// Cash that an agent gives: the money is set apart.
    Out,
    /// Cash that an agent takes for whoever showed it.
    In,
    /// The card of an account that was opened at an agent: as [`Self::In`], again and again.
    Card,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CashState {
    /// Cash is asked for; the vault is not known to hold the money.
    Asked,
    /// The code is good, until it expires.
    Ready,
    /// An agent has confirmed; the vault is not known to have moved the money.
    Dealing,
    /// It is called off, or has expired; the vault is not known to have given the money back.
    Ending,
    /// Cash and money have changed hands.
    Done,
}

/// What a code stands for, as the desk keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cash {
    /// Its name, in the vault, too.
    pub id: FactId,
    /// What it is.
    pub kind: CashKind,
    /// Whose account.
    pub account: AccountId,
    /// Currency, once it is known.
    pub unit: Option<Unit>,
    /// Minor units; 0 until an agent has said how much it took.
    pub amount: u64,
    /// What the person pays for it, in minor units: beside what goes out, out of what comes in.
    pub fee: u64,
    /// Of its code; empty once it has ended.
    pub code: Option<CashHash>,
    /// Until when the code is good: a full minute; 0 once it is done.
    pub expires: Timestamp,
    /// How far it is.
    pub state: CashState,
    /// The agent that confirmed it; of a card, the one that gave it out.
    pub agent: Option<AccountId>,
    /// The day it was done; never finer.
    pub day: Option<Day>,
}

/// What an agent confirms.
#[derive(Clone, Debug)]
pub struct Deal {
    /// The name of what it is shown for a code; of a deal with a card, a new one.
    pub id: FactId,
    /// Of the code it was told.
    pub code: CashHash,
    /// Its float.
    pub agent: AccountId,
    /// Of its till.
    pub unit: Unit,
    /// Minor units that it took; of what it gives, the desk knows how much.
    pub amount: u64,
    /// What the person pays, out of what was taken.
    pub fee: u64,
    /// When.
    pub now: Timestamp,
}

/// What became of a confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dealt {
    /// It is written down, now or before by the same agent, and is to be carried out unless it is done.
    Begun(Cash),
    /// No code of that hash counts.
    Unknown,
    /// Another agent deals with it.
    Elsewhere,
    /// It is of another currency than the agent's till.
    OtherUnit,
}

/// Codes for cash that somebody may have at once.
pub const READY_MAX: u64 = 5;

/// Ended ones shown at once.
pub const DONE_MAX: u32 = 50;

/// How long what was done is kept: as long as a payment may be disputed.
///
/// Source: Directive (EU) 2015/2366, article 71: 13 months.
pub const RETENTION_DAYS: u64 = 400;

/// An agent's day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentDay {
    /// Cash that was given, in the smallest parts of the float's currency.
    pub given: u64,
    /// Cash that was taken.
    pub taken: u64,
    /// How often, with what is not booked yet.
    pub count: u64,
}

/// What the desk keeps of cash.
pub trait CashStore {
    /// Writes down what is asked for. A code to pay in with takes the place of those before it. `false` if there are
    /// [`READY_MAX`] codes for cash already; what was asked for before is as it was.
    ///
    /// # Errors
    /// [`StoreError`]
    fn ask_cash(&mut self, cash: &Cash) -> Result<bool, StoreError>;

    /// What goes by this name.
    ///
    /// # Errors
    /// [`StoreError`]
    fn cash(&mut self, id: FactId) -> Result<Option<Cash>, StoreError>;

    /// What a code stands for, if it counts at `now`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn cash_of_code(&mut self, code: CashHash, now: Timestamp) -> Result<Option<Cash>, StoreError>;

    /// What an account has open, then the latest [`DONE_MAX`] it has done.
    ///
    /// # Errors
    /// [`StoreError`]
    fn cash_of(&mut self, account: AccountId) -> Result<Vec<Cash>, StoreError>;

    /// What an agent did on a day, or has not finished, at most [`DONE_MAX`].
    ///
    /// # Errors
    /// [`StoreError`]
    fn deals_of(&mut self, agent: AccountId, day: Day) -> Result<Vec<Cash>, StoreError>;

    /// What an agent gave and took on a day, however much that was.
    ///
    /// # Errors
    /// [`StoreError`]
    fn day_of(&mut self, agent: AccountId, day: Day) -> Result<AgentDay, StoreError>;

    /// What the vault is still to be told of, at most so many after this one.
    ///
    /// # Errors
    /// [`StoreError`]
    fn cash_begun(&mut self, after: Option<FactId>, max: u32) -> Result<Vec<Cash>, StoreError>;

    /// Goes on from one state to another. `false` if it is no longer in the first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn move_cash(&mut self, id: FactId, from: CashState, to: CashState)
    -> Result<bool, StoreError>;

    /// Its owner calls it off. `false` if it is theirs no longer to call off: an agent was quicker, or it has ended.
    ///
    /// # Errors
    /// [`StoreError`]
    fn call_off(&mut self, id: FactId, account: AccountId) -> Result<bool, StoreError>;

    /// Ends what has expired, and forgets what was done longer ago than is kept.
    ///
    /// # Errors
    /// [`StoreError`]
    fn expire_cash(&mut self, now: Timestamp) -> Result<(), StoreError>;

    /// An agent confirms: from then on no other can, and it is not called off.
    ///
    /// # Errors
    /// [`StoreError`]
    fn deal(&mut self, deal: &Deal) -> Result<Dealt, StoreError>;

    /// The vault has moved the money: the code is forgotten. Done twice, it is done once.
    ///
    /// # Errors
    /// [`StoreError`]
    fn finish_cash(&mut self, id: FactId, day: Day) -> Result<(), StoreError>;

    /// The vault has refused to move the money: the code is as good as it was; a deal with a card is forgotten.
    ///
    /// # Errors
    /// [`StoreError`]
    fn reopen_cash(&mut self, id: FactId) -> Result<(), StoreError>;

    /// The vault has given the money back, or never had it: all of it is forgotten.
    ///
    /// # Errors
    /// [`StoreError`]
    fn drop_cash(&mut self, id: FactId) -> Result<(), StoreError>;
}

impl CashSecret {
    /// Of 32 bytes that nobody else has.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The code of what goes by this name: shown again to whoever asked for it, it is the same.
    pub fn code(&self, id: FactId) -> CashCode {
        let bytes = self.derive("code", id.as_bytes());
        let number = u64::from_be_bytes(bytes[..8].try_into().expect("8 of 32"));
        CashCode(Secret::new(number >> (64 - 5 * LENGTH)))
    }

    /// What is kept of a code.
    pub fn hash(&self, code: &CashCode) -> CashHash {
        CashHash(self.derive("hash", &code.0.expose().to_be_bytes()))
    }

    /// The name of what somebody asks for with a form of theirs: the form sent again means the same. Nobody chooses a name, for
    /// the vault would take that of another hold for it.
    pub fn name(&self, by: PersonId, nonce: [u8; 16]) -> FactId {
        let bytes = self.derive("name", &[by.bytes(), nonce].concat());
        FactId::from_bytes(bytes[..16].try_into().expect("16 of 32"))
    }

    /// What the link on a card is made of.
    pub fn card_link(&self, id: FactId) -> [u8; 10] {
        self.derive("card link", id.as_bytes())[..10].try_into().expect("10 of 32")
    }

    /// Account and person of a card, so that a form that is sent twice opens one account.
    pub fn card_account(&self, id: FactId) -> ([u8; 8], [u8; 16]) {
        let bytes = self.derive("card account", id.as_bytes());
        (bytes[..8].try_into().expect("8 of 32"), bytes[8..24].try_into().expect("16 of 32"))
    }

    fn derive(&self, what: &str, of: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose()).expect("any length is a key");
        mac.update(b"Tacit cash\0");
        mac.update(what.as_bytes());
        mac.update(&[0]);
        mac.update(of);
        mac.finalize().into_bytes().into()
    }
}

/// In either case, with blanks and dashes or without; `O` is taken for 0, `I` and `L` for 1.
impl FromStr for CashCode {
    type Err = CashCodeError;

    fn from_str(text: &str) -> Result<Self, CashCodeError> {
        let number = spelling::read(text, LENGTH).ok_or(CashCodeError)?;
        Ok(Self(Secret::new(u64::try_from(number).expect("50 bits"))))
    }
}

impl CashCode {
    /// As it is shown: two groups of five.
    pub fn spelled(&self) -> String {
        spelling::spelled(u128::from(*self.0.expose()), LENGTH, LENGTH / 2, ' ')
    }
}

/// The number on both receipts: 60 bits of its name, in groups of four.
pub fn receipt_number(id: FactId) -> String {
    let bytes = id.as_bytes()[..8].try_into().expect("8 of 16");
    spelling::spelled(u128::from(u64::from_be_bytes(bytes) >> 4), 12, 4, ' ')
}

impl CashHash {
    /// The hash of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Debug for CashCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CashCode(..)")
    }
}

impl CashKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Out, Self::In, Self::Card];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
            Self::Card => "card",
        }
    }

    /// The kind of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl CashState {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Asked, Self::Ready, Self::Dealing, Self::Ending, Self::Done];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Ready => "ready",
            Self::Dealing => "dealing",
            Self::Ending => "ending",
            Self::Done => "done",
        }
    }

    /// The state of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_code_is_read_as_it_was_spelled(random: [u8; 16]) {
            let secret = CashSecret::new([1; 32]);
            let code = secret.code(FactId::from_bytes(random));
            let spelled = code.spelled();
            prop_assert_eq!(spelled.len(), LENGTH + 1);
            for text in [spelled.clone(), spelled.to_lowercase(), spelled.replace(' ', "-"), spelled.replace('0', "o")] {
                let read: CashCode = text.parse().unwrap();
                prop_assert_eq!(secret.hash(&read), secret.hash(&code));
            }
        }
    }

    #[test]
    fn other_texts_are_no_codes() {
        for text in ["", "7K2M9 XPQR", "7K2M9 XPQR44", "7K2M9 XPQRU", "7K2M9 XPQé"] {
            assert_eq!(text.parse::<CashCode>().err(), Some(CashCodeError), "{text}");
        }
    }

    #[test]
    fn without_the_secret_a_hash_says_nothing_of_its_code() {
        let (one, other) = (CashSecret::new([1; 32]), CashSecret::new([2; 32]));
        let id = FactId::from_bytes([7; 16]);
        assert_eq!(one.hash(&one.code(id)), one.hash(&one.code(id)));
        assert_ne!(one.hash(&one.code(id)), other.hash(&one.code(id)));
        assert_ne!(one.code(id).spelled(), other.code(id).spelled());
        assert_eq!(format!("{:?}", one.code(id)), "CashCode(..)");
    }

    #[test]
    fn a_name_is_somebodys_and_of_one_form() {
        let secret = CashSecret::new([1; 32]);
        let (one, other) = (PersonId::from_bytes([1; 16]), PersonId::from_bytes([2; 16]));
        assert_eq!(secret.name(one, [3; 16]), secret.name(one, [3; 16]));
        assert_ne!(secret.name(one, [3; 16]), secret.name(other, [3; 16]));
        assert_ne!(secret.name(one, [3; 16]), secret.name(one, [4; 16]));
        assert_ne!(secret.name(one, [3; 16]).as_bytes(), &[3; 16]);
    }

    #[test]
    fn kinds_and_states_are_known_by_their_names() {
        for kind in CashKind::ALL {
            assert_eq!(CashKind::of_name(kind.name()), Some(kind));
        }
        for state in CashState::ALL {
            assert_eq!(CashState::of_name(state.name()), Some(state));
        }
        assert_eq!((CashKind::of_name(""), CashState::of_name("")), (None, None));
    }
}
