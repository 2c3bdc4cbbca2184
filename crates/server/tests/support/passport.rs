//! A person's wallet, as far as passports need one: what it holds, and the requests it makes.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_credit::passport::holder::{Event, Passport, Prover, Receipt};
use tacit_credit::passport::key::{KeyId, PublicKeys};
use tacit_credit::passport::pending::{Pending, Received};
use tacit_credit::passport::tag::Holder;
use tacit_credit::passport::wire::{Answer as Replied, Ask, Enrolment, Info};

use super::client::{Answer, Client};
use super::till::Till;

/// A holder, with the desk's keys as they were last fetched.
pub struct Traveller {
    pub holder: Holder,
    pub keys: Vec<PublicKeys>,
    pub info: Info,
    pub access: String,
}

fn entropy() -> Secret<[u8; 32]> {
    Secret::new(tacit_server::random::bytes().unwrap())
}

/// A request as JSON.
pub fn ask(pending: &Pending) -> Value {
    let ask = Ask { request: pending.request().to_vec(), sealed: vec![1, 2, 3] };
    serde_json::to_value(ask).unwrap()
}

impl Traveller {
    /// Of words that a number stands for.
    pub async fn new(client: &mut Client, words: u8) -> Self {
        let info: Info = client.get("/v1/passport").await.ok();
        let keys = info.keys.iter().map(|key| PublicKeys::new(&key.public).unwrap()).collect();
        Self {
            holder: Holder::of_seed(&[words; 64]),
            keys,
            info,
            access: hex::encode(&[words; 32]),
        }
    }

    pub fn prover(&self) -> Prover<'_> {
        let newest = self.keys.last().unwrap();
        Prover { holder: &self.holder, shown: newest, received: newest }
    }

    fn key(&self, id: KeyId) -> &PublicKeys {
        self.keys.iter().find(|key| key.id() == id).expect("the desk still has these keys")
    }

    /// What a pending request became.
    pub fn finish(&self, pending: &Pending, answer: Answer) -> Received {
        let replied: Replied = answer.ok();
        pending.finish(&replied.reply, self.key(pending.received())).unwrap()
    }

    /// The request for a first passport.
    pub fn wish(&self, terms: &Enrolment) -> Value {
        let pending = self.prover().enrol(terms.month, terms.since, &entropy()).unwrap();
        let mut body = ask(&pending);
        body["access"] = json!(self.access);
        body
    }

    /// Asks for the passport that a code is for.
    pub async fn enrol(&self, till: &mut Till, code: &str) -> Passport {
        let terms: Enrolment = enrolment(till, Method::GET, code, "").await.ok();
        let pending = self.prover().enrol(terms.month, terms.since, &entropy()).unwrap();
        let mut body = ask(&pending);
        body["access"] = json!(self.access);
        let answer = enrolment(till, Method::POST, code, &body.to_string()).await;
        passport(self.finish(&pending, answer))
    }

    pub async fn blank(&self, client: &mut Client, of: &Passport) -> Receipt {
        let subject = tacit_server::random::bytes().unwrap();
        let epoch = of.standing().epoch;
        let key = self.key(of.keys());
        let prover = Prover { holder: &self.holder, shown: key, received: key };
        let pending = prover.receipt(epoch, subject, None, &entropy()).unwrap();
        let answer = client.post("/v1/passport/blank", &ask(&pending)).await;
        match self.finish(&pending, answer) {
            Received::Receipt(receipt) => receipt,
            Received::Passport(_) => panic!("a receipt was asked for"),
        }
    }

    pub fn pending(&self, of: &Passport, event: Event<'_>) -> Pending {
        let prover = Prover { shown: self.key(of.keys()), ..self.prover() };
        prover.update(of, event, &entropy()).unwrap()
    }

    /// Closes the passport's month, with blanks.
    pub async fn tick(&self, client: &mut Client, of: &Passport) -> Passport {
        let receipts = [self.blank(client, of).await, self.blank(client, of).await];
        let pending = self.pending(of, Event::Tick { receipts: &receipts });
        let answer = client.post("/v1/passport/tick", &ask(&pending)).await;
        passport(self.finish(&pending, answer))
    }
}

pub fn passport(received: Received) -> Passport {
    match received {
        Received::Passport(passport) => *passport,
        Received::Receipt(_) => panic!("a passport was asked for"),
    }
}

/// Asks about a code.
pub async fn enrolment(till: &mut Till, method: Method, code: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {code}");
    let path = "/api/v1/passport/enrolment";
    till.desk(method, path, &[("authorization", &bearer)], body.to_owned()).await
}

/// A code of the portal.
pub async fn code(till: &mut Till) -> String {
    let answer = till.own_form("/portal/passport", &[]).await;
    code_of(answer)
}

/// The code on a page.
pub fn code_of(answer: Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK);
    let page = String::from_utf8(answer.body.to_vec()).unwrap();
    let (_, rest) = page.split_once("/portal/passport#").unwrap();
    rest[..32].to_owned()
}
