//! What the operator asks of a mint that runs: a socket in the data directory, which only its owner can open.
//!
//! One request a connection, in HTTP, so that nothing has to be parsed by hand at either end. Not a way for wallets: it
//! holds no route of the mint, and nothing that the command line cannot do while the mint is stopped.

pub mod bank;
pub mod screening;
pub mod staff;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::keyset::KeysetId;
use tacit_service::vault::Outcome;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::config::UnitConfig;
use crate::keyset::{Terms, add, next};
use crate::log::{self, Field, Level};
use crate::state::{Shared, stopped};

/// Largest request, but for a file of the bank's.
const BODY_MAX: usize = 16 * 1024;

/// Largest answer: an order to the bank.
const ANSWER_MAX: usize = 64 * 1024 * 1024;

/// How long an answer may take: a commit, behind whatever is queued.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a mint may take from locking its data directory to listening.
const STARTING: Duration = Duration::from_secs(5);

/// What a rotation is asked with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Unit of the new keyset.
    pub unit: String,
    /// As [`Terms::input_fee_ppk`].
    pub input_fee_ppk: Option<u64>,
    /// As [`Terms::final_expiry`], in seconds since 1970.
    pub final_expiry: Option<u64>,
}

/// The keyset that took over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rotated {
    /// Its public name.
    pub keyset: String,
}

/// Why a rotation was not made. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The unit's name is none.
    #[error("{0:?} is no unit")]
    NotAUnit(String),
    /// The fee is above what wallets are asked to pay.
    #[error("the fee is {fee} thousandths of the minor unit, and at most {most}")]
    Fee {
        /// What was asked for.
        fee: u64,
        /// What may be.
        most: u64,
    },
    /// Its e-cash would be worth nothing.
    #[error("the final expiry must lie in the future")]
    Past,
    /// The vault has no keyset of the unit, so there is nothing to take over from.
    #[error("the vault has no keyset of unit {0}")]
    UnknownUnit(Unit),
    /// Another rotation came first.
    #[error("the vault has this keyset already: another rotation came first")]
    There,
    /// The mint could not do it.
    #[error("the mint could not rotate: {0}")]
    Failed(String),
}

impl Rotation {
    /// The unit and terms that were asked for, at `now`.
    ///
    /// # Errors
    /// [`RotateError`].
    pub fn read(&self, now: Timestamp) -> Result<(Unit, Terms), RotateError> {
        let unit = Unit::new(&self.unit).map_err(|_| RotateError::NotAUnit(self.unit.clone()))?;
        let most = UnitConfig::FEE_MAX;
        if let Some(fee) = self.input_fee_ppk.filter(|fee| *fee > most) {
            return Err(RotateError::Fee { fee, most });
        }
        let final_expiry = self.final_expiry.map(Timestamp::from_seconds);
        if final_expiry.is_some_and(|expiry| expiry <= now) {
            return Err(RotateError::Past);
        }
        Ok((unit, Terms { input_fee_ppk: self.input_fee_ppk, final_expiry }))
    }
}

/// Answers on the socket at `path` until the server stops. A socket of an earlier process is in nobody's way: the data
/// directory is locked.
///
/// # Errors
/// If the socket cannot be made, such as where the path is longer than sockets may have.
pub(crate) fn serve(path: &Path, shared: &Arc<Shared>) -> io::Result<JoinHandle<()>> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // The directory is its owner's alone, too.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    let router = Router::new()
        .route("/keyset/rotate", post(rotate))
        .route("/staff", post(staff::let_in))
        .route("/bank/payout", post(bank::pay_out))
        .route("/bank/order", post(bank::order))
        .route("/bank/reconcile", post(bank::reconcile))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .route("/screening/announce", post(screening::announce))
        .route("/screening/put", post(screening::put))
        .route(
            "/screening/add",
            post(screening::add).layer(DefaultBodyLimit::max(screening::BODY_MAX)),
        )
        .route("/bank/import", post(bank::import).layer(DefaultBodyLimit::max(bank::BODY_MAX)))
        .with_state(Arc::clone(shared));
    let (path, mut stopping) = (path.to_owned(), shared.stopping.clone());
    Ok(tokio::spawn(async move {
        // A rotation under way is still committed; whoever keeps a connection open keeps nothing from stopping.
        tokio::select! {
            _ = axum::serve(listener, router) => {}
            () = stopped(&mut stopping) => {}
        }
        _ = fs::remove_file(path); // What is left is removed by the next one.
    }))
}

