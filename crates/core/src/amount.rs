//! Quantities of money, and the only ways to add and subtract them.

use std::fmt;

use crate::unit::Unit;

/// A non-negative quantity of one unit, counted in its smallest part (1 sat, 1 euro cent).
///
/// Invariants: `value <= Self::MAX_VALUE`; two amounts meet only when their units agree.
/// No `Add`, no `Ord`, no `From<u64>`: each would let units mix, or value wrap, in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Amount {
    value: u64,
    unit: Unit,
}

/// Why two amounts have no sum or difference, or a number is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The two sides count different things.
    #[error("cannot put {left} and {right} together")]
    UnitMismatch {
        /// Unit of the left side.
        left: Unit,
        /// Unit of the right side.
        right: Unit,
    },
    /// Above [`Amount::MAX_VALUE`].
    #[error("an amount of {value} is above the largest this system counts")]
    TooLarge {
        /// The value that was asked for, saturated at `u64::MAX`.
        value: u64,
    },
    /// The right side is larger than the left.
    #[error("cannot take {right} from {left}")]
    Negative {
        /// Value of the left side.
        left: u64,
        /// Value of the right side.
        right: u64,
    },
}

impl Amount {
    /// 2^53 - 1, the largest integer that survives a JSON number in the web wallet.
    pub const MAX_VALUE: u64 = (1 << 53) - 1;

    /// An amount of `value` minor units.
    ///
    /// # Errors
    /// [`AmountError::TooLarge`] above [`Self::MAX_VALUE`].
    pub fn new(value: u64, unit: Unit) -> Result<Self, AmountError> {
        if value > Self::MAX_VALUE {
            Err(AmountError::TooLarge { value })
        } else {
            Ok(Self { value, unit })
        }
    }

    /// Nothing of this unit.
    pub fn zero(unit: Unit) -> Self {
        Self { value: 0, unit }
    }

    /// Count of minor units.
    pub fn value(self) -> u64 {
        self.value
    }

    /// What is counted.
    pub fn unit(self) -> Unit {
        self.unit
    }

    /// The sum.
    ///
    /// # Errors
    /// If the units differ or the sum exceeds [`Self::MAX_VALUE`].
    pub fn checked_add(self, other: Self) -> Result<Self, AmountError> {
        self.same_unit(other)?;
        Self::new(self.value + other.value, self.unit) // Cannot wrap: both are below 2^53.
    }

    /// The difference.
    ///
    /// # Errors
    /// If the units differ or `other` is larger.
    pub fn checked_sub(self, other: Self) -> Result<Self, AmountError> {
        self.same_unit(other)?;
        let value = self
            .value
            .checked_sub(other.value)
            .ok_or(AmountError::Negative { left: self.value, right: other.value })?;
        Ok(Self { value, unit: self.unit })
    }

    fn same_unit(self, other: Self) -> Result<(), AmountError> {
        if self.unit == other.unit {
            Ok(())
        } else {
            Err(AmountError::UnitMismatch { left: self.unit, right: other.unit })
        }
    }
}

/// Prints whole and minor parts with the unit: `10.50 usd`, `7 sat`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.unit.decimal(self.value), self.unit)
    }
}

/// Strategies for property tests.
#[cfg(any(test, feature = "test-util"))]
pub mod testing {
    use proptest::prelude::*;

    use super::{Amount, Unit};

    /// One of the units a demo mint serves.
    pub fn arb_unit() -> impl Strategy<Value = Unit> {
        prop::sample::select(vec!["usd", "eur", "kes", "inr", "sat"])
            .prop_map(|code| Unit::new(code).expect("a known code"))
    }

    /// Any amount: small, near the maximum, or anywhere between.
    pub fn arb_amount() -> impl Strategy<Value = Amount> {
        let value = prop_oneof![
            0..=1000_u64,
            Amount::MAX_VALUE - 5..=Amount::MAX_VALUE,
            0..=Amount::MAX_VALUE
        ];
        (value, arb_unit())
            .prop_map(|(value, unit)| Amount::new(value, unit).expect("below the maximum"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::testing::{arb_amount, arb_unit};
    use super::*;

    proptest! {
        /// Addition keeps value and unit exactly, or says why not; it never wraps or mixes.
        #[test]
        fn addition_keeps_value_and_unit(left in arb_amount(), right in arb_amount()) {
            match left.checked_add(right) {
                Ok(sum) => prop_assert_eq!((sum.value(), sum.unit()), (left.value() + right.value(), left.unit())),
                Err(AmountError::UnitMismatch { .. }) => prop_assert_ne!(left.unit(), right.unit()),
                Err(AmountError::TooLarge { value }) => prop_assert!(Amount::MAX_VALUE < value),
                Err(AmountError::Negative { .. }) => prop_assert!(false, "a sum is never negative"),
            }
        }

        /// What was added can be taken away again, and only that much.
        #[test]
        fn subtraction_undoes_addition(left in arb_amount(), right in arb_amount()) {
            if let Ok(sum) = left.checked_add(right) {
                prop_assert_eq!(sum.checked_sub(right), Ok(left));
            }
            if left.value() < right.value() && left.unit() == right.unit() {
                let expected = AmountError::Negative { left: left.value(), right: right.value() };
                prop_assert_eq!(left.checked_sub(right), Err(expected));
            }
        }

        /// The bound is exact.
        #[test]
        fn amounts_end_at_the_bound(value: u64, unit in arb_unit()) {
            prop_assert_eq!(Amount::new(value, unit).is_ok(), value <= Amount::MAX_VALUE);
        }
    }

    #[test]
    fn amounts_print_in_their_own_decimals() {
        let shown = |value, code| Amount::new(value, Unit::new(code).unwrap()).unwrap().to_string();
        assert_eq!(shown(1050, "usd"), "10.50 usd");
        assert_eq!(shown(7, "sat"), "7 sat");
        assert_eq!(shown(1, "bhd"), "0.001 bhd");
    }
}
