//! The writer: one thread that commits whatever has queued up as one batch, then answers all of it.
//!
//! No delay is added to make batches larger: while one commit waits for the disk, the next batch gathers.
//! Answers leave only after the commit is durable, those to the losers inside a batch included.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use tacit_core::time::Clock;
use tacit_service::vault::{Change, Outcome, StoreError, VaultStore};
use tokio::sync::Notify;

use crate::log::{self, Level};
use crate::metric::{Counter, Metrics};
use crate::queue::{Queue, Refused};

/// How often a batch is offered again to a store that says it is busy, and how long it waits in between.
const BUSY_TRIES: u32 = 50;
const BUSY_WAIT: Duration = Duration::from_millis(100);

/// How long those who wait for a commit are kept waiting while the database is away, before they are told.
const AWAY_PATIENCE: Duration = Duration::from_secs(3);

/// Rows of the vault that a batch's changes may concern on average: a change can concern some thousands, and a batch of
/// such would hold everybody else up.
const ROWS_A_CHANGE: usize = 16;

/// What to do once a change is durable, or is known not to be. Runs on the writer's thread: keep it short.
pub(crate) type Answer = Box<dyn FnOnce(Result<Committed, CommitError>) + Send>;

/// What sees every change of a commit before its answers leave.
pub(crate) type Observer = Box<dyn FnMut(&Change, &Outcome) + Send>;

/// A change that is durable, with what became of it.
pub(crate) struct Committed {
    pub(crate) change: Change,
    pub(crate) outcome: Outcome,
}

/// Why a change was not committed. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommitError {
    /// As many changes wait as may. Nothing was written.
    #[error("too many changes wait")]
    Full,
    /// The writer has ended. Nothing was written.
    #[error("the server is stopping")]
    Stopping,
    /// The store was busy for too long. Nothing was written.
    #[error("the store is busy")]
    Busy,
    /// The store cannot be reached. Nothing was written.
    #[error("the store cannot be reached")]
    Away,
    /// The store was lost while it committed: whether it was written turns out once it is back. The same request tells.
    #[error("the store was lost while it committed")]
    InDoubt,
    /// The store cannot write until an operator acts. Nothing was written.
    #[error("the store cannot write")]
    Unwritable,
    /// Whether it was written is unknown. The process stops; after a restart the same request tells.
    #[error("the store failed")]
    Failed,
}

impl CommitError {
    /// Whether this writer may still commit the same change later. If not, the next process sees to it.
    pub(crate) const fn may_pass(self) -> bool {
        match self {
            Self::Full | Self::Busy | Self::Away | Self::InDoubt | Self::Unwritable => true,
            Self::Stopping | Self::Failed => false,
        }
    }
}

/// Whether the writer can be relied upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Health {
    Good = 0,
    Unwritable = 1,
    Failed = 2,
    /// The store could not be reached when it was last tried.
    Away = 3,
}

struct Job {
    change: Change,
    answer: Answer,
}

enum Message {
    Job(Box<Job>),
    Stop,
}

/// The queue before the one thread that writes.
pub(crate) struct Writer {
    queue: Arc<Queue<Message>>,
    state: Arc<State>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    health: AtomicU8,
    failed: Notify,
}

impl State {
    fn set(&self, health: Health) {
        self.health.store(health as u8, Ordering::Release);
        if health == Health::Failed {
            self.failed.notify_waiters();
        }
    }

    fn get(&self) -> Health {
        match self.health.load(Ordering::Acquire) {
            0 => Health::Good,
            1 => Health::Unwritable,
            3 => Health::Away,
            _ => Health::Failed,
        }
    }
}

/// What the writer's thread works with.
pub(crate) struct Desk {
    pub(crate) store: Box<dyn VaultStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) observer: Observer,
    /// Most changes in one commit.
    pub(crate) batch: usize,
}

impl Writer {
    /// Starts the thread. `queue`: how many changes may wait.
    pub(crate) fn start(desk: Desk, queue: usize) -> std::io::Result<Arc<Self>> {
        let queue = Arc::new(Queue::new(queue, |message| refuse(message, CommitError::Stopping)));
        let state = Arc::new(State::default());
        let (inbox, seen) = (Arc::clone(&queue), Arc::clone(&state));
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(move || {
            write(desk, &inbox, &seen);
            inbox.close();
        })?;
        Ok(Arc::new(Self { queue, state, thread: Mutex::new(Some(thread)) }))
    }

    /// Queues a change. `answer` is called exactly once, at once if the queue is full.
    pub(crate) fn submit(&self, change: Change, answer: Answer) {
        match self.queue.try_put(Message::Job(Box::new(Job { change, answer }))) {
            Ok(()) => {}
            Err(Refused::Full(message)) => refuse(message, CommitError::Full),
            Err(Refused::Closed(message)) => refuse(message, CommitError::Stopping),
        }
    }

    /// Commits a change of the server's own, which waits for its place in the queue. Blocks.
    pub(crate) fn commit_blocking(&self, change: Change) -> Result<Committed, CommitError> {
        let (tell, told) = bounded(1);
        let answer: Answer = Box::new(move |result| _ = tell.send(result));
        let job = Message::Job(Box::new(Job { change, answer }));
        self.queue.put(job).map_err(|_| CommitError::Stopping)?;
        told.recv().unwrap_or(Err(CommitError::Stopping))
    }

    /// The same, for where nothing may block.
    pub(crate) async fn commit(self: &Arc<Self>, change: Change) -> Result<Committed, CommitError> {
        let writer = Arc::clone(self);
        let waited = tokio::task::spawn_blocking(move || writer.commit_blocking(change));
        waited.await.unwrap_or(Err(CommitError::Stopping))
    }

