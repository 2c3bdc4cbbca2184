//! The archive: spent proofs of sealed keysets, packed out of the way of those that are asked about every day.
//!
//! They are never dropped: expired e-cash stays redeemable at the desk, once. A row keeps its `Y` whole and its
//! value, so that the books still count it. Moved in order of `Y`, the rows fill their pages completely, where
//! those of the table they leave, inserted in any order, fill two thirds.

use std::collections::BTreeSet;

use rusqlite::{Transaction, params};
use tacit_service::keyset::{KeysetNumber, KeysetRecord, KeysetState};

use super::era::Era;
use super::fault::Fault;
use super::{read, row};

/// How far a pass over the spent proofs has come: they lie by era, then by `Y`.
#[derive(Clone, Copy)]
pub(super) struct Place {
    era: Era,
    y: [u8; 32],
}

/// Where a pass begins.
pub(super) const START: Place = Place { era: 0, y: [0; 32] };

/// Rows looked at in one commit: some 50 ms of the writer's time.
const ROWS_A_COMMIT: usize = 10_000;

/// Moves what belongs in the archive among the next [`ROWS_A_COMMIT`] spent proofs from `from` on. Returns where
/// to go on; `None` once the pass has come to the end, after which nothing new can come to belong there until
/// another keyset is sealed: a closed keyset's proofs are not spent at the mint.
pub(super) fn advance(
    change: &Transaction<'_>,
    keysets: &[KeysetRecord],
    from: Option<Place>,
) -> Result<Option<Place>, Fault> {
    let sealed: BTreeSet<KeysetNumber> = keysets
        .iter()
        .filter(|keyset| keyset.state == KeysetState::Sealed)
        .map(|keyset| keyset.number)
        .collect();
    let Some(from) = from.filter(|_| !sealed.is_empty()) else { return Ok(None) };
    let sql = "SELECT era, y, keyset, exponent FROM spent WHERE (era, y) >= (?1, ?2)
               ORDER BY era, y LIMIT ?3";
    let limit = i64::try_from(ROWS_A_COMMIT).expect("a small number");
    let rows: Vec<(Place, i64, i64)> =
        read::all(change, sql, params![from.era, from.y, limit], |row| {
            Ok((Place { era: row.get(0)?, y: row.get(1)? }, row.get(2)?, row.get(3)?))
        })?;
    let mut insert = change.prepare_cached(
        "INSERT INTO spent_archive (era, y, keyset, exponent) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut delete = change.prepare_cached("DELETE FROM spent WHERE era = ?1 AND y = ?2")?;
    for (place, keyset, exponent) in &rows {
        if sealed.contains(&row::number(*keyset)?) {
            insert.execute(params![place.era, place.y, keyset, exponent])?;
            delete.execute(params![place.era, place.y])?;
        }
    }
    let last = rows.last().filter(|_| rows.len() == ROWS_A_COMMIT);
    Ok(last.map(|(place, ..)| *place))
}
