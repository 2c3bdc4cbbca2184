//! The archive: spent proofs of sealed keysets, packed out of the way of those that are asked about every day.
//!
//! They are never dropped: expired e-cash stays redeemable at the desk, once. A row keeps its `Y` whole and its
//! value, so that the books still count it. Moved in order of `Y`, the rows fill their pages completely, where
//! those of the table they leave, inserted in any order, fill two thirds.

use std::collections::BTreeSet;

use rusqlite::{Transaction, params};
use tacit_ecash::point::Y;
use tacit_service::keyset::{KeysetNumber, KeysetRecord, KeysetState};

use super::fault::Fault;
use super::{read, row};

/// Where a pass over the spent proofs begins.
pub(super) const START: Y = Y::from_x([0; 32]);

/// Rows looked at in one commit: some 50 ms of the writer's time.
const ROWS_A_COMMIT: usize = 10_000;

/// Moves what belongs in the archive among the next [`ROWS_A_COMMIT`] spent proofs from `from` on. Returns where
/// to go on; `None` once the pass has come to the end, after which nothing new can come to belong there until
/// another keyset is sealed: a closed keyset's proofs are not spent at the mint.
pub(super) fn advance(
    change: &Transaction<'_>,
    keysets: &[KeysetRecord],
    from: Option<Y>,
) -> Result<Option<Y>, Fault> {
    let sealed: BTreeSet<KeysetNumber> = keysets
        .iter()
        .filter(|keyset| keyset.state == KeysetState::Sealed)
        .map(|keyset| keyset.number)
        .collect();
    let Some(from) = from.filter(|_| !sealed.is_empty()) else { return Ok(None) };
    let sql = "SELECT y, keyset, exponent FROM spent WHERE y >= ?1 ORDER BY y LIMIT ?2";
    let limit = i64::try_from(ROWS_A_COMMIT).expect("a small number");
    let rows: Vec<([u8; 32], i64, i64)> =
        read::all(change, sql, params![from.x(), limit], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let mut insert = change
        .prepare_cached("INSERT INTO spent_archive (y, keyset, exponent) VALUES (?1, ?2, ?3)")?;
    let mut delete = change.prepare_cached("DELETE FROM spent WHERE y = ?1")?;
    for (y, keyset, exponent) in &rows {
        if sealed.contains(&row::number(*keyset)?) {
            insert.execute(params![y, keyset, exponent])?;
            delete.execute([y])?;
        }
    }
    let last = rows.last().filter(|_| rows.len() == ROWS_A_COMMIT);
    Ok(last.map(|(y, _, _)| Y::from_x(*y)))
}
