//! How nouns of the service are spelled in columns, in whatever database, and read back.

pub(crate) mod bill;

use std::collections::BTreeMap;

use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_ecash::keyset::{KeysetId, KeysetSpec};
use tacit_ecash::point::PointBytes;
use tacit_service::account::{AccountId, Holder, HolderKind, HolderState, Level, Usage};
use tacit_service::keyset::{KeysetNumber, KeysetRecord, KeysetState};
use tacit_service::ledger::{Account, Transfer, TransferId, TransferKind};
use tacit_service::order::{EventId, EventKind, Order, OrderId, OrderState, OutboxEvent};
use tacit_service::quote::{MeltQuoteState, Method, MintQuoteState, Output, PendingMelt};

/// A column says what none can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// A number does not fit where it has to go.
#[derive(Debug, thiserror::Error)]
#[error("a number is larger than the vault can keep")]
pub(crate) struct TooLarge;

/// First byte of a list in a column, so that a later migration can tell what it reads.
const LIST_VERSION: u8 = 1;

/// A state as it is stored.
pub(crate) const fn keyset_state(state: KeysetState) -> i64 {
    match state {
        KeysetState::Active => 0,
        KeysetState::Inactive => 1,
        KeysetState::Closed => 2,
        KeysetState::Sealed => 3,
    }
}

fn read_keyset_state(state: i64) -> Result<KeysetState, Malformed> {
    match state {
        0 => Ok(KeysetState::Active),
        1 => Ok(KeysetState::Inactive),
        2 => Ok(KeysetState::Closed),
        3 => Ok(KeysetState::Sealed),
        _ => Err(Malformed("a keyset's state is none")),
    }
}

/// The exponent of a denomination: amounts of proofs and signed outputs are powers of two, because keysets
/// have keys for no other.
pub(crate) fn exponent(amount: u64) -> Result<i64, Malformed> {
    if amount.is_power_of_two() {
        Ok(i64::from(amount.trailing_zeros()))
    } else {
        Err(Malformed("an amount is no denomination"))
    }
}

/// The denomination of an exponent.
pub(crate) fn denomination(exponent: i64) -> Result<u64, Malformed> {
    let shift = u32::try_from(exponent).ok();
    shift.and_then(|shift| 1_u64.checked_shl(shift)).ok_or(Malformed("no such denomination"))
}

/// An amount or a time for a column. What exceeds 63 bits is kept as the negative number of the same bits, so
/// that no request, however absurd, can fail the batch it is in; sums are therefore made here and not in SQL.
pub(crate) fn integer(value: u64) -> i64 {
    value.cast_signed()
}

/// An amount or a time from a column.
pub(crate) fn natural(value: i64) -> u64 {
    value.cast_unsigned()
}

pub(crate) fn number(value: i64) -> Result<KeysetNumber, Malformed> {
    let number = u32::try_from(value).map_err(|_| Malformed("no such keyset number"))?;
    Ok(KeysetNumber::new(number))
}

pub(crate) fn unit(code: &str) -> Result<Unit, Malformed> {
    Unit::new(code).map_err(|_| Malformed("a unit is none"))
}

pub(crate) fn method(name: &str) -> Result<Method, Malformed> {
    name.parse().map_err(|_| Malformed("a quote's method is none"))
}

pub(crate) fn attempt(value: i64) -> Result<u32, Malformed> {
    u32::try_from(value).map_err(|_| Malformed("a quote's attempt is none"))
}

pub(crate) fn keyset_id(bytes: &[u8]) -> Result<KeysetId, Malformed> {
    let v2 = <[u8; 33]>::try_from(bytes).map(KeysetId::V2);
    let v1 = || <[u8; 8]>::try_from(bytes).map(KeysetId::V1);
    v2.or_else(|_| v1()).map_err(|_| Malformed("a keyset's id is none"))
}

/// A row of `keyset`, column by column.
pub(crate) struct KeysetColumns {
    pub(crate) number: i64,
    pub(crate) id: Vec<u8>,
    pub(crate) unit: String,
    pub(crate) unit_index: i64,
    pub(crate) orders: i64,
    pub(crate) input_fee_ppk: i64,
    pub(crate) final_expiry: Option<i64>,
    pub(crate) state: i64,
}

impl KeysetColumns {
    pub(crate) fn read(&self) -> Result<KeysetRecord, Malformed> {
        let orders = u8::try_from(self.orders)
            .ok()
            .filter(|orders| *orders <= KeysetSpec::MAX_ORDERS)
            .ok_or(Malformed("a keyset has too many denominations"))?;
        let index = u32::try_from(self.unit_index);
        let spec = KeysetSpec {
            unit: unit(&self.unit)?,
            index: index.map_err(|_| Malformed("a keyset's index is none"))?,
            orders,
            input_fee_ppk: natural(self.input_fee_ppk),
            final_expiry: self.final_expiry.map(natural).map(Timestamp::from_seconds),
        };
        Ok(KeysetRecord {
            number: number(self.number)?,
            id: keyset_id(&self.id)?,
            spec,
            state: read_keyset_state(self.state)?,
        })
    }
}

