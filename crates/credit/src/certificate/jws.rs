//! Signed JSON in its compact form (RFC 7515), with ES256 and nothing else.
//!
//! Neither the algorithm nor the key is ever taken from what is checked: a header says `alg`, and whatever it says but ES256 is
//! refused; a key in a header (`jwk`, `jku`) is not read.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::key::{PublicKey, SecretKey};

/// Bytes in base64url without padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of canonical base64url without padding: each bytes have one text.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

/// What a header says that is read here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub(super) alg: String,
    #[serde(default)]
    pub(super) typ: String,
    /// Which of the signer's keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// A certificate of X.509 and those it leads back to, each DER in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5c: Option<Vec<String>>,
    /// What somebody attests of the signer (OpenID4VP 1.0, section 12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) crit: Option<serde_json::Value>,
}

impl Header {
    /// The header of one type of signed JSON.
    pub fn new(typ: &str) -> Self {
        Self { alg: "ES256".to_owned(), typ: typ.to_owned(), ..Self::default() }
    }
}

/// Why a text is not what somebody signed. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not three parts, not base64url, not JSON objects, or a field of another kind.
    #[error("not signed JSON")]
    Malformed,
    /// Another algorithm: `none`, one with a shared secret, one that nobody here uses.
    #[error("the algorithm is not ES256")]
    Algorithm,
    /// Signed as something else.
    #[error("it was signed as something else")]
    Type,
    /// The signer wants an extension understood, and there is none.
    #[error("it wants an extension that is not known")]
    Extension,
    /// The signature is not this key's.
    #[error("the signature is not right")]
    Signature,
}

/// Signed JSON whose signature is not checked yet.
#[derive(Clone, Debug)]
pub struct Unchecked<'a, T> {
    header: Header,
    claims: T,
    signed: &'a str,
    signature: [u8; 64],
}

impl<'a, T: DeserializeOwned> Unchecked<'a, T> {
    /// Reads a text, signed as `typ`.
    ///
    /// # Errors
    /// [`JwsError`], all but the signature.
    pub fn read(text: &'a str, typ: &str) -> Result<Self, JwsError> {
        let (signed, signature) = text.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        let header: Header = object(header)?;
        if header.alg != "ES256" {
            return Err(JwsError::Algorithm);
        }
        if header.typ != typ {
            return Err(JwsError::Type);
        }
        if header.crit.is_some() {
            return Err(JwsError::Extension);
        }
        let signature = decode(signature).and_then(|bytes| bytes.try_into().ok());
        let signature = signature.ok_or(JwsError::Malformed)?;
        Ok(Self { header, claims: object(claims)?, signed, signature })
    }

    /// What its header says, believed by nobody yet.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What it says, believed by nobody yet: to find out whose signature it should carry.
    pub fn unchecked(&self) -> &T {
        &self.claims
    }

    /// What it says, once the signature was found to be this key's.
    ///
    /// # Errors
    /// [`JwsError::Signature`].
    pub fn check(self, key: &PublicKey) -> Result<T, JwsError> {
        if key.verify(self.signed.as_bytes(), &self.signature) {
            Ok(self.claims)
        } else {
            Err(JwsError::Signature)
        }
    }
}

/// Reads a JSON object. Serde would take an array for a struct, too.
fn object<T: DeserializeOwned>(part: &str) -> Result<T, JwsError> {
    let bytes = decode(part).ok_or(JwsError::Malformed)?;
    if bytes.first() != Some(&b'{') {
        return Err(JwsError::Malformed);
    }
    serde_json::from_slice(&bytes).map_err(|_| JwsError::Malformed)
}

