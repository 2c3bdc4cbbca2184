//! Account numbers: IBANs, checked, and the others that banks use where there is no IBAN.

use std::fmt;
use std::str::FromStr;

use sepa::iban::{IbanError as Found, iban_country_length};

/// An International Bank Account Number.
///
/// Invariants: upper case without spaces, of a country in SWIFT's registry, with that country's length and structure and
/// right check digits (ISO 13616, ISO 7064 mod 97-10). `Debug` shows the country and the last four characters alone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Iban(String);

/// Why a text is no IBAN. Variants stand in the order they are checked; none repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IbanError {
    /// Neither letter nor digit, or too short or long for any country.
    #[error("an IBAN is 15 to 34 letters and digits")]
    Form,
    /// It does not begin with a country of the registry.
    #[error("the first two letters are no country with IBANs")]
    Country,
    /// Not the length of its country.
    #[error("an IBAN of this country has {expected} characters, not {found}")]
    Length {
        /// Characters an IBAN of the country has.
        expected: usize,
        /// Characters of the text, spaces aside.
        found: usize,
    },
    /// A letter stands where the country has digits, or the other way round.
    #[error("character {position} cannot stand there in an IBAN of this country")]
    Structure {
        /// Counted from 1, spaces aside.
        position: usize,
    },
    /// Mistyped, most likely.
    #[error("the check digits are wrong")]
    Checksum,
}

impl Iban {
    /// The number in its electronic form, `DE89370400440532013000`. It leads to a person: ask at each use why it is needed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The two letters of its country.
    pub fn country(&self) -> &str {
        &self.0[..2]
    }

    /// As people write it, in groups of four.
    pub fn grouped(&self) -> String {
        in_groups_of_four(&self.0)
    }
}

/// A text of ASCII with a space after each four characters.
pub(crate) fn in_groups_of_four(text: &str) -> String {
    let mut grouped = String::with_capacity(text.len() + text.len() / 4);
    for (place, character) in text.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    grouped
}

impl FromStr for Iban {
    type Err = IbanError;

    /// Reads spaces and lower case, too.
    fn from_str(text: &str) -> Result<Self, IbanError> {
        let found = match sepa::validate_iban(text) {
            // Of a country that the registry does not know only the check digits could be checked.
            Ok(iban) if iban_country_length(iban.country_code()).is_none() => {
                return Err(IbanError::Country);
            }
            Ok(iban) => return Ok(Self(iban.as_str().to_owned())),
            Err(found) => found,
        };
        Err(match found {
            Found::InvalidCountryCode { .. } => IbanError::Country,
            Found::WrongLengthForCountry { expected, actual, .. } => {
                IbanError::Length { expected, found: actual }
            }
            Found::InvalidBbanFormat { position, .. } => IbanError::Structure { position },
            Found::InvalidChecksum { .. } => IbanError::Checksum,
            // The library may learn more reasons, so there has to be a rest.
            Found::InvalidLength { .. }
            | Found::InvalidCharacter { .. }
            | Found::NonNumericCheckDigits { .. }
            | _ => IbanError::Form,
        })
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iban({}..{})", self.country(), &self.0[self.0.len() - 4..])
    }
}

/// An account at a bank: of a country with IBANs, or of another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum BankAccount {
    /// By its IBAN.
    Iban(Iban),
    /// By what the bank calls it, trimmed and never empty: where there are no IBANs, or where what should be one is not.
    Other(String),
}

impl BankAccount {
    /// The account that a text names. `None` if there is no text.
    pub fn named(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        Some(text.parse().map_or_else(|_| Self::Other(text.to_owned()), Self::Iban))
    }

    /// The number, whole.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Iban(iban) => iban.as_str(),
            Self::Other(text) => text,
        }
    }
}

impl fmt::Debug for BankAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iban(iban) => iban.fmt(f),
            Self::Other(_) => f.write_str("Other(..)"),
        }
    }
}

/// The code of a bank (ISO 9362), upper case, of 8 or 11 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bic(String);

