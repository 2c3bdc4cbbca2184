//! The passport desk of a running server: its keys as the years go by, its scorecard, and how much it computes at once.
//!
//! A proof costs up to 30 ms of a thread of the pool. Few are checked at a time, so that whoever floods this desk with proofs that
//! do not hold slows down other proofs, and no payment.

pub(crate) mod income;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::issuer::Refused;
use tacit_credit::passport::key::IssuerKeys;
use tacit_credit::passport::message::{KeysDigest, VERSION};
use tacit_credit::passport::proof::{Bins, NoProof};
use tacit_credit::passport::wire;
use tacit_credit::scorecard::BASE;
use tacit_credit::scorecard::signed::{CardId, SignedCard, SignedCardError};
use tacit_ecash::code::Code;
use tacit_service::account::AccountId;
use tacit_service::passport::desk::{Claim, Opened, PassportDesk, PassportError};
use tacit_service::passport::{AnswerError, PreparedAnswer, key_epoch, pause_name};
use tacit_service::vault::{Change, Outcome, StoreError, VaultReader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::error::ApiError;
use crate::metric::Counter;
use crate::random;
use crate::state::{Shared, Step};

/// Requests that may wait for a thread.
const WAITING_MAX: usize = 256;

/// Ages in months that certificates are made for. Few, so that an age tells nobody apart.
const TENURES: [u16; 4] = [3, 6, 12, 24];

/// The card of a demonstration.
const DEMO_CARD: &[u8] = include_bytes!("../demo/scorecard.json");

/// The passport desk, its card and its lanes.
pub(crate) struct Passports {
    /// With the key epoch it was made for.
    desk: RwLock<(u32, Arc<PassportDesk>)>,
    card: Option<Card>,
    waiting: Arc<Semaphore>,
    lanes: Arc<Semaphore>,
}

/// The scorecard that certificates are made by.
struct Card {
    signed: SignedCard,
    bins: Bins,
    thresholds: Vec<u16>,
}

/// Why a scorecard cannot be used. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The file.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// It is no signed card.
    #[error(transparent)]
    Signed(#[from] SignedCardError),
    /// It is not one of a passport's counters.
    #[error(transparent)]
    Proof(#[from] NoProof),
}

/// What a request asks for, as far as the server and not the request says it.
pub(crate) enum Asked {
    /// Something of a single kind.
    Claim(Claim<'static>),
    /// What came to an account in a month, which is looked up where the proof is checked.
    Income {
        /// Whose.
        account: AccountId,
        /// Which month.
        of: Epoch,
    },
    /// A certificate by the server's card.
    Certificate {
        /// The keys that came with it.
        keys: KeysDigest,
    },
}

/// The right to have a proof checked: held while it is.
pub(crate) struct Lane {
    _waits: OwnedSemaphorePermit,
    _runs: OwnedSemaphorePermit,
}

/// What checking a request led to.
pub(crate) enum Checked {
    /// It was answered before, with this.
    Before(Vec<u8>),
    /// This is to be committed, and then answered.
    Now(Box<PreparedAnswer>),
}

impl Card {
    fn new(bytes: &[u8]) -> Result<Self, CardError> {
        let signed = SignedCard::read(bytes)?;
        let bins = Bins::of_card(signed.card())?;
        let bands = signed.card().bands().iter().map(|band| band.from);
        Ok(Self { bins, thresholds: bands.filter(|from| BASE < *from).collect(), signed })
    }

    fn claim(&self, keys: KeysDigest) -> Claim<'_> {
        let Self { signed, bins, thresholds } = self;
        Claim::Certify { card: signed.id(), bins, thresholds, tenures: &TENURES, keys }
    }
}

impl Passports {
    /// The desk of a seed, with the card of the configuration.
    ///
    /// # Errors
    /// [`CardError`].
    pub(crate) fn open(
        seed: &Secret<[u8; 32]>,
        config: &Config,
        now: Timestamp,
    ) -> Result<Self, CardError> {
        let read = |path: &Path| Card::new(&std::fs::read(path)?);
        let card = match &config.passport.scorecard {
            Some(path) => Some(read(path)?),
            None if config.demo => Some(Card::new(DEMO_CARD)?),
            None => None,
        };
        let epoch = key_epoch(Epoch::of(now));
        Ok(Self {
            desk: RwLock::new((epoch, Arc::new(desk(seed, epoch)))),
            card,
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            lanes: Arc::new(Semaphore::new((config.bounds.pool_threads / 2).max(1))),
        })
    }

    /// The desk with the keys that count now.
    pub(crate) fn desk(&self, seed: &Secret<[u8; 32]>, now: Timestamp) -> Arc<PassportDesk> {
        let epoch = key_epoch(Epoch::of(now));
        {
            let known = self.desk.read().unwrap_or_else(PoisonError::into_inner);
            if known.0 == epoch {
                return Arc::clone(&known.1);
            }
        }
        let new = Arc::new(desk(seed, epoch));
        *self.desk.write().unwrap_or_else(PoisonError::into_inner) = (epoch, Arc::clone(&new));
        new
    }

    /// Scores and ages in months that certificates are made for, both rising; none without a card.
    pub(crate) fn offers(&self) -> Option<(CardId, &[u16], &'static [u16])> {
        self.card.as_ref().map(|card| (card.signed.id(), card.thresholds.as_slice(), &TENURES[..]))
    }

    /// The signed card, as bytes.
    pub(crate) fn card(&self) -> Option<&[u8]> {
        self.card.as_ref().map(|card| card.signed.as_bytes())
    }

    /// Waits until a proof may be checked.
    ///
    /// # Errors
    /// 503 if as many wait as may, or the server stops.
    pub(crate) async fn lane(&self) -> Result<Lane, ApiError> {
        let busy = |_| ApiError::busy("the passport desk is busy", 1);
        let waits = Arc::clone(&self.waiting).try_acquire_owned().map_err(busy)?;
        let runs = Arc::clone(&self.lanes).acquire_owned().await;
        let runs = runs.map_err(|_| ApiError::busy("the passport desk is busy", 1))?;
        Ok(Lane { _waits: waits, _runs: runs })
    }
}

/// The keys of an epoch, and those before it that passports may still be shown under.
fn desk(seed: &Secret<[u8; 32]>, epoch: u32) -> PassportDesk {
    let epochs = epoch.saturating_sub(1)..=epoch;
    PassportDesk::new(epochs.map(|number| (number, IssuerKeys::derive(seed, number))).collect())
}

impl Shared {
    /// What a wallet has to know before it can ask the passport desk.
    pub(crate) fn passport_info(&self) -> wire::Info {
        let now = self.now();
        let desk = self.passports.desk(&self.seed, now);
        let key = |(epoch, keys): (u32, &tacit_credit::passport::key::PublicKeys)| wire::Key {
            epoch,
            id: keys.id(),
            public: keys.as_bytes().to_vec(),
        };
        let card = self.passports.card.as_ref().map(|card| wire::Card {
            id: hex::encode(card.signed.id().as_bytes()),
            thresholds: card.thresholds.clone(),
            tenures: TENURES.to_vec(),
        });
        let units = || self.config.units.iter();
        wire::Info {
            version: VERSION,
            month: Epoch::of(now),
            now: now.seconds() - now.seconds() % 3600,
            keys: desk.public_keys().map(key).collect(),
            scorecard: card,
            units: units().map(|terms| (terms.unit.to_string(), terms.passport_unit)).collect(),
            paths: units().map(|terms| (terms.unit.to_string(), terms.path.clone())).collect(),
        }
    }

    /// Answers a request to the passport desk: the reply leaves once it is durable, and the same request gets the same.
    ///
    /// # Errors
    /// [`ApiError`]; nothing was changed, or the same request tells what was.
    pub(crate) async fn ask_passport_desk(
        self: &Arc<Self>,
        ask: wire::Ask,
        asked: Asked,
    ) -> Result<wire::Answer, ApiError> {
        let lane = self.passports.lane().await?;
        let reply = self.transact(
            move |reader, shared| {
                let checked = check(reader, shared, &ask, &asked)?;
                drop(lane);
                Ok(match checked {
                    Checked::Before(reply) => Step::Done(reply),
                    // Nothing is used up: a blank receipt. Whoever loses it asks for another.
                    Checked::Now(prepared) if prepared.names.is_empty() => {
                        Step::Done(prepared.reply)
                    }
                    Checked::Now(prepared) => Step::Commit(Change::Answer(*prepared)),
                })
            },
            |_, outcome| answered(outcome),
        );
        Ok(wire::Answer { reply: reply.await? })
    }
}

/// Checks a request, on a thread of the pool.
///
/// # Errors
/// [`ApiError`].
pub(crate) fn check(
    reader: &mut dyn VaultReader,
    shared: &Shared,
    ask: &wire::Ask,
    asked: &Asked,
) -> Result<Checked, ApiError> {
    let now = shared.now();
    let desk = shared.passports.desk(&shared.seed, now);
    let claim = match asked {
        Asked::Claim(claim) => *claim,
        Asked::Income { account, of } => income::claim(reader, &shared.config, *account, *of)?,
        Asked::Certificate { keys } => {
            let card = shared.passports.card.as_ref();
            card.map(|card| card.claim(*keys)).ok_or_else(|| {
                ApiError::refused(Code::PassportRefused, "there are no certificates here")
            })?
        }
    };
    let opened = desk.open(&ask.request, &ask.sealed, &claim, now)?;
    if let Some(reply) = opened.known(reader)?? {
        return Ok(Checked::Before(reply));
    }
    check_pause(reader, &opened)?;
    let entropy = Secret::new(random::bytes().map_err(|error| ApiError::internal(&error))?);
    let prepared = desk.prepare(opened, &entropy);
    if prepared.as_ref().is_err_and(|error| *error == PassportError::Refused(Refused::Panicked)) {
        shared.metrics.add(Counter::PassportPanics, 1);
    }
    Ok(Checked::Now(Box::new(prepared?)))
}

/// Refuses what must wait for the next tick after the vault turned out to be an older copy.
fn check_pause(reader: &mut dyn VaultReader, opened: &Opened<'_>) -> Result<(), ApiError> {
    let Some(month) = opened.pausable() else { return Ok(()) };
    match reader.shown(&[pause_name(month)])?.first() {
        Some(Some(_)) => {
            let detail = "loans and certificates wait for the next month: the operator's records were put back";
            Err(ApiError::refused(Code::PassportPaused, detail))
        }
        Some(None) | None => Ok(()),
    }
}

/// What the vault said of an answer.
///
/// # Errors
/// [`ApiError`].
pub(crate) fn answered(outcome: Outcome) -> Result<Vec<u8>, ApiError> {
    let Outcome::Answered(reply) = outcome else {
        return Err(StoreError::Corrupt("an answer was taken for something else").into());
    };
    Ok(reply?)
}

impl From<PassportError> for ApiError {
    fn from(error: PassportError) -> Self {
        let code = match error {
            PassportError::UnknownKeys | PassportError::OlderKeys => Code::PassportKeys,
            PassportError::Month { .. } => Code::PassportMonth,
            PassportError::Refused(_) => Code::PassportProof,
            PassportError::Malformed(_) | PassportError::Terms | PassportError::Sealed { .. } => {
                Code::PassportRefused
            }
        };
        Self::refused(code, error)
    }
}

impl From<AnswerError> for ApiError {
    fn from(error: AnswerError) -> Self {
        Self::refused(Code::PassportShown, error)
    }
}
