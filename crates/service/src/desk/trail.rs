//! What staff did, in a chain: each entry names the hash of the one before, so that none can be changed, taken out or moved
//! without it being seen, as long as somebody remembers the last hash.
//!
//! The chain keeps honest whoever can write to the database, not whoever can write to it and to every copy of its head:
//! `tacitd trail` prints the head, to be kept elsewhere.

mod confidential;

use std::fmt;

use sha2::{Digest, Sha256};
use tacit_core::time::Timestamp;

use super::staff::StaffId;
use super::{Owner, TextError, one_line};
use crate::vault::StoreError;

/// Prefix of every hash.
const DOMAIN: &[u8] = b"tacit/desk/trail/v1";

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Somebody who works here logged in.
    StaffLoggedIn,
    /// Somebody was taken in to work here.
    StaffAdded,
    /// Somebody's role was changed.
    StaffRoleChanged,
    /// Somebody no longer works here.
    StaffDismissed,
    /// An invitation was made.
    Invited,
    /// An invitation was used.
    InvitationAccepted,
    /// A second member of staff confirmed an invitation.
    InvitationConfirmed,
    /// The holder of an account stopped an invitation that they had not asked for.
    InvitationStopped,
    /// A member of staff added a passkey of their own.
    PasskeyAdded,
    /// A member of staff removed a passkey of their own.
    PasskeyRemoved,
    /// An account was opened at the desk.
    PersonTakenIn,
    /// People were searched for.
    PeopleSearched,
    /// A person was looked up.
    PersonSeen,
    /// An account was frozen.
    PersonFrozen,
    /// An account was thawed.
    PersonThawed,
    /// A document was seen.
    DocumentSeen,
    /// A document was shown whose number is somebody else's, or another than before.
    DocumentRefused,
    /// The number of a document was taken off an account: it was written down wrongly, or is to be free for its owner again.
    NumberReleased,
    /// A level was set.
    LevelSet,
    /// A request to be identified was refused.
    IdentificationRefused,
    /// No invitation was made, since another document was shown than the one on record.
    InvitationDenied,
    /// A list of names to be screened for was put into use.
    ListImported,
    /// A hit of screening was found to be somebody else.
    HitCleared,
    /// A hit of screening led to a freeze.
    HitConfirmed,
    /// Somebody who complained was told why it takes longer.
    ComplaintHeld,
    /// A complaint was answered.
    ComplaintAnswered,
    /// An account is to be closed.
    PersonClosing,
    /// An account was closed.
    PersonClosed,
    /// An account was not closed, since it holds something.
    PersonNotClosed,
    /// A payout was approved.
    PayoutApproved,
    /// A payout was rejected.
    PayoutRejected,
    /// Payouts were put into an order to the bank.
    PayoutsOrdered,
    /// A payout was asked for by whoever holds the machine.
    PayoutAsked,
    /// It was said what a booking of the bank's was for.
    BookingResolved,
    /// What was said of it was refused by the vault.
    BookingNotResolved,
    /// Somebody else found right what was said of a booking.
    ResolutionApproved,
    /// Somebody said that it is not right.
    ResolutionDeclined,
    /// A booking was looked at.
    BookingSeen,
    /// Bookings were listed.
    BookingsListed,
    /// A payout was looked at.
    PayoutSeen,
    /// An unclear booking was taken in as it stands.
    BookingTakenIn,
    /// An unclear booking was set aside.
    BookingSetAside,
    /// What was set aside is looked at again.
    BookingBroughtBack,
    /// What came is to go back to its sender.
    BookingSentBack,
    /// A file of the bank's was handed in.
    StatementHandedIn,
    /// It was imported.
    StatementImported,
    /// It was said why bank and books differ.
    DifferenceExplained,
    /// Somebody else found that right.
    ExplanationApproved,
    /// Something was found that only a person can set right.
    ExceptionRaised,
    /// Somebody said what became of it.
    ExceptionEnded,
    /// An agent was taken in.
    AgentTakenIn,
    /// An agent was stopped.
    AgentStopped,
    /// An agent that was stopped works again.
    AgentResumed,
    /// Somebody was registered who asks for certificates.
    VerifierRegistered,
    /// They may no longer ask.
    VerifierStopped,
    /// They may ask again.
    VerifierResumed,
    /// A licence to bill was proposed, or other terms of one.
    LicenceProposed,
    /// It was granted by somebody else.
    LicenceGranted,
    /// It was declined, or taken back.
    LicenceDeclined,
    /// A licence was ended.
    LicenceEnded,
}

