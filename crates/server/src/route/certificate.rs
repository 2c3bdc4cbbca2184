//! What anybody may know of the operator's keys for certificates.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::answer;
use crate::certificate;
use crate::error::ApiError;
use crate::state::Shared;

/// `GET /.well-known/jwt-vc-issuer` (draft-ietf-oauth-sd-jwt-vc, "JWT VC Issuer Metadata"), for verifiers and wallets, also those in browsers.
pub(super) async fn metadata(State(shared): State<Arc<Shared>>) -> Response {
    match certificate::metadata(&shared) {
        Some(metadata) => {
            ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], answer::json(&metadata)).into_response()
        }
        None => ApiError::of_status(StatusCode::NOT_FOUND, "the mint has no name of its own")
            .into_response(),
    }
}
