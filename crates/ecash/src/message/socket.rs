//! Subscriptions over a WebSocket, in JSON-RPC 2.0 (NUT-17).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MeltQuoteResponse, MintQuoteResponse, ProofState};
use crate::limit;
use crate::point::PointBytes;

/// The only version of JSON-RPC spoken.
pub const VERSION: &str = "2.0";

/// What a wallet sends. [`Request::command`] says what it wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `2.0`.
    pub jsonrpc: String,
    /// `subscribe` or `unsubscribe`.
    pub method: String,
    /// What the method needs.
    #[serde(default)]
    pub params: Value,
    /// Given back in the answer.
    pub id: RequestId,
}

/// Number of a request; NUT-17 counts, its example of an error has a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestId {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// What a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Tell of every change, beginning with how it stands.
    Subscribe {
        /// Name of the subscription, chosen by the wallet.
        subscription: String,
        /// To what.
        target: Target,
    },
    /// Tell no more.
    Unsubscribe {
        /// Name of the subscription.
        subscription: String,
    },
}

/// What is subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// States of proofs.
    Proofs(Vec<PointBytes>),
    /// Mint quotes of a method.
    MintQuotes {
        /// Payment method.
        method: String,
        /// Quote ids.
        quotes: Vec<String>,
    },
    /// Melt quotes of a method.
    MeltQuotes {
        /// Payment method.
        method: String,
        /// Quote ids.
        quotes: Vec<String>,
    },
}

/// Kind of subscription, written `proof_state`, `bolt11_mint_quote`, `bank_melt_quote`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// States of proofs.
    ProofState,
    /// Mint quotes of a method.
    MintQuote(String),
    /// Melt quotes of a method.
    MeltQuote(String),
}

/// Why a request cannot be followed. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not JSON.
    #[error("the message is not JSON")]
    NotJson,
    /// JSON, but no request of JSON-RPC 2.0, or one whose id is longer than a subscription's may be.
    #[error("the message is no JSON-RPC 2.0 request")]
    NotARequest,
    /// Neither `subscribe` nor `unsubscribe`.
    #[error("the method is neither subscribe nor unsubscribe")]
    UnknownMethod,
    /// Parameters are missing or of the wrong type.
    #[error("the parameters are not those of the method")]
    Params,
    /// No such kind of subscription.
    #[error("no such kind of subscription")]
    UnknownKind,
    /// More filters, or longer ids, than [`limit`] allows.
    #[error("too many filters, or too long an id")]
    TooLarge,
}

