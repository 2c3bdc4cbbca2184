//! Brings an open operation to its end, whatever has happened: the one way from "persisted" to "done".
//!
//! Begins by sending the persisted request, for the first time or again: which of the two, it cannot know and need
//! not. A mint that remembers what it did answers with the same signatures. One that does not refuses, and then
//! the inputs' states (NUT-07) say whether it had followed the request, and a restore (NUT-09) gives the signatures.
//! Only the `Y`s and `B_`s of the very request are shown again, which the mint has seen together before.

use tacit_ecash::blind::hash_to_curve;
use tacit_ecash::code::Code;
use tacit_ecash::message::{
    CheckStateRequest, CheckStateResponse, MeltQuoteResponse, MeltQuoteState, MintQuoteResponse,
    MintQuoteState, RestoreRequest, RestoreResponse, SignaturesResponse, SpendState,
};
use tacit_ecash::point::PointBytes;

use super::reclaim::removal;
use super::refund::offered;
use super::{Wallet, Yield};
use crate::batch::{Batch, Change};
use crate::derive::DeriveError;
use crate::history::{Entry, Progress, amended, ended};
use crate::locked::LockedProof;
use crate::output::{OutputError, Signed};
use crate::state::{
    Exchange, OpenOperation, OperationId, OwnInput, ProofId, Purpose, SentToken, State, Status,
};
use crate::token::SealedToken;
use crate::transport::{Answer, Reading, Refusal, Request, read};

/// Settles one open operation; see [`crate::operation`].
#[derive(Debug)]
pub struct Settle {
    id: OperationId,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Begin,
    /// The request is sent.
    Asked,
    /// A mint request was refused: where does its quote stand?
    MintQuote(Refusal),
    /// A melt was refused: where does its quote stand?
    MeltQuote(Refusal),
    /// Are the inputs spent? The payment is what the mint says of a melt.
    Inputs(Verdict),
    /// The mint followed the request before: what did it sign?
    Signatures(Verdict),
    /// The end is being persisted.
    Closing(Box<Result<Ending, SettleError>>),
}

/// What the mint has said so far.
#[derive(Debug)]
enum Verdict {
    Refused(Refusal),
    Paid(MeltQuoteResponse),
}

#[derive(Debug)]
enum Ending {
    Settled(Settled),
    /// The token is in the state once the batch is applied.
    Sent,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// E-cash was issued for a payment.
    Minted {
        /// How much, in minor units.
        amount: u64,
    },
    /// A token was received, or taken back.
    Received {
        /// What was added, in minor units.
        amount: u64,
    },
    /// A token was made.
    Sent(SealedToken),
    /// A payment was made.
    Paid(Payment),
}

/// A payment that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What came back of the fee reserve, in minor units.
    pub change: u64,
    /// Proof of payment, where the method has one.
    pub preimage: Option<String>,
}

/// Why an operation has not come to its end, or to a bad one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    /// No such operation is open: it was settled before.
    #[error("no such operation is open")]
    UnknownOperation,
    /// Still open: a quote that waits for its payment.
    #[error("the quote waits for its payment")]
    AwaitsPayment,
    /// Still open: the mint did not answer, or nothing that settles it. Settle it again later.
    #[error("the mint did not answer: the operation is still open")]
    NoAnswer,
    /// Still open: the mint is at work on it. Settle it again later.
    #[error("the operation is pending at the mint")]
    Pending,
    /// Still open: the mint signed something else, or with another key. Keep what the state holds of it.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Closed: inputs were spent by somebody else, or by an earlier life of this wallet. They are marked spent.
    #[error("what was to be spent is spent already")]
    AlreadySpent,
    /// Closed: somebody else has had the e-cash of this quote.
    #[error("the e-cash of this quote was issued before")]
    AlreadyIssued,
    /// Closed, nothing lost: outputs were signed before, for this wallet has forgotten how far it had counted.
    /// Restore (it finds what was forgotten), then begin again.
    #[error("the wallet has forgotten secrets it used: restore first")]
    StaleCounter,
    /// Closed, nothing lost: the mint said no. A mint quote waits on.
    #[error("the mint refuses: {refusal}")]
    Refused {
        /// Why.
        refusal: Refusal,
    },
}

