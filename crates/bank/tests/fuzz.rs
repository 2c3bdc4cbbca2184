//! The fuzz targets on stable: seeds, seeds changed at random, and random bytes, each a bounded number.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../fuzz/src/replay.rs"]
#[allow(unreachable_pub, reason = "elsewhere the file stands alone")]
mod replay;
#[path = "../../../fuzz/src/bank.rs"]
#[allow(unreachable_pub, reason = "elsewhere the file is a module of a crate")]
mod targets;

/// Changed seeds and random inputs for each target.
const ROUNDS: usize = 5_000;

/// What the formats are made of: put in, it leads deeper than single bytes.
const WORDS: &[&[u8]] = &[
    b"<",
    b"</",
    b"/>",
    b">",
    b"&",
    b"&amp;",
    b"&#0;",
    b"&x;",
    b"\"",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"-->",
    b"<!DOCTYPE a [<!ENTITY x 'y'>]>",
    b"<Ntry>",
    b"</Ntry>",
    b"<TxDtls>",
    b"<Btch><NbOfTxs>2</NbOfTxs></Btch>",
    b"<Amt Ccy='EUR'>1</Amt>",
    b"<RvslInd>true</RvslInd>",
    b"<NtryRef>7</NtryRef>",
    b"<AcctSvcrRef>",
    b"CRDT",
    b"DBIT",
    b"BOOK",
    b"9007199254740992",
    b"0.001",
    b"JPY",
    b"\xff",
    b"\xef\xbb\xbf",
    b"encoding='ISO-8859-1'",
    b"RF",
    b"rf59",
    b" 0000",
    b"-",
    b"\n",
    b"O",
];

#[test]
fn every_target_has_its_file_and_its_seeds() {
    replay::check_files(targets::TARGETS, "bank");
}

#[test]
fn fuzz_corpus_replays() {
    replay::replay(targets::TARGETS, WORDS, ROUNDS);
}
