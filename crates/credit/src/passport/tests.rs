//! Both sides together.

mod edit;
mod hostile;

use sha2::{Digest as _, Sha256};
use tacit_core::secret::Secret;
use tacit_core::time::Day;

use super::epoch::Epoch;
use super::holder::{Event, Passport, PrepareError, Prover, Receipt, Unprovable};
use super::issuer::{Facts, Opened, Refused};
use super::key::IssuerKeys;
use super::message::{KeysDigest, Request};
use super::pending::{Pending, Received, ReplyError};
use super::proof::Bins;
use super::standing::{Contract, ReceiptFacts};
use super::tag::{Entropy, Holder, Loan};
use crate::scorecard::signed::CardId;

fn entropy(number: u32) -> Entropy {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Secret::new(bytes)
}

pub(super) struct Bed {
    pub(super) keys: IssuerKeys,
    pub(super) holder: Holder,
    drawn: std::cell::Cell<u32>,
}

impl Bed {
    pub(super) fn new() -> Self {
        let keys = IssuerKeys::derive(&Secret::new([1; 32]), 0);
        Self { keys, holder: Holder::of_seed(&[2; 64]), drawn: 0.into() }
    }

    pub(super) fn entropy(&self) -> Entropy {
        self.drawn.set(self.drawn.get() + 1);
        entropy(self.drawn.get())
    }

    pub(super) fn prover(&self) -> Prover<'_> {
        let public = self.keys.public();
        Prover { holder: &self.holder, shown: public, received: public }
    }

    pub(super) fn answer(&self, bytes: &[u8], facts: Facts<'_>) -> Result<Vec<u8>, Refused> {
        let request = Request::read(bytes).unwrap();
        Opened::new(request)?.answer(&self.keys, &self.keys, facts, &self.entropy())
    }

    fn run(&self, pending: &Pending, facts: Facts<'_>) -> Received {
        let reply = self.answer(pending.request(), facts).unwrap();
        pending.finish(&reply, self.keys.public()).unwrap()
    }

    pub(super) fn enrol(&self, epoch: Epoch) -> Passport {
        let pending = self.prover().enrol(epoch, epoch, &self.entropy()).unwrap();
        passport(self.run(&pending, Facts::None))
    }

    pub(super) fn receipt(&self, epoch: Epoch, facts: ReceiptFacts) -> Receipt {
        let prover = self.prover();
        let pending = prover.receipt(epoch, [9; 32], facts.contract, &self.entropy()).unwrap();
        match self.run(&pending, Facts::Receipt(facts)) {
            Received::Receipt(receipt) => receipt,
            Received::Passport(_) => panic!("a receipt was asked for"),
        }
    }

    pub(super) fn update(&self, old: &Passport, event: Event<'_>) -> Passport {
        let facts = match event {
            Event::Certify { bins, .. } => Facts::Card(bins),
            Event::Income { .. }
            | Event::Borrow { .. }
            | Event::Repay { .. }
            | Event::Tick { .. } => Facts::None,
        };
        let pending = self.prover().update(old, event, &self.entropy()).unwrap();
        passport(self.run(&pending, facts))
    }

    pub(super) fn tick(&self, old: &Passport, facts: [ReceiptFacts; 2]) -> Passport {
        let epoch = old.standing().epoch;
        let receipts = facts.map(|facts| self.receipt(epoch, facts));
        self.update(old, Event::Tick { receipts: &receipts })
    }
}

fn passport(received: Received) -> Passport {
    match received {
        Received::Passport(passport) => *passport,
        Received::Receipt(_) => panic!("a passport was asked for"),
    }
}

fn month(number: u16) -> Epoch {
    Epoch::new(number).unwrap()
}

pub(super) fn bins() -> Bins {
    Bins::new(
        350,
        [
            (&[0, 1], &[181, 152, 0]),
            (&[0, 13, 15, 26], &[68, 55, 44, 33, 0]),
            (&[0, 3, 5, 6], &[132, 96, 60, 23, 0]),
            (&[13, 23, 108, 147], &[0, 15, 28, 49, 74]),
            (&[0, 2, 4, 26], &[0, 7, 48, 56, 76]),
            (&[1, 2, 10, 30], &[0, 15, 40, 57, 69]),
        ],
    )
    .unwrap()
}

fn bill(contract: u8, met: bool, amount: u8) -> ReceiptFacts {
    ReceiptFacts { contract: Some(Contract([contract; 16])), met, amount, last: false }
}

