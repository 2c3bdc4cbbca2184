//! E-cash for a payment: a quote, and once it is paid, signatures (NUT-04).

use secp256k1::{PublicKey, SECP256K1};
use tacit_core::amount::Amount;
use tacit_core::hex;
use tacit_core::unit::Unit;
use tacit_ecash::limit;
use tacit_ecash::message::{MintQuoteRequest, MintQuoteResponse, MintQuoteState, MintRequest};
use tacit_ecash::point::PointBytes;
use tacit_ecash::quote_lock;

use super::prepare::{PrepareError, held, opening, reservations, signing_keyset};
use super::settle::{Settle, SettleError, Settled};
use super::{Wallet, Yield};
use crate::batch::{Batch, Change};
use crate::denomination::split_to_keep;
use crate::derive::DeriveError;
use crate::history::{Draft, Kind, Progress, ended};
use crate::mint::MintUrl;
use crate::output::Outputs;
use crate::state::{Exchange, OpenOperation, OperationId, Purpose};
use crate::transport::{Answer, Reading, Refusal, Request, read};

/// Opens a quote. It stands among the open operations until its e-cash is issued.
#[derive(Debug)]
pub struct Quote {
    mint: MintUrl,
    method: String,
    amount: Amount,
    phase: QuotePhase,
}

#[derive(Debug)]
enum QuotePhase {
    Begin,
    /// The key is being used up, so that no other quote has it.
    Keyed(u32),
    Asked(u32),
    Persisting(Box<Quoted>),
}

/// A quote to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// For [`Mint`], once it is paid.
    pub operation: OperationId,
    /// What to pay, and until when.
    pub quote: MintQuoteResponse,
}

/// Why there is no quote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// The mint could not be reached, or answered something else.
    #[error("the mint did not answer")]
    NoAnswer,
    /// The mint said no.
    #[error("the mint gives no quote: {refusal}")]
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// The quote is for another amount or unit.
    #[error("the quote is not for what was asked")]
    OtherAmount,
    /// The quote is locked to a key that is not this wallet's: its e-cash could not be had.
    #[error("the quote is locked to another key")]
    OtherKey,
    /// There is no key. No input is known to reach it.
    #[error(transparent)]
    Derive(#[from] DeriveError),
}

type NextQuote = Result<Yield<Result<Quoted, QuoteError>>, QuoteError>;

