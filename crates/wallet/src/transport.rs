//! What goes to a mint and comes back, for whoever owns the connection.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tacit_core::secret::{self, Secret};
use tacit_ecash::message::ErrorResponse;

use crate::mint::MintUrl;

/// A request to be sent as it stands. Sending it again sends the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// To whom.
    pub to: Recipient,
    /// From the recipient's address on, such as `/v1/swap`; empty for a payee.
    pub path: String,
    /// JSON to `POST`; `None` is a `GET`.
    pub body: Option<Body>,
}

/// Who is to have a request. The two should not share a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recipient {
    /// A mint.
    Mint(MintUrl),
    /// Whoever asked to be paid.
    Payee(PayeeUrl),
    /// An operator's desk, where accounts are: it is told whose this is.
    Desk(Box<Account>),
}

/// An account at an operator's desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Address of the desk.
    pub url: MintUrl,
    /// What is shown to it.
    pub bearer: Bearer,
}

/// What is shown to a desk (RFC 6750, section 2.1).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bearer(#[serde(with = "secret::text")] Secret<String>);

impl Bearer {
    /// Of hexadecimal digits; `None` for anything else.
    pub fn new(text: &str) -> Option<Self> {
        let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| Self(Secret::new(text.to_owned())))
    }

    /// The text.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(..)")
    }
}

/// The address that a payment request names: `http` or `https`, as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PayeeUrl(String);

/// The text is no address that a payment could be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address for the payment begins with http:// or https:// and has no spaces")]
pub struct PayeeUrlError;

impl PayeeUrl {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PayeeUrl {
    type Error = PayeeUrlError;

    fn try_from(text: String) -> Result<Self, PayeeUrlError> {
        // What makes the address of a mint makes this one, but for slashes at its end, which matter here.
        match text.parse::<MintUrl>() {
            Ok(_) => Ok(Self(text)),
            Err(_) => Err(PayeeUrlError),
        }
    }
}

impl From<PayeeUrl> for String {
    fn from(url: PayeeUrl) -> Self {
        url.0
    }
}

/// JSON that may hold secrets of proofs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Body(#[serde(with = "secret::text")] Secret<String>);

impl Body {
    /// The JSON of a message.
    pub(crate) fn of(message: &impl Serialize) -> Self {
        let text = serde_json::to_string(message);
        Self(Secret::new(text.expect("messages have text keys and no failing field")))
    }

    /// The bytes to send.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body(..)")
    }
}

impl Request {
    /// A `GET`.
    pub(crate) fn get(mint: &MintUrl, path: String) -> Self {
        Self { to: Recipient::Mint(mint.clone()), path, body: None }
    }

    /// A `POST` of a message.
    pub(crate) fn post(mint: &MintUrl, path: &str, message: &impl Serialize) -> Self {
        let to = Recipient::Mint(mint.clone());
        Self { to, path: path.to_owned(), body: Some(Body::of(message)) }
    }

    /// A `POST` to whoever asked to be paid.
    pub(crate) fn payment(to: PayeeUrl, payload: Secret<String>) -> Self {
        Self { to: Recipient::Payee(to), path: String::new(), body: Some(Body(payload)) }
    }

    /// To a desk: a `POST` of a message, or a `GET`.
    pub(crate) fn to_desk<T: Serialize>(
        url: &MintUrl,
        path: &str,
        bearer: &Bearer,
        message: Option<&T>,
    ) -> Self {
        let account = Account { url: url.clone(), bearer: bearer.clone() };
        let to = Recipient::Desk(Box::new(account));
        Self { to, path: path.to_owned(), body: message.map(|message| Body::of(message)) }
    }

    /// The whole address.
    pub fn url(&self) -> String {
        match &self.to {
            Recipient::Desk(account) => format!("{}{}", account.url, self.path),
            Recipient::Mint(mint) => format!("{mint}{}", self.path),
            Recipient::Payee(url) => url.as_str().to_owned(),
        }
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The mint answered.
    Received {
        /// HTTP status.
        status: u16,
        /// Body, as received.
        body: Secret<Vec<u8>>,
    },
    /// No answer came: whether the mint followed the request is not known.
    Lost,
}

/// An answer, read.
pub(crate) enum Reading<T> {
    Taken(T),
    /// The mint says no, and why.
    Refused(Refusal),
    /// Nothing that settles anything: no answer, a server in trouble, too many requests, not the protocol.
    Unclear,
}

/// The mint's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Code of the NUT error table, 0 if the mint gave none.
    pub code: u32,
    /// For people, as the mint worded it: text from outside, to be shown as such.
    pub detail: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {}", self.code)
    }
}

/// Reads an answer as the message it should be.
pub(crate) fn read<T: DeserializeOwned>(answer: Option<Answer>) -> Reading<T> {
    let Some(Answer::Received { status, body }) = answer else {
        return Reading::Unclear;
    };
    let read = |body: &[u8]| serde_json::from_slice(body).ok();
    match status {
        200..=299 => read(body.expose()).map_or(Reading::Unclear, Reading::Taken),
        // Timeout, too early, too many: the same request may be taken later.
        408 | 425 | 429 => Reading::Unclear,
        400..=499 => match serde_json::from_slice(body.expose()) {
            Ok(ErrorResponse { detail, code }) => Reading::Refused(Refusal { code, detail }),
            Err(_) => Reading::Unclear,
        },
        _ => Reading::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(status: u16, body: &str) -> &'static str {
        let body = Secret::new(body.as_bytes().to_vec());
        match read::<Vec<u8>>(Some(Answer::Received { status, body })) {
            Reading::Taken(_) => "taken",
            Reading::Refused(_) => "refused",
            Reading::Unclear => "unclear",
        }
    }

    #[test]
    fn only_a_clear_no_is_a_refusal() {
        let no = r#"{"detail": "no", "code": 11001}"#;
        assert_eq!(read_as(200, "[1]"), "taken");
        assert_eq!(read_as(400, no), "refused");
        assert_eq!(read_as(422, no), "refused");
        for (status, body) in
            [(200, "{}"), (400, "<html>"), (429, no), (408, no), (500, no), (503, ""), (302, no)]
        {
            assert_eq!(read_as(status, body), "unclear", "{status} {body}");
        }
        assert!(matches!(read::<Vec<u8>>(Some(Answer::Lost)), Reading::Unclear));
    }

    #[test]
    fn a_body_does_not_print() {
        assert_eq!(format!("{:?}", Body::of(&["secret"])), "Body(..)");
    }
}
