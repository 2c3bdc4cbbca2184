//! How rows of SQLite are read into nouns of the service; their spelling is [`crate::spelling`]'s.

use rusqlite::Row;
use tacit_core::time::Timestamp;
use tacit_ecash::point::PointBytes;
use tacit_service::account::{Holder, Usage};
use tacit_service::keyset::{KeysetRecord, SealedTotals};
use tacit_service::ledger::Transfer;
use tacit_service::order::{Order, OutboxEvent};
use tacit_service::quote::{MeltQuote, MintQuote, QuoteId};
use tacit_service::vault::SignedOutput;

use super::fault::Fault;
use crate::spelling::{self, HolderColumns, KeysetColumns, MeltColumns, OrderColumns};

pub(super) use crate::spelling::{
    denomination, exponent, holder_state, integer, keyset_state, mint_state, natural, number,
    usage_columns,
};

/// Columns of `keyset` in the order [`keyset`] reads them.
pub(super) const KEYSET: &str =
    "number, id, unit, unit_index, orders, input_fee_ppk, final_expiry, state";

/// Columns of `mint_quote` in the order [`mint_quote`] reads them.
pub(super) const MINT_QUOTE: &str =
    "id, unit, method, request, amount, pubkey, expiry, state, outputs_digest";

/// Columns of `melt_quote` in the order [`melt_quote`] reads them.
pub(super) const MELT_QUOTE: &str = "id, unit, method, request, amount, fee_reserve, expiry, attempt, \
     state, inputs, input_fee, outputs, fee_paid, evidence";

/// Columns and tables of a transfer in the order [`transfer`] reads them.
pub(super) const TRANSFER: &str =
    "transfer.id, kind, debited.name, credited.name, amount, day FROM transfer
     JOIN account AS debited ON debited.number = transfer.debit
     JOIN account AS credited ON credited.number = transfer.credit";

/// A count for a limit or an offset.
pub(super) fn up_to(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn holder(row: &Row<'_>) -> Result<Holder, Fault> {
    let columns = HolderColumns {
        id: row.get(0)?,
        kind: row.get(1)?,
        level: row.get(2)?,
        state: row.get(3)?,
        key: row.get(4)?,
    };
    Ok(columns.read()?)
}

pub(super) fn usage(row: &Row<'_>) -> Result<Usage, Fault> {
    let columns = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
    Ok(spelling::read_usage(columns))
}

pub(super) fn order(row: &Row<'_>) -> Result<Order, Fault> {
    let columns = OrderColumns {
        id: row.get(0)?,
        holder: row.get(1)?,
        unit: row.get(2)?,
        amount: row.get(3)?,
        expiry: row.get(4)?,
        state: row.get(5)?,
        refunded: row.get(6)?,
        blanks: row.get(7)?,
    };
    Ok(columns.read()?)
}

pub(super) fn event(row: &Row<'_>) -> Result<OutboxEvent, Fault> {
    let kind: String = row.get(1)?;
    Ok(spelling::event(row.get(0)?, &kind, row.get(2)?, row.get(3)?)?)
}

pub(super) fn transfer(row: &Row<'_>) -> Result<Transfer, Fault> {
    let (kind, debit, credit): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let numbers = (row.get(4)?, row.get(5)?);
    Ok(spelling::transfer(row.get(0)?, &kind, (&debit, &credit), numbers)?)
}

fn natural_at(row: &Row<'_>, column: usize) -> Result<u64, Fault> {
    Ok(natural(row.get(column)?))
}

/// `keyset` and `exponent` of a signed output, at two columns.
pub(super) fn signed_output(keyset: i64, exponent: i64) -> Result<SignedOutput, Fault> {
    Ok(SignedOutput { keyset: number(keyset)?, amount: denomination(exponent)? })
}

pub(super) fn keyset(row: &Row<'_>) -> Result<KeysetRecord, Fault> {
    let columns = KeysetColumns {
        number: row.get(0)?,
        id: row.get(1)?,
        unit: row.get(2)?,
        unit_index: row.get(3)?,
        orders: row.get(4)?,
        input_fee_ppk: row.get(5)?,
        final_expiry: row.get(6)?,
        state: row.get(7)?,
    };
    Ok(columns.read()?)
}

/// Columns `id` of `keyset`, then those of `sealed_keyset` but its number.
pub(super) fn sealed(row: &Row<'_>) -> Result<SealedTotals, Fault> {
    Ok(SealedTotals {
        keyset: spelling::keyset_id(&row.get::<_, Vec<u8>>(0)?)?,
        issued: natural_at(row, 1)?,
        redeemed: natural_at(row, 2)?,
        outstanding: natural_at(row, 3)?,
        signature: row.get(4)?,
    })
}

pub(super) fn mint_quote(row: &Row<'_>) -> Result<MintQuote, Fault> {
    Ok(MintQuote {
        id: QuoteId::from_bytes(row.get(0)?),
        unit: spelling::unit(&row.get::<_, String>(1)?)?,
        method: spelling::method(&row.get::<_, String>(2)?)?,
        request: row.get(3)?,
        amount: natural_at(row, 4)?,
        pubkey: row.get::<_, Option<[u8; 33]>>(5)?.map(PointBytes::from_bytes),
        expiry: Timestamp::from_seconds(natural_at(row, 6)?),
        state: spelling::read_mint_state(row.get(7)?, row.get(8)?)?,
    })
}

pub(super) fn melt_quote(row: &Row<'_>) -> Result<MeltQuote, Fault> {
    let state = MeltColumns {
        state: row.get(8)?,
        inputs: row.get(9)?,
        input_fee: row.get(10)?,
        outputs: row.get(11)?,
        fee_paid: row.get(12)?,
        evidence: row.get(13)?,
    };
    Ok(MeltQuote {
        id: QuoteId::from_bytes(row.get(0)?),
        unit: spelling::unit(&row.get::<_, String>(1)?)?,
        method: spelling::method(&row.get::<_, String>(2)?)?,
        request: row.get(3)?,
        amount: natural_at(row, 4)?,
        fee_reserve: natural_at(row, 5)?,
        expiry: Timestamp::from_seconds(natural_at(row, 6)?),
        attempt: spelling::attempt(row.get(7)?)?,
        state: state.read()?,
    })
}
