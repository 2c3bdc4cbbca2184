//! The operator's word for a verifier: who it is, what it asks for, with which key, where answers go.
//!
//! It travels in the verifier's own request (OpenID4VP 1.0, section 12). So a wallet learns who asks without asking the operator, which
//! would tell the operator who is asked.

use serde::{Deserialize, Serialize};
use tacit_core::time::{Day, Timestamp};

use super::issuer::Trusted;
use super::jws::{self, Header, JwsError, Unchecked};
use super::key::{PublicKey, SecretKey};
use super::verify::Confirmation;

/// How attestations are typed.
const TYP: &str = "verifier-attestation+jwt";
/// Days an attestation counts: so long does it outlive a registration.
pub const DAYS: u64 = 7;
/// Bytes of a name or a purpose.
pub const TEXT_BYTES_MAX: usize = 200;

/// A registered verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// What its client id is made of.
    pub id: String,
    /// What it is called; the operator has checked it.
    pub name: String,
    /// What it asks for certificates for; it has told the operator so.
    pub purpose: String,
    /// Where answers may go.
    pub addresses: Vec<String>,
    /// The key that signs its requests.
    pub key: PublicKey,
}

/// Why an attestation is not believed. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// Not signed JSON of this type, or another signature.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// Of somebody else than the operator.
    #[error("attested by somebody who is not trusted")]
    UnknownAttester,
    /// Too old, or made in the future.
    #[error("the attestation has expired, or is not valid yet")]
    Expired,
    /// It names no key of P-256.
    #[error("the attestation names no key")]
    Key,
    /// A name or purpose that cannot be shown.
    #[error("the attested name or purpose cannot be shown")]
    Text,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: Timestamp,
    exp: Timestamp,
    cnf: Confirmation,
    redirect_uris: Vec<String>,
    client_name: String,
    purpose: String,
}

/// Whether a text may stand on a consent screen: short, and without what disturbs a terminal or turns letters around.
pub fn is_showable(text: &str) -> bool {
    let is_plain = |letter: char| {
        !letter.is_control()
            && !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    !text.trim().is_empty() && text.len() <= TEXT_BYTES_MAX && text.chars().all(is_plain)
}

impl Verifier {
    /// Signs what the operator attests. `attester`: the operator's name, under which its keys are published.
    pub fn attest(&self, attester: &str, key: &SecretKey, now: Timestamp) -> String {
        let day = now.day();
        let claims = Claims {
            iss: attester.to_owned(),
            sub: self.id.clone(),
            iat: day.start(),
            exp: Day::from_number(day.number() + DAYS).start(),
            cnf: Confirmation { jwk: self.key.to_jwk() },
            redirect_uris: self.addresses.clone(),
            client_name: self.name.clone(),
            purpose: self.purpose.clone(),
        };
        let header = Header { kid: Some(key.public().thumbprint()), ..Header::new(TYP) };
        jws::sign(&header, &claims, key)
    }

    /// Reads what was attested.
    ///
    /// # Errors
    /// [`AttestationError`].
    pub fn read(text: &str, trusted: &Trusted, now: Timestamp) -> Result<Self, AttestationError> {
        let unchecked = Unchecked::<Claims>::read(text, TYP)?;
        let key = trusted
            .key(unchecked.header().kid.as_deref())
            .filter(|_| unchecked.unchecked().iss == trusted.issuer())
            .ok_or(AttestationError::UnknownAttester)?;
        let claims = unchecked.check(key)?;
        if now < claims.iat || claims.exp <= now {
            return Err(AttestationError::Expired);
        }
        let key = PublicKey::try_from(&claims.cnf.jwk).map_err(|_| AttestationError::Key)?;
        let Claims { sub: id, client_name: name, purpose, redirect_uris: addresses, .. } = claims;
        if !is_showable(&name) || !is_showable(&purpose) {
            return Err(AttestationError::Text);
        }
        Ok(Self { id, name, purpose, addresses, key })
    }
}
