//! TLS with certificates made for the test, and clients that check them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tacit_server::config::serving::{Listeners, TlsFiles};
use tacit_server::config::{Config, Overrides};
use tacit_server::metric::Counter;
use tacit_server::origin::Site;
use tacit_server::server::{Parts, StartError, start};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::support::client::Client;
use crate::support::local::{Local, config};

/// A certificate for a name, and its key, in PEM. Its own root.
struct Pair {
    der: CertificateDer<'static>,
    certificate: String,
    key: String,
}

impl Pair {
    fn of(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2050, 1, 1);
        let made = params.self_signed(&key).unwrap();
        Self { der: made.der().clone(), certificate: made.pem(), key: key.serialize_pem() }
    }
}

/// Two files in a directory that vanishes with it.
struct Files {
    directory: TempDir,
}

impl Files {
    fn of(pair: &Pair) -> Self {
        let files = Self { directory: tempfile::tempdir().unwrap() };
        files.write(&pair.certificate, &pair.key);
        files
    }

    fn write(&self, certificate: &str, key: &str) {
        fs::write(self.path("certificate"), certificate).unwrap();
        fs::write(self.path("key"), key).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn configured(&self) -> TlsFiles {
        TlsFiles { certificate: Some(self.path("certificate")), key: Some(self.path("key")) }
    }

    /// A server that looks at them when it is told to.
    async fn serve(&self) -> Local {
        let files = self.configured();
        let change = |config: &mut Config| {
            config.serving.tls = files;
            config.bounds.tls_look = Duration::from_secs(86_400);
        };
        Local::with(change, |_| {}).await
    }
}

/// A client that trusts one certificate and no other.
fn trusting(pair: &Pair) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(pair.der.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config).into()
}

async fn connect(
    local: &Local,
    client: &TlsConnector,
    name: &'static str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(local.address()).await.unwrap();
    client.connect(ServerName::try_from(name).unwrap(), stream).await
}

