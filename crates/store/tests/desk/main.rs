//! The desk on a real disk.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bank;
mod inventory;
mod opening;
mod suite;
