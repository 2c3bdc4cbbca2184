//! The SQL of exceptions.

use tacit_core::time::Timestamp;
use tacit_service::desk::exception::{Exception, ExceptionStore, Kind};
use tacit_service::desk::trail::Deed;
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Value};
use super::row::{day, read_day};
use super::{Desk, trail};

impl<E: Engine> ExceptionStore for Desk<E> {
    fn raise(&mut self, exception: &Exception, now: Timestamp) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "INSERT INTO money_exception (kind, subject, raised, is_open) VALUES (?1, ?2, ?3, 1)
                       ON CONFLICT (kind, subject) DO UPDATE SET raised = ?3, is_open = 1
                       WHERE money_exception.is_open = 0";
            let Exception { kind, subject, raised } = exception;
            let parameters = [kind.name().into(), subject.as_str().into(), day(*raised)];
            if statements.execute(sql, &parameters)? == 0 {
                return Ok(false);
            }
            trail::write(statements, &exception.deed(now))?;
            Ok(true)
        })
    }

    fn exceptions(
        &mut self,
        after: Option<&Exception>,
        max: u32,
    ) -> Result<Vec<Exception>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT kind, subject, raised FROM money_exception
                       WHERE is_open = 1 AND (?1 < raised OR (?1 = raised AND (?2 < subject OR (?2 = subject AND ?3 < kind))))
                       ORDER BY raised, subject, kind LIMIT ?4";
            let (raised, subject, kind) = match after {
                Some(after) => (day(after.raised), after.subject.as_str(), after.kind.name()),
                None => (Value::from(-1_i64), "", ""),
            };
            let parameters = [raised, subject.into(), kind.into(), i64::from(max).into()];
            statements.query(sql, &parameters)?.iter().map(exception).collect()
        })
    }

    fn end_exception(
        &mut self,
        kind: Kind,
        subject: &str,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE money_exception SET is_open = 0
                       WHERE kind = ?1 AND subject = ?2 AND is_open = 1";
            if statements.execute(sql, &[kind.name().into(), subject.into()])? == 0 {
                return Ok(false);
            }
            trail::write(statements, deed)?;
            Ok(true)
        })
    }
}

fn exception(row: &Row) -> Result<Exception, Fault> {
    const UNREADABLE: Fault = Fault::Malformed("an exception cannot be read");
    Ok(Exception {
        kind: Kind::of_name(row.text(0)?).ok_or(UNREADABLE)?,
        subject: row.text(1)?.to_owned(),
        raised: read_day(row, 2)?,
    })
}
