//! A wallet that writes what it likes: each protocol, each attribute, before and after, and each helper value.
//!
//! Where a range or a choice is false the library's prover gives up by itself, with a panic; elsewhere it makes a proof, and the desk
//! refuses it. An attempt counts as refused either way.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cmz::CMZCredential as _;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;

use super::{Bed, bill, bins, month};
use crate::passport::circuit::{self, borrow, certify, income, repay, tick};
use crate::passport::epoch::Epoch;
use crate::passport::holder::{Change, Event, Passport};
use crate::passport::issuer::{Facts, Refused, certify_params, scalar};
use crate::passport::message::Terms;
use crate::passport::proof::Bins;
use crate::passport::standing::ReceiptFacts;
use crate::passport::table::{Rule, TABLE, UPDATES};
use crate::passport::tag::{Base, Holder, Loan};
use crate::scorecard::signed::CardId;

/// Where an edit is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Old,
    New,
    First,
    Second,
    Helper,
}

/// One edit, or none.
type Edit<'a> = Option<(Side, &'a str)>;

fn edit<C: cmz::CMZCredential<Scalar = Scalar>>(credential: &mut C, side: Side, edit: Edit<'_>) {
    if let Some((there, attribute)) = edit.filter(|(there, _)| *there == side) {
        let value = credential.attr_mut(attribute);
        *value = Some(value.unwrap_or_default() + Scalar::ONE);
        assert_eq!(there, side);
    }
}

/// What a wallet has before each protocol.
struct Start {
    bed: Bed,
    bins: Bins,
    plain: Passport,
    borrowed: Passport,
    old: Passport,
    receipts: [crate::passport::holder::Receipt; 2],
}

const LOAN: Loan = Loan([4; 32]);

impl Start {
    fn new() -> Self {
        let bed = Bed::new();
        let facts = [bill(1, true, 6), bill(2, true, 3)];
        let plain = bed.tick(&bed.enrol(month(80)), facts);
        let plain = bed.update(&plain, Event::Income { units: 30 });
        let borrowed = bed.update(&plain, Event::Borrow { loan: LOAN, due: month(82) });
        let mut old = plain.clone();
        for _ in 0..3 {
            old = bed.tick(&old, facts);
        }
        let receipts =
            [bill(1, true, 6), ReceiptFacts::BLANK].map(|facts| bed.receipt(month(81), facts));
        Self { bed, bins: bins(), plain, borrowed, old, receipts }
    }

    /// Makes a request with an edit, as far as the code goes, and has the desk answer it.
    fn attempt(&self, update: &str, edit: Edit<'_>) -> Result<(), Refused> {
        let proof = catch_unwind(AssertUnwindSafe(|| self.forge(update, edit)));
        // A panic: the wallet's code cannot even write it down.
        let Ok(Some((request, facts))) = proof else { return Err(Refused::Proof) };
        self.bed.answer(&request, facts).map(drop)
    }

    fn change(&self, update: &str) -> (Change, RistrettoPoint, RistrettoPoint) {
        let (bed, prover) = (&self.bed, self.bed.prover());
        let tag = bed.holder.tag(Base::Loan(LOAN));
        let (held, next, terms) = match update {
            "income" => {
                (&self.plain, self.plain.standing().with_income(9), Terms::Income { units: 9 })
            }
            "borrow" => {
                let terms = Terms::Borrow { loan: LOAN, tag, due: month(82) };
                (&self.plain, self.plain.standing().with_loan(month(82)), terms)
            }
            "repay" => {
                let terms = Terms::Repay { loan: LOAN, tag, due: month(82), next: None, units: 5 };
                (
                    &self.borrowed,
                    self.borrowed.standing().with_instalment(month(82), 5, None),
                    terms,
                )
            }
            "tick" => {
                let nym = bed.holder.tag(Base::Month(month(81)));
                let facts = self.receipts.each_ref().map(|receipt| receipt.facts());
                (&self.plain, self.plain.standing().ticked(&facts), Terms::Tick { nym })
            }
            "certify" => {
                let card = CardId::from_bytes([1; 32]);
                let terms = Terms::Certify {
                    card,
                    threshold: 400,
                    tenure: 3,
                    strict: true,
                    day: super::day_of(84),
                    keys: super::keys(),
                };
                (&self.old, Ok(self.old.standing().clone()), terms)
            }
            other => panic!("no protocol {other}"),
        };
        let change = prover.change(held, next.unwrap(), terms, &bed.entropy()).unwrap();
        (change, Base::Loan(LOAN).point(), tag.point())
    }

