//! How nouns of the service are spelled in columns, and read back.

use std::collections::BTreeMap;

use rusqlite::Row;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::keyset::{KeysetId, KeysetSpec};
use tacit_ecash::point::PointBytes;
use tacit_service::keyset::{KeysetNumber, KeysetRecord, KeysetState, SealedTotals};
use tacit_service::quote::{
    MeltQuote, MeltQuoteState, MintQuote, MintQuoteState, Output, PendingMelt, QuoteId,
};
use tacit_service::vault::SignedOutput;

use super::fault::Fault;

/// First byte of a list in a column, so that a later migration can tell what it reads.
const LIST_VERSION: u8 = 1;

/// Columns of `keyset` in the order [`keyset`] reads them.
pub(super) const KEYSET: &str =
    "number, id, unit, unit_index, orders, input_fee_ppk, final_expiry, state";

/// Columns of `mint_quote` in the order [`mint_quote`] reads them.
pub(super) const MINT_QUOTE: &str =
    "id, unit, method, request, amount, pubkey, expiry, state, outputs_digest";

/// Columns of `melt_quote` in the order [`melt_quote`] reads them.
pub(super) const MELT_QUOTE: &str = "id, unit, method, request, amount, fee_reserve, expiry, attempt, \
     state, inputs, input_fee, outputs, fee_paid, evidence";

/// A state as it is stored.
pub(super) const fn keyset_state(state: KeysetState) -> i64 {
    match state {
        KeysetState::Active => 0,
        KeysetState::Inactive => 1,
        KeysetState::Closed => 2,
        KeysetState::Sealed => 3,
    }
}

/// States of mint quotes as they are stored.
pub(super) mod mint_state {
    pub(in crate::sqlite) const UNPAID: i64 = 0;
    pub(in crate::sqlite) const PAID: i64 = 1;
    pub(in crate::sqlite) const ISSUED: i64 = 2;
}

/// States of melt quotes as they are stored.
pub(super) mod melt_state {
    pub(in crate::sqlite) const UNPAID: i64 = 0;
    pub(in crate::sqlite) const PENDING: i64 = 1;
    pub(in crate::sqlite) const PAID: i64 = 2;
}

/// The exponent of a denomination: amounts of proofs and signed outputs are powers of two, because keysets
/// have keys for no other.
pub(super) fn exponent(amount: u64) -> Result<i64, Fault> {
    if amount.is_power_of_two() {
        Ok(i64::from(amount.trailing_zeros()))
    } else {
        Err(Fault::Malformed("an amount is no denomination"))
    }
}

/// The denomination of an exponent.
pub(super) fn denomination(exponent: i64) -> Result<u64, Fault> {
    let shift = u32::try_from(exponent).ok();
    shift.and_then(|shift| 1_u64.checked_shl(shift)).ok_or(Fault::Malformed("no such denomination"))
}

/// An amount or a time for a column. What exceeds 63 bits is kept as the negative number of the same bits, so
/// that no request, however absurd, can fail the batch it is in; sums are therefore made here and not in SQL.
pub(super) fn integer(value: u64) -> i64 {
    value.cast_signed()
}

/// An amount or a time from a column.
pub(super) fn natural(value: i64) -> u64 {
    value.cast_unsigned()
}

pub(super) fn number(value: i64) -> Result<KeysetNumber, Fault> {
    let number = u32::try_from(value).map_err(|_| Fault::Malformed("no such keyset number"))?;
    Ok(KeysetNumber::new(number))
}

fn natural_at(row: &Row<'_>, column: usize) -> Result<u64, Fault> {
    Ok(natural(row.get(column)?))
}

fn unit_at(row: &Row<'_>, column: usize) -> Result<Unit, Fault> {
    let code: String = row.get(column)?;
    Unit::new(&code).map_err(|_| Fault::Malformed("a unit is none"))
}

/// `keyset` and `exponent` of a signed output, at two columns.
pub(super) fn signed_output(keyset: i64, exponent: i64) -> Result<SignedOutput, Fault> {
    Ok(SignedOutput { keyset: number(keyset)?, amount: denomination(exponent)? })
}

