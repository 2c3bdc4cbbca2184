//! The audit's sums, each recomputed from its own rows, all of one moment.

use std::collections::BTreeMap;

use tacit_core::time::Day;
use tacit_service::audit::{Books, KeysetBooks};
use tacit_service::keyset::{KeysetNumber, KeysetRecord};
use tacit_service::ledger::Account;
use tacit_service::quote::{MeltQuote, MeltQuoteState, PendingMelt, QuoteId};
use tacit_service::vault::Balance;
use tokio_postgres::Row;

use super::fault::Fault;
use super::link::Link;
use super::read::{self, add, each, question};
use super::row::{self, at, natural_at};
use crate::spelling::{denomination, natural, number};

/// What is wrong with a row, and a query that counts such rows.
const ORPHANS: [(&str, &str); 10] = [
    (
        "held proof without a pending quote",
        "SELECT count(*) FROM proof WHERE quote IS NOT NULL
         AND quote NOT IN (SELECT id FROM melt_quote WHERE state = 1)",
    ),
    (
        "promised output without a pending quote",
        "SELECT count(*) FROM output WHERE quote IS NOT NULL
         AND quote NOT IN (SELECT id FROM melt_quote WHERE state = 1)",
    ),
    (
        "pending quote that holds nothing",
        "SELECT count(*) FROM melt_quote WHERE state = 1
         AND id NOT IN (SELECT quote FROM proof WHERE quote IS NOT NULL)",
    ),
    (
        "output that is neither signed nor promised, or both",
        "SELECT count(*) FROM output WHERE (keyset IS NULL) <> (quote IS NOT NULL)
         OR (keyset IS NULL) <> (exponent IS NULL)",
    ),
    (
        "preimage of a proof that is neither spent nor held",
        "SELECT count(*) FROM preimage LEFT JOIN proof
         ON proof.y = preimage.y AND proof.keyset = preimage.keyset WHERE proof.y IS NULL",
    ),
    (
        "preimage of a sealed keyset",
        "SELECT count(*) FROM preimage JOIN keyset ON keyset.number = preimage.keyset
         WHERE keyset.state = 3",
    ),
    (
        "sealed keyset without totals, or totals without a sealed keyset",
        "SELECT count(*) FROM keyset FULL JOIN sealed_keyset ON sealed_keyset.keyset = keyset.number
         WHERE COALESCE(keyset.state = 3, false) <> (sealed_keyset.keyset IS NOT NULL)",
    ),
    (
        "two active keysets of one unit",
        "SELECT count(*) FROM (SELECT unit FROM keyset WHERE state = 0 GROUP BY unit
         HAVING count(*) > 1) AS units",
    ),
    (
        "writer that knows an epoch to come",
        "SELECT count(*) FROM writer WHERE epoch > (SELECT epoch FROM vault)",
    ),
    (
        "counter of a writer that is not there",
        "SELECT count(*) FROM day_flow WHERE writer NOT IN (SELECT id FROM writer)",
    ),
];

/// Spent, held and signed, by keyset and denomination: few rows, however many proofs there are. Sums are made here, for
/// a count of rows does not overflow.
const PROOFS: &str = "SELECT keyset, exponent, quote IS NULL, count(*) FROM proof
     GROUP BY keyset, exponent, quote IS NULL";
const OUTPUTS: &str = "SELECT keyset, exponent, true, count(*) FROM output WHERE keyset IS NOT NULL
     GROUP BY keyset, exponent";

const TRANSFERS: &str =
    "SELECT debit, credit, sum(amount)::bigint FROM transfer GROUP BY debit, credit";

const VAULT: &str = "SELECT open_day FROM vault";

const SEALED: &str = "SELECT keyset.id, issued, redeemed, outstanding, signature FROM sealed_keyset
     JOIN keyset ON keyset.number = sealed_keyset.keyset ORDER BY keyset.number";

const PROMISED: &str = "SELECT b_, quote FROM output WHERE quote IS NOT NULL";

const QUESTIONS: [&str; 11] = [
    row::KEYSETS,
    PROOFS,
    OUTPUTS,
    TRANSFERS,
    read::BALANCES,
    VAULT,
    read::FLOWS,
    read::MINT_QUOTES_PAID,
    read::MELT_QUOTES_PENDING,
    SEALED,
    PROMISED,
];

