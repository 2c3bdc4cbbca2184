//! Certificates: what a passport proved, in a form that any verifier's library can check.
//!
//! An SD-JWT VC (`dc+sd-jwt`) signed with ES256 and bound to a key that its holder made for it alone. The desk signs a few at
//! once of one proof, and each is shown once: two verifiers who compare theirs see different keys, salts and signatures.
//! Audience and nonce stand in the key-binding JWT, which the holder signs, so the desk never learns who asked.
//!
//! Reading order: [`statement`] (what one says), [`key`] and [`jws`] (P-256, and signed JSON), [`disclosure`] (claims that can be left
//! out), [`issue`] (the desk's side), [`hold`] (the wallet's), [`verify`] (whoever asked), [`issuer`] (whom to believe); then OpenID4VP: [`query`] (what is asked for),
//! [`request`] (by whom, and how that is known), [`attestation`] (the operator's word for a verifier), [`response`] (how the answer travels).
//! Architecture invariant: no clock, no randomness, no network of its own; whom a wallet contacts, its caller decides.
//! Sources: RFC 9901 (SD-JWT), draft-ietf-oauth-sd-jwt-vc, OpenID4VP 1.0; ADR 0023.

pub mod attestation;
pub mod disclosure;
pub mod hold;
pub mod issue;
pub mod issuer;
pub mod jws;
pub mod key;
pub mod query;
pub mod request;
pub mod response;
pub mod statement;
#[cfg(test)]
mod tests;
pub mod verify;
