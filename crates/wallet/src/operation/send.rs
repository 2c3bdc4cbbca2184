//! Puts an amount into a token for somebody else.

use tacit_core::amount::Amount;
use tacit_ecash::condition::Preimage;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::limit;
use tacit_ecash::message::SwapRequest;

use super::prepare::{PrepareError, Spend, choices, held, opening, signing_keyset};
use super::refund::offered;
use super::settle::{Settle, SettleError, Settled};
use super::{Wallet, Yield};
use crate::batch::{Batch, Change};
use crate::denomination::{split, split_to_keep};
use crate::history::{Draft, Kind};
use crate::locked::Locking;
use crate::mint::MintUrl;
use crate::output::Outputs;
use crate::select::{at_least, exactly, fee};
use crate::state::{
    Delivery, Exchange, KeysetState, OpenOperation, OperationId, ProofId, Purpose, SentToken,
    Status,
};
use crate::token::SealedToken;
use crate::transport::{Answer, Request};
use crate::unlock::open;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// From which mint.
    pub mint: MintUrl,
    /// How much the receiver is to have.
    pub amount: Amount,
    /// Whether the token also holds the fee that the receiver pays to swap it.
    pub is_fee_added: bool,
    /// To the receiver.
    pub memo: Option<String>,
    /// What the proofs are locked with. Whether the mint knows of locks is for the driver to ask (NUT-06): another one
    /// would take the money from whoever sees it first.
    pub lock: Option<Locking>,
    /// Where the token is to be sent, if it pays a request; see [`crate::operation::pay`].
    pub delivery: Option<Delivery>,
}

/// Makes a token. If proofs add up to the amount it asks nobody; otherwise it swaps for the parts and change.
#[derive(Debug)]
pub struct Send {
    order: Order,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Begin,
    /// Proofs added up: the token is being persisted.
    Exact(OperationId),
    Settling(Settle),
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Nothing has changed.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The swap for the parts did not go through, or is open.
    #[error(transparent)]
    Settle(#[from] SettleError),
}

impl Send {
    /// By this order.
    pub fn new(order: Order) -> Self {
        Self { order, phase: Phase::Begin }
    }

    /// Moves on; see [`crate::operation`]. The token stays in the state until it is known to be spent.
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<SealedToken, SendError>> {
        match &mut self.phase {
            Phase::Begin => match self.begin(wallet) {
                Ok(batch) => Yield::Persist(batch),
                Err(error) => Yield::Done(Err(error.into())),
            },
            Phase::Exact(id) => {
                let sealed = SealedToken::open(wallet, *id).map_err(PrepareError::from);
                Yield::Done(match sealed {
                    Ok(sealed) => sealed.ok_or(SettleError::UnknownOperation.into()),
                    Err(error) => Err(error.into()),
                })
            }
            Phase::Settling(settle) => settle.step(wallet, answer).map(|result| match result? {
                Settled::Sent(token) => Ok(token),
                Settled::Received { .. } | Settled::Minted { .. } | Settled::Paid(_) => {
                    Err(SettleError::UnknownOperation.into())
                }
            }),
        }
    }

    fn begin(&mut self, wallet: Wallet<'_>) -> Result<Batch, PrepareError> {
        let Order { mint, amount, is_fee_added, memo, lock, delivery } = &self.order;
        let unit = amount.unit();
        let choices = choices(wallet.state, mint, unit);
        if let Some(chosen) = exactly(amount.value(), &choices, *is_fee_added)
            .filter(|chosen| !chosen.is_empty() && chosen.len() <= limit::INPUTS)
            .filter(|_| lock.is_none())
        {
            let proofs = chosen.iter().map(|choice| choice.key).collect();
            let token = SentToken {
                mint: mint.clone(),
                unit,
                memo: memo.clone(),
                proofs,
                locked: Vec::new(),
                delivery: delivery.clone(),
            };
            let held: u64 = chosen.iter().map(|choice| choice.amount).sum();
            let draft = self.draft(held);
            let (id, batch) = exact(wallet, token, draft);
            self.phase = Phase::Exact(id);
            return Ok(batch);
        }
        let (keyset_id, keyset) = signing_keyset(wallet.state, mint, unit)?;
        let denominations = || keyset.pinned.keys.keys().copied();
        let fee_ppk = if *is_fee_added { keyset.pinned.input_fee_ppk } else { 0 };
        let is_denomination = |part: u64| keyset.pinned.keys.contains_key(&part);
        let split_up = |sum| split(sum, denominations(), limit::OUTPUTS / 2);
        let parts = parts(amount.value(), fee_ppk, split_up, is_denomination)?;
        let chosen = at_least(parts.iter().sum(), &choices)?;
        let ids: Vec<ProofId> = chosen.iter().map(|choice| choice.key).collect();
        let spend = Spend::of_own(wallet, &ids)?;
        let change = spend.net(wallet.state)? - parts.iter().sum::<u64>();
        let held = held(wallet.state, mint, unit, &spend.own);
        let kept = split_to_keep(change, denominations(), &held, limit::OUTPUTS / 2)?;
        // Sorted by amount, so that their order does not tell the mint which are sent.
        let mut amounts: Vec<(u64, bool)> = parts.iter().map(|part| (*part, true)).collect();
        amounts.extend(kept.iter().map(|part| (*part, false)));
        amounts.sort_unstable();
        let (outputs, parts) = self.outputs((keyset_id, keyset), &amounts)?;
        let (memo, delivery) = (memo.clone(), delivery.clone());
        let purpose = Purpose::Send { parts, memo, delivery };
        let draft = self.draft(spend.sum() - kept.iter().sum::<u64>());
        let exchange = swap(wallet, mint, spend, outputs, None)?;
        let operation =
            OpenOperation { mint: mint.clone(), unit, purpose, exchange: Some(exchange) };
        let (id, batch) = opening(wallet, operation, draft);
        self.phase = Phase::Settling(Settle::new(id));
        Ok(batch)
    }

