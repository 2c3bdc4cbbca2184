//! Starting and stopping: what is opened, in which order, and who is told.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, RwLock};

use tacit_core::secret::Secret;
use tacit_core::time::Clock;
use tacit_service::desk::DeskStore;
use tacit_service::desk::identification::{KycProvider, ManualDesk};
use tacit_service::desk::screening::Screener;
use tacit_service::identity::Identity;
use tacit_service::keyset::KeysetRecord;
use tacit_service::mint::{Mint, WrongSeed};
use tacit_service::quote::MeltQuoteState;
use tacit_service::rail::Rail;
use tacit_service::vault::{Change, Outcome, StoreError, VaultReader, VaultStore};
use tacit_store::demo_rail::DemoRail;
use tacit_store::postgres::{self, PostgresReader, PostgresVault, Target};
use tacit_store::sqlite::mark;
use tacit_store::sqlite::{Move, OpenError, SqliteReader, SqliteVault};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::bank;
use crate::clock::{DemoClock, SystemClock};
use crate::config::Config;
use crate::control;
use crate::data_dir::{self, DataDir, DataDirError};
use crate::desk::opening;
use crate::entrance::{Entrances, ListenError, Served};
use crate::hub::Hub;
use crate::keyset;
use crate::limit::Buckets;
use crate::log::{self, Field, Level};
use crate::metric::Metrics;
use crate::neighbour;
use crate::origin::{Origins, Site};
use crate::passport::{CardError, Passports};
use crate::payout::Payouts;
use crate::pool::Pool;
use crate::receipt::Receipts;
use crate::release::{Release, ReleaseError};
use crate::seed::{self, SeedError};
use crate::shop::relay::{self, Bell};
use crate::state::Shared;
use crate::tls::{Tls, TlsError};
use crate::upkeep;
use crate::vault::with_password;
use crate::writer::{Desk, Health, Observer, Writer};

/// How many may wait for the rail's offers and requests at once.
const RAIL_PERMITS: usize = 64;

/// Opens another reader of the vault.
pub type Readers = Box<dyn Fn() -> Result<Box<dyn VaultReader>, OpenFailed> + Send + Sync>;

/// What the store said.
pub type OpenFailed = Box<dyn Error + Send + Sync>;

/// What a server is built upon. [`Parts::open`] takes it from a data directory; tests put in their own.
pub struct Parts {
    /// The one writer of the vault.
    pub store: Box<dyn VaultStore>,
    /// Its readers.
    pub readers: Readers,
    /// What the mint's keys are derived from.
    pub seed: Secret<[u8; 32]>,
    /// The desk's database, as many connections as may be asked at once; none where the desk has no origin.
    pub desk: Vec<Box<dyn DeskStore>>,
    /// Who looks at people's documents.
    pub kyc: Arc<dyn KycProvider>,
    /// Who screens people's names; `None` for the lists that were imported.
    pub screener: Option<Arc<dyn Screener>>,
    /// How money comes and goes; `None` if nothing is attached.
    pub rail: Option<Arc<dyn Rail>>,
    /// The one source of time.
    pub clock: Arc<dyn Clock>,
    /// What can be moved and asked for in demo mode, and only there.
    pub demo: Option<Demo>,
    /// The data directory, locked for as long as the server runs.
    pub data: Option<DataDir>,
    /// Whether other servers may write to the same vault.
    pub has_neighbours: bool,
    /// The web wallet, if one is served.
    pub wallet: Option<Release>,
}

/// The levers of demo mode.
#[derive(Clone)]
pub struct Demo {
    /// The clock, which can be sent ahead.
    pub clock: Arc<DemoClock>,
    /// The rail, which makes invoices.
    pub rail: Arc<DemoRail>,
}

