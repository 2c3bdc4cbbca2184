//! What the operator asks for a service: a fixed part, and a share of the amount.

use tacit_core::amount::Amount;

/// A fee, in minor units of the currency of what it is for.
///
/// Rounded in favour of whoever pays it: the share is rounded down, and no fee is more than the amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fee {
    fixed: u64,
    basis_points: u64,
}

impl Fee {
    /// Basis points of all of it.
    const ALL: u64 = 10_000;

    /// A fixed part, at most what an amount can be, and hundredths of a percent, at most all of it; `None` beyond.
    pub const fn new(fixed: u64, basis_points: u64) -> Option<Self> {
        if fixed <= Amount::MAX_VALUE && basis_points <= Self::ALL {
            Some(Self { fixed, basis_points })
        } else {
            None
        }
    }

    /// What is asked for an amount of so many minor units.
    pub fn of(self, amount: u64) -> u64 {
        let share = u128::from(amount) * u128::from(self.basis_points) / u128::from(Self::ALL); // Rounded down.
        let share = u64::try_from(share).expect("at most the amount");
        self.fixed.saturating_add(share).min(amount)
    }

    /// The fixed part.
    pub const fn fixed(self) -> u64 {
        self.fixed
    }

    /// Hundredths of a percent.
    pub const fn basis_points(self) -> u64 {
        self.basis_points
    }

    /// Both parts, as they stand in the configuration.
    pub const fn parts(self) -> [u64; 2] {
        [self.fixed, self.basis_points]
    }

    /// Whether nothing is asked for.
    pub const fn is_free(self) -> bool {
        self.fixed == 0 && self.basis_points == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is asked for, fee and rest are the amount, and nobody pays more for less.
        #[test]
        fn a_fee_takes_no_more_than_there_is(
            fixed in 0..=Amount::MAX_VALUE,
            basis_points in 0..=Fee::ALL,
            amount in 0..=Amount::MAX_VALUE,
            more in 0_u64..1_000_000,
        ) {
            let fee = Fee::new(fixed, basis_points).unwrap();
            let taken = fee.of(amount);
            let rest = amount.checked_sub(taken);
            prop_assert!(rest.is_some(), "no more than the amount");
            prop_assert!(taken <= fee.of(amount + more));
            let parts = fee.of(amount / 2) + fee.of(amount - amount / 2);
            prop_assert!(fee.fixed() > 0 || parts <= taken, "in halves, without a fixed part, it costs no more");
        }
    }

    #[test]
    fn a_share_is_rounded_down() {
        let fee = |fixed, basis_points| Fee::new(fixed, basis_points).unwrap();
        assert_eq!(fee(0, 50).of(199), 0, "0.995 is nothing");
        assert_eq!(fee(0, 50).of(200), 1);
        assert_eq!(fee(30, 100).of(1050), 40);
        assert_eq!(fee(30, 100).of(20), 20, "all of it, and no more");
        assert_eq!(Fee::default().of(1_000_000), 0);
        assert!(Fee::default().is_free() && !fee(1, 0).is_free() && !fee(0, 1).is_free());
        assert_eq!((Fee::new(0, 10_001), Fee::new(Amount::MAX_VALUE + 1, 0)), (None, None));
    }
}
