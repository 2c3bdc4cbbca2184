//! The bank's files at the console: handed over, what became of them, and the days they tell of.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use http_body_util::BodyExt;
use serde::Deserialize;
use tacit_bank::statement::BYTES_MAX;
use tacit_core::hex;
use tacit_service::desk::booking::Listed;
use tacit_service::desk::reconcile::StatementFile;
use tacit_service::desk::staff::Permission;
use tacit_service::desk::trail::{Action, Deed};
use tokio::sync::Semaphore;

use super::page;
use crate::bank::reconcile::Standing;
use crate::bank::{self, ImportError, reconcile};
use crate::desk::Desk;
use crate::desk::page::{Page, show_with};
use crate::desk::refusal::Refusal;
use crate::desk::session::{StaffLogin, check_token};
use crate::route::desk::see;
use crate::text::{ENGLISH, fill};

/// Where this page is.
pub(super) const PATH: &str = "/operator/statements";

/// Bytes of a form around its file.
const FRAME_MAX: usize = 64 * 1024;

/// How long a file may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(300);

/// How much of what is too large is read and thrown away, so that browsers show why it was refused, and for how long.
const DISCARDED_MAX: usize = 8 * BYTES_MAX;
const DISCARD_WAIT: Duration = Duration::from_secs(10);

/// Files that are read at once: each may take some hundred megabytes while it is. And how long others wait for their turn.
static READING: Semaphore = Semaphore::const_new(1);
const TURN: Duration = Duration::from_secs(30);

/// Files on the page.
const FILES: u32 = 30;

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route(PATH, get(list).post(upload))
        .layer(DefaultBodyLimit::max(BYTES_MAX + FRAME_MAX))
}

/// A file in a table.
struct FileRow {
    hash: String,
    day: String,
    kind: &'static str,
    new: u64,
    known: u64,
    unclear: u64,
    unbooked: u64,
}

/// A day of the bank's in a table.
struct DayRow {
    day: String,
    path: String,
    unit: String,
    opening: String,
    closing: String,
    sound: &'static str,
}

#[derive(Template)]
#[template(path = "operator/statements.html")]
struct StatementsPage {
    page: Page,
    wrong: Option<String>,
    /// What became of the file that was just handed over.
    result: Option<FileRow>,
    is_known: bool,
    waits: bool,
    may_import: bool,
    accounts: Vec<String>,
    files: Vec<FileRow>,
    /// Where files that were imported earlier stand.
    older: Option<String>,
    days_shown: String,
    days: Vec<DayRow>,
}

#[derive(Default, Deserialize)]
struct Asked {
    file: Option<String>,
    #[serde(default)]
    known: bool,
    #[serde(default)]
    older: u32,
}

/// `GET /operator/statements`.
async fn list(
    State(desk): State<Desk>,
    login: StaffLogin,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    show_list(&desk, &login, &asked, StatusCode::OK, None).await
}

async fn show_list(
    desk: &Desk,
    login: &StaffLogin,
    asked: &Asked,
    status: StatusCode,
    wrong: Option<String>,
) -> Result<Response, Refusal> {
    login.may(Permission::SeeMoney)?;
    let hash = asked.file.as_deref().map(|hash| hex::decode(hash).map_err(|_| Refusal::Bad));
    let hash = hash.transpose()?;
    let skip = u64::from(asked.older) * u64::from(FILES);
    let (result, mut files, waiting) = desk
        .run(move |store| {
            let result = hash.map(|hash| store.file(hash)).transpose()?.flatten();
            let files = store.files(skip, FILES + 1)?;
            Ok((result, files, store.bookings(Listed::Waiting, None, 1)?))
        })
        .await?;
    let is_cut = FILES < u32::try_from(files.len()).unwrap_or(u32::MAX);
    files.truncate(FILES as usize);
    let (mut days, mut accounts) = (Vec::new(), Vec::new());
    for terms in reconcile::units(&desk.shared) {
        let standing = reconcile::standing(&desk.shared, terms.unit).await?;
        days.extend(day_rows(&standing));
        let account = terms.bank.as_ref().map(|bank| bank.account.as_str().to_owned());
        accounts.extend(account.map(|account| format!("{}: {account}", terms.unit)));
    }
    Ok(show_with(
        status,
        &StatementsPage {
            page: page(desk, login, PATH, ENGLISH.finance.statements_title),
            wrong,
            result: result.as_ref().map(file_row),
            is_known: asked.known,
            waits: !waiting.is_empty(),
            may_import: login.staff.role.may(Permission::HandleMoney),
            accounts,
            files: files.iter().map(file_row).collect(),
            older: is_cut.then(|| format!("{PATH}?older={}", asked.older.saturating_add(1))),
            days_shown: fill(ENGLISH.finance.days_shown, "days", reconcile::DAYS),
            days,
        },
    ))
}

fn file_row(file: &StatementFile) -> FileRow {
    let text = &ENGLISH.finance;
    FileRow {
        hash: hex::encode(&file.hash[..4]),
        day: file.day.to_string(),
        kind: if file.is_statement { text.file_statement } else { text.file_notification },
        new: file.new,
        known: file.known,
        unclear: file.unclear,
        unbooked: file.unbooked,
    }
}

