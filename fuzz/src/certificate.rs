//! Parsers of certificates and of requests for them; `crates/credit/tests/fuzz_certificates.rs` includes this file and runs them on stable.

use tacit_core::time::Timestamp;
use tacit_credit::certificate::issuer::Metadata;
use tacit_credit::certificate::request::{Invitation, Request};
use tacit_credit::certificate::response::Response;
use tacit_credit::certificate::verify::{CertificateError, Expected, verify};

/// A target: bytes in, whether they were read out.
pub type Target = fn(&[u8]) -> bool;

/// All targets by name; each has its file in `fuzz_targets/` and its folder in `seeds/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("certificate_answer", certificate_answer),
    ("certificate_presentation", certificate_presentation),
    ("certificate_request", certificate_request),
];

/// Whom the seeds are of: `cargo run -p tacit-credit --example certificates cases 1795651200 DIRECTORY` wrote them.
const ISSUER: &[u8] = include_bytes!("issuer.json");
/// When they were made.
const NOW: Timestamp = Timestamp::from_seconds(1_795_651_200);
/// What for.
const EXPECTED: Expected<'_> = Expected {
    audience: "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
    nonce: "eKVj0jnbuEQTr8Vd4cSPpQ",
};

/// A presentation. One whose issuer is believed shows what the issuer signed, whoever holds it.
pub fn certificate_presentation(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let trusted = Metadata::read(ISSUER, None).expect("it is shipped").certificates();
    match verify(text, &trusted, EXPECTED, NOW) {
        Ok(presented) => {
            assert!(presented.shown.threshold.is_none_or(|threshold| threshold == 600));
            assert!(presented.shown.tenure.is_none_or(|tenure| tenure == 6));
            true
        }
        // Read as far as the issuer's signature.
        Err(error) => matches!(
            error,
            CertificateError::Claim { .. }
                | CertificateError::NoHolder
                | CertificateError::Holder(_)
        ),
    }
}

/// A link with its request behind a line's end, or a link that is the request. What is read has an address with a host of its own.
pub fn certificate_request(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let (link, request) = text.split_once('\n').unwrap_or((text, ""));
    let operator = Metadata::read(ISSUER, None).expect("it is shipped").attestations();
    let request = match Invitation::read(link) {
        Ok(Invitation::Fetch { client, from }) => {
            assert!(from.url().contains(from.host()));
            Request::read(request, &client, &operator, NOW)
        }
        Ok(Invitation::Whole(claims)) => Request::of_link(*claims, NOW),
        Err(_) => return false,
    };
    let Ok(request) = request else { return true };
    assert!(request.to.url().contains(request.to.host()));
    assert!(!request.wanted.options().is_empty());
    true
}

/// An answer. One that is read names its request.
pub fn certificate_answer(data: &[u8]) -> bool {
    Response::read(data).is_ok()
}
