//! Contracts and bills: read with the contract they are of, written in the order of their keys.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, Transaction, params};
use tacit_credit::passport::standing::Contract;
use tacit_service::bill::{Bill, BillContract, Stream};
use tacit_service::vault::Effects;

use super::fault::Fault;
use super::read::{all, one};
use crate::spelling::bill::{BillColumns, ContractColumns, month};

/// A contract with all its bills.
pub(super) fn stream(connection: &Connection, id: Contract) -> Result<Option<Stream>, Fault> {
    let sql = "SELECT id, holder, unit, begun, ended FROM contract WHERE id = ?1";
    let Some(contract) = one(connection, sql, [id.0], contract)? else { return Ok(None) };
    let sql = "SELECT contract, month, amount, due, last, state FROM bill WHERE contract = ?1";
    let bills = all(connection, sql, [id.0], bill)?.into_iter();
    Ok(Some(Stream { contract, bills: bills.map(|bill| (bill.month(), bill)).collect() }))
}

/// Every contract that has a bill to be paid.
pub(super) fn open_streams(connection: &Connection) -> Result<BTreeMap<Contract, Stream>, Fault> {
    let sql = "SELECT DISTINCT contract FROM bill WHERE state = 0";
    let mut streams = BTreeMap::new();
    for id in all(connection, sql, [], |row| Ok(Contract(row.get(0)?)))? {
        streams.extend(stream(connection, id)?.map(|stream| (id, stream)));
    }
    Ok(streams)
}

fn contract(row: &Row<'_>) -> Result<BillContract, Fault> {
    let columns = ContractColumns {
        id: row.get(0)?,
        holder: row.get(1)?,
        unit: row.get(2)?,
        begun: row.get(3)?,
        ended: row.get(4)?,
    };
    Ok(columns.read()?)
}

fn bill(row: &Row<'_>) -> Result<Bill, Fault> {
    let columns = BillColumns {
        contract: row.get(0)?,
        month: row.get(1)?,
        amount: row.get(2)?,
        due: row.get(3)?,
        last: row.get(4)?,
        state: row.get(5)?,
    };
    Ok(columns.read()?)
}

/// Writes contracts and bills, and drops those whose time is over.
pub(super) fn put_bills(change: &Transaction<'_>, effects: &Effects) -> Result<(), Fault> {
    for contract in effects.contracts.values() {
        let of = ContractColumns::of(contract);
        change
            .prepare_cached(
                "INSERT INTO contract (id, holder, unit, begun, ended) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (id) DO UPDATE SET ended = excluded.ended",
            )?
            .execute(params![of.id, of.holder, of.unit, of.begun, of.ended])?;
    }
    for bill in effects.bills.values() {
        let of = BillColumns::of(bill);
        change
            .prepare_cached(
                "INSERT INTO bill (contract, month, amount, due, last, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (contract, month) DO UPDATE SET amount = excluded.amount,
                 due = excluded.due, last = excluded.last, state = excluded.state",
            )?
            .execute(params![of.contract, of.month, of.amount, of.due, of.last, of.state])?;
    }
    let Some(limit) = effects.drop_bills_before.map(month) else { return Ok(()) };
    change.prepare_cached("DELETE FROM bill WHERE month < ?1")?.execute([limit])?;
    change
        .prepare_cached(
            "DELETE FROM contract WHERE ended < ?1
             AND NOT EXISTS (SELECT 1 FROM bill WHERE bill.contract = contract.id)",
        )?
        .execute([limit])?;
    Ok(())
}
