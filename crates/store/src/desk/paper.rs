//! Orders' and refunds' SQL.

use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_service::account::AccountId;
use tacit_service::desk::paper::{
    Begun, CheckoutId, DaySales, Line, OrderPaper, PaperState, PaperStore, RefundPaper, RefundWay,
};
use tacit_service::order::OrderId;
use tacit_service::posting::FactId;
use tacit_service::vault::StoreError;

use super::Desk;
use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{account, day, moment, read_account, read_day, read_moment};

const UNREADABLE: Fault = Fault::Malformed("a row of an order cannot be read");

impl<E: Engine> PaperStore for Desk<E> {
    fn begin_order(&mut self, paper: &OrderPaper) -> Result<Begun<OrderPaper>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT id, merchant, number, checkout, request_key, request_digest, reference,
                              description, amount, unit, created, expiry, state, paid_day, refunded
                       FROM order_paper WHERE merchant = ?1 AND request_key = ?2";
            let own = [account(paper.merchant), paper.request_key.as_str().into()];
            if let Some(row) = statements.query(sql, &own)?.first() {
                let known = read_order(row)?;
                let is_same = known.request_digest == paper.request_digest;
                return Ok(if is_same { Begun::Same(known) } else { Begun::Other });
            }
            let sql = "SELECT max(number) FROM order_paper WHERE merchant = ?1";
            let rows = statements.query(sql, &[account(paper.merchant)])?;
            let last = rows.first().map(|row| row.optional(0, Row::count)).transpose()?.flatten();
            let paper = OrderPaper { number: last.unwrap_or(0) + 1, ..paper.clone() };
            insert_order(statements, &paper)?;
            Ok(Begun::New(paper))
        })
    }

    fn order_paper(&mut self, id: OrderId) -> Result<Option<OrderPaper>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT id, merchant, number, checkout, request_key, request_digest, reference,
                              description, amount, unit, created, expiry, state, paid_day, refunded
                       FROM order_paper WHERE id = ?1";
            let rows = statements.query(sql, &[Value::from(id.as_bytes())])?;
            rows.first().map(read_order).transpose()
        })
    }

    fn set_order_state(
        &mut self,
        id: OrderId,
        state: PaperState,
        today: Day,
    ) -> Result<(), StoreError> {
        self.change(|statements| set_state(statements, id, state, today))
    }

    fn orders(
        &mut self,
        merchant: AccountId,
        below: Option<u64>,
        limit: u64,
    ) -> Result<Vec<OrderPaper>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT id, merchant, number, checkout, request_key, request_digest, reference,
                              description, amount, unit, created, expiry, state, paid_day, refunded
                       FROM order_paper WHERE merchant = ?1 AND number < ?2
                       ORDER BY number DESC LIMIT ?3";
            let below = below.map_or(Value::Integer(i64::MAX), Value::from);
            let rows = statements.query(sql, &[account(merchant), below, limit.into()])?;
            rows.iter().map(read_order).collect()
        })
    }

    fn orders_begun(&mut self, max: u32) -> Result<Vec<OrderPaper>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT id, merchant, number, checkout, request_key, request_digest, reference,
                              description, amount, unit, created, expiry, state, paid_day, refunded
                       FROM order_paper WHERE state = 'begun' ORDER BY id LIMIT ?1";
            statements.query(sql, &[i64::from(max).into()])?.iter().map(read_order).collect()
        })
    }

    fn begin_refund(&mut self, refund: &RefundPaper) -> Result<Begun<RefundPaper>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, order_id, request_key, request_digest, amount, way, code_hash,
                              created, is_done
                       FROM refund_paper WHERE order_id = ?1 AND request_key = ?2";
            let own = [Value::from(refund.order.as_bytes()), refund.request_key.as_str().into()];
            if let Some(row) = statements.query(sql, &own)?.first() {
                let known = read_refund(row)?;
                let is_same = known.request_digest == refund.request_digest;
                return Ok(if is_same { Begun::Same(known) } else { Begun::Other });
            }
            insert_refund(statements, refund)?;
            Ok(Begun::New(refund.clone()))
        })
    }

    fn set_refund_way(&mut self, id: FactId, way: RefundWay) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "UPDATE refund_paper SET way = ?2 WHERE id = ?1 AND is_done = 0";
            statements.execute(sql, &[Value::from(id.as_bytes()), way.name().into()]).map(drop)
        })
    }

    fn finish_refund(&mut self, id: FactId) -> Result<(), StoreError> {
        self.change(|statements| {
            let id = [Value::from(id.as_bytes())];
            let sql = "UPDATE refund_paper SET is_done = 1 WHERE id = ?1 AND is_done = 0";
            if statements.execute(sql, &id)? == 0 {
                return Ok(());
            }
            let sql = "UPDATE order_paper SET refunded = refunded
                           + (SELECT amount FROM refund_paper WHERE id = ?1)
                       WHERE id = (SELECT order_id FROM refund_paper WHERE id = ?1)";
            statements.execute(sql, &id).map(drop)
        })
    }

    fn drop_refund(&mut self, id: FactId) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "DELETE FROM refund_paper WHERE id = ?1 AND is_done = 0";
            statements.execute(sql, &[Value::from(id.as_bytes())]).map(drop)
        })
    }

    fn refunds(&mut self, order: OrderId) -> Result<Vec<RefundPaper>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, order_id, request_key, request_digest, amount, way, code_hash,
                              created, is_done
                       FROM refund_paper WHERE order_id = ?1 ORDER BY created, id";
            let rows = statements.query(sql, &[Value::from(order.as_bytes())])?;
            rows.iter().map(read_refund).collect()
        })
    }

    fn refund_of_code(&mut self, code_hash: [u8; 32]) -> Result<Option<RefundPaper>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, order_id, request_key, request_digest, amount, way, code_hash,
                              created, is_done
                       FROM refund_paper WHERE code_hash = ?1";
            let rows = statements.query(sql, &[Value::from(&code_hash)])?;
            rows.first().map(read_refund).transpose()
        })
    }

    fn refunds_begun(&mut self, max: u32) -> Result<Vec<RefundPaper>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, order_id, request_key, request_digest, amount, way, code_hash,
                              created, is_done
                       FROM refund_paper WHERE is_done = 0 ORDER BY id LIMIT ?1";
            statements.query(sql, &[i64::from(max).into()])?.iter().map(read_refund).collect()
        })
    }

    fn sales(&mut self, merchant: AccountId, from: Day) -> Result<Vec<DaySales>, StoreError> {
        self.change(|statements| {
            // PostgreSQL adds bigints up to a numeric, which no column here is.
            let sql = "SELECT paid_day, count(*), CAST(sum(amount) AS bigint), CAST(sum(refunded) AS bigint)
                       FROM order_paper WHERE merchant = ?1 AND paid_day >= ?2
                       GROUP BY paid_day ORDER BY paid_day";
            let rows = statements.query(sql, &[account(merchant), day(from)])?;
            let read = |row: &Row| {
                Ok(DaySales {
                    day: read_day(row, 0)?,
                    orders: row.count(1)?,
                    paid: row.count(2)?,
                    refunded: row.count(3)?,
                })
            };
            rows.iter().map(read).collect()
        })
    }
}