/// Signs claims.
///
/// # Panics
/// Never: what is signed here can be written as JSON.
pub fn sign(header: &Header, claims: &impl Serialize, key: &SecretKey) -> String {
    let part = |json: serde_json::Result<Vec<u8>>| encode(&json.expect("names are texts"));
    let (header, claims) = (serde_json::to_vec(header), serde_json::to_vec(claims));
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = encode(&key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tacit_core::secret::Secret;

    use super::*;

    fn key() -> SecretKey {
        SecretKey::from_entropy(&Secret::new([1; 32]))
    }

    fn read(text: &str) -> Result<Value, JwsError> {
        Unchecked::<Value>::read(text, "x+jwt")?.check(&key().public())
    }

    fn forged(header: &Value, claims: &str) -> String {
        let signed =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.as_bytes()));
        let signature = encode(&key().sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    #[test]
    fn what_was_signed_is_read_and_a_changed_character_is_not() {
        let text = sign(&Header::new("x+jwt"), &json!({"a": 1}), &key());
        assert_eq!(read(&text), Ok(json!({"a": 1})));
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert!(read(std::str::from_utf8(&other).unwrap()).is_err(), "{at}");
        }
    }

    /// RFC 7515, appendix A.3: its key and its signature.
    #[test]
    fn the_example_of_the_rfc_is_right() {
        let text = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
            DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let jwk = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
        let jwk: super::super::key::Jwk = serde_json::from_str(jwk).unwrap();
        let key = PublicKey::try_from(&jwk).unwrap();
        let claims = Unchecked::<Value>::read(text, "").unwrap().check(&key).unwrap();
        assert_eq!(claims["iss"], "joe");
    }

    #[test]
    fn no_algorithm_or_key_is_taken_from_a_header() {
        for alg in ["none", "HS256", "ES384", "es256", ""] {
            let text = forged(&json!({"alg": alg, "typ": "x+jwt"}), "{}");
            assert_eq!(read(&text), Err(JwsError::Algorithm), "{alg}");
        }
        assert_eq!(read(&forged(&json!({"typ": "x+jwt"}), "{}")), Err(JwsError::Malformed));
        // An attacker signs with a key of their own, and says so.
        let own = SecretKey::from_entropy(&Secret::new([2; 32]));
        let header = json!({"alg": "ES256", "typ": "x+jwt", "jwk": own.public().to_jwk()});
        let signed = format!("{}.{}", encode(header.to_string().as_bytes()), encode(b"{}"));
        let text = format!("{signed}.{}", encode(&own.sign(signed.as_bytes())));
        assert_eq!(read(&text), Err(JwsError::Signature));
        // Without a signature, and with that of nothing.
        let signed = format!("{}.{}", encode(br#"{"alg":"ES256","typ":"x+jwt"}"#), encode(b"{}"));
        assert_eq!(read(&format!("{signed}.")), Err(JwsError::Malformed));
        assert_eq!(read(&format!("{signed}.{}", encode(&[0; 64]))), Err(JwsError::Signature));
    }

    #[test]
    fn what_is_no_object_of_its_type_is_refused() {
        let plain = json!({"alg": "ES256", "typ": "x+jwt"});
        let typed = |typ: &str| forged(&json!({"alg": "ES256", "typ": typ}), "{}");
        for typ in ["", "JWT", "kb+jwt", "X+JWT"] {
            assert_eq!(read(&typed(typ)), Err(JwsError::Type), "{typ}");
        }
        let critical = json!({"alg": "ES256", "typ": "x+jwt", "crit": ["b64"]});
        assert_eq!(read(&forged(&critical, "{}")), Err(JwsError::Extension));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
        for claims in ["", "[]", "1", "{", "{} {}", &deep] {
            assert_eq!(read(&forged(&plain, claims)), Err(JwsError::Malformed), "{claims:.20}");
        }
        for text in ["", ".", "..", "a.b", "a.b.c.d", "é.é.é"] {
            assert_eq!(read(text), Err(JwsError::Malformed), "{text}");
        }
        let array =
            format!("{}.{}.{}", encode(br#"["ES256","x+jwt"]"#), encode(b"{}"), encode(&[1; 64]));
        assert_eq!(read(&array), Err(JwsError::Malformed));
    }
}
