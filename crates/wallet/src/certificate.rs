//! Certificates, as their holder asks for them, keeps them and shows them.
//!
//! Reading order: [`Order`] (keys are made, certificates come for them), [`Certificates`] (those there are), [`Offer`] (somebody asks, and one of
//! them would do), [`Consent`] (what was agreed). An offer shows nobody anything: its caller puts before the person who asks, for what, what exactly they would read and
//! until when it counts; then makes durable that the certificate is used up, with the consent; then sends.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tacit_core::time::Timestamp;
use tacit_credit::certificate::hold::{Certificate, ReceiveError};
use tacit_credit::certificate::issuer::Trusted;
use tacit_credit::certificate::key::SecretKey;
use tacit_credit::certificate::request::{Address, Asker, Request};
use tacit_credit::certificate::statement::{BATCH, Claim, Statement};
use tacit_credit::certificate::verify::Expected;
use tacit_credit::passport::message::{ConfirmationKey, KeysDigest};
use tacit_credit::passport::tag::Entropy;

/// Keys that certificates are asked for. To be made durable before the request leaves, with the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    keys: [SecretKey; BATCH],
}

impl Order {
    /// Keys, one for each certificate. `entropies`: each random, and used for nothing else.
    pub fn new(entropies: &[Entropy; BATCH]) -> Self {
        Self { keys: entropies.each_ref().map(SecretKey::from_entropy) }
    }

    /// What goes beside the request.
    pub fn keys(&self) -> [ConfirmationKey; BATCH] {
        self.keys.each_ref().map(|key| key.public().to_compressed())
    }

    /// What goes into the proof.
    pub fn digest(&self) -> KeysDigest {
        KeysDigest::of(&self.keys())
    }

    /// Takes what came for the keys, in their order.
    ///
    /// # Errors
    /// [`OrderError`]. The same request brings the certificates again.
    pub fn receive(
        &self,
        texts: &[String],
        statement: &Statement,
        trusted: &Trusted,
        now: Timestamp,
    ) -> Result<Vec<Certificate>, OrderError> {
        if texts.len() != BATCH {
            return Err(OrderError::Count { found: texts.len() });
        }
        let received = |(index, (text, key)): (usize, (&String, &SecretKey))| {
            Certificate::receive(text, key.clone(), statement, trusted, now)
                .map_err(|source| OrderError::Certificate { index, source })
        };
        texts.iter().zip(&self.keys).enumerate().map(received).collect()
    }
}

/// Why certificates are not taken. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// More or fewer than keys.
    #[error("expected {BATCH} certificates, found {found}")]
    Count {
        /// How many came.
        found: usize,
    },
    /// One is not what was asked for.
    #[error("certificate {index}")]
    Certificate {
        /// Counted from 0.
        index: usize,
        /// Why not.
        source: ReceiveError,
    },
}

/// The certificates there are. Each is shown once: who is shown two of one key knows that they are one person's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificates(Vec<Certificate>);

impl Certificates {
    /// Takes new ones in.
    pub fn add(&mut self, certificates: impl IntoIterator<Item = Certificate>) {
        self.0.extend(certificates);
    }

    /// Forgets those that have ended.
    pub fn sweep(&mut self, now: Timestamp) {
        self.0.retain(|held| now < held.until());
    }

    /// What they say, and until when each counts.
    pub fn iter(&self) -> impl Iterator<Item = &Certificate> {
        self.0.iter()
    }

    /// A certificate that would do for a request, if there is one: the one that says least, and of those the one that ends first.
    pub fn offer(&self, request: Request, now: Timestamp) -> Option<Offer> {
        let value = |held: &Certificate, claim: Claim| {
            held.claims().find(|(has, _)| *has == claim).map(|(_, value)| value)
        };
        let number = |held: &Certificate, claim| {
            value(held, claim).and_then(|value| value.as_u64()).unwrap_or_default()
        };
        let met = self.0.iter().enumerate().filter(|(_, held)| now < held.until());
        let met = met.filter_map(|(index, held)| {
            let claims = request.wanted.met_by_values(|claim| value(held, claim))?;
            let says = (number(held, Claim::Threshold), number(held, Claim::TenureMonths));
            Some(((says, held.until().seconds()), index, claims))
        });
        let (_, index, claims) = met.min_by_key(|(order, index, _)| (*order, *index))?;
        let held = self.0.get(index)?.clone();
        Some(Offer { request, held, claims })
    }
}

