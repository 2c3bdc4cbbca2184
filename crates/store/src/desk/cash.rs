//! The SQL of cash at agents.

use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_service::account::AccountId;
use tacit_service::desk::cash::{
    AgentDay, Cash, CashHash, CashKind, CashState, CashStore, DONE_MAX, Deal, Dealt, READY_MAX,
    RETENTION_DAYS,
};
use tacit_service::posting::FactId;
use tacit_service::vault::StoreError;

use super::Desk;
use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{account, day, moment, read_account, read_day, read_moment};

const UNREADABLE: Fault = Fault::Malformed("a row of cash cannot be read");

impl<E: Engine> CashStore for Desk<E> {
    fn ask_cash(&mut self, cash: &Cash) -> Result<bool, StoreError> {
        self.change(|statements| {
            if of_id(statements, cash.id)?.is_some() {
                return Ok(true);
            }
            if cash.kind == CashKind::In {
                let sql = "DELETE FROM cash WHERE account = ?1 AND kind = 'in' AND state = 'ready'";
                statements.execute(sql, &[account(cash.account)])?;
            } else {
                let sql = "SELECT count(*) FROM cash
                           WHERE account = ?1 AND kind = ?2 AND state <> 'done'";
                let own = [account(cash.account), cash.kind.name().into()];
                let rows = statements.query(sql, &own)?;
                let open = rows.first().map(|row| row.count(0)).transpose()?.unwrap_or_default();
                if READY_MAX <= open {
                    return Ok(false);
                }
            }
            insert(statements, cash).map(|()| true)
        })
    }

    fn cash(&mut self, id: FactId) -> Result<Option<Cash>, StoreError> {
        self.change(|statements| of_id(statements, id))
    }

    fn cash_of_code(&mut self, code: CashHash, now: Timestamp) -> Result<Option<Cash>, StoreError> {
        self.change(|statements| Ok(of_code(statements, code)?.filter(|cash| now < cash.expires)))
    }

