//! Logins' SQL: passkeys, sessions, invitations.

use tacit_core::time::{Day, Timestamp};
use tacit_service::desk::Owner;
use tacit_service::desk::login::{
    Accepted, CredentialId, Invitation, InvitationHash, Label, LogIn, LoggedIn, LoginStore,
    PASSKEYS_MAX, Passkey, PasskeyAdded, PasskeyRemoved, Session, SessionHash,
};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::Deed;
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{day, moment, owner, read_day, read_moment, read_owner};
use super::{Desk, biller, trail};

const UNREADABLE: Fault = Fault::Malformed("a row of a login cannot be read");

/// How long a contract that has ended is kept: two years and a month.
const CONTRACT_DAYS: u64 = 25 * 31;

impl<E: Engine> LoginStore for Desk<E> {
    fn passkey(&mut self, credential: &CredentialId) -> Result<Option<Passkey>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT credential, owner_kind, owner, record, label, added, last_used FROM passkey
                       WHERE credential = ?1";
            let rows = statements.query(sql, &[credential.bytes().into()])?;
            rows.first().map(read_passkey).transpose()
        })
    }

    fn passkeys(&mut self, of: Owner) -> Result<Vec<Passkey>, StoreError> {
        self.change(|statements| passkeys(statements, of))
    }

    fn log_in(&mut self, log_in: &LogIn, deed: Option<&Deed>) -> Result<LoggedIn, StoreError> {
        self.change(|statements| {
            let [kind, id] = owner(log_in.session.owner);
            let sql = "UPDATE passkey SET record = ?4, last_used = ?5
                       WHERE credential = ?1 AND owner_kind = ?2 AND owner = ?3";
            let parameters = [
                log_in.credential.bytes().into(),
                kind,
                id,
                log_in.record.as_str().into(),
                day(log_in.day),
            ];
            let may = may_log_in(statements, log_in.session.owner)?;
            if !may || statements.execute(sql, &parameters)? == 0 {
                return Ok(LoggedIn::Refused);
            }
            insert_session(statements, &log_in.session)?;
            note(statements, deed)?;
            Ok(LoggedIn::Done)
        })
    }

    fn add_passkey(
        &mut self,
        passkey: &Passkey,
        deed: Option<&Deed>,
    ) -> Result<PasskeyAdded, StoreError> {
        self.change(|statements| {
            if is_known(statements, &passkey.credential)? {
                return Ok(PasskeyAdded::Taken);
            }
            if PASSKEYS_MAX <= passkeys(statements, passkey.owner)?.len() {
                return Ok(PasskeyAdded::TooMany);
            }
            insert_passkey(statements, passkey)?;
            note(statements, deed)?;
            Ok(PasskeyAdded::Done)
        })
    }

    fn remove_passkey(
        &mut self,
        of: Owner,
        credential: &CredentialId,
        keep: SessionHash,
        deed: Option<&Deed>,
    ) -> Result<PasskeyRemoved, StoreError> {
        self.change(|statements| {
            let own = passkeys(statements, of)?;
            if own.iter().all(|passkey| passkey.credential != *credential) {
                return Ok(PasskeyRemoved::Unknown);
            }
            if own.len() == 1 {
                return Ok(PasskeyRemoved::Last);
            }
            let sql = "DELETE FROM passkey WHERE credential = ?1";
            statements.execute(sql, &[credential.bytes().into()])?;
            let [kind, id] = owner(of);
            let sql = "DELETE FROM session WHERE owner_kind = ?1 AND owner = ?2 AND hash <> ?3";
            statements.execute(sql, &[kind, id, Value::from(&keep.bytes())])?;
            note(statements, deed)?;
            Ok(PasskeyRemoved::Done)
        })
    }

    fn session(
        &mut self,
        hash: SessionHash,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT hash, owner_kind, owner, idle_until, ends FROM session
                       WHERE hash = ?1 AND idle_until > ?2 AND ends > ?2";
            let rows = statements.query(sql, &[Value::from(&hash.bytes()), moment(now)])?;
            let Some(session) = rows.first().map(read_session).transpose()? else {
                return Ok(None);
            };
            Ok(may_log_in(statements, session.owner)?.then_some(session))
        })
    }

    fn keep_session(&mut self, hash: SessionHash, idle_until: Timestamp) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "UPDATE session SET idle_until = ?2 WHERE hash = ?1 AND idle_until < ?2";
            statements.execute(sql, &[Value::from(&hash.bytes()), moment(idle_until)]).map(drop)
        })
    }

    fn log_out(&mut self, hash: SessionHash) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "DELETE FROM session WHERE hash = ?1";
            statements.execute(sql, &[Value::from(&hash.bytes())]).map(drop)
        })
    }

    fn log_out_everywhere(&mut self, of: Owner) -> Result<u64, StoreError> {
        self.change(|statements| end_sessions(statements, of))
    }

    fn invite(&mut self, invitation: &Invitation, deed: &Deed) -> Result<bool, StoreError> {
        self.change(|statements| {
            if !may_log_in(statements, invitation.owner)? {
                return Ok(false);
            }
            insert_invitation(statements, invitation)?;
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn invitation(
        &mut self,
        hash: InvitationHash,
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError> {
        self.change(|statements| read_invitation(statements, hash, now))
    }

    fn accept(
        &mut self,
        hash: InvitationHash,
        passkey: &Passkey,
        session: &Session,
        now: Timestamp,
        deed: &Deed,
    ) -> Result<Accepted, StoreError> {
        self.change(|statements| {
            let Some(invitation) = read_invitation(statements, hash, now)? else {
                return Ok(Accepted::Unknown);
            };
            if !invitation.is_open(now) {
                return Ok(Accepted::Unknown);
            }
            if invitation.owner != passkey.owner || invitation.owner != session.owner {
                return Ok(Accepted::Unknown);
            }
            if is_known(statements, &passkey.credential)? {
                return Ok(Accepted::Taken);
            }
            shut_out(statements, invitation.owner)?;
            // Whoever had the lost device may have made keys for programs with it.
            let sql = "UPDATE api_key SET revoked = 1
                       WHERE merchant IN (SELECT account FROM merchant WHERE owner = ?1)";
            statements.execute(sql, &owner(invitation.owner)[1..])?;
            insert_passkey(statements, passkey)?;
            insert_session(statements, session)?;
            trail::write(statements, deed)?;
            Ok(Accepted::Done)
        })
    }

    fn sweep(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        // By then the vault has dropped their bills, too.
        let ended = Day::from_number(now.day().number().saturating_sub(CONTRACT_DAYS));
        self.change(|statements| {
            biller::drop_ended(statements, ended)?;
            let now = [moment(now)];
            let sql = "DELETE FROM session WHERE idle_until <= ?1 OR ends <= ?1";
            let sessions = statements.execute(sql, &now)?;
            Ok(sessions + statements.execute("DELETE FROM invitation WHERE expires <= ?1", &now)?)
        })
    }
}

/// Whether there is a passkey that calls itself so.
pub(super) fn is_known(
    statements: &mut dyn Statements,
    credential: &CredentialId,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM passkey WHERE credential = ?1";
    Ok(!statements.query(sql, &[credential.bytes().into()])?.is_empty())
}

pub(super) fn insert_passkey(
    statements: &mut dyn Statements,
    passkey: &Passkey,
) -> Result<(), Fault> {
    let sql = "INSERT INTO passkey (credential, owner_kind, owner, record, label, added, last_used)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let [kind, id] = owner(passkey.owner);
    let parameters = [
        passkey.credential.bytes().into(),
        kind,
        id,
        passkey.record.as_str().into(),
        passkey.label.as_str().into(),
        day(passkey.added),
        passkey.last_used.map(day).unwrap_or(Value::Null),
    ];
    statements.execute(sql, &parameters).map(drop)
}

pub(super) fn insert_session(
    statements: &mut dyn Statements,
    session: &Session,
) -> Result<(), Fault> {
    let sql = "INSERT INTO session (hash, owner_kind, owner, idle_until, ends)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let [kind, id] = owner(session.owner);
    let hash = Value::from(&session.hash.bytes());
    let parameters = [hash, kind, id, moment(session.idle_until), moment(session.ends)];
    statements.execute(sql, &parameters).map(drop)
}

/// In the place of an earlier one for the same owner.
pub(super) fn insert_invitation(
    statements: &mut dyn Statements,
    invitation: &Invitation,
) -> Result<(), Fault> {
    forget_invitation(statements, invitation.owner)?;
    let [kind, id] = owner(invitation.owner);
    let sql = "INSERT INTO invitation (hash, owner_kind, owner, opens, expires, made_by)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let by = invitation.by.map(StaffId::bytes);
    let parameters = [
        Value::from(&invitation.hash.bytes()),
        kind,
        id,
        invitation.opens.map_or(Value::Null, moment),
        moment(invitation.expires),
        by.as_ref().into(),
    ];
    statements.execute(sql, &parameters).map(drop)
}

/// Ends all sessions of somebody, and says how many there were.
pub(super) fn end_sessions(statements: &mut dyn Statements, of: Owner) -> Result<u64, Fault> {
    statements.execute("DELETE FROM session WHERE owner_kind = ?1 AND owner = ?2", &owner(of))
}

/// Leaves somebody no way in: neither session nor passkey nor invitation.
pub(super) fn shut_out(statements: &mut dyn Statements, of: Owner) -> Result<(), Fault> {
    end_sessions(statements, of)?;
    statements.execute("DELETE FROM passkey WHERE owner_kind = ?1 AND owner = ?2", &owner(of))?;
    forget_invitation(statements, of).map(drop)
}

/// No code leads to somebody any more. Returns how many did.
pub(super) fn forget_invitation(statements: &mut dyn Statements, of: Owner) -> Result<u64, Fault> {
    statements.execute("DELETE FROM invitation WHERE owner_kind = ?1 AND owner = ?2", &owner(of))
}

/// Whether there is somebody of that name who may log in.
fn may_log_in(statements: &mut dyn Statements, of: Owner) -> Result<bool, Fault> {
    let sql = match of {
        Owner::Person(_) => "SELECT 1 FROM person WHERE id = ?1 AND state <> 'closed'",
        Owner::Staff(_) => "SELECT 1 FROM staff WHERE id = ?1 AND active = 1",
    };
    Ok(!statements.query(sql, &[Value::from(&of.id())])?.is_empty())
}

fn note(statements: &mut dyn Statements, deed: Option<&Deed>) -> Result<(), Fault> {
    deed.map_or(Ok(()), |deed| trail::write(statements, deed))
}

pub(super) fn passkeys(statements: &mut dyn Statements, of: Owner) -> Result<Vec<Passkey>, Fault> {
    let sql = "SELECT credential, owner_kind, owner, record, label, added, last_used FROM passkey
               WHERE owner_kind = ?1 AND owner = ?2 ORDER BY added, credential";
    statements.query(sql, &owner(of))?.iter().map(read_passkey).collect()
}

fn read_passkey(row: &Row) -> Result<Passkey, Fault> {
    Ok(Passkey {
        credential: CredentialId::new(row.blob(0)?.to_vec()).ok_or(UNREADABLE)?,
        owner: read_owner(row, 1)?,
        record: row.text(3)?.to_owned(),
        label: Label::new(row.text(4)?).map_err(|_| UNREADABLE)?,
        added: read_day(row, 5)?,
        last_used: row.optional(6, read_day)?,
    })
}

fn read_session(row: &Row) -> Result<Session, Fault> {
    Ok(Session {
        hash: SessionHash::from_bytes(row.bytes(0)?),
        owner: read_owner(row, 1)?,
        idle_until: read_moment(row, 3)?,
        ends: read_moment(row, 4)?,
    })
}

pub(super) fn read_invitation(
    statements: &mut dyn Statements,
    hash: InvitationHash,
    now: Timestamp,
) -> Result<Option<Invitation>, Fault> {
    let sql = "SELECT hash, owner_kind, owner, opens, expires, made_by FROM invitation
               WHERE hash = ?1 AND expires > ?2";
    let rows = statements.query(sql, &[Value::from(&hash.bytes()), moment(now)])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let invitation = invitation(row, 0)?;
    Ok(may_log_in(statements, invitation.owner)?.then_some(invitation))
}

/// An invitation, from six columns in the order in which all statements name them.
pub(super) fn invitation(row: &Row, first: usize) -> Result<Invitation, Fault> {
    Ok(Invitation {
        hash: InvitationHash::from_bytes(row.bytes(first)?),
        owner: read_owner(row, first + 1)?,
        opens: row.optional(first + 3, read_moment)?,
        expires: read_moment(row, first + 4)?,
        by: row.optional(first + 5, Row::bytes)?.map(StaffId::from_bytes),
    })
}
