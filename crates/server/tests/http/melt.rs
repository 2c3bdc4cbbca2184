//! Paying out: what is pending stays pending until the rail's final word, over restarts too.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tacit_ecash::message::{MeltQuoteResponse, MeltQuoteState, SpendState};
use tacit_service::rail::PaymentStatus;

use crate::support::local::{Local, ScriptedRail};
use crate::support::wallet::{Wallet, total};

async fn with_rail(rail: &Arc<ScriptedRail>) -> Local {
    let rail = Arc::clone(rail);
    let short = |config: &mut tacit_server::config::Config| {
        config.bounds.melt_wait = Duration::from_millis(300);
    };
    Local::with(short, move |parts| parts.rail = Some(rail)).await
}

fn paid(fee: u64) -> PaymentStatus {
    PaymentStatus::Paid { fee, evidence: Some("evidence".to_owned()) }
}

async fn until(wallet: &mut Wallet, quote: &str, state: MeltQuoteState) -> MeltQuoteResponse {
    for _ in 0..400 {
        let now = wallet.look_up_melt("bank", quote).await;
        if now.state == state {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the quote did not become {state:?} within ten seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_payment_is_answered_as_pending_and_ends_later() {
    let rail = ScriptedRail::new();
    let local = with_rail(&rail).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 128).await;
    let quote = wallet.melt_quote("bank", "pay:100:10").await;
    let (body, blindings) = wallet.melt_request(&quote.quote, &proofs, 5);
    let pending: MeltQuoteResponse = wallet.post("/v1/melt/bank", &body).await.ok();
    assert_eq!((pending.state, &pending.change), (MeltQuoteState::Pending, &None));
    assert_eq!(wallet.states(&proofs).await, vec![SpendState::Pending; proofs.len()]);
    rail.until_asked(1).await;
    rail.settle(&paid(3));
    let ended = until(&mut wallet, &quote.quote, MeltQuoteState::Paid).await;
    let signatures = ended.change.unwrap();
    let signatures = tacit_ecash::message::SignaturesResponse { signatures };
    assert_eq!(total(&wallet.unblind(&blindings, &signatures)), 25);
    assert_eq!(rail.payments(), (1, 1));
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_prefers_not_to_wait_is_answered_at_once() {
    let rail = ScriptedRail::new();
    let local = with_rail(&rail).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 8).await;
    let quote = wallet.melt_quote("bank", "pay:8:0").await;
    let (mut body, _) = wallet.melt_request(&quote.quote, &proofs, 0);
    body.prefer_async = true;
    rail.next(paid(0));
    let pending: MeltQuoteResponse = wallet.post("/v1/melt/bank", &body).await.ok();
    assert_eq!(pending.state, MeltQuoteState::Pending);
    until(&mut wallet, &quote.quote, MeltQuoteState::Paid).await;
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_payment_frees_its_proofs_and_may_be_tried_again() {
    let rail = ScriptedRail::new();
    let local = with_rail(&rail).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 8).await;
    let quote = wallet.melt_quote("bank", "pay:8:0").await;
    rail.next(PaymentStatus::Failed);
    let (body, _) = wallet.melt_request(&quote.quote, &proofs, 0);
    wallet.post("/v1/melt/bank", &body).await.refused(20_004);
    assert_eq!(wallet.look_up_melt("bank", &quote.quote).await.state, MeltQuoteState::Unpaid);
    assert_eq!(wallet.states(&proofs).await, [SpendState::Unspent]);
    rail.next(paid(0));
    let (ended, _) = wallet.melt("bank", &quote.quote, &proofs, 0).await;
    assert_eq!(ended.state, MeltQuoteState::Paid);
    assert_eq!(rail.payments(), (2, 2), "each attempt is a payment of its own");
    local.stop().await;
}

/// nutshell #1170, #614: an error is no word on a payment.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_with_an_unclear_answer_stays_pending() {
    let rail = ScriptedRail::new();
    let local = with_rail(&rail).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 8).await;
    let quote = wallet.melt_quote("bank", "pay:8:0").await;
    rail.set_unreachable(true);
    rail.next(paid(0)); // It pays all the same, and cannot say so.
    let (body, _) = wallet.melt_request(&quote.quote, &proofs, 0);
    let pending: MeltQuoteResponse = wallet.post("/v1/melt/bank", &body).await.ok();
    assert_eq!(pending.state, MeltQuoteState::Pending);
    let stolen = wallet.prepare_swap(&proofs, &[8]);
    wallet.try_swap(&stolen).await.unwrap().refused(11_002);
    rail.set_unreachable(false);
    until(&mut wallet, &quote.quote, MeltQuoteState::Paid).await;
    assert_eq!(rail.payments().0, 1, "paid once");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_taken_up_again_after_a_restart() {
    let rail = ScriptedRail::new();
    let local = with_rail(&rail).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 8).await;
    let quote = wallet.melt_quote("bank", "pay:4:1").await;
    let (body, _) = wallet.melt_request(&quote.quote, &proofs, 2);
    let pending: MeltQuoteResponse = wallet.post("/v1/melt/bank", &body).await.ok();
    assert_eq!(pending.state, MeltQuoteState::Pending);
    rail.until_asked(1).await;
    let directory = local.stop().await;
    rail.settle(&paid(1));
    let again = Arc::clone(&rail);
    let local = Local::on(directory, |_| {}, move |parts| parts.rail = Some(again)).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let ended = until(&mut wallet, &quote.quote, MeltQuoteState::Paid).await;
    assert_eq!(ended.change.map(|change| change.len()), Some(2));
    assert_eq!(rail.payments(), (1, 1), "asked for its state, not paid again");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_the_rail_never_heard_of_is_started_after_a_restart() {
    let rail = ScriptedRail::new();
    let local = with_rail(&rail).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 8).await;
    let quote = wallet.melt_quote("bank", "pay:8:0").await;
    let (body, _) = wallet.melt_request(&quote.quote, &proofs, 0);
    let pending: MeltQuoteResponse = wallet.post("/v1/melt/bank", &body).await.ok();
    assert_eq!(pending.state, MeltQuoteState::Pending);
    let directory = local.stop().await;
    // Another rail, which knows nothing: as if the process had died before it could ask.
    let other = ScriptedRail::new();
    other.next(paid(0));
    let again = Arc::clone(&other);
    let local = Local::on(directory, |_| {}, move |parts| parts.rail = Some(again)).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    until(&mut wallet, &quote.quote, MeltQuoteState::Paid).await;
    assert_eq!(other.payments(), (1, 1));
    local.stop().await;
}

