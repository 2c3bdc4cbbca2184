//! Passports made with the desk's own keys.
//!
//! Whoever has them can have as many passports as it likes, without an account each, and knows what an update becomes without asking.
//! A demonstration's keys follow from the seed in its directory. To the desk these requests are like any others.

use tacit_core::secret::Secret;
use tacit_core::time::Day;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::{Event, Passport, Prover, Receipt};
use tacit_credit::passport::issuer::{Facts, Opened};
use tacit_credit::passport::key::IssuerKeys;
use tacit_credit::passport::message::{KeysDigest, Request};
use tacit_credit::passport::pending::{Pending, Received};
use tacit_credit::passport::proof::Bins;
use tacit_credit::passport::standing::{Contract, ReceiptFacts};
use tacit_credit::passport::tag::{Entropy, Holder};
use tacit_credit::scorecard::signed::SignedCard;

/// Months of a bill paid, for a passport that has a score.
pub const HISTORY: u16 = 6;
/// Age in months that certificates are asked for.
const TENURE: u16 = 3;

/// A holder who has the desk's keys.
pub struct Insider<'a> {
    pub keys: &'a IssuerKeys,
    pub holder: Holder,
}

pub fn entropy() -> Entropy {
    Secret::new(tacit_server::random::bytes().expect("the machine has random numbers"))
}

/// What the desk answers.
pub fn answer(keys: &IssuerKeys, pending: &Pending, facts: Facts<'_>) -> Vec<u8> {
    let request = Request::read(pending.request()).expect("it was just made");
    let opened = Opened::new(request).expect("it was just made");
    opened.answer(keys, keys, facts, &entropy()).expect("it holds")
}

impl<'a> Insider<'a> {
    /// Of words that a number stands for.
    pub fn new(keys: &'a IssuerKeys, words: u8) -> Self {
        Self { keys, holder: Holder::of_seed(&[words; 64]) }
    }

    pub fn prover(&self) -> Prover<'_> {
        let public = self.keys.public();
        Prover { holder: &self.holder, shown: public, received: public }
    }

    /// What an update becomes.
    pub fn passport(&self, pending: &Pending, facts: Facts<'_>) -> Passport {
        let reply = answer(self.keys, pending, facts);
        match pending.finish(&reply, self.keys.public()).expect("it is a reply") {
            Received::Passport(passport) => *passport,
            Received::Receipt(_) => panic!("a passport was asked for"),
        }
    }

    /// Asks for a receipt of anything.
    pub fn ask(&self, month: Epoch, contract: Option<Contract>) -> Pending {
        let subject = *entropy().expose();
        self.prover().receipt(month, subject, contract, &entropy()).expect("it fits")
    }

    pub fn receipt(&self, month: Epoch, facts: ReceiptFacts) -> Receipt {
        let pending = self.ask(month, facts.contract);
        let reply = answer(self.keys, &pending, Facts::Receipt(facts));
        match pending.finish(&reply, self.keys.public()).expect("it is a reply") {
            Received::Receipt(receipt) => receipt,
            Received::Passport(_) => panic!("a receipt was asked for"),
        }
    }

    /// A first passport of a month.
    pub fn enrol(&self, month: Epoch) -> Passport {
        let pending = self.prover().enrol(month, month, &entropy()).expect("it fits");
        self.passport(&pending, Facts::None)
    }

    pub fn update(&self, held: &Passport, event: Event<'_>) -> Pending {
        self.prover().update(held, event, &entropy()).expect("it fits")
    }

    /// Closes a month, with what came of one bill.
    pub fn tick(&self, held: &Passport, facts: ReceiptFacts) -> Pending {
        let month = held.standing().epoch;
        let receipts = [facts, ReceiptFacts::BLANK].map(|facts| self.receipt(month, facts));
        self.update(held, Event::Tick { receipts: &receipts })
    }

    /// A passport that stands in a month and has a score.
    pub fn scored(&self, month: Epoch) -> Passport {
        let begun = Epoch::new(month.number() - HISTORY).expect("long after the clock's beginning");
        let facts =
            ReceiptFacts { contract: Some(Contract([1; 16])), met: true, amount: 40, last: false };
        let mut held = self.enrol(begun);
        while held.standing().epoch != month {
            held = self.passport(&self.tick(&held, facts), Facts::None);
        }
        held
    }

    /// Asks for certificates of the best score that a passport reaches.
    pub fn certify(
        &self,
        held: &Passport,
        (card, bins): (&SignedCard, &Bins),
        day: Day,
        keys: KeysDigest,
    ) -> Pending {
        let score = bins.score(held.standing());
        let offered = card.card().bands().iter().map(|band| band.from);
        let threshold = offered.filter(|from| *from <= score).max().expect("it has a score");
        let (card, tenure, strict) = (card.id(), TENURE, true);
        self.update(held, Event::Certify { card, bins, threshold, tenure, strict, day, keys })
    }
}
