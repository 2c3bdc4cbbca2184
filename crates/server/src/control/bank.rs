//! Handing over a file of the bank's, asking for payouts, for the order that carries them out, and whether it all agrees.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use tacit_bank::statement::BYTES_MAX;
use tacit_service::desk::trail::{Action, Deed};

use super::{AskError, ask, ask_with};
use crate::bank::order::{self, Asked, Ordered, Wanted, Which};
use crate::bank::reconcile::Report;
use crate::bank::{self, Imported};
use crate::state::Shared;

/// Largest file that is taken: whoever reads it says that it is too long.
pub(super) const BODY_MAX: usize = BYTES_MAX + 1;

/// How long a file may take: two commits for each payment in it.
const PATIENCE: Duration = Duration::from_secs(600);

pub(super) async fn import(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<Json<Imported>, (StatusCode, String)> {
    let now = shared.now();
    let deed = move |subject: String, detail: String| Deed {
        moment: now,
        staff: None,
        action: Action::StatementImported,
        subject,
        detail,
    };
    let imported = bank::import_as(&shared, body.into(), Some(&deed)).await;
    imported
        .map(|(_, _, imported)| Json(imported))
        .map_err(|error| (StatusCode::CONFLICT, with_causes(&error)))
}

pub(super) async fn pay_out(
    State(shared): State<Arc<Shared>>,
    Json(wanted): Json<Wanted>,
) -> Result<Json<Asked>, (StatusCode, String)> {
    let asked = order::ask(&shared, &wanted).await;
    asked.map(Json).map_err(|error| (StatusCode::CONFLICT, with_causes(&error)))
}

pub(super) async fn order(
    State(shared): State<Arc<Shared>>,
    Json(which): Json<Which>,
) -> Result<Json<Ordered>, (StatusCode, String)> {
    let ordered = order::order(&shared, &which).await;
    ordered.map(Json).map_err(|error| (StatusCode::CONFLICT, with_causes(&error)))
}

pub(super) async fn reconcile(
    State(shared): State<Arc<Shared>>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Json<Report>, (StatusCode, String)> {
    let report = bank::reconcile::report(&shared).await;
    report.map(Json).map_err(|error| (StatusCode::CONFLICT, with_causes(&error)))
}

/// A question that needs no words.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// An error and what it comes from, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Hands the mint that runs on a data directory a file of the bank's.
///
/// # Errors
/// [`AskError`].
pub async fn ask_to_import(path: &Path, file: Vec<u8>) -> Result<Imported, AskError> {
    ask_with(path, "/bank/import", file, PATIENCE).await
}

/// Asks the mint that runs on a data directory to pay out.
///
/// # Errors
/// [`AskError`].
pub async fn ask_to_pay_out(path: &Path, wanted: &Wanted) -> Result<Asked, AskError> {
    ask(path, "/bank/payout", wanted).await
}

/// Asks the mint that runs on a data directory whether bank and books agree.
///
/// # Errors
/// [`AskError`].
pub async fn ask_to_reconcile(path: &Path) -> Result<Report, AskError> {
    ask(path, "/bank/reconcile", &Nothing {}).await
}

/// Asks the mint that runs on a data directory for an order to the bank.
///
/// # Errors
/// [`AskError`].
pub async fn ask_for_order(path: &Path, which: &Which) -> Result<Ordered, AskError> {
    ask(path, "/bank/order", which).await
}
