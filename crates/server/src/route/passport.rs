//! The passport desk, for whoever has a passport: nobody says who they are here.
//!
//! What an account's holder asks for by name, the first passport and a month's income, is at the desk: see
//! [`super::desk`].

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_credit::certificate::key::PublicKey;
use tacit_credit::certificate::statement::{BATCH, Statement};
use tacit_credit::passport::message::{ConfirmationKey, KeysDigest, Request, Terms};
use tacit_credit::passport::wire;
use tacit_ecash::code::Code;
use tacit_service::passport::desk::Claim;
use tacit_service::passport::{Bucket, RequestDigest};

use crate::answer::{self, Json};
use crate::certificate;
use crate::error::ApiError;
use crate::passport::Asked;
use crate::random;
use crate::state::Shared;

/// Answers on a page of a bucket: of the longest, less than a megabyte.
const PAGE: u64 = 50;

/// The passport desk's paths, under `/v1/passport`.
pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(info))
        .route("/scorecard", get(scorecard))
        .route("/answers/{bucket}", get(answers))
        .route("/blank", post(blank))
        .route("/tick", post(tick))
        .route("/certify", post(certify))
}

/// `GET /v1/passport`: the keys, the month, what certificates are made by.
async fn info(State(shared): State<Arc<Shared>>) -> Response {
    answer::json(&shared.passport_info())
}

/// `GET /v1/passport/scorecard`: the signed card, byte by byte.
async fn scorecard(State(shared): State<Arc<Shared>>) -> Result<Response, ApiError> {
    let card = shared.passports.card().ok_or_else(|| {
        ApiError::of_status(StatusCode::NOT_FOUND, "there are no certificates here")
    })?;
    let mut response = Response::new(Body::from(card.to_vec()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

#[derive(Deserialize)]
pub(super) struct After {
    after: Option<String>,
}

/// `GET /v1/passport/answers/{bucket}`: all that was answered to the requests of a bucket, so that nobody has to say which of
/// it is theirs.
async fn answers(
    State(shared): State<Arc<Shared>>,
    Path(bucket): Path<String>,
    query: Result<Query<After>, QueryRejection>,
) -> Result<Response, ApiError> {
    let wrong = |detail: &str| ApiError::refused(Code::Refused, detail);
    let Query(After { after }) = query.map_err(|_| wrong("after is said once, or not at all"))?;
    let bucket: u16 = bucket.parse().map_err(|_| wrong("a bucket is a number up to 65535"))?;
    let after = after.map(|after| hex::decode(&after).map(RequestDigest::from_bytes)).transpose();
    let after = after.map_err(|_| wrong("after is what a page before said comes next"))?;
    let bucket = Bucket::new(bucket);
    let found = shared.ask(move |reader| Ok(reader.answers(bucket, after, PAGE)?)).await?;
    let is_all = u64::try_from(found.len()).is_ok_and(|found| found < PAGE);
    let last = found.last().map(|last| hex::encode(last.request.as_bytes()));
    let kept = found.into_iter().map(|kept| wire::Kept { reply: kept.reply, sealed: kept.sealed });
    let next = last.filter(|_| !is_all);
    Ok(answer::json(&wire::Bucket { answers: kept.collect(), next }))
}

/// `POST /v1/passport/blank`: a receipt of nothing, which fills a slot of a tick.
async fn blank(
    State(shared): State<Arc<Shared>>,
    Json(ask): Json<wire::Ask>,
) -> Result<Response, ApiError> {
    let reply = shared.ask_passport_desk(ask, Asked::Claim(Claim::Blank)).await?;
    Ok(answer::json(&reply))
}

/// `POST /v1/passport/tick`: a month of a passport is over.
async fn tick(
    State(shared): State<Arc<Shared>>,
    Json(ask): Json<wire::Ask>,
) -> Result<Response, ApiError> {
    let reply = shared.ask_passport_desk(ask, Asked::Claim(Claim::Tick)).await?;
    Ok(answer::json(&reply))
}

/// `POST /v1/passport/certify`: a passport that reaches a score is replaced by the next one; the proof says no more of it.
async fn certify(
    State(shared): State<Arc<Shared>>,
    Json(body): Json<wire::Certify>,
) -> Result<Response, ApiError> {
    let refused = |detail| ApiError::refused(Code::PassportRefused, detail);
    let wrong = || refused("the keys are not four compressed points of P-256");
    let keys = body.keys.into_iter().map(ConfirmationKey::try_from);
    let keys = keys.collect::<Result<Vec<_>, _>>().map_err(|_| wrong())?;
    // Before anything is used up: what cannot be bound to a key would be lost.
    let points = keys.iter().map(PublicKey::from_compressed).collect::<Result<Vec<_>, _>>();
    let points = points.map_err(|_| wrong())?;
    if points.len() != BATCH {
        return Err(wrong());
    }
    let issuer = certificate::issuer(&shared);
    let issuer = issuer.ok_or_else(|| refused("there are no certificates here"))?;
    let asked = Request::read(&body.request).ok();
    let ask = wire::Ask { request: body.request, sealed: body.sealed };
    let keys = KeysDigest::of(&keys);
    let answered = shared.ask_passport_desk(ask, Asked::Certificate { keys }).await?;
    // The proof held, and names these keys and this day. They are signed anew for each repetition, and say the same.
    let Some(Request { terms, .. }) = asked else { return Err(wrong()) };
    let Terms::Certify { day, .. } = terms else { return Err(wrong()) };
    let statement = Statement::of(&terms).ok_or_else(wrong)?;
    let entropy = Secret::new(random::bytes().map_err(|error| ApiError::internal(&error))?);
    let certificates = issuer.issue(&statement, &points, day, &entropy);
    Ok(answer::json(&wire::Certified { reply: answered.reply, certificates }))
}
