//! The SQL of what the bank booked.

use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_service::account::Direction;
use tacit_service::desk::booking::{
    Agreed, Booking, BookingState, BookingStore, Listed, Paper, Place, Proposal, Purpose,
    Resolution, Unclear, Why,
};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::Deed;
use tacit_service::posting::EntryId;
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{day, read_day};
use super::{Desk, trail};

const UNREADABLE: Fault = Fault::Malformed("a booking cannot be read");

/// Bookings where something is so, in the order [`booking`] reads them.
macro_rules! bookings {
    ($condition:literal) => {
        concat!(
            "SELECT id, entry, day, direction, unit, amount, name, account, end_to_end, text, reference, returned,
             state, why FROM booking WHERE ",
            $condition
        )
    };
}

impl<E: Engine> BookingStore for Desk<E> {
    fn note_bookings(&mut self, entry: EntryId, parts: &[Booking]) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "SELECT state, why FROM booking WHERE entry = ?1";
            let known = statements.query(sql, &[Value::from(entry.as_bytes())])?;
            let mut is_settled = false;
            for row in &known {
                is_settled |=
                    !matches!(state(row, 0)?, BookingState::Unclear(_) | BookingState::SetAside(_));
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
            let sql = bookings!("state IN ('noted', 'open') AND id > ?1 ORDER BY id LIMIT ?2");
            page(statements, sql, after, max)
        })
    }

    fn bookings(
        &mut self,
        listed: Listed,
        after: Option<Place>,
        max: u32,
    ) -> Result<Vec<Booking>, StoreError> {
        self.change(|statements| {
            // A booking without a day stands before all others, and nothing is as small as no bytes at all.
            let (from, id) = match after {
                Some(Place { day, id }) => (place(day), Value::from(id.as_bytes())),
                None if listed == Listed::Returned => (Value::from(i64::MAX), Value::from(&[0; 32])),
                None => (place(None), Value::from(&[] as &[u8])),
            };
            let mut parameters = vec![from, id, i64::from(max).into()];
            let sql = match listed {
                Listed::Waiting => bookings!(
                    "state IN ('unclear', 'open')
                     AND (?1 < coalesce(day, -1) OR (?1 = coalesce(day, -1) AND ?2 < id))
                     ORDER BY coalesce(day, -1), id LIMIT ?3"
                ),
                Listed::Proposed => bookings!(
                    "id IN (SELECT booking FROM booking_resolution WHERE is_approved = 0)
                     AND (?1 < coalesce(day, -1) OR (?1 = coalesce(day, -1) AND ?2 < id))
                     ORDER BY coalesce(day, -1), id LIMIT ?3"
                ),
                Listed::SetAside => bookings!(
                    "state = 'done' AND why IS NOT NULL
                     AND (?1 < coalesce(day, -1) OR (?1 = coalesce(day, -1) AND ?2 < id))
                     ORDER BY coalesce(day, -1), id LIMIT ?3"
                ),
                Listed::Returned => bookings!(
                    "returned IS NOT NULL
                     AND (coalesce(day, -1) < ?1 OR (?1 = coalesce(day, -1) AND ?2 < id))
                     ORDER BY coalesce(day, -1) DESC, id LIMIT ?3"
                ),
                Listed::OfDay(of) => {
                    parameters.push(day(of));
                    bookings!(
                        "day = ?4 AND (?1 < day OR (?1 = day AND ?2 < id)) ORDER BY day, id LIMIT ?3"
                    )
                }
            };
            statements.query(sql, &parameters)?.iter().map(booking).collect()
        })
    }

    fn bookings_like(&mut self, of: &Booking, max: u32) -> Result<Vec<Booking>, StoreError> {
        self.change(|statements| {
            let sql = bookings!(
                "unit = ?1 AND amount = ?2 AND direction = ?3 AND id <> ?4
                 ORDER BY coalesce(day, -1) DESC, id LIMIT ?5"
            );
            let parameters = [
                of.unit.code().into(),
                of.amount.into(),
                way(of.direction).into(),
                Value::from(of.id.as_bytes()),
                i64::from(max).into(),
            ];
            statements.query(sql, &parameters)?.iter().map(booking).collect()
        })
    }

    fn booking(&mut self, id: EntryId) -> Result<Option<Booking>, StoreError> {
        self.change(|statements| {
            let sql = bookings!("id = ?1");
            let rows = statements.query(sql, &[Value::from(id.as_bytes())])?;
            rows.first().map(booking).transpose()
        })
    }

    fn move_booking(
        &mut self,
        id: EntryId,
        from: BookingState,
        to: BookingState,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE booking SET state = ?4, why = ?5
                       WHERE id = ?1 AND state = ?2 AND coalesce(why, '') = ?3";
            let ((was, why), (name, next)) = (from.names(), to.names());
            let parameters = [
                Value::from(id.as_bytes()),
                was.into(),
                why.unwrap_or_default().into(),
                name.into(),
                next.into(),
            ];
            Ok(statements.execute(sql, &parameters)? == 1)
        })
    }

    fn begin_resolution(
        &mut self,
        resolution: &Resolution,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let own = Value::from(resolution.booking.as_bytes());
            let back = Value::from(resolution.booking.reversed().as_bytes());
            let is_open = match resolution.purpose {
                Purpose::Reversed => {
                    let sql = "SELECT id FROM booking WHERE id = ?1 AND state = 'done' AND why IS NULL
                               AND NOT EXISTS (SELECT 1 FROM booking AS back WHERE back.id = ?2)";
                    !statements.query(sql, &[own.clone(), back])?.is_empty()
                }
                Purpose::Account(_)
                | Purpose::Quote(_)
                | Purpose::Payout(_)
                | Purpose::Returned(_)
                | Purpose::OwnMoney
                | Purpose::BankCost => {
                    let sql =
                        "SELECT id FROM booking WHERE id = ?1 AND state = 'open' AND why <> 'send back'";
                    !statements.query(sql, std::slice::from_ref(&own))?.is_empty()
                }
            };
            if !is_open {
                return Ok(false);
            }
            let sql = "INSERT INTO booking_resolution (booking, purpose, about, staff, is_approved)
                       VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
            let (word, about) = resolution.purpose.names();
            let staff = deed.staff.map_or(Value::Null, |staff| Value::from(&staff.bytes()));
            let is_approved = !resolution.purpose.needs_two();
            let parameters =
                [own, word.into(), about.as_deref().into(), staff, is_approved.into()];
            if statements.execute(sql, &parameters)? == 0 {
                return Ok(false);
            }
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn proposal(&mut self, booking: EntryId) -> Result<Option<Proposal>, StoreError> {
        self.change(|statements| proposal(statements, booking))
    }

    fn approve_resolution(
        &mut self,
        booking: EntryId,
        staff: StaffId,
        deed: &Deed,
    ) -> Result<Agreed, StoreError> {
        self.change(|statements| {
            let known = proposal(statements, booking)?.filter(|known| !known.is_approved);
            let Some(known) = known else { return Ok(Agreed::Nothing) };
            if known.staff == Some(staff) {
                return Ok(Agreed::Own);
            }
            let sql = "UPDATE booking_resolution SET is_approved = 1 WHERE booking = ?1";
            statements.execute(sql, &[Value::from(booking.as_bytes())])?;
            trail::write(statements, deed)?;
            Ok(Agreed::Done)
        })
    }

    fn decline_resolution(&mut self, booking: EntryId, deed: &Deed) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "DELETE FROM booking_resolution WHERE booking = ?1 AND is_approved = 0";
            if statements.execute(sql, &[Value::from(booking.as_bytes())])? == 0 {
                return Ok(false);
            }
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn resolutions(&mut self, max: u32) -> Result<Vec<Resolution>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT booking, purpose, about FROM booking_resolution
                       WHERE is_approved = 1 ORDER BY booking LIMIT ?1";
            statements.query(sql, &[i64::from(max).into()])?.iter().map(resolution).collect()
        })
    }

    fn end_resolution(
        &mut self,
        booking: EntryId,
        is_done: bool,
        refused: Option<&Deed>,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let own = Value::from(booking.as_bytes());
            let Some(known) = proposal(statements, booking)? else { return Ok(false) };
            let sql = "DELETE FROM booking_resolution WHERE booking = ?1";
            statements.execute(sql, std::slice::from_ref(&own))?;
            if is_done && known.resolution.purpose == Purpose::Reversed {
                take_back(statements, booking)?;
            } else if is_done {
                let sql = "UPDATE booking SET state = 'done', why = NULL WHERE id = ?1";
                statements.execute(sql, &[own])?;
            }
            if let Some(deed) = refused {
                trail::write(statements, deed)?;
            }
            Ok(true)
        })
    }

    fn take_in_booking(&mut self, id: EntryId, deed: &Deed) -> Result<bool, StoreError> {
        let next = |state| {
            let is_one = |unclear: Unclear| unclear.may_be_taken_in();
            let may = matches!(state, BookingState::Unclear(unclear) if is_one(unclear));
            may.then_some(BookingState::Noted)
        };
        self.change(|statements| judge(statements, id, deed, next))
    }

    fn set_booking_aside(&mut self, id: EntryId, deed: &Deed) -> Result<bool, StoreError> {
        let next = |state| {
            let BookingState::Unclear(unclear) = state else { return None };
            Some(BookingState::SetAside(unclear))
        };
        self.change(|statements| judge(statements, id, deed, next))
    }

    fn bring_booking_back(&mut self, id: EntryId, deed: &Deed) -> Result<bool, StoreError> {
        let next = |state| {
            let BookingState::SetAside(unclear) = state else { return None };
            Some(BookingState::Unclear(unclear))
        };
        self.change(|statements| judge(statements, id, deed, next))
    }
}

