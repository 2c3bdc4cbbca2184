//! Moving a vault from SQLite to PostgreSQL: every row, in one transaction, compared afterwards.
//!
//! The mint is stopped meanwhile: the writer's lock of the old vault is held from the first row to the last word, and from
//! before the first row the old vault says that it moves, so that nothing else opens it. Once the new one is durable and
//! its books are the old one's, the old one says that it has moved. Cut off in between, the command is run again, and
//! nobody can have gone on with the old one meanwhile.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use secp256k1::PublicKey;
use tacit_service::audit::Books;
use tacit_service::vault::{StoreError, VaultReader};

use crate::postgres::load::{Column, Load};
use crate::postgres::{self, PostgresReader, Target};
use crate::sqlite::{self, SqliteReader, SqliteVault};

/// Rows sent together.
const ROWS_A_STEP: usize = 4096;

/// What a column holds.
#[derive(Clone, Copy)]
enum Kind {
    Bytes,
    Integer,
    Text,
}

use Kind::{Bytes, Integer, Text};

/// A table here and there. Keys in ascending order, whatever the era: the order of rows tells nothing new.
struct Table {
    select: &'static str,
    columns: &'static [Kind],
    insert: &'static str,
    has_writer: bool,
}

const TABLES: [Table; 21] = [
    Table {
        select: "SELECT number, id, unit, unit_index, orders, input_fee_ppk, final_expiry, state FROM keyset
                 ORDER BY number",
        columns: &[Integer, Bytes, Text, Integer, Integer, Integer, Integer, Integer],
        insert: "INSERT INTO keyset (number, id, unit, unit_index, orders, input_fee_ppk, final_expiry, state)
                 SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::bigint[], $5::bigint[],
                 $6::bigint[], $7::bigint[], $8::bigint[])",
        has_writer: false,
    },
    Table {
        select: "SELECT keyset, issued, redeemed, outstanding, signature FROM sealed_keyset ORDER BY keyset",
        columns: &[Integer, Integer, Integer, Integer, Bytes],
        insert: "INSERT INTO sealed_keyset (keyset, issued, redeemed, outstanding, signature)
                 SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])",
        has_writer: false,
    },
    Table {
        select: "SELECT y, keyset, exponent FROM spent UNION ALL SELECT y, keyset, exponent FROM spent_archive
                 ORDER BY y",
        columns: &[Bytes, Integer, Integer],
        insert: "INSERT INTO proof (y, keyset, exponent)
                 SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[])",
        has_writer: false,
    },
    Table {
        select: "SELECT y, keyset, exponent, quote FROM held ORDER BY y",
        columns: &[Bytes, Integer, Integer, Bytes],
        insert: "INSERT INTO proof (y, keyset, exponent, quote)
                 SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[])",
        has_writer: false,
    },
    Table {
        select: "SELECT b_, keyset, exponent FROM signed ORDER BY b_",
        columns: &[Bytes, Integer, Integer],
        insert: "INSERT INTO output (b_, keyset, exponent)
                 SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[])",
        has_writer: false,
    },
    Table {
        select: "SELECT b_, quote FROM promised ORDER BY b_",
        columns: &[Bytes, Bytes],
        insert: "INSERT INTO output (b_, quote) SELECT * FROM unnest($1::bytea[], $2::bytea[])",
        has_writer: false,
    },
    Table {
        select: "SELECT y, keyset, preimage FROM preimage
                 UNION ALL SELECT y, keyset, preimage FROM held WHERE preimage IS NOT NULL ORDER BY y",
        columns: &[Bytes, Integer, Bytes],
        insert: "INSERT INTO preimage (y, keyset, preimage)
                 SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[])",
        has_writer: false,
    },
    Table {
        select: "SELECT id, unit, method, request, amount, pubkey, expiry, state, outputs_digest FROM mint_quote
                 ORDER BY id",
        columns: &[Bytes, Text, Text, Text, Integer, Bytes, Integer, Integer, Bytes],
        insert: "INSERT INTO mint_quote (id, unit, method, request, amount, pubkey, expiry, state, outputs_digest)
                 SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bytea[],
                 $7::bigint[], $8::bigint[], $9::bytea[])",
        has_writer: false,
    },
    Table {
        select: "SELECT id, unit, method, request, amount, fee_reserve, expiry, attempt, state, inputs, input_fee,
                 outputs, fee_paid, evidence FROM melt_quote ORDER BY id",
        columns: &[
            Bytes, Text, Text, Text, Integer, Integer, Integer, Integer, Integer, Bytes, Integer,
            Bytes, Integer, Text,
        ],
        insert: "INSERT INTO melt_quote (id, unit, method, request, amount, fee_reserve, expiry, attempt, state,
                 inputs, input_fee, outputs, fee_paid, evidence)
                 SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
                 $7::bigint[], $8::bigint[], $9::bigint[], $10::bytea[], $11::bigint[], $12::bytea[],
                 $13::bigint[], $14::text[])",
        has_writer: false,
    },
    Table {
        select: "SELECT id, kind, level, state, key FROM holder ORDER BY id",
        columns: &[Text, Text, Integer, Integer, Bytes],
        insert: "INSERT INTO holder (id, kind, level, state, key)
                 SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[])",
        has_writer: false,
    },
    Table {
        select: "SELECT holder, unit, day, in_day, out_day, in_month, out_month, version FROM edge_usage
                 ORDER BY holder, unit",
        columns: &[Text, Text, Integer, Integer, Integer, Integer, Integer, Integer],
        insert: "INSERT INTO edge_usage (holder, unit, day, in_day, out_day, in_month, out_month, version)
                 SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],
                 $6::bigint[], $7::bigint[], $8::bigint[])",
        has_writer: false,
    },
    Table {
        select: "SELECT id, holder, unit, amount, expiry, state, refunded, blanks FROM sale ORDER BY id",
        columns: &[Bytes, Text, Text, Integer, Integer, Integer, Integer, Bytes],
        insert: "INSERT INTO sale (id, holder, unit, amount, expiry, state, refunded, blanks)
                 SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
                 $7::bigint[], $8::bytea[])",
        has_writer: false,
    },
    Table {
        select: "SELECT id, kind, sale, amount FROM outbox ORDER BY id",
        columns: &[Bytes, Text, Bytes, Integer],
        insert: "INSERT INTO outbox (id, kind, sale, amount)
                 SELECT * FROM unnest($1::bytea[], $2::text[], $3::bytea[], $4::bigint[])",
        has_writer: false,
    },
    Table {
        select: "SELECT y FROM released ORDER BY y",
        columns: &[Bytes],
        insert: "INSERT INTO released (y) SELECT * FROM unnest($1::bytea[])",
        has_writer: false,
    },
    Table {
        select: "SELECT name, request, keys FROM shown ORDER BY name",
        columns: &[Bytes, Bytes, Integer],
        insert: "INSERT INTO shown (name, request, keys)
                 SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[])",
        has_writer: false,
    },
    Table {
        select: "SELECT request, bucket, keys, reply, sealed FROM answer ORDER BY request",
        columns: &[Bytes, Integer, Integer, Bytes, Bytes],
        insert: "INSERT INTO answer (request, bucket, keys, reply, sealed)
                 SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])",
        has_writer: false,
    },
    Table {
        select: "SELECT id, holder, unit, begun, ended FROM contract ORDER BY id",
        columns: &[Bytes, Text, Text, Integer, Integer],
        insert: "INSERT INTO contract (id, holder, unit, begun, ended)
                 SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])",
        has_writer: false,
    },
    Table {
        select: "SELECT contract, month, amount, due, last, state FROM bill ORDER BY contract, month",
        columns: &[Bytes, Integer, Integer, Integer, Integer, Integer],
        insert: "INSERT INTO bill (contract, month, amount, due, last, state)
                 SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
                 $6::bigint[])",
        has_writer: false,
    },
    Table {
        select: "SELECT transfer.id, kind, debit.name, credit.name, amount, day FROM transfer
                 JOIN account AS debit ON debit.number = transfer.debit
                 JOIN account AS credit ON credit.number = transfer.credit ORDER BY transfer.id",
        columns: &[Bytes, Text, Text, Text, Integer, Integer],
        insert: "INSERT INTO transfer (id, kind, debit, credit, amount, day)
                 SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])",
        has_writer: false,
    },
    Table {
        select: "SELECT name, debits, credits FROM account ORDER BY name",
        columns: &[Text, Integer, Integer],
        insert: "INSERT INTO balance (writer, account, debits, credits)
                 SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[])",
        has_writer: true,
    },
    Table {
        select: "SELECT keyset_from, keyset_to, value, fee FROM day_flow ORDER BY keyset_from, keyset_to",
        columns: &[Integer, Integer, Integer, Integer],
        insert: "INSERT INTO day_flow (writer, keyset_from, keyset_to, value, fee)
                 SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])",
        has_writer: true,
    },
];

