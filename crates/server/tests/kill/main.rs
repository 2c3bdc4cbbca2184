//! `tacitd` is killed with SIGKILL at random moments under load and started again.
//!
//! After each kill `tacitd verify` must find the books in order, every request that got no answer is sent again with
//! the same bytes and must be granted, and every answer a client saw must be given again, to the byte.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod passport;
mod worker;

use std::path::Path;
use std::time::Duration;

use support::process::{Tacitd, verify};
use support::wallet::random;
use tacit_server::data_dir::vault_of;
use tacit_store::sqlite::SqliteReader;

use worker::{Crew, outstanding};

/// Kills the process so often, then asks whether everybody has what is theirs.
async fn survive(kills: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut tacitd = Tacitd::start(folder.path());
    let address = tacitd.address;
    let crew = Crew::at(&[address]).await;
    for round in 0..kills {
        let [low, high, ..] = random();
        let pause = 150 + u64::from(u16::from_le_bytes([low, high])) % 700;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        tacitd.kill();
        assert_books(folder.path(), &format!("after kill {round}"));
        tacitd = Tacitd::start_at(folder.path(), address);
    }
    let (tally, left) = crew.finish().await;
    println!("{kills} kills: {tally:?}");
    assert!(tally.swaps > kills, "there was load: {tally:?}");
    assert!(tally.sent_again > 0, "kills left requests without an answer: {tally:?}");
    let done = tacitd.terminate();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_books(folder.path(), "at the end");
    let vault = SqliteReader::open(&vault_of(folder.path())).unwrap();
    assert_eq!(outstanding(vault), left, "what is outstanding is what the wallets have");
}

/// Demands that everything `tacitd verify` looks at holds.
fn assert_books(data: &Path, when: &str) {
    let done = verify(data);
    assert_eq!(done.code, Some(0), "{when}: {done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_process_is_killed() {
    survive(10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: about 3 minutes"]
async fn nothing_is_lost_in_two_hundred_kills() {
    survive(200).await;
}
