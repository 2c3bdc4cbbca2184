//! Version 4: CBOR with keys of one letter and bytes as bytes (NUT-00, "V4 tokens").

use std::fmt;

use secp256k1::SecretKey;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tacit_core::secret::{self, Secret};

use super::{ProofDleq, Token, TokenError, TokenKeyset, TokenProof};
use crate::dleq::Dleq;
use crate::point::PointBytes;
use crate::text;

/// In the order of the specification's own examples.
#[derive(Serialize, Deserialize)]
struct TokenV4 {
    t: Vec<GroupV4>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<String>,
    m: String,
    u: String,
}

#[derive(Serialize, Deserialize)]
struct GroupV4 {
    i: KeysetBytes,
    p: Vec<ProofV4>,
}

#[derive(Serialize, Deserialize)]
struct ProofV4 {
    a: u64,
    #[serde(with = "secret::text")]
    s: Secret<String>,
    c: Bytes<33>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<DleqV4>,
    // cdk 0.18 writes the field's long name.
    #[serde(
        default,
        alias = "witness",
        skip_serializing_if = "Option::is_none",
        with = "text::witness"
    )]
    w: Option<Secret<String>>,
}

#[derive(Serialize, Deserialize)]
struct DleqV4 {
    e: Bytes<32>,
    s: Bytes<32>,
    r: Bytes<32>,
}

struct Bytes<const N: usize>([u8; N]);

impl<const N: usize> Serialize for Bytes<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Bytes<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor).map(Self)
    }
}

struct BytesVisitor<const N: usize>;

impl<const N: usize> Visitor<'_> for BytesVisitor<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<[u8; N], E> {
        bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

struct KeysetBytes(TokenKeyset);

impl Serialize for KeysetBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0.short_bytes())
    }
}

impl<'de> Deserialize<'de> for KeysetBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(KeysetVisitor).map(Self)
    }
}

struct KeysetVisitor;

impl Visitor<'_> for KeysetVisitor {
    type Value = TokenKeyset;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a keyset id in 8 or 33 bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<TokenKeyset, E> {
        TokenKeyset::from_bytes(bytes).ok_or_else(|| E::invalid_length(bytes.len(), &self))
    }
}

pub(super) fn read(mut cbor: &[u8]) -> Result<Token, TokenError> {
    let read: TokenV4 = ciborium::from_reader(&mut cbor).map_err(|_| TokenError::Form)?;
    if !cbor.is_empty() {
        return Err(TokenError::Form);
    }
    let mut proofs = Vec::new();
    for GroupV4 { i: KeysetBytes(keyset), p } in read.t {
        for proof in p {
            proofs.push(read_proof(keyset, proof)?);
        }
    }
    let unit = Some(read.u).filter(|unit| !unit.is_empty()); // Written so where version 3 had none.
    Ok(Token { mint: read.m, unit, memo: read.d, proofs })
}

fn read_proof(keyset: TokenKeyset, proof: ProofV4) -> Result<TokenProof, TokenError> {
    let ProofV4 { a: amount, s: secret, c: Bytes(signature), d, w: witness } = proof;
    let read_dleq = |DleqV4 { e: Bytes(e), s: Bytes(s), r: Bytes(r) }| {
        let blinding_factor = SecretKey::from_byte_array(r).map_err(|_| TokenError::Form)?;
        Ok(ProofDleq { dleq: Dleq { e, s }, blinding_factor })
    };
    let dleq = d.map(read_dleq).transpose()?;
    let signature = PointBytes::from_bytes(signature);
    Ok(TokenProof { amount, keyset, secret, signature, witness, dleq })
}

/// Neighbours of one keyset share a group, so that the order of the proofs is kept.
pub(super) fn write(token: &Token) -> Vec<u8> {
    let same_keyset = |a: &TokenProof, b: &TokenProof| a.keyset == b.keyset;
    let groups = token.proofs.chunk_by(same_keyset).map(|proofs| GroupV4 {
        i: KeysetBytes(proofs[0].keyset),
        p: proofs.iter().map(write_proof).collect(),
    });
    let written = TokenV4 {
        t: groups.collect(),
        d: token.memo.clone(),
        m: token.mint.trim_end_matches('/').to_owned(),
        u: token.unit.clone().unwrap_or_default(),
    };
    let mut cbor = Vec::new();
    ciborium::into_writer(&written, &mut cbor).expect("a vector takes everything");
    cbor
}

fn write_proof(proof: &TokenProof) -> ProofV4 {
    let write_dleq = |dleq: ProofDleq| DleqV4 {
        e: Bytes(dleq.dleq.e),
        s: Bytes(dleq.dleq.s),
        r: Bytes(dleq.blinding_factor.secret_bytes()),
    };
    ProofV4 {
        a: proof.amount,
        s: proof.secret.clone(),
        c: Bytes(*proof.signature.as_bytes()),
        d: proof.dleq.map(write_dleq),
        w: proof.witness.clone(),
    }
}