#[test]
fn a_life_of_a_passport() {
    let bed = Bed::new();
    let mut held = bed.enrol(month(80));
    held = bed.update(&held, Event::Income { units: 120 });
    held = bed.tick(&held, [bill(1, true, 6), ReceiptFacts::BLANK]);
    held = bed.tick(&held, [bill(1, true, 6), bill(2, true, 80)]);
    let loan = Loan([4; 32]);
    held = bed.update(&held, Event::Borrow { loan, due: month(83) });
    held = bed.tick(&held, [ReceiptFacts::BLANK, bill(2, true, 80)]);
    assert_eq!((held.standing().arrears, held.standing().late), (1, 7));
    let repay = Event::Repay { loan, due: month(83), next: None, units: 90 };
    held = bed.update(&held, repay);
    held = bed.tick(&held, [bill(1, true, 9), bill(2, true, 80)]);
    let standing = held.standing().clone();
    assert_eq!((standing.arrears, standing.paid_months, standing.repaid), (0, 22, 0));
    let bins = bins();
    let threshold = bins.score(&standing);
    let certify = Event::Certify {
        card: CardId::from_bytes([1; 32]),
        bins: &bins,
        threshold,
        tenure: 4,
        strict: true,
        day: day_of(84),
        keys: keys(),
    };
    let after = bed.update(&held, certify);
    assert_eq!(after.standing(), &standing);
    assert_ne!(after.serial(), held.serial());
}

/// A day of a month.
fn day_of(number: u16) -> Day {
    let days = 18_262 + 30 * u64::from(number)..;
    let mut days = days.map(Day::from_number);
    days.find(|day| Epoch::of(day.start()) == month(number)).unwrap()
}

/// The keys of a certificate.
fn keys() -> KeysDigest {
    KeysDigest::of(&[[2; 33], [3; 33]])
}

/// A request of each protocol, with what the desk knows beside it.
fn requests<'a>(bed: &Bed, bins: &'a Bins) -> Vec<(Pending, Facts<'a>)> {
    let prover = bed.prover();
    let held = bed.enrol(month(80));
    let first = bed.tick(&held, [bill(1, true, 6), bill(2, true, 3)]);
    let loan = Loan([4; 32]);
    let borrowed = bed.update(&first, Event::Borrow { loan, due: month(82) });
    let blanks = [ReceiptFacts::BLANK; 2].map(|facts| bed.receipt(month(81), facts));
    let update = |held: &Passport, event| prover.update(held, event, &bed.entropy()).unwrap();
    let mut old = first.clone();
    for _ in 0..3 {
        old = bed.tick(&old, [bill(1, true, 6), bill(2, true, 3)]);
    }
    let certify = Event::Certify {
        card: CardId::from_bytes([1; 32]),
        bins,
        threshold: 400,
        tenure: 3,
        strict: true,
        day: day_of(84),
        keys: keys(),
    };
    vec![
        (prover.enrol(month(80), month(80), &bed.entropy()).unwrap(), Facts::None),
        (
            prover.receipt(month(80), [0; 32], None, &bed.entropy()).unwrap(),
            Facts::Receipt(ReceiptFacts::BLANK),
        ),
        (update(&first, Event::Income { units: 9 }), Facts::None),
        (update(&first, Event::Borrow { loan, due: month(82) }), Facts::None),
        (
            update(&borrowed, Event::Repay { loan, due: month(82), next: None, units: 5 }),
            Facts::None,
        ),
        (update(&first, Event::Tick { receipts: &blanks }), Facts::None),
        (update(&old, certify), Facts::Card(bins)),
    ]
}

/// Whoever proves and whoever checks may come from different builds, on different machines: each has to make these bytes.
///
/// A change of them needs another version of the protocols ([`message`](super::message)), and another desk with every wallet.
#[test]
fn every_build_makes_the_same_proofs() {
    const KNOWN: [&str; 7] = [
        "9fb5364638b81b44afd490fb",
        "1f36261594378741e174c1af",
        "a072935c3fad91a8ac41e1d7",
        "88bd4bc2a91838bd38d3ac46",
        "976e076156a3e8d8b5caaaa5",
        "20f9d3a404a18b307d80fbb5",
        "757747a5cc26b15d1de378c4",
    ];
    let (bed, bins) = (Bed::new(), bins());
    let made = requests(&bed, &bins).into_iter().map(|(pending, facts)| {
        let reply = bed.answer(pending.request(), facts).unwrap();
        let digest = Sha256::new().chain_update(pending.request()).chain_update(reply).finalize();
        const_hex::encode(&digest[..12])
    });
    assert_eq!(made.collect::<Vec<_>>(), KNOWN);
}

#[test]
fn the_longest_request_is_the_certificates() {
    let bed = Bed::new();
    let bins = bins();
    let lengths = requests(&bed, &bins).into_iter().map(|(pending, _)| pending.request().len());
    assert_eq!(lengths.max(), Some(Request::LENGTH_MAX));
}

