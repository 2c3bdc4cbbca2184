//! What is sent to the receiver of a payment request: proofs with the request's id (NUT-18, "Payment payload").

use serde::{Deserialize, Serialize};
use tacit_core::secret::Secret;

use crate::limit;
use crate::token::json_proof::JsonProof;
use crate::token::{Token, TokenError, TokenKeyset};

/// A payment on its way. As JSON it is money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The request's id, if it had one.
    pub id: Option<String>,
    /// The proofs, with mint, unit and memo.
    pub token: Token,
}

/// A keyset has only a short name: whoever writes a payload must know it in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keyset of proof {index} is not named in full")]
pub struct ShortKeyset {
    /// Which proof, from 0.
    pub index: usize,
}

#[derive(Serialize, Deserialize)]
struct PayloadText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
    mint: String,
    unit: String,
    proofs: Vec<JsonProof>,
}

impl Payload {
    /// Reads the JSON of a payload.
    ///
    /// # Errors
    /// [`TokenError`], but for its prefixes.
    pub fn from_json(json: &[u8]) -> Result<Self, TokenError> {
        if limit::TOKEN < json.len() {
            return Err(TokenError::TooLong);
        }
        let read: PayloadText = serde_json::from_slice(json).map_err(|_| TokenError::Form)?;
        let proofs = read.proofs.into_iter().map(JsonProof::read).collect::<Result<_, _>>()?;
        let unit = Some(read.unit).filter(|unit| !unit.is_empty());
        let token = Token { mint: read.mint, unit, memo: read.memo, proofs }.checked()?;
        Ok(Self { id: read.id, token })
    }

    /// Writes the JSON.
    ///
    /// # Errors
    /// [`ShortKeyset`]: NUT-18 has no short names.
    pub fn to_json(&self) -> Result<Secret<String>, ShortKeyset> {
        let Token { mint, unit, memo, proofs } = &self.token;
        let is_short = |keyset: TokenKeyset| matches!(keyset, TokenKeyset::Short(_));
        if let Some(index) = proofs.iter().position(|proof| is_short(proof.keyset)) {
            return Err(ShortKeyset { index });
        }
        let written = PayloadText {
            id: self.id.clone(),
            memo: memo.clone(),
            mint: mint.clone(),
            unit: unit.clone().unwrap_or_default(),
            proofs: proofs.iter().map(JsonProof::of).collect(),
        };
        let text = serde_json::to_string(&written);
        Ok(Secret::new(text.expect("payloads have text keys and no failing field")))
    }
}
