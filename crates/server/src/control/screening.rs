//! Importing lists of names from the command line, in parts, so that neither side holds more than one of them.

use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;
use tacit_service::desk::screening::list::Listed;
use tacit_service::desk::screening::{ImportId, ImportedList};
use tacit_service::desk::trail::{Action, Deed};

use super::{AskError, ask};
use crate::desk::refusal::Refusal;
use crate::desk::{Desk, DeskHandle, screening};
use crate::random;
use crate::state::Shared;
use crate::text::ENGLISH;

/// Largest request.
pub(super) const BODY_MAX: usize = 16 * 1024 * 1024;

/// Names in one part.
const PART: usize = 5000;

/// Characters the name of a list may have.
const LIST_NAME_MAX: usize = 60;

/// A part of a list: entry and name, in order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartOfList {
    /// Which import; `None` begins one.
    import: Option<String>,
    /// How many names came before.
    from: u64,
    names: Vec<(String, String)>,
}

/// An import that has begun.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Begun {
    import: String,
}

/// A list that is whole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WholeList {
    import: String,
    list: String,
    names: u64,
    /// Whether it may take the place of one that is in use.
    replaces: bool,
}

/// A list that is to be imported.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Announced {
    list: String,
    names: u64,
    replaces: bool,
}

/// The list that is, or was, in use under a name.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InUse {
    /// How many names it has.
    pub names: u64,
    /// The day it was imported.
    pub imported: String,
}

type Refused = (StatusCode, String);

fn refused(refusal: Refusal) -> Refused {
    let said = refusal.said(&ENGLISH);
    (said.status, said.detail)
}

fn bad(detail: &str) -> Refused {
    (StatusCode::BAD_REQUEST, detail.to_owned())
}

fn handle(shared: &Arc<Shared>) -> Result<&Arc<DeskHandle>, Refused> {
    shared.desk.as_ref().ok_or_else(|| bad("this mint has no desk: origin.desk gives it one"))
}

pub(super) async fn add(
    State(shared): State<Arc<Shared>>,
    Json(part): Json<PartOfList>,
) -> Result<Json<Begun>, Refused> {
    let handle = handle(&shared)?;
    let import: ImportId = match &part.import {
        Some(import) => import.parse().map_err(|_| bad("that is no import"))?,
        None => {
            let random = random::bytes().map_err(|error| refused(Refusal::internal(&error)))?;
            ImportId::from_bytes(random)
        }
    };
    let names: Vec<Listed> =
        part.names.into_iter().map(|(entry, name)| Listed { entry, name }).collect();
    let added = handle.run(move |store| Ok(store.add_listed(import, part.from, &names)?)).await;
    if added.map_err(refused)? {
        Ok(Json(Begun { import: import.to_string() }))
    } else {
        Err((StatusCode::CONFLICT, "another import came between: begin again".to_owned()))
    }
}

/// The list in use under a name, unless a new one may not take its place.
fn in_use(
    lists: &[ImportedList],
    list: &str,
    names: u64,
    replaces: bool,
) -> Result<Option<InUse>, Refused> {
    let Some(known) = lists.iter().find(|known| known.name == list) else { return Ok(None) };
    let known = InUse { names: known.names, imported: known.imported.to_string() };
    if replaces {
        return Ok(Some(known));
    }
    let said = format!(
        "{list} is in use: {} names, imported on {}. These {names} would take its place: say --replace if they shall, or --name for a list \
         beside it",
        known.names, known.imported
    );
    Err((StatusCode::CONFLICT, said))
}

/// Whether a list may come, before its names do.
pub(super) async fn announce(
    State(shared): State<Arc<Shared>>,
    Json(announced): Json<Announced>,
) -> Result<Json<()>, Refused> {
    let lists = handle(&shared)?.run(|store| Ok(store.lists()?)).await.map_err(refused)?;
    in_use(&lists, &announced.list, announced.names, announced.replaces)?;
    Ok(Json(()))
}

pub(super) async fn put(
    State(shared): State<Arc<Shared>>,
    Json(whole): Json<WholeList>,
) -> Result<Json<Option<InUse>>, Refused> {
    let handle = handle(&shared)?;
    let import = whole.import.parse().map_err(|_| bad("that is no import"))?;
    let is_named = |name: &str| {
        (1..=LIST_NAME_MAX).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if !is_named(&whole.list) {
        return Err(bad("the name of a list is up to 60 letters, digits, dashes and dots"));
    }
    let lists = handle.run(|store| Ok(store.lists()?)).await.map_err(refused)?;
    let before = in_use(&lists, &whole.list, whole.names, whole.replaces)?;
    let now: Timestamp = shared.now();
    let list = ImportedList { name: whole.list, import, names: whole.names, imported: now.day() };
    let deed = Deed {
        moment: now,
        staff: None,
        action: Action::ListImported,
        subject: format!("list {}", list.name),
        detail: match &before {
            None => format!("{} names", list.names),
            Some(InUse { names, imported }) => {
                format!("{} names, in the place of {names} of {imported}", list.names)
            }
        },
    };
    let put = handle.run(move |store| Ok(store.put_list(&list, &deed)?)).await;
    if !put.map_err(refused)? {
        return Err((StatusCode::CONFLICT, "another import came between: begin again".to_owned()));
    }
    screening::soon(&Desk { shared: Arc::clone(&shared), handle: Arc::clone(handle) });
    Ok(Json(before))
}

/// Hands a list to the mint that runs on a data directory, and returns the one whose place it took.
///
/// `replaces`: whether it may take the place of the one that is called so.
///
/// # Errors
/// [`AskError`]: also where one is in use and may not be replaced.
pub async fn ask_to_import(
    path: &Path,
    list: &str,
    names: &[Listed],
    replaces: bool,
) -> Result<Option<InUse>, AskError> {
    let announced = Announced { list: list.to_owned(), names: names.len() as u64, replaces };
    let () = ask(path, "/screening/announce", &announced).await?;
    let (mut import, mut from) = (None, 0_u64);
    for part in names.chunks(PART) {
        let pairs = part.iter().map(|listed| (listed.entry.clone(), listed.name.clone()));
        let part = PartOfList { import: import.clone(), from, names: pairs.collect() };
        from += part.names.len() as u64;
        let begun: Begun = ask(path, "/screening/add", &part).await?;
        import = Some(begun.import);
    }
    let import = import.unwrap_or_default();
    let whole = WholeList { import, list: list.to_owned(), names: from, replaces };
    ask(path, "/screening/put", &whole).await
}
