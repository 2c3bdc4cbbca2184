//! What happens by itself: the vault's outbox goes to the desk, webhooks go out, and what a crash cut off is taken up again.

use std::sync::Arc;
use std::time::Duration;

use tacit_service::order::EventId;
use tacit_service::vault::{Change, Outcome};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::hook_url::Reach;
use super::webhook::Sender;
use super::{bill, merchant, not_committed, order, refund, refused};
use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::state::stopped;

/// How often the outbox and the deliveries are looked at, if nothing is heard of.
const PERIOD: Duration = Duration::from_secs(2);

/// How often what was begun and not ended is taken up, in rounds.
const TAKE_UP_EVERY: u32 = 30;

/// Events and intents that are taken over in one go.
const BATCH: u32 = 100;

/// Webhooks on their way at once: one that hangs holds up no more than its share.
const SENDING: u32 = 16;

/// Told by the writer's thread that the outbox has something.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<Notify>);

impl Bell {
    /// Hears of a change that is durable.
    pub(crate) fn observe(&self, outcome: &Outcome) {
        if matches!(outcome, Outcome::Paid(Ok(_)) | Outcome::Refunded(Ok(_))) {
            self.0.notify_one();
        }
    }
}

/// Carries events from vault to desk, and from there to merchants, until the server stops.
pub(crate) async fn run(desk: Desk, bell: Bell) {
    let mut stopping = desk.shared.stopping.clone();
    let mut rounds = tokio::time::interval(PERIOD);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let sender = Arc::new(Sender::new(Reach::of(&desk.shared.config)));
    let mut sending = JoinSet::new();
    let mut round = 0_u32;
    loop {
        tokio::select! {
            _ = rounds.tick() => {
                if round.is_multiple_of(TAKE_UP_EVERY) {
                    // What failed was logged where it happened; a later round does it.
                    _ = take_up(&desk).await;
                }
                round = round.wrapping_add(1);
            }
            () = bell.0.notified() => {}
            () = stopped(&mut stopping) => return,
        }
        while sending.try_join_next().is_some() {}
        _ = take_over(&desk).await;
        if sending.is_empty() {
            _ = send_due(&desk, &sender, &mut sending).await;
        }
    }
}

/// Takes over what the vault tells: into the desk first, and only then out of the vault.
///
/// # Errors
/// Those of both databases.
pub(crate) async fn take_over(desk: &Desk) -> Result<(), Refusal> {
    loop {
        let asked = desk.shared.ask(|reader| Ok(reader.outbox(u64::from(BATCH))?)).await;
        let events = asked.map_err(refused)?;
        if events.is_empty() {
            return Ok(());
        }
        let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
        let today = desk.now().day();
        desk.run(move |store| Ok(store.take_over(&events, today)?)).await?;
        desk.shared.writer.commit(Change::Forget(ids)).await.map_err(not_committed)?;
    }
}

/// Takes up what was begun at the desk and is not known to be done in the vault.
///
/// # Errors
/// Those of both databases.
pub(crate) async fn take_up(desk: &Desk) -> Result<(), Refusal> {
    for own in desk.run(|store| Ok(store.merchants_not_in_vault(BATCH)?)).await? {
        merchant::open_account(desk, &own).await?;
    }
    for paper in desk.run(|store| Ok(store.orders_begun(BATCH)?)).await? {
        order::bring(desk, paper).await?;
    }
    bill::take_up(desk, BATCH).await?;
    for begun in desk.run(|store| Ok(store.refunds_begun(BATCH)?)).await? {
        match refund::carry_out(desk, begun).await {
            // What the vault refuses is forgotten at the desk: nobody was told that it was done.
            Ok(_) | Err(Refusal::Shop(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn send_due(
    desk: &Desk,
    sender: &Arc<Sender>,
    sending: &mut JoinSet<()>,
) -> Result<(), Refusal> {
    let now = desk.now();
    let due = desk.run(move |store| {
        let deliveries = store.due_deliveries(now, SENDING)?;
        let mut due = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            let merchant = store.merchant(delivery.merchant)?;
            let order = store.order_paper(delivery.order)?;
            if let (Some(merchant), Some(order)) = (merchant, order) {
                due.push((merchant, order, delivery));
            }
        }
        Ok(due)
    });
    for (merchant, order, delivery) in due.await? {
        let (desk, sender) = (desk.clone(), Arc::clone(sender));
        sending.spawn(async move {
            let attempt = sender.send(&merchant, &order, &delivery, desk.now()).await;
            let now = desk.now();
            let note = move |store: &mut dyn tacit_service::desk::DeskStore| {
                Ok(store.note_attempt(delivery.event, &attempt, now)?)
            };
            // If this is not put down it is sent again: each event may be told more than once.
            _ = desk.run(note).await;
        });
    }
    Ok(())
}
