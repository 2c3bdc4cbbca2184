//! Where desk and vault meet: the desk writes down who somebody is and their account's number, then the vault opens the
//! account of that number, and then the desk notes that it has. Each step is done once however often it is asked for, so
//! that whatever a crash cuts off in between is taken up again.

use std::sync::Arc;

use tacit_service::account::{Holder, HolderKind};
use tacit_service::desk::person::Person;
use tacit_service::vault::{Change, StoreError};

use super::DeskHandle;
use super::refusal::Refusal;
use crate::pool::PoolError;
use crate::state::Shared;
use crate::writer::CommitError;

/// Accounts opened in one go, of those that were left over.
const A_ROUND: u32 = 200;

/// Why an account was not opened. It is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenAccountError {
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its number is that of somebody who is no person: drawn twice, which 60 random bits hardly ever are.
    #[error("the number of a person's account is taken")]
    Taken,
}

/// Opens a person's account in the vault, unless it is there, and notes at the desk that it is.
///
/// # Errors
/// [`Refusal::Busy`] if the vault cannot do it now.
pub(crate) async fn open(
    shared: &Arc<Shared>,
    handle: &Arc<DeskHandle>,
    person: &Person,
) -> Result<(), Refusal> {
    let opened = open_in_vault(shared, person).await;
    opened.map_err(|error| {
        crate::log::error_chain(crate::log::Level::Warn, "an account was not opened yet", &error);
        Refusal::Busy
    })?;
    let id = person.id;
    handle.run(move |store| Ok(store.set_in_vault(id)?)).await
}

async fn open_in_vault(shared: &Arc<Shared>, person: &Person) -> Result<(), OpenAccountError> {
    let holder = Holder {
        id: person.account,
        kind: HolderKind::Customer,
        level: person.kyc.level(),
        state: person.state.in_vault(),
        key: None,
    };
    let id = holder.id;
    shared.writer.commit(Change::OpenHolder(holder)).await?;
    // Whether this commit opened it or an earlier one, it is there now.
    let there = shared.pool.run(move |reader| reader.holder(id)).await??;
    let is_own = there.is_some_and(|holder| holder.kind == HolderKind::Customer);
    if is_own { Ok(()) } else { Err(OpenAccountError::Taken) }
}

/// Opens accounts that were left over by a crash, or while the vault was away.
///
/// # Errors
/// As [`open`], and as [`DeskHandle::run`].
pub(crate) async fn open_left_over(
    shared: &Arc<Shared>,
    handle: &Arc<DeskHandle>,
) -> Result<(), Refusal> {
    for person in handle.run(|store| Ok(store.not_in_vault(A_ROUND)?)).await? {
        open(shared, handle, &person).await?;
    }
    Ok(())
}
