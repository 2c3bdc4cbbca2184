//! The storage: a lock, a head and sealed rows in IndexedDB. One change is one transaction, compared with the version it was computed from.

use js_sys::Array;
use serde::{Deserialize, Serialize};
use tacit_wallet::batch::Batch;
use tacit_wallet::seed::{Seed, Words};
use tacit_wallet::state::State;
use tacit_wallet::storage::seal::{Cost, Keeper, Keys, Lock, LockError, NONCE};
use tacit_wallet::storage::{Contents, Held, Name, Sealed, Shelf};
use wasm_bindgen::{JsCast as _, JsValue};
use zeroize::Zeroizing;

use crate::book::Book;
use crate::glue;
use crate::trouble::Trouble;

/// A wallet that is there, and that nobody has opened yet.
#[derive(Clone, Debug)]
pub(crate) struct Closed {
    lock: Lock,
    /// Which passkey opens it.
    passkey: Option<Vec<u8>>,
}

/// An open wallet.
#[derive(Debug)]
pub(crate) struct Keep {
    shelf: Shelf,
    held: Held<Book>,
    seed: Seed,
}

/// What opens a new wallet.
#[derive(Debug)]
pub(crate) enum Opener {
    Passkey { id: Vec<u8>, secret: Zeroizing<Vec<u8>> },
    Passphrase(Zeroizing<String>),
}

/// A lock as it is written down.
#[derive(Serialize, Deserialize)]
struct Written {
    keeper: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; 16],
    sealed: Vec<u8>,
    passkey: Option<Vec<u8>>,
}

impl Closed {
    /// The wallet of this browser; none if there is none yet.
    pub(crate) async fn find() -> Result<Option<Self>, Trouble> {
        let told = glue::keep_lock().await.map_err(Trouble::storage)?;
        let Some(text) = told.as_string() else { return Ok(None) };
        read_lock(&text).map(Some).ok_or(Trouble::Damaged)
    }

    /// Which passkey opens it; a passphrase does if there is none.
    pub(crate) fn passkey(&self) -> Option<&[u8]> {
        self.passkey.as_deref()
    }

    /// Opens it.
    pub(crate) async fn open(&self, secret: &[u8]) -> Result<Keep, Trouble> {
        let keys = self.lock.open(secret).map_err(|error| match error {
            LockError::Damaged => Trouble::Damaged,
            LockError::Memory { .. } => Trouble::Storage { detail: error.to_string() },
            LockError::WrongPassphrase => Trouble::WrongSecret,
        })?;
        let contents = load().await?.ok_or(Trouble::Damaged)?;
        let (shelf, held) = Shelf::open(keys, &contents).ok_or(Trouble::Damaged)?;
        Keep::of(shelf, held)
    }
}

impl Keep {
    fn of(shelf: Shelf, held: Held<Book>) -> Result<Self, Trouble> {
        let seed = held.words.parse::<Words>().map_err(|_| Trouble::Damaged)?.seed();
        Ok(Self { shelf, held, seed })
    }

    /// Makes a wallet where there is none.
    pub(crate) async fn create(
        words: &Words,
        book: Book,
        opener: &Opener,
    ) -> Result<Self, Trouble> {
        let bytes = Zeroizing::new(random::<32>()?);
        let lock = close(&bytes, opener)?;
        let words = Zeroizing::new(words.to_text().expose().clone());
        let held = Held { words, state: State::default(), book };
        let contents = Shelf::begin(&Keys::of(&bytes), &held, random::<NONCE>)?;
        let (names, rows) = split(&contents.rows);
        let made = glue::keep_begin(&lock, &glue::bytes(&contents.head), &names, &rows).await;
        if made.map_err(Trouble::storage)?.as_bool() != Some(true) {
            return Err(Trouble::OtherTab);
        }
        let opened = Shelf::open(Keys::of(&bytes), &contents);
        let (shelf, held) = opened.ok_or(Trouble::Damaged)?;
        Self::of(shelf, held)
    }

    pub(crate) fn state(&self) -> &State {
        &self.held.state
    }

    pub(crate) fn book(&self) -> &Book {
        &self.held.book
    }

    pub(crate) fn words(&self) -> &Zeroizing<String> {
        &self.held.words
    }

    pub(crate) fn seed(&self) -> &Seed {
        &self.seed
    }

    /// What is to be written for a batch, and what is held then.
    pub(crate) fn with_batch(&self, batch: &Batch) -> Result<Next, Trouble> {
        let mut next = self.held.clone();
        next.state.apply(batch).map_err(|_| Trouble::OtherTab)?;
        self.next(next)
    }

    /// The same for a change of the book.
    pub(crate) fn with_book(&self, change: impl FnOnce(&mut Book)) -> Result<Next, Trouble> {
        let mut next = self.held.clone();
        change(&mut next.book);
        self.next(next)
    }