    fn forge(&self, update: &str, change: Edit<'_>) -> Option<(Vec<u8>, Facts<'_>)> {
        let (Change { mut old, mut new, mut draft, mut random, .. }, loan, tag) =
            self.change(update);
        edit(&mut old, Side::Old, change);
        edit(&mut new, Side::New, change);
        let (session, random) = (draft.session(), &mut random);
        let mut facts = Facts::None;
        draft.proof = match update {
            "income" => {
                let params = income::Params { units: scalar(9) };
                income::prepare(random, &session, &old, new, &params).ok()?.0.as_bytes()
            }
            "borrow" => {
                let params = borrow::Params { LOAN: loan, TAG: tag };
                borrow::prepare(random, &session, &old, new, &params).ok()?.0.as_bytes()
            }
            "repay" => {
                let params = repay::Params { units: scalar(5), LOAN: loan, TAG: tag };
                repay::prepare(random, &session, &old, new, &params).ok()?.0.as_bytes()
            }
            "tick" => {
                let prover = self.bed.prover();
                let [mut first, mut second] =
                    self.receipts.each_ref().map(|receipt| prover.shown_receipt(receipt).unwrap());
                let facts = self.receipts.each_ref().map(|receipt| receipt.facts());
                let (_, turn) = self.plain.standing().turned(&facts).unwrap();
                let mut aux = prover.turn(self.plain.standing(), &facts, turn);
                edit(&mut first, Side::First, change);
                edit(&mut second, Side::Second, change);
                edit(&mut aux, Side::Helper, change);
                let params = tick::Params {
                    closing: scalar(81),
                    MONTH: Base::Month(month(81)).point(),
                    NYM: self.bed.holder.tag(Base::Month(month(81))).point(),
                };
                let made =
                    tick::prepare(random, &session, &old, &first, &second, new, aux, &params);
                made.ok()?.0.as_bytes()
            }
            _ => {
                facts = Facts::Card(&self.bins);
                let mut aux = self.bed.prover().proof(self.old.standing(), &self.bins);
                edit(&mut aux, Side::Helper, change);
                let params = certify_params(&draft.terms, &self.bins)?;
                certify::prepare(random, &session, &old, new, aux, &params).ok()?.0.as_bytes()
            }
        };
        Some((draft.to_bytes(), facts))
    }
}

#[test]
fn no_attribute_can_be_edited_in_any_protocol() {
    let start = Start::new();
    for update in UPDATES {
        start
            .attempt(update, None)
            .unwrap_or_else(|_| panic!("{update} without an edit is answered"));
        let column = UPDATES.iter().position(|name| *name == update).unwrap();
        for (attribute, rules) in TABLE {
            for side in [Side::Old, Side::New] {
                // What both sides know, the desk takes from what it knows; what both draw, nobody chooses.
                let unread = match rules[column] {
                    Rule::Known => true,
                    Rule::Fresh | Rule::Settled => side == Side::New,
                    Rule::Keep | Rule::Plus | Rule::Stated => false,
                };
                if unread {
                    continue;
                }
                let answer = start.attempt(update, Some((side, attribute)));
                assert_eq!(answer, Err(Refused::Proof), "{update}: {attribute} {side:?}");
            }
        }
    }
}

