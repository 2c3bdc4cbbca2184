//! Payment of a merchant's order: the transport of its payment request (NUT-18).

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use tacit_core::unit::Unit;
use tacit_ecash::code::Code;
use tacit_ecash::message;
use tacit_ecash::request::PayRequest;
use tacit_service::order::OrderId;

use super::check_unit;
use crate::answer::{self, Json};
use crate::error::ApiError;
use crate::shop::pay::{Payment, pay};
use crate::state::UnitMint;

#[derive(Serialize)]
struct Paid {
    state: &'static str,
    unit: Unit,
}

/// `POST /pay/{payment}`: takes the payload of NUT-18, with `refund_outputs` beside it. Whoever repeats it is answered alike.
pub(super) async fn post(
    State(unit): State<UnitMint>,
    Path(payment): Path<String>,
    Json(body): Json<message::PayRequest>,
) -> Result<Response, ApiError> {
    let request = PayRequest::try_from(body)?;
    check_unit(&unit, request.unit)?;
    let unknown = || ApiError::refused(Code::QuoteRefused, "the order is not known");
    let order: OrderId = payment.parse().map_err(|_| unknown())?;
    if request.id.is_some_and(|id| id != payment) {
        return Err(ApiError::refused(Code::Refused, "the payment's id is another one's"));
    }
    let of = unit.terms.unit;
    let payment = Payment {
        order,
        unit: of,
        proofs: request.inputs.into_vec(),
        blanks: request.refund_outputs.into_vec(),
    };
    pay(&unit.shared, payment).await??;
    Ok(answer::json(&Paid { state: "PAID", unit: of }))
}
