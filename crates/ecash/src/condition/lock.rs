//! What a lock says: the well-known secrets of NUT-10, of kinds `P2PK` (NUT-11) and `HTLC` (NUT-14).
//!
//! What is a lock: a secret that is a JSON array beginning with `P2PK` or `HTLC`, or one that has the form of
//! NUT-10 under another kind. Every other secret is plain, and whoever knows it may spend it. A lock that is
//! malformed or of an unknown kind opens for nobody. NUT-10 lets a mint treat an unknown kind as plain,
//! and cdk does; but then the first to see the proof takes what was locked away from them, for good, whereas what
//! is refused can still be redeemed by a later version that knows the kind. Nutshell decides likewise.

use std::borrow::Cow;
use std::fmt;

use secp256k1::{PublicKey, XOnlyPublicKey};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;

use crate::point::PointBytes;

/// What opens a lock in the first place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// A signature of this key, or of enough of the keys with it (NUT-11, kind `P2PK`).
    Key(PublicKey),
    /// The preimage of this SHA-256 hash, with enough signatures if keys are named (NUT-14, kind `HTLC`).
    Hash([u8; 32]),
}

/// What signatures must cover (NUT-11, "Signature flag").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureFlag {
    /// Each input's own secret.
    #[default]
    Inputs,
    /// All inputs and outputs of the transaction.
    All,
}

/// What a lock says, as its author states it. Becomes a [`Condition`] if it makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What opens it.
    pub lock: Lock,
    /// Further keys, beside the one of [`Lock::Key`].
    pub pubkeys: Vec<PublicKey>,
    /// How many of the keys must sign; 1 if `None`.
    pub n_sigs: Option<u64>,
    /// From when on the refund keys may sign, too; never if `None`.
    pub locktime: Option<Timestamp>,
    /// Keys that may sign after the locktime; if `None`, after it anyone may spend.
    pub refund: Option<Vec<PublicKey>>,
    /// How many refund keys must sign; 1 if `None`.
    pub n_sigs_refund: Option<u64>,
    /// What signatures cover.
    pub flag: SignatureFlag,
}

impl Terms {
    /// A lock with nothing beside it.
    pub fn new(lock: Lock) -> Self {
        Self {
            lock,
            pubkeys: Vec::new(),
            n_sigs: None,
            locktime: None,
            refund: None,
            n_sigs_refund: None,
            flag: SignatureFlag::default(),
        }
    }
}

/// Why a lock opens for nobody. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The form is that of NUT-10, the kind is neither `P2PK` nor `HTLC`.
    #[error("the kind of spending condition is not supported")]
    UnknownKind,
    /// Not two elements, or the second without `nonce` and `data`, or with a tag that is not a list of texts.
    #[error("the spending condition does not have the form of NUT-10")]
    Form,
    /// A tag is an empty list, or has an empty text in it.
    #[error("a tag of the spending condition is empty")]
    EmptyTag,
    /// A tag that NUT-11 knows stands twice.
    #[error("a tag of the spending condition is repeated")]
    RepeatedTag,
    /// Neither `SIG_INPUTS` nor `SIG_ALL`.
    #[error("the signature flag is not known")]
    SignatureFlag,
    /// Not a compressed point of the curve.
    #[error("a public key of the spending condition is no compressed point")]
    Key,
    /// Not 32 bytes in hexadecimal.
    #[error("the hash of the spending condition is not 32 bytes")]
    Hash,
    /// Two keys of one pathway have the same x-coordinate.
    #[error("a public key of the spending condition is repeated")]
    RepeatedKey,
    /// Not a positive integer, or more than there are keys.
    #[error("the number of signatures is not between 1 and the number of keys")]
    SignatureCount,
}

/// Keys and how many of them must sign. The keys differ in their x-coordinates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pathway {
    pub(super) keys: Vec<XOnlyPublicKey>,
    pub(super) required: usize,
}

impl Pathway {
    /// Without a number, one key must sign; where there is no key, that opens for nobody.
    fn new(keys: Vec<XOnlyPublicKey>, n_sigs: Option<u64>) -> Result<Self, Malformed> {
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Malformed::RepeatedKey);
        }
        let required = match n_sigs {
            None => 1,
            Some(n_sigs) => usize::try_from(n_sigs)
                .ok()
                .filter(|required| (1..=keys.len()).contains(required))
                .ok_or(Malformed::SignatureCount)?,
        };
        Ok(Self { keys, required })
    }
}

/// A lock that makes sense. Made only by [`Condition::new`] and [`Condition::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub(super) terms: Terms,
    pub(super) main: Pathway,
    pub(super) refund: Option<Pathway>,
}

