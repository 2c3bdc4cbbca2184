//! What merchants' programs are told: that an order was paid or refunded. Each event is told until it is heard.

use std::time::Duration;

use tacit_core::time::{Day, Timestamp};

use crate::account::AccountId;
use crate::order::{EventId, EventKind, OrderId, OutboxEvent};
use crate::vault::StoreError;

/// Something a merchant's program is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Names it: told twice, it is known.
    pub event: EventId,
    /// Whose program.
    pub merchant: AccountId,
    /// What happened.
    pub kind: EventKind,
    /// To which order.
    pub order: OrderId,
    /// Minor units paid or refunded.
    pub amount: u64,
    /// The day it happened.
    pub day: Day,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next: at once, or at a full minute; `None` once it has arrived or was given up.
    pub next_attempt: Option<Timestamp>,
    /// How far it is.
    pub state: DeliveryState,
    /// What came of the last attempt: a status, or a word.
    pub last: Option<String>,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// It is tried again.
    Waiting,
    /// The program said that it has it.
    Arrived,
    /// It was tried for three days, or its webhook was taken away.
    GivenUp,
}

/// How long after each attempt the next one is made; after the last there is none.
pub const WAITS: [Duration; 14] = [
    Duration::from_secs(60),
    Duration::from_secs(2 * 60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(4 * 3600),
    Duration::from_secs(8 * 3600),
    Duration::from_secs(8 * 3600),
    Duration::from_secs(12 * 3600),
    Duration::from_secs(12 * 3600),
    Duration::from_secs(12 * 3600),
    Duration::from_secs(12 * 3600),
];

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Whether it arrived.
    pub is_arrived: bool,
    /// A status, or a word, of at most 40 characters.
    pub said: String,
}

/// What the desk keeps of webhooks.
pub trait WebhookStore {
    /// Takes over what the vault tells: marks orders paid, and remembers what is to be told to whom. What was taken over
    /// before stays as it is.
    ///
    /// # Errors
    /// [`StoreError`]
    fn take_over(&mut self, events: &[OutboxEvent], today: Day) -> Result<(), StoreError>;

    /// Deliveries to be tried at `now`, at most so many, each with the address and the key of its shop.
    ///
    /// # Errors
    /// [`StoreError`]
    fn due_deliveries(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Delivery>, StoreError>;

    /// One delivery.
    ///
    /// # Errors
    /// [`StoreError`]
    fn delivery(&mut self, event: EventId) -> Result<Option<Delivery>, StoreError>;

    /// Puts down what came of an attempt, and when the next is.
    ///
    /// # Errors
    /// [`StoreError`]
    fn note_attempt(
        &mut self,
        event: EventId,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// A shop's deliveries with the number of the order that each is about, the latest day first, at most `limit` after the
    /// first `skip`.
    ///
    /// # Errors
    /// [`StoreError`]
    fn deliveries(
        &mut self,
        merchant: AccountId,
        skip: u64,
        limit: u32,
    ) -> Result<Vec<(Delivery, Option<u64>)>, StoreError>;

    /// Tries one again, at once and with all its attempts before it. `false` if the shop has none of that name.
    ///
    /// # Errors
    /// [`StoreError`]
    fn send_again(&mut self, merchant: AccountId, event: EventId) -> Result<bool, StoreError>;
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Arrived, Self::GivenUp];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Arrived => "arrived",
            Self::GivenUp => "given-up",
        }
    }

    /// The state of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl Delivery {
    /// The same after an attempt.
    #[must_use]
    pub fn after(mut self, attempt: &Attempt, now: Timestamp) -> Self {
        let wait = WAITS.get(self.attempts as usize);
        self.attempts = self.attempts.saturating_add(1);
        self.last = Some(attempt.said.clone());
        (self.state, self.next_attempt) = match wait {
            _ if attempt.is_arrived => (DeliveryState::Arrived, None),
            Some(wait) => (DeliveryState::Waiting, Some(full_minute(now.after(*wait)))),
            None => (DeliveryState::GivenUp, None),
        };
        self
    }
}

/// The moment, or the next at which a minute begins: what is kept says no more than that.
pub fn full_minute(moment: Timestamp) -> Timestamp {
    Timestamp::from_seconds(moment.seconds().div_ceil(60).saturating_mul(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery() -> Delivery {
        Delivery {
            event: EventId::from_bytes([1; 16]),
            merchant: AccountId::from_random([1; 8]),
            kind: EventKind::OrderPaid,
            order: OrderId::from_bytes([2; 16]),
            amount: 5,
            day: Day::from_number(3),
            attempts: 0,
            next_attempt: Some(Timestamp::from_seconds(0)),
            state: DeliveryState::Waiting,
            last: None,
        }
    }

    #[test]
    fn waits_grow_and_an_endpoint_that_fails_for_a_day_is_still_told() {
        let failed = Attempt { is_arrived: false, said: "500".to_owned() };
        let (mut own, mut now) = (delivery(), Timestamp::from_seconds(1_000_000));
        let begun = now;
        while let Some(next) = own.clone().after(&failed, now).next_attempt {
            assert_eq!(next.seconds() % 60, 0, "no finer than a minute");
            own = own.after(&failed, now);
            now = next;
        }
        own = own.after(&failed, now);
        assert_eq!(own.state, DeliveryState::GivenUp);
        let tried_for = now.seconds() - begun.seconds();
        assert!(
            48 * 3600 < tried_for && tried_for < 4 * 24 * 3600,
            "about three days: {tried_for}"
        );
        assert!(WAITS.is_sorted());
    }

    #[test]
    fn what_arrived_is_not_tried_again() {
        let heard = Attempt { is_arrived: true, said: "200".to_owned() };
        let own = delivery().after(&heard, Timestamp::from_seconds(9));
        assert_eq!((own.state, own.next_attempt, own.attempts), (DeliveryState::Arrived, None, 1));
    }
}
