//! Fills a vault with spent proofs and as many signed outputs, as years of swaps would.
//!
//! `fill VAULT MILLIONS`. The vault must exist, have a keyset and be closed. The rows are of the first keyset and
//! worth 1 each, spent and signed alike, so the books still balance. Keys are inserted in random order (within
//! one 2048th of all keys at a time, which keeps the pages at hand in memory), so that pages are as full as swaps
//! leave them and not packed. About two minutes for 20 million. Nothing is synced: a crash ruins the file.
#![allow(clippy::unwrap_used, reason = "a generator for trials")]

use std::time::Instant;

use rusqlite::{Connection, params};

const BUCKETS: u64 = 2048;

/// `splitmix64`: numbers without pattern, the same in each run (S. Vigna, 2015).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A key that begins with the bits of its bucket.
    fn key(&mut self, bucket: u64) -> [u8; 32] {
        let first = (bucket << 53) | (self.next() >> 11);
        let parts = [first, self.next(), self.next(), self.next()];
        let mut key = [0; 32];
        for (place, part) in key.chunks_exact_mut(8).zip(parts) {
            place.copy_from_slice(&part.to_be_bytes());
        }
        key
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, millions] = arguments.as_slice() else {
        eprintln!("usage: fill VAULT MILLIONS");
        std::process::exit(64);
    };
    let rows = millions.parse::<u64>().unwrap() * 1_000_000;
    let connection = Connection::open(path).unwrap();
    let keyset: u32 =
        connection.query_row("SELECT min(number) FROM keyset", [], |row| row.get(0)).unwrap();
    for (pragma, value) in
        [("journal_mode", "off"), ("synchronous", "off"), ("cache_size", "-200000")]
    {
        connection.pragma_update(None, pragma, value).unwrap();
    }
    let before: i64 =
        connection.query_row("SELECT count(*) FROM spent", [], |row| row.get(0)).unwrap();
    let (mut numbers, started) = (Numbers(before.unsigned_abs()), Instant::now());
    for (table, prefixes) in [("spent", [None, None]), ("signed", [Some(2), Some(3)])] {
        let sql = format!("INSERT INTO {table} VALUES (?1, ?2, 0)");
        for prefix in prefixes {
            for bucket in 0..BUCKETS {
                // Half of the rows for each of the two rounds; the remainder goes to the first buckets.
                let count = rows / 2 / BUCKETS + u64::from(bucket < rows / 2 % BUCKETS);
                let change = connection.unchecked_transaction().unwrap();
                let mut insert = change.prepare_cached(&sql).unwrap();
                for _ in 0..count {
                    let key = numbers.key(bucket);
                    let key: Vec<u8> = prefix.into_iter().chain(key).collect();
                    insert.execute(params![key, keyset]).unwrap();
                }
                drop(insert);
                change.commit().unwrap();
            }
            eprintln!("{table}: a half after {:?}", started.elapsed());
        }
    }
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
}
