//! Exceptions of money: what no program can set right. A person looks at each and says what became of it.

use tacit_core::time::{Day, Timestamp};

use super::trail::{Action, Deed};
use crate::vault::StoreError;

/// What a person has to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// What is wrong.
    pub kind: Kind,
    /// With what, as the trail names it: `payout 0123…`, `booking 0123…`.
    pub subject: String,
    /// The day it was found.
    pub raised: Day,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Desk and vault say of a payout what does not fit together.
    Payout,
    /// What was credited wrongly is no longer in the account.
    Gone,
}

impl Kind {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Payout, Self::Gone];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payout => "payout",
            Self::Gone => "gone",
        }
    }

    /// The kind of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Exception {
    /// What stands in the trail when it is found: nobody did it.
    pub fn deed(&self, now: Timestamp) -> Deed {
        Deed {
            moment: now,
            staff: None,
            action: Action::ExceptionRaised,
            subject: self.subject.clone(),
            detail: self.kind.name().to_owned(),
        }
    }
}

/// What the desk keeps of exceptions.
pub trait ExceptionStore {
    /// Writes one down, with its deed; `false` if it waits for somebody already. One that was ended is raised anew.
    ///
    /// # Errors
    /// [`StoreError`].
    fn raise(&mut self, exception: &Exception, now: Timestamp) -> Result<bool, StoreError>;

    /// Those that wait for somebody, the earliest first, at most `max` after the one given.
    ///
    /// # Errors
    /// [`StoreError`].
    fn exceptions(
        &mut self,
        after: Option<&Exception>,
        max: u32,
    ) -> Result<Vec<Exception>, StoreError>;

    /// Somebody says what became of one; `false` if it does not wait.
    ///
    /// # Errors
    /// [`StoreError`].
    fn end_exception(&mut self, kind: Kind, subject: &str, deed: &Deed)
    -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_their_names() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::of_name("Gone"), None);
    }
}