pub(super) fn books(link: &mut Link) -> Result<Books, Fault> {
    let counted = ORPHANS.iter().map(|(_, sql)| *sql);
    let questions: Vec<_> = QUESTIONS.into_iter().chain(counted).map(question).collect();
    // Everything is gone through here, which no index makes quicker.
    link.run("SET enable_seqscan = on")?;
    let answers = link.ask_all(&questions)?;
    link.run("SET enable_seqscan = off")?;
    let (sums, counts) = answers.split_at(QUESTIONS.len());
    let [
        keysets,
        proofs,
        outputs,
        transfers,
        balances,
        vault,
        flows,
        paid,
        pending,
        sealed,
        promised,
    ] = sums
    else {
        return Err(Fault::Malformed("each question has an answer"));
    };
    let mut orphans = Vec::new();
    for ((what, _), rows) in ORPHANS.iter().zip(counts) {
        orphans.push((*what, rows.first().map_or(Ok(0), |row| natural_at(row, 0))?));
    }
    let records = each(keysets, row::keyset)?;
    let mut strays = Strays { records: &records, rows: 0 };
    let (proofs, outputs) = (strays.by_keyset(proofs)?, strays.by_keyset(outputs)?);
    orphans.push(("row of a keyset or denomination that does not exist", strays.rows));
    let (transfers, mixed) = sums_of(transfers)?;
    orphans.push(("transfer between two units", mixed));
    let pending = pending_melts(pending)?;
    orphans.push(("change output that is not promised to its quote", loose(promised, &pending)?));
    let vault = vault.first().ok_or(Fault::Malformed("the vault's own row is missing"))?;
    Ok(Books {
        keysets: records.iter().map(|record| keyset_books(record, &proofs, &outputs)).collect(),
        transfers,
        balances: read::balances(balances)?.into_iter().collect(),
        open_day: Day::from_number(natural_at(vault, 0)?),
        day_flows: read::day_flows(flows)?,
        paid_quotes: {
            let mut sums = BTreeMap::new();
            for quote in each(paid, row::mint_quote)? {
                let sum = sums.entry(quote.unit).or_default();
                *sum = add(*sum, quote.amount)?;
            }
            sums
        },
        pending_inputs: pending_inputs(&pending)?,
        sealed: each(sealed, row::sealed)?,
        orphans,
    })
}

#[derive(Clone, Copy, Default)]
struct Sum {
    value: u64,
    rows: u64,
}

/// By keyset, then by whether the rows are final (spent, signed) and not held.
type Sums = BTreeMap<(KeysetNumber, bool), Sum>;

fn keyset_books(record: &KeysetRecord, proofs: &Sums, outputs: &Sums) -> KeysetBooks {
    let sum =
        |sums: &Sums, is_final| sums.get(&(record.number, is_final)).copied().unwrap_or_default();
    let (signed, spent, held) = (sum(outputs, true), sum(proofs, true), sum(proofs, false));
    KeysetBooks {
        record: record.clone(),
        signed: signed.value,
        signed_rows: signed.rows,
        spent: spent.value,
        spent_rows: spent.rows,
        held: held.value,
    }
}

/// Counts rows whose keyset is unknown or has no such denomination.
struct Strays<'a> {
    records: &'a [KeysetRecord],
    rows: u64,
}

impl Strays<'_> {
    fn by_keyset(&mut self, groups: &[Row]) -> Result<Sums, Fault> {
        let mut sums = Sums::new();
        for group in groups {
            let (keyset, exponent) = (number(at(group, 0)?)?, at::<i64>(group, 1)?);
            let rows = natural(at(group, 3)?);
            let known = |record: &&KeysetRecord| {
                record.number == keyset && exponent < i64::from(record.spec.orders)
            };
            if self.records.iter().find(known).is_none() {
                self.rows = add(self.rows, rows)?;
            }
            let value = denomination(exponent)?
                .checked_mul(rows)
                .ok_or(Fault::Malformed("a sum is beyond all amounts"))?;
            let sum = sums.entry((keyset, at(group, 2)?)).or_default();
            *sum = Sum { value: add(sum.value, value)?, rows: add(sum.rows, rows)? };
        }
        Ok(sums)
    }
}

/// Sums of transfers by account, and how many pairs of accounts have two units.
fn sums_of(transfers: &[Row]) -> Result<(BTreeMap<Account, Balance>, u64), Fault> {
    let (mut sums, mut mixed) = (BTreeMap::<Account, Balance>::new(), 0);
    for row in transfers {
        let (debit, credit) = (row::account(row, 0)?, row::account(row, 1)?);
        let amount = natural_at(row, 2)?;
        let debited = &mut sums.entry(debit).or_default().debits;
        *debited = add(*debited, amount)?;
        let credited = &mut sums.entry(credit).or_default().credits;
        *credited = add(*credited, amount)?;
        mixed += u64::from(debit.unit() != credit.unit());
    }
    Ok((sums, mixed))
}

/// Payments under way, with the quotes they are for.
fn pending_melts(rows: &[Row]) -> Result<Vec<(QuoteId, PendingMelt)>, Fault> {
    let pending = |quote: MeltQuote| match quote.state {
        MeltQuoteState::Pending(pending) => Some((quote.id, pending)),
        MeltQuoteState::Unpaid | MeltQuoteState::Paid { .. } => None,
    };
    Ok(each(rows, row::melt_quote)?.into_iter().filter_map(pending).collect())
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
fn loose(promised: &[Row], melts: &[(QuoteId, PendingMelt)]) -> Result<u64, Fault> {
    let mut kept = BTreeMap::new();
    for row in promised {
        kept.insert(row::bytes::<33>(row, 0)?, row::bytes::<16>(row, 1)?);
    }
    let mut count = 0;
    for (quote, pending) in melts {
        for output in &pending.outputs {
            let is_kept = kept.get(output.blinded.as_bytes()) == Some(quote.as_bytes());
            count += u64::from(!is_kept);
        }
    }
    Ok(count)
}