/// What is to be written down, with what it is about, in the commit that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub moment: Timestamp,
    /// Who; `None` is the machine: whoever holds it, at its command line, or what follows from an earlier deed by itself;
    /// or it was the holder of the account that it is about, of whom the detail says so.
    pub staff: Option<StaffId>,
    /// What.
    pub action: Action,
    /// To whom or what, by an identifier and never by a name: names are looked up where they are kept, and go when they do.
    pub subject: String,
    /// What else is to be said: a role, a reason in the words of whoever did it.
    pub detail: String,
}

/// Why somebody did something, in one line of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Characters it may have.
    pub const MAX: usize = 200;

    /// A reason as somebody wrote it.
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

/// A deed as it stands in the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 1.
    pub number: u64,
    /// When.
    pub moment: Timestamp,
    /// Who.
    pub staff: Option<StaffId>,
    /// What, by the name of its [`Action`]; a later program may have others.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// What else is said.
    pub detail: String,
    /// Hash of the one before; zeros before the first.
    pub previous: EntryHash,
    /// Its own.
    pub hash: EntryHash,
}

/// SHA-256 of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryHash([u8; 32]);

/// How long a trail is, and the hash of its last entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries there are.
    pub length: u64,
    /// Hash of the last.
    pub hash: EntryHash,
}

/// What is wrong with a trail. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// An entry is missing, or stands twice.
    #[error("entry {expected} of the trail is missing")]
    Missing {
        /// The one that should have come.
        expected: u64,
    },
    /// An entry does not follow from the one before.
    #[error("entry {number} of the trail does not follow from the one before")]
    Unlinked {
        /// Which.
        number: u64,
    },
    /// An entry is not as it was written.
    #[error("entry {number} of the trail was changed")]
    Changed {
        /// Which.
        number: u64,
    },
    /// Entries are missing at the end, or were added behind the head's back.
    #[error("the trail ends at entry {found}, its head says {length}")]
    Cut {
        /// How far it goes.
        found: u64,
        /// How far it should.
        length: u64,
    },
}

/// What the desk keeps of what staff did. Most entries are written by the transitions they are about.
pub trait TrailStore {
    /// Writes down something that changed nothing else: that somebody looked.
    ///
    /// # Errors
    /// [`StoreError`]
    fn note(&mut self, deed: &Deed) -> Result<(), StoreError>;

    /// The head. Fails as the others do.
    fn trail_head(&mut self) -> Result<Head, StoreError>;

    /// Entries from this number on, at most so many. Fails as the others do.
    fn trail(&mut self, from: u64, max: u32) -> Result<Vec<Entry>, StoreError>;

    /// Entries about one owner or thing, the latest first, from before this number on; at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn trail_about(
        &mut self,
        subject: &str,
        before: Option<u64>,
        max: u32,
    ) -> Result<Vec<Entry>, StoreError>;

    /// How often somebody did this, from a moment on.
    ///
    /// # Errors
    /// [`StoreError`]
    fn count_deeds(
        &mut self,
        staff: Option<StaffId>,
        action: Action,
        since: Timestamp,
    ) -> Result<u64, StoreError>;
}

/// Holds a trail against its rules as it is read.
#[derive(Clone, Copy, Debug)]
pub struct Checker {
    so_far: Head,
}

impl Default for Checker {
    fn default() -> Self {
        Self { so_far: Head::EMPTY }
    }
}

impl Checker {
    /// The next entry.
    ///
    /// # Errors
    /// [`Break`].
    pub fn next(&mut self, entry: &Entry) -> Result<(), Break> {
        let expected = self.so_far.length + 1;
        if entry.number != expected {
            return Err(Break::Missing { expected });
        }
        if entry.previous != self.so_far.hash {
            return Err(Break::Unlinked { number: entry.number });
        }
        if entry.hash != entry.computed_hash() {
            return Err(Break::Changed { number: entry.number });
        }
        self.so_far = Head { length: entry.number, hash: entry.hash };
        Ok(())
    }

    /// The end.
    ///
    /// # Errors
    /// [`Break::Cut`].
    pub fn end(self, head: Head) -> Result<(), Break> {
        let found = self.so_far.length;
        if self.so_far == head { Ok(()) } else { Err(Break::Cut { found, length: head.length }) }
    }
}

/// Holds a whole trail against its rules, and returns its head.
///
/// # Errors
/// [`StoreError`]; within, what is wrong with it.
pub fn check(store: &mut dyn TrailStore) -> Result<Result<Head, Break>, StoreError> {
    check_from(store, Head::EMPTY)
}

