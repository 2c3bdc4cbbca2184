//! How somebody logs in: with a passkey, which opens a session; and how they come by their first passkey, or by a new one.
//!
//! A passkey's secret never leaves the device it was made on, so that nothing kept here opens anything. Of sessions and
//! invitations only hashes are kept, so that whoever reads the database cannot take one over. There are no passwords.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};

use super::spelling;
use super::staff::StaffId;
use super::trail::Deed;
use super::{Owner, OwnerKind, TextError, one_line};
use crate::vault::StoreError;

/// What a passkey calls itself (WebAuthn, "credential ID"): at most [`CredentialId::MAX`] bytes, chosen by the device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CredentialId(Vec<u8>);

/// What the owner of a passkey calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(String);

/// A passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// What it calls itself.
    pub credential: CredentialId,
    /// Whose it is.
    pub owner: Owner,
    /// Its public key, its counter and what else is needed to check it, in JSON.
    pub record: String,
    /// What its owner calls it.
    pub label: Label,
    /// The day it was made.
    pub added: Day,
    /// The day it was last used; never finer.
    pub last_used: Option<Day>,
}

/// What a browser holds while somebody is logged in: 32 random bytes.
#[derive(Clone, Debug)]
pub struct SessionKey(Secret<[u8; 32]>);

/// SHA-256 of a session's key: all that is kept of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionHash([u8; 32]);

/// Somebody is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Of its key.
    pub hash: SessionHash,
    /// Who.
    pub owner: Owner,
    /// It ends then, if nothing is asked before.
    pub idle_until: Timestamp,
    /// It ends then, whatever is asked.
    pub ends: Timestamp,
}

/// What an invitation is opened with: 10 random bytes, which a link or a slip of paper carries in 16 letters and digits.
/// It is tried here and nowhere else, for a day: 80 bits are not guessed.
#[derive(Clone, Debug)]
pub struct InvitationCode(Secret<[u8; 10]>);

/// Why a text is no code of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code is 16 letters and digits, such as 7K2M-9XPQ-R4TV-0ABC")]
pub struct CodeError;

/// SHA-256 of an invitation's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InvitationHash([u8; 32]);

/// Whoever comes with the code may make a passkey for its owner, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Of its code.
    pub hash: InvitationHash,
    /// Whose passkey it leads to.
    pub owner: Owner,
    /// It is good from then on; `None`: once a second member of staff has confirmed it.
    pub opens: Option<Timestamp>,
    /// It is worth nothing from then on.
    pub expires: Timestamp,
    /// Who made it, of staff: somebody else has to confirm it.
    pub by: Option<StaffId>,
}

/// A passkey was used well.
#[derive(Clone, Debug)]
pub struct LogIn {
    /// Which.
    pub credential: CredentialId,
    /// What is to be kept of it from now on.
    pub record: String,
    /// The day.
    pub day: Day,
    /// The session it opens.
    pub session: Session,
}

/// What became of a log-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoggedIn {
    /// The session is open.
    Done,
    /// The passkey was removed meanwhile, or its owner may no longer log in.
    Refused,
}

/// What became of a new passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyAdded {
    /// It is its owner's.
    Done,
    /// A passkey that calls itself so is there already.
    Taken,
    /// Its owner has as many as they may have.
    TooMany,
}

/// What became of a passkey that was to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyRemoved {
    /// It is gone, with every session but the one that asked for it.
    Done,
    /// Its owner has none of that name.
    Unknown,
    /// It is the last: without it, there would be no way in.
    Last,
}

/// What became of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The passkey is made, the session open, the invitation used up.
    Done,
    /// It was used before, has expired, is not good yet, or never was; or its owner may not log in.
    Unknown,
    /// A passkey that calls itself so is there already.
    Taken,
}

/// What the desk keeps of logins.
pub trait LoginStore {
    /// The passkey that calls itself so.
    ///
    /// # Errors
    /// [`StoreError`]
    fn passkey(&mut self, credential: &CredentialId) -> Result<Option<Passkey>, StoreError>;

    /// Somebody's passkeys, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn passkeys(&mut self, owner: Owner) -> Result<Vec<Passkey>, StoreError>;

    /// Opens a session. Of staff, the trail notes it.
    ///
    /// # Errors
    /// [`StoreError`]
    fn log_in(&mut self, log_in: &LogIn, deed: Option<&Deed>) -> Result<LoggedIn, StoreError>;

    /// Adds a passkey to those its owner has.
    ///
    /// # Errors
    /// [`StoreError`]
    fn add_passkey(
        &mut self,
        passkey: &Passkey,
        deed: Option<&Deed>,
    ) -> Result<PasskeyAdded, StoreError>;

