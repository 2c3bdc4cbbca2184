//! What a payer is told where no rail is attached.

use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_service::quote::QuoteId;

/// The reference to be put on a bank transfer. It names the quote without telling its id, which is the right to
/// the e-cash.
pub(crate) fn reference(quote: QuoteId) -> String {
    let digest = Sha256::new_with_prefix(b"tacit/reference/v1").chain_update(quote.as_bytes());
    format!("TACIT-{}", hex::encode(&digest.finalize()[..8]).to_uppercase())
}
