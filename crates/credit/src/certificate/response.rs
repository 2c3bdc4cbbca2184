//! How the answer travels (OpenID4VP 1.0, section 8): a form, or a form with the answer encrypted.

use std::collections::BTreeMap;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes128Gcm, Nonce};
use rand_08::RngCore as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tacit_core::secret::Secret;

use super::jws;
use super::key::SecretKey;
use super::request::{Encryption, Mode, Request};
use super::verify::PRESENTATION_BYTES_MAX;
use crate::passport::tag::{self, Entropy};

/// Bytes an answer may have, as a form.
pub const RESPONSE_BYTES_MAX: usize = 2 * PRESENTATION_BYTES_MAX;

/// Why a form is no answer. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Larger than [`RESPONSE_BYTES_MAX`].
    #[error("larger than {RESPONSE_BYTES_MAX} bytes")]
    TooLarge,
    /// Not a form with these fields.
    #[error("not an answer to a request")]
    Form,
    /// The wallet says no.
    #[error("the wallet refused")]
    Refused,
    /// Not one presentation.
    #[error("not one presentation")]
    Token,
}

/// An answer, as the verifier reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Which request it is for.
    pub state: String,
    /// The presentation.
    pub presentation: String,
}

#[derive(Deserialize)]
struct Form {
    state: Option<String>,
    vp_token: Option<String>,
    error: Option<String>,
}

/// What an answer shows: presentations by the name the query gave them.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Token(BTreeMap<String, Vec<String>>);

impl Request {
    /// The body of the answer, `application/x-www-form-urlencoded`, to be sent to [`Request::to`].
    pub fn answer(&self, presentation: &str, entropy: &Entropy) -> String {
        let token = BTreeMap::from([(self.wanted.id().to_owned(), vec![presentation.to_owned()])]);
        let token = Token(token);
        let fields = match &self.mode {
            Mode::Plain => {
                let token = serde_json::to_string(&token).expect("texts");
                let state = self.state.iter().map(|state| ("state", state.clone()));
                [("vp_token", token)].into_iter().chain(state).collect::<Vec<_>>()
            }
            Mode::Encrypted(encryption) => {
                let mut whole = json!({"vp_token": token});
                if let Some(state) = &self.state {
                    whole["state"] = json!(state);
                }
                vec![("response", encryption.seal(whole.to_string().as_bytes(), entropy))]
            }
        };
        serde_urlencoded::to_string(fields).expect("texts")
    }
}

impl Encryption {
    /// Encrypts to the verifier's key (RFC 7516): ECDH-ES with a key of this one message, AES-128 in GCM.
    fn seal(&self, text: &[u8], entropy: &Entropy) -> String {
        let mut random = tag::generator_of(entropy);
        let (mut own, mut nonce) = ([0; 32], [0; 12]);
        random.fill_bytes(&mut own);
        random.fill_bytes(&mut nonce);
        let own = SecretKey::from_entropy(&Secret::new(own));
        let mut header = json!({"alg": "ECDH-ES", "enc": "A128GCM", "epk": own.public().to_jwk()});
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        let header = jws::encode(header.to_string().as_bytes());
        let key = derived(&own.agree(&self.key));
        let cipher = Aes128Gcm::new_from_slice(key.expose()).expect("16 bytes");
        let payload = Payload { msg: text, aad: header.as_bytes() };
        let sealed = cipher.encrypt(&Nonce::from(nonce), payload).expect("it is short");
        let (text, tag) = sealed.split_at(sealed.len() - 16);
        format!("{header}..{}.{}.{}", jws::encode(&nonce), jws::encode(text), jws::encode(tag))
    }
}

/// The key of a message (RFC 7518, section 4.6.2), for A128GCM between parties without names.
fn derived(shared: &Secret<[u8; 32]>) -> Secret<[u8; 16]> {
    let mut hash = Sha256::new();
    hash.update(1_u32.to_be_bytes());
    hash.update(shared.expose());
    hash.update(7_u32.to_be_bytes());
    hash.update(b"A128GCM");
    hash.update([0; 8]); // Neither party is named.
    hash.update(128_u32.to_be_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let (key, _) = digest.split_first_chunk::<16>().expect("32 bytes have 16");
    Secret::new(*key)
}

impl Response {
    /// Reads an answer that came as a form.
    ///
    /// # Errors
    /// [`ResponseError`].
    pub fn read(form: &[u8]) -> Result<Self, ResponseError> {
        if RESPONSE_BYTES_MAX < form.len() {
            return Err(ResponseError::TooLarge);
        }
        let form: Form = serde_urlencoded::from_bytes(form).map_err(|_| ResponseError::Form)?;
        let state = form.state.ok_or(ResponseError::Form)?;
        if form.error.is_some() {
            return Err(ResponseError::Refused);
        }
        let token = form.vp_token.ok_or(ResponseError::Form)?;
        let Token(token) = serde_json::from_str(&token).map_err(|_| ResponseError::Token)?;
        let mut presentations = token.into_values().flatten();
        match (presentations.next(), presentations.next()) {
            (Some(presentation), None) => Ok(Self { state, presentation }),
            _ => Err(ResponseError::Token),
        }
    }
}
