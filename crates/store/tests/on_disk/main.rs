//! The vault on a real disk: the suite every vault must pass, what went wrong elsewhere, opening, and what the
//! file shows to whoever takes it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bed;
mod era;
mod file;
mod full;
mod incidents;
mod inventory;
#[path = "../support/kept.rs"]
mod kept;
mod opening;
mod suite;
mod upgrade;
