//! Certificates as the server makes and asks for them: the operator's keys, and what verifiers ask just now.

pub(crate) mod ask;

use tacit_credit::certificate::issue::Issuer;
use tacit_credit::certificate::issuer::Metadata;
use tacit_credit::certificate::key::{Purpose, SecretKey};

use crate::state::Shared;

/// Which of the operator's keys of a purpose: the first, and so far the only one.
const FIRST: &[u8] = b"0";

/// The operator's name: the mint's origin, under which its keys are found. None where nobody has said how the mint is reached.
pub(crate) fn name(shared: &Shared) -> Option<String> {
    shared.origins.mint.as_ref().map(ToString::to_string)
}

/// Who signs certificates.
pub(crate) fn issuer(shared: &Shared) -> Option<Issuer> {
    let key = SecretKey::derive(&shared.seed, Purpose::Certificates, FIRST);
    Some(Issuer::new(&name(shared)?, key))
}

/// The key that signs what is attested of verifiers.
pub(crate) fn attester(shared: &Shared) -> SecretKey {
    SecretKey::derive(&shared.seed, Purpose::Attestations, FIRST)
}

/// What everybody may know of the operator's keys.
pub(crate) fn metadata(shared: &Shared) -> Option<Metadata> {
    Some(issuer(shared)?.metadata(&attester(shared).public()))
}
