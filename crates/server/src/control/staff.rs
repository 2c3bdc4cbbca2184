//! Letting staff in from the command line: whoever holds the machine can, when nobody else can yet.

use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tacit_service::desk::person::Name;
use tacit_service::desk::staff::Role;

use super::{AskError, ask};
use crate::desk::refusal::Refusal;
use crate::desk::staffing;
use crate::state::Shared;
use crate::text::ENGLISH;

/// Somebody who is to be let in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newcomer {
    /// What they are called.
    pub name: String,
    /// What they are here for; `None` if they work here already and need a new passkey.
    pub role: Option<String>,
}

/// How they get in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invited {
    /// A link, worth something once and for a day.
    pub link: String,
}

pub(super) async fn let_in(
    State(shared): State<Arc<Shared>>,
    Json(newcomer): Json<Newcomer>,
) -> Result<Json<Invited>, (StatusCode, String)> {
    let refused = |refusal: Refusal| {
        let said = refusal.said(&ENGLISH);
        (said.status, said.detail)
    };
    let bad = |detail: String| (StatusCode::BAD_REQUEST, detail);
    let none = || bad("this mint has no desk: origin.desk gives it one".to_owned());
    let handle = shared.desk.as_ref().ok_or_else(none)?;
    let name =
        Name::new(&newcomer.name).map_err(|why| bad(format!("the name cannot be used: {why}")))?;
    let code = match newcomer.role {
        Some(role) => {
            let role =
                Role::of_name(&role).ok_or_else(|| bad("there is no such role".to_owned()))?;
            staffing::add(handle, name, role, None, shared.now()).await
        }
        None => {
            let known = handle.run(move |store| Ok(store.staff_of_name(&name)?)).await;
            let nobody = || bad("nobody of that name works here".to_owned());
            let staff = known.map_err(refused)?.ok_or_else(nobody)?;
            staffing::invite(handle, staff.id, None, shared.now()).await
        }
    };
    Ok(Json(Invited { link: staffing::link(handle, &code.map_err(refused)?) }))
}

/// Asks the mint that runs on a data directory to let somebody in; returns the link.
///
/// # Errors
/// [`AskError`].
pub async fn ask_to_let_in(path: &Path, newcomer: &Newcomer) -> Result<String, AskError> {
    let invited: Invited = ask(path, "/staff", newcomer).await?;
    Ok(invited.link)
}
