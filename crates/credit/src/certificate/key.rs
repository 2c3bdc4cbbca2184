//! Keys of P-256: the operator's, a certificate's, a verifier's; and their form as JSON (RFC 7517).

use p256::elliptic_curve::sec1::ToSec1Point as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tacit_core::hex::{self, HexError};
use tacit_core::secret::Secret;

use super::jws;
use crate::passport::message::ConfirmationKey;
use crate::passport::tag::Entropy;

/// What a key of the operator is for. Each has its own, so that a signature of one kind is never one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signs certificates.
    Certificates,
    /// Signs what is attested of verifiers.
    Attestations,
    /// Signs the requests of a verifier whose page the desk keeps.
    Requests,
}

impl Purpose {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Certificates => b"tacit certificate issuer",
            Self::Attestations => b"tacit verifier attestation",
            Self::Requests => b"tacit verifier request",
        }
    }
}

/// A private key. Zeroed when dropped, and never printed.
#[derive(Clone)]
pub struct SecretKey(p256::SecretKey);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.public() == other.public()
    }
}

impl Eq for SecretKey {}

impl SecretKey {
    /// The operator's key for a purpose, from the seed: always the same one. `name` tells those of one purpose apart.
    pub fn derive(seed: &Secret<[u8; 32]>, purpose: Purpose, name: &[u8]) -> Self {
        Self::of_hash(&[purpose.name(), b"\0", seed.expose(), name])
    }

    /// A key of 32 random bytes.
    pub fn from_entropy(entropy: &Entropy) -> Self {
        Self::of_hash(&[b"tacit certificate key\0", entropy.expose()])
    }

    fn of_hash(parts: &[&[u8]]) -> Self {
        let found = (0..=u8::MAX).find_map(|round| {
            let mut hash = Sha256::new_with_prefix([round]);
            for part in parts {
                hash.update(part);
            }
            p256::SecretKey::from_slice(&hash.finalize()).ok()
        });
        Self(found.expect("of 2^32 hashes one is no scalar, and of 2^8192 all of 256"))
    }

    /// The key of 32 bytes.
    ///
    /// # Errors
    /// [`NoKey`] for 0 and what is not below the group's order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, NoKey> {
        p256::SecretKey::from_slice(bytes).map(Self).map_err(|_| NoKey)
    }

    /// The bytes: as secret as the key.
    pub fn to_bytes(&self) -> Secret<[u8; 32]> {
        Secret::new(self.0.to_bytes().into())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key())
    }

    /// Signs with ES256. The same bytes get the same signature (RFC 6979).
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        use p256::ecdsa::signature::Signer as _;
        let signature: p256::ecdsa::Signature =
            p256::ecdsa::SigningKey::from(&self.0).sign(message);
        signature.to_bytes().into()
    }

    /// What both this key's holder and the other's can compute.
    pub(super) fn agree(&self, other: &PublicKey) -> Secret<[u8; 32]> {
        let shared = self.0.diffie_hellman(&other.0);
        Secret::new((*shared.raw_secret_bytes()).into())
    }
}

/// A public key: a point of P-256, not the neutral one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(p256::PublicKey);

/// Bytes or JSON that are no key of P-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key of P-256")]
pub struct NoKey;

/// A public key as JSON (RFC 7518, section 6.2.1). What else a key says of itself is not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    /// Its name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// What it is used for: `sig` or `enc`.
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// The one algorithm it is used with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
}

impl PublicKey {
    /// The key of a compressed point.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn from_compressed(bytes: &ConfirmationKey) -> Result<Self, NoKey> {
        p256::PublicKey::from_sec1_bytes(bytes).map(Self).map_err(|_| NoKey)
    }

    /// The compressed point.
    pub fn to_compressed(&self) -> ConfirmationKey {
        let point = self.0.to_sec1_point(true);
        point.as_bytes().try_into().expect("a compressed point has 33 bytes")
    }

    /// The key of a certificate's public half (RFC 5280, `SubjectPublicKeyInfo`), in DER.
    pub(super) fn from_x509(certificate: &[u8]) -> Result<Self, NoKey> {
        use x509_cert::der::{Decode as _, Encode as _};
        let certificate = x509_cert::Certificate::from_der(certificate).map_err(|_| NoKey)?;
        let info = certificate.tbs_certificate().subject_public_key_info();
        let der = info.to_der().map_err(|_| NoKey)?;
        let info = x509_cert::spki::SubjectPublicKeyInfoRef::try_from(der.as_slice());
        p256::PublicKey::try_from(info.map_err(|_| NoKey)?).map(Self).map_err(|_| NoKey)
    }

    /// As JSON, without a name.
    pub fn to_jwk(&self) -> Jwk {
        let point = self.0.to_sec1_point(false);
        let (_, coordinates) = point.as_bytes().split_at(1);
        let (x, y) = coordinates.split_at(32);
        let text = |text: &str| text.to_owned();
        let (x, y) = (jws::encode(x), jws::encode(y));
        Jwk { kty: text("EC"), crv: text("P-256"), x, y, kid: None, usage: None, alg: None }
    }

    /// As JSON, named by its thumbprint.
    pub fn to_named_jwk(&self) -> Jwk {
        let (usage, alg) = (Some("sig".to_owned()), Some("ES256".to_owned()));
        Jwk { kid: Some(self.thumbprint()), usage, alg, ..self.to_jwk() }
    }

    /// What it is called (RFC 7638): the hash of its JSON, in base64url.
    pub fn thumbprint(&self) -> String {
        let Jwk { crv, kty, x, y, .. } = self.to_jwk();
        let text = format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}","y":"{y}"}}"#);
        jws::encode(&Sha256::digest(text))
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        use p256::ecdsa::signature::Verifier as _;
        p256::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
            p256::ecdsa::VerifyingKey::from(&self.0).verify(message, &signature).is_ok()
        })
    }
}

