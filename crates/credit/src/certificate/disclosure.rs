//! Claims that can be left out (RFC 9901): the signed text has the hash of each, the text that is hashed travels beside it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::jws;

/// Bytes of a salt (RFC 9901, section 9.3).
pub const SALT_BYTES: usize = 16;

/// A claim with its salt, as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure(String);

/// A disclosure that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The claim.
    pub name: String,
    /// What it says.
    pub value: Value,
}

impl Disclosure {
    /// A claim, made unguessable by a random salt.
    pub fn new(salt: &[u8; SALT_BYTES], name: &str, value: &Value) -> Self {
        let array = Value::from(vec![jws::encode(salt).into(), name.into(), value.clone()]);
        Self(jws::encode(array.to_string().as_bytes()))
    }

    /// A disclosure as it was received, unread.
    pub(super) fn received(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it travels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the signed text has of it.
    pub fn digest(&self) -> String {
        jws::encode(&Sha256::digest(&self.0))
    }

    /// Reads it; nothing if it is no claim of an object.
    pub fn open(&self) -> Option<Opened> {
        let bytes = jws::decode(&self.0)?;
        let array: Vec<Value> = serde_json::from_slice(&bytes).ok()?;
        let [Value::String(_salt), Value::String(name), value] =
            <[Value; 3]>::try_from(array).ok()?
        else {
            return None;
        };
        Some(Opened { name, value })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 9901, section 4.2.3: the digest of its example.
    #[test]
    fn the_example_of_the_rfc_has_its_digest() {
        let example = Disclosure::received(
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
        );
        assert_eq!(example.digest(), "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0");
        let name = "family_name".to_owned();
        assert_eq!(example.open(), Some(Opened { name, value: json!("Möbius") }));
    }

    #[test]
    fn what_is_no_claim_is_not_opened() {
        let claim = Disclosure::new(&[7; 16], "threshold", &json!(600));
        let opened = claim.open().unwrap();
        assert_eq!((opened.name.as_str(), opened.value), ("threshold", json!(600)));
        for text in
            [r#"["salt","value"]"#, r#"["salt",1,2]"#, r#"[1,"a",2]"#, "{}", "", r#"["a","b",1,2]"#]
        {
            assert_eq!(Disclosure(jws::encode(text.as_bytes())).open(), None, "{text}");
        }
        assert_eq!(Disclosure::received("not base64!").open(), None);
    }
}