/// nutshell #683: GET on a melt quote raced its executor.
#[tokio::test(flavor = "multi_thread")]
async fn looking_at_a_melt_quote_changes_nothing() {
    let rail = ScriptedRail::new();
    let local = with_rail(&rail).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 8).await;
    let quote = wallet.melt_quote("bank", "pay:8:0").await;
    let (mut body, _) = wallet.melt_request(&quote.quote, &proofs, 0);
    body.prefer_async = true;
    wallet.post("/v1/melt/bank", &body).await.ok::<MeltQuoteResponse>();
    let lookers: Vec<_> = (0..16)
        .map(|_| {
            let (address, quote) = (local.address(), quote.quote.clone());
            tokio::spawn(async move {
                let mut wallet = Wallet::new(address, "usd").await;
                until(&mut wallet, &quote, MeltQuoteState::Paid).await
            })
        })
        .collect();
    rail.until_asked(1).await;
    rail.settle(&paid(0));
    for looker in lookers {
        assert_eq!(looker.await.unwrap().state, MeltQuoteState::Paid);
    }
    assert_eq!(rail.payments(), (1, 1));
    let metrics = local.running.metrics();
    assert_eq!(metrics.count(tacit_server::metric::Counter::MeltsPaid), 1);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_melt_is_answered_again_by_its_quote_alone() {
    let rail = ScriptedRail::new();
    rail.next(paid(0));
    let local = with_rail(&rail).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 16).await;
    let quote = wallet.melt_quote("bank", "pay:8:1").await;
    let (body, _) = wallet.melt_request(&quote.quote, &proofs, 3);
    let first: MeltQuoteResponse = wallet.post("/v1/melt/bank", &body).await.ok();
    let again: MeltQuoteResponse = wallet.post("/v1/melt/bank", &body).await.ok();
    assert_eq!(first, again);
    let others = wallet.mint("bank", 16).await;
    let (other, _) = wallet.melt_request(&quote.quote, &others, 0);
    let again: MeltQuoteResponse = wallet.post("/v1/melt/bank", &other).await.ok();
    assert_eq!(first, again, "the quote was paid, so nothing is taken for it");
    assert_eq!(wallet.states(&others).await, [SpendState::Unspent]);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_payments_as_may_are_under_way() {
    let rail = ScriptedRail::new();
    let again = Arc::clone(&rail);
    let local =
        Local::with(|config| config.bounds.payouts = 1, move |parts| parts.rail = Some(again))
            .await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 3).await;
    let first = wallet.melt_quote("bank", "pay:1:0").await;
    let second = wallet.melt_quote("bank", "pay:2:0").await;
    let (mut body, _) = wallet.melt_request(&first.quote, &proofs[..1], 0);
    body.prefer_async = true;
    wallet.post("/v1/melt/bank", &body).await.ok::<MeltQuoteResponse>();
    let (mut body, _) = wallet.melt_request(&second.quote, &proofs[1..], 0);
    body.prefer_async = true;
    let refused = wallet.post("/v1/melt/bank", &body).await;
    assert_eq!(refused.status, 503);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(wallet.states(&proofs[1..]).await, [SpendState::Unspent]);
    rail.until_asked(1).await;
    rail.settle(&paid(0));
    until(&mut wallet, &first.quote, MeltQuoteState::Paid).await;
    let ended: MeltQuoteResponse = {
        rail.next(paid(0));
        body.prefer_async = false;
        wallet.post("/v1/melt/bank", &body).await.ok()
    };
    assert_eq!(ended.state, MeltQuoteState::Paid);
    assert_eq!(json!(ended.change), json!(null));
    local.stop().await;
}
