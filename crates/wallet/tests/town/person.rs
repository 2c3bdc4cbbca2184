//! A person with a wallet, and a driver that may stop between any two steps.

use tacit_core::amount::Amount;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_wallet::history::{Entry, Progress};
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::keysets::Keysets;
use tacit_wallet::operation::mint::{Mint as MintIt, Quote};
use tacit_wallet::operation::prepare::PrepareError;
use tacit_wallet::operation::reclaim::{Reclaim, ReclaimError};
use tacit_wallet::operation::refund::{Refund, due};
use tacit_wallet::operation::restore::{Pace, Restore};
use tacit_wallet::operation::settle::{Settle, SettleError};
use tacit_wallet::operation::{Wallet, Yield};
use tacit_wallet::seed::{Seed, Words};
use tacit_wallet::state::{Purpose, State, Status};
use tacit_wallet::transport::{Answer, Recipient, Request};

use super::mint::Mint;
use super::random::Random;

pub(crate) const PACE: Pace = Pace { window: 30, empty_windows: 3, batch: 7 };

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub(crate) fn address() -> MintUrl {
    "https://mint.example/usd".parse().unwrap()
}

pub(crate) fn usd() -> Unit {
    Unit::new("usd").unwrap()
}

pub(crate) struct Person {
    pub(crate) seed: Seed,
    /// What a storage would hold: nothing else survives a crash.
    pub(crate) stored: String,
}

/// What may go wrong while an operation runs, in percent of its steps.
#[derive(Clone, Copy)]
pub(crate) struct Trouble {
    pub(crate) crash: u64,
    pub(crate) loss: u64,
}

pub(crate) const CALM: Trouble = Trouble { crash: 0, loss: 0 };

/// The mint and the network before it, which may hold requests back and deliver them late.
pub(crate) struct Network {
    pub(crate) mint: Mint,
    pub(crate) late: Vec<Request>,
    /// Payments that came to whom they were sent, as JSON.
    pub(crate) inbox: Vec<String>,
    pub(crate) random: Random,
    pub(crate) crashes: u64,
    pub(crate) losses: u64,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mint = Mint::new(random.split());
        Self::of(mint, random)
    }

    pub(crate) fn of(mint: Mint, random: Random) -> Self {
        let (late, inbox) = (Vec::new(), Vec::new());
        Self { mint, late, inbox, random, crashes: 0, losses: 0 }
    }

    /// What whoever is asked says, without any trouble.
    pub(crate) fn answer(&mut self, request: &Request) -> (u16, String) {
        match &request.to {
            Recipient::Mint(_) => self.mint.answer(request),
            Recipient::Payee(url) => {
                let body = request.body.as_ref().unwrap().expose();
                if let Some((_, order)) = url.as_str().split_once("/usd/pay/") {
                    return self.mint.pay_order(order, body);
                }
                self.inbox.push(body.to_owned());
                (200, String::new())
            }
            Recipient::Desk(_) => unreachable!("nobody has an account in this town"),
        }
    }

    /// Sends a request through trouble; `None` is a crash of the one who sent it.
    fn send(&mut self, request: &Request, trouble: Trouble) -> Option<Answer> {
        if self.random.below(100) < trouble.crash {
            return None;
        }
        if self.random.below(100) < trouble.loss {
            self.losses += 1;
            if self.random.below(2) == 0 {
                self.late.push(request.clone());
            }
            return Some(Answer::Lost);
        }
        if self.random.below(100) < trouble.loss {
            self.answer(request); // Doubled on its way: the mint sees it twice.
        }
        let (status, body) = self.answer(request);
        if self.random.below(100) < trouble.loss {
            self.losses += 1;
            return Some(Answer::Lost);
        }
        if self.random.below(100) < trouble.crash {
            return None;
        }
        Some(Answer::Received { status, body: Secret::new(body.into_bytes()) })
    }
}

impl Person {
    pub(crate) fn new(random: &mut Random) -> Self {
        let entropy: [u8; 16] = *random.bytes().first_chunk().unwrap();
        let state = State::default();
        let stored = serde_json::to_string(&state).unwrap();
        Self { seed: Words::from_entropy(&entropy).seed(), stored }
    }

    pub(crate) fn state(&self) -> State {
        serde_json::from_str(&self.stored).unwrap()
    }

    pub(crate) fn balance(&self) -> u64 {
        self.state().balance(&address(), usd())
    }

