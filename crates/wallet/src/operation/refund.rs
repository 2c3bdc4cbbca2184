//! Refunds that arrive by themselves: what a payment carries for one, and how it is asked for.
//!
//! A payment that goes to a mint's own `/pay/` address, where the mint's shops are paid, carries blank outputs beside its payload
//! (`refund_outputs`). The shop's refund is signed on them, and [`Refund`] fetches the signatures (NUT-09). Other payees get none.
//!
//! The outputs come from the words, under the keyset's next counters, which are used up in the batch that adds the token; a payment
//! that is sent again carries the same bytes. Counters that nothing was ever signed under are a gap for a search from the words,
//! so a payment carries none while that gap would be longer than [`GAP_MAX`]; its refund then waits under a code, as it does for other
//! wallets.
//!
//! What is learned: the outputs are fresh, so that the order they lie with is joined to nothing else of the wallet's, and what is refunded is
//! spent as unlinkably as all e-cash. Asking tells the mint, without a name, that whoever paid this order asks now: one who asks of several
//! payments in one go can be guessed to have made them all. So each question is about one payment and shows nothing else, and
//! nobody asks about payments older than [`ASKED_DAYS`].

use std::collections::BTreeSet;

use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message::{BlindedMessage, RestoreRequest, RestoreResponse};

use super::{Wallet, Yield};
use crate::batch::{Batch, Change};
use crate::derive::DeriveError;
use crate::history::{Draft, Entry, Kind, Progress};
use crate::mint::MintUrl;
use crate::output::{OutputError, Outputs, Signed};
use crate::state::{
    Delivery, KeysetState, OperationId, ProofId, Refundable, SentToken, State, Status,
};
use crate::transport::{Answer, Reading, Refusal, Request, read};

/// Days after a payment in which [`due`] names it.
pub const ASKED_DAYS: u64 = 90;
/// Days after which a payment's outputs are forgotten; until then one may ask by hand.
pub const KEPT_DAYS: u64 = 365;
/// Counters without any signature, at the end of those used, that blank outputs may make at most: a search from the words gives up after
/// 300, and payments outside leave blank outputs behind, too.
pub const GAP_MAX: u64 = 60;

/// Payments that a refund may have come for, the oldest first: not longer ago than [`ASKED_DAYS`], arrived, and not given back whole.
pub fn due(state: &State, now: Timestamp) -> Vec<OperationId> {
    let is_due = |id: OperationId, it: &Refundable| {
        !is_past(it, ASKED_DAYS, now) && has_arrived(state, id) && !is_over(state, id, it)
    };
    state.refunds.iter().filter(|(id, it)| is_due(**id, it)).map(|(id, _)| *id).collect()
}

