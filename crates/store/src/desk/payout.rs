//! The SQL of payouts.

use tacit_core::unit::Unit;
use tacit_service::account::AccountId;
use tacit_service::desk::payout::{
    APPROVALS, Asker, Order, OrderSums, Payout, PayoutState, PayoutStore, Turn, Whose,
};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::Deed;
use tacit_service::posting::{EntryId, FactId};
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{day, moment, read_account, read_day, read_moment};
use super::{Desk, trail};

const UNREADABLE: Fault = Fault::Malformed("a payout cannot be read");

/// Payouts where something is so, in the order [`payout`] reads them.
macro_rules! payouts {
    ($condition:literal) => {
        concat!(
            "SELECT id, account, booking, asked_by, asked, name, iban, unit, amount, text, state,
             (SELECT count(*) FROM payout_approval WHERE payout = payout.id) FROM payout WHERE ",
            $condition
        )
    };
}

pub(super) use payouts;

impl<E: Engine> PayoutStore for Desk<E> {
    fn add_payout(&mut self, payout: &Payout, deed: Option<&Deed>) -> Result<bool, StoreError> {
        self.change(|statements| {
            if !insert(statements, payout)? {
                return Ok(false);
            }
            if let Some(deed) = deed {
                trail::write(statements, deed)?;
            }
            Ok(true)
        })
    }

    fn send_back(&mut self, payout: &Payout, deed: &Deed) -> Result<bool, StoreError> {
        self.change(|statements| {
            let Whose::Sender(booking) = payout.whose else { return Ok(false) };
            let own = Value::from(booking.as_bytes());
            let sql = "SELECT booking FROM booking_resolution WHERE booking = ?1";
            if !statements.query(sql, std::slice::from_ref(&own))?.is_empty() {
                return Ok(false);
            }
            let sql = "SELECT id FROM booking
                       WHERE id = ?1 AND state = 'open' AND direction = 'in' AND why <> 'send back'";
            if statements.query(sql, std::slice::from_ref(&own))?.is_empty() {
                return Ok(false);
            }
            // Whatever the booking says: what is on its way back is not sent back once more.
            if !insert(statements, payout)? {
                return Ok(false);
            }
            let sql = "UPDATE booking SET why = 'send back' WHERE id = ?1";
            statements.execute(sql, &[own])?;
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn payout(&mut self, id: FactId) -> Result<Option<Payout>, StoreError> {
        self.change(|statements| of_id(statements, id))
    }

    fn payouts(
        &mut self,
        state: PayoutState,
        after: Option<Turn>,
        max: u32,
    ) -> Result<Vec<Payout>, StoreError> {
        self.change(|statements| {
            let sql = payouts!(
                "state = ?1 AND (?2 < asked OR (?2 = asked AND ?3 < id)) ORDER BY asked, id LIMIT ?4"
            );
            // Nothing is as small as no bytes at all.
            let (asked, id) = match after {
                Some(Turn { asked, id }) => (day(asked), Value::from(id.as_bytes())),
                None => (Value::from(-1_i64), Value::from(&[] as &[u8])),
            };
            let parameters = [state.name().into(), asked, id, i64::from(max).into()];
            statements.query(sql, &parameters)?.iter().map(payout).collect()
        })
    }

    fn payouts_asked(&mut self, account: AccountId, max: u32) -> Result<Vec<Payout>, StoreError> {
        self.change(|statements| {
            let sql = payouts!("account = ?1 ORDER BY asked DESC, id LIMIT ?2");
            let parameters = [account.to_string().as_str().into(), i64::from(max).into()];
            statements.query(sql, &parameters)?.iter().map(payout).collect()
        })
    }

    fn payouts_of_amount(
        &mut self,
        unit: Unit,
        amount: u64,
        max: u32,
    ) -> Result<Vec<Payout>, StoreError> {
        self.change(|statements| {
            let sql = payouts!(
                "unit = ?1 AND amount = ?2 AND state = 'ordered' ORDER BY asked DESC, id LIMIT ?3"
            );
            let parameters = [unit.code().into(), amount.into(), i64::from(max).into()];
            statements.query(sql, &parameters)?.iter().map(payout).collect()
        })
    }

    fn approvers(&mut self, id: FactId) -> Result<Vec<StaffId>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT staff FROM payout_approval WHERE payout = ?1 ORDER BY staff";
            let rows = statements.query(sql, &[Value::from(id.as_bytes())])?;
            rows.iter().map(|row| row.bytes(0).map(StaffId::from_bytes)).collect()
        })
    }

