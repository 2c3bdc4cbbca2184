//! A mint, some people and a bad network, driven by seeds: the wallet may stop between any two steps, requests are lost,
//! doubled and late, keysets rotate, payments hang. No money is lost, none is made, and the words find it all again.
//!
//! `TOWN_SEEDS=from..to` runs other schedules; a failure names its seed.

use std::ops::Range;

use tacit_core::amount::Amount;
use tacit_ecash::token::Token;
use tacit_wallet::operation::melt::{self, Melt};
use tacit_wallet::operation::mint::{Mint as MintIt, Quote};
use tacit_wallet::operation::receive::Receive;
use tacit_wallet::operation::reclaim::Reclaim;
use tacit_wallet::operation::send::{Order, Send};
use tacit_wallet::operation::settle::Settle;

use super::mint::Mint;
use super::person::{CALM, Network, Person, Trouble, address, usd};
use super::random::Random;

pub(crate) struct Town {
    pub(crate) network: Network,
    pub(crate) people: Vec<Person>,
    /// Texts on their way.
    pub(crate) tokens: Vec<Token>,
    /// Whether older copies of states come back.
    pub(crate) is_stale: bool,
    /// Older copies of what people stored.
    copies: Vec<Option<String>>,
    pub(crate) random: Random,
    pub(crate) trouble: Trouble,
    pub(crate) tally: Tally,
}

/// What came to its end while there was trouble: a town in which nothing happens proves nothing.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    minted: u64,
    sent: u64,
    received: u64,
    /// Requests paid, and payments taken.
    pub(crate) requests: u64,
    pub(crate) payments: u64,
    /// Orders paid, refunds of them made, and times that some came.
    pub(crate) orders: u64,
    pub(crate) refunds: u64,
    pub(crate) refunded: u64,
    paid: u64,
    reclaimed: u64,
    settled: u64,
    pub(crate) refused: u64,
    crashes: u64,
    losses: u64,
    stale: u64,
}

impl Town {
    fn new(seed: u64, is_stale: bool) -> Self {
        let mut random = Random::new(seed);
        let mint = Mint::new(random.split());
        let mut network = Network::of(mint, random.split());
        let mut people: Vec<Person> = (0..2).map(|_| Person::new(&mut random)).collect();
        for person in &mut people {
            person.learn_keysets(&mut network);
            person.earn(&mut network, 100 + random.below(200));
        }
        let trouble = Trouble { crash: random.below(8), loss: random.below(15) };
        let copies = people.iter().map(|_| None).collect();
        let tally = Tally::default();
        let tokens = Vec::new();
        Self { network, people, tokens, is_stale, copies, random, trouble, tally }
    }

    /// One thing somebody does.
    fn act(&mut self) {
        let who = usize::try_from(self.random.below(2)).unwrap();
        match self.random.below(38) {
            0..=3 => self.mint(who),
            4..=7 => self.send(who),
            8..=11 => self.receive(who),
            12..=13 => self.pay(who),
            14 => self.reclaim(who),
            15..=16 => self.settle(who),
            17 => self.network.mint.end_payments(),
            18 => {
                if let Some(request) = self.network.late.pop() {
                    self.network.answer(&request);
                }
            }
            19..=21 => self.pay_request(who),
            22..=24 => self.receive_payment(),
            25..=27 => self.pay_order(who),
            28..=29 => self.refund_order(),
            30..=36 => self.ask_refunds(who),
            _ => {
                if self.random.below(3) == 0 {
                    self.network.mint.rotate();
                }
                self.people[who].learn_keysets(&mut self.network);
                self.people[who].restore(&mut self.network, self.trouble);
            }
        }
    }

    pub(crate) fn amount(&mut self) -> Amount {
        Amount::new(1 + self.random.below(60), usd()).unwrap()
    }

    fn mint(&mut self, who: usize) {
        let amount = self.amount();
        let mut quote = Quote::new(address(), "bank".to_owned(), amount);
        let person = &mut self.people[who];
        let quoted = person
            .drive(&mut self.network, self.trouble, |wallet, answer| quote.step(wallet, answer));
        if let Some(Ok(quoted)) = quoted {
            let mut mint = MintIt::new(quoted.operation);
            let end = person
                .drive(&mut self.network, self.trouble, |wallet, answer| mint.step(wallet, answer));
            if let Some(Ok(minted)) = end {
                assert_eq!(minted, amount.value());
                self.tally.minted += 1;
            }
        }
    }

