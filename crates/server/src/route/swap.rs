//! Swap (NUT-03).

use axum::extract::State;
use axum::response::Response;
use tacit_ecash::message::{self, SignaturesResponse};
use tacit_ecash::request::SwapRequest;
use tacit_service::mint::InputError;
use tacit_service::swap::SwapError;
use tacit_service::vault::Change;

use crate::answer::{self, Json};
use crate::error::ApiError;
use crate::state::{Step, UnitMint};

/// `POST /v1/swap` (NUT-03).
pub(super) async fn swap(
    State(unit): State<UnitMint>,
    Json(body): Json<message::SwapRequest>,
) -> Result<Response, ApiError> {
    let request = SwapRequest::try_from(body)?;
    let of = unit.terms.unit;
    let signatures = unit
        .shared
        .transact(
            move |reader, shared| {
                let (inputs, outputs) = (request.inputs.as_slice(), request.outputs.as_slice());
                let mint = shared.mint();
                let prepared = match mint.prepare_swap(of, inputs, outputs, shared.now()) {
                    Err(SwapError::Input(InputError::OfMerchant { .. })) => {
                        let released = reader.released(&mint.locked_to_merchants(inputs))?;
                        mint.prepare_released_swap(of, inputs, outputs, &released)?
                    }
                    prepared => prepared?,
                };
                Ok(Step::Commit(Change::Swap(prepared)))
            },
            |change, outcome| {
                let Change::Swap(prepared) = change else { unreachable!("it was a swap") };
                Ok(prepared.answer(outcome)?)
            },
        )
        .await?;
    Ok(answer::json(&SignaturesResponse::from(signatures)))
}
