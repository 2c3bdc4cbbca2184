//! Money in the portal: topped up, loaded into a wallet, paid in from one, and what is refused.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use secp256k1::PublicKey;
use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_ecash::message::info::InfoResponse;
use tacit_ecash::message::{MintQuoteResponse, MintQuoteState};
use tacit_service::account::AccountId;
use tacit_service::desk::Owner;
use tacit_service::desk::login::{CredentialId, Label, Passkey, Session, SessionKey};
use tacit_service::desk::person::{
    KycLevel, Name, Person, PersonId, PersonState, PersonStore, SignUp, SignedUp,
};
use tacit_store::desk::sqlite::SqliteDesk;
use tempfile::TempDir;

use crate::support::client::{Answer, Client};
use crate::support::local::Local;
use crate::support::wallet::{Wallet, total};

/// Somebody who is logged in.
struct Visitor {
    client: Client,
    account: AccountId,
    key: SessionKey,
}

/// A demo whose quotes nobody pays, with people who are logged in.
async fn desk_with(names: &[&str]) -> (Local, Vec<Visitor>) {
    let first = Local::demo().await;
    let info: InfoResponse = Client::new(first.address()).get("/usd/v1/info").await.ok();
    let mint: PublicKey = info.pubkey.unwrap().to_string().parse().unwrap();
    let directory = first.stop().await;
    let keys: Vec<_> =
        (1..).zip(names).map(|(n, name)| take_in(&directory, &mint, n, name)).collect();
    let local = Local::on(
        directory,
        |config| config.bounds.receipt_delay = Duration::from_secs(3600),
        |_| {},
    )
    .await;
    let visitor = |(account, key)| Visitor { client: Client::new(local.address()), account, key };
    let mut visitors: Vec<_> = keys.into_iter().map(visitor).collect();
    for visitor in &mut visitors {
        visitor.until_opened().await;
    }
    (local, visitors)
}

fn take_in(
    directory: &TempDir,
    mint: &PublicKey,
    number: u8,
    name: &str,
) -> (AccountId, SessionKey) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = Timestamp::from_seconds(now.as_secs());
    let id = PersonId::from_bytes([number; 16]);
    let (owner, key) = (Owner::Person(id), SessionKey::from_random([number; 32]));
    let account = AccountId::from_random([number; 8]);
    let person = Person {
        id,
        account,
        name: Name::new(name).unwrap(),
        contact: None,
        iban: None,
        kyc: KycLevel::Unknown,
        state: PersonState::Open,
        national_number: None,
        opened: now.day(),
        is_in_vault: false,
    };
    let passkey = Passkey {
        credential: CredentialId::new(vec![number; 16]).unwrap(),
        owner,
        record: "{}".to_owned(),
        label: Label::new("key").unwrap(),
        added: now.day(),
        last_used: None,
    };
    let session = Session::begin(&key, owner, now);
    let mut desk = SqliteDesk::open(&directory.path().join("desk.sqlite"), mint).unwrap();
    assert_eq!(desk.sign_up(&SignUp { person, session, passkey }).unwrap(), SignedUp::Done);
    (account, key)
}

impl Visitor {
    async fn ask(&mut self, method: Method, path: &str, body: String) -> Answer {
        let port = self.client.address().port();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", format!("desk.localhost:{port}"))
            .header("origin", format!("http://desk.localhost:{port}"))
            .header("cookie", format!("person={}", hex::encode(self.key.expose())))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        self.client.send(request).await.expect("the server answers")
    }

