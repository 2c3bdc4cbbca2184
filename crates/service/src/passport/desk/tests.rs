//! A desk with a vault, and people who try things.

use tacit_core::secret::Secret;
use tacit_core::time::{Day, Timestamp};
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::{Event, Passport, Prover, Receipt};
use tacit_credit::passport::issuer::Refused;
use tacit_credit::passport::key::IssuerKeys;
use tacit_credit::passport::message::{KeysDigest, Malformed};
use tacit_credit::passport::pending::{Pending, Received};
use tacit_credit::passport::proof::Bins;
use tacit_credit::passport::standing::{Contract, ReceiptFacts};
use tacit_credit::passport::tag::{Base, Entropy, Holder, Loan};
use tacit_credit::scorecard::signed::CardId;

use super::{Claim, PassportDesk, PassportError, SEALED_MAX, month_subject};
use crate::memory::MemoryVault;
use crate::passport::{AnswerError, Bucket, Name};
use crate::vault::{Change, Outcome, VaultReader as _, VaultStore as _};

const LOAN: Loan = Loan([4; 32]);

struct Town {
    desk: PassportDesk,
    vault: MemoryVault,
    holder: Holder,
    now: Timestamp,
    drawn: std::cell::Cell<u64>,
}

fn keys(number: u32) -> IssuerKeys {
    IssuerKeys::derive(&Secret::new([1; 32]), number)
}

impl Town {
    fn new() -> Self {
        let now = Timestamp::from_seconds(20_783 * Day::SECONDS); // 2026-11-26
        let desk = PassportDesk::new(vec![(0, keys(0))]);
        let holder = Holder::of_seed(&[2; 64]);
        Self { desk, vault: MemoryVault::default(), holder, now, drawn: 0.into() }
    }

    fn month(&self) -> Epoch {
        Epoch::of(self.now)
    }

    fn entropy(&self) -> Entropy {
        self.drawn.set(self.drawn.get() + 1);
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.drawn.get().to_be_bytes());
        Secret::new(bytes)
    }

    fn prover(&self) -> Prover<'_> {
        let (_, public) = self.desk.public_keys().next().unwrap();
        Prover { holder: &self.holder, shown: public, received: public }
    }

    fn send(&mut self, request: &[u8], claim: &Claim<'_>) -> Result<Outcome, PassportError> {
        let opened = self.desk.open(request, &request[..16], claim, self.now)?;
        let answer = self.desk.prepare(opened, &self.entropy())?;
        let mut outcomes = self.vault.commit(&[Change::Answer(answer)], self.now).unwrap();
        Ok(outcomes.remove(0))
    }

    fn reply(&mut self, request: &[u8], claim: &Claim<'_>) -> Vec<u8> {
        match self.send(request, claim) {
            Ok(Outcome::Answered(Ok(reply))) => reply,
            other => panic!("{other:?}"),
        }
    }

    fn finish(&mut self, pending: &Pending, claim: &Claim<'_>) -> Received {
        let reply = self.reply(pending.request(), claim);
        pending.finish(&reply, self.prover().shown).unwrap()
    }

    fn enrol(&mut self, account: u8) -> Passport {
        let pending = self.prover().enrol(self.month(), self.month(), &self.entropy()).unwrap();
        let once = Name::of("enrol", &[account]);
        let claim = Claim::Enrol { once, holder: None, since: self.month() };
        passport(self.finish(&pending, &claim))
    }

    fn ask(&self, held: &Passport, event: Event<'_>) -> Pending {
        self.prover().update(held, event, &self.entropy()).unwrap()
    }

    fn receipt(&mut self, epoch: Epoch, facts: ReceiptFacts) -> Receipt {
        let subject = match facts.contract {
            Some(contract) => month_subject(contract, epoch),
            None => *self.entropy().expose(),
        };
        let asked = self.prover().receipt(epoch, subject, facts.contract, &self.entropy()).unwrap();
        let claim = match facts.contract {
            Some(_) => Claim::Receipt { subject, epoch, facts },
            None => Claim::Blank,
        };
        match self.finish(&asked, &claim) {
            Received::Receipt(receipt) => receipt,
            Received::Passport(_) => panic!("a receipt was asked for"),
        }
    }

    fn tick(&mut self, held: &Passport, facts: [ReceiptFacts; 2]) -> Passport {
        let receipts = facts.map(|facts| self.receipt(held.standing().epoch, facts));
        let asked = self.ask(held, Event::Tick { receipts: &receipts });
        passport(self.finish(&asked, &Claim::Tick))
    }

    /// The first of the next month.
    fn next_month(&mut self) {
        let month = self.month();
        while self.month() == month {
            self.now = Timestamp::from_seconds(self.now.seconds() + Day::SECONDS);
        }
    }
}

