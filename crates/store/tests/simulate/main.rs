//! The simulator: a seeded town of one wallet and many troubles against the real rules and a real store.
//!
//! Requests travel as the JSON that wallets send. On the way they are lost, doubled, reordered and torn; the
//! store is cut off before and after its commits; keysets rotate and expire; the rail pays, fails, answers late
//! and twice. After every step an auditor holds the vault's books against themselves and against what the
//! wallet owns. Everything follows from the seed that a failure prints.
//!
//! 10,000 steps over both stores; `a_million_steps_conserve_money` has the rest. `TACIT_SIMULATE_SEED` repeats one town.

mod auditor;
mod edge;
#[path = "../support/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test program uses its part of this")]
mod postgres;
mod town;
mod trouble;
mod wallet;

use secp256k1::PublicKey;
use tacit_service::memory::MemoryVault;
use tacit_service::vault::{VaultReader, VaultStore};
use tacit_store::postgres::{PostgresReader, PostgresVault, Target};
use tacit_store::sqlite::{SqliteReader, SqliteVault};

use postgres::Postgres;
use town::{Site, Town};

/// Steps of one town: enough for rotations and expiries, few enough that the books stay quick to add up.
const STEPS_A_TOWN: u64 = 500;

/// Runs towns until `steps` are done; the seed of one that fails is in its panic.
fn run(name: &str, steps: u64, site: impl Fn(PublicKey) -> Box<dyn Site>) {
    let fixed = std::env::var("TACIT_SIMULATE_SEED").ok().map(|text| text.parse().expect("a seed"));
    let towns = if fixed.is_some() { 1 } else { steps.div_ceil(STEPS_A_TOWN) };
    let mut done = town::Tally::default();
    for number in 0..towns {
        let seed = fixed.unwrap_or(number);
        let town = std::panic::AssertUnwindSafe(|| {
            let mut town = Town::found(seed, &site);
            for _ in 0..STEPS_A_TOWN.min(steps) {
                town.step();
            }
            town.settle()
        });
        match std::panic::catch_unwind(town) {
            Ok(tally) => done.add(&tally),
            Err(panic) => {
                eprintln!("{name}: repeat this town with TACIT_SIMULATE_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{name}: {towns} towns, {done}");
    done.assert_all_seen(fixed.is_none() && steps >= 2_500);
}

struct Memory(MemoryVault);

impl Site for Memory {
    fn store(&mut self) -> &mut dyn VaultStore {
        &mut self.0
    }

    fn reader(&mut self) -> &mut dyn VaultReader {
        &mut self.0
    }

    fn reopen(&mut self) {} // Memory is durable here: what a crash loses is the answers.
}

/// Signed outputs of an era, so few that a run sees many eras come and go.
const ERA_ROWS: u64 = 30;

struct Sqlite {
    folder: tempfile::TempDir,
    mint: PublicKey,
    /// `None` only between closing and opening.
    open: Option<(SqliteVault, SqliteReader)>,
}

impl Sqlite {
    fn new(mint: PublicKey) -> Self {
        let mut site =
            Self { folder: tempfile::tempdir().expect("a temporary folder"), mint, open: None };
        site.reopen();
        site
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("vault.sqlite")
    }
}

impl Site for Sqlite {
    fn store(&mut self) -> &mut dyn VaultStore {
        &mut self.open.as_mut().expect("open between steps").0
    }

    fn reader(&mut self) -> &mut dyn VaultReader {
        &mut self.open.as_mut().expect("open between steps").1
    }

    fn reopen(&mut self) {
        self.open = None; // Closed first: two writers are refused.
        let vault = SqliteVault::open(&self.path(), &self.mint).expect("the vault opens");
        let vault = vault.with_era_rows(ERA_ROWS);
        let reader = SqliteReader::open(&self.path()).expect("a reader opens");
        let reader = reader.with_eras(vault.eras());
        self.open = Some((vault, reader));
    }
}

/// Two servers on one database, of which each commit meets the next: what one knows of the vault, the other has changed.
struct TwoWriters {
    target: Target,
    mint: PublicKey,
    writers: [PostgresVault; 2],
    reader: PostgresReader,
}

impl TwoWriters {
    fn new(target: Target, mint: PublicKey) -> Self {
        let open = || PostgresVault::open(&target, &mint).expect("the vault opens");
        let writers = [open(), open()];
        let reader = PostgresReader::open(&target).expect("a reader opens");
        Self { target, mint, writers, reader }
    }
}

impl Site for TwoWriters {
    fn store(&mut self) -> &mut dyn VaultStore {
        self.writers.swap(0, 1);
        &mut self.writers[0]
    }

    fn reader(&mut self) -> &mut dyn VaultReader {
        &mut self.reader
    }

    /// One of the two is lost, and another takes its place.
    fn reopen(&mut self) {
        let opened = PostgresVault::open(&self.target, &self.mint);
        self.writers[1] = opened.expect("the vault opens");
    }
}

#[test]
fn money_is_conserved_in_memory_whatever_happens() {
    run("memory", 5_000, |_| Box::new(Memory(MemoryVault::default())));
}

#[test]
fn money_is_conserved_on_sqlite_whatever_happens() {
    run("sqlite", 5_000, |mint| Box::new(Sqlite::new(mint)));
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn money_is_conserved_on_postgres_whatever_happens() {
    let server = Postgres::start();
    run("postgres", 3_000, |mint| Box::new(TwoWriters::new(server.new_target(), mint)));
}

#[test]
#[ignore = "long: about 15 minutes"]
fn a_million_steps_conserve_money() {
    run("memory", 900_000, |_| Box::new(Memory(MemoryVault::default())));
    run("sqlite", 100_000, |mint| Box::new(Sqlite::new(mint)));
}
