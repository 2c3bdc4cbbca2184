//! What a wallet does: state machines that say what to persist and what to send, and do neither.
//!
//! A driver begins with `step(wallet, None)` and does what it is told: on [`Yield::Persist`] it makes the batch
//! durable, applies it to its [`State`] and steps on with `None`; on [`Yield::Send`] it sends the request and steps on
//! with what came back, [`crate::transport::Answer::Lost`] included. It may stop for good between any two steps: all
//! that matters is in the state by then, and [`settle::Settle`] takes up what is open.
//!
//! If a batch meets a [`crate::batch::Conflict`], nothing has changed: throw the machine away and begin it again.

pub mod ask;
pub mod bills;
mod dice;
pub mod keysets;
pub mod melt;
pub mod mint;
pub mod passport;
pub mod pay;
pub mod prepare;
pub mod receive;
pub mod reclaim;
pub mod recover;
pub mod refund;
pub mod restore;
pub mod send;
pub mod settle;

use tacit_core::time::Timestamp;

use crate::batch::Batch;
use crate::seed::Seed;
use crate::state::State;
use crate::transport::Request;

/// What a step looks at: the words' seed, the state as it is durable, and the time.
#[derive(Clone, Copy, Debug)]
pub struct Wallet<'a> {
    /// From the words.
    pub seed: &'a Seed,
    /// What is kept.
    pub state: &'a State,
    /// The driver's clock, for the history.
    pub now: Timestamp,
}

/// What a machine wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Yield<T> {
    /// Make this durable, then step on with `None`.
    Persist(Batch),
    /// Send this, then step on with what became of it.
    Send(Request),
    /// It has ended, with this result. Do not step on.
    Done(T),
}

impl<T> Yield<T> {
    /// The same want, with another result.
    pub(crate) fn map<U>(self, result: impl FnOnce(T) -> U) -> Yield<U> {
        match self {
            Self::Persist(batch) => Yield::Persist(batch),
            Self::Send(request) => Yield::Send(request),
            Self::Done(value) => Yield::Done(result(value)),
        }
    }
}
