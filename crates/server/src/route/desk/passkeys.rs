//! Passkeys of whoever is logged in, and logging in, alike for every kind of owner.

use serde::Deserialize;
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_service::desk::Owner;
use tacit_service::desk::login::{
    CredentialId, Label, LogIn, LoggedIn, Passkey, PasskeyAdded, PasskeyRemoved, Session,
    SessionKey,
};
use tacit_service::desk::person::Name;
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::desk::{DeskStore, OwnerKind};

use super::new_session_key;
use crate::desk::Desk;
use crate::desk::passkey::{Ceremony, Created, Question, Used};
use crate::desk::refusal::Refusal;
use crate::desk::session::Login;
use crate::text::{ENGLISH, fill};

/// Somebody's passkeys, as the page lists them.
pub(super) struct Passkeys {
    pub(super) path: &'static str,
    pub(super) rows: Vec<PasskeyRow>,
}

/// A passkey, as the page shows it.
pub(super) struct PasskeyRow {
    pub(super) label: String,
    pub(super) added: String,
    pub(super) used: String,
    /// What it calls itself, in hexadecimal.
    pub(super) credential: String,
}

/// What a new passkey is to be called.
#[derive(Deserialize)]
pub(super) struct Named {
    label: String,
}

/// Which passkey is to go.
#[derive(Deserialize)]
pub(super) struct Which {
    credential: String,
}

impl Passkeys {
    pub(super) fn of(passkeys: Vec<Passkey>, path: &'static str) -> Self {
        let text = &ENGLISH.portal;
        let row = |passkey: Passkey| PasskeyRow {
            label: passkey.label.as_str().to_owned(),
            added: fill(text.passkey_added, "day", passkey.added),
            used: match passkey.last_used {
                Some(day) => fill(text.passkey_used, "day", day),
                None => text.passkey_unused.to_owned(),
            },
            credential: hex::encode(passkey.credential.bytes()),
        };
        Self { path, rows: passkeys.into_iter().map(row).collect() }
    }
}

/// What somebody wants a passkey to be called.
pub(super) fn label(text: &str) -> Result<Label, Refusal> {
    Label::new(text).map_err(|why| Refusal::Field(fill(ENGLISH.refusal.label, "why", why)))
}

/// Asks for a passkey to log in with.
pub(super) fn begin_sign_in(desk: &Desk, kind: OwnerKind) -> Result<Question, Refusal> {
    take_turn(desk)?;
    desk.handle.passkeys.ask_for_any(kind, desk.now())
}

/// Takes one of the turns that ceremonies have in a second.
pub(super) fn take_turn(desk: &Desk) -> Result<(), Refusal> {
    desk.handle.logins.take().map_err(|too_fast| {
        desk.shared.metrics.add(crate::metric::Counter::Limited, 1);
        Refusal::TooFast(too_fast.seconds())
    })
}

/// Logs somebody of this kind in, and returns the session's key.
pub(super) async fn finish_sign_in(
    desk: &Desk,
    kind: OwnerKind,
    answer: Used,
) -> Result<SessionKey, Refusal> {
    let now = desk.now();
    let Ceremony::SignIn { kind: begun, state } = desk.handle.passkeys.take(&answer, now)? else {
        return Err(Refusal::Ceremony);
    };
    if begun != kind {
        return Err(Refusal::Ceremony);
    }
    let key = new_session_key()?;
    let handle = std::sync::Arc::clone(&desk.handle);
    desk.run(move |store| {
        let id = CredentialId::new(answer.credential.get_credential_id().to_vec());
        let credential = id.ok_or(Refusal::Passkey)?;
        let known = store.passkey(&credential)?.filter(|known| known.owner.kind() == kind);
        let known = known.ok_or(Refusal::Passkey)?;
        let record =
            handle.passkeys.used(&answer.credential, *state, &known.record, known.owner)?;
        let session = Session::begin(&key, known.owner, now);
        let log_in = LogIn { credential, record, day: now.day(), session };
        let deed = deed_of(known.owner, now, Action::StaffLoggedIn, "");
        match store.log_in(&log_in, deed.as_ref())? {
            LoggedIn::Done => Ok(key),
            LoggedIn::Refused => Err(Refusal::Passkey),
        }
    })
    .await
}

