//! Version 3: JSON (NUT-00, "V3 tokens").

use secp256k1::SecretKey;
use serde::Deserialize;
use tacit_core::secret::Secret;

use super::{ProofDleq, Token, TokenError, TokenKeyset, TokenProof};
use crate::dleq::Dleq;
use crate::point::PointBytes;
use crate::text;

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
    proofs: Vec<ProofV3>,
}

#[derive(Deserialize)]
struct ProofV3 {
    amount: u64,
    id: String,
    #[serde(with = "text::secret")]
    secret: Secret<String>,
    #[serde(rename = "C")]
    signature: PointBytes,
    #[serde(default, with = "text::witness")]
    witness: Option<Secret<String>>,
    #[serde(default)]
    dleq: Option<DleqV3>,
}

#[derive(Deserialize)]
struct DleqV3 {
    #[serde(with = "text::hex32")]
    e: [u8; 32],
    #[serde(with = "text::hex32")]
    s: [u8; 32],
    #[serde(with = "text::hex32")]
    r: [u8; 32],
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
    let proofs = proofs.into_iter().map(read_proof).collect::<Result<_, _>>()?;
    let unit = read.unit.filter(|unit| !unit.is_empty());
    Ok(Token { mint, unit, memo: read.memo, proofs })
}

fn read_proof(proof: ProofV3) -> Result<TokenProof, TokenError> {
    let ProofV3 { amount, id, secret, signature, witness, dleq } = proof;
    let keyset = TokenKeyset::from_text(&id).ok_or(TokenError::Form)?;
    let read_dleq = |DleqV3 { e, s, r }| {
        let blinding_factor = SecretKey::from_byte_array(r).map_err(|_| TokenError::Form)?;
        Ok(ProofDleq { dleq: Dleq { e, s }, blinding_factor })
    };
    let dleq = dleq.map(read_dleq).transpose()?;
    Ok(TokenProof { amount, keyset, secret, signature, witness, dleq })
}