    /// The outputs of amounts, of which some are to be sent, and which of them go into the token.
    fn outputs(
        &self,
        (id, keyset): (KeysetId, &KeysetState),
        amounts: &[(u64, bool)],
    ) -> Result<(Outputs, Vec<usize>), PrepareError> {
        let sent = amounts.iter().enumerate().filter(|(_, (_, is_sent))| *is_sent);
        let sent = sent.map(|(place, (amount, _))| (place, *amount));
        let Some(lock) = &self.order.lock else {
            let all = amounts.iter().map(|(amount, _)| *amount).collect();
            return Ok((Outputs::next(id, keyset, all), sent.map(|(place, _)| place).collect()));
        };
        let locked = lock.outputs(&sent.collect::<Vec<_>>())?;
        let kept = amounts.iter().filter(|(_, is_sent)| !is_sent).map(|(amount, _)| *amount);
        let outputs = Outputs::next(id, keyset, kept.collect());
        Ok((Outputs { locked, ..outputs }, Vec::new()))
    }

    /// `given`: what leaves the balance for the token, fees and all, in minor units.
    fn draft(&self, given: u64) -> Draft {
        let Order { amount, memo, .. } = &self.order;
        let amount = amount.value();
        Draft { kind: Kind::Sent, amount, fee: given - amount, memo: memo.clone() }
    }
}

/// A swap of proofs into outputs, ready to be sent (NUT-03).
pub(crate) fn swap(
    wallet: Wallet<'_>,
    mint: &MintUrl,
    spend: Spend,
    outputs: Outputs,
    preimage: Option<Preimage>,
) -> Result<Exchange, PrepareError> {
    let messages = outputs.messages(wallet)?;
    let Spend { inputs, ys, own } = spend;
    let mut inputs = inputs.into_vec();
    open(wallet, &mut inputs, &messages, preimage)?;
    let inputs = inputs.into_iter().map(Into::into).collect();
    let outputs_sent = messages.into_iter().map(Into::into).collect();
    let request = SwapRequest { inputs, outputs: outputs_sent };
    let request = Request::post(mint, "/v1/swap", &request);
    Ok(Exchange { request, ys, own, outputs })
}

/// Hands proofs out as they are.
fn exact(wallet: Wallet<'_>, token: SentToken, draft: Draft) -> (OperationId, Batch) {
    let id = wallet.state.next_operation;
    let entry = Box::new(draft.entry(token.mint.clone(), token.unit, wallet.now));
    let pending = |proof: &ProofId| Change::SetStatus {
        id: *proof,
        from: Status::Unspent,
        to: Status::Pending { token: Some(id) },
    };
    let mut changes: Vec<Change> = token.proofs.iter().map(pending).collect();
    changes.extend(offered(wallet, (id, &token), entry.amount, &[]));
    changes.push(Change::AddToken { id, token });
    changes.push(Change::Record { id, entry });
    (id, Batch { changes })
}

/// The parts of an amount and of the fee for spending them: exactly that, for a shop takes no more.
fn parts<E>(
    amount: u64,
    fee_ppk: u64,
    split: impl Fn(u64) -> Result<Vec<u64>, E>,
    is_denomination: impl Fn(u64) -> bool,
) -> Result<Vec<u64>, E> {
    let mut added = 0;
    loop {
        let mut parts = split(amount.saturating_add(added))?;
        let cost = |parts: &[u64]| fee(parts.iter().map(|_| fee_ppk));
        if cost(&parts) <= added {
            // Where a carry saves parts, the fee is for fewer than it was added for: halves make them more again.
            let halves = |part: u64| part.is_multiple_of(2) && is_denomination(part / 2);
            while cost(&parts) < added
                && let Some(largest) = parts.iter_mut().filter(|part| halves(**part)).max()
            {
                *largest /= 2;
                let half = *largest;
                parts.push(half);
            }
            parts.sort_unstable();
            return Ok(parts);
        }
        added = cost(&parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_holds_the_amount_and_its_own_fee_to_the_unit() {
        let denominations = || (0..20).map(|bit| 1_u64 << bit);
        for fee_ppk in [0, 1, 100, 400, 1000, 2500] {
            for amount in 1..2000 {
                let split_up = |sum| split(sum, denominations(), 64);
                let parts = parts(amount, fee_ppk, split_up, u64::is_power_of_two).unwrap();
                let cost = fee(parts.iter().map(|_| fee_ppk));
                let sum: u64 = parts.iter().sum();
                let least = amount + cost;
                // With a fee above a unit for each part no number of parts may hit it.
                let most = if fee_ppk <= 1000 { least } else { least + fee_ppk / 1000 };
                assert!((least..=most).contains(&sum), "{amount} at {fee_ppk}: {sum}, {parts:?}");
                assert!(parts.is_sorted() && parts.iter().all(|part| part.is_power_of_two()));
            }
        }
    }
}
