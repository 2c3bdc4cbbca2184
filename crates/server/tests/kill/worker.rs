//! Honest clients that never give up: what got no answer is sent again with the same bytes. In the end they see whether
//! they have what is theirs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use tacit_ecash::message::{
    MeltQuoteResponse, MeltQuoteState, MintQuoteResponse, MintQuoteState, SignaturesResponse,
    SpendState,
};
use tacit_ecash::proof::Proof;
use tacit_service::vault::VaultReader;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::client::{Answer, Client};
use crate::support::wallet::{Wallet, mint_request, random, split, total};

/// How many a [`Crew`] has.
pub(crate) const WORKERS: usize = 8;

/// How long the last answers may take once no worker begins anything new.
const PATIENCE: Duration = Duration::from_secs(120);

/// Answers kept for the end of a worker's life, to be asked for again.
const ANSWERS_KEPT: usize = 1000;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) swaps: usize,
    pub(crate) mints: usize,
    pub(crate) melts: usize,
    /// Requests that got no answer and were sent again.
    pub(crate) sent_again: usize,
    /// Answered requests that were sent again to see the same answer.
    pub(crate) replayed: usize,
    /// In minor units.
    pub(crate) minted: u64,
    /// To payees and rail, in minor units.
    pub(crate) paid_out: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.swaps += other.swaps;
        self.mints += other.mints;
        self.melts += other.melts;
        self.sent_again += other.sent_again;
        self.replayed += other.replayed;
        self.minted += other.minted;
        self.paid_out += other.paid_out;
    }
}

struct Done {
    tally: Tally,
    coins: Vec<Proof>,
    /// What was given for something that was answered.
    spent: Vec<Proof>,
    answered: Vec<(String, Bytes, Bytes)>,
}

/// Workers at their work.
pub(crate) struct Crew {
    mints: Vec<SocketAddr>,
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<Done>>,
}

impl Crew {
    /// Sends [`WORKERS`] to work, to each of the mints in turn.
    pub(crate) async fn at(mints: &[SocketAddr]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut workers = Vec::new();
        for number in 0..WORKERS {
            let worker = Worker::new(mints[number % mints.len()], number).await;
            let stop = Arc::clone(&stop);
            workers.push(tokio::spawn(async move { worker.work(&stop).await }));
        }
        Self { mints: mints.to_vec(), stop, workers }
    }

    /// Lets them finish what they began. Gives what all did and what they have left, in minor units, once [`assert_kept`]
    /// has seen to it.
    pub(crate) async fn finish(self) -> (Tally, u64) {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for worker in self.workers {
            let done = timeout(PATIENCE, worker).await.expect("what was sent is answered");
            all.push(done.expect("no worker lost anything"));
        }
        let mut tally = Tally::default();
        for done in &all {
            tally.add(&done.tally);
        }
        let left = assert_kept(&all, &self.mints).await;
        assert_eq!(
            left + tally.paid_out,
            tally.minted,
            "no money was lost and none was made: {tally:?}"
        );
        (tally, left)
    }
}

/// What is left, in minor units, after it was seen that all that was given for an answer is spent, every answer is given
/// again, to the byte, and what each has left is unspent.
async fn assert_kept(all: &[Done], mints: &[SocketAddr]) -> u64 {
    let mut wallet = Wallet::new(mints[0], "usd").await;
    for done in all {
        // Before anything is asked again: a swap that was forgotten would only be done again.
        let states = wallet.states(&done.spent).await;
        assert!(states.iter().all(|state| *state == SpendState::Spent), "{states:?}");
    }
    for (number, done) in all.iter().enumerate() {
        // Asked of a server that did not give it, where there are several.
        let mut client = Client::new(mints[(number + 1) % mints.len()]);
        for (path, body, answer) in &done.answered {
            let again = client.post_bytes(path, body.clone()).await;
            assert_eq!(&again.body, answer, "an answer that was seen is given again");
        }
    }
    let mut left = 0;
    for done in all {
        let states = wallet.states(&done.coins).await;
        assert!(states.iter().all(|state| *state == SpendState::Unspent), "{states:?}");
        left += total(&done.coins);
    }
    left
}

/// E-cash outstanding by the books of a vault, in minor units: signed less spent, in all keysets.
pub(crate) fn outstanding(mut vault: impl VaultReader) -> u64 {
    let books = vault.books().unwrap();
    books.keysets.iter().map(|keyset| keyset.signed - keyset.spent).sum()
}

struct Worker {
    wallet: Wallet,
    client: Client,
    number: usize,
    coins: Vec<Proof>,
    spent: Vec<Proof>,
    tally: Tally,
    answered: Vec<(String, Bytes, Bytes)>,
}

impl Worker {
    /// A worker with some money.
    async fn new(address: SocketAddr, number: usize) -> Self {
        let mut worker = Self {
            wallet: Wallet::new(address, "usd").await,
            client: Client::new(address),
            number,
            coins: Vec::new(),
            spent: Vec::new(),
            tally: Tally::default(),
            answered: Vec::new(),
        };
        worker.mint().await;
        worker
    }

    async fn work(mut self, stop: &AtomicBool) -> Done {
        while !stop.load(Ordering::Relaxed) {
            let [dice, ..] = random();
            match dice {
                _ if self.coins.len() < 2 => self.mint().await,
                0..=3 => self.mint().await,
                4..=9 => self.melt().await,
                _ => self.swap().await,
            }
        }
        let Self { coins, spent, tally, answered, .. } = self;
        Done { tally, coins, spent, answered }
    }

