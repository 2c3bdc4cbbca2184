//! What keeps codes from being guessed: only so many wrong ones an hour, of an agent and of all together.
//!
//! Nothing of it is kept but counts, in memory, and no address: whoever can try codes at all is logged in as an agent.
//! A code has 50 bits. With a million of them good at once, a thousand guesses an hour meet one in a hundred years.

use std::collections::HashMap;

use tacit_core::time::Timestamp;
use tacit_service::account::AccountId;

/// Wrong codes of one agent in an hour: ears and fingers slip.
const OWN_MAX: u32 = 20;

/// Wrong codes of all agents in an hour.
const ALL_MAX: u32 = 1000;

/// Seconds of an hour.
const HOUR: u64 = 3600;

/// Wrong codes of the present hour.
#[derive(Default)]
pub(crate) struct Guesses {
    hour: u64,
    all: u32,
    own: HashMap<AccountId, u32>,
}

/// A code that an agent tries. It counts as a wrong one unless [`Guesses::take_back`] says otherwise.
#[must_use]
pub(crate) struct Guess {
    agent: AccountId,
    hour: u64,
}

impl Guesses {
    /// An agent tries a code; `None` if it may not. It is counted before it is looked up, so that whoever sends many at once
    /// tries no more of them.
    pub(crate) fn begin(&mut self, agent: AccountId, now: Timestamp) -> Option<Guess> {
        self.turn(now);
        let own = self.own.entry(agent).or_default();
        if ALL_MAX <= self.all || OWN_MAX <= *own {
            return None;
        }
        self.all += 1;
        *own += 1;
        Some(Guess { agent, hour: self.hour })
    }

    /// It was no wrong one.
    pub(crate) fn take_back(&mut self, guess: &Guess) {
        if guess.hour != self.hour {
            return; // Those of its hour are forgotten.
        }
        self.all = self.all.saturating_sub(1);
        if let Some(own) = self.own.get_mut(&guess.agent) {
            *own = own.saturating_sub(1);
        }
    }

    /// Begins anew with each hour; a clock that goes back frees nothing.
    fn turn(&mut self, now: Timestamp) {
        let hour = now.seconds() / HOUR;
        if self.hour < hour {
            *self = Self { hour, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(number: u8) -> AccountId {
        AccountId::from_random([number; 8])
    }

    #[test]
    fn an_agent_that_guesses_waits_for_the_next_hour_and_nobody_else_does() {
        let (now, later) = (Timestamp::from_seconds(7199), Timestamp::from_seconds(7200));
        let mut guesses = Guesses::default();
        for _ in 0..OWN_MAX {
            assert!(guesses.begin(agent(1), now).is_some());
        }
        assert!(guesses.begin(agent(1), now).is_none() && guesses.begin(agent(2), now).is_some());
        for _ in 1..OWN_MAX {
            assert!(guesses.begin(agent(1), later).is_some());
        }
        assert!(
            guesses.begin(agent(1), now).is_some(),
            "the clock went back: it is still that hour"
        );
        assert!(guesses.begin(agent(1), now).is_none());
    }

    #[test]
    fn a_right_code_is_no_guess_and_frees_none_of_another_hour() {
        let (now, later) = (Timestamp::from_seconds(7199), Timestamp::from_seconds(7200));
        let mut guesses = Guesses::default();
        for _ in 0..2 * OWN_MAX {
            let guess = guesses.begin(agent(1), now).expect("none was wrong");
            guesses.take_back(&guess);
        }
        let old = guesses.begin(agent(1), now).expect("none was wrong");
        for _ in 0..OWN_MAX {
            assert!(guesses.begin(agent(1), later).is_some());
        }
        guesses.take_back(&old);
        assert!(guesses.begin(agent(1), later).is_none());
    }

    #[test]
    fn many_agents_together_have_a_bound_of_their_own() {
        let now = Timestamp::from_seconds(0);
        let mut guesses = Guesses::default();
        for number in 0..ALL_MAX {
            let number = u8::try_from(number % 200).unwrap();
            assert!(guesses.begin(agent(number), now).is_some());
        }
        assert!(guesses.begin(agent(250), now).is_none());
    }
}