    fn next(&self, held: Held<Book>) -> Result<Next, Trouble> {
        let prepared = self.shelf.prepare(&held, random::<NONCE>)?;
        Ok(Next { prepared, held })
    }

    /// What was written is durable.
    pub(crate) fn accept(&mut self, next: Next) {
        self.shelf.accept(next.prepared);
        self.held = next.held;
    }

    /// A lock with another opener.
    pub(crate) fn lock_with(&self, opener: &Opener) -> Result<String, Trouble> {
        close(self.shelf.keys().bytes(), opener)
    }
}

/// A change that is prepared, and not yet durable.
#[derive(Debug)]
pub(crate) struct Next {
    prepared: tacit_wallet::storage::Prepared,
    held: Held<Book>,
}

impl Next {
    /// Makes it durable.
    pub(crate) async fn write(&self) -> Result<(), Trouble> {
        let commit = &self.prepared.commit;
        let (names, rows) = split(&commit.changed);
        let gone =
            commit.gone.iter().map(|name| JsValue::from(glue::bytes(name))).collect::<Array>();
        #[expect(clippy::cast_precision_loss, reason = "nobody changes a wallet 2^53 times")]
        let before = commit.before as f64;
        let told =
            glue::keep_commit(before, &glue::bytes(&commit.head), &names, &rows, &gone).await;
        match told.map_err(Trouble::storage)?.as_bool() {
            Some(true) => Ok(()),
            Some(false) | None => Err(Trouble::OtherTab),
        }
    }
}

/// Puts another lock before the wallet.
pub(crate) async fn relock(lock: &str) -> Result<(), Trouble> {
    glue::keep_relock(lock).await.map(drop).map_err(Trouble::storage)
}

/// Deletes the wallet of this browser.
pub(crate) async fn erase() -> Result<(), Trouble> {
    glue::keep_erase().await.map(drop).map_err(Trouble::storage)
}

/// What stands unsealed under a name.
pub(crate) async fn noted(name: &str) -> Option<String> {
    glue::keep_noted(name).await.ok()?.as_string()
}

/// Notes what is no secret.
pub(crate) async fn note(name: &str, text: &str) {
    _ = glue::keep_note(name, text).await; // Told again next time.
}

/// Fresh bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Trouble> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Trouble::Random)?;
    Ok(bytes)
}

fn close(bytes: &[u8; 32], opener: &Opener) -> Result<String, Trouble> {
    let (secret, keeper, passkey) = match opener {
        Opener::Passkey { id, secret } => (secret.as_slice(), Keeper::Passkey, Some(id.clone())),
        Opener::Passphrase(text) => (text.as_bytes(), Keeper::Person, None),
    };
    let lock = Lock::close(bytes, secret, keeper, random()?, random()?);
    let lock = lock.map_err(|error| Trouble::Storage { detail: error.to_string() })?;
    let Lock { cost: Cost { memory_kib, passes, lanes }, salt, sealed, .. } = lock;
    let keeper = keeper.name().to_owned();
    let written = Written { keeper, memory_kib, passes, lanes, salt, sealed, passkey };
    Ok(serde_json::to_string(&written).expect("texts and numbers have a JSON"))
}

fn read_lock(text: &str) -> Option<Closed> {
    let written: Written = serde_json::from_str(text).ok()?;
    let Written { keeper, memory_kib, passes, lanes, salt, sealed, passkey } = written;
    let cost = Cost { memory_kib, passes, lanes };
    let lock = Lock { keeper: Keeper::from_name(&keeper)?, cost, salt, sealed };
    Some(Closed { lock, passkey })
}

async fn load() -> Result<Option<Contents>, Trouble> {
    let told = glue::keep_load().await.map_err(Trouble::storage)?;
    if told.is_null() {
        return Ok(None);
    }
    contents(&told).map(Some).ok_or(Trouble::Damaged)
}

fn contents(told: &JsValue) -> Option<Contents> {
    let parts: &Array = told.dyn_ref()?;
    let (names, rows) = (parts.get(2), parts.get(3));
    let (names, rows): (&Array, &Array) = (names.dyn_ref()?, rows.dyn_ref()?);
    let row = |(name, row): (JsValue, JsValue)| -> Option<Sealed> {
        let name: Name = glue::vec(&name)?.try_into().ok()?;
        Some((name, glue::vec(&row)?))
    };
    let rows = names.iter().zip(rows.iter()).map(row).collect::<Option<_>>()?;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number that was written here")]
    let version = parts.get(0).as_f64()? as i64;
    Some(Contents { version, head: glue::vec(&parts.get(1))?, rows })
}

fn split(rows: &[Sealed]) -> (Array, Array) {
    let (names, contents) = (Array::new(), Array::new());
    for (name, sealed) in rows {
        names.push(&glue::bytes(name));
        contents.push(&glue::bytes(sealed));
    }
    (names, contents)
}
