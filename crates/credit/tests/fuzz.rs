//! The fuzz targets on stable: seeds, seeds changed at random, and random bytes, each a bounded number.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../fuzz/src/replay.rs"]
#[allow(unreachable_pub, reason = "elsewhere the file stands alone")]
mod replay;
#[path = "../../../fuzz/src/score.rs"]
#[allow(unreachable_pub, reason = "elsewhere the file is a module of a crate")]
mod targets;

/// Changed seeds and random inputs for each target.
const ROUNDS: usize = 1_000;

/// What the formats are made of: put in, it leads deeper than single bytes.
const WORDS: &[&[u8]] = &[
    b"\"",
    b",",
    b"\n",
    b"\r\n",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"-1",
    b"1e9",
    b"4294967296",
    b"9223372036854775808",
    b"\"cuts\":[]",
    b"\"points\":[0]",
    b"350",
    b"951",
    b"\\u0000",
    b"[[counter]]\n",
    b"value = \"",
    b"months",
    b"faded(",
    b"sum(",
    b"paid[1..6]",
    b"/ 0",
    b"* 9223372036854775807",
    b"(((((((((",
    b")",
    b"PAY_0",
    b"\xff",
    b"\xef\xbb\xbf",
];

#[test]
fn every_target_has_its_file_and_its_seeds() {
    replay::check_files(targets::TARGETS, "score");
}

#[test]
fn fuzz_corpus_replays() {
    replay::replay(targets::TARGETS, WORDS, ROUNDS);
}