impl Condition {
    /// Checks what an author states.
    ///
    /// # Errors
    /// [`Malformed::RepeatedKey`], [`Malformed::SignatureCount`].
    ///
    /// Source: NUT-11, "Tags", "Public Key Canonicalisation".
    pub fn new(terms: Terms) -> Result<Self, Malformed> {
        let x_only = |key: &PublicKey| key.x_only_public_key().0;
        let mut keys: Vec<XOnlyPublicKey> = terms.pubkeys.iter().map(x_only).collect();
        match &terms.lock {
            Lock::Key(key) => keys.insert(0, x_only(key)),
            Lock::Hash(_) => {}
        }
        let main = Pathway::new(keys, terms.n_sigs)?;
        let refund = match &terms.refund {
            Some(keys) => {
                Some(Pathway::new(keys.iter().map(x_only).collect(), terms.n_sigs_refund)?)
            }
            None if terms.n_sigs_refund.is_some() => return Err(Malformed::SignatureCount),
            None => None,
        };
        Ok(Self { terms, main, refund })
    }

    /// Reads a secret: `None` if it is plain.
    ///
    /// # Errors
    /// [`Malformed`] if it is a lock that opens for nobody.
    pub fn parse(secret: &str) -> Result<Option<Self>, Malformed> {
        if is_plain(secret) {
            return Ok(None);
        }
        let Ok(Outline { kind: Some(kind), has_object }) = serde_json::from_str(secret) else {
            return Ok(None);
        };
        let body = serde_json::from_str::<(IgnoredAny, Body<'_>)>(secret)
            .ok()
            .filter(|_| has_object) // serde would take an array for the object.
            .map(|(_, body)| body);
        match (kind.as_str(), body) {
            ("P2PK", Some(body)) => {
                Self::read(Lock::Key(read_key(&body.data)?), body.tags).map(Some)
            }
            ("HTLC", Some(body)) => {
                let hash = hex::decode(&body.data).map_err(|_| Malformed::Hash)?;
                Self::read(Lock::Hash(hash), body.tags).map(Some)
            }
            ("P2PK" | "HTLC", None) => Err(Malformed::Form),
            (_, Some(_)) => Err(Malformed::UnknownKind),
            (_, None) => Ok(None),
        }
    }

    fn read(lock: Lock, tags: Option<Vec<Vec<String>>>) -> Result<Self, Malformed> {
        let mut read = ReadTags::default();
        for tag in tags.unwrap_or_default() {
            read.add(&tag)?;
        }
        Self::new(Terms {
            lock,
            pubkeys: read.pubkeys.unwrap_or_default(),
            n_sigs: read.n_sigs,
            locktime: read.locktime.flatten(),
            refund: read.refund,
            n_sigs_refund: read.n_sigs_refund,
            flag: read.flag.unwrap_or_default(),
        })
    }

    /// What it says.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// A secret under this lock, for the wallet.
    ///
    /// `nonce`: 32 random bytes, without which two proofs to the same key would have one secret.
    pub fn to_secret(&self, nonce: &[u8; 32]) -> Secret<String> {
        let (kind, data, tags) = self.parts();
        lock_secret(kind, &data, &tags, nonce)
    }

    /// Kind, data and tags, as they are written.
    pub(crate) fn parts(&self) -> (&'static str, String, Vec<Vec<String>>) {
        let (kind, data) = match &self.terms.lock {
            Lock::Key(key) => ("P2PK", write_key(key)),
            Lock::Hash(hash) => ("HTLC", hex::encode(hash)),
        };
        (kind, data, self.write_tags())
    }

    fn write_tags(&self) -> Vec<Vec<String>> {
        let tag = |name: &str, values: Vec<String>| [vec![name.to_owned()], values].concat();
        let keys = |keys: &[PublicKey]| keys.iter().map(write_key).collect::<Vec<_>>();
        let terms = &self.terms;
        let mut tags = Vec::new();
        if !terms.pubkeys.is_empty() {
            tags.push(tag("pubkeys", keys(&terms.pubkeys)));
        }
        if let Some(n_sigs) = terms.n_sigs {
            tags.push(tag("n_sigs", vec![n_sigs.to_string()]));
        }
        if let Some(locktime) = terms.locktime {
            tags.push(tag("locktime", vec![locktime.seconds().to_string()]));
        }
        if let Some(refund) = &terms.refund {
            tags.push(tag("refund", keys(refund)));
        }
        if let Some(n_sigs) = terms.n_sigs_refund {
            tags.push(tag("n_sigs_refund", vec![n_sigs.to_string()]));
        }
        if terms.flag == SignatureFlag::All {
            tags.push(tag("sigflag", vec!["SIG_ALL".to_owned()]));
        }
        tags
    }
}

/// A well-known secret (NUT-10).
pub(crate) fn lock_secret(
    kind: &str,
    data: &str,
    tags: &[Vec<String>],
    nonce: &[u8; 32],
) -> Secret<String> {
    let tags = (!tags.is_empty()).then(|| tags.to_vec());
    let body = Body { nonce: hex::encode(nonce).into(), data: data.into(), tags };
    Secret::new(serde_json::to_string(&(kind, body)).expect("texts are always JSON"))
}

/// The second element of a well-known secret (NUT-10). Other fields are ignored; a field that stands twice is an error.
#[derive(Serialize, Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    nonce: Cow<'a, str>,
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Vec<String>>>,
}