    fn release_payout(&mut self, id: FactId, alone: u64) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE payout SET state = 'releasing'
                       WHERE id = ?1 AND state = 'asked' AND booking IS NOT NULL
                         AND (amount <= ?2 OR ?3 <= (SELECT count(*) FROM payout_approval WHERE payout = ?1))";
            let parameters = [Value::from(id.as_bytes()), alone.into(), APPROVALS.into()];
            Ok(statements.execute(sql, &parameters)? == 1)
        })
    }

    fn move_payout(
        &mut self,
        id: FactId,
        from: PayoutState,
        to: PayoutState,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE payout SET state = ?3 WHERE id = ?1 AND state = ?2";
            let parameters = [Value::from(id.as_bytes()), from.name().into(), to.name().into()];
            Ok(statements.execute(sql, &parameters)? == 1)
        })
    }

    fn approve_payout(
        &mut self,
        id: FactId,
        staff: StaffId,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let known = of_id(statements, id)?;
            if !known.is_some_and(|payout| may_be_approved(&payout)) {
                return Ok(false);
            }
            let sql =
                "INSERT INTO payout_approval (payout, staff) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            let parameters = [Value::from(id.as_bytes()), Value::from(&staff.bytes())];
            if statements.execute(sql, &parameters)? == 0 {
                return Ok(false);
            }
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn reject_payout(&mut self, id: FactId, deed: &Deed) -> Result<bool, StoreError> {
        self.change(|statements| {
            let own = Value::from(id.as_bytes());
            let sql = "UPDATE payout SET state = 'rejecting'
                       WHERE id = ?1 AND state IN ('asked', 'held') AND booking IS NULL";
            let mut is_rejected = statements.execute(sql, std::slice::from_ref(&own))? == 1;
            // Nothing was posted for it yet, so that nothing has to be taken back.
            let sql = "UPDATE payout SET state = 'rejected'
                       WHERE id = ?1 AND state = 'asked' AND booking IS NOT NULL";
            if statements.execute(sql, std::slice::from_ref(&own))? == 1 {
                is_rejected = true;
                let sql = "UPDATE booking SET why = 'unknown' WHERE state = 'open'
                           AND id = (SELECT booking FROM payout WHERE id = ?1)";
                statements.execute(sql, &[own])?;
            }
            if is_rejected {
                trail::write(statements, deed)?;
            }
            Ok(is_rejected)
        })
    }

    fn order_payouts(
        &mut self,
        order: &Order,
        alone: u64,
        ids: &[FactId],
        deed: &Deed,
    ) -> Result<u64, StoreError> {
        self.change(|statements| {
            let own = Value::from(order.id.as_bytes());
            let mut ordered = 0;
            for id in ids {
                let sql = "UPDATE payout SET state = 'ordered', payout_order = ?2
                           WHERE id = ?1 AND state = 'held' AND unit = ?3
                             AND (amount <= ?4 OR ?5 <= (SELECT count(*) FROM payout_approval WHERE payout = ?1))";
                let parameters = [
                    Value::from(id.as_bytes()),
                    own.clone(),
                    order.unit.code().into(),
                    alone.into(),
                    APPROVALS.into(),
                ];
                ordered += statements.execute(sql, &parameters)?;
            }
            if ordered > 0 {
                let sql = "INSERT INTO payout_order (id, unit, made, execution) VALUES (?1, ?2, ?3, ?4)";
                let (made, execution) = (moment(order.made), day(order.execution));
                statements.execute(sql, &[own, order.unit.code().into(), made, execution])?;
                trail::write(statements, deed)?;
            }
            Ok(ordered)
        })
    }

    fn order(&mut self, id: FactId) -> Result<Option<(Order, Vec<Payout>)>, StoreError> {
        self.change(|statements| {
            let own = Value::from(id.as_bytes());
            let sql = "SELECT unit, made, execution FROM payout_order WHERE id = ?1";
            let rows = statements.query(sql, std::slice::from_ref(&own))?;
            let Some(row) = rows.first() else { return Ok(None) };
            let unit = Unit::new(row.text(0)?).map_err(|_| UNREADABLE)?;
            let order =
                Order { id, unit, made: read_moment(row, 1)?, execution: read_day(row, 2)? };
            let sql = payouts!("payout_order = ?1 ORDER BY id");
            let payouts: Result<Vec<Payout>, Fault> =
                statements.query(sql, &[own])?.iter().map(payout).collect();
            Ok(Some((order, payouts?)))
        })
    }

    fn payout_orders(&mut self, skip: u64, max: u32) -> Result<Vec<OrderSums>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, unit, made, execution,
                              (SELECT count(*) FROM payout WHERE payout_order = payout_order.id),
                              (SELECT CAST(coalesce(sum(amount), 0) AS bigint) FROM payout WHERE payout_order = payout_order.id)
                       FROM payout_order ORDER BY made DESC, id LIMIT ?1 OFFSET ?2";
            let rows = statements.query(sql, &[i64::from(max).into(), skip.into()])?;
            let sums = |row: &Row| {
                Ok(OrderSums {
                    order: Order {
                        id: FactId::from_bytes(row.bytes(0)?),
                        unit: Unit::new(row.text(1)?).map_err(|_| UNREADABLE)?,
                        made: read_moment(row, 2)?,
                        execution: read_day(row, 3)?,
                    },
                    payouts: row.count(4)?,
                    amount: row.count(5)?,
                })
            };
            rows.iter().map(sums).collect()
        })
    }
}

