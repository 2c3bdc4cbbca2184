//! Verifiers: who asks people for certificates, and is shown to them by a name that somebody here has checked.

use tacit_core::time::Day;

use super::person::{Name, PersonId};
use super::trail::Deed;
use super::{TextError, one_line, random_id};
use crate::vault::StoreError;

random_id! {
    /// Names a verifier, in its client id.
    VerifierId
}

/// What a verifier asks for certificates for, in one line: people read it before they agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierPurpose(String);

impl VerifierPurpose {
    /// Characters it may have.
    pub const MAX: usize = 120;

    /// A purpose as somebody wrote it.
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

/// A registered verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// Random.
    pub id: VerifierId,
    /// What people read before they agree.
    pub name: Name,
    /// What it asks for.
    pub purpose: VerifierPurpose,
    /// Who asks, with a passkey of theirs. One person is one verifier.
    pub owner: PersonId,
    /// The day it was registered.
    pub opened: Day,
    /// Whether it may ask.
    pub state: VerifierState,
}

/// Whether a verifier may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VerifierState {
    /// It may.
    Working,
    /// It may not.
    Stopped,
}

impl VerifierState {
    /// Both states.
    pub const ALL: [Self; 2] = [Self::Working, Self::Stopped];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Stopped => "stopped",
        }
    }

    /// The state of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What became of a verifier that was to be registered. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifierRegistered {
    /// Nobody knows who its owner is, or they have no open account.
    Unidentified,
    /// Its owner is one, or another is called so: two of one name could not be told apart on a screen.
    Taken,
    /// It is registered.
    Done,
}

/// Verifiers shown at once.
pub const VERIFIERS_MAX: u32 = 100;

/// What the desk keeps of verifiers. What they ask, and what they are shown, it does not keep.
pub trait VerifierStore {
    /// Registers a verifier, if it is known who its owner is: a document was seen, and compliance has set a level by it.
    ///
    /// # Errors
    /// [`StoreError`]
    fn register_verifier(
        &mut self,
        verifier: &Verifier,
        deed: &Deed,
    ) -> Result<VerifierRegistered, StoreError>;

    /// The verifier of an id.
    ///
    /// # Errors
    /// [`StoreError`]
    fn verifier(&mut self, id: VerifierId) -> Result<Option<Verifier>, StoreError>;

    /// What somebody is as a verifier.
    ///
    /// # Errors
    /// [`StoreError`]
    fn verifier_of(&mut self, owner: PersonId) -> Result<Option<Verifier>, StoreError>;

    /// Verifiers by name, so many left out at the beginning; at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn verifiers(&mut self, skip: u64, max: u32) -> Result<Vec<Verifier>, StoreError>;

    /// Stops a verifier, or lets it ask again. `false` if there is none, or it is so already: then nothing was done.
    ///
    /// # Errors
    /// [`StoreError`]
    fn set_verifier_state(
        &mut self,
        id: VerifierId,
        state: VerifierState,
        deed: &Deed,
    ) -> Result<bool, StoreError>;
}
