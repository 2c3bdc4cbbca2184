//! The SQL of complaints.

use tacit_core::time::Day;
use tacit_service::desk::complaint::{
    Answer, Complained, Complaint, ComplaintId, ComplaintStore, NewComplaint, OPEN_MAX, Said, Topic,
};
use tacit_service::desk::person::{Name, PersonId};
use tacit_service::desk::trail::Deed;
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{day, read_day};
use super::{Desk, trail};

const UNREADABLE: Fault = Fault::Malformed("a complaint cannot be read");

impl<E: Engine> ComplaintStore for Desk<E> {
    fn complain(&mut self, complaint: &NewComplaint) -> Result<Complained, StoreError> {
        self.change(|statements| {
            let (id, person) =
                (Value::from(&complaint.id.bytes()), Value::from(&complaint.person.bytes()));
            let sql = "SELECT number FROM complaint WHERE id = ?1 AND person = ?2";
            let known = statements.query(sql, &[id.clone(), person.clone()])?;
            if let Some(row) = known.first() {
                return Ok(Complained::Done(row.count(0)?));
            }
            let sql = "SELECT count(*) FROM complaint WHERE person = ?1 AND answered IS NULL";
            if OPEN_MAX <= count(statements, sql, std::slice::from_ref(&person))? {
                return Ok(Complained::TooMany);
            }
            let number =
                1 + count(statements, "SELECT coalesce(max(number), 0) FROM complaint", &[])?;
            let sql = "INSERT INTO complaint
                           (number, id, person, topic, text, came, due, holding, answer, answered)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, NULL, NULL)";
            let parameters = [
                number.into(),
                id,
                person,
                complaint.topic.name().into(),
                complaint.text.as_str().into(),
                day(complaint.came),
                day(complaint.due),
            ];
            statements.execute(sql, &parameters)?;
            Ok(Complained::Done(number))
        })
    }

    fn complaints_of(&mut self, person: PersonId) -> Result<Vec<Complaint>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT number, id, person, topic, text, came, due, holding, answer, answered
                       FROM complaint WHERE person = ?1 ORDER BY number DESC";
            let rows = statements.query(sql, &[Value::from(&person.bytes())])?;
            rows.iter().map(complaint).collect()
        })
    }

    fn open_complaints(
        &mut self,
        skip: u64,
        max: u32,
    ) -> Result<Vec<(Complaint, Name)>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT number, complaint.id, person, topic, text, came, due, holding, answer, answered, name
                       FROM complaint JOIN person ON person.id = complaint.person
                       WHERE answered IS NULL ORDER BY due, number LIMIT ?1 OFFSET ?2";
            let parameters = [i64::from(max).into(), skip.into()];
            statements.query(sql, &parameters)?.iter().map(with_name).collect()
        })
    }

    fn complaint(&mut self, number: u64) -> Result<Option<(Complaint, Name)>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT number, complaint.id, person, topic, text, came, due, holding, answer, answered, name
                       FROM complaint JOIN person ON person.id = complaint.person WHERE number = ?1";
            statements.query(sql, &[number.into()])?.first().map(with_name).transpose()
        })
    }

    fn overdue_complaints(&mut self, today: Day) -> Result<u64, StoreError> {
        self.change(|statements| {
            let sql = "SELECT count(*) FROM complaint WHERE answered IS NULL AND due < ?1";
            count(statements, sql, &[day(today)])
        })
    }

    fn hold_complaint(
        &mut self,
        number: u64,
        reply: &Said,
        due: Day,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE complaint SET holding = ?2, due = ?3
                       WHERE number = ?1 AND holding IS NULL AND answered IS NULL";
            let parameters = [number.into(), reply.as_str().into(), day(due)];
            if statements.execute(sql, &parameters)? == 0 {
                return Ok(false);
            }
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn answer_complaint(
        &mut self,
        number: u64,
        answer: &Answer,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE complaint SET answer = ?2, answered = ?3
                       WHERE number = ?1 AND answered IS NULL";
            let parameters = [number.into(), answer.text.as_str().into(), day(answer.day)];
            if statements.execute(sql, &parameters)? == 0 {
                return Ok(false);
            }
            trail::write(statements, deed)?;
            Ok(true)
        })
    }
}

fn count(
    statements: &mut dyn Statements,
    sql: &'static str,
    parameters: &[Value],
) -> Result<u64, Fault> {
    statements.query(sql, parameters)?.first().map_or(Ok(0), |row| row.count(0))
}

fn with_name(row: &Row) -> Result<(Complaint, Name), Fault> {
    Ok((complaint(row)?, Name::new(row.text(10)?).map_err(|_| UNREADABLE)?))
}

fn complaint(row: &Row) -> Result<Complaint, Fault> {
    let said = |row: &Row, column| Said::new(row.text(column)?).map_err(|_| UNREADABLE);
    let answer = match (row.optional(8, said)?, row.optional(9, read_day)?) {
        (Some(text), Some(day)) => Some(Answer { text, day }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err(UNREADABLE),
    };
    Ok(Complaint {
        number: row.count(0)?,
        id: ComplaintId::from_bytes(row.bytes(1)?),
        person: PersonId::from_bytes(row.bytes(2)?),
        topic: Topic::of_name(row.text(3)?).ok_or(UNREADABLE)?,
        text: said(row, 4)?,
        came: read_day(row, 5)?,
        due: read_day(row, 6)?,
        holding: row.optional(7, said)?,
        answer,
    })
}
