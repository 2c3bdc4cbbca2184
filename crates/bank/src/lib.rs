//! Bank files after ISO 20022: statements and notifications in (camt.053, camt.054), payouts out (pain.001).
//!
//! Reading order: [`iban`], [`reference`] (how a payer says what a payment is for), [`decimal`], [`statement`] (what the
//! bank booked), [`payout`] (what the bank is asked to pay).
//! Architecture invariant: bytes in, values out. Nothing here does I/O, reads a clock, draws a random number, or knows an
//! account of ours, a quote or a person; and nothing prints a name, a text or a whole account number of the bank's.
//! Sources: ISO 20022 message definitions camt.053.001 and camt.054.001 (versions 02 to 14), pain.001.001.09; ISO 13616
//! (IBAN); ISO 11649 (creditor reference); EPC217-08 (character set).

pub mod decimal;
mod document;
pub mod iban;
pub mod payout;
pub mod reference;
pub mod statement;
