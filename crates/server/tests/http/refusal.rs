//! Every code a wallet can be refused with, reached over HTTP.

use std::sync::Arc;

use serde_json::{Value, json};
use tacit_ecash::message;
use tacit_ecash::proof::Proof;
use tacit_service::rail::PaymentStatus;

use crate::support::local::{Local, ScriptedRail};
use crate::support::wallet::{Wallet, blind, mint_request, split, swap_request};

/// A swap as JSON, to be spoilt.
fn body(swap: &message::SwapRequest) -> Value {
    serde_json::to_value(swap).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_that_does_not_hold_is_refused() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 0b1111).await;
    let good = body(&wallet.prepare_swap(&proofs, &split(15)).request);
    let spoilt = |path: &str, value: Value| {
        let mut spoilt = good.clone();
        *spoilt.pointer_mut(path).unwrap() = value;
        spoilt
    };
    let cases = [
        (10_000, spoilt("/inputs", json!([]))),
        (10_000, spoilt("/outputs", json!([]))),
        (10_001, spoilt("/inputs/0/C", good["inputs"][1]["C"].clone())),
        (10_001, spoilt("/inputs/0/secret", json!("guessed"))),
        (10_001, spoilt("/inputs/0/secret", json!("s".repeat(1_025)))),
        (10_001, spoilt("/outputs/0/B_", json!("02".to_owned() + &"ff".repeat(32)))),
        (11_005, spoilt("/outputs/0/amount", json!(2))),
        (11_005, spoilt("/outputs/0/amount", json!(u64::MAX))),
        (11_005, spoilt("/inputs/0/amount", json!(u64::MAX))),
        (11_007, spoilt("/inputs/0", good["inputs"][1].clone())),
        (11_008, spoilt("/outputs/0", good["outputs"][1].clone())),
        (11_014, spoilt("/inputs", json!(vec![good["inputs"][0].clone(); 1_001]))),
        (11_015, spoilt("/outputs", json!(vec![good["outputs"][0].clone(); 1_001]))),
        (12_001, spoilt("/inputs/0/id", json!("00456a94ab4e1c46"))),
        (12_001, spoilt("/outputs/0/id", json!("no such name"))),
    ];
    for (code, body) in cases {
        wallet.post("/v1/swap", &body).await.refused(code);
    }
    // Three are no denomination, though the sum is right.
    let mut odd = body(&wallet.prepare_swap(&proofs, &[8, 4, 3]).request);
    wallet.post("/v1/swap", &odd).await.refused(11_006);
    odd["outputs"][2]["amount"] = json!(0);
    wallet.post("/v1/swap", &odd).await.refused(11_005);
    // Nothing of all this spent anything.
    wallet.post("/v1/swap", &good).await.ok::<Value>();
    wallet.client.post("/eur/v1/swap", &good).await.refused(12_001);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spent_or_signed_is_not_again() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 3).await;
    let first = wallet.prepare_swap(&proofs[..1], &[1]);
    wallet.try_swap(&first).await.unwrap().ok::<Value>();
    let spent = wallet.prepare_swap(&proofs[..1], &[1]);
    wallet.try_swap(&spent).await.unwrap().refused(11_001);
    let two = [blind(1, wallet.keyset), first.blindings[0].clone()];
    let signed = swap_request(proofs[1..].to_vec(), &two);
    wallet.post("/v1/swap", &signed).await.refused(11_003);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_payment_holds_is_refused() {
    let rail = ScriptedRail::new();
    let again = Arc::clone(&rail);
    let local = Local::with(|_| {}, move |parts| parts.rail = Some(again)).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 0b1011).await;
    let quote = wallet.melt_quote("bank", "pay:8:0").await;
    let (mut melt, blanks) = wallet.melt_request(&quote.quote, &proofs[2..], 1);
    melt.prefer_async = true;
    wallet.post("/v1/melt/bank", &melt).await.ok::<Value>();
    let held = wallet.prepare_swap(&proofs[2..], &[8]);
    wallet.try_swap(&held).await.unwrap().refused(11_002);
    let promised = swap_request(proofs[..1].to_vec(), &blanks);
    wallet.post("/v1/swap", &promised).await.refused(11_004);
    wallet.post("/v1/melt/bank", &melt).await.refused(20_005);
    rail.settle(&PaymentStatus::Paid { fee: 0, evidence: None });
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_request_that_does_not_hold_is_refused() {
    let local = Local::with_slow_receipts().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    for (code, body) in [
        (11_006, json!({"amount": 0, "unit": "usd"})),
        (11_006, json!({"amount": 100_000_001, "unit": "usd"})),
        (11_006, json!({"unit": "usd"})),
        (11_013, json!({"amount": 1, "unit": "eur"})),
        (11_013, json!({"amount": 1, "unit": "dollars"})),
        (10_000, json!({"amount": 1, "unit": "usd", "description": "d".repeat(1_025)})),
        (20_009, json!({"amount": 1, "unit": "usd", "pubkey": "02"})),
        (20_009, json!({"amount": 1, "unit": "usd", "pubkey": "02".to_owned() + &"ff".repeat(32)})),
    ] {
        wallet.post("/v1/mint/quote/bank", &body).await.refused(code);
    }
    let quote = wallet.mint_quote("bank", 2).await;
    let unpaid = mint_request(&quote.quote, &wallet.blind(&[2]));
    wallet.post("/v1/mint/bank", &unpaid).await.refused(20_001);
    wallet.until_paid(&quote).await;
    let too_much = mint_request(&quote.quote, &wallet.blind(&[4]));
    wallet.post("/v1/mint/bank", &too_much).await.refused(11_005);
    // quote_of_another_method_is_refused: cdk #2108, #2163.
    wallet.post("/v1/mint/bolt11", &unpaid).await.refused(20_000);
    wallet.client.post("/eur/v1/mint/bank", &unpaid).await.refused(20_000);
    wallet.get(&format!("/v1/mint/quote/bolt11/{}", quote.quote)).await.refused(20_000);
    wallet.issue("bank", &quote.quote, &[2]).await;
    let other = mint_request(&quote.quote, &wallet.blind(&[2]));
    wallet.post("/v1/mint/bank", &other).await.refused(20_002);
    let unknown = mint_request("8d4ce3d5-3a6b-4c5e-9f00-000000000000", &wallet.blind(&[2]));
    wallet.post("/v1/mint/bank", &unknown).await.refused(20_000);
    let long = mint_request(&"q".repeat(257), &wallet.blind(&[2]));
    wallet.post("/v1/mint/bank", &long).await.refused(10_000);
    wallet.get("/v1/mint/quote/bank/none").await.refused(20_000);
    wallet.post("/v1/mint/quote/cash", &json!({"amount": 1, "unit": "usd"})).await.refused(10_000);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_melt_that_does_not_hold_is_refused() {
    let rail = ScriptedRail::new();
    let again = Arc::clone(&rail);
    let local = Local::with(|_| {}, move |parts| parts.rail = Some(again)).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 7).await;
    let pay = |request: &str| json!({"request": request, "unit": "usd"});
    let with = |name: &str, value: Value| {
        let mut body = pay("pay:4:1");
        body[name] = value;
        body
    };
    for (code, body) in [
        (10_000, pay("not a request")),
        (10_000, pay(&"r".repeat(4_097))),
        (11_006, pay("pay:100000001:0")),
        (11_011, pay("pay:5")),
        (11_011, with("options", json!({"amountless": {"amount_msat": 1000}}))),
        (11_012, with("amount", json!(5))),
        (11_013, pay("another unit")),
        (11_013, with("unit", json!("eur"))),
        (20_006, pay("paid before")),
    ] {
        wallet.post("/v1/melt/quote/bank", &body).await.refused(code);
    }
    let unreachable = wallet.post("/v1/melt/quote/bank", &pay("nobody there")).await;
    assert_eq!(unreachable.status, 503);
    let quote = wallet.melt_quote("bank", "pay:5:2").await;
    let (short, _) = wallet.melt_request(&quote.quote, &proofs[1..], 0);
    wallet.post("/v1/melt/bank", &short).await.refused(11_005);
    let (good, _) = wallet.melt_request(&quote.quote, &proofs, 1);
    wallet.post("/v1/melt/bolt11", &good).await.refused(20_000);
    wallet.client.post("/eur/v1/melt/bank", &good).await.refused(20_000);
    // change_outputs_are_points: nutshell f2732ec8.
    let mut no_point = serde_json::to_value(&good).unwrap();
    no_point["outputs"][0]["B_"] = json!("02".to_owned() + &"ff".repeat(32));
    wallet.post("/v1/melt/bank", &no_point).await.refused(10_001);
    let day = json!({"advance_days": 1});
    wallet.client.post("/demo/clock", &day).await.ok::<Value>();
    wallet.post("/v1/melt/bank", &good).await.refused(20_007);
    assert_eq!(rail.payments(), (0, 0));
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keysets_that_no_longer_sign_or_redeem_are_refused() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let now: Value = wallet.get("/v1/info").await.ok();
    let expiry = now["time"].as_u64().unwrap() + 5 * 86_400;
    let rotate = json!({"unit": "usd", "final_expiry": expiry});
    wallet.client.post("/demo/rotate", &rotate).await.ok::<Value>();
    wallet.refresh().await;
    let proofs: Vec<Proof> = wallet.mint("bank", 3).await;
    let to_old = wallet.prepare_swap(&proofs[..1], &[1]);
    wallet.client.post("/demo/rotate", &json!({"unit": "usd"})).await.ok::<Value>();
    wallet.try_swap(&to_old).await.unwrap().refused(12_002);
    wallet.refresh().await;
    wallet.swap(&proofs[..1], &[1]).await;
    let late = wallet.prepare_swap(&proofs[1..], &[2]);
    wallet.client.post("/demo/clock", &json!({"advance_days": 5})).await.ok::<Value>();
    wallet.try_swap(&late).await.unwrap().refused(12_003);
    local.stop().await;
}
