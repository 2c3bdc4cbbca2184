//! Requests that come twice: because an answer was lost, or the server was stopped in between.

use std::time::Duration;

use tacit_ecash::message::{SignaturesResponse, SpendState};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::local::Local;
use crate::support::wallet::{Wallet, mint_request, split};

/// nutshell #257, nuts #195: the connection is lost after the swap, before the answer.
#[tokio::test(flavor = "multi_thread")]
async fn lost_reply_can_be_fetched_again() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 15).await;
    let swap = wallet.prepare_swap(&proofs, &split(15));
    let body = serde_json::to_vec(&swap.request).unwrap();
    let mut stream = TcpStream::connect(local.address()).await.unwrap();
    stream.write_all(head(body.len()).as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    while wallet.states(&proofs).await != [SpendState::Spent; 4] {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(stream); // The answer stands in it, unread.
    let answer = wallet.try_swap(&swap).await.unwrap();
    let got = wallet.unblind(&swap.blindings, &answer.ok());
    assert_eq!(wallet.swap(&got, &split(15)).await.len(), 4, "what was fetched is money");
    local.stop().await;
}

/// A client that hangs up while its request is under way: done or not done, and the same bytes get the answer.
#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_loses_nothing() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let mut proofs = wallet.mint("bank", 15).await;
    for round in 0..40 {
        let swap = wallet.prepare_swap(&proofs, &split(15));
        let body = serde_json::to_vec(&swap.request).unwrap();
        let mut stream = TcpStream::connect(local.address()).await.unwrap();
        let mut bytes = head(body.len()).into_bytes();
        bytes.extend(body);
        stream.write_all(&bytes).await.unwrap();
        tokio::time::sleep(Duration::from_micros(100 * round)).await;
        drop(stream);
        let answer = wallet.try_swap(&swap).await.unwrap();
        proofs = wallet.unblind(&swap.blindings, &answer.ok());
    }
    local.stop().await;
}

fn head(length: usize) -> String {
    format!("POST /usd/v1/swap HTTP/1.1\r\nhost: mint\r\ncontent-length: {length}\r\n\r\n")
}

/// cdk NUT-19: an answer cache in memory was lost at a crash. Here the rows answer, so a restart changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_idempotency() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let quote = wallet.mint_quote("bank", 6).await;
    wallet.until_paid(&quote).await;
    let blindings = wallet.blind(&[2, 4]);
    let mint = mint_request(&quote.quote, &blindings);
    let minted: SignaturesResponse = wallet.post("/v1/mint/bank", &mint).await.ok();
    let proofs = wallet.unblind(&blindings, &minted);
    let swap = wallet.prepare_swap(&proofs, &[4, 2]);
    let swapped: SignaturesResponse = wallet.try_swap(&swap).await.unwrap().ok();
    let directory = local.stop().await;

    let local = Local::on(directory, |_| {}, |_| {}).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let again: SignaturesResponse = wallet.post("/v1/mint/bank", &mint).await.ok();
    assert_eq!(again, minted);
    let again: SignaturesResponse = wallet.try_swap(&swap).await.unwrap().ok();
    assert_eq!(again, swapped);
    // After a rotation, too.
    let rotate = serde_json::json!({"unit": "usd"});
    wallet.client.post("/demo/rotate", &rotate).await.ok::<serde_json::Value>();
    let again: SignaturesResponse = wallet.try_swap(&swap).await.unwrap().ok();
    assert_eq!(again, swapped);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_left_unpaid_by_a_stop_are_paid_after_it() {
    let local = Local::with_slow_receipts().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let quote = wallet.mint_quote("bank", 6).await;
    let directory = local.stop().await;
    let local = Local::on(directory, |_| {}, |_| {}).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    wallet.until_paid(&quote).await;
    wallet.issue("bank", &quote.quote, &[4, 2]).await;
    local.stop().await;
}