/// Whether a secret cannot be a lock, by its first character: nearly all are 64 digits.
pub(super) fn is_plain(secret: &str) -> bool {
    !secret.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('[')
}

/// What a JSON array begins with.
struct Outline {
    kind: Option<String>,
    has_object: bool,
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(OutlineVisitor)
    }
}

struct OutlineVisitor;

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Outline, A::Error> {
        let kind = match seq.next_element::<Value>()? {
            Some(Value::String(kind)) => Some(kind),
            Some(_) | None => None,
        };
        let has_object = seq.next_element::<Value>()?.is_some_and(|body| body.is_object());
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Outline { kind, has_object })
    }
}

/// The tags of NUT-11 as they are read: the outer `Option` says whether a tag has been seen.
#[derive(Default)]
struct ReadTags {
    flag: Option<SignatureFlag>,
    pubkeys: Option<Vec<PublicKey>>,
    n_sigs: Option<u64>,
    locktime: Option<Option<Timestamp>>,
    refund: Option<Vec<PublicKey>>,
    n_sigs_refund: Option<u64>,
}

impl ReadTags {
    fn add(&mut self, tag: &[String]) -> Result<(), Malformed> {
        if tag.iter().any(String::is_empty) {
            return Err(Malformed::EmptyTag);
        }
        let (name, values) = tag.split_first().ok_or(Malformed::EmptyTag)?;
        match name.as_str() {
            "sigflag" => set_once(&mut self.flag, || read_flag(values)),
            "pubkeys" => set_once(&mut self.pubkeys, || read_keys(values)),
            "n_sigs" => set_once(&mut self.n_sigs, || read_count(values)),
            "locktime" => set_once(&mut self.locktime, || Ok(read_time(values))),
            "refund" => set_once(&mut self.refund, || read_keys(values)),
            "n_sigs_refund" => set_once(&mut self.n_sigs_refund, || read_count(values)),
            _ => Ok(()), // "For feature extensions" (NUT-10).
        }
    }
}

fn set_once<T>(
    place: &mut Option<T>,
    read: impl FnOnce() -> Result<T, Malformed>,
) -> Result<(), Malformed> {
    if place.is_some() {
        return Err(Malformed::RepeatedTag);
    }
    *place = Some(read()?);
    Ok(())
}

fn read_flag(values: &[String]) -> Result<SignatureFlag, Malformed> {
    match values {
        [flag] if flag == "SIG_INPUTS" => Ok(SignatureFlag::Inputs),
        [flag] if flag == "SIG_ALL" => Ok(SignatureFlag::All),
        _ => Err(Malformed::SignatureFlag),
    }
}

/// A number too large for `u64` is larger than any number of keys, too.
fn read_count(values: &[String]) -> Result<u64, Malformed> {
    read_integer(values).filter(|count| *count != 0).ok_or(Malformed::SignatureCount)
}

/// What is not a time locks for ever (NUT-11, "Permanent Lock").
fn read_time(values: &[String]) -> Option<Timestamp> {
    read_integer(values).map(Timestamp::from_seconds)
}

fn read_integer(values: &[String]) -> Option<u64> {
    match values {
        [digits] if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}

fn read_keys(values: &[String]) -> Result<Vec<PublicKey>, Malformed> {
    values.iter().map(|value| read_key(value)).collect()
}

fn read_key(text: &str) -> Result<PublicKey, Malformed> {
    let point: PointBytes = text.parse().map_err(|_| Malformed::Key)?;
    point.parse().map_err(|_| Malformed::Key)
}

fn write_key(key: &PublicKey) -> String {
    PointBytes::from(key).to_string()
}
