//! What a wallet asks of a mint, read from [`crate::message`] and within the bounds of [`crate::limit`].
//!
//! Nothing here is checked against keys or a store: a keyset may be unknown, a signature false, an output
//! no point. Duplicates, sums and units are the mint's to check, too.

use tacit_core::hex;
use tacit_core::unit::Unit;

use crate::code::Code;
use crate::limit;
use crate::message;
use crate::point::PointBytes;
use crate::proof::{BlindedMessage, Proof};

/// Why a request cannot be taken up. Variants stand in the order they are checked; `index` counts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// No code of its own.
    #[error("a quote id has at most {max} bytes", max = limit::QUOTE_ID)]
    QuoteIdTooLong,
    /// NUT error 11013.
    #[error("the unit is not known")]
    UnknownUnit,
    /// NUT error 11006.
    #[error("the request names no amount")]
    NoAmount,
    /// No code of its own.
    #[error("a description has at most {max} bytes", max = limit::DESCRIPTION)]
    DescriptionTooLong,
    /// No code of its own.
    #[error("a payment request has at most {max} bytes", max = limit::PAYMENT_REQUEST)]
    PaymentRequestTooLong,
    /// NUT error 20009.
    #[error("the public key of the quote is no compressed point")]
    InvalidPubkey,
    /// No code of its own.
    #[error("the request spends nothing")]
    NoInputs,
    /// NUT error 11014.
    #[error("a request has at most {max} inputs", max = limit::INPUTS)]
    TooManyInputs,
    /// NUT error 12001.
    #[error("input {index} names no known keyset")]
    UnknownInputKeyset {
        /// Which input.
        index: usize,
    },
    /// NUT error 10001.
    #[error("the secret of input {index} has more than {max} bytes", max = limit::SECRET)]
    SecretTooLong {
        /// Which input.
        index: usize,
    },
    /// NUT error 10001.
    #[error("the witness of input {index} has more than {max} bytes", max = limit::WITNESS)]
    WitnessTooLong {
        /// Which input.
        index: usize,
    },
    /// No code of its own.
    #[error("the request asks for nothing")]
    NoOutputs,
    /// NUT error 11015.
    #[error("a request has at most {max} outputs", max = limit::OUTPUTS)]
    TooManyOutputs,
    /// NUT error 12001.
    #[error("output {index} names no known keyset")]
    UnknownOutputKeyset {
        /// Which output.
        index: usize,
    },
    /// NUT error 20008.
    #[error("the signature of the mint request is not 64 bytes in hexadecimal")]
    InvalidMintSignature,
    /// No code of its own.
    #[error("a state check names at most {max} proofs", max = limit::STATES)]
    TooManyStates,
}

impl MessageError {
    /// The code for wallets.
    pub fn code(self) -> Code {
        match self {
            Self::QuoteIdTooLong
            | Self::DescriptionTooLong
            | Self::PaymentRequestTooLong
            | Self::NoInputs
            | Self::NoOutputs
            | Self::TooManyStates => Code::Refused,
            Self::UnknownUnit => Code::UnknownUnit,
            Self::NoAmount => Code::AmountOutOfRange,
            Self::InvalidPubkey => Code::PubkeyRequired,
            Self::TooManyInputs => Code::TooManyInputs,
            Self::SecretTooLong { .. } | Self::WitnessTooLong { .. } => Code::InvalidProof,
            Self::TooManyOutputs => Code::TooManyOutputs,
            Self::UnknownInputKeyset { .. } | Self::UnknownOutputKeyset { .. } => {
                Code::UnknownKeyset
            }
            Self::InvalidMintSignature => Code::InvalidMintSignature,
        }
    }
}

/// At least one and at most [`limit::INPUTS`] proofs, none with an oversize secret or witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs(Vec<Proof>);

