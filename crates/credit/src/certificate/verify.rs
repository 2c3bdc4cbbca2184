//! Whoever asked: a presentation is checked.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tacit_core::time::Timestamp;

use super::disclosure::{Disclosure, Opened};
use super::issue::TYP;
use super::issuer::Trusted;
use super::jws::{self, JwsError, Unchecked};
use super::key::{Jwk, PublicKey};
use super::statement::{Claim, Shown, TYPE, Validity};

/// Bytes a presentation may have.
pub const PRESENTATION_BYTES_MAX: usize = 16 * 1024;
/// Digests that are read of a certificate.
const DIGESTS_MAX: usize = 64;
/// How long ago a holder may have signed, in seconds.
pub const AGE_SECONDS_MAX: u64 = 300;
/// How far a holder's clock may be ahead, in seconds.
pub const AHEAD_SECONDS_MAX: u64 = 60;
/// How the holder's signature is typed.
pub(super) const KEY_BINDING_TYP: &str = "kb+jwt";

/// What a presentation must have been made for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who asked: the client id of the request.
    pub audience: &'a str,
    /// What the request drew, so that no presentation counts twice.
    pub nonce: &'a str,
}

/// Why a presentation is not believed. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Larger than [`PRESENTATION_BYTES_MAX`].
    #[error("larger than {PRESENTATION_BYTES_MAX} bytes")]
    TooLarge,
    /// Not parts between `~`.
    #[error("not a certificate: no parts between ~")]
    NoParts,
    /// The signed part, up to its signature.
    #[error("the certificate: {0}")]
    Certificate(JwsError),
    /// Of another issuer, or under a key that is not published.
    #[error("of an issuer or a key that is not trusted")]
    UnknownIssuer,
    /// The issuer's signature.
    #[error("the issuer's signature is not right")]
    IssuerSignature,
    /// Something else than a certificate of ours.
    #[error("not a certificate of type {TYPE}")]
    Type,
    /// Hashes of another kind, twice the same one, or too many.
    #[error("the certificate's digests cannot be read")]
    Digests,
    /// A claim that was not signed, stands there twice, is unknown or has a value it cannot have.
    #[error("claim {index} is not one that was signed")]
    Claim {
        /// Counted from 0.
        index: usize,
    },
    /// Made in the future.
    #[error("not valid yet")]
    NotYet,
    /// Past its last second.
    #[error("expired")]
    Expired,
    /// The certificate names no key of P-256.
    #[error("the certificate is bound to no key")]
    Key,
    /// Nobody shows that it is theirs.
    #[error("the holder has not signed")]
    NoHolder,
    /// The holder's signed part, or its signature.
    #[error("the holder's signature: {0}")]
    Holder(JwsError),
    /// Made for somebody else.
    #[error("made for somebody else")]
    Audience,
    /// Made for another request.
    #[error("made for another request")]
    Nonce,
    /// The holder signed for other claims or another certificate.
    #[error("the holder signed for something else")]
    OtherClaims,
    /// Signed too long ago, or in the future.
    #[error("the holder signed too long ago, or in the future")]
    Stale,
}

/// A certificate that was shown, and is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Who signed it.
    pub issuer: String,
    /// What it says, as far as it was shown.
    pub shown: Shown,
    /// From when to when.
    pub validity: Validity,
    /// The holder's key: another one in each certificate.
    pub key: PublicKey,
}

/// The signed claims.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    vct: String,
    iat: Timestamp,
    exp: Timestamp,
    #[serde(default)]
    nbf: Option<Timestamp>,
    cnf: Confirmation,
    #[serde(rename = "_sd_alg", default)]
    algorithm: Option<String>,
    #[serde(rename = "_sd", default)]
    digests: Vec<String>,
}

/// Whose it is (RFC 7800).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Confirmation {
    pub(super) jwk: Jwk,
}

/// What the holder signs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeyBinding {
    pub(super) iat: Timestamp,
    pub(super) aud: String,
    pub(super) nonce: String,
    pub(super) sd_hash: String,
}

/// A certificate whose issuer's part is believed; whose it is, nobody has shown.
pub(super) struct Believed {
    pub(super) presented: Presented,
    pub(super) disclosures: Vec<(Claim, Disclosure)>,
}

/// The hash that binds a holder's signature to what is shown: of everything before it.
pub(super) fn hash_of(shown: &str) -> String {
    jws::encode(&Sha256::digest(shown))
}