/// An order goes from begun to open, and from either to paid or cancelled; a cancelled one is paid all the same if the
/// vault says so.
pub(super) fn set_state(
    statements: &mut dyn Statements,
    id: OrderId,
    state: PaperState,
    today: Day,
) -> Result<(), Fault> {
    let sql = match state {
        PaperState::Begun => return Ok(()),
        PaperState::Open => {
            "UPDATE order_paper SET state = ?2, paid_day = ?3 WHERE id = ?1 AND state = 'begun'"
        }
        PaperState::Cancelled => {
            "UPDATE order_paper SET state = ?2, paid_day = ?3
             WHERE id = ?1 AND state IN ('begun', 'open')"
        }
        PaperState::Paid => {
            "UPDATE order_paper SET state = ?2, paid_day = ?3 WHERE id = ?1 AND state <> 'paid'"
        }
    };
    let paid = if state == PaperState::Paid { day(today) } else { Value::Null };
    statements.execute(sql, &[Value::from(id.as_bytes()), state.name().into(), paid]).map(drop)
}

fn insert_order(statements: &mut dyn Statements, paper: &OrderPaper) -> Result<(), Fault> {
    let sql = "INSERT INTO order_paper
                   (id, merchant, number, checkout, request_key, request_digest, reference,
                    description, amount, unit, created, expiry, state, paid_day, refunded)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    let parameters = [
        Value::from(paper.id.as_bytes()),
        account(paper.merchant),
        paper.number.into(),
        Value::from(&paper.checkout.bytes()),
        paper.request_key.as_str().into(),
        Value::from(&paper.request_digest),
        paper.reference.as_ref().map(Line::as_str).into(),
        paper.description.as_str().into(),
        paper.amount.into(),
        paper.unit.code().into(),
        day(paper.created),
        moment(paper.expiry),
        paper.state.name().into(),
        paper.paid.map_or(Value::Null, day),
        paper.refunded.into(),
    ];
    statements.execute(sql, &parameters).map(drop)
}

fn insert_refund(statements: &mut dyn Statements, refund: &RefundPaper) -> Result<(), Fault> {
    let sql = "INSERT INTO refund_paper (id, order_id, request_key, request_digest, amount, way,
                                         code_hash, created, is_done)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let parameters = [
        Value::from(refund.id.as_bytes()),
        Value::from(refund.order.as_bytes()),
        refund.request_key.as_str().into(),
        Value::from(&refund.request_digest),
        refund.amount.into(),
        refund.way.name().into(),
        Value::from(&refund.code_hash),
        day(refund.created),
        refund.is_done.into(),
    ];
    statements.execute(sql, &parameters).map(drop)
}

fn read_order(row: &Row) -> Result<OrderPaper, Fault> {
    let line = |text: &str| Line::new(text).map_err(|_| UNREADABLE);
    Ok(OrderPaper {
        id: OrderId::from_bytes(row.bytes(0)?),
        merchant: read_account(row, 1)?,
        number: row.count(2)?,
        checkout: CheckoutId::from_bytes(row.bytes(3)?),
        request_key: row.text(4)?.to_owned(),
        request_digest: row.bytes(5)?,
        reference: row.optional(6, |row, column| line(row.text(column)?))?,
        description: line(row.text(7)?)?,
        amount: row.count(8)?,
        unit: Unit::new(row.text(9)?).map_err(|_| UNREADABLE)?,
        created: read_day(row, 10)?,
        expiry: read_moment(row, 11)?,
        state: PaperState::of_name(row.text(12)?).ok_or(UNREADABLE)?,
        paid: row.optional(13, read_day)?,
        refunded: row.count(14)?,
    })
}

fn read_refund(row: &Row) -> Result<RefundPaper, Fault> {
    Ok(RefundPaper {
        id: FactId::from_bytes(row.bytes(0)?),
        order: OrderId::from_bytes(row.bytes(1)?),
        request_key: row.text(2)?.to_owned(),
        request_digest: row.bytes(3)?,
        amount: row.count(4)?,
        way: RefundWay::of_name(row.text(5)?).ok_or(UNREADABLE)?,
        code_hash: row.bytes(6)?,
        created: read_day(row, 7)?,
        is_done: row.boolean(8)?,
    })
}
