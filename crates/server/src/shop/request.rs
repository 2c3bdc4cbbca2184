//! What a payer's wallet is asked for: a payment request (NUT-18, NUT-26), and its QR code.

use std::time::Duration;

use fast_qr::{ECL, QRBuilder};
use tacit_core::unit::Unit;
use tacit_ecash::condition::lock::{Condition, Lock, Terms};
use tacit_ecash::payment_request::lock_option::LockOption;
use tacit_ecash::payment_request::{PaymentRequest, Transport, TransportKind};
use tacit_ecash::point::PointBytes;
use tacit_service::desk::paper::OrderPaper;

use crate::desk::refusal::Refusal;
use crate::state::Shared;

/// How long after an order's expiry its lock opens for the payer: nothing is redeemed after the expiry, and clocks differ.
pub(crate) const MARGIN: Duration = Duration::from_secs(3600);

/// A request in both of its forms.
pub(crate) struct Request {
    /// NUT-18, which all wallets read.
    pub(crate) creq_a: String,
    /// NUT-26: capitals alone, for smaller codes.
    pub(crate) creq_b: String,
}

/// The request to pay an order to whoever holds `key`.
///
/// # Errors
/// [`Refusal::Internal`] if the mint has no such unit any more, or its own request cannot be written.
pub(crate) fn of(
    shared: &Shared,
    paper: &OrderPaper,
    key: &PointBytes,
) -> Result<Request, Refusal> {
    let mint = mint_url(shared, paper.unit).ok_or(Refusal::Internal)?;
    let own = key.parse().map_err(|error| Refusal::internal(&error))?;
    // Without refund keys: after the locktime whoever made the lock can spend it, and nobody else has seen it.
    let mut terms = Terms::new(Lock::Key(own));
    terms.locktime = Some(paper.expiry.after(MARGIN));
    let condition = Condition::new(terms).map_err(|error| Refusal::internal(&error))?;
    let request = PaymentRequest {
        id: Some(paper.id.to_string()),
        amount: Some(paper.amount),
        unit: Some(paper.unit.code().to_owned()),
        is_single_use: Some(true),
        mints: vec![mint.clone()],
        description: Some(paper.description.as_str().to_owned()),
        transports: vec![Transport {
            kind: TransportKind::Post,
            target: format!("{mint}/pay/{}", paper.id),
            tags: Vec::new(),
        }],
        lock: Some(LockOption::of(&condition)),
        ..PaymentRequest::default()
    };
    Ok(Request {
        creq_a: request.to_creq_a().map_err(|error| Refusal::internal(&error))?,
        creq_b: request.to_creq_b().map_err(|error| Refusal::internal(&error))?,
    })
}

/// Where wallets find the mint of a unit.
pub(crate) fn mint_url(shared: &Shared, unit: Unit) -> Option<String> {
    let terms = shared.config.units.iter().find(|terms| terms.unit == unit)?;
    let told = shared.told_url().or_else(|| {
        // Only browsers look for names under localhost on this machine; wallets may not.
        let origin = shared.origins.mint.as_ref()?.to_string();
        Some(origin.replacen("://mint.localhost", "://localhost", 1))
    })?;
    Some(format!("{told}/{}", terms.path))
}

/// A picture of a text for cameras: dark on light in any theme, drawn as one path. `None` if the text is too long.
pub(crate) fn qr_svg(text: &str, label: &str) -> Option<String> {
    let code = QRBuilder::new(text).ecl(ECL::L).build().ok()?;
    let (size, quiet) = (code.size, 4);
    let mut path = String::new();
    for line in 0..size {
        for column in 0..size {
            if code[line][column].value() {
                path.push_str(&format!("M{} {}h1v1h-1z", column + quiet, line + quiet));
            }
        }
    }
    let side = size + 2 * quiet;
    let label: String = label.chars().filter(|c| !matches!(c, '<' | '>' | '&' | '"')).collect();
    Some(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{label}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_one_picture_that_says_what_it_is() {
        let svg = qr_svg("creqA0", "Payment <request>").unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("aria-label=\"Payment request\""), "{svg}");
        assert_eq!(qr_svg(&"a".repeat(4000), "x"), None);
    }
}