/// A certificate that would be shown to whoever asks.
#[derive(Clone, Debug)]
pub struct Offer {
    request: Request,
    held: Certificate,
    claims: Vec<Claim>,
}

/// What the person agreed to, as it is kept for them and may be exported: the fields of a consent record (ISO/IEC TS 27560) that there
/// are where neither side has a name for the other's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// When.
    pub moment: Timestamp,
    /// Whom, by the name that the operator has registered; none if nobody vouches for them.
    pub name: Option<String>,
    /// The host that the answer went to.
    pub host: String,
    /// As whom they asked.
    pub client: String,
    /// What for: of a registered one, what it has told the operator; of another, its own words.
    pub purpose: Option<String>,
    /// What they read, claim by claim. Nothing else of the person.
    pub shown: Vec<(Claim, Value)>,
    /// Until when it counts.
    pub until: Timestamp,
}

/// What is to be sent after the consent was made durable. The same bytes may be sent again if no answer came; another certificate may not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// To which URL.
    pub to: String,
    /// `application/x-www-form-urlencoded`.
    pub body: String,
}

impl Offer {
    /// Who asks.
    pub fn asker(&self) -> &Asker {
        &self.request.asker
    }

    /// Where the answer would go.
    pub fn to(&self) -> &Address {
        &self.request.to
    }

    /// What would be agreed to, for the person to read before.
    pub fn consent(&self, now: Timestamp) -> Consent {
        let (name, purpose) = match &self.request.asker {
            Asker::Registered { name, purpose } => (Some(name.clone()), Some(purpose.clone())),
            Asker::Unknown { purpose } => (None, purpose.clone()),
        };
        Consent {
            moment: now,
            name,
            host: self.request.to.host().to_owned(),
            client: self.request.client.clone(),
            purpose,
            shown: self.held.claims().filter(|(claim, _)| self.claims.contains(claim)).collect(),
            until: self.held.until(),
        }
    }

