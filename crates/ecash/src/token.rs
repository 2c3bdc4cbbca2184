//! Tokens: proofs on their way from one person to another, as one line of text (NUT-00, "Serialization of tokens").
//!
//! Version 4 (`cashuB…`, CBOR) is read and written, version 3 (`cashuA…`, JSON, deprecated) only read.

pub(crate) mod json_proof;
mod v3;
mod v4;

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secp256k1::SecretKey;
use tacit_core::hex;
use tacit_core::secret::Secret;

use crate::dleq::Dleq;
use crate::keyset::KeysetId;
use crate::limit;
use crate::point::PointBytes;
use crate::proof::Proof;

/// Base64 for URLs: written without padding, read with and without.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Before the CBOR of a token in raw bytes (NUT-00 tests, "Raw Token Serialization").
const RAW_PREFIX: &[u8] = b"crawB";

/// Proofs of one mint, with what the receiver is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The mint's URL, without slashes at its end.
    pub mint: String,
    /// What the amounts count; a text, for other mints count in more than we know. Version 3 may lack it.
    pub unit: Option<String>,
    /// From the sender to the receiver.
    pub memo: Option<String>,
    /// The money.
    pub proofs: Vec<TokenProof>,
}

/// A proof on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenProof {
    /// Denomination, in minor units.
    pub amount: u64,
    /// Keyset that signed it.
    pub keyset: TokenKeyset,
    /// `x`.
    pub secret: Secret<String>,
    /// `C`.
    pub signature: PointBytes,
    /// What opens its spending condition.
    pub witness: Option<Secret<String>>,
    /// By what the receiver can check it without asking the mint (NUT-12).
    pub dleq: Option<ProofDleq>,
}

/// A DLEQ proof that its receiver can check (NUT-12, "Carol").
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ProofDleq {
    /// Challenge and response, from the mint.
    pub dleq: Dleq,
    /// `r`, from the one who blinded. Links the proof to the mint's signature: not for the mint to see.
    pub blinding_factor: SecretKey,
}

impl fmt::Debug for ProofDleq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofDleq").field("dleq", &self.dleq).finish_non_exhaustive()
    }
}

/// How a token names a keyset (NUT-00, "Short keyset ID").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenKeyset {
    /// In full.
    Full(KeysetId),
    /// By the first 8 bytes of an id of version 2.
    Short([u8; 8]),
}

impl TokenKeyset {
    /// `None` if no id of version 1 or 2 has these bytes, or begins with them.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match (bytes.len(), bytes.first()) {
            (8, Some(0)) => Some(Self::Full(KeysetId::V1(bytes.try_into().ok()?))),
            (8, Some(1)) => Some(Self::Short(bytes.try_into().ok()?)),
            (33, Some(1)) => Some(Self::Full(KeysetId::V2(bytes.try_into().ok()?))),
            _ => None,
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        match text.len() {
            16 => Self::from_bytes(&hex::decode::<8>(text).ok()?),
            _ => Self::from_bytes(&hex::decode::<33>(text).ok()?),
        }
    }

    /// As short as NUT-00 allows.
    fn short_bytes(&self) -> [u8; 8] {
        match self {
            Self::Full(KeysetId::V1(bytes)) | Self::Short(bytes) => *bytes,
            Self::Full(KeysetId::V2(id)) => *id.first_chunk().expect("33 bytes have a first 8"),
        }
    }

    fn is(&self, id: &KeysetId) -> bool {
        match self {
            Self::Full(own) => own == id,
            Self::Short(short) => match id {
                KeysetId::V1(_) => false,
                KeysetId::V2(id) => id.starts_with(short),
            },
        }
    }
}

