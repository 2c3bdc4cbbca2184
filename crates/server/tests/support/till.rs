//! A shop at the desk, its program, its owner's browser, and payers with wallets.

use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request};
use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_ecash::payment_request::PaymentRequest;
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::Proof;
use tacit_server::config::Config;
use tacit_server::server::Parts;
use tacit_service::account::AccountId;
use tacit_service::desk::biller::{Granted, LicenceProposal, LicenceTerms};
use tacit_service::desk::login::{CredentialId, Label, Passkey, Session, SessionKey};
use tacit_service::desk::merchant::{ApiKey, ApiKeyText, Merchant, NamingSecret, Scope, Scopes};
use tacit_service::desk::person::{
    KycLevel, Name, Person, PersonId, PersonState, SignUp, SignedUp,
};
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::desk::{DeskStore, Owner};

use super::client::{Answer, Client};
use super::local::Local;
use super::wallet::{Wallet, blind_secret, random, split};

/// A server with a shop.
pub struct Till {
    pub local: Local,
    pub client: Client,
    pub key: String,
    pub session: SessionKey,
}

/// The shop of these tests. Its account is opened with its first order.
pub fn merchant() -> Merchant {
    Merchant {
        account: AccountId::from_random([9; 8]),
        name: Name::new("Corner Café").unwrap(),
        owner: PersonId::from_bytes([5; 16]),
        unit: Unit::new("usd").unwrap(),
        key: public_key(7),
        naming: NamingSecret::new([3; 32]),
        webhook: None,
        webhook_secret: Secret::new([4; 32]),
        opened: Day::from_number(20_000),
        is_in_vault: false,
    }
}

/// A public key.
pub fn public_key(number: u8) -> PointBytes {
    let secret = secp256k1::SecretKey::from_byte_array([number; 32]).unwrap();
    secret.public_key(secp256k1::SECP256K1).into()
}

