//! One honest request of each kind, ready to be sent: what hostile ones are made from, and what must still be answered after them.

use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tacit_core::time::{Day, Timestamp};
use tacit_credit::certificate::key::SecretKey;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::Event;
use tacit_credit::passport::issuer::Facts;
use tacit_credit::passport::key::IssuerKeys;
use tacit_credit::passport::message::KeysDigest;
use tacit_credit::passport::pending::Pending;
use tacit_credit::passport::proof::Bins;
use tacit_credit::passport::standing::{Contract, ReceiptFacts};
use tacit_credit::passport::tag::Loan;
use tacit_credit::passport::wire;
use tacit_credit::scorecard::signed::SignedCard;
use tacit_ecash::message::Proof;
use tacit_service::desk::biller::LicenceTerms;
use tacit_service::passport::desk::SEALED_MAX;
use tacit_service::passport::key_epoch;
use tempfile::TempDir;

use crate::support::earner::{Earner, UNITS, settle};
use crate::support::insider::{Insider, entropy};
use crate::support::till::{Till, license, merchant, now};

/// Days that the demo's clock is moved on, so that a contract has a month in which nothing is due any more.
const DAYS: u64 = 40;
/// When the bill is due, in days from then.
const DUE: u64 = 10;
const AMOUNT: u64 = 1500;

/// What a body is to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Ask,
    Enrol,
    Certify,
    Pay,
}

/// A request that is answered.
#[derive(Clone, Debug)]
pub(crate) struct Honest {
    pub(crate) shape: Shape,
    pub(crate) host: &'static str,
    pub(crate) path: String,
    pub(crate) bearer: Option<String>,
    pub(crate) body: Value,
    /// The passport's request in it.
    pub(crate) request: Vec<u8>,
}

/// A question that changes nothing, whatever is answered.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) host: &'static str,
    pub(crate) path: String,
    pub(crate) bearer: Option<String>,
}

/// A stopped server's directory, and all that may be asked of it.
pub(crate) struct Town {
    pub(crate) honest: Vec<Honest>,
    pub(crate) questions: Vec<Question>,
    /// Requests of the kinds that no path takes yet.
    pub(crate) homeless: Vec<Vec<u8>>,
}

#[derive(Deserialize)]
struct Paying {
    unit: String,
    proofs: Vec<Proof>,
    receipt: Option<wire::Ask>,
}

impl Paying {
    /// What is paid, in an order that means nothing.
    fn proofs(&self) -> Vec<String> {
        let told = |Proof { amount, id, secret, signature, .. }: &Proof| {
            format!("{amount} {id:?} {} {signature:?}", secret.expose().to_lowercase())
        };
        let mut all: Vec<String> = self.proofs.iter().map(told).collect();
        all.sort();
        all
    }
}

impl Honest {
    /// Whether another body asks for the same here, or for something that may be had as well.
    pub(crate) fn is_alike(&self, body: &[u8], all: &[Self]) -> bool {
        // A blank receipt is nothing to whoever asks for one of something, and free.
        let is_blank = |request: &[u8]| {
            self.path.ends_with("/blank") && all.iter().any(|other| other.request == request)
        };
        let is_taken = |ask: &wire::Ask| {
            let is_request = ask.request == self.request || is_blank(&ask.request);
            is_request && ask.sealed.len() <= SEALED_MAX
        };
        match self.shape {
            Shape::Ask => serde_json::from_slice(body).is_ok_and(|ask| is_taken(&ask)),
            // A valid request with another access key is another wallet's, who had the code first.
            Shape::Enrol => serde_json::from_slice::<wire::Enrol>(body)
                .is_ok_and(|it| it.request == self.request && it.access.len() == 64),
            Shape::Certify => serde_json::from_slice::<wire::Certify>(body).is_ok_and(|it| {
                let own: wire::Certify = serde_json::from_value(self.body.clone()).unwrap();
                it.request == self.request && it.keys == own.keys
            }),
            Shape::Pay => serde_json::from_slice::<Paying>(body).is_ok_and(|it| {
                let own: Paying = serde_json::from_value(self.body.clone()).unwrap();
                let is_paid = it.unit == own.unit && it.proofs() == own.proofs();
                is_paid && it.receipt.as_ref().is_none_or(is_taken)
            }),
        }
    }
}

