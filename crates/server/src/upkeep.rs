//! What must happen as time passes, whether or not anybody asks for anything.

use std::sync::Arc;
use std::time::Duration;

use tacit_service::vault::{Change, Outcome, StoreError};
use tokio::time::{Instant, MissedTickBehavior};

use crate::cash;
use crate::desk::{self, DeskHandle};
use crate::log::{self, Field, Level};
use crate::pool::PoolError;
use crate::state::{RefreshError, Shared, stopped};
use crate::tls::Certificates;
use crate::writer::CommitError;

/// How often time is let pass.
const PERIOD: Duration = Duration::from_secs(3600);

/// How often the desk forgets what has ended, and takes up what a crash cut off.
const DESK_PERIOD: Duration = Duration::from_secs(60);

/// Why upkeep was not done. The next round does it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpkeepError {
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Refresh(#[from] RefreshError),
}

/// Lets time pass every hour, beginning now, until the server stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stopping = shared.stopping.clone();
    let mut hours = tokio::time::interval(PERIOD);
    hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = hours.tick() => {}
            () = stopped(&mut stopping) => return,
        }
        if let Err(error) = round(&shared).await {
            log::error_chain(Level::Warn, "upkeep was put off", &error);
        }
    }
}

/// Lets the desk forget what has ended, and carry on what was begun, every minute, until the server stops.
pub(crate) async fn desk(handle: Arc<DeskHandle>, shared: Arc<Shared>) {
    let mut stopping = shared.stopping.clone();
    let mut rounds = tokio::time::interval(DESK_PERIOD);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            () = stopped(&mut stopping) => return,
        }
        // What went wrong was logged where it happened; the next round does it.
        _ = desk::sweep(&handle, shared.now()).await;
        _ = desk::account::open_left_over(&shared, &handle).await;
        let own = desk::Desk { shared: Arc::clone(&shared), handle: Arc::clone(&handle) };
        _ = desk::judgement::carry_out_left_over(&own).await;
        _ = desk::identification::take_over(&own).await;
        _ = desk::screening::screen_due(&own).await;
        if let Ok(count) = desk::overdue_complaints(&own).await {
            shared.metrics.set_complaints_overdue(count);
        }
        _ = cash::round(&shared, &handle).await;
    }
}

/// Keeps the certificate up to date until the server stops.
pub(crate) async fn certificates(certificates: Certificates, shared: Arc<Shared>) {
    let Certificates { tls, order } = certificates;
    if let Some(order) = order {
        return order.keep(shared).await;
    }
    let mut stopping = shared.stopping.clone();
    // The files were read when the server started: the first look is a whole wait later.
    let wait = shared.config.bounds.tls_look;
    let mut looks = tokio::time::interval_at(Instant::now() + wait, wait);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => tls.look(&shared.metrics),
            () = stopped(&mut stopping) => return,
        }
    }
}

/// Posts the day that ended, closes what expired, drops quotes past their retention, seals what is closed.
pub(crate) async fn round(shared: &Shared) -> Result<(), UpkeepError> {
    shared.writer.commit(Change::Tick).await?;
    shared.refresh().await?;
    let sealable = shared.pool.run(|reader| reader.sealable_keysets()).await??;
    for (keyset, balance) in sealable {
        let totals = shared.identity.seal(keyset.id, balance);
        let committed = shared.writer.commit(Change::Seal(totals)).await?;
        // Refused while swaps of the open day await posting, or beside a posting: the next round tries again.
        if matches!(committed.outcome, Outcome::Applied(true)) {
            let (unit, id) = (keyset.spec.unit, keyset.id);
            let fields: [(Field, &dyn std::fmt::Display); 2] =
                [(Field::Unit, &unit), (Field::Keyset, &id)];
            log::write(Level::Info, "a keyset was sealed", &fields);
        }
    }
    shared.refresh().await?;
    Ok(())
}
