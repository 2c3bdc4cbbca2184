//! A mint in memory, people with wallets, and a driver that may stop between any two of their steps.
#![allow(clippy::unwrap_used, reason = "tests")]

mod counter;
mod history;
mod lock;
mod mint;
mod payment;
mod person;
mod random;
mod rare;
mod refund;
mod refusal;
mod schedule;
