//! The SQL of codes that lead people back to their accounts.

use tacit_core::time::Timestamp;
use tacit_service::account::AccountId;
use tacit_service::desk::Owner;
use tacit_service::desk::login::{INVITATION_LIFE, Invitation, InvitationHash};
use tacit_service::desk::person::{Person, PersonId, PersonState};
use tacit_service::desk::recovery::{
    LoginConfirmed, LoginRequest, LoginRequested, RecoveryStore, Standing,
};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{account, moment, owner};
use super::{Desk, identification, login, person, trail};

/// What the trail says of what an account's holder did.
const BY_THE_HOLDER: &str = "by the account's holder";

impl<E: Engine> RecoveryStore for Desk<E> {
    fn request_login(&mut self, request: &LoginRequest) -> Result<LoginRequested, StoreError> {
        let LoginRequest { person: id, by, now, .. } = *request;
        let of = Owner::Person(id);
        let deed = |action| Deed::about(now, Some(by), action, of);
        self.change(|statements| {
            let known = person::of_id(statements, id)?;
            let Some(known) = known.filter(|known| known.state != PersonState::Closed) else {
                return Ok(LoginRequested::Unknown);
            };
            if identification::has_tried_enough(statements, Some(by), now)? {
                return Ok(LoginRequested::TooMany);
            }
            if known.national_number.is_some() && known.national_number != request.number {
                trail::write(statements, &deed(Action::InvitationDenied))?;
                return Ok(LoginRequested::Differs);
            }
            let standing = Standing {
                is_new: known.opened == now.day() && !has_card(statements, known.account)?,
                has_passkey: !login::passkeys(statements, of)?.is_empty(),
                is_identified: known.national_number.is_some(),
            };
            let opens = standing.opens();
            let invitation = request.invitation(opens);
            login::insert_invitation(statements, &invitation)?;
            let invited = deed(Action::Invited);
            trail::write(statements, &Deed { detail: opens.name().to_owned(), ..invited })?;
            Ok(LoginRequested::Made(invitation))
        })
    }

    fn requested_login(
        &mut self,
        of: PersonId,
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT hash, owner_kind, owner, opens, expires, made_by FROM invitation
                       WHERE owner_kind = ?1 AND owner = ?2 AND expires > ?3";
            let [kind, id] = owner(Owner::Person(of));
            let rows = statements.query(sql, &[kind, id, moment(now)])?;
            rows.first().map(|row| login::invitation(row, 0)).transpose()
        })
    }

    fn unconfirmed_logins(
        &mut self,
        now: Timestamp,
        max: u32,
    ) -> Result<Vec<(Invitation, Person)>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT person.id, account, name, contact, iban, kyc, person.state, national_number, person.opened, in_vault,
                              hash, owner_kind, owner, opens, expires, made_by
                       FROM invitation JOIN person ON person.id = invitation.owner
                       WHERE owner_kind = 'person' AND expires > ?1 AND (opens IS NULL OR opens > ?1)
                         AND made_by IS NOT NULL AND person.state <> 'closed'
                       ORDER BY expires, hash LIMIT ?2";
            let rows = statements.query(sql, &[moment(now), i64::from(max).into()])?;
            let found = |row: &Row| -> Result<_, Fault> {
                Ok((login::invitation(row, 10)?, person::person(row)?))
            };
            rows.iter().map(found).collect()
        })
    }

    fn confirm_login(
        &mut self,
        hash: InvitationHash,
        by: StaffId,
        now: Timestamp,
    ) -> Result<LoginConfirmed, StoreError> {
        self.change(|statements| {
            let found = login::read_invitation(statements, hash, now)?;
            let waiting = found.filter(|invitation| !invitation.is_open(now));
            let Some(Invitation { owner: of @ Owner::Person(_), by: Some(maker), .. }) = waiting
            else {
                return Ok(LoginConfirmed::Unknown);
            };
            if maker == by {
                return Ok(LoginConfirmed::Own);
            }
            // As long as one that was good when it was made: whoever waits for it has to come by.
            let expires = moment(now.after(INVITATION_LIFE));
            let sql = "UPDATE invitation SET opens = ?2, expires = ?3 WHERE hash = ?1";
            statements.execute(sql, &[Value::from(&hash.bytes()), moment(now), expires])?;
            let confirmed = Deed::about(now, Some(by), Action::InvitationConfirmed, of);
            trail::write(statements, &confirmed)?;
            Ok(LoginConfirmed::Done)
        })
    }

    fn stop_login(&mut self, of: PersonId, now: Timestamp) -> Result<bool, StoreError> {
        let of = Owner::Person(of);
        self.change(|statements| {
            if login::forget_invitation(statements, of)? == 0 {
                return Ok(false);
            }
            let stopped = Deed::about(now, None, Action::InvitationStopped, of);
            trail::write(statements, &Deed { detail: BY_THE_HOLDER.to_owned(), ..stopped })?;
            Ok(true)
        })
    }
}

/// Whether an account was opened at an agent, with a card that cash was paid in with and a link that leads to a passkey.
fn has_card(statements: &mut dyn Statements, of: AccountId) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM cash WHERE account = ?1 AND kind = 'card'";
    Ok(!statements.query(sql, &[account(of)])?.is_empty())
}
