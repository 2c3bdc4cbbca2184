//! The targets on stable: seeds, seeds changed at random, and random bytes, each a bounded number.
//!
//! Included by the tests of each crate that has targets; whatever it needs is in the standard library.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// A target: bytes in, whether they were read out.
type Target = fn(&[u8]) -> bool;

/// Longest random input in bytes.
const LENGTH: usize = 400;

/// This folder.
fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// Names of all targets: their files and the folders of their seeds.
fn names(folder: &str) -> BTreeSet<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()
    };
    fs::read_dir(fuzz_folder().join(folder)).unwrap().map(name).collect()
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

    fn change(&mut self, input: &mut Vec<u8>, words: &[&[u8]]) {
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
                let word = words[self.below(words.len())];
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

/// Each target of `targets` has its file, its line in the manifest and its seeds, and no file of their module is left out.
pub fn check_files(targets: &[(&str, Target)], module: &str) {
    let listed: BTreeSet<String> = targets.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(listed.len(), targets.len());
    let of_module = |name: &String| {
        let file = fuzz_folder().join(format!("fuzz_targets/{name}.rs"));
        fs::read_to_string(file).unwrap().contains(&format!("tacit_fuzz::{module}::{name}(data)"))
    };
    assert_eq!(
        names("fuzz_targets").into_iter().filter(of_module).collect::<BTreeSet<_>>(),
        listed
    );
    assert!(names("seeds").is_superset(&listed));
    assert_eq!(names("seeds"), names("fuzz_targets"));
    let manifest = fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    for name in &listed {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}

/// Runs each target on its seeds, on `rounds` changes to them and on as many random inputs.
///
/// `words`: what the formats are made of: put in, it leads deeper than single bytes.
pub fn replay(targets: &[(&str, Target)], words: &[&[u8]], rounds: usize) {
    for (number, (name, target)) in targets.iter().enumerate() {
        let seeds = seeds(name);
        assert!(
            seeds.iter().filter(|seed| run(name, *target, seed)).count() > 0,
            "no seed of {name} is read"
        );
        let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ u64::try_from(number).unwrap());
        for round in 0..rounds {
            run(name, *target, &random.bytes());
            let mut input = seeds[round % seeds.len()].clone();
            for _ in 0..=random.below(4) {
                random.change(&mut input, words);
                run(name, *target, &input);
            }
        }
    }
}
