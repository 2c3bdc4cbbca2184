//! Reading and writing JSON bodies.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
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
        let read = tokio::time::timeout(wait, read(request.into_body())).await;
        let bytes = read.map_err(|_| {
            ApiError::of_status(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")
        })??;
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Self).map_err(|error| ApiError::refused(Code::Refused, describe(&error)))
    }
}

/// How much of a body that is too large is read and thrown away, and for how long each part is waited for, so
/// that whoever sends it hears the refusal.
const DISCARDED_MAX: usize = 8 * limit::BODY;
const DISCARD_WAIT: Duration = Duration::from_millis(300);

async fn read(mut body: Body) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| ApiError::refused(Code::Refused, "the body cannot be read"))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit::BODY {
            discard(body).await;
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

async fn discard(mut body: Body) {
    let mut seen = 0;
    while seen < DISCARDED_MAX
        && let Ok(Some(Ok(frame))) = tokio::time::timeout(DISCARD_WAIT, body.frame()).await
    {
        seen += frame.data_ref().map_or(0, |data| data.len());
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