async fn rotate(
    State(shared): State<Arc<Shared>>,
    Json(rotation): Json<Rotation>,
) -> Result<Json<Rotated>, (StatusCode, String)> {
    let refused = |error: RotateError| {
        let status = match &error {
            RotateError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            RotateError::There => StatusCode::CONFLICT,
            RotateError::NotAUnit(_)
            | RotateError::Fee { .. }
            | RotateError::Past
            | RotateError::UnknownUnit(_) => StatusCode::BAD_REQUEST,
        };
        (status, error.to_string())
    };
    let id = rotate_now(&shared, &rotation).await.map_err(refused)?;
    Ok(Json(Rotated { keyset: id.to_string() }))
}

/// Adds the keyset, and has every handler see it before it is told of.
async fn rotate_now(shared: &Shared, rotation: &Rotation) -> Result<KeysetId, RotateError> {
    fn failed(error: impl std::fmt::Display) -> RotateError {
        RotateError::Failed(error.to_string())
    }
    let (unit, terms) = rotation.read(shared.now())?;
    let records = shared.pool.run(|reader| reader.keysets()).await.map_err(failed)?;
    let spec = next(&records.map_err(failed)?, unit, terms);
    let spec = spec.ok_or(RotateError::UnknownUnit(unit))?;
    let change = add(&shared.seed, spec);
    let committed = shared.writer.commit(change).await.map_err(failed)?;
    if !matches!(committed.outcome, Outcome::Applied(true)) {
        return Err(RotateError::There);
    }
    shared.refresh().await.map_err(failed)?;
    let mint = shared.mint();
    let added = mint.keysets().iter().find(|keyset| keyset.record().spec == spec);
    let id = added.expect("the mint was read anew").record().id;
    log::write(Level::Info, "a keyset was added", &[(Field::Unit, &unit), (Field::Keyset, &id)]);
    Ok(id)
}

/// Why a mint that runs did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody answers there.
    #[error("the mint that uses the data directory does not answer at {path}", path = path.display())]
    Silent {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It said no.
    #[error("{0}")]
    Refused(String),
}

/// Asks the mint that runs on a data directory to rotate; returns the new keyset's name.
///
/// # Errors
/// [`AskError`].
pub async fn ask_to_rotate(path: &Path, rotation: &Rotation) -> Result<String, AskError> {
    let rotated: Rotated = ask(path, "/keyset/rotate", rotation).await?;
    Ok(rotated.keyset)
}

/// Asks one thing, and reads the answer.
async fn ask<T: DeserializeOwned>(
    path: &Path,
    to: &str,
    request: &impl Serialize,
) -> Result<T, AskError> {
    let body = serde_json::to_vec(request).expect("requests have texts and numbers");
    ask_with(path, to, body, PATIENCE).await
}

/// The same with a body as it is.
async fn ask_with<T: DeserializeOwned>(
    path: &Path,
    to: &str,
    body: Vec<u8>,
    patience: Duration,
) -> Result<T, AskError> {
    let silent = |source| AskError::Silent { path: path.to_owned(), source };
    let stream = connect(path).await.map_err(|error| silent(error.into()))?;
    let answer = tokio::time::timeout(patience, send(stream, to, body)).await;
    let (status, body) = answer.map_err(|late| silent(late.into()))?.map_err(silent)?;
    if !status.is_success() {
        return Err(AskError::Refused(String::from_utf8_lossy(&body).into_owned()));
    }
    serde_json::from_slice(&body).map_err(|error| silent(error.into()))
}

/// Whoever has just taken the data directory needs a moment until it listens.
async fn connect(path: &Path) -> io::Result<UnixStream> {
    let begun = tokio::time::Instant::now();
    loop {
        match UnixStream::connect(path).await {
            Err(_) if begun.elapsed() < STARTING => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            connected => return connected,
        }
    }
}

async fn send(
    stream: UnixStream,
    to: &str,
    body: Vec<u8>,
) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::builder()
        .method(Method::POST)
        .uri(to)
        .header("host", "control")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_MAX).collect().await?.to_bytes();
    connection.abort();
    Ok((status, body))
}
