//! The levers of demo mode.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tacit_ecash::message::KeysetsResponse;
use tacit_server::passphrase::{Passphrase, Places};
use tacit_server::server::StartError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::Client;
use crate::support::local::{Local, config};
use crate::support::release::Packed;
use crate::support::wallet::{Wallet, total};

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_moves_a_keyset_past_its_final_expiry() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let info: Value = wallet.get("/v1/info").await.ok();
    let expiry = info["time"].as_u64().unwrap() + 10 * 86_400;
    let rotate = json!({"unit": "usd", "final_expiry": expiry, "input_fee_ppk": 0});
    let rotated: Value = wallet.client.post("/demo/rotate", &rotate).await.ok();
    wallet.refresh().await;
    assert_eq!(rotated["keyset"], wallet.keyset.to_string());
    let proofs = wallet.mint("bank", 5).await;
    wallet.client.post("/demo/rotate", &json!({"unit": "usd"})).await.ok::<Value>();
    wallet.client.post("/demo/clock", &json!({"advance_days": 9})).await.ok::<Value>();
    wallet.refresh().await;
    let saved = wallet.swap(&proofs[..1], &[1]).await;
    wallet.client.post("/demo/clock", &json!({"advance_days": 1})).await.ok::<Value>();
    let late = wallet.prepare_swap(&proofs[1..], &[4]);
    wallet.try_swap(&late).await.unwrap().refused(12_003);
    wallet.swap(&saved, &[1]).await;
    // The swap of the tenth day awaits its posting; once that is done, the keyset is sealed.
    wallet.client.post("/demo/clock", &json!({"advance_days": 1})).await.ok::<Value>();
    let keysets: KeysetsResponse = wallet.get("/v1/keysets").await.ok();
    let active = keysets.keysets.iter().filter(|keyset| keyset.active).count();
    assert_eq!((keysets.keysets.len(), active), (3, 1));
    let checks = verify(&local);
    assert!(checks.iter().all(|check| check.holds), "{checks:?}");
    let sealed = checks.iter().any(|check| check.claim.contains("sealed outstanding = signed"));
    assert!(sealed, "{checks:?}");
    local.stop().await;
}

fn verify(local: &Local) -> Vec<tacit_service::audit::Check> {
    use tacit_service::vault::VaultReader;
    let path = tacit_server::data_dir::vault_of(local.directory.path());
    let mut reader = tacit_store::sqlite::SqliteReader::open(&path).unwrap();
    let mint = reader.mint().unwrap();
    tacit_service::audit::check(&reader.books().unwrap(), &mint)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_does_not_go_back_at_a_restart() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    let moved: Value = client.post("/demo/clock", &json!({"advance_days": 400})).await.ok();
    assert_eq!(moved["days_ahead"], 400);
    for body in [json!({"advance_days": 36_500}), json!({"advance_days": -1}), json!({})] {
        client.post("/demo/clock", &body).await.refused(10_000);
    }
    let directory = local.stop().await;
    let local = Local::on(directory, |_| {}, |_| {}).await;
    let mut client = Client::new(local.address());
    let info: Value = client.get("/usd/v1/info").await.ok();
    assert!(info["time"].as_u64() >= moved["now"].as_u64());
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_moves_signing_and_keeps_redeeming() {
    let local = Local::demo().await;
    let mut wallet = Wallet::new(local.address(), "sat").await;
    let proofs = wallet.mint("bolt11", 7).await;
    let (old, path) = (wallet.keyset, format!("/v1/keys/{}", wallet.keyset));
    let rotate = json!({"unit": "sat", "input_fee_ppk": 200});
    wallet.client.post("/demo/rotate", &rotate).await.ok::<Value>();
    wallet.refresh().await;
    assert_eq!(wallet.fee_ppk, 200);
    assert_ne!(wallet.keyset, old);
    wallet.get(&path).await.ok::<Value>();
    let moved = wallet.swap(&proofs, &[4, 2]).await; // Three inputs of the old keyset at 100 cost 1.
    assert_eq!((total(&moved), moved[0].keyset), (6, wallet.keyset));
    let unknown = json!({"unit": "gbp"});
    wallet.client.post("/demo/rotate", &unknown).await.refused(11_013);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_are_made_for_the_units_served() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    let made: Value =
        client.post("/demo/invoice", &json!({"unit": "usd", "amount": 250})).await.ok();
    assert!(made["request"].as_str().unwrap().starts_with("lnbcrt"));
    client.post("/demo/invoice", &json!({"unit": "gbp", "amount": 250})).await.refused(11_013);
    client.post("/demo/invoice", &json!({"unit": "usd", "amount": 0})).await.refused(11_011);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_start_page_names_the_mints_and_runs_nothing() {
    let local = Local::demo().await;
    let mut client = Client::new(local.address());
    let page = client.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    for path in ["/usd", "/eur", "/kes", "/inr", "/sat"] {
        assert!(text.contains(&format!("<code>http://mint{path}</code>")), "{path}");
    }
    assert!(text.contains("M=http://mint\n"), "{text}");
    assert!(!text.contains("<script") && !text.contains("{units}") && !text.contains("{base}"));
    for name in ["$(reboot)", "a&b", "reboot;", "reboot@mint"] {
        let mut stream = TcpStream::connect(local.address()).await.unwrap();
        let asked = format!("GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 ") && !answer.contains(name), "{answer}");
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_demo_mode_there_are_no_levers() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.demo = false;
    let not_made = tacit_server::server::Parts::open(&config);
    assert!(matches!(not_made, Err(StartError::NotMade { .. })), "no seed is made unasked");
    let passphrase = Passphrase::new(b"a passphrase".to_vec()).unwrap();
    tacit_server::seed::create_sealed(&directory.path().join("seed"), &passphrase).unwrap();
    let held = directory.path().join("passphrase");
    std::fs::write(&held, "a passphrase").unwrap();
    config.passphrase = Places::file(held);
    let packed = Packed::new();
    config.wallet.directory = Some(packed.path());
    config.serving.origins.desk = Some("https://desk.example".parse().unwrap());
    config.serving.origins.wallet = Some("https://wallet.example".parse().unwrap());
    let parts = tacit_server::server::Parts::open(&config).unwrap();
    assert!(parts.rail.is_none() && parts.demo.is_none());
    let running = tacit_server::server::start(config, parts).await.unwrap();
    let mut client = Client::new(running.address());
    for path in ["/demo/clock", "/demo/invoice", "/demo/rotate"] {
        assert_eq!(client.post(path, &json!({})).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for (host, path) in [
        ("desk.example", "/demo"),
        ("desk.example", "/demo/passport"),
        ("wallet.example", "/demo/clock"),
        ("wallet.example", "/demo/contract"),
    ] {
        for method in [Method::GET, Method::POST] {
            let headers = [("host", host), ("origin", "https://desk.example")];
            let answer = client.method(method, path, &headers).await;
            let is_there = !matches!(answer.status.as_u16(), 404 | 405);
            assert!(!is_there, "{host}{path} {}", answer.status);
        }
    }
    let page = client.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(text.contains("<code>http://mint/usd</code>") && !text.contains("not real"), "{text}");
    assert!(!text.contains(".localhost") && !text.contains('{'), "{text}");
    assert_eq!(client.method(Method::GET, "/usd/v1/info", &[]).await.status, StatusCode::OK);
    assert!(running.stop().await);
}