    /// Removes one of somebody's passkeys, never the last, and ends all their sessions but `keep`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn remove_passkey(
        &mut self,
        owner: Owner,
        credential: &CredentialId,
        keep: SessionHash,
        deed: Option<&Deed>,
    ) -> Result<PasskeyRemoved, StoreError>;

    /// The session of this key, if it has not ended by `now` and its owner may still log in.
    ///
    /// # Errors
    /// [`StoreError`]
    fn session(&mut self, hash: SessionHash, now: Timestamp)
    -> Result<Option<Session>, StoreError>;

    /// Something was asked in it: it goes on until then, never beyond its end.
    ///
    /// # Errors
    /// [`StoreError`]
    fn keep_session(&mut self, hash: SessionHash, idle_until: Timestamp) -> Result<(), StoreError>;

    /// Ends a session, if it is there.
    ///
    /// # Errors
    /// [`StoreError`]
    fn log_out(&mut self, hash: SessionHash) -> Result<(), StoreError>;

    /// Ends all sessions of somebody. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`]
    fn log_out_everywhere(&mut self, owner: Owner) -> Result<u64, StoreError>;

    /// Lets somebody make a passkey: staff their first, or whoever lost theirs. An earlier invitation of theirs is void.
    /// `false` if there is nobody of that name who may log in. For people, [`super::recovery`] decides from when on.
    ///
    /// # Errors
    /// [`StoreError`]
    fn invite(&mut self, invitation: &Invitation, deed: &Deed) -> Result<bool, StoreError>;

    /// The invitation of this code, if it is worth something at `now`, or will be.
    ///
    /// # Errors
    /// [`StoreError`]
    fn invitation(
        &mut self,
        hash: InvitationHash,
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError>;

    /// Uses an invitation up at `now`: this passkey takes the place of all that its owner had, for whoever has lost one does
    /// not know who found it; their sessions end, this one begins.
    ///
    /// # Errors
    /// [`StoreError`]
    fn accept(
        &mut self,
        hash: InvitationHash,
        passkey: &Passkey,
        session: &Session,
        now: Timestamp,
        deed: &Deed,
    ) -> Result<Accepted, StoreError>;

    /// Forgets sessions and invitations that have ended. Returns how many there were.
    ///
    /// # Errors
    /// [`StoreError`]
    fn sweep(&mut self, now: Timestamp) -> Result<u64, StoreError>;
}

/// Letters and digits of a code.
const LENGTH: usize = 16;

/// Passkeys somebody may have.
pub const PASSKEYS_MAX: usize = 10;

/// What is good at once was good before: its row keeps no moment that it was made at.
pub const ALREADY: Timestamp = Timestamp::from_seconds(0);

/// How long an invitation is worth something.
pub const INVITATION_LIFE: Duration = Duration::from_secs(24 * 3600);

impl CredentialId {
    /// Bytes it may have (WebAuthn Level 2, section 4).
    pub const MAX: usize = 1023;

    /// The name of these bytes; `None` if there are none, or too many.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (1..=Self::MAX).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Label {
    /// Characters it may have.
    pub const MAX: usize = 40;

    /// A label as somebody wrote it.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        one_line(text, Self::MAX).map(Self)
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SessionKey {
    /// The key of these random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Its bytes, for the cookie.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// What is kept of it.
    pub fn hash(&self) -> SessionHash {
        SessionHash(Sha256::digest(self.0.expose()).into())
    }

    /// What a form must carry that was made for this session. Another site can send the cookie, and cannot know this.
    pub fn form_token(&self) -> Secret<[u8; 32]> {
        let hash = Sha256::new().chain_update(b"tacit/desk/form/v1").chain_update(self.0.expose());
        Secret::new(hash.finalize().into())
    }
}

impl SessionHash {
    /// The hash of these bytes, as it was kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(self) -> [u8; 32] {
        self.0
    }
}

impl Session {
    /// A session that begins at `now`.
    pub fn begin(key: &SessionKey, owner: Owner, now: Timestamp) -> Self {
        let life = Life::of(owner.kind());
        Self {
            hash: key.hash(),
            owner,
            idle_until: life.idle_until(now),
            ends: in_steps(now.after(life.whole)),
        }
    }

    /// Until when it goes on if something is asked at `now`; `None` if that is what is kept of it already.
    pub fn prolonged(&self, now: Timestamp) -> Option<Timestamp> {
        let until = Life::of(self.owner.kind()).idle_until(now);
        (self.idle_until < until).then_some(until)
    }
}

