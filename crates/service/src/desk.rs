//! The desk: people and paperwork. Who somebody is, how they log in, who works here, and what staff did.
//!
//! Reading order: [`person`] and [`staff`] (who there is), [`login`] (passkeys, sessions, invitations), [`recovery`] (who lost them), [`trail`] (what staff
//! did), [`judgement`] (freezing, closing, levels), [`identification`], [`screening`], [`complaint`] (whom the law asks about),
//! [`booking`] and [`payout`] (what the bank booked, and is asked to pay), [`reconcile`] (whether both agree with the bank),
//! [`exception`] (what no program can set right), [`agent`]
//! and [`cash`], [`verifier`] (who asks for certificates); then the merchants': [`merchant`], [`paper`] (orders), [`webhook`], [`biller`]. Architecture invariant: no money and no cryptography of e-cash. The desk holds account numbers, and what belongs to
//! them is the vault's; no type here may hold a proof, a quote, who paid an order, or the serial of a passport. Nothing here
//! says nationality, religion, ethnicity, contacts of a person, location or face, and no field is there for it.
//! Nothing here reads a clock or draws a random number: moments and identifiers come in as arguments.

pub mod agent;
pub mod biller;
pub mod booking;
pub mod cash;
pub mod complaint;
#[cfg(any(test, feature = "test-util"))]
pub mod conformance;
pub mod enrolment;
pub mod exception;
pub mod identification;
pub mod judgement;
pub mod login;
pub mod merchant;
pub mod paper;
pub mod payout;
pub mod person;
pub mod reconcile;
pub mod recovery;
pub mod screening;
mod spelling;
pub mod staff;
pub mod trail;
pub mod verifier;
pub mod webhook;

use std::fmt;

use tacit_core::hex;

use self::agent::AgentStore;
use self::biller::BillerStore;
use self::booking::BookingStore;
use self::cash::CashStore;
use self::complaint::ComplaintStore;
use self::enrolment::EnrolmentStore;
use self::exception::ExceptionStore;
use self::identification::IdentificationStore;
use self::judgement::JudgementStore;
use self::login::LoginStore;
use self::merchant::MerchantStore;
use self::paper::PaperStore;
use self::payout::PayoutStore;
use self::person::{PersonId, PersonStore};
use self::reconcile::ReconcileStore;
use self::recovery::RecoveryStore;
use self::screening::ScreeningStore;
use self::staff::{StaffId, StaffStore};
use self::trail::TrailStore;
use self::verifier::VerifierStore;
use self::webhook::WebhookStore;

/// All that the desk must not forget, for whoever serves all of it.
///
/// Each method is one whole transition: there is no `begin`, so no caller can leave a change half done.
pub trait DeskStore:
    BookingStore
    + PayoutStore
    + ReconcileStore
    + ExceptionStore
    + PersonStore
    + JudgementStore
    + IdentificationStore
    + ScreeningStore
    + ComplaintStore
    + LoginStore
    + RecoveryStore
    + StaffStore
    + TrailStore
    + MerchantStore
    + PaperStore
    + WebhookStore
    + BillerStore
    + AgentStore
    + CashStore
    + EnrolmentStore
    + VerifierStore
    + Send
{
}

impl<T> DeskStore for T where
    T: BookingStore
        + PayoutStore
        + ReconcileStore
        + ExceptionStore
        + PersonStore
        + JudgementStore
        + IdentificationStore
        + ScreeningStore
        + ComplaintStore
        + LoginStore
        + RecoveryStore
        + StaffStore
        + TrailStore
        + MerchantStore
        + PaperStore
        + WebhookStore
        + BillerStore
        + AgentStore
        + CashStore
        + EnrolmentStore
        + VerifierStore
        + Send
{
}

/// Whose a login is. Each kind has pages of its own, and a login of one opens none of another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// Somebody with an account: the portal.
    Person(PersonId),
    /// Somebody who works for the operator: the console.
    Staff(StaffId),
}

/// Which pages a login opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OwnerKind {
    /// The portal.
    Person,
    /// The operator's console.
    Staff,
}

impl Owner {
    /// The owner of this kind and identifier.
    pub const fn new(kind: OwnerKind, id: [u8; 16]) -> Self {
        match kind {
            OwnerKind::Person => Self::Person(PersonId::from_bytes(id)),
            OwnerKind::Staff => Self::Staff(StaffId::from_bytes(id)),
        }
    }

    /// Which pages its logins open.
    pub const fn kind(self) -> OwnerKind {
        match self {
            Self::Person(_) => OwnerKind::Person,
            Self::Staff(_) => OwnerKind::Staff,
        }
    }

    /// Its identifier, unique among all kinds: it is what a passkey names its owner by.
    pub const fn id(self) -> [u8; 16] {
        match self {
            Self::Person(id) => id.bytes(),
            Self::Staff(id) => id.bytes(),
        }
    }
}

impl OwnerKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Person, Self::Staff];

    /// As it is stored, and as it stands in the trail.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Staff => "staff",
        }
    }

    /// The kind of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// `person 0123…`: as the trail names it.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind().name(), hex::encode(&self.id()))
    }
}

/// Why a text cannot be what it was given for. Says nothing of what stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but blanks.
    #[error("it is empty")]
    Empty,
    /// More characters than fit.
    #[error("it has more than {max} characters")]
    TooLong {
        /// How many there may be.
        max: usize,
    },
    /// A line break, or another character that shows nothing or turns the direction of writing.
    #[error("it holds a character that cannot be shown")]
    Unshown,
}

/// A text of one line without blanks around it, of 1 to `max` characters.
///
/// # Errors
/// [`TextError`].
fn one_line(text: &str, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if max < text.chars().count() {
        return Err(TextError::TooLong { max });
    }
    if holds_unshown(text) {
        return Err(TextError::Unshown);
    }
    Ok(text.to_owned())
}

/// Whether a line holds characters that show nothing, or marks of direction, which let a name show itself as another.
fn holds_unshown(line: &str) -> bool {
    let is_unshown = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    line.chars().any(is_unshown)
}

/// An identifier of 16 random bytes, drawn by the caller.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The identifier of these bytes, which nobody else may have drawn.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            pub const fn bytes(self) -> [u8; 16] {
                self.0
            }
        }

        /// Lower-case hexadecimal, as it stands in paths.
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&tacit_core::hex::encode(&self.0))
            }
        }

        impl std::str::FromStr for $name {
            type Err = tacit_core::hex::HexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                tacit_core::hex::decode(text).map(Self)
            }
        }
    };
}
use random_id;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_that_shows_all_of_itself() {
        assert_eq!(one_line("  Ada Lovelace ", 12), Ok("Ada Lovelace".to_owned()));
        assert_eq!(one_line(" \t", 12), Err(TextError::Empty));
        assert_eq!(one_line("Ada Lovelaces", 12), Err(TextError::TooLong { max: 12 }));
        for text in ["a\nb", "a\u{202e}b", "a\u{200b}b", "a\0b"] {
            assert_eq!(one_line(text, 12), Err(TextError::Unshown), "{text:?}");
        }
    }

    #[test]
    fn kinds_are_known_by_their_names() {
        for kind in OwnerKind::ALL {
            assert_eq!(OwnerKind::of_name(kind.name()), Some(kind));
            assert_eq!(Owner::new(kind, [7; 16]).kind(), kind);
        }
        assert_eq!(OwnerKind::of_name("merchant?"), None);
    }
}
