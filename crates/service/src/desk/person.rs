//! Somebody with an account, as far as the law asks who that is.

use tacit_core::time::Day;

use super::login::{Passkey, Session};
use super::trail::Deed;
use super::{TextError, one_line, random_id};
use crate::account::{AccountId, HolderState, Level};
use crate::vault::StoreError;

random_id! {
    /// Names a person at the desk, and to the person's passkeys. The vault never sees it.
    PersonId
}

/// What somebody wants to be called, for the page and for a teller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// How somebody wants to be reached: an address for mail or a telephone number, as they wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact(String);

/// An account at a bank, where payouts go (ISO 13616): country, two check digits, 11 to 30 letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iban(String);

/// Why a text is no IBAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IbanError {
    /// Not a country, two digits and 11 to 30 letters and digits.
    #[error("an IBAN is a country's two letters, two digits, and 11 to 30 letters and digits")]
    Form,
    /// A digit is wrong or two are swapped.
    #[error("the check digits do not fit: one of the digits is wrong")]
    Checksum,
}

/// How well somebody is known. Limits follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KycLevel {
    /// Nothing was shown: low limits.
    Unknown,
    /// A document was seen.
    Identified,
    /// The document was checked, and where the money comes from is known.
    Verified,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PersonState {
    /// It may.
    Open,
    /// Nothing moves until compliance says so. The person can still look.
    Frozen,
    /// For good.
    Closed,
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their name at the desk.
    pub id: PersonId,
    /// Their account in the vault: all that desk and vault have in common.
    pub account: AccountId,
    /// What they want to be called.
    pub name: Name,
    /// How to reach them, if they said.
    pub contact: Option<Contact>,
    /// Where payouts go, if they said.
    pub iban: Option<Iban>,
    /// How well they are known.
    pub kyc: KycLevel,
    /// Whether the account may be used.
    pub state: PersonState,
    /// Keyed hash of their national number, which finds a second account of the same person; `None` until a teller saw it.
    pub national_number: Option<[u8; 32]>,
    /// The day they came.
    pub opened: Day,
    /// Whether the vault is known to have the account. Until it is, opening it there is tried again.
    pub is_in_vault: bool,
}

impl Person {
    /// Somebody who comes: nothing was shown, and the vault is not told yet.
    pub fn newcomer(id: PersonId, account: AccountId, name: Name, opened: Day) -> Self {
        Self {
            id,
            account,
            name,
            contact: None,
            iban: None,
            kyc: KycLevel::Unknown,
            state: PersonState::Open,
            national_number: None,
            opened,
            is_in_vault: false,
        }
    }
}

/// A person, the passkey they came with, and their first session: one commit.
#[derive(Clone, Debug)]
pub struct SignUp {
    /// Who.
    pub person: Person,
    /// What they log in with from now on.
    pub passkey: Passkey,
    /// They are logged in at once.
    pub session: Session,
}

/// What became of a person's coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedUp {
    /// They are in.
    Done,
    /// The passkey, the person or the account is there already: nothing was changed.
    Taken,
}

/// A page of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In the order of their names, then identifiers.
    pub people: Vec<Person>,
    /// Whether there are more than were asked for: a closer search is needed, there is no next page.
    pub is_cut: bool,
}

/// What the desk keeps of people.
pub trait PersonStore {
    /// Takes somebody in.
    ///
    /// # Errors
    /// [`StoreError`]
    fn sign_up(&mut self, sign_up: &SignUp) -> Result<SignedUp, StoreError>;

    /// Takes somebody in who comes to the desk in person, without a passkey.
    ///
    /// # Errors
    /// [`StoreError`]
    fn take_in(&mut self, person: &Person, deed: &Deed) -> Result<SignedUp, StoreError>;

    /// Who this is.
    ///
    /// # Errors
    /// [`StoreError`]
    fn person(&mut self, id: PersonId) -> Result<Option<Person>, StoreError>;

    /// Whose an account is.
    ///
    /// # Errors
    /// [`StoreError`]
    fn person_of_account(&mut self, account: AccountId) -> Result<Option<Person>, StoreError>;

    /// People whose name begins so, in either case; at most [`FOUND_MAX`]. There is no way to list them
    /// all: nobody works with that, and whoever seizes a console wants nothing more.
    ///
    /// # Errors
    /// [`StoreError`]
    fn find_people(&mut self, name_begins: &str) -> Result<Found, StoreError>;

    /// Puts down how somebody wants to be reached and paid. `false` if there is nobody of that name, or they are closed.
    ///
    /// # Errors
    /// [`StoreError`]
    fn set_person_details(
        &mut self,
        id: PersonId,
        contact: Option<&Contact>,
        iban: Option<&Iban>,
    ) -> Result<bool, StoreError>;

