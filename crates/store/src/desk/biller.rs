//! Billers' SQL: licences and contracts.

use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_credit::passport::standing::Contract;
use tacit_service::account::AccountId;
use tacit_service::desk::biller::{
    Biller, BillerStore, ContractBegun, ContractPaper, ContractState, Granted, Licence,
    LicenceProposal, LicenceTerms,
};
use tacit_service::desk::paper::{Begun, Line};
use tacit_service::desk::person::Name;
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::Deed;
use tacit_service::vault::StoreError;

use super::engine::{Engine, Fault, Row, Statements, Value};
use super::row::{account, day, read_account, read_day};
use super::{Desk, merchant, trail};

const UNREADABLE: Fault = Fault::Malformed("a row of a biller cannot be read");

impl<E: Engine> BillerStore for Desk<E> {
    fn propose_licence(
        &mut self,
        proposal: &LicenceProposal,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            if merchant::merchant(statements, proposal.merchant)?.is_none() {
                return Ok(false);
            }
            let own = [account(proposal.merchant)];
            statements.execute("DELETE FROM licence_proposal WHERE merchant = ?1", &own)?;
            let sql = "INSERT INTO licence_proposal (merchant, floor, contracts_max, staff, day)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let parameters = [
                account(proposal.merchant),
                proposal.terms.floor.into(),
                proposal.terms.contracts_max.into(),
                Value::from(&proposal.by.bytes()),
                day(proposal.day),
            ];
            statements.execute(sql, &parameters)?;
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn grant_licence(
        &mut self,
        merchant: AccountId,
        terms: LicenceTerms,
        by: StaffId,
        deed: &Deed,
    ) -> Result<Granted, StoreError> {
        self.change(|statements| {
            let Some(proposal) = proposal(statements, merchant)?.filter(|it| it.terms == terms)
            else {
                return Ok(Granted::Unknown);
            };
            if proposal.by == by {
                return Ok(Granted::Own);
            }
            let own = [account(merchant)];
            statements.execute("DELETE FROM licence_proposal WHERE merchant = ?1", &own)?;
            statements.execute("DELETE FROM licence WHERE merchant = ?1", &own)?;
            let sql = "INSERT INTO licence (merchant, floor, contracts_max, granted, ended)
                       VALUES (?1, ?2, ?3, ?4, NULL)";
            let parameters = [
                account(merchant),
                terms.floor.into(),
                terms.contracts_max.into(),
                day(deed.moment.day()),
            ];
            statements.execute(sql, &parameters)?;
            trail::write(statements, deed)?;
            Ok(Granted::Done)
        })
    }

