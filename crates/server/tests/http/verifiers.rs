//! Verifiers over HTTP: who registers them, what they ask, what a wallet reads and sends, and what others send.

use hyper::{Method, StatusCode};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_credit::certificate::hold::Certificate;
use tacit_credit::certificate::issue::Issuer;
use tacit_credit::certificate::issuer::Metadata;
use tacit_credit::certificate::key::{Purpose, SecretKey};
use tacit_credit::certificate::request::{Asker, Invitation, Request};
use tacit_credit::certificate::statement::Statement;
use tacit_credit::certificate::verify::Expected;
use tacit_credit::passport::wire;
use tacit_credit::scorecard::signed::CardId;
use tacit_service::desk::staff::Role;

use crate::support::client::{Answer, Client};
use crate::support::office::{Console, Who, ada, text, to};
use crate::support::till::now;

const TELLER: Who = Who(0);
const COMPLIANCE: Who = Who(1);
const ADA: Who = Who(2);

async fn town() -> Console {
    Console::with(&[Role::Teller, Role::Compliance]).await
}

async fn register(town: &mut Console) {
    let account = ada().to_string();
    let fields = [("account", account.as_str()), ("name", "Ada's Bank"), ("purpose", "A loan")];
    let answer = town.send(COMPLIANCE, "/operator/verifiers/add", &fields).await;
    assert_eq!(to(&answer), "/operator/verifiers?done=added");
}

/// Asks for 682, nothing overdue; gives the page of the question.
async fn ask(town: &mut Console, id: &str) -> String {
    let fields = [("id", id), ("threshold", "682"), ("tenure", ""), ("nothing_overdue", "yes")];
    to(&town.send(ADA, "/verifier", &fields).await)
}

/// A wallet: no cookie, no origin.
struct Wallet {
    client: Client,
    host: String,
    metadata: Metadata,
    card: CardId,
}

impl Wallet {
    async fn new(town: &Console) -> Self {
        let mut client = Client::new(town.local.address());
        let host = town.local.running.origins().desk.as_ref().unwrap().host().to_owned();
        let answer = client.get("/.well-known/jwt-vc-issuer").await;
        let mint = town.local.running.origins().mint.as_ref().unwrap().to_string();
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        let metadata = Metadata::read(&answer.body, Some(&mint)).unwrap();
        let info: wire::Info = client.get("/v1/passport").await.ok();
        let card = CardId::from_bytes(hex::decode(&info.scorecard.unwrap().id).unwrap());
        Self { client, host, metadata, card }
    }

    async fn ask(&mut self, method: Method, path: &str, body: String) -> Answer {
        let request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(http_body_util::Full::new(body.into()))
            .unwrap();
        self.client.send(request).await.expect("the server answers")
    }