impl Quote {
    /// For an amount, to be paid by a method such as `bank`.
    pub fn new(mint: MintUrl, method: String, amount: Amount) -> Self {
        Self { mint, method, amount, phase: QuotePhase::Begin }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<Quoted, QuoteError>> {
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> NextQuote {
        match &self.phase {
            QuotePhase::Begin => {
                let number = wallet.state.quote_keys;
                self.phase = QuotePhase::Keyed(number);
                Ok(Yield::Persist(Batch { changes: vec![Change::UseQuoteKey { number }] }))
            }
            QuotePhase::Keyed(number) => {
                let number = *number;
                let request = MintQuoteRequest {
                    amount: Some(self.amount.value()),
                    unit: self.amount.unit().to_string(),
                    description: None,
                    pubkey: Some(public_key(wallet, number)?.to_string()),
                };
                self.phase = QuotePhase::Asked(number);
                let path = format!("/v1/mint/quote/{}", self.method);
                Ok(Yield::Send(Request::post(&self.mint, &path, &request)))
            }
            QuotePhase::Asked(number) => match read(answer) {
                Reading::Taken(quote) => self.take(wallet, quote, *number),
                Reading::Refused(refusal) => Err(QuoteError::Refused { refusal }),
                Reading::Unclear => Err(QuoteError::NoAnswer),
            },
            QuotePhase::Persisting(quoted) => Ok(Yield::Done(Ok(quoted.as_ref().clone()))),
        }
    }

    fn take(&mut self, wallet: Wallet<'_>, quote: MintQuoteResponse, number: u32) -> NextQuote {
        if quote.amount != self.amount.value() || quote.unit != self.amount.unit().code() {
            return Err(QuoteError::OtherAmount);
        }
        // A mint that knows nothing of NUT-20 names no key, and asks for no signature.
        if quote.pubkey.is_some() && quote.pubkey != Some(public_key(wallet, number)?) {
            return Err(QuoteError::OtherKey);
        }
        let key = quote.pubkey.map(|_| number);
        let (mint, unit) = (self.mint.clone(), self.amount.unit());
        let (quoted, batch) = opened(wallet, (mint, unit), &self.method, quote, key);
        self.phase = QuotePhase::Persisting(Box::new(quoted));
        Ok(Yield::Persist(batch))
    }
}

/// A quote that was taken, and what opens it. `key`: number of the key it is locked to.
pub(super) fn opened(
    wallet: Wallet<'_>,
    (mint, unit): (MintUrl, Unit),
    method: &str,
    quote: MintQuoteResponse,
    key: Option<u32>,
) -> (Quoted, Batch) {
    let purpose = Purpose::Mint {
        method: method.to_owned(),
        quote: quote.quote.clone(),
        request: quote.request.clone(),
        amount: quote.amount,
        expiry: quote.expiry,
        key,
    };
    let operation = OpenOperation { mint, unit, purpose, exchange: None };
    let draft = Draft { kind: Kind::Minted, amount: quote.amount, fee: 0, memo: None };
    let (operation, batch) = opening(wallet, operation, draft);
    (Quoted { operation, quote }, batch)
}

/// Has the e-cash of a quote issued, if it is paid.
#[derive(Debug)]
pub struct Mint {
    id: OperationId,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Begin,
    Asked,
    /// The quote was issued, and not to this wallet as far as it knows.
    Closing,
    Settling(Settle),
}

/// Why there is no e-cash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// The quote waits on.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// See there; [`SettleError::AwaitsPayment`] if the quote is not paid yet.
    #[error(transparent)]
    Settle(#[from] SettleError),
}

impl Mint {
    /// Of an open operation that [`Quote`] began.
    pub fn new(operation: OperationId) -> Self {
        Self { id: operation, phase: Phase::Begin }
    }

    /// Moves on; see [`crate::operation`]. Gives what was added to the balance, in minor units.
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<u64, MintError>> {
        if let Phase::Settling(settle) = &mut self.phase {
            return settle.step(wallet, answer).map(|result| match result? {
                Settled::Minted { amount } => Ok(amount),
                Settled::Received { .. } | Settled::Sent(_) | Settled::Paid(_) => {
                    Err(SettleError::UnknownOperation.into())
                }
            });
        }
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Result<Yield<Result<u64, MintError>>, MintError> {
        if matches!(self.phase, Phase::Closing) {
            return Err(SettleError::AlreadyIssued.into());
        }
        let operation = wallet.state.operations.get(&self.id);
        let operation = operation.ok_or(SettleError::UnknownOperation)?;
        let Purpose::Mint { method, quote, amount, key, .. } = &operation.purpose else {
            return Err(SettleError::UnknownOperation.into());
        };
        if operation.exchange.is_some() {
            self.phase = Phase::Settling(Settle::new(self.id));
            return Ok(self.step(wallet, None));
        }
        if matches!(self.phase, Phase::Begin) {
            self.phase = Phase::Asked;
            let path = format!("/v1/mint/quote/{method}/{quote}");
            return Ok(Yield::Send(Request::get(&operation.mint, path)));
        }
        let Reading::Taken(MintQuoteResponse { state, .. }) = read(answer) else {
            return Err(SettleError::NoAnswer.into());
        };
        match state {
            MintQuoteState::Unpaid => Err(SettleError::AwaitsPayment.into()),
            MintQuoteState::Issued => {
                self.phase = Phase::Closing;
                let mut changes = vec![Change::Close { id: self.id }];
                changes.extend(ended(wallet, self.id, Progress::Failed));
                Ok(Yield::Persist(Batch { changes }))
            }
            MintQuoteState::Paid => {
                let exchange = prepare(wallet, operation, method, (quote, *key), *amount)?;
                let mut changes = reservations(self.id, &exchange);
                let (id, from) = (self.id, Box::new(operation.clone()));
                let to = OpenOperation { exchange: Some(exchange), ..operation.clone() };
                let to = Box::new(to);
                changes.push(Change::Replace { id, from, to });
                self.phase = Phase::Settling(Settle::new(id));
                Ok(Yield::Persist(Batch { changes }))
            }
        }
    }
}

fn prepare(
    wallet: Wallet<'_>,
    operation: &OpenOperation,
    method: &str,
    (quote, key): (&str, Option<u32>),
    amount: u64,
) -> Result<Exchange, PrepareError> {
    let OpenOperation { mint, unit, .. } = operation;
    let (id, keyset) = signing_keyset(wallet.state, mint, *unit)?;
    let held = held(wallet.state, mint, *unit, &[]);
    let denominations = keyset.pinned.keys.keys().copied();
    let amounts = split_to_keep(amount, denominations, &held, limit::OUTPUTS)?;
    let outputs = Outputs::next(id, keyset, amounts);
    let messages = outputs.messages(wallet)?;
    // The message of NUT-20 at the commit named in `lib.rs`: every mint that is known takes it.
    let sign = |number| -> Result<String, DeriveError> {
        let key = wallet.seed.quote_key(number)?;
        Ok(hex::encode(&quote_lock::sign(quote, &messages, &key, &wallet.seed.aux(quote))))
    };
    let signature = key.map(sign).transpose()?;
    let outputs_sent = messages.iter().copied().map(Into::into).collect();
    let request = MintRequest { quote: quote.to_owned(), outputs: outputs_sent, signature };
    let request = Request::post(mint, &format!("/v1/mint/{method}"), &request);
    Ok(Exchange { request, ys: Vec::new(), own: Vec::new(), outputs })
}

pub(super) fn public_key(wallet: Wallet<'_>, number: u32) -> Result<PointBytes, DeriveError> {
    Ok(PublicKey::from_secret_key(SECP256K1, &wallet.seed.quote_key(number)?).into())
}