/// Asks what was refunded of one payment, and takes it.
#[derive(Debug)]
pub struct Refund {
    payment: OperationId,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Begin,
    /// The mint is asked what it signed.
    Asked,
    /// What came is being persisted.
    Persisting(u64),
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refunded {
    /// What was added, in minor units; 0 if nothing has come since it was last asked.
    pub amount: u64,
}

/// Why nothing was taken. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefundError {
    /// No such payment carried outputs for a refund, or it was over a year ago, or it is not known to have arrived.
    #[error("there is no such payment to be refunded by itself")]
    UnknownPayment,
    /// The words lead to no output.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The mint could not be reached, or answered something else: ask again later.
    #[error("the mint did not answer")]
    NoAnswer,
    /// The mint says no.
    #[error("the mint refuses: {refusal}")]
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// The mint signed with another key. Nothing is taken.
    #[error(transparent)]
    Output(#[from] OutputError),
}

type Next = Result<Yield<Result<Refunded, RefundError>>, RefundError>;

impl Refund {
    /// Of a payment, such as [`due`] names.
    pub fn new(payment: OperationId) -> Self {
        Self { payment, phase: Phase::Begin }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<Refunded, RefundError>> {
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> Next {
        if let Phase::Persisting(amount) = self.phase {
            return Ok(Yield::Done(Ok(Refunded { amount })));
        }
        let refundable = wallet.state.refunds.get(&self.payment);
        let refundable = refundable.filter(|_| has_arrived(wallet.state, self.payment));
        let refundable = refundable.ok_or(RefundError::UnknownPayment)?;
        match self.phase {
            Phase::Begin if is_past(refundable, KEPT_DAYS, wallet.now) => {
                Err(RefundError::UnknownPayment)
            }
            Phase::Begin => {
                let outputs = unsigned(wallet, &refundable.outputs)?;
                // A search from the words may have found it all.
                if outputs.is_empty() || is_over(wallet.state, self.payment, refundable) {
                    return Ok(self.persist(0, vec![Change::ForgetRefund { id: self.payment }]));
                }
                let mint = mint_of(wallet.state, &refundable.outputs);
                let (mint, _) = mint.ok_or(RefundError::UnknownPayment)?;
                self.phase = Phase::Asked;
                let request = RestoreRequest { outputs };
                Ok(Yield::Send(Request::post(mint, "/v1/restore", &request)))
            }
            Phase::Asked => match read::<RestoreResponse>(answer) {
                Reading::Taken(answer) => self.take(wallet, refundable, &answer),
                Reading::Refused(refusal) => Err(RefundError::Refused { refusal }),
                Reading::Unclear => Err(RefundError::NoAnswer),
            },
            Phase::Persisting(amount) => Ok(Yield::Done(Ok(Refunded { amount }))),
        }
    }

    fn take(
        &mut self,
        wallet: Wallet<'_>,
        refundable: &Refundable,
        answer: &RestoreResponse,
    ) -> Next {
        let state = wallet.state;
        // Not asked whether it is spent: that would show the mint which proofs these are. Should another device with the same words
        // have spent them, that comes out when they are.
        let restored = refundable.outputs.restored(wallet, answer, Status::Unspent)?;
        let is_new = |id: &ProofId| state.proof(id).is_none();
        let own: Vec<_> = restored.own.into_iter().filter(|(id, _)| is_new(id)).collect();
        let amount = Signed { own: own.clone(), ..Signed::default() }.sum();
        if own.is_empty() {
            return Ok(Yield::Done(Ok(Refunded { amount })));
        }
        let (mint, unit) =
            mint_of(state, &refundable.outputs).ok_or(RefundError::UnknownPayment)?;
        let paid = state.history.get(&self.payment);
        let draft = Draft {
            kind: Kind::Refunded { payment: self.payment },
            amount,
            fee: 0,
            memo: paid.and_then(|entry| entry.memo.clone()),
        };
        let entry = draft.entry(mint.clone(), unit, wallet.now);
        let entry = Box::new(Entry { progress: Progress::Done, ..entry });
        let is_whole = paid.is_some_and(|entry| {
            entry.amount <= held(state, &refundable.outputs).saturating_add(amount)
        });
        let all_signed = unsigned(wallet, &refundable.outputs)?.len() == own.len();
        let mut changes: Vec<Change> =
            own.into_iter().map(|(id, proof)| Change::AddProof { id, proof }).collect();
        changes.push(Change::Record { id: state.next_operation, entry });
        if is_whole || all_signed {
            changes.push(Change::ForgetRefund { id: self.payment });
        }
        Ok(self.persist(amount, changes))
    }

    fn persist(
        &mut self,
        amount: u64,
        changes: Vec<Change>,
    ) -> Yield<Result<Refunded, RefundError>> {
        self.phase = Phase::Persisting(amount);
        Yield::Persist(Batch { changes })
    }
}

/// What a payment of `amount` minor units carries for a refund, for the batch that adds its token; nothing if it carries none.
///
/// `added`: proofs that the same batch adds.
pub(super) fn offered(
    wallet: Wallet<'_>,
    (id, token): (OperationId, &SentToken),
    amount: u64,
    added: &[ProofId],
) -> Vec<Change> {
    let Some(outputs) = outputs_for(wallet.state, token, amount, added) else {
        return Vec::new();
    };
    let old = wallet.state.refunds.iter().filter(|(_, it)| is_past(it, KEPT_DAYS, wallet.now));
    let mut changes: Vec<Change> = old.map(|(id, _)| Change::ForgetRefund { id: *id }).collect();
    changes.push(outputs.advance());
    changes.push(Change::OfferRefund { id, refundable: Refundable { outputs, made: wallet.now } });
    changes
}

fn outputs_for(
    state: &State,
    token: &SentToken,
    amount: u64,
    added: &[ProofId],
) -> Option<Outputs> {
    token.delivery.as_ref().filter(|to| is_refunding(to, &token.mint))?;
    let id = state.signing_keyset(&token.mint, token.unit)?;
    let keyset = &state.keysets[&id];
    // As for change: they express any part of the amount.
    let outputs = Outputs::blank(id, keyset, amount);
    let is_short = outputs.end() - first_of_gap(id, keyset, added) <= GAP_MAX;
    (outputs.count() != 0 && is_short).then_some(outputs)
}

/// The counter behind the last one that is known to be signed.
fn first_of_gap(id: KeysetId, keyset: &KeysetState, added: &[ProofId]) -> u64 {
    let known = keyset.proofs.last_key_value().map(|(counter, _)| *counter);
    let added = added.iter().filter(|proof| proof.keyset == id).map(|proof| proof.counter).max();
    known.max(added).map_or(0, |last| last + 1)
}

/// Whether a payment goes where this mint's shops are paid. The contracts of bills are elsewhere.
fn is_refunding(to: &Delivery, mint: &MintUrl) -> bool {
    let parts = to.url.as_str().rsplit_once("/pay/");
    parts.is_some_and(|(before, order)| {
        let is_name = !order.is_empty() && order.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_name && before.parse::<MintUrl>().is_ok_and(|own| own == *mint)
    })
}

/// The outputs that go beside a payment, the same each time; `None` if it carries none.
pub(super) fn beside(
    wallet: Wallet<'_>,
    payment: OperationId,
) -> Option<Result<Vec<BlindedMessage>, DeriveError>> {
    let messages = wallet.state.refunds.get(&payment)?.outputs.messages(wallet);
    Some(messages.map(|messages| messages.into_iter().map(Into::into).collect()))
}

/// Those of the outputs whose signatures are not known.
fn unsigned(wallet: Wallet<'_>, outputs: &Outputs) -> Result<Vec<BlindedMessage>, DeriveError> {
    let known: BTreeSet<u64> = signed(wallet.state, outputs).map(|(counter, _)| counter).collect();
    let messages = (outputs.first..).zip(outputs.messages(wallet)?);
    let unknown = messages.filter(|(counter, _)| !known.contains(counter));
    Ok(unknown.map(|(_, message)| message.into()).collect())
}

/// The outputs whose signatures are known: their counters and amounts.
fn signed<'a>(state: &'a State, outputs: &'a Outputs) -> impl Iterator<Item = (u64, u64)> + 'a {
    let proofs = state.keysets.get(&outputs.keyset).into_iter();
    let proofs = proofs.flat_map(|keyset| keyset.proofs.range(outputs.first..outputs.end()));
    proofs.map(|(counter, proof)| (*counter, proof.amount))
}

/// What came back of a payment so far, in minor units.
fn held(state: &State, outputs: &Outputs) -> u64 {
    signed(state, outputs).fold(0, |sum, (_, amount)| sum.saturating_add(amount))
}

/// Whether all of a payment came back.
fn is_over(state: &State, payment: OperationId, refundable: &Refundable) -> bool {
    let paid = state.history.get(&payment);
    paid.is_some_and(|entry| entry.amount <= held(state, &refundable.outputs))
}

/// An order is paid once its payment has arrived: before, there is nothing to refund, and what is sent again must be the same.
fn has_arrived(state: &State, payment: OperationId) -> bool {
    let delivery = state.tokens.get(&payment).and_then(|token| token.delivery.as_ref());
    delivery.is_none_or(|delivery| delivery.is_done)
}

fn is_past(refundable: &Refundable, days: u64, now: Timestamp) -> bool {
    refundable.made.seconds().saturating_add(days * Day::SECONDS) < now.seconds()
}

fn mint_of<'a>(state: &'a State, outputs: &Outputs) -> Option<(&'a MintUrl, Unit)> {
    let pinned = &state.keysets.get(&outputs.keyset)?.pinned;
    Some((&pinned.mint, pinned.unit))
}