    /// The request that a page's code leads to.
    async fn request(&mut self, page: &str) -> Request {
        let (_, link) = page.split_once("value=\"openid4vp:").unwrap();
        let link = link.split_once('"').unwrap().0.replace("&#38;", "&").replace("&amp;", "&");
        let link = format!("openid4vp:{link}");
        let Invitation::Fetch { client, from } = Invitation::read(&link).unwrap() else {
            panic!("{link}")
        };
        let (_, path) = from.url().rsplit_once("/certificate/").unwrap();
        let answer = self.ask(Method::GET, &format!("/certificate/{path}"), String::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
        assert_eq!(answer.headers["content-type"], "application/oauth-authz-req+jwt");
        assert_eq!(answer.headers["cache-control"], "no-store");
        let operator = self.metadata.attestations();
        Request::read(&text(&answer), &client, &operator, now()).unwrap()
    }

    async fn answer(&mut self, body: String) -> StatusCode {
        self.ask(Method::POST, "/certificate/answer", body).await.status
    }
}

/// A certificate of the operator's, as the wallet holds it.
fn certificate(town: &Console, wallet: &Wallet, threshold: u16, made: Timestamp) -> Certificate {
    let mint = town.local.running.origins().mint.as_ref().unwrap().to_string();
    let seed = std::fs::read_to_string(town.local.directory.path().join("seed")).unwrap();
    let seed = Secret::new(hex::decode(seed.trim()).unwrap());
    let issuer = Issuer::new(&mint, SecretKey::derive(&seed, Purpose::Certificates, b"0"));
    let card = wallet.card;
    let statement = Statement { card, threshold, tenure: 6, nothing_overdue: true };
    let entropy = Secret::new([threshold.to_be_bytes()[1]; 32]);
    let key = SecretKey::from_entropy(&entropy);
    let text = issuer.issue(&statement, &[key.public()], made.day(), &entropy).remove(0);
    let trusted = issuer.metadata(&key.public()).certificates();
    Certificate::receive(&text, key, &statement, &trusted, made).unwrap()
}

fn present(request: &Request, certificate: &Certificate, nonce: &str) -> String {
    let claims: Vec<_> = certificate.claims().map(|(claim, _)| claim).collect();
    let expected = Expected { audience: &request.client, nonce };
    request.answer(&certificate.present(&claims, expected, now()), &Secret::new([9; 32]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_asked_answered_once_and_seen_by_who_asked() {
    let mut town = town().await;
    assert!(town.look(ADA, "/verifier").await.contains("You are not registered"));
    register(&mut town).await;
    let page = town.look(ADA, "/verifier").await;
    assert!(page.contains("Bank") && page.contains("A loan"), "{page}");
    let id = "0123456789abcdef0123456789abcdef";
    let path = ask(&mut town, id).await;
    assert_eq!(ask(&mut town, id).await, path, "a second click");
    let page = town.look(ADA, &path).await;
    assert!(page.contains("a score of at least 682") && page.contains("<svg class=\"qr\""));
    let mut wallet = Wallet::new(&town).await;
    let request = wallet.request(&page).await;
    let (name, purpose) = ("Ada's Bank".to_owned(), "A loan".to_owned());
    assert_eq!(request.asker, Asker::Registered { name, purpose });
    let good = certificate(&town, &wallet, 740, now());
    let old = Timestamp::from_seconds(now().seconds() - 5 * 86_400);
    let (low, expired) =
        (certificate(&town, &wallet, 546, now()), certificate(&town, &wallet, 800, old));
    let refused = StatusCode::BAD_REQUEST;
    for (body, why) in [
        (present(&request, &good, "other"), "made for another request"),
        (present(&request, &low, &request.nonce), "less than was asked for"),
        (present(&request, &expired, &request.nonce), "expired"),
        (present(&request, &good, &request.nonce).replace(id, &"00".repeat(16)), "another's"),
        ("state=x&vp_token={}".to_owned(), "nothing"),
        ("a".repeat(60_000), "too much"),
    ] {
        assert_eq!(wallet.answer(body).await, refused, "{why}");
    }
    // Anybody may say no; it ends nothing.
    assert_eq!(wallet.answer(format!("state={id}&error=access_denied")).await, StatusCode::OK);
    let state = |answer: Answer| text(&answer);
    let state_path = format!("/certificate/{id}/state");
    let waiting = state(wallet.ask(Method::GET, &state_path, String::new()).await);
    assert_eq!(waiting, r#"{"state":"waiting"}"#);
    let body = present(&request, &good, &request.nonce);
    assert_eq!(wallet.answer(body.clone()).await, StatusCode::OK);
    assert_eq!(wallet.answer(body).await, refused, "once");
    let shown = state(wallet.ask(Method::GET, &state_path, String::new()).await);
    assert_eq!(shown, r#"{"state":"shown"}"#);
    let page = town.look(ADA, &path).await;
    assert!(page.contains("Shown, and believed") && page.contains("at least 740"), "{page}");
    // Nobody else sees it.
    assert_eq!(town.get(TELLER, &path).await.status, StatusCode::SEE_OTHER, "no person");
    town.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn compliance_registers_verifiers_and_stops_them_and_everybody_reads_the_list() {
    let mut town = town().await;
    let account = ada().to_string();
    let fields = [("account", account.as_str()), ("name", "Ada's Bank"), ("purpose", "A loan")];
    let add = "/operator/verifiers/add";
    assert_eq!(town.send(TELLER, add, &fields).await.status, StatusCode::FORBIDDEN);
    let forged = serde_urlencoded::to_string(fields).unwrap() + "&form_token=00";
    let kind = "application/x-www-form-urlencoded";
    let forged = town.ask(COMPLIANCE, Method::POST, add, kind, forged.into_bytes()).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    for (bad, said) in [
        ([("account", "000000000000"), ("name", "Bank"), ("purpose", "A loan")], "no open account"),
        ([("account", account.as_str()), ("name", " "), ("purpose", "A loan")], "name cannot be"),
        (
            [("account", account.as_str()), ("name", "Bank"), ("purpose", "\u{202e}")],
            "purpose cannot be",
        ),
    ] {
        let answer = town.send(COMPLIANCE, add, &bad).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(text(&answer).contains(said), "{said}: {}", text(&answer));
    }
    register(&mut town).await;
    let twice = town.send(COMPLIANCE, add, &fields).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(&twice).contains("registered already"));
    let page = town.look(TELLER, "/operator/verifiers").await;
    assert!(page.contains("Bank") && !page.contains("/operator/verifiers/add"), "{page}");
    let mut wallet = Wallet::new(&town).await;
    let list = wallet.ask(Method::GET, "/verifiers", String::new()).await;
    assert!(text(&list).contains("A loan") && text(&list).contains("may ask"));
    // A question that is open when its verifier is stopped is answered by nobody.
    let path = ask(&mut town, &"ab".repeat(16)).await;
    let page = town.look(ADA, &path).await;
    let request = wallet.request(&page).await;
    let staff = town.look(COMPLIANCE, "/operator/verifiers").await;
    let (_, id) = staff.split_once("name=\"verifier\" value=\"").unwrap();
    let id = id.split_once('"').unwrap().0.to_owned();
    let stop = [("verifier", id.as_str()), ("what", "stop")];
    let change = "/operator/verifiers/change";
    assert_eq!(town.send(TELLER, change, &stop).await.status, StatusCode::FORBIDDEN);
    for _ in 0..2 {
        let answer = town.send(COMPLIANCE, change, &stop).await;
        assert_eq!(to(&answer), "/operator/verifiers?done=changed");
    }
    let body = present(&request, &certificate(&town, &wallet, 740, now()), &request.nonce);
    assert_eq!(wallet.answer(body.clone()).await, StatusCode::BAD_REQUEST);
    let path = format!("/certificate/{}/request", "ab".repeat(16));
    let gone = wallet.ask(Method::GET, &path, String::new());
    assert_eq!(gone.await.status, StatusCode::NOT_FOUND);
    assert!(town.look(ADA, "/verifier").await.contains("You may not ask at present"));
    let again = [("id", "00"), ("threshold", "682"), ("tenure", "")];
    assert_eq!(town.send(ADA, "/verifier", &again).await.status, StatusCode::FORBIDDEN);
    let resume = [("verifier", id.as_str()), ("what", "resume")];
    to(&town.send(COMPLIANCE, change, &resume).await);
    assert_eq!(wallet.answer(body).await, StatusCode::OK);
    let trail = town.look(COMPLIANCE, "/operator/trail").await;
    for action in ["verifier-registered", "verifier-stopped", "verifier-resumed"] {
        assert_eq!(trail.matches(action).count(), 1, "{action}");
    }
    town.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_verifier_sends_is_checked() {
    let mut town = town().await;
    register(&mut town).await;
    let id = "cd".repeat(16);
    for (threshold, tenure) in [("683", ""), ("", ""), ("682", "4"), ("x", "6")] {
        let fields = [("id", id.as_str()), ("threshold", threshold), ("tenure", tenure)];
        let answer = town.send(ADA, "/verifier", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{threshold} {tenure}");
        assert!(text(&answer).contains("Choose a score"));
    }
    let fields = [("id", "zz"), ("threshold", "682"), ("tenure", "")];
    assert_eq!(town.send(ADA, "/verifier", &fields).await.status, StatusCode::BAD_REQUEST);
    for number in 0..50 {
        ask(&mut town, &hex::encode(&[number; 16])).await;
    }
    let fields = [("id", id.as_str()), ("threshold", "682"), ("tenure", "")];
    let many = town.send(ADA, "/verifier", &fields).await;
    assert_eq!(many.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(&many).contains("50 questions"));
    assert_eq!(town.get(ADA, &format!("/verifier/{id}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(town.get(ADA, "/certificate/zz/state").await.status, StatusCode::NOT_FOUND);
    town.local.stop().await;
}
