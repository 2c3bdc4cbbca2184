//! Payment requests of this wallet: given out, known again when somebody pays them, withdrawn (NUT-18).
//!
//! Nothing here is sent. The driver makes the request's id from random bytes, gives the text out, and hands what comes
//! back to [`crate::operation::receive::Receive::payment`], or, if a token comes instead of a payload, to
//! [`crate::operation::receive::Receive::new`], which looks for the request that asked for just that.

use secp256k1::{PublicKey, SECP256K1};
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::condition::lock::Malformed;
use tacit_ecash::payment_request::{NotWritable, PaymentRequest};

use crate::batch::{Batch, Change};
use crate::history::Progress;
use crate::mint::MintUrl;
use crate::seed::Seed;
use crate::state::{OperationId, OwnRequest, State};

/// Why a request is not given out. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Without an id the payment could not be told from others.
    #[error("the payment request has no id")]
    NoId,
    /// The id is that of another request.
    #[error("there is a payment request of this id already")]
    KnownId,
    /// Nobody could open what is paid.
    #[error("the lock asked for opens for nobody")]
    Lock(#[from] Malformed),
    /// It has no text.
    #[error(transparent)]
    NotWritable(#[from] NotWritable),
}

/// Why a payment is not taken. Nothing has changed. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// No id, or one that this wallet never gave out or has withdrawn.
    #[error("the payment is for no request of this wallet")]
    UnknownRequest,
    /// The request was for one payment, and has it.
    #[error("the request is paid already")]
    AlreadyPaid,
    /// Other mints were asked for.
    #[error("the payment is not of a mint that was asked for")]
    Mint,
    /// Another unit was asked for.
    #[error("the payment is not in the unit that was asked for")]
    Unit,
    /// The receiver would have less than was asked for.
    #[error("the payment is {missing} short")]
    TooLittle {
        /// How much is lacking, in minor units.
        missing: u64,
    },
}

impl State {
    /// The batch that keeps a request, so that its payment is known again.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn ask(&self, request: &PaymentRequest, now: Timestamp) -> Result<Batch, AskError> {
        let id = request.id.clone().filter(|id| !id.is_empty()).ok_or(AskError::NoId)?;
        if self.requests.contains_key(&id) {
            return Err(AskError::KnownId);
        }
        if let Some(lock) = &request.lock {
            lock.condition()?;
        }
        let request = OwnRequest { text: request.to_creq_a()?, made: now, payments: Vec::new() };
        Ok(Batch { changes: vec![Change::AddRequest { id, request }] })
    }

    /// The batch that withdraws a request: payments of it are refused from then on. `None` if there is no such request.
    pub fn withdraw(&self, id: &str) -> Option<Batch> {
        let id = self.requests.get_key_value(id)?.0.clone();
        Some(Batch { changes: vec![Change::RemoveRequest { id }] })
    }

    /// A key of this wallet that others may lock tokens to (NUT-11), and the batch that gives it out. Each receiver's
    /// key is used once, or the mint can join what is locked to it.
    ///
    /// `None` once 2^31 keys are given out.
    pub fn lock_key(&self, seed: &Seed) -> Option<(PublicKey, Batch)> {
        let number = self.lock_keys;
        let key = seed.lock_keys(number..number.saturating_add(1)).next()?;
        let batch = Batch { changes: vec![Change::UseLockKey { number }] };
        Some((PublicKey::from_secret_key(SECP256K1, &key), batch))
    }

    /// Whether a request of this wallet can still be paid: it may be paid often, or is not paid yet.
    pub fn is_payable(&self, request: &OwnRequest) -> bool {
        let is_failed = |id: &OperationId| {
            self.history.get(id).is_some_and(|entry| entry.progress == Progress::Failed)
        };
        let is_single_use = || {
            let read = request.text.parse::<PaymentRequest>();
            read.is_ok_and(|request| request.is_single_use == Some(true))
        };
        request.payments.iter().all(is_failed) || !is_single_use()
    }
}

/// Whether a request takes e-cash of a mint.
pub(crate) fn is_listed(request: &PaymentRequest, mint: &MintUrl) -> bool {
    request.mints.iter().any(|listed| listed.parse::<MintUrl>().is_ok_and(|it| it == *mint))
}

/// Whether a request takes e-cash of a mint, listed or not.
pub(crate) fn is_taken(request: &PaymentRequest, mint: &MintUrl) -> bool {
    request.mints.is_empty() || request.is_any_mint_taken == Some(true) || is_listed(request, mint)
}

/// Whether a payment pays a request of this wallet: its description, and the change that says so.
///
/// `net`: what the receiver would have of it, in minor units.
pub(crate) fn pays(
    state: &State,
    id: Option<&str>,
    (mint, unit, net): (&MintUrl, Unit, u64),
) -> Result<(Option<String>, Change), PaymentError> {
    let own = id.and_then(|id| state.requests.get_key_value(id));
    let (id, own) = own.ok_or(PaymentError::UnknownRequest)?;
    let request: PaymentRequest = own.text.parse().map_err(|_| PaymentError::UnknownRequest)?;
    if !state.is_payable(own) {
        return Err(PaymentError::AlreadyPaid);
    }
    if !is_taken(&request, mint) {
        return Err(PaymentError::Mint);
    }
    if request.unit.is_some_and(|asked| asked != unit.code()) {
        return Err(PaymentError::Unit);
    }
    if let Some(missing) = request.amount.and_then(|amount| amount.checked_sub(net))
        && missing != 0
    {
        return Err(PaymentError::TooLittle { missing });
    }
    let (id, from, operation) = (id.clone(), own.payments.len(), state.next_operation);
    Ok((request.description, Change::AddPayment { id, from, operation }))
}

/// The request of this wallet that a token pays which comes without its id, as [`pays`] says it: the one that asks for just
/// as much, once, to be handed over. `None` also if there are several, for nobody knows which is meant.
pub(crate) fn asked_for(
    state: &State,
    (mint, unit, net): (&MintUrl, Unit, u64),
) -> Option<(Option<String>, Change)> {
    let is_just_that = |own: &OwnRequest| {
        own.text.parse().is_ok_and(|request: PaymentRequest| {
            request.amount == Some(net)
                && request.unit.is_some()
                && request.is_single_use == Some(true)
                && request.transports.is_empty()
        })
    };
    let requests = state.requests.iter().filter(|(_, own)| is_just_that(own));
    let mut paid = requests.filter_map(|(id, _)| pays(state, Some(id), (mint, unit, net)).ok());
    let found = paid.next()?;
    paid.next().is_none().then_some(found)
}
