//! Times the passport's protocols on this machine, one thread: `cargo run --release -p tacit-credit --example passport [ROUNDS]`
//!
//! Prints the median of each side, what the desk does a second and core, and the bytes that travel.

use std::time::{Duration, Instant};

use tacit_core::secret::Secret;
use tacit_core::time::Day;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::{Event, Passport, PrepareError, Prover, Receipt};
use tacit_credit::passport::issuer::{Facts, Opened};
use tacit_credit::passport::key::IssuerKeys;
use tacit_credit::passport::message::{KeysDigest, Request};
use tacit_credit::passport::pending::{Pending, Received};
use tacit_credit::passport::proof::Bins;
use tacit_credit::passport::standing::{Contract, ReceiptFacts};
use tacit_credit::passport::tag::{Entropy, Holder, Loan};
use tacit_credit::scorecard::signed::CardId;

struct Bench {
    keys: IssuerKeys,
    holder: Holder,
    drawn: u64,
    rounds: usize,
}

impl Bench {
    fn entropy(&mut self) -> Entropy {
        self.drawn += 1;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.drawn.to_be_bytes());
        Secret::new(bytes)
    }

    fn answer(&mut self, pending: &Pending, facts: Facts<'_>) -> Vec<u8> {
        let entropy = self.entropy();
        let request = Request::read(pending.request()).expect("it was just made");
        let opened = Opened::new(request).expect("it was just made");
        opened.answer(&self.keys, &self.keys, facts, &entropy).expect("it holds")
    }

    /// Runs one protocol, prints its line and gives what came of it.
    fn time(
        &mut self,
        name: &str,
        facts: Facts<'_>,
        ask: impl Fn(&Prover<'_>, &Entropy) -> Result<Pending, PrepareError>,
    ) -> Received {
        let (mut proving, mut answering, mut last) = (Vec::new(), Vec::new(), None);
        for _ in 0..self.rounds {
            let entropy = self.entropy();
            let public = self.keys.public();
            let prover = Prover { holder: &self.holder, shown: public, received: public };
            let start = Instant::now();
            let pending = ask(&prover, &entropy).expect("it fits");
            proving.push(start.elapsed());
            let start = Instant::now();
            let reply = self.answer(&pending, facts);
            answering.push(start.elapsed());
            last = Some((pending, reply));
        }
        let (pending, reply) = last.expect("there is a round");
        let (wallet, desk) = (median(proving), median(answering));
        println!(
            "| {name} | {:.2} ms | {:.2} ms | {} B | {} B | {:.0} |",
            wallet.as_secs_f64() * 1e3,
            desk.as_secs_f64() * 1e3,
            pending.request().len(),
            reply.len(),
            1.0 / desk.as_secs_f64(),
        );
        pending.finish(&reply, self.keys.public()).expect("it is a reply")
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn passport(received: Received) -> Passport {
    match received {
        Received::Passport(passport) => *passport,
        Received::Receipt(_) => unreachable!("a passport was asked for"),
    }
}

fn receipt(received: Received) -> Receipt {
    match received {
        Received::Receipt(receipt) => receipt,
        Received::Passport(_) => unreachable!("a receipt was asked for"),
    }
}

fn main() {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(61);
    let keys = IssuerKeys::derive(&Secret::new([1; 32]), 0);
    let mut bench = Bench { keys, holder: Holder::of_seed(&[2; 64]), drawn: 0, rounds };
    let month = |number| Epoch::new(number).expect("a month");
    println!("| protocol | wallet proves | desk | request | reply | desk, a second and core |");
    println!("|---|---|---|---|---|---|");
    let mut held =
        passport(bench.time("enrol", Facts::None, |prover, entropy| {
            prover.enrol(month(80), month(80), entropy)
        }));
    let contract = Some(Contract([1; 16]));
    let facts = ReceiptFacts { contract, met: true, amount: 6, last: false };
    for number in 80..84 {
        let receipts = [facts, ReceiptFacts::BLANK].map(|facts| {
            let rounds =
                std::mem::replace(&mut bench.rounds, if number == 80 { rounds } else { 1 });
            let name = if facts.met { "receipt" } else { "blank" };
            let received = bench.time(name, Facts::Receipt(facts), |prover, entropy| {
                prover.receipt(month(number), [9; 32], facts.contract, entropy)
            });
            bench.rounds = rounds;
            receipt(received)
        });
        held = passport(bench.time("tick", Facts::None, |prover, entropy| {
            prover.update(&held, Event::Tick { receipts: &receipts }, entropy)
        }));
    }
    let held = passport(bench.time("income", Facts::None, |prover, entropy| {
        prover.update(&held, Event::Income { units: 90 }, entropy)
    }));
    let loan = Loan([4; 32]);
    let held = passport(bench.time("borrow", Facts::None, |prover, entropy| {
        prover.update(&held, Event::Borrow { loan, due: month(85) }, entropy)
    }));
    let held = passport(bench.time("repay", Facts::None, |prover, entropy| {
        let event = Event::Repay { loan, due: month(85), next: None, units: 20 };
        prover.update(&held, event, entropy)
    }));
    let bins = Bins::new(
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
    .expect("a card");
    bench.time("certify", Facts::Card(&bins), |prover, entropy| {
        // The 11th of January 2027, month 84.
        let (card, day) = (CardId::from_bytes([1; 32]), Day::from_number(20_829));
        let keys = KeysDigest::of(&[[2; 33]; 4]);
        let (threshold, tenure, strict) = (600, 3, true);
        let certify = Event::Certify { card, bins: &bins, threshold, tenure, strict, day, keys };
        prover.update(&held, certify, entropy)
    });
}
