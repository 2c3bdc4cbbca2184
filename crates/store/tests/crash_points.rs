//! The process is killed before and after every step that leaves it: each commit, each word with the rail.
//!
//! A person deposits 10.00, swaps, pays 5.00 out, and is left with change. Whatever the moment of the crash, the
//! restarted process and a wallet that sends the same bytes again must end with the same money.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use secp256k1::SecretKey;
use tacit_core::secret::Secret;
use tacit_core::time::{Clock, Timestamp};
use tacit_core::unit::Unit;
use tacit_ecash::blind::hash_to_curve;
use tacit_ecash::blinding::Blinding;
use tacit_ecash::keyset::{KeysetSpec, SecretKeyset};
use tacit_ecash::proof::{BlindSignature, BlindedMessage, Proof};
use tacit_service::audit;
use tacit_service::identity::Identity;
use tacit_service::mint::Mint;
use tacit_service::payout::{Step, step};
use tacit_service::quote::{MeltQuote, MeltQuoteState, Method, MintQuote, MintQuoteState, QuoteId};
use tacit_service::rail::{Payment, PaymentId, Rail};
use tacit_service::vault::{Change, Outcome, ProofState, VaultReader, VaultStore};
use tacit_store::demo_rail::DemoRail;
use tacit_store::sqlite::{SqliteReader, SqliteVault};

const DEPOSIT: u64 = 1000;
const PAYMENT: u64 = 500;
/// One in a hundred, of which the demo rail takes half, rounded down.
const RESERVE: u64 = 5;
const RAIL_FEE: u64 = 2;

#[derive(Default)]
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + self.0.load(Ordering::Relaxed))
    }
}

/// The process was killed.
#[derive(Debug)]
struct Killed;

/// When the process is killed: at the `step`-th effect, before it happens or after it, its answer lost.
#[derive(Clone, Copy, Debug)]
struct Kill {
    step: usize,
    after: bool,
}

/// The operator's process, with everything a kill takes from it.
struct Process {
    vault: SqliteVault,
    reader: SqliteReader,
    rail: DemoRail,
    mint: Mint,
    clock: Arc<TestClock>,
    kill: Option<Kill>,
    steps: usize,
}

impl Process {
    fn start(folder: &std::path::Path, clock: &Arc<TestClock>, kill: Option<Kill>) -> Self {
        let path: PathBuf = folder.join("vault.sqlite");
        let mut vault =
            SqliteVault::open(&path, &Identity::derive(&seed()).public()).unwrap().with_era_rows(1);
        let spec = spec();
        let id = SecretKeyset::derive(&seed(), spec).id();
        vault.commit(&[Change::AddKeyset { id, spec }], clock.now()).unwrap();
        let mut reader = SqliteReader::open(&path).unwrap();
        let mint = Mint::new(&seed(), reader.keysets().unwrap()).unwrap();
        let rail = DemoRail::open(&folder.join("rail.sqlite"), clock.clone(), &seed()).unwrap();
        Self { vault, reader, rail, mint, clock: Arc::clone(clock), kill, steps: 0 }
    }

    /// One effect outside the process, or death beside it.
    fn effect<R>(&mut self, act: impl FnOnce(&mut Self) -> R) -> Result<R, Killed> {
        let step = self.steps;
        self.steps += 1;
        match self.kill {
            Some(kill) if kill.step == step && kill.after => {
                act(self);
                Err(Killed)
            }
            Some(kill) if kill.step == step => Err(Killed),
            Some(_) | None => Ok(act(self)),
        }
    }

    fn commit(&mut self, change: Change) -> Result<(Change, Outcome), Killed> {
        self.effect(|process| {
            let batch = [change];
            let mut outcomes = process.vault.commit(&batch, process.clock.now()).unwrap();
            let [change] = batch;
            (change, outcomes.pop().unwrap())
        })
    }

