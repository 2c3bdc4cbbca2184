//! The desk's side: a request is opened, its serials looked up, its proof checked, and the reply made.
//!
//! Nothing here remembers anything. Whoever calls it must commit, in one transaction and before the reply is sent: the serials
//! that were shown, the request's digest and the reply. The same bytes again get the stored reply; other bytes under a spent
//! serial are refused.

use cmz::{CMZCredential as _, CMZError};
use curve25519_dalek::scalar::Scalar;

use super::caught::catch;
use super::circuit::{
    self, Passport, Receipt, borrow, certify, enrol, income, receipt, repay, tick,
};
use super::epoch::Epoch;
use super::key::{self, IssuerKeys};
use super::message::{Mark, Request, Terms};
use super::proof::{Bins, HISTORY};
use super::standing::{ReceiptFacts, Standing};
use super::tag::{self, Base, Entropy, Loan, Tag};

/// The serial of a passport or receipt that was shown: random, and never shown before or again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial(pub [u8; 32]);

/// Why a request was refused. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The proof's bytes are not those of a proof.
    #[error("the proof is malformed")]
    Malformed,
    /// Other keys than those it was made for.
    #[error("the request is made for other keys")]
    Keys,
    /// Numbers that no passport may take on.
    #[error("the terms are out of range")]
    Terms,
    /// The proof does not hold: the passport is not of these keys or not of this month, or what is claimed is not so.
    #[error("the proof does not hold")]
    Proof,
    /// It does not hold either: its points made the generated code panic, which those of an honest wallet never do.
    #[error("the proof does not hold")]
    Panicked,
}

/// The proof of a request, read.
enum Body {
    Enrol(enrol::Request),
    Receipt(receipt::Request),
    Income(Box<income::Request>),
    Borrow(Box<borrow::Request>),
    Repay(Box<repay::Request>),
    Tick(Box<tick::Request>),
    Certify(Box<certify::Request>),
}

/// A request whose bytes were read. Its proof is not checked yet.
pub struct Opened {
    request: Request,
    body: Body,
}

/// What the desk knows and the request does not say.
#[derive(Clone, Copy, Debug)]
pub enum Facts<'a> {
    /// Nothing more.
    None,
    /// What a receipt says.
    Receipt(ReceiptFacts),
    /// The scorecard of a certificate.
    Card(&'a Bins),
}

/// Reads one protocol's proof: canonical, and without a neutral point, on which the verifier's code would panic.
macro_rules! read {
    ($protocol:ident, $bytes:expr) => {{
        let bytes: &[u8] = $bytes;
        let read = postcard::take_from_bytes::<$protocol::Request>(bytes);
        let (read, rest) = read.map_err(|_| Refused::Malformed)?;
        let is_whole = rest.is_empty() && is_canonical(bytes, &read.cli_proof);
        if !is_whole || has_zero(bytes, read.cli_proof.len()) {
            return Err(Refused::Malformed);
        }
        read
    }};
}

/// Answers one protocol. Panics of the generated code, which hostile points can reach, are a refusal.
macro_rules! answer {
    ($protocol:ident, $body:expr, $session:expr, $entropy:expr, $fill:expr, $authorize:expr) => {{
        let mut random = tag::generator_of($entropy);
        let (body, session) = ($body, $session);
        match catch(|| $protocol::handle(&mut random, &session, body, $fill, $authorize)) {
            Some(Ok((reply, _))) => Ok(reply.as_bytes()),
            Some(Err(_)) => Err(Refused::Proof),
            None => Err(Refused::Panicked),
        }
    }};
}

/// Whether what was read, to its end, is written as we would write it. Points and numbers have one encoding that is read; the length
/// before the proof has longer ones. Cheaper than to write all of it: a point costs an inversion.
fn is_canonical(bytes: &[u8], proof: &[u8]) -> bool {
    let mut buffer = [0; 10];
    let length = postcard::to_slice(&proof.len(), &mut buffer);
    let before = bytes.strip_suffix(proof);
    let fields = before.zip(length.ok()).and_then(|(before, length)| before.strip_suffix(&*length));
    fields.is_some_and(|fields| fields.len() % 32 == 0)
}

/// Whether one of the 32-byte fields before the proof is all zero: the neutral point, or a number nobody draws.
fn has_zero(bytes: &[u8], proof: usize) -> bool {
    let fields = bytes.len().saturating_sub(proof) / 32;
    bytes.chunks_exact(32).take(fields).any(|field| field == [0; 32])
}