    fn send(&mut self, who: usize) {
        let (mint, amount) = (address(), self.amount());
        let is_fee_added = self.random.below(2) == 0;
        let memo = Some("for you".to_owned());
        let mut send =
            Send::new(Order { mint, amount, is_fee_added, memo, lock: None, delivery: None });
        let end = self.people[who]
            .drive(&mut self.network, self.trouble, |wallet, answer| send.step(wallet, answer));
        match end {
            Some(Ok(sealed)) => {
                let sum: u64 = sealed.token.proofs.iter().map(|proof| proof.amount).sum();
                assert!(if is_fee_added { amount.value() <= sum } else { amount.value() == sum });
                let text = sealed.token.to_text();
                self.tokens.push(text.expose().parse().unwrap());
                self.tally.sent += 1;
            }
            Some(Err(_)) => self.tally.refused += 1,
            None => {}
        }
    }

    /// Tokens stay on the list, so that some are received again.
    fn receive(&mut self, who: usize) {
        if self.tokens.is_empty() {
            return;
        }
        let at = usize::try_from(self.random.below(self.tokens.len() as u64)).unwrap();
        let mut receive = Receive::new(self.tokens[at].clone());
        let end = self.people[who]
            .drive(&mut self.network, self.trouble, |wallet, answer| receive.step(wallet, answer));
        match end {
            Some(Ok(_)) => self.tally.received += 1,
            Some(Err(_)) => self.tally.refused += 1,
            None => {}
        }
    }

    fn pay(&mut self, who: usize) {
        let (method, request) = ("bank".to_owned(), "payto://iban/X".to_owned());
        let mut quote = melt::Quote::of_amount(address(), method.clone(), request, self.amount());
        let person = &mut self.people[who];
        let quoted = person.drive(&mut self.network, self.trouble, |_, answer| quote.step(answer));
        if let Some(Ok(quoted)) = quoted {
            let mut melt = Melt::new(address(), method, quoted);
            let end = person
                .drive(&mut self.network, self.trouble, |wallet, answer| melt.step(wallet, answer));
            match end {
                Some(Ok(_)) => self.tally.paid += 1,
                Some(Err(_)) => self.tally.refused += 1,
                None => {}
            }
        }
    }

    fn reclaim(&mut self, who: usize) {
        let tokens: Vec<_> = self.people[who].state().tokens().keys().copied().collect();
        if let Some(id) = tokens.last() {
            let is_look = self.random.below(2) == 0;
            let mut reclaim = if is_look { Reclaim::look(*id) } else { Reclaim::new(*id) };
            let end = self.people[who].drive(&mut self.network, self.trouble, |wallet, answer| {
                reclaim.step(wallet, answer)
            });
            self.tally.reclaimed += u64::from(matches!(end, Some(Ok(_))));
        }
    }

    fn settle(&mut self, who: usize) {
        let open: Vec<_> = self.people[who].state().operations().keys().copied().collect();
        if let Some(id) = open.first() {
            let mut settle = Settle::new(*id);
            let end = self.people[who].drive(&mut self.network, self.trouble, |wallet, answer| {
                settle.step(wallet, answer)
            });
            self.tally.settled += u64::from(matches!(end, Some(Ok(_))));
        }
    }

    /// Keeps a copy of somebody's state, or goes back to the one kept.
    fn go_stale(&mut self) {
        let who = usize::try_from(self.random.below(2)).unwrap();
        match self.copies[who].take() {
            None => self.copies[who] = Some(self.people[who].stored.clone()),
            Some(copy) => {
                self.people[who].stored = copy;
                self.people[who].learn_keysets(&mut self.network);
                self.tally.stale += 1;
            }
        }
    }

