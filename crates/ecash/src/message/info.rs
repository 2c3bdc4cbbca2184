//! What a mint says of itself (NUT-06), and the settings that other NUTs add to it.

use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;

use crate::point::PointBytes;

/// `GET /v1/info` (NUT-06).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InfoResponse {
    /// Name of the mint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Public key of the mint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pubkey: Option<PointBytes>,
    /// Implementation and version, `tacit/0.1.0`: exactly one slash, or cdk refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// One line on the mint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// More on the mint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description_long: Option<String>,
    /// How to reach the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Vec<Contact>>,
    /// What wallets must show today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motd: Option<String>,
    /// Where its icon is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
    /// Where it can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urls: Option<Vec<String>>,
    /// The mint's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Where its terms of service are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_url: Option<String>,
    /// What it supports.
    #[serde(default)]
    pub nuts: Nuts,
}

/// A way to reach the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Kind of address, such as `email`.
    pub method: String,
    /// The address.
    pub info: String,
}

/// Settings by NUT. What a mint does not support is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nuts {
    /// Minting (NUT-04).
    #[serde(rename = "4", default, skip_serializing_if = "Option::is_none")]
    pub mint: Option<MethodSettings<MintOptions>>,
    /// Melting (NUT-05).
    #[serde(rename = "5", default, skip_serializing_if = "Option::is_none")]
    pub melt: Option<MethodSettings<MeltOptions>>,
    /// State check (NUT-07).
    #[serde(rename = "7", default, skip_serializing_if = "Option::is_none")]
    pub check_state: Option<Supported>,
    /// Change of overpaid fees (NUT-08).
    #[serde(rename = "8", default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Supported>,
    /// Restore (NUT-09).
    #[serde(rename = "9", default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<Supported>,
    /// Spending conditions (NUT-10).
    #[serde(rename = "10", default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Supported>,
    /// Pay to public key (NUT-11).
    #[serde(rename = "11", default, skip_serializing_if = "Option::is_none")]
    pub p2pk: Option<Supported>,
    /// DLEQ proofs (NUT-12).
    #[serde(rename = "12", default, skip_serializing_if = "Option::is_none")]
    pub dleq: Option<Supported>,
    /// Hashed timelock contracts (NUT-14).
    #[serde(rename = "14", default, skip_serializing_if = "Option::is_none")]
    pub htlc: Option<Supported>,
    /// WebSocket subscriptions (NUT-17).
    #[serde(rename = "17", default, skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<Subscriptions>,
    /// Repeated requests (NUT-19).
    #[serde(rename = "19", default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// Signed mint requests (NUT-20).
    #[serde(rename = "20", default, skip_serializing_if = "Option::is_none")]
    pub mint_signature: Option<Supported>,
}

/// Whether something without further settings is supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supported {
    /// Whether it is.
    pub supported: bool,
}

/// Methods for minting or melting (NUT-04, NUT-05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodSettings<O> {
    /// The pairs of method and unit.
    pub methods: Vec<Method<O>>,
    /// Whether the operation is switched off.
    pub disabled: bool,
}

/// A pair of method and unit (NUT-04, NUT-05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method<O> {
    /// Payment method.
    pub method: String,
    /// Unit.
    pub unit: String,
    /// The method's name for people: here the operator says that a `bolt11` alias is not Lightning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_name: Option<String>,
    /// Least amount of one operation, in minor units.
    #[serde(default)]
    pub min_amount: Option<u64>,
    /// Largest amount of one operation, in minor units.
    #[serde(default)]
    pub max_amount: Option<u64>,
    /// What the method adds.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub options: Option<O>,
}

/// NUT-23, options of a mint method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintOptions {
    /// Whether a quote's description reaches the payer.
    #[serde(default)]
    pub description: bool,
}

/// NUT-23, options of a melt method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeltOptions {
    /// Whether requests that name no amount can be paid.
    #[serde(default)]
    pub amountless: bool,
}

/// NUT-17 settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriptions {
    /// What can be subscribed to.
    pub supported: Vec<SubscriptionMethod>,
}

/// What can be subscribed to under one pair of method and unit (NUT-17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionMethod {
    /// Payment method.
    pub method: String,
    /// Unit.
    pub unit: String,
    /// Kinds of subscription, as [`super::socket::Kind`] writes them.
    pub commands: Vec<String>,
}

/// NUT-19 settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// Seconds for which a request is answered again; `null` is for ever.
    pub ttl: Option<u64>,
    /// Which requests.
    pub cached_endpoints: Vec<Endpoint>,
}

/// A route (NUT-19).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// HTTP method.
    pub method: String,
    /// Path from the mint's URL on.
    pub path: String,
}