impl RequestError {
    /// The number of JSON-RPC 2.0, section 5.1.
    pub fn code(self) -> i32 {
        match self {
            Self::NotJson => -32_700,
            Self::NotARequest => -32_600,
            Self::UnknownMethod => -32_601,
            Self::Params | Self::UnknownKind | Self::TooLarge => -32_602,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubscribeParams {
    kind: String,
    filters: Vec<String>,
    sub_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UnsubscribeParams {
    sub_id: String,
}

impl Request {
    /// Reads a message.
    ///
    /// # Errors
    /// [`RequestError::NotJson`], [`RequestError::NotARequest`]: to be answered without an id.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        let value: Value = serde_json::from_str(text).map_err(|_| RequestError::NotJson)?;
        let request: Self = serde_json::from_value(value).map_err(|_| RequestError::NotARequest)?;
        let long_id = match &request.id {
            RequestId::Number(_) => false,
            RequestId::Text(id) => id.len() > limit::SUBSCRIPTION_ID,
        };
        if request.jsonrpc != VERSION || long_id {
            return Err(RequestError::NotARequest);
        }
        Ok(request)
    }

    /// What it wants.
    ///
    /// # Errors
    /// The [`RequestError`]s from [`RequestError::UnknownMethod`] on: to be answered with the request's id.
    pub fn command(self) -> Result<Command, RequestError> {
        match self.method.as_str() {
            "subscribe" => {
                let params: SubscribeParams =
                    serde_json::from_value(self.params).map_err(|_| RequestError::Params)?;
                let kind: Kind = params.kind.parse()?;
                let subscription = bounded_id(params.sub_id)?;
                let target = Target::new(kind, params.filters)?;
                Ok(Command::Subscribe { subscription, target })
            }
            "unsubscribe" => {
                let params: UnsubscribeParams =
                    serde_json::from_value(self.params).map_err(|_| RequestError::Params)?;
                Ok(Command::Unsubscribe { subscription: bounded_id(params.sub_id)? })
            }
            _ => Err(RequestError::UnknownMethod),
        }
    }
}

fn bounded_id(id: String) -> Result<String, RequestError> {
    if id.len() > limit::SUBSCRIPTION_ID { Err(RequestError::TooLarge) } else { Ok(id) }
}

impl Target {
    fn new(kind: Kind, filters: Vec<String>) -> Result<Self, RequestError> {
        if filters.len() > limit::FILTERS
            || filters.iter().any(|filter| filter.len() > limit::QUOTE_ID)
        {
            return Err(RequestError::TooLarge);
        }
        Ok(match kind {
            Kind::ProofState => {
                let points: Result<_, _> = filters.iter().map(|filter| filter.parse()).collect();
                Self::Proofs(points.map_err(|_| RequestError::Params)?)
            }
            Kind::MintQuote(method) => Self::MintQuotes { method, quotes: filters },
            Kind::MeltQuote(method) => Self::MeltQuotes { method, quotes: filters },
        })
    }
}

impl FromStr for Kind {
    type Err = RequestError;

    fn from_str(text: &str) -> Result<Self, RequestError> {
        let method = |suffix| text.strip_suffix(suffix).filter(|method| is_method(method));
        if text == "proof_state" {
            Ok(Self::ProofState)
        } else if let Some(method) = method("_mint_quote") {
            Ok(Self::MintQuote(method.to_owned()))
        } else if let Some(method) = method("_melt_quote") {
            Ok(Self::MeltQuote(method.to_owned()))
        } else {
            Err(RequestError::UnknownKind)
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProofState => f.write_str("proof_state"),
            Self::MintQuote(method) => write!(f, "{method}_mint_quote"),
            Self::MeltQuote(method) => write!(f, "{method}_melt_quote"),
        }
    }
}

/// Whether a text may name a payment method: `[a-z0-9_-]+` (NUT-04), and not too long.
fn is_method(text: &str) -> bool {
    (1..=limit::METHOD).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// What a mint sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// The request was followed.
    Done {
        /// `2.0`.
        jsonrpc: String,
        /// For which subscription.
        result: Acknowledgement,
        /// Id of the request.
        id: RequestId,
    },
    /// The request was not followed.
    Refused {
        /// `2.0`.
        jsonrpc: String,
        /// Why.
        error: Refusal,
        /// Id of the request; `null` if it had none that could be read.
        id: Option<RequestId>,
    },
    /// Something subscribed to has changed.
    Notification {
        /// `2.0`.
        jsonrpc: String,
        /// `subscribe`.
        method: String,
        /// What has changed.
        params: Notification,
    },
}

impl Answer {
    /// The request was followed.
    pub fn done(id: RequestId, subscription: String) -> Self {
        let result = Acknowledgement { status: "OK".to_owned(), subscription };
        Self::Done { jsonrpc: VERSION.to_owned(), result, id }
    }

    /// The request was not followed.
    pub fn refused(id: Option<RequestId>, error: RequestError) -> Self {
        let error = Refusal { code: error.code(), message: error.to_string() };
        Self::Refused { jsonrpc: VERSION.to_owned(), error, id }
    }

    /// How something subscribed to stands now.
    pub fn notification(subscription: String, payload: Payload) -> Self {
        let params = Notification { subscription, payload };
        Self::Notification { jsonrpc: VERSION.to_owned(), method: "subscribe".to_owned(), params }
    }
}

/// Result of a request that was followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// `OK`.
    pub status: String,
    /// Name of the subscription.
    #[serde(rename = "subId")]
    pub subscription: String,
}

/// Why a request was not followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// JSON-RPC 2.0, section 5.1.
    pub code: i32,
    /// For people.
    pub message: String,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Name of the subscription.
    #[serde(rename = "subId")]
    pub subscription: String,
    /// How it stands now.
    pub payload: Payload,
}

/// How something stands: told apart by `Y` and `fee_reserve`, which only the first and second have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Payload {
    /// A proof.
    Proof(ProofState),
    /// A melt quote.
    Melt(MeltQuoteResponse),
    /// A mint quote.
    Mint(MintQuoteResponse),
}
