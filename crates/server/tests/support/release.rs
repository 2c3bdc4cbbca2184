//! A release of the web wallet as a packer makes one: a page, a script in three codings, a library's script.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tacit_core::hex;
use tempfile::TempDir;

/// What browsers open.
pub const PAGE: &str = "<!doctype html><title>Wallet</title>";
/// A script whose name has its hash.
pub const SCRIPT: &str = "app-1a2b3c4d.js";
/// What is in it.
pub const SCRIPT_TEXT: &str = "export const answer = 42;";

/// A directory with a release, which vanishes with this.
pub struct Packed {
    directory: TempDir,
    files: BTreeMap<String, String>,
}

impl Packed {
    pub fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        let files = [
            ("index.html", PAGE),
            (SCRIPT, SCRIPT_TEXT),
            ("app-1a2b3c4d.wasm", "\0asm"),
            ("worker.js", "self.x = 1"),
            ("snippets/lib-0123456789abcdef/src/inline.js", "export {}"),
            ("style.css", "p {}"),
            ("manifest.webmanifest", "{}"),
        ];
        let files = files.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let packed = Self { directory, files };
        for (name, text) in &packed.files {
            packed.write(name, text.as_bytes());
        }
        packed.write(&format!("{SCRIPT}.br"), &brotli(SCRIPT_TEXT.as_bytes()));
        packed.write(&format!("{SCRIPT}.gz"), &gzip(SCRIPT_TEXT.as_bytes()));
        packed.write("style.css.gz", &gzip(b"p {}"));
        packed.list(&json!({"version": 1, "files": packed.listed()}));
        packed
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// Puts something in the place of a file, or beside it.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.directory.path().join(name)).unwrap();
    }

    /// Puts another list in the place of its own.
    pub fn list(&self, list: &Value) {
        self.write("release.json", list.to_string().as_bytes());
    }

    /// What its list says of its files.
    pub fn listed(&self) -> Value {
        let listed =
            |text: &String| json!({"sha256": digest(text.as_bytes()), "length": text.len()});
        self.files.iter().map(|(name, text)| (name.clone(), listed(text))).collect()
    }

    /// What it is known by.
    pub fn digest(&self) -> String {
        digest(&fs::read(list_of(self.directory.path())).unwrap())
    }
}

fn list_of(directory: &Path) -> PathBuf {
    directory.join("release.json")
}

pub fn digest(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes))
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One uncompressed meta-block, and an empty last one (RFC 7932, section 9.2).
pub fn brotli(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len() - 1).unwrap();
    let head = (length << 4) | (1 << 20); // A window of 16 bits, a length of 4 nibbles.
    [&head.to_le_bytes()[..3], bytes, &[3]].concat()
}
