//! More requests than the server lets pass, none of them known by its address.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tacit_ecash::limit;
use tacit_server::config::serving::Limits;
use tacit_server::metric::Counter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::{Answer, Client};
use crate::support::local::Local;

/// No limit but those that a test sets.
const NONE: Limits = Limits {
    connections: 64,
    requests_per_second: 0,
    quotes_per_second: 0,
    lookups_per_second: 0,
    sockets_per_second: 0,
    logins_per_second: 0,
    connection_requests_per_second: 0,
};

async fn limited(limits: Limits) -> Local {
    Local::with(|config| config.serving.limits = limits, |_| {}).await
}

/// A refusal that a wallet in a browser can read, and that says when to come again.
#[track_caller]
fn is_sent_away(answer: &Answer) {
    assert_eq!((answer.status, answer.refusal()), (StatusCode::TOO_MANY_REQUESTS, 10_000));
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_come_no_faster_than_their_limit_and_all_else_goes_on() {
    let local = limited(Limits { quotes_per_second: 1, ..NONE }).await;
    let mut client = Client::new(local.address());
    let ask = json!({"unit": "usd", "amount": 1});
    for _ in 0..10 {
        client.post("/usd/v1/mint/quote/bank", &ask).await.ok::<Value>();
    }
    is_sent_away(&client.post("/usd/v1/mint/quote/bank", &ask).await);
    is_sent_away(&client.post("/eur/v1/melt/quote/bank", &ask).await);
    client.get("/usd/v1/keys").await.ok::<Value>();
    client.post("/usd/v1/checkstate", &json!({"Ys": []})).await.ok::<Value>();
    assert_eq!(local.running.metrics().count(Counter::Limited), 2);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    client.post("/usd/v1/mint/quote/bank", &ask).await.ok::<Value>();
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_and_sockets_have_limits_of_their_own() {
    let limits = Limits { lookups_per_second: 1, sockets_per_second: 1, ..NONE };
    let local = limited(limits).await;
    let mut client = Client::new(local.address());
    let ys = json!({"Ys": ["02".to_owned() + &"11".repeat(32)]});
    for _ in 0..10 {
        client.post("/usd/v1/checkstate", &ys).await.ok::<Value>();
        let no_upgrade = client.get("/v1/ws").await;
        assert_ne!(no_upgrade.status, StatusCode::TOO_MANY_REQUESTS);
    }
    is_sent_away(&client.post("/usd/v1/checkstate", &ys).await);
    is_sent_away(&client.post("/usd/v1/restore", &json!({"outputs": []})).await);
    is_sent_away(&client.get("/usd/v1/ws").await);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_together_and_one_connection_are_bounded() {
    let local = limited(Limits { requests_per_second: 2, ..NONE }).await;
    for number in 0..20 {
        // Over new connections: the bucket is everyone's.
        let answer = Client::new(local.address()).get("/usd/v1/info").await;
        assert_eq!(answer.status, StatusCode::OK, "{number}");
    }
    is_sent_away(&Client::new(local.address()).get("/usd/v1/info").await);
    local.stop().await;
    let local = limited(Limits { connection_requests_per_second: 1, ..NONE }).await;
    let (mut greedy, mut modest) = (Client::new(local.address()), Client::new(local.address()));
    for _ in 0..10 {
        greedy.get("/usd/v1/info").await.ok::<Value>();
    }
    is_sent_away(&greedy.get("/usd/v1/info").await);
    modest.get("/usd/v1/info").await.ok::<Value>();
    let desk = greedy.method(Method::GET, "/", &[("host", "desk.localhost")]).await;
    assert_eq!(desk.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!desk.headers.contains_key("access-control-allow-origin"), "the desk is no mint");
    let open = greedy.method(Method::GET, "/api/v1/passport", &[("host", "desk.localhost")]).await;
    assert_eq!(open.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(open.headers["access-control-allow-origin"], "*", "wallets in browsers ask this");
    assert_eq!(open.headers["access-control-expose-headers"], "retry-after");
    assert_eq!(open.headers["content-type"], "application/problem+json");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_and_bodies_that_are_too_large_have_their_status() {
    let local = Local::demo().await;
    let many = "x: y\r\n".repeat(100);
    // What is read at once may go beyond the bound, to twice of it.
    let long = format!("x: {}\r\n", "y".repeat(500_000));
    for (head, status) in [
        (format!("GET /health HTTP/1.1\r\nHost: m\r\n{many}\r\n"), " 431 "),
        (format!("GET /health HTTP/1.1\r\nHost: m\r\n{long}\r\n"), " 431 "),
        (format!("GET /{} HTTP/1.1\r\nHost: m\r\n\r\n", "z".repeat(70_000)), " 4"),
    ] {
        let mut stream = TcpStream::connect(local.address()).await.unwrap();
        _ = stream.write_all(head.as_bytes()).await; // It may hang up before it has read all.
        let mut said = vec![0; 64];
        let length = stream.read(&mut said).await.unwrap_or(0);
        let said = String::from_utf8_lossy(&said[..length]).into_owned();
        assert!(said.lines().next().unwrap_or_default().contains(status), "{status}: {said}");
    }
    let mut client = Client::new(local.address());
    let answer = client.post_bytes("/usd/v1/swap", vec![b' '; limit::BODY + 1]).await;
    assert_eq!((answer.status, answer.refusal()), (StatusCode::PAYLOAD_TOO_LARGE, 10_000));
    local.stop().await;
}
