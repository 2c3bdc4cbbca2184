//! The person's side: a passport as the wallet keeps it, the requests it makes, and what it makes of replies.
//!
//! An operation has two halves. [`Prover`] makes a [`Pending`](super::pending::Pending), which the wallet must have written down before the request leaves
//! it; [`Pending::finish`] makes the new passport of the reply. A pending request is sent as often as it takes: the desk answers
//! the same bytes with the same reply.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cmz::{CMZCredential as _, CMZMac};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use rand_08::RngCore as _;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use tacit_core::time::Day;
use zeroize::Zeroize as _;

use super::circuit::{self, borrow, certify, enrol, income, receipt, repay, tick};
use super::counter::{COUNTERS, CUTS_MAX};
use super::epoch::Epoch;
use super::issuer::{Serial, certify_params, scalar, set_facts, set_known};
use super::key::{self, KeyId, PublicKeys};
use super::message::{KeysDigest, Mark, Request, Terms};
use super::pending::{Becomes, Pending, ReplyError};
use super::proof::{Bins, HISTORY};
use super::standing::{Contract, EventError, ReceiptFacts, STREAMS, Standing, Turn, fade};
use super::tag::{self, Base, Entropy, Holder, Loan};
use crate::scorecard::signed::CardId;

/// What a credential is held by, besides its attributes: its serial and the desk's authentication code. Secret: who has them, and
/// the holder's seed, has the passport.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seal {
    serial: [u8; 32],
    p: [u8; 32],
    q: [u8; 32],
}

impl Drop for Seal {
    fn drop(&mut self) {
        self.serial.zeroize();
        self.p.zeroize();
        self.q.zeroize();
    }
}

impl Seal {
    pub(super) fn new(
        serial: Option<Scalar>,
        mac: &CMZMac<RistrettoPoint>,
    ) -> Result<Self, ReplyError> {
        let serial = serial.ok_or(ReplyError::Malformed)?.to_bytes();
        Ok(Self { serial, p: mac.P.compress().0, q: mac.Q.compress().0 })
    }

    fn open(&self) -> Result<(Scalar, CMZMac<RistrettoPoint>), PrepareError> {
        let point = |bytes| CompressedRistretto(bytes).decompress().ok_or(PrepareError::Damaged);
        let serial = Option::from(Scalar::from_canonical_bytes(self.serial));
        let mac = CMZMac { P: point(self.p)?, Q: point(self.q)? };
        Ok((serial.ok_or(PrepareError::Damaged)?, mac))
    }
}

/// A passport, as its holder has it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passport {
    standing: Standing,
    keys: KeyId,
    seal: Seal,
}

/// A receipt, as its holder has it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    facts: ReceiptFacts,
    epoch: Epoch,
    keys: KeyId,
    seal: Seal,
}

/// Prints what it says, not what makes it valid.
impl std::fmt::Debug for Passport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passport").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipt").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl Passport {
    pub(super) const fn new(standing: Standing, keys: KeyId, seal: Seal) -> Self {
        Self { standing, keys, seal }
    }

    /// What it says.
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The keys it is under.
    pub const fn keys(&self) -> KeyId {
        self.keys
    }

    /// What the answer to its next update is found again by, unless that is a tick.
    pub const fn mark(&self) -> Mark {
        Mark(self.seal.serial)
    }

    /// Its serial, which the next update reveals.
    pub const fn serial(&self) -> Serial {
        Serial(self.seal.serial)
    }
}

impl Receipt {
    pub(super) const fn new(facts: ReceiptFacts, epoch: Epoch, keys: KeyId, seal: Seal) -> Self {
        Self { facts, epoch, keys, seal }
    }

    /// What it says.
    pub const fn facts(&self) -> ReceiptFacts {
        self.facts
    }

    /// The month it is for.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The keys it is under.
    pub const fn keys(&self) -> KeyId {
        self.keys
    }
}

/// What is to happen to a passport.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A month's income.
    Income {
        /// Units.
        units: u16,
    },
    /// A loan is drawn.
    Borrow {
        /// Which.
        loan: Loan,
        /// When its first instalment is due.
        due: Epoch,
    },
    /// An instalment is paid.
    Repay {
        /// Of which loan.
        loan: Loan,
        /// When it was due.
        due: Epoch,
        /// When the next is.
        next: Option<Epoch>,
        /// What of it counts: [`Standing::countable`].
        units: u8,
    },
    /// The passport's month is over.
    Tick {
        /// One for each slot, blanks where there is none.
        receipts: &'a [Receipt; STREAMS],
    },
    /// A certificate.
    Certify {
        /// The scorecard.
        card: CardId,
        /// As the proof computes it.
        bins: &'a Bins,
        /// At least this score.
        threshold: u16,
        /// At least so many months old.
        tenure: u16,
        /// No bill open from months before.
        strict: bool,
        /// The present day, by the desk's clock.
        day: Day,
        /// The keys that it is bound to.
        keys: KeysDigest,
    },
}

