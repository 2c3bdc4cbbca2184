//! Whom to believe: the issuer's public keys, as they are published.

use serde::{Deserialize, Serialize};

use super::key::{Jwk, PublicKey};

/// Where an issuer publishes [`Metadata`], below its name (draft-ietf-oauth-sd-jwt-vc, "JWT VC Issuer Metadata").
pub const PATH: &str = "/.well-known/jwt-vc-issuer";
/// Bytes that metadata may have.
pub const METADATA_BYTES_MAX: usize = 64 * 1024;
/// Keys that are read of it.
const KEYS_MAX: usize = 32;

/// Keys as a set (RFC 7517, section 5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys. What is no key of P-256 may stand among them.
    pub keys: Vec<serde_json::Value>,
}

/// What an issuer publishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    issuer: String,
    jwks: Jwks,
    /// Ours: the keys that sign what is attested of verifiers.
    #[serde(default)]
    verifier_attestation_jwks: Jwks,
}

/// Why metadata is not believed. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// Larger than [`METADATA_BYTES_MAX`].
    #[error("larger than {METADATA_BYTES_MAX} bytes")]
    TooLarge,
    /// Not JSON, or not with these fields.
    #[error("not the metadata of an issuer")]
    Json(#[from] serde_json::Error),
    /// Somebody else's.
    #[error("the metadata is that of {found:?}")]
    Issuer {
        /// Whose it is, cut short.
        found: String,
    },
    /// There is no key of P-256 in it to check signatures with.
    #[error("there is no key of P-256 for signatures in it")]
    NoKey,
}

impl Metadata {
    pub(super) fn new(issuer: &str, key: &PublicKey, attester: &PublicKey) -> Self {
        let set = |key: &PublicKey| Jwks {
            keys: vec![serde_json::to_value(key.to_named_jwk()).expect("a key can be written")],
        };
        let issuer = issuer.to_owned();
        Self { issuer, jwks: set(key), verifier_attestation_jwks: set(attester) }
    }

    /// Reads what an issuer published. `name`: whose it must be, if the reader knows.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn read(bytes: &[u8], name: Option<&str>) -> Result<Self, MetadataError> {
        if METADATA_BYTES_MAX < bytes.len() {
            return Err(MetadataError::TooLarge);
        }
        let metadata: Self = serde_json::from_slice(bytes)?;
        if name.is_some_and(|name| name != metadata.issuer) {
            let found = metadata.issuer.chars().take(200).collect();
            return Err(MetadataError::Issuer { found });
        }
        if metadata.certificates().keys.is_empty() {
            return Err(MetadataError::NoKey);
        }
        Ok(metadata)
    }

    /// Whose certificates to believe.
    pub fn certificates(&self) -> Trusted {
        Trusted::new(&self.issuer, &self.jwks)
    }

    /// Whose word on verifiers to believe.
    pub fn attestations(&self) -> Trusted {
        Trusted::new(&self.issuer, &self.verifier_attestation_jwks)
    }
}

/// An issuer and its keys for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    issuer: String,
    keys: Vec<(String, PublicKey)>,
}

impl Trusted {
    /// The keys of a set that are for signatures with ES256.
    fn new(issuer: &str, set: &Jwks) -> Self {
        let key = |value: &serde_json::Value| {
            let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
            let is_ours = jwk.usage.as_deref().is_none_or(|usage| usage == "sig")
                && jwk.alg.as_deref().is_none_or(|alg| alg == "ES256");
            let key = PublicKey::try_from(&jwk).ok().filter(|_| is_ours)?;
            Some((jwk.kid.unwrap_or_else(|| key.thumbprint()), key))
        };
        let keys = set.keys.iter().filter_map(key).take(KEYS_MAX).collect();
        Self { issuer: issuer.to_owned(), keys }
    }

    /// Who it is.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key of a name; where none is named, the only one.
    pub(super) fn key(&self, name: Option<&str>) -> Option<&PublicKey> {
        let mut found = self.keys.iter().filter(|(kid, _)| name.is_none_or(|name| name == kid));
        match (found.next(), found.next()) {
            (Some((_, key)), None) => Some(key),
            _ => None,
        }
    }
}
