//! What a wallet in a browser asks from an origin of its own: answered to any page without credentials, preflights too; and
//! the pages of the desk, which no other page may read.

use hyper::{Method, StatusCode};

use crate::support::client::{Answer, Client};
use crate::support::local::Local;

const WALLET: (&str, &str) = ("origin", "http://wallet.localhost");
const COOKIE: (&str, &str) = ("cookie", "person=0123; staff=0123");

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

/// A browser's question before it sends something.
async fn preflight(client: &mut Client, host: &str, path: &str, headers: &str) -> Answer {
    let asked = [
        ("host", host),
        WALLET,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", headers),
    ];
    client.method(Method::OPTIONS, path, &asked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_wallet_asks_is_answered_to_any_page_without_credentials() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    let (mint, desk, id) = ("mint.localhost", "desk.localhost", "ab".repeat(16));
    let paths = [
        // Payment of a checkout's order (NUT-18), and what a bill is paid with.
        (mint, Method::POST, format!("/usd/pay/{id}")),
        (mint, Method::GET, format!("/usd/v1/contracts/{id}")),
        (mint, Method::POST, format!("/usd/v1/contracts/{id}/2026-12/pay")),
        (mint, Method::POST, format!("/usd/v1/contracts/{id}/2026-12/receipt")),
        // The passport.
        (mint, Method::GET, "/v1/passport".to_owned()),
        (mint, Method::POST, "/v1/passport/tick".to_owned()),
        (desk, Method::GET, "/api/v1/passport".to_owned()),
        (desk, Method::GET, "/api/v1/passport/enrolment".to_owned()),
        (desk, Method::POST, "/api/v1/passport/enrolment".to_owned()),
        (desk, Method::POST, "/api/v1/passport/income".to_owned()),
        // Certificates: whose they are, a verifier's request, and the answer to it.
        (mint, Method::GET, "/.well-known/jwt-vc-issuer".to_owned()),
        (desk, Method::GET, format!("/certificate/{id}/request")),
        (desk, Method::POST, "/certificate/answer".to_owned()),
    ];
    for (host, method, path) in paths {
        let answer = client.method(method, &path, &[("host", host), WALLET, COOKIE]).await;
        let own = "access-control-allow-origin";
        assert_eq!(header(&answer, own), Some("*"), "{path}: {answer:?}");
        assert_eq!(header(&answer, "access-control-allow-credentials"), None, "{path}");
        assert_eq!(header(&answer, "set-cookie"), None, "{path}");
        assert_ne!(answer.status, StatusCode::FORBIDDEN, "{path}: it is no forged form");
        if path.starts_with("/.well-known") {
            continue; // A plain GET: nobody asks before.
        }
        let before = preflight(&mut client, host, &path, "authorization,content-type").await;
        assert_eq!(before.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(header(&before, own), Some("*"), "{path}");
        let methods = header(&before, "access-control-allow-methods").unwrap();
        assert!(methods.contains("GET") && methods.contains("POST"), "{path}: {methods}");
        assert_eq!(header(&before, "access-control-allow-credentials"), None, "{path}");
        let allowed = header(&before, "access-control-allow-headers").unwrap();
        let wanted = if host == desk { "authorization, content-type" } else { "*" };
        assert_eq!(allowed, wanted, "{path}");
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_a_bad_answer_reads_what_the_protocol_says() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    let host = ("host", "desk.localhost");
    let answer = client.method(Method::POST, "/certificate/answer", &[host, WALLET]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.body, r#"{"error":"invalid_request"}"#, "RFC 6749, section 5.2");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_desk_are_read_by_no_other_page() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    for path in [
        "/",
        "/portal",
        "/portal/passport",
        "/merchant",
        "/operator",
        "/verifier",
        "/verifiers",
        "/checkout/0123456789abcdef0123456789abcdef",
        "/api/v1/orders",
        "/api/v1/passports",
        "/certificates",
        "/invitation",
    ] {
        let host = ("host", "desk.localhost");
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let answer = client.method(method.clone(), path, &[host, WALLET]).await;
            for name in [
                "access-control-allow-origin",
                "access-control-allow-credentials",
                "access-control-allow-methods",
                "access-control-allow-headers",
            ] {
                assert_eq!(header(&answer, name), None, "{method} {path}");
            }
        }
        let before = preflight(&mut client, "desk.localhost", path, "content-type").await;
        assert_ne!(before.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(header(&before, "access-control-allow-origin"), None, "{path}");
    }
    local.stop().await;
}