pub fn now() -> Timestamp {
    Timestamp::from_seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

/// The owner of the shop, logged in.
pub fn come(store: &mut dyn DeskStore) -> SessionKey {
    let key = SessionKey::from_random([6; 32]);
    let id = PersonId::from_bytes([5; 16]);
    let owner = Owner::Person(id);
    let person = Person {
        id,
        account: AccountId::from_random([5; 8]),
        name: Name::new("Ada").unwrap(),
        contact: None,
        iban: None,
        kyc: KycLevel::Unknown,
        state: PersonState::Open,
        national_number: None,
        opened: now().day(),
        is_in_vault: false,
    };
    let passkey = Passkey {
        credential: CredentialId::new(vec![1]).unwrap(),
        owner,
        record: "{}".to_owned(),
        label: Label::new("phone").unwrap(),
        added: now().day(),
        last_used: None,
    };
    let session = Session::begin(&key, owner, now());
    let done = store.sign_up(&SignUp { person, passkey, session }).unwrap();
    assert_eq!(done, SignedUp::Done);
    key
}

/// A program's key with these scopes.
pub fn key_for(store: &mut dyn DeskStore, number: u8, scopes: &[Scope]) -> String {
    let key = ApiKeyText::from_random([number; 32]);
    let kept = ApiKey {
        hash: key.hash(),
        merchant: merchant().account,
        label: Label::new("till").unwrap(),
        scopes: Scopes::new(scopes).unwrap(),
        added: now().day(),
        expires: Day::from_number(now().day().number() + 365),
        is_revoked: false,
    };
    assert!(store.add_api_key(&kept).unwrap());
    key.reveal()
}

/// Licenses the shop of these tests to bill.
pub fn license(parts: &mut Parts, terms: LicenceTerms) {
    let store = parts.desk[0].as_mut();
    let (account, day) = (merchant().account, now().day());
    let deed = |action, staff| Deed {
        moment: now(),
        staff: Some(staff),
        action,
        subject: "shop".to_owned(),
        detail: String::new(),
    };
    let (one, other) = (StaffId::from_bytes([71; 16]), StaffId::from_bytes([72; 16]));
    let proposal = LicenceProposal { merchant: account, terms, by: one, day };
    assert!(store.propose_licence(&proposal, &deed(Action::LicenceProposed, one)).unwrap());
    let granted = deed(Action::LicenceGranted, other);
    assert_eq!(store.grant_licence(account, terms, other, &granted).unwrap(), Granted::Done);
}

impl Till {
    pub async fn open() -> Self {
        Self::with(merchant(), |_| {}).await
    }

    /// With this shop, and with the parts changed before it starts.
    pub async fn with(merchant: Merchant, change: impl FnOnce(&mut Parts)) -> Self {
        Self::with_config(merchant, |_| {}, change).await
    }

    /// The same with the configuration changed, too.
    pub async fn with_config(
        merchant: Merchant,
        change_config: impl FnOnce(&mut Config),
        change: impl FnOnce(&mut Parts),
    ) -> Self {
        let (mut key, mut session) = (String::new(), None);
        let local = Local::with(change_config, |parts| {
            let store = parts.desk[0].as_mut();
            session = Some(come(store));
            assert!(store.register(&merchant).unwrap());
            key = key_for(store, 1, &Scope::ALL);
            change(parts);
        })
        .await;
        let client = Client::new(local.address());
        Self { local, client, key, session: session.unwrap() }
    }

    /// The same after a stop, with the parts changed before it starts again.
    pub async fn again(self, change: impl FnOnce(&mut Parts)) -> Self {
        let local = Local::on(self.local.stop().await, |_| {}, change).await;
        Self { client: Client::new(local.address()), local, ..self }
    }

    /// Asks the desk.
    pub async fn desk(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("host", "desk.localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.client.send(request.body(Full::new(body.into())).unwrap()).await.unwrap()
    }

    /// Asks the API with the shop's key; `idempotency` is the request's own key.
    pub async fn api(
        &mut self,
        method: Method,
        path: &str,
        idempotency: &str,
        body: &Value,
    ) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let mut headers = vec![("authorization", bearer.as_str())];
        if !idempotency.is_empty() {
            headers.push(("idempotency-key", idempotency));
        }
        self.desk(method, path, &headers, body.to_string()).await
    }

    /// A page, as the payer's browser gets it.
    pub async fn page(&mut self, path: &str) -> String {
        let answer = self.desk(Method::GET, path, &[], "").await;
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    /// A page, as the owner's browser gets it.
    pub async fn own_page(&mut self, path: &str) -> Answer {
        let cookie = format!("person={}", hex::encode(self.session.expose()));
        self.desk(Method::GET, path, &[("cookie", &cookie)], "").await
    }

    /// A form of the owner's.
    pub async fn own_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let cookie = format!("person={}", hex::encode(self.session.expose()));
        let token = hex::encode(self.session.form_token().expose());
        let all: Vec<(&str, &str)> =
            fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        let body = serde_urlencoded::to_string(all).unwrap();
        let origin = self.local.running.origins().desk.as_ref().unwrap().to_string();
        let headers = [
            ("cookie", cookie.as_str()),
            ("origin", origin.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.desk(Method::POST, path, &headers, body).await
    }

    /// A form of a payer's, who is nobody.
    pub async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).unwrap();
        let origin = self.local.running.origins().desk.as_ref().unwrap().to_string();
        let headers =
            [("origin", origin.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        self.desk(Method::POST, path, &headers, body).await
    }

    /// An order of 10.50.
    pub async fn order(&mut self, idempotency: &str) -> Value {
        let asked = json!({"amount": 1050, "description": "Two coffees"});
        self.api(Method::POST, "/api/v1/orders", idempotency, &asked).await.ok()
    }

    /// The order as it is now.
    pub async fn look(&mut self, order: &Value) -> Value {
        let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
        self.api(Method::GET, &path, "", &json!(null)).await.ok()
    }

    pub async fn wallet(&self) -> Wallet {
        Wallet::new(self.local.address(), "usd").await
    }
}

/// The request of an order.
pub fn request_of(order: &Value) -> PaymentRequest {
    let request: PaymentRequest = order["payment_request"].as_str().unwrap().parse().unwrap();
    let other = order["payment_request_bech32"].as_str().unwrap().parse().unwrap();
    assert_eq!(request, other, "both forms say the same");
    request
}

/// Money locked as a request wants it, by the wallet that has it.
pub async fn lock(wallet: &mut Wallet, request: &PaymentRequest) -> Vec<Proof> {
    let amount = request.amount.unwrap();
    let proofs = wallet.mint("bank", amount).await;
    let option = request.lock.as_ref().unwrap();
    let blindings: Vec<_> = split(amount)
        .into_iter()
        .map(|part| {
            let secret = option.to_secret(&random()).unwrap();
            blind_secret(part, wallet.keyset, secret.expose().clone())
        })
        .collect();
    let swap = super::wallet::swap_request(proofs, &blindings);
    let answer = wallet.post("/v1/swap", &swap).await;
    wallet.unblind(&blindings, &answer.ok())
}

/// Where a request is paid, as a path of the mint.
pub fn pay_path(request: &PaymentRequest) -> String {
    let url = request.post_url().unwrap();
    url[url.find("/usd/").unwrap() + "/usd".len()..].to_owned()
}

/// What a wallet sends.
pub fn payload(request: &PaymentRequest, proofs: &[Proof]) -> Value {
    let proofs: Vec<Value> = proofs
        .iter()
        .map(|proof| {
            serde_json::to_value(tacit_ecash::message::Proof::from(proof.clone())).unwrap()
        })
        .collect();
    json!({
        "id": request.id, "memo": "thanks", "mint": request.mints[0], "unit": "usd", "proofs": proofs,
    })
}
