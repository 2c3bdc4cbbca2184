//! The audit's sums, each recomputed from its own rows, all of one moment.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rusqlite::{Connection, Row};
use tacit_core::unit::Unit;
use tacit_service::audit::{Books, KeysetBooks};
use tacit_service::keyset::{KeysetNumber, KeysetRecord, SealedTotals};
use tacit_service::ledger::Account;
use tacit_service::quote::{MeltQuote, MeltQuoteState, PendingMelt, QuoteId};
use tacit_service::vault::Balance;

use super::era::{self, Era, Eras, Table};
use super::fault::Fault;
use super::{read, row};

/// What is wrong with a row, and a query that counts such rows: written so that the table expected to be the smaller
/// is gone through (`CROSS JOIN` keeps the order) and the other is only looked up in.
const ORPHANS: &[(&str, &str)] = &[
    (
        "proof both held and spent",
        "SELECT count(*) FROM held WHERE EXISTS
         (SELECT 1 FROM era CROSS JOIN spent ON spent.era = era.number AND spent.y = held.y)
         OR EXISTS (SELECT 1 FROM era CROSS JOIN spent_archive AS archived
         ON archived.era = era.number AND archived.y = held.y)",
    ),
    (
        "output both promised and signed",
        "SELECT count(*) FROM promised WHERE EXISTS
         (SELECT 1 FROM era CROSS JOIN signed ON signed.era = era.number AND signed.b_ = promised.b_)",
    ),
    (
        "held proof without a pending quote",
        "SELECT count(*) FROM held WHERE quote NOT IN (SELECT id FROM melt_quote WHERE state = 1)",
    ),
    (
        "promised output without a pending quote",
        "SELECT count(*) FROM promised WHERE quote NOT IN (SELECT id FROM melt_quote WHERE state = 1)",
    ),
    (
        "pending quote that holds nothing",
        "SELECT count(*) FROM melt_quote WHERE state = 1 AND id NOT IN (SELECT quote FROM held)",
    ),
    (
        "preimage of a proof that is not spent",
        "SELECT count(*) FROM preimage WHERE NOT EXISTS
         (SELECT 1 FROM era CROSS JOIN spent ON spent.era = era.number AND spent.y = preimage.y
         WHERE spent.keyset = preimage.keyset)",
    ),
    (
        "preimage of a sealed keyset",
        "SELECT count(*) FROM preimage JOIN keyset ON keyset.number = preimage.keyset WHERE keyset.state = 3",
    ),
    (
        "archived proof of a keyset that is not sealed",
        "SELECT count(*) FROM spent_archive JOIN keyset ON keyset.number = spent_archive.keyset
         WHERE keyset.state <> 3",
    ),
    (
        "sealed keyset without totals, or totals without a sealed keyset",
        "SELECT count(*) FROM keyset LEFT JOIN sealed_keyset ON sealed_keyset.keyset = keyset.number
         WHERE (keyset.state = 3) <> (sealed_keyset.keyset IS NOT NULL)",
    ),
    (
        "transfer whose accounts are missing",
        "SELECT count(*) FROM transfer WHERE debit NOT IN (SELECT number FROM account)
         OR credit NOT IN (SELECT number FROM account)",
    ),
];

pub(super) fn books(connection: &Connection) -> Result<Books, Fault> {
    let records = read::keysets(connection)?;
    let mut orphans = Vec::new();
    for (what, sql) in ORPHANS {
        let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        orphans.push((*what, row::natural(count)));
    }
    let open = era::open_era(connection)?;
    let eras = era::load(connection, open)?;
    let (spends, signs) =
        (walk(connection, &eras, Table::Spent)?, walk(connection, &eras, Table::Signed)?);
    orphans.push(("proof spent twice over", spends.repeated));
    orphans.push(("output signed twice over", signs.repeated));
    orphans.push(("key that its era's filter denies", spends.denied + signs.denied));
    orphans.push(("table with a row of no era", era::tables_with_strays(connection, open)?));
    let mut strays = Strays { records: &records, rows: 0 };
    let spent = strays.by_keyset(connection, "spent")?;
    let archived = strays.by_keyset(connection, "spent_archive")?;
    let signed = strays.by_keyset(connection, "signed")?;
    let held = strays.by_keyset(connection, "held")?;
    orphans.push(("row of a keyset or denomination that does not exist", strays.rows));
    let (transfers, mixed) = transfers(connection)?;
    orphans.push(("transfer between two units", mixed));
    let pending = pending_melts(connection)?;
    orphans.push(("change output that is not promised to its quote", loose(connection, &pending)?));
    let sums = |table: &Sums, number| table.get(&number).copied().unwrap_or_default();
    let mut keysets = Vec::with_capacity(records.len());
    for record in records.iter().cloned() {
        let (spent, archived) = (sums(&spent, record.number), sums(&archived, record.number));
        let (signed, held) = (sums(&signed, record.number), sums(&held, record.number));
        keysets.push(KeysetBooks {
            record,
            signed: signed.value,
            signed_rows: signed.rows,
            spent: add(spent.value, archived.value)?,
            spent_rows: add(spent.rows, archived.rows)?,
            held: held.value,
        });
    }
    Ok(Books {
        keysets,
        transfers,
        balances: balances(connection)?,
        open_day: read::open_day(connection)?,
        day_flows: read::day_flows(connection)?,
        paid_quotes: paid_quotes(connection)?,
        pending_inputs: pending_inputs(&pending)?,
        sealed: sealed(connection)?,
        orphans,
    })
}

