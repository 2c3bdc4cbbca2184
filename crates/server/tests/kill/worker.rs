//! An honest client that never gives up: what got no answer is sent again with the same bytes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use tacit_ecash::message::{
    MeltQuoteResponse, MeltQuoteState, MintQuoteResponse, MintQuoteState, SignaturesResponse,
};
use tacit_ecash::proof::Proof;

use crate::support::client::{Answer, Client};
use crate::support::wallet::{Wallet, mint_request, random, split, total};

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
    pub(crate) fn add(&mut self, other: &Self) {
        self.swaps += other.swaps;
        self.mints += other.mints;
        self.melts += other.melts;
        self.sent_again += other.sent_again;
        self.replayed += other.replayed;
        self.minted += other.minted;
        self.paid_out += other.paid_out;
    }
}

pub(crate) struct Done {
    pub(crate) tally: Tally,
    pub(crate) coins: Vec<Proof>,
    /// What was given for something that was answered.
    pub(crate) spent: Vec<Proof>,
    pub(crate) answered: Vec<(String, Bytes, Bytes)>,
}

pub(crate) struct Worker {
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
    pub(crate) async fn new(address: SocketAddr, number: usize) -> Self {
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

    pub(crate) async fn work(mut self, stop: &AtomicBool) -> Done {
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
