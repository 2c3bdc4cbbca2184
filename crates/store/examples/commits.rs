//! Measures commits: `commits VAULT [COMMITS [SWAPS]]`, 2 inputs and 2 outputs a swap.
//!
//! Makes the vault if it is not there (fill it with `fill`). All cryptography is done before the clock starts. Prints
//! microseconds a swap, resident memory, and the size of the file by row.
#![allow(clippy::unwrap_used, reason = "a measurement for people")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tacit_core::time::Day;
use tacit_service::conformance::Bed;
use tacit_service::conformance::rig::{self, Rig};
use tacit_service::vault::{Change, Outcome, VaultReader, VaultStore};
use tacit_store::sqlite::{SqliteReader, SqliteVault};

struct Disk {
    path: PathBuf,
    open: Option<(SqliteVault, SqliteReader)>,
}

impl Bed for Disk {
    fn store(&mut self) -> &mut dyn VaultStore {
        &mut self.open.as_mut().unwrap().0
    }

    fn reader(&mut self) -> &mut dyn VaultReader {
        &mut self.open.as_mut().unwrap().1
    }

    fn restart(&mut self) {
        self.open = None;
        let vault = SqliteVault::open(&self.path, &rig::identity()).unwrap();
        self.open = Some((vault, SqliteReader::open(&self.path).unwrap()));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, default: usize| arguments.get(at).map_or(default, |text| text.parse().unwrap());
    let (path, commits, swaps) = (PathBuf::from(&arguments[0]), number(1, 100), number(2, 64));
    let mut disk = Disk { path: path.clone(), open: None };
    disk.restart();
    let mut rig = Rig::unaudited(Box::new(disk));
    let batches = prepare(&mut rig, commits, swaps);
    let (now, mut took) = (rig.now, Vec::with_capacity(commits));
    let before = processor_time();
    for batch in batches {
        let started = Instant::now();
        let outcomes = rig.bed().store().commit(&batch, now).unwrap();
        took.push(started.elapsed());
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Swap(Ok(()))));
    }
    let busy = (processor_time() - before) / u32::try_from(commits * swaps).unwrap();
    println!("{busy:?} of processor time a swap");
    report(&path, &mut took, swaps);
}

/// What the scheduler gave this thread so far: on a busy machine it says more than the clock on the wall.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// Rounds of swaps, each spending what the one before signed.
fn prepare(rig: &mut Rig, commits: usize, swaps: usize) -> Vec<Vec<Change>> {
    // Every run draws other secrets than those before it.
    let run = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    rig.skip(run.as_secs() << 24);
    rig.now = Day::from_number(20_000).start();
    let mut coins = rig.issue(&vec![1; 2 * swaps]);
    (0..commits)
        .map(|_| {
            let mut fresh = Vec::with_capacity(coins.len());
            let mut batch = Vec::with_capacity(swaps);
            for pair in coins.chunks_exact(2) {
                let drafts = rig.drafts(&[1, 1]);
                batch.push(Change::Swap(rig.prepare_swap(pair, &drafts)));
                let signed = rig.prepare_swap(pair, &drafts).answer(Outcome::Swap(Ok(()))).unwrap();
                fresh.extend(rig.unblind(&drafts, &signed));
            }
            coins = fresh;
            batch
        })
        .collect()
}

fn report(path: &Path, took: &mut [Duration], swaps: usize) {
    let total: Duration = took.iter().sum();
    let each = |time: Duration| time.as_micros() / u128::try_from(swaps).unwrap();
    let mean = total / u32::try_from(took.len()).unwrap();
    took.sort_unstable();
    let worst = took[took.len() * 99 / 100];
    println!(
        "{} µs a swap, {} at the 99th percentile of commits ({worst:?})",
        each(mean),
        each(worst)
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|line| line.starts_with("VmRSS")).for_each(|line| println!("{line}"));
    let raw = rusqlite::Connection::open(path).unwrap();
    let rows: i64 = raw.query_row("SELECT count(*) FROM spent", [], |row| row.get(0)).unwrap();
    let rows = u64::try_from(rows).unwrap();
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let log = length(&PathBuf::from(format!("{}-wal", path.display())));
    println!(
        "{rows} spent proofs, {} bytes each of {}, log {log}",
        length(path) / rows,
        length(path)
    );
}
