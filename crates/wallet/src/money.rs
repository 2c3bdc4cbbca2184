//! Amounts as people type and read them: in whole units with their decimals, never in floating point.

use tacit_core::amount::{Amount, AmountError};
use tacit_core::unit::{Unit, UnitError};

/// Why a text is no amount. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Digits, and at most one point among them.
    #[error("{text:?} is no amount: write it as in 10.50")]
    Form {
        /// What was typed.
        text: String,
    },
    /// More than the unit has.
    #[error("{text:?} has more than the {decimals} decimals of {unit}")]
    Decimals {
        /// What was typed.
        text: String,
        /// Of what.
        unit: Unit,
        /// How many it has.
        decimals: u8,
    },
    /// Nothing.
    #[error("an amount of nothing")]
    Zero,
    /// More than any wallet counts.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// None that is known.
    #[error(transparent)]
    Unit(#[from] UnitError),
}

/// What was typed: digits, and perhaps a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    figure: String,
    /// If it was said.
    pub unit: Option<Unit>,
}

impl Typed {
    /// Of `10.50` or `10.50 usd`, with the unit perhaps beside it.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn read(amount: &str, unit: Option<Unit>) -> Result<Self, MoneyError> {
        let mut words = amount.split_whitespace();
        let form = || MoneyError::Form { text: amount.to_owned() };
        let figure = words.next().ok_or_else(form)?.to_owned();
        let beside = words.next().map(read_unit).transpose()?;
        let is_contrary = beside.is_some() && unit.is_some() && beside != unit;
        if words.next().is_some() || is_contrary {
            return Err(form());
        }
        Ok(Self { figure, unit: unit.or(beside) })
    }

    /// The amount in a unit: above 0, with no more decimals than the unit has.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn amount(&self, unit: Unit) -> Result<Amount, MoneyError> {
        let text = &self.figure;
        let form = || MoneyError::Form { text: text.clone() };
        let (whole, part) = match text.split_once('.') {
            Some((whole, part)) if !part.is_empty() => (whole, part),
            Some(_) => return Err(form()),
            None => (text.as_str(), ""),
        };
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(part) {
            return Err(form());
        }
        let decimals = usize::from(unit.exponent());
        if decimals < part.len() {
            return Err(MoneyError::Decimals {
                text: text.clone(),
                unit,
                decimals: unit.exponent(),
            });
        }
        let too_large = |_| AmountError::TooLarge { value: u64::MAX };
        let value: u64 = format!("{whole}{part:0<decimals$}").parse().map_err(too_large)?;
        if value == 0 {
            return Err(MoneyError::Zero);
        }
        Ok(Amount::new(value, unit)?)
    }
}

/// A unit in either case.
///
/// # Errors
/// [`UnitError`].
pub fn read_unit(text: &str) -> Result<Unit, UnitError> {
    Unit::new(&text.to_ascii_lowercase())
}

/// Minor units as people read them. A number that no amount can have (a mint may claim any) is printed as it is.
pub fn shown(value: u64, unit: Unit) -> String {
    match Amount::new(value, unit) {
        Ok(amount) => amount.to_string(),
        Err(_) => format!("{value} of the smallest part of {unit}"),
    }
}

/// Whole and minor parts alone, for tables.
pub fn figure(value: i128, unit: Unit) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    let decimals = usize::from(unit.exponent());
    if decimals == 0 {
        return format!("{sign}{value}");
    }
    let whole = 10_u128.pow(u32::from(unit.exponent()));
    format!("{sign}{}.{:0decimals$}", value / whole, value % whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, unit: &str) -> Result<u64, MoneyError> {
        let unit = Unit::new(unit).unwrap();
        Typed::read(text, None)?.amount(unit).map(Amount::value)
    }

    #[test]
    fn decimals_are_those_of_the_unit() {
        for (text, unit, value) in [
            ("10.50", "usd", 1050),
            ("10.5", "usd", 1050),
            ("0.29", "usd", 29),
            ("10", "usd", 1000),
            ("0010", "sat", 10),
            ("7", "jpy", 7),
            ("0.001", "bhd", 1),
            ("90071992547409.91", "usd", Amount::MAX_VALUE),
        ] {
            assert_eq!(read(text, unit), Ok(value), "{text} {unit}");
        }
        assert!(matches!(read("10.505", "usd"), Err(MoneyError::Decimals { .. })));
        assert!(matches!(read("1.5", "sat"), Err(MoneyError::Decimals { .. })));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in
            ["", " ", ".", "1.", ".5", "-1", "+1", "1e3", "1,000", "0x10", "1 2", "1.2.3", "٣"]
        {
            let read = read(text, "usd");
            assert!(
                matches!(read, Err(MoneyError::Form { .. } | MoneyError::Unit(_))),
                "{text:?} {read:?}"
            );
        }
        assert_eq!(read("0.00", "usd"), Err(MoneyError::Zero));
        for huge in ["90071992547409.92", "99999999999999999999999999"] {
            assert!(matches!(read(huge, "usd"), Err(MoneyError::Amount(_))), "{huge}");
        }
    }

    #[test]
    fn a_unit_may_stand_beside_the_figure_but_not_against_another() {
        let (usd, eur) = (Unit::new("usd").unwrap(), Unit::new("eur").unwrap());
        assert_eq!(Typed::read("10.50 USD", None).unwrap().unit, Some(usd));
        assert_eq!(Typed::read("10.50", Some(usd)).unwrap().unit, Some(usd));
        assert!(Typed::read("10.50 usd", Some(eur)).is_err());
    }

    #[test]
    fn figures_print_in_their_own_decimals() {
        let usd = Unit::new("usd").unwrap();
        assert_eq!(figure(-1050, usd), "-10.50");
        assert_eq!(figure(5, usd), "0.05");
        assert_eq!(figure(7, Unit::new("sat").unwrap()), "7");
        assert_eq!(shown(u64::MAX, usd), format!("{} of the smallest part of usd", u64::MAX));
    }
}