/// Why a vault was not moved. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The old vault cannot be opened.
    #[error("the vault on SQLite cannot be opened")]
    Source(#[from] sqlite::OpenError),
    /// Neither can it be read.
    #[error("the vault cannot be read")]
    Store(#[from] StoreError),
    /// A row of it cannot be read.
    #[error("a row of the vault cannot be read")]
    Row(#[from] rusqlite::Error),
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Target(#[from] postgres::OpenError),
    /// The database has a vault that is not a copy of this one.
    #[error(
        "the database has a vault already, which is not a copy of this one: nothing was changed"
    )]
    TargetInUse,
    /// What was written is not what was read.
    #[error("the vault in the database is not equal to this one: do not use it")]
    Unequal,
}

/// Moves the vault at `source`, of the mint of this identity key, to a database that has none. `progress`: told how many rows have been sent. The mint is
/// stopped meanwhile.
///
/// # Errors
/// [`MigrateError`]; then the old vault goes on saying that it moves, until the move is finished or called off.
pub fn migrate(
    source: &Path,
    mint: &PublicKey,
    target: &Target,
    mut progress: impl FnMut(u64),
) -> Result<u64, MigrateError> {
    let vault = SqliteVault::open_to_move(source, mint)?; // Holds the writer's lock, and brings the schema up to date.
    let before = SqliteReader::open(source)?.books()?;
    let mut rows = 0;
    let is_new = match Load::begin(target, mint)? {
        Some(mut load) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(source, flags)?;
            for table in &TABLES {
                send(&connection, table, &mut load, &mut |sent| {
                    rows += sent;
                    progress(rows);
                })?;
            }
            load.commit(before.open_day)?;
            true
        }
        None => false, // Perhaps an earlier attempt, which was cut off after its commit.
    };
    let after = PostgresReader::open(target)?.books()?;
    if !are_equal(&before, &after) {
        return Err(if is_new { MigrateError::Unequal } else { MigrateError::TargetInUse });
    }
    vault.mark_moved()?;
    Ok(rows)
}

