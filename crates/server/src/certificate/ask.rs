//! What verifiers ask just now, and what they were shown: in memory, for ten minutes, and nowhere else.
//!
//! With several servers, the answer must come to the one whose page asked: a balancer keeps `/certificate/` and `/verifier` of
//! one verifier together.

use std::collections::HashMap;

use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_credit::certificate::attestation::Verifier as Attested;
use tacit_credit::certificate::key::{Purpose, SecretKey};
use tacit_credit::certificate::query::{Query, Question};
use tacit_credit::certificate::request::{Draft, LIFETIME_SECONDS, client_of, link};
use tacit_credit::certificate::response::Response;
use tacit_credit::certificate::verify::{CertificateError, Expected, Presented, verify};
use tacit_service::desk::verifier::{Verifier, VerifierId};

use crate::desk::Desk;

/// Questions kept at once, of one verifier and of all together.
const OWN_MAX: usize = 50;
const ALL_MAX: usize = 10_000;

/// Where answers go.
pub(crate) const ANSWER_PATH: &str = "/certificate/answer";

/// Names a question: 16 random bytes in hexadecimal, which its link shows to whoever scans it.
pub(crate) type AskId = [u8; 16];

/// A question, and what became of it.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) verifier: VerifierId,
    pub(crate) question: Question,
    nonce: String,
    pub(crate) until: Timestamp,
    pub(crate) shown: Option<Presented>,
}

/// The questions of these minutes.
#[derive(Default)]
pub(crate) struct Asks(HashMap<AskId, Ask>);

/// Why an answer is not taken. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    #[error("nothing is asked, or no longer")]
    Unknown,
    #[error("it was answered")]
    Answered,
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("it shows something else than was asked for")]
    OtherClaims,
}

impl Ask {
    /// A question that may be answered from now on. `nonce`: random.
    pub(crate) fn new(
        verifier: VerifierId,
        question: Question,
        nonce: &[u8; 32],
        now: Timestamp,
    ) -> Self {
        let until = Timestamp::from_seconds(now.seconds().saturating_add(LIFETIME_SECONDS));
        Self { verifier, question, nonce: hex::encode(nonce), until, shown: None }
    }

    /// How it stands, for the page's script.
    pub(crate) fn state(&self) -> &'static str {
        if self.shown.is_some() { "shown" } else { "waiting" }
    }
}

impl Asks {
    /// Keeps a question; `false` if there are as many as may be. What has ended is forgotten first. A second click asks the same.
    pub(crate) fn put(&mut self, id: AskId, ask: Ask, now: Timestamp) -> bool {
        self.0.retain(|_, kept| now < kept.until);
        if self.0.contains_key(&id) {
            return true;
        }
        let own = self.0.values().filter(|kept| kept.verifier == ask.verifier).count();
        if OWN_MAX <= own || ALL_MAX <= self.0.len() {
            return false;
        }
        self.0.insert(id, ask);
        true
    }

    /// A question that has not ended.
    pub(crate) fn get(&self, id: &AskId, now: Timestamp) -> Option<&Ask> {
        self.0.get(id).filter(|ask| now < ask.until)
    }

    /// Takes an answer: once, and only one that is believed and shows what was asked for. All else leaves the question open, for whoever
    /// sees the code can send something.
    pub(crate) fn take(
        &mut self,
        desk: &Desk,
        answer: &Response,
        now: Timestamp,
    ) -> Result<(), AnswerError> {
        let id = hex::decode(&answer.state).map_err(|_| AnswerError::Unknown)?;
        let ask = self.0.get_mut(&id).filter(|ask| now < ask.until);
        let ask = ask.ok_or(AnswerError::Unknown)?;
        if ask.shown.is_some() {
            return Err(AnswerError::Answered);
        }
        let trusted = super::metadata(&desk.shared).ok_or(AnswerError::Unknown)?.certificates();
        let audience = client_of(&ask.verifier.to_string());
        let expected = Expected { audience: &audience, nonce: &ask.nonce };
        let presented = verify(&answer.presentation, &trusted, expected, now)?;
        if !ask.question.is_met_by(&presented.shown) {
            return Err(AnswerError::OtherClaims);
        }
        ask.shown = Some(presented);
        Ok(())
    }
}

/// The request of a question, signed, with the operator's word for who asks. None where the mint has no name.
pub(crate) fn request(desk: &Desk, id: &AskId, ask: &Ask, verifier: &Verifier) -> Option<String> {
    let (shared, now) = (&desk.shared, desk.now());
    let key = SecretKey::derive(&shared.seed, Purpose::Requests, &verifier.id.bytes());
    let attested = Attested {
        id: verifier.id.to_string(),
        name: verifier.name.as_str().to_owned(),
        purpose: verifier.purpose.as_str().to_owned(),
        addresses: vec![format!("{}{ANSWER_PATH}", desk.handle.origin)],
        key: key.public(),
    };
    let attestation = attested.attest(&super::name(shared)?, &super::attester(shared), now);
    let (query, state) = (Query::new(&ask.question), hex::encode(id));
    let draft = Draft {
        verifier: &attested,
        attestation: &attestation,
        nonce: &ask.nonce,
        state: &state,
        query: &query,
    };
    Some(draft.sign(&key, now))
}

/// The link of a question: what its code shows.
pub(crate) fn invitation(desk: &Desk, id: &AskId, verifier: VerifierId) -> String {
    let from = format!("{}/certificate/{}/request", desk.handle.origin, hex::encode(id));
    link(&client_of(&verifier.to_string()), &from)
}
