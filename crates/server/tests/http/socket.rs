//! Subscriptions (NUT-17).

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tacit_ecash::message::MeltQuoteResponse;
use tacit_service::rail::PaymentStatus;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::local::{Local, ScriptedRail};
use crate::support::wallet::{Wallet, split, y};

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(local: &Local, unit: &str) -> Self {
        Self::at(local, &format!("/{unit}/v1/ws")).await
    }

    async fn at(local: &Local, path: &str) -> Self {
        let url = format!("ws://{}{path}", local.address());
        Self(connect_async(url).await.unwrap().0)
    }

    async fn send(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn subscribe(&mut self, kind: &str, subscription: &str, filters: &Value) -> Value {
        let params = json!({"kind": kind, "subId": subscription, "filters": filters});
        let request = json!({"jsonrpc": "2.0", "method": "subscribe", "params": params, "id": 7});
        self.send(&request).await;
        self.next().await
    }

    /// The next message, within ten seconds.
    async fn next(&mut self) -> Value {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(10), self.0.next());
            match next.await.expect("a message comes").expect("the socket is open").unwrap() {
                Message::Text(text) => return serde_json::from_str(text.as_str()).unwrap(),
                Message::Ping(_) => {}
                other @ (Message::Binary(_)
                | Message::Pong(_)
                | Message::Close(_)
                | Message::Frame(_)) => panic!("a message of an unexpected kind: {other:?}"),
            }
        }
    }

    /// Subscription and payload of the next notification.
    async fn news(&mut self) -> (String, Value) {
        let mut message = self.next().await;
        assert_eq!(message["method"], "subscribe", "{message}");
        let params = message["params"].take();
        (params["subId"].as_str().unwrap().to_owned(), params["payload"].clone())
    }

    /// Asserts that nothing comes for a while.
    async fn is_silent(&mut self) {
        let next = tokio::time::timeout(Duration::from_millis(200), self.0.next()).await;
        assert!(next.is_err(), "{next:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_quote_tells_each_step() {
    let local = Local::with_slow_receipts().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    for method in ["bank", "bolt11"] {
        let quote = wallet.mint_quote(method, 3).await;
        let mut socket = Socket::open(&local, "usd").await;
        let kind = format!("{method}_mint_quote");
        let done = socket.subscribe(&kind, "mine", &json!([quote.quote])).await;
        assert_eq!(done["result"], json!({"status": "OK", "subId": "mine"}));
        assert_eq!(done["id"], 7);
        let states = ["UNPAID", "PAID", "ISSUED"];
        for state in states {
            let (subscription, payload) = socket.news().await;
            assert_eq!(subscription, "mine");
            assert_eq!((&payload["state"], &payload["amount"]), (&json!(state), &json!(3)));
            if state == "PAID" {
                wallet.issue(method, &quote.quote, &[2, 1]).await;
            }
        }
        socket.is_silent().await;
    }
    local.stop().await;
}

/// Nutshell drops the path of a mint's URL when it opens a WebSocket.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_without_a_unit_hears_of_quotes_of_all() {
    let local = Local::with_slow_receipts().await;
    for unit in ["usd", "kes"] {
        let mut wallet = Wallet::new(local.address(), unit).await;
        let quote = wallet.mint_quote("bolt11", 3).await;
        let mut socket = Socket::at(&local, "/v1/ws").await;
        socket.subscribe("bolt11_mint_quote", "mine", &json!([quote.quote])).await;
        for state in ["UNPAID", "PAID"] {
            let (_, payload) = socket.news().await;
            let told = (&payload["state"], &payload["unit"], &payload["quote"]);
            assert_eq!(told, (&json!(state), &json!(unit), &json!(quote.quote)));
        }
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_tells_when_it_is_spent() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 3).await;
    let mut socket = Socket::open(&local, "usd").await;
    let ys = json!([y(&proofs[0]), y(&proofs[1])]);
    socket.subscribe("proof_state", "p", &ys).await;
    for _ in &proofs {
        assert_eq!(socket.news().await.1["state"], "UNSPENT");
    }
    wallet.swap(&proofs, &split(3)).await;
    let mut told = Vec::new();
    for _ in &proofs {
        let (_, payload) = socket.news().await;
        assert_eq!(payload["state"], "SPENT");
        told.push(payload["Y"].clone());
    }
    told.sort_by_key(Value::to_string);
    let mut asked = ys.as_array().unwrap().clone();
    asked.sort_by_key(Value::to_string);
    assert_eq!(told, asked);
    socket.is_silent().await;
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_melt_tells_its_quote_and_its_proofs() {
    let rail = ScriptedRail::new();
    let again = Arc::clone(&rail);
    let local = Local::with(|_| {}, move |parts| parts.rail = Some(again)).await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 8).await;
    let quote = wallet.melt_quote("bank", "pay:4:2").await;
    let mut socket = Socket::open(&local, "usd").await;
    socket.subscribe("bank_melt_quote", "q", &json!([quote.quote])).await;
    assert_eq!(socket.news().await.1["state"], "UNPAID");
    socket.subscribe("proof_state", "p", &json!([y(&proofs[0])])).await;
    assert_eq!(socket.news().await.1["state"], "UNSPENT");
    let (mut body, _) = wallet.melt_request(&quote.quote, &proofs, 3);
    body.prefer_async = true;
    for (started, (end, states)) in [
        (PaymentStatus::Failed, ["PENDING", "PENDING", "UNSPENT", "UNPAID"]),
        (PaymentStatus::Paid { fee: 1, evidence: None }, ["PENDING", "PENDING", "SPENT", "PAID"]),
    ]
    .into_iter()
    .enumerate()
    {
        wallet.post("/v1/melt/bank", &body).await.ok::<MeltQuoteResponse>();
        let (first, second) = (socket.news().await, socket.news().await);
        rail.until_asked(started + 1).await;
        rail.settle(&end);
        let (third, fourth) = (socket.news().await, socket.news().await);
        let all = [first, second, third, fourth];
        assert_eq!(all.each_ref().map(|(_, payload)| payload["state"].as_str().unwrap()), states);
        if states[3] == "PAID" {
            assert_eq!(all[3].1["change"].as_array().map(Vec::len), Some(2), "3 is 1 and 2");
        }
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_tells_so_at_once() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 1).await;
    wallet.swap(&proofs, &[1]).await;
    let mut socket = Socket::open(&local, "usd").await;
    socket.subscribe("proof_state", "p", &json!([y(&proofs[0])])).await;
    assert_eq!(socket.news().await.1["state"], "SPENT");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_of_foreign_quotes_or_after_unsubscribing() {
    let local = Local::with_slow_receipts().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let quote = wallet.mint_quote("bank", 1).await;
    let mut other_unit = Socket::open(&local, "eur").await;
    other_unit.subscribe("bank_mint_quote", "a", &json!([quote.quote])).await;
    let mut other_method = Socket::open(&local, "usd").await;
    other_method.subscribe("bolt11_mint_quote", "a", &json!([quote.quote, "no uuid"])).await;
    let mut left = Socket::open(&local, "usd").await;
    left.subscribe("bank_mint_quote", "a", &json!([quote.quote])).await;
    assert_eq!(left.news().await.1["state"], "UNPAID");
    let params = json!({"subId": "a"});
    left.send(&json!({"jsonrpc": "2.0", "method": "unsubscribe", "params": params, "id": 8})).await;
    assert_eq!(left.next().await["result"]["status"], "OK");
    wallet.until_paid(&quote).await;
    for socket in [&mut other_unit, &mut other_method, &mut left] {
        socket.is_silent().await;
    }
    drop((other_unit, other_method, left));
    for _ in 0..100 {
        let metrics = wallet.client.get("/metrics").await;
        let text = String::from_utf8(metrics.body.to_vec()).unwrap();
        if text.contains("tacit_watched 0\n") && text.contains("tacit_sockets 0\n") {
            local.stop().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("closed sockets are forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_subscriptions_to_one_thing_are_both_told() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 1).await;
    let mut socket = Socket::open(&local, "usd").await;
    for name in ["a", "b"] {
        socket.subscribe("proof_state", name, &json!([y(&proofs[0])])).await;
        assert_eq!(socket.news().await.0, name);
    }
    wallet.swap(&proofs, &[1]).await;
    let mut told = [socket.news().await, socket.news().await];
    told.sort_by(|left, right| left.0.cmp(&right.0));
    assert_eq!(
        told.map(|(name, payload)| (name, payload["state"].clone())),
        [("a".to_owned(), json!("SPENT")), ("b".to_owned(), json!("SPENT")),]
    );
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_answered_and_the_socket_stays_open() {
    let local = Local::demo().await;
    let mut socket = Socket::open(&local, "usd").await;
    let many: Vec<String> = (0..1_001).map(|number| number.to_string()).collect();
    let subscribe = |kind: &str, filters: Value| {
        let params = json!({"kind": kind, "subId": "s", "filters": filters});
        json!({"jsonrpc": "2.0", "method": "subscribe", "params": params, "id": 1}).to_string()
    };
    for (code, text) in [
        (-32_700, "not json".to_owned()),
        (-32_600, "{}".to_owned()),
        (-32_601, json!({"jsonrpc": "2.0", "method": "sing", "params": {}, "id": 1}).to_string()),
        (
            -32_602,
            json!({"jsonrpc": "2.0", "method": "subscribe", "params": {}, "id": 1}).to_string(),
        ),
        (-32_602, subscribe("weather", json!([]))),
        (-32_602, subscribe("cash_mint_quote", json!([]))),
        (-32_602, subscribe("bank_mint_quote", json!(many))),
    ] {
        socket.0.send(Message::text(text.clone())).await.unwrap();
        assert_eq!(socket.next().await["error"]["code"], code, "{text}");
    }
    let done = socket.subscribe("bank_mint_quote", "s", &json!([])).await;
    assert_eq!(done["result"]["status"], "OK");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_and_sockets_are_bounded() {
    let local = Local::with(|config| config.bounds.sockets = 2, |_| {}).await;
    let mut socket = Socket::open(&local, "usd").await;
    for number in 0..256 {
        let done = socket.subscribe("bank_mint_quote", &number.to_string(), &json!([])).await;
        assert_eq!(done["result"]["status"], "OK");
    }
    let refused = socket.subscribe("bank_mint_quote", "one more", &json!([])).await;
    assert_eq!(refused["error"]["code"], -32_602);
    let _second = Socket::open(&local, "usd").await;
    let url = format!("ws://{}/usd/v1/ws", local.address());
    let third = connect_async(url).await;
    assert!(third.is_err(), "a third socket is one too many");
    local.stop().await;
}
