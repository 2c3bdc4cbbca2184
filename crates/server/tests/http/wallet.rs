//! The web wallet's origin: a release that is served as its list says, or not at all; and links that lead there.

use std::error::Error;

use hyper::header::HeaderMap;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tacit_server::config::Config;
use tacit_server::server::{Parts, StartError};
use tacit_service::desk::staff::Role;

use crate::support::client::{Answer, Client};
use crate::support::local::{Local, config};
use crate::support::office::{Console, Who, ada, text, to};
use crate::support::release::{PAGE, Packed, SCRIPT, SCRIPT_TEXT, brotli, digest, gzip};
use crate::support::till::{Till, merchant};

const HOST: (&str, &str) = ("host", "wallet.localhost");

async fn serve(packed: &Packed) -> (Local, Client) {
    let local = Local::with(|config| config.wallet.directory = Some(packed.path()), |_| {}).await;
    let client = Client::new(local.address());
    (local, client)
}

async fn get(client: &mut Client, path: &str) -> Answer {
    client.method(Method::GET, path, &[HOST]).await
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

/// What a directory is refused for.
fn refusal(packed: &Packed) -> String {
    let data = tempfile::TempDir::new().unwrap();
    let mut config = config(data.path());
    config.wallet.directory = Some(packed.path());
    let Err(refused @ StartError::Wallet(_)) = Parts::open(&config) else {
        panic!("the release was taken")
    };
    let shown = refused.to_string();
    assert!(shown.contains(packed.path().to_str().unwrap()), "{shown}");
    refused.source().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_is_served_under_its_name_with_its_type_and_for_as_long_as_it_holds() {
    let packed = Packed::new();
    let (local, mut client) = serve(&packed).await;
    let (script, html) = ("text/javascript; charset=utf-8", "text/html; charset=utf-8");
    let (good, each) = ("public, max-age=31536000, immutable", "no-cache");
    for (path, kind, kept) in [
        ("/", html, each),
        ("/index.html", html, each),
        ("/app-1a2b3c4d.js", script, good),
        ("/app-1a2b3c4d.wasm", "application/wasm", good),
        ("/worker.js", script, each),
        ("/snippets/lib-0123456789abcdef/src/inline.js", script, each),
        ("/style.css", "text/css; charset=utf-8", each),
        ("/manifest.webmanifest", "application/manifest+json", each),
        ("/release.json", "application/json", each),
        ("/operator.json", "application/json", each),
        ("/inventory.json", "application/json", each),
        ("/style.css?v=1", "text/css; charset=utf-8", each),
    ] {
        let answer = get(&mut client, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(header(&answer.headers, "content-type"), Some(kind), "{path}");
        assert_eq!(header(&answer.headers, "cache-control"), Some(kept), "{path}");
        let tag = format!("W/\"{}\"", digest(&answer.body));
        assert_eq!(header(&answer.headers, "etag"), Some(tag.as_str()), "{path}");
        assert_eq!(header(&answer.headers, "vary"), Some("accept-encoding"), "{path}");
        assert_eq!(header(&answer.headers, "content-encoding"), None, "{path}");
        let head = client.method(Method::HEAD, path, &[HOST]).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{path}");
        let length = answer.body.len().to_string();
        assert_eq!(header(&head.headers, "content-length"), Some(length.as_str()), "{path}");
    }
    assert_eq!(text(&get(&mut client, "/").await), PAGE);
    assert_eq!(digest(&get(&mut client, "/release.json").await.body), packed.digest());
    let metrics = client.get("/metrics").await;
    let line = format!("tacit_wallet_release{{sha256=\"{}\"}} 1\n", packed.digest());
    assert!(text(&metrics).contains(&line), "{}", text(&metrics));
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_in_a_coding_that_was_asked_for_and_only_if_it_changed() {
    let packed = Packed::new();
    let (local, mut client) = serve(&packed).await;
    let script = format!("/{SCRIPT}");
    for (accepted, coding, body) in [
        ("gzip, deflate, br", Some("br"), brotli(SCRIPT_TEXT.as_bytes())),
        ("gzip, br;q=0", Some("gzip"), gzip(SCRIPT_TEXT.as_bytes())),
        ("identity", None, SCRIPT_TEXT.into()),
    ] {
        let asked = [HOST, ("accept-encoding", accepted)];
        let answer = client.method(Method::GET, &script, &asked).await;
        assert_eq!(header(&answer.headers, "content-encoding"), coding, "{accepted}");
        assert_eq!(answer.body, body, "{accepted}");
        assert_eq!(header(&answer.headers, "vary"), Some("accept-encoding"), "{accepted}");
        let tag = header(&answer.headers, "etag").unwrap().to_owned();
        let again = [HOST, ("accept-encoding", accepted), ("if-none-match", tag.as_str())];
        for method in [Method::GET, Method::HEAD] {
            let again = client.method(method, &script, &again).await;
            assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
            assert_eq!(header(&again.headers, "etag"), Some(tag.as_str()));
            assert_eq!(header(&again.headers, "content-encoding"), None);
            let policy = header(&again.headers, "content-security-policy").unwrap();
            assert!(policy.contains("worker-src"), "browsers take headers of a 304, too: {policy}");
        }
        let changed = [HOST, ("if-none-match", "W/\"00\"")];
        let changed = client.method(Method::GET, &script, &changed).await;
        assert_eq!(
            (changed.status, changed.body.as_ref()),
            (StatusCode::OK, SCRIPT_TEXT.as_bytes())
        );
    }
    // In gzip alone.
    let asked = [HOST, ("accept-encoding", "br, gzip")];
    let style = client.method(Method::GET, "/style.css", &asked).await;
    assert_eq!(header(&style.headers, "content-encoding"), Some("gzip"));
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_release_is_found_and_nothing_but_reading_is_done() {
    let packed = Packed::new();
    packed.write("notes.txt", b"not in the list");
    let (local, mut client) = serve(&packed).await;
    for path in [
        "/notes.txt",
        "/app-1a2b3c4d.js.br",
        "/..%2f..%2fetc%2fpasswd",
        "/../../etc/passwd",
        "/snippets/../index.html",
        "/snippets/%2e%2e/index.html",
        "/snippets/",
        "//index.html",
        "/index.html/",
        "/%69ndex.html",
        "/%ff",
        "/usd/v1/info",
        "/metrics",
    ] {
        let answer = get(&mut client, path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.body.len() < 200 && !text(&answer).contains("root:"), "{path}");
        assert_eq!(header(&answer.headers, "cache-control"), Some("no-store"), "{path}");
        assert_eq!(header(&answer.headers, "access-control-allow-origin"), None, "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = client.method(method.clone(), "/index.html", &[HOST]).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_wallet_may_call_its_mint_and_desk_and_no_one_else() {
    let packed = Packed::new();
    let origins = |config: &mut Config| {
        config.wallet.directory = Some(packed.path());
        let origins = &mut config.serving.origins;
        origins.mint = Some("https://mint.example.org".parse().unwrap());
        origins.desk = Some("https://desk.example.org:8443".parse().unwrap());
        origins.wallet = Some("http://wallet.localhost".parse().unwrap());
        config.about.public_url = Some("https://Pay.example.org/mints".to_owned());
    };
    let local = Local::with(origins, |_| {}).await;
    let mut client = Client::new(local.address());
    let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; \
                  media-src 'self' blob: mediastream:; font-src 'self'; connect-src 'self' https://mint.example.org \
                  wss://mint.example.org https://pay.example.org wss://pay.example.org https://desk.example.org:8443; \
                  manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for path in ["/", "/worker.js", "/release.json", "/operator.json", "/nothing"] {
        let asked = [HOST, ("cookie", "person=0123")];
        let answer = client.method(Method::GET, path, &asked).await;
        for (name, value) in [
            ("content-security-policy", policy),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(header(&answer.headers, name), Some(value), "{path}");
        }
        let permissions = header(&answer.headers, "permissions-policy").unwrap();
        for part in [
            "camera=(self)",
            "publickey-credentials-create=(self)",
            "publickey-credentials-get=(self)",
            "clipboard-write=(self)",
            "geolocation=()",
            "microphone=()",
        ] {
            assert!(permissions.split(", ").any(|it| it == part), "{part}: {permissions}");
        }
        assert_eq!(header(&answer.headers, "set-cookie"), None, "{path}");
        assert_eq!(header(&answer.headers, "access-control-allow-origin"), None, "{path}");
    }
    let told: Value = get(&mut client, "/operator.json").await.ok();
    assert_eq!(told["mint"][0], "https://Pay.example.org/mints/usd");
    assert_eq!(told["desk"], "https://desk.example.org:8443");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wallet_is_told_who_its_operator_is_and_what_is_kept() {
    let packed = Packed::new();
    let (local, mut client) = serve(&packed).await;
    let port = local.address().port();
    let told: Value = get(&mut client, "/operator.json").await.ok();
    let mint = |unit: &str| format!("http://localhost:{port}/{unit}");
    let mints = ["usd", "eur", "kes", "inr", "sat"].map(mint);
    let desk = format!("http://desk.localhost:{port}");
    let said = |days: u64| json!({"name": "Tacit", "mint": mints, "desk": desk, "demo": true, "days_ahead": days});
    assert_eq!(told, said(0));
    // The clock of a demonstration is moved from the wallet's own page, and it then tells.
    let lever = get(&mut client, "/demo/clock").await;
    assert_eq!(lever.status, StatusCode::METHOD_NOT_ALLOWED);
    client.post("/demo/clock", &json!({"advance_days": 3})).await;
    let told: Value = get(&mut client, "/operator.json").await.ok();
    assert_eq!(told, said(3));
    // In a demonstration a mint has two names, and requests for payment have the one that all can resolve.
    let page = get(&mut client, "/").await;
    let policy = header(&page.headers, "content-security-policy").unwrap();
    let called = format!(
        "connect-src 'self' http://mint.localhost:{port} ws://mint.localhost:{port} http://localhost:{port} \
         ws://localhost:{port} http://desk.localhost:{port};"
    );
    assert!(policy.contains(&called), "{policy}");
    let kept: Value = get(&mut client, "/inventory.json").await.ok();
    let kept: Vec<_> = kept.as_array().unwrap().iter().map(|section| &section["title"]).collect();
    assert_eq!(kept.len(), tacit_server::inventory::SECTIONS.len());
    assert_eq!(kept.last().unwrap().as_str(), Some("Metrics"));
    local.stop().await;
}

#[test]
fn a_release_that_is_not_what_its_list_says_keeps_the_server_from_starting() {
    let listed = |packed: &Packed, name: &str, entry: Value| {
        let mut files = packed.listed();
        files[name] = entry;
        packed.list(&json!({"version": 1, "files": files}));
    };
    let entry = |bytes: &[u8]| json!({"sha256": digest(bytes), "length": bytes.len()});
    type Harm<'a> = &'a dyn Fn(&Packed);
    let harms: [(Harm<'_>, &str); 14] = [
        (&|it| it.remove("release.json"), "release.json cannot be read"),
        (&|it| it.write("release.json", b"{"), "release.json is no list"),
        (&|it| it.list(&json!({"files": {}})), "release.json is no list"),
        (&|it| it.list(&json!({"version": 2, "files": {}})), "of version 2"),
        (&|it| it.list(&json!({"version": 1, "files": {}})), "names no index.html"),
        (&|it| it.remove("worker.js"), "worker.js cannot be read"),
        (&|it| it.write("worker.js", b"self.x = 10"), "worker.js has not the 10 bytes"),
        (&|it| it.write("worker.js", b"self.x ="), "worker.js has not the 10 bytes"),
        (&|it| it.write("worker.js", b"self.x = 2"), "worker.js is not the file"),
        (&|it| it.write("app-1a2b3c4d.js.br", &brotli(b"export {}")), "app-1a2b3c4d.js.br is not"),
        (&|it| it.write("app-1a2b3c4d.js.br", b""), "app-1a2b3c4d.js.br is not"),
        (&|it| it.write("app-1a2b3c4d.js.gz", &gzip(b"export {}")), "app-1a2b3c4d.js.gz is not"),
        (&|it| listed(it, "../passwd", entry(b"")), "names \"../passwd\""),
        (&|it| listed(it, "operator.json", entry(b"{}")), "names \"operator.json\""),
    ];
    for (harm, said) in harms {
        let packed = Packed::new();
        harm(&packed);
        let refused = refusal(&packed);
        assert!(refused.contains(said), "{said}: {refused}");
    }
}

/// Where a link of a page leads that has these words.
fn href(page: &str, words: &str) -> Option<String> {
    let (before, _) = page.split_once(&format!("\" rel=\"noreferrer\">{words}</a>"))?;
    let (_, href) = before.rsplit_once("href=\"")?;
    Some(href.to_owned())
}

const WORDS: &str = "Open in the wallet";

#[tokio::test(flavor = "multi_thread")]
async fn checkout_and_portal_lead_into_the_wallet_where_there_is_one() {
    let packed = Packed::new();
    let serve = |config: &mut Config| config.wallet.directory = Some(packed.path());
    for is_served in [true, false] {
        let change = |config: &mut Config| {
            if is_served {
                serve(config)
            }
        };
        let mut till = Till::with_config(merchant(), change, |_| {}).await;
        let wallet = till.local.running.origins().wallet.as_ref().unwrap().to_string();
        let order = till.order("a").await;
        let url = order["checkout_url"].as_str().unwrap();
        let path = url[url.find("/checkout/").unwrap()..].to_owned();
        let page = text(&till.desk(Method::GET, &path, &[], "").await);
        let request = order["payment_request"].as_str().unwrap();
        let pay = is_served.then(|| format!("{wallet}/#pay/{request}"));
        assert_eq!(href(&page, WORDS), pay, "{page}");
        assert!(page.contains(&format!("href=\"cashu:{request}\"")), "other wallets can pay, too");
        assert_eq!(page.contains("Open in another wallet"), is_served);

        let page = text(&till.own_form("/portal/passport", &[]).await);
        let code = page.split_once("/portal/passport#").unwrap().1[..32].to_owned();
        let port = till.local.address().port();
        let link = format!("http%3A%2F%2Fdesk.localhost%3A{port}%2Fportal%2Fpassport%23{code}");
        let enrol = is_served.then(|| format!("{wallet}/#enrol/{link}"));
        assert_eq!(href(&page, WORDS), enrol, "{page}");
        till.local.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_leads_into_the_wallet_where_there_is_one() {
    const PERSON: Who = Who(1);
    let packed = Packed::new();
    let serve = |config: &mut Config| config.wallet.directory = Some(packed.path());
    for is_served in [true, false] {
        let change = |config: &mut Config| {
            if is_served {
                serve(config)
            }
        };
        let mut town = Console::with_config(&[Role::Compliance], change).await;
        let wallet = town.local.running.origins().wallet.as_ref().unwrap().to_string();
        let account = ada().to_string();
        let fields = [("account", account.as_str()), ("name", "Bank"), ("purpose", "A loan")];
        town.send(Who(0), "/operator/verifiers/add", &fields).await;
        let id = "ab".repeat(16);
        let fields = [("id", id.as_str()), ("threshold", "682"), ("tenure", "")];
        let path = to(&town.send(PERSON, "/verifier", &fields).await);
        let page = town.look(PERSON, &path).await;
        let found = href(&page, WORDS);
        assert_eq!(found.is_some(), is_served, "{page}");
        if let Some(found) = found {
            let link = found.strip_prefix(&format!("{wallet}/#share/")).unwrap();
            assert!(!link.contains(['&', '?', '/', '#', ':']), "{link}");
            let link = percent_encoding::percent_decode_str(link).decode_utf8().unwrap();
            let shown = format!("value=\"{}\"", link.replace('&', "&#38;"));
            assert!(link.starts_with("openid4vp://?client_id=") && page.contains(&shown), "{link}");
        }
        town.local.stop().await;
    }
}
