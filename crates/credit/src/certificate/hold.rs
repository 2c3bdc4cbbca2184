//! The wallet's side: a certificate is kept, and shown once.

use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;

use super::disclosure::Disclosure;
use super::issuer::Trusted;
use super::jws::{self, Header};
use super::key::SecretKey;
use super::statement::{Claim, Shown, Statement};
use super::verify::{
    Believed, CertificateError, Expected, KEY_BINDING_TYP, KeyBinding, PRESENTATION_BYTES_MAX,
    believe, hash_of,
};

/// A certificate with the key it is bound to, as its holder keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    signed: String,
    disclosures: Vec<(Claim, Disclosure)>,
    key: SecretKey,
    until: Timestamp,
}

/// Prints until when it counts, not what it says.
impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("until", &self.until).finish_non_exhaustive()
    }
}

/// Why a certificate is not taken. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// No verifier would believe it.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Bound to another key than was sent.
    #[error("the certificate is bound to another key")]
    OtherKey,
    /// It does not say what was proven.
    #[error("the certificate does not say what was proven")]
    OtherStatement,
}

impl Certificate {
    /// Takes a certificate that the desk signed for this key and this statement.
    ///
    /// # Errors
    /// [`ReceiveError`]. The passport was updated all the same; ask the same again.
    pub fn receive(
        text: &str,
        key: SecretKey,
        statement: &Statement,
        trusted: &Trusted,
        now: Timestamp,
    ) -> Result<Self, ReceiveError> {
        if PRESENTATION_BYTES_MAX < text.len() {
            return Err(CertificateError::TooLarge.into());
        }
        let parts = text.strip_suffix('~').ok_or(CertificateError::NoParts)?;
        let Believed { presented, disclosures } = believe(parts, trusted, now)?;
        if presented.key != key.public() {
            return Err(ReceiveError::OtherKey);
        }
        let expected = Shown {
            card: Some(statement.card),
            threshold: Some(statement.threshold),
            tenure: Some(statement.tenure),
            nothing_overdue: statement.nothing_overdue,
        };
        if presented.shown != expected {
            return Err(ReceiveError::OtherStatement);
        }
        let (signed, _) = parts.split_once('~').unwrap_or((parts, ""));
        let until = presented.validity.until;
        Ok(Self { signed: signed.to_owned(), disclosures, key, until })
    }

    /// From when on it is worth nothing.
    pub const fn until(&self) -> Timestamp {
        self.until
    }

    /// What it says: the value of each claim, as it would be shown.
    pub fn claims(&self) -> impl Iterator<Item = (Claim, serde_json::Value)> {
        self.disclosures
            .iter()
            .filter_map(|(claim, disclosure)| Some((*claim, disclosure.open()?.value)))
    }

    /// Shows some of its claims to whoever asked. Once: who shows it twice is known again by its key.
    pub fn present(&self, claims: &[Claim], expected: Expected<'_>, now: Timestamp) -> String {
        let mut text = format!("{}~", self.signed);
        for (claim, disclosure) in &self.disclosures {
            if claims.contains(claim) {
                text.push_str(disclosure.as_str());
                text.push('~');
            }
        }
        let binding = KeyBinding {
            iat: now,
            aud: expected.audience.to_owned(),
            nonce: expected.nonce.to_owned(),
            sd_hash: hash_of(&text),
        };
        text.push_str(&jws::sign(&Header::new(KEY_BINDING_TYP), &binding, &self.key));
        text
    }
}
