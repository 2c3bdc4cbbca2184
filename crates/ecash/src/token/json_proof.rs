//! A proof on its way, as JSON (NUT-00, `Proof`; NUT-12, `DLEQProof`).

use secp256k1::SecretKey;
use serde::{Deserialize, Serialize};
use tacit_core::hex;
use tacit_core::secret::{self, Secret};

use super::{ProofDleq, TokenError, TokenKeyset, TokenProof};
use crate::dleq::Dleq;
use crate::point::PointBytes;
use crate::text;

#[derive(Serialize, Deserialize)]
pub(crate) struct JsonProof {
    amount: u64,
    id: String,
    #[serde(with = "secret::text")]
    secret: Secret<String>,
    #[serde(rename = "C")]
    signature: PointBytes,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::witness")]
    witness: Option<Secret<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dleq: Option<JsonDleq>,
}

#[derive(Serialize, Deserialize)]
struct JsonDleq {
    #[serde(with = "text::hex32")]
    e: [u8; 32],
    #[serde(with = "text::hex32")]
    s: [u8; 32],
    #[serde(with = "text::hex32")]
    r: [u8; 32],
}

impl JsonProof {
    pub(crate) fn read(self) -> Result<TokenProof, TokenError> {
        let Self { amount, id, secret, signature, witness, dleq } = self;
        let keyset = TokenKeyset::from_text(&id).ok_or(TokenError::Form)?;
        let read_dleq = |JsonDleq { e, s, r }| {
            let blinding_factor = SecretKey::from_byte_array(r).map_err(|_| TokenError::Form)?;
            Ok(ProofDleq { dleq: Dleq { e, s }, blinding_factor })
        };
        let dleq = dleq.map(read_dleq).transpose()?;
        Ok(TokenProof { amount, keyset, secret, signature, witness, dleq })
    }

    pub(crate) fn of(proof: &TokenProof) -> Self {
        let id = match proof.keyset {
            TokenKeyset::Full(id) => id.to_string(),
            TokenKeyset::Short(id) => hex::encode(&id),
        };
        let dleq = |ProofDleq { dleq: Dleq { e, s }, blinding_factor }| JsonDleq {
            e,
            s,
            r: blinding_factor.secret_bytes(),
        };
        Self {
            amount: proof.amount,
            id,
            secret: proof.secret.clone(),
            signature: proof.signature,
            witness: proof.witness.clone(),
            dleq: proof.dleq.map(dleq),
        }
    }
}
