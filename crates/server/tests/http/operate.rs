//! What an operator's machines ask.

use hyper::StatusCode;
use serde_json::Value;

use crate::support::client::Client;
use crate::support::local::Local;
use crate::support::wallet::{Wallet, split};

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_totals() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 3).await;
    let swap = wallet.prepare_swap(&proofs, &split(3));
    wallet.try_swap(&swap).await.unwrap().ok::<Value>();
    let again = wallet.prepare_swap(&proofs, &split(3));
    wallet.try_swap(&again).await.unwrap().refused(11_001);
    let metrics = wallet.client.get("/metrics").await;
    assert_eq!(metrics.status, StatusCode::OK);
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    for line in [
        "tacit_swaps_total 1",
        "tacit_mints_total 1",
        "tacit_receipts_total 1",
        "tacit_refusals_total{code=\"11001\"} 1",
        "tacit_connections 1",
        "tacit_payouts 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_at_work_is_alive_and_ready() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    assert_eq!(client.get("/health").await.ok::<Value>()["status"], "ok");
    assert_eq!(client.get("/ready").await.ok::<Value>()["status"], "ok");
    local.stop().await;
}
