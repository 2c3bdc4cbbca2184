//! Requests to the passport desk, made before any clock runs: a wallet's proofs cost more than the desk's checks.

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tacit_core::time::Day;
use tacit_credit::certificate::key::SecretKey;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::Event;
use tacit_credit::passport::issuer::Facts;
use tacit_credit::passport::key::IssuerKeys;
use tacit_credit::passport::message::KeysDigest;
use tacit_credit::passport::pending::Pending;
use tacit_credit::passport::proof::Bins;
use tacit_credit::passport::standing::ReceiptFacts;
use tacit_credit::passport::wire::{Ask, Certify};
use tacit_credit::scorecard::signed::SignedCard;

use crate::earner::{Earner, UNITS};
use crate::insider::{Insider, entropy};

/// Months that a holder stayed away, and now closes one after another: there is one tick a holder and month.
const AWAY: u16 = 60;

/// A request, ready to be sent, and what opens its reply.
pub(crate) struct Prepared {
    pub(crate) pending: Pending,
    pub(crate) request: Request<Full<Bytes>>,
}

/// Requests of one kind.
pub(crate) struct Kind<'a> {
    pub(crate) name: &'static str,
    /// What the desk knows beside them.
    pub(crate) facts: Facts<'a>,
    each: usize,
    prepared: Vec<Prepared>,
}

impl<'a> Kind<'a> {
    /// `each`: how many are sent at a time.
    pub(crate) const fn new(
        name: &'static str,
        facts: Facts<'a>,
        each: usize,
        prepared: Vec<Prepared>,
    ) -> Self {
        Self { name, facts, each, prepared }
    }

    /// Those that are sent the so-manieth time, counted from 0: none is sent twice.
    pub(crate) fn part(&self, at: usize) -> &[Prepared] {
        &self.prepared[at * self.each..(at + 1) * self.each]
    }
}

fn ask(pending: &Pending) -> Value {
    let ask = Ask { request: pending.request().to_vec(), sealed: pending.to_keepsake().to_vec() };
    json!(ask)
}

fn post(path: &str, host: &str, bearer: Option<&str>, body: &Value) -> Request<Full<Bytes>> {
    let mut request = Request::post(path).header("host", host);
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    request = request.header("content-type", "application/json");
    request.body(Full::new(body.to_string().into())).unwrap()
}

/// Blank receipts.
pub(crate) fn blanks(keys: &IssuerKeys, month: Epoch, count: usize) -> Vec<Prepared> {
    let insider = Insider::new(keys, 1);
    let blank = |_| {
        let pending = insider.ask(month, None);
        let request = post("/v1/passport/blank", "mint", None, &ask(&pending));
        Prepared { pending, request }
    };
    (0..count).map(blank).collect()
}

/// A month's income of each.
pub(crate) fn incomes(keys: &IssuerKeys, month: Epoch, earners: &[Earner]) -> Vec<Prepared> {
    let insider = Insider::new(keys, 2);
    let income = |earner: &Earner| {
        let held = insider.enrol(month);
        let pending = insider.update(&held, Event::Income { units: UNITS });
        let (path, bearer) = ("/api/v1/passport/income", Some(earner.access.as_str()));
        let request = post(path, "desk.localhost", bearer, &ask(&pending));
        Prepared { pending, request }
    };
    earners.iter().map(income).collect()
}

/// Months closed, of as many holders as it takes.
pub(crate) fn ticks(keys: &IssuerKeys, month: Epoch, count: usize) -> Vec<Prepared> {
    let mut prepared = Vec::new();
    let begun = Epoch::new(month.number() - AWAY).expect("long after the clock's beginning");
    for number in 0.. {
        let insider = Insider::new(keys, 3 + number);
        let mut held = insider.enrol(begun);
        while held.standing().epoch != month {
            if prepared.len() == count {
                return prepared;
            }
            let pending = insider.tick(&held, ReceiptFacts::BLANK);
            held = insider.passport(&pending, Facts::None);
            let request = post("/v1/passport/tick", "mint", None, &ask(&pending));
            prepared.push(Prepared { pending, request });
        }
    }
    prepared
}

/// One passport's certificates, one after another.
pub(crate) fn certificates(
    keys: &IssuerKeys,
    month: Epoch,
    count: usize,
    (card, bins): (&SignedCard, &Bins),
    day: Day,
) -> Vec<Prepared> {
    let insider = Insider::new(keys, 2);
    let mut held = insider.scored(month);
    let bound: [_; 4] = std::array::from_fn(|_| SecretKey::from_entropy(&entropy()));
    let bound = bound.map(|key| key.public().to_compressed());
    let certificate = |_| {
        let pending = insider.certify(&held, (card, bins), day, KeysDigest::of(&bound));
        held = insider.passport(&pending, Facts::Card(bins));
        let body = Certify {
            request: pending.request().to_vec(),
            sealed: pending.to_keepsake().to_vec(),
            keys: bound.iter().map(|key| key.to_vec()).collect(),
        };
        let request = post("/v1/passport/certify", "mint", None, &json!(body));
        Prepared { pending, request }
    };
    (0..count).map(certificate).collect()
}
