//! Public keys and keysets (NUT-01, NUT-02).

use axum::extract::{Path, State};
use axum::response::Response;
use tacit_core::time::Timestamp;
use tacit_ecash::code::Code;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message::{KeysResponse, Keyset, KeysetKeys, KeysetsResponse};
use tacit_ecash::point::PointBytes;
use tacit_service::keyset::KeysetRecord;
use tacit_service::mint::MintKeyset;

use crate::answer;
use crate::error::ApiError;
use crate::state::UnitMint;

/// `GET /v1/keys` (NUT-01): the keys that sign.
pub(super) async fn signing(State(unit): State<UnitMint>) -> Response {
    let (mint, now) = (unit.shared.mint(), unit.shared.now());
    let keysets = mint
        .keysets()
        .iter()
        .filter(|keyset| is_of(keyset, &unit) && keyset.record().signs(now))
        .map(|keyset| with_keys(keyset, now))
        .collect();
    answer::json(&KeysResponse { keysets })
}

/// `GET /v1/keys/{keyset_id}` (NUT-02): the keys of any keyset there ever was.
pub(super) async fn of_keyset(
    State(unit): State<UnitMint>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let (mint, now) = (unit.shared.mint(), unit.shared.now());
    let known = id.parse::<KeysetId>().ok().and_then(|id| mint.keyset(&id));
    let keyset = known
        .filter(|keyset| is_of(keyset, &unit))
        .ok_or_else(|| ApiError::refused(Code::UnknownKeyset, "the keyset is not known"))?;
    Ok(answer::json(&KeysResponse { keysets: vec![with_keys(keyset, now)] }))
}

/// `GET /v1/keysets` (NUT-02).
pub(super) async fn keysets(State(unit): State<UnitMint>) -> Response {
    let (mint, now) = (unit.shared.mint(), unit.shared.now());
    let keysets = mint
        .keysets()
        .iter()
        .filter(|keyset| is_of(keyset, &unit))
        .map(|keyset| described(keyset.record(), now))
        .collect();
    answer::json(&KeysetsResponse { keysets })
}

fn is_of(keyset: &MintKeyset, unit: &UnitMint) -> bool {
    keyset.record().spec.unit == unit.terms.unit
}

fn described(record: &KeysetRecord, now: Timestamp) -> Keyset {
    Keyset {
        id: record.id.into(),
        unit: record.spec.unit.to_string(),
        active: record.signs(now),
        input_fee_ppk: record.spec.input_fee_ppk,
        final_expiry: record.spec.final_expiry,
    }
}

fn with_keys(keyset: &MintKeyset, now: Timestamp) -> KeysetKeys {
    let keys = keyset.keys().public_keys();
    KeysetKeys {
        keyset: described(keyset.record(), now),
        keys: keys.map(|(amount, key)| (amount, PointBytes::from(key))).collect(),
    }
}
