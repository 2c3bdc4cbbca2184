//! Measures transfers between accounts: `transfers DIRECTORY [ACCOUNTS [TRANSFERS]]`, in batches and one at a time.
//!
//! Each commit is durable. Prints transfers a second for each size of batch, in rounds, and audits the books at the end.
#![allow(clippy::unwrap_used, reason = "a measurement for people")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_service::account::{AccountId, Holder, HolderKind, HolderState, Level};
use tacit_service::audit::check;
use tacit_service::conformance::rig;
use tacit_service::posting::{Assignee, EntryId, FactId, Posted, Posting, Source};
use tacit_service::vault::{Change, Outcome, VaultReader, VaultStore};
use tacit_store::sqlite::{SqliteReader, SqliteVault};

/// What each account has at first: enough to give every transfer of a run.
const FUNDS: u64 = 1_000_000;

/// Sizes of batches, of which the first is one at a time.
const BATCHES: [usize; 4] = [1, 16, 256, 1024];

const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, default: u64| arguments.get(at).map_or(default, |text| text.parse().unwrap());
    let path = PathBuf::from(&arguments[0]).join("vault.sqlite");
    let (accounts, transfers) = (number(1, 10_000), number(2, 20_000));
    let mut vault = SqliteVault::open(&path, &rig::identity()).unwrap();
    let now = Day::from_number(20_000).start();
    for from in (0..accounts).step_by(500) {
        (from..(from + 500).min(accounts)).for_each(|number| open(&mut vault, now, number));
    }
    let mut done = 0;
    for round in 1..=ROUNDS {
        for size in BATCHES {
            // One at a time waits for the disk each time: fewer say as much.
            let count = if size == 1 { transfers / 20 } else { transfers };
            let rate = run(&mut vault, now, accounts, done, count, size);
            println!("round {round}, {size:>4} in a commit: {rate:.0} transfers a second");
            done += count;
        }
    }
    drop(vault);
    let mut reader = SqliteReader::open(&path).unwrap();
    let checks = check(&reader.books().unwrap(), &rig::identity());
    assert!(checks.iter().all(|check| check.holds), "{checks:?}");
    println!(
        "{done} transfers between {accounts} accounts; {} checks of the books hold",
        checks.len()
    );
}

fn run(
    vault: &mut SqliteVault,
    now: Timestamp,
    accounts: u64,
    done: u64,
    count: u64,
    size: usize,
) -> f64 {
    let postings: Vec<Change> =
        (done..done + count).map(|number| transfer(number, accounts)).collect();
    let mut took = Duration::ZERO;
    for batch in postings.chunks(size) {
        let started = Instant::now();
        let outcomes = vault.commit(batch, now).unwrap();
        took += started.elapsed();
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Posted(Ok(Posted::Now))));
    }
    count as f64 / took.as_secs_f64()
}

/// Scattered over all accounts, so that batches meet the same one now and then, as customers do.
fn transfer(number: u64, accounts: u64) -> Change {
    let scatter = |salt: u64| {
        (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt).wrapping_mul(0xd6e8_feb8_6659_fd93)
            >> 20
    };
    let from = scatter(0) % accounts;
    let to = (from + 1 + scatter(1) % (accounts - 1)) % accounts;
    let mut fact = [0; 16];
    fact[..8].copy_from_slice(&number.to_be_bytes());
    Change::Post(Posting::Move {
        fact: FactId::from_bytes(fact),
        from: account(from),
        to: account(to),
        unit: unit(),
        amount: 1 + number % 5,
        fee: 0,
        limits: None,
    })
}

/// An account, and money on it that the bank booked.
fn open(vault: &mut SqliteVault, now: Timestamp, number: u64) {
    let id = account(number);
    let (kind, level, state) = (HolderKind::Customer, Level::default(), HolderState::Open);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    let (entry, unit) = (EntryId::from_bytes(bytes), unit());
    let to = Assignee::Holder { holder: id, limits: None, source: Source::Own };
    let batch = [
        Change::OpenHolder(Holder { id, kind, level, state, key: None }),
        Change::Post(Posting::Arrived { entry, unit, amount: FUNDS }),
        Change::Post(Posting::Assign { entry, unit, to }),
    ];
    vault.commit(&batch, now).unwrap();
}

fn account(number: u64) -> AccountId {
    AccountId::from_random((number << 4).to_be_bytes())
}

fn unit() -> Unit {
    Unit::new("eur").unwrap()
}
