//! Many at once.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support::client::Client;
use crate::support::local::Local;
use crate::support::wallet::{Swap, Wallet, split};

/// nutshell #586, #288: one proof spent several times at once. A thousand attempts, ten rounds.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_spend_has_one_winner() {
    const ATTEMPTS: usize = 1_000;
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 0b11_1111_1111).await;
    let mut clients = Vec::new();
    for _ in 0..ATTEMPTS {
        let mut client = Client::new(local.address());
        client.connect().await.unwrap();
        clients.push(client);
    }
    for proof in &proofs {
        let start = Arc::new(Barrier::new(ATTEMPTS));
        let attempts: Vec<_> = clients
            .drain(..)
            .map(|mut client| {
                let input = std::slice::from_ref(proof);
                let swap = wallet.prepare_swap(input, &[proof.amount]);
                let start = Arc::clone(&start);
                tokio::spawn(async move {
                    start.wait().await;
                    let status = patient_swap(&mut client, &swap).await;
                    (client, status)
                })
            })
            .collect();
        let mut winners = 0;
        for attempt in attempts {
            let (client, won) = attempt.await.unwrap();
            winners += usize::from(won);
            clients.push(client);
        }
        assert_eq!(winners, 1, "of {ATTEMPTS} attempts on one proof");
    }
    drop(clients);
    local.stop().await;
}

/// Sends a swap until the mint has time for it: whether it was done, or refused as spent.
async fn patient_swap(client: &mut Client, swap: &Swap) -> bool {
    loop {
        let answer = client.post("/usd/v1/swap", &swap.request).await;
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        if answer.status == StatusCode::OK {
            return true;
        }
        answer.refused(11_001);
        return false;
    }
}

/// nutshell #907, #195: a few requests a second wedged the store. Here many of every kind at once, for a while.
#[tokio::test(flavor = "multi_thread")]
async fn lock_storm_does_not_wedge() {
    let local = Local::demo().await;
    let address = local.address();
    let mut wallet = Wallet::new(address, "usd").await;
    let quote = wallet.mint_quote("bank", 1).await.quote;
    let lookers = (0..24).map(|number| {
        let quote = quote.clone();
        tokio::spawn(async move {
            let mut client = Client::new(address);
            let y = json!({"Ys": ["02".to_owned() + &"11".repeat(32)]});
            for _ in 0..100 {
                let answer = match number % 4 {
                    0 => client.get(&format!("/usd/v1/mint/quote/bank/{quote}")).await,
                    1 => client.post("/usd/v1/checkstate", &y).await,
                    2 => {
                        let body = json!({"amount": 1, "unit": "usd"});
                        client.post("/usd/v1/mint/quote/bank", &body).await
                    }
                    _ => client.get("/usd/v1/keys").await,
                };
                answer.ok::<Value>();
            }
        })
    });
    let lookers: Vec<_> = lookers.collect();
    let spenders = (0..8).map(|_| {
        tokio::spawn(async move {
            let mut wallet = Wallet::new(address, "usd").await;
            let mut proofs = wallet.mint("bank", 255).await;
            for _ in 0..20 {
                proofs = wallet.swap(&proofs, &split(255)).await;
            }
        })
    });
    let spenders: Vec<_> = spenders.collect();
    let all = async {
        for task in lookers.into_iter().chain(spenders) {
            task.await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("nothing waits for ever");
    wallet.mint("bank", 3).await;
    local.stop().await;
}