/// Writes one down, unless there is one of its name.
fn insert(statements: &mut dyn Statements, payout: &Payout) -> Result<bool, Fault> {
    let sql = "INSERT INTO payout (id, account, booking, asked_by, asked, name, iban, unit, amount, text, state, payout_order)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL) ON CONFLICT DO NOTHING";
    let (account, booking) = match payout.whose {
        Whose::Account(account) => (Value::from(account.to_string().as_str()), Value::Null),
        Whose::Sender(entry) => (Value::Null, Value::from(entry.as_bytes())),
    };
    let parameters = [
        Value::from(payout.id.as_bytes()),
        account,
        booking,
        payout.by.to_string().as_str().into(),
        day(payout.asked),
        payout.name.as_str().into(),
        payout.iban.as_str().into(),
        payout.unit.code().into(),
        payout.amount.into(),
        payout.text.as_str().into(),
        payout.state.name().into(),
    ];
    Ok(statements.execute(sql, &parameters)? == 1)
}

/// Money of an account is held before anybody approves it; what goes back to its sender is set apart after that.
fn may_be_approved(payout: &Payout) -> bool {
    match (payout.state, payout.whose) {
        (PayoutState::Held, _) | (PayoutState::Asked, Whose::Sender(_)) => true,
        (
            PayoutState::Asked
            | PayoutState::Releasing
            | PayoutState::Refused
            | PayoutState::Rejecting
            | PayoutState::Rejected
            | PayoutState::Ordered,
            _,
        ) => false,
    }
}

fn of_id(statements: &mut dyn Statements, id: FactId) -> Result<Option<Payout>, Fault> {
    let sql = payouts!("id = ?1");
    statements.query(sql, &[Value::from(id.as_bytes())])?.first().map(payout).transpose()
}

pub(super) fn payout(row: &Row) -> Result<Payout, Fault> {
    let account = row.optional(1, read_account)?.map(Whose::Account);
    let sender = row.optional(2, Row::bytes)?.map(EntryId::from_bytes).map(Whose::Sender);
    Ok(Payout {
        id: FactId::from_bytes(row.bytes(0)?),
        whose: account.or(sender).ok_or(UNREADABLE)?,
        by: row.text(3)?.parse::<Asker>().map_err(|_| UNREADABLE)?,
        asked: read_day(row, 4)?,
        name: row.text(5)?.to_owned(),
        iban: row.text(6)?.to_owned(),
        unit: Unit::new(row.text(7)?).map_err(|_| UNREADABLE)?,
        amount: row.count(8)?,
        text: row.text(9)?.to_owned(),
        state: PayoutState::of_name(row.text(10)?).ok_or(UNREADABLE)?,
        approvals: row.count(11)?,
    })
}