pub(super) fn keyset(row: &Row<'_>) -> Result<KeysetRecord, Fault> {
    let id = keyset_id(&row.get::<_, Vec<u8>>(1)?)?;
    let orders = u8::try_from(row.get::<_, i64>(4)?)
        .ok()
        .filter(|orders| *orders <= KeysetSpec::MAX_ORDERS)
        .ok_or(Fault::Malformed("a keyset has too many denominations"))?;
    let index = u32::try_from(row.get::<_, i64>(3)?)
        .map_err(|_| Fault::Malformed("a keyset's index is none"))?;
    let final_expiry = row.get::<_, Option<i64>>(6)?.map(natural).map(Timestamp::from_seconds);
    let state = match row.get::<_, i64>(7)? {
        0 => KeysetState::Active,
        1 => KeysetState::Inactive,
        2 => KeysetState::Closed,
        3 => KeysetState::Sealed,
        _ => return Err(Fault::Malformed("a keyset's state is none")),
    };
    let spec = KeysetSpec {
        unit: unit_at(row, 2)?,
        index,
        orders,
        input_fee_ppk: natural_at(row, 5)?,
        final_expiry,
    };
    Ok(KeysetRecord { number: number(row.get(0)?)?, id, spec, state })
}

fn keyset_id(bytes: &[u8]) -> Result<KeysetId, Fault> {
    let v2 = <[u8; 33]>::try_from(bytes).map(KeysetId::V2);
    let v1 = || <[u8; 8]>::try_from(bytes).map(KeysetId::V1);
    v2.or_else(|_| v1()).map_err(|_| Fault::Malformed("a keyset's id is none"))
}

/// Columns `id` of `keyset`, then those of `sealed_keyset` but its number.
pub(super) fn sealed(row: &Row<'_>) -> Result<SealedTotals, Fault> {
    Ok(SealedTotals {
        keyset: keyset_id(&row.get::<_, Vec<u8>>(0)?)?,
        issued: natural_at(row, 1)?,
        redeemed: natural_at(row, 2)?,
        outstanding: natural_at(row, 3)?,
        signature: row.get(4)?,
    })
}

pub(super) fn mint_quote(row: &Row<'_>) -> Result<MintQuote, Fault> {
    let method: String = row.get(2)?;
    let state = match (row.get::<_, i64>(7)?, row.get::<_, Option<[u8; 32]>>(8)?) {
        (mint_state::UNPAID, None) => MintQuoteState::Unpaid,
        (mint_state::PAID, None) => MintQuoteState::Paid,
        (mint_state::ISSUED, Some(outputs)) => MintQuoteState::Issued { outputs },
        _ => return Err(Fault::Malformed("a mint quote's state is none")),
    };
    Ok(MintQuote {
        id: QuoteId::from_bytes(row.get(0)?),
        unit: unit_at(row, 1)?,
        method: method.parse().map_err(|_| Fault::Malformed("a quote's method is none"))?,
        request: row.get(3)?,
        amount: natural_at(row, 4)?,
        pubkey: row.get::<_, Option<[u8; 33]>>(5)?.map(PointBytes::from_bytes),
        expiry: Timestamp::from_seconds(natural_at(row, 6)?),
        state,
    })
}

pub(super) fn melt_quote(row: &Row<'_>) -> Result<MeltQuote, Fault> {
    let method: String = row.get(2)?;
    let attempt = u32::try_from(row.get::<_, i64>(7)?)
        .map_err(|_| Fault::Malformed("a quote's attempt is none"))?;
    Ok(MeltQuote {
        id: QuoteId::from_bytes(row.get(0)?),
        unit: unit_at(row, 1)?,
        method: method.parse().map_err(|_| Fault::Malformed("a quote's method is none"))?,
        request: row.get(3)?,
        amount: natural_at(row, 4)?,
        fee_reserve: natural_at(row, 5)?,
        expiry: Timestamp::from_seconds(natural_at(row, 6)?),
        attempt,
        state: melt_quote_state(row)?,
    })
}