impl From<DeriveError> for SettleError {
    fn from(error: DeriveError) -> Self {
        Self::Output(OutputError::Derive(error))
    }
}

type Next = Result<Yield<Result<Settled, SettleError>>, SettleError>;

impl Settle {
    /// The open operation of this id.
    pub fn new(id: OperationId) -> Self {
        Self { id, phase: Phase::Begin }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<Settled, SettleError>> {
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> Next {
        if let Phase::Closing(end) = &self.phase {
            return Ok(Yield::Done(match end.as_ref() {
                Err(error) => Err(error.clone()),
                Ok(Ending::Settled(settled)) => Ok(settled.clone()),
                Ok(Ending::Sent) => {
                    let sealed = SealedToken::open(wallet, self.id)?;
                    sealed.map(Settled::Sent).ok_or(SettleError::UnknownOperation)
                }
            }));
        }
        let operation = wallet.state.operations.get(&self.id);
        let operation = operation.ok_or(SettleError::UnknownOperation)?;
        let exchange = operation.exchange.as_ref().ok_or(SettleError::AwaitsPayment)?;
        let open = Open { wallet, id: self.id, operation, exchange };
        match std::mem::replace(&mut self.phase, Phase::Begin) {
            Phase::Begin => Ok(self.send(Phase::Asked, exchange.request.clone())),
            Phase::Asked => self.asked(&open, answer),
            Phase::MintQuote(refusal) => self.mint_quote(&open, refusal, taken(answer)?),
            Phase::MeltQuote(refusal) => self.melt_quote(&open, Some(refusal), taken(answer)?),
            Phase::Inputs(verdict) => self.inputs(&open, verdict, &taken(answer)?),
            Phase::Signatures(verdict) => self.signatures(&open, verdict, &taken(answer)?),
            Phase::Closing(_) => Err(SettleError::UnknownOperation),
        }
    }

    fn asked(&mut self, open: &Open<'_>, answer: Option<Answer>) -> Next {
        if let Purpose::Melt { method, quote } = &open.operation.purpose {
            return match read(answer) {
                Reading::Taken(answer) => self.melt_quote(open, None, answer),
                Reading::Refused(refusal) => {
                    let path = format!("/v1/melt/quote/{method}/{quote}");
                    Ok(self.send(Phase::MeltQuote(refusal), open.get(path)))
                }
                Reading::Unclear => Err(SettleError::NoAnswer),
            };
        }
        match read(answer) {
            Reading::Taken(SignaturesResponse { signatures }) => {
                let proofs =
                    open.exchange.outputs.proofs(open.wallet, &signatures, Status::Unspent)?;
                Ok(self.finish(open, proofs, None))
            }
            Reading::Refused(refusal) if is_passing(&refusal) => Err(SettleError::Pending),
            Reading::Refused(refusal) => match &open.operation.purpose {
                Purpose::Mint { method, quote, .. } => {
                    let path = format!("/v1/mint/quote/{method}/{quote}");
                    Ok(self.send(Phase::MintQuote(refusal), open.get(path)))
                }
                Purpose::Receive | Purpose::Send { .. } | Purpose::Melt { .. } => {
                    Ok(self.ask_inputs(open, Verdict::Refused(refusal)))
                }
            },
            Reading::Unclear => Err(SettleError::NoAnswer),
        }
    }

    /// A refused mint request: had the mint issued before?
    fn mint_quote(&mut self, open: &Open<'_>, refusal: Refusal, answer: MintQuoteResponse) -> Next {
        match answer.state {
            MintQuoteState::Issued => self.ask_signatures(open, Verdict::Refused(refusal)),
            MintQuoteState::Paid | MintQuoteState::Unpaid => {
                // The quote waits on: the next attempt takes other outputs.
                let from = Box::new(open.operation.clone());
                let to = Box::new(OpenOperation { exchange: None, ..open.operation.clone() });
                let mut changes = vec![Change::Replace { id: open.id, from, to }];
                changes.extend(open.give_back(Some(&refusal)));
                Ok(self.persist(changes, Err(no(refusal))))
            }
        }
    }

    /// What the mint says of a melt. The inputs' states must agree: a mint may answer by the quote alone, and the
    /// quote may have been paid with other proofs.
    fn melt_quote(
        &mut self,
        open: &Open<'_>,
        refusal: Option<Refusal>,
        answer: MeltQuoteResponse,
    ) -> Next {
        match answer.state {
            MeltQuoteState::Paid => Ok(self.ask_inputs(open, Verdict::Paid(answer))),
            MeltQuoteState::Pending => Err(SettleError::Pending),
            MeltQuoteState::Unpaid => {
                let failed = || Refusal {
                    code: u32::from(Code::PaymentFailed.number()),
                    detail: String::new(),
                };
                let refusal = refusal.unwrap_or_else(failed);
                if is_passing(&refusal) {
                    return Err(SettleError::Pending);
                }
                Ok(self.ask_inputs(open, Verdict::Refused(refusal)))
            }
        }
    }

    fn inputs(&mut self, open: &Open<'_>, verdict: Verdict, answer: &CheckStateResponse) -> Next {
        let state_of = |y: &PointBytes| answer.states.iter().find(|state| state.y == *y);
        let states: Option<Vec<SpendState>> =
            open.exchange.ys.iter().map(|y| state_of(y).map(|state| state.state)).collect();
        let states = states.ok_or(SettleError::NoAnswer)?;
        if states.contains(&SpendState::Pending) {
            return Err(SettleError::Pending);
        }
        let is_followed = states.iter().all(|state| *state == SpendState::Spent);
        let is_melt = matches!(open.operation.purpose, Purpose::Melt { .. });
        match verdict {
            Verdict::Paid(answer) if is_followed => match &answer.change {
                Some(change) => {
                    let outputs = &open.exchange.outputs;
                    let proofs = outputs.proofs(open.wallet, change, Status::Unspent)?;
                    Ok(self.finish(open, proofs, Some(answer)))
                }
                None if open.exchange.outputs.count() == 0 => {
                    Ok(self.finish(open, Signed::default(), Some(answer)))
                }
                // Not every mint repeats the change.
                None => self.ask_signatures(open, Verdict::Paid(answer)),
            },
            Verdict::Refused(refusal) if is_followed && !is_melt => {
                self.ask_signatures(open, Verdict::Refused(refusal))
            }
            Verdict::Paid(_) | Verdict::Refused(_) => {
                let refusal = match &verdict {
                    Verdict::Refused(refusal) => Some(refusal),
                    Verdict::Paid(_) => None,
                };
                let unused = open.give_back(refusal);
                let error = match verdict {
                    _ if states.contains(&SpendState::Spent) => SettleError::AlreadySpent,
                    Verdict::Refused(refusal) => no(refusal),
                    // Paid, but not with these: they are free again.
                    Verdict::Paid(_) => no(Refusal {
                        code: u32::from(Code::AlreadyPaid.number()),
                        detail: String::new(),
                    }),
                };
                let is_spent = |input: &OwnInput| states[input.index] == SpendState::Spent;
                let mut changes = open.failure(is_spent);
                changes.extend(unused);
                Ok(self.persist(changes, Err(error)))
            }
        }
    }

    fn signatures(&mut self, open: &Open<'_>, verdict: Verdict, answer: &RestoreResponse) -> Next {
        let outputs = &open.exchange.outputs;
        let restored = outputs.restored(open.wallet, answer, Status::Unspent);
        let is_unsigned = matches!(&restored, Ok(signed) if signed.count() == 0);
        let refusal = match (verdict, restored) {
            (Verdict::Paid(answer), restored) => {
                return Ok(self.finish(open, restored?, Some(answer)));
            }
            (Verdict::Refused(_), Ok(proofs)) if proofs.count() == outputs.count() => {
                return Ok(self.finish(open, proofs, None));
            }
            (Verdict::Refused(refusal), _) => refusal,
        };
        // Spent, or issued, but not for these outputs: it was somebody else, or an earlier life of this wallet.
        let error = match open.operation.purpose {
            Purpose::Mint { .. } => SettleError::AlreadyIssued,
            _ if refusal.code == u32::from(Code::AlreadySigned.number()) => {
                SettleError::StaleCounter
            }
            Purpose::Receive | Purpose::Send { .. } | Purpose::Melt { .. } => {
                SettleError::AlreadySpent
            }
        };
        let mut changes = open.failure(|_| true);
        changes.extend(open.give_back(Some(&refusal)).filter(|_| is_unsigned));
        Ok(self.persist(changes, Err(error)))
    }

    /// Persists the good end.
    fn finish(
        &mut self,
        open: &Open<'_>,
        signed: Signed,
        payment: Option<MeltQuoteResponse>,
    ) -> Yield<Result<Settled, SettleError>> {
        let amount = signed.sum();
        let Signed { own: mut proofs, locked } = signed;
        let mut changes = open.inputs_become(|_| Status::Spent);
        changes.extend(open.spent_tokens());
        changes.extend(open.success(amount));
        let ending = match &open.operation.purpose {
            Purpose::Mint { .. } => Ending::Settled(Settled::Minted { amount }),
            Purpose::Receive => Ending::Settled(Settled::Received { amount }),
            Purpose::Melt { .. } => {
                let preimage = payment.and_then(|answer| answer.payment_preimage);
                Ending::Settled(Settled::Paid(Payment { change: amount, preimage }))
            }
            Purpose::Send { parts, memo, delivery } => {
                for part in parts {
                    proofs[*part].1.status = Status::Pending { token: Some(open.id) };
                }
                let OpenOperation { mint, unit, .. } = open.operation;
                let added: Vec<ProofId> = proofs.iter().map(|(id, _)| *id).collect();
                let sent = parts.iter().map(|part| proofs[*part].0).collect();
                let (mint, memo, delivery) = (mint.clone(), memo.clone(), delivery.clone());
                let (unit, proofs) = (*unit, sent);
                let token = SentToken { mint, unit, memo, proofs, locked, delivery };
                let entry = open.wallet.state.history.get(&open.id);
                let amount = entry.map_or(0, |entry| entry.amount);
                changes.extend(offered(open.wallet, (open.id, &token), amount, &added));
                changes.push(Change::AddToken { id: open.id, token });
                Ending::Sent
            }
        };
        changes.extend(proofs.into_iter().map(|(id, proof)| Change::AddProof { id, proof }));
        changes.push(Change::Close { id: open.id });
        self.persist(changes, Ok(ending))
    }

    fn persist(
        &mut self,
        changes: Vec<Change>,
        end: Result<Ending, SettleError>,
    ) -> Yield<Result<Settled, SettleError>> {
        self.phase = Phase::Closing(Box::new(end));
        Yield::Persist(Batch { changes })
    }

    fn send(&mut self, phase: Phase, request: Request) -> Yield<Result<Settled, SettleError>> {
        self.phase = phase;
        Yield::Send(request)
    }

    fn ask_inputs(
        &mut self,
        open: &Open<'_>,
        verdict: Verdict,
    ) -> Yield<Result<Settled, SettleError>> {
        let request = CheckStateRequest { ys: open.exchange.ys.clone() };
        let request = Request::post(&open.operation.mint, "/v1/checkstate", &request);
        self.send(Phase::Inputs(verdict), request)
    }

    fn ask_signatures(&mut self, open: &Open<'_>, verdict: Verdict) -> Next {
        let messages = open.exchange.outputs.messages(open.wallet)?;
        let request = RestoreRequest { outputs: messages.into_iter().map(Into::into).collect() };
        let request = Request::post(&open.operation.mint, "/v1/restore", &request);
        Ok(self.send(Phase::Signatures(verdict), request))
    }
}

/// The operation, as the state holds it.
struct Open<'a> {
    wallet: Wallet<'a>,
    id: OperationId,
    operation: &'a OpenOperation,
    exchange: &'a Exchange,
}

impl Open<'_> {
    fn get(&self, path: String) -> Request {
        Request::get(&self.operation.mint, path)
    }