/// What is wrong with the eras of a table.
#[derive(Default)]
struct Walk {
    /// Keys that stand more than once.
    repeated: u64,
    /// Keys that the filter of their era denies, so that they would not be found.
    denied: u64,
}

/// Goes through the keys of all eras side by side, in the order of the keys.
fn walk(connection: &Connection, eras: &Eras, table: Table) -> Result<Walk, Fault> {
    let (names, key): (&[&str], &str) = match table {
        Table::Spent => (&["spent", "spent_archive"], "y"),
        Table::Signed => (&["signed"], "b_"),
    };
    let numbers: Vec<Era> =
        read::all(connection, "SELECT number FROM era", [], |row| Ok(row.get(0)?))?;
    let mut statements = Vec::new();
    for name in names {
        let sql = format!("SELECT {key} FROM {name} WHERE era = ?1 ORDER BY {key}");
        for era in &numbers {
            if read::any(connection, &format!("SELECT 1 FROM {name} WHERE era = ?1"), [era])? {
                statements.push((connection.prepare(&sql)?, *era));
            }
        }
    }
    if numbers.len() < 2 && statements.len() < 2 {
        return Ok(Walk::default()); // Within one era of one table the primary key sees to it.
    }
    let mut streams = Vec::new();
    for (statement, era) in &mut statements {
        streams.push((statement.query([*era])?, *era));
    }
    let next = |stream: &mut rusqlite::Rows<'_>| -> Result<Option<Vec<u8>>, Fault> {
        Ok(stream.next()?.map(|row| row.get(0)).transpose()?)
    };
    let mut heads = BinaryHeap::new();
    for (number, (stream, _)) in streams.iter_mut().enumerate() {
        heads.extend(next(stream)?.map(|key| Reverse((key, number))));
    }
    let (mut last, mut found) = (Vec::new(), Walk::default());
    while let Some(Reverse((key, number))) = heads.pop() {
        let (stream, era) = &mut streams[number];
        let x = key.last_chunk().ok_or(Fault::Malformed("a key is no point"))?;
        found.denied += u64::from(eras.denies(*era, table, x));
        found.repeated += u64::from(key == last);
        last = key;
        heads.extend(next(stream)?.map(|key| Reverse((key, number))));
    }
    Ok(found)
}

fn add(left: u64, right: u64) -> Result<u64, Fault> {
    left.checked_add(right).ok_or(Fault::Malformed("a sum is beyond all amounts"))
}

#[derive(Clone, Copy, Default)]
struct Sum {
    value: u64,
    rows: u64,
}

type Sums = BTreeMap<KeysetNumber, Sum>;

/// Counts rows whose keyset is unknown or has no such denomination.
struct Strays<'a> {
    records: &'a [KeysetRecord],
    rows: u64,
}

impl Strays<'_> {
    fn by_keyset(&mut self, connection: &Connection, table: &str) -> Result<Sums, Fault> {
        let sql =
            format!("SELECT keyset, exponent, count(*) FROM {table} GROUP BY keyset, exponent");
        let groups: Vec<(i64, i64, i64)> =
            read::all(connection, &sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut sums = Sums::new();
        for (keyset, exponent, rows) in groups {
            let rows = row::natural(rows);
            let (number, known) = (row::number(keyset)?, |record: &&KeysetRecord| {
                i64::from(record.number.get()) == keyset && exponent < i64::from(record.spec.orders)
            });
            if self.records.iter().find(known).is_none() {
                self.rows = add(self.rows, rows)?;
            }
            let value = row::denomination(exponent)?
                .checked_mul(rows)
                .ok_or(Fault::Malformed("a sum is beyond all amounts"))?;
            let sum = sums.entry(number).or_default();
            *sum = Sum { value: add(sum.value, value)?, rows: add(sum.rows, rows)? };
        }
        Ok(sums)
    }
}

