//! A payment by the mint for e-cash (NUT-05), with change for what it did not cost (NUT-08).

use tacit_core::amount::Amount;
use tacit_core::unit::Unit;
use tacit_ecash::message::{MeltQuoteRequest, MeltQuoteResponse, MeltQuoteState, MeltRequest};

use super::prepare::{PrepareError, Spend, choices, opening, signing_keyset};
use super::settle::{Payment, Settle, SettleError, Settled};
use super::{Wallet, Yield};
use crate::batch::Batch;
use crate::history::{Draft, Kind};
use crate::mint::MintUrl;
use crate::output::Outputs;
use crate::select::at_least;
use crate::state::{Exchange, OpenOperation, ProofId, Purpose};
use crate::transport::{Answer, Reading, Refusal, Request, read};

/// Asks what a payment would cost. Nothing is kept of it.
#[derive(Debug)]
pub struct Quote {
    mint: MintUrl,
    method: String,
    request: String,
    unit: Unit,
    amount: Option<u64>,
    is_asked: bool,
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
    /// The quote is for another amount, unit or request.
    #[error("the quote is not for what was asked")]
    OtherPayment,
}

impl Quote {
    /// For a payment request (invoice, payto address) that names its amount.
    pub fn new(mint: MintUrl, method: String, request: String, unit: Unit) -> Self {
        Self { mint, method, request, unit, amount: None, is_asked: false }
    }

    /// For a payment request that leaves the amount to the payer.
    pub fn of_amount(mint: MintUrl, method: String, request: String, amount: Amount) -> Self {
        Self { amount: Some(amount.value()), ..Self::new(mint, method, request, amount.unit()) }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(&mut self, answer: Option<Answer>) -> Yield<Result<MeltQuoteResponse, QuoteError>> {
        if !std::mem::replace(&mut self.is_asked, true) {
            let request = MeltQuoteRequest {
                request: self.request.clone(),
                unit: self.unit.to_string(),
                amount: self.amount,
                options: None,
            };
            let path = format!("/v1/melt/quote/{}", self.method);
            return Yield::Send(Request::post(&self.mint, &path, &request));
        }
        Yield::Done(match read::<MeltQuoteResponse>(answer) {
            Reading::Taken(quote) => {
                let is_same = quote.unit == self.unit.code()
                    && quote.request == self.request
                    && self.amount.is_none_or(|amount| amount == quote.amount);
                if is_same { Ok(quote) } else { Err(QuoteError::OtherPayment) }
            }
            Reading::Refused(refusal) => Err(QuoteError::Refused { refusal }),
            Reading::Unclear => Err(QuoteError::NoAnswer),
        })
    }
}

/// Pays a quote.
#[derive(Debug)]
pub struct Melt {
    mint: MintUrl,
    method: String,
    quote: MeltQuoteResponse,
    settling: Option<Settle>,
}

/// Why a payment was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeltError {
    /// The quote is paid, or being paid, or an operation for it is open.
    #[error("this quote is paid already, or about to be")]
    NotUnpaid,
    /// The unit is none this wallet knows.
    #[error("the unit of the quote is not known")]
    Unit,
    /// Nothing has changed.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The payment did not go through, or is open.
    #[error(transparent)]
    Settle(#[from] SettleError),
}

impl Melt {
    /// Of a quote that the person has agreed to: its amount, and a cost up to its reserve.
    pub fn new(mint: MintUrl, method: String, quote: MeltQuoteResponse) -> Self {
        Self { mint, method, quote, settling: None }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<Payment, MeltError>> {
        match &mut self.settling {
            None => match self.begin(wallet) {
                Ok(batch) => Yield::Persist(batch),
                Err(error) => Yield::Done(Err(error)),
            },
            Some(settle) => settle.step(wallet, answer).map(|result| match result? {
                Settled::Paid(payment) => Ok(payment),
                Settled::Minted { .. } | Settled::Received { .. } | Settled::Sent(_) => {
                    Err(SettleError::UnknownOperation.into())
                }
            }),
        }
    }

    fn begin(&mut self, wallet: Wallet<'_>) -> Result<Batch, MeltError> {
        let MeltQuoteResponse { quote, amount, fee_reserve, state, unit, .. } = &self.quote;
        if *state != MeltQuoteState::Unpaid || self.is_open(wallet) {
            return Err(MeltError::NotUnpaid);
        }
        let unit: Unit = unit.parse().map_err(|_| MeltError::Unit)?;
        let choices = choices(wallet.state, &self.mint, unit);
        let chosen =
            at_least(amount.saturating_add(*fee_reserve), &choices).map_err(PrepareError::from)?;
        let ids: Vec<ProofId> = chosen.iter().map(|choice| choice.key).collect();
        let spend = Spend::of_own(wallet, &ids)?;
        let excess = spend.net(wallet.state)? - amount;
        let (id, keyset) = signing_keyset(wallet.state, &self.mint, unit)?;
        let outputs = Outputs::blank(id, keyset, excess);
        let messages = outputs.messages(wallet).map_err(PrepareError::from)?;
        let blanks: Vec<_> = messages.into_iter().map(Into::into).collect();
        let request = MeltRequest {
            quote: quote.clone(),
            inputs: spend.messages(),
            outputs: (!blanks.is_empty()).then_some(blanks),
            prefer_async: false,
        };
        let request = Request::post(&self.mint, &format!("/v1/melt/{}", self.method), &request);
        let input_fee = spend.sum() - amount - excess;
        let cost = input_fee.saturating_add(*fee_reserve); // At most: the end says what it was.
        let Spend { ys, own, .. } = spend;
        let kind = Kind::PaidOut;
        let (amount, memo) = (*amount, Some(self.quote.request.clone()));
        let draft = Draft { kind, amount, fee: cost, memo };
        let purpose = Purpose::Melt { method: self.method.clone(), quote: quote.clone() };
        let exchange = Some(Exchange { request, ys, own, outputs });
        let operation = OpenOperation { mint: self.mint.clone(), unit, purpose, exchange };
        let (id, batch) = opening(wallet, operation, draft);
        self.settling = Some(Settle::new(id));
        Ok(batch)
    }

    fn is_open(&self, wallet: Wallet<'_>) -> bool {
        wallet.state.operations.values().any(|operation| {
            operation.mint == self.mint
                && matches!(&operation.purpose, Purpose::Melt { quote, .. } if *quote == self.quote.quote)
        })
    }
}