    /// Own inputs are reserved no longer.
    fn inputs_become(&self, to: impl Fn(&OwnInput) -> Status) -> Vec<Change> {
        let from = Status::Reserved { operation: self.id };
        let own = self.exchange.own.iter();
        own.map(|input| Change::SetStatus { id: input.id, from, to: to(input) }).collect()
    }

    /// Tokens that this wallet had handed out and has now taken back whole.
    fn spent_tokens(&self) -> Vec<Change> {
        let State { tokens, .. } = self.wallet.state;
        let is_own = |id: &ProofId| self.exchange.own.iter().any(|input| input.id == *id);
        let is_spent = |id: &ProofId| {
            let proof = self.wallet.state.proof(id);
            proof.is_some_and(|proof| proof.status == Status::Spent)
        };
        // Of locked proofs, all that were not spent are taken back together.
        let is_input = |proof: &LockedProof| {
            let y = hash_to_curve(proof.secret.expose().as_bytes()).ok();
            y.is_some_and(|secret| self.exchange.ys.contains(&secret.y().to_point()))
        };
        let is_back = |token: &&SentToken| {
            let is_whole = token.proofs.iter().all(|id| is_own(id) || is_spent(id));
            is_whole && (token.proofs.iter().any(is_own) || token.locked.iter().any(is_input))
        };
        let back = tokens.iter().filter(|(_, token)| is_back(token));
        back.flat_map(|(id, _)| removal(self.wallet, *id, Progress::Returned)).collect()
    }

