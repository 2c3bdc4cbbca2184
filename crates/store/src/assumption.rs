//! What a commit takes for granted before it asks: that a proof is unspent, that an output is new (ADR 0006).

use tacit_service::bill::PayBillError;
use tacit_service::issue::MintError;
use tacit_service::order::{FetchError, PayError};
use tacit_service::swap::SwapError;
use tacit_service::vault::Outcome;

/// Whether an outcome could be another one if inputs taken for unspent or outputs taken for new are not. What
/// is granted needs no such doubt: its rows are inserted, and one that is there already says so. What is refused
/// inserts nothing, and may be the repetition of an old request, which must be answered.
pub(crate) fn may_rest_on_assumption(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Swap(Err(SwapError::Input(_) | SwapError::Output(_)))
        | Outcome::Paid(Err(PayError::Input(_) | PayError::AlreadyPaid))
        | Outcome::Fetched(Err(FetchError::Output(_) | FetchError::Fetched))
        | Outcome::BillPaid(Err(PayBillError::Input(_) | PayBillError::AlreadyPaid))
        | Outcome::Mint(Err(MintError::Output(_))) => true,
        Outcome::Swap(Ok(()) | Err(SwapError::Unbalanced { .. }))
        | Outcome::Mint(
            Ok(())
            | Err(
                MintError::UnknownQuote
                | MintError::BadSignature
                | MintError::Unbalanced { .. }
                | MintError::AlreadyIssued
                | MintError::NotPaid,
            ),
        )
        | Outcome::Melt(_)
        | Outcome::Finished(_)
        | Outcome::Posted(_)
        | Outcome::Refunded(_)
        | Outcome::Paid(
            Ok(_)
            | Err(
                PayError::UnknownOrder
                | PayError::WrongLock { .. }
                | PayError::Output(_)
                | PayError::WrongAmount { .. }
                | PayError::Cancelled
                | PayError::Expired
                | PayError::MerchantClosed,
            ),
        )
        | Outcome::Fetched(Ok(_) | Err(FetchError::Unknown | FetchError::WrongAmount))
        | Outcome::Answered(_)
        | Outcome::Billed(_)
        | Outcome::BillPaid(
            Ok(_)
            | Err(
                PayBillError::Unknown
                | PayBillError::WrongLock { .. }
                | PayBillError::WrongAmount { .. }
                | PayBillError::Withdrawn
                | PayBillError::BillerClosed
                | PayBillError::Changed
                | PayBillError::Receipt(_),
            ),
        )
        | Outcome::MonthClosed(_)
        | Outcome::Applied(_) => false,
    }
}