    async fn look(&mut self, path: &str) -> String {
        let answer = self.ask(Method::GET, path, String::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    async fn send(&mut self, path: &str, fields: &str) -> (StatusCode, String) {
        let token = hex::encode(self.key.form_token().expose());
        let answer = self.ask(Method::POST, path, format!("form_token={token}&{fields}")).await;
        (answer.status, String::from_utf8(answer.body.to_vec()).unwrap())
    }

    async fn until_opened(&mut self) {
        for _ in 0..400 {
            if self.look("/portal").await.contains("0.00 USD") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the account was not opened within ten seconds");
    }

    async fn demo_money(&mut self) {
        let (status, text) = self.send("/portal/demo-money", "").await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    }

    async fn statement(&mut self) -> Value {
        serde_json::from_str(&self.look("/portal/statement.json?unit=usd").await).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_topped_up_loads_a_wallet_and_is_paid_from_one() {
    let (local, mut visitors) = desk_with(&["Ada"]).await;
    let mut ada = visitors.remove(0);
    assert!(ada.look("/portal").await.contains("Your account is empty"));
    ada.demo_money().await;
    let home = ada.look("/portal").await;
    assert!(home.contains("100.00 USD") && home.contains("RF"), "{home}");
    assert!(home.contains("You can top up 400.00 USD more today."), "{home}");

    let mut wallet = Wallet::new(local.address(), "usd").await;
    let quote = wallet.mint_quote("bank", 3000).await;
    for said in [&quote.quote, &quote.request] {
        let (status, page) = ada.send("/portal/approve", &format!("quote={said}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(page.contains("Pay 30.00 USD") && page.contains("100.00 USD"), "{page}");
    }
    let unpaid: MintQuoteResponse =
        wallet.get(&format!("/v1/mint/quote/bank/{}", quote.quote)).await.ok();
    assert_eq!(unpaid.state, MintQuoteState::Unpaid, "a look pays nothing");
    let fields = format!("quote={}", quote.quote);
    for _ in 0..2 {
        assert_eq!(ada.send("/portal/approve/confirm", &fields).await.0, StatusCode::SEE_OTHER);
    }
    assert!(ada.look("/portal").await.contains("70.00 USD"), "two clicks pay once");
    let proofs = wallet.issue("bank", &quote.quote, &[2048, 512, 256, 128, 32, 16, 8]).await;
    assert_eq!(total(&proofs), 3000);
    let (status, page) = ada.send("/portal/approve", &fields).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("paid already"), "{page}");

    let page = ada.look("/portal/cash-out?unit=usd&amount=25.00").await;
    let target = format!("payto://tacit/{}?amount=usd:25.00", ada.account);
    assert!(page.contains(&target) && page.contains("<svg class=\"code\""), "{page}");
    let melt = wallet.melt_quote("bank", &target).await;
    assert_eq!((melt.amount, melt.fee_reserve), (2500, 0));
    let (_, change) = wallet.melt("bank", &melt.quote, &proofs, 10).await;
    assert_eq!(total(&change), 500);
    let statement = ada.statement().await;
    assert_eq!(statement["balance"], "95.00", "{statement}");
    let mut amounts: Vec<_> = statement["movements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["kind"].as_str().unwrap())
        .collect();
    amounts.sort_unstable();
    assert_eq!(amounts.first(), Some(&"Bank transfer received"));
    let csv = ada.look("/portal/statement.csv?unit=usd").await;
    assert!(csv.contains(",\"Loaded into a wallet\",-30.00,USD\r\n"), "{csv}");
    assert!(ada.look("/portal/statement?unit=usd").await.contains("Paid in from a wallet"));
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_paid_or_may_not_come_in_is_refused_in_words() {
    let (local, mut visitors) = desk_with(&["Ada", "Grace"]).await;
    let (mut grace, mut ada) = (visitors.remove(1), visitors.remove(0));
    let mut wallet = Wallet::new(local.address(), "usd").await;
    let quote = wallet.mint_quote("bank", 3000).await;
    let fields = format!("quote={}", quote.quote);
    for (path, said) in
        [("/portal/approve", "does not hold"), ("/portal/approve/confirm", "does not hold")]
    {
        let (status, page) = ada.send(path, &fields).await;
        assert!(status == StatusCode::UNPROCESSABLE_ENTITY && page.contains(said), "{path} {page}");
    }
    for said in ["", "x", "RF18539007547034", "1f0c6a52-7a0e-4f3b-9c55-0d2f4b8a6e11"] {
        let (status, page) = ada.send("/portal/approve", &format!("quote={said}")).await;
        assert!(status == StatusCode::UNPROCESSABLE_ENTITY, "{said}: {page}");
        assert!(page.contains("No open request"), "{said}: {page}");
    }
    let bare = ada.ask(Method::POST, "/portal/approve/confirm", fields.clone()).await;
    assert_eq!(bare.status, StatusCode::FORBIDDEN, "without the form's token");
    for _ in 0..5 {
        ada.demo_money().await;
    }
    let (status, page) = ada.send("/portal/demo-money", "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("more would come in today"), "{page}");
    assert!(ada.look("/portal").await.contains("500.00 USD"));
    assert_eq!(ada.send("/portal/approve/confirm", &fields).await.0, StatusCode::SEE_OTHER);
    grace.demo_money().await;
    let (status, page) = grace.send("/portal/approve/confirm", &fields).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("paid already"), "{page}");
    assert!(grace.look("/portal").await.contains("100.00 USD"), "hers is untouched");
    let path = "/v1/melt/quote/bank";
    for (request, code) in [
        ("payto://tacit/ZZZZZZZZZZZZ?amount=usd:1.00".to_owned(), 20_004),
        ("payto://tacit/nobody?amount=usd:1.00".to_owned(), 20_004),
        (format!("payto://tacit/{}?amount=eur:1.00", ada.account), 11_013),
    ] {
        let body = json!({"unit": "usd", "request": request});
        wallet.post(path, &body).await.refused(code);
    }
    assert_eq!(
        ada.ask(Method::GET, "/portal/statement?unit=chf", String::new()).await.status,
        StatusCode::NOT_FOUND
    );
    assert!(ada.look("/portal/cash-out?unit=usd&amount=1.005").await.contains("cannot be read"));
    local.stop().await;
}