impl Inputs {
    /// Takes proofs that keep the bounds.
    ///
    /// # Errors
    /// [`MessageError`], `NoInputs` to `WitnessTooLong`.
    pub fn new(proofs: Vec<Proof>) -> Result<Self, MessageError> {
        check_count(proofs.len())?;
        for (index, proof) in proofs.iter().enumerate() {
            check_lengths(index, proof)?;
        }
        Ok(Self(proofs))
    }

    /// The proofs.
    pub fn as_slice(&self) -> &[Proof] {
        &self.0
    }

    /// The proofs.
    pub fn into_vec(self) -> Vec<Proof> {
        self.0
    }

    fn read(proofs: Vec<message::Proof>) -> Result<Self, MessageError> {
        check_count(proofs.len())?;
        let read = |(index, proof): (usize, message::Proof)| {
            let message::Proof { amount, id, secret, signature, witness } = proof;
            let keyset = id.id().ok_or(MessageError::UnknownInputKeyset { index })?;
            let proof = Proof { amount, keyset, secret, signature, witness };
            check_lengths(index, &proof).map(|()| proof)
        };
        proofs.into_iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }
}

fn check_count(inputs: usize) -> Result<(), MessageError> {
    match inputs {
        0 => Err(MessageError::NoInputs),
        1..=limit::INPUTS => Ok(()),
        _ => Err(MessageError::TooManyInputs),
    }
}

fn check_lengths(index: usize, proof: &Proof) -> Result<(), MessageError> {
    if proof.secret.expose().len() > limit::SECRET {
        return Err(MessageError::SecretTooLong { index });
    }
    if proof.witness.as_ref().is_some_and(|witness| witness.expose().len() > limit::WITNESS) {
        return Err(MessageError::WitnessTooLong { index });
    }
    Ok(())
}

/// At most [`limit::OUTPUTS`] blinded messages; at least one, unless they are blank (NUT-08).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs(Vec<BlindedMessage>);

impl Outputs {
    /// Takes one or more messages.
    ///
    /// # Errors
    /// [`MessageError::NoOutputs`], [`MessageError::TooManyOutputs`].
    pub fn new(messages: Vec<BlindedMessage>) -> Result<Self, MessageError> {
        if messages.is_empty() { Err(MessageError::NoOutputs) } else { Self::blank(messages) }
    }

    /// Takes messages, none among the choices: the blank outputs of a melt (NUT-08).
    ///
    /// # Errors
    /// [`MessageError::TooManyOutputs`].
    pub fn blank(messages: Vec<BlindedMessage>) -> Result<Self, MessageError> {
        if messages.len() > limit::OUTPUTS {
            return Err(MessageError::TooManyOutputs);
        }
        Ok(Self(messages))
    }

    /// The messages.
    pub fn as_slice(&self) -> &[BlindedMessage] {
        &self.0
    }

    /// The messages.
    pub fn into_vec(self) -> Vec<BlindedMessage> {
        self.0
    }

    fn read(messages: Vec<message::BlindedMessage>) -> Result<Self, MessageError> {
        if messages.is_empty() { Err(MessageError::NoOutputs) } else { Self::read_blank(messages) }
    }

    fn read_blank(messages: Vec<message::BlindedMessage>) -> Result<Self, MessageError> {
        if messages.len() > limit::OUTPUTS {
            return Err(MessageError::TooManyOutputs);
        }
        let read = |(index, message): (usize, message::BlindedMessage)| {
            let message::BlindedMessage { amount, id, blinded } = message;
            let keyset = id.id().ok_or(MessageError::UnknownOutputKeyset { index })?;
            Ok(BlindedMessage { amount, keyset, blinded })
        };
        messages.into_iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }
}

/// A swap (NUT-03).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapRequest {
    /// What is spent.
    pub inputs: Inputs,
    /// What is asked for.
    pub outputs: Outputs,
}

impl TryFrom<message::SwapRequest> for SwapRequest {
    type Error = MessageError;

    fn try_from(body: message::SwapRequest) -> Result<Self, MessageError> {
        Ok(Self { inputs: Inputs::read(body.inputs)?, outputs: Outputs::read(body.outputs)? })
    }
}