/// How long sessions last.
struct Life {
    /// Without anything being asked.
    idle: Duration,
    /// In all.
    whole: Duration,
}

impl Life {
    const fn of(kind: OwnerKind) -> Self {
        match kind {
            OwnerKind::Person => {
                Self { idle: Duration::from_secs(30 * 60), whole: Duration::from_secs(12 * 3600) }
            }
            // A console is left alone in a room where others pass.
            OwnerKind::Staff => {
                Self { idle: Duration::from_secs(15 * 60), whole: Duration::from_secs(9 * 3600) }
            }
        }
    }

    fn idle_until(&self, now: Timestamp) -> Timestamp {
        in_steps(now.after(self.idle))
    }
}

/// Rounded up to five minutes, so that the row tells no finer when somebody came or last asked something, and is not
/// written for each page.
fn in_steps(moment: Timestamp) -> Timestamp {
    const STEP: u64 = 5 * 60;
    Timestamp::from_seconds(moment.seconds().div_ceil(STEP) * STEP)
}

impl InvitationCode {
    /// The code of these random bytes.
    pub fn from_random(bytes: [u8; 10]) -> Self {
        Self(Secret::new(bytes))
    }

    /// As it is written: 16 letters and digits in groups of four.
    pub fn spelled(&self) -> String {
        let bits = self.0.expose().iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        spelling::spelled(bits, LENGTH, 4, '-')
    }

    /// The code somebody wrote, in either case, with dashes and blanks or without; `O` is taken for 0, `I` and `L` for 1.
    ///
    /// # Errors
    /// [`CodeError`].
    pub fn read(text: &str) -> Result<Self, CodeError> {
        let bits = spelling::read(text, LENGTH).ok_or(CodeError)?;
        let bytes = bits.to_be_bytes();
        Ok(Self::from_random(bytes[6..].try_into().expect("16 bytes less 6")))
    }

    /// What is kept of it.
    pub fn hash(&self) -> InvitationHash {
        InvitationHash(Sha256::digest(self.0.expose()).into())
    }
}

impl Invitation {
    /// Whether it is good at `now`, if it has not expired.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.opens.is_some_and(|opens| opens <= now)
    }
}

impl InvitationHash {
    /// The hash of these bytes, as it was kept.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(self) -> [u8; 32] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::person::PersonId;
    use super::*;

    #[test]
    fn a_session_is_prolonged_in_steps_and_not_for_each_question() {
        let key = SessionKey::from_random([1; 32]);
        let owner = Owner::Person(PersonId::from_bytes([2; 16]));
        let now = Timestamp::from_seconds(1_000_001);
        let session = Session::begin(&key, owner, now);
        assert_eq!(session.ends, Timestamp::from_seconds(1_043_400)); // 12 hours on, and up to full five minutes.
        assert!(session.idle_until.seconds().is_multiple_of(300));
        assert!(now.after(Duration::from_secs(30 * 60)) <= session.idle_until);
        assert_eq!(session.prolonged(now), None);
        let later = now.after(Duration::from_secs(600));
        assert_eq!(
            session.prolonged(later),
            Some(session.idle_until.after(Duration::from_secs(600)))
        );
    }

    #[test]
    fn what_forms_carry_is_not_what_is_kept() {
        let key = SessionKey::from_random([1; 32]);
        assert_ne!(*key.form_token().expose(), key.hash().bytes());
        assert_ne!(key.form_token(), SessionKey::from_random([2; 32]).form_token());
        assert!(!format!("{key:?}").contains('1'));
    }

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = InvitationCode::from_random([0, 1, 2, 3, 0x7f, 0x80, 0xfd, 0xfe, 0xff, 9]);
        let spelled = code.spelled();
        assert_eq!(spelled.len(), 19);
        for text in [
            spelled.clone(),
            spelled.to_lowercase(),
            spelled.replace('-', " "),
            spelled.replace('0', "o"),
        ] {
            assert_eq!(InvitationCode::read(&text).unwrap().hash(), code.hash(), "{text}");
        }
        for text in [
            "",
            "0123-4567-89AB-CDE",
            "0123-4567-89AB-CDEFG",
            "0123-4567-89AB-CDEU",
            "ä123-4567-89AB-CDEF",
        ] {
            assert_eq!(InvitationCode::read(text).err(), Some(CodeError), "{text}");
        }
    }

    #[test]
    fn a_credential_has_a_name_of_some_length() {
        assert_eq!(CredentialId::new(Vec::new()), None);
        assert_eq!(CredentialId::new(vec![0; 1024]), None);
        assert!(CredentialId::new(vec![0; 1023]).is_some());
    }
}