    /// The entry of an operation that went as it was meant. One of a token stays pending until that is spent.
    fn success(&self, added: u64) -> Option<Change> {
        match self.operation.purpose {
            Purpose::Send { .. } => None,
            Purpose::Mint { .. } | Purpose::Receive => ended(self.wallet, self.id, Progress::Done),
            Purpose::Melt { .. } => amended(self.wallet, self.id, Progress::Done, |entry| {
                let spent = self.sum_of(|_| true).saturating_sub(added);
                (entry.amount, spent.saturating_sub(entry.amount))
            }),
        }
    }

    /// What is spent stays spent, the rest is as it was before, and the operation is over.
    fn failure(&self, is_spent: impl Fn(&OwnInput) -> bool) -> Vec<Change> {
        let become_of = |input: &OwnInput| match is_spent(input) {
            true => Status::Spent,
            false => input.before,
        };
        let mut changes = self.inputs_become(become_of);
        changes.push(Change::Close { id: self.id });
        let lost = self.sum_of(|input| is_spent(input) && input.before == Status::Unspent);
        let failed = |entry: &Entry| (entry.amount, lost);
        changes.extend(amended(self.wallet, self.id, Progress::Failed, failed));
        changes
    }

    /// The counters of outputs that were refused and never signed, if none was used after them.
    ///
    /// Should a copy of the refused request come late and be followed after all, the mint refuses the next use of the
    /// counters as signed before, and a search finds what it signed: see [`SettleError::StaleCounter`].
    fn give_back(&self, refusal: Option<&Refusal>) -> Option<Change> {
        let is_signed = |refusal: &Refusal| refusal.code == u32::from(Code::AlreadySigned.number());
        if refusal.is_some_and(is_signed) {
            return None;
        }
        let outputs = &self.exchange.outputs;
        let (keyset, from, to) = (outputs.keyset, outputs.end(), outputs.first);
        let is_last = self.wallet.state.keysets.get(&keyset)?.counter == from;
        (is_last && to < from).then_some(Change::ReturnCounter { keyset, from, to })
    }