/// Checks a presentation.
///
/// # Errors
/// [`CertificateError`], by its first fault.
pub fn verify(
    text: &str,
    trusted: &Trusted,
    expected: Expected<'_>,
    now: Timestamp,
) -> Result<Presented, CertificateError> {
    if PRESENTATION_BYTES_MAX < text.len() {
        return Err(CertificateError::TooLarge);
    }
    let (parts, holder) = text.rsplit_once('~').ok_or(CertificateError::NoParts)?;
    let Believed { presented, .. } = believe(parts, trusted, now)?;
    if holder.is_empty() {
        return Err(CertificateError::NoHolder);
    }
    let binding = Unchecked::<KeyBinding>::read(holder, KEY_BINDING_TYP)
        .and_then(|binding| binding.check(&presented.key))
        .map_err(CertificateError::Holder)?;
    if binding.aud != expected.audience {
        return Err(CertificateError::Audience);
    }
    if binding.nonce != expected.nonce {
        return Err(CertificateError::Nonce);
    }
    let shown = text.strip_suffix(holder).expect("it was split off there");
    if binding.sd_hash != hash_of(shown) {
        return Err(CertificateError::OtherClaims);
    }
    let (signed, now) = (binding.iat.seconds(), now.seconds());
    if now.saturating_add(AHEAD_SECONDS_MAX) < signed
        || signed.saturating_add(AGE_SECONDS_MAX) < now
    {
        return Err(CertificateError::Stale);
    }
    Ok(presented)
}

/// Checks the issuer's part: `parts` is the signed text and the disclosures, without the last `~`.
pub(super) fn believe(
    parts: &str,
    trusted: &Trusted,
    now: Timestamp,
) -> Result<Believed, CertificateError> {
    let mut parts = parts.split('~');
    let signed = parts.next().ok_or(CertificateError::NoParts)?;
    let unchecked =
        Unchecked::<Claims>::read(signed, TYP).map_err(CertificateError::Certificate)?;
    let key = trusted
        .key(unchecked.header().kid.as_deref())
        .filter(|_| unchecked.unchecked().iss == trusted.issuer())
        .ok_or(CertificateError::UnknownIssuer)?;
    let claims = unchecked.check(key).map_err(|_| CertificateError::IssuerSignature)?;
    if claims.vct != TYPE {
        return Err(CertificateError::Type);
    }
    let digests: BTreeSet<&str> = claims.digests.iter().map(String::as_str).collect();
    let is_known = claims.algorithm.as_deref().is_none_or(|algorithm| algorithm == "sha-256");
    if !is_known || DIGESTS_MAX < digests.len() || digests.len() != claims.digests.len() {
        return Err(CertificateError::Digests);
    }
    let (shown, disclosures) = open(parts, &digests)?;
    if now < claims.iat || claims.nbf.is_some_and(|begin| now < begin) {
        return Err(CertificateError::NotYet);
    }
    if claims.exp <= now {
        return Err(CertificateError::Expired);
    }
    let key = PublicKey::try_from(&claims.cnf.jwk).map_err(|_| CertificateError::Key)?;
    let validity = Validity { since: claims.iat, until: claims.exp };
    let presented = Presented { issuer: claims.iss, shown, validity, key };
    Ok(Believed { presented, disclosures })
}

/// Opens the claims that are shown: each was signed, and none stands there twice.
fn open<'a>(
    parts: impl Iterator<Item = &'a str>,
    digests: &BTreeSet<&str>,
) -> Result<(Shown, Vec<(Claim, Disclosure)>), CertificateError> {
    let (mut shown, mut disclosures) = (Shown::default(), Vec::new());
    for (index, part) in parts.enumerate() {
        let refused = CertificateError::Claim { index };
        let disclosure = Disclosure::received(part);
        if !digests.contains(disclosure.digest().as_str()) {
            return Err(refused);
        }
        let Opened { name, value } = disclosure.open().ok_or(refused)?;
        let claim = Claim::of_name(&name).ok_or(refused)?;
        let is_twice = disclosures.iter().any(|(other, _)| *other == claim);
        if is_twice || !shown.set(claim, &value) {
            return Err(refused);
        }
        disclosures.push((claim, disclosure));
    }
    Ok((shown, disclosures))
}
