//! Takes up a mint quote that the state does not know: it was lost, or the quote was opened on another device.
//!
//! The words give its key (NUT-20), but not its id: that stands where it was paid, or the mint can tell it.

use tacit_core::unit::{Unit, UnitError};
use tacit_ecash::limit;
use tacit_ecash::message::{MintQuoteResponse, MintQuoteState};
use tacit_ecash::point::PointBytes;

use super::mint::{Quoted, opened, public_key};
use super::{Wallet, Yield};
use crate::batch::{Batch, Change};
use crate::derive::DeriveError;
use crate::mint::MintUrl;
use crate::state::{OpenOperation, Purpose};
use crate::transport::{Answer, Reading, Refusal, Request, read};

/// Keys tried beyond those that the state knows of.
const KEYS_AHEAD: u32 = 1_000;

/// Looks a quote up and, if its e-cash is not issued yet, opens it: [`super::mint::Mint`] goes on with it.
#[derive(Debug)]
pub struct Recover {
    mint: MintUrl,
    method: String,
    quote: String,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Begin,
    Asked,
    Persisting(Box<Quoted>),
}

/// Why a quote is not taken up. Nothing has changed. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// No id of a quote: letters, digits, `-`, `_` and `.` make one.
    #[error("this is no id of a quote")]
    Id,
    /// The state knows it.
    #[error("this quote is open already")]
    Known,
    /// The mint could not be reached, or answered something else.
    #[error("the mint did not answer")]
    NoAnswer,
    /// The mint said no.
    #[error("the mint does not know the quote: {refusal}")]
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// The unit is none this wallet knows.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// Somebody has its e-cash. If it was this wallet, a restore finds it.
    #[error("the e-cash of this quote was issued before")]
    AlreadyIssued,
    /// It is locked to a key that these words do not give.
    #[error("the quote is locked to another key")]
    OtherKey,
    /// There is no key. No input is known to reach it.
    #[error(transparent)]
    Derive(#[from] DeriveError),
}

type Next = Result<Yield<Result<Quoted, RecoverError>>, RecoverError>;

impl Recover {
    /// Of a quote's id, under a method such as `bank`.
    pub fn new(mint: MintUrl, method: String, quote: String) -> Self {
        Self { mint, method, quote, phase: Phase::Begin }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<Quoted, RecoverError>> {
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> Next {
        match &self.phase {
            Phase::Begin => {
                // It becomes part of a path.
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                let is_id = !self.quote.is_empty() && self.quote.bytes().all(fits);
                if !is_id || limit::QUOTE_ID < self.quote.len() {
                    return Err(RecoverError::Id);
                }
                let is_this = |operation: &OpenOperation| {
                    operation.mint == self.mint
                        && matches!(&operation.purpose, Purpose::Mint { quote, .. } if *quote == self.quote)
                };
                if wallet.state.operations.values().any(is_this) {
                    return Err(RecoverError::Known);
                }
                self.phase = Phase::Asked;
                let path = format!("/v1/mint/quote/{}/{}", self.method, self.quote);
                Ok(Yield::Send(Request::get(&self.mint, path)))
            }
            Phase::Asked => match read::<MintQuoteResponse>(answer) {
                Reading::Taken(quote) if quote.quote == self.quote => self.take(wallet, quote),
                Reading::Refused(refusal) => Err(RecoverError::Refused { refusal }),
                Reading::Taken(_) | Reading::Unclear => Err(RecoverError::NoAnswer),
            },
            Phase::Persisting(quoted) => Ok(Yield::Done(Ok(quoted.as_ref().clone()))),
        }
    }

    fn take(&mut self, wallet: Wallet<'_>, quote: MintQuoteResponse) -> Next {
        let unit: Unit = quote.unit.parse()?;
        if quote.state == MintQuoteState::Issued {
            return Err(RecoverError::AlreadyIssued);
        }
        let used = wallet.state.quote_keys;
        let key = quote.pubkey.map(|key| number_of(wallet, key, used)).transpose()?;
        let (quoted, opened) = opened(wallet, (self.mint.clone(), unit), &self.method, quote, key);
        self.phase = Phase::Persisting(Box::new(quoted));
        // Its key, and those before it, are used for no other quote.
        let keys = key.map_or(used..used, |number| used..number.saturating_add(1).max(used));
        let mut changes: Vec<Change> = keys.map(|number| Change::UseQuoteKey { number }).collect();
        changes.extend(opened.changes);
        Ok(Yield::Persist(Batch { changes }))
    }
}

/// The number of a quote's key.
fn number_of(wallet: Wallet<'_>, key: PointBytes, used: u32) -> Result<u32, RecoverError> {
    for number in 0..used.saturating_add(KEYS_AHEAD) {
        if public_key(wallet, number)? == key {
            return Ok(number);
        }
    }
    Err(RecoverError::OtherKey)
}