    /// The trouble is over: everybody finishes what is open and takes back what nobody received.
    fn calm(&mut self) {
        for request in std::mem::take(&mut self.network.late) {
            self.network.answer(&request);
        }
        self.network.mint.end_payments();
        for _ in 0..3 {
            for person in &mut self.people {
                person.learn_keysets(&mut self.network);
                person.settle_all(&mut self.network);
                self.network.mint.end_payments();
                person.settle_all(&mut self.network);
                if self.is_stale {
                    person.restore(&mut self.network, CALM).unwrap();
                }
                person.reclaim_all(&mut self.network);
            }
            self.hand_over_all();
        }
        self.people.iter_mut().for_each(|person| _ = person.ask_refunds(&mut self.network, CALM));
        self.people.iter_mut().for_each(|person| person.reclaim_all(&mut self.network));
        // What a payment held when a search found it is looked at once more.
        let is_stale = self.is_stale;
        for person in self.people.iter_mut().filter(|person| is_stale || person.has_unsure()) {
            person.restore(&mut self.network, CALM).unwrap();
        }
    }

    fn audit(&mut self, seed: u64) {
        let Mint { paid_in, paid_out, fees, .. } = self.network.mint;
        let outstanding = self.network.mint.outstanding();
        assert_eq!(outstanding, paid_in - paid_out - fees, "seed {seed}: money was made or lost");
        for person in &self.people {
            let state = person.state();
            assert!(state.operations().is_empty(), "seed {seed}: {:?}", state.operations());
        }
        let network = &mut self.network;
        let dust: Vec<u64> = self.people.iter_mut().map(|person| person.dust(network)).collect();
        let balances = self.people.iter().map(Person::balance).zip(dust);
        let balances: Vec<u64> = balances.map(|(balance, dust)| balance + dust).collect();
        assert_eq!(balances.iter().sum::<u64>(), outstanding, "seed {seed}: {balances:?}");
        for (person, balance) in self.people.iter().zip(balances) {
            person.check_history(seed);
            let mut restored = person.forget_all_but_the_words();
            restored.learn_keysets(&mut self.network);
            restored.restore(&mut self.network, CALM).unwrap();
            assert_eq!(restored.balance(), balance, "seed {seed}: the words find another balance");
        }
    }
}

fn seeds(default: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("TOWN_SEEDS") else { return default };
    let (from, to) = text.split_once("..").expect("TOWN_SEEDS=from..to");
    from.parse().unwrap()..to.parse().unwrap()
}

fn add(total: &mut Tally, town: &Town) {
    let Town { tally, network, .. } = town;
    total.minted += tally.minted;
    total.sent += tally.sent;
    total.received += tally.received;
    total.requests += tally.requests;
    total.payments += tally.payments;
    total.orders += tally.orders;
    total.refunds += tally.refunds;
    total.refunded += tally.refunded;
    total.paid += tally.paid;
    total.reclaimed += tally.reclaimed;
    total.settled += tally.settled;
    total.refused += tally.refused;
    total.stale += tally.stale;
    total.crashes += network.crashes;
    total.losses += network.losses;
}

fn run(seeds: Range<u64>, is_stale: bool) -> Tally {
    let mut total = Tally::default();
    for seed in seeds {
        let mut town = Town::new(seed, is_stale);
        for _ in 0..10 + town.random.below(15) {
            town.act();
            if is_stale && town.random.below(4) == 0 {
                town.go_stale();
            }
        }
        town.calm();
        town.audit(seed);
        add(&mut total, &town);
    }
    total
}

#[test]
fn a_crash_between_any_two_steps_loses_and_makes_no_money() {
    check_crashes(seeds(0..400));
}

/// Thousands of both.
#[test]
#[ignore = "long: about 9 minutes"]
fn many_more_schedules_lose_and_make_no_money() {
    check_crashes(seeds(10_000..16_000));
    run(seeds(2_000_000..2_002_000), true);
}

fn check_crashes(seeds: Range<u64>) {
    let schedules = seeds.end - seeds.start;
    let total = run(seeds, false);
    eprintln!("{schedules} schedules: {total:?}");
    for count in [
        total.minted,
        total.sent,
        total.received,
        total.paid,
        total.settled,
        total.crashes,
        total.requests,
        total.payments,
        total.orders,
        total.refunds,
        total.refunded,
    ] {
        assert!(schedules / 20 <= count, "too little happens: {total:?}");
    }
}

#[test]
fn a_stale_copy_of_the_state_loses_nothing() {
    let seeds = seeds(1_000_000..1_000_120);
    let schedules = seeds.end - seeds.start;
    let total = run(seeds, true);
    eprintln!("{schedules} schedules: {total:?}");
    assert!(schedules / 4 < total.stale, "too little happens: {total:?}");
}