fn ask(pending: &Pending) -> Value {
    let sealed = pending.to_keepsake().to_vec();
    json!(wire::Ask { request: pending.request().to_vec(), sealed })
}

fn post(shape: Shape, path: String, body: Value, pending: &Pending) -> Honest {
    let request = pending.request().to_vec();
    Honest { shape, host: "mint", path, bearer: None, body, request }
}

fn at_desk(honest: Honest, bearer: &str) -> Honest {
    Honest { host: "desk.localhost", bearer: Some(bearer.to_owned()), ..honest }
}

/// The clock that the server will have.
fn then() -> Timestamp {
    now().after(Duration::from_secs(DAYS * Day::SECONDS))
}

/// A shop's contract at a till, with a bill and a month in which nothing is due.
struct Contracted {
    id: String,
    /// The month of the bill, and the quiet one, as a payer reads them.
    billed: wire::bill::Month,
    quiet: wire::bill::Month,
    proofs: Vec<Proof>,
}

async fn contract(till: &mut Till) -> Contracted {
    let asked = json!({"description": "Electricity", "reference": "7"});
    let made: Value = till.api(Method::POST, "/api/v1/contracts", "a", &asked).await.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    let begun = Epoch::of(now());
    till.client.post("/demo/clock", &json!({"advance_days": DAYS})).await.ok::<Value>();
    let due = Day::from_number(then().day().number() + DUE);
    let bill = json!({"contract": id, "amount": AMOUNT, "due": due.to_string()});
    let bills = json!({"bills": [bill]});
    till.api(Method::POST, "/api/v1/bills", "", &bills).await.ok::<Value>();
    let mut wallet = till.wallet().await;
    let proofs = wallet.mint("bank", AMOUNT).await;
    let told: wire::bill::Contract = wallet.get(&format!("/v1/contracts/{id}")).await.ok();
    let month = |wanted| told.months.iter().find(|told| told.month == wanted).unwrap().clone();
    let (billed, quiet) = (month(Epoch::of(due.start())), month(begun));
    Contracted { id, billed, quiet, proofs: proofs.into_iter().map(Proof::from).collect() }
}

impl Town {
    /// Founds a shop, its payer and two people with accounts, and stops the server.
    pub(crate) async fn found() -> (Self, TempDir) {
        let (mut seed, mut earners, mut code) = (None, Vec::new(), String::new());
        let mut till = Till::with(merchant(), |parts| {
            license(parts, LicenceTerms { floor: 500, contracts_max: 2 });
            earners = settle(parts, 2, then());
            earners[0].enrol(parts.desk[0].as_mut(), then());
            code = earners[1].take_code(parts.desk[0].as_mut(), then());
            seed = Some(parts.seed.clone());
        })
        .await;
        let contracted = contract(&mut till).await;
        let info: wire::Info = till.client.get("/v1/passport").await.ok();
        let card = till.client.get("/v1/passport/scorecard").await;
        let card = SignedCard::read(&card.body).unwrap();
        let keys = IssuerKeys::derive(&seed.unwrap(), key_epoch(info.month));
        let insider = Insider::new(&keys, 1);
        let mut town = Self { honest: Vec::new(), questions: Vec::new(), homeless: Vec::new() };
        town.ask_at_mint(&insider, info.month, &card);
        town.ask_at_desk(&insider, info.month, &earners[0], &code);
        town.ask_for_contract(&insider, &contracted);
        town.add_questions(&contracted.id, &earners[0].access, &code);
        (town, till.local.stop().await)
    }