    /// The person agrees: the certificate is used up. Both what is left of `certificates` and the consent must be durable before anything is sent.
    ///
    /// `None` if the certificate is no longer there: it was shown meanwhile.
    pub fn agree(
        self,
        certificates: &mut Certificates,
        now: Timestamp,
        entropy: &Entropy,
    ) -> Option<(Consent, Outgoing)> {
        let index = certificates.0.iter().position(|held| *held == self.held)?;
        certificates.0.remove(index);
        let Request { client, nonce, .. } = &self.request;
        let expected = Expected { audience: client, nonce };
        let presentation = self.held.present(&self.claims, expected, now);
        let body = self.request.answer(&presentation, entropy);
        let to = self.request.to.url().to_owned();
        Some((self.consent(now), Outgoing { to, body }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tacit_core::secret::Secret;
    use tacit_credit::certificate::attestation::Verifier;
    use tacit_credit::certificate::issue::Issuer;
    use tacit_credit::certificate::query::{Query, Question};
    use tacit_credit::certificate::request::Draft;
    use tacit_credit::certificate::response::Response;
    use tacit_credit::certificate::verify::{CertificateError, verify};
    use tacit_credit::scorecard::signed::CardId;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_651_200);
    const MINT: &str = "https://mint.example.org";

    fn key(byte: u8) -> SecretKey {
        SecretKey::from_entropy(&Secret::new([byte; 32]))
    }

    fn issuer() -> Issuer {
        Issuer::new(MINT, key(100))
    }

    fn order(byte: u8) -> Order {
        Order::new(&[0, 1, 2, 3].map(|at| Secret::new([byte + at; 32])))
    }

    fn statement(threshold: u16) -> Statement {
        let card = CardId::from_bytes([1; 32]);
        Statement { card, threshold, tenure: 6, nothing_overdue: true }
    }

    /// What the desk signs for an order.
    fn signed(order: &Order, statement: &Statement) -> Vec<String> {
        use tacit_credit::certificate::key::PublicKey;
        let keys = order.keys().map(|key| PublicKey::from_compressed(&key).unwrap());
        issuer().issue(statement, &keys, NOW.day(), &Secret::new([7; 32]))
    }

    fn held(byte: u8, threshold: u16) -> Vec<Certificate> {
        let trusted = issuer().metadata(&key(101).public()).certificates();
        let texts = signed(&order(byte), &statement(threshold));
        order(byte).receive(&texts, &statement(threshold), &trusted, NOW).unwrap()
    }

    fn asked(thresholds: Vec<u16>) -> Request {
        let verifier = Verifier {
            id: "bank".to_owned(),
            name: "Bank".to_owned(),
            purpose: "A loan".to_owned(),
            addresses: vec!["https://bank.example/answer".to_owned()],
            key: key(60).public(),
        };
        let question =
            Question { cards: vec![], thresholds, tenures: vec![], nothing_overdue: false };
        let attestation = verifier.attest(MINT, &key(101), NOW);
        let query = Query::new(&question);
        let draft = Draft {
            verifier: &verifier,
            attestation: &attestation,
            nonce: "n",
            state: "s",
            query: &query,
        };
        let operator = issuer().metadata(&key(101).public()).attestations();
        Request::read(&draft.sign(&key(60), NOW), &draft.client(), &operator, NOW).unwrap()
    }

    #[test]
    fn certificates_are_taken_for_their_keys_alone() {
        let (mine, trusted) = (order(1), issuer().metadata(&key(101).public()).certificates());
        let mut texts = signed(&mine, &statement(600));
        let receive = |texts: &[String]| mine.receive(texts, &statement(600), &trusted, NOW);
        assert_eq!(receive(&texts).unwrap().len(), BATCH);
        assert_eq!(receive(&texts[1..]), Err(OrderError::Count { found: 3 }));
        texts.swap(0, 1);
        let other = OrderError::Certificate { index: 0, source: ReceiveError::OtherKey };
        assert_eq!(receive(&texts), Err(other));
        let better = mine.receive(&signed(&mine, &statement(700)), &statement(600), &trusted, NOW);
        let source = ReceiveError::OtherStatement;
        assert_eq!(better, Err(OrderError::Certificate { index: 0, source }));
    }

    #[test]
    fn the_one_that_says_least_is_offered_and_shown_once() {
        let mut mine = Certificates::default();
        mine.add(held(1, 700));
        mine.add(held(11, 600));
        let offer = mine.offer(asked(vec![600, 700]), NOW).unwrap();
        let consent = offer.consent(NOW);
        assert_eq!(
            (consent.name.as_deref(), consent.host.as_str()),
            (Some("Bank"), "bank.example")
        );
        assert_eq!(consent.purpose.as_deref(), Some("A loan"));
        let card = json!("01".repeat(32));
        assert_eq!(consent.shown, [(Claim::Scorecard, card), (Claim::Threshold, json!(600))]);
        let twin = offer.clone();
        let (agreed, outgoing) = offer.agree(&mut mine, NOW, &Secret::new([9; 32])).unwrap();
        assert_eq!((agreed, outgoing.to.as_str()), (consent, "https://bank.example/answer"));
        assert_eq!(mine.iter().count(), 7);
        assert!(twin.agree(&mut mine, NOW, &Secret::new([9; 32])).is_none(), "it is used up");
        let answer = Response::read(outgoing.body.as_bytes()).unwrap();
        let trusted = issuer().metadata(&key(101).public()).certificates();
        let expected = Expected { audience: "verifier_attestation:bank", nonce: "n" };
        let presented = verify(&answer.presentation, &trusted, expected, NOW).unwrap();
        assert_eq!((presented.shown.threshold, presented.shown.tenure), (Some(600), None));
        let other = Expected { nonce: "m", ..expected };
        let refused = verify(&answer.presentation, &trusted, other, NOW);
        assert_eq!(refused, Err(CertificateError::Nonce));
    }

    #[test]
    fn nothing_is_offered_that_does_not_do_or_has_ended() {
        let mut mine = Certificates::default();
        mine.add(held(1, 600));
        assert!(mine.offer(asked(vec![650]), NOW).is_none());
        let end = mine.iter().next().unwrap().until();
        assert!(mine.offer(asked(vec![600]), end).is_none());
        mine.sweep(end);
        assert_eq!(mine.iter().count(), 0);
    }
}
