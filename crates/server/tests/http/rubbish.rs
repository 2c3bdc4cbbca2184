//! What no wallet sends, and what every browser asks.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tacit_ecash::limit;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::Client;
use crate::support::local::Local;
use crate::support::wallet::{Wallet, split};

const POSTS: [&str; 7] = [
    "/usd/v1/swap",
    "/usd/v1/mint/quote/bank",
    "/usd/v1/mint/bank",
    "/usd/v1/melt/quote/bank",
    "/usd/v1/melt/bank",
    "/usd/v1/checkstate",
    "/usd/v1/restore",
];

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_is_refused_and_not_repeated_back() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 9] = [
        b"",
        b"\0\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        br#"{"inputs": "sesame", "outputs": 1, "quote": [], "Ys": {}, "amount": "sesame"}"#,
        br#"{"inputs": [], "inputs": []"#,
        br#"{"inputs": 1e999}"#,
        deep.as_bytes(),
    ];
    for path in POSTS {
        for body in bodies {
            let answer = client.post_bytes(path, body.to_vec()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {:?}", body.get(..20));
            let text = String::from_utf8(answer.body.to_vec()).unwrap();
            assert!(!text.contains("sesame"), "{text}");
            assert_eq!(answer.headers["content-type"], "application/json");
            answer.refused(10_000);
        }
    }
    local.stop().await;
}

/// Cashu advisory, 2025: an oversized secret, witness or preimage filled the database. The fields have their bounds,
/// and the body as a whole has one.
#[tokio::test(flavor = "multi_thread")]
async fn oversize_fields_are_refused() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let proofs = wallet.mint("bank", 3).await;
    let swap = wallet.prepare_swap(&proofs, &split(3));
    let good = serde_json::to_value(&swap.request).unwrap();
    let preimage = json!({"preimage": "00".repeat(limit::WITNESS)}).to_string();
    for (field, value) in [
        ("secret", "s".repeat(limit::SECRET + 1)),
        ("witness", "w".repeat(limit::WITNESS + 1)),
        ("witness", preimage),
    ] {
        let mut spoilt = good.clone();
        spoilt["inputs"][0][field] = json!(value);
        wallet.post("/v1/swap", &spoilt).await.refused(10_001);
    }
    let too_large = vec![b' '; limit::BODY + 1];
    for path in POSTS {
        let mut client = Client::new(local.address());
        let answer = client.post_bytes(path, too_large.clone()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        assert_eq!(answer.refusal(), 10_000);
    }
    wallet.post("/v1/swap", &good).await.ok::<Value>();
    local.stop().await;
}

/// A body that does not say how long it is is bounded, too.
#[tokio::test(flavor = "multi_thread")]
async fn an_endless_body_is_cut_off() {
    let local = Local::demo().await;
    let mut stream = TcpStream::connect(local.address()).await.unwrap();
    let head = "POST /usd/v1/swap HTTP/1.1\r\nhost: mint\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let mut sent = 0;
    // The server may have hung up before all is sent.
    while sent < 4 * limit::BODY && stream.write_all(chunk.as_bytes()).await.is_ok() {
        sent += chunk.len();
    }
    let mut answer = vec![0; 64];
    let read = stream.read(&mut answer).await.unwrap_or(0);
    let said = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(read == 0 || said.starts_with("HTTP/1.1 413"), "{said}");
    Wallet::new(local.address(), "usd").await;
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_comes_is_given_up() {
    let wait = std::time::Duration::from_millis(200);
    let local = Local::with(|config| config.bounds.body_wait = wait, |_| {}).await;
    let mut stream = TcpStream::connect(local.address()).await.unwrap();
    let head = "POST /usd/v1/swap HTTP/1.1\r\nhost: mint\r\ncontent-length: 10\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_methods_are_told_in_json() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    for path in ["/nothing", "/usd", "/usd/v1", "/usd/v1/nothing", "/gbp/v1/info", "/usd/v1/keys/"]
    {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.refusal(), 10_000);
    }
    for path in ["/usd/v1/keys/%ff", "/usd/v1/contracts/%ff%fe", "/v1/passport/answers/%80"] {
        client.get(path).await.refused(10_000);
    }
    for (method, path) in [
        (Method::GET, "/usd/v1/swap"),
        (Method::DELETE, "/usd/v1/info"),
        (Method::PUT, "/usd/v1/mint/quote/bank"),
        (Method::POST, "/health"),
    ] {
        let answer = client.method(method, path, &[]).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.refusal(), 10_000);
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_may_call_a_mint_from_anywhere_without_credentials() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    let asked = [
        ("origin", "https://wallet.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let preflight = client.method(Method::OPTIONS, "/usd/v1/swap", &asked).await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.headers["access-control-allow-methods"], "GET, POST, OPTIONS");
    assert_eq!(preflight.headers["access-control-allow-headers"], "*");
    let cookie = [("origin", "https://wallet.example"), ("cookie", "session=1")];
    let info = client.method(Method::GET, "/usd/v1/info", &cookie).await;
    let refused = client.post_bytes("/usd/v1/swap", "{}").await;
    let missing = client.method(Method::GET, "/usd/v1/nothing", &cookie).await;
    for answer in [preflight, info, refused, missing] {
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    let lever = client.post("/demo/clock", &json!({"advance_days": 0})).await;
    assert!(!lever.headers.contains_key("access-control-allow-origin"), "no page may pull these");
    local.stop().await;
}