    fn cash_of(&mut self, of: AccountId) -> Result<Vec<Cash>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT id, kind, account, unit, amount, fee, code_hash, expires, state, agent, day
                       FROM cash WHERE account = ?1 AND kind <> 'card' AND state <> 'done'
                       ORDER BY expires, id";
            let mut all = statements.query(sql, &[account(of)])?;
            let sql =
                "SELECT id, kind, account, unit, amount, fee, code_hash, expires, state, agent, day
                       FROM cash WHERE account = ?1 AND state = 'done'
                       ORDER BY day DESC, id LIMIT ?2";
            all.extend(statements.query(sql, &[account(of), i64::from(DONE_MAX).into()])?);
            all.iter().map(read).collect()
        })
    }

    fn deals_of(&mut self, agent: AccountId, of: Day) -> Result<Vec<Cash>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT id, kind, account, unit, amount, fee, code_hash, expires, state, agent, day
                       FROM cash WHERE agent = ?1
                           AND (state = 'dealing' OR (state = 'done' AND day = ?2))
                       ORDER BY state, id LIMIT ?3";
            let parameters = [account(agent), day(of), i64::from(DONE_MAX).into()];
            statements.query(sql, &parameters)?.iter().map(read).collect()
        })
    }

    fn day_of(&mut self, agent: AccountId, of: Day) -> Result<AgentDay, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT kind, state, count(*), CAST(coalesce(sum(amount), 0) AS bigint) FROM cash
                       WHERE agent = ?1 AND (state = 'dealing' OR (state = 'done' AND day = ?2))
                       GROUP BY kind, state";
            let mut whole = AgentDay::default();
            for row in statements.query(sql, &[account(agent), day(of)])? {
                whole.count += row.count(2)?;
                match (row.text(0)?, row.text(1)?) {
                    ("out", "done") => whole.given = row.count(3)?,
                    ("in", "done") => whole.taken = row.count(3)?,
                    _ => {}
                }
            }
            Ok(whole)
        })
    }

    fn cash_begun(&mut self, after: Option<FactId>, max: u32) -> Result<Vec<Cash>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT id, kind, account, unit, amount, fee, code_hash, expires, state, agent, day
                       FROM cash WHERE state IN ('asked', 'dealing', 'ending') AND id > ?1
                       ORDER BY id LIMIT ?2";
            let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
            let parameters = [after.as_slice().into(), i64::from(max).into()];
            statements.query(sql, &parameters)?.iter().map(read).collect()
        })
    }

    fn move_cash(
        &mut self,
        id: FactId,
        from: CashState,
        to: CashState,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE cash SET state = ?3 WHERE id = ?1 AND state = ?2";
            let parameters = [Value::from(id.as_bytes()), from.name().into(), to.name().into()];
            Ok(statements.execute(sql, &parameters)? == 1)
        })
    }

    fn call_off(&mut self, id: FactId, of: AccountId) -> Result<bool, StoreError> {
        self.change(|statements| {
            let own = [Value::from(id.as_bytes()), account(of)];
            let sql = "DELETE FROM cash
                       WHERE id = ?1 AND account = ?2 AND kind = 'in' AND state = 'ready'";
            if statements.execute(sql, &own)? == 1 {
                return Ok(true);
            }
            let sql = "UPDATE cash SET state = 'ending' WHERE id = ?1 AND account = ?2
                           AND kind = 'out' AND state IN ('asked', 'ready')";
            Ok(statements.execute(sql, &own)? == 1)
        })
    }

    fn expire_cash(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "UPDATE cash SET state = 'ending'
                       WHERE kind = 'out' AND state IN ('asked', 'ready') AND expires <= ?1";
            statements.execute(sql, &[moment(now)])?;
            let sql = "DELETE FROM cash
                       WHERE kind IN ('in', 'card') AND state = 'ready' AND expires <= ?1";
            statements.execute(sql, &[moment(now)])?;
            let last = now.day().number().saturating_sub(RETENTION_DAYS);
            let sql = "DELETE FROM cash WHERE state = 'done' AND day < ?1";
            statements.execute(sql, &[last.into()]).map(drop)
        })
    }

    fn deal(&mut self, deal: &Deal) -> Result<Dealt, StoreError> {
        self.change(|statements| begin(statements, deal))
    }

    fn finish_cash(&mut self, id: FactId, of: Day) -> Result<(), StoreError> {
        self.change(|statements| {
            // Until when a code was good says when it was asked for: that goes with it.
            let sql = "UPDATE cash SET state = 'done', code_hash = NULL, expires = 0, day = ?2
                       WHERE id = ?1 AND state <> 'done'";
            statements.execute(sql, &[Value::from(id.as_bytes()), day(of)]).map(drop)
        })
    }

    fn reopen_cash(&mut self, id: FactId) -> Result<(), StoreError> {
        self.change(|statements| {
            let id = [Value::from(id.as_bytes())];
            // That of a card has no code of its own.
            let sql = "DELETE FROM cash WHERE id = ?1 AND state = 'dealing' AND code_hash IS NULL";
            statements.execute(sql, &id)?;
            let sql = "UPDATE cash SET state = 'ready', agent = NULL
                       WHERE id = ?1 AND state = 'dealing'";
            if statements.execute(sql, &id)? == 1 {
                let sql = "UPDATE cash SET unit = NULL, amount = 0, fee = 0
                           WHERE id = ?1 AND kind = 'in'";
                statements.execute(sql, &id)?;
            }
            Ok(())
        })
    }

    fn drop_cash(&mut self, id: FactId) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "DELETE FROM cash WHERE id = ?1 AND state = 'ending'";
            statements.execute(sql, &[Value::from(id.as_bytes())]).map(drop)
        })
    }
}

