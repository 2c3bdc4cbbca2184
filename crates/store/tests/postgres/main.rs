//! The vault on a real PostgreSQL, which the tests start themselves: the suite every vault must pass, what several
//! writers at once may not do, opening, loss, and what is kept.
//!
//! Not part of `cargo test`, which needs nothing installed: `./tacit test --only postgres` installs what is missing.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bed;
mod desk;
mod inventory;
#[path = "../support/kept.rs"]
mod kept;
mod loss;
mod migrate;
mod opening;
#[path = "../support/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test program uses its part of this")]
mod postgres;
#[path = "../support/proxy.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test program uses its part of this")]
mod proxy;
mod race;
mod standby;
mod suite;
mod tls;