fn melt_quote_state(row: &Row<'_>) -> Result<MeltQuoteState, Fault> {
    let absent = Fault::Malformed("a melt quote lacks what its state needs");
    let outputs = row.get::<_, Option<Vec<u8>>>(11)?.map(|list| read_outputs(&list)).transpose()?;
    match row.get::<_, i64>(8)? {
        melt_state::UNPAID => Ok(MeltQuoteState::Unpaid),
        melt_state::PENDING => {
            let inputs = row.get::<_, Option<Vec<u8>>>(9)?;
            let input_fee = row.get::<_, Option<i64>>(10)?;
            let (Some(inputs), Some(input_fee), Some(outputs)) = (inputs, input_fee, outputs)
            else {
                return Err(absent);
            };
            let (inputs, input_fee) = (read_sums(&inputs)?, natural(input_fee));
            Ok(MeltQuoteState::Pending(PendingMelt { inputs, input_fee, outputs }))
        }
        melt_state::PAID => {
            let (Some(fee_paid), Some(change)) = (row.get::<_, Option<i64>>(12)?, outputs) else {
                return Err(absent);
            };
            Ok(MeltQuoteState::Paid { fee_paid: natural(fee_paid), evidence: row.get(13)?, change })
        }
        _ => Err(Fault::Malformed("a melt quote's state is none")),
    }
}

/// Outputs as bytes: a version, then 45 bytes each (keyset, amount, point).
pub(super) fn write_outputs(outputs: &[Output]) -> Vec<u8> {
    let mut bytes = vec![LIST_VERSION];
    for output in outputs {
        bytes.extend(output.keyset.get().to_be_bytes());
        bytes.extend(output.amount.to_be_bytes());
        bytes.extend(output.blinded.as_bytes());
    }
    bytes
}

fn read_outputs(bytes: &[u8]) -> Result<Vec<Output>, Fault> {
    let read = |entry: &[u8; 45]| {
        let (keyset, rest) = entry.split_first_chunk::<4>()?;
        let (amount, point) = rest.split_first_chunk::<8>()?;
        Some(Output {
            keyset: KeysetNumber::new(u32::from_be_bytes(*keyset)),
            amount: u64::from_be_bytes(*amount),
            blinded: PointBytes::from_bytes(point.try_into().ok()?),
        })
    };
    read_list(bytes, read)
}

/// Sums by keyset as bytes: a version, then 12 bytes each (keyset, amount), in order of the keyset.
pub(super) fn write_sums(sums: &BTreeMap<KeysetNumber, u64>) -> Vec<u8> {
    let mut bytes = vec![LIST_VERSION];
    for (keyset, sum) in sums {
        bytes.extend(keyset.get().to_be_bytes());
        bytes.extend(sum.to_be_bytes());
    }
    bytes
}

fn read_sums(bytes: &[u8]) -> Result<BTreeMap<KeysetNumber, u64>, Fault> {
    let read = |entry: &[u8; 12]| {
        let (keyset, sum) = entry.split_first_chunk::<4>()?;
        let sum = u64::from_be_bytes(sum.try_into().ok()?);
        Some((KeysetNumber::new(u32::from_be_bytes(*keyset)), sum))
    };
    Ok(read_list(bytes, read)?.into_iter().collect())
}

fn read_list<const N: usize, T>(
    bytes: &[u8],
    read: impl Fn(&[u8; N]) -> Option<T>,
) -> Result<Vec<T>, Fault> {
    let malformed = Fault::Malformed("a list in a column cannot be read");
    let entries = match bytes.split_first() {
        Some((&LIST_VERSION, entries)) => entries.as_chunks::<N>(),
        Some(_) | None => return Err(malformed),
    };
    let (entries, []) = entries else { return Err(malformed) };
    entries.iter().map(read).collect::<Option<_>>().ok_or(malformed)
}
