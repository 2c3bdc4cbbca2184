//! Coming in with a code: staff to their first passkey, and whoever lost theirs to a new one. And stopping a code that somebody
//! else asked for.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use tacit_service::desk::login::{Accepted, Invitation, InvitationCode, Passkey, Session};
use tacit_service::desk::person::Name;
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::desk::{DeskStore, Owner};

use super::{enter, new_session_key, passkeys, see};
use crate::desk::Desk;
use crate::desk::page::{Page, PasskeyForm};
use crate::desk::passkey::{Ceremony, Created, Question};
use crate::desk::refusal::Refusal;
use crate::desk::session::{Empty, PersonLogin, ScriptJson, SignedForm};
use crate::text::ENGLISH;

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    page: Page,
    form: PasskeyForm,
}

/// `GET /invitation`. The code stands behind the `#` of the link: the script puts it into the form.
pub(super) async fn show(State(desk): State<Desk>) -> Response {
    let page = Page::new(&desk, "/invitation", ENGLISH.portal.invitation_title).with_script();
    let form = PasskeyForm { what: "create", path: "/invitation", token: String::new() };
    crate::desk::page::show(&InvitationPage { page, form })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Coded {
    code: String,
    label: String,
}

/// `POST /invitation/begin`.
pub(super) async fn begin(
    State(desk): State<Desk>,
    ScriptJson(coded): ScriptJson<Coded>,
) -> Result<Json<Question>, Refusal> {
    passkeys::take_turn(&desk)?;
    let hash = InvitationCode::read(&coded.code).map_err(|_| Refusal::Invitation)?.hash();
    let label = passkeys::label(&coded.label)?;
    let now = desk.now();
    let (invitation, name) = desk
        .run(move |store| {
            let invitation = store.invitation(hash, now)?.ok_or(Refusal::Invitation)?;
            if !invitation.is_open(now) {
                return Err(Refusal::InvitationEarly);
            }
            let name = name_of(store, &invitation)?.ok_or(Refusal::Invitation)?;
            Ok((invitation, name))
        })
        .await?;
    let owner = invitation.owner;
    // What the owner had is void afterwards, so their devices may make another of the same.
    let question = desk.handle.passkeys.ask_for_new(owner, &name, Vec::new(), now, |state| {
        Ceremony::Accept { hash, owner, label, state }
    });
    question.map(Json)
}

/// `POST /portal/stop-login`: whoever has the account did not ask for a code. A second click finds none.
pub(super) async fn stop(
    State(desk): State<Desk>,
    signed: SignedForm<PersonLogin, Empty>,
) -> Result<Response, Refusal> {
    let (id, now) = (signed.login.person.id, desk.now());
    desk.run(move |store| Ok(store.stop_login(id, now)?)).await?;
    Ok(see("/portal?done=login-stopped"))
}

fn name_of(store: &mut dyn DeskStore, invitation: &Invitation) -> Result<Option<Name>, Refusal> {
    Ok(match invitation.owner {
        Owner::Person(id) => store.person(id)?.map(|person| person.name),
        Owner::Staff(id) => store.staff(id)?.map(|staff| staff.name),
    })
}

/// `POST /invitation/finish`.
pub(super) async fn finish(
    State(desk): State<Desk>,
    ScriptJson(answer): ScriptJson<Created>,
) -> Result<Response, Refusal> {
    let now = desk.now();
    let Ceremony::Accept { hash, owner, label, state } = desk.handle.passkeys.take(&answer, now)?
    else {
        return Err(Refusal::Ceremony);
    };
    let (credential, record) = desk.handle.passkeys.created(&answer.credential, &state)?;
    let key = new_session_key()?;
    let session = Session::begin(&key, owner, now);
    let passkey =
        Passkey { credential, owner, record, label, added: now.day(), last_used: Some(now.day()) };
    let staff = match owner {
        Owner::Staff(id) => Some(id),
        Owner::Person(_) => None,
    };
    let deed = Deed::about(now, staff, Action::InvitationAccepted, owner);
    let accepted =
        desk.run(move |store| Ok(store.accept(hash, &passkey, &session, now, &deed)?)).await?;
    match accepted {
        Accepted::Done => Ok(enter(&desk, owner.kind(), &key)),
        Accepted::Unknown => Err(Refusal::Invitation),
        Accepted::Taken => Err(Refusal::PasskeyTaken),
    }
}
