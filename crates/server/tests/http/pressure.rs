//! More than the server takes on, and stores that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};
use tacit_core::time::Timestamp;
use tacit_ecash::message::SpendState;
use tacit_service::vault::{Change, Outcome, StoreError, VaultStore};

use crate::support::client::Client;
use crate::support::local::Local;
use crate::support::wallet::{Wallet, split};

/// What a [`Moody`] store does with the next commits.
const WORK: usize = 0;
const SLEEP: usize = 1;
const BUSY_ONCE: usize = 2;
const UNWRITABLE: usize = 3;
const CORRUPT: usize = 4;
const FAIL_AFTER: usize = 5;
const PANIC: usize = 6;

/// A store that fails as it is told.
struct Moody {
    inner: Box<dyn VaultStore>,
    mood: Arc<AtomicUsize>,
}

impl VaultStore for Moody {
    fn commit(&mut self, batch: &[Change], now: Timestamp) -> Result<Vec<Outcome>, StoreError> {
        match self.mood.load(Ordering::SeqCst) {
            SLEEP => std::thread::sleep(Duration::from_millis(300)),
            BUSY_ONCE => {
                self.mood.store(WORK, Ordering::SeqCst);
                return Err(StoreError::Busy);
            }
            UNWRITABLE => return Err(StoreError::Unwritable("the disk is full".into())),
            CORRUPT => return Err(StoreError::Corrupt("a page is torn")),
            FAIL_AFTER => {
                self.inner.commit(batch, now)?;
                return Err(StoreError::Failed("the disk fell silent".into()));
            }
            PANIC => panic!("a bug in the store"),
            _ => {}
        }
        self.inner.commit(batch, now)
    }
}

async fn moody(
    change: impl FnOnce(&mut tacit_server::config::Config),
) -> (Local, Arc<AtomicUsize>) {
    let mood = Arc::new(AtomicUsize::new(WORK));
    let told = Arc::clone(&mood);
    let local = Local::with(change, |parts| {
        let inner = std::mem::replace(&mut parts.store, Box::new(Nothing));
        parts.store = Box::new(Moody { inner, mood: told });
    })
    .await;
    (local, mood)
}

/// Stands in for a moment, while the real store is wrapped.
struct Nothing;

impl VaultStore for Nothing {
    fn commit(&mut self, _: &[Change], _: Timestamp) -> Result<Vec<Outcome>, StoreError> {
        Err(StoreError::Busy)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_answers_503_and_nothing_is_done() {
    let (local, mood) = moody(|config| {
        config.bounds.writer_queue = 4;
        config.bounds.batch = 1;
    })
    .await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 0xffff).await;
    mood.store(SLEEP, Ordering::SeqCst);
    let swaps: Vec<_> = proofs
        .iter()
        .map(|proof| wallet.prepare_swap(std::slice::from_ref(proof), &[proof.amount]))
        .collect();
    let sent: Vec<_> = swaps
        .into_iter()
        .map(|swap| {
            let mut client = Client::new(local.address());
            tokio::spawn(async move {
                let answer = client.post("/usd/v1/swap", &swap.request).await;
                (swap, answer)
            })
        })
        .collect();
    let (mut done, mut refused) = (0, Vec::new());
    for task in sent {
        let (swap, answer) = task.await.unwrap();
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(answer.headers["retry-after"], "1");
            refused.push(swap);
        } else {
            answer.ok::<Value>();
            done += 1;
        }
    }
    assert!(done > 0 && !refused.is_empty(), "{done} done, {} refused", refused.len());
    mood.store(WORK, Ordering::SeqCst);
    for swap in refused {
        wallet.try_swap(&swap).await.unwrap().ok::<Value>();
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_pool_answers_503() {
    let (local, mood) = moody(|config| {
        config.bounds.pool_threads = 1;
        config.bounds.pool_queue = 0;
    })
    .await;
    _ = mood;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    // Each looks at a thousand points; whoever finds no thread waiting is refused.
    let ys = json!({"Ys": vec!["02".to_owned() + &"11".repeat(32); 1_000]});
    let body: Vec<u8> = serde_json::to_vec(&ys).unwrap();
    let sent: Vec<_> = (0..64)
        .map(|_| {
            let (mut client, body) = (Client::new(local.address()), body.clone());
            tokio::spawn(async move { client.post_bytes("/usd/v1/checkstate", body).await })
        })
        .collect();
    let mut refused = 0;
    for task in sent {
        let answer = task.await.unwrap();
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            assert!(answer.headers.contains_key("retry-after"));
            refused += 1;
        } else {
            answer.ok::<Value>();
        }
    }
    assert!(refused > 0);
    wallet.get("/v1/keysets").await.ok::<Value>();
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_store_is_offered_the_batch_again() {
    let (local, mood) = moody(|_| {}).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 3).await;
    mood.store(BUSY_ONCE, Ordering::SeqCst);
    wallet.swap(&proofs, &split(3)).await;
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_write_refuses_changes_until_it_can() {
    let (local, mood) = moody(|_| {}).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 3).await;
    let swap = wallet.prepare_swap(&proofs, &split(3));
    mood.store(UNWRITABLE, Ordering::SeqCst);
    let refused = wallet.try_swap(&swap).await.unwrap();
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(wallet.client.get("/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(wallet.states(&proofs).await, [SpendState::Unspent; 2], "it still reads");
    mood.store(WORK, Ordering::SeqCst);
    wallet.try_swap(&swap).await.unwrap().ok::<Value>();
    assert_eq!(wallet.client.get("/ready").await.status, StatusCode::OK);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_failed_stops_the_server() {
    for mood_then in [CORRUPT, FAIL_AFTER, PANIC] {
        let (local, mood) = moody(|_| {}).await;
        let mut wallet = Wallet::new(local.address(), "usd").await;
        let proofs = wallet.mint("bank", 3).await;
        let swap = wallet.prepare_swap(&proofs, &split(3));
        mood.store(mood_then, Ordering::SeqCst);
        let answer = wallet.try_swap(&swap).await.unwrap();
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        let said: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(said["detail"], "internal");
        mood.store(WORK, Ordering::SeqCst);
        let after = wallet.try_swap(&swap).await.unwrap();
        assert_eq!(after.status, StatusCode::SERVICE_UNAVAILABLE, "nothing is written after it");
        local.running.failed().await;
        let Local { running, directory } = local;
        assert!(!running.stop().await, "the store was not sound");
        // Whatever became of it: the same bytes get the answer from the next process.
        let local = Local::on(directory, |_| {}, |_| {}).await;
        let mut wallet = Wallet::new(local.address(), "usd").await;
        wallet.try_swap(&swap).await.unwrap().ok::<Value>();
        local.stop().await;
    }
}
