//! Reading and writing JSON bodies.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tacit_ecash::code::Code;
use tacit_ecash::limit;

use crate::error::ApiError;

/// A response of status 200 with this body.
pub(crate) fn json<T: Serialize>(value: &T) -> Response {
    let body = serde_json::to_vec(value).expect("our messages have no keys that are not texts");
    let mut response = Response::new(Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// A JSON body of at most [`limit::BODY`] bytes, whatever type the request says it is of.
pub(crate) struct Json<T>(pub(crate) T);

/// How long a body may take to arrive: beside the request, for the extractor.
#[derive(Clone, Copy)]
pub(crate) struct BodyWait(pub(crate) Duration);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let wait = request.extensions().get::<BodyWait>().map_or(Duration::from_secs(30), |w| w.0);
        let body = request.into_body();
        if body.size_hint().lower() > limit::BODY as u64 {
            return Err(too_large());
        }
        let read = Limited::new(body, limit::BODY).collect();
        let read = tokio::time::timeout(wait, read).await.map_err(|_| {
            ApiError::of_status(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")
        })?;
        let bytes = read.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => too_large(),
            None => ApiError::refused(Code::Refused, "the body cannot be read"),
        })?;
        let parsed = serde_json::from_slice(&bytes.to_bytes());
        parsed.map(Self).map_err(|error| ApiError::refused(Code::Refused, describe(&error)))
    }
}

fn too_large() -> ApiError {
    let detail = "the body is larger than this mint takes";
    ApiError::of_status(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// Says where a body went wrong, and nothing of what stood there.
fn describe(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let what = match error.classify() {
        serde_json::error::Category::Data => "not what this request wants",
        serde_json::error::Category::Eof => "cut off",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
    };
    format!("the body is {what}, at line {line}, column {column}")
}