    fn ask_at_mint(&mut self, insider: &Insider<'_>, month: Epoch, card: &SignedCard) {
        let blank = insider.ask(month, None);
        let held = insider.enrol(Epoch::new(month.number() - 1).unwrap());
        let tick = insider.tick(&held, ReceiptFacts::BLANK);
        for (name, pending) in [("blank", blank), ("tick", tick)] {
            let path = format!("/v1/passport/{name}");
            self.honest.push(post(Shape::Ask, path, ask(&pending), &pending));
        }
        let bins = Bins::of_card(card.card()).unwrap();
        let keys: [_; 4] = std::array::from_fn(|_| SecretKey::from_entropy(&entropy()));
        let keys = keys.map(|key| key.public().to_compressed());
        let (held, day) = (insider.scored(month), then().day());
        let pending = insider.certify(&held, (card, &bins), day, KeysDigest::of(&keys));
        let body = json!(wire::Certify {
            request: pending.request().to_vec(),
            sealed: pending.to_keepsake().to_vec(),
            keys: keys.iter().map(|key| key.to_vec()).collect(),
        });
        let path = "/v1/passport/certify".to_owned();
        self.honest.push(post(Shape::Certify, path, body, &pending));
        let (loan, due) = (Loan([4; 32]), month.next().unwrap());
        let borrow = insider.update(&held, Event::Borrow { loan, due });
        let borrowed = insider.passport(&borrow, Facts::None);
        let repay = insider.update(&borrowed, Event::Repay { loan, due, next: None, units: 1 });
        self.homeless.extend([borrow, repay].map(|pending| pending.request().to_vec()));
    }

    fn ask_at_desk(&mut self, insider: &Insider<'_>, month: Epoch, earner: &Earner, code: &str) {
        let held = insider.enrol(month);
        let income = insider.update(&held, Event::Income { units: UNITS });
        let path = "/api/v1/passport/income".to_owned();
        let honest = post(Shape::Ask, path, ask(&income), &income);
        self.honest.push(at_desk(honest, &earner.access));
        let enrol = insider.prover().enrol(month, month, &entropy()).unwrap();
        let mut body = ask(&enrol);
        body["access"] = json!("5a".repeat(32));
        let path = "/api/v1/passport/enrolment".to_owned();
        self.honest.push(at_desk(post(Shape::Enrol, path, body, &enrol), code));
    }

    fn ask_for_contract(&mut self, insider: &Insider<'_>, contracted: &Contracted) {
        let Contracted { id, billed, quiet, proofs } = contracted;
        let contract = Contract::try_from(id.clone()).unwrap();
        let receipt = |told: &wire::bill::Month| {
            let prover = insider.prover();
            prover.receipt(told.month, told.subject, Some(contract), &entropy()).unwrap()
        };
        let path = |told: &wire::bill::Month, what| {
            format!("/usd/v1/contracts/{id}/{}/{what}", told.month)
        };
        let pending = receipt(billed);
        let body = json!({"unit": "usd", "proofs": proofs, "receipt": ask(&pending)});
        self.honest.push(post(Shape::Pay, path(billed, "pay"), body, &pending));
        let pending = receipt(quiet);
        self.honest.push(post(Shape::Ask, path(quiet, "receipt"), ask(&pending), &pending));
    }

    fn add_questions(&mut self, contract: &str, access: &str, code: &str) {
        let question = |host, path: &str, bearer: Option<&str>| Question {
            host,
            path: path.to_owned(),
            bearer: bearer.map(str::to_owned),
        };
        let desk = "desk.localhost";
        self.questions = vec![
            question("mint", "/v1/passport", None),
            question("mint", "/v1/passport/scorecard", None),
            question("mint", "/v1/passport/answers/7", None),
            question("mint", &format!("/v1/passport/answers/7?after={access}"), None),
            question("mint", &format!("/usd/v1/contracts/{contract}"), None),
            question(desk, "/api/v1/passport", None),
            question(desk, "/api/v1/passport/enrolment", Some(code)),
            question(desk, "/api/v1/passport/income", Some(access)),
            question(desk, "/api/v1/passport/income?month=83", Some(access)),
        ];
    }
}
