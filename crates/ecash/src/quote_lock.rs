//! A mint quote locked to a key: only its owner can have the e-cash (NUT-20).

use secp256k1::SecretKey;
use sha2::{Digest, Sha256};

use crate::condition::witness::Signature;
use crate::point::PointBytes;
use crate::proof::BlindedMessage;

/// Prefix of the message that newer wallets sign (cashubtc/nuts pull request 375).
const DOMAIN: &[u8] = b"Cashu_MintQuoteSig_v1";

/// Signs a mint request for a quote that is locked to the key.
///
/// `aux`: 32 random bytes.
///
/// Source: NUT-20, "Signing the mint request".
pub fn sign(quote: &str, outputs: &[BlindedMessage], key: &SecretKey, aux: &[u8; 32]) -> [u8; 64] {
    *Signature::make(&digest(quote, outputs), key, aux).as_bytes()
}

/// The signature does not hold, or the quote's key is no point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mint request's signature does not hold")]
pub struct BadSignature;

/// Checks the signature of a quote's key over its id and the outputs.
///
/// Takes both messages in use: the one of NUT-20 (Nutshell 0.20), and the framed one of its amendment, which
/// also covers the amounts (cashu-ts 4.8, cdk 0.18). No signature of one can pass for the other: the framed
/// message has bytes of 0 in its lengths, the other is the text of an id and digits.
///
/// # Errors
/// [`BadSignature`].
pub fn verify(
    key: &PointBytes,
    quote: &str,
    outputs: &[BlindedMessage],
    signature: &[u8; 64],
) -> Result<(), BadSignature> {
    let (key, _) = key.parse().map_err(|_| BadSignature)?.x_only_public_key();
    let signature = Signature::from_bytes(*signature);
    let holds = signature.is_valid(&framed_digest(quote, outputs), &key)
        || signature.is_valid(&digest(quote, outputs), &key);
    if holds { Ok(()) } else { Err(BadSignature) }
}

/// What is signed: SHA-256 of `quote || B_0 || … || B_(n-1)`, the points in hexadecimal.
///
/// Source: NUT-20, "Message aggregation".
pub fn digest(quote: &str, outputs: &[BlindedMessage]) -> [u8; 32] {
    let mut hasher = Sha256::new().chain_update(quote);
    let mut digits = const_hex::Buffer::<33>::new();
    for output in outputs {
        hasher.update(digits.format(output.blinded.as_bytes()).as_bytes());
    }
    hasher.finalize().into()
}

/// SHA-256 of the domain, the quote id, then each amount (shortest big-endian form) and point, all but the first
/// with their lengths in four bytes before them.
fn framed_digest(quote: &str, outputs: &[BlindedMessage]) -> [u8; 32] {
    let mut hasher = Sha256::new().chain_update(DOMAIN);
    let mut add = |field: &[u8]| {
        let length = u32::try_from(field.len()).expect("a quote id is bounded");
        hasher.update(length.to_be_bytes());
        hasher.update(field);
    };
    add(quote.as_bytes());
    for output in outputs {
        let amount = output.amount.to_be_bytes();
        let zeros = amount.iter().take_while(|byte| **byte == 0).count();
        add(&amount[zeros..]);
        add(output.blinded.as_bytes());
    }
    hasher.finalize().into()
}
