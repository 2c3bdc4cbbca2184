//! The operator's console as staff's browsers see it, on a desk that knows a bank account.

use hyper::header::HeaderMap;
use hyper::{Method, StatusCode};
use tacit_bank::iban::BankAccount;
use tacit_bank::statement::References;
use tacit_core::hex;
use tacit_core::unit::Unit;
use tacit_server::config::bank::BankTerms;
use tacit_server::config::{Config, UnitConfig};
use tacit_service::account::AccountId;
use tacit_service::desk::login::{
    ALREADY, Accepted, CredentialId, INVITATION_LIFE, Invitation, InvitationHash, Label, Passkey,
    Session, SessionKey,
};
use tacit_service::desk::person::{
    KycLevel, Name, Person, PersonId, PersonState, SignUp, SignedUp,
};
use tacit_service::desk::staff::{Role, Staff, StaffId};
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::desk::{DeskStore, Owner};

use super::client::{Answer, Client};
use super::local::Local;
use super::till::now;

/// The IBAN of the operator's account, as the fixtures of `tacit-bank` have it.
pub const OWN_IBAN: &str = "DE89370400440532013000";

/// A server with a bank account in euros, and whoever is logged in.
pub struct Console {
    pub local: Local,
    client: Client,
    keys: Vec<SessionKey>,
}

/// Who asks: staff in the order of their taking in, or a person.
#[derive(Clone, Copy)]
pub struct Who(pub usize);

/// People of these tests: Ada, with an account.
pub fn ada() -> AccountId {
    AccountId::from_random([0x5a; 8])
}

fn euros(config: &mut Config) {
    let unit = Unit::new("eur").unwrap();
    let bank = BankTerms {
        account: BankAccount::named(OWN_IBAN).unwrap(),
        references: References::Standard,
    };
    let template = config.units[0].clone();
    config.units = vec![UnitConfig { unit, bank: Some(bank), payout_alone_max: 5000, ..template }];
    config.bank_name = Some("Tacit Money Ltd".to_owned());
}

impl Console {
    /// Staff of these roles, and then Ada with her session.
    pub async fn with(roles: &[Role]) -> Self {
        Self::with_config(roles, |_| {}).await
    }

    /// The same with the configuration changed.
    pub async fn with_config(roles: &[Role], change: impl FnOnce(&mut Config)) -> Self {
        let mut keys = Vec::new();
        let configure = |config: &mut Config| {
            euros(config);
            change(config);
        };
        let local = Local::with(configure, |parts| {
            let store = parts.desk[0].as_mut();
            keys = (1..).zip(roles).map(|(number, role)| take_in(store, number, *role)).collect();
            keys.push(sign_up(store));
        })
        .await;
        let client = Client::new(local.address());
        let mut console = Self { local, client, keys };
        console.until_opened(Who(roles.len())).await;
        console
    }

    async fn until_opened(&mut self, ada: Who) {
        for _ in 0..400 {
            if self.look(ada, "/portal").await.contains("0.00 EUR") {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the account was not opened within ten seconds");
    }

    pub fn token(&self, who: Who) -> String {
        hex::encode(self.keys[who.0].form_token().expose())
    }

    pub async fn ask(
        &mut self,
        who: Who,
        method: Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Answer {
        let key = hex::encode(self.keys[who.0].expose());
        let origin = self.local.running.origins().desk.as_ref().unwrap().to_string();
        let request = hyper::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "desk.localhost")
            .header("origin", origin)
            .header("cookie", format!("staff={key}; person={key}"))
            .header("content-type", kind)
            .body(http_body_util::Full::new(body.into()))
            .unwrap();
        self.client.send(request).await.expect("the server answers")
    }

    pub async fn get(&mut self, who: Who, path: &str) -> Answer {
        self.ask(who, Method::GET, path, "text/plain", Vec::new()).await
    }

    /// A page that is shown.
    pub async fn look(&mut self, who: Who, path: &str) -> String {
        let answer = self.get(who, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", text(&answer));
        text(&answer)
    }

    /// A form, with its token.
    pub async fn send(&mut self, who: Who, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token(who);
        let all: Vec<_> = fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        let body = serde_urlencoded::to_string(all).unwrap();
        let kind = "application/x-www-form-urlencoded";
        self.ask(who, Method::POST, path, kind, body.into_bytes()).await
    }
}

pub fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// Where an answer leads.
pub fn to(answer: &Answer) -> String {
    let headers: &HeaderMap = &answer.headers;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", text(answer));
    headers["location"].to_str().unwrap().to_owned()
}

fn take_in(store: &mut dyn DeskStore, number: u8, role: Role) -> SessionKey {
    let id = StaffId::from_bytes([number; 16]);
    let owner = Owner::Staff(id);
    let name = Name::new(&format!("{} {number}", role.name())).unwrap();
    let hash = InvitationHash::from_bytes([number; 32]);
    let expires = now().after(INVITATION_LIFE);
    let invitation = Invitation { hash, owner, opens: Some(ALREADY), expires, by: None };
    let deed = Deed::about(now(), None, Action::StaffAdded, owner);
    let staff = Staff { id, name, role, is_active: true };
    assert!(store.add_staff(&staff, &invitation, &deed).unwrap());
    let key = SessionKey::from_random([number; 32]);
    let (passkey, session) = (passkey(number, owner), Session::begin(&key, owner, now()));
    let accepted = store.accept(hash, &passkey, &session, now(), &deed).unwrap();
    assert_eq!(accepted, Accepted::Done);
    key
}

fn sign_up(store: &mut dyn DeskStore) -> SessionKey {
    let key = SessionKey::from_random([0x5a; 32]);
    let id = PersonId::from_bytes([0x5a; 16]);
    let owner = Owner::Person(id);
    let person = Person {
        id,
        account: ada(),
        name: Name::new("Ada Lovelace").unwrap(),
        contact: None,
        iban: None,
        kyc: KycLevel::Identified,
        state: PersonState::Open,
        national_number: None,
        opened: now().day(),
        is_in_vault: false,
    };
    let session = Session::begin(&key, owner, now());
    let passkey = passkey(0x5a, owner);
    assert_eq!(store.sign_up(&SignUp { person, passkey, session }).unwrap(), SignedUp::Done);
    key
}

fn passkey(number: u8, owner: Owner) -> Passkey {
    Passkey {
        credential: CredentialId::new(vec![number; 16]).unwrap(),
        owner,
        record: "{}".to_owned(),
        label: Label::new("key").unwrap(),
        added: now().day(),
        last_used: None,
    }
}