    fn decline_licence(&mut self, merchant: AccountId, deed: &Deed) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "DELETE FROM licence_proposal WHERE merchant = ?1";
            let is_done = statements.execute(sql, &[account(merchant)])? == 1;
            if is_done {
                trail::write(statements, deed)?;
            }
            Ok(is_done)
        })
    }

    fn end_licence(
        &mut self,
        merchant: AccountId,
        today: Day,
        deed: &Deed,
    ) -> Result<bool, StoreError> {
        self.change(|statements| {
            let sql = "UPDATE licence SET ended = ?2 WHERE merchant = ?1 AND ended IS NULL";
            if statements.execute(sql, &[account(merchant), day(today)])? == 0 {
                return Ok(false);
            }
            let sql = "UPDATE contract_paper SET state = 'ending'
                       WHERE merchant = ?1 AND state IN ('begun', 'open')";
            statements.execute(sql, &[account(merchant)])?;
            trail::write(statements, deed)?;
            Ok(true)
        })
    }

    fn licence(&mut self, merchant: AccountId) -> Result<Option<Licence>, StoreError> {
        self.change(|statements| {
            Ok(licence(statements, merchant)?.filter(|licence| licence.ended.is_none()))
        })
    }

    fn biller(&mut self, merchant: AccountId) -> Result<Option<Biller>, StoreError> {
        self.change(|statements| biller(statements, merchant))
    }

    fn billers(&mut self, skip: u64, max: u32) -> Result<Vec<Biller>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT account FROM merchant
                       WHERE account IN (SELECT merchant FROM licence)
                          OR account IN (SELECT merchant FROM licence_proposal)
                       ORDER BY name, account LIMIT ?1 OFFSET ?2";
            let mut found = Vec::new();
            for row in statements.query(sql, &[i64::from(max).into(), skip.into()])? {
                found.extend(biller(statements, read_account(&row, 0)?)?);
            }
            Ok(found)
        })
    }

    fn begin_contract(&mut self, paper: &ContractPaper) -> Result<ContractBegun, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, merchant, number, request_key, request_digest, reference,
                              description, created, state, ended
                       FROM contract_paper WHERE merchant = ?1 AND request_key = ?2";
            let own = [account(paper.merchant), paper.request_key.as_str().into()];
            if let Some(row) = statements.query(sql, &own)?.first() {
                let known = read_contract(row)?;
                let is_same = known.request_digest == paper.request_digest;
                let begun = if is_same { Begun::Same(known) } else { Begun::Other };
                return Ok(ContractBegun::Asked(begun));
            }
            let licence = licence(statements, paper.merchant)?;
            let Some(licence) = licence.filter(|licence| licence.ended.is_none()) else {
                return Ok(ContractBegun::Unlicensed);
            };
            if licence.terms.contracts_max <= going_on(statements, paper.merchant)? {
                return Ok(ContractBegun::Full);
            }
            let sql = "SELECT max(number) FROM contract_paper WHERE merchant = ?1";
            let rows = statements.query(sql, &[account(paper.merchant)])?;
            let last = rows.first().map(|row| row.optional(0, Row::count)).transpose()?.flatten();
            let paper = ContractPaper { number: last.unwrap_or(0) + 1, ..paper.clone() };
            insert(statements, &paper)?;
            Ok(ContractBegun::Asked(Begun::New(paper)))
        })
    }

    fn set_contract_state(
        &mut self,
        id: Contract,
        state: ContractState,
        today: Day,
    ) -> Result<(), StoreError> {
        self.change(|statements| {
            let sql = match state {
                ContractState::Begun => return Ok(()),
                ContractState::Open => {
                    "UPDATE contract_paper SET state = ?2, ended = ?3
                     WHERE id = ?1 AND state = 'begun'"
                }
                ContractState::Ending => {
                    "UPDATE contract_paper SET state = ?2, ended = ?3
                     WHERE id = ?1 AND state IN ('begun', 'open')"
                }
                ContractState::Ended => {
                    "UPDATE contract_paper SET state = ?2, ended = ?3
                     WHERE id = ?1 AND state <> 'ended'"
                }
            };
            let ended = if state == ContractState::Ended { day(today) } else { Value::Null };
            statements.execute(sql, &[Value::from(&id.0), state.name().into(), ended]).map(drop)
        })
    }

    fn contract(&mut self, id: Contract) -> Result<Option<ContractPaper>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, merchant, number, request_key, request_digest, reference,
                              description, created, state, ended
                       FROM contract_paper WHERE id = ?1";
            statements.query(sql, &[Value::from(&id.0)])?.first().map(read_contract).transpose()
        })
    }

    fn contract_of_number(
        &mut self,
        merchant: AccountId,
        number: u64,
    ) -> Result<Option<ContractPaper>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, merchant, number, request_key, request_digest, reference,
                              description, created, state, ended
                       FROM contract_paper WHERE merchant = ?1 AND number = ?2";
            let rows = statements.query(sql, &[account(merchant), number.into()])?;
            rows.first().map(read_contract).transpose()
        })
    }

    fn contracts(
        &mut self,
        merchant: AccountId,
        below: Option<u64>,
        limit: u64,
    ) -> Result<Vec<ContractPaper>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, merchant, number, request_key, request_digest, reference,
                              description, created, state, ended
                       FROM contract_paper WHERE merchant = ?1 AND number < ?2
                       ORDER BY number DESC LIMIT ?3";
            let below = below.map_or(Value::Integer(i64::MAX), Value::from);
            let rows = statements.query(sql, &[account(merchant), below, limit.into()])?;
            rows.iter().map(read_contract).collect()
        })
    }

    fn contracts_on_their_way(&mut self, max: u32) -> Result<Vec<ContractPaper>, StoreError> {
        self.change(|statements| {
            let sql = "SELECT id, merchant, number, request_key, request_digest, reference,
                              description, created, state, ended
                       FROM contract_paper WHERE state IN ('begun', 'ending') ORDER BY id LIMIT ?1";
            statements.query(sql, &[i64::from(max).into()])?.iter().map(read_contract).collect()
        })
    }
}