/// What somebody says of a booking that nothing was posted for, with its deed; `false` if it cannot be said of it.
fn judge(
    statements: &mut dyn Statements,
    id: EntryId,
    deed: &Deed,
    next: impl Fn(BookingState) -> Option<BookingState>,
) -> Result<bool, Fault> {
    let own = Value::from(id.as_bytes());
    let sql = "SELECT state, why FROM booking WHERE id = ?1";
    let rows = statements.query(sql, std::slice::from_ref(&own))?;
    let known = rows.first().map(|row| state(row, 0)).transpose()?;
    let Some(next) = known.and_then(next) else { return Ok(false) };
    let (name, why) = next.names();
    let sql = "UPDATE booking SET state = ?2, why = ?3 WHERE id = ?1";
    statements.execute(sql, &[own, name.into(), why.into()])?;
    trail::write(statements, deed)?;
    Ok(true)
}

/// Where a day stands among days.
fn place(of: Option<Day>) -> Value {
    of.map_or(Value::from(-1_i64), day)
}

fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "in",
        Direction::Out => "out",
    }
}

/// The state in this column and the next.
fn state(row: &Row, column: usize) -> Result<BookingState, Fault> {
    let why = row.optional(column + 1, |row, column| row.text(column).map(str::to_owned))?;
    BookingState::of_names(row.text(column)?, why.as_deref()).ok_or(UNREADABLE)
}

