//! Chaumian e-cash: blind signatures, keysets, proofs and tokens. Both sides, mint and wallet.
//!
//! Reading order: [`point`], [`blind`] (the mathematics), [`dleq`], [`keyset`], [`proof`], [`condition`]
//! (who may spend), [`message`] (the JSON), [`limit`] (how large anything may be).
//! Architecture invariant: nothing here knows who pays. No type may hold an account or a passport.
//! Sources: D. Chaum, "Blind Signatures for Untraceable Payments", 1983; Cashu NUT-00 to NUT-20
//! (repository `cashubtc/nuts`, commit 3ddb1ae).

pub mod blind;
pub mod dleq;
pub mod keyset;
pub mod point;
pub mod proof;
