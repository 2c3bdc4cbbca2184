//! The pool: plain threads, as many as there are cores, for cryptography and for reading the vault.
//!
//! Each thread owns a reader. A task does what needs doing and hands the change to the writer itself, so that a
//! request passes through two queues and wakes its handler once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tacit_service::vault::VaultReader;
use tokio::sync::oneshot;

use crate::queue::{Queue, Refused};

/// Work for a thread of the pool.
type Task = Box<dyn FnOnce(&mut dyn VaultReader) + Send>;

/// Threads that wait for tasks.
pub(crate) struct Pool {
    queue: Arc<Queue<Message>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

enum Message {
    Task(Task),
    Stop,
}

/// Why a task was not done. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PoolError {
    /// As many tasks wait as may.
    #[error("too many requests wait")]
    Full,
    /// The threads have ended.
    #[error("the server is stopping")]
    Stopping,
    /// The task panicked: a bug, logged where it happened.
    #[error("the task was lost")]
    Lost,
}

impl Pool {
    /// Starts one thread for each reader. `queue`: how many tasks may wait.
    pub(crate) fn start(
        readers: Vec<Box<dyn VaultReader>>,
        queue: usize,
    ) -> std::io::Result<Arc<Self>> {
        // Whoever waits for a task that is dropped is told by that.
        let queue = Arc::new(Queue::new(queue, drop::<Message>));
        let mut threads = Vec::with_capacity(readers.len());
        for (number, reader) in readers.into_iter().enumerate() {
            let queue = Arc::clone(&queue);
            let builder = std::thread::Builder::new().name(format!("pool-{number}"));
            threads.push(builder.spawn(move || work(reader, &queue))?);
        }
        Ok(Arc::new(Self { queue, threads: Mutex::new(threads) }))
    }

    /// Queues a task and does not wait for it. Once queued it is done, whoever stops waiting.
    ///
    /// # Errors
    /// [`PoolError::Full`], [`PoolError::Stopping`].
    pub(crate) fn submit(
        &self,
        task: impl FnOnce(&mut dyn VaultReader) + Send + 'static,
    ) -> Result<(), PoolError> {
        self.queue.try_put(Message::Task(Box::new(task))).map_err(|refused| match refused {
            Refused::Full(_) => PoolError::Full,
            Refused::Closed(_) => PoolError::Stopping,
        })
    }

    /// Does something on a thread of the pool and returns what came of it.
    ///
    /// # Errors
    /// [`PoolError`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn VaultReader) -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let (tell, told) = oneshot::channel();
        // Nobody may be waiting any more; then nobody needs the answer.
        self.submit(move |reader| _ = tell.send(question(reader)))?;
        told.await.map_err(|_| self.why_lost())
    }

    /// Why a task that was queued gave no answer.
    pub(crate) fn why_lost(&self) -> PoolError {
        if self.queue.is_closed() { PoolError::Stopping } else { PoolError::Lost }
    }

    /// How many tasks wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Ends the threads once what is queued is done. Blocks until then.
    pub(crate) fn stop(&self) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in threads.iter() {
            _ = self.queue.put(Message::Stop); // Refused only if it was stopped before.
        }
        for thread in threads.drain(..) {
            _ = thread.join(); // A panic inside was logged by the hook.
        }
        self.queue.close();
    }
}

fn work(mut reader: Box<dyn VaultReader>, queue: &Queue<Message>) {
    while let Message::Task(task) = queue.take() {
        // A panic is a bug in one request; the others must not lose a thread to it. The reader holds no
        // change half done, for it changes nothing.
        _ = catch_unwind(AssertUnwindSafe(|| task(reader.as_mut())));
    }
}
