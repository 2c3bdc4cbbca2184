//! Makes presentations for other people's software to check. `NOW` is in seconds since 1970.
//!
//! `certificates cases NOW DIRECTORY` writes the issuer's metadata, a request as a verifier makes it, and one file of cases: each a
//! presentation, what it must have been made for, and whether it is to be believed.
//! `certificates answer NOW LINK` is a wallet: it reads the request of a link from standard input and prints the body of its answer.
//! `certificates answer NOW LINK ISSUER SEED CARD THRESHOLD` is one of a demonstration, whose seed is no secret.

use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};
use tacit_credit::certificate::hold::Certificate;
use tacit_credit::certificate::issue::Issuer;
use tacit_credit::certificate::key::{Purpose, SecretKey};
use tacit_credit::certificate::query::{Query, Question};
use tacit_credit::certificate::request::{Invitation, Request};
use tacit_credit::certificate::statement::{Claim, Statement};
use tacit_credit::certificate::verify::Expected;
use tacit_credit::scorecard::signed::CardId;

const AUDIENCE: &str = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
const NONCE: &str = "eKVj0jnbuEQTr8Vd4cSPpQ";
const EXPECTED: Expected<'_> = Expected { audience: AUDIENCE, nonce: NONCE };

fn key(byte: u8) -> SecretKey {
    SecretKey::from_entropy(&Secret::new([byte; 32]))
}

fn statement(card: CardId, threshold: u16) -> Statement {
    Statement { card, threshold, tenure: 6, nothing_overdue: true }
}

struct Desk {
    issuer: Issuer,
    attester: SecretKey,
    statement: Statement,
}

impl Desk {
    fn certificate(&self, byte: u8, made: Timestamp) -> Certificate {
        let entropy = Secret::new([byte; 32]);
        let text = self
            .issuer
            .issue(&self.statement, &[key(byte).public()], made.day(), &entropy)
            .remove(0);
        let trusted = self.issuer.metadata(&self.attester.public()).certificates();
        Certificate::receive(&text, key(byte), &self.statement, &trusted, made)
            .expect("it was just made")
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, now, argument, demo @ ..] = arguments.as_slice() else {
        panic!("WHAT NOW ARGUMENT")
    };
    let now = Timestamp::from_seconds(now.parse().expect("seconds since 1970"));
    let desk = match demo {
        [] => Desk {
            issuer: Issuer::new("https://mint.example.org", key(100)),
            attester: key(101),
            statement: statement(CardId::from_bytes([1; 32]), 600),
        },
        [issuer, seed, card, threshold] => {
            let bytes = |text: &str| hex::decode(text).expect("64 hexadecimal digits");
            let seed = Secret::new(bytes(seed));
            let own = |purpose| SecretKey::derive(&seed, purpose, b"0");
            let threshold = threshold.parse().expect("a score");
            Desk {
                issuer: Issuer::new(issuer, own(Purpose::Certificates)),
                attester: own(Purpose::Attestations),
                statement: statement(CardId::from_bytes(bytes(card)), threshold),
            }
        }
        _ => panic!("ISSUER SEED CARD THRESHOLD"),
    };
    match what.as_str() {
        "cases" => write(&desk, now, Path::new(argument)),
        "answer" => println!("{}", answer(&desk, now, argument)),
        other => panic!("cases or answer, not {other}"),
    }
}

fn write(desk: &Desk, now: Timestamp, directory: &Path) {
    let question = Question {
        cards: vec![desk.statement.card],
        thresholds: vec![600, 650],
        tenures: vec![],
        nothing_overdue: true,
    };
    let request = json!({
        "client_id": AUDIENCE, "aud": "https://self-issued.me/v2", "response_type": "vp_token",
        "response_mode": "direct_post.jwt", "response_uri": "https://verifier.example/response",
        "nonce": NONCE, "state": "s", "dcql_query": Query::new(&question),
    });
    let metadata = desk.issuer.metadata(&desk.attester.public());
    for (name, value) in [
        ("issuer.json", serde_json::to_value(metadata).expect("it is JSON")),
        ("request.json", request),
        ("cases.json", cases(desk, now)),
    ] {
        std::fs::write(directory.join(name), value.to_string()).expect("it is written");
    }
}

/// The body of the answer to a link's request, or why there is none.
fn answer(desk: &Desk, now: Timestamp, link: &str) -> Value {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("a request");
    let operator = desk.issuer.metadata(&desk.attester.public()).attestations();
    let read = Invitation::read(link).and_then(|invitation| match invitation {
        Invitation::Fetch { client, .. } => Request::read(&text, &client, &operator, now),
        Invitation::Whole(claims) => Request::of_link(*claims, now),
    });
    let request = match read {
        Ok(request) => request,
        Err(error) => return json!({"refused": error.to_string()}),
    };
    let Some(claims) = request.wanted.met_by(&desk.statement) else {
        return json!({"refused": "it asks for something else"});
    };
    let expected = Expected { audience: &request.client, nonce: &request.nonce };
    let presentation = desk.certificate(4, now).present(&claims, expected, now);
    let mut entropy = [0; 32];
    entropy[..8].copy_from_slice(&now.seconds().to_be_bytes());
    let body = request.answer(&presentation, &Secret::new(entropy));
    json!({"to": request.to.url(), "host": request.to.host(), "body": body, "presentation": presentation})
}

/// What peers are to accept, and what to refuse.
fn cases(desk: &Desk, now: Timestamp) -> Value {
    let certificate = desk.certificate(1, now);
    let asked = [Claim::Scorecard, Claim::Threshold, Claim::NothingOverdue];
    let whole = certificate.present(&asked, EXPECTED, now);
    let parts: Vec<&str> = whole.split('~').collect();
    let case = |name: &str, presentation: String, accepted: bool| json!({"name": name, "presentation": presentation, "audience": AUDIENCE, "nonce": NONCE, "accepted": accepted});
    // A better threshold, said by the holder.
    let better =
        tacit_credit::certificate::disclosure::Disclosure::new(&[7; 16], "threshold", &json!(650));
    let mut changed = parts.clone();
    changed[2] = better.as_str();
    // Another's certificate, presented with one's own key.
    let other = desk.certificate(2, now).present(&asked, EXPECTED, now);
    let (theirs, _) = other.rsplit_once('~').expect("it has parts");
    let (_, own) = whole.rsplit_once('~').expect("it has parts");
    let old = Timestamp::from_seconds(now.seconds() - 10 * Day::SECONDS);
    let with = |expected: Expected<'_>| certificate.present(&asked, expected, now);
    json!([
        case("as it was made", whole.clone(), true),
        case("made for another request", with(Expected { nonce: "other", ..EXPECTED }), false),
        case(
            "made for somebody else",
            with(Expected { audience: "x509_hash:other", ..EXPECTED }),
            false
        ),
        case("a claim was changed", changed.join("~"), false),
        case("expired", desk.certificate(3, old).present(&asked, EXPECTED, now), false),
        case("bound to another's key", format!("{theirs}~{own}"), false),
        case("the holder has not signed", format!("{theirs}~"), false),
    ])
}