    /// Carries pending payments to the rail's final word, as the executor does at every start.
    fn carry_payments(&mut self) -> Result<(), Killed> {
        for quote in self.reader.pending_melt_quotes().unwrap() {
            let id = PaymentId { quote: quote.id, attempt: quote.attempt };
            loop {
                let answer = self.rail.status(id);
                match step(&answer) {
                    Step::Pay => {
                        let payment = Payment {
                            id,
                            unit: quote.unit,
                            method: quote.method,
                            request: quote.request.clone(),
                            amount: quote.amount,
                            fee_max: quote.fee_reserve,
                        };
                        self.effect(|process| process.rail.pay(&payment).unwrap())?;
                    }
                    Step::Wait => _ = self.clock.0.fetch_add(1, Ordering::Relaxed),
                    Step::Finish(end) => {
                        let (quote, attempt) = (quote.id, quote.attempt);
                        self.commit(Change::FinishMelt { quote, attempt, end })?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

fn seed() -> Secret<[u8; 32]> {
    Secret::new([6; 32])
}

fn unit() -> Unit {
    Unit::new("usd").unwrap()
}

fn spec() -> KeysetSpec {
    KeysetSpec { unit: unit(), index: 0, orders: 16, input_fee_ppk: 0, final_expiry: None }
}

/// The wallet: what it has asked for and not got, and what it has.
struct Wallet {
    mint_quote: QuoteId,
    melt_quote: QuoteId,
    minted: Vec<Blinding>,
    swapped: Vec<Blinding>,
    change: Vec<Blinding>,
    coins: Vec<Proof>,
    stage: usize,
}

fn blanks(keys: &SecretKeyset, name: &str, amounts: &[u64]) -> Vec<Blinding> {
    let blank = |(number, amount): (usize, &u64)| {
        let secret = Secret::new(format!("{name} {number}"));
        let factor = SecretKey::from_byte_array([u8::try_from(number).unwrap() + 1; 32]).unwrap();
        Blinding::new(*amount, keys.id(), secret, factor).unwrap()
    };
    amounts.iter().enumerate().map(blank).collect()
}

fn messages(blanks: &[Blinding]) -> Vec<BlindedMessage> {
    blanks.iter().map(|blank| *blank.message()).collect()
}

fn unblind(keys: &SecretKeyset, blanks: &[Blinding], signed: &[BlindSignature]) -> Vec<Proof> {
    let proof = |(blank, signed): (&Blinding, &BlindSignature)| {
        blank.unblind(signed, keys.key(signed.amount).unwrap().public()).unwrap()
    };
    blanks.iter().zip(signed).map(proof).collect()
}

fn value(coins: &[Proof]) -> u64 {
    coins.iter().map(|coin| coin.amount).sum()
}

impl Wallet {
    fn new(keys: &SecretKeyset) -> Self {
        Self {
            mint_quote: QuoteId::from_random([1; 16]),
            melt_quote: QuoteId::from_random([2; 16]),
            minted: blanks(keys, "minted", &keys.split(DEPOSIT)),
            // What the payment takes, and the rest.
            swapped: blanks(
                keys,
                "swapped",
                &[keys.split(PAYMENT + RESERVE), keys.split(DEPOSIT - PAYMENT - RESERVE)].concat(),
            ),
            change: blanks(keys, "change", &[1; 3]),
            coins: Vec::new(),
            stage: 0,
        }
    }

    /// Goes on from where the wallet knows it is. Every request is the same bytes each time.
    fn go_on(&mut self, process: &mut Process, keys: &SecretKeyset) -> Result<(), Killed> {
        process.carry_payments()?; // At the start of the process, before anything is served.
        while self.stage < 4 {
            match self.stage {
                0 => self.deposit(process, keys)?,
                1 => self.swap(process, keys)?,
                2 => self.pay(process)?,
                _ => self.collect_change(process, keys)?,
            }
            self.stage += 1;
        }
        Ok(())
    }

    fn deposit(&mut self, process: &mut Process, keys: &SecretKeyset) -> Result<(), Killed> {
        let quote = MintQuote {
            id: self.mint_quote,
            unit: unit(),
            method: Method::Bank,
            request: "reference".to_owned(),
            amount: DEPOSIT,
            pubkey: None,
            expiry: Timestamp::from_seconds(1_900_000_000),
            state: MintQuoteState::Unpaid,
        };
        process.commit(Change::OpenMintQuote(quote))?;
        process.commit(Change::Receive { quote: self.mint_quote, amount: DEPOSIT })?;
        let quote = process.reader.mint_quote(self.mint_quote).unwrap().unwrap();
        let outputs = messages(&self.minted);
        let of = (unit(), Method::Bank);
        let prepared = process.mint.prepare_mint(of, &quote, &outputs, None).unwrap();
        let (Change::Mint(prepared), outcome) = process.commit(Change::Mint(prepared))? else {
            unreachable!()
        };
        self.coins = unblind(keys, &self.minted, &prepared.answer(outcome).unwrap());
        Ok(())
    }

    fn swap(&mut self, process: &mut Process, keys: &SecretKeyset) -> Result<(), Killed> {
        let outputs = messages(&self.swapped);
        let now = process.clock.now();
        let prepared = process.mint.prepare_swap(unit(), &self.coins, &outputs, now).unwrap();
        let (Change::Swap(prepared), outcome) = process.commit(Change::Swap(prepared))? else {
            unreachable!()
        };
        self.coins = unblind(keys, &self.swapped, &prepared.answer(outcome).unwrap());
        Ok(())
    }

    fn pay(&mut self, process: &mut Process) -> Result<(), Killed> {
        let quote = MeltQuote {
            id: self.melt_quote,
            unit: unit(),
            method: Method::Bank,
            request: "payto://demo/shop?amount=usd:5.00".to_owned(),
            amount: PAYMENT,
            fee_reserve: RESERVE,
            expiry: Timestamp::from_seconds(1_900_000_000),
            attempt: 0,
            state: MeltQuoteState::Unpaid,
        };
        process.commit(Change::OpenMeltQuote(quote))?;
        let quote = process.reader.melt_quote(self.melt_quote).unwrap().unwrap();
        let outputs = messages(&self.change);
        let of = (unit(), Method::Bank);
        let (now, inputs) = (process.clock.now(), self.spent());
        let prepared = process.mint.prepare_melt(of, &quote, &inputs, &outputs, now).unwrap();
        let (_, outcome) = process.commit(Change::StartMelt(prepared))?;
        assert!(matches!(outcome, Outcome::Melt(Ok(_))), "{outcome:?}");
        process.carry_payments()
    }

    fn spent(&self) -> Vec<Proof> {
        self.coins[..spec_split(PAYMENT + RESERVE)].to_vec()
    }

    fn collect_change(&mut self, process: &mut Process, keys: &SecretKeyset) -> Result<(), Killed> {
        let quote = process.reader.melt_quote(self.melt_quote).unwrap().unwrap();
        let MeltQuoteState::Paid { change, .. } = quote.state else {
            panic!("the payment has its final word before a wallet is answered")
        };
        let signed: Vec<BlindSignature> =
            change.iter().map(|output| process.mint.sign_again(output).unwrap()).collect();
        self.coins.drain(..spec_split(PAYMENT + RESERVE));
        self.coins.extend(unblind(keys, &self.change, &signed));
        Ok(())
    }
}

fn spec_split(amount: u64) -> usize {
    amount.count_ones().try_into().unwrap()
}

/// Runs the story with one kill; returns how many effects it had in the process that was not killed.
fn story(kill: Option<Kill>) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let keys = SecretKeyset::derive(&seed(), spec());
    let mut wallet = Wallet::new(&keys);
    let mut process = Process::start(folder.path(), &clock, kill);
    if let Err(Killed) = wallet.go_on(&mut process, &keys) {
        drop(process); // Nothing of it is left but its files.
        process = Process::start(folder.path(), &clock, None);
        wallet.go_on(&mut process, &keys).unwrap();
    }

    assert_eq!(value(&wallet.coins), DEPOSIT - PAYMENT - RAIL_FEE, "{kill:?}");
    let ys: Vec<_> = wallet
        .coins
        .iter()
        .map(|coin| hash_to_curve(coin.secret.expose().as_bytes()).unwrap().y())
        .collect();
    let states = process.reader.proof_states(&ys).unwrap();
    assert!(states.iter().all(|state| *state == ProofState::Unspent), "{kill:?}: {states:?}");
    let books = process.reader.books().unwrap();
    for check in audit::check(&books, &Identity::derive(&seed()).public()) {
        assert!(check.holds, "{kill:?}: {check:?}");
    }
    let outstanding: u64 = books.keysets.iter().map(|keyset| keyset.signed - keyset.spent).sum();
    assert_eq!(outstanding, value(&wallet.coins), "{kill:?}");
    assert!(process.reader.pending_melt_quotes().unwrap().is_empty(), "{kill:?}");
    process.steps
}

/// cdk #2306, #2338: recovery undid a payment that had settled.
#[test]
fn crash_at_every_step_conserves_value() {
    let steps = story(None);
    assert!(steps >= 8, "quote, receipt, mint, swap, quote, start, rail, finish: {steps}");
    for step in 0..steps {
        for after in [false, true] {
            story(Some(Kill { step, after }));
        }
    }
}
