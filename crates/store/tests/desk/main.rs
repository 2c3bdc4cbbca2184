//! The desk on a real disk.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bank;
mod cash;
mod inventory;
mod opening;
mod suite;
mod suspense;
