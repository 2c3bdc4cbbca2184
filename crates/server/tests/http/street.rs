//! The street of a demonstration: whoever comes first finds it, and what is asked of it twice is done once.

use hyper::{Method, StatusCode};
use serde_json::Value;
use tacit_core::time::Timestamp;

use crate::support::client::{Answer, Client};
use crate::support::local::Local;
use crate::support::office::{text, to};
use crate::support::release::Packed;
use crate::support::till::{Till, lock, pay_path, payload};
use crate::support::wallet::total;

const HOST: (&str, &str) = ("host", "wallet.localhost");
const NONCE: &str = "000102030405060708090a0b0c0d0e0f";

/// The payment request that a checkout shows.
fn request_on(page: &str) -> tacit_ecash::payment_request::PaymentRequest {
    let (_, rest) = page.split_once("data-copy=\"").expect("it can be paid");
    rest.split_once('"').unwrap().0.parse().unwrap()
}

async fn buy(till: &mut Till, ware: &str, nonce: &str) -> Answer {
    till.form("/demo/order", &[("ware", ware), ("nonce", nonce)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn its_shop_sells_once_for_each_press_and_takes_back_once() {
    let mut till = Till::open().await;
    assert!(till.page("/demo").await.contains("Corner Shop"));
    let checkout = to(&buy(&mut till, "lamp", NONCE).await);
    assert_eq!(to(&buy(&mut till, "lamp", NONCE).await), checkout, "a second press");
    assert_ne!(to(&buy(&mut till, "tea", NONCE).await), checkout);
    let name = checkout.strip_prefix("/checkout/").unwrap().to_owned();
    // It cannot come back before it is paid.
    let early = till.form("/demo/return", &[("checkout", &name)]).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "{}", text(&early));
    let request = request_on(&till.page(&checkout).await);
    assert_eq!(request.amount, Some(1400));
    let mut wallet = till.wallet().await;
    let proofs = lock(&mut wallet, &request).await;
    assert_eq!(total(&proofs), 1400);
    wallet.post(&pay_path(&request), &payload(&request, &proofs)).await.ok::<Value>();
    let paid = till.page(&checkout).await;
    assert!(paid.contains("Corner Shop has your payment") && paid.contains("Bring it back"));
    for _ in 0..2 {
        assert_eq!(to(&till.form("/demo/return", &[("checkout", &name)]).await), checkout);
    }
    let back = till.page(&checkout).await;
    assert!(!back.contains("Bring it back"), "{back}");
    assert_eq!(back.matches("/refund/").count(), 1, "{back}");
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_on_its_shelf_is_not_sold_and_other_shops_orders_are_not_its_own() {
    let mut till = Till::open().await;
    for (ware, nonce) in [("crown", NONCE), ("tea", "12"), ("tea", ""), ("", NONCE)] {
        let answer = buy(&mut till, ware, nonce).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{ware} {nonce}");
    }
    let order = till.order("anothers").await;
    let own = order["id"].as_str().unwrap().to_owned();
    for checkout in [own.as_str(), "", "nothing", &"0".repeat(32)] {
        let answer = till.form("/demo/return", &[("checkout", checkout)]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{checkout}");
    }
    let foreign = [("origin", "https://evil.example")];
    for path in
        ["/demo/order", "/demo/return", "/demo/passport", "/demo/contract", "/demo/question"]
    {
        let answer = till.desk(Method::POST, path, &foreign, "").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    let unknown = till.desk(Method::GET, "/demo/question/00", &[], "").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    till.local.stop().await;
}

async fn meet(client: &mut Client, whom: &str) -> Value {
    client.method(Method::POST, &format!("/demo/{whom}"), &[HOST]).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_who_come_at_once_meet_one_biller_and_one_lender_also_after_a_restart() {
    let packed = Packed::new();
    let serve = async |directory| {
        Local::on(directory, |config| config.wallet.directory = Some(packed.path()), |_| {}).await
    };
    let local = serve(tempfile::tempdir().unwrap()).await;
    let visits = (0..8).map(|number| {
        let address = local.address();
        tokio::spawn(async move {
            let whom = if number % 2 == 0 { "contract" } else { "question" };
            meet(&mut Client::new(address), whom).await
        })
    });
    let mut links = Vec::new();
    for visit in visits.collect::<Vec<_>>() {
        links.push(visit.await.unwrap()["link"].as_str().unwrap().to_owned());
    }
    let local = serve(local.stop().await).await;
    let mut client = Client::new(local.address());
    links.push(meet(&mut client, "contract").await["link"].as_str().unwrap().to_owned());
    links.sort();
    links.dedup();
    assert_eq!(links.len(), 9, "each visitor has their own");
    let info: Value = client.get("/usd/v1/info").await.ok();
    let now = Timestamp::from_seconds(info["time"].as_u64().unwrap());
    for link in links.iter().filter(|link| link.contains("/v1/contracts/")) {
        let told: Value = client.get(link.get(link.find("/usd/").unwrap()..).unwrap()).await.ok();
        assert_eq!(told["biller"], "Mill Lane Water and Power", "{told}");
        let months = told["months"].as_array().unwrap();
        let bills = months.iter().filter(|month| month["bill"].is_object()).count();
        assert_eq!(bills, 10, "{told}");
        let first = months.iter().find(|month| month["bill"].is_object()).unwrap();
        assert!(now.day().to_string().as_str() < first["bill"]["due"].as_str().unwrap(), "{told}");
    }
    let question = meet(&mut client, "question").await;
    let page = question["page"].as_str().unwrap();
    let path = page.split_once("/demo/").unwrap().1;
    let desk = [("host", "desk.localhost")];
    let shown = client.method(Method::GET, &format!("/demo/{path}"), &desk).await;
    assert!(text(&shown).contains("Waiting for an answer"), "{}", text(&shown));
    let verifiers = client.method(Method::GET, "/verifiers", &desk).await;
    assert_eq!(text(&verifiers).matches("Harbour Savings and Loans").count(), 1);
    let passport = meet(&mut client, "passport").await;
    let code = passport["link"].as_str().unwrap().split_once("/portal/passport#").unwrap().1;
    assert_eq!(code.len(), 32, "{passport}");
    local.stop().await;
}
