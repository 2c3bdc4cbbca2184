//! Letting people in again: a code that one member of staff makes and, where it matters, another confirms.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_service::desk::login::{Invitation, InvitationHash};
use tacit_service::desk::person::{Person, PersonId};
use tacit_service::desk::recovery::{LoginConfirmed, LoginRequested};
use tacit_service::desk::staff::{Permission, Staff};

use super::super::cash_out::{Drawing, draw};
use super::super::see;
use super::people::Purpose;
use super::person::{Part, path, show_person};
use super::serving::Numbered;
use super::{name_of, page, people};
use crate::desk::page::{Page, show, utc};
use crate::desk::refusal::Refusal;
use crate::desk::session::{SignedForm, StaffLogin};
use crate::desk::{Desk, staffing};
use crate::text::{ENGLISH, fill};

pub(super) fn router() -> Router<Desk> {
    Router::new()
        .route("/operator/people/{id}/invite", post(invite))
        .route("/operator/people/{id}/confirm", post(confirm))
}

#[derive(Template)]
#[template(path = "operator/slip.html")]
struct SlipPage {
    page: Page,
    name: String,
    code: String,
    link: String,
    drawing: Drawing,
    /// From when on it is good.
    good: String,
    /// Whether somebody else has to do something before.
    waits: bool,
    back: String,
}

/// `POST /operator/people/{id}/invite`: a login for somebody who has none, or lost it. The code is shown once. Whoever was identified
/// has to show the same document again.
async fn invite(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Numbered>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::ServePeople)?;
    let id: PersonId = id.parse().map_err(|_| Refusal::NotFound)?;
    let why = Purpose::of_name(&form.why).ok_or(Refusal::Bad)?;
    let (text, now, by) = (&ENGLISH.people, desk.now(), login.staff.id);
    let person = desk.run(move |store| store.person(id)?.ok_or(Refusal::NotFound)).await?;
    // Where a number is on record, none that can be read does not fit either.
    let number = form.hash(&desk).ok();
    let (requested, code) = staffing::request_login(&desk.handle, id, number, by, now).await?;
    let invitation = match requested {
        LoginRequested::Made(invitation) => invitation,
        LoginRequested::Unknown => return Err(Refusal::NotFound),
        LoginRequested::TooMany => {
            let draft = form.draft(Part::Invite, text.invite_too_many);
            return show_person(&desk, &login, id, why, None, draft).await;
        }
        LoginRequested::Differs => {
            let draft = form.draft(Part::Invite, text.invite_number);
            return show_person(&desk, &login, id, why, None, draft).await;
        }
    };
    let link = staffing::link(&desk.handle, &code);
    Ok(show(&SlipPage {
        page: page(&desk, &login, people::PATH, text.slip_title),
        name: person.name.as_str().to_owned(),
        code: code.spelled(),
        drawing: draw(&link)?,
        link,
        good: good(&invitation, now),
        waits: !invitation.is_open(now),
        back: path(id, why),
    }))
}

/// From when on a code is good, as it stands on the slip.
fn good(invitation: &Invitation, now: Timestamp) -> String {
    let text = &ENGLISH.people;
    match invitation.opens {
        None => text.slip_confirmed.to_owned(),
        Some(opens) if opens <= now => text.slip_now.to_owned(),
        Some(opens) => fill(text.slip_later, "moment", utc(opens)),
    }
}

#[derive(Deserialize)]
struct Confirmed {
    why: String,
    /// Of the code that was looked at: another may have taken its place.
    code: String,
}

/// `POST /operator/people/{id}/confirm`: a second member of staff says that it is right.
async fn confirm(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    signed: SignedForm<StaffLogin, Confirmed>,
) -> Result<Response, Refusal> {
    let SignedForm { login, form } = signed;
    login.may(Permission::ConfirmLogins)?;
    let id: PersonId = id.parse().map_err(|_| Refusal::NotFound)?;
    let why = Purpose::of_name(&form.why).ok_or(Refusal::Bad)?;
    let hash = hex::decode(&form.code).map(InvitationHash::from_bytes).map_err(|_| Refusal::Bad)?;
    let (by, now) = (login.staff.id, desk.now());
    let confirmed = desk.run(move |store| Ok(store.confirm_login(hash, by, now)?)).await?;
    let done = match confirmed {
        LoginConfirmed::Done => "confirmed",
        LoginConfirmed::Unknown => "confirmed-late",
        LoginConfirmed::Own => return Err(Refusal::Forbidden),
    };
    Ok(see(&format!("{}&done={done}", path(id, why))))
}

/// A code that waits, on its person's page.
pub(super) struct Waiting {
    pub(super) said: String,
    /// Names it, for whoever may confirm it: whoever made it may not.
    pub(super) code: Option<String>,
}

/// What is to be said of a code, unless it is good already.
pub(super) fn waiting(
    invitation: &Invitation,
    staff: &[Staff],
    login: &StaffLogin,
    now: Timestamp,
) -> Option<Waiting> {
    if invitation.is_open(now) || !login.staff.role.may(Permission::ConfirmLogins) {
        return None;
    }
    let text = &ENGLISH.people;
    let maker = invitation.by.and_then(|by| name_of(staff, by)).unwrap_or("?");
    let said = match invitation.opens {
        None => text.waits_confirmed.to_owned(),
        Some(opens) => fill(text.waits_until, "moment", utc(opens)),
    };
    let is_own = invitation.by == Some(login.staff.id);
    Some(Waiting {
        said: fill(&said, "staff", maker),
        code: (!is_own).then(|| hex::encode(&invitation.hash.bytes())),
    })
}

/// A code that waits, in the list of all.
pub(super) struct WaitingRow {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) account: String,
    pub(super) maker: String,
    pub(super) ends: String,
}

/// The row of a code that waits.
pub(super) fn waiting_row(invitation: &Invitation, person: &Person, staff: &[Staff]) -> WaitingRow {
    let maker = invitation.by.and_then(|by| name_of(staff, by)).unwrap_or_default();
    WaitingRow {
        path: format!("{}#waits", path(person.id, Purpose::Served)),
        name: person.name.as_str().to_owned(),
        account: person.account.to_string(),
        maker: maker.to_owned(),
        ends: utc(invitation.expires),
    }
}
