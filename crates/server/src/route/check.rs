//! Questions about proofs and signatures (NUT-07, NUT-09).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use tacit_ecash::message::{
    self, BlindSignature, BlindedMessage, CheckStateResponse, ProofState, RestoreResponse,
    SpendState,
};
use tacit_ecash::point::{PointBytes, Y};
use tacit_ecash::request::{CheckStateRequest, RestoreRequest};
use tacit_service::vault;

use crate::answer::{self, Json};
use crate::error::ApiError;
use crate::state::UnitMint;

/// `POST /v1/checkstate` (NUT-07).
pub(super) async fn states(
    State(unit): State<UnitMint>,
    Json(body): Json<message::CheckStateRequest>,
) -> Result<Response, ApiError> {
    let CheckStateRequest { ys } = CheckStateRequest::try_from(body)?;
    let states = unit
        .shared
        .ask(move |reader| {
            // A point of odd parity is the name of no secret, so nothing was ever spent under it.
            let named: Vec<Y> = ys.iter().filter_map(Y::from_point).collect();
            let mut found = reader.proof_states(&named)?.into_iter();
            let mut state = |y: &PointBytes| match Y::from_point(y) {
                Some(_) => found.next().unwrap_or(vault::ProofState::Unspent),
                None => vault::ProofState::Unspent,
            };
            Ok(ys.into_iter().map(|y| proof_state(y, state(&y))).collect())
        })
        .await?;
    Ok(answer::json(&CheckStateResponse { states }))
}

/// What a wallet is told of a proof.
pub(super) fn proof_state(y: PointBytes, state: vault::ProofState) -> ProofState {
    let (state, preimage) = match state {
        vault::ProofState::Unspent => (SpendState::Unspent, None),
        vault::ProofState::Pending => (SpendState::Pending, None),
        vault::ProofState::Spent(preimage) => (SpendState::Spent, preimage),
    };
    ProofState { y, state, witness: preimage.map(|preimage| preimage.to_state_witness()) }
}

/// `POST /v1/restore` (NUT-09).
pub(super) async fn restore(
    State(unit): State<UnitMint>,
    Json(body): Json<message::RestoreRequest>,
) -> Result<Response, ApiError> {
    let RestoreRequest { blinded } = RestoreRequest::try_from(body)?;
    let (of, shared) = (unit.terms.unit, Arc::clone(&unit.shared));
    let found = unit
        .shared
        .ask(move |reader| {
            let known = reader.signed(&blinded)?;
            // Keysets are looked at after the rows: what is signed was signed by one that was known then.
            let mint = shared.mint();
            mint.restore(of, &blinded, &known).map_err(|error| ApiError::internal(&error))
        })
        .await?;
    let (outputs, signatures) = found
        .into_iter()
        .map(|(output, signed)| (BlindedMessage::from(output), BlindSignature::from(signed)))
        .unzip();
    Ok(answer::json(&RestoreResponse { outputs, signatures }))
}