impl TryFrom<&Jwk> for PublicKey {
    type Error = NoKey;

    fn try_from(jwk: &Jwk) -> Result<Self, NoKey> {
        if jwk.kty != "EC" || jwk.crv != "P-256" {
            return Err(NoKey);
        }
        let coordinate = |text: &str| -> Result<[u8; 32], NoKey> {
            jws::decode(text).and_then(|bytes| bytes.try_into().ok()).ok_or(NoKey)
        };
        let mut point = vec![4];
        point.extend(coordinate(&jwk.x)?);
        point.extend(coordinate(&jwk.y)?);
        p256::PublicKey::from_sec1_bytes(&point).map(Self).map_err(|_| NoKey)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.to_compressed()))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes: Result<ConfirmationKey, HexError> = hex::decode(&text);
        let key = Self::from_compressed(&bytes.map_err(serde::de::Error::custom)?);
        key.map_err(serde::de::Error::custom)
    }
}

impl Serialize for SecretKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_bytes().expose().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SecretKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <[u8; 32]>::deserialize(deserializer)?;
        Self::from_bytes(&bytes).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretKey {
        SecretKey::from_entropy(&Secret::new([byte; 32]))
    }

    #[test]
    fn keys_of_the_seed_differ_by_purpose_and_name() {
        let seed = Secret::new([5; 32]);
        let of = |purpose, name: &[u8]| SecretKey::derive(&seed, purpose, name).public();
        let first = of(Purpose::Certificates, b"0");
        assert_eq!(of(Purpose::Certificates, b"0"), first);
        for other in [
            of(Purpose::Certificates, b"1"),
            of(Purpose::Attestations, b"0"),
            of(Purpose::Requests, b"0"),
        ] {
            assert_ne!(other, first);
        }
        assert_eq!(format!("{:?}", key(1)), "SecretKey(..)");
    }

    #[test]
    fn a_key_is_read_back_in_every_form() {
        let secret = key(1);
        let public = secret.public();
        assert_eq!(PublicKey::from_compressed(&public.to_compressed()), Ok(public));
        assert_eq!(PublicKey::try_from(&public.to_named_jwk()), Ok(public));
        assert_eq!(SecretKey::from_bytes(secret.to_bytes().expose()), Ok(secret.clone()));
        let written = postcard::to_allocvec(&(&secret, public)).unwrap();
        assert_eq!(postcard::from_bytes::<(SecretKey, PublicKey)>(&written), Ok((secret, public)));
    }

    /// RFC 7515, appendix A.3: its key, and what is no key.
    #[test]
    fn what_is_no_point_is_no_key() {
        let jwk: Jwk = serde_json::from_str(
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        )
        .unwrap();
        assert!(PublicKey::try_from(&jwk).is_ok());
        let with = |change: fn(&mut Jwk)| {
            let mut other = jwk.clone();
            change(&mut other);
            PublicKey::try_from(&other)
        };
        assert_eq!(with(|jwk| jwk.kty = "OKP".to_owned()), Err(NoKey));
        assert_eq!(with(|jwk| jwk.crv = "P-384".to_owned()), Err(NoKey));
        assert_eq!(with(|jwk| jwk.x = jwk.y.clone()), Err(NoKey), "not on the curve");
        assert_eq!(with(|jwk| jwk.x.push('A')), Err(NoKey));
        assert_eq!(with(|jwk| jwk.x.clear()), Err(NoKey));
        assert_eq!(PublicKey::from_compressed(&[0; 33]), Err(NoKey));
        assert_eq!(SecretKey::from_bytes(&[0; 32]), Err(NoKey));
        assert_eq!(SecretKey::from_bytes(&[0xff; 32]), Err(NoKey));
        assert_eq!(PublicKey::from_x509(&[0x30, 0x03, 1, 2, 3]), Err(NoKey));
    }
}
