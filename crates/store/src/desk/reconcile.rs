//! The SQL of reconciliation.

use std::collections::BTreeMap;

use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_service::desk::reconcile::{
    Approved, BookedSums, HandedIn, ReconcileStore, StatementFile,
};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::Deed;
use tacit_service::reconcile::{Approval, Explanation, Position, StatementBalance};
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{day, read_day};
use super::{Desk, trail};

const UNREADABLE: Fault = Fault::Malformed("what reconciliation rests on cannot be read");

impl<E: Engine> ReconcileStore for Desk<E> {
    fn hand_in(&mut self, handed: &HandedIn, deed: &Deed) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql =
                "INSERT INTO statement_handed (hash, staff, first, last) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO NOTHING";
            let (first, last) = handed.days.unzip();
            let parameters = [
                Value::from(&handed.hash),
                Value::from(&handed.staff.bytes()),
                first.map_or(Value::Null, day),
                last.map_or(Value::Null, day),
            ];
            statements.execute(sql, &parameters)?;
            trail::write(statements, deed)
        })
    }

    fn note_file(
        &mut self,
        file: &StatementFile,
        balances: &[StatementBalance],
        deed: Option<&Deed>,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            for balance in balances {
                note_balance(statements, balance)?;
            }
            let sql = "INSERT INTO statement_file (hash, day, is_statement, new, known, unclear, unbooked)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
            let parameters = [
                Value::from(&file.hash),
                day(file.day),
                file.is_statement.into(),
                file.new.into(),
                file.known.into(),
                file.unclear.into(),
                file.unbooked.into(),
            ];
            let is_new = statements.execute(sql, &parameters)? == 1;
            if let Some(deed) = deed {
                trail::write(statements, deed)?;
            }
            Ok(is_new)
        })
    }

    fn file(&mut self, hash: [u8; 32]) -> Result<Option<StatementFile>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT hash, day, is_statement, new, known, unclear, unbooked FROM statement_file
                       WHERE hash = ?1";
            statements.query(sql, &[Value::from(&hash)])?.first().map(file).transpose()
        })
    }

    fn files(&mut self, skip: u64, max: u32) -> Result<Vec<StatementFile>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT hash, day, is_statement, new, known, unclear, unbooked FROM statement_file
                       ORDER BY day DESC, hash LIMIT ?1 OFFSET ?2";
            let parameters = [i64::from(max).into(), skip.into()];
            statements.query(sql, &parameters)?.iter().map(file).collect()
        })
    }

    fn balances(&mut self, unit: Unit, from: Day) -> Result<Vec<StatementBalance>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT account, day, statement, opening, closing, adds_up, contradicted FROM statement_balance
                       WHERE unit = ?1 AND ?2 <= day ORDER BY day, account, statement";
            let rows = statements.query(sql, &[unit.code().into(), day(from)])?;
            let balance = |row: &Row| {
                Ok(StatementBalance {
                    account: row.text(0)?.to_owned(),
                    day: read_day(row, 1)?,
                    statement: row.text(2)?.to_owned(),
                    unit,
                    opening: row.optional(3, Row::integer)?,
                    closing: row.integer(4)?,
                    adds_up: row.optional(5, Row::boolean)?,
                    is_contradicted: row.boolean(6)?,
                })
            };
            rows.iter().map(balance).collect()
        })
    }

    fn booked(&mut self, unit: Unit, after: Day) -> Result<BookedSums, StoreError> {
        self.change(|statements| {
            let mut sums = BookedSums::default();
            // What somebody set aside is done and has a reason; it was never posted.
            let sql = "SELECT day, direction, CAST(sum(amount) AS bigint) FROM booking
                       WHERE unit = ?1 AND ?2 < day AND (state = 'open' OR (state = 'done' AND why IS NULL))
                       GROUP BY day, direction";
            for row in statements.query(sql, &[unit.code().into(), day(after)])? {
                sums.days.entry(read_day(&row, 0)?).or_default().posted += signed(&row, 1)?;
            }
            let sql = "SELECT day, direction, CAST(sum(amount) AS bigint) FROM booking
                       WHERE state = 'unclear' AND unit = ?1 GROUP BY day, direction";
            for row in statements.query(sql, &[unit.code().into()])? {
                let amount = signed(&row, 1)?;
                sums.unclear += amount;
                if let Some(of) = row.optional(0, read_day)?.filter(|of| after < *of) {
                    sums.days.entry(of).or_default().unclear += amount;
                }
            }
            let sql = "SELECT count(*) FROM booking WHERE state = 'noted' AND unit = ?1";
            let rows = statements.query(sql, &[unit.code().into()])?;
            sums.noted = rows.first().ok_or(UNREADABLE)?.count(0)?;
            Ok(sums)
        })
    }

    fn note_position(
        &mut self,
        unit: Unit,
        of: Day,
        position: &Position,
    ) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = "INSERT INTO safeguarding (unit, day, settlement, ecash, accounts, unissued, held, refunds, suspense)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                       ON CONFLICT (unit, day) DO UPDATE SET settlement = ?3, ecash = ?4, accounts = ?5, unissued = ?6,
                                                             held = ?7, refunds = ?8, suspense = ?9";
            let parameters = [
                unit.code().into(),
                day(of),
                position.settlement.into(),
                position.ecash.into(),
                position.accounts.into(),
                position.unissued.into(),
                position.held.into(),
                position.refunds.into(),
                position.suspense.into(),
            ];
            statements.execute(sql, &parameters).map(drop)
        })
    }

    fn positions(&mut self, unit: Unit, from: Day) -> Result<BTreeMap<Day, Position>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT day, settlement, ecash, accounts, unissued, held, refunds, suspense FROM safeguarding
                       WHERE unit = ?1 AND ?2 <= day";
            let rows = statements.query(sql, &[unit.code().into(), day(from)])?;
            let position = |row: &Row| {
                let position = Position {
                    settlement: row.integer(1)?,
                    ecash: row.integer(2)?,
                    accounts: row.integer(3)?,
                    unissued: row.integer(4)?,
                    held: row.integer(5)?,
                    refunds: row.integer(6)?,
                    suspense: row.integer(7)?,
                };
                Ok((read_day(row, 0)?, position))
            };
            rows.iter().map(position).collect()
        })
    }

    fn explain(&mut self, explanation: &Explanation, deed: &Deed) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "INSERT INTO explanation (unit, day, number, difference, note, staff, noted)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
            let parameters = [
                explanation.unit.code().into(),
                day(explanation.day),
                explanation.number.into(),
                explanation.difference.into(),
                explanation.note.as_str().into(),
                Value::from(&explanation.staff.bytes()),
                day(explanation.noted),
            ];
            if statements.execute(sql, &parameters)? == 0 {
                return Ok(false);
            }
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn approve_explanation(
        &mut self,
        explanation: &Explanation,
        settled: Option<Day>,
        approval: Approval,
        deed: &Deed,
    ) -> Result<Approved, StoreError> {
        self.change(|statements| {
            let of = [
                Value::from(explanation.unit.code()),
                day(explanation.day),
                explanation.number.into(),
            ];
            let sql = "SELECT staff, approver FROM explanation WHERE unit = ?1 AND day = ?2 AND number = ?3";
            let rows = statements.query(sql, &of)?;
            let Some(row) = rows.first() else { return Ok(Approved::Unknown) };
            let by = Value::from(&approval.staff.bytes());
            if StaffId::from_bytes(row.bytes(0)?) == approval.staff {
                return Ok(Approved::Own);
            }
            let sql = "SELECT hash FROM statement_handed
                       WHERE staff = ?1 AND (last IS NULL OR (?2 < last AND first <= ?3)) LIMIT 1";
            let settled = settled.map_or(Value::from(-1_i64), day);
            let handed = statements.query(sql, &[by.clone(), settled, day(explanation.day)])?;
            if !handed.is_empty() {
                return Ok(Approved::HandedIn);
            }
            if !row.is_null(1)? {
                return Ok(Approved::Before);
            }
            let sql = "UPDATE explanation SET approver = ?4, approved = ?5
                       WHERE unit = ?1 AND day = ?2 AND number = ?3";
            let [unit, of, number] = of;
            statements.execute(sql, &[unit, of, number, by, day(approval.day)])?;
            trail::write(statements, deed)?;
            Ok(Approved::Done)
        })
    }

    fn explanations(&mut self, unit: Unit) -> Result<Vec<Explanation>, StoreError> {
        self.change(|statements| {
            let sql =
                "SELECT day, number, difference, note, staff, noted, approver, approved FROM explanation
                       WHERE unit = ?1 ORDER BY day, number";
            let rows = statements.query(sql, &[unit.code().into()])?;
            rows.iter().map(|row| explanation(row, unit)).collect()
        })
    }
}