fn passport(received: Received) -> Passport {
    match received {
        Received::Passport(passport) => *passport,
        Received::Receipt(_) => panic!("a passport was asked for"),
    }
}

fn shown(index: usize) -> Result<Outcome, PassportError> {
    Ok(Outcome::Answered(Err(AnswerError::Shown { index })))
}

fn bill(contract: u8, amount: u8) -> ReceiptFacts {
    ReceiptFacts { contract: Some(Contract([contract; 16])), met: true, amount, last: false }
}

fn income(units: u16) -> Claim<'static> {
    Claim::Income { once: Name::of("income", &units.to_be_bytes()), units }
}

fn borrow(due: Epoch) -> Claim<'static> {
    Claim::Borrow { loan: LOAN, due }
}

fn bins() -> Bins {
    Bins::new(
        350,
        [
            (&[0, 1], &[181, 152, 0]),
            (&[0], &[68, 0]),
            (&[0], &[132, 0]),
            (&[13, 23], &[0, 15, 74]),
            (&[0, 2], &[0, 7, 76]),
            (&[1], &[0, 69]),
        ],
    )
    .unwrap()
}

/// The keys of a certificate.
fn keys_of(first: u8) -> KeysDigest {
    KeysDigest::of(&[[first; 33], [3; 33]])
}

fn certify(bins: &Bins) -> Claim<'_> {
    Claim::Certify {
        card: CardId::from_bytes([1; 32]),
        bins,
        thresholds: &[400, 600],
        tenures: &[3, 12],
        keys: keys_of(2),
    }
}

#[test]
fn a_lost_reply_is_given_again_and_found_again() {
    let mut town = Town::new();
    let held = town.enrol(1);
    let asked = town.ask(&held, Event::Income { units: 7 });
    let first = town.reply(asked.request(), &income(7));
    assert_eq!(town.reply(asked.request(), &income(7)), first, "the same, not another passport");
    // A wallet that has nothing but its words and its old serial.
    let bucket = Bucket::new(held.mark().bucket());
    let kept = town.vault.answers(bucket, None, 10).unwrap();
    assert_eq!((&kept[0].reply, &kept[0].sealed[..]), (&first, &asked.request()[..16]));
}

#[test]
fn a_passport_is_shown_once() {
    let mut town = Town::new();
    let held = town.enrol(1);
    let asked = [7, 8].map(|units| town.ask(&held, Event::Income { units }));
    town.reply(asked[0].request(), &income(7));
    assert_eq!(town.send(asked[1].request(), &income(8)), shown(0), "a fork");
    // The same event proven anew is another request.
    let anew = town.ask(&held, Event::Income { units: 7 });
    assert_eq!(town.send(anew.request(), &income(7)), shown(0));
}

#[test]
fn after_a_loan_the_passport_of_before_is_worth_nothing() {
    let mut town = Town::new();
    let mut before = town.enrol(1);
    for _ in 0..3 {
        town.next_month();
        before = town.tick(&before, [bill(1, 30), bill(2, 20)]);
    }
    let bins = bins();
    let (due, day) = (town.month().next().unwrap(), town.now.day());
    let event = |threshold| Event::Certify {
        card: CardId::from_bytes([1; 32]),
        bins: &bins,
        threshold,
        tenure: 3,
        strict: true,
        day,
        keys: keys_of(2),
    };
    let fresh = town.ask(&before, Event::Borrow { loan: LOAN, due });
    let stacked = town.ask(&before, Event::Borrow { loan: Loan([5; 32]), due });
    let stale = town.ask(&before, event(600));
    let after = passport(town.finish(&fresh, &borrow(due)));
    assert_eq!(town.send(stale.request(), &certify(&bins)), shown(0));
    let second = Claim::Borrow { loan: Loan([5; 32]), due };
    assert_eq!(town.send(stacked.request(), &second), shown(0), "two loans on one passport");
    // A certificate of the passport it now is.
    let asked = town.ask(&after, event(600));
    let after = passport(town.finish(&asked, &certify(&bins)));
    assert_eq!(after.standing().due, Some(due));
    // The loan is drawn once, whoever's passport it is.
    town.holder = Holder::of_seed(&[3; 64]);
    let other = town.enrol(2);
    let again = town.ask(&other, Event::Borrow { loan: LOAN, due });
    assert_eq!(town.send(again.request(), &borrow(due)), shown(1));
}