    /// The sum of those own inputs, in minor units.
    fn sum_of(&self, is_meant: impl Fn(&OwnInput) -> bool) -> u64 {
        let meant = self.exchange.own.iter().filter(|input| is_meant(input));
        let proofs = meant.filter_map(|input| self.wallet.state.proof(&input.id));
        proofs.map(|proof| proof.amount).fold(0, u64::saturating_add)
    }
}

/// The error of a clear no.
fn no(refusal: Refusal) -> SettleError {
    if refusal.code == u32::from(Code::AlreadySigned.number()) {
        SettleError::StaleCounter
    } else {
        SettleError::Refused { refusal }
    }
}

/// Whether the mint is at work on the same proofs, outputs or quote: perhaps on this very request, sent before.
fn is_passing(refusal: &Refusal) -> bool {
    [Code::ProofsPending, Code::OutputsPending, Code::QuotePending]
        .iter()
        .any(|code| refusal.code == u32::from(code.number()))
}

/// The answer to a question that changes nothing: without it, the operation stays open.
fn taken<T: serde::de::DeserializeOwned>(answer: Option<Answer>) -> Result<T, SettleError> {
    match read(answer) {
        Reading::Taken(message) => Ok(message),
        Reading::Refused(_) | Reading::Unclear => Err(SettleError::NoAnswer),
    }
}
