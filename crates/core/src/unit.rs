//! Units of money: ISO 4217 currencies in their minor unit, and the `sat` of test suites.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Codes whose smallest part is not a hundredth, with the decimals of one whole.
///
/// Source: ISO 4217, table A.1, "minor unit". `sat` is the satoshi of NUT-01, which has no smaller part.
const EXPONENTS: &[(&str, u8)] = &[
    ("bhd", 3),
    ("bif", 0),
    ("clp", 0),
    ("djf", 0),
    ("gnf", 0),
    ("iqd", 3),
    ("isk", 0),
    ("jod", 3),
    ("jpy", 0),
    ("kmf", 0),
    ("krw", 0),
    ("kwd", 3),
    ("lyd", 3),
    ("omr", 3),
    ("pyg", 0),
    ("rwf", 0),
    ("sat", 0),
    ("tnd", 3),
    ("ugx", 0),
    ("uyi", 0),
    ("vnd", 0),
    ("vuv", 0),
    ("xaf", 0),
    ("xof", 0),
    ("xpf", 0),
];

/// A currency, written as its lower-case ISO 4217 code (`usd`), or `sat`.
///
/// Invariant: three lower-case ASCII letters. Amounts of a unit are counted in its minor unit (NUT-01).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Unit([u8; 3]);

/// Why a text is not a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a unit is three lower-case letters, such as usd")]
pub struct UnitError;

impl Unit {
    /// The unit of a code.
    ///
    /// # Errors
    /// [`UnitError`] unless the code is three lower-case ASCII letters.
    pub fn new(code: &str) -> Result<Self, UnitError> {
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| UnitError)?;
        if bytes.iter().all(u8::is_ascii_lowercase) { Ok(Self(bytes)) } else { Err(UnitError) }
    }

    /// The lower-case code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a unit holds ASCII letters only")
    }

    /// So many minor units as a decimal number of whole ones: `10.50`.
    pub fn decimal(&self, minor: u64) -> String {
        let decimals = usize::from(self.exponent());
        if decimals == 0 {
            return minor.to_string();
        }
        let whole = 10_u64.pow(u32::from(self.exponent()));
        // Floors are meant: whole units before the point, the rest after it.
        format!("{}.{:0decimals$}", minor / whole, minor % whole)
    }

    /// Decimals of one whole: 2 for `usd`, 0 for `jpy`, 3 for `bhd` (ISO 4217).
    pub fn exponent(&self) -> u8 {
        let code = self.code();
        EXPONENTS.iter().find(|(known, _)| *known == code).map_or(2, |(_, exponent)| *exponent)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unit({})", self.code())
    }
}

impl FromStr for Unit {
    type Err = UnitError;

    fn from_str(code: &str) -> Result<Self, UnitError> {
        Self::new(code)
    }
}

impl TryFrom<String> for Unit {
    type Error = UnitError;

    fn try_from(code: String) -> Result<Self, UnitError> {
        Self::new(&code)
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        unit.code().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in [("usd", 2), ("kes", 2), ("jpy", 0), ("bhd", 3), ("sat", 0)] {
            assert_eq!(Unit::new(code).unwrap().exponent(), exponent, "{code}");
        }
    }

    #[test]
    fn what_is_not_three_lower_case_letters_is_no_unit() {
        for code in ["", "us", "USD", "usdt", "u5d", "ü1", "us "] {
            assert_eq!(Unit::new(code), Err(UnitError), "{code:?}");
        }
    }
}