    /// How many changes wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Whether changes can be committed.
    pub(crate) fn health(&self) -> Health {
        self.state.get()
    }

    /// Returns when the store has failed in a way that the process must not outlive.
    pub(crate) async fn failed(&self) {
        loop {
            let notified = self.state.failed.notified();
            if self.health() == Health::Failed {
                return;
            }
            notified.await;
        }
    }

    /// Commits what is queued and ends the thread. Blocks until then.
    pub(crate) fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            _ = self.queue.put(Message::Stop); // Refused only if the thread has ended.
            _ = thread.join(); // A panic inside was logged by the hook.
        }
    }
}

fn refuse(message: Message, error: CommitError) {
    match message {
        Message::Job(job) => (job.answer)(Err(error)),
        Message::Stop => {}
    }
}

fn write(mut desk: Desk, queue: &Queue<Message>, state: &State) {
    let mut stopping = false;
    while !stopping {
        let (mut changes, mut answers, mut rows) = (Vec::new(), Vec::new(), 0);
        let mut next = Some(queue.take());
        while let Some(message) = next {
            match message {
                Message::Job(job) => {
                    rows += job.change.rows();
                    changes.push(job.change);
                    answers.push(job.answer);
                }
                Message::Stop => stopping = true,
            }
            let is_enough =
                stopping || changes.len() == desk.batch || rows >= desk.batch * ROWS_A_CHANGE;
            next = if is_enough { None } else { queue.try_take() };
        }
        let commit = AssertUnwindSafe(|| {
            changes.is_empty() || desk.commit(changes, answers, state, queue, &mut stopping)
        });
        // A panic here is a bug that may have left the store half told: nothing is written after it.
        if !catch_unwind(commit).unwrap_or(false) {
            state.set(Health::Failed);
            break;
        }
    }
}

impl Desk {
    /// Commits a batch and answers it. False if the thread must end.
    fn commit(
        &mut self,
        changes: Vec<Change>,
        mut answers: Vec<Answer>,
        state: &State,
        queue: &Queue<Message>,
        stopping: &mut bool,
    ) -> bool {
        let begun = Instant::now();
        let result = loop {
            match self.try_commit(&changes) {
                // Nothing else can be committed before this is known. Nobody is kept waiting for that.
                Err(StoreError::InDoubt(_)) if !*stopping => {
                    note_absence(state, "the database was lost during a commit, which is in doubt");
                    if AWAY_PATIENCE < begun.elapsed() {
                        answers.drain(..).for_each(|answer| answer(Err(CommitError::InDoubt)));
                        *stopping = refuse_all(queue);
                    }
                    std::thread::sleep(BUSY_WAIT);
                }
                result => break result,
            }
        };
        self.metrics.observe_commit(changes.len(), begun.elapsed());
        let error = match result {
            Ok(outcomes) => {
                if state.get() == Health::Away {
                    log::write(Level::Info, "the database is back", &[]);
                }
                state.set(Health::Good);
                self.answer_all(changes, outcomes, answers);
                return true;
            }
            Err(StoreError::Busy) => CommitError::Busy,
            Err(StoreError::Away(_)) => {
                note_absence(state, "the database cannot be reached");
                CommitError::Away
            }
            Err(StoreError::InDoubt(_)) => CommitError::InDoubt,
            Err(error @ StoreError::Unwritable(_)) => {
                state.set(Health::Unwritable);
                log::error_chain(Level::Error, "nothing can be written", &error);
                CommitError::Unwritable
            }
            Err(error @ (StoreError::Corrupt(_) | StoreError::Failed(_))) => {
                log::error_chain(Level::Error, "the store failed, the server stops", &error);
                CommitError::Failed
            }
        };
        for answer in answers {
            answer(Err(error));
        }
        error != CommitError::Failed
    }

    fn try_commit(&mut self, changes: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        let begun = Instant::now();
        for _ in 0..BUSY_TRIES {
            match self.store.commit(changes, self.clock.now()) {
                Err(StoreError::Busy) => {
                    self.metrics.add(Counter::CommitsRepeated, 1);
                    std::thread::sleep(BUSY_WAIT);
                }
                // A database that starts again, or changes its leader, is soon back.
                Err(StoreError::Away(_)) if begun.elapsed() < AWAY_PATIENCE => {
                    self.metrics.add(Counter::CommitsRepeated, 1);
                    std::thread::sleep(BUSY_WAIT);
                }
                Ok(outcomes) if outcomes.len() != changes.len() => {
                    return Err(StoreError::Corrupt("a change was not answered"));
                }
                other => return other,
            }
        }
        Err(StoreError::Busy)
    }

    fn answer_all(&mut self, changes: Vec<Change>, outcomes: Vec<Outcome>, answers: Vec<Answer>) {
        let mut answers = answers.into_iter();
        for (change, outcome) in changes.into_iter().zip(outcomes) {
            self.metrics.observe(&change, &outcome);
            (self.observer)(&change, &outcome);
            // There is none left if all were told that it was in doubt.
            if let Some(answer) = answers.next() {
                answer(Ok(Committed { change, outcome }));
            }
        }
    }
}

/// Notes that the store is away; says so once.
fn note_absence(state: &State, event: &'static str) {
    if state.get() != Health::Away {
        log::write(Level::Warn, event, &[]);
        state.set(Health::Away);
    }
}

/// Refuses what waits. True if the thread is to stop.
fn refuse_all(queue: &Queue<Message>) -> bool {
    let mut is_stopping = false;
    while let Some(message) = queue.try_take() {
        is_stopping |= matches!(message, Message::Stop);
        refuse(message, CommitError::Away);
    }
    is_stopping
}
