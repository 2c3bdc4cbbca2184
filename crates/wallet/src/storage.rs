//! A wallet as a storage keeps it: rows that are sealed one by one, under a head that makes one wallet of them.
//!
//! Reading order: [`seal`] (the cryptography), [`row`] (a state as rows), then this file. A driver has a table of names and bytes, a version beside
//! the head, and transactions; nothing else of a wallet stands in the open.

pub mod row;
pub mod seal;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tacit_core::hex;
use zeroize::Zeroizing;

use self::row::Rows;
use self::seal::{Keys, NONCE};
use crate::state::State;

/// Paths of the rows that are no part of the state.
const WORDS: &str = "own words";
const BOOK: &str = "own book";
/// What the head is sealed as: no row is called so, for names have 16 bytes.
const HEAD: &[u8] = b"tacit wallet head 1";

/// A row's name: nothing to those without the keys.
pub type Name = [u8; 16];

/// A name and what stands sealed under it.
pub type Sealed = (Name, Vec<u8>);

/// Everything but the lock, as it stood at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Counted up with each commit.
    pub version: i64,
    /// The head, sealed.
    pub head: Vec<u8>,
    /// The rows.
    pub rows: Vec<Sealed>,
}

/// What one commit writes: all of it or nothing, and nothing if the version is no longer `before`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The version it was computed from; the storage then has the next.
    pub before: i64,
    /// The head, sealed.
    pub head: Vec<u8>,
    /// Rows that are new or have changed.
    pub changed: Vec<Sealed>,
    /// Rows that are no more.
    pub gone: Vec<Name>,
}

/// What makes of many rows one wallet: none can be taken out, or be an older one, without notice.
#[derive(Serialize, Deserialize)]
struct Head {
    version: i64,
    rows: usize,
    digest: String,
}

/// A wallet with all that is kept of it. `B`: what a person decides about it, beside its money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held<B> {
    /// The twelve words.
    pub words: Zeroizing<String>,
    /// Money and passports.
    pub state: State,
    /// The person's own notes.
    pub book: B,
}

/// An open storage: what stands in it, and what each row is sealed as.
#[derive(Debug)]
pub struct Shelf {
    keys: Keys,
    version: i64,
    rows: Rows,
    /// A piece of what each row is sealed as, by its name: the head holds a digest of them all.
    seals: BTreeMap<Name, [u8; 16]>,
}

/// A commit that is prepared, and what the shelf is after it.
#[derive(Debug)]
pub struct Prepared {
    /// To be made durable.
    pub commit: Commit,
    rows: Rows,
    seals: BTreeMap<Name, [u8; 16]>,
}

impl Shelf {
    /// What a new storage begins with, at version 0. `random`: gives fresh bytes.
    ///
    /// # Errors
    /// Those of `random`.
    pub fn begin<B: Serialize, E>(
        keys: &Keys,
        held: &Held<B>,
        mut random: impl FnMut() -> Result<[u8; NONCE], E>,
    ) -> Result<Contents, E> {
        let rows = seal_rows(keys, rows_of(held).iter(), &mut random)?;
        let seals = rows.iter().map(|(name, sealed)| (*name, tail(sealed))).collect();
        let head = seal_head(keys, 0, &seals, random()?);
        Ok(Contents { version: 0, head, rows })
    }

    /// Opens what was read; `None` if it is not whole, or not what was written.
    pub fn open<B: DeserializeOwned>(keys: Keys, contents: &Contents) -> Option<(Self, Held<B>)> {
        let mut shelf = Self { keys, version: 0, rows: Rows::new(), seals: BTreeMap::new() };
        let held = shelf.reopen(contents)?;
        Some((shelf, held))
    }