/// The same of what was written since an earlier check, whose head the trail must still have in its place.
///
/// # Errors
/// As [`check`].
pub fn check_on(
    store: &mut dyn TrailStore,
    checked: Head,
) -> Result<Result<Head, Break>, StoreError> {
    if checked == Head::EMPTY {
        return check(store);
    }
    let (found, length) = (store.trail_head()?.length, checked.length);
    if found < length {
        return Ok(Err(Break::Cut { found, length }));
    }
    let known = store.trail(length, 1)?;
    let is_there = known.iter().any(|entry| {
        let found = Head { length: entry.number, hash: entry.hash };
        found == checked && entry.computed_hash() == entry.hash
    });
    if is_there {
        return check_from(store, checked);
    }
    // All of it is read to find what is wrong. If nothing is, all of it was written anew.
    Ok(check(store)?.and(Err(Break::Changed { number: length })))
}

fn check_from(
    store: &mut dyn TrailStore,
    checked: Head,
) -> Result<Result<Head, Break>, StoreError> {
    const STEP: u32 = 500;
    let head = store.trail_head()?;
    let mut checker = Checker { so_far: checked };
    loop {
        let entries = store.trail(checker.so_far.length + 1, STEP)?;
        for entry in &entries {
            // What was written after the head was read is another look's.
            if head.length < entry.number {
                break;
            }
            if let Err(broken) = checker.next(entry) {
                return Ok(Err(broken));
            }
        }
        if entries.len() < STEP as usize || head.length <= checker.so_far.length {
            return Ok(checker.end(head).map(|()| head));
        }
    }
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 60] = [
        Self::StaffLoggedIn,
        Self::StaffAdded,
        Self::StaffRoleChanged,
        Self::StaffDismissed,
        Self::Invited,
        Self::InvitationAccepted,
        Self::InvitationConfirmed,
        Self::InvitationStopped,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::PersonTakenIn,
        Self::PeopleSearched,
        Self::PersonSeen,
        Self::PersonFrozen,
        Self::PersonThawed,
        Self::DocumentSeen,
        Self::DocumentRefused,
        Self::NumberReleased,
        Self::LevelSet,
        Self::IdentificationRefused,
        Self::InvitationDenied,
        Self::ListImported,
        Self::HitCleared,
        Self::HitConfirmed,
        Self::ComplaintHeld,
        Self::ComplaintAnswered,
        Self::PersonClosing,
        Self::PersonClosed,
        Self::PersonNotClosed,
        Self::PayoutApproved,
        Self::PayoutRejected,
        Self::PayoutsOrdered,
        Self::PayoutAsked,
        Self::BookingResolved,
        Self::BookingNotResolved,
        Self::ResolutionApproved,
        Self::ResolutionDeclined,
        Self::BookingSeen,
        Self::BookingsListed,
        Self::PayoutSeen,
        Self::BookingTakenIn,
        Self::BookingSetAside,
        Self::BookingBroughtBack,
        Self::BookingSentBack,
        Self::StatementHandedIn,
        Self::StatementImported,
        Self::DifferenceExplained,
        Self::ExplanationApproved,
        Self::ExceptionRaised,
        Self::ExceptionEnded,
        Self::AgentTakenIn,
        Self::AgentStopped,
        Self::AgentResumed,
        Self::VerifierRegistered,
        Self::VerifierStopped,
        Self::VerifierResumed,
        Self::LicenceProposed,
        Self::LicenceGranted,
        Self::LicenceDeclined,
        Self::LicenceEnded,
    ];

    /// As it is stored and hashed; never changed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StaffLoggedIn => "staff-logged-in",
            Self::StaffAdded => "staff-added",
            Self::StaffRoleChanged => "staff-role-changed",
            Self::StaffDismissed => "staff-dismissed",
            Self::Invited => "invited",
            Self::InvitationAccepted => "invitation-accepted",
            Self::InvitationConfirmed => "invitation-confirmed",
            Self::InvitationStopped => "invitation-stopped",
            Self::PasskeyAdded => "passkey-added",
            Self::PasskeyRemoved => "passkey-removed",
            Self::PersonTakenIn => "person-taken-in",
            Self::PeopleSearched => "people-searched",
            Self::PersonSeen => "person-seen",
            Self::PersonFrozen => "person-frozen",
            Self::PersonThawed => "person-thawed",
            Self::DocumentSeen => "document-seen",
            Self::DocumentRefused => "document-refused",
            Self::NumberReleased => "number-released",
            Self::LevelSet => "level-set",
            Self::IdentificationRefused => "identification-refused",
            Self::InvitationDenied => "invitation-denied",
            Self::ListImported => "list-imported",
            Self::HitCleared => "hit-cleared",
            Self::HitConfirmed => "hit-confirmed",
            Self::ComplaintHeld => "complaint-held",
            Self::ComplaintAnswered => "complaint-answered",
            Self::PersonClosing => "person-closing",
            Self::PersonClosed => "person-closed",
            Self::PersonNotClosed => "person-not-closed",
            Self::PayoutApproved => "payout-approved",
            Self::PayoutRejected => "payout-rejected",
            Self::PayoutsOrdered => "payouts-ordered",
            Self::PayoutAsked => "payout-asked",
            Self::BookingResolved => "booking-resolved",
            Self::BookingNotResolved => "booking-not-resolved",
            Self::ResolutionApproved => "resolution-approved",
            Self::ResolutionDeclined => "resolution-declined",
            Self::BookingSeen => "booking-seen",
            Self::BookingsListed => "bookings-listed",
            Self::PayoutSeen => "payout-seen",
            Self::BookingTakenIn => "booking-taken-in",
            Self::BookingSetAside => "booking-set-aside",
            Self::BookingBroughtBack => "booking-brought-back",
            Self::BookingSentBack => "booking-sent-back",
            Self::StatementHandedIn => "statement-handed-in",
            Self::StatementImported => "statement-imported",
            Self::DifferenceExplained => "difference-explained",
            Self::ExplanationApproved => "explanation-approved",
            Self::ExceptionRaised => "exception-raised",
            Self::ExceptionEnded => "exception-ended",
            Self::AgentTakenIn => "agent-taken-in",
            Self::AgentStopped => "agent-stopped",
            Self::AgentResumed => "agent-resumed",
            Self::VerifierRegistered => "verifier-registered",
            Self::VerifierStopped => "verifier-stopped",
            Self::VerifierResumed => "verifier-resumed",
            Self::LicenceProposed => "licence-proposed",
            Self::LicenceGranted => "licence-granted",
            Self::LicenceDeclined => "licence-declined",
            Self::LicenceEnded => "licence-ended",
        }
    }

    /// The action of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl Deed {
    /// A deed about an owner, with nothing more to say.
    pub fn about(moment: Timestamp, staff: Option<StaffId>, action: Action, owner: Owner) -> Self {
        Self { moment, staff, action, subject: owner.to_string(), detail: String::new() }
    }

    /// The entry it makes after the last one.
    pub fn entry_after(&self, head: Head) -> Entry {
        let mut entry = Entry {
            number: head.length + 1,
            moment: self.moment,
            staff: self.staff,
            action: self.action.name().to_owned(),
            subject: self.subject.clone(),
            detail: self.detail.clone(),
            previous: head.hash,
            hash: EntryHash([0; 32]),
        };
        entry.hash = entry.computed_hash();
        entry
    }
}

