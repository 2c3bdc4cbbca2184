//! A bounded queue that can be closed: nothing put into it is left lying, whoever comes between.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, SendTimeoutError, Sender, TrySendError, bounded};

/// How often whoever waits for room looks whether anybody still takes.
const LOOK: Duration = Duration::from_millis(100);

/// A queue between threads.
pub(crate) struct Queue<T> {
    sender: Sender<T>,
    receiver: Receiver<T>,
    is_closed: AtomicBool,
    /// What to do with an item that nobody will take.
    refuse: fn(T),
}

/// Why an item was not taken; it comes back with it.
pub(crate) enum Refused<T> {
    /// As many wait as may.
    Full(T),
    /// Nobody takes any more.
    Closed(T),
}

impl<T> Queue<T> {
    /// A queue of at most `length`; 0 hands over only to somebody who waits.
    pub(crate) fn new(length: usize, refuse: fn(T)) -> Self {
        let (sender, receiver) = bounded(length);
        Self { sender, receiver, is_closed: AtomicBool::new(false), refuse }
    }

    /// Puts an item in, if there is room.
    pub(crate) fn try_put(&self, item: T) -> Result<(), Refused<T>> {
        if self.is_closed() {
            return Err(Refused::Closed(item));
        }
        match self.sender.try_send(item) {
            Ok(()) => {
                self.sweep_if_closed();
                Ok(())
            }
            Err(TrySendError::Full(item)) => Err(Refused::Full(item)),
            Err(TrySendError::Disconnected(item)) => Err(Refused::Closed(item)),
        }
    }

    /// Puts an item in, and waits for room.
    pub(crate) fn put(&self, mut item: T) -> Result<(), Refused<T>> {
        while !self.is_closed() {
            match self.sender.send_timeout(item, LOOK) {
                Ok(()) => {
                    self.sweep_if_closed();
                    return Ok(());
                }
                Err(SendTimeoutError::Timeout(back)) => item = back,
                Err(SendTimeoutError::Disconnected(back)) => return Err(Refused::Closed(back)),
            }
        }
        Err(Refused::Closed(item))
    }

    /// The next item; waits for it.
    pub(crate) fn take(&self) -> T {
        self.receiver.recv().expect("the queue holds a sender itself")
    }

    /// The next item, if there is one.
    pub(crate) fn try_take(&self) -> Option<T> {
        self.receiver.try_recv().ok()
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.receiver.len()
    }

    /// Refuses what waits, and whatever is put in from now on. For whoever takes, when it takes no more.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.sweep_if_closed();
    }

    /// Whether nobody takes any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// An item that was put in while the queue was being closed is either seen by whoever closes it, or its giver sees
    /// here that it is closed.
    fn sweep_if_closed(&self) {
        if self.is_closed() {
            while let Some(item) = self.try_take() {
                (self.refuse)(item);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn nothing_is_left_lying_when_a_queue_is_closed() {
        static REFUSED: AtomicUsize = AtomicUsize::new(0);
        let (mut taken, mut put) = (0, 0);
        for _ in 0..200 {
            let queue = Arc::new(Queue::new(4, |()| _ = REFUSED.fetch_add(1, Ordering::SeqCst)));
            let givers: Vec<_> = (0..4)
                .map(|number| {
                    let queue = Arc::clone(&queue);
                    std::thread::spawn(move || {
                        let give = || match number % 2 {
                            0 => queue.put(()).is_ok(),
                            _ => queue.try_put(()).is_ok(),
                        };
                        (0..50).filter(|_| give()).count()
                    })
                })
                .collect();
            for _ in 0..10 {
                queue.take();
                taken += 1;
            }
            queue.close();
            put += givers.into_iter().map(|giver| giver.join().unwrap()).sum::<usize>();
            assert_eq!(queue.waiting(), 0);
        }
        assert_eq!(put, taken + REFUSED.load(Ordering::SeqCst));
    }
}
