//! Contracts and bills, as questions and as steps: each bill from the state that was decided upon.

use std::collections::{BTreeMap, HashMap};

use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::standing::Contract;
use tacit_service::bill::{Bill, BillContract, Stream};
use tacit_service::vault::{Effects, Facts};
use tokio_postgres::Row;

use super::apply::{list, rows};
use super::fault::Fault;
use super::link::{Param, Step, Wants};
use super::read::each;
use super::row::{at, bytes};
use crate::spelling::bill::{BillColumns, ContractColumns, bill_state, month};

/// Contracts by their numbers.
pub(super) const CONTRACTS: &str =
    "SELECT id, holder, unit, begun, ended FROM contract WHERE id = ANY($1)";
/// The bills of contracts: asked after [`CONTRACTS`], so that each finds its own.
pub(super) const BILLS: &str =
    "SELECT contract, month, amount, due, last, state FROM bill WHERE contract = ANY($1)";
/// Contracts with a bill to be paid.
pub(super) const CONTRACTS_OPEN: &str = "SELECT id, holder, unit, begun, ended FROM contract
     WHERE id IN (SELECT contract FROM bill WHERE state = 0)";
/// The bills of these.
pub(super) const BILLS_OPEN: &str = "SELECT contract, month, amount, due, last, state FROM bill
     WHERE contract IN (SELECT contract FROM bill WHERE state = 0)";

fn contract(row: &Row) -> Result<BillContract, Fault> {
    let columns = ContractColumns {
        id: bytes(row, 0)?,
        holder: at(row, 1)?,
        unit: at(row, 2)?,
        begun: at(row, 3)?,
        ended: at(row, 4)?,
    };
    Ok(columns.read()?)
}

fn bill(row: &Row) -> Result<Bill, Fault> {
    let columns = BillColumns {
        contract: bytes(row, 0)?,
        month: at(row, 1)?,
        amount: at(row, 2)?,
        due: at(row, 3)?,
        last: at(row, 4)?,
        state: at(row, 5)?,
    };
    Ok(columns.read()?)
}

/// Puts contracts among what is known.
pub(super) fn contracts(
    streams: &mut HashMap<Contract, Stream>,
    found: &[Row],
) -> Result<(), Fault> {
    for contract in each(found, contract)? {
        let (id, bills) = (contract.id, BTreeMap::new());
        streams.entry(id).or_insert(Stream { contract, bills });
    }
    Ok(())
}

/// Puts bills with their contracts. One whose contract came in between is left out: then nothing can be decided upon it.
pub(super) fn bills(streams: &mut HashMap<Contract, Stream>, found: &[Row]) -> Result<(), Fault> {
    for bill in each(found, bill)? {
        if let Some(stream) = streams.get_mut(&bill.contract) {
            stream.bills.insert(bill.month(), bill);
        }
    }
    Ok(())
}

/// The states that a batch was decided upon.
pub(super) struct WasBills {
    contracts: HashMap<Contract, Option<i64>>,
    bills: HashMap<(Contract, Epoch), i64>,
}

impl WasBills {
    pub(super) fn of(facts: &Facts) -> Self {
        let bills = facts.streams.values().flat_map(|stream| stream.bills.values());
        let ended = |stream: &Stream| stream.contract.ended.map(month);
        Self {
            contracts: facts.streams.iter().map(|(id, stream)| (*id, ended(stream))).collect(),
            bills: bills
                .map(|bill| ((bill.contract, bill.month()), bill_state(bill.state)))
                .collect(),
        }
    }
}

/// Writes contracts and bills, and drops those whose time is over.
pub(super) fn put_bills(steps: &mut Vec<Step>, effects: &Effects, was: &WasBills) {
    for contract in effects.contracts.values() {
        let of = ContractColumns::of(contract);
        let mut params: Vec<Param> = vec![Box::new(of.id.to_vec()), Box::new(of.ended)];
        let sql = if let Some(ended) = was.contracts.get(&contract.id) {
            params.push(Box::new(*ended));
            "UPDATE contract SET ended = $2 WHERE id = $1 AND ended IS NOT DISTINCT FROM $3"
        } else {
            params.push(Box::new(of.holder));
            params.push(Box::new(of.unit));
            params.push(Box::new(of.begun));
            "INSERT INTO contract (id, holder, unit, begun, ended) VALUES ($1, $3, $4, $5, $2)
             ON CONFLICT DO NOTHING"
        };
        steps.push(Step::new(sql, Wants::Rows(1), params));
    }
    let (known, new): (Vec<&Bill>, Vec<&Bill>) = effects
        .bills
        .values()
        .partition(|bill| was.bills.contains_key(&(bill.contract, bill.month())));
    let columns = |bills: &[&Bill]| -> Vec<Param> {
        let of = |bill: &&Bill| BillColumns::of(bill);
        vec![
            list(bills, |bill| of(bill).contract.to_vec()),
            list(bills, |bill| of(bill).month),
            list(bills, |bill| of(bill).amount),
            list(bills, |bill| of(bill).due),
            list(bills, |bill| of(bill).last),
            list(bills, |bill| of(bill).state),
        ]
    };
    if !new.is_empty() {
        let insert = "INSERT INTO bill (contract, month, amount, due, last, state)
             SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
             ON CONFLICT DO NOTHING";
        steps.push(Step::new(insert, Wants::Rows(rows(&new)), columns(&new)));
    }
    if !known.is_empty() {
        let update = "UPDATE bill SET amount = new.amount, due = new.due, last = new.last, state = new.state
             FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
             AS new (contract, month, amount, due, last, state, was)
             WHERE bill.contract = new.contract AND bill.month = new.month AND bill.state = new.was";
        let mut params = columns(&known);
        params.push(list(&known, |bill| was.bills[&(bill.contract, bill.month())]));
        steps.push(Step::new(update, Wants::Rows(rows(&known)), params));
    }
    let Some(limit) = effects.drop_bills_before.map(month) else { return };
    for drop in [
        "DELETE FROM bill WHERE month < $1",
        "DELETE FROM contract WHERE ended < $1
         AND NOT EXISTS (SELECT 1 FROM bill WHERE bill.contract = contract.id)",
    ] {
        steps.push(Step::new(drop, Wants::Any, vec![Box::new(limit)]));
    }
}