impl From<SwapRequest> for message::SwapRequest {
    fn from(request: SwapRequest) -> Self {
        Self { inputs: write(request.inputs.0), outputs: write(request.outputs.0) }
    }
}

/// A mint quote is asked for (NUT-04, NUT-20, NUT-23).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintQuoteRequest {
    /// How much, in minor units; not yet compared with any limit.
    pub amount: u64,
    /// What is counted.
    pub unit: Unit,
    /// What the payer is to read.
    pub description: Option<String>,
    /// Key that must sign the mint request; a point of the curve.
    pub pubkey: Option<PointBytes>,
}

impl TryFrom<message::MintQuoteRequest> for MintQuoteRequest {
    type Error = MessageError;

    fn try_from(body: message::MintQuoteRequest) -> Result<Self, MessageError> {
        let unit = read_unit(&body.unit)?;
        let amount = body.amount.ok_or(MessageError::NoAmount)?;
        let description = body.description.filter(|text| !text.is_empty());
        if description.as_ref().is_some_and(|text| text.len() > limit::DESCRIPTION) {
            return Err(MessageError::DescriptionTooLong);
        }
        let read_key = |text: String| {
            let key: PointBytes = text.parse().map_err(|_| MessageError::InvalidPubkey)?;
            key.parse().map_err(|_| MessageError::InvalidPubkey)?;
            Ok(key)
        };
        let pubkey = body.pubkey.filter(|text| !text.is_empty()).map(read_key).transpose()?;
        Ok(Self { amount, unit, description, pubkey })
    }
}

impl From<MintQuoteRequest> for message::MintQuoteRequest {
    fn from(request: MintQuoteRequest) -> Self {
        Self {
            amount: Some(request.amount),
            unit: request.unit.to_string(),
            description: request.description,
            pubkey: request.pubkey.map(|key| key.to_string()),
        }
    }
}

/// Signatures are asked for, against a paid quote (NUT-04, NUT-20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintRequest {
    /// Quote id, as sent.
    pub quote: String,
    /// What is to be signed.
    pub outputs: Outputs,
    /// Signature of the quote's key over quote and outputs (BIP-340).
    pub signature: Option<[u8; 64]>,
}

impl TryFrom<message::MintRequest> for MintRequest {
    type Error = MessageError;

    fn try_from(body: message::MintRequest) -> Result<Self, MessageError> {
        let quote = read_quote_id(body.quote)?;
        let outputs = Outputs::read(body.outputs)?;
        let read_signature =
            |text: String| hex::decode(&text).map_err(|_| MessageError::InvalidMintSignature);
        let signature =
            body.signature.filter(|text| !text.is_empty()).map(read_signature).transpose()?;
        Ok(Self { quote, outputs, signature })
    }
}

impl From<MintRequest> for message::MintRequest {
    fn from(request: MintRequest) -> Self {
        Self {
            quote: request.quote,
            outputs: write(request.outputs.0),
            signature: request.signature.map(|bytes| hex::encode(&bytes)),
        }
    }
}

/// A melt quote is asked for (NUT-05, NUT-23).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeltQuoteRequest {
    /// What the mint is to pay.
    pub request: String,
    /// What the e-cash counts.
    pub unit: Unit,
    /// How much, where the request does not say, in minor units.
    pub amount: Option<u64>,
    /// How much for an invoice that names no amount, in thousandths of a satoshi.
    pub amountless_msat: Option<u64>,
    /// Whether other mints are to pay the rest (NUT-15).
    pub is_partial: bool,
}

impl TryFrom<message::MeltQuoteRequest> for MeltQuoteRequest {
    type Error = MessageError;

    fn try_from(body: message::MeltQuoteRequest) -> Result<Self, MessageError> {
        let unit = read_unit(&body.unit)?;
        if body.request.len() > limit::PAYMENT_REQUEST {
            return Err(MessageError::PaymentRequestTooLong);
        }
        let amountless = body.options.and_then(|options| options.amountless);
        Ok(Self {
            request: body.request,
            unit,
            amount: body.amount,
            amountless_msat: amountless.map(|option| option.amount_msat),
            is_partial: body.options.is_some_and(|options| options.mpp.is_some()),
        })
    }
}

