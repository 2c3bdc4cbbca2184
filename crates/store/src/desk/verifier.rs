//! Verifiers' SQL.

use tacit_service::desk::person::{KycLevel, Name, PersonId, PersonState};
use tacit_service::desk::trail::Deed;
use tacit_service::desk::verifier::{
    Verifier, VerifierId, VerifierPurpose, VerifierRegistered, VerifierState, VerifierStore,
};
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Value};
use super::row::{day, read_day};
use super::{Desk, person, trail};

const UNREADABLE: Fault = Fault::Malformed("a row of a verifier cannot be read");

impl<E: Engine> VerifierStore for Desk<E> {
    fn register_verifier(
        &mut self,
        verifier: &Verifier,
        deed: &Deed,
    ) -> Result<VerifierRegistered, StoreError> {
        self.change(|statements| {
            let owner = person::of_id(statements, verifier.owner)?;
            let is_known = owner.is_some_and(|owner| {
                owner.state == PersonState::Open && KycLevel::Identified <= owner.kyc
            });
            if !is_known {
                return Ok(VerifierRegistered::Unidentified);
            }
            let sql = "INSERT INTO verifier (id, name, purpose, owner, opened, state)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
            let parameters = [
                Value::from(&verifier.id.bytes()),
                verifier.name.as_str().into(),
                verifier.purpose.as_str().into(),
                Value::from(&verifier.owner.bytes()),
                day(verifier.opened),
                verifier.state.name().into(),
            ];
            if statements.execute(sql, &parameters)? == 0 {
                return Ok(VerifierRegistered::Taken);
            }
            trail::write(statements, deed)?;
            Ok(VerifierRegistered::Done)
        })
    }

    fn verifier(&mut self, id: VerifierId) -> Result<Option<Verifier>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, name, purpose, owner, opened, state FROM verifier WHERE id = ?1";
            statements.query(sql, &[Value::from(&id.bytes())])?.first().map(read).transpose()
        })
    }

    fn verifier_of(&mut self, owner: PersonId) -> Result<Option<Verifier>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT id, name, purpose, owner, opened, state FROM verifier WHERE owner = ?1";
            statements.query(sql, &[Value::from(&owner.bytes())])?.first().map(read).transpose()
        })
    }

    fn verifiers(&mut self, skip: u64, max: u32) -> Result<Vec<Verifier>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, name, purpose, owner, opened, state FROM verifier
                       ORDER BY name, id LIMIT ?1 OFFSET ?2";
            let parameters = [i64::from(max).into(), skip.into()];
            statements.query(sql, &parameters)?.iter().map(read).collect()
        })
    }

    fn set_verifier_state(
        &mut self,
        id: VerifierId,
        state: VerifierState,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE verifier SET state = ?2 WHERE id = ?1 AND state <> ?2";
            let parameters = [Value::from(&id.bytes()), state.name().into()];
            let is_done = statements.execute(sql, &parameters)? == 1;
            if is_done {
                trail::write(statements, deed)?;
            }
            Ok(is_done)
        })
    }
}

fn read(row: &Row) -> Result<Verifier, Fault> {
    Ok(Verifier {
        id: VerifierId::from_bytes(row.bytes(0)?),
        name: Name::new(row.text(1)?).map_err(|_| UNREADABLE)?,
        purpose: VerifierPurpose::new(row.text(2)?).map_err(|_| UNREADABLE)?,
        owner: PersonId::from_bytes(row.bytes(3)?),
        opened: read_day(row, 4)?,
        state: VerifierState::of_name(row.text(5)?).ok_or(UNREADABLE)?,
    })
}
