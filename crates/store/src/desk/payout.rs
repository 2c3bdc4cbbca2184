//! The SQL of payouts.

use tacit_core::unit::Unit;
use tacit_service::desk::payout::{APPROVALS, Order, Payout, PayoutState, PayoutStore};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::Deed;
use tacit_service::posting::FactId;
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{day, moment, read_day, read_moment};
use super::{Desk, trail};

const UNREADABLE: Fault = Fault::Malformed("a payout cannot be read");

impl<E: Engine> PayoutStore for Desk<E> {
    fn add_payout(&mut self, payout: &Payout) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "INSERT INTO payout (id, account, name, iban, unit, amount, text, state, payout_order)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL) ON CONFLICT DO NOTHING";
            let parameters = [
                Value::from(payout.id.as_bytes()),
                payout.account.to_string().as_str().into(),
                payout.name.as_str().into(),
                payout.iban.as_str().into(),
                payout.unit.code().into(),
                payout.amount.into(),
                payout.text.as_str().into(),
                payout.state.name().into(),
            ];
            Ok(statements.execute(sql, &parameters)? == 1)
        })
    }

    fn payout(&mut self, id: FactId) -> Result<Option<Payout>, StoreError> {
        self.change(|statements| of_id(statements, id))
    }

    fn payouts(
        &mut self,
        state: PayoutState,
        after: Option<FactId>,
        max: u32,
    ) -> Result<Vec<Payout>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, account, name, iban, unit, amount, text, state,
                              (SELECT count(*) FROM payout_approval WHERE payout = payout.id)
                       FROM payout WHERE state = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
            // Nothing is as small as no bytes at all.
            let after = after.map_or(Value::from(&[] as &[u8]), |id| Value::from(id.as_bytes()));
            let parameters = [state.name().into(), after, i64::from(max).into()];
            statements.query(sql, &parameters)?.iter().map(payout).collect()
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
            if known.is_none_or(|payout| payout.state != PayoutState::Held) {
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
            let sql =
                "UPDATE payout SET state = 'rejecting' WHERE id = ?1 AND state IN ('asked', 'held')";
            if statements.execute(sql, &[Value::from(id.as_bytes())])? == 0 {
                return Ok(false);
            }
            trail::write(statements, deed)?;
            Ok(true)
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
            let sql = "SELECT id, account, name, iban, unit, amount, text, state,
                              (SELECT count(*) FROM payout_approval WHERE payout = payout.id)
                       FROM payout WHERE payout_order = ?1 ORDER BY id";
            let payouts: Result<Vec<Payout>, Fault> =
                statements.query(sql, &[own])?.iter().map(payout).collect();
            Ok(Some((order, payouts?)))
        })
    }
}

fn of_id(statements: &mut dyn Statements, id: FactId) -> Result<Option<Payout>, Fault> {
    let sql = "SELECT id, account, name, iban, unit, amount, text, state,
                      (SELECT count(*) FROM payout_approval WHERE payout = payout.id)
               FROM payout WHERE id = ?1";
    statements.query(sql, &[Value::from(id.as_bytes())])?.first().map(payout).transpose()
}

fn payout(row: &Row) -> Result<Payout, Fault> {
    Ok(Payout {
        id: FactId::from_bytes(row.bytes(0)?),
        account: row.text(1)?.parse().map_err(|_| UNREADABLE)?,
        name: row.text(2)?.to_owned(),
        iban: row.text(3)?.to_owned(),
        unit: Unit::new(row.text(4)?).map_err(|_| UNREADABLE)?,
        amount: row.count(5)?,
        text: row.text(6)?.to_owned(),
        state: PayoutState::of_name(row.text(7)?).ok_or(UNREADABLE)?,
        approvals: row.count(8)?,
    })
}