/// Why a request cannot be made: nothing was sent, and the desk would have refused it. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The public keys are not those of the passport or receipt.
    #[error("the passport is under other keys")]
    Keys,
    /// The event does not fit the passport.
    #[error(transparent)]
    Event(#[from] EventError),
    /// A receipt of another month.
    #[error("receipt {slot} is of another month")]
    OtherMonth {
        /// Counted from 0.
        slot: usize,
    },
    /// What the certificate is to say is not so.
    #[error(transparent)]
    Unprovable(#[from] Unprovable),
    /// What was kept of the passport is not what was issued.
    #[error("the passport is damaged")]
    Damaged,
}

/// Why a passport gets no certificate. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unprovable {
    /// An instalment is overdue.
    #[error("an instalment was due in {due}")]
    Overdue {
        /// Since when.
        due: Epoch,
    },
    /// Bills are open from months before.
    #[error("{months} months are behind")]
    Arrears {
        /// How many, at most 3.
        months: u8,
    },
    /// The passport is younger.
    #[error("the passport is {months} months old")]
    TooYoung {
        /// How old it is.
        months: u16,
    },
    /// Too few months with a payment for any score.
    #[error("there is no score yet")]
    NoScore,
    /// The score is lower.
    #[error("the score is {score}")]
    Score {
        /// What it is.
        score: u16,
    },
}

/// Who proves: a holder, under the desk's public keys.
#[derive(Clone, Copy, Debug)]
pub struct Prover<'a> {
    /// Who.
    pub holder: &'a Holder,
    /// Keys of the passport that is shown.
    pub shown: &'a PublicKeys,
    /// Keys of what is received: the same, or the next ones.
    pub received: &'a PublicKeys,
}

/// Makes one protocol's request. The generated code panics on values that do not satisfy its statements: they were checked.
macro_rules! prepare {
    ($protocol:ident, $draft:expr, $random:expr, $($argument:expr),+) => {{
        let session = $draft.session();
        let made = catch_unwind(AssertUnwindSafe(|| {
            $protocol::prepare($random, &session, $($argument),+)
        }));
        let (proof, state) = made.ok().and_then(Result::ok).ok_or(PrepareError::Damaged)?;
        (proof.as_bytes(), state.as_bytes())
    }};
}