fn begin(statements: &mut dyn Statements, deal: &Deal) -> Result<Dealt, Fault> {
    // The second click: by then the code may be forgotten.
    if let Some(known) = of_id(statements, deal.id)?
        && known.agent == Some(deal.agent)
        && matches!(known.state, CashState::Dealing | CashState::Done)
    {
        return Ok(Dealt::Begun(known));
    }
    let Some(cash) = of_code(statements, deal.code)? else { return Ok(Dealt::Unknown) };
    match cash.state {
        CashState::Ready if deal.now < cash.expires => {}
        CashState::Dealing if cash.agent == Some(deal.agent) => return Ok(Dealt::Begun(cash)),
        CashState::Dealing => return Ok(Dealt::Elsewhere),
        CashState::Ready | CashState::Asked | CashState::Ending | CashState::Done => {
            return Ok(Dealt::Unknown);
        }
    }
    if cash.unit.is_some_and(|unit| unit != deal.unit) {
        return Ok(Dealt::OtherUnit);
    }
    let taken = Cash {
        unit: Some(deal.unit),
        amount: deal.amount,
        fee: deal.fee,
        state: CashState::Dealing,
        agent: Some(deal.agent),
        ..cash.clone()
    };
    let begun = match cash.kind {
        CashKind::Out => Cash { amount: cash.amount, fee: cash.fee, ..taken },
        CashKind::In => taken,
        CashKind::Card => {
            let begun = Cash { id: deal.id, kind: CashKind::In, code: None, ..taken };
            insert(statements, &begun)?;
            return Ok(Dealt::Begun(begun));
        }
    };
    let sql = "UPDATE cash SET state = 'dealing', agent = ?2, unit = ?3, amount = ?4, fee = ?5
               WHERE id = ?1";
    let parameters = [
        Value::from(begun.id.as_bytes()),
        account(deal.agent),
        deal.unit.code().into(),
        begun.amount.into(),
        begun.fee.into(),
    ];
    statements.execute(sql, &parameters)?;
    Ok(Dealt::Begun(begun))
}

pub(super) fn insert(statements: &mut dyn Statements, cash: &Cash) -> Result<(), Fault> {
    let sql = "INSERT INTO cash (id, kind, account, unit, amount, fee, code_hash, expires, state, agent, day)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let parameters = [
        Value::from(cash.id.as_bytes()),
        cash.kind.name().into(),
        account(cash.account),
        cash.unit.as_ref().map(|unit| unit.code()).into(),
        cash.amount.into(),
        cash.fee.into(),
        cash.code.as_ref().map(|code| code.bytes()).as_ref().into(),
        moment(cash.expires),
        cash.state.name().into(),
        cash.agent.map_or(Value::Null, account),
        cash.day.map_or(Value::Null, day),
    ];
    statements.execute(sql, &parameters).map(drop)
}

fn of_id(statements: &mut dyn Statements, id: FactId) -> Result<Option<Cash>, Fault> {
    let sql = "SELECT id, kind, account, unit, amount, fee, code_hash, expires, state, agent, day
               FROM cash WHERE id = ?1";
    statements.query(sql, &[Value::from(id.as_bytes())])?.first().map(read).transpose()
}

fn of_code(statements: &mut dyn Statements, code: CashHash) -> Result<Option<Cash>, Fault> {
    let sql = "SELECT id, kind, account, unit, amount, fee, code_hash, expires, state, agent, day
               FROM cash WHERE code_hash = ?1";
    statements.query(sql, &[Value::from(&code.bytes())])?.first().map(read).transpose()
}

fn read(row: &Row) -> Result<Cash, Fault> {
    let unit = |row: &Row, column| Unit::new(row.text(column)?).map_err(|_| UNREADABLE);
    Ok(Cash {
        id: FactId::from_bytes(row.bytes(0)?),
        kind: CashKind::of_name(row.text(1)?).ok_or(UNREADABLE)?,
        account: read_account(row, 2)?,
        unit: row.optional(3, unit)?,
        amount: row.count(4)?,
        fee: row.count(5)?,
        code: row.optional(6, Row::bytes)?.map(CashHash::from_bytes),
        expires: read_moment(row, 7)?,
        state: CashState::of_name(row.text(8)?).ok_or(UNREADABLE)?,
        agent: row.optional(9, read_account)?,
        day: row.optional(10, read_day)?,
    })
}
