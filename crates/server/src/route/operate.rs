//! What an operator's machines ask: whether the process lives, whether it can work, what it has done.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tacit_service::vault::Change;

use crate::answer;
use crate::error::ApiError;
use crate::state::Shared;
use crate::writer::Health;

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

/// `GET /health`: the process answers.
pub(super) async fn health() -> Response {
    answer::json(&Status { status: "ok" })
}

/// `GET /ready`: changes can be committed.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if shared.writer.health() == Health::Away {
        // Nothing else may come to try it, if nobody is sent here. What it tries changes nothing but old quotes.
        _ = shared.writer.commit(Change::Tick).await;
    }
    // The writer knows of its last commit only; this asks now.
    let is_readable = shared.ask(|reader| Ok(reader.keysets()?)).await.is_ok();
    let status = match shared.writer.health() {
        _ if *shared.stopping.borrow() => "stopping",
        Health::Good if is_readable => return answer::json(&Status { status: "ok" }),
        Health::Good => "the vault cannot be read",
        Health::Away => "the database cannot be reached",
        Health::Unwritable => "the vault cannot be written",
        Health::Failed => "the vault failed",
    };
    let mut response = answer::json(&Status { status });
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

/// `GET /metrics`, for this machine only: whoever could read totals every millisecond would see each payment.
pub(super) async fn metrics(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
) -> Result<Response, ApiError> {
    if !peer.ip().to_canonical().is_loopback() {
        let detail = "metrics are for this machine only";
        return Err(ApiError::of_status(StatusCode::FORBIDDEN, detail));
    }
    let text = shared.metrics.render(|gauge| shared.gauge(gauge));
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, text).into_response())
}
