//! The counters of a passport, as its scorecard, its proof and the circuits read them: one list for all three.
//!
//! `crates/tidy/tests/circuits.rs` writes the certificate's circuit from it.

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// As the scorecard names it, and the attribute is called.
    pub name: &'static str,
    /// How many bits hold it.
    pub bits: u32,
    /// More of it is worse: the proof bounds it from above, mirrored.
    pub falling: bool,
}

impl Counter {
    /// Its greatest value: all bits set.
    pub const fn greatest(&self) -> u16 {
        (1 << self.bits) - 1
    }
}

/// In the order of a passport's scorecard.
pub const COUNTERS: [Counter; 6] = [
    Counter { name: "arrears", bits: 2, falling: true },
    Counter { name: "late", bits: 6, falling: true },
    Counter { name: "behind", bits: 6, falling: true },
    Counter { name: "paid", bits: 12, falling: false },
    Counter { name: "paid_months", bits: 6, falling: false },
    Counter { name: "income", bits: 12, falling: false },
];

/// Cuts of one counter that the proof has room for.
pub const CUTS_MAX: usize = 4;