/// Why a server does not start. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Outside of demo mode a mint is made by `tacitd init`, under a passphrase.
    #[error("there is no mint in {path} yet: make one with tacitd init --data {path}, or try --demo", path = path.display())]
    NotMade {
        /// The data directory.
        path: PathBuf,
    },
    /// The web wallet.
    #[error(transparent)]
    Wallet(#[from] ReleaseError),
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataDirError),
    /// The seed.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The directory cannot be looked into.
    #[error("the data directory cannot be read")]
    Look(#[from] std::io::Error),
    /// A vault that was there has left its mark.
    #[error(
        "the vault of {path} is lost, but for its mark: put back a backup with tacitd restore",
        path = path.display()
    )]
    Lost {
        /// The data directory.
        path: PathBuf,
    },
    /// A database is named, and the vault in the data directory has not moved there.
    #[error(
        "there is a vault in {path} that has not moved to the database: tacitd migrate moves it",
        path = path.display()
    )]
    NotMoved {
        /// The data directory.
        path: PathBuf,
    },
    /// The seed is that of another vault.
    #[error("the seed at {path} belongs to another vault: put back the one this vault was made with", path = path.display())]
    OtherSeed {
        /// The seed.
        path: PathBuf,
    },
    /// The vault or the demo rail.
    #[error("{path} cannot be opened", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the store said.
        source: OpenFailed,
    },
    /// The vault's database.
    #[error("the vault in {target} cannot be opened")]
    Database {
        /// Where, without its password.
        target: String,
        /// What the store said.
        source: OpenFailed,
    },
    /// The desk's database.
    #[error("the desk in {target} cannot be opened")]
    Desk {
        /// Where, without its password.
        target: String,
        /// What the store said.
        source: OpenFailed,
    },
    /// The desk's origin.
    #[error(
        "passkeys cannot belong to the desk's origin {origin}: it needs a name, not an address"
    )]
    DeskOrigin {
        /// The origin.
        origin: String,
    },
    /// The demo clock.
    #[error("the demo clock at {path} cannot be read", path = path.display())]
    Clock {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The scorecard of certificates.
    #[error("the scorecard of the configuration cannot be used")]
    Scorecard(#[from] CardError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The vault answered no question.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The seed makes other keysets than the vault has.
    #[error(transparent)]
    WrongSeed(#[from] WrongSeed),
    /// A reader of the vault.
    #[error("the vault cannot be read")]
    Reader(#[source] OpenFailed),
    /// The system gave no thread.
    #[error("no thread can be started")]
    Thread(#[source] std::io::Error),
}

/// A server at work.
pub struct Running {
    addresses: Vec<Served>,
    shared: Arc<Shared>,
    receipts: Option<Arc<Receipts>>,
    stop: watch::Sender<bool>,
    /// What accepts connections, and what is done as time passes.
    tasks: Vec<JoinHandle<()>>,
    tls: Option<Arc<Tls>>,
    invitation: Option<String>,
    /// Last, so that the lock is released when all else has ended.
    _data: Option<DataDir>,
}

impl Parts {
    /// Opens a data directory, and makes what is missing of it; the seed only in demo mode.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn open(config: &Config) -> Result<Self, StartError> {
        if !config.demo && !data_dir::is_made(&config.data)? {
            return Err(StartError::NotMade { path: config.data.clone() });
        }
        let wallet = config.wallet.directory.as_deref().map(Release::open).transpose()?;
        let data = DataDir::lock(&config.data)?;
        let seed = open_seed(&data, config)?;
        let (store, readers) = match &config.vault_url {
            Some(target) => {
                has_moved(&data, config)?;
                open_database(&with_password(target.clone()), &seed, &data)?
            }
            None => {
                is_not_lost(&data, config)?;
                open_file(&seed, &data)?
            }
        };
        let desk = opening::open(config, &Identity::derive(&seed).public(), &data)?;
        let mut parts = Self {
            store,
            readers,
            seed,
            desk,
            kyc: Arc::new(ManualDesk),
            screener: None,
            rail: None,
            clock: Arc::new(SystemClock),
            demo: None,
            data: None,
            has_neighbours: config.vault_url.is_some(),
            wallet,
        };
        if config.demo {
            parts.turn_to_demo(&data)?;
        }
        Ok(Self { data: Some(data), ..parts })
    }

    fn turn_to_demo(&mut self, data: &DataDir) -> Result<(), StartError> {
        let path = data.demo_clock();
        let clock = DemoClock::open(path.clone());
        let clock = Arc::new(clock.map_err(|source| StartError::Clock { path, source })?);
        self.clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let path = data.demo_rail();
        let rail = DemoRail::open(&path, Arc::clone(&self.clock), &self.seed);
        let failed = |error| StartError::Open { path, source: Box::new(error) };
        let rail = Arc::new(rail.map_err(failed)?);
        self.rail = Some(Arc::clone(&rail) as Arc<dyn Rail>);
        self.demo = Some(Demo { clock, rail });
        Ok(())
    }

    fn reader(&self) -> Result<Box<dyn VaultReader>, StartError> {
        (self.readers)().map_err(StartError::Reader)
    }

    /// Adds the first keyset of each unit that has none, and reads them all.
    fn keysets(&mut self, config: &Config) -> Result<Vec<KeysetRecord>, StartError> {
        let mut reader = self.reader()?;
        let known = reader.keysets()?;
        let now = self.clock.now();
        let missing: Vec<Change> = config
            .units
            .iter()
            .filter_map(|unit| keyset::first(&known, unit, now))
            .map(|spec| keyset::add(&self.seed, spec))
            .collect();
        if missing.is_empty() {
            return Ok(known);
        }
        self.store.commit(&missing, self.clock.now())?;
        Ok(reader.keysets()?)
    }
}

type Sides = (Box<dyn VaultStore>, Readers);

fn open_file(seed: &Secret<[u8; 32]>, data: &DataDir) -> Result<Sides, StartError> {
    let path = data.vault();
    let store = match SqliteVault::open(&path, &Identity::derive(seed).public()) {
        Ok(store) => store,
        Err(OpenError::OtherMint) => return Err(StartError::OtherSeed { path: data.seed() }),
        Err(error) => return Err(StartError::Open { path, source: error.into() }),
    };
    let eras = store.eras();
    let readers: Readers =
        Box::new(move || Ok(Box::new(SqliteReader::open(&path)?.with_eras(eras.clone()))));
    Ok((Box::new(store), readers))
}

fn open_database(
    target: &Target,
    seed: &Secret<[u8; 32]>,
    data: &DataDir,
) -> Result<Sides, StartError> {
    let mint = Identity::derive(seed).public();
    let store = match PostgresVault::open_marked(target, &mint, &data.database_mark()) {
        Ok(store) => store,
        Err(postgres::OpenError::OtherMint) => {
            return Err(StartError::OtherSeed { path: data.seed() });
        }
        Err(error) => {
            return Err(StartError::Database { target: target.to_string(), source: error.into() });
        }
    };
    let target = target.clone();
    let readers: Readers = Box::new(move || Ok(Box::new(PostgresReader::open(&target)?)));
    Ok((Box::new(store), readers))
}

/// Fails beside a vault in a file that may know more than the database.
fn has_moved(data: &DataDir, config: &Config) -> Result<(), StartError> {
    if !data.has_vault()? {
        return Ok(());
    }
    let path = data.vault();
    let moves = SqliteReader::open(&path).and_then(|reader| reader.moves());
    match moves.map_err(|error| StartError::Open { path, source: error.into() })? {
        Move::Done => Ok(()),
        Move::None | Move::UnderWay => Err(StartError::NotMoved { path: config.data.clone() }),
    }
}

/// Fails where a vault was before: a new one in its place would know nothing of what is owed.
fn is_not_lost(data: &DataDir, config: &Config) -> Result<(), StartError> {
    let has_mark = std::fs::exists(mark::beside(&data.vault()))?;
    if has_mark && !data.has_vault()? {
        return Err(StartError::Lost { path: config.data.clone() });
    }
    Ok(())
}

/// Whether the mint has a vault already.
fn has_vault(data: &DataDir, config: &Config) -> Result<bool, StartError> {
    let Some(target) = &config.vault_url else { return Ok(data.has_vault()?) };
    let failed = |error: postgres::OpenError| StartError::Database {
        target: target.to_string(),
        source: error.into(),
    };
    postgres::is_made(&with_password(target.clone())).map_err(failed)
}

fn open_seed(data: &DataDir, config: &Config) -> Result<Secret<[u8; 32]>, StartError> {
    let path = data.seed();
    let file = match seed::read(&path) {
        // Only where nothing was issued yet: a new seed could redeem nothing of an old vault.
        Err(SeedError::Missing { .. }) if config.demo && !has_vault(data, config)? => {
            return Ok(seed::create_plain(&path)?);
        }
        read => read?,
    };
    if !config.demo && !file.is_sealed() {
        // As every seed was before there was a passphrase. A mint that runs is not stopped for it.
        let event = "the seed is not encrypted: stop the mint and run tacitd seed passphrase";
        log::write(Level::Warn, event, &[(Field::Data, &config.data.display())]);
    }
    Ok(file.open(&config.passphrase)?)
}

/// Starts a server. Must be called within a Tokio runtime.
///
/// # Errors
/// [`StartError`].
pub async fn start(config: Config, mut parts: Parts) -> Result<Running, StartError> {
    let certificates = Tls::of(&config.serving, &config.data)?;
    let entrances = Entrances::open(&config).await?;
    let origins = entrances.origins(&config);
    let (desk, screener) = (std::mem::take(&mut parts.desk), parts.screener.as_ref());
    let desk_handle = opening::handle(desk, &origins, &config, &parts.kyc, screener)?;
    let records = parts.keysets(&config)?;
    let merchants = parts.reader()?.merchant_keys()?;
    let mint = Mint::new(&parts.seed, records)?.with_merchants(&merchants);
    let passports = Passports::open(&parts.seed, &config, parts.clock.now())?;
    let (metrics, hub, payouts) = (Arc::<Metrics>::default(), Arc::default(), Payouts::new());
    let (bell, (stop, stopping)) = (Bell::default(), watch::channel(false));
    let receipts = parts.demo.as_ref().map(|_| Receipts::new(config.bounds.receipt_delay));
    let readers = (0..config.bounds.pool_threads.max(1)).map(|_| parts.reader());
    let pool = Pool::start(readers.collect::<Result<_, _>>()?, config.bounds.pool_queue)
        .map_err(StartError::Thread)?;
    take_up(parts.reader()?.as_mut(), &parts, &payouts, receipts.as_deref())?;
    let desk = Desk {
        store: parts.store,
        clock: Arc::clone(&parts.clock),
        metrics: Arc::clone(&metrics),
        observer: observer(&hub, &payouts, receipts.as_ref(), bell.clone()),
        batch: config.bounds.batch,
    };
    let writer = Writer::start(desk, config.bounds.writer_queue).map_err(StartError::Thread)?;
    if let Some(rail) = &parts.rail {
        payouts.start(rail, &writer).map_err(StartError::Thread)?;
    }
    if let Some(receipts) = &receipts {
        receipts.start(Arc::clone(&writer)).map_err(StartError::Thread)?;
    }
    let shared = Arc::new(Shared {
        buckets: Buckets::new(&config.serving.limits),
        config,
        origins,
        clock: parts.clock,
        demo: parts.demo,
        desk: desk_handle,
        identity: Identity::derive(&parts.seed),
        seed: parts.seed,
        mint: RwLock::new(Arc::new(mint)),
        refreshing: tokio::sync::Mutex::new(()),
        pool,
        writer,
        hub,
        payouts,
        passports,
        wallet: parts.wallet,
        rail: parts.rail,
        rail_permits: Arc::new(Semaphore::new(RAIL_PERMITS)),
        metrics,
        connections: AtomicUsize::new(0),
        sockets: AtomicUsize::new(0),
        stopping,
    });
    let tls = certificates.as_ref().map(|certificates| Arc::clone(&certificates.tls));
    let (addresses, mut tasks) = entrances.serve(&shared, tls.as_ref());
    tasks.extend(parts.data.as_ref().and_then(|data| listen_to_operator(data, &shared)));
    tasks.push(tokio::spawn(upkeep::run(Arc::clone(&shared))));
    tasks.extend(desk_tasks(&shared, bell));
    if parts.has_neighbours {
        tasks.push(tokio::spawn(neighbour::run(Arc::clone(&shared), receipts.clone())));
    }
    if let Some(certificates) = certificates {
        certificates.announce(&shared.metrics);
        tasks.push(tokio::spawn(upkeep::certificates(certificates, Arc::clone(&shared))));
    }
    let invitation = opening::invite_to_demo(&shared).await;
    Ok(Running { addresses, shared, receipts, stop, tasks, tls, invitation, _data: parts.data })
}

/// What is done for the desk as time passes, where there is one.
fn desk_tasks(shared: &Arc<Shared>, bell: Bell) -> Vec<JoinHandle<()>> {
    let Some(handle) = &shared.desk else { return Vec::new() };
    let desk = crate::desk::Desk { shared: Arc::clone(shared), handle: Arc::clone(handle) };
    vec![
        tokio::spawn(upkeep::desk(Arc::clone(handle), Arc::clone(shared))),
        tokio::spawn(bank::run(Arc::clone(shared))),
        tokio::spawn(relay::run(desk, bell)),
    ]
}

/// Without the socket the mint runs all the same: what the operator asks of it waits until it is stopped.
fn listen_to_operator(data: &DataDir, shared: &Arc<Shared>) -> Option<JoinHandle<()>> {
    let listening = control::serve(&data.control(), shared);
    if let Err(error) = &listening {
        log::error_chain(Level::Warn, "there is no control socket", error);
    }
    listening.ok()
}

/// Takes up what an earlier process left under way.
fn take_up(
    reader: &mut dyn VaultReader,
    parts: &Parts,
    payouts: &Payouts,
    receipts: Option<&Receipts>,
) -> Result<(), StoreError> {
    let pending = reader.pending_melt_quotes()?;
    if !pending.is_empty() {
        let count = pending.len();
        log::write(Level::Info, "payments are taken up again", &[(Field::Count, &count)]);
    }
    pending.into_iter().for_each(|quote| payouts.resume(quote));
    if let Some(receipts) = receipts {
        for quote in reader.unpaid_mint_quotes(parts.clock.now())? {
            receipts.resume(quote.id, quote.amount);
        }
    }
    Ok(())
}

/// Who hears of each change that is durable, on the writer's thread.
fn observer(
    hub: &Arc<Hub>,
    payouts: &Arc<Payouts>,
    receipts: Option<&Arc<Receipts>>,
    bell: Bell,
) -> Observer {
    let (hub, payouts, receipts) = (Arc::clone(hub), Arc::clone(payouts), receipts.cloned());
    Box::new(move |change, outcome| {
        hub.observe(change, outcome);
        bell.observe(outcome);
        match (change, outcome) {
            (Change::StartMelt(_), Outcome::Melt(Ok(quote))) => {
                if matches!(quote.state, MeltQuoteState::Pending(_)) {
                    payouts.begin(quote.as_ref().clone());
                }
            }
            (Change::OpenMintQuote(quote), Outcome::Applied(true)) => {
                if let Some(receipts) = &receipts {
                    receipts.expect(quote.id, quote.amount);
                }
            }
            _ => {}
        }
    })
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0].1
    }

    /// Where it listens for this site alone; `None` if there is no such listener.
    pub fn address_of(&self, site: Site) -> Option<SocketAddr> {
        self.addresses.iter().find(|(own, _)| *own == Some(site)).map(|(_, address)| *address)
    }

    /// `https`, or `http` without TLS.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Under which names it is reached.
    pub fn origins(&self) -> &Origins {
        &self.shared.origins
    }

    /// In a demonstration, the link that leads to a passkey for its console; `None` once somebody has used it.
    pub fn invitation(&self) -> Option<&str> {
        self.invitation.as_deref()
    }

    /// What it has counted.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Looks at the files of the certificate now, as it does by itself every half minute.
    pub fn look_at_certificate(&self) {
        if let Some(tls) = &self.tls {
            tls.look(&self.shared.metrics);
        }
    }

    /// Returns when the store has failed so that the process must not go on: stop it, and look at the log.
    pub async fn failed(&self) {
        self.shared.writer.failed().await;
    }

    /// Stops: no new connections, requests under way are answered, what is queued is committed. Returns whether
    /// the store was sound to the end.
    pub async fn stop(self) -> bool {
        self.stop.send_replace(true);
        for task in self.tasks {
            _ = task.await; // A panic inside was logged by the hook.
        }
        if let Some(desk) = &self.shared.desk {
            desk.stop().await;
        }
        let (shared, receipts) = (Arc::clone(&self.shared), self.receipts);
        let stopped = tokio::task::spawn_blocking(move || {
            shared.payouts.stop();
            if let Some(receipts) = receipts {
                receipts.stop();
            }
            shared.pool.stop();
            shared.writer.stop();
        });
        _ = stopped.await;
        self.shared.writer.health() == Health::Good
    }
}
