//! Payment targets as URIs: `payto://TYPE/NAME?amount=usd:10.50` (RFC 8905).

use tacit_core::amount::Amount;
use tacit_core::unit::Unit;

use crate::account::AccountId;

/// A payment target with its amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payto {
    /// The target type: `demo`, `iban`.
    pub kind: String,
    /// Who is to be paid, as the type spells it.
    pub name: String,
    /// How much.
    pub amount: Amount,
}

/// Why a text is no payment target of ours. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaytoError {
    /// Not `payto://TYPE/NAME`, or characters that need escaping.
    #[error("not a payto URI")]
    Form,
    /// No `amount`, or more than one.
    #[error("the payto URI names no amount")]
    NoAmount,
    /// Not `unit:whole.part` with the unit's decimals, or 0, or too large.
    #[error("the amount of the payto URI cannot be read")]
    BadAmount,
}

/// The target type of accounts with the operator itself.
pub const OWN: &str = "tacit";

impl Payto {
    /// The account of the operator's own that is the target, if it is one.
    pub fn account(&self) -> Option<AccountId> {
        (self.kind == OWN).then(|| self.name.parse().ok())?
    }

    /// Reads a payment target. Strict: options other than `amount` are refused, because what they ask for
    /// (a message, a receiver's name) would not be done.
    ///
    /// # Errors
    /// [`PaytoError`].
    ///
    /// Source: RFC 8905, sections 2 and 5; amounts are in whole units with at most the unit's decimals.
    pub fn parse(text: &str) -> Result<Self, PaytoError> {
        let rest = text.strip_prefix("payto://").ok_or(PaytoError::Form)?;
        let (target, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, name) = target.split_once('/').ok_or(PaytoError::Form)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_word =
            |word: &str| !word.is_empty() && word.len() <= 64 && word.bytes().all(is_plain);
        if !is_word(kind) || !is_word(name) {
            return Err(PaytoError::Form);
        }
        let amount = options.strip_prefix("amount=").ok_or(PaytoError::NoAmount)?;
        let (code, figure) = amount.split_once(':').ok_or(PaytoError::BadAmount)?;
        let unit = Unit::new(&code.to_ascii_lowercase()).map_err(|_| PaytoError::BadAmount)?;
        let amount = read_amount(figure, unit).ok_or(PaytoError::BadAmount)?;
        Ok(Self { kind: kind.to_ascii_lowercase(), name: name.to_owned(), amount })
    }
}

/// `10.50` as minor units, above 0; `None` if it has more decimals than the unit, or anything but digits.
fn read_amount(figure: &str, unit: Unit) -> Option<Amount> {
    let (whole, part) = figure.split_once('.').unwrap_or((figure, ""));
    let decimals = usize::from(unit.exponent());
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = !whole.is_empty() && whole.len() <= 16 && part.len() <= decimals;
    if !fits || !are_digits(whole) || !are_digits(part) || figure.ends_with('.') {
        return None;
    }
    let value: u64 = format!("{whole}{part:0<decimals$}").parse().ok()?;
    Amount::new(value, unit).ok().filter(|amount| amount.value() > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_in_the_decimals_of_their_unit() {
        for (text, value, code) in [
            ("payto://demo/alice?amount=usd:10.50", 1050, "usd"),
            ("payto://demo/alice?amount=USD:10.5", 1050, "usd"),
            ("payto://demo/alice?amount=sat:7", 7, "sat"),
            ("payto://demo/a.b-c?amount=bhd:0.001", 1, "bhd"),
        ] {
            let amount = Payto::parse(text).unwrap().amount;
            assert_eq!((amount.value(), amount.unit().code()), (value, code), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_exactly_is_refused() {
        for (text, error) in [
            ("", PaytoError::Form),
            ("payto://demo?amount=usd:1", PaytoError::Form),
            ("payto://demo/?amount=usd:1", PaytoError::Form),
            ("payto://demo/a b?amount=usd:1", PaytoError::Form),
            ("payto://demo/a%20b?amount=usd:1", PaytoError::Form),
            ("payto://demo/a/b?amount=usd:1", PaytoError::Form),
            ("payto://demo/alice", PaytoError::NoAmount),
            ("payto://demo/alice?message=hi", PaytoError::NoAmount),
            ("payto://demo/alice?amount=usd:1&message=hi", PaytoError::BadAmount),
            ("payto://demo/alice?amount=usd:1&amount=usd:2", PaytoError::BadAmount),
            ("payto://demo/alice?amount=10.50", PaytoError::BadAmount),
            ("payto://demo/alice?amount=usd:", PaytoError::BadAmount),
            ("payto://demo/alice?amount=usd:.50", PaytoError::BadAmount),
            ("payto://demo/alice?amount=usd:1.", PaytoError::BadAmount),
            ("payto://demo/alice?amount=usd:1.005", PaytoError::BadAmount),
            ("payto://demo/alice?amount=usd:-1", PaytoError::BadAmount),
            ("payto://demo/alice?amount=usd:0", PaytoError::BadAmount),
            ("payto://demo/alice?amount=sat:1.0", PaytoError::BadAmount),
            ("payto://demo/alice?amount=usd:99999999999999999999", PaytoError::BadAmount),
        ] {
            assert_eq!(Payto::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*", tail in "[a-z0-9:.&=?/]*") {
            _ = Payto::parse(&text);
            _ = Payto::parse(&format!("payto://demo/alice?amount={tail}"));
        }
    }
}
