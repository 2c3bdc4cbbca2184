//! The rules of this repository that a test can keep: each a function from text to faults.
//!
//! Reading order: [`fault`], [`source`] (a Rust file without its comments and strings), then the rules: [`shape`]
//! (sizes, names, headers), [`call`] (what may be called where), [`manifest`] (who may know whom), [`page`] (README
//! and decisions), [`incident`] (what went wrong elsewhere). `tests/tidy.rs` holds the tree against them.
//! Architecture invariant: no product code, and no product crate depends on it. A rule reads text and nothing else,
//! so that a sample beside it can show that it catches what it is for.

pub mod call;
pub mod fault;
pub mod incident;
pub mod manifest;
pub mod page;
pub mod shape;
pub mod source;
