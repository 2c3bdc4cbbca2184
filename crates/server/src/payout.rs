//! The payout executor: carries each started melt to the rail's final word, and records it once.
//!
//! Threads of its own, because a rail may take its time. An error is never taken for a failure: what is unclear
//! is asked again, later and later.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tacit_service::melt::MeltEnd;
use tacit_service::payout::{self, Step};
use tacit_service::quote::{MeltQuote, QuoteId};
use tacit_service::rail::{Payment, PaymentId, PaymentStatus, Rail, RailError};
use tacit_service::vault::Change;

use crate::log::{self, Level};
use crate::writer::Writer;

/// Threads that may wait for the rail at once.
const THREADS: usize = 4;

/// How long after an unclear answer the rail is asked again: first, and at most.
const WAIT_FIRST: Duration = Duration::from_millis(100);
const WAIT_MOST: Duration = Duration::from_secs(30);

/// Payments under way.
pub(crate) struct Payouts {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    under_way: AtomicUsize,
    /// Those payments, by quote and attempt.
    carried: Mutex<HashSet<(QuoteId, u32)>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Waiting {
    /// By the moment they are due, then in the order they came.
    queue: BinaryHeap<Reverse<Due>>,
    count: u64,
    is_stopping: bool,
}

struct Due {
    at: Instant,
    number: u64,
    payout: Payout,
}

struct Payout {
    quote: MeltQuote,
    /// Whether the rail may have heard of it already: then it is asked before it is told.
    is_resumed: bool,
    wait: Duration,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl Payouts {
    /// Takes up payments once [`Self::start`] has given them threads.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            under_way: AtomicUsize::new(0),
            carried: Mutex::default(),
            threads: Mutex::default(),
        })
    }

    /// Starts the threads.
    pub(crate) fn start(
        self: &Arc<Self>,
        rail: &Arc<dyn Rail>,
        writer: &Arc<Writer>,
    ) -> std::io::Result<()> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for number in 0..THREADS {
            let (payouts, rail) = (Arc::clone(self), Arc::clone(rail));
            let writer = Arc::clone(writer);
            let builder = std::thread::Builder::new().name(format!("payout-{number}"));
            threads.push(builder.spawn(move || work(&payouts, rail.as_ref(), &writer))?);
        }
        Ok(())
    }

    /// Pays a melt that has just been started.
    pub(crate) fn begin(&self, quote: MeltQuote) {
        self.note(&quote);
        self.put(Payout { quote, is_resumed: false, wait: WAIT_FIRST }, Instant::now());
    }

    /// Takes a melt up again that was pending when the process started.
    pub(crate) fn resume(&self, quote: MeltQuote) {
        self.note(&quote);
        self.put(Payout { quote, is_resumed: true, wait: WAIT_FIRST }, Instant::now());
    }

    fn note(&self, quote: &MeltQuote) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.carried().insert((quote.id, quote.attempt));
    }

    fn carried(&self) -> MutexGuard<'_, HashSet<(QuoteId, u32)>> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process sees to a payment, by its quote and attempt.
    pub(crate) fn carries(&self, payment: (QuoteId, u32)) -> bool {
        self.carried().contains(&payment)
    }

    /// How many payments have no final word.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Ends the threads after what they are doing. What is under way is taken up again at the next start.
    pub(crate) fn stop(&self) {
        self.waiting().is_stopping = true;
        self.changed.notify_all();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            _ = thread.join(); // A panic inside was logged by the hook.
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, payout: Payout, at: Instant) {
        let mut waiting = self.waiting();
        let number = waiting.count;
        waiting.count += 1;
        waiting.queue.push(Reverse(Due { at, number, payout }));
        drop(waiting);
        self.changed.notify_one();
    }

    /// Waits for the next payout that is due; `None` when stopping.
    fn take(&self) -> Option<Payout> {
        let mut waiting = self.waiting();
        loop {
            if waiting.is_stopping {
                return None;
            }
            let now = Instant::now();
            let at = waiting.queue.peek().map(|Reverse(due)| due.at);
            waiting = match at {
                Some(at) if at <= now => return waiting.queue.pop().map(|due| due.0.payout),
                Some(at) => {
                    let timed = self.changed.wait_timeout(waiting, at - now);
                    timed.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// One step of a payout; `false` if the thread must end.
    fn step(&self, mut payout: Payout, rail: &dyn Rail, writer: &Writer) -> bool {
        let end = ask(rail, &payout);
        payout.is_resumed = true;
        if let Some(end) = end {
            let (quote, attempt) = (payout.quote.id, payout.quote.attempt);
            match writer.commit_blocking(Change::FinishMelt { quote, attempt, end }) {
                Ok(_) => {
                    self.under_way.fetch_sub(1, Ordering::Relaxed);
                    self.carried().remove(&(quote, attempt));
                    return true;
                }
                Err(error) if error.may_pass() => {} // The rail says the same again later.
                Err(_) => return false,              // Taken up again by the next process.
            }
        }
        let at = Instant::now() + payout.wait;
        payout.wait = (payout.wait * 2).min(WAIT_MOST);
        self.put(payout, at);
        true
    }
}

fn work(payouts: &Payouts, rail: &dyn Rail, writer: &Writer) {
    while let Some(payout) = payouts.take() {
        if !payouts.step(payout, rail, writer) {
            return;
        }
    }
}

/// What the rail says of a payment, if that is final.
fn ask(rail: &dyn Rail, payout: &Payout) -> Option<MeltEnd> {
    let quote = &payout.quote;
    let id = PaymentId { quote: quote.id, attempt: quote.attempt };
    let first = if payout.is_resumed { heed(&rail.status(id)) } else { Step::Pay };
    let step = match first {
        Step::Pay => heed(&rail.pay(&Payment {
            id,
            unit: quote.unit,
            method: quote.method,
            request: quote.request.clone(),
            amount: quote.amount,
            fee_max: quote.fee_reserve,
        })),
        step @ (Step::Wait | Step::Finish(_)) => step,
    };
    match step {
        Step::Finish(end) => Some(end),
        Step::Pay | Step::Wait => None,
    }
}

fn heed(answer: &Result<PaymentStatus, RailError>) -> Step {
    if let Err(error) = answer {
        log::error_chain(Level::Warn, "a payment's state is unclear", error);
    }
    payout::step(answer)
}