impl Opened {
    /// Reads the proof of a request.
    ///
    /// # Errors
    /// [`Refused::Malformed`].
    pub fn new(request: Request) -> Result<Self, Refused> {
        let bytes = request.proof.as_slice();
        let body = match request.terms {
            Terms::Enrol { .. } => Body::Enrol(read!(enrol, bytes)),
            Terms::Receipt { .. } => Body::Receipt(read!(receipt, bytes)),
            Terms::Income { .. } => Body::Income(Box::new(read!(income, bytes))),
            Terms::Borrow { .. } => Body::Borrow(Box::new(read!(borrow, bytes))),
            Terms::Repay { .. } => Body::Repay(Box::new(read!(repay, bytes))),
            Terms::Tick { .. } => Body::Tick(Box::new(read!(tick, bytes))),
            Terms::Certify { .. } => Body::Certify(Box::new(read!(certify, bytes))),
        };
        Ok(Self { request, body })
    }

    /// What is asked.
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// The serials it shows: to be looked up before the proof is checked, and kept once it was answered. The passport's first; those
    /// of a tick's two receipts after it.
    pub fn serials(&self) -> Vec<Serial> {
        let shown = match &self.body {
            Body::Enrol(_) | Body::Receipt(_) => vec![],
            Body::Income(body) => vec![body.show_Rattr_Old_serial],
            Body::Borrow(body) => vec![body.show_Rattr_Old_serial],
            Body::Repay(body) => vec![body.show_Rattr_Old_serial],
            Body::Certify(body) => vec![body.show_Rattr_Old_serial],
            Body::Tick(body) => vec![
                body.show_Rattr_Old_serial,
                body.show_Rattr_R1_serial,
                body.show_Rattr_R2_serial,
            ],
        };
        shown.into_iter().map(|serial| Serial(serial.to_bytes())).collect()
    }

    /// What the answer is found again by.
    pub fn mark(&self) -> Mark {
        match self.request.terms {
            Terms::Enrol { holder, .. } => Mark(*holder.as_bytes()),
            Terms::Receipt { subject } => Mark(subject),
            Terms::Tick { nym } => Mark(*nym.as_bytes()),
            Terms::Income { .. }
            | Terms::Borrow { .. }
            | Terms::Repay { .. }
            | Terms::Certify { .. } => {
                let serials = self.serials();
                Mark(serials.first().expect("an update shows a passport").0)
            }
        }
    }

    /// Checks the proof, and makes the reply: a passport or a receipt that only its holder can read.
    ///
    /// `shown`, `received`: the keys the request names. The caller has checked that they may be used, that the passport's month
    /// may be, and that the terms are what it knows of the loan, bill or income.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn answer(
        self,
        shown: &IssuerKeys,
        received: &IssuerKeys,
        facts: Facts<'_>,
        entropy: &Entropy,
    ) -> Result<Vec<u8>, Refused> {
        key::begin();
        let Self { request, body } = self;
        if shown.public().id() != request.shown || received.public().id() != request.received {
            return Err(Refused::Keys);
        }
        let desk = Desk { request: &request, shown, received, session: request.session(), entropy };
        match (body, request.terms, facts) {
            (Body::Enrol(body), Terms::Enrol { holder, since }, Facts::None) => {
                desk.enrol(body, holder.point(), since)
            }
            (Body::Receipt(body), Terms::Receipt { .. }, Facts::Receipt(facts)) => {
                desk.receipt(body, facts)
            }
            (Body::Income(body), Terms::Income { units }, Facts::None) => desk.income(*body, units),
            (Body::Borrow(body), Terms::Borrow { loan, tag, due }, Facts::None) => {
                desk.borrow(*body, (loan, tag), due)
            }
            (Body::Repay(body), Terms::Repay { loan, tag, due, next, units }, Facts::None) => {
                desk.repay(*body, (loan, tag), (due, next), units)
            }
            (Body::Tick(body), Terms::Tick { nym }, Facts::None) => desk.tick(*body, nym.point()),
            (Body::Certify(body), Terms::Certify { .. }, Facts::Card(bins)) => {
                desk.certify(*body, bins)
            }
            _ => Err(Refused::Terms),
        }
    }
}

/// What every protocol's answer needs.
struct Desk<'a> {
    request: &'a Request,
    shown: &'a IssuerKeys,
    received: &'a IssuerKeys,
    session: [u8; 32],
    entropy: &'a Entropy,
}

type Filled<T> = Result<T, CMZError>;

