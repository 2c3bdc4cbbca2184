//! Version 3: JSON (NUT-00, "V3 tokens").

use serde::Deserialize;

use super::json_proof::JsonProof;
use super::{Token, TokenError};

#[derive(Deserialize)]
struct TokenV3 {
    token: Vec<EntryV3>,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    memo: Option<String>,
}

#[derive(Deserialize)]
struct EntryV3 {
    mint: String,
    proofs: Vec<JsonProof>,
}

pub(super) fn read(json: &[u8]) -> Result<Token, TokenError> {
    let read: TokenV3 = serde_json::from_slice(json).map_err(|_| TokenError::Form)?;
    let mut entries = read.token.into_iter();
    let EntryV3 { mint, mut proofs } = entries.next().ok_or(TokenError::Empty)?;
    for entry in entries {
        if entry.mint != mint {
            return Err(TokenError::SeveralMints);
        }
        proofs.extend(entry.proofs);
    }
    let proofs = proofs.into_iter().map(JsonProof::read).collect::<Result<_, _>>()?;
    let unit = read.unit.filter(|unit| !unit.is_empty());
    Ok(Token { mint, unit, memo: read.memo, proofs })
}
