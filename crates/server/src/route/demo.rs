//! Levers of demo mode: the clock, invoices that the demo rail pays, rotation, and what the wallet asks of the street. Elsewhere these
//! paths do not exist.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::code::Code;
use tacit_ecash::keyset::KeysetId;
use tacit_service::vault::{Change, Outcome};

use super::desk::{my_passport, street as pages};
use crate::answer::{self, Json};
use crate::clock::ClockError;
use crate::desk::Desk;
use crate::desk::refusal::Refusal;
use crate::error::ApiError;
use crate::keyset::{Terms, add, next};
use crate::log::{self, Field, Level};
use crate::random;
use crate::server::Demo;
use crate::state::{Shared, Step};
use crate::street;
use crate::text::ENGLISH;
use crate::upkeep;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    advance_days: u64,
}

#[derive(Serialize)]
struct Now {
    now: Timestamp,
    days_ahead: u64,
}

/// `POST /demo/clock`: lets days pass, and all that follows from it, before it answers.
pub(super) async fn clock(
    State(shared): State<Arc<Shared>>,
    Json(body): Json<Advance>,
) -> Result<Response, ApiError> {
    let clock = &demo(&shared)?.clock;
    clock.advance(body.advance_days).map_err(|error| match error {
        ClockError::TooFar => ApiError::refused(Code::Refused, error),
        ClockError::Io(_) => ApiError::internal(&error),
    })?;
    let days = clock.days();
    log::write(Level::Info, "the demo clock was moved", &[(Field::Days, &days)]);
    upkeep::round(&shared).await.map_err(|error| ApiError::internal(&error))?;
    Ok(answer::json(&Now { now: shared.now(), days_ahead: days }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    unit: Unit,
    amount: u64,
}

#[derive(Serialize)]
struct Invoice {
    request: String,
}

/// `POST /demo/invoice`: something to pay, for wallets that take nothing but invoices.
pub(super) async fn invoice(
    State(shared): State<Arc<Shared>>,
    Json(body): Json<Ask>,
) -> Result<Response, ApiError> {
    // An invoice does not say which unit it counts in: it is the unit of whoever pays it.
    if shared.config.units.iter().all(|terms| terms.unit != body.unit) {
        return Err(unknown_unit());
    }
    let rail = Arc::clone(&demo(&shared)?.rail);
    let nonce = random::bytes().map_err(|error| ApiError::internal(&error))?;
    let request = shared.ask_rail(move || rail.invoice(body.amount, &nonce)).await?;
    Ok(answer::json(&Invoice { request }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotate {
    unit: Unit,
    #[serde(default)]
    input_fee_ppk: Option<u64>,
    #[serde(default)]
    final_expiry: Option<Timestamp>,
}

#[derive(Serialize)]
struct Rotated {
    keyset: KeysetId,
}

/// `POST /demo/rotate`: a new keyset takes over signing.
pub(super) async fn rotate(
    State(shared): State<Arc<Shared>>,
    Json(body): Json<Rotate>,
) -> Result<Response, ApiError> {
    let terms = Terms { input_fee_ppk: body.input_fee_ppk, final_expiry: body.final_expiry };
    let keyset = shared
        .transact(
            move |reader, shared| {
                let spec = next(&reader.keysets()?, body.unit, terms).ok_or_else(unknown_unit)?;
                Ok(Step::Commit(add(&shared.seed, spec)))
            },
            |change, outcome| match (change, outcome) {
                (Change::AddKeyset { id, .. }, Outcome::Applied(true)) => Ok(id),
                _ => Err(ApiError::busy("another rotation came between", 1)),
            },
        )
        .await?;
    shared.refresh().await.map_err(|error| ApiError::internal(&error))?;
    log::write(
        Level::Info,
        "a keyset was added",
        &[(Field::Unit, &body.unit), (Field::Keyset, &keyset)],
    );
    Ok(answer::json(&Rotated { keyset }))
}

/// What the wallet goes on with, as if its person had scanned it.
#[derive(Serialize)]
struct Met {
    link: String,
    /// Where a browser sees what became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
}

/// `POST /demo/passport`, on the wallet's origin: an account for a visitor, and the code that gives its wallet a passport.
pub(super) async fn passport(State(shared): State<Arc<Shared>>) -> Response {
    let met = async |desk: Desk| {
        let code = street::visitor(&desk).await?;
        Ok(Met { link: my_passport::link(&desk, &code), page: None })
    };
    meet(shared, met).await
}

/// `POST /demo/contract`, on the wallet's origin: a contract with the street's biller.
pub(super) async fn contract(State(shared): State<Arc<Shared>>) -> Response {
    let met = async |desk: Desk| Ok(Met { link: street::contract(&desk).await?, page: None });
    meet(shared, met).await
}

/// `POST /demo/question`, on the wallet's origin: a question of the street's lender.
pub(super) async fn question(State(shared): State<Arc<Shared>>) -> Response {
    let met = async |desk: Desk| {
        let (id, link) = pages::begin(&desk).await?;
        Ok(Met { link, page: Some(pages::question_page(&desk, &id)) })
    };
    meet(shared, met).await
}

async fn meet(
    shared: Arc<Shared>,
    met: impl AsyncFnOnce(Desk) -> Result<Met, Refusal>,
) -> Response {
    let Some(handle) = shared.desk.clone() else { return Refusal::NotFound.problem(&ENGLISH) };
    match met(Desk { shared, handle }).await {
        Ok(met) => answer::json(&met),
        Err(refusal) => refusal.problem(&ENGLISH),
    }
}

fn demo(shared: &Shared) -> Result<&Demo, ApiError> {
    let missing = || ApiError::of_status(StatusCode::NOT_FOUND, "this is no demonstration");
    shared.demo.as_ref().ok_or_else(missing)
}

fn unknown_unit() -> ApiError {
    ApiError::refused(Code::UnknownUnit, "this server has no such unit")
}
