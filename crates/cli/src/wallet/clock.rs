//! The one place where this program asks what time it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use tacit_core::time::Timestamp;

/// Seconds that are counted ahead of the machine's clock.
static AHEAD: AtomicU64 = AtomicU64::new(0);

/// Counts so many days ahead from now on, as the clock of a demonstration does that was moved.
pub(super) fn set_ahead(days: u16) {
    AHEAD.store(u64::from(days) * 24 * 60 * 60, Ordering::Relaxed);
}

/// The present moment; 1970 if the machine's clock stands before it.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let ahead = AHEAD.load(Ordering::Relaxed);
    Timestamp::from_seconds(since.map_or(0, |since| since.as_secs()) + ahead)
}
