//! Payment requests: what somebody asks to be paid, where, how and under which lock, as one line of text (NUT-18).
//!
//! Version A (`creqA…`, CBOR) and version B (`CREQB1…`, TLV in Bech32m, NUT-26) are read and written. Fields of the
//! later text of NUT-18 that wallets write already are read, too: `mp` (the mints are preferred, not the only ones)
//! and `sm` (methods that the payer's mint must pay out by, each with a fee).

mod cbor;
pub mod lock_option;
pub mod payload;
mod tlv;

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::str::FromStr;

use base64::Engine;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Checksum, Hrp};

use self::lock_option::LockOption;
use crate::limit;
use crate::token::BASE64;

/// Before the data of version B.
const HRP: &str = "creqb";

/// What is asked for. Every field may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentRequest {
    /// By which the receiver knows the payment again.
    pub id: Option<String>,
    /// How much the receiver is to have once the fee of swapping it is paid, in minor units.
    pub amount: Option<u64>,
    /// What is counted; a text, for other mints count in more than we know. Never absent beside an amount.
    pub unit: Option<String>,
    /// Whether it may be paid once only.
    pub is_single_use: Option<bool>,
    /// Mints whose e-cash is taken; any mint's, if empty.
    pub mints: Vec<String>,
    /// Whether other mints will do, too.
    pub is_any_mint_taken: Option<bool>,
    /// Methods one of which the payer's mint must pay out by; any or none, if empty.
    pub methods: Vec<Method>,
    /// For the payer to read: text from outside.
    pub description: Option<String>,
    /// How to deliver the payment, best first. If empty, it goes back the way the request came.
    pub transports: Vec<Transport>,
    /// What the proofs are to be locked with.
    pub lock: Option<LockOption>,
}

/// A method by which the receiver has other mints' e-cash paid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name, such as `bolt11`.
    pub name: String,
    /// What the payer adds if its mint is not among those listed, in minor units.
    pub fee: Option<u64>,
}

/// One way to deliver a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transport {
    /// Which.
    pub kind: TransportKind,
    /// Where to: a URL, or a Nostr profile (`nprofile1…`). In hexadecimal for [`TransportKind::Numbered`].
    pub target: String,
    /// Further words, each list beginning with what it is about.
    pub tags: Vec<Vec<String>>,
}

/// Kinds of transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportKind {
    /// A Nostr message.
    Nostr,
    /// The body of an HTTP `POST`.
    Post,
    /// Not known here. Version A calls kinds by name.
    Named(String),
    /// Not known here. Version B counts them.
    Numbered(u8),
}

/// Why a text is no payment request. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentRequestError {
    /// Too long to be read.
    #[error("a payment request has at most {max} bytes", max = limit::CREQ)]
    TooLong,
    /// Neither `creqA` nor `creqb1` at the front.
    #[error("the text does not begin as a payment request")]
    Prefix,
    /// Version A, and not base64 for URLs.
    #[error("the payment request is not base64")]
    Base64,
    /// Version B, and not Bech32m, or mistyped.
    #[error("the payment request is mistyped: its checksum does not hold")]
    Checksum,
    /// Not the CBOR or TLV of a payment request: cut off, of wrong types, or with a field that stands twice.
    #[error("the payment request does not have the form of its version")]
    Form,
    /// More mints, methods, transports or tags than anybody needs.
    #[error("a list in the payment request has more than {max} entries", max = limit::CREQ_LIST)]
    TooMany,
    /// An amount, or methods with fees, of nothing.
    #[error("the payment request has an amount without a unit")]
    NoUnit,
}

/// A request, or a part of it, has no form in this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWritable {
    /// A kind of transport or lock that only the other version can name.
    #[error("this version of payment requests has no name for a transport or lock")]
    Kind,
    /// A Nostr transport whose target is neither `nprofile1…` nor `npub1…`.
    #[error("the target of the Nostr transport is no profile")]
    Nostr,
    /// A text longer than its length can say, or the whole longer than anybody reads.
    #[error("the payment request is too long for this version")]
    TooLong,
}

/// Bech32 or Bech32m for texts longer than their error correction is made for. NUT-26 and NIP-19 set no bound;
/// [`limit::CREQ`] is ours, and a profile in a request is hardly longer than the request.
struct Long<C>(PhantomData<C>);

