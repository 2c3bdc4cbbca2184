//! Adding keysets: the first of each unit, and those of a rotation.

use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::keyset::{KeysetSpec, SecretKeyset};
use tacit_service::keyset::KeysetRecord;
use tacit_service::vault::Change;

use crate::config::UnitConfig;

/// What may differ from a unit's last keyset in its next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms {
    /// Fee for each input, in thousandths of the minor unit; as before, if absent.
    pub input_fee_ppk: Option<u64>,
    /// When its e-cash stops being redeemable at the mint; never, if absent.
    pub final_expiry: Option<Timestamp>,
}

/// The index of a keyset that follows no other this vault knows of: seconds since 1970 (until 2106).
///
/// Keys are made from seed and index alone. An index counted from 0 in a vault that is new, or is an older copy, may have
/// been used: its keys would redeem again what was spent, for this vault does not know. Rotations add one each, and are
/// rarer than seconds, so the clock is ahead of every index there has been.
pub fn index_at(now: Timestamp) -> u32 {
    u32::try_from(now.seconds()).unwrap_or(u32::MAX)
}

/// The first keyset of a unit; `None` if it has one.
pub fn first(records: &[KeysetRecord], unit: &UnitConfig, now: Timestamp) -> Option<KeysetSpec> {
    let has_one = records.iter().any(|record| record.spec.unit == unit.unit);
    (!has_one).then_some(KeysetSpec {
        unit: unit.unit,
        index: index_at(now),
        orders: unit.denominations,
        input_fee_ppk: unit.input_fee_ppk,
        final_expiry: None,
    })
}

/// The keyset that takes over from a unit's last; `None` if the unit has none.
pub fn next(records: &[KeysetRecord], unit: Unit, terms: Terms) -> Option<KeysetSpec> {
    let of_unit = records.iter().filter(|record| record.spec.unit == unit);
    let last = of_unit.max_by_key(|record| record.spec.index)?.spec;
    Some(KeysetSpec {
        unit,
        index: last.index.saturating_add(1),
        orders: last.orders,
        input_fee_ppk: terms.input_fee_ppk.unwrap_or(last.input_fee_ppk),
        final_expiry: terms.final_expiry,
    })
}

/// The change that adds a keyset and ends the signing of the unit's others.
pub fn add(seed: &Secret<[u8; 32]>, spec: KeysetSpec) -> Change {
    Change::AddKeyset { id: SecretKeyset::derive(seed, spec).id(), spec }
}
