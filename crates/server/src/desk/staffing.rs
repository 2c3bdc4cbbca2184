//! Letting people in: taking staff in, and inviting whoever has no passkey.

use std::sync::Arc;

use tacit_core::time::Timestamp;
use tacit_service::desk::Owner;
use tacit_service::desk::identification::NumberHash;
use tacit_service::desk::login::{ALREADY, INVITATION_LIFE, Invitation, InvitationCode};
use tacit_service::desk::person::{Name, PersonId};
use tacit_service::desk::recovery::{LoginRequest, LoginRequested};
use tacit_service::desk::staff::{Role, Staff, StaffId};
use tacit_service::desk::trail::{Action, Deed};

use super::DeskHandle;
use super::refusal::Refusal;
use crate::random;

/// What the first member of staff of a demonstration is called.
const DEMO_ADMIN: &str = "Demo admin";

/// A new code, of which nothing is kept.
fn new_code() -> Result<InvitationCode, Refusal> {
    let bytes = random::bytes().map_err(|error| Refusal::internal(&error))?;
    Ok(InvitationCode::from_random(bytes))
}

/// A new invitation of staff, and the code that opens it.
fn invitation(
    id: StaffId,
    by: Option<StaffId>,
    now: Timestamp,
) -> Result<(Invitation, InvitationCode), Refusal> {
    let code = new_code()?;
    let (hash, owner) = (code.hash(), Owner::Staff(id));
    let expires = now.after(INVITATION_LIFE);
    Ok((Invitation { hash, owner, opens: Some(ALREADY), expires, by }, code))
}

/// Takes somebody in to work here. `by`: who does; `None` is whoever holds the machine.
///
/// # Errors
/// [`Refusal::NameTaken`], and as [`DeskHandle::run`].
pub(crate) async fn add(
    handle: &Arc<DeskHandle>,
    name: Name,
    role: Role,
    by: Option<StaffId>,
    now: Timestamp,
) -> Result<InvitationCode, Refusal> {
    let id = StaffId::from_bytes(random::bytes().map_err(|error| Refusal::internal(&error))?);
    let (invitation, code) = invitation(id, by, now)?;
    let staff = Staff { id, name, role, is_active: true };
    let deed = Deed::about(now, by, Action::StaffAdded, Owner::Staff(id));
    let deed = Deed { detail: role.name().to_owned(), ..deed };
    let is_added =
        handle.run(move |store| Ok(store.add_staff(&staff, &invitation, &deed)?)).await?;
    if is_added { Ok(code) } else { Err(Refusal::NameTaken) }
}

/// Invites somebody who works here and has no passkey, or lost it.
///
/// # Errors
/// [`Refusal::NotFound`] if they may not log in, and as [`DeskHandle::run`].
pub(crate) async fn invite(
    handle: &Arc<DeskHandle>,
    id: StaffId,
    by: Option<StaffId>,
    now: Timestamp,
) -> Result<InvitationCode, Refusal> {
    let (invitation, code) = invitation(id, by, now)?;
    let deed = Deed::about(now, by, Action::Invited, Owner::Staff(id));
    let is_made = handle.run(move |store| Ok(store.invite(&invitation, &deed)?)).await?;
    if is_made { Ok(code) } else { Err(Refusal::NotFound) }
}

/// Makes a code for somebody with an account who has no passkey, or lost it. When it is good, the desk decides.
///
/// `number`: on the document that they showed.
///
/// # Errors
/// As [`DeskHandle::run`].
pub(crate) async fn request_login(
    handle: &Arc<DeskHandle>,
    person: PersonId,
    number: Option<NumberHash>,
    by: StaffId,
    now: Timestamp,
) -> Result<(LoginRequested, InvitationCode), Refusal> {
    let code = new_code()?;
    let request = LoginRequest { hash: code.hash(), person, number, by, now };
    let requested = handle.run(move |store| Ok(store.request_login(&request)?)).await?;
    Ok((requested, code))
}

/// The link that leads to a passkey. The code stands behind the `#`: browsers keep that to themselves.
pub(crate) fn link(handle: &DeskHandle, code: &InvitationCode) -> String {
    format!("{}/invitation#{}", handle.origin, code.spelled())
}

/// Lets whoever tries a demonstration into its console: a link, unless somebody came in with an earlier one.
///
/// # Errors
/// As [`DeskHandle::run`].
pub(crate) async fn demo_admin(
    handle: &Arc<DeskHandle>,
    now: Timestamp,
) -> Result<Option<String>, Refusal> {
    let name = Name::new(DEMO_ADMIN).map_err(|error| Refusal::internal(&error))?;
    let own = name.clone();
    let (known, is_in) = handle
        .run(move |store| {
            let known = store.staff_of_name(&own)?;
            let keys = match &known {
                Some(staff) => store.passkeys(Owner::Staff(staff.id))?,
                None => Vec::new(),
            };
            Ok((known, !keys.is_empty()))
        })
        .await?;
    let code = match known {
        Some(staff) if is_in || !staff.is_active => return Ok(None),
        Some(staff) => invite(handle, staff.id, None, now).await?,
        None => add(handle, name, Role::Admin, None, now).await?,
    };
    Ok(Some(link(handle, &code)))
}
