//! The fuzz targets on stable: seeds, seeds changed at random, and random bytes, each a bounded number.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use self::targets::{TARGETS, Target};

#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "elsewhere the file is a crate")]
mod targets;

/// Changed seeds and random inputs for each target. A minute of libFuzzer does a thousand times more.
const ROUNDS: usize = 10_000;

/// Longest random input in bytes.
const LENGTH: usize = 400;

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

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()
    };
    fs::read_dir(folder).unwrap().map(name).collect()
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = fuzz_folder().join("seeds").join(target);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// `xorshift64*`, so that a failure repeats.
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap()
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.below(LENGTH);
        (0..length).map(|_| self.byte()).collect()
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let (start, kind) = (self.below(input.len() + 1), self.below(6));
        let end = (start + self.below(40)).min(input.len());
        match kind {
            0 if start < input.len() => input[start] = self.byte(),
            1 if start < input.len() => input[start] ^= 1 << self.below(8),
            2 => drop(input.drain(start..end)),
            3 => {
                let piece = input[start..end].to_vec();
                let place = self.below(input.len() + 1);
                input.splice(place..place, piece);
            }
            4 => input.truncate(start),
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(start..start, word.iter().copied());
            }
        }
    }
}

/// Runs a target; a panic names the input.
fn run(name: &str, target: Target, input: &[u8]) -> bool {
    catch_unwind(|| target(input)).unwrap_or_else(|_| {
        let shown = String::from_utf8_lossy(input);
        panic!("{name} fails on {} ({shown:?})", const_hex::encode(input))
    })
}

#[test]
fn every_target_has_its_file_and_its_seeds() {
    let listed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(listed.len(), TARGETS.len());
    assert_eq!(names(&fuzz_folder().join("fuzz_targets")), listed);
    assert_eq!(names(&fuzz_folder().join("seeds")), listed);
    let manifest = fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    for name in &listed {
        let file = fuzz_folder().join(format!("fuzz_targets/{name}.rs"));
        assert!(fs::read_to_string(file).unwrap().contains(&format!("tacit_fuzz::{name}(data)")));
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}

#[test]
fn fuzz_corpus_replays() {
    for (number, (name, target)) in TARGETS.iter().enumerate() {
        let seeds = seeds(name);
        assert!(
            seeds.iter().filter(|seed| run(name, *target, seed)).count() > 0,
            "no seed of {name} is read"
        );
        let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ u64::try_from(number).unwrap());
        for round in 0..ROUNDS {
            run(name, *target, &random.bytes());
            let mut input = seeds[round % seeds.len()].clone();
            for _ in 0..=random.below(4) {
                random.change(&mut input);
                run(name, *target, &input);
            }
        }
    }
}