#[test]
fn no_receipt_can_be_edited() {
    let start = Start::new();
    for side in [Side::First, Side::Second] {
        for attribute in circuit::Receipt::attrs() {
            if attribute == "epoch" {
                continue; // Known to both sides: see below.
            }
            let answer = start.attempt("tick", Some((side, attribute)));
            assert_eq!(answer, Err(Refused::Proof), "{attribute} {side:?}");
        }
    }
}

#[test]
fn no_helper_value_can_be_edited() {
    let start = Start::new();
    for (update, helpers) in
        [("tick", circuit::Turn::attrs()), ("certify", circuit::Proof::attrs())]
    {
        for helper in helpers {
            let answer = start.attempt(update, Some((Side::Helper, helper)));
            assert_eq!(answer, Err(Refused::Proof), "{update}: {helper}");
        }
    }
}

/// What the desk takes from what it knows, and the passport says otherwise.
#[test]
fn what_both_sides_know_is_what_the_passport_says() {
    let start = Start::new();
    let bed = &start.bed;
    let refused = |held: &Passport, epoch: u16, terms: Terms| {
        let prover = bed.prover();
        let next = held.standing().clone();
        let change = prover.change(held, next, terms, &bed.entropy()).unwrap();
        let Change { mut old, mut new, mut draft, mut random, .. } = change;
        draft.epoch = month(epoch);
        (old.epoch, new.epoch) = (Some(scalar(epoch)), Some(scalar(epoch)));
        let (session, random) = (draft.session(), &mut random);
        draft.proof = match terms {
            Terms::Borrow { loan, tag, due } => {
                (old.due, new.due) = (Some(scalar(Epoch::NEVER)), Some(scalar(due.number())));
                let params = borrow::Params { LOAN: Base::Loan(loan).point(), TAG: tag.point() };
                borrow::prepare(random, &session, &old, new, &params).unwrap().0.as_bytes()
            }
            Terms::Repay { loan, tag, due, .. } => {
                (old.due, new.due) = (Some(scalar(due.number())), Some(scalar(Epoch::NEVER)));
                let params = repay::Params {
                    units: scalar(0),
                    LOAN: Base::Loan(loan).point(),
                    TAG: tag.point(),
                };
                repay::prepare(random, &session, &old, new, &params).unwrap().0.as_bytes()
            }
            Terms::Enrol { .. }
            | Terms::Receipt { .. }
            | Terms::Income { .. }
            | Terms::Tick { .. }
            | Terms::Certify { .. } => {
                let params = income::Params { units: scalar(0) };
                income::prepare(random, &session, &old, new, &params).unwrap().0.as_bytes()
            }
        };
        bed.answer(&draft.to_bytes(), Facts::None)
    };
    let no = Err(Refused::Proof);
    // The same way is answered where it is so.
    assert!(refused(&start.plain, 81, Terms::Income { units: 0 }).is_ok());
    assert_eq!(refused(&start.plain, 82, Terms::Income { units: 0 }), no, "it did not tick");
    let tag = bed.holder.tag(Base::Loan(LOAN));
    let borrow = Terms::Borrow { loan: LOAN, tag, due: month(83) };
    assert!(refused(&start.plain, 81, borrow).is_ok());
    assert_eq!(refused(&start.borrowed, 81, borrow), no, "a loan is open");
    let repay = |due| Terms::Repay { loan: LOAN, tag, due: month(due), next: None, units: 0 };
    assert!(refused(&start.borrowed, 81, repay(82)).is_ok());
    assert_eq!(refused(&start.borrowed, 81, repay(81)), no, "another instalment is due");
    assert_eq!(refused(&start.plain, 81, repay(82)), no, "there is no loan");
}

/// Receipts of the month before, shown as this month's.
#[test]
fn receipts_are_of_the_month_that_ends() {
    let start = Start::new();
    let bed = &start.bed;
    let facts = start.receipts.each_ref().map(|receipt| receipt.facts());
    let older = facts.map(|facts| bed.receipt(month(80), facts));
    assert!(start.attempt("tick", None).is_ok());
    let older = Start { receipts: older, ..Start::new() };
    assert_eq!(older.attempt("tick", None), Err(Refused::Proof));
}

