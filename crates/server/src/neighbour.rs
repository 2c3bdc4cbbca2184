//! What other servers do to the same vault, noticed by looking: keysets they added, payments and receipts they were lost
//! with, and changes that somebody waits for here.
//!
//! Databases have ways to tell it (LISTEN), which engines that share PostgreSQL's protocol lack.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tacit_service::quote::QuoteId;
use tacit_service::vault::StoreError;
use tokio::time::MissedTickBehavior;

use crate::log::{self, Level};
use crate::pool::PoolError;
use crate::receipt::Receipts;
use crate::state::{RefreshError, Shared, stopped};

/// How often somebody looks.
const PERIOD: Duration = Duration::from_secs(1);

/// Every so many looks, payments and receipts are looked at.
const ROUNDS: u64 = 10;

/// Topics looked at in one round: those that many listen to take more than one.
const TOPICS: usize = 2_000;

/// Why a look was not taken. The next one is.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Refresh(#[from] RefreshError),
}

/// What was left under way when it was last looked at: what is still there, nobody may be carrying on.
#[derive(Default)]
struct Seen {
    payments: HashSet<(QuoteId, u32)>,
    receipts: HashSet<QuoteId>,
}

/// Looks every second until the server stops.
pub(crate) async fn run(shared: Arc<Shared>, receipts: Option<Arc<Receipts>>) {
    let mut stopping = shared.stopping.clone();
    let mut looks = tokio::time::interval(PERIOD);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut seen, mut from, mut round, mut is_told) = (Seen::default(), 0, 0_u64, false);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = stopped(&mut stopping) => return,
        }
        round += 1;
        let look = async {
            shared.refresh().await?;
            from = tell(&shared, from).await?;
            if round.is_multiple_of(ROUNDS) {
                carry_on(&shared, receipts.as_deref(), &mut seen).await?;
            }
            Ok::<_, LookError>(())
        };
        match look.await {
            Ok(()) => is_told = false,
            Err(error) if !is_told => {
                log::error_chain(Level::Warn, "other servers' work cannot be seen", &error);
                is_told = true;
            }
            Err(_) => {}
        }
    }
}

/// Tells listeners how what they listen to stands; whoever knows already takes no notice. Returns where to go on.
async fn tell(shared: &Shared, from: usize) -> Result<usize, LookError> {
    let all = shared.hub.topics();
    let from = if from < all.len() { from } else { 0 };
    let topics: Vec<_> = all.into_iter().skip(from).take(TOPICS).collect();
    if topics.is_empty() {
        return Ok(0);
    }
    let next = from + topics.len();
    let events = shared.pool.run(move |reader| crate::hub::current(reader, &topics)).await??;
    shared.hub.announce(events);
    Ok(next)
}

/// Takes up payments and, in demo mode, receipts that have had no end for a whole round: their server may be gone.
/// Done twice, they are done once: a rail pays once under an id, and a quote is paid once.
async fn carry_on(
    shared: &Shared,
    receipts: Option<&Receipts>,
    seen: &mut Seen,
) -> Result<(), LookError> {
    let pending = shared.pool.run(|reader| reader.pending_melt_quotes()).await??;
    let before = std::mem::take(&mut seen.payments);
    for quote in pending {
        let name = (quote.id, quote.attempt);
        seen.payments.insert(name);
        if before.contains(&name) && !shared.payouts.carries(name) {
            shared.payouts.resume(quote);
        }
    }
    if let Some(receipts) = receipts {
        let now = shared.now();
        let unpaid = shared.pool.run(move |reader| reader.unpaid_mint_quotes(now)).await??;
        let before = std::mem::take(&mut seen.receipts);
        for quote in unpaid {
            seen.receipts.insert(quote.id);
            if before.contains(&quote.id) {
                receipts.resume(quote.id, quote.amount);
            }
        }
    }
    Ok(())
}
