//! Orders are made and withdrawn.

use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};
use tacit_service::desk::merchant::Merchant;
use tacit_service::desk::paper::{Begun, Line, OrderPaper, PaperState};
use tacit_service::desk::webhook::full_minute;
use tacit_service::order::{Order, OrderState};
use tacit_service::vault::{Change, Outcome};

use super::refusal::ShopRefusal;
use super::{live, merchant, not_committed, refused};
use crate::desk::Desk;
use crate::desk::refusal::Refusal;

/// How long an order may be paid if nothing is said, at least, and at most: seconds.
pub(crate) const SECONDS: u64 = 15 * 60;
pub(crate) const SECONDS_MIN: u64 = 60;
pub(crate) const SECONDS_MAX: u64 = 7 * 24 * 3600;

/// An order as a merchant wants it.
#[derive(Clone, Debug)]
pub(crate) struct NewOrder {
    pub(crate) amount: u64,
    pub(crate) description: Line,
    pub(crate) reference: Option<Line>,
    /// How long it may be paid, rounded up to a full minute.
    pub(crate) seconds: u64,
}

/// Makes an order, or finds the one that was made under the same key.
///
/// # Errors
/// [`ShopRefusal::RequestKeyReused`], and those of both databases.
pub(crate) async fn open(
    desk: &Desk,
    merchant: &Merchant,
    request_key: &str,
    asked: NewOrder,
) -> Result<OrderPaper, Refusal> {
    merchant::open_account(desk, merchant).await?;
    let now = desk.now();
    let checkout = merchant.naming.checkout(request_key);
    let request_digest = digest(&(
        asked.amount,
        asked.description.as_str(),
        asked.reference.as_ref().map(Line::as_str),
        asked.seconds,
    ));
    let paper = OrderPaper {
        id: checkout.order(),
        checkout,
        merchant: merchant.account,
        number: 0,
        request_key: request_key.to_owned(),
        request_digest,
        reference: asked.reference,
        description: asked.description,
        amount: asked.amount,
        unit: merchant.unit,
        created: now.day(),
        expiry: full_minute(now.after(Duration::from_secs(asked.seconds))),
        state: PaperState::Begun,
        paid: None,
        refunded: 0,
    };
    let known = match desk.run(move |store| Ok(store.begin_order(&paper)?)).await? {
        Begun::New(paper) | Begun::Same(paper) => paper,
        Begun::Other => return Err(ShopRefusal::RequestKeyReused.into()),
    };
    bring(desk, known).await
}

/// Tells the vault of an order that it is not known to have.
pub(super) async fn bring(desk: &Desk, paper: OrderPaper) -> Result<OrderPaper, Refusal> {
    if paper.state != PaperState::Begun {
        return Ok(paper);
    }
    let order = Order {
        id: paper.id,
        holder: paper.merchant,
        unit: paper.unit,
        amount: paper.amount,
        expiry: paper.expiry,
        state: OrderState::Open,
        refunded: 0,
        blanks: Vec::new(),
    };
    // Told before, it is as it was.
    desk.shared.writer.commit(Change::OpenOrder(order)).await.map_err(not_committed)?;
    put_down(desk, paper, PaperState::Open).await
}

/// Withdraws an order that is not paid. Withdrawn already, it is answered alike.
///
/// # Errors
/// [`ShopRefusal::NotOpen`] if it is paid, and those of both databases.
pub(crate) async fn cancel(desk: &Desk, paper: OrderPaper) -> Result<OrderPaper, Refusal> {
    let paper = bring(desk, paper).await?;
    let commit = desk.shared.writer.commit(Change::CancelOrder(paper.id)).await;
    let committed = commit.map_err(not_committed)?;
    if committed.outcome == Outcome::Applied(true) {
        return put_down(desk, paper, PaperState::Cancelled).await;
    }
    match live::vault_state(desk, paper.id).await.map_err(refused)? {
        Some(OrderState::Cancelled) => put_down(desk, paper, PaperState::Cancelled).await,
        None if paper.state == PaperState::Cancelled => Ok(paper),
        Some(OrderState::Open | OrderState::Paid) | None => Err(ShopRefusal::NotOpen.into()),
    }
}

async fn put_down(
    desk: &Desk,
    paper: OrderPaper,
    state: PaperState,
) -> Result<OrderPaper, Refusal> {
    let today = desk.now().day();
    desk.run(move |store| {
        store.set_order_state(paper.id, state, today)?;
        // It may have been paid in between.
        Ok(store.order_paper(paper.id)?.unwrap_or(paper))
    })
    .await
}

/// SHA-256 of what was asked.
pub(super) fn digest(asked: &impl Serialize) -> [u8; 32] {
    let text = serde_json::to_vec(asked).expect("texts and numbers");
    Sha256::digest(text).into()
}
