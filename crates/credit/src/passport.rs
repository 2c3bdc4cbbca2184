//! The passport: a credit history that only its holder has.
//!
//! An updatable anonymous credential (µCMZ). The desk issues one a person; every event is an update: the old passport is
//! shown (its serial revealed, all else hidden), the change is proven, a new one with a hidden serial comes back. The desk
//! keeps spent serials and what it answered, and learns nothing about whose history changed.
//!
//! Reading order: [`epoch`] (its clock), [`standing`] (what it says, and how events and months change that), [`key`],
//! [`message`] (the bytes of a request), [`issuer`] (the desk's side), [`holder`] and [`pending`] (the person's side), [`counter`] and [`proof`] (how a
//! scorecard becomes a proof), [`tag`] (points that link what must be linked), [`clearance`] (nobody leaves a loan behind), [`caught`] (what hostile points do), `table` and `circuit` (the statements).
//! Sources: M. Orrù, "Revisiting Keyed-Verification Anonymous Credentials", 2024 (µCMZ, section 5); ADR 0021 (the attributes).

pub mod caught;
#[rustfmt::skip] // It is written by a program.
mod circuit;
pub mod clearance;
pub mod counter;
pub mod epoch;
pub mod holder;
pub mod issuer;
pub mod key;
pub mod message;
pub mod pending;
pub mod proof;
pub mod standing;
#[cfg(test)]
mod table;
pub mod tag;
#[cfg(test)]
mod tests;
pub mod wire;
