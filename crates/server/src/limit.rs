//! How fast requests may come: token buckets, of everyone together and of one connection. None is kept by address.
//!
//! A bucket by address would be a list of who was there. What is lost is that one client among many can use up what is
//! everyone's; the writer's and the pool's queues bound what that costs.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::Method;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::config::serving::Limits;

/// How many seconds' worth a bucket holds: bursts are let through, a lasting excess is not.
const BURST_SECONDS: u32 = 10;

/// A bucket of tokens; without one, everything passes.
pub(crate) struct Bucket {
    limiter: Option<DefaultDirectRateLimiter>,
}

/// How long to wait until there is a token again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooFast(pub(crate) Duration);

/// The buckets of everyone together.
pub(crate) struct Buckets {
    requests: Bucket,
    quotes: Bucket,
    lookups: Bucket,
    sockets: Bucket,
}

/// What a request costs, beside being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    Nothing,
    Quote,
    Lookup,
    Socket,
}

impl TooFast {
    /// Whole seconds to wait, at least one.
    pub(crate) fn seconds(self) -> u8 {
        u8::try_from(self.0.as_secs().saturating_add(1)).unwrap_or(u8::MAX)
    }
}

impl Bucket {
    /// A full bucket that gains so many tokens a second; 0 is no limit.
    pub(crate) fn new(per_second: u32) -> Self {
        let limiter = NonZeroU32::new(per_second).map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_SECONDS - 1));
            RateLimiter::direct(Quota::per_second(rate).allow_burst(burst))
        });
        Self { limiter }
    }

    /// Takes a token.
    pub(crate) fn take(&self) -> Result<(), TooFast> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter
            .check()
            .map_err(|until| TooFast(until.wait_time_from(DefaultClock::default().now())))
    }
}

impl Buckets {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            requests: Bucket::new(limits.requests_per_second),
            quotes: Bucket::new(limits.quotes_per_second),
            lookups: Bucket::new(limits.lookups_per_second),
            sockets: Bucket::new(limits.sockets_per_second),
        }
    }

    /// Takes what a request costs.
    pub(crate) fn take(&self, method: &Method, path: &str) -> Result<(), TooFast> {
        self.requests.take()?;
        match Cost::of(method, path) {
            Cost::Nothing => Ok(()),
            Cost::Quote => self.quotes.take(),
            Cost::Lookup => self.lookups.take(),
            Cost::Socket => self.sockets.take(),
        }
    }
}

impl Cost {
    fn of(method: &Method, path: &str) -> Self {
        // Behind the unit's path, if there is one: `/usd/v1/…` or `/v1/…`.
        let Some((_, rest)) = path.split_once("/v1/") else { return Self::Nothing };
        let mut parts = rest.split('/');
        match (method, parts.next(), parts.next()) {
            (&Method::GET, Some("ws"), None) => Self::Socket,
            (&Method::POST, Some("checkstate" | "restore"), None) => Self::Lookup,
            (&Method::POST, Some("mint" | "melt"), Some("quote")) => Self::Quote,
            _ => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_says_how_long_to_wait() {
        let bucket = Bucket::new(2);
        for taken in 0..20 {
            assert_eq!(bucket.take(), Ok(()), "{taken}");
        }
        let TooFast(wait) = bucket.take().unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(500), "{wait:?}");
        let free = Bucket::new(0);
        assert!((0..100_000).all(|_| free.take().is_ok()));
    }

    #[test]
    fn each_path_costs_what_it_is() {
        for (method, path, cost) in [
            (Method::POST, "/usd/v1/mint/quote/bank", Cost::Quote),
            (Method::POST, "/usd/v1/melt/quote/bolt11", Cost::Quote),
            (Method::GET, "/usd/v1/mint/quote/bank/3", Cost::Nothing),
            (Method::POST, "/usd/v1/mint/bank", Cost::Nothing),
            (Method::POST, "/usd/v1/checkstate", Cost::Lookup),
            (Method::POST, "/usd/v1/restore", Cost::Lookup),
            (Method::POST, "/usd/v1/swap", Cost::Nothing),
            (Method::GET, "/usd/v1/ws", Cost::Socket),
            (Method::GET, "/v1/ws", Cost::Socket),
            (Method::GET, "/", Cost::Nothing),
        ] {
            assert_eq!(Cost::of(&method, path), cost, "{method} {path}");
        }
    }
}