fn explanation(row: &Row, unit: Unit) -> Result<Explanation, Fault> {
    let approver = row.optional(6, Row::bytes)?.map(StaffId::from_bytes);
    let approved = row.optional(7, read_day)?;
    Ok(Explanation {
        unit,
        day: read_day(row, 0)?,
        number: row.count(1)?,
        difference: row.optional(2, Row::integer)?,
        note: row.text(3)?.to_owned(),
        staff: StaffId::from_bytes(row.bytes(4)?),
        noted: read_day(row, 5)?,
        approval: approver.zip(approved).map(|(staff, day)| Approval { staff, day }),
    })
}

/// The sum in the column after a direction, below zero if it went.
fn signed(row: &Row, column: usize) -> Result<i64, Fault> {
    let amount = row.integer(column + 1)?;
    match row.text(column)? {
        "in" => Ok(amount),
        "out" => Ok(-amount),
        _ => Err(UNREADABLE),
    }
}

fn note_balance(statements: &mut dyn Statements, balance: &StatementBalance) -> Result<(), Fault> {
    // What is known of it and differs was another bank's word, or somebody's own.
    let sql = "INSERT INTO statement_balance (account, day, statement, unit, opening, closing, adds_up, contradicted)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (account, day, statement) DO UPDATE
               SET opening = ?5, closing = ?6, adds_up = ?7,
                   contradicted = CASE WHEN statement_balance.contradicted = 1 OR ?8 = 1 OR statement_balance.closing <> ?6
                                            OR coalesce(statement_balance.opening, ?5) <> ?5 THEN 1 ELSE 0 END";
    let parameters = [
        balance.account.as_str().into(),
        day(balance.day),
        balance.statement.as_str().into(),
        balance.unit.code().into(),
        balance.opening.into(),
        balance.closing.into(),
        balance.adds_up.into(),
        balance.is_contradicted.into(),
    ];
    statements.execute(sql, &parameters).map(drop)
}

fn file(row: &Row) -> Result<StatementFile, Fault> {
    Ok(StatementFile {
        hash: row.bytes(0)?,
        day: read_day(row, 1)?,
        is_statement: row.boolean(2)?,
        new: row.count(3)?,
        known: row.count(4)?,
        unclear: row.count(5)?,
        unbooked: row.count(6)?,
    })
}
