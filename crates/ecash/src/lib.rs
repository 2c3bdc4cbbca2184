//! Chaumian e-cash: blind signatures, keysets, proofs and tokens. Both sides, mint and wallet.
//!
//! Reading order: [`point`], [`blind`] (the mathematics), [`blinding`], [`dleq`], [`keyset`], [`proof`], [`condition`]
//! (who may spend), [`quote_lock`] (who may mint), [`message`] (the JSON), [`request`] (what a mint takes from
//! it), [`limit`] (how large anything may be), [`code`] (what a refusal is called), [`token`] (proofs as text),
//! [`payment_request`] (how to ask for some).
//! Architecture invariant: nothing here knows who pays. No type may hold an account or a passport.
//! Sources: D. Chaum, "Blind Signatures for Untraceable Payments", 1983; Cashu NUT-00 to NUT-20, NUT-26
//! (repository `cashubtc/nuts`, commit 3ddb1ae).

pub mod blind;
pub mod blinding;
pub mod code;
pub mod condition;
pub mod dleq;
pub mod keyset;
pub mod limit;
pub mod message;
pub mod payment_request;
pub mod point;
pub mod proof;
pub mod quote_lock;
pub mod request;
mod text;
pub mod token;
