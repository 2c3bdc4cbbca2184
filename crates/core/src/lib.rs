//! The words every other crate speaks: amounts, units, time and canonical bytes.
//!
//! Reading order: [`unit`], [`amount`], [`time`], [`hex`], [`secret`].
//! Architecture invariant: nothing here knows a protocol, an account or a store, reads a clock, draws a
//! random number or does I/O. A type belongs here only if two crates that cannot name each other need it.

pub mod amount;
pub mod hex;
pub mod secret;
pub mod time;
pub mod unit;
