//! What the server does for merchants, whichever way it is asked: at the console, through the API, or by a payer.
//!
//! The desk writes an intent under a name that follows from the request; the vault commits under that name, once; the desk
//! puts down what became of it. Each step may be repeated, so that a crash between any two of them is taken up again by
//! [`relay::take_up`] or by the same request.
//! Reading order: [`merchant`] and [`order`], [`request`] (what a wallet is asked for), [`pay`], [`refund`], [`live`] (how far
//! an order is), [`bill`] and [`bill_file`] (contracts month by month), then what happens by itself: [`relay`] (the vault's outbox), [`webhook`] and [`hook_url`].

pub(crate) mod bill;
pub(crate) mod bill_file;
pub(crate) mod hook_url;
pub(crate) mod live;
pub(crate) mod merchant;
pub(crate) mod order;
pub(crate) mod pay;
pub(crate) mod refund;
pub(crate) mod refusal;
pub(crate) mod relay;
pub(crate) mod request;
pub(crate) mod webhook;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use tacit_core::unit::Unit;

use crate::desk::refusal::Refusal;
use crate::error::ApiError;
use crate::writer::CommitError;

/// A refusal of the vault's side, as the desk says it. What failed was logged where it happened.
pub(crate) fn refused(error: ApiError) -> Refusal {
    match error.into_response().status() {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Refusal::Busy,
        _ => Refusal::Internal,
    }
}

/// A commit that was not made, as the desk says it.
pub(crate) fn not_committed(error: CommitError) -> Refusal {
    refused(error.into())
}

/// An amount as people read it: `10.50 USD`.
pub(crate) fn money(amount: u64, unit: Unit) -> String {
    format!("{} {}", unit.decimal(amount), unit.code().to_uppercase())
}

/// The amount that a person wrote: `10.5`, `10,50`, `10`. `None` if it is none above 0, or has more decimals than the unit.
pub(crate) fn amount_of(text: &str, unit: Unit) -> Option<u64> {
    let text = text.trim();
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let exponent = usize::from(unit.exponent());
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || exponent < part.len() || !is_digits(whole) {
        return None;
    }
    if !is_digits(part) || (part.is_empty() && text.len() != whole.len()) {
        return None;
    }
    let amount: u64 = format!("{whole}{part:0<exponent$}").parse().ok()?;
    (amount > 0).then_some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_and_read_with_the_decimals_of_their_currency() {
        let unit = |code| Unit::new(code).unwrap();
        for (code, text, amount) in [
            ("usd", "10.50", 1050),
            ("usd", "0.05", 5),
            ("usd", "12", 1200),
            ("jpy", "500", 500),
            ("bhd", "1.234", 1234),
            ("usd", "7,5", 750),
        ] {
            assert_eq!(amount_of(text, unit(code)), Some(amount), "{text} {code}");
            assert_eq!(amount_of(&unit(code).decimal(amount), unit(code)), Some(amount));
        }
        assert_eq!(money(1050, unit("usd")), "10.50 USD");
        for text in ["", "0", "0.00", "-1", "1.234", "1.", ".5", "1e3", "1 000", "9999999999999"] {
            assert_eq!(amount_of(text, unit("usd")), None, "{text}");
        }
        assert_eq!(amount_of("1.5", unit("jpy")), None);
    }
}
