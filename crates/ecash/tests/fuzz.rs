//! The fuzz targets on stable: seeds, seeds changed at random, and random bytes, each a bounded number.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../fuzz/src/replay.rs"]
#[allow(unreachable_pub, reason = "elsewhere the file stands alone")]
mod replay;
#[path = "../../../fuzz/src/protocol.rs"]
#[allow(unreachable_pub, reason = "elsewhere the file is a module of a crate")]
mod targets;

/// Changed seeds and random inputs for each target. A minute of libFuzzer does a thousand times more.
const ROUNDS: usize = 10_000;

/// What the formats are made of: put in, it leads deeper than single bytes.
const WORDS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b",",
    b":",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e999",
    b"18446744073709551616",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\xc3\xa9",
    b"P2PK",
    b"HTLC",
    b"tags",
    b"n_sigs",
    b"refund",
    b"locktime",
    b"SIG_ALL",
    b"02",
    b"01",
    b"00",
    b"cashuA",
    b"cashuB",
    b"crawB",
    b"creqA",
    b"CREQB1",
    b"\x01\x00\x01",
    b"\x07\x00\x07\x01\x00\x01",
    b"\x80",
    b"\x9f",
    b"\xbf",
    b"\x5f",
    b"\x7b\x7f",
    b"\xf6",
    b"\xff",
];

#[test]
fn every_target_has_its_file_and_its_seeds() {
    replay::check_files(targets::TARGETS, "protocol");
}

#[test]
fn fuzz_corpus_replays() {
    replay::replay(targets::TARGETS, WORDS, ROUNDS);
}
