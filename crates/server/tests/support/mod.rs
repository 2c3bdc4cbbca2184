//! What tests talk to a mint with: an HTTP client, and the wallet's side of the protocol.
//!
//! Works against any mint by its address, in this process or another.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test program uses its part of this, and all of it is test code"
)]

pub mod client;
pub mod local;
pub mod wallet;
