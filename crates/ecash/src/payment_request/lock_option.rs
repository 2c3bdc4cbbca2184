//! The lock that a receiver asks for: a spending condition but for its nonce (NUT-18, "Locking conditions").

use tacit_core::secret::Secret;

use crate::condition::lock::{Condition, Malformed, lock_secret};

/// A spending condition but for its nonce (NUT-18, `NUT10Option`), as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockOption {
    /// Which kind of lock.
    pub kind: LockKind,
    /// A public key or a hash.
    pub data: String,
    /// Further terms, those that nobody here knows included.
    pub tags: Vec<Vec<String>>,
}

/// Kinds of locks (NUT-10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// To a public key (NUT-11).
    P2pk,
    /// To a hash (NUT-14).
    Htlc,
    /// Not known here. Version A calls kinds by name.
    Named(String),
    /// Not known here. Version B counts them.
    Numbered(u8),
}

impl LockKind {
    /// The kind as secrets and version A name it.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::P2pk => Some("P2PK"),
            Self::Htlc => Some("HTLC"),
            Self::Named(name) => Some(name),
            Self::Numbered(_) => None,
        }
    }

    /// The kind as version B counts it.
    pub(super) fn number(&self) -> Option<u8> {
        match self {
            Self::P2pk => Some(0),
            Self::Htlc => Some(1),
            Self::Numbered(number) => Some(*number),
            Self::Named(_) => None,
        }
    }
}

impl LockOption {
    /// The lock of a condition.
    pub fn of(condition: &Condition) -> Self {
        let (name, data, tags) = condition.parts();
        let kind = if name == "P2PK" { LockKind::P2pk } else { LockKind::Htlc };
        Self { kind, data, tags }
    }

    /// What it says, if it opens for somebody: nothing else may money be locked with.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn condition(&self) -> Result<Condition, Malformed> {
        let secret = self.to_secret(&[0; 32])?;
        Condition::parse(secret.expose())?.ok_or(Malformed::UnknownKind)
    }

    /// A secret under this lock, word for word as the receiver asked: also tags that nobody here knows.
    ///
    /// `nonce`: 32 random bytes, without which two proofs under one lock would have one secret.
    ///
    /// # Errors
    /// [`Malformed::UnknownKind`] if the kind is neither `P2PK` nor `HTLC`.
    pub fn to_secret(&self, nonce: &[u8; 32]) -> Result<Secret<String>, Malformed> {
        match self.kind {
            LockKind::P2pk | LockKind::Htlc => {}
            LockKind::Named(_) | LockKind::Numbered(_) => return Err(Malformed::UnknownKind),
        }
        let name = self.kind.name().ok_or(Malformed::UnknownKind)?;
        Ok(lock_secret(name, &self.data, &self.tags, nonce))
    }
}