/// Why a text is no BIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a BIC is 8 or 11 letters and digits, with a country at the fifth")]
pub struct BicError;

impl Bic {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Bic {
    type Err = BicError;

    fn from_str(text: &str) -> Result<Self, BicError> {
        let bic: sepa::Bic = text.parse().map_err(|_| BicError)?;
        Ok(Self(bic.as_str().to_owned()))
    }
}

/// Strategies for property tests.
#[cfg(any(test, feature = "test-util"))]
pub mod testing {
    use proptest::prelude::*;

    use super::Iban;

    /// A German IBAN.
    pub fn arb_iban() -> impl Strategy<Value = Iban> {
        (0..1_000_000_000_000_000_000_u64).prop_map(|number| {
            let iban = sepa::Iban::from_bban("DE", &format!("{number:018}"));
            iban.expect("18 digits").as_str().parse().expect("made with its check digits")
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::testing::arb_iban;
    use super::*;

    fn error(text: &str) -> IbanError {
        text.parse::<Iban>().unwrap_err()
    }

    #[test]
    fn examples_of_the_registry_are_read_however_they_are_written() {
        for text in [
            "DE89 3704 0044 0532 0130 00",
            "gb29 nwbk 6016 1331 9268 19",
            "FR1420041010050500013M02606",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
        ] {
            assert!(text.parse::<Iban>().is_ok(), "{text}");
        }
        let iban: Iban = "de89370400440532013000".parse().unwrap();
        assert_eq!(iban.as_str(), "DE89370400440532013000");
        assert_eq!(iban.grouped(), "DE89 3704 0044 0532 0130 00");
        assert_eq!(iban.country(), "DE");
    }

    #[test]
    fn each_fault_is_told_apart() {
        assert_eq!(error(""), IbanError::Form);
        assert_eq!(error("DE89-3704-0044-0532-0130-00"), IbanError::Form);
        assert_eq!(error("1289370400440532013000"), IbanError::Country);
        // Check digits right, country of no registry.
        assert_eq!(
            error(&format!("ZZ{}", sepa_digits("ZZ", "370400440532013000"))),
            IbanError::Country
        );
        assert_eq!(error("DE8937040044053201300"), IbanError::Length { expected: 22, found: 21 });
        assert_eq!(error("DE8937O400440532013000"), IbanError::Structure { position: 7 });
        assert_eq!(error("DE88370400440532013000"), IbanError::Checksum);
    }

    fn sepa_digits(country: &str, bban: &str) -> String {
        format!("{}{bban}", sepa::iban::iban_check_digits(country, bban))
    }

    #[test]
    fn debug_does_not_show_an_account_whole() {
        let iban: Iban = "DE89370400440532013000".parse().unwrap();
        assert_eq!(format!("{iban:?}"), "Iban(DE..3000)");
        assert_eq!(format!("{:?}", BankAccount::named("12-345-6").unwrap()), "Other(..)");
        assert_eq!(BankAccount::named(" \n"), None);
        assert_eq!(BankAccount::named("DE89370400440532013000"), Some(BankAccount::Iban(iban)));
    }

    #[test]
    fn bics_are_checked() {
        assert_eq!("cobadeff".parse::<Bic>().unwrap().as_str(), "COBADEFF");
        for text in ["", "COBADE", "COBA1EFF", "NOTPROVIDED1"] {
            assert_eq!(text.parse::<Bic>(), Err(BicError), "{text}");
        }
    }

    proptest! {
        /// One wrong digit never passes: what mod 97 is for.
        #[test]
        fn no_single_wrong_digit_passes(iban in arb_iban(), place in 2..22_usize, other in 0..10_u8) {
            let mut wrong = iban.as_str().as_bytes().to_vec();
            let digit = b'0' + other;
            prop_assume!(wrong[place] != digit);
            wrong[place] = digit;
            prop_assert_eq!(String::from_utf8(wrong).unwrap().parse::<Iban>(), Err(IbanError::Checksum));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Iban>();
            let _ = text.parse::<Bic>();
        }
    }
}
