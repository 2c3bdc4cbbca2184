//! Demo mode only: a mint quote is paid by itself about a second after it was opened.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use tacit_service::quote::QuoteId;
use tacit_service::vault::Change;

use crate::writer::{CommitError, Writer};

/// Quotes that will be paid.
pub(crate) struct Receipts {
    /// Not bounded: it holds the quotes of the last second, which the writer has let through.
    queue: Sender<Message>,
    inbox: Receiver<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// How long a quote waits for its money.
    delay: Duration,
}

enum Message {
    Due(Instant, QuoteId, u64),
    Stop,
}

impl Receipts {
    /// Takes quotes down, to be paid once [`Self::start`] has been called.
    pub(crate) fn new(delay: Duration) -> Arc<Self> {
        let (queue, inbox) = unbounded();
        Arc::new(Self { queue, inbox, thread: Mutex::new(None), delay })
    }

    /// Starts paying.
    pub(crate) fn start(&self, writer: Arc<Writer>) -> std::io::Result<()> {
        let (inbox, again, delay) = (self.inbox.clone(), self.queue.clone(), self.delay);
        let builder = std::thread::Builder::new().name("receipts".to_owned());
        let thread = builder.spawn(move || work(&inbox, &again, &writer, delay))?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// Takes down a quote of so many minor units that was opened just now.
    pub(crate) fn expect(&self, quote: QuoteId, amount: u64) {
        self.put(Instant::now() + self.delay, quote, amount);
    }

    /// Takes down a quote that was open when the process started: it has waited long enough.
    pub(crate) fn resume(&self, quote: QuoteId, amount: u64) {
        self.put(Instant::now(), quote, amount);
    }

    fn put(&self, at: Instant, quote: QuoteId, amount: u64) {
        _ = self.queue.send(Message::Due(at, quote, amount)); // Its other end lives as long as this.
    }

    /// Ends the thread. Quotes not paid by then are taken up again at the next start.
    pub(crate) fn stop(&self) {
        _ = self.queue.send(Message::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            _ = thread.join(); // A panic inside was logged by the hook.
        }
    }
}

fn work(inbox: &Receiver<Message>, again: &Sender<Message>, writer: &Writer, delay: Duration) {
    let mut due: VecDeque<(Instant, QuoteId, u64)> = VecDeque::new();
    loop {
        let message = match due.front() {
            Some((at, ..)) => inbox.recv_deadline(*at),
            None => inbox.recv().map_err(RecvTimeoutError::from),
        };
        match message {
            Ok(Message::Due(at, quote, amount)) => {
                let place = due.partition_point(|(earlier, ..)| *earlier <= at);
                due.insert(place, (at, quote, amount));
            }
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        while let Some((_, quote, amount)) = due.pop_front_if(|(at, ..)| *at <= Instant::now()) {
            let again = again.clone();
            let answer = move |result: Result<_, CommitError>| {
                if result.is_err_and(CommitError::may_pass) {
                    _ = again.send(Message::Due(Instant::now() + delay, quote, amount));
                }
            };
            writer.submit(Change::Receive { quote, amount }, Box::new(answer));
        }
    }
}