async fn get(stream: TlsStream<TcpStream>, host: &str, path: &str) -> Response<Bytes> {
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(path).header("host", host).body(Full::<Bytes>::default()).unwrap();
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

/// Whether the server shows this certificate now.
async fn shows(local: &Local, pair: &Pair) -> bool {
    connect(local, &trusting(pair), "mint.localhost").await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_answers_over_tls_and_over_nothing_else() {
    let pair = Pair::of("mint.localhost");
    let local = Files::of(&pair).serve().await;
    let client = trusting(&pair);
    let stream = connect(&local, &client, "mint.localhost").await.unwrap();
    let answer = get(stream, "mint.localhost", "/usd/v1/info").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let kept = &answer.headers()["strict-transport-security"];
    assert_eq!(kept, "max-age=63072000");
    let stream = connect(&local, &client, "mint.localhost").await.unwrap();
    let page = get(stream, "mint.localhost", "/").await;
    let text = String::from_utf8_lossy(page.body()).into_owned();
    assert!(text.contains("https://desk.localhost") && !text.contains("http://"), "{text}");
    assert!(Client::new(local.address()).try_get("/health").await.is_err(), "not in the clear");
    assert!(!shows(&local, &Pair::of("mint.localhost")).await, "the test's client does check");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_resumed_so_that_connections_cannot_be_joined() {
    let pair = Pair::of("mint.localhost");
    let local = Files::of(&pair).serve().await;
    let client = trusting(&pair);
    for _ in 0..3 {
        let mut stream = connect(&local, &client, "mint.localhost").await.unwrap();
        // A ticket would come with the first bytes.
        let request = b"GET /health HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        assert!(said.starts_with(b"HTTP/1.1 200 "));
        let (_, session) = stream.get_ref();
        assert_eq!(session.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(session.tls13_tickets_received(), 0);
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_taken_and_a_broken_one_is_not() {
    let (old, new, other) = (Pair::of("mint.localhost"), Pair::of("mint.localhost"), Pair::of("x"));
    let files = Files::of(&old);
    let local = files.serve().await;
    let count = |counter| local.running.metrics().count(counter);
    for (certificate, key) in [
        ("", old.key.as_str()),
        ("no certificate", &old.key),
        (&new.certificate, "no key"),
        (&new.certificate, &other.key),
    ] {
        files.write(certificate, key);
        let refused = count(Counter::CertificatesRefused);
        for _ in 0..3 {
            local.running.look_at_certificate();
        }
        assert_eq!(count(Counter::CertificatesRefused), refused + 1, "told once of each");
        assert!(shows(&local, &old).await);
    }
    assert_eq!(count(Counter::CertificatesTaken), 0);
    files.write(&new.certificate, &new.key);
    local.running.look_at_certificate();
    assert!(shows(&local, &new).await && !shows(&local, &old).await);
    assert_eq!(count(Counter::CertificatesTaken), 1);
    fs::remove_file(files.path("key")).unwrap();
    local.running.look_at_certificate();
    assert!(shows(&local, &new).await, "also without files");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_files_are_noticed_without_being_told() {
    let (old, new) = (Pair::of("mint.localhost"), Pair::of("mint.localhost"));
    let files = Files::of(&old);
    let configured = files.configured();
    let change = |config: &mut Config| {
        config.serving.tls = configured;
        config.bounds.tls_look = Duration::from_millis(20);
    };
    let local = Local::with(change, |_| {}).await;
    assert!(shows(&local, &old).await);
    files.write(&new.certificate, &new.key);
    for _ in 0..400 {
        if shows(&local, &new).await {
            return assert!(!shows(&local, &old).await);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the new certificate was not noticed within ten seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_certificate_is_a_metric_on_the_operators_own_listener() {
    let pair = Pair::of("mint.localhost");
    let files = Files::of(&pair);
    let configured = files.configured();
    let change = |config: &mut Config| {
        config.serving.tls = configured;
        let operator = Some("127.0.0.1:0".to_owned());
        config.serving.listeners = Listeners { operator, ..Listeners::default() };
    };
    let local = Local::with(change, |_| {}).await;
    let mut operator = Client::new(local.running.address_of(Site::Operator).unwrap());
    let text = String::from_utf8(operator.get("/metrics").await.body.to_vec()).unwrap();
    assert!(text.contains("\ntacit_certificate_end_seconds 2524608000\n"), "{text}"); // 2050
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_works_over_tls_and_is_told_when_the_mint_stops() {
    let pair = Pair::of("mint.localhost");
    let local = Files::of(&pair).serve().await;
    let stream = connect(&local, &trusting(&pair), "mint.localhost").await.unwrap();
    let (mut socket, _) = client_async("wss://mint.localhost/usd/v1/ws", stream).await.unwrap();
    let y = "02".to_owned() + &"11".repeat(32);
    let subscribe = json!({"jsonrpc": "2.0", "id": 1, "method": "subscribe",
        "params": {"kind": "proof_state", "subId": "a", "filters": [y]}});
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap().into_text().unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["result"]["status"], "OK");
    let stopping = tokio::spawn(local.stop());
    let mut closed = None;
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(frame) = message {
            closed = frame;
        }
    }
    assert_eq!(
        closed.map(|frame| frame.reason.to_string()).as_deref(),
        Some("the mint is stopping")
    );
    stopping.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_agree_on_keys_hinders_neither_others_nor_a_stop() {
    let pair = Pair::of("mint.localhost");
    let local = Files::of(&pair).serve().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(local.address()).await.unwrap());
    }
    assert!(shows(&local, &pair).await);
    let begun = std::time::Instant::now();
    local.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_hold_no_certificate_stop_the_start() {
    let (pair, other) = (Pair::of("a"), Pair::of("a"));
    let data = tempfile::tempdir().unwrap();
    let said = async |certificate: &str, key: &str| {
        let files = Files::of(&pair);
        files.write(certificate, key);
        refused(data.path(), files.configured()).await
    };
    assert!(said("", &pair.key).await.contains("there is no certificate in"));
    assert!(said(&pair.certificate, "").await.contains("there is no private key in"));
    assert!(said(&pair.certificate, &other.key).await.contains("is not that of"));
    let nowhere = TlsFiles {
        certificate: Some("/nowhere/at/all".into()),
        key: Some("/nowhere/either".into()),
    };
    assert!(refused(data.path(), nowhere).await.contains("/nowhere/at/all cannot be read"));
}

async fn refused(data: &Path, files: TlsFiles) -> String {
    let mut config = config(data);
    config.serving.tls = files;
    let parts = Parts::open(&config).unwrap();
    match start(config, parts).await {
        Err(StartError::Tls(error)) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it started"),
    }
}

#[test]
fn a_certificate_in_files_is_configured_by_its_two_paths() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tacit.toml");
    let text = "listen = '[::]:443'\n[tls]\ncertificate = 'c'\nkey = 'k'\n[[unit]]\nunit = 'usd'\n";
    fs::write(&path, text).unwrap();
    let config = Config::load(Overrides::default(), Some(&path)).unwrap();
    assert!(config.serving.is_secure());
}