/// What the trail notes of somebody's own doing: of staff's, something; of people's, nothing.
fn deed_of(owner: Owner, moment: Timestamp, action: Action, detail: &str) -> Option<Deed> {
    let Owner::Staff(id) = owner else { return None };
    let deed = Deed::about(moment, Some(id), action, owner);
    Some(Deed { detail: detail.to_owned(), ..deed })
}

/// Asks for another passkey of whoever is logged in.
pub(super) async fn begin_add<L: Login>(
    desk: &Desk,
    login: &L,
    name: &Name,
    named: &Named,
) -> Result<Question, Refusal> {
    take_turn(desk)?;
    let (owner, label) = (login.owner(), label(&named.label)?);
    let known = desk.run(move |store| Ok(store.passkeys(owner)?)).await?;
    let known = known.into_iter().map(|passkey| passkey.credential).collect();
    desk.handle.passkeys.ask_for_new(owner, name, known, desk.now(), |state| Ceremony::Add {
        owner,
        label,
        state,
    })
}

/// Adds it.
pub(super) async fn finish_add<L: Login>(
    desk: &Desk,
    login: &L,
    answer: Created,
) -> Result<(), Refusal> {
    let now = desk.now();
    let Ceremony::Add { owner, label, state } = desk.handle.passkeys.take(&answer, now)? else {
        return Err(Refusal::Ceremony);
    };
    if owner != login.owner() {
        return Err(Refusal::Ceremony);
    }
    let (credential, record) = desk.handle.passkeys.created(&answer.credential, &state)?;
    let deed = deed_of(owner, now, Action::PasskeyAdded, label.as_str());
    let passkey = Passkey { credential, owner, record, label, added: now.day(), last_used: None };
    let added = desk.run(move |store| Ok(store.add_passkey(&passkey, deed.as_ref())?)).await?;
    match added {
        PasskeyAdded::Done => Ok(()),
        PasskeyAdded::Taken => Err(Refusal::PasskeyTaken),
        PasskeyAdded::TooMany => Err(Refusal::PasskeysFull),
    }
}

/// Removes one.
pub(super) async fn remove<L: Login>(desk: &Desk, login: &L, which: &Which) -> Result<(), Refusal> {
    let credential = read_credential(&which.credential).ok_or(Refusal::PasskeyUnknown)?;
    let (owner, keep) = (login.owner(), login.key().hash());
    let deed = deed_of(owner, desk.now(), Action::PasskeyRemoved, "");
    let work = move |store: &mut dyn DeskStore| {
        Ok(store.remove_passkey(owner, &credential, keep, deed.as_ref())?)
    };
    match desk.run(work).await? {
        PasskeyRemoved::Done => Ok(()),
        PasskeyRemoved::Unknown => Err(Refusal::PasskeyUnknown),
        PasskeyRemoved::Last => Err(Refusal::PasskeyLast),
    }
}

fn read_credential(text: &str) -> Option<CredentialId> {
    let bytes: Option<Vec<u8>> = text
        .as_bytes()
        .chunks(2)
        .map(|pair| hex::decode::<1>(std::str::from_utf8(pair).ok()?).ok().map(|[byte]| byte))
        .collect();
    CredentialId::new(bytes?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_in_a_form_is_read_back() {
        let id = CredentialId::new(vec![0, 1, 254]).unwrap();
        assert_eq!(read_credential("0001fe"), Some(id));
        for text in ["", "0", "0x", "ää", "000"] {
            assert_eq!(read_credential(text), None, "{text}");
        }
    }
}
