//! The one place where this program asks what time it is.

use std::time::SystemTime;

use tacit_core::time::Timestamp;

/// The present moment; 1970 if the machine's clock stands before it.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_seconds(since.map_or(0, |since| since.as_secs()))
}