/// A state as it is stored.
pub(crate) const fn holder_state(state: HolderState) -> i64 {
    match state {
        HolderState::Open => 0,
        HolderState::Frozen => 1,
        HolderState::Closed => 2,
    }
}

/// A row of `holder`, column by column.
pub(crate) struct HolderColumns {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) level: i64,
    pub(crate) state: i64,
    pub(crate) key: Option<[u8; 33]>,
}

impl HolderColumns {
    pub(crate) fn read(&self) -> Result<Holder, Malformed> {
        let kind = HolderKind::ALL.into_iter().find(|kind| kind.name() == self.kind);
        let level = u8::try_from(self.level).ok().and_then(Level::new);
        let state = [HolderState::Open, HolderState::Frozen, HolderState::Closed]
            .into_iter()
            .find(|state| holder_state(*state) == self.state);
        Ok(Holder {
            id: account_id(&self.id)?,
            kind: kind.ok_or(Malformed("a holder's kind is none"))?,
            level: level.ok_or(Malformed("a holder's level is none"))?,
            state: state.ok_or(Malformed("a holder's state is none"))?,
            key: self.key.map(PointBytes::from_bytes),
        })
    }
}

pub(crate) fn account_id(text: &str) -> Result<AccountId, Malformed> {
    text.parse().map_err(|_| Malformed("an account number is none"))
}

pub(crate) fn account(name: &str) -> Result<Account, Malformed> {
    name.parse().map_err(|_| Malformed("an account's name is none"))
}

/// A state as it is stored.
pub(crate) const fn order_state(state: OrderState) -> i64 {
    match state {
        OrderState::Open => 0,
        OrderState::Paid => 1,
        OrderState::Cancelled => 2,
    }
}

/// A row of `sale`, column by column.
pub(crate) struct OrderColumns {
    pub(crate) id: [u8; 16],
    pub(crate) holder: String,
    pub(crate) unit: String,
    pub(crate) amount: i64,
    pub(crate) expiry: i64,
    pub(crate) state: i64,
    pub(crate) refunded: i64,
    pub(crate) blanks: Vec<u8>,
}

impl OrderColumns {
    pub(crate) fn of(order: &Order) -> Self {
        Self {
            id: *order.id.as_bytes(),
            holder: order.holder.to_string(),
            unit: order.unit.code().to_owned(),
            amount: integer(order.amount),
            expiry: integer(order.expiry.seconds()),
            state: order_state(order.state),
            refunded: integer(order.refunded),
            blanks: write_outputs(&order.blanks),
        }
    }

    pub(crate) fn read(&self) -> Result<Order, Malformed> {
        let state = [OrderState::Open, OrderState::Paid, OrderState::Cancelled]
            .into_iter()
            .find(|state| order_state(*state) == self.state);
        Ok(Order {
            id: OrderId::from_bytes(self.id),
            holder: account_id(&self.holder)?,
            unit: unit(&self.unit)?,
            amount: natural(self.amount),
            expiry: Timestamp::from_seconds(natural(self.expiry)),
            state: state.ok_or(Malformed("an order's state is none"))?,
            refunded: natural(self.refunded),
            blanks: read_outputs(&self.blanks)?,
        })
    }
}

/// A row of `outbox`.
pub(crate) fn event(
    id: [u8; 16],
    kind: &str,
    order: [u8; 16],
    amount: i64,
) -> Result<OutboxEvent, Malformed> {
    Ok(OutboxEvent {
        id: EventId::from_bytes(id),
        kind: EventKind::named(kind).ok_or(Malformed("an event's kind is none"))?,
        order: OrderId::from_bytes(order),
        amount: natural(amount),
    })
}

/// `day`, `in_day`, `out_day`, `in_month`, `out_month` and `version` of a row of `edge_usage`.
pub(crate) fn usage_columns(usage: &Usage) -> [i64; 6] {
    let Usage { day, in_day, out_day, in_month, out_month, version } = *usage;
    [day.number(), in_day, out_day, in_month, out_month, version].map(integer)
}

pub(crate) fn read_usage(columns: [i64; 6]) -> Usage {
    let [day, in_day, out_day, in_month, out_month, version] = columns.map(natural);
    Usage { day: Day::from_number(day), in_day, out_day, in_month, out_month, version }
}

/// A row of `transfer`, with the names of its accounts.
pub(crate) fn transfer(
    id: [u8; 16],
    kind: &str,
    (debit, credit): (&str, &str),
    (amount, day): (i64, i64),
) -> Result<Transfer, Malformed> {
    Ok(Transfer {
        id: TransferId::from_bytes(id),
        kind: TransferKind::named(kind).ok_or(Malformed("a transfer's kind is none"))?,
        debit: account(debit)?,
        credit: account(credit)?,
        amount: natural(amount),
        day: Day::from_number(natural(day)),
    })
}

/// States of mint quotes as they are stored.
mod mint_state {
    pub(super) const UNPAID: i64 = 0;
    pub(super) const PAID: i64 = 1;
    pub(super) const ISSUED: i64 = 2;
}

