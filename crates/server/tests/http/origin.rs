//! Three origins on one address, told apart by name.

use hyper::header::HeaderMap;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tacit_server::config::serving::Listeners;
use tacit_server::origin::Site;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::{Answer, Client};
use crate::support::local::Local;

const MINT_PATHS: [(Method, &str); 9] = [
    (Method::GET, "/usd/v1/info"),
    (Method::GET, "/usd/v1/keys"),
    (Method::POST, "/usd/v1/swap"),
    (Method::POST, "/usd/v1/mint/quote/bank"),
    (Method::OPTIONS, "/usd/v1/swap"),
    (Method::GET, "/v1/ws"),
    (Method::GET, "/metrics"),
    (Method::GET, "/ready"),
    (Method::POST, "/demo/clock"),
];

async fn ask(client: &mut Client, host: &str, method: &Method, path: &str) -> Answer {
    client.method(method.clone(), path, &[("host", host)]).await
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

/// The first line of the answer to a request sent as it is.
async fn raw(local: &Local, request: &str) -> String {
    let mut stream = TcpStream::connect(local.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn mint_paths_answer_under_every_name_but_the_others() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    let bare = local.address().to_string();
    for host in [bare.as_str(), "mint.localhost", "10.1.2.3", "[::1]:3338", "whatever.example:80"] {
        let info: Value = ask(&mut client, host, &Method::GET, "/usd/v1/info").await.ok();
        assert_eq!(info["name"], "Tacit (usd)", "{host}");
    }
    for host in ["desk.localhost", "wallet.localhost:3338", "Desk.LocalHost."] {
        for (method, path) in &MINT_PATHS {
            let answer = ask(&mut client, host, method, path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{host} {method} {path}");
            assert_eq!(header(&answer.headers, "access-control-allow-origin"), None, "{host}");
        }
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_origin_has_its_page_which_may_load_its_style_and_nothing_else() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    for (host, words) in [
        ("mint.localhost", "a demonstration mint"),
        ("desk.localhost", "Open an account"),
        ("wallet.localhost", "It is not built yet"),
    ] {
        let page = ask(&mut client, host, &Method::GET, "/").await;
        let text = String::from_utf8(page.body.to_vec()).unwrap();
        assert!(text.contains(words), "{host}: {text}");
        assert!(!text.contains('{') || host == "mint.localhost", "{host}: {text}");
        assert!(!text.contains("<script>") && !text.contains("<style") && !text.contains("style="));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            // Else browsers would not say of the desk's own forms where they come from.
            (
                "referrer-policy",
                if host == "desk.localhost" { "same-origin" } else { "no-referrer" },
            ),
            ("cross-origin-opener-policy", "same-origin"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(header(&page.headers, name), Some(value), "{host}");
        }
        let policy = header(&page.headers, "content-security-policy").unwrap();
        for part in ["default-src 'none'", "style-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{host}: {policy}");
        }
        assert_eq!(header(&page.headers, "strict-transport-security"), None, "not over TLS");
        assert_eq!(header(&page.headers, "access-control-allow-origin"), None, "{host}");
        let style = ask(&mut client, host, &Method::GET, "/style.css").await;
        assert_eq!(header(&style.headers, "content-type"), Some("text/css; charset=utf-8"));
    }
    let mint = ask(&mut client, "mint.localhost:1234", &Method::GET, "/").await;
    let for_wallets = "<code>http://localhost:1234/usd</code>";
    assert!(String::from_utf8_lossy(&mint.body).contains(for_wallets), "which all can resolve");
    let desk = ask(&mut client, "desk.localhost", &Method::GET, "/").await;
    let to_mint = format!("http://mint.localhost:{}/", local.address().port());
    assert!(String::from_utf8_lossy(&desk.body).contains(&to_mint));
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_neither_reads_nor_sets_cookies_and_allows_pages_of_any_origin() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    let login = [
        ("host", "mint.localhost"),
        ("origin", "https://wallet.example"),
        ("cookie", "__Host-login=secret"),
        ("authorization", "Bearer secret"),
    ];
    for (method, path) in [
        (Method::GET, "/usd/v1/keys"),
        (Method::POST, "/usd/v1/swap"),
        (Method::GET, "/usd/v1/nothing"),
    ] {
        let answer = client.method(method, path, &login).await;
        assert_eq!(header(&answer.headers, "access-control-allow-origin"), Some("*"), "{path}");
        for name in ["set-cookie", "access-control-allow-credentials"] {
            assert_eq!(header(&answer.headers, name), None, "{path}");
        }
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret"), "{path}");
    }
    let preflight = client.method(Method::OPTIONS, "/usd/v1/swap", &login).await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(header(&preflight.headers, "access-control-allow-headers"), Some("*"));
    // Pages and levers are no mint: a page of another origin may not read them.
    for path in ["/", "/metrics", "/demo/clock"] {
        let answer = client.method(Method::GET, path, &login).await;
        assert_eq!(header(&answer.headers, "access-control-allow-origin"), None, "{path}");
        assert_eq!(header(&answer.headers, "set-cookie"), None, "{path}");
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_of_its_own_takes_a_site_off_the_common_one() {
    let on_free_port = || Some("127.0.0.1:0".to_owned());
    let local = Local::with(
        |config| {
            config.serving.listeners =
                Listeners { desk: on_free_port(), wallet: None, operator: on_free_port() };
        },
        |_| {},
    )
    .await;
    let at = |site| Client::new(local.running.address_of(site).unwrap());
    let (mut all, mut desk) = (Client::new(local.address()), at(Site::Desk));
    let mut operator = at(Site::Operator);
    let status = async |client: &mut Client, host: &str, path: &str| {
        ask(client, host, &Method::GET, path).await.status
    };
    assert_eq!(status(&mut all, "desk.localhost", "/").await, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(status(&mut all, "wallet.localhost", "/").await, StatusCode::OK);
    assert_eq!(status(&mut all, "mint", "/metrics").await, StatusCode::NOT_FOUND);
    assert_eq!(status(&mut all, "mint", "/ready").await, StatusCode::OK);
    for host in ["desk.localhost", "127.0.0.1"] {
        assert_eq!(status(&mut desk, host, "/").await, StatusCode::OK, "{host}");
        assert_eq!(status(&mut desk, host, "/usd/v1/keys").await, StatusCode::NOT_FOUND);
    }
    let wallet = status(&mut desk, "wallet.localhost", "/").await;
    assert_eq!(wallet, StatusCode::MISDIRECTED_REQUEST);
    for path in ["/health", "/ready", "/metrics"] {
        assert_eq!(status(&mut operator, "127.0.0.1", path).await, StatusCode::OK, "{path}");
    }
    assert_eq!(status(&mut operator, "x", "/usd/v1/keys").await, StatusCode::NOT_FOUND);
    let page = ask(&mut all, "mint.localhost", &Method::GET, "/").await;
    let port = local.running.address_of(Site::Desk).unwrap().port();
    let link = format!("http://desk.localhost:{port}/");
    assert!(String::from_utf8_lossy(&page.body).contains(&link));
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_two_hosts_or_none_is_refused_and_the_target_counts_most() {
    let local = Local::demo().await;
    let close = "Connection: close\r\n\r\n";
    for (head, status) in [
        ("GET /health HTTP/1.1\r\nHost: a\r\nHost: desk.localhost\r\n", 400),
        ("GET /health HTTP/1.1\r\n", 400),
        ("GET /health HTTP/1.0\r\n", 200),
        ("GET http://desk.localhost/health HTTP/1.1\r\nHost: mint.localhost\r\n", 404),
        ("GET http://mint.localhost/health HTTP/1.1\r\nHost: desk.localhost\r\n", 200),
    ] {
        let answer = raw(&local, &format!("{head}{close}")).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(&format!(" {status} ")), "{head}: {answer}");
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wallets_are_told_the_configured_origin() {
    let origin = "https://mint.example.org";
    let local =
        Local::with(|config| config.serving.origins.mint = Some(origin.parse().unwrap()), |_| {})
            .await;
    let mut client = Client::new(local.address());
    let info: Value = client.get("/usd/v1/info").await.ok();
    assert_eq!(info["urls"], json!(["https://mint.example.org/usd"]));
    local.stop().await;
}