/// Sums of transfers by account, and how many transfers have two units.
fn transfers(connection: &Connection) -> Result<(BTreeMap<Account, Balance>, u64), Fault> {
    let sql = "SELECT debited.name, credited.name, transfer.amount FROM transfer
               JOIN account AS debited ON debited.number = transfer.debit
               JOIN account AS credited ON credited.number = transfer.credit";
    let (mut sums, mut mixed) = (BTreeMap::<Account, Balance>::new(), 0);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (debit, credit) = (account_at(row, 0)?, account_at(row, 1)?);
        let amount = row::natural(row.get(2)?);
        let debited = &mut sums.entry(debit).or_default().debits;
        *debited = add(*debited, amount)?;
        let credited = &mut sums.entry(credit).or_default().credits;
        *credited = add(*credited, amount)?;
        mixed += u64::from(debit.unit() != credit.unit());
    }
    Ok((sums, mixed))
}

fn account_at(row: &Row<'_>, column: usize) -> Result<Account, Fault> {
    row.get::<_, String>(column)?.parse().map_err(|_| Fault::Malformed("an account's name is none"))
}

fn balances(connection: &Connection) -> Result<BTreeMap<Account, Balance>, Fault> {
    let sql = "SELECT name, debits, credits FROM account";
    let read = |row: &Row<'_>| {
        let balance =
            Balance { debits: row::natural(row.get(1)?), credits: row::natural(row.get(2)?) };
        Ok((account_at(row, 0)?, balance))
    };
    Ok(read::all(connection, sql, [], read)?.into_iter().collect())
}

fn paid_quotes(connection: &Connection) -> Result<BTreeMap<Unit, u64>, Fault> {
    let sql = format!("SELECT {} FROM mint_quote WHERE state = 1", row::MINT_QUOTE);
    let mut sums = BTreeMap::new();
    for quote in read::all(connection, &sql, [], row::mint_quote)? {
        let sum = sums.entry(quote.unit).or_default();
        *sum = add(*sum, quote.amount)?;
    }
    Ok(sums)
}

/// Payments under way, with the quotes they are for.
fn pending_melts(connection: &Connection) -> Result<Vec<(QuoteId, PendingMelt)>, Fault> {
    let sql = format!("SELECT {} FROM melt_quote WHERE state = 1", row::MELT_QUOTE);
    let quotes = read::all(connection, &sql, [], row::melt_quote)?.into_iter();
    let pending = |quote: MeltQuote| match quote.state {
        MeltQuoteState::Pending(pending) => Some((quote.id, pending)),
        MeltQuoteState::Unpaid | MeltQuoteState::Paid { .. } => None,
    };
    Ok(quotes.filter_map(pending).collect())
}

fn pending_inputs(melts: &[(QuoteId, PendingMelt)]) -> Result<BTreeMap<KeysetNumber, u64>, Fault> {
    let mut sums = BTreeMap::new();
    for (keyset, value) in melts.iter().flat_map(|(_, pending)| &pending.inputs) {
        let sum = sums.entry(*keyset).or_default();
        *sum = add(*sum, *value)?;
    }
    Ok(sums)
}

/// How many change outputs of payments under way are promised to no quote, or to another.
fn loose(connection: &Connection, melts: &[(QuoteId, PendingMelt)]) -> Result<u64, Fault> {
    let sql = "SELECT 1 FROM promised WHERE b_ = ?1 AND quote = ?2";
    let mut count = 0;
    for (quote, pending) in melts {
        for output in &pending.outputs {
            let key = (output.blinded.as_bytes(), quote.as_bytes());
            count += u64::from(!read::any(connection, sql, key)?);
        }
    }
    Ok(count)
}

fn sealed(connection: &Connection) -> Result<Vec<SealedTotals>, Fault> {
    let sql = "SELECT keyset.id, issued, redeemed, outstanding, signature FROM sealed_keyset
               JOIN keyset ON keyset.number = sealed_keyset.keyset ORDER BY keyset.number";
    read::all(connection, sql, [], row::sealed)
}