/// `state` and `outputs_digest` of a mint quote.
pub(crate) fn mint_state(state: &MintQuoteState) -> (i64, Option<[u8; 32]>) {
    match state {
        MintQuoteState::Unpaid => (mint_state::UNPAID, None),
        MintQuoteState::Paid => (mint_state::PAID, None),
        MintQuoteState::Issued { outputs } => (mint_state::ISSUED, Some(*outputs)),
    }
}

pub(crate) fn read_mint_state(
    state: i64,
    digest: Option<[u8; 32]>,
) -> Result<MintQuoteState, Malformed> {
    match (state, digest) {
        (mint_state::UNPAID, None) => Ok(MintQuoteState::Unpaid),
        (mint_state::PAID, None) => Ok(MintQuoteState::Paid),
        (mint_state::ISSUED, Some(outputs)) => Ok(MintQuoteState::Issued { outputs }),
        _ => Err(Malformed("a mint quote's state is none")),
    }
}

/// States of melt quotes as they are stored.
mod melt_state {
    pub(super) const UNPAID: i64 = 0;
    pub(super) const PENDING: i64 = 1;
    pub(super) const PAID: i64 = 2;
}

/// Columns of a melt quote that its state fills.
#[derive(Default)]
pub(crate) struct MeltColumns {
    pub(crate) state: i64,
    pub(crate) inputs: Option<Vec<u8>>,
    pub(crate) input_fee: Option<i64>,
    pub(crate) outputs: Option<Vec<u8>>,
    pub(crate) fee_paid: Option<i64>,
    pub(crate) evidence: Option<String>,
}

impl MeltColumns {
    pub(crate) fn of(state: &MeltQuoteState) -> Self {
        match state {
            MeltQuoteState::Unpaid => Self { state: melt_state::UNPAID, ..Self::default() },
            MeltQuoteState::Pending(pending) => Self {
                state: melt_state::PENDING,
                inputs: Some(write_sums(&pending.inputs)),
                input_fee: Some(integer(pending.input_fee)),
                outputs: Some(write_outputs(&pending.outputs)),
                ..Self::default()
            },
            MeltQuoteState::Paid { fee_paid, evidence, change } => Self {
                state: melt_state::PAID,
                outputs: Some(write_outputs(change)),
                fee_paid: Some(integer(*fee_paid)),
                evidence: evidence.clone(),
                ..Self::default()
            },
        }
    }

    pub(crate) fn read(self) -> Result<MeltQuoteState, Malformed> {
        let absent = Malformed("a melt quote lacks what its state needs");
        let outputs = self.outputs.map(|list| read_outputs(&list)).transpose()?;
        match self.state {
            melt_state::UNPAID => Ok(MeltQuoteState::Unpaid),
            melt_state::PENDING => {
                let (Some(inputs), Some(input_fee), Some(outputs)) =
                    (self.inputs, self.input_fee, outputs)
                else {
                    return Err(absent);
                };
                let (inputs, input_fee) = (read_sums(&inputs)?, natural(input_fee));
                Ok(MeltQuoteState::Pending(PendingMelt { inputs, input_fee, outputs }))
            }
            melt_state::PAID => {
                let (Some(fee_paid), Some(change)) = (self.fee_paid, outputs) else {
                    return Err(absent);
                };
                let (fee_paid, evidence) = (natural(fee_paid), self.evidence);
                Ok(MeltQuoteState::Paid { fee_paid, evidence, change })
            }
            _ => Err(Malformed("a melt quote's state is none")),
        }
    }
}

/// Outputs as bytes: a version, then 45 bytes each (keyset, amount, point).
fn write_outputs(outputs: &[Output]) -> Vec<u8> {
    let mut bytes = vec![LIST_VERSION];
    for output in outputs {
        bytes.extend(output.keyset.get().to_be_bytes());
        bytes.extend(output.amount.to_be_bytes());
        bytes.extend(output.blinded.as_bytes());
    }
    bytes
}

fn read_outputs(bytes: &[u8]) -> Result<Vec<Output>, Malformed> {
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
fn write_sums(sums: &BTreeMap<KeysetNumber, u64>) -> Vec<u8> {
    let mut bytes = vec![LIST_VERSION];
    for (keyset, sum) in sums {
        bytes.extend(keyset.get().to_be_bytes());
        bytes.extend(sum.to_be_bytes());
    }
    bytes
}

fn read_sums(bytes: &[u8]) -> Result<BTreeMap<KeysetNumber, u64>, Malformed> {
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
) -> Result<Vec<T>, Malformed> {
    let malformed = Malformed("a list in a column cannot be read");
    let entries = match bytes.split_first() {
        Some((&LIST_VERSION, entries)) => entries.as_chunks::<N>(),
        Some(_) | None => return Err(malformed),
    };
    let (entries, []) = entries else { return Err(malformed) };
    entries.iter().map(read).collect::<Option<_>>().ok_or(malformed)
}
