//! What tests talk to a mint with: an HTTP client, and the wallet's side of the protocol.
//!
//! Works against any mint by its address, in this process or another.

#![allow(dead_code, unreachable_pub, reason = "each test program uses its part of this")]
#![allow(clippy::unwrap_used, reason = "tests")]

pub mod client;
pub mod console;
pub mod earner;
pub mod insider;
pub mod local;
pub mod office;
pub mod passport;
pub mod process;
pub mod release;
pub mod till;
pub mod wallet;