impl Prover<'_> {
    /// Asks for a first passport, whose age counts from `since`: the desk says from when.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub fn enrol(
        &self,
        epoch: Epoch,
        since: Epoch,
        entropy: &Entropy,
    ) -> Result<Pending, PrepareError> {
        let tag = self.holder.tag(Base::Account);
        let terms = Terms::Enrol { holder: tag, since };
        let (draft, mut random) = self.draft(epoch, terms, entropy);
        let standing = Standing::begun(epoch, since);
        let mut new = circuit::Passport::using_pubkey(self.received.passport());
        set_known(&mut new, &standing);
        new.holder = Some(*self.holder.scalar());
        let params = enrol::Params { HOLDER: tag.point() };
        let made = prepare!(enrol, draft, &mut random, new, &params);
        Ok(self.pending(draft, Mark(*tag.as_bytes()), made, Becomes::Passport(standing)))
    }

    /// Asks for a receipt of a month, for what the desk knows as `subject`; of a contract, or a blank.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub fn receipt(
        &self,
        epoch: Epoch,
        subject: [u8; 32],
        contract: Option<Contract>,
        entropy: &Entropy,
    ) -> Result<Pending, PrepareError> {
        let (draft, mut random) = self.draft(epoch, Terms::Receipt { subject }, entropy);
        let mut new = circuit::Receipt::using_pubkey(self.received.receipt());
        new.holder = Some(*self.holder.scalar());
        let made = prepare!(receipt, draft, &mut random, new);
        Ok(self.pending(draft, Mark(subject), made, Becomes::Receipt { epoch, contract }))
    }

    /// Shows a passport for an event, and asks for the one after it.
    ///
    /// # Errors
    /// [`PrepareError`]; nothing was revealed.
    pub fn update(
        &self,
        passport: &Passport,
        event: Event<'_>,
        entropy: &Entropy,
    ) -> Result<Pending, PrepareError> {
        if passport.keys != self.shown.id() {
            return Err(PrepareError::Keys);
        }
        let standing = &passport.standing;
        match event {
            Event::Income { units } => {
                let next = standing.with_income(units)?;
                let change = self.change(passport, next, Terms::Income { units }, entropy)?;
                let Change { old, new, draft, mut random, next } = change;
                let params = income::Params { units: scalar(units) };
                let made = prepare!(income, draft, &mut random, &old, new, &params);
                Ok(self.pending(draft, passport.mark(), made, Becomes::Passport(next)))
            }
            Event::Borrow { loan, due } => {
                let next = standing.with_loan(due)?;
                let tag = self.holder.tag(Base::Loan(loan));
                let terms = Terms::Borrow { loan, tag, due };
                let Change { old, new, draft, mut random, next } =
                    self.change(passport, next, terms, entropy)?;
                let params = borrow::Params { LOAN: Base::Loan(loan).point(), TAG: tag.point() };
                let made = prepare!(borrow, draft, &mut random, &old, new, &params);
                Ok(self.pending(draft, passport.mark(), made, Becomes::Passport(next)))
            }
            Event::Repay { loan, due, next: then, units } => {
                let next = standing.with_instalment(due, units, then)?;
                let tag = self.holder.tag(Base::Loan(loan));
                let terms = Terms::Repay { loan, tag, due, next: then, units };
                let Change { old, new, draft, mut random, next } =
                    self.change(passport, next, terms, entropy)?;
                let units = scalar(u16::from(units));
                let (loan, tag) = (Base::Loan(loan).point(), tag.point());
                let params = repay::Params { units, LOAN: loan, TAG: tag };
                let made = prepare!(repay, draft, &mut random, &old, new, &params);
                Ok(self.pending(draft, passport.mark(), made, Becomes::Passport(next)))
            }
            Event::Tick { receipts } => self.tick(passport, receipts, entropy),
            Event::Certify { card, bins, threshold, tenure, strict, day, keys } => {
                let terms = Terms::Certify { card, threshold, tenure, strict, day, keys };
                self.certify(passport, terms, bins, entropy)
            }
        }
    }

    fn tick(
        &self,
        passport: &Passport,
        receipts: &[Receipt; STREAMS],
        entropy: &Entropy,
    ) -> Result<Pending, PrepareError> {
        let standing = &passport.standing;
        for (slot, receipt) in receipts.iter().enumerate() {
            if receipt.epoch != standing.epoch {
                return Err(PrepareError::OtherMonth { slot });
            }
            if receipt.keys != self.shown.id() {
                return Err(PrepareError::Keys);
            }
        }
        let facts = receipts.each_ref().map(|receipt| receipt.facts);
        let (next, turn) = standing.turned(&facts)?;
        let nym = self.holder.tag(Base::Month(standing.epoch));
        let change = self.change(passport, next, Terms::Tick { nym }, entropy)?;
        let Change { old, new, draft, mut random, next } = change;
        let [first, second] = receipts.each_ref().map(|receipt| self.shown_receipt(receipt));
        let (first, second) = (first?, second?);
        let aux = self.turn(standing, &facts, turn);
        let params = tick::Params {
            closing: scalar(standing.epoch.number()),
            MONTH: Base::Month(standing.epoch).point(),
            NYM: nym.point(),
        };
        let made = prepare!(tick, draft, &mut random, &old, &first, &second, new, aux, &params);
        Ok(self.pending(draft, Mark(*nym.as_bytes()), made, Becomes::Passport(next)))
    }

    pub(super) fn shown_receipt(
        &self,
        receipt: &Receipt,
    ) -> Result<circuit::Receipt, PrepareError> {
        let mut shown = circuit::Receipt::using_pubkey(self.shown.receipt());
        set_facts(&mut shown, receipt.epoch, receipt.facts);
        shown.holder = Some(*self.holder.scalar());
        let (serial, mac) = receipt.seal.open()?;
        (shown.serial, shown.MAC) = (Some(serial), mac);
        Ok(shown)
    }

    /// The helper values of a tick.
    pub(super) fn turn(
        &self,
        standing: &Standing,
        facts: &[ReceiptFacts; STREAMS],
        turn: Turn,
    ) -> circuit::Turn {
        let mut aux = circuit::Turn::using_pubkey(self.received.turn());
        let bit = |value: bool| Some(scalar(u16::from(value)));
        (aux.need1, aux.need2) = (bit(turn.needs[0]), bit(turn.needs[1]));
        aux.missed = Some(scalar(u16::from(turn.missed)));
        aux.overdue = bit(turn.overdue);
        let wrap = if turn.overdue { 4096 } else { 0 };
        aux.ahead = Some(scalar(standing.due_number() + wrap - standing.epoch.number() - 1));
        (aux.late, aux.behind, aux.some) = (bit(turn.late), bit(turn.behind), bit(turn.some));
        let fades = |value: u16| {
            let fade = fade(value);
            (Some(scalar(fade)), Some(scalar(8 * fade - value)))
        };
        let Standing { late, behind, paid, paid_months, income, repaid, .. } = *standing;
        (aux.late_fade, aux.late_rest) = fades(u16::from(late));
        (aux.behind_fade, aux.behind_rest) = fades(u16::from(behind));
        (aux.paid_fade, aux.paid_rest) = fades(paid);
        (aux.paid_months_fade, aux.paid_months_rest) = fades(u16::from(paid_months));
        (aux.income_fade, aux.income_rest) = fades(income);
        let amounts: u16 = facts.iter().map(|facts| u16::from(facts.amount)).sum();
        aux.more = Some(scalar(amounts + u16::from(repaid) - u16::from(turn.some)));
        aux
    }

    fn certify(
        &self,
        passport: &Passport,
        terms: Terms,
        bins: &Bins,
        entropy: &Entropy,
    ) -> Result<Pending, PrepareError> {
        check_provable(&passport.standing, &terms, bins)?;
        let next = passport.standing.clone();
        let Change { old, new, draft, mut random, next } =
            self.change(passport, next, terms, entropy)?;
        let params = certify_params(&draft.terms, bins).ok_or(PrepareError::Damaged)?;
        let aux = self.proof(&passport.standing, bins);
        let made = prepare!(certify, draft, &mut random, &old, new, aux, &params);
        Ok(self.pending(draft, passport.mark(), made, Becomes::Passport(next)))
    }

    /// The helper values of a certificate.
    pub(super) fn proof(&self, standing: &Standing, bins: &Bins) -> circuit::Proof {
        let mut aux = circuit::Proof::using_pubkey(self.received.proof());
        for (counter, (bin, past)) in COUNTERS.iter().zip(bins.places(standing)) {
            for place in 0..=CUTS_MAX {
                let here = scalar(u16::from(place == bin));
                *aux.attr_mut(&format!("{}_{place}", counter.name)) = Some(here);
            }
            *aux.attr_mut(&format!("{}_past", counter.name)) = Some(scalar(past));
        }
        aux.score = Some(scalar(bins.score(standing)));
        aux
    }

    fn draft(&self, epoch: Epoch, terms: Terms, entropy: &Entropy) -> (Request, ChaCha20Rng) {
        key::begin();
        let mut random = tag::generator_of(entropy);
        let mut nonce = [0; 32];
        random.fill_bytes(&mut nonce);
        let (shown, received) = (self.shown.id(), self.received.id());
        (Request { shown, received, epoch, nonce, terms, proof: Vec::new() }, random)
    }

    pub(super) fn change(
        &self,
        passport: &Passport,
        next: Standing,
        terms: Terms,
        entropy: &Entropy,
    ) -> Result<Change, PrepareError> {
        let (draft, random) = self.draft(passport.standing.epoch, terms, entropy);
        let (serial, mac) = passport.seal.open()?;
        let credential = |keys: &PublicKeys, standing: &Standing| {
            let mut it = circuit::Passport::using_pubkey(keys.passport());
            set_known(&mut it, standing);
            it.holder = Some(*self.holder.scalar());
            it
        };
        let mut old = credential(self.shown, &passport.standing);
        (old.serial, old.MAC) = (Some(serial), mac);
        let new = credential(self.received, &next);
        Ok(Change { old, new, draft, random, next })
    }

    fn pending(
        &self,
        mut draft: Request,
        mark: Mark,
        (proof, state): (Vec<u8>, Vec<u8>),
        becomes: Becomes,
    ) -> Pending {
        draft.proof = proof;
        let protocol = draft.terms.protocol();
        Pending {
            request: draft.to_bytes(),
            state,
            protocol,
            mark,
            received: self.received.id(),
            becomes,
        }
    }
}

/// What an update starts from.
pub(super) struct Change {
    pub(super) old: circuit::Passport,
    pub(super) new: circuit::Passport,
    pub(super) draft: Request,
    pub(super) random: ChaCha20Rng,
    next: Standing,
}

fn check_provable(standing: &Standing, terms: &Terms, bins: &Bins) -> Result<(), PrepareError> {
    let Terms::Certify { threshold, tenure, strict, day, .. } = *terms else {
        return Err(PrepareError::Damaged);
    };
    let now = Epoch::of(day.start());
    if let Some(due) = standing.due.filter(|due| *due < now) {
        return Err(Unprovable::Overdue { due }.into());
    }
    if strict && 0 < standing.arrears {
        return Err(Unprovable::Arrears { months: standing.arrears }.into());
    }
    let months = now.since(standing.since);
    if months < tenure {
        return Err(Unprovable::TooYoung { months }.into());
    }
    if u16::from(standing.paid_months) < HISTORY {
        return Err(Unprovable::NoScore.into());
    }
    let score = bins.score(standing);
    if score < threshold { Err(Unprovable::Score { score }.into()) } else { Ok(()) }
}
