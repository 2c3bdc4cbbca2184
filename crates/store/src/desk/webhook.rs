//! Webhooks' SQL.

use tacit_core::time::{Day, Timestamp};
use tacit_service::account::AccountId;
use tacit_service::desk::paper::PaperState;
use tacit_service::desk::webhook::{Attempt, Delivery, DeliveryState, WebhookStore};
use tacit_service::order::{EventId, EventKind, OrderId, OutboxEvent};
use tacit_service::vault::StoreError;

use super::Desk;
use super::engine::{Engine, Fault, Row, Statements, Value};
use super::paper::set_state;
use super::row::{account, day, moment, read_account, read_day, read_moment};

const UNREADABLE: Fault = Fault::Malformed("a row of a webhook cannot be read");

impl<E: Engine> WebhookStore for Desk<E> {
    fn take_over(&mut self, events: &[OutboxEvent], today: Day) -> Result<(), StoreError> {
        self.change(|statements| {
            for event in events {
                if event.kind == EventKind::OrderPaid {
                    set_state(statements, event.order, PaperState::Paid, today)?;
                }
                remember(statements, event, today)?;
            }
            Ok(())
        })
    }

    fn due_deliveries(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT event, merchant, kind, order_id, amount, day, attempts, next_attempt,
                              state, last_status
                       FROM webhook_delivery WHERE state = 'waiting' AND next_attempt <= ?1
                       ORDER BY next_attempt, event LIMIT ?2";
            let rows = statements.query(sql, &[moment(now), i64::from(limit).into()])?;
            rows.iter().map(read).collect()
        })
    }

    fn delivery(&mut self, event: EventId) -> Result<Option<Delivery>, StoreError> {
        self.change(|statements| delivery(statements, event))
    }

    fn note_attempt(
        &mut self,
        event: EventId,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(|statements| {
            let Some(known) = delivery(statements, event)? else { return Ok(()) };
            let after = known.after(attempt, now);
            let sql = "UPDATE webhook_delivery
                       SET attempts = ?2, next_attempt = ?3, state = ?4, last_status = ?5
                       WHERE event = ?1";
            let parameters = [
                Value::from(event.as_bytes()),
                i64::from(after.attempts).into(),
                after.next_attempt.map_or(Value::Null, moment),
                after.state.name().into(),
                after.last.as_deref().into(),
            ];
            statements.execute(sql, &parameters).map(drop)
        })
    }

    fn deliveries(
        &mut self,
        merchant: AccountId,
        skip: u64,
        limit: u32,
    ) -> Result<Vec<(Delivery, Option<u64>)>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT event, webhook_delivery.merchant, kind, order_id, webhook_delivery.amount,
                              webhook_delivery.day, attempts, next_attempt, webhook_delivery.state, last_status,
                              order_paper.number
                       FROM webhook_delivery LEFT JOIN order_paper ON order_paper.id = order_id
                       WHERE webhook_delivery.merchant = ?1
                       ORDER BY webhook_delivery.day DESC, event LIMIT ?2 OFFSET ?3";
            let parameters = [account(merchant), i64::from(limit).into(), skip.into()];
            let rows = statements.query(sql, &parameters)?;
            let numbered = |row: &Row| Ok((read(row)?, row.optional(10, Row::count)?));
            rows.iter().map(numbered).collect()
        })
    }

    fn send_again(&mut self, merchant: AccountId, event: EventId) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE webhook_delivery
                       SET attempts = 0, next_attempt = 0, state = 'waiting'
                       WHERE event = ?1 AND merchant = ?2";
            Ok(statements.execute(sql, &[Value::from(event.as_bytes()), account(merchant)])? == 1)
        })
    }
}

/// Puts down what is to be told, if the shop wants to be told anything.
fn remember(statements: &mut dyn Statements, event: &OutboxEvent, today: Day) -> Result<(), Fault> {
    let sql = "SELECT merchant.account FROM order_paper
               JOIN merchant ON merchant.account = order_paper.merchant
               WHERE order_paper.id = ?1 AND merchant.webhook_url IS NOT NULL";
    let rows = statements.query(sql, &[Value::from(event.order.as_bytes())])?;
    let Some(row) = rows.first() else { return Ok(()) };
    let sql =
        "INSERT INTO webhook_delivery (event, merchant, kind, order_id, amount, day, attempts,
                                             next_attempt, state, last_status)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 'waiting', NULL) ON CONFLICT DO NOTHING";
    let parameters = [
        Value::from(event.id.as_bytes()),
        row.text(0)?.into(),
        event.kind.name().into(),
        Value::from(event.order.as_bytes()),
        event.amount.into(),
        day(today),
    ];
    statements.execute(sql, &parameters).map(drop)
}

fn delivery(statements: &mut dyn Statements, event: EventId) -> Result<Option<Delivery>, Fault> {
    let sql = "SELECT event, merchant, kind, order_id, amount, day, attempts, next_attempt, state,
                      last_status
               FROM webhook_delivery WHERE event = ?1";
    statements.query(sql, &[Value::from(event.as_bytes())])?.first().map(read).transpose()
}

fn read(row: &Row) -> Result<Delivery, Fault> {
    Ok(Delivery {
        event: EventId::from_bytes(row.bytes(0)?),
        merchant: read_account(row, 1)?,
        kind: EventKind::named(row.text(2)?).ok_or(UNREADABLE)?,
        order: OrderId::from_bytes(row.bytes(3)?),
        amount: row.count(4)?,
        day: read_day(row, 5)?,
        attempts: u32::try_from(row.integer(6)?).map_err(|_| UNREADABLE)?,
        next_attempt: row.optional(7, read_moment)?,
        state: DeliveryState::of_name(row.text(8)?).ok_or(UNREADABLE)?,
        last: row.optional(9, |row, column| Ok(row.text(column)?.to_owned()))?,
    })
}
