//! How rows of PostgreSQL are read into nouns of the service; their spelling is [`crate::spelling`]'s.

use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::point::PointBytes;
use tacit_service::account::{AccountId, Holder, Usage};
use tacit_service::keyset::{KeysetRecord, SealedTotals};
use tacit_service::ledger::{Account, Transfer};
use tacit_service::order::{Order, OutboxEvent};
use tacit_service::quote::{MeltQuote, MintQuote, QuoteId};
use tacit_service::vault::SignedOutput;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::fault::Fault;
use crate::spelling::{
    self, HolderColumns, KeysetColumns, MeltColumns, OrderColumns, denomination, natural, number,
};

/// Columns of `keyset` in the order [`keyset`] reads them.
pub(super) const KEYSETS: &str = "SELECT number, id, unit, unit_index, orders, input_fee_ppk, \
     final_expiry, state FROM keyset ORDER BY number";

/// A column of a row.
pub(super) fn at<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, Fault> {
    row.try_get(column).map_err(|_| Fault::Malformed("a column holds what was never written to it"))
}

pub(super) fn bytes<const N: usize>(row: &Row, column: usize) -> Result<[u8; N], Fault> {
    let found: &[u8] = at(row, column)?;
    found.try_into().map_err(|_| Fault::Malformed("a column has another length"))
}

fn some_bytes<const N: usize>(row: &Row, column: usize) -> Result<Option<[u8; N]>, Fault> {
    let found: Option<&[u8]> = at(row, column)?;
    let fixed = found.map(<[u8; N]>::try_from).transpose();
    fixed.map_err(|_| Fault::Malformed("a column has another length"))
}

pub(super) fn natural_at(row: &Row, column: usize) -> Result<u64, Fault> {
    Ok(natural(at(row, column)?))
}

/// `keyset` and `exponent` of a signed output, at two columns.
pub(super) fn signed_output(row: &Row, column: usize) -> Result<SignedOutput, Fault> {
    let (keyset, exponent) = (at(row, column)?, at(row, column + 1)?);
    Ok(SignedOutput { keyset: number(keyset)?, amount: denomination(exponent)? })
}

pub(super) fn account(row: &Row, column: usize) -> Result<Account, Fault> {
    Ok(spelling::account(at(row, column)?)?)
}

/// A holder, by the order in which [`super::read`] asks for its columns.
pub(super) fn holder(row: &Row) -> Result<Holder, Fault> {
    let columns = HolderColumns {
        id: at(row, 0)?,
        kind: at(row, 1)?,
        level: at(row, 2)?,
        state: at(row, 3)?,
        key: some_bytes(row, 4)?,
    };
    Ok(columns.read()?)
}

/// The same for what has passed the edge.
pub(super) fn usage(row: &Row) -> Result<((AccountId, Unit), Usage), Fault> {
    let of = (spelling::account_id(at(row, 0)?)?, spelling::unit(at(row, 1)?)?);
    let columns = [at(row, 2)?, at(row, 3)?, at(row, 4)?, at(row, 5)?, at(row, 6)?, at(row, 7)?];
    Ok((of, spelling::read_usage(columns)))
}

/// The same for orders.
pub(super) fn order(row: &Row) -> Result<Order, Fault> {
    let columns = OrderColumns {
        id: bytes(row, 0)?,
        holder: at(row, 1)?,
        unit: at(row, 2)?,
        amount: at(row, 3)?,
        expiry: at(row, 4)?,
        state: at(row, 5)?,
        refunded: at(row, 6)?,
        blanks: at(row, 7)?,
    };
    Ok(columns.read()?)
}

/// The same for events.
pub(super) fn event(row: &Row) -> Result<OutboxEvent, Fault> {
    Ok(spelling::event(bytes(row, 0)?, at(row, 1)?, bytes(row, 2)?, at(row, 3)?)?)
}

/// The same for transfers.
pub(super) fn transfer(row: &Row) -> Result<Transfer, Fault> {
    let accounts = (at(row, 2)?, at(row, 3)?);
    Ok(spelling::transfer(bytes(row, 0)?, at(row, 1)?, accounts, (at(row, 4)?, at(row, 5)?))?)
}

pub(super) fn keyset(row: &Row) -> Result<KeysetRecord, Fault> {
    let columns = KeysetColumns {
        number: at(row, 0)?,
        id: at(row, 1)?,
        unit: at(row, 2)?,
        unit_index: at(row, 3)?,
        orders: at(row, 4)?,
        input_fee_ppk: at(row, 5)?,
        final_expiry: at(row, 6)?,
        state: at(row, 7)?,
    };
    Ok(columns.read()?)
}

/// Columns `id` of `keyset`, then those of `sealed_keyset` but its number.
pub(super) fn sealed(row: &Row) -> Result<SealedTotals, Fault> {
    Ok(SealedTotals {
        keyset: spelling::keyset_id(at(row, 0)?)?,
        issued: natural_at(row, 1)?,
        redeemed: natural_at(row, 2)?,
        outstanding: natural_at(row, 3)?,
        signature: bytes(row, 4)?,
    })
}

/// A mint quote, by the order in which [`super::read`] asks for its columns.
pub(super) fn mint_quote(row: &Row) -> Result<MintQuote, Fault> {
    Ok(MintQuote {
        id: QuoteId::from_bytes(bytes(row, 0)?),
        unit: spelling::unit(at(row, 1)?)?,
        method: spelling::method(at(row, 2)?)?,
        request: at(row, 3)?,
        amount: natural_at(row, 4)?,
        pubkey: some_bytes(row, 5)?.map(PointBytes::from_bytes),
        expiry: Timestamp::from_seconds(natural_at(row, 6)?),
        state: spelling::read_mint_state(at(row, 7)?, some_bytes(row, 8)?)?,
    })
}

/// The same for melt quotes.
pub(super) fn melt_quote(row: &Row) -> Result<MeltQuote, Fault> {
    let state = MeltColumns {
        state: at(row, 8)?,
        inputs: at(row, 9)?,
        input_fee: at(row, 10)?,
        outputs: at(row, 11)?,
        fee_paid: at(row, 12)?,
        evidence: at(row, 13)?,
    };
    Ok(MeltQuote {
        id: QuoteId::from_bytes(bytes(row, 0)?),
        unit: spelling::unit(at(row, 1)?)?,
        method: spelling::method(at(row, 2)?)?,
        request: at(row, 3)?,
        amount: natural_at(row, 4)?,
        fee_reserve: natural_at(row, 5)?,
        expiry: Timestamp::from_seconds(natural_at(row, 6)?),
        attempt: spelling::attempt(at(row, 7)?)?,
        state: state.read()?,
    })
}
