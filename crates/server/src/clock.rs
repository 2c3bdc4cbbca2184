//! The two sources of time: the machine's, and in demo mode one that can be sent ahead by whole days.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tacit_core::time::{Clock, Day, Timestamp};

use crate::file;

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // Before 1970 the machine's clock is not set; nothing expires then.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp::from_seconds(since.as_secs())
    }
}

/// The machine's clock and a number of days, kept in the data directory so that a restart does not go back.
pub struct DemoClock {
    file: PathBuf,
    days: Mutex<u64>,
}

/// Why the clock cannot be moved. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// More than [`DemoClock::DAYS_MAX`] altogether.
    #[error("the demo clock can run ahead by {max} days at most", max = DemoClock::DAYS_MAX)]
    TooFar,
    /// The days could not be kept, so the clock stands where it was.
    #[error("the demo clock cannot be kept")]
    Io(#[from] io::Error),
}

impl DemoClock {
    /// A hundred years.
    pub const DAYS_MAX: u64 = 36_525;

    /// The clock of a data directory; `file` need not exist yet.
    ///
    /// # Errors
    /// If the file cannot be read or holds no number of days up to [`Self::DAYS_MAX`].
    pub fn open(file: PathBuf) -> io::Result<Self> {
        let days = match fs::read_to_string(&file) {
            Ok(text) => parse_days(&text)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no number of days"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Self { file, days: Mutex::new(days) })
    }

    /// How many days it is ahead of the machine's clock.
    pub fn days(&self) -> u64 {
        *self.days.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the clock ahead. Durable once this returns `Ok`.
    ///
    /// # Errors
    /// [`ClockError`]; the clock then stands where it was.
    pub fn advance(&self, days: u64) -> Result<(), ClockError> {
        let mut current = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = current
            .checked_add(days)
            .filter(|sum| *sum <= Self::DAYS_MAX)
            .ok_or(ClockError::TooFar)?;
        file::replace(&self.file, sum.to_string().as_bytes())?;
        *current = sum;
        Ok(())
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().after(Duration::from_secs(self.days() * Day::SECONDS))
    }
}

fn parse_days(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|days| *days <= DemoClock::DAYS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_clock_does_not_go_back_at_a_restart() {
        let directory = std::env::temp_dir().join(format!("tacit-clock-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("demo-clock");
        let clock = DemoClock::open(file.clone()).unwrap();
        assert_eq!(clock.days(), 0);
        clock.advance(3).unwrap();
        clock.advance(4).unwrap();
        assert!(matches!(clock.advance(DemoClock::DAYS_MAX), Err(ClockError::TooFar)));
        let again = DemoClock::open(file.clone()).unwrap();
        assert_eq!(again.days(), 7);
        assert!(again.now() >= SystemClock.now().after(Duration::from_secs(7 * Day::SECONDS - 1)));
        fs::write(&file, "soon").unwrap();
        assert!(DemoClock::open(file).is_err());
        fs::remove_dir_all(directory).unwrap();
    }
}
