//! People and staff who are logged in at the desk, as browsers without passkeys.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use tacit_core::hex;
use tacit_server::server::Parts;
use tacit_service::account::AccountId;
use tacit_service::desk::login::{
    ALREADY, Accepted, CredentialId, Invitation, InvitationHash, Label, Passkey, Session,
    SessionKey,
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

/// Somebody who is logged in.
pub struct Browser {
    client: Client,
    cookie: &'static str,
    key: SessionKey,
}

/// Number, account and login of a person.
#[derive(Clone, Copy)]
pub struct Somebody {
    pub id: PersonId,
    pub account: AccountId,
    number: u8,
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

/// Somebody who works here, logged in. Each needs a number of their own, also among people.
pub fn staff(store: &mut dyn DeskStore, number: u8, role: Role) {
    let id = StaffId::from_bytes([number; 16]);
    let (owner, hash) = (Owner::Staff(id), InvitationHash::from_bytes([number; 32]));
    let name = Name::new(&format!("{} {number}", role.name())).unwrap();
    let staff = Staff { id, name, role, is_active: true };
    let expires = now().after(Duration::from_secs(3600));
    let invitation = Invitation { hash, owner, opens: Some(ALREADY), expires, by: None };
    let deed = |action| Deed::about(now(), None, action, owner);
    assert!(store.add_staff(&staff, &invitation, &deed(Action::StaffAdded)).unwrap());
    let session = Session::begin(&SessionKey::from_random([number; 32]), owner, now());
    let deed = deed(Action::InvitationAccepted);
    let accepted = store.accept(hash, &passkey(number, owner), &session, now(), &deed);
    assert_eq!(accepted.unwrap(), Accepted::Done);
}

/// A demo with these staff and these people, and `change` made to its parts.
pub async fn desk_with(
    roles: &[(u8, Role)],
    names: &[&str],
    change: impl FnOnce(&mut Parts),
) -> (Local, Vec<Somebody>) {
    let mut people = Vec::new();
    let local = Local::with(
        |config| config.bounds.receipt_delay = Duration::from_secs(3600),
        |parts| {
            let store = parts.desk[0].as_mut();
            for (number, role) in roles {
                staff(store, *number, *role);
            }
            people = (1..).zip(names).map(|(number, name)| person(store, number, name)).collect();
            change(parts);
        },
    )
    .await;
    (local, people)
}

/// Somebody with an account, logged in.
pub fn person(store: &mut dyn DeskStore, number: u8, name: &str) -> Somebody {
    let id = PersonId::from_bytes([number; 16]);
    let (owner, account) = (Owner::Person(id), AccountId::from_random([number; 8]));
    let person = Person {
        id,
        account,
        name: Name::new(name).unwrap(),
        contact: None,
        iban: None,
        kyc: KycLevel::Unknown,
        state: PersonState::Open,
        national_number: None,
        opened: now().day(),
        is_in_vault: false,
    };
    let session = Session::begin(&SessionKey::from_random([number; 32]), owner, now());
    let sign_up = SignUp { person, passkey: passkey(number, owner), session };
    assert_eq!(store.sign_up(&sign_up).unwrap(), SignedUp::Done);
    Somebody { id, account, number }
}

impl Somebody {
    /// Their browser in the portal.
    pub fn browser(self, local: &Local) -> Browser {
        Browser::new(local, "person", self.number)
    }
}

impl Browser {
    fn new(local: &Local, cookie: &'static str, number: u8) -> Self {
        let key = SessionKey::from_random([number; 32]);
        Self { client: Client::new(local.address()), cookie, key }
    }

    /// The console of staff of this number.
    pub fn of_staff(local: &Local, number: u8) -> Self {
        Self::new(local, "staff", number)
    }

    async fn ask(&mut self, method: Method, path: &str, body: String) -> Answer {
        let port = self.client.address().port();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", format!("desk.localhost:{port}"))
            .header("origin", format!("http://desk.localhost:{port}"))
            .header("cookie", format!("{}={}", self.cookie, hex::encode(self.key.expose())))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        self.client.send(request).await.expect("the server answers")
    }

    /// What the script sends, without a login: status, text.
    pub async fn tell(&mut self, path: &str, said: &serde_json::Value) -> (StatusCode, String) {
        let answer = self.ask(Method::POST, path, said.to_string()).await;
        (answer.status, String::from_utf8(answer.body.to_vec()).unwrap())
    }

    /// A page, whatever its status.
    pub async fn look(&mut self, path: &str) -> (StatusCode, String) {
        let answer = self.ask(Method::GET, path, String::new()).await;
        (answer.status, String::from_utf8(answer.body.to_vec()).unwrap())
    }

    /// A page that is there.
    pub async fn page(&mut self, path: &str) -> String {
        let (status, text) = self.look(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        text
    }

    /// A form with its token, and the cookie that goes with it, for whoever sends them otherwise.
    pub fn signed(&self, fields: &[(&str, &str)]) -> (String, String) {
        let token = hex::encode(self.key.form_token().expose());
        let token = [("form_token", token.as_str())];
        let all: Vec<(&str, &str)> = fields.iter().copied().chain(token).collect();
        let cookie = format!("{}={}", self.cookie, hex::encode(self.key.expose()));
        (serde_urlencoded::to_string(all).unwrap(), cookie)
    }

    /// A form with its token: status, where it leads, text.
    pub async fn send(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> (StatusCode, String, String) {
        let token = hex::encode(self.key.form_token().expose());
        self.send_with(path, fields, &token).await
    }

    /// A form with this token.
    pub async fn send_with(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        token: &str,
    ) -> (StatusCode, String, String) {
        let all: Vec<(&str, &str)> =
            fields.iter().copied().chain([("form_token", token)]).collect();
        let body = serde_urlencoded::to_string(all).unwrap();
        let answer = self.ask(Method::POST, path, body).await;
        let to = answer.headers.get("location").map(|to| to.to_str().unwrap().to_owned());
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        (answer.status, to.unwrap_or_default(), text)
    }
}
