//! The SQL of passports at the desk.

use tacit_core::time::Timestamp;
use tacit_service::desk::enrolment::{
    AccessHash, CodeHash, EnrolError, Enrolment, EnrolmentStore, HolderPoint, Offer,
};
use tacit_service::desk::person::{Person, PersonId, PersonState};
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{moment, read_moment};
use super::{Desk, person};

const UNREADABLE: Fault = Fault::Malformed("a row of enrolments cannot be read");

impl<E: Engine> EnrolmentStore for Desk<E> {
    fn offer_enrolment(
        &mut self,
        of: PersonId,
        offer: Offer,
        code: CodeHash,
        expires: Timestamp,
    ) -> Result<Option<Enrolment>, StoreError> {
        self.change(|statements| {
            let known = person::of_id(statements, of)?;
            if known.is_none_or(|known| known.state != PersonState::Open) {
                return Ok(None);
            }
            let insert = "INSERT INTO enrolment (person, number, holder, access, code, expires)
                          VALUES (?1, 1, NULL, NULL, NULL, NULL) ON CONFLICT DO NOTHING";
            statements.execute(insert, &[Value::from(&of.bytes())])?;
            let (from, to) = match offer {
                Offer::Same => (None, None),
                Offer::Instead { number } => (Some(number), number.checked_add(1)),
                Offer::Anew { number } => (Some(number), Some(number)),
            };
            if let (Some(from), Some(to)) = (from, to) {
                let sql = "UPDATE enrolment SET number = ?3, holder = NULL, access = NULL
                           WHERE person = ?1 AND number = ?2";
                let parameters =
                    [Value::from(&of.bytes()), i64::from(from).into(), i64::from(to).into()];
                statements.execute(sql, &parameters)?;
            }
            let sql = "UPDATE enrolment SET code = ?2, expires = ?3 WHERE person = ?1";
            let parameters =
                [Value::from(&of.bytes()), Value::from(code.as_bytes()), moment(expires)];
            statements.execute(sql, &parameters)?;
            Ok(of_person(statements, of)?.map(|(enrolment, _)| enrolment))
        })
    }

    fn enrolment(
        &mut self,
        of: PersonId,
    ) -> Result<Option<(Enrolment, Option<Timestamp>)>, StoreError> {
        self.change(|statements| of_person(statements, of))
    }

    fn enrolment_of_code(
        &mut self,
        code: CodeHash,
        now: Timestamp,
    ) -> Result<Option<(Enrolment, Person)>, StoreError> {
        self.change(|statements| of_code(statements, code, now))
    }

    fn begin_enrolment(
        &mut self,
        code: CodeHash,
        holder: HolderPoint,
        access: AccessHash,
        now: Timestamp,
    ) -> Result<Result<Enrolment, EnrolError>, StoreError> {
        self.change(|statements| {
            let Some((known, _)) = of_code(statements, code, now)? else {
                return Ok(Err(EnrolError::Unknown));
            };
            if known.holder.is_some_and(|known| known != holder) {
                return Ok(Err(EnrolError::OtherWallet));
            }
            let sql = "UPDATE enrolment SET holder = ?2, access = ?3 WHERE person = ?1";
            let parameters = [
                Value::from(&known.person.bytes()),
                Value::from(holder.as_bytes()),
                Value::from(access.as_bytes()),
            ];
            statements.execute(sql, &parameters)?;
            Ok(Ok(Enrolment { holder: Some(holder), access: Some(access), ..known }))
        })
    }

    fn enrolment_of_access(
        &mut self,
        access: AccessHash,
    ) -> Result<Option<(Enrolment, Person)>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT person, number, holder, access, expires FROM enrolment WHERE access = ?1";
            let rows = statements.query(sql, &[Value::from(access.as_bytes())])?;
            let found = rows.first().map(read).transpose()?;
            found.map_or(Ok(None), |(enrolment, _)| with_person(statements, enrolment))
        })
    }
}

fn of_person(
    statements: &mut dyn Statements,
    of: PersonId,
) -> Result<Option<(Enrolment, Option<Timestamp>)>, Fault> {
    let sql = "SELECT person, number, holder, access, expires FROM enrolment WHERE person = ?1";
    statements.query(sql, &[Value::from(&of.bytes())])?.first().map(read).transpose()
}

/// Whose passport a code that counts is for, unless they are frozen or closed.
fn of_code(
    statements: &mut dyn Statements,
    code: CodeHash,
    now: Timestamp,
) -> Result<Option<(Enrolment, Person)>, Fault> {
    let sql = "SELECT person, number, holder, access, expires FROM enrolment
               WHERE code = ?1 AND expires > ?2";
    let rows = statements.query(sql, &[Value::from(code.as_bytes()), moment(now)])?;
    let found = rows.first().map(read).transpose()?;
    let found = found.map_or(Ok(None), |(enrolment, _)| with_person(statements, enrolment))?;
    Ok(found.filter(|(_, person)| person.state == PersonState::Open))
}

fn with_person(
    statements: &mut dyn Statements,
    enrolment: Enrolment,
) -> Result<Option<(Enrolment, Person)>, Fault> {
    Ok(person::of_id(statements, enrolment.person)?.map(|person| (enrolment, person)))
}

fn read(row: &Row) -> Result<(Enrolment, Option<Timestamp>), Fault> {
    let enrolment = Enrolment {
        person: PersonId::from_bytes(row.bytes(0)?),
        number: u32::try_from(row.integer(1)?).map_err(|_| UNREADABLE)?,
        holder: row.optional(2, |row, column| row.bytes(column).map(HolderPoint::from_bytes))?,
        access: row.optional(3, |row, column| row.bytes(column).map(AccessHash::from_bytes))?,
    };
    Ok((enrolment, row.optional(4, read_moment)?))
}
