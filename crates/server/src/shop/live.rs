//! How far an order is at this moment, for pages and programs.

use tacit_core::time::Timestamp;
use tacit_service::desk::paper::{OrderPaper, PaperState};
use tacit_service::order::{OrderId, OrderState};

use super::refused;
use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::error::ApiError;

/// How far an order is, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Live {
    Open,
    Expired,
    Paid,
    Cancelled,
}

impl Live {
    /// As programs read it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Expired => "expired",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
        }
    }

    /// As the desk last heard.
    pub(crate) fn on_paper(paper: &OrderPaper, now: Timestamp) -> Self {
        match paper.state {
            PaperState::Paid => Self::Paid,
            PaperState::Cancelled => Self::Cancelled,
            PaperState::Begun | PaperState::Open if paper.expiry <= now => Self::Expired,
            PaperState::Begun | PaperState::Open => Self::Open,
        }
    }
}

/// How far an order is, as the vault says.
pub(super) async fn vault_state(desk: &Desk, id: OrderId) -> Result<Option<OrderState>, ApiError> {
    desk.shared.ask(move |reader| Ok(reader.order(id)?.map(|order| order.state))).await
}

/// How far an order is. The vault is asked unless the paper is final: it knows of a payment before the desk does.
///
/// # Errors
/// Those of the vault.
pub(crate) async fn of(desk: &Desk, paper: &OrderPaper) -> Result<Live, Refusal> {
    let on_paper = Live::on_paper(paper, desk.now());
    if matches!(on_paper, Live::Paid) {
        return Ok(on_paper);
    }
    Ok(match vault_state(desk, paper.id).await.map_err(refused)? {
        Some(OrderState::Paid) => Live::Paid,
        Some(OrderState::Cancelled) => Live::Cancelled,
        Some(OrderState::Open) | None => on_paper,
    })
}
