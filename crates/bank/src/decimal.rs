//! Amounts as banks write them: decimals, read exactly.

use tacit_core::amount::Amount;
use tacit_core::unit::Unit;

/// Why a decimal with its currency is no amount. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not three capital letters.
    #[error("the currency is not three capital letters")]
    Currency,
    /// Not digits with at most one full stop: a sign, an exponent, a comma, nothing.
    #[error("not a decimal number")]
    Form,
    /// It has more decimals than the currency.
    #[error("an amount in {unit} has at most {} decimals", unit.exponent())]
    Decimals {
        /// What the amount would count.
        unit: Unit,
    },
    /// Above the largest amount that is counted.
    #[error("the amount is above the largest that is counted")]
    TooLarge,
}

/// The unit of an ISO 4217 code, `EUR`.
///
/// # Errors
/// [`DecimalError::Currency`].
pub fn unit(currency: &str) -> Result<Unit, DecimalError> {
    if !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(DecimalError::Currency);
    }
    Unit::new(&currency.to_ascii_lowercase()).map_err(|_| DecimalError::Currency)
}

/// The amount that a decimal in whole units says, `1250.00` of `EUR`: 125000 cents. Zeros after the currency's decimals
/// are read over, anything else there is refused: nothing is rounded.
///
/// # Errors
/// [`DecimalError`].
///
/// Source: ISO 20022, ActiveOrHistoricCurrencyAndAmount; decimals of a currency: ISO 4217.
pub fn amount(text: &str, currency: &str) -> Result<Amount, DecimalError> {
    let unit = unit(currency)?;
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(decimals) || whole.len() + decimals.len() == 0 {
        return Err(DecimalError::Form);
    }
    let exponent = usize::from(unit.exponent());
    let (minor, beyond) = decimals.split_at(decimals.len().min(exponent));
    if beyond.bytes().any(|digit| digit != b'0') {
        return Err(DecimalError::Decimals { unit });
    }
    let zeros = std::iter::repeat_n(b'0', exponent - minor.len());
    let value = whole.bytes().chain(minor.bytes()).chain(zeros).try_fold(0_u64, |value, digit| {
        value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    });
    value.and_then(|value| Amount::new(value, unit).ok()).ok_or(DecimalError::TooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minor(text: &str, currency: &str) -> Result<u64, DecimalError> {
        amount(text, currency).map(Amount::value)
    }

    #[test]
    fn decimals_are_read_in_the_currency_of_the_amount() {
        assert_eq!(minor("1250.5", "EUR"), Ok(125_050));
        assert_eq!(minor("0.01", "USD"), Ok(1));
        assert_eq!(minor("7", "EUR"), Ok(700));
        assert_eq!(minor(".5", "EUR"), Ok(50));
        assert_eq!(minor("7.", "EUR"), Ok(700));
        assert_eq!(minor("1000", "JPY"), Ok(1000));
        assert_eq!(minor("1000.00", "JPY"), Ok(1000));
        assert_eq!(minor("1.005", "BHD"), Ok(1005));
        assert_eq!(minor("10.50000", "EUR"), Ok(1050));
        assert_eq!(minor("00000000000000000000000.10", "EUR"), Ok(10));
    }

    #[test]
    fn what_cannot_be_read_exactly_is_refused() {
        let decimals = |code| DecimalError::Decimals { unit: Unit::new(code).unwrap() };
        assert_eq!(minor("10.505", "EUR"), Err(decimals("eur")));
        assert_eq!(minor("10.5", "JPY"), Err(decimals("jpy")));
        for text in ["", ".", "-1", "+1", "1e3", "1,50", "1.2.3", " 1", "1 000", "٣", "0x1"] {
            assert_eq!(minor(text, "EUR"), Err(DecimalError::Form), "{text:?}");
        }
        for currency in ["", "EU", "eur", "EURO", "E R", "€€€"] {
            assert_eq!(minor("1", currency), Err(DecimalError::Currency), "{currency:?}");
        }
        assert_eq!(minor("90071992547409.91", "EUR"), Ok(Amount::MAX_VALUE));
        assert_eq!(minor("90071992547409.92", "EUR"), Err(DecimalError::TooLarge));
        assert_eq!(minor(&"9".repeat(400), "EUR"), Err(DecimalError::TooLarge));
    }

    proptest! {
        /// What prints as a decimal reads back as the same amount.
        #[test]
        fn amounts_survive_printing(amount in tacit_core::amount::testing::arb_amount()) {
            let printed = amount.to_string();
            let (number, code) = printed.split_once(' ').unwrap();
            prop_assert_eq!(super::amount(number, &code.to_ascii_uppercase()), Ok(amount));
        }

        #[test]
        fn no_text_panics(text in "[0-9.]{0,40}|.{0,20}", currency in "[A-Z]{3}|.{0,4}") {
            let _ = amount(&text, &currency);
        }
    }
}
