//! Passkeys (WebAuthn Level 2): what is asked of a device, and whether what it answers is right.
//!
//! A ceremony has two halves, a question and an answer. What the desk must remember in between stays here in memory, for
//! five minutes, and is used once. Passkeys are discoverable, so that nobody types a name to log in, and they verify who
//! unlocks them. No maker of devices is asked to vouch for them: which phone somebody has is not the desk's business.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_service::desk::login::{CredentialId, InvitationHash, Label};
use tacit_service::desk::person::{Name, PersonId};
use tacit_service::desk::{Owner, OwnerKind};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

use super::refusal::Refusal;
use crate::origin::Origin;
use crate::random;

/// How long a ceremony may take.
const CEREMONY: Duration = Duration::from_secs(5 * 60);

/// How many may be under way. The oldest goes first: a flood costs those their patience who take longest, and no memory.
const CEREMONIES_MAX: usize = 10_000;

/// All that passkeys need.
pub(crate) struct Passkeys {
    webauthn: Webauthn,
    under_way: Mutex<UnderWay>,
}

/// What a device is asked for, and for whom.
pub(crate) enum Ceremony {
    /// Somebody comes.
    SignUp { id: PersonId, name: Name, state: PasskeyRegistration },
    /// Somebody who is logged in adds a passkey.
    Add { owner: Owner, label: Label, state: PasskeyRegistration },
    /// Somebody comes with an invitation.
    Accept { hash: InvitationHash, owner: Owner, label: Label, state: PasskeyRegistration },
    /// Somebody logs in.
    SignIn { kind: OwnerKind, state: Box<DiscoverableAuthentication> },
}

/// A question to a device, as the script wants it.
#[derive(serde::Serialize)]
pub(crate) struct Question {
    /// Names the ceremony.
    ceremony: String,
    /// What goes to `navigator.credentials`, bytes in base64url.
    options: Value,
}

/// An answer of a device.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer<C> {
    ceremony: String,
    pub(crate) credential: C,
}

/// A new passkey, as a device answers.
pub(crate) type Created = Answer<RegisterPublicKeyCredential>;

/// A passkey that was used, as a device answers.
pub(crate) type Used = Answer<PublicKeyCredential>;

#[derive(Default)]
struct UnderWay {
    ceremonies: HashMap<[u8; 16], (Timestamp, Ceremony)>,
    /// In the order they began.
    order: VecDeque<[u8; 16]>,
}

impl Passkeys {
    pub(super) fn new(origin: &Origin) -> Result<Self, WebauthnError> {
        let url = Url::parse(&origin.to_string()).map_err(|_| WebauthnError::Configuration)?;
        let webauthn =
            WebauthnBuilder::new(origin.host(), &url)?.rp_name("Tacit").timeout(CEREMONY);
        Ok(Self { webauthn: webauthn.build()?, under_way: Mutex::default() })
    }

    /// Asks for a new passkey. `known`: those its owner has, which their devices refuse to make again.
    ///
    /// # Errors
    /// [`Refusal::Internal`].
    pub(crate) fn ask_for_new(
        &self,
        owner: Owner,
        name: &Name,
        known: Vec<CredentialId>,
        now: Timestamp,
        ceremony: impl FnOnce(PasskeyRegistration) -> Ceremony,
    ) -> Result<Question, Refusal> {
        let known = known.into_iter().map(|id| id.bytes().to_vec()).collect();
        let id = Uuid::from_bytes(owner.id());
        let begun =
            self.webauthn.start_passkey_registration(id, name.as_str(), name.as_str(), Some(known));
        let (challenge, state) = begun.map_err(|error| Refusal::internal(&error))?;
        let mut options = serde_json::to_value(&challenge.public_key)
            .map_err(|error| Refusal::internal(&error))?;
        // The library asks for passkeys that may be discoverable; here they have to be.
        let selection = json!({
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required"
        });
        options["authenticatorSelection"] = selection;
        self.remember(ceremony(state), options, now)
    }