    /// Sends the same bytes until they are answered by anything but a server that is full or failing.
    async fn insist(&mut self, path: &str, body: &Bytes) -> Answer {
        let mut is_again = false;
        loop {
            match self.client.try_post_bytes(path, body.clone()).await {
                // A mint that waits for its database says so at once: there is no use in asking without a pause.
                Ok(answer) if answer.status.is_server_error() => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Ok(answer) => return answer,
                Err(_) => {
                    if is_again {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    } else {
                        self.tally.sent_again += 1;
                    }
                }
            }
            is_again = true;
        }
    }

    async fn look_up<T: DeserializeOwned>(&mut self, path: &str) -> T {
        loop {
            match self.client.try_get(path).await {
                Ok(answer) if answer.status == StatusCode::OK => return answer.ok(),
                Ok(answer) if answer.status.is_server_error() => {}
                Ok(answer) => panic!("{path}: {answer:?}"),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sometimes asks again at once, and keeps some answers to be asked for at the end.
    async fn granted(&mut self, path: &str, body: &Bytes) -> SignaturesResponse {
        let answer = self.insist(path, body).await;
        let signatures = answer.ok();
        if self.tally.swaps.is_multiple_of(7) {
            let again = self.insist(path, body).await;
            assert_eq!(again.body, answer.body, "the same bytes get the same answer");
            self.tally.replayed += 1;
        }
        if self.answered.len() < ANSWERS_KEPT {
            self.answered.push((path.to_owned(), body.clone(), answer.body));
        }
        signatures
    }

    async fn mint(&mut self) {
        let amount = 200 + u64::from(random()[0]);
        let body = serde_json::json!({"amount": amount, "unit": "usd"}).to_string().into();
        let quote: MintQuoteResponse = self.insist("/usd/v1/mint/quote/bank", &body).await.ok();
        let path = format!("/usd/v1/mint/quote/bank/{}", quote.quote);
        while self.look_up::<MintQuoteResponse>(&path).await.state == MintQuoteState::Unpaid {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let blindings = self.wallet.blind(&split(amount));
        let body = json(&mint_request(&quote.quote, &blindings));
        let signatures = self.granted("/usd/v1/mint/bank", &body).await;
        self.coins.extend(self.wallet.unblind(&blindings, &signatures));
        self.tally.mints += 1;
        self.tally.minted += amount;
    }

    fn take(&mut self, count: usize) -> Vec<Proof> {
        let first = usize::from(random()[0]) % self.coins.len();
        self.coins.rotate_left(first);
        let count = count.min(self.coins.len());
        self.coins.drain(..count).collect()
    }

    async fn swap(&mut self) {
        let inputs = self.take(2);
        let value = total(&inputs) - self.wallet.fee(inputs.len());
        let cut = value / 3;
        let swap = self.wallet.prepare_swap(&inputs, &[split(cut), split(value - cut)].concat());
        let body = json(&swap.request);
        let signatures = self.granted("/usd/v1/swap", &body).await;
        self.coins.extend(self.wallet.unblind(&swap.blindings, &signatures));
        self.tally.paid_out += self.wallet.fee(inputs.len()); // To the operator.
        self.tally.swaps += 1;
        self.spent.extend(inputs);
    }

    async fn melt(&mut self) {
        let inputs = self.take(6);
        let value = total(&inputs) - self.wallet.fee(inputs.len());
        // One in a hundred is held for the rail, at least one.
        let amount = value * 100 / 101;
        let Some(amount) = amount.checked_sub(1).filter(|amount| *amount > 0) else {
            return self.coins.extend(inputs);
        };
        let target = format!(
            "payto://demo/shop{}?amount=usd:{}.{:02}",
            self.number,
            amount / 100,
            amount % 100
        );
        let body = serde_json::json!({"request": target, "unit": "usd"}).to_string().into();
        let quote: MeltQuoteResponse = self.insist("/usd/v1/melt/quote/bank", &body).await.ok();
        let (request, blindings) = self.wallet.melt_request(&quote.quote, &inputs, 8);
        let body = json(&request);
        let answer = self.insist("/usd/v1/melt/bank", &body).await;
        let is_pending = answer.status == StatusCode::BAD_REQUEST && answer.refusal() == 20005;
        assert!(is_pending || answer.status == StatusCode::OK, "{answer:?}");
        let path = format!("/usd/v1/melt/quote/bank/{}", quote.quote);
        let paid = loop {
            let now: MeltQuoteResponse = self.look_up(&path).await;
            match now.state {
                MeltQuoteState::Paid => break now,
                MeltQuoteState::Pending => tokio::time::sleep(Duration::from_millis(50)).await,
                MeltQuoteState::Unpaid => panic!("a payment to a shop does not fail"),
            }
        };
        let signatures = paid.change.unwrap_or_default();
        let change = self.wallet.unblind(&blindings, &SignaturesResponse { signatures });
        self.tally.paid_out += total(&inputs) - total(&change);
        self.coins.extend(change);
        self.tally.melts += 1;
        self.spent.extend(inputs);
    }
}

fn json(message: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(message).unwrap().into()
}
