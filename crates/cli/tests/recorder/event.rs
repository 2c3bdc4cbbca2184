//! What an exchange was, and what is in it, field by field: JSON, and the bytes that JSON carries.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::Value;
use tacit_ecash::payment_request::PaymentRequest;

use crate::link::WINDOW;
use crate::tape::{Exchange, Message};

/// What a wallet wanted, told by method and path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Place,
    Info,
    Issuer,
    Terms,
    Enrol,
    Earned,
    Income,
    Contract,
    Pay,
    Quiet,
    Blank,
    Tick,
    Certify,
    Bucket,
    Keysets,
    Keys,
    Quote,
    Quoted,
    Mint,
    Swap,
}

/// What lets two events of one person be joined, by design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bond {
    /// An account's own: the desk knows whose it is. Rule 14.
    Account,
    /// A contract's own, by its number: its biller and the desk know it. Rule 15, and "Bill streams".
    Contract(String),
    /// A quote's own (NUT-04).
    Quote(String),
}

impl Kind {
    /// # Panics
    /// For a path that is not one of a wallet's: whoever adds one says here what it may tell.
    pub(crate) fn of(exchange: &Exchange) -> Self {
        let path = exchange.path().split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (exchange.method(), parts.as_slice()) {
            ("GET", ["api", "v1", "passport"]) => Self::Place,
            ("GET", ["v1", "passport"]) => Self::Info,
            ("GET", [".well-known", "jwt-vc-issuer"]) => Self::Issuer,
            ("GET", ["api", "v1", "passport", "enrolment"]) => Self::Terms,
            ("POST", ["api", "v1", "passport", "enrolment"]) => Self::Enrol,
            ("GET", ["api", "v1", "passport", "income"]) => Self::Earned,
            ("POST", ["api", "v1", "passport", "income"]) => Self::Income,
            ("GET", ["usd", "v1", "contracts", _]) => Self::Contract,
            ("POST", ["usd", "v1", "contracts", _, _, "pay"]) => Self::Pay,
            ("POST", ["usd", "v1", "contracts", _, _, "receipt"]) => Self::Quiet,
            ("POST", ["v1", "passport", "blank"]) => Self::Blank,
            ("POST", ["v1", "passport", "tick"]) => Self::Tick,
            ("POST", ["v1", "passport", "certify"]) => Self::Certify,
            ("GET", ["v1", "passport", "answers", _]) => Self::Bucket,
            ("GET", ["usd", "v1", "keysets"]) => Self::Keysets,
            ("GET", ["usd", "v1", "keys"] | ["usd", "v1", "keys", _]) => Self::Keys,
            ("POST", ["usd", "v1", "mint", "quote", _]) => Self::Quote,
            ("GET", ["usd", "v1", "mint", "quote", _, _]) => Self::Quoted,
            ("POST", ["usd", "v1", "mint", _]) => Self::Mint,
            ("POST", ["usd", "v1", "swap"]) => Self::Swap,
            other => panic!("the recorder does not know {other:?}"),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Info => "info",
            Self::Issuer => "issuer",
            Self::Terms => "terms",
            Self::Enrol => "enrol",
            Self::Earned => "earned",
            Self::Income => "income",
            Self::Contract => "contract",
            Self::Pay => "pay",
            Self::Quiet => "quiet",
            Self::Blank => "blank",
            Self::Tick => "tick",
            Self::Certify => "certify",
            Self::Bucket => "bucket",
            Self::Keysets => "keysets",
            Self::Keys => "keys",
            Self::Quote => "quote",
            Self::Quoted => "quoted",
            Self::Mint => "mint",
            Self::Swap => "swap",
        }
    }

    /// What joins an exchange of this kind to others.
    pub(crate) fn bond(self, exchange: &Exchange) -> Option<Bond> {
        let part = |at: usize| exchange.path().split('/').nth(at).unwrap_or_default().to_owned();
        let field = |message: &Message, name: &str| -> String {
            let body: Value = serde_json::from_slice(&message.body).unwrap_or_default();
            body[name].as_str().unwrap_or_default().to_owned()
        };
        match self {
            Self::Terms | Self::Enrol | Self::Earned | Self::Income => Some(Bond::Account),
            Self::Contract | Self::Pay | Self::Quiet => Some(Bond::Contract(part(4))),
            Self::Quote => Some(Bond::Quote(field(&exchange.told, "quote"))),
            Self::Quoted => Some(Bond::Quote(part(6))),
            Self::Mint => Some(Bond::Quote(field(&exchange.asked, "quote"))),
            Self::Place
            | Self::Info
            | Self::Issuer
            | Self::Blank
            | Self::Tick
            | Self::Certify
            | Self::Bucket
            | Self::Keysets
            | Self::Keys
            | Self::Swap => None,
        }
    }
}

/// A value without parts, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Kind, who says it, and the fields' names: `tick ask.request`. Places in arrays are left out.
    pub(crate) place: String,
    pub(crate) value: Value,
}

impl Leaf {
    fn text(place: String, text: &str) -> Self {
        Self { place, value: Value::from(text) }
    }
}

/// All of an exchange.
pub(crate) fn leaves(exchange: &Exchange) -> Vec<Leaf> {
    let kind = Kind::of(exchange).name();
    let mut leaves = Vec::new();
    let (path, query) = exchange.path().split_once('?').unwrap_or((exchange.path(), ""));
    for part in path.split('/').skip(1) {
        leaves.push(Leaf::text(format!("{kind} path"), part));
    }
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        leaves.push(Leaf::text(format!("{kind} query.{name}"), value));
    }
    for (side, message) in [("ask", &exchange.asked), ("tell", &exchange.told)] {
        for (name, value) in &message.headers {
            leaves.push(Leaf::text(format!("{side} header {name}"), value));
        }
        let place = format!("{kind} {side}");
        if !message.body.is_empty() {
            walk(&place, &serde_json::from_slice(&message.body).unwrap(), &mut leaves);
        }
    }
    leaves
}

