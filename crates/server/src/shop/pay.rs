//! Payment of an order, with proofs from a wallet's request or from a token that somebody pasted.

use std::sync::Arc;

use tacit_core::unit::Unit;
use tacit_ecash::code::Code;
use tacit_ecash::proof::{BlindedMessage, Proof};
use tacit_service::order::{OrderId, PayError};
use tacit_service::vault::{Change, Outcome};

use crate::cash::fees;
use crate::error::{ApiError, code_of_input, code_of_output};
use crate::state::{Shared, Step};

/// What is paid, and with what.
pub(crate) struct Payment {
    pub(crate) order: OrderId,
    /// The unit that was asked for a payment.
    pub(crate) unit: Unit,
    pub(crate) proofs: Vec<Proof>,
    /// Blank outputs for a refund.
    pub(crate) blanks: Vec<BlindedMessage>,
}

/// Pays an order. Once this returns `Ok(Ok(()))` it is durable.
///
/// # Errors
/// [`ApiError`] if it is not known what became of it or nothing was tried; within, what the order's rules refuse.
pub(crate) async fn pay(
    shared: &Arc<Shared>,
    payment: Payment,
) -> Result<Result<(), PayError>, ApiError> {
    shared
        .transact(
            move |reader, shared| {
                let order = reader.order(payment.order)?.filter(|order| order.unit == payment.unit);
                let Some(order) = order else {
                    return Ok(Step::Done(Err(PayError::UnknownOrder)));
                };
                let holder = reader.holder(order.holder)?;
                let key = holder.as_ref().and_then(|holder| holder.key.as_ref());
                let mint = shared.mint();
                match mint.prepare_payment(&order, key, &payment.proofs, &payment.blanks) {
                    Ok(prepared) => {
                        let fee = fees(shared, order.unit).sale.of(order.amount);
                        Ok(Step::Commit(Change::PayOrder(prepared.with_fee(fee))))
                    }
                    Err(refused) => Ok(Step::Done(Err(refused))),
                }
            },
            |_, outcome| {
                let Outcome::Paid(paid) = outcome else { unreachable!("it was a payment") };
                Ok(paid.map(|_| ()))
            },
        )
        .await
}

impl From<PayError> for ApiError {
    fn from(error: PayError) -> Self {
        let code = match &error {
            PayError::UnknownOrder => Code::QuoteRefused,
            PayError::Input(input) => code_of_input(input),
            PayError::WrongLock { .. } => Code::InvalidProof,
            PayError::Output(output) => code_of_output(output),
            PayError::WrongAmount { .. } => Code::Unbalanced,
            PayError::AlreadyPaid => Code::AlreadyPaid,
            PayError::Cancelled | PayError::MerchantClosed => Code::Refused,
            PayError::Expired => Code::QuoteExpired,
        };
        Self::refused(code, error)
    }
}
