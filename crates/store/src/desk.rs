//! The desk's database: people and paperwork, on SQLite or on PostgreSQL, by the same statements.
//!
//! Reading order: `migrations/desk/` (the tables), [`engine`] (what both databases have in common), [`sqlite`] (the file),
//! then a file for each noun: [`person`], [`judgement`], [`identification`],
//! [`screening`], [`complaint`], [`login`], [`recovery`], [`staff`], [`trail`], [`booking`], [`payout`], [`reconcile`], [`exception`],
//! [`merchant`],
//! [`paper`], [`webhook`], [`biller`], [`agent`], [`cash`], [`verifier`], each with the SQL of its trait.
//! The statements hold nothing that only one of the two understands, and every transition is one transaction, which the
//! engine repeats if the database says that another was quicker.

mod agent;
mod biller;
mod booking;
mod cash;
mod complaint;
pub(crate) mod engine;
mod enrolment;
mod exception;
mod identification;
mod judgement;
mod login;
mod merchant;
mod paper;
mod payout;
mod person;
mod reconcile;
mod recovery;
mod row;
mod screening;
pub mod sqlite;
mod staff;
mod trail;
mod verifier;
mod webhook;

use std::fs::TryLockError;

use secp256k1::PublicKey;
use tacit_service::vault::StoreError;

use self::engine::{Engine, Fault, Statements, Value};

/// The schema's history. One that has shipped is never edited.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/desk/0001_desk.sql"),
    include_str!("../migrations/desk/0002_booking.sql"),
    include_str!("../migrations/desk/0003_payout.sql"),
    include_str!("../migrations/desk/0004_merchants.sql"),
    include_str!("../migrations/desk/0005_judgement.sql"),
    include_str!("../migrations/desk/0006_finance.sql"),
    include_str!("../migrations/desk/0007_people.sql"),
    include_str!("../migrations/desk/0008_reconciliation.sql"),
    include_str!("../migrations/desk/0009_agents.sql"),
    include_str!("../migrations/desk/0010_two_people.sql"),
    include_str!("../migrations/desk/0011_recovery.sql"),
    include_str!("../migrations/desk/0012_exceptions.sql"),
    include_str!("../migrations/desk/0013_enrolment.sql"),
    include_str!("../migrations/desk/0014_verifiers.sql"),
    include_str!("../migrations/desk/0015_billers.sql"),
];

/// The desk, on an engine.
pub struct Desk<E> {
    engine: E,
}

/// Why a desk was not opened. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("another process has the desk open")]
    InUse,
    /// The file or its folder cannot be used.
    #[error("the desk's file cannot be used")]
    File(#[source] std::io::Error),
    /// The database is another program's.
    #[error("the database is no desk")]
    NotADesk,
    /// Written by a later version of this program.
    #[error("the desk has schema {found}, this program knows up to {known}")]
    TooNew {
        /// Version of its schema.
        found: usize,
        /// Latest version this program knows.
        known: usize,
    },
    /// It belongs to a mint of another identity.
    #[error("the desk belongs to another mint")]
    OtherMint,
    /// It is the vault's: whoever takes one of the two must not have the other.
    #[error("the database is a vault's: the desk wants one of its own")]
    Vault,
    /// The database said no.
    #[error("the desk cannot be opened")]
    Store(#[from] StoreError),
}

impl From<TryLockError> for OpenError {
    fn from(error: TryLockError) -> Self {
        match error {
            TryLockError::WouldBlock => Self::InUse,
            TryLockError::Error(error) => Self::File(error),
        }
    }
}

impl<E: Engine> Desk<E> {
    /// On an engine that has all the tables, unless they are another mint's.
    pub(crate) fn on(engine: E, mint: &PublicKey) -> Result<Self, OpenError> {
        let mut desk = Self { engine };
        let is_own = desk.change(|statements| check_mint(statements, mint))?;
        if is_own { Ok(desk) } else { Err(OpenError::OtherMint) }
    }

    /// Does all of `work` or none of it.
    fn change<T>(
        &mut self,
        work: impl FnMut(&mut dyn Statements) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.engine.transact(work)
    }
}

/// Fills the first row, or fails unless it is this mint's.
fn check_mint(statements: &mut dyn Statements, mint: &PublicKey) -> Result<bool, Fault> {
    let rows = statements.query("SELECT mint FROM desk WHERE one = 1", &[])?;
    let Some(row) = rows.first() else {
        let own = Value::from(&mint.serialize());
        let sql = "INSERT INTO desk (one, mint, trail_length, trail_hash) VALUES (1, ?1, 0, ?2)";
        statements.execute(sql, &[own, Value::from(&[0_u8; 32])])?;
        return Ok(true);
    };
    Ok(row.bytes::<33>(0)? == mint.serialize())
}
