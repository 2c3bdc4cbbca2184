//! How bytes and secrets are written in JSON, without a string in between where none is needed.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};
use tacit_core::hex;

/// Writes bytes in lower-case hexadecimal, through a buffer on the stack.
pub(crate) fn serialize_hex<S: Serializer, const N: usize>(
    bytes: &[u8; N],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(const_hex::Buffer::<N>::new().format(bytes))
}

/// Reads exactly `N` bytes in hexadecimal.
pub(crate) fn deserialize_hex<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    deserializer.deserialize_str(HexVisitor)
}

/// Reads a text through the type's own parser.
pub(crate) fn deserialize_parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    deserializer.deserialize_str(ParsedVisitor(PhantomData))
}

struct HexVisitor<const N: usize>;

impl<const N: usize> Visitor<'_> for HexVisitor<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes in hexadecimal")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<[u8; N], E> {
        hex::decode(text).map_err(E::custom)
    }
}

struct ParsedVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for ParsedVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// 32 bytes in hexadecimal, for `#[serde(with)]`.
pub(crate) mod hex32 {
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        bytes: &[u8; 32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        super::serialize_hex(bytes, serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; 32], D::Error> {
        super::deserialize_hex(deserializer)
    }
}

/// A witness, for `#[serde(with)]`: a text by NUT-11, but also read as the object that the text would spell.
///
/// NUT-11, "Signed inputs", allows both. `null` and the empty text are no witness: wallets send either.
pub(crate) mod witness {
    use std::fmt;

    use serde::de::value::MapAccessDeserializer;
    use serde::de::{Error, MapAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serializer};
    use tacit_core::secret::Secret;

    type Witness = Option<Secret<String>>;

    pub(crate) fn serialize<S: Serializer>(
        witness: &Witness,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match witness {
            Some(text) => serializer.serialize_str(text.expose()),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Witness, D::Error> {
        deserializer.deserialize_any(WitnessVisitor)
    }

    struct WitnessVisitor;

    impl<'de> Visitor<'de> for WitnessVisitor {
        type Value = Witness;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a witness as a text, an object or null")
        }

        fn visit_unit<E: Error>(self) -> Result<Witness, E> {
            Ok(None)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Witness, E> {
            self.visit_string(text.to_owned())
        }

        fn visit_string<E: Error>(self, text: String) -> Result<Witness, E> {
            Ok((!text.is_empty()).then(|| Secret::new(text)))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Witness, A::Error> {
            let object = serde_json::Value::deserialize(MapAccessDeserializer::new(map))?;
            Ok(Some(Secret::new(object.to_string())))
        }
    }
}