/// Whether all sums of two stores agree, and nothing is amiss in either. What may be amiss has other names in each.
fn are_equal(before: &Books, after: &Books) -> bool {
    let is_sound = |books: &Books| books.orphans.iter().all(|(_, count)| *count == 0);
    let sums = |books: &Books| Books { orphans: Vec::new(), ..books.clone() };
    is_sound(before) && is_sound(after) && sums(before) == sums(after)
}

fn send(
    from: &Connection,
    table: &Table,
    load: &mut Load,
    sent: &mut dyn FnMut(u64),
) -> Result<(), MigrateError> {
    let mut statement = from.prepare(table.select)?;
    let mut rows = statement.query([])?;
    loop {
        let mut columns: Vec<Column> = table.columns.iter().map(|kind| empty(*kind)).collect();
        let mut count = 0;
        while count < ROWS_A_STEP
            && let Some(row) = rows.next()?
        {
            for (at, column) in columns.iter_mut().enumerate() {
                take(row, at, column)?;
            }
            count += 1;
        }
        if count > 0 {
            load.add(table.insert, columns, table.has_writer)?;
            sent(count as u64);
        }
        if count < ROWS_A_STEP {
            return Ok(());
        }
    }
}

fn empty(kind: Kind) -> Column {
    match kind {
        Bytes => Column::Bytes(Vec::new()),
        Integer => Column::Integer(Vec::new()),
        Text => Column::Text(Vec::new()),
    }
}

fn take(row: &Row<'_>, at: usize, column: &mut Column) -> Result<(), rusqlite::Error> {
    let is_null = matches!(row.get_ref(at)?, ValueRef::Null);
    match column {
        Column::Bytes(values) => values.push(if is_null { None } else { Some(row.get(at)?) }),
        Column::Integer(values) => values.push(if is_null { None } else { Some(row.get(at)?) }),
        Column::Text(values) => values.push(if is_null { None } else { Some(row.get(at)?) }),
    }
    Ok(())
}
