//! Fees: shown before they are taken, taken once, and never given back with a refund.

use hyper::Method;
use serde_json::{Value, json};
use tacit_server::config::agent::Fees;
use tacit_service::fee::Fee;

use crate::support::till::{Till, lock, merchant, pay_path, payload, request_of};

async fn own(till: &mut Till, path: &str) -> String {
    String::from_utf8(till.own_page(path).await.body.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_sees_what_a_sale_costs_before_and_after_it_is_paid() {
    let sale = Fee::new(10, 90).unwrap();
    let fees = Fees { payout: 50, sale, ..Fees::default() };
    let mut till =
        Till::with_config(merchant(), |config| config.units[0].fees = fees, |_| {}).await;
    let page = till.page("/fees").await;
    for said in ["Fees in USD", "0.50 USD", "0.10 USD and 0.9 %", "nothing"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("Fees in EUR"), "where nothing is asked for, nothing is listed");
    let order = till.order("sale").await;
    let path = format!("/merchant/orders/{}", order["id"].as_str().unwrap());
    // 0.10 and 0.9 % of 10.50, which is 0.0945: rounded down.
    assert!(own(&mut till, &path).await.contains("0.19 USD, taken when it is paid"));
    let request = request_of(&order);
    let mut wallet = till.wallet().await;
    let proofs = lock(&mut wallet, &request).await;
    for _ in 0..2 {
        let paid = wallet.post(&pay_path(&request), &payload(&request, &proofs)).await;
        assert_eq!(paid.ok::<Value>()["state"], "PAID");
    }
    assert_eq!(till.look(&order).await["state"], "paid");
    assert!(own(&mut till, &path).await.contains("0.19 USD; a refund does not give it back"));
    let home = own(&mut till, "/merchant").await;
    assert!(home.contains("10.31 USD") && home.contains("/fees"), "{home}");

    let refunds = format!("/api/v1/orders/{}/refunds", order["id"].as_str().unwrap());
    let all = till.api(Method::POST, &refunds, "all", &json!({})).await;
    assert_eq!(all.status, 409, "the account does not hold all of it");
    till.api(Method::POST, &refunds, "part", &json!({"amount": 400})).await.ok::<Value>();
    assert!(own(&mut till, "/merchant").await.contains("6.31 USD"), "the payer has 4.00, whole");
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_asked_for_the_page_says_so() {
    let mut till = Till::open().await;
    assert!(till.page("/fees").await.contains("Nothing is asked for anything."));
    let order = till.order("free").await;
    let path = format!("/merchant/orders/{}", order["id"].as_str().unwrap());
    assert!(!own(&mut till, &path).await.contains("<dt>Fee</dt>"));
    till.local.stop().await;
}
