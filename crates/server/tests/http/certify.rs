//! Certificates over HTTP: four of one proof, the same day's however often they are asked for, and for no other keys.

use hyper::StatusCode;
use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_credit::certificate::hold::Certificate;
use tacit_credit::certificate::issuer::{Metadata, Trusted};
use tacit_credit::certificate::key::SecretKey;
use tacit_credit::certificate::statement::Statement;
use tacit_credit::passport::holder::{Event, Passport};
use tacit_credit::passport::issuer::{Facts, Opened};
use tacit_credit::passport::key::IssuerKeys;
use tacit_credit::passport::message::{ConfirmationKey, KeysDigest, Request};
use tacit_credit::passport::pending::Pending;
use tacit_credit::passport::proof::Bins;
use tacit_credit::passport::standing::{Contract, ReceiptFacts};
use tacit_credit::passport::wire::{Certified, Certify, Info};
use tacit_credit::scorecard::signed::SignedCard;

use crate::support::passport::{Traveller, ask, code, passport};
use crate::support::till::Till;

const REFUSED: u32 = 40_000;
const SHOWN: u32 = 40_003;

fn random() -> Secret<[u8; 32]> {
    Secret::new(tacit_server::random::bytes().unwrap())
}

/// A receipt for a bill that was paid, made with the desk's keys as a biller's payment would have it made.
fn receipt(till: &Till, ada: &Traveller, of: &Passport) -> tacit_credit::passport::holder::Receipt {
    let seed = std::fs::read_to_string(till.local.directory.path().join("seed")).unwrap();
    let seed = Secret::new(hex::decode(seed.trim()).unwrap());
    let keys = IssuerKeys::derive(&seed, ada.info.keys.last().unwrap().epoch);
    let contract = Some(Contract([1; 16]));
    let subject = *random().expose();
    let epoch = of.standing().epoch;
    let pending = ada.prover().receipt(epoch, subject, contract, &random()).unwrap();
    let opened = Opened::new(Request::read(pending.request()).unwrap()).unwrap();
    let facts = Facts::Receipt(ReceiptFacts { contract, met: true, amount: 40, last: false });
    let reply = opened.answer(&keys, &keys, facts, &random()).unwrap();
    match pending.finish(&reply, keys.public()).unwrap() {
        tacit_credit::passport::pending::Received::Receipt(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

/// A passport with six months of a bill that was paid.
async fn good(till: &mut Till, ada: &mut Traveller) -> Passport {
    let code = code(till).await;
    let mut held = ada.enrol(till, &code).await;
    for _ in 0..6 {
        while till.client.get("/v1/passport").await.ok::<Info>().month == held.standing().epoch {
            let day = json!({"advance_days": 1});
            till.client.post("/demo/clock", &day).await.ok::<Value>();
        }
        let receipts = [receipt(till, ada, &held), ada.blank(&mut till.client, &held).await];
        let pending = ada.pending(&held, Event::Tick { receipts: &receipts });
        let answer = till.client.post("/v1/passport/tick", &ask(&pending)).await;
        held = passport(ada.finish(&pending, answer));
    }
    ada.info = till.client.get("/v1/passport").await.ok();
    held
}

/// The keys of four certificates.
struct Order([SecretKey; 4]);

impl Order {
    fn new(bytes: [u8; 4]) -> Self {
        Self(bytes.map(|byte| SecretKey::from_entropy(&Secret::new([byte; 32]))))
    }

    fn keys(&self) -> [ConfirmationKey; 4] {
        self.0.each_ref().map(|key| key.public().to_compressed())
    }

    fn digest(&self) -> KeysDigest {
        KeysDigest::of(&self.keys())
    }

    fn receive(
        &self,
        texts: &[String],
        of: &Statement,
        by: &Trusted,
        now: Timestamp,
    ) -> Vec<Certificate> {
        assert_eq!(texts.len(), 4);
        let of_key = |(text, key): (&String, &SecretKey)| {
            Certificate::receive(text, key.clone(), of, by, now)
        };
        texts.iter().zip(&self.0).map(of_key).collect::<Result<_, _>>().unwrap()
    }
}

fn body(pending: &Pending, order: &Order) -> Certify {
    let keys = order.keys().map(|key| key.to_vec()).to_vec();
    Certify { request: pending.request().to_vec(), sealed: vec![1], keys }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_brings_four_certificates_of_its_day_and_for_its_keys() {
    let mut till = Till::open().await;
    let mut ada = Traveller::new(&mut till.client, 1).await;
    let held = good(&mut till, &mut ada).await;
    let signed = till.client.get("/v1/passport/scorecard").await;
    let card = SignedCard::read(&signed.body).unwrap();
    let bins = Bins::of_card(card.card()).unwrap();
    let offered = ada.info.scorecard.clone().unwrap();
    let score = bins.score(held.standing());
    let threshold = offered.thresholds.iter().copied().filter(|it| *it <= score).max().unwrap();
    let day = Timestamp::from_seconds(ada.info.now).day();
    let order = Order::new([1, 2, 3, 4]);
    let event = |keys| Event::Certify {
        card: card.id(),
        bins: &bins,
        threshold,
        tenure: 6,
        strict: true,
        day,
        keys,
    };
    let pending = ada.pending(&held, event(order.digest()));
    let path = "/v1/passport/certify";
    // Keys that are none, too few, or not those of the proof: nothing is used up.
    let whole = body(&pending, &order);
    let other = Order::new([1, 2, 3, 5]);
    let mut off_curve = whole.clone();
    off_curve.keys[2] = vec![5; 33];
    let mut few = whole.clone();
    few.keys.pop();
    for wrong in [off_curve, few, body(&pending, &other)] {
        till.client.post(path, &wrong).await.refused(REFUSED);
    }
    let first: Certified = till.client.post(path, &whole).await.ok();
    passport(pending.finish(&first.reply, ada.keys.last().unwrap()).unwrap());
    let mint = till.local.running.origins().mint.as_ref().unwrap().to_string();
    let metadata = till.client.get("/.well-known/jwt-vc-issuer").await;
    assert_eq!(metadata.status, StatusCode::OK);
    let trusted = Metadata::read(&metadata.body, Some(&mint)).unwrap().certificates();
    let terms = Request::read(pending.request()).unwrap().terms;
    let statement = Statement::of(&terms).unwrap();
    let now = day.start();
    let certificates = order.receive(&first.certificates, &statement, &trusted, now);
    // The next day the same bytes bring certificates of the day before: they end when the first do.
    till.client.post("/demo/clock", &json!({"advance_days": 1})).await.ok::<Value>();
    let again: Certified = till.client.post(path, &whole).await.ok();
    assert_eq!(again.reply, first.reply);
    let later = order.receive(&again.certificates, &statement, &trusted, now);
    assert_eq!(later[0].until(), certificates[0].until());
    // Not for other keys, nor by another proof of the passport of before.
    till.client.post(path, &body(&pending, &other)).await.refused(REFUSED);
    let fork = ada.pending(&held, event(other.digest()));
    till.client.post(path, &body(&fork, &other)).await.refused(SHOWN);
    till.local.stop().await;
}
