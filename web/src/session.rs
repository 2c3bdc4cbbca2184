//! The open wallet: drives the operations of `tacit-wallet`, one at a time. Whatever stops the page between two steps, the next start takes up
//! what is open.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::lock::Mutex;
use leptos::prelude::{GetUntracked as _, RwSignal, Set as _, Track as _, Update as _};
use serde_json::Value;
use tacit_core::unit::Unit;
use tacit_wallet::batch::Batch;
use tacit_wallet::history::Entry;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::{Wallet, Yield};
use tacit_wallet::state::State;
use tacit_wallet::transport::{Answer, Recipient, Request};

use crate::book::Book;
use crate::clock;
use crate::keep::{Keep, Next};
use crate::net;
use crate::trouble::Trouble;

/// An open wallet.
pub(crate) struct Session {
    keep: RefCell<Keep>,
    /// Held while an operation runs.
    turn: Mutex<()>,
    /// Whether the wallet was given to another tab: nothing is written from then on.
    is_given: Cell<bool>,
    /// Counted up with each change, for whoever shows it.
    changes: RwSignal<u64>,
}

thread_local! {
    static OPEN: RefCell<Option<Rc<Session>>> = const { RefCell::new(None) };
}

/// The open wallet.
///
/// # Panics
/// If there is none: screens that ask are shown for an open one alone.
pub(crate) fn session() -> Rc<Session> {
    OPEN.with_borrow(|open| open.clone()).expect("the wallet is open")
}

/// The open wallet, if there is one.
pub(crate) fn opened() -> Option<Rc<Session>> {
    OPEN.with_borrow(Clone::clone)
}

/// Opens the wallet for every screen.
pub(crate) fn open(keep: Keep, changes: RwSignal<u64>) {
    clock::set_ahead(keep.book().operator.days_ahead);
    let session = Session {
        keep: RefCell::new(keep),
        turn: Mutex::new(()),
        is_given: Cell::new(false),
        changes,
    };
    OPEN.set(Some(Rc::new(session)));
    changes.set(changes.get_untracked() + 1);
}

/// Closes it: its keys are gone from memory.
pub(crate) fn close() {
    OPEN.set(None);
}

impl Session {
    /// Looks at the state, now and whenever it changes, if a view asks.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&State, &Book) -> T) -> T {
        self.changes.track();
        self.peek(look)
    }

    /// Looks at the state once.
    pub(crate) fn peek<T>(&self, look: impl FnOnce(&State, &Book) -> T) -> T {
        let keep = self.keep.borrow();
        look(keep.state(), keep.book())
    }

    /// Looks with the words' seed.
    pub(crate) fn look<T>(&self, look: impl FnOnce(Wallet<'_>) -> T) -> T {
        let keep = self.keep.borrow();
        look(Wallet { seed: keep.seed(), state: keep.state(), now: clock::now() })
    }

    /// The twelve words.
    pub(crate) fn words(&self) -> Vec<String> {
        self.keep.borrow().words().split(' ').map(str::to_owned).collect()
    }

    /// A lock with another opener, for [`crate::keep::relock`].
    pub(crate) fn lock_with(&self, opener: &crate::keep::Opener) -> Result<String, Trouble> {
        self.keep.borrow().lock_with(opener)
    }

    /// Another tab has the wallet from now on.
    pub(crate) fn give(&self) {
        self.is_given.set(true);
    }

    /// Drives an operation to its end.
    pub(crate) async fn run<T, E: Into<Trouble>>(
        &self,
        mut step: impl FnMut(Wallet<'_>, Option<Answer>) -> Yield<Result<T, E>>,
    ) -> Result<T, Trouble> {
        let _turn = self.turn.lock().await;
        let mut answer = None;
        loop {
            match self.look(|wallet| step(wallet, answer.take())) {
                Yield::Persist(batch) => {
                    let next = self.keep.borrow().with_batch(&batch);
                    self.write(next).await?;
                }
                Yield::Send(request) => answer = Some(net::send(&request).await),
                Yield::Done(result) => return result.map_err(Into::into),
            }
        }
    }

    /// Makes a batch durable that no operation is needed for.
    pub(crate) async fn persist<E: Into<Trouble>>(
        &self,
        batch: impl FnOnce(&State) -> Result<Batch, E>,
    ) -> Result<(), Trouble> {
        let _turn = self.turn.lock().await;
        let batch = self.peek(|state, _| batch(state)).map_err(Into::into)?;
        let next = self.keep.borrow().with_batch(&batch);
        self.write(next).await
    }

    /// Changes what the person decides.
    pub(crate) async fn note(&self, change: impl FnOnce(&mut Book)) -> Result<(), Trouble> {
        let _turn = self.turn.lock().await;
        let next = self.keep.borrow().with_book(change);
        self.write(next).await
    }

    /// What an operation would record, were it begun now: nothing is sent or kept.
    pub(crate) fn foresee<T, E: Into<Trouble>>(
        &self,
        mut step: impl FnMut(Wallet<'_>, Option<Answer>) -> Yield<Result<T, E>>,
    ) -> Result<Option<Entry>, Trouble> {
        match self.look(|wallet| step(wallet, None)) {
            Yield::Persist(batch) => self.peek(|state, _| {
                let (mut next, before) = (state.clone(), state.history().len());
                next.apply(&batch).map_err(|_| Trouble::OtherTab)?;
                let new = next.history().last_key_value().filter(|_| before < next.history().len());
                Ok(new.map(|(_, entry)| entry.clone()))
            }),
            Yield::Done(Err(error)) => Err(error.into()),
            Yield::Done(Ok(_)) | Yield::Send(_) => Ok(None),
        }
    }

    /// Asks a mint something that changes nothing.
    pub(crate) async fn get(&self, mint: &MintUrl, path: &str) -> Result<Value, Trouble> {
        let request =
            Request { to: Recipient::Mint(mint.clone()), path: path.to_owned(), body: None };
        match net::send(&request).await {
            Answer::Received { status: 200, body } => {
                serde_json::from_slice(body.expose()).map_err(|_| Trouble::NoAnswer)
            }
            Answer::Received { .. } | Answer::Lost => Err(Trouble::NoAnswer),
        }
    }

    /// The operator's mints with their units, and what is at each, in minor units.
    pub(crate) fn balances(&self) -> Vec<(MintUrl, Unit, u64)> {
        self.with(|state, book| {
            let mut found: Vec<(MintUrl, Unit, u64)> = Vec::new();
            for keyset in state.keysets().values() {
                let (mint, unit) = (&keyset.pinned.mint, keyset.pinned.unit);
                let is_listed = found.iter().any(|(listed, of, _)| listed == mint && *of == unit);
                if !is_listed {
                    found.push((mint.clone(), unit, state.balance(mint, unit)));
                }
            }
            found.sort_by_key(|(mint, _, _)| {
                book.operator.mint.iter().position(|known| known == mint)
            });
            found
        })
    }

    async fn write(&self, next: Result<Next, Trouble>) -> Result<(), Trouble> {
        let next = next?;
        if self.is_given.get() {
            return Err(Trouble::OtherTab);
        }
        next.write().await?;
        self.keep.borrow_mut().accept(next);
        self.changes.update(|count| *count += 1);
        Ok(())
    }
}