/// Objects whose names are values: of currencies, and of denominations.
const MAPS: [&str; 3] = ["info tell.units", "info tell.paths", "keys tell.keysets.keys"];

/// All of a value.
pub(crate) fn walk(place: &str, value: &Value, leaves: &mut Vec<Leaf>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if MAPS.contains(&place) { "*" } else { name };
                walk(&format!("{place}.{name}"), value, leaves);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| walk(place, value, leaves)),
        Value::String(text) if place == "certify tell.certificates" => {
            certificate(place, text, leaves);
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {
            leaves.push(Leaf { place: place.to_owned(), value: value.clone() });
        }
    }
}

/// The parts of an SD-JWT: header, payload, signature, and claims that can be left out.
fn certificate(place: &str, text: &str, leaves: &mut Vec<Leaf>) {
    let json =
        |part: &str| -> Value { serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap() };
    let (jwt, claims) = text.split_once('~').unwrap();
    let parts: Vec<&str> = jwt.split('.').collect();
    walk(&format!("{place}.header"), &json(parts[0]), leaves);
    walk(&format!("{place}.payload"), &json(parts[1]), leaves);
    leaves.push(Leaf::text(format!("{place}.signature"), parts[2]));
    for claim in claims.split('~').filter(|claim| !claim.is_empty()) {
        let claim = json(claim);
        leaves.push(Leaf::text(format!("{place}.salt"), claim[0].as_str().unwrap()));
        walk(&format!("{place}.claim.{}", claim[1].as_str().unwrap()), &claim[2], leaves);
    }
}

/// What a place holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holds {
    /// Bytes of one thing, as base64url.
    Bytes,
    /// A request to the passport desk, as base64url: its parts.
    Request,
    /// The reply to a request for a receipt, as base64url: what the desk says in it, and the rest.
    Receipt,
    /// How a bill is paid (NUT-18): the parts of the address.
    Creq,
    /// Text that might be anything.
    Text,
    /// What rule 15 admits, or what says nothing of a person: of this form, and not compared.
    Plain(fn(&Value) -> bool),
}

/// The byte strings of a leaf that may have nothing in common with those of another event.
pub(crate) fn items(value: &Value, holds: Holds) -> Vec<Vec<u8>> {
    let Value::String(text) = value else { return Vec::new() };
    match holds {
        Holds::Bytes => vec![BASE64.decode(text).unwrap()],
        Holds::Request => request(&BASE64.decode(text).unwrap()),
        Holds::Receipt => reply(&BASE64.decode(text).unwrap()),
        Holds::Creq => text_items(text.parse::<PaymentRequest>().unwrap().post_url().unwrap()),
        Holds::Text => text_items(text),
        Holds::Plain(_) => Vec::new(),
    }
}

/// A text's words, and what they are if they are base64url or hexadecimal; a text of few letters as it is.
pub(crate) fn text_items(text: &str) -> Vec<Vec<u8>> {
    let mut items: Vec<Vec<u8>> = Vec::new();
    if text.len() < WINDOW {
        items.push(text.as_bytes().to_vec());
    }
    let is_digit = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let words = text.split(|c: char| !is_digit(c)).filter(|word| 8 <= word.len());
    items.extend(words.filter_map(|word| BASE64.decode(word).ok()));
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| 8 <= word.len());
    for word in words {
        items.push(word.as_bytes().to_vec());
        items.extend(hex(word));
    }
    items
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|it| it.is_ascii_hexdigit());
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    is_hex.then(|| (0..text.len()).step_by(2).map(byte).collect())
}

/// The parts of a request that are not plain numbers: `crates/credit/src/passport/message.rs` has the format.
fn request(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (protocol, body) = (bytes[1], &bytes[68..]);
    let (opaque, plain) = match protocol {
        1 => (32, 2),
        2 | 6 => (32, 0),
        3 => (0, 2),
        7 => (32, 9 + 32),
        other => panic!("protocol {other} is not in this story"),
    };
    let mut parts = vec![&bytes[2..18], &bytes[18..34], &bytes[36..68], &body[..opaque]];
    if protocol == 7 {
        parts.push(&body[opaque + 9..opaque + 9 + 32]);
    }
    parts.push(&body[opaque + plain..]);
    parts.into_iter().map(<[u8]>::to_vec).collect()
}

/// Bytes of a scalar.
const SCALAR: usize = 32;

/// The parts of a reply that are not plain numbers. That to a request for a receipt begins with what the desk says in it: amount,
/// contract, month, whether it is the last, and whether it is met. Other replies say nothing.
pub(crate) fn reply(bytes: &[u8]) -> Vec<Vec<u8>> {
    let is_small = |at: usize| {
        let scalar = bytes.get(at * SCALAR..(at + 1) * SCALAR);
        scalar.is_some_and(|it| it[2..].iter().all(|byte| *byte == 0))
    };
    match [0, 2, 3, 4].into_iter().all(is_small) {
        true => vec![bytes[SCALAR..2 * SCALAR].to_vec(), bytes[5 * SCALAR..].to_vec()],
        false => vec![bytes.to_vec()],
    }
}
