//! The desk as the server runs it: its database behind a bounded door, who is logged in, and passkeys.
//!
//! Reading order: this file (how the database is asked), [`session`] (cookies and forms), [`passkey`] (ceremonies),
//! [`refusal`] (how a refusal looks), [`page`] (what every page shares), [`staffing`] (how anybody is let in), [`account`] and [`judgement`] (where desk and vault meet), [`identification`] and [`screening`] (whom the law asks about); the handlers stand in `route::desk`.

pub(crate) mod account;
pub(crate) mod identification;
pub(crate) mod judgement;
pub(crate) mod money;
pub(crate) mod opening;
pub(crate) mod page;
pub(crate) mod passkey;
pub(crate) mod refusal;
pub(crate) mod screening;
pub(crate) mod session;
pub(crate) mod staffing;

use std::sync::{Arc, Mutex, PoisonError};

use tacit_core::time::Timestamp;
use tacit_service::desk::DeskStore;
use tacit_service::desk::identification::KycProvider;
use tacit_service::desk::screening::Screener;
use tacit_service::desk::trail::Head;
use tokio::sync::Semaphore;
use webauthn_rs::prelude::WebauthnError;

use self::passkey::Passkeys;
use self::refusal::Refusal;
use crate::cash::guess::Guesses;
use crate::certificate::ask::Asks;
use crate::limit::Bucket;
use crate::origin::Origin;
use crate::state::Shared;

/// How many may wait for the database; further ones are told to come again.
const WAITING_MAX: usize = 256;

/// The desk, for all handlers.
pub(crate) struct DeskHandle {
    /// Those that nobody asks anything just now.
    stores: Mutex<Vec<Box<dyn DeskStore>>>,
    /// As many as there are stores.
    free: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    pub(crate) origin: Origin,
    pub(crate) passkeys: Passkeys,
    /// Ceremonies begun, of everyone together.
    pub(crate) logins: Bucket,
    /// Held while a decision is carried to the vault.
    judging: tokio::sync::Mutex<()>,
    /// Who looks at documents.
    kyc: Arc<dyn KycProvider>,
    /// Who screens names, if not the imported lists.
    screener: Option<Arc<dyn Screener>>,
    /// What names are compared with otherwise.
    lists: screening::Lists,
    /// How far the trail was found whole, and when all of it was read last.
    pub(crate) checked: Mutex<Option<(Head, Timestamp)>>,
    /// Wrong codes that agents were told, or tried.
    pub(crate) guesses: Mutex<Guesses>,
    /// Whose turn it is to carry cash on.
    pub(crate) cash_turn: Mutex<()>,
    /// What verifiers ask just now.
    pub(crate) asks: Mutex<Asks>,
}

/// What the desk's handlers see.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) shared: Arc<Shared>,
    pub(crate) handle: Arc<DeskHandle>,
}

impl DeskHandle {
    /// A desk of these stores, at least one, under this origin.
    ///
    /// # Errors
    /// If the origin's host is no name that passkeys can belong to.
    pub(crate) fn new(
        stores: Vec<Box<dyn DeskStore>>,
        origin: Origin,
        logins_per_second: u32,
        kyc: Arc<dyn KycProvider>,
        screener: Option<Arc<dyn Screener>>,
    ) -> Result<Self, WebauthnError> {
        Ok(Self {
            free: Arc::new(Semaphore::new(stores.len())),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            stores: Mutex::new(stores),
            passkeys: Passkeys::new(&origin)?,
            origin,
            logins: Bucket::new(logins_per_second),
            judging: tokio::sync::Mutex::new(()),
            kyc,
            screener,
            lists: screening::Lists::default(),
            checked: Mutex::default(),
            guesses: Mutex::default(),
            cash_turn: Mutex::default(),
            asks: Mutex::default(),
        })
    }

    /// Asks the database, on a thread that may wait for it. Once begun it is done, whoever stops waiting.
    ///
    /// # Errors
    /// [`Refusal::Busy`], [`Refusal::Internal`], and what `work` refuses.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut dyn DeskStore) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let _waits = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|_| Refusal::Busy)?;
        let own = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let store = own.stores.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut lent = Lent { desk: &own, store };
            let answer =
                lent.store.as_mut().map_or(Err(Refusal::Busy), |store| work(store.as_mut()));
            drop(lent);
            drop(permit);
            answer
        });
        done.await.map_err(|error| Refusal::internal(&error))?
    }

    /// Closes the database once all that was asked is answered.
    pub(crate) async fn stop(&self) {
        let all = u32::try_from(self.stores.lock().unwrap_or_else(PoisonError::into_inner).len());
        self.waiting.close();
        // A store that is lent comes back before its permit does.
        if let Ok(_permits) = self.free.acquire_many(all.unwrap_or(1).max(1)).await {
            self.free.close();
        }
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A store that comes back also from a panic: its transaction is rolled back then.
struct Lent<'a> {
    desk: &'a DeskHandle,
    store: Option<Box<dyn DeskStore>>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut stores = self.desk.stores.lock().unwrap_or_else(PoisonError::into_inner);
        stores.extend(self.store.take());
    }
}

impl Desk {
    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// Asks the database.
    ///
    /// # Errors
    /// As [`DeskHandle::run`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn DeskStore) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.handle.run(work).await
    }
}

/// How many complaints should have been answered by now.
///
/// # Errors
/// As [`DeskHandle::run`].
pub(crate) async fn overdue_complaints(desk: &Desk) -> Result<u64, Refusal> {
    let today = desk.now().day();
    desk.run(move |store| Ok(store.overdue_complaints(today)?)).await
}

/// Forgets sessions and invitations that have ended.
///
/// # Errors
/// As [`DeskHandle::run`].
pub(crate) async fn sweep(handle: &Arc<DeskHandle>, now: Timestamp) -> Result<(), Refusal> {
    handle.run(move |store| Ok(store.sweep(now)?)).await.map(drop)
}