impl Entry {
    /// Whether whoever reads the trail may read its detail: see [`Action::is_confidential`]. What a later program wrote is taken for
    /// confidential.
    pub fn is_for_all(&self) -> bool {
        self.detail.is_empty()
            || Action::of_name(&self.action).is_some_and(|action| !action.is_confidential())
    }

    /// SHA-256 over the domain, the hash before, number and moment in 8 bytes each, big-endian, and then the staff's
    /// identifier, action, subject and detail, each behind its length in 4 bytes.
    fn computed_hash(&self) -> EntryHash {
        let mut hash = Sha256::new()
            .chain_update(DOMAIN)
            .chain_update(self.previous.0)
            .chain_update(self.number.to_be_bytes())
            .chain_update(self.moment.seconds().to_be_bytes());
        let staff = self.staff.map(StaffId::bytes);
        let staff: &[u8] = staff.as_ref().map_or(&[], |id| id.as_slice());
        for part in [staff, self.action.as_bytes(), self.subject.as_bytes(), self.detail.as_bytes()]
        {
            let length = u32::try_from(part.len()).expect("a deed is said in a few words");
            hash = hash.chain_update(length.to_be_bytes()).chain_update(part);
        }
        EntryHash(hash.finalize().into())
    }
}

impl EntryHash {
    /// The hash of these bytes, as it was kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(self) -> [u8; 32] {
        self.0
    }
}

/// Lower-case hexadecimal.
impl fmt::Display for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&tacit_core::hex::encode(&self.0))
    }
}

impl Head {
    /// Before anything was done.
    pub const EMPTY: Self = Self { length: 0, hash: EntryHash([0; 32]) };
}

#[cfg(test)]
mod tests;
