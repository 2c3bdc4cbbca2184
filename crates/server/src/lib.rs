//! The mint over HTTP: routes, error codes, configuration, threads and queues; binary `tacitd`.
//!
//! Reading order: [`config`]; [`seed`] (what all keys come from, and [`passphrase`], which opens it); [`server`] (what is started, in which order); [`origin`] and [`entrance`] (who is asked, and where); `route` (a handler parses, calls,
//! answers), beginning with `route::swap`; `pool` and `writer` (the two queues a change passes through);
//! `payout` and `receipt` (money out and in); `hub` (who is told); `desk` (people), and `text` (what its pages say); [`release`] (the web wallet); `street` (whom a demonstration lets anybody meet).
//! Architecture invariant: no rule of the mint stands here, and no SQL. No log line, metric or error message
//! holds a quote id, a proof, an output, or an address. An answer leaves only after its commit is durable.
//! Sources: Cashu NUT-00 to NUT-20 (repository `cashubtc/nuts`, commit 3ddb1ae).

mod answer;
pub mod backup;
pub mod bank;
mod cash;
mod certificate;
pub mod clock;
pub mod config;
pub mod control;
pub mod data_dir;
mod desk;
pub mod desk_backup;
pub mod entrance;
mod error;
mod file;
mod hub;
pub mod inventory;
pub mod keyset;
mod limit;
mod listen;
pub mod log;
pub mod metric;
mod neighbour;
pub mod origin;
pub mod passphrase;
pub mod passport;
mod payout;
mod pool;
mod queue;
mod rail;
pub mod random;
mod receipt;
pub mod release;
pub mod restore;
mod route;
pub mod seed;
pub mod server;
mod shop;
mod state;
mod street;
mod text;
pub mod tls;
mod upkeep;
pub mod vault;
mod writer;
