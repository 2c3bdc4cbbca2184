//! The person's side of e-cash: what a wallet keeps, and what it does, without doing any of it itself.
//!
//! Reading order: [`seed`] (twelve words), [`derive`] (every secret from them), [`denomination`] (what to ask for),
//! [`select`] (what to spend), [`state`] (what is kept), [`batch`] (how that changes), [`history`] (what the
//! person sees of it), [`operation`] (what a wallet does), [`mint`], [`output`], [`locked`], [`token`],
//! [`transport`], [`storage`] (how it is kept sealed); [`passport`] (how a passport is found again), [`certificate`] (what is shown of it).
//! Architecture invariant: no I/O, no clock, no randomness, no storage: bytes in, bytes out. Nothing here knows the
//! operator's side (service, store, server).
//! Sources: Cashu NUT-00 to NUT-13 (repository `cashubtc/nuts`, commit 3ddb1ae); BIP-39, BIP-32.

pub mod batch;
pub mod certificate;
pub mod denomination;
pub mod derive;
pub mod history;
pub mod locked;
pub mod mint;
pub mod money;
pub mod operation;
pub mod output;
pub mod passport;
pub mod seed;
pub mod select;
pub mod state;
pub mod storage;
pub mod token;
pub mod transport;
mod unlock;