/// The bank's balances, the latest day first.
fn day_rows(standing: &Standing) -> Vec<DayRow> {
    let text = &ENGLISH.finance;
    let unit = standing.unit;
    let rows = standing.facts.balances.iter().rev().map(|balance| DayRow {
        day: balance.day.to_string(),
        path: format!("/operator/bookings?day={}", balance.day.number()),
        unit: unit.to_string().to_uppercase(),
        opening: balance.opening.map_or_else(|| "–".to_owned(), |sum| super::signed(sum, unit)),
        closing: super::signed(balance.closing, unit),
        sound: match balance.adds_up {
            Some(true) => text.adds_up,
            Some(false) => text.adds_up_not,
            None => text.adds_up_unknown,
        },
    });
    rows.collect()
}

/// `POST /operator/statements`: a file, streamed within bounds. The form's token comes first, and nothing is read before it.
async fn upload(State(desk): State<Desk>, request: Request) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    let login = StaffLogin::from_request_parts(&mut parts, &desk).await?;
    login.may(Permission::HandleMoney)?;
    // Before its bytes are kept: each may take some hundred megabytes while it is read.
    let permit = tokio::time::timeout(TURN, READING.acquire()).await;
    let Ok(Ok(permit)) = permit else { return Err(Refusal::Busy) };
    let said = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length: Option<usize> = said.and_then(|length| length.parse().ok());
    if length.is_some_and(|length| BYTES_MAX + FRAME_MAX < length) {
        discard(body).await;
        return refused(&desk, &login, &Unread::TooLarge).await;
    }
    let form = Multipart::from_request(Request::from_parts(parts, body), &desk).await;
    let form = form.map_err(|_| Refusal::Bad)?;
    let read = tokio::time::timeout(ARRIVAL, read(form, &login)).await;
    let bytes = match read.map_err(|_| Refusal::Bad)? {
        Ok(bytes) => bytes,
        Err(Unread::Refused(refusal)) => return Err(refusal),
        Err(unread) => return refused(&desk, &login, &unread).await,
    };
    let (shared, moment, by) = (Arc::clone(&desk.shared), desk.now(), login.staff.id);
    // What was begun comes to its end and into the trail, whether or not whoever sent it waits for that.
    let imported = tokio::spawn(async move {
        let _permit = permit;
        let deed = move |subject: String, detail: String| Deed {
            moment,
            staff: Some(by),
            action: Action::StatementImported,
            subject,
            detail,
        };
        bank::import_as(&shared, bytes, Some(&deed)).await
    });
    match imported.await.map_err(|_| Refusal::Busy)? {
        Ok((hash, is_new, _)) => {
            let known = if is_new { "" } else { "&known=true" };
            Ok(see(&format!("{PATH}?file={}{known}", hex::encode(&hash))))
        }
        Err(error) if error.is_final() => refused(&desk, &login, &Unread::Import(error)).await,
        Err(error) => Err(error.into()),
    }
}

/// Why a form was not taken.
enum Unread {
    /// Whoever sent it is told on a page of its own.
    Refused(Refusal),
    TooLarge,
    /// No file was chosen, or an empty one.
    Nothing,
    Import(ImportError),
}

/// The page again, with what is wrong with the file.
async fn refused(desk: &Desk, login: &StaffLogin, unread: &Unread) -> Result<Response, Refusal> {
    let text = &ENGLISH.finance;
    let (status, wrong) = match unread {
        Unread::Refused(refusal) => return Err(refusal.clone()),
        Unread::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, text.file_too_large.to_owned()),
        Unread::Nothing => (StatusCode::UNPROCESSABLE_ENTITY, text.file_nothing.to_owned()),
        Unread::Import(error) => {
            let why = crate::control::bank::with_causes(error);
            (StatusCode::UNPROCESSABLE_ENTITY, fill(text.file_wrong, "why", why))
        }
    };
    show_list(desk, login, &Asked::default(), status, Some(wrong)).await
}

/// The bytes of a form's file, which the form's token stands before.
async fn read(mut form: Multipart, login: &StaffLogin) -> Result<Vec<u8>, Unread> {
    let mut is_own = false;
    loop {
        let field = form.next_field().await.map_err(|error| unread(error.status()))?;
        let field = field.ok_or(Unread::Nothing)?;
        match field.name() {
            Some("form_token") => {
                let token = bounded(field, 2 * 32).await?;
                let token =
                    String::from_utf8(token).map_err(|_| Unread::Refused(Refusal::Forged))?;
                check_token(&token, &login.key).map_err(Unread::Refused)?;
                is_own = true;
            }
            Some("file") if is_own => {
                let bytes = bounded(field, BYTES_MAX).await?;
                return if bytes.is_empty() { Err(Unread::Nothing) } else { Ok(bytes) };
            }
            _ => return Err(Unread::Refused(Refusal::Forged)),
        }
    }
}

/// A field of at most so many bytes.
async fn bounded(mut field: Field<'_>, max: usize) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| unread(error.status()))? {
        if max < bytes.len() + chunk.len() {
            return Err(Unread::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn unread(status: StatusCode) -> Unread {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Unread::TooLarge,
        _ => Unread::Refused(Refusal::Bad),
    }
}

/// Reads on for a while and keeps nothing: whoever sends hears the answer only once it has sent.
async fn discard(mut body: Body) {
    let reading = async {
        let mut seen = 0;
        while seen < DISCARDED_MAX
            && let Some(Ok(frame)) = body.frame().await
        {
            seen += frame.data_ref().map_or(0, |data| data.len());
        }
    };
    // However far it came.
    _ = tokio::time::timeout(DISCARD_WAIT, reading).await;
}
