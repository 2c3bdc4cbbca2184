//! The fuzz targets on stable: seeds, seeds changed at random, and random bytes, each a bounded number.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../fuzz/src/replay.rs"]
#[allow(unreachable_pub, reason = "elsewhere the file stands alone")]
mod replay;
#[path = "../../../fuzz/src/certificate.rs"]
#[allow(unreachable_pub, reason = "elsewhere the file is a module of a crate")]
mod targets;

/// Changed seeds and random inputs for each target.
const ROUNDS: usize = 1_000;

/// What the formats are made of: put in, it leads deeper than single bytes.
const WORDS: &[&[u8]] = &[
    b"~",
    b".",
    b"eyJ",
    b"&",
    b"=",
    b"%7B",
    b"%22",
    b"openid4vp://?",
    b"client_id=",
    b"request_uri=https://a",
    b"response_uri=https://a@b",
    b"dcql_query=%7B%7D",
    b"vp_token=%7B%7D",
    b"state=",
    b"\n",
    b"\xff",
];

#[test]
fn every_target_has_its_file_and_its_seeds() {
    replay::check_files(targets::TARGETS, "certificate");
}

#[test]
fn fuzz_corpus_replays() {
    replay::replay(targets::TARGETS, WORDS, ROUNDS);
}
