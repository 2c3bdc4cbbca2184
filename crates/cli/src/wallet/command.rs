//! What a person can ask of the wallet: one module a command, or two that belong together.

mod bills;
mod certificate;
pub(super) mod deliver;
pub(super) mod init;
pub(super) mod look;
pub(super) mod mint;
pub(super) mod mints;
pub(super) mod passport;
pub(super) mod pay;
pub(super) mod pending;
pub(super) mod receive;
pub(super) mod refund;
pub(super) mod request;
pub(super) mod restore;
pub(super) mod send;
