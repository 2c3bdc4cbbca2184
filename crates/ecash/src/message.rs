//! The JSON of the protocol, for both sides: the only types with serde beside newtypes.
//!
//! These types say what stands on the wire, nothing more: a mint turns requests into the types of
//! [`crate::request`], which carry the bounds. Unknown fields are ignored (wallets send `dleq`, `p2pk_e`).
//! Reading order: this file (NUT-00 to 05, 07, 09, 20, 23), [`info`] (NUT-06), [`socket`] (NUT-17).

pub mod info;
pub mod socket;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Visitor;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tacit_core::secret::{self, Secret};
use tacit_core::time::Timestamp;

use crate::dleq;
use crate::keyset::KeysetId;
use crate::point::PointBytes;
use crate::proof;
use crate::text;

/// The method that a quote without one means: answers older than NUT-23 name none.
const DEFAULT_METHOD: &str = "bolt11";

/// A keyset id in a request. What no version of NUT-02 spells is kept as a fact, so that the mint can
/// answer "keyset unknown" and not "bad request".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamedKeyset {
    /// An id of version 1 or 2.
    Id(KeysetId),
    /// Some other text. Cannot be written again.
    Unreadable,
}

impl NamedKeyset {
    /// The id, if it is one.
    pub fn id(self) -> Option<KeysetId> {
        match self {
            Self::Id(id) => Some(id),
            Self::Unreadable => None,
        }
    }
}

impl From<KeysetId> for NamedKeyset {
    fn from(id: KeysetId) -> Self {
        Self::Id(id)
    }
}

impl Serialize for NamedKeyset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Id(id) => id.serialize(serializer),
            Self::Unreadable => Err(S::Error::custom("this keyset id could not be read")),
        }
    }
}

impl<'de> Deserialize<'de> for NamedKeyset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NamedKeysetVisitor)
    }
}

struct NamedKeysetVisitor;

impl Visitor<'_> for NamedKeysetVisitor {
    type Value = NamedKeyset;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a keyset id as a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<NamedKeyset, E> {
        Ok(text.parse().map_or(NamedKeyset::Unreadable, NamedKeyset::Id))
    }
}

/// NUT-00, `Proof`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Denomination, in minor units.
    pub amount: u64,
    /// Keyset that signed it.
    pub id: NamedKeyset,
    /// `x`.
    #[serde(with = "secret::text")]
    pub secret: Secret<String>,
    /// `C`.
    #[serde(rename = "C")]
    pub signature: PointBytes,
    /// What opens the spending condition; absent, `null`, empty, a text or an object (NUT-11).
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::witness")]
    pub witness: Option<Secret<String>>,
}

impl From<proof::Proof> for Proof {
    fn from(proof: proof::Proof) -> Self {
        let proof::Proof { amount, keyset, secret, signature, witness } = proof;
        Self { amount, id: keyset.into(), secret, signature, witness }
    }
}

/// NUT-00, `BlindedMessage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlindedMessage {
    /// Denomination asked for.
    pub amount: u64,
    /// Keyset that is to sign.
    pub id: NamedKeyset,
    /// `B_`.
    #[serde(rename = "B_")]
    pub blinded: PointBytes,
}

impl From<proof::BlindedMessage> for BlindedMessage {
    fn from(message: proof::BlindedMessage) -> Self {
        let proof::BlindedMessage { amount, keyset, blinded } = message;
        Self { amount, id: keyset.into(), blinded }
    }
}

/// NUT-12, the proof that travels with a blind signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dleq {
    /// Challenge.
    #[serde(with = "text::hex32")]
    pub e: [u8; 32],
    /// Response.
    #[serde(with = "text::hex32")]
    pub s: [u8; 32],
}

impl From<dleq::Dleq> for Dleq {
    fn from(dleq::Dleq { e, s }: dleq::Dleq) -> Self {
        Self { e, s }
    }
}

impl From<Dleq> for dleq::Dleq {
    fn from(Dleq { e, s }: Dleq) -> Self {
        Self { e, s }
    }
}

/// NUT-00, `BlindSignature`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlindSignature {
    /// Denomination signed.
    pub amount: u64,
    /// Keyset that signed.
    pub id: KeysetId,
    /// `C_`.
    #[serde(rename = "C_")]
    pub signature: PointBytes,
    /// Proof of the key (NUT-12). Ours always has one; another mint's may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dleq: Option<Dleq>,
}

impl From<proof::BlindSignature> for BlindSignature {
    fn from(signed: proof::BlindSignature) -> Self {
        let proof::BlindSignature { amount, keyset, signature, dleq } = signed;
        Self { amount, id: keyset, signature, dleq: Some(dleq.into()) }
    }
}

