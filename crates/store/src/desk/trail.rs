//! The trail's SQL.

use tacit_core::time::Timestamp;
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::{Action, Deed, Entry, EntryHash, Head, TrailStore};
use tacit_service::vault::StoreError;

use super::Desk;
use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{moment, read_moment};

impl<E: Engine> TrailStore for Desk<E> {
    fn note(&mut self, deed: &Deed) -> Result<(), StoreError> {
        self.change(|statements| write(statements, deed))
    }

    fn trail_head(&mut self) -> Result<Head, StoreError> {
        self.change(head)
    }

    fn trail(&mut self, from: u64, max: u32) -> Result<Vec<Entry>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT number, moment, staff, action, subject, detail, previous, hash FROM trail
                       WHERE number >= ?1 ORDER BY number LIMIT ?2";
            let rows = statements.query(sql, &[from.into(), i64::from(max).into()])?;
            rows.iter().map(entry).collect()
        })
    }

    fn trail_about(
        &mut self,
        subject: &str,
        before: Option<u64>,
        max: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let before = before.and_then(|number| i64::try_from(number).ok()).unwrap_or(i64::MAX);
        self.change(|statements| {
            let sql =
                "SELECT number, moment, staff, action, subject, detail, previous, hash FROM trail
                       WHERE subject = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3";
            let parameters = [subject.into(), before.into(), i64::from(max).into()];
            let rows = statements.query(sql, &parameters)?;
            rows.iter().map(entry).collect()
        })
    }

    fn count_deeds(
        &mut self,
        staff: Option<StaffId>,
        action: Action,
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        self.change(|statements| count(statements, staff, action, since))
    }
}

/// How often somebody did this, from a moment on.
pub(super) fn count(
    statements: &mut dyn Statements,
    staff: Option<StaffId>,
    action: Action,
    since: Timestamp,
) -> Result<u64, Fault> {
    let (action, since) = (Value::from(action.name()), moment(since));
    let rows = match staff.map(StaffId::bytes) {
        Some(staff) => {
            let sql =
                "SELECT count(*) FROM trail WHERE staff = ?1 AND action = ?2 AND moment >= ?3";
            statements.query(sql, &[Value::from(&staff), action, since])?
        }
        None => {
            let sql =
                "SELECT count(*) FROM trail WHERE staff IS NULL AND action = ?1 AND moment >= ?2";
            statements.query(sql, &[action, since])?
        }
    };
    rows.first().map_or(Ok(0), |row| row.count(0))
}

/// Writes a deed down, in the transaction that does it.
pub(super) fn write(statements: &mut dyn Statements, deed: &Deed) -> Result<(), Fault> {
    let entry = deed.entry_after(head(statements)?);
    let sql = "INSERT INTO trail (number, moment, staff, action, subject, detail, previous, hash)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let staff = entry.staff.map(StaffId::bytes);
    let parameters = [
        entry.number.into(),
        moment(entry.moment),
        staff.as_ref().into(),
        entry.action.as_str().into(),
        entry.subject.as_str().into(),
        entry.detail.as_str().into(),
        Value::from(&entry.previous.bytes()),
        Value::from(&entry.hash.bytes()),
    ];
    statements.execute(sql, &parameters)?;
    let sql = "UPDATE desk SET trail_length = ?1, trail_hash = ?2 WHERE one = 1";
    statements.execute(sql, &[entry.number.into(), Value::from(&entry.hash.bytes())])?;
    Ok(())
}

fn head(statements: &mut dyn Statements) -> Result<Head, Fault> {
    let rows = statements.query("SELECT trail_length, trail_hash FROM desk WHERE one = 1", &[])?;
    let row = rows.first().ok_or(Fault::Malformed("the desk has no first row"))?;
    Ok(Head { length: row.count(0)?, hash: EntryHash::from_bytes(row.bytes(1)?) })
}

fn entry(row: &Row) -> Result<Entry, Fault> {
    Ok(Entry {
        number: row.count(0)?,
        moment: read_moment(row, 1)?,
        staff: row.optional(2, Row::bytes)?.map(StaffId::from_bytes),
        action: row.text(3)?.to_owned(),
        subject: row.text(4)?.to_owned(),
        detail: row.text(5)?.to_owned(),
        previous: EntryHash::from_bytes(row.bytes(6)?),
        hash: EntryHash::from_bytes(row.bytes(7)?),
    })
}
