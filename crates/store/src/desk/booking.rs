//! The SQL of what the bank booked.

use tacit_core::unit::Unit;
use tacit_service::account::Direction;
use tacit_service::desk::booking::{Booking, BookingState, BookingStore, Paper};
use tacit_service::posting::EntryId;
use tacit_service::vault::StoreError;

use super::Desk;
use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{day, read_day};

const UNREADABLE: Fault = Fault::Malformed("a booking cannot be read");

impl<E: Engine> BookingStore for Desk<E> {
    fn note_bookings(&mut self, entry: EntryId, parts: &[Booking]) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "SELECT state FROM booking WHERE entry = ?1";
            let known = statements.query(sql, &[Value::from(entry.as_bytes())])?;
            let mut is_settled = false;
            for row in &known {
                is_settled |= row.text(0)? != "unclear";
            }
            let is_clear = !parts.iter().any(|part| matches!(part.state, BookingState::Unclear(_)));
            // Unclear ones make room for what is known better, and for nothing else.
            if is_settled || (!known.is_empty() && !is_clear) {
                return Ok(false);
            }
            let sql = "DELETE FROM booking WHERE entry = ?1";
            statements.execute(sql, &[Value::from(entry.as_bytes())])?;
            for part in parts {
                insert(statements, part)?;
            }
            Ok(true)
        })
    }

    fn unsettled_bookings(
        &mut self,
        after: Option<EntryId>,
        max: u32,
    ) -> Result<Vec<Booking>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, entry, day, direction, unit, amount, name, account, end_to_end, text, reference, returned,
                              state, why
                       FROM booking WHERE state IN ('noted', 'open') AND id > ?1 ORDER BY id LIMIT ?2";
            page(statements, sql, after, max)
        })
    }

    fn questionable_bookings(
        &mut self,
        after: Option<EntryId>,
        max: u32,
    ) -> Result<Vec<Booking>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, entry, day, direction, unit, amount, name, account, end_to_end, text, reference, returned,
                              state, why
                       FROM booking WHERE state IN ('unclear', 'open') AND id > ?1 ORDER BY id LIMIT ?2";
            page(statements, sql, after, max)
        })
    }

    fn booking(&mut self, id: EntryId) -> Result<Option<Booking>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, entry, day, direction, unit, amount, name, account, end_to_end, text, reference, returned,
                              state, why
                       FROM booking WHERE id = ?1";
            let rows = statements.query(sql, &[Value::from(id.as_bytes())])?;
            rows.first().map(booking).transpose()
        })
    }

    fn set_booking_state(&mut self, id: EntryId, state: BookingState) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "UPDATE booking SET state = ?2, why = ?3 WHERE id = ?1 AND state <> 'done'";
            let (name, why) = state.names();
            let parameters = [Value::from(id.as_bytes()), name.into(), why.into()];
            statements.execute(sql, &parameters).map(drop)
        })
    }
}

fn page(
    statements: &mut dyn Statements,
    sql: &'static str,
    after: Option<EntryId>,
    max: u32,
) -> Result<Vec<Booking>, Fault> {
    // Nothing is as small as no bytes at all.
    let after = after.map_or(Value::from(&[] as &[u8]), |id| Value::from(id.as_bytes()));
    statements.query(sql, &[after, i64::from(max).into()])?.iter().map(booking).collect()
}

fn insert(statements: &mut dyn Statements, booking: &Booking) -> Result<(), Fault> {
    let sql = "INSERT INTO booking (id, entry, day, direction, unit, amount, name, account, end_to_end, text, reference,
                                    returned, state, why)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let Paper { name, account, end_to_end, text, reference, returned } = &booking.paper;
    let (state, why) = booking.state.names();
    let direction = match booking.direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    let parameters = [
        Value::from(booking.id.as_bytes()),
        Value::from(booking.entry.as_bytes()),
        booking.day.map(day).unwrap_or(Value::Null),
        direction.into(),
        booking.unit.code().into(),
        booking.amount.into(),
        name.as_deref().into(),
        account.as_deref().into(),
        end_to_end.as_deref().into(),
        text.as_str().into(),
        reference.as_deref().into(),
        returned.as_deref().into(),
        state.into(),
        why.into(),
    ];
    statements.execute(sql, &parameters).map(drop)
}

fn booking(row: &Row) -> Result<Booking, Fault> {
    let text = |row: &Row, column: usize| row.text(column).map(str::to_owned);
    let direction = match row.text(3)? {
        "in" => Direction::In,
        "out" => Direction::Out,
        _ => return Err(UNREADABLE),
    };
    let why = row.optional(13, text)?;
    Ok(Booking {
        id: EntryId::from_bytes(row.bytes(0)?),
        entry: EntryId::from_bytes(row.bytes(1)?),
        day: row.optional(2, read_day)?,
        direction,
        unit: Unit::new(row.text(4)?).map_err(|_| UNREADABLE)?,
        amount: row.count(5)?,
        paper: Paper {
            name: row.optional(6, text)?,
            account: row.optional(7, text)?,
            end_to_end: row.optional(8, text)?,
            text: text(row, 9)?,
            reference: row.optional(10, text)?,
            returned: row.optional(11, text)?,
        },
        state: BookingState::of_names(row.text(12)?, why.as_deref()).ok_or(UNREADABLE)?,
    })
}
