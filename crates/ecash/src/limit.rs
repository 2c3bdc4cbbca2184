//! How large anything in a request may be. The reason stands with each bound.
//!
//! Lengths of texts are in bytes of UTF-8 after JSON escapes are resolved. What exceeds a bound is refused
//! before anything is computed on it or stored (advisory of 2025: oversized fields filled mints' databases).

/// Bytes of a request body. 1,000 inputs locked to a key each, with witness, and 1,000 outputs come to 1.1 MB.
pub const BODY: usize = 2 * 1024 * 1024;

/// Inputs of a swap or melt: the default of Nutshell and cdk.
pub const INPUTS: usize = 1_000;

/// Outputs of a swap, mint, melt or restore request: the default of Nutshell and cdk.
pub const OUTPUTS: usize = 1_000;

/// `Y`s of a state check (NUT-07): the default of Nutshell.
pub const STATES: usize = 1_000;

/// Bytes of a proof's secret: the default of Nutshell and cdk. A plain secret has 64; a condition on
/// the 11 keys that NUT-28 allows, with every tag, has under 1,000.
pub const SECRET: usize = 1_024;

/// Bytes of a proof's witness. A signature takes 132 with its quotes, and cashu-ts signs a `SIG_ALL` transaction
/// in up to three spellings a key, so 11 keys and a preimage come to 4,500. Witnesses are not stored.
pub const WITNESS: usize = 8 * 1024;

/// Schnorr verifications in one transaction, 40 µs each: a wallet with 1,000 inputs under 2 of 3 keys needs
/// at most 5,000, and no request may cost the mint more than half a second.
pub const SIGNATURE_CHECKS: usize = 10_000;

/// Bytes of a quote id: the default of Nutshell. Our own have 36.
pub const QUOTE_ID: usize = 256;

/// Bytes of the payment request to be melted (invoice, payto address): near the default of Nutshell, 10,000;
/// an invoice has up to about 1,500.
pub const PAYMENT_REQUEST: usize = 4 * 1024;

/// Bytes of a mint quote's description: the default of Nutshell.
pub const DESCRIPTION: usize = 1_024;

/// Bytes of a payment method's name. The longest in use has 7 (`onchain`).
pub const METHOD: usize = 32;

/// Bytes of a subscription's id, chosen by the wallet: a UUID has 36 (NUT-17).
pub const SUBSCRIPTION_ID: usize = 128;

/// Filters (quote ids or `Y`s) of one subscription (NUT-17).
pub const FILTERS: usize = 1_000;

/// Bytes of a WebSocket message from a wallet: 1,000 filters of 66 digits are 69,000.
pub const SOCKET_MESSAGE: usize = 512 * 1024;

/// Bytes of a payment request as text (NUT-18, NUT-26). A QR code holds 4,300, and links carry a little more.
pub const CREQ: usize = 32 * 1024;

/// Mints, methods, transports, tags, and words in a tag, of a payment request: ten would be many.
pub const CREQ_LIST: usize = 64;

/// Bytes of a serialised token (NUT-00): 1,000 proofs with DLEQ and a condition each come to 1 MB.
pub const TOKEN: usize = 2 * 1024 * 1024;
