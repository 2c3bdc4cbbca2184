//! What opens a lock: signatures and a preimage, as the text that travels with a proof.

use secp256k1::{Keypair, SECP256K1, SecretKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::secret::Secret;

use super::{Preimage, Spend};

/// A BIP-340 signature, 64 bytes, not yet checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Wraps 64 bytes as they are.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Signs the SHA-256 hash of a message, as every signature of the protocol does (NUT-11, "Signature scheme").
    ///
    /// `aux`: 32 random bytes (BIP-340, "auxiliary random data").
    pub(crate) fn make(digest: &[u8; 32], key: &SecretKey, aux: &[u8; 32]) -> Self {
        let pair = Keypair::from_secret_key(SECP256K1, key);
        Self(SECP256K1.sign_schnorr_with_aux_rand(digest, &pair, aux).to_byte_array())
    }

    pub(crate) fn is_valid(&self, digest: &[u8; 32], key: &secp256k1::XOnlyPublicKey) -> bool {
        let signature = secp256k1::schnorr::Signature::from_byte_array(self.0);
        SECP256K1.verify_schnorr(&signature, digest, key).is_ok()
    }
}

/// Signs one input under `SIG_INPUTS`: its secret and nothing else (NUT-11).
///
/// `aux`: 32 random bytes.
pub fn sign_input(secret: &Secret<String>, key: &SecretKey, aux: &[u8; 32]) -> Signature {
    Signature::make(&Sha256::digest(secret.expose()).into(), key, aux)
}

/// Signs a whole transaction under `SIG_ALL`, for the witness of its first input (NUT-11).
///
/// `aux`: 32 random bytes.
pub fn sign_all(spend: &Spend<'_>, key: &SecretKey, aux: &[u8; 32]) -> Signature {
    Signature::make(&spend.digest(), key, aux)
}

/// The text is no witness: not a JSON object, or its fields are of the wrong type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the witness is not a JSON object of signatures and preimage")]
pub struct NotAWitness;

/// What opens a lock (NUT-11, `P2PKWitness`; NUT-14, `HTLCWitness`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    /// Opens an HTLC.
    pub preimage: Option<Preimage>,
    /// Open whatever asks for signatures.
    pub signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
struct WitnessText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preimage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signatures: Option<Vec<String>>,
}

impl Witness {
    /// Reads a witness. A preimage or signature that is not hexadecimal of its length opens nothing: it is left out.
    ///
    /// # Errors
    /// [`NotAWitness`] if it is no JSON object or a field has the wrong type.
    pub fn parse(text: &str) -> Result<Self, NotAWitness> {
        if !text.trim_start().starts_with('{') {
            return Err(NotAWitness); // serde would take an array for the object.
        }
        let read: WitnessText = serde_json::from_str(text).map_err(|_| NotAWitness)?;
        let signatures = read.signatures.unwrap_or_default();
        Ok(Self {
            preimage: read.preimage.and_then(|text| text.parse().ok()),
            signatures: signatures
                .iter()
                .filter_map(|text| hex::decode(text).ok().map(Signature))
                .collect(),
        })
    }

    /// As the text that travels with a proof.
    pub fn to_text(&self) -> Secret<String> {
        let signatures: Vec<String> =
            self.signatures.iter().map(|signature| hex::encode(signature.as_bytes())).collect();
        let text = WitnessText {
            preimage: self.preimage.map(|preimage| hex::encode(preimage.as_bytes())),
            // A P2PK witness always has the field, even empty.
            signatures: (self.preimage.is_none() || !signatures.is_empty()).then_some(signatures),
        };
        Secret::new(serde_json::to_string(&text).expect("texts are always JSON"))
    }
}
