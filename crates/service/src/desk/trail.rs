//! What staff did, in a chain: each entry names the hash of the one before, so that none can be changed, taken out or moved
//! without it being seen, as long as somebody remembers the last hash.
//!
//! The chain keeps honest whoever can write to the database, not whoever can write to it and to every copy of its head:
//! `tacitd trail` prints the head, to be kept elsewhere.

use std::fmt;

use sha2::{Digest, Sha256};
use tacit_core::time::Timestamp;

use super::Owner;
use super::staff::StaffId;
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
    /// A member of staff added a passkey of their own.
    PasskeyAdded,
    /// A member of staff removed a passkey of their own.
    PasskeyRemoved,
    /// An account was opened at the desk.
    PersonTakenIn,
    /// A person was looked up.
    PersonSeen,
    /// An account was frozen.
    PersonFrozen,
    /// An account was thawed.
    PersonThawed,
    /// An account was closed.
    PersonClosed,
    /// A payout was approved.
    PayoutApproved,
    /// A payout was rejected.
    PayoutRejected,
    /// Payouts were put into an order to the bank.
    PayoutsOrdered,
}

/// What is to be written down, with what it is about, in the commit that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub moment: Timestamp,
    /// Who; `None` is whoever holds the machine, at its command line.
    pub staff: Option<StaffId>,
    /// What.
    pub action: Action,
    /// To whom or what, by an identifier and never by a name: names are looked up where they are kept, and go when they do.
    pub subject: String,
    /// What else is to be said: a role, a reason in the words of whoever did it.
    pub detail: String,
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

    /// The head.
    ///
    /// # Errors
    /// [`StoreError`]
    fn trail_head(&mut self) -> Result<Head, StoreError>;

    /// Entries from this number on, at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn trail(&mut self, from: u64, max: u32) -> Result<Vec<Entry>, StoreError>;
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
    const STEP: u32 = 500;
    let head = store.trail_head()?;
    let mut checker = Checker::default();
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
    pub const ALL: [Self; 16] = [
        Self::StaffLoggedIn,
        Self::StaffAdded,
        Self::StaffRoleChanged,
        Self::StaffDismissed,
        Self::Invited,
        Self::InvitationAccepted,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::PersonTakenIn,
        Self::PersonSeen,
        Self::PersonFrozen,
        Self::PersonThawed,
        Self::PersonClosed,
        Self::PayoutApproved,
        Self::PayoutRejected,
        Self::PayoutsOrdered,
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
            Self::PasskeyAdded => "passkey-added",
            Self::PasskeyRemoved => "passkey-removed",
            Self::PersonTakenIn => "person-taken-in",
            Self::PersonSeen => "person-seen",
            Self::PersonFrozen => "person-frozen",
            Self::PersonThawed => "person-thawed",
            Self::PersonClosed => "person-closed",
            Self::PayoutApproved => "payout-approved",
            Self::PayoutRejected => "payout-rejected",
            Self::PayoutsOrdered => "payouts-ordered",
        }
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
mod tests {
    use super::*;

    fn trail(length: u64) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for number in 1..=length {
            let head = entries
                .last()
                .map_or(Head::EMPTY, |last| Head { length: last.number, hash: last.hash });
            let deed = Deed {
                moment: Timestamp::from_seconds(1000 + number),
                staff: (number % 2 == 0)
                    .then(|| StaffId::from_bytes([u8::try_from(number).unwrap(); 16])),
                action: Action::ALL[usize::try_from(number).unwrap() % Action::ALL.len()],
                subject: format!("person {number}"),
                detail: "why".to_owned(),
            };
            entries.push(deed.entry_after(head));
        }
        entries
    }

    fn check(entries: &[Entry], head: Head) -> Result<(), Break> {
        let mut checker = Checker::default();
        entries.iter().try_for_each(|entry| checker.next(entry))?;
        checker.end(head)
    }

    /// Every field of every entry, every entry taken out, every two swapped, an end cut off, one added.
    #[test]
    fn whatever_is_changed_in_a_trail_is_found() {
        let whole = trail(9);
        let head = Head { length: 9, hash: whole[8].hash };
        assert_eq!(check(&whole, head), Ok(()));
        let changes: [fn(&mut Entry); 8] = [
            |entry| entry.number += 1,
            |entry| entry.moment = Timestamp::from_seconds(1),
            |entry| entry.staff = Some(StaffId::from_bytes([99; 16])),
            |entry| entry.action.push('x'),
            // From one field into the next.
            |entry| {
                let first = entry.detail.remove(0);
                entry.subject.push(first);
            },
            |entry| entry.detail.clear(),
            |entry| entry.previous = EntryHash([7; 32]),
            |entry| entry.hash = EntryHash([7; 32]),
        ];
        for at in 0..whole.len() {
            for (number, change) in changes.iter().enumerate() {
                let mut changed = whole.clone();
                change(&mut changed[at]);
                assert!(check(&changed, head).is_err(), "change {number} of entry {at}");
                // Hashed anew, which whoever changes it may do as well, it no longer fits the one after or the head.
                changed[at].hash = changed[at].computed_hash();
                let is_same = changed[at] == whole[at];
                assert!(
                    is_same || check(&changed, head).is_err(),
                    "change {number} of entry {at}, hashed"
                );
            }
            let mut without = whole.clone();
            without.remove(at);
            assert!(check(&without, head).is_err(), "without {at}");
            for other in 0..at {
                let mut swapped = whole.clone();
                swapped.swap(at, other);
                assert!(check(&swapped, head).is_err(), "{at} and {other} swapped");
            }
            assert_eq!(check(&whole[..at], head), Err(Break::Cut { found: at as u64, length: 9 }));
        }
        let longer = trail(10);
        assert_eq!(check(&longer, head), Err(Break::Cut { found: 10, length: 9 }));
    }

    #[test]
    fn each_action_has_a_name_of_its_own() {
        let mut names: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Action::ALL.len());
    }
}