/// Why a text or bytes are no token. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Too long to be read.
    #[error("a token has at most {max} bytes", max = limit::TOKEN)]
    TooLong,
    /// Neither `cashuA` nor `cashuB` at the front.
    #[error("the text does not begin as a token of version 3 or 4")]
    Prefix,
    /// Not base64 for URLs.
    #[error("the token is not base64")]
    Base64,
    /// Not the JSON or CBOR of a token.
    #[error("the token does not have the form of its version")]
    Form,
    /// Version 3 with several mints: nobody writes it any more.
    #[error("the token holds proofs of several mints")]
    SeveralMints,
    /// There is nothing in it.
    #[error("the token holds no proofs")]
    Empty,
    /// A secret, or a witness, is longer than a mint takes.
    #[error("a field of the token is longer than any mint takes")]
    OversizeField,
}

/// Why a token's keyset cannot be found. `index` counts its proofs from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// None of those known.
    #[error("the keyset of proof {index} is not known")]
    Unknown {
        /// Which proof.
        index: usize,
    },
    /// The short id fits several: whoever guesses may lose the money.
    #[error("the keyset of proof {index} is ambiguous")]
    Ambiguous {
        /// Which proof.
        index: usize,
    },
}

impl Token {
    /// Reads the raw form: `crawB` and CBOR.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn from_raw(bytes: &[u8]) -> Result<Self, TokenError> {
        if bytes.len() > limit::TOKEN {
            return Err(TokenError::TooLong);
        }
        let cbor = bytes.strip_prefix(RAW_PREFIX).ok_or(TokenError::Prefix)?;
        v4::read(cbor)?.checked()
    }

    /// Writes the raw form.
    pub fn to_raw(&self) -> Secret<Vec<u8>> {
        Secret::new([RAW_PREFIX, &v4::write(self)].concat())
    }

    /// Writes version 4, with short keyset ids. The text is money.
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(format!("cashuB{}", BASE64.encode(v4::write(self))))
    }

    /// The proofs under the full names of their keysets, of those that the wallet knows at the mint.
    ///
    /// # Errors
    /// [`ResolveError`] if a keyset is unknown or, being short, ambiguous.
    ///
    /// Source: NUT-00, "Short keyset ID".
    pub fn resolve(&self, known: &[KeysetId]) -> Result<Vec<Proof>, ResolveError> {
        let resolve = |(index, proof): (usize, &TokenProof)| {
            let mut fitting = known.iter().filter(|id| proof.keyset.is(id));
            let keyset = *fitting.next().ok_or(ResolveError::Unknown { index })?;
            if fitting.any(|other| *other != keyset) {
                return Err(ResolveError::Ambiguous { index });
            }
            let TokenProof { amount, secret, signature, witness, .. } = proof.clone();
            Ok(Proof { amount, keyset, secret, signature, witness })
        };
        self.proofs.iter().enumerate().map(resolve).collect()
    }

    pub(crate) fn checked(mut self) -> Result<Self, TokenError> {
        if self.proofs.is_empty() {
            return Err(TokenError::Empty);
        }
        let is_oversize = |proof: &TokenProof| {
            let witness = proof.witness.as_ref().map_or(0, |witness| witness.expose().len());
            proof.secret.expose().len() > limit::SECRET || witness > limit::WITNESS
        };
        if self.proofs.iter().any(is_oversize) {
            return Err(TokenError::OversizeField);
        }
        self.mint.truncate(self.mint.trim_end_matches('/').len());
        Ok(self)
    }
}

/// Reads version 3 or 4, with or without `cashu:` before it.
impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        if text.len() > limit::TOKEN {
            return Err(TokenError::TooLong);
        }
        let text = text.strip_prefix("cashu:").unwrap_or(text);
        let decode = |rest| BASE64.decode(rest).map_err(|_| TokenError::Base64);
        if let Some(rest) = text.strip_prefix("cashuB") {
            v4::read(&decode(rest)?)?.checked()
        } else if let Some(rest) = text.strip_prefix("cashuA") {
            v3::read(&decode(rest)?)?.checked()
        } else {
            Err(TokenError::Prefix)
        }
    }
}