impl Desk<'_> {
    /// Sets keys and month of an update that stays in its month.
    fn fill(&self, old: &mut Passport, new: &mut Passport) {
        let (private, public) = self.shown.passport();
        old.set_keypair(private, public);
        let (private, public) = self.received.passport();
        new.set_keypair(private, public);
        let epoch = Some(scalar(self.request.epoch.number()));
        (old.epoch, new.epoch) = (epoch, epoch);
    }

    fn enrol(
        &self,
        body: enrol::Request,
        holder: curve25519_dalek::ristretto::RistrettoPoint,
        since: Epoch,
    ) -> Result<Vec<u8>, Refused> {
        let (private, public) = self.received.passport();
        let fill = |new: &mut Passport| {
            new.set_keypair(private, public);
            set_known(new, &Standing::begun(self.request.epoch, since));
            Ok(enrol::Params { HOLDER: holder })
        };
        answer!(enrol, body, self.session, self.entropy, fill, |_: &Passport| Ok(()))
    }

    fn receipt(&self, body: receipt::Request, facts: ReceiptFacts) -> Result<Vec<u8>, Refused> {
        let (private, public) = self.received.receipt();
        let fill = |new: &mut Receipt| {
            new.set_keypair(private, public);
            set_facts(new, self.request.epoch, facts);
            Ok(())
        };
        answer!(receipt, body, self.session, self.entropy, fill, |_: &Receipt| Ok(()))
    }

    fn income(&self, body: income::Request, units: u16) -> Result<Vec<u8>, Refused> {
        if super::standing::INCOME_MAX < units {
            return Err(Refused::Terms);
        }
        let fill = |old: &mut Passport, new: &mut Passport| {
            self.fill(old, new);
            Ok(income::Params { units: scalar(units) })
        };
        answer!(income, body, self.session, self.entropy, fill, |_: &Passport, _: &Passport| Ok(()))
    }

    fn borrow(
        &self,
        body: borrow::Request,
        (loan, tag): (Loan, Tag),
        due: Epoch,
    ) -> Result<Vec<u8>, Refused> {
        let fill = |old: &mut Passport, new: &mut Passport| {
            self.fill(old, new);
            old.due = Some(scalar(Epoch::NEVER));
            new.due = Some(scalar(due.number()));
            Ok(borrow::Params { LOAN: Base::Loan(loan).point(), TAG: tag.point() })
        };
        answer!(borrow, body, self.session, self.entropy, fill, |_: &Passport, _: &Passport| Ok(()))
    }

    fn repay(
        &self,
        body: repay::Request,
        (loan, tag): (Loan, Tag),
        (due, next): (Epoch, Option<Epoch>),
        units: u8,
    ) -> Result<Vec<u8>, Refused> {
        let fill = |old: &mut Passport, new: &mut Passport| {
            self.fill(old, new);
            old.due = Some(scalar(due.number()));
            new.due = Some(scalar(next.map_or(Epoch::NEVER, Epoch::number)));
            let units = scalar(u16::from(units));
            Ok(repay::Params { units, LOAN: Base::Loan(loan).point(), TAG: tag.point() })
        };
        answer!(repay, body, self.session, self.entropy, fill, |_: &Passport, _: &Passport| Ok(()))
    }

    fn tick(
        &self,
        body: tick::Request,
        nym: curve25519_dalek::ristretto::RistrettoPoint,
    ) -> Result<Vec<u8>, Refused> {
        let closing = self.request.epoch;
        let next = closing.next().ok_or(Refused::Terms)?;
        let (receipt_key, turn_key) = (self.shown.receipt(), self.received.turn());
        let fill = |old: &mut Passport,
                    first: &mut Receipt,
                    second: &mut Receipt,
                    new: &mut Passport,
                    turn: &mut circuit::Turn|
         -> Filled<tick::Params> {
            self.fill(old, new);
            for receipt in [first, second] {
                receipt.set_keypair(receipt_key.0, receipt_key.1);
                receipt.epoch = Some(scalar(closing.number()));
            }
            turn.set_keypair(turn_key.0, turn_key.1);
            new.epoch = Some(scalar(next.number()));
            new.repaid = Some(Scalar::ZERO);
            let closing_number = scalar(closing.number());
            Ok(tick::Params {
                closing: closing_number,
                MONTH: Base::Month(closing).point(),
                NYM: nym,
            })
        };
        answer!(
            tick,
            body,
            self.session,
            self.entropy,
            fill,
            |_: &Passport, _: &Receipt, _: &Receipt, _: &Passport, _: &circuit::Turn| Ok(())
        )
    }

    fn certify(&self, body: certify::Request, bins: &Bins) -> Result<Vec<u8>, Refused> {
        let (private, public) = self.received.proof();
        let params = certify_params(&self.request.terms, bins).ok_or(Refused::Terms)?;
        let fill = |old: &mut Passport, new: &mut Passport, proof: &mut circuit::Proof| {
            self.fill(old, new);
            proof.set_keypair(private, public);
            Ok(params)
        };
        answer!(
            certify,
            body,
            self.session,
            self.entropy,
            fill,
            |_: &Passport, _: &Passport, _: &circuit::Proof| Ok(())
        )
    }
}

