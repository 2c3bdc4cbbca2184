//! How far a long command is, on one line of a terminal.

use std::io::{IsTerminal, Write};

/// A count is written anew after so many.
const SHOWN_EVERY: u64 = 10_000;

/// A line that is written over. Nothing is written where nobody reads it.
pub(crate) struct Progress {
    is_shown: bool,
    shown: (&'static str, u64),
}

impl Progress {
    pub(crate) fn start() -> Self {
        Self { is_shown: std::io::stderr().is_terminal(), shown: ("", 0) }
    }

    /// `done` of `all` units of a phase; no units, if they are not counted.
    pub(crate) fn show(&mut self, phase: &'static str, done: u64, all: u64) {
        let percent = done.saturating_mul(100).checked_div(all).unwrap_or(0);
        if !self.is_shown || self.shown == (phase, percent) {
            return;
        }
        self.shown = (phase, percent);
        let line = if all == 0 { phase.to_owned() } else { format!("{phase}: {percent} %") };
        // Nobody is worse off without it.
        _ = write!(std::io::stderr(), "\r\x1b[K{line}");
        _ = std::io::stderr().flush();
    }

    /// So many of how many nobody knows.
    pub(crate) fn count(&mut self, phase: &'static str, done: u64) {
        if self.is_shown && done / SHOWN_EVERY != self.shown.1 {
            self.shown = (phase, done / SHOWN_EVERY);
            _ = write!(std::io::stderr(), "\r\x1b[K{phase}: {done}");
            _ = std::io::stderr().flush();
        }
    }

    /// Leaves the line empty.
    pub(crate) fn end(&mut self) {
        if self.is_shown {
            _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
