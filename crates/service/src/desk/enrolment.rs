//! Passports at the desk: whose account may have one, and which wallet asks for its income.
//!
//! The desk keeps the holder's point, which the wallet's words make and no other request ever shows, so that one account has one
//! passport. What is in it, and when it is used, no database here or elsewhere knows.
//!
//! Source: PASSPORT.md, "Epoch, enrolment".

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tacit_core::hex::{self, HexError};
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;

use super::person::{Person, PersonId};
use crate::vault::StoreError;

/// How long a code counts that lets a wallet ask for a passport.
pub const CODE_LIFE: Duration = Duration::from_secs(3600);

/// Tells hashes of codes from those of anything else.
const CODE_DOMAIN: &[u8] = b"tacit/enrolment-code/v1";
/// Tells hashes of access keys from those of anything else.
const ACCESS_DOMAIN: &[u8] = b"tacit/passport-access/v1";

/// Lets one wallet ask for the passport of an account: 128 random bits, as 32 hexadecimal digits.
#[derive(Clone)]
pub struct EnrolmentCode(Secret<[u8; 16]>);

/// What a wallet shows to ask for its account's income: 256 bits that follow from its words, in hexadecimal digits.
#[derive(Clone)]
pub struct AccessKey(Secret<[u8; 32]>);

/// What is kept of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodeHash([u8; 32]);

/// The holder's point of a passport, as its bytes: a [`Tag`](tacit_credit::passport::tag::Tag).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HolderPoint([u8; 32]);

/// What is kept of an access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccessHash([u8; 32]);

impl EnrolmentCode {
    /// A code of random bytes.
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(Secret::new(random))
    }

    /// The text, for whom it is.
    pub fn reveal(&self) -> String {
        hex::encode(self.0.expose())
    }

    /// What is kept of it.
    pub fn hash(&self) -> CodeHash {
        CodeHash(
            Sha256::new_with_prefix(CODE_DOMAIN).chain_update(self.0.expose()).finalize().into(),
        )
    }
}

impl FromStr for EnrolmentCode {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::decode(text).map(Secret::new).map(Self)
    }
}

impl fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentCode(..)")
    }
}

impl AccessKey {
    /// What is kept of it.
    pub fn hash(&self) -> AccessHash {
        let hash = Sha256::new_with_prefix(ACCESS_DOMAIN).chain_update(self.0.expose());
        AccessHash(hash.finalize().into())
    }
}

impl FromStr for AccessKey {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex::decode(text).map(Secret::new).map(Self)
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey(..)")
    }
}

impl CodeHash {
    /// The hash of 32 bytes that were one.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl HolderPoint {
    /// The point of 32 bytes that were one.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl AccessHash {
    /// The hash of 32 bytes that were one.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The passport of an account, as the desk knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// Whose.
    pub person: PersonId,
    /// The how-manieth: 1, and one more each time somebody begins again.
    pub number: u32,
    /// The holder's point, once a wallet has asked; the same wallet may ask again, no other.
    pub holder: Option<HolderPoint>,
    /// What that wallet shows to ask for income.
    pub access: Option<AccessHash>,
}

/// What a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// A code for the passport there is, or for the first one.
    Same,
    /// A passport in the place of this one, for other words: whoever held it asks for no more income, and its age counts from
    /// later. Of two that ask at once one begins again.
    Instead {
        /// The one it takes the place of.
        number: u32,
    },
    /// Other words, for a passport that was never given: what a wallet began that is lost.
    Anew {
        /// Of which.
        number: u32,
    },
}

/// Why a wallet's request is not taken. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// No code of that hash counts, or the account is frozen or closed.
    #[error("the code does not count: it has expired, or another took its place")]
    Unknown,
    /// Another wallet has asked: its holder's point is kept.
    #[error("another wallet has this account's passport")]
    OtherWallet,
}

/// What the desk keeps of passports.
pub trait EnrolmentStore {
    /// Makes a code count for somebody's passport, in the place of an earlier one. `None` for nobody who is open.
    ///
    /// # Errors
    /// [`StoreError`]
    fn offer_enrolment(
        &mut self,
        of: PersonId,
        offer: Offer,
        code: CodeHash,
        expires: Timestamp,
    ) -> Result<Option<Enrolment>, StoreError>;

    /// Somebody's passport, and until when a code for it counts.
    ///
    /// # Errors
    /// [`StoreError`]
    fn enrolment(
        &mut self,
        of: PersonId,
    ) -> Result<Option<(Enrolment, Option<Timestamp>)>, StoreError>;

    /// Whose passport a code is for, if it counts.
    ///
    /// # Errors
    /// [`StoreError`]
    fn enrolment_of_code(
        &mut self,
        code: CodeHash,
        now: Timestamp,
    ) -> Result<Option<(Enrolment, Person)>, StoreError>;

    /// Keeps who a code's holder is, before the vault hears of it: a crash in between leaves a wallet that asks again.
    ///
    /// # Errors
    /// [`StoreError`]; within, [`EnrolError`].
    fn begin_enrolment(
        &mut self,
        code: CodeHash,
        holder: HolderPoint,
        access: AccessHash,
        now: Timestamp,
    ) -> Result<Result<Enrolment, EnrolError>, StoreError>;

    /// Whose income a wallet may ask for.
    ///
    /// # Errors
    /// [`StoreError`]
    fn enrolment_of_access(
        &mut self,
        access: AccessHash,
    ) -> Result<Option<(Enrolment, Person)>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_keys_are_read_back_and_do_not_print() {
        let code = EnrolmentCode::from_random([7; 16]);
        assert_eq!(code.reveal().parse::<EnrolmentCode>().unwrap().hash(), code.hash());
        assert!("7".parse::<EnrolmentCode>().is_err() && "".parse::<AccessKey>().is_err());
        let key: AccessKey = "ab".repeat(32).parse().unwrap();
        assert_ne!(key.hash(), "ac".repeat(32).parse::<AccessKey>().unwrap().hash());
        let printed = format!("{code:?}{key:?}");
        assert!(!printed.contains("07") && !printed.contains("ab"), "{printed}");
    }
}
