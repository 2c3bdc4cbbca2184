//! What a wallet keeps of a passport. Secret as a whole: who has it and the words, has the passport.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;
use tacit_credit::certificate::issuer::Metadata;
use tacit_credit::passport::holder::Passport;
use tacit_credit::passport::key::{KeyId, PublicKeys};
use tacit_credit::passport::pending::Pending;
use tacit_credit::passport::tag::Entropy;
use tacit_credit::passport::wire;

use crate::batch::{Batch, Change};
use crate::certificate::{Certificates, Consent, Offer, Order, Outgoing};
use crate::mint::MintUrl;
use crate::passport::bills::Stream;
use crate::transport::{Bearer, Request};

/// A passport with an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Counted up with each change, so that two that were prepared on one state cannot both apply.
    pub(crate) version: u64,
    /// Where the operator's passport desk is: anonymous.
    pub(crate) mint: MintUrl,
    /// The desk's public keys, by their epochs, as first seen.
    pub(crate) keys: BTreeMap<u32, wire::Key>,
    /// The passport as it is, as far as this wallet knows.
    pub(crate) held: Option<Passport>,
    /// An update under way: written down before it was sent, and sent until it is answered.
    pub(crate) waiting: Option<Box<Waiting>>,
    /// Contracts whose bills count.
    #[serde(default)]
    pub(crate) streams: Vec<Stream>,
    /// Whose certificates and whose word on verifiers to believe, as it was when certificates were last asked for: whoever looked it up when
    /// they show one would tell the operator so.
    #[serde(default)]
    pub(crate) issuer: Option<Metadata>,
    /// Certificates that were not shown yet.
    #[serde(default)]
    pub(crate) certificates: Certificates,
    /// What was agreed to, the latest last.
    #[serde(default)]
    pub(crate) consents: Vec<Consent>,
}

/// An update that was sent, or is about to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// What for.
    pub(crate) errand: Errand,
    /// The request, and what its reply will be opened with.
    pub(crate) pending: Pending,
    /// The same, sealed for this wallet: the desk keeps it.
    pub(crate) sealed: Vec<u8>,
}

/// What an update is for: where it is sent, and what is shown beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Errand {
    /// A first passport, with a code of the portal.
    Enrol(Bearer),
    /// A month is over.
    Tick,
    /// A month's income.
    Income(Bearer),
    /// Certificates.
    Certify(Order),
}

impl Kept {
    /// The passport, as far as this wallet knows.
    pub fn held(&self) -> Option<&Passport> {
        self.held.as_ref()
    }

    /// Where the operator's passport desk is.
    pub fn mint(&self) -> &MintUrl {
        &self.mint
    }

    /// Whether an update has no answer yet.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Whose certificates and whose word on verifiers to believe; none before certificates were asked for.
    pub fn issuer(&self) -> Option<&Metadata> {
        self.issuer.as_ref()
    }

    /// Certificates that were not shown yet.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// What was agreed to, the latest last.
    pub fn consents(&self) -> &[Consent] {
        &self.consents
    }

    /// The person agrees to an offer of [`Certificates::offer`]: to be made durable with the batch before anything is sent. None if the
    /// certificate was shown meanwhile.
    pub fn agree(
        &self,
        desk: &MintUrl,
        offer: Offer,
        now: Timestamp,
        entropy: &Entropy,
    ) -> Option<(Batch, Outgoing)> {
        let mut next = self.next();
        next.certificates.sweep(now);
        let (consent, outgoing) = offer.agree(&mut next.certificates, now, entropy)?;
        next.consents.push(consent);
        let change = Change::SetPassport { desk: desk.clone(), kept: Box::new(next) };
        Some((Batch { changes: vec![change] }, outgoing))
    }

    /// The keys of a name.
    pub(crate) fn keys_of(&self, id: KeyId) -> Option<PublicKeys> {
        self.keys
            .values()
            .find(|key| key.id == id)
            .and_then(|key| PublicKeys::new(&key.public).ok())
    }

    /// The latest of them.
    pub(crate) fn newest(&self) -> Option<PublicKeys> {
        self.keys.values().next_back().and_then(|key| PublicKeys::new(&key.public).ok())
    }

    /// All keys.
    pub(crate) fn all_keys(&self) -> Vec<PublicKeys> {
        self.keys.values().filter_map(|key| PublicKeys::new(&key.public).ok()).collect()
    }

    /// The same a version later.
    pub(crate) fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }
}

impl Waiting {
    /// The request, as often as it takes.
    pub(crate) fn request(&self, desk: &MintUrl, mint: &MintUrl, access: &Bearer) -> Request {
        let (request, sealed) = (self.pending.request().to_vec(), self.sealed.clone());
        match &self.errand {
            Errand::Enrol(code) => {
                let access = access.expose().to_owned();
                let body = wire::Enrol { request, sealed, access };
                Request::to_desk(desk, "/api/v1/passport/enrolment", code, Some(&body))
            }
            Errand::Tick => {
                Request::post(mint, "/v1/passport/tick", &wire::Ask { request, sealed })
            }
            Errand::Certify(order) => {
                let keys = order.keys().map(|key| key.to_vec()).to_vec();
                let body = wire::Certify { request, sealed, keys };
                Request::post(mint, "/v1/passport/certify", &body)
            }
            Errand::Income(access) => {
                let body = wire::Ask { request, sealed };
                Request::to_desk(desk, "/api/v1/passport/income", access, Some(&body))
            }
        }
    }
}