pub(super) fn scalar(number: u16) -> Scalar {
    Scalar::from(number)
}

/// Sets what both sides know of a first passport: all but holder and serial.
pub(super) fn set_known(passport: &mut Passport, standing: &Standing) {
    let count = |value: u8| Some(scalar(u16::from(value)));
    passport.epoch = Some(scalar(standing.epoch.number()));
    passport.since = Some(scalar(standing.since.number()));
    passport.arrears = count(standing.arrears);
    passport.late = count(standing.late);
    passport.behind = count(standing.behind);
    passport.paid = Some(scalar(standing.paid));
    passport.paid_months = count(standing.paid_months);
    passport.income = Some(scalar(standing.income));
    passport.repaid = count(standing.repaid);
    passport.due = Some(scalar(standing.due_number()));
    passport.contract1 = Some(tag::contract_scalar(standing.contracts[0]));
    passport.contract2 = Some(tag::contract_scalar(standing.contracts[1]));
}

pub(super) fn set_facts(receipt: &mut Receipt, epoch: Epoch, facts: ReceiptFacts) {
    receipt.contract = Some(tag::contract_scalar(facts.contract));
    receipt.epoch = Some(scalar(epoch.number()));
    receipt.met = Some(scalar(u16::from(facts.met)));
    receipt.amount = Some(scalar(u16::from(facts.amount)));
    receipt.last = Some(scalar(u16::from(facts.last)));
}

/// The parameters of a certificate's proof; none if the terms are not a certificate's, or cannot be met by anybody.
pub(super) fn certify_params(terms: &Terms, bins: &Bins) -> Option<certify::Params> {
    let Terms::Certify { threshold, tenure, strict, day, .. } = *terms else { return None };
    let now = Epoch::of(day.start());
    let latest = now.number().checked_sub(tenure)?;
    let edge = |counter: usize, cut: usize| scalar(bins.counters[counter][cut].0);
    let points = |counter: usize, cut: usize| scalar(bins.counters[counter][cut].1);
    macro_rules! params {
        ($($at:literal: $($b:ident $w:ident),*;)*) => {
            certify::Params {
                now: scalar(now.number()),
                earliest: scalar(latest) - scalar(4095),
                history: scalar(HISTORY),
                strict: scalar(u16::from(strict)),
                base: scalar(bins.base),
                threshold: scalar(threshold),
                $($($b: edge($at, params!(@ $b)), $w: points($at, params!(@ $b)),)*)*
            }
        };
        (@ $b:ident) => { usize::from(stringify!($b).as_bytes()[stringify!($b).len() - 1] - b'1') };
    }
    Some(params! {
        0: arrears_b1 arrears_w1, arrears_b2 arrears_w2, arrears_b3 arrears_w3, arrears_b4 arrears_w4;
        1: late_b1 late_w1, late_b2 late_w2, late_b3 late_w3, late_b4 late_w4;
        2: behind_b1 behind_w1, behind_b2 behind_w2, behind_b3 behind_w3, behind_b4 behind_w4;
        3: paid_b1 paid_w1, paid_b2 paid_w2, paid_b3 paid_w3, paid_b4 paid_w4;
        4: paid_months_b1 paid_months_w1, paid_months_b2 paid_months_w2, paid_months_b3 paid_months_w3,
           paid_months_b4 paid_months_w4;
        5: income_b1 income_w1, income_b2 income_w2, income_b3 income_w3, income_b4 income_w4;
    })
}

#[cfg(test)]
mod tests {
    use tacit_core::secret::Secret;

    use super::super::holder::Prover;
    use super::super::tag::Holder;
    use super::*;

    /// [`Opened::new`] refuses neutral points that are sent; this is what becomes of one that the verifier computes.
    #[test]
    fn a_panic_of_the_generated_code_is_a_refusal() {
        let keys = IssuerKeys::derive(&Secret::new([1; 32]), 0);
        let (holder, public) = (Holder::of_seed(&[2; 64]), keys.public());
        let prover = Prover { holder: &holder, shown: public, received: public };
        let (epoch, entropy) = (Epoch::new(80).unwrap(), Secret::new([3; 32]));
        let pending = prover.receipt(epoch, [9; 32], None, &entropy).unwrap();
        let mut request = Request::read(pending.request()).unwrap();
        request.proof[..32].fill(0);
        let body = receipt::Request::try_from(request.proof.as_slice()).unwrap();
        let opened = Opened { body: Body::Receipt(body), request };
        let facts = Facts::Receipt(ReceiptFacts::BLANK);
        assert_eq!(opened.answer(&keys, &keys, facts, &entropy), Err(Refused::Panicked));
    }
}
