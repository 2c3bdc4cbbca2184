//! `tacitd` is killed with SIGKILL at random moments under load and started again.
//!
//! After each kill `tacitd verify` must find the books in order, every request that got no answer is sent again with
//! the same bytes and must be granted, and every answer a client saw must be given again, to the byte.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod process;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::client::Client;
use support::wallet::{Wallet, random, total};
use tacit_ecash::message::SpendState;

use process::Process;
use worker::{Tally, Worker};

const WORKERS: usize = 8;

/// Kills the process so often, then asks whether everybody has what is theirs.
async fn survive(kills: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut workers = Vec::new();
    for number in 0..WORKERS {
        let (stop, worker) = (Arc::clone(&stop), Worker::new(process.address(), number).await);
        workers.push(tokio::spawn(async move { worker.work(&stop).await }));
    }
    for round in 0..kills {
        let [low, high, ..] = random();
        let pause = 150 + u64::from(u16::from_le_bytes([low, high])) % 700;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        process.kill();
        process.verify(&format!("after kill {round}"));
        process = process.start_again().await;
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

    let mut client = Client::new(process.address());
    for done in &all {
        for (path, body, answer) in &done.answered {
            let again = client.post_bytes(path, body.clone()).await;
            assert_eq!(&again.body, answer, "an answer that was seen is given again");
        }
    }
    let mut wallet = Wallet::new(process.address(), "usd").await;
    let mut left = 0;
    for done in &all {
        let states = wallet.states(&done.coins).await;
        assert!(states.iter().all(|state| *state == SpendState::Unspent), "{states:?}");
        left += total(&done.coins);
    }
    assert_eq!(left + tally.paid_out, tally.minted, "no money was lost and none was made");
    process.stop();
    process.verify("at the end");
    assert_eq!(process.outstanding(), left, "what is outstanding is what the wallets have");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_process_is_killed() {
    survive(10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long: about 6 minutes"]
async fn nothing_is_lost_in_two_hundred_kills() {
    survive(200).await;
}
