//! The wallet as a process that does no I/O but lines of JSON: whoever starts it sends its requests.
//!
//! A line on stdin says what to do. A line `{"send": {"url", "body"}}` on stdout asks for `{"status", "body"}`, or `null` for
//! an answer that never came; `{"done": ...}` or `{"failed": "..."}` ends it. The state is kept while the process runs.
//! `tests/interop/requests` drives it. A person's wallet is `tacit wallet`.
#![allow(clippy::unwrap_used, reason = "an example: a wrong line ends it")]

use std::io::{Lines, StdinLock, Write, stdin, stdout};

use serde::Deserialize;
use serde_json::{Value, json};
use tacit_core::amount::Amount;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::condition::lock::{Condition, Lock, SignatureFlag, Terms};
use tacit_ecash::payment_request::lock_option::LockOption;
use tacit_ecash::payment_request::payload::Payload;
use tacit_ecash::payment_request::{PaymentRequest, Transport, TransportKind};
use tacit_ecash::token::Token;
use tacit_wallet::batch::Batch;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::operation::keysets::Keysets;
use tacit_wallet::operation::mint::{Mint, Quote};
use tacit_wallet::operation::pay::{Pay, payable};
use tacit_wallet::operation::receive::Receive;
use tacit_wallet::operation::{Wallet, Yield};
use tacit_wallet::seed::{Seed, Words};
use tacit_wallet::state::{OperationId, State};
use tacit_wallet::transport::Answer;

/// What to do.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Order {
    Words {
        entropy: [u8; 16],
    },
    Learn {
        mint: MintUrl,
    },
    Quote {
        mint: MintUrl,
        method: String,
        amount: u64,
        unit: Unit,
    },
    Issue {
        operation: OperationId,
    },
    Ask {
        id: String,
        mint: MintUrl,
        amount: u64,
        unit: Unit,
        url: Option<String>,
        lock: Option<String>,
        version: char,
    },
    Pay {
        request: String,
        random: [u8; 32],
    },
    Receive {
        token: String,
    },
    Payment {
        json: String,
    },
    Balance {
        mint: MintUrl,
        unit: Unit,
    },
}

struct Process {
    lines: Lines<StdinLock<'static>>,
    seed: Seed,
    state: State,
    now: Timestamp,
}

fn main() {
    let lines = stdin().lines();
    let seed = Words::from_entropy(&[0; 16]).seed();
    let now = Timestamp::from_seconds(1_800_000_000);
    let mut process = Process { lines, seed, state: State::default(), now };
    while let Some(line) = process.lines.next() {
        let order = serde_json::from_str(&line.unwrap()).unwrap();
        say(&match process.follow(order) {
            Ok(done) => json!({ "done": done }),
            Err(error) => json!({ "failed": error }),
        });
    }
}