    /// Drives a machine to its end; `None` if it crashed on the way.
    pub(crate) fn drive<T>(
        &mut self,
        network: &mut Network,
        trouble: Trouble,
        mut step: impl FnMut(Wallet<'_>, Option<Answer>) -> Yield<T>,
    ) -> Option<T> {
        let mut state = self.state();
        let mut answer = None;
        loop {
            let wallet = Wallet { seed: &self.seed, state: &state, now: NOW };
            let next = step(wallet, answer.take());
            if network.random.below(100) < trouble.crash {
                network.crashes += 1;
                return None;
            }
            match next {
                Yield::Done(result) => return Some(result),
                Yield::Persist(batch) => {
                    state.apply(&batch).expect("nobody else changes the state");
                    self.stored = serde_json::to_string(&state).unwrap();
                    if network.random.below(100) < trouble.crash {
                        network.crashes += 1;
                        return None;
                    }
                }
                Yield::Send(request) => {
                    answer = network.send(&request, trouble);
                    if answer.is_none() {
                        network.crashes += 1;
                        return None;
                    }
                }
            }
        }
    }

    pub(crate) fn learn_keysets(&mut self, network: &mut Network) {
        let mut keysets = Keysets::new(address());
        let learnt = self.drive(network, CALM, |wallet, answer| keysets.step(wallet, answer));
        learnt.unwrap().unwrap();
    }

    /// Something to begin with.
    pub(crate) fn earn(&mut self, network: &mut Network, amount: u64) {
        let amount = Amount::new(amount, usd()).unwrap();
        let mut quote = Quote::new(address(), "bank".to_owned(), amount);
        let quoted = self.drive(network, CALM, |wallet, answer| quote.step(wallet, answer));
        let mut mint = MintIt::new(quoted.unwrap().unwrap().operation);
        let minted = self.drive(network, CALM, |wallet, answer| mint.step(wallet, answer));
        assert_eq!(minted, Some(Ok(amount.value())));
    }

    /// Takes up every open operation once, in calm, quotes included.
    pub(crate) fn settle_all(&mut self, network: &mut Network) {
        for (id, operation) in self.state().operations() {
            let is_quote = matches!(operation.purpose, Purpose::Mint { .. });
            if is_quote {
                let mut mint = MintIt::new(*id);
                self.drive(network, CALM, |wallet, answer| mint.step(wallet, answer));
                continue;
            }
            let mut settle = Settle::new(*id);
            let end = self.drive(network, CALM, |wallet, answer| settle.step(wallet, answer));
            assert_ne!(end, Some(Err(SettleError::NoAnswer)), "in calm, every answer comes");
        }
    }

    /// Takes every token back that is out and not received.
    pub(crate) fn reclaim_all(&mut self, network: &mut Network) {
        for id in self.state().tokens().keys() {
            let mut reclaim = Reclaim::new(*id);
            self.drive(network, CALM, |wallet, answer| reclaim.step(wallet, answer));
        }
    }

    /// The sum of tokens that are still out. Only what does not cover its own fee may be: the words find it, too.
    pub(crate) fn dust(&mut self, network: &mut Network) -> u64 {
        let mut sum = 0;
        for (id, token) in self.state().tokens() {
            let mut reclaim = Reclaim::new(*id);
            let end = self.drive(network, CALM, |wallet, answer| reclaim.step(wallet, answer));
            let below_fee =
                matches!(end, Some(Err(ReclaimError::Prepare(PrepareError::BelowFee { .. }))));
            assert!(below_fee, "a token is still out: {end:?}");
            let state = self.state();
            let proofs = token.proofs.iter().filter_map(|id| state.proof(id));
            let pending = proofs.filter(|proof| matches!(proof.status, Status::Pending { .. }));
            sum += pending.map(|proof| proof.amount).sum::<u64>();
        }
        sum
    }

    pub(crate) fn restore(&mut self, network: &mut Network, trouble: Trouble) -> Option<()> {
        let mut restore = Restore::new(address(), usd(), PACE, network.random.bytes());
        self.drive(network, trouble, |wallet, answer| restore.step(wallet, answer)).map(|_| ())
    }

    /// The history says what the balance is, and of everything that has ended how it ended.
    pub(crate) fn check_history(&self, seed: u64) {
        let state = self.state();
        let sum: i128 = state.history().values().map(Entry::change).sum();
        assert_eq!(sum, i128::from(self.balance()), "seed {seed}: {:#?}", state.history());
        for (id, entry) in state.history() {
            let is_open = state.operations().contains_key(id) || state.tokens().contains_key(id);
            let is_pending = entry.progress == Progress::Pending;
            assert_eq!(is_open, is_pending, "seed {seed}: {id:?} {entry:?}");
        }
    }

    /// Asks what was refunded, of every payment of which something may have come; gives what was added.
    pub(crate) fn ask_refunds(&mut self, network: &mut Network, trouble: Trouble) -> u64 {
        let mut sum = 0;
        for payment in due(&self.state(), NOW) {
            let mut refund = Refund::new(payment);
            let end = self.drive(network, trouble, |wallet, answer| refund.step(wallet, answer));
            sum += end.and_then(Result::ok).map_or(0, |refunded| refunded.amount);
        }
        sum
    }

    /// Whether a search found proofs that a payment held.
    pub(crate) fn has_unsure(&self) -> bool {
        let unsure = Status::Pending { token: None };
        let state = self.state();
        let mut proofs = state.keysets().values().flat_map(|keyset| keyset.proofs.values());
        proofs.any(|proof| proof.status == unsure)
    }

    /// A new device with nothing but the words.
    pub(crate) fn forget_all_but_the_words(&self) -> Self {
        let stored = serde_json::to_string(&State::default()).unwrap();
        Self { seed: self.seed.clone(), stored }
    }
}