/// A tag of somebody else on a loan, and on a month.
#[test]
fn tags_are_the_holders_own() {
    let start = Start::new();
    let other = Holder::of_seed(&[3; 64]);
    let mut forged = Start::new();
    let tag = other.tag(Base::Loan(LOAN));
    let terms = Terms::Borrow { loan: LOAN, tag, due: month(82) };
    let change = start.bed.prover().change(
        &start.plain,
        start.plain.standing().with_loan(month(82)).unwrap(),
        terms,
        &start.bed.entropy(),
    );
    let Change { old, new, mut draft, mut random, .. } = change.unwrap();
    let params = borrow::Params { LOAN: Base::Loan(LOAN).point(), TAG: tag.point() };
    let session = draft.session();
    let (proof, _) = borrow::prepare(&mut random, &session, &old, new, &params).unwrap();
    draft.proof = proof.as_bytes();
    assert_eq!(start.bed.answer(&draft.to_bytes(), Facts::None), Err(Refused::Proof));
    // A holder who shows another's passport has other tags than it was issued to.
    forged.bed.holder = other;
    for update in UPDATES {
        assert_eq!(forged.attempt(update, None), Err(Refused::Proof), "{update}");
    }
}

/// What the edits above are worth: a circuit that forgot one line lets the same edit through.
mod forgotten {
    #![allow(
        non_snake_case,
        missing_docs,
        unreachable_pub,
        reason = "generated by the macros of cmz"
    )]

    use cmz::*;
    use curve25519_dalek::ristretto::RistrettoPoint as G;
    use group::Group;
    use rand_08::{CryptoRng, RngCore};

    CMZ! { Small: holder, serial, late }
    muCMZProtocol! { begin, , New: Small { holder: H, serial: J, late: I }, }
    muCMZProtocol! { whole<units>,
    Old: Small { holder: H, serial: R, late: H }, New: Small { holder: H, serial: J, late: H },
    New.holder = Old.holder, New.late = Old.late + units, }
    muCMZProtocol! { gap<units>,
    Old: Small { holder: H, serial: R, late: H }, New: Small { holder: H, serial: J, late: H },
    New.holder = Old.holder, }
}

#[test]
fn a_forgotten_statement_would_be_found() {
    use forgotten::{Small, begin, gap, whole};
    crate::passport::key::begin();
    let mut random = crate::passport::tag::generator_of(&super::entropy(7));
    let (private, public) = Small::mucmz_gen_keys(&mut random);
    let mut first = Small::using_pubkey(&public);
    (first.holder, first.late) = (Some(scalar(3)), Some(scalar(5)));
    let (asked, state) = begin::prepare(&mut random, b"", first).unwrap();
    let fill = |new: &mut Small| {
        new.set_keypair(&private, &public);
        new.late = Some(scalar(5));
        Ok(())
    };
    let (reply, _) = begin::handle(&mut random, b"", asked, fill, |_| Ok(())).unwrap();
    let old = state.finalize(reply).map_err(|_| ()).unwrap();
    let mut edited = Small::using_pubkey(&public);
    (edited.holder, edited.late) = (old.holder, Some(scalar(0)));
    macro_rules! accepts {
        ($protocol:ident) => {
            (|| {
                let params = $protocol::Params { units: scalar(7) };
                let made = catch_unwind(AssertUnwindSafe(|| {
                    $protocol::prepare(&mut random, b"", &old, edited.clone(), &params).ok()
                }));
                let Ok(Some(made)) = made else { return false };
                let fill = |old: &mut Small, new: &mut Small| {
                    old.set_keypair(&private, &public);
                    new.set_keypair(&private, &public);
                    Ok($protocol::Params { units: scalar(7) })
                };
                $protocol::handle(&mut random, b"", made.0, fill, |_, _| Ok(())).is_ok()
            })()
        };
    }
    assert!(accepts!(gap), "the wallet wrote 0 for what it was late");
    assert!(!accepts!(whole));
}
