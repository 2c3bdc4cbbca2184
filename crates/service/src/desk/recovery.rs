//! A way in for whoever lost all of theirs, or never had one: a code that staff make, and that others can stop.
//!
//! Whoever makes a code can use it. So that nobody who works here takes an account over alone, a code opens at once only
//! where there is nothing to take: see [`Standing::opens`]. Until it does, the account's holder reads of it on every page
//! of the portal and can stop it, and a second member of staff can confirm it.

use std::time::Duration;

use tacit_core::time::Timestamp;

use super::Owner;
use super::identification::NumberHash;
use super::login::{ALREADY, INVITATION_LIFE, Invitation, InvitationHash};
use super::person::{Person, PersonId};
use super::staff::StaffId;
use crate::vault::StoreError;

/// How long the holder has to stop what nobody confirmed.
pub const DELAY: Duration = Duration::from_secs(24 * 3600);

/// What decides when a code opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The account was opened today, at the operator's own desk: on one that was opened at an agent, cash may be already.
    pub is_new: bool,
    /// Its holder has a passkey, and so sees in the portal that a code was made.
    pub has_passkey: bool,
    /// A document's number is on record.
    pub is_identified: bool,
}

/// When a code opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    /// As soon as it is made.
    AtOnce,
    /// After [`DELAY`], or once a second member of staff has confirmed it.
    InADay,
    /// Once a second member of staff has confirmed it.
    Confirmed,
}

/// A code that a member of staff wants to give somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginRequest {
    /// Of the code.
    pub hash: InvitationHash,
    /// For whom.
    pub person: PersonId,
    /// The number on the document they showed.
    pub number: Option<NumberHash>,
    /// Who makes it.
    pub by: StaffId,
    /// When.
    pub now: Timestamp,
}

/// What became of it. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRequested {
    /// There is nobody of that name, or they are closed.
    Unknown,
    /// Whoever asks made too many codes or tried too many numbers within the hour.
    TooMany,
    /// Another number is on record than was shown. It is in the trail, and counts.
    Differs,
    /// The code is made.
    Made(Invitation),
}

/// What became of a confirmation. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginConfirmed {
    /// No such code waits: it was stopped, replaced, used, is open already, or its time is over.
    Unknown,
    /// Whoever made it cannot confirm it.
    Own,
    /// It is good from now on.
    Done,
}

/// What the desk keeps of codes that lead people back to their accounts.
pub trait RecoveryStore {
    /// Makes a code for somebody, in the place of an earlier one, unless the number does not fit or there were too many
    /// within the hour: counted, decided and noted in one commit.
    ///
    /// # Errors
    /// [`StoreError`]
    fn request_login(&mut self, request: &LoginRequest) -> Result<LoginRequested, StoreError>;

    /// The code that somebody could come in with, now or later.
    ///
    /// # Errors
    /// [`StoreError`]
    fn requested_login(
        &mut self,
        of: PersonId,
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError>;

    /// Codes that a second member of staff can confirm, those whose time ends first at the beginning; at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn unconfirmed_logins(
        &mut self,
        now: Timestamp,
        max: u32,
    ) -> Result<Vec<(Invitation, Person)>, StoreError>;

    /// A second member of staff says that it is right. The code is named, since another may have taken its place.
    ///
    /// # Errors
    /// [`StoreError`]
    fn confirm_login(
        &mut self,
        hash: InvitationHash,
        by: StaffId,
        now: Timestamp,
    ) -> Result<LoginConfirmed, StoreError>;

    /// The account's holder says that it was not them: no code leads to the account any more. `false` if none did.
    ///
    /// # Errors
    /// [`StoreError`]
    fn stop_login(&mut self, of: PersonId, now: Timestamp) -> Result<bool, StoreError>;
}

impl Standing {
    /// When a code for such an account opens.
    ///
    /// At once where nobody has a way in yet and nothing can have come in before today. Where the holder would see it in time and little can
    /// be lost, a day later. Where more can be lost, or nobody would see it, two have to answer for it.
    pub const fn opens(self) -> Opens {
        match (self.has_passkey, self.is_identified, self.is_new) {
            (false, _, true) => Opens::AtOnce,
            (true, false, _) => Opens::InADay,
            (true, true, _) | (false, _, false) => Opens::Confirmed,
        }
    }
}

impl Opens {
    /// As it stands in the trail.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "at-once",
            Self::InADay => "in-a-day",
            Self::Confirmed => "once-confirmed",
        }
    }
}

impl LoginRequest {
    /// The invitation that opens so.
    pub fn invitation(&self, opens: Opens) -> Invitation {
        let (opens, lives_from) = match opens {
            Opens::AtOnce => (Some(ALREADY), self.now),
            Opens::InADay => (Some(self.now.after(DELAY)), self.now.after(DELAY)),
            Opens::Confirmed => (None, self.now),
        };
        Invitation {
            hash: self.hash,
            owner: Owner::Person(self.person),
            opens,
            expires: lives_from.after(INVITATION_LIFE),
            by: Some(self.by),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_who_works_here_comes_alone_and_unseen_into_an_account_that_is_worth_it() {
        let table = [
            // has a passkey, identified, new: when it opens
            (false, false, true, Opens::AtOnce),
            (false, true, true, Opens::AtOnce),
            (false, false, false, Opens::Confirmed),
            (false, true, false, Opens::Confirmed),
            (true, false, true, Opens::InADay),
            (true, false, false, Opens::InADay),
            (true, true, true, Opens::Confirmed),
            (true, true, false, Opens::Confirmed),
        ];
        for (has_passkey, is_identified, is_new, expected) in table {
            let standing = Standing { is_new, has_passkey, is_identified };
            assert_eq!(standing.opens(), expected, "{standing:?}");
        }
    }

    #[test]
    fn a_code_that_opens_later_is_good_for_as_long() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let request = LoginRequest {
            hash: InvitationHash::from_bytes([1; 32]),
            person: PersonId::from_bytes([2; 16]),
            number: None,
            by: StaffId::from_bytes([3; 16]),
            now,
        };
        let at_once = request.invitation(Opens::AtOnce);
        assert!(at_once.is_open(now) && at_once.expires == now.after(INVITATION_LIFE));
        let later = request.invitation(Opens::InADay);
        assert!(!later.is_open(now) && later.is_open(now.after(DELAY)));
        assert_eq!(later.expires, now.after(DELAY).after(INVITATION_LIFE));
        let confirmed = request.invitation(Opens::Confirmed);
        assert!(!confirmed.is_open(confirmed.expires), "never by itself");
    }
}
