//! Finding out who somebody is: the person asks, somebody sees a document, compliance decides the level.
//!
//! Of the document, its kind is known until it is decided, and its number only as a keyed hash, which finds a second account of the
//! same person: one account a person. The key comes from the mint's seed, so that the desk's database alone does not tell
//! which numbers are among the hashes, however few numbers a country has.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};

use super::person::{Person, PersonId};
use super::random_id;
use super::staff::StaffId;
use super::trail::Deed;
use crate::vault::StoreError;

/// Codes that one member of staff may make, and numbers that they may try, within [`TRIES_SPAN`].
pub const TRIES_MAX: u64 = 10;

/// See [`TRIES_MAX`].
pub const TRIES_SPAN: Duration = Duration::from_secs(3600);

/// Prefix of the derivation from the seed.
const DOMAIN: &[u8] = b"tacit/desk/national-number/v1";

random_id! {
    /// Names a request to be identified: all that a provider outside is told of a person.
    CaseId
}

/// What national numbers are hashed with.
pub struct NumberKey(Hmac<Sha256>);

/// The keyed hash of a national number, and of the country that gave it.
pub type NumberHash = [u8; 32];

/// Why a number cannot be taken. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not two letters.
    #[error("a country is two letters, such as DE")]
    Country,
    /// Too short, too long, or not of letters and digits.
    #[error("a number has 4 to 32 letters and digits")]
    Number,
}

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// A passport.
    Passport,
    /// An identity card.
    IdentityCard,
    /// A residence permit.
    ResidencePermit,
    /// Another that the law accepts.
    Other,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseState {
    /// The person has asked: somebody has to see a document.
    Asked,
    /// A document was seen: compliance has to decide.
    Seen(Document),
    /// Compliance said no. The person may ask again.
    Refused,
}

/// A request to be identified. It is forgotten once a level was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// Who.
    pub person: Person,
    /// How far it is.
    pub state: CaseState,
    /// Since which day.
    pub since: Day,
}

/// A document that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Whose.
    pub person: PersonId,
    /// The name of their request, if they have none yet.
    pub case: CaseId,
    /// Its number.
    pub number: NumberHash,
    /// What kind it is.
    pub document: Document,
    /// Who saw it; `None` is a provider outside.
    pub by: Option<StaffId>,
    /// When.
    pub now: Timestamp,
}

/// What became of a document that was seen. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// There is nobody of that name, or they are closed.
    Unknown,
    /// Whoever saw it made too many codes or tried too many numbers within the hour.
    TooMany,
    /// Another number of theirs is on record. It stays until compliance takes it off.
    Differs,
    /// Somebody else has that number: one account a person.
    Taken,
    /// It is written down.
    Done,
}

/// What the desk keeps while it is found out who people are.
pub trait IdentificationStore {
    /// Somebody asks. `false` if they have asked already, or are closed.
    ///
    /// # Errors
    /// [`StoreError`]
    fn ask_identification(
        &mut self,
        person: PersonId,
        case: CaseId,
        today: Day,
    ) -> Result<bool, StoreError>;

    /// Somebody's request.
    ///
    /// # Errors
    /// [`StoreError`]
    fn case(&mut self, person: PersonId) -> Result<Option<Case>, StoreError>;

    /// Requests that wait for the desk: those not refused, the oldest first, so many left out at the beginning; at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn cases(&mut self, skip: u64, max: u32) -> Result<Vec<Case>, StoreError>;

    /// A document was seen. Whoever did not ask has a request from now on. Codes that were made before lead nowhere any
    /// more. Numbers that staff tried and that do not fit are noted, and counted with the codes that somebody made: counted, decided and noted in
    /// one commit, so that nobody tries more than [`TRIES_MAX`] by trying them at once.
    ///
    /// # Errors
    /// [`StoreError`]
    fn see_document(&mut self, sighting: &Sighting) -> Result<Seen, StoreError>;

    /// Takes somebody's number off, with the request that it came with and every code that leads to the account: it was
    /// written down wrongly, or the account is closed and its owner comes back. `false` if there is none, or if a level was set by
    /// it and the account is not closed.
    ///
    /// # Errors
    /// [`StoreError`]
    fn release_number(&mut self, person: PersonId, deed: &Deed) -> Result<bool, StoreError>;

    /// Compliance says no. `false` if there is nothing to refuse.
    ///
    /// # Errors
    /// [`StoreError`]
    fn refuse_identification(
        &mut self,
        person: PersonId,
        today: Day,
        deed: &Deed,
    ) -> Result<bool, StoreError>;
}

/// Where somebody goes to be identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// To the operator's desk, with a document.
    Desk,
    /// To a site of the provider's.
    Site(String),
}