    /// Asks for any passkey that belongs here.
    ///
    /// # Errors
    /// [`Refusal::Internal`].
    pub(crate) fn ask_for_any(&self, kind: OwnerKind, now: Timestamp) -> Result<Question, Refusal> {
        let begun = self.webauthn.start_discoverable_authentication();
        let (challenge, state) = begun.map_err(|error| Refusal::internal(&error))?;
        let options = serde_json::to_value(&challenge.public_key)
            .map_err(|error| Refusal::internal(&error))?;
        self.remember(Ceremony::SignIn { kind, state: Box::new(state) }, options, now)
    }

    fn remember(
        &self,
        ceremony: Ceremony,
        options: Value,
        now: Timestamp,
    ) -> Result<Question, Refusal> {
        let id: [u8; 16] = random::bytes().map_err(|error| Refusal::internal(&error))?;
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.forget_until(now);
        under_way.order.push_back(id);
        under_way.ceremonies.insert(id, (now.after(CEREMONY), ceremony));
        Ok(Question { ceremony: hex::encode(&id), options })
    }

    /// The ceremony that an answer is to, which nobody can answer again.
    ///
    /// # Errors
    /// [`Refusal::Ceremony`] if there is none, or no longer.
    pub(crate) fn take<C>(&self, answer: &Answer<C>, now: Timestamp) -> Result<Ceremony, Refusal> {
        let id: [u8; 16] = hex::decode(&answer.ceremony).map_err(|_| Refusal::Ceremony)?;
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = under_way.ceremonies.remove(&id);
        taken
            .filter(|(until, _)| now <= *until)
            .map(|(_, ceremony)| ceremony)
            .ok_or(Refusal::Ceremony)
    }

    /// The passkey that a device made, with what is kept of it.
    ///
    /// # Errors
    /// [`Refusal::Passkey`] if it is not what was asked for.
    pub(crate) fn created(
        &self,
        credential: &RegisterPublicKeyCredential,
        state: &PasskeyRegistration,
    ) -> Result<(CredentialId, String), Refusal> {
        let made = self.webauthn.finish_passkey_registration(credential, state);
        let made = made.map_err(|_| Refusal::Passkey)?;
        let id = CredentialId::new(made.cred_id().to_vec()).ok_or(Refusal::Passkey)?;
        Ok((id, record(&made)?))
    }

    /// Holds what a device signed against the passkey it names; returns what is kept of it from now on.
    ///
    /// `kept`: what was kept of it, `owner`: whose it is, whom the device has to name as well.
    ///
    /// # Errors
    /// [`Refusal::Passkey`] if anything does not fit.
    pub(crate) fn used(
        &self,
        credential: &PublicKeyCredential,
        state: DiscoverableAuthentication,
        kept: &str,
        owner: Owner,
    ) -> Result<String, Refusal> {
        if credential.get_user_unique_id() != Some(&owner.id()) {
            return Err(Refusal::Passkey);
        }
        let mut known: Passkey =
            serde_json::from_str(kept).map_err(|error| Refusal::internal(&error))?;
        let used = self.webauthn.finish_discoverable_authentication_v2(credential, state, &known);
        let used = used.map_err(|_| Refusal::Passkey)?;
        if !used.user_verified() {
            return Err(Refusal::Passkey);
        }
        known.update_credential(&used);
        record(&known)
    }
}

impl UnderWay {
    /// Forgets what has ended by `now`, and the oldest if there are too many.
    fn forget_until(&mut self, now: Timestamp) {
        while let Some(oldest) = self.order.front() {
            let is_over = self.ceremonies.get(oldest).is_none_or(|(until, _)| *until < now);
            if !is_over && self.order.len() < CEREMONIES_MAX {
                return;
            }
            self.ceremonies.remove(oldest);
            self.order.pop_front();
        }
    }
}

fn record(passkey: &Passkey) -> Result<String, Refusal> {
    serde_json::to_string(passkey).map_err(|error| Refusal::internal(&error))
}
