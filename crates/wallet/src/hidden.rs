//! How a storage writes texts that must not be printed, for `#[serde(with)]`.

use serde::{Deserialize, Deserializer, Serializer};
use tacit_core::secret::Secret;

pub(crate) fn serialize<S: Serializer>(
    text: &Secret<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text.expose())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Secret<String>, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}
