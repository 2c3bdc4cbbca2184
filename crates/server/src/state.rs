//! What all handlers share, and the two ways through it: a question, and a change.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, PoisonError, RwLock};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tacit_core::secret::Secret;
use tacit_core::time::{Clock, Timestamp};
use tacit_service::identity::Identity;
use tacit_service::mint::{Mint, WrongSeed};
use tacit_service::rail::{Rail, RailError};
use tacit_service::vault::{Change, Outcome, StoreError, VaultReader};
use tokio::sync::{Semaphore, oneshot, watch};

use crate::config::{Config, UnitConfig};
use crate::desk::DeskHandle;
use crate::error::ApiError;
use crate::hub::Hub;
use crate::limit::Buckets;
use crate::metric::{Gauge, Metrics};
use crate::origin::Origins;
use crate::passport::Passports;
use crate::payout::Payouts;
use crate::pool::{Pool, PoolError};
use crate::release::Release;
use crate::server::Demo;
use crate::writer::{CommitError, Committed, Writer};

/// What is escaped in a part of a fragment: all but the unreserved characters (RFC 3986, section 2.3) and what base64 ends with.
const FRAGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'=');

/// The running mint, as every part of the server sees it.
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// Under which names it is reached, those of demo mode included.
    pub(crate) origins: Origins,
    pub(crate) clock: Arc<dyn Clock>,
    /// What can be moved and asked for in demo mode, and only there.
    pub(crate) demo: Option<Demo>,
    /// People and paperwork; `None` where the desk has no origin.
    pub(crate) desk: Option<Arc<DeskHandle>>,
    pub(crate) identity: Identity,
    pub(crate) seed: Secret<[u8; 32]>,
    pub(crate) mint: RwLock<Arc<Mint>>,
    /// Held while keysets are read and put in place, so that an older reading cannot replace a newer one.
    pub(crate) refreshing: tokio::sync::Mutex<()>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) payouts: Arc<Payouts>,
    /// Keys, card and lanes of the passport desk.
    pub(crate) passports: Passports,
    /// The web wallet that is served, if one is.
    pub(crate) wallet: Option<Release>,
    /// How money comes and goes; `None` if nothing is attached, and only quotes can be opened.
    pub(crate) rail: Option<Arc<dyn Rail>>,
    /// How many may wait for the rail's offers and requests at once.
    pub(crate) rail_permits: Arc<Semaphore>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) buckets: Buckets,
    pub(crate) connections: AtomicUsize,
    pub(crate) sockets: AtomicUsize,
    /// Becomes true when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// A unit with its terms, as the handlers under its path see it.
#[derive(Clone)]
pub(crate) struct UnitMint {
    pub(crate) shared: Arc<Shared>,
    pub(crate) terms: Arc<UnitConfig>,
}

/// What preparing a request led to.
pub(crate) enum Step<T> {
    /// Something to be committed.
    Commit(Change),
    /// The answer, without a commit.
    Done(T),
}