#[test]
fn a_holder_ticks_once_a_month() {
    let mut town = Town::new();
    // Two passports of one holder: the words were used for two accounts.
    let held = [1, 2].map(|account| town.enrol(account));
    let early = Claim::Tick;
    let receipts = [0, 1].map(|_| town.receipt(held[0].standing().epoch, ReceiptFacts::BLANK));
    let asked = town.ask(&held[0], Event::Tick { receipts: &receipts });
    let (epoch, now) = (town.month(), town.month());
    assert_eq!(town.send(asked.request(), &early), Err(PassportError::Month { epoch, now }));
    town.next_month();
    passport(town.finish(&asked, &Claim::Tick));
    let receipts = [0, 1].map(|_| town.receipt(held[1].standing().epoch, ReceiptFacts::BLANK));
    let second = town.ask(&held[1], Event::Tick { receipts: &receipts });
    assert_eq!(
        town.send(second.request(), &Claim::Tick),
        shown(3),
        "the holder's mark of that month"
    );
}

#[test]
fn a_receipt_counts_once() {
    let mut town = Town::new();
    let held = town.enrol(1);
    let receipt = town.receipt(held.standing().epoch, bill(1, 50));
    // A bill has one receipt, however often it is asked for.
    let (epoch, facts) = (held.standing().epoch, bill(1, 50));
    let subject = month_subject(Contract([1; 16]), epoch);
    let again = town.prover().receipt(epoch, subject, facts.contract, &town.entropy()).unwrap();
    let claim = Claim::Receipt { subject, epoch, facts };
    assert_eq!(town.send(again.request(), &claim), shown(0));
    town.next_month();
    let twice = [receipt.clone(), receipt.clone()];
    let asked = town.ask(&held, Event::Tick { receipts: &twice });
    assert_eq!(town.send(asked.request(), &Claim::Tick), shown(2), "in both slots");
    let blank = town.receipt(epoch, ReceiptFacts::BLANK);
    let once = [receipt, blank];
    let asked = town.ask(&held, Event::Tick { receipts: &once });
    passport(town.finish(&asked, &Claim::Tick));
}

#[test]
fn who_does_not_tick_cannot_use_the_passport_and_catches_up() {
    let mut town = Town::new();
    let mut held = town.enrol(1);
    let epoch = town.month();
    town.next_month();
    let asked = town.ask(&held, Event::Income { units: 7 });
    town.now = Timestamp::from_seconds(town.now.seconds() + 7 * Day::SECONDS);
    let now = town.month();
    assert_eq!(town.send(asked.request(), &income(7)), Err(PassportError::Month { epoch, now }));
    town.next_month();
    for _ in 0..2 {
        held = town.tick(&held, [ReceiptFacts::BLANK; 2]);
    }
    let asked = town.ask(&held, Event::Income { units: 7 });
    passport(town.finish(&asked, &income(7)));
}

#[test]
fn only_what_was_agreed_is_answered() {
    let mut town = Town::new();
    let held = town.enrol(1);
    let (now, due) = (town.month(), town.month().next().unwrap());
    let no = Err(PassportError::Terms);
    let asked = town.ask(&held, Event::Income { units: 7 });
    assert_eq!(town.send(asked.request(), &income(8)), no);
    assert_eq!(town.send(asked.request(), &Claim::Tick), no);
    assert_eq!(town.send(asked.request(), &borrow(due)), no);
    let asked = town.ask(&held, Event::Borrow { loan: LOAN, due });
    assert_eq!(town.send(asked.request(), &borrow(now)), no);
    let held = passport(town.finish(&asked, &borrow(due)));
    let repay = Event::Repay { loan: LOAN, due, next: None, units: 9 };
    let asked = town.ask(&held, repay);
    let borrower = town.holder.tag(Base::Loan(LOAN));
    let claim = |loan, borrower, units| Claim::Repay { loan, borrower, due, next: None, units };
    assert_eq!(town.send(asked.request(), &claim(LOAN, borrower, 8)), no, "more than was paid");
    let stranger = Holder::of_seed(&[3; 64]).tag(Base::Loan(LOAN));
    assert_eq!(town.send(asked.request(), &claim(LOAN, stranger, 9)), no);
    assert_eq!(town.send(asked.request(), &claim(Loan([5; 32]), borrower, 9)), no);
    passport(town.finish(&asked, &claim(LOAN, borrower, 10)));
    // Another holder on the account than the one that enrolled.
    let pending = town.prover().enrol(now, now, &town.entropy()).unwrap();
    let once = Name::of("enrol", b"again");
    let holder = Some(Holder::of_seed(&[3; 64]).tag(Base::Account));
    assert_eq!(town.send(pending.request(), &Claim::Enrol { once, holder, since: now }), no);
    let since = Epoch::new(now.number() + 13).unwrap();
    let claim = Claim::Enrol { once, holder: None, since };
    assert_eq!(town.send(pending.request(), &claim), no, "older than it may say");
}

