//! What is fuzzed: one function for each parser, from bytes to whether they were read.
//!
//! `fuzz_targets/` hands them to libFuzzer. Each module is included by the tests of the crate whose parsers it calls, which
//! run it on stable with what `replay.rs` puts in.
//! Architecture invariant: no target keeps state, so that any input repeats alone.

pub mod bank;
pub mod certificate;
pub mod protocol;
pub mod score;