/// A payment is asked for, with the e-cash for it (NUT-05, NUT-08).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeltRequest {
    /// Quote id, as sent.
    pub quote: String,
    /// What is spent.
    pub inputs: Inputs,
    /// Blank outputs for what is not needed; their amounts mean nothing.
    pub outputs: Outputs,
    /// Whether to answer before the payment is done.
    pub prefer_async: bool,
}

impl TryFrom<message::MeltRequest> for MeltRequest {
    type Error = MessageError;

    fn try_from(body: message::MeltRequest) -> Result<Self, MessageError> {
        Ok(Self {
            quote: read_quote_id(body.quote)?,
            inputs: Inputs::read(body.inputs)?,
            outputs: Outputs::read_blank(body.outputs.unwrap_or_default())?,
            prefer_async: body.prefer_async,
        })
    }
}

impl From<MeltRequest> for message::MeltRequest {
    fn from(request: MeltRequest) -> Self {
        let outputs = write(request.outputs.0);
        Self {
            quote: request.quote,
            inputs: write(request.inputs.0),
            outputs: Some(outputs).filter(|outputs: &Vec<_>| !outputs.is_empty()),
            prefer_async: request.prefer_async,
        }
    }
}

/// A payment request is paid (NUT-18).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayRequest {
    /// The payment's id, if the wallet repeats it.
    pub id: Option<String>,
    /// What is counted.
    pub unit: Unit,
    /// What is paid with.
    pub inputs: Inputs,
    /// Blank outputs for a refund; their amounts mean nothing.
    pub refund_outputs: Outputs,
}

impl TryFrom<message::PayRequest> for PayRequest {
    type Error = MessageError;

    fn try_from(body: message::PayRequest) -> Result<Self, MessageError> {
        let unit = read_unit(&body.unit)?;
        let inputs = Inputs::read(body.proofs)?;
        let refund_outputs = Outputs::read_blank(body.refund_outputs.unwrap_or_default())?;
        Ok(Self { id: body.id, unit, inputs, refund_outputs })
    }
}

/// States of proofs are asked for (NUT-07).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckStateRequest {
    /// Points of the secrets, at most [`limit::STATES`].
    pub ys: Vec<PointBytes>,
}

impl TryFrom<message::CheckStateRequest> for CheckStateRequest {
    type Error = MessageError;

    fn try_from(body: message::CheckStateRequest) -> Result<Self, MessageError> {
        if body.ys.len() > limit::STATES {
            return Err(MessageError::TooManyStates);
        }
        Ok(Self { ys: body.ys })
    }
}

/// Signatures given before are asked for (NUT-09).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreRequest {
    /// Blinded secrets `B_`, at most [`limit::OUTPUTS`]. Amounts and keysets do not matter: what was signed
    /// is answered with its own.
    pub blinded: Vec<PointBytes>,
}

impl TryFrom<message::RestoreRequest> for RestoreRequest {
    type Error = MessageError;

    fn try_from(body: message::RestoreRequest) -> Result<Self, MessageError> {
        if body.outputs.len() > limit::OUTPUTS {
            return Err(MessageError::TooManyOutputs);
        }
        Ok(Self { blinded: body.outputs.into_iter().map(|output| output.blinded).collect() })
    }
}

fn read_unit(code: &str) -> Result<Unit, MessageError> {
    Unit::new(code).map_err(|_| MessageError::UnknownUnit)
}

fn read_quote_id(quote: String) -> Result<String, MessageError> {
    if quote.len() > limit::QUOTE_ID { Err(MessageError::QuoteIdTooLong) } else { Ok(quote) }
}

fn write<T, M: From<T>>(values: Vec<T>) -> Vec<M> {
    values.into_iter().map(M::from).collect()
}