#[test]
fn certificates_are_made_for_few_thresholds() {
    let mut town = Town::new();
    let mut held = town.enrol(1);
    for _ in 0..3 {
        town.next_month();
        held = town.tick(&held, [bill(1, 30), ReceiptFacts::BLANK]);
    }
    let bins = bins();
    let day = town.now.day();
    let ask = |threshold, tenure, keys| {
        let card = CardId::from_bytes([1; 32]);
        let event =
            Event::Certify { card, bins: &bins, threshold, tenure, strict: false, day, keys };
        town.ask(&held, event)
    };
    let (odd, young) = (ask(617, 3, keys_of(2)), ask(600, 2, keys_of(2)));
    let (foreign, good) = (ask(600, 3, keys_of(9)), ask(600, 3, keys_of(2)));
    assert_eq!(town.send(odd.request(), &certify(&bins)), Err(PassportError::Terms));
    assert_eq!(town.send(young.request(), &certify(&bins)), Err(PassportError::Terms));
    let refused = town.send(foreign.request(), &certify(&bins));
    assert_eq!(refused, Err(PassportError::Terms), "other keys than the proof is bound to");
    // A day on, it may still be on its way; after that it is too late to begin.
    let begun = town.now;
    for (days, is_late) in [(1, false), (2, true)] {
        town.now = Timestamp::from_seconds(begun.seconds() + days * Day::SECONDS);
        let opened = town.desk.open(good.request(), &[], &certify(&bins), town.now).map(drop);
        let (epoch, now) = (town.month(), town.month());
        let late = if is_late { Err(PassportError::Month { epoch, now }) } else { Ok(()) };
        assert_eq!(opened, late, "{days} days on");
    }
    town.now = Timestamp::from_seconds(begun.seconds() - Day::SECONDS);
    let early = town.desk.open(good.request(), &[], &certify(&bins), town.now).map(drop);
    assert!(matches!(early, Err(PassportError::Month { .. })), "a day that has not come");
    town.now = begun;
    let older = Bins::new(351, [(&[], &[0]); 6]).unwrap();
    let refused = town.send(good.request(), &certify(&older));
    assert_eq!(refused, Err(PassportError::Refused(Refused::Proof)), "another card's points");
    passport(town.finish(&good, &certify(&bins)));
}

#[test]
fn keys_move_on_and_never_back() {
    let mut town = Town::new();
    let held = town.enrol(1);
    let asked = town.ask(&held, Event::Income { units: 7 });
    town.desk = PassportDesk::new(vec![(1, keys(1)), (0, keys(0))]);
    let both: Vec<_> =
        town.desk.public_keys().map(|(number, keys)| (number, keys.clone())).collect();
    assert_eq!((both[0].0, both[1].0), (0, 1));
    // Whoever has not heard of the new keys stays under the old ones, until they are retired.
    let held = passport(town.finish(&asked, &income(7)));
    let on = Prover { holder: &town.holder, shown: &both[0].1, received: &both[1].1 };
    let asked = on.update(&held, Event::Income { units: 9 }, &town.entropy()).unwrap();
    let reply = town.reply(asked.request(), &income(9));
    let held = passport(asked.finish(&reply, &both[1].1).unwrap());
    let back = Prover { holder: &town.holder, shown: &both[1].1, received: &both[0].1 };
    let asked = back.update(&held, Event::Income { units: 11 }, &town.entropy()).unwrap();
    assert_eq!(town.send(asked.request(), &income(11)), Err(PassportError::OlderKeys));
    town.desk = PassportDesk::new(vec![(0, keys(0))]);
    assert_eq!(town.send(asked.request(), &income(11)), Err(PassportError::UnknownKeys));
}

#[test]
fn what_is_no_request_or_too_much_is_refused() {
    let mut town = Town::new();
    let held = town.enrol(1);
    let asked = town.ask(&held, Event::Income { units: 7 });
    let much = vec![0; SEALED_MAX + 1];
    let refused = town.desk.open(asked.request(), &much, &income(7), town.now).map(drop);
    assert_eq!(refused, Err(PassportError::Sealed { found: SEALED_MAX + 1, most: SEALED_MAX }));
    let malformed = town.desk.open(&[], &[], &income(7), town.now).map(drop);
    assert_eq!(malformed, Err(PassportError::Malformed(Malformed::Short)));
    let mut bytes = asked.request().to_vec();
    bytes[70..102].fill(0);
    let refused = town.send(&bytes, &income(7));
    assert_eq!(refused, Err(PassportError::Refused(Refused::Malformed)));
    // It goes on.
    passport(town.finish(&asked, &income(7)));
}
