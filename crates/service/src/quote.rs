//! Quotes: an offer to issue e-cash against money received (NUT-04), or money against e-cash (NUT-05).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use tacit_core::hex;
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::BlindedMessage;

use crate::account::AccountId;
use crate::keyset::KeysetNumber;
use crate::payto::Payto;

/// A quote's secret name: 122 random bits, written as a UUID of version 4.
///
/// Not version 7, which NUT-04 recommends: its first half is the moment of creation to the millisecond, and
/// the vault keeps no such time (ADR 0003).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuoteId([u8; 16]);

/// The text is no quote id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quote id is a UUID")]
pub struct QuoteIdError;

impl QuoteId {
    /// A quote id of 16 random bytes.
    pub const fn from_random(mut random: [u8; 16]) -> Self {
        random[6] = (random[6] & 0x0f) | 0x40; // Version 4 (RFC 9562, section 5.4).
        random[8] = (random[8] & 0x3f) | 0x80; // Variant 10.
        Self(random)
    }

    /// The 16 bytes as stored.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for QuoteId {
    type Err = QuoteIdError;

    fn from_str(text: &str) -> Result<Self, QuoteIdError> {
        let dashes_stand_right =
            text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-');
        if !dashes_stand_right {
            return Err(QuoteIdError);
        }
        hex::decode(&text.replace('-', "")).map(Self).map_err(|_| QuoteIdError)
    }
}

impl fmt::Display for QuoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = hex::encode(&self.0);
        let (a, b, c, d, e) = (&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]);
        write!(f, "{a}-{b}-{c}-{d}-{e}")
    }
}

/// Shows nothing: whoever knows a quote id may mint it (NUT-04).
impl fmt::Debug for QuoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QuoteId(..)")
    }
}

/// How money comes and goes, as wallets name it in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// A transfer to or from a bank account.
    Bank,
    /// The same rail under the name that wallets without custom methods know. **Not** Lightning.
    Bolt11,
}

impl Method {
    /// The name in paths and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bank => "bank",
            Self::Bolt11 => "bolt11",
        }
    }
}

/// No method has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("payment method is not known")]
pub struct UnknownMethod;

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        [Self::Bank, Self::Bolt11]
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or(UnknownMethod)
    }
}

/// How far a mint quote is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MintQuoteState {
    /// Waits for the money.
    Unpaid,
    /// The money is here, the e-cash is not issued.
    Paid,
    /// Issued, against the outputs of this digest: the same list is answered again, another is refused.
    Issued {
        /// [`outputs_digest`] of what was signed.
        outputs: [u8; 32],
    },
}

/// An output as a commit takes it: its keyset by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// Keyset that is to sign.
    pub keyset: KeysetNumber,
    /// Denomination, in minor units; without meaning in a blank output (NUT-08).
    pub amount: u64,
    /// `B_`.
    pub blinded: PointBytes,
}

/// A digest of a list of outputs, in order: which list a quote was issued for.
pub fn outputs_digest(outputs: &[BlindedMessage]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"tacit/outputs/v1");
    for output in outputs {
        hash.update(output.amount.to_be_bytes());
        hash.update(output.keyset.as_bytes());
        hash.update(output.blinded.as_bytes());
    }
    hash.finalize().into()
}

/// An offer to issue e-cash (NUT-04).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MintQuote {
    /// Its secret name.
    pub id: QuoteId,
    /// Unit to be issued.
    pub unit: Unit,
    /// How it is to be paid.
    pub method: Method,
    /// What the payer needs: a payment reference or a synthetic invoice.
    pub request: String,
    /// Minor units.
    pub amount: u64,
    /// Key that must sign the mint request (NUT-20).
    pub pubkey: Option<PointBytes>,
    /// Until when it may be paid; rounded up to the hour once it is issued.
    pub expiry: Timestamp,
    /// How far it is.
    pub state: MintQuoteState,
}

impl MintQuote {
    /// Whether e-cash may still be issued for it.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, MintQuoteState::Issued { .. })
    }
}

/// How far a melt quote is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeltQuoteState {
    /// Nothing is held; the payment may be started.
    Unpaid,
    /// Proofs are held, the rail has been or is being asked to pay.
    Pending(PendingMelt),
    /// Paid, proofs spent, change signed.
    Paid {
        /// What the rail took, in minor units.
        fee_paid: u64,
        /// What the rail gives as evidence: a preimage or an end-to-end reference.
        evidence: Option<String>,
        /// The change outputs that were signed, with their amounts, in the order they were supplied (NUT-08).
        change: Vec<Output>,
    },
}

/// What a started payment holds until the rail has a final answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingMelt {
    /// Value of the proofs held, in minor units by the keyset that signed them.
    pub inputs: BTreeMap<KeysetNumber, u64>,
    /// Fee for spending them (NUT-02), in minor units.
    pub input_fee: u64,
    /// Blank outputs for change (NUT-08); their amounts mean nothing.
    pub outputs: Vec<Output>,
}

impl PendingMelt {
    /// Keysets that its end still moves money in: those of the proofs it holds, and those it owes change in.
    pub fn keysets(&self) -> impl Iterator<Item = KeysetNumber> {
        self.inputs.keys().copied().chain(self.outputs.iter().map(|output| output.keyset))
    }
}

/// An offer to pay money out (NUT-05).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeltQuote {
    /// Its secret name.
    pub id: QuoteId,
    /// Unit to be redeemed.
    pub unit: Unit,
    /// How it is to be paid out.
    pub method: Method,
    /// Whom to pay: a `payto` URI (RFC 8905) or a synthetic invoice.
    pub request: String,
    /// Minor units the payee gets.
    pub amount: u64,
    /// Minor units held for the rail's cost; what is not used comes back as change.
    pub fee_reserve: u64,
    /// Until when the payment may be started; rounded up to the hour once it is paid.
    pub expiry: Timestamp,
    /// Payments started so far: with the id, the rail's idempotency key. A failed one is never retried under its number.
    pub attempt: u32,
    /// How far it is.
    pub state: MeltQuoteState,
}

impl MeltQuote {
    /// The account here that it pays, if that is its target: `payto://tacit/ACCOUNT?amount=usd:10.50`.
    pub fn payee(&self) -> Option<AccountId> {
        Payto::parse(&self.request).ok()?.account()
    }

    /// Whether its payment may still be started.
    pub fn is_open(&self) -> bool {
        self.state == MeltQuoteState::Unpaid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quote_ids_are_random_uuids() {
        let id = QuoteId::from_random([0xff; 16]);
        assert_eq!(id.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in
            ["", "ffffffff-ffff-4fff-bfff-fffffffffff", "ffffffffffff4fffbfffffffffffffffffff", "é"]
        {
            assert_eq!(text.parse::<QuoteId>(), Err(QuoteIdError), "{text:?}");
        }
    }

    #[test]
    fn a_quote_id_does_not_print_in_debug() {
        assert_eq!(format!("{:?}", QuoteId::from_random([1; 16])), "QuoteId(..)");
    }
}