/// A blind signature came without its proof (NUT-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the blind signature has no DLEQ proof")]
pub struct NoDleq;

impl TryFrom<BlindSignature> for proof::BlindSignature {
    type Error = NoDleq;

    fn try_from(message: BlindSignature) -> Result<Self, NoDleq> {
        let BlindSignature { amount, id, signature, dleq } = message;
        Ok(Self { amount, keyset: id, signature, dleq: dleq.ok_or(NoDleq)?.into() })
    }
}

/// `GET /v1/keys`, `GET /v1/keys/{keyset_id}` (NUT-01, NUT-02).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysResponse {
    /// Keysets with their keys.
    pub keysets: Vec<KeysetKeys>,
}

/// A keyset with its keys (NUT-01).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysetKeys {
    /// What [`KeysetsResponse`] says of it, too.
    #[serde(flatten)]
    pub keyset: Keyset,
    /// Denomination in minor units to public key, smallest first.
    #[serde(with = "keys")]
    pub keys: BTreeMap<u64, PointBytes>,
}

/// `GET /v1/keysets` (NUT-02).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysetsResponse {
    /// All keysets, active or not.
    pub keysets: Vec<Keyset>,
}

/// A keyset (NUT-02).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyset {
    /// Its name.
    pub id: NamedKeyset,
    /// What its amounts count; a text, for other mints count in more than we know.
    pub unit: String,
    /// Whether it signs new outputs.
    pub active: bool,
    /// Fee for each input, in thousandths of the minor unit; absent or `null` is 0.
    #[serde(default, deserialize_with = "null_is_default")]
    pub input_fee_ppk: u64,
    /// When its e-cash stops being redeemable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_expiry: Option<Timestamp>,
}

/// `POST /v1/swap` (NUT-03).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapRequest {
    /// What is spent.
    pub inputs: Vec<Proof>,
    /// What is asked for.
    pub outputs: Vec<BlindedMessage>,
}

/// Answer to [`SwapRequest`] and [`MintRequest`]: one signature for each output, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignaturesResponse {
    /// The blind signatures.
    pub signatures: Vec<BlindSignature>,
}

impl From<Vec<proof::BlindSignature>> for SignaturesResponse {
    fn from(signatures: Vec<proof::BlindSignature>) -> Self {
        Self { signatures: signatures.into_iter().map(BlindSignature::from).collect() }
    }
}

/// `POST /v1/mint/quote/{method}` (NUT-04, NUT-20, NUT-23).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintQuoteRequest {
    /// How much, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// What is counted.
    pub unit: String,
    /// What the payer is to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Key that must sign the mint request (NUT-20).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pubkey: Option<String>,
}

/// State of a mint quote (NUT-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MintQuoteState {
    /// The request has not been paid.
    Unpaid,
    /// The request has been paid, the e-cash is not issued.
    Paid,
    /// The e-cash is issued.
    Issued,
}

/// A mint quote (NUT-04, NUT-20, NUT-23): answer to its creation, to `GET`, and notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintQuoteResponse {
    /// Quote id.
    pub quote: String,
    /// What to pay: invoice, transfer reference.
    pub request: String,
    /// How much will be issued, in minor units.
    pub amount: u64,
    /// What is counted.
    pub unit: String,
    /// Payment method.
    #[serde(default = "default_method")]
    pub method: String,
    /// Where it stands.
    pub state: MintQuoteState,
    /// Until when the request can be paid. Always written, `null` if for ever.
    pub expiry: Option<Timestamp>,
    /// Key that must sign the mint request, as given (NUT-20). Nutshell writes the empty text for none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "empty_is_none")]
    pub pubkey: Option<PointBytes>,
    /// How much was paid in; present for custom methods (as NUT-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_paid: Option<u64>,
    /// How much was issued; present for custom methods (as NUT-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_issued: Option<u64>,
}

/// `POST /v1/mint/{method}` (NUT-04, NUT-20).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintRequest {
    /// Quote id.
    pub quote: String,
    /// What is to be signed.
    pub outputs: Vec<BlindedMessage>,
    /// Signature of the quote's key, 128 hexadecimal digits (NUT-20).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// `POST /v1/melt/quote/{method}` (NUT-05, NUT-23).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeltQuoteRequest {
    /// What the mint is to pay: invoice, payto address.
    pub request: String,
    /// What the e-cash counts.
    pub unit: String,
    /// How much, where the request does not say, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// Ways to pay that bolt11 knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<MeltOptions>,
}

/// NUT-23, `options` of a melt quote request; NUT-15 for `mpp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeltOptions {
    /// Amount for an invoice that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amountless: Option<Amountless>,
    /// Part of an invoice that several mints pay together (NUT-15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mpp: Option<PartialPayment>,
}