impl Shared {
    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the sites are served over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.config.serving.is_secure()
    }

    /// The keysets as they were last read.
    pub(crate) fn mint(&self) -> Arc<Mint> {
        Arc::clone(&self.mint.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the vault, on a thread of the pool.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn VaultReader) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.pool.run(question).await?
    }

    /// Where wallets are told that the mints are, without a slash at the end, if the operator says.
    pub(crate) fn told_url(&self) -> Option<String> {
        let given = self.config.about.public_url.as_deref();
        let given = given.map(|url| url.trim_end_matches('/').to_owned());
        // A name under `localhost` that nobody gave is no address for a wallet that may run elsewhere.
        given.or_else(|| self.config.serving.origins.mint.as_ref().map(ToString::to_string))
    }

    /// A link into the web wallet, if there is one. What it says stands in the fragment, which browsers send to no server.
    ///
    /// `what`: what the wallet is to do, of letters. `with`: with what, any text.
    pub(crate) fn wallet_link(&self, what: &str, with: &str) -> Option<String> {
        let origin = self.wallet.as_ref().and(self.origins.wallet.as_ref())?;
        Some(format!("{origin}/#{what}/{}", utf8_percent_encode(with, FRAGMENT)))
    }

    /// Asks a rail, on a thread that may wait for it.
    ///
    /// # Errors
    /// Those of the question, and 503 if as many wait for the rail as may.
    pub(crate) async fn ask_rail<T: Send + 'static>(
        &self,
        question: impl FnOnce() -> Result<T, RailError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let busy = || ApiError::busy("the mint is busy", 1);
        let permit = Arc::clone(&self.rail_permits).try_acquire_owned().map_err(|_| busy())?;
        let asked = tokio::task::spawn_blocking(move || {
            let answer = question();
            drop(permit);
            answer
        });
        Ok(asked.await.map_err(|error| ApiError::internal(&error))??)
    }

    /// Prepares a change on a thread of the pool, which hands it to the writer; `finish` reads what became of it.
    ///
    /// Once `prepare` has begun the change is committed, also if the client has hung up meanwhile.
    pub(crate) async fn transact<T: Send + 'static>(
        self: &Arc<Self>,
        prepare: impl FnOnce(&mut dyn VaultReader, &Self) -> Result<Step<T>, ApiError> + Send + 'static,
        finish: impl FnOnce(Change, Outcome) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (tell, told) = oneshot::channel();
        let shared = Arc::clone(self);
        self.pool.submit(move |reader| match prepare(reader, &shared) {
            Ok(Step::Commit(change)) => {
                let answer = |result: Result<Committed, CommitError>| {
                    let committed = result.map_err(ApiError::from);
                    // If nobody waits any more, the change stands all the same.
                    _ = tell.send(committed.and_then(|done| finish(done.change, done.outcome)));
                };
                shared.writer.submit(change, Box::new(answer));
            }
            Ok(Step::Done(answer)) => _ = tell.send(Ok(answer)),
            Err(error) => _ = tell.send(Err(error)),
        })?;
        told.await.unwrap_or_else(|_| Err(self.pool.why_lost().into()))
    }

    /// Reads the keysets anew: after a rotation, and when time has closed one.
    pub(crate) async fn refresh(&self) -> Result<(), RefreshError> {
        let _guard = self.refreshing.lock().await;
        let read = |reader: &mut dyn VaultReader| {
            Ok::<_, StoreError>((reader.keysets()?, reader.merchant_keys()?))
        };
        let (records, merchants) = self.pool.run(read).await??;
        let known = self.mint();
        let same = known.keysets().iter().map(|keyset| keyset.record()).eq(&records);
        if !same || !known.has_merchants(&merchants) {
            let mint = Arc::new(Mint::new(&self.seed, records)?.with_merchants(&merchants));
            *self.mint.write().unwrap_or_else(PoisonError::into_inner) = mint;
        }
        Ok(())
    }

    /// How high a gauge stands.
    pub(crate) fn gauge(&self, gauge: Gauge) -> u64 {
        use std::sync::atomic::Ordering::Relaxed;
        let count = match gauge {
            Gauge::PoolQueue => self.pool.waiting(),
            Gauge::WriterQueue => self.writer.waiting(),
            Gauge::Connections => self.connections.load(Relaxed),
            Gauge::Sockets => self.sockets.load(Relaxed),
            Gauge::Watched => self.hub.watched(),
            Gauge::Payouts => self.payouts.under_way(),
            Gauge::CertificateEnd => return self.metrics.certificate_end(),
            Gauge::ComplaintsOverdue => return self.metrics.complaints_overdue(),
        };
        count as u64
    }
}

/// Returns when the server stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that whoever could say so is gone, which says it too. The guard must not outlive this.
    _ = stopping.wait_for(|is_stopping| *is_stopping).await;
}

/// Why the keysets could not be read anew.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefreshError {
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Store(#[from] tacit_service::vault::StoreError),
    #[error(transparent)]
    WrongSeed(#[from] WrongSeed),
}
