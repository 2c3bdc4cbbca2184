//! The merchants' API, the console and the payer's pages.

use hyper::Method;
use serde_json::{Value, json};
use tacit_service::desk::merchant::Scope;

use crate::support::till::{Till, key_for, merchant, request_of};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_makes_one_order_and_another_under_its_key_none() {
    let mut till = Till::open().await;
    let order = till.order("a-1").await;
    assert_eq!(order["state"], "open");
    assert_eq!((order["number"].as_u64(), order["amount"].as_u64()), (Some(1), Some(1050)));
    assert_eq!(till.order("a-1").await, order);
    let other = json!({"amount": 1051, "description": "Two coffees"});
    let answer = till.api(Method::POST, "/api/v1/orders", "a-1", &other).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem["type"], "/problems#idempotency-key-reused");
    let answer = till.api(Method::POST, "/api/v1/orders", "", &other).await;
    assert_eq!(answer.status, 400, "without a key of its own");
    assert_eq!(till.look(&order).await["id"], order["id"]);
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_listed_in_pages_with_the_latest_first() {
    let mut till = Till::open().await;
    for number in 0..5 {
        till.order(&format!("n-{number}")).await;
    }
    let page: Value = till.api(Method::GET, "/api/v1/orders?limit=3", "", &json!(null)).await.ok();
    let numbers = |page: &Value| -> Vec<u64> {
        let orders = page["orders"].as_array().unwrap();
        orders.iter().map(|order| order["number"].as_u64().unwrap()).collect()
    };
    assert_eq!((numbers(&page), &page["next"]), (vec![5, 4, 3], &json!(3)));
    let page: Value =
        till.api(Method::GET, "/api/v1/orders?limit=3&before=3", "", &json!(null)).await.ok();
    assert_eq!((numbers(&page), &page["next"]), (vec![2, 1], &json!(null)));
    for bad in ["limit=0", "limit=101", "limit=x", "before=-1", "before=9007199254740992"] {
        let path = format!("/api/v1/orders?{bad}");
        assert_eq!(till.api(Method::GET, &path, "", &json!(null)).await.status, 422, "{bad}");
    }
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_what_its_scopes_say_and_a_login_nothing() {
    let mut read_only = String::new();
    let mut till = Till::with(merchant(), |parts| {
        read_only = key_for(parts.desk[0].as_mut(), 2, &[Scope::ReadOrders]);
    })
    .await;
    let order = till.order("a").await;
    let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
    let all = std::mem::replace(&mut till.key, read_only);
    assert_eq!(till.api(Method::GET, &path, "", &json!(null)).await.status, 200);
    let cancel = format!("{path}/cancel");
    assert_eq!(till.api(Method::POST, &cancel, "", &json!(null)).await.status, 403);
    let refund = format!("{path}/refunds");
    assert_eq!(till.api(Method::POST, &refund, "r", &json!({})).await.status, 403);
    till.key = all.replace("tct_", "tcu_");
    assert_eq!(till.api(Method::GET, &path, "", &json!(null)).await.status, 401);
    assert_eq!(till.own_page(&path).await.status, 401, "a cookie counts for nothing here");
    till.key = all;
    assert_eq!(till.look(&order).await["state"], "open");
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_an_order_is_refused_with_the_reason() {
    let mut till = Till::open().await;
    for (body, status) in [
        (json!({"amount": 0, "description": "x"}), 422),
        (json!({"amount": 1_u64 << 60, "description": "x"}), 422),
        (json!({"amount": 5, "description": " "}), 422),
        (json!({"amount": 5, "description": "a\nb"}), 422),
        (json!({"amount": 5, "description": "x", "unit": "eur"}), 422),
        (json!({"amount": 5, "description": "x", "expires_in": 1}), 422),
        (json!({"amount": 5, "description": "x", "reference": "y".repeat(300)}), 422),
        (json!({"amount": 5, "description": "x", "payer": "Bob"}), 400),
        (json!({"amount": "5", "description": "x"}), 400),
        (json!([]), 400),
    ] {
        let answer = till.api(Method::POST, "/api/v1/orders", "k", &body).await;
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{body}");
    }
    let unknown = "/api/v1/orders/00000000000000000000000000000000";
    assert_eq!(till.api(Method::GET, unknown, "", &json!(null)).await.status, 404);
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkout_page_is_for_nobody_in_particular() {
    let mut till = Till::open().await;
    let asked = json!({"amount": 1050, "description": "<b>Tea</b> & \"cake\""});
    let order: Value = till.api(Method::POST, "/api/v1/orders", "html", &asked).await.ok();
    let url = order["checkout_url"].as_str().unwrap();
    let path = url[url.find("/checkout/").unwrap()..].to_owned();
    let answer = till.own_page(&path).await;
    assert!(answer.headers.get("set-cookie").is_none());
    let page = String::from_utf8(answer.body.to_vec()).unwrap();
    for part in ["Corner Café", "10.50 USD", "<svg class=\"qr\"", "cashu:creqA", "Or paste a token"]
    {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<b>Tea") && !page.contains("Ada"), "no markup of others, no login");
    // What stands in the payment request does not open it.
    let public = request_of(&order).id.unwrap();
    assert_ne!(order["id"].as_str().unwrap(), public);
    let elsewhere = till.desk(Method::GET, &format!("/checkout/{public}"), &[], "").await;
    assert_eq!(elsewhere.status, 404);
    let cancel = format!("/api/v1/orders/{}/cancel", order["id"].as_str().unwrap());
    for _ in 0..2 {
        let told: Value = till.api(Method::POST, &cancel, "", &json!(null)).await.ok();
        assert_eq!(told["state"], "cancelled");
    }
    assert!(till.page(&path).await.contains("has withdrawn this order"));
    let state: Value = serde_json::from_str(&till.page(&format!("{path}/state")).await).unwrap();
    assert_eq!(state["state"], "cancelled");
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_opens_a_shop_and_works_at_its_counter() {
    let mut session = None;
    let local = crate::support::local::Local::with(
        |_| {},
        |parts| session = Some(crate::support::till::come(parts.desk[0].as_mut())),
    )
    .await;
    let client = crate::support::client::Client::new(local.address());
    let mut till = Till { local, client, key: String::new(), session: session.unwrap() };
    let text =
        |answer: &crate::support::client::Answer| String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(text(&till.own_page("/merchant").await).contains("Open a shop"));
    let to = |answer: &crate::support::client::Answer| {
        answer.headers["location"].to_str().unwrap().to_owned()
    };
    assert_eq!(to(&till.own_page("/merchant/pos").await), "/merchant", "no shop yet");
    let bad = [("name", "Kiosk"), ("unit", "usd"), ("key", "02ab")];
    assert_eq!(till.own_form("/merchant/register", &bad).await.status, 422);
    let fields = [("name", "Kiosk"), ("unit", "usd"), ("key", "")];
    let made = till.own_form("/merchant/register", &fields).await;
    assert!(text(&made).contains("Secret key"), "{}", text(&made));
    assert_eq!(till.own_form("/merchant/register", &fields).await.status, 409, "one each");
    for path in ["/merchant", "/merchant/orders", "/merchant/keys", "/merchant/webhooks"] {
        let page = till.own_page(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(text(&page).contains("<h1"), "{path}");
    }
    let sale = [("amount", "12.34"), ("what", ""), ("nonce", "00112233445566778899aabbccddeeff")];
    let rung = to(&till.own_form("/merchant/pos", &sale).await);
    assert_eq!(to(&till.own_form("/merchant/pos", &sale).await), rung, "sent twice, sold once");
    let page = text(&till.own_page(&rung).await);
    assert!(page.contains("12.34 USD") && page.contains("<svg class=\"qr\""), "{page}");
    let file = till.own_page("/merchant/orders.csv").await;
    assert!(text(&file).contains(",\"Sale at the counter\",12.34,usd,open,"), "{}", text(&file));
    let asked = [("label", "shop"), ("days", "30"), ("read", "1")];
    let key = text(&till.own_form("/merchant/keys", &asked).await);
    let key = key.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    till.key = key;
    let list: Value = till.api(Method::GET, "/api/v1/orders", "", &json!(null)).await.ok();
    assert_eq!(list["orders"].as_array().unwrap().len(), 1);
    for url in ["http://", "shop.example", "https://user@shop.example/"] {
        assert_eq!(till.own_form("/merchant/webhooks", &[("url", url)]).await.status, 422, "{url}");
    }
    let url = [("url", "https://shop.example/paid")];
    assert_eq!(till.own_form("/merchant/webhooks", &url).await.status, 303);
    till.local.stop().await;
}