impl<C: Checksum> Checksum for Long<C> {
    type MidstateRepr = C::MidstateRepr;
    type CorrectionField = C::CorrectionField;
    const ROOT_GENERATOR: Self::CorrectionField = C::ROOT_GENERATOR;
    const ROOT_EXPONENTS: RangeInclusive<usize> = C::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = 2 * limit::CREQ;
    const CHECKSUM_LENGTH: usize = C::CHECKSUM_LENGTH;
    const GENERATOR_SH: [Self::MidstateRepr; 5] = C::GENERATOR_SH;
    const TARGET_RESIDUE: Self::MidstateRepr = C::TARGET_RESIDUE;
}

impl PaymentRequest {
    /// Writes version A.
    ///
    /// # Errors
    /// [`NotWritable::Kind`], [`NotWritable::TooLong`].
    ///
    /// Source: NUT-18, "Encoded Request".
    pub fn to_creq_a(&self) -> Result<String, NotWritable> {
        bounded(format!("creqA{}", BASE64.encode(cbor::write(self)?)))
    }

    /// Writes version B, in capitals, which make a smaller QR code.
    ///
    /// # Errors
    /// [`NotWritable`].
    ///
    /// Source: NUT-26, "Encoded Request Format".
    pub fn to_creq_b(&self) -> Result<String, NotWritable> {
        let bytes = tlv::write(self)?;
        let hrp = Hrp::parse(HRP).expect("five letters are a prefix");
        let text = bech32::encode_upper::<Long<Bech32m>>(hrp, &bytes);
        bounded(text.map_err(|_| NotWritable::TooLong)?)
    }

    /// The first transport that goes by `POST`: its URL.
    pub fn post_url(&self) -> Option<&str> {
        let mut posts = self.transports.iter().filter(|it| it.kind == TransportKind::Post);
        posts.next().map(|transport| transport.target.as_str())
    }

    fn checked(self) -> Result<Self, PaymentRequestError> {
        let tags = || {
            let tags = self.transports.iter().map(|transport| &transport.tags);
            tags.chain(self.lock.iter().map(|lock| &lock.tags))
        };
        if tags().flatten().any(Vec::is_empty) {
            return Err(PaymentRequestError::Form);
        }
        let lengths = tags().flat_map(|tags| tags.iter().map(Vec::len).chain([tags.len()]));
        let lists = [self.mints.len(), self.methods.len(), self.transports.len()];
        if lists.into_iter().chain(lengths).any(|length| limit::CREQ_LIST < length) {
            return Err(PaymentRequestError::TooMany);
        }
        if self.unit.is_none() && (self.amount.is_some() || !self.methods.is_empty()) {
            return Err(PaymentRequestError::NoUnit);
        }
        Ok(self)
    }
}

/// Reads either version, also out of a `bitcoin:` link that carries one (NUT-26, "BIP-321 Integration").
impl FromStr for PaymentRequest {
    type Err = PaymentRequestError;

    fn from_str(text: &str) -> Result<Self, PaymentRequestError> {
        if limit::CREQ < text.len() {
            return Err(PaymentRequestError::TooLong);
        }
        let text = carried(text).ok_or(PaymentRequestError::Prefix)?;
        if begins(text, "creqa") {
            // Some wallets write the alphabet that is not for URLs; so does a vector of NUT-18.
            let data = text[5..].replace('+', "-").replace('/', "_");
            let cbor = BASE64.decode(data).map_err(|_| PaymentRequestError::Base64)?;
            cbor::read(&cbor)?.checked()
        } else if begins(text, "creqb1") {
            let read = CheckedHrpstring::new::<Long<Bech32m>>(text);
            let read = read.map_err(|_| PaymentRequestError::Checksum)?;
            tlv::read(&read.byte_iter().collect::<Vec<u8>>())?.checked()
        } else {
            Err(PaymentRequestError::Prefix)
        }
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nostr => f.write_str("nostr"),
            Self::Post => f.write_str("post"),
            Self::Named(name) => f.write_str(name),
            Self::Numbered(number) => write!(f, "transport {number}"),
        }
    }
}

fn bounded(text: String) -> Result<String, NotWritable> {
    if text.len() <= limit::CREQ { Ok(text) } else { Err(NotWritable::TooLong) }
}

/// The request in a link; the text itself if it is none.
fn carried(text: &str) -> Option<&str> {
    if begins(text, "bitcoin:") {
        let (_, query) = text.split_once('?')?;
        let mut fields = query.split('&').filter_map(|field| field.split_once('='));
        return fields.find(|(name, _)| name.eq_ignore_ascii_case("creq")).map(|(_, text)| text);
    }
    Some(text.strip_prefix("cashu:").unwrap_or(text))
}

fn begins(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
}