#[test]
fn a_passport_moves_on_to_the_next_keys() {
    let (bed, next) = (Bed::new(), IssuerKeys::derive(&Secret::new([1; 32]), 1));
    let held = bed.enrol(month(80));
    let prover = Prover { received: next.public(), ..bed.prover() };
    let pending = prover.update(&held, Event::Income { units: 3 }, &bed.entropy()).unwrap();
    assert_eq!(bed.answer(pending.request(), Facts::None), Err(Refused::Keys));
    let opened = Opened::new(Request::read(pending.request()).unwrap()).unwrap();
    let reply = opened.answer(&bed.keys, &next, Facts::None, &bed.entropy()).unwrap();
    assert_eq!(pending.finish(&reply, bed.keys.public()), Err(ReplyError::Keys));
    let moved = passport(pending.finish(&reply, next.public()).unwrap());
    assert_eq!(moved.keys(), next.public().id());
    let refused = bed.prover().update(&moved, Event::Income { units: 3 }, &bed.entropy());
    assert_eq!(refused, Err(PrepareError::Keys));
    let prover = Prover { shown: next.public(), ..prover };
    let pending = prover.update(&moved, Event::Income { units: 3 }, &bed.entropy()).unwrap();
    let opened = Opened::new(Request::read(pending.request()).unwrap()).unwrap();
    opened.answer(&next, &next, Facts::None, &bed.entropy()).unwrap();
}

#[test]
fn a_pending_request_survives_being_written_down() {
    let bed = Bed::new();
    let held = bed.enrol(month(80));
    let pending = bed.prover().update(&held, Event::Income { units: 3 }, &bed.entropy()).unwrap();
    let written = postcard::to_allocvec(&(&held, &pending)).unwrap();
    let (read, again): (Passport, Pending) = postcard::from_bytes(&written).unwrap();
    assert_eq!((&read, &again), (&held, &pending));
    let reply = bed.answer(again.request(), Facts::None).unwrap();
    let [one, two] = [&pending, &again].map(|it| it.finish(&reply, bed.keys.public()).unwrap());
    assert_eq!(one, two, "the same reply is the same passport");
    for held in [format!("{held:?}"), format!("{pending:?}")] {
        assert!(!held.contains("seal") && !held.contains("state"), "{held}");
    }
}

#[test]
fn a_keepsake_opens_the_reply_and_tells_nothing_by_its_length() {
    let bed = Bed::new();
    let held = bed.enrol(month(80));
    let young = bed.prover().update(&held, Event::Income { units: 3 }, &bed.entropy()).unwrap();
    let mut rich = bed.tick(&held, [bill(1, true, 127), bill(2, true, 127)]);
    rich = bed.update(&rich, Event::Income { units: 510 });
    rich = bed.update(&rich, Event::Borrow { loan: Loan([4; 32]), due: month(4000) });
    let old = bed.prover().update(&rich, Event::Income { units: 510 }, &bed.entropy()).unwrap();
    assert_eq!(young.to_keepsake().len(), old.to_keepsake().len());
    let found = Pending::from_keepsake(&old.to_keepsake()).unwrap();
    assert_eq!((found.mark(), found.request().len()), (rich.mark(), 0));
    let reply = bed.answer(old.request(), Facts::None).unwrap();
    let public = bed.keys.public();
    assert_eq!(found.finish(&reply, public), old.finish(&reply, public));
    assert_eq!(Pending::from_keepsake(&[]), Err(ReplyError::Damaged));
    assert_eq!(Pending::from_keepsake(&[0xff; 300]), Err(ReplyError::Damaged));
}

#[test]
fn what_is_not_so_cannot_be_certified() {
    let bed = Bed::new();
    let bins = bins();
    let mut held = bed.enrol(month(80));
    let ask = |held: &Passport, threshold, strict| {
        let day = day_of(held.standing().epoch.number());
        let card = CardId::from_bytes([1; 32]);
        let keys = keys();
        let event = Event::Certify { card, bins: &bins, threshold, tenure: 3, strict, day, keys };
        bed.prover().update(held, event, &bed.entropy()).map(drop)
    };
    let refused = |why: Unprovable| Err(PrepareError::Unprovable(why));
    assert_eq!(ask(&held, 350, true), refused(Unprovable::TooYoung { months: 0 }));
    for _ in 0..3 {
        held = bed.tick(&held, [ReceiptFacts::BLANK; 2]);
    }
    assert_eq!(ask(&held, 350, true), refused(Unprovable::NoScore));
    for _ in 0..3 {
        held = bed.tick(&held, [bill(1, true, 6), ReceiptFacts::BLANK]);
    }
    let score = bins.score(held.standing());
    assert_eq!(ask(&held, score, true), Ok(()));
    assert_eq!(ask(&held, score + 1, true), refused(Unprovable::Score { score }));
    held = bed.update(&held, Event::Borrow { loan: Loan([4; 32]), due: month(86) });
    held = bed.tick(&held, [ReceiptFacts::BLANK; 2]);
    assert_eq!(ask(&held, 350, true), refused(Unprovable::Overdue { due: month(86) }));
    let repay = Event::Repay { loan: Loan([4; 32]), due: month(86), next: None, units: 1 };
    held = bed.update(&held, repay);
    assert_eq!(ask(&held, 350, true), refused(Unprovable::Arrears { months: 1 }));
    assert_eq!(ask(&held, 350, false), Ok(()));
}
