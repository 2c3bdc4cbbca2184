//! The passport desk's memory: what it answered, once for each thing shown, and to the same bytes again.
//!
//! Nothing here knows a passport. A request shows serials and uses things up (a month's tick of a holder, a receipt for a bill):
//! each has a [`Name`], and a name is answered once, to one request. Names, digest and reply are one commit, together with whatever
//! else the event changes; the reply is sent only after it.

pub mod desk;

use sha2::{Digest as _, Sha256};
use tacit_credit::passport::epoch::Epoch;

/// Something that is answered once: a hash of what it is, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name([u8; 32]);

impl Name {
    /// The name of a thing of some kind.
    pub fn of(kind: &str, thing: &[u8]) -> Self {
        let length = u64::try_from(kind.len()).expect("a word");
        let hash =
            Sha256::new_with_prefix(b"tacit passport name").chain_update(length.to_be_bytes());
        Self(hash.chain_update(kind).chain_update(thing).finalize().into())
    }

    /// The name of 32 bytes that were one.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The SHA-256 of a request's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestDigest([u8; 32]);

impl RequestDigest {
    /// The digest of a request.
    pub fn of(request: &[u8]) -> Self {
        Self(Sha256::digest(request).into())
    }

    /// The digest of 32 bytes that were one.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Answers that are found again together: who looks for one fetches a whole bucket, and does not say which of it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket(u16);

impl Bucket {
    /// The bucket of a number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// A reply that was made and is not committed. It must not leave the process before.
#[derive(Clone, PartialEq, Eq)]
pub struct PreparedAnswer {
    /// What the request shows and uses up. Nothing, of a blank receipt: then nothing is kept, and whoever lost it asks for another.
    pub names: Vec<Name>,
    /// Where the answer is found again.
    pub bucket: Bucket,
    /// Of the whole request.
    pub digest: RequestDigest,
    /// The reply.
    pub reply: Vec<u8>,
    /// What the wallet needs to open the reply, sealed for itself.
    pub sealed: Vec<u8>,
    /// The key epoch of what was shown: names of a retired one are dropped.
    pub keys: u32,
}

/// The key epoch of what is never dropped: that an account has had a passport.
pub const FOR_GOOD: u32 = u32::MAX;

/// What is dropped at once, at most: a commit is not to be held up by a year's end.
pub const DROPPED_AT_ONCE: u32 = 10_000;

/// The key epoch of a month: one a calendar year, counted from 2020.
///
/// Passports are shown under the present epoch's keys or those of the one before, and received under the present ones: a wallet that
/// stays away for longer than a year at least, and two at most, begins again.
///
/// Source: PASSPORT.md, rule 11.
pub const fn key_epoch(month: Epoch) -> u32 {
    month.number() as u32 / 12
}

/// What says that the vault of a month was an older copy: it may have forgotten serials that were shown since, so that two passports
/// can come of one. The month's tick, of which there is one a holder, ends one of them; until then there are neither loans nor
/// certificates.
pub fn pause_name(month: Epoch) -> Name {
    Name::of("pause", &month.number().to_be_bytes())
}

/// Keeps [`pause_name`] of a month, as often as it is asked.
pub fn pause(month: Epoch) -> PreparedAnswer {
    let name = pause_name(month);
    PreparedAnswer {
        names: vec![name],
        bucket: Bucket::new(0),
        digest: RequestDigest::of(name.as_bytes()),
        reply: Vec::new(),
        sealed: Vec::new(),
        keys: key_epoch(month),
    }
}

impl std::fmt::Debug for PreparedAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreparedAnswer").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// What is kept of an answer for a wallet that lost it.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// Of the request.
    pub request: RequestDigest,
    /// The reply.
    pub reply: Vec<u8>,
    /// What the wallet needs to open it.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept(..)")
    }
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// A serial that was shown with another request, or a thing that was used up by one.
    #[error("name {index} was answered to another request")]
    Shown {
        /// Which of the names, counted from 0.
        index: usize,
    },
}
