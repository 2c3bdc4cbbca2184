//! The vault on SQLite and on PostgreSQL: tables, migrations, and the traits of `tacit-service` over them.
//!
//! Reading order: `migrations/` (the tables), [`sqlite`] (opening, the writer, the readers), [`postgres`] (the same
//! where several write at once).
//! Architecture invariant: nothing here decides. What becomes of a change is `tacit_service::decide`'s to say;
//! this crate reads the facts it asks for and makes its effects durable. No HTTP.

mod assumption;
pub mod demo_rail;
pub mod desk;
mod file;
pub mod file_lock;
pub mod inventory;
pub mod migrate;
pub mod postgres;
mod spelling;
pub mod sqlite;
