//! Fills a vault with spent proofs and as many signed outputs, as years of swaps would.
//!
//! `fill VAULT MILLIONS`. The vault must exist, have a keyset and be closed. Each million is an era of its own, as a
//! mint's are whose days see less than that. The rows are of the first keyset and worth 1 each, spent and signed alike,
//! so the books still balance. Keys are inserted in random order, so that pages are as full as swaps leave them and
//! not packed. About two minutes for 20 million. Nothing is synced: a crash ruins the file.
#![allow(clippy::unwrap_used, reason = "a generator for trials")]

use std::time::Instant;

use rusqlite::{Connection, params};

const ERA: u64 = 1_000_000;

/// `splitmix64`: numbers without pattern, the same in each run (S. Vigna, 2015).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A key behind some bytes that all keys of its kind begin with.
    fn key(&mut self, begin: &[u8]) -> Vec<u8> {
        let words = [self.next(), self.next(), self.next(), self.next()];
        begin.iter().copied().chain(words.into_iter().flat_map(u64::to_be_bytes)).collect()
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, millions] = arguments.as_slice() else {
        eprintln!("usage: fill VAULT MILLIONS");
        std::process::exit(64);
    };
    let millions: u32 = millions.parse().unwrap();
    let connection = Connection::open(path).unwrap();
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
    let keyset = number("SELECT min(number) FROM keyset");
    let first = number("SELECT max(number) FROM era");
    for (pragma, value) in
        [("journal_mode", "off"), ("synchronous", "off"), ("cache_size", "-200000")]
    {
        connection.pragma_update(None, pragma, value).unwrap();
    }
    let (mut numbers, started) = (Numbers(first.into()), Instant::now());
    for era in first..first + millions {
        let change = connection.unchecked_transaction().unwrap();
        let mut spend = change.prepare_cached("INSERT INTO spent VALUES (?1, ?2, ?3, 0)").unwrap();
        let mut sign = change.prepare_cached("INSERT INTO signed VALUES (?1, ?2, ?3, 0)").unwrap();
        for row in 0..ERA {
            spend.execute(params![era, numbers.key(&[]), keyset]).unwrap();
            let parity = if row % 2 == 0 { 2 } else { 3 };
            sign.execute(params![era, numbers.key(&[parity]), keyset]).unwrap();
        }
        drop((spend, sign));
        change.execute("INSERT INTO era (number) VALUES (?1)", [era + 1]).unwrap();
        change.commit().unwrap();
        eprintln!("{} million after {:?}", era + 1 - first, started.elapsed());
    }
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
}
