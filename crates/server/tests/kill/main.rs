//! `tacitd` is killed with SIGKILL at random moments under load and started again.
//!
//! After each kill `tacitd verify` must find the books in order, every request that got no answer is sent again with
//! the same bytes and must be granted, and every answer a client saw must be given again, to the byte.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod worker;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::client::Client;
use support::process::{Tacitd, verify};
use support::wallet::{Wallet, random, total};
use tacit_ecash::message::SpendState;
use tacit_server::data_dir::vault_of;
use tacit_service::vault::VaultReader;
use tacit_store::sqlite::SqliteReader;

use worker::{Tally, Worker};

const WORKERS: usize = 8;

/// Kills the process so often, then asks whether everybody has what is theirs.
async fn survive(kills: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut tacitd = Tacitd::start(folder.path());
    let address = tacitd.address;
    let stop = Arc::new(AtomicBool::new(false));
    let mut workers = Vec::new();
    for number in 0..WORKERS {
        let (stop, worker) = (Arc::clone(&stop), Worker::new(address, number).await);
        workers.push(tokio::spawn(async move { worker.work(&stop).await }));
    }
    for round in 0..kills {
        let [low, high, ..] = random();
        let pause = 150 + u64::from(u16::from_le_bytes([low, high])) % 700;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        tacitd.kill();
        assert_books(folder.path(), &format!("after kill {round}"));
        tacitd = Tacitd::start_at(folder.path(), address);
    }
    stop.store(true, Ordering::Relaxed);
    let mut tally = Tally::default();
    let mut all = Vec::new();
    for worker in workers {
        let done = worker.await.expect("no worker lost anything");
        tally.add(&done.tally);
        all.push(done);
    }
    println!("{kills} kills: {tally:?}");
    assert!(tally.swaps > kills, "there was load: {tally:?}");
    assert!(tally.sent_again > 0, "kills left requests without an answer: {tally:?}");

    let (mut client, mut wallet) = (Client::new(address), Wallet::new(address, "usd").await);
    for done in &all {
        // Before anything is asked again: a swap that was forgotten would only be done again.
        let states = wallet.states(&done.spent).await;
        assert!(states.iter().all(|state| *state == SpendState::Spent), "{states:?}");
        for (path, body, answer) in &done.answered {
            let again = client.post_bytes(path, body.clone()).await;
            assert_eq!(&again.body, answer, "an answer that was seen is given again");
        }
    }
    let mut left = 0;
    for done in &all {
        let states = wallet.states(&done.coins).await;
        assert!(states.iter().all(|state| *state == SpendState::Unspent), "{states:?}");
        left += total(&done.coins);
    }
    assert_eq!(left + tally.paid_out, tally.minted, "no money was lost and none was made");
    let done = tacitd.terminate();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_books(folder.path(), "at the end");
    assert_eq!(outstanding(folder.path()), left, "what is outstanding is what the wallets have");
}

/// Demands that everything `tacitd verify` looks at holds.
fn assert_books(data: &Path, when: &str) {
    let done = verify(data);
    assert_eq!(done.code, Some(0), "{when}: {done:?}");
}

/// E-cash outstanding by the books, in minor units: signed less spent, in all keysets.
fn outstanding(data: &Path) -> u64 {
    let mut reader = SqliteReader::open(&vault_of(data)).unwrap();
    reader.books().unwrap().keysets.iter().map(|keyset| keyset.signed - keyset.spent).sum()
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