fn say(line: &Value) {
    let mut out = stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Process {
    fn follow(&mut self, order: Order) -> Result<Value, String> {
        match order {
            Order::Words { entropy } => {
                self.seed = Words::from_entropy(&entropy).seed();
                Ok(Value::Null)
            }
            Order::Learn { mint } => {
                let mut keysets = Keysets::new(mint);
                self.drive(|wallet, answer| keysets.step(wallet, answer)).map_err(text)?;
                Ok(Value::Null)
            }
            Order::Quote { mint, method, amount, unit } => {
                let amount = Amount::new(amount, unit).map_err(text)?;
                let mut quote = Quote::new(mint, method, amount);
                let quoted = self.drive(|wallet, answer| quote.step(wallet, answer));
                let quoted = quoted.map_err(text)?;
                Ok(json!({ "operation": quoted.operation, "key": quoted.quote.pubkey.is_some() }))
            }
            Order::Issue { operation } => {
                let mut mint = Mint::new(operation);
                let issued = self.drive(|wallet, answer| mint.step(wallet, answer));
                issued.map(Value::from).map_err(text)
            }
            Order::Ask { id, mint, amount, unit, url, lock, version } => {
                self.ask(id, &mint, (amount, unit), url, lock.as_deref(), version)
            }
            Order::Pay { request, random } => self.pay(&request, random),
            Order::Receive { token } => {
                self.receive(Receive::new(token.parse::<Token>().map_err(text)?))
            }
            Order::Payment { json } => {
                let payload = Payload::from_json(json.as_bytes()).map_err(text)?;
                self.receive(Receive::payment(payload))
            }
            Order::Balance { mint, unit } => Ok(self.state.balance(&mint, unit).into()),
        }
    }

    fn ask(
        &mut self,
        id: String,
        mint: &MintUrl,
        (amount, unit): (u64, Unit),
        url: Option<String>,
        lock: Option<&str>,
        version: char,
    ) -> Result<Value, String> {
        let post = |target| Transport { kind: TransportKind::Post, target, tags: Vec::new() };
        let mut request = PaymentRequest {
            id: Some(id),
            amount: Some(amount),
            unit: Some(unit.to_string()),
            is_single_use: Some(true),
            mints: vec![mint.as_str().to_owned()],
            description: Some("interoperability".to_owned()),
            transports: url.map(post).into_iter().collect(),
            ..PaymentRequest::default()
        };
        if let Some(flag) = lock {
            let (key, batch) = self.state.lock_key(&self.seed).ok_or("no key is left")?;
            self.persist(&batch);
            let flag = if flag == "all" { SignatureFlag::All } else { SignatureFlag::Inputs };
            let terms = Terms { flag, ..Terms::new(Lock::Key(key)) };
            request.lock = Some(LockOption::of(&Condition::new(terms).map_err(text)?));
        }
        let batch = self.state.ask(&request, self.now).map_err(text)?;
        self.persist(&batch);
        let written = if version == 'A' { request.to_creq_a() } else { request.to_creq_b() };
        written.map(Value::from).map_err(text)
    }

    fn pay(&mut self, request: &str, random: [u8; 32]) -> Result<Value, String> {
        let request = request.parse::<PaymentRequest>().map_err(text)?;
        let offer = payable(&self.state, &request, None).map_err(text)?.remove(0);
        let mut pay = Pay::new(&request, offer, None, random);
        let paid = self.drive(|wallet, answer| pay.step(wallet, answer)).map_err(text)?;
        let token = paid.token.token.to_text().expose().clone();
        Ok(json!({ "is_delivered": paid.is_delivered, "token": token }))
    }

    fn receive(&mut self, mut receive: Receive) -> Result<Value, String> {
        let received = self.drive(|wallet, answer| receive.step(wallet, answer));
        received.map(Value::from).map_err(text)
    }

    fn persist(&mut self, batch: &Batch) {
        self.state.apply(batch).unwrap();
    }

    fn drive<T>(&mut self, mut step: impl FnMut(Wallet<'_>, Option<Answer>) -> Yield<T>) -> T {
        let mut answer = None;
        loop {
            let wallet = Wallet { seed: &self.seed, state: &self.state, now: self.now };
            match step(wallet, answer.take()) {
                Yield::Done(end) => return end,
                Yield::Persist(batch) => self.persist(&batch),
                Yield::Send(request) => {
                    let body = request.body.as_ref().map(|body| body.expose());
                    say(&json!({ "send": { "url": request.url(), "body": body } }));
                    answer = Some(self.answer());
                }
            }
        }
    }

    fn answer(&mut self) -> Answer {
        #[derive(Deserialize)]
        struct Received {
            status: u16,
            body: String,
        }
        let line = self.lines.next().unwrap().unwrap();
        let Some(Received { status, body }) = serde_json::from_str(&line).unwrap() else {
            return Answer::Lost;
        };
        Answer::Received { status, body: Secret::new(body.into_bytes()) }
    }
}