/// NUT-23, `amountless`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amountless {
    /// Amount in thousandths of a satoshi.
    pub amount_msat: u64,
}

/// NUT-15, `mpp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialPayment {
    /// Amount in thousandths of a satoshi.
    pub amount: u64,
}

/// State of a melt quote (NUT-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MeltQuoteState {
    /// Nothing was paid.
    Unpaid,
    /// Being paid.
    Pending,
    /// Paid.
    Paid,
}

/// A melt quote (NUT-05, NUT-08, NUT-23): answer to its creation, to `GET`, to the melt, and notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeltQuoteResponse {
    /// Quote id.
    pub quote: String,
    /// What is to be paid.
    pub request: String,
    /// How much is paid, in minor units, without reserve and fees.
    pub amount: u64,
    /// What is counted.
    pub unit: String,
    /// Payment method.
    #[serde(default = "default_method")]
    pub method: String,
    /// What the payment may cost at most, in minor units.
    pub fee_reserve: u64,
    /// Where it stands.
    pub state: MeltQuoteState,
    /// Until when it can be melted. cashu-ts wants a number.
    pub expiry: Timestamp,
    /// Proof of payment, where the method has one. Always written, `null` until then.
    #[serde(default)]
    pub payment_preimage: Option<String>,
    /// Signatures on blank outputs for what was not needed (NUT-08).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Vec<BlindSignature>>,
}

/// `POST /v1/melt/{method}` (NUT-05, NUT-08).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeltRequest {
    /// Quote id.
    pub quote: String,
    /// What is spent.
    pub inputs: Vec<Proof>,
    /// Blank outputs for change; absent or `null` is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<BlindedMessage>>,
    /// Whether to answer before the payment is done; absent or `null` is no.
    #[serde(default, deserialize_with = "null_is_default")]
    pub prefer_async: bool,
}

/// What a wallet sends to whoever asks for a payment (NUT-18, "Payment payload"), with outputs for a refund beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayRequest {
    /// The payment's id, from the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Unit of the proofs.
    pub unit: String,
    /// What is paid with.
    pub proofs: Vec<Proof>,
    /// Blank outputs, as for change (NUT-08), on which a refund may be signed; absent or `null` is none. No part of NUT-18.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_outputs: Option<Vec<BlindedMessage>>,
}

/// `POST /v1/checkstate` (NUT-07).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckStateRequest {
    /// Points of the secrets asked about.
    #[serde(rename = "Ys")]
    pub ys: Vec<PointBytes>,
}

/// State of a proof (NUT-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SpendState {
    /// Not spent, or never issued: the mint cannot tell.
    Unspent,
    /// Part of a melt under way.
    Pending,
    /// Spent.
    Spent,
}

/// State of one proof (NUT-07): in the answer to a check, and as notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofState {
    /// Which was asked about.
    #[serde(rename = "Y")]
    pub y: PointBytes,
    /// Where it stands.
    pub state: SpendState,
    /// What opened its condition, if that is kept; `null` if not.
    #[serde(default)]
    pub witness: Option<String>,
}

/// Answer to [`CheckStateRequest`], in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckStateResponse {
    /// The states.
    pub states: Vec<ProofState>,
}

/// `POST /v1/restore` (NUT-09).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreRequest {
    /// Outputs that may have been signed. Amounts and ids are not looked at.
    pub outputs: Vec<BlindedMessage>,
}

/// Answer to [`RestoreRequest`]: those that were signed, in the order asked, with their signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreResponse {
    /// Outputs that were signed.
    pub outputs: Vec<BlindedMessage>,
    /// Their signatures, in the same order.
    pub signatures: Vec<BlindSignature>,
}

/// Body of every refusal (NUT-00, "Errors").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// For people.
    pub detail: String,
    /// For programs; see [`crate::code::Code`]. 0 where another mint gives none.
    #[serde(default)]
    pub code: u32,
}

fn default_method() -> String {
    DEFAULT_METHOD.to_owned()
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn empty_is_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PointBytes>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

/// The map of keys. Written out because `flatten` hands keys on as texts, which serde does not read as numbers.
mod keys {
    use super::{BTreeMap, Deserialize, Deserializer, PointBytes, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        keys: &BTreeMap<u64, PointBytes>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        keys.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<u64, PointBytes>, D::Error> {
        use serde::de::Error as _;
        BTreeMap::<String, PointBytes>::deserialize(deserializer)?
            .into_iter()
            .map(|(amount, key)| amount.parse().map(|amount| (amount, key)))
            .collect::<Result<_, _>>()
            .map_err(D::Error::custom)
    }
}
