//! What wallet and desk send each other about passports, as JSON. Bytes are base64url without padding (RFC 4648, section 5).

pub mod bill;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_with::base64::{Base64, UrlSafe};
use serde_with::formats::Unpadded;
use serde_with::serde_as;

use super::epoch::Epoch;
use super::key::KeyId;

/// Bytes in JSON.
type Bytes = Base64<UrlSafe, Unpadded>;

/// What a wallet has to know before it can ask for anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// Of the requests' bytes: [`VERSION`](super::message::VERSION).
    pub version: u8,
    /// The present month, counted from January 2020, by the desk's clock.
    pub month: Epoch,
    /// The seconds since 1970 of the desk's clock, to the hour: who shows a passport of the month before learns whether it still may.
    pub now: u64,
    /// Keys that passports are shown under, the oldest first; the last are those they are received under.
    pub keys: Vec<Key>,
    /// Where the scorecard is that certificates are made by; none where there are no certificates.
    pub scorecard: Option<Card>,
    /// Minor units of each currency that count as one unit of a passport.
    pub units: BTreeMap<String, u64>,
    /// First part of the path of each currency, without slashes: contracts are under it.
    #[serde(default)]
    pub paths: BTreeMap<String, String>,
}

/// A set of the desk's public keys.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its number: the key epoch.
    pub epoch: u32,
    /// Its name: a hash of the bytes.
    pub id: KeyId,
    /// [`PublicKeys`](super::key::PublicKeys), as bytes.
    #[serde_as(as = "Bytes")]
    pub public: Vec<u8>,
}

/// What certificates are made by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// SHA-256 of the signed card, in hexadecimal digits; the card itself is at `scorecard` beside this.
    pub id: String,
    /// Scores that certificates are made for.
    pub thresholds: Vec<u16>,
    /// Ages in months that they are made for.
    pub tenures: Vec<u16>,
}

/// A request to the passport desk: an event, or a receipt.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// [`Request`](super::message::Request), as bytes.
    #[serde_as(as = "Bytes")]
    pub request: Vec<u8>,
    /// What opens the reply, sealed by the wallet for itself: kept beside the reply, for a wallet that lost both.
    #[serde_as(as = "Bytes")]
    #[serde(default)]
    pub sealed: Vec<u8>,
}

/// A request for certificates.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certify {
    /// As of [`Ask`].
    #[serde_as(as = "Bytes")]
    pub request: Vec<u8>,
    /// As of [`Ask`].
    #[serde_as(as = "Bytes")]
    pub sealed: Vec<u8>,
    /// The keys that the certificates are to be bound to, one each, [`BATCH`](crate::certificate::statement::BATCH) of them:
    /// [`ConfirmationKey`](super::message::ConfirmationKey).
    #[serde_as(as = "Vec<Bytes>")]
    pub keys: Vec<Vec<u8>>,
}

/// The desk's reply.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// As bytes: [`Pending::finish`](super::pending::Pending::finish) makes the next passport of it.
    #[serde_as(as = "Bytes")]
    pub reply: Vec<u8>,
}

/// The desk's reply to a request for certificates.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certified {
    /// As of [`Answer`].
    #[serde_as(as = "Bytes")]
    pub reply: Vec<u8>,
    /// A certificate for each key, in their order: [`Certificate::receive`](crate::certificate::hold::Certificate::receive).
    pub certificates: Vec<String>,
}

/// What was answered, for a wallet that looks for its own among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Some of the bucket's answers, in no order that means anything.
    pub answers: Vec<Kept>,
    /// Where the rest begins: the value of `after` for the next question. None if this was all.
    pub next: Option<String>,
}

/// An answer as it was kept.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The reply.
    #[serde_as(as = "Bytes")]
    pub reply: Vec<u8>,
    /// What opens it, sealed.
    #[serde_as(as = "Bytes")]
    pub sealed: Vec<u8>,
}

/// Where an operator's passport desk is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The address that `/v1/passport` follows.
    pub mint: String,
}

/// What an account's passport would be, for a wallet that shows a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The month the request has to be for: the present one.
    pub month: Epoch,
    /// The month its age counts from.
    pub since: Epoch,
}

/// A wallet asks for its account's passport.
#[serde_as]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// As of [`Ask`].
    #[serde_as(as = "Bytes")]
    pub request: Vec<u8>,
    /// As of [`Ask`].
    #[serde_as(as = "Bytes")]
    pub sealed: Vec<u8>,
    /// The key that the wallet will ask for income with, in hexadecimal digits. The desk keeps a hash of it.
    pub access: String,
}

/// A month's income of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Income {
    /// The month the money came in.
    pub of: Epoch,
    /// The month a passport has to stand in to take it on: the next one.
    pub month: Epoch,
    /// Units: so many may be counted, once.
    pub units: u16,
    /// Whether a passport has counted it.
    pub is_counted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_base64url_and_nothing_else_is_let_in() {
        let ask = Ask { request: vec![0xff, 0xef, 1], sealed: vec![] };
        let text = r#"{"request":"_-8B","sealed":""}"#;
        assert_eq!(serde_json::to_string(&ask).unwrap(), text);
        assert_eq!(serde_json::from_str::<Ask>(text).unwrap(), ask);
        assert_eq!(serde_json::from_str::<Ask>(r#"{"request":"_-8B"}"#).unwrap(), ask);
        for wrong in [
            r#"{"request":"/+8B"}"#,
            r#"{"request":"_-8B="}"#,
            r#"{"request":"_-9"}"#,
            r#"{"request":"_-8B","more":1}"#,
            r#"{"request":[255]}"#,
            "{}",
        ] {
            assert!(serde_json::from_str::<Ask>(wrong).is_err(), "{wrong}");
        }
    }
}