/// Forgets contracts that ended before a day: as long ago as their bills are dropped in the vault.
pub(super) fn drop_ended(statements: &mut dyn Statements, before: Day) -> Result<(), Fault> {
    statements.execute("DELETE FROM contract_paper WHERE ended < ?1", &[day(before)]).map(drop)
}

fn licence(statements: &mut dyn Statements, id: AccountId) -> Result<Option<Licence>, Fault> {
    let sql =
        "SELECT merchant, floor, contracts_max, granted, ended FROM licence WHERE merchant = ?1";
    let read = |row: &Row| {
        Ok(Licence {
            merchant: read_account(row, 0)?,
            terms: LicenceTerms { floor: row.count(1)?, contracts_max: row.count(2)? },
            granted: read_day(row, 3)?,
            ended: row.optional(4, read_day)?,
        })
    };
    statements.query(sql, &[account(id)])?.first().map(read).transpose()
}

fn proposal(
    statements: &mut dyn Statements,
    id: AccountId,
) -> Result<Option<LicenceProposal>, Fault> {
    let sql = "SELECT merchant, floor, contracts_max, staff, day FROM licence_proposal
               WHERE merchant = ?1";
    let read = |row: &Row| {
        Ok(LicenceProposal {
            merchant: read_account(row, 0)?,
            terms: LicenceTerms { floor: row.count(1)?, contracts_max: row.count(2)? },
            by: StaffId::from_bytes(row.bytes(3)?),
            day: read_day(row, 4)?,
        })
    };
    statements.query(sql, &[account(id)])?.first().map(read).transpose()
}

fn biller(statements: &mut dyn Statements, id: AccountId) -> Result<Option<Biller>, Fault> {
    let sql = "SELECT name, unit FROM merchant WHERE account = ?1";
    let rows = statements.query(sql, &[account(id)])?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Biller {
        merchant: id,
        name: Name::new(row.text(0)?).map_err(|_| UNREADABLE)?,
        unit: Unit::new(row.text(1)?).map_err(|_| UNREADABLE)?,
        licence: licence(statements, id)?,
        proposal: proposal(statements, id)?,
        contracts: going_on(statements, id)?,
    }))
}

/// How many of a biller's contracts have not ended.
fn going_on(statements: &mut dyn Statements, id: AccountId) -> Result<u64, Fault> {
    let sql = "SELECT count(*) FROM contract_paper WHERE merchant = ?1 AND state <> 'ended'";
    let rows = statements.query(sql, &[account(id)])?;
    Ok(rows.first().map(|row| row.count(0)).transpose()?.unwrap_or_default())
}

fn insert(statements: &mut dyn Statements, paper: &ContractPaper) -> Result<(), Fault> {
    let sql = "INSERT INTO contract_paper (id, merchant, number, request_key, request_digest,
                                           reference, description, created, state, ended)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let parameters = [
        Value::from(&paper.id.0),
        account(paper.merchant),
        paper.number.into(),
        paper.request_key.as_str().into(),
        Value::from(&paper.request_digest),
        paper.reference.as_ref().map(Line::as_str).into(),
        paper.description.as_str().into(),
        day(paper.created),
        paper.state.name().into(),
        paper.ended.map_or(Value::Null, day),
    ];
    statements.execute(sql, &parameters).map(drop)
}

fn read_contract(row: &Row) -> Result<ContractPaper, Fault> {
    let line = |text: &str| Line::new(text).map_err(|_| UNREADABLE);
    Ok(ContractPaper {
        id: Contract(row.bytes(0)?),
        merchant: read_account(row, 1)?,
        number: row.count(2)?,
        request_key: row.text(3)?.to_owned(),
        request_digest: row.bytes(4)?,
        reference: row.optional(5, |row, column| line(row.text(column)?))?,
        description: line(row.text(6)?)?,
        created: read_day(row, 7)?,
        state: ContractState::of_name(row.text(8)?).ok_or(UNREADABLE)?,
        ended: row.optional(9, read_day)?,
    })
}