/// What was taken back waits under a name of its own, with the paper of what it was. The bank booked it on no day: what it
/// booked stands under the other name.
fn take_back(statements: &mut dyn Statements, id: EntryId) -> Result<(), Fault> {
    let sql = bookings!("id = ?1");
    let rows = statements.query(sql, &[Value::from(id.as_bytes())])?;
    let was = booking(rows.first().ok_or(UNREADABLE)?)?;
    let (id, state) = (id.reversed(), BookingState::Open(Why::Reversed));
    insert(statements, &Booking { id, entry: id, day: None, state, ..was })
}

fn proposal(statements: &mut dyn Statements, id: EntryId) -> Result<Option<Proposal>, Fault> {
    let sql = "SELECT booking, purpose, about, staff, is_approved FROM booking_resolution
               WHERE booking = ?1";
    let rows = statements.query(sql, &[Value::from(id.as_bytes())])?;
    let read = |row: &Row| {
        Ok(Proposal {
            resolution: resolution(row)?,
            staff: row.optional(3, Row::bytes)?.map(StaffId::from_bytes),
            is_approved: row.boolean(4)?,
        })
    };
    rows.first().map(read).transpose()
}

fn resolution(row: &Row) -> Result<Resolution, Fault> {
    let about = row.optional(2, |row, column| row.text(column).map(str::to_owned))?;
    Ok(Resolution {
        booking: EntryId::from_bytes(row.bytes(0)?),
        purpose: Purpose::of_names(row.text(1)?, about.as_deref()).ok_or(UNREADABLE)?,
    })
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
    let parameters = [
        Value::from(booking.id.as_bytes()),
        Value::from(booking.entry.as_bytes()),
        booking.day.map(day).unwrap_or(Value::Null),
        way(booking.direction).into(),
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
        state: state(row, 12)?,
    })
}
