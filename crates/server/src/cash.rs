//! Cash at agents as the server runs it: what the desk has written down is carried out with the vault, at once and, after a
//! crash, by the next round.
//!
//! Reading order: [`go_on`] and [`round`], [`agent`] (floats and cards), [`guess`] (what keeps codes from being guessed).

pub(crate) mod agent;
pub(crate) mod guess;

use std::sync::{Arc, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tacit_core::unit::Unit;
use tacit_service::account::{Direction, Level};
use tacit_service::cash::{settle, settle_one};
use tacit_service::desk::DeskStore;
use tacit_service::desk::cash::CashSecret;
use tacit_service::posting::{FactId, PostError};
use tokio::runtime::Handle;

use crate::bank::{ImportError, Vault};
use crate::config::agent::Fees;
use crate::desk::DeskHandle;
use crate::desk::refusal::Refusal;
use crate::log::{self, Level as LogLevel};
use crate::state::Shared;

/// What codes are made of, here and on every server of this mint.
pub(crate) fn secret(shared: &Shared) -> CashSecret {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(shared.seed.expose()).expect("any length is a key");
    mac.update(b"Tacit codes for cash");
    CashSecret::new(mac.finalize().into_bytes().into())
}

/// What the operator asks for in a currency.
pub(crate) fn fees(shared: &Shared, unit: Unit) -> Fees {
    let terms = shared.config.units.iter().find(|terms| terms.unit == unit);
    terms.map(|terms| terms.fees).unwrap_or_default()
}

/// Carries one on as far as it goes without anybody. Within, why the vault does not do it.
///
/// # Errors
/// [`Refusal::Busy`] if it is not known what became of it: it is carried on by the next round.
pub(crate) async fn go_on(
    shared: &Arc<Shared>,
    handle: &Arc<DeskHandle>,
    id: FactId,
) -> Result<Result<(), PostError>, Refusal> {
    let now = shared.now();
    with_vault(shared, handle, move |store, vault| {
        let own = Arc::clone(vault.shared);
        let limits = |unit: Unit, direction: Direction, level: Level| {
            own.config.limits(unit, direction, level)
        };
        settle_one(store, vault, id, &limits, now)
    })
    .await
}

/// Ends what has expired, and takes up what a crash cut off.
///
/// # Errors
/// [`Refusal::Busy`] if desk or vault cannot do it now: the next round does it.
pub(crate) async fn round(shared: &Arc<Shared>, handle: &Arc<DeskHandle>) -> Result<(), Refusal> {
    agent::open_left_over(shared, handle).await?;
    let now = shared.now();
    with_vault(shared, handle, move |store, vault| {
        let own = Arc::clone(vault.shared);
        let limits = |unit: Unit, direction: Direction, level: Level| {
            own.config.limits(unit, direction, level)
        };
        settle(store, vault, &limits, now)
    })
    .await
}

/// One at a time in this process, so that what one finds refused, another does not carry out meanwhile.
async fn with_vault<T: Send + 'static>(
    shared: &Arc<Shared>,
    handle: &Arc<DeskHandle>,
    work: impl FnOnce(&mut dyn DeskStore, &mut Vault<'_>) -> Result<T, ImportError> + Send + 'static,
) -> Result<T, Refusal> {
    let (own, turn) = (Arc::clone(shared), Arc::clone(handle));
    let done = handle.run(move |store| {
        let _turn = turn.cash_turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut vault = Vault { shared: &own, runtime: Handle::current() };
        Ok(work(store, &mut vault))
    });
    done.await?.map_err(|error| {
        log::error_chain(LogLevel::Warn, "cash was not carried on yet", &error);
        Refusal::Busy
    })
}
