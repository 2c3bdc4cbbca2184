//! Takes back what was handed out and not received.

use tacit_ecash::message::{CheckStateRequest, CheckStateResponse, SpendState};
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::Proof;

use super::prepare::{PrepareError, Spend, proof};
use super::receive::{received, take};
use super::settle::{Settle, SettleError};
use super::{Wallet, Yield};
use crate::batch::{Batch, Change};
use crate::history::{Kind, Progress, ended};
use crate::state::{OperationId, ProofId, SentToken, Status};
use crate::transport::{Answer, Reading, Request, read};

/// Asks which proofs of a token are spent, and swaps the others back, unless it is only to look.
#[derive(Debug)]
pub struct Reclaim {
    id: OperationId,
    is_look_only: bool,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Begin,
    /// Asked for states; `Y`s in the order of the token's proofs.
    Asked(Vec<PointBytes>),
    /// What is spent is being persisted, and how much is not; then it ends.
    Looked(u64),
    Settling(Settle),
    /// What is spent is being persisted; the rest cannot be taken back.
    Failing(PrepareError),
}

/// What became of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reclaimed {
    /// Looked only: this much of it is not spent, in minor units; 0 if it was received whole.
    Unspent {
        /// How much.
        amount: u64,
    },
    /// Taken back; this much was added to the balance, in minor units.
    Taken {
        /// How much.
        amount: u64,
    },
}

/// Why a token was not looked at or taken back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReclaimError {
    /// No such token is known to be out.
    #[error("no such token is out")]
    UnknownToken,
    /// The mint could not be reached, or answered something else.
    #[error("the mint did not answer")]
    NoAnswer,
    /// Part of it is held by a payment that is under way.
    #[error("the token is being spent")]
    Pending,
    /// Nothing has changed.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The swap did not go through, or is open.
    #[error(transparent)]
    Settle(#[from] SettleError),
}

type Next = Result<Yield<Result<Reclaimed, ReclaimError>>, ReclaimError>;

impl Reclaim {
    /// Takes a token back.
    pub fn new(token: OperationId) -> Self {
        Self { id: token, is_look_only: false, phase: Phase::Begin }
    }

    /// Looks whether a token was received.
    pub fn look(token: OperationId) -> Self {
        Self { is_look_only: true, ..Self::new(token) }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<Reclaimed, ReclaimError>> {
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> Next {
        let token = || wallet.state.tokens.get(&self.id).ok_or(ReclaimError::UnknownToken);
        match &mut self.phase {
            Phase::Begin => {
                let token = token()?;
                // A token may hold proofs that are spent for good; of those nothing needs to be asked.
                let proofs = out(wallet, token, self.id)?;
                if proofs.is_empty() {
                    return self.none_out(wallet, token);
                }
                let proofs = proofs.into_iter().map(|(_, proof)| proof).collect();
                let ys = Spend::of(wallet.state, proofs)?.ys;
                let request = CheckStateRequest { ys: ys.clone() };
                let request = Request::post(&token.mint, "/v1/checkstate", &request);
                self.phase = Phase::Asked(ys);
                Ok(Yield::Send(request))
            }
            Phase::Asked(ys) => {
                let Reading::Taken(answer) = read::<CheckStateResponse>(answer) else {
                    return Err(ReclaimError::NoAnswer);
                };
                let state_of = |y: &PointBytes| answer.states.iter().find(|state| state.y == *y);
                let states: Option<Vec<SpendState>> =
                    ys.iter().map(|y| state_of(y).map(|state| state.state)).collect();
                let states = states.ok_or(ReclaimError::NoAnswer)?;
                self.take(wallet, token()?, &states)
            }
            Phase::Looked(amount) => Ok(Yield::Done(Ok(Reclaimed::Unspent { amount: *amount }))),
            Phase::Failing(error) => Err((*error).into()),
            Phase::Settling(settle) => {
                let next = settle.step(wallet, answer);
                Ok(next.map(|result| Ok(Reclaimed::Taken { amount: received(result)? })))
            }
        }
    }

    /// Every proof was spent meanwhile, or is input of an open operation.
    fn none_out(&mut self, wallet: Wallet<'_>, token: &SentToken) -> Next {
        let is_spent = |id| wallet.state.proof(id).is_some_and(|it| it.status == Status::Spent);
        if !token.proofs.iter().all(is_spent) {
            return Err(PrepareError::InUse.into());
        }
        self.phase = Phase::Looked(0);
        Ok(Yield::Persist(Batch { changes: removal(wallet, self.id, Progress::Done) }))
    }

    fn take(&mut self, wallet: Wallet<'_>, token: &SentToken, states: &[SpendState]) -> Next {
        let proofs = out(wallet, token, self.id)?;
        if proofs.len() != states.len() {
            return Err(ReclaimError::NoAnswer); // The state has changed since: begin again.
        }
        let from = Status::Pending { token: Some(self.id) };
        let (mut changes, mut unspent) = (Vec::new(), Vec::new());
        for ((id, proof), state) in proofs.into_iter().zip(states) {
            match (state, id) {
                (SpendState::Unspent | SpendState::Pending, _) => unspent.push(proof),
                (SpendState::Spent, Some(id)) => {
                    changes.push(Change::SetStatus { id, from, to: Status::Spent });
                }
                // Nothing is kept of the spending of single proofs under a lock.
                (SpendState::Spent, None) => {}
            }
        }
        if unspent.is_empty() || self.is_look_only {
            let amounts = unspent.iter().map(|proof| proof.amount);
            self.phase = Phase::Looked(amounts.fold(0, u64::saturating_add));
            if unspent.is_empty() {
                changes.extend(removal(wallet, self.id, Progress::Done));
            }
            return Ok(Yield::Persist(Batch { changes }));
        }
        if states.contains(&SpendState::Pending) {
            return Err(ReclaimError::Pending);
        }
        let spend = Spend::of(wallet.state, unspent)?;
        let kind = Kind::Reclaimed { token: self.id };
        match take(wallet, token.mint.clone(), token.unit, spend, (kind, token.memo.clone()), None)
        {
            Ok((id, batch)) => {
                changes.extend(batch.changes);
                self.phase = Phase::Settling(Settle::new(id));
            }
            Err(error) => self.phase = Phase::Failing(error),
        }
        Ok(Yield::Persist(Batch { changes }))
    }
}

/// A token is out no more, and its entry says why.
pub(crate) fn removal(wallet: Wallet<'_>, token: OperationId, why: Progress) -> Vec<Change> {
    let removed = std::iter::once(Change::RemoveToken { id: token });
    // What was taken back pays no order: nothing of it will be refunded.
    let is_offered = why == Progress::Returned && wallet.state.refunds.contains_key(&token);
    let forgotten = is_offered.then_some(Change::ForgetRefund { id: token });
    removed.chain(forgotten).chain(ended(wallet, token, why)).collect()
}

/// Proofs of a token that are not known to be spent, nor being taken back; with their names, if they are from the words.
fn out(
    wallet: Wallet<'_>,
    token: &SentToken,
    id: OperationId,
) -> Result<Vec<(Option<ProofId>, Proof)>, PrepareError> {
    let pending = Status::Pending { token: Some(id) };
    let is_out = |id: &&ProofId| wallet.state.proof(id).is_some_and(|it| it.status == pending);
    let own = token.proofs.iter().filter(is_out);
    let mut proofs = own
        .map(|id| Ok((Some(*id), proof(wallet, *id)?)))
        .collect::<Result<Vec<_>, PrepareError>>()?;
    proofs.extend(token.locked.iter().map(|locked| (None, locked.proof())));
    Ok(proofs)
}