/// What a provider has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The number on the document, hashed with the key that the provider was given.
    pub number: NumberHash,
    /// What kind it was.
    pub document: Document,
}

/// Why a provider said nothing. It is asked again.
#[derive(Debug, thiserror::Error)]
#[error("the provider of identification cannot be asked")]
pub struct ProviderError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Whoever looks at documents for the operator. Compliance decides all the same.
///
/// Blocking: called where waiting is allowed. The same case may be begun and asked for again.
pub trait KycProvider: Send + Sync {
    /// Where the person of this case goes.
    ///
    /// # Errors
    /// [`ProviderError`].
    fn begin(&self, case: CaseId) -> Result<Place, ProviderError>;

    /// What was found out, once it was.
    ///
    /// # Errors
    /// [`ProviderError`].
    fn finding(&self, case: CaseId, key: &NumberKey) -> Result<Option<Finding>, ProviderError>;
}

/// The operator's own desk: a teller looks at the document, and writes down what they saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct ManualDesk;

impl KycProvider for ManualDesk {
    fn begin(&self, _: CaseId) -> Result<Place, ProviderError> {
        Ok(Place::Desk)
    }

    fn finding(&self, _: CaseId, _: &NumberKey) -> Result<Option<Finding>, ProviderError> {
        Ok(None)
    }
}

impl NumberKey {
    /// The key of a seed: `HMAC-SHA256(seed, domain)`.
    pub fn derive(seed: &Secret<[u8; 32]>) -> Self {
        let keyed = Hmac::<Sha256>::new_from_slice(seed.expose()).expect("HMAC takes any key");
        let key = keyed.chain_update(DOMAIN).finalize().into_bytes();
        Self(Hmac::new_from_slice(&key).expect("HMAC takes any key"))
    }

    /// The hash of a number as it stands on a document, with blanks and dashes or without, in either case.
    ///
    /// `country`: who gave it, in two letters (ISO 3166-1). It goes into the hash and is kept nowhere.
    ///
    /// # Errors
    /// [`NumberError`].
    pub fn hash(&self, country: &str, number: &str) -> Result<NumberHash, NumberError> {
        let country = country.trim().to_ascii_uppercase();
        if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(NumberError::Country);
        }
        let is_sign = |c: &char| c.is_whitespace() || matches!(c, '-' | '.' | '/');
        let plain: String = number.chars().filter(|c| !is_sign(c)).collect();
        let is_formed = (4..=32).contains(&plain.len())
            && plain.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_formed {
            return Err(NumberError::Number);
        }
        let plain = plain.to_ascii_uppercase();
        let keyed = self.0.clone().chain_update(country).chain_update(plain);
        Ok(keyed.finalize().into_bytes().into())
    }
}

impl Document {
    /// All kinds.
    pub const ALL: [Self; 4] =
        [Self::Passport, Self::IdentityCard, Self::ResidencePermit, Self::Other];

    /// As it is stored, and as it stands in the trail.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passport => "passport",
            Self::IdentityCard => "identity-card",
            Self::ResidencePermit => "residence-permit",
            Self::Other => "other",
        }
    }

    /// The kind of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|document| document.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_written_and_another_elsewhere() {
        let key = NumberKey::derive(&Secret::new([1; 32]));
        let hash = key.hash("DE", "L01X00T47").unwrap();
        for text in ["l01x00t47", " L01 X00-T47 ", "L01.X00/T47"] {
            assert_eq!(key.hash("de ", text), Ok(hash), "{text}");
        }
        assert_ne!(key.hash("AT", "L01X00T47"), Ok(hash), "of another country");
        assert_ne!(key.hash("DE", "L01X00T48"), Ok(hash));
        let other = NumberKey::derive(&Secret::new([2; 32]));
        assert_ne!(other.hash("DE", "L01X00T47"), Ok(hash), "of another mint");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let key = NumberKey::derive(&Secret::new([1; 32]));
        for country in ["", "D", "DEU", "D1", "ÄÖ"] {
            assert_eq!(key.hash(country, "L01X00T47"), Err(NumberError::Country), "{country}");
        }
        let long = "1".repeat(33);
        for number in ["", "123", "12-3", "L01X00T4?", "Ä1234", long.as_str()] {
            assert_eq!(key.hash("DE", number), Err(NumberError::Number), "{number}");
        }
    }

    #[test]
    fn documents_are_known_by_their_names() {
        for document in Document::ALL {
            assert_eq!(Document::of_name(document.name()), Some(document));
        }
        assert_eq!(Document::of_name("library-card"), None);
    }
}