    /// Takes what was read again. `None` if it is not whole: then nothing has changed.
    pub fn reopen<B: DeserializeOwned>(&mut self, contents: &Contents) -> Option<Held<B>> {
        let Contents { version, head, rows: sealed } = contents;
        let head: Head = serde_json::from_slice(&self.keys.open(HEAD, head)?).ok()?;
        let seals: BTreeMap<_, _> =
            sealed.iter().map(|(name, sealed)| (*name, tail(sealed))).collect();
        if (head.version, head.rows, head.digest) != (*version, seals.len(), digest(&seals)) {
            return None;
        }
        let mut rows = Rows::new();
        for (name, sealed) in sealed {
            // A row says itself where it belongs: its name is a hash of that.
            let content = self.keys.open(name, sealed)?;
            let (path, value): (String, Value) = serde_json::from_slice(&content).ok()?;
            rows.insert(path, value);
        }
        let mut of_state = rows.clone();
        let words = Zeroizing::new(of_state.remove(WORDS)?.as_str()?.to_owned());
        let book = serde_json::from_value(of_state.remove(BOOK)?).ok()?;
        let state = row::join(&of_state)?;
        (self.version, self.rows, self.seals) = (*version, rows, seals);
        Some(Held { words, state, book })
    }

    /// The version that was last read or written.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// What has to be written for the storage to hold this.
    ///
    /// # Errors
    /// Those of `random`.
    pub fn prepare<B: Serialize, E>(
        &self,
        held: &Held<B>,
        mut random: impl FnMut() -> Result<[u8; NONCE], E>,
    ) -> Result<Prepared, E> {
        let rows = rows_of(held);
        let is_new = |(path, value): &(&String, &Value)| self.rows.get(*path) != Some(value);
        let changed = seal_rows(&self.keys, rows.iter().filter(is_new), &mut random)?;
        let gone = self.rows.keys().filter(|path| !rows.contains_key(*path));
        let gone: Vec<Name> = gone.map(|path| self.keys.name(path)).collect();
        let mut seals = self.seals.clone();
        seals.retain(|name, _| !gone.contains(name));
        seals.extend(changed.iter().map(|(name, sealed)| (*name, tail(sealed))));
        let head = seal_head(&self.keys, self.version + 1, &seals, random()?);
        let commit = Commit { before: self.version, head, changed, gone };
        Ok(Prepared { commit, rows, seals })
    }

    /// What was prepared is durable.
    pub fn accept(&mut self, prepared: Prepared) {
        self.version = prepared.commit.before + 1;
        (self.rows, self.seals) = (prepared.rows, prepared.seals);
    }
}

fn rows_of<B: Serialize>(held: &Held<B>) -> Rows {
    let mut rows = row::split(&held.state);
    rows.insert(WORDS.to_owned(), Value::String((*held.words).clone()));
    let book = serde_json::to_value(&held.book);
    rows.insert(BOOK.to_owned(), book.expect("a book has text keys and no failing field"));
    rows
}

fn seal_rows<'a, E>(
    keys: &Keys,
    rows: impl Iterator<Item = (&'a String, &'a Value)>,
    random: &mut impl FnMut() -> Result<[u8; NONCE], E>,
) -> Result<Vec<Sealed>, E> {
    rows.map(|row| {
        let name = keys.name(row.0);
        let content = serde_json::to_vec(&row).expect("JSON of JSON does not fail");
        let content = Zeroizing::new(content);
        Ok((name, keys.seal(&name, &content, random()?)))
    })
    .collect()
}

fn seal_head(
    keys: &Keys,
    version: i64,
    seals: &BTreeMap<Name, [u8; 16]>,
    nonce: [u8; NONCE],
) -> Vec<u8> {
    let head = Head { version, rows: seals.len(), digest: digest(seals) };
    let head = serde_json::to_vec(&head).expect("two numbers and a text have a JSON");
    keys.seal(HEAD, &head, nonce)
}

/// Over names and tags, in the order of the names: another row, or an older one, makes another digest.
fn digest(seals: &BTreeMap<Name, [u8; 16]>) -> String {
    let mut digest = Sha256::new();
    for (name, tag) in seals {
        digest.update(name);
        digest.update(tag);
    }
    hex::encode(&digest.finalize())
}

/// The cipher's tag, which ends what it made.
fn tail(sealed: &[u8]) -> [u8; 16] {
    sealed.last_chunk().copied().unwrap_or_default()
}
