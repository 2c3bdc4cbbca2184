//! Credit: the passport (an anonymous credential), the scorecard that reads its counters, the terms of loans.
//!
//! Reading order: [`scorecard`] (integer points over monotone counters; fitted, explained, signed).
//! Architecture invariant: nothing here knows e-cash, an account or a lender's customer, does I/O, reads a clock or draws a
//! random number. Whatever runs here runs in a wallet's WebAssembly, too.
//! Sources: M. Orrù, "Revisiting Keyed-Verification Anonymous Credentials", 2024 (passport); N. Siddiqi, "Credit Risk
//! Scorecards", 2006 (points and reasons).

pub mod certificate;
pub mod passport;
pub mod scorecard;
