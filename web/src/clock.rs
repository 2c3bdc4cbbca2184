//! The one place where the wallet asks what time it is.

use std::cell::Cell;

use tacit_core::time::{Day, Timestamp};

thread_local! {
    /// Days by which the clock of a demonstration runs ahead.
    static AHEAD: Cell<u64> = const { Cell::new(0) };
}

/// Counts so many days ahead from now on.
pub(crate) fn set_ahead(days: u64) {
    AHEAD.set(days);
}

/// The present moment, in whole seconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the seconds since 1970 fit, and a clock before is none"
)]
pub(crate) fn now() -> Timestamp {
    let seconds = (js_sys::Date::now() / 1000.0).max(0.0) as u64;
    Timestamp::from_seconds(seconds + AHEAD.get() * Day::SECONDS)
}