    /// Accounts that the vault is not known to have, at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn not_in_vault(&mut self, max: u32) -> Result<Vec<Person>, StoreError>;

    /// The vault has the account. Done twice, it is done once.
    ///
    /// # Errors
    /// [`StoreError`]
    fn set_in_vault(&mut self, id: PersonId) -> Result<(), StoreError>;
}

/// How many people a search finds at most.
pub const FOUND_MAX: usize = 20;

impl Name {
    /// Characters it may have.
    pub const MAX: usize = 80;

    /// A name as somebody wrote it.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        one_line(text, Self::MAX).map(Self)
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Contact {
    /// Characters it may have.
    pub const MAX: usize = 120;

    /// A contact as somebody wrote it.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        one_line(text, Self::MAX).map(Self)
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Iban {
    /// An IBAN as somebody wrote it, with blanks or without.
    ///
    /// # Errors
    /// [`IbanError`].
    pub fn new(text: &str) -> Result<Self, IbanError> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let plain = plain.to_ascii_uppercase();
        let bytes = plain.as_bytes();
        let is_formed = (15..=34).contains(&bytes.len())
            && bytes[..2].iter().all(u8::is_ascii_uppercase)
            && bytes[2..4].iter().all(u8::is_ascii_digit)
            && bytes[4..].iter().all(u8::is_ascii_alphanumeric);
        if !is_formed {
            return Err(IbanError::Form);
        }
        // ISO 7064, MOD 97-10: letters count from 10, the first four stand last, the remainder is 1.
        let remainder = bytes[4..].iter().chain(&bytes[..4]).fold(0_u32, |so_far, byte| {
            if byte.is_ascii_digit() {
                (so_far * 10 + u32::from(byte - b'0')) % 97
            } else {
                (so_far * 100 + u32::from(byte - b'A') + 10) % 97
            }
        });
        if remainder == 1 { Ok(Self(plain)) } else { Err(IbanError::Checksum) }
    }

    /// Without blanks, in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In groups of four, as people read it.
    pub fn grouped(&self) -> String {
        let groups: Vec<&str> =
            (0..self.0.len()).step_by(4).map(|at| &self.0[at..self.0.len().min(at + 4)]).collect();
        groups.join(" ")
    }
}

impl KycLevel {
    /// All levels, from the least.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::Identified, Self::Verified];

    /// As it is stored and shown: 0 to 2.
    pub const fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Identified => 1,
            Self::Verified => 2,
        }
    }

    /// The level that the vault sets limits by: the same number. The vault's highest, 3, is nobody's whom the desk knows.
    pub const fn level(self) -> Level {
        Level::new(self.number()).expect("levels of the desk are levels of the vault")
    }

    /// The level of this number.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.number() == number)
    }
}

impl PersonState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Open, Self::Frozen, Self::Closed];

    /// As it is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }

    /// The state of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// What the vault calls it.
    pub const fn in_vault(self) -> HolderState {
        match self {
            Self::Open => HolderState::Open,
            Self::Frozen => HolderState::Frozen,
            Self::Closed => HolderState::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iban_has_fitting_check_digits() {
        // Examples of ISO 13616-1 and the registry of it.
        for text in ["DE89 3704 0044 0532 0130 00", "gb82west12345698765432", "NO9386011117947"] {
            let iban = Iban::new(text).unwrap();
            assert_eq!(iban.grouped().replace(' ', ""), iban.as_str());
        }
        assert_eq!(
            Iban::new("DE89370400440532013000").unwrap().grouped(),
            "DE89 3704 0044 0532 0130 00"
        );
        assert_eq!(Iban::new("DE89370400440532013001"), Err(IbanError::Checksum));
        assert_eq!(Iban::new("DE98370400440532013000"), Err(IbanError::Checksum));
        for text in
            ["", "DE", "8937040044053201300", "DE893704004405320130-0", "ÄE89370400440532013000"]
        {
            assert_eq!(Iban::new(text), Err(IbanError::Form), "{text}");
        }
    }

    #[test]
    fn states_are_known_by_their_names() {
        for state in PersonState::ALL {
            assert_eq!(PersonState::of_name(state.name()), Some(state));
        }
        assert_eq!(PersonState::of_name("gone"), None);
    }

    #[test]
    fn levels_are_those_of_the_vault() {
        for level in KycLevel::ALL {
            assert_eq!(level.level().number(), level.number());
            assert_eq!(KycLevel::of_number(level.number()), Some(level));
        }
        assert_eq!(KycLevel::of_number(3), None);
    }
}
