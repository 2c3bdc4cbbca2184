//! Changes of a wallet's state, applied whole or not at all.

use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;
use tacit_ecash::keyset::KeysetId;

use crate::history::{Entry, Progress};
use crate::mint::{MintUrl, PinnedKeyset};
use crate::passport::kept::Kept;
use crate::state::{
    KeysetState, OpenOperation, OperationId, OwnRequest, ProofId, Refundable, SentToken, State,
    Status, StoredProof,
};

/// Changes that belong together: a storage makes all of them durable, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// In the order in which they apply.
    pub changes: Vec<Change>,
}

/// One change. Each names what it expects to find, so that two that were prepared on the same state (two processes on
/// one file, two operations in one browser) cannot both apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A keyset seen for the first time.
    PinKeyset {
        /// Its id.
        id: KeysetId,
        /// Its keys, checked against the id.
        pinned: PinnedKeyset,
    },
    /// Whether the mint signs with a keyset.
    SetActive {
        /// Its id.
        id: KeysetId,
        /// Whether it does.
        is_active: bool,
    },
    /// Counters are used up.
    AdvanceCounter {
        /// Of which keyset.
        keyset: KeysetId,
        /// The first that was never used.
        from: u64,
        /// The first that then was never used.
        to: u64,
    },
    /// Counters are free again: the mint refused what they were for, and nothing came after it. Else refusals would leave
    /// a gap that a search from the words, which gives up after some hundred counters without a trace, never crosses.
    ReturnCounter {
        /// Of which keyset.
        keyset: KeysetId,
        /// The first that was never used.
        from: u64,
        /// The first that then was never used.
        to: u64,
    },
    /// A proof is ours. One that is known already stays as it is: what is spent does not come back.
    AddProof {
        /// Its name.
        id: ProofId,
        /// The proof.
        proof: StoredProof,
    },
    /// A proof's status changes.
    SetStatus {
        /// The proof.
        id: ProofId,
        /// What it must be now.
        from: Status,
        /// What it becomes.
        to: Status,
    },
    /// An operation begins. Its id must be the next.
    Open {
        /// Its id.
        id: OperationId,
        /// What it is.
        operation: OpenOperation,
    },
    /// An open operation goes on with another request, or waits again.
    Replace {
        /// Its id.
        id: OperationId,
        /// What it must be now.
        from: Box<OpenOperation>,
        /// What it becomes.
        to: Box<OpenOperation>,
    },
    /// An open operation has ended.
    Close {
        /// Its id.
        id: OperationId,
    },
    /// A token is handed out. Its id is that of its operation, which may be the next one.
    AddToken {
        /// Its id.
        id: OperationId,
        /// The token.
        token: SentToken,
    },
    /// A token is spent, or was taken back.
    RemoveToken {
        /// Its id.
        id: OperationId,
    },
    /// A new entry of the history. Its id is that of its operation, which may be the next one.
    Record {
        /// Its id.
        id: OperationId,
        /// The entry.
        entry: Box<Entry>,
    },
    /// An entry goes on, or has come to its end.
    Amend {
        /// Its id.
        id: OperationId,
        /// What its progress must be now.
        from: Progress,
        /// What its progress becomes.
        to: Progress,
        /// What its amount becomes, in minor units.
        amount: u64,
        /// What its fee becomes, in minor units.
        fee: u64,
        /// When.
        at: Timestamp,
    },
    /// A key for a mint quote is used up.
    UseQuoteKey {
        /// Its number: the first that was never used.
        number: u32,
    },
    /// A key is given out to be named in locks.
    UseLockKey {
        /// Its number: the first that was never used.
        number: u32,
    },
    /// A payment request is given out.
    AddRequest {
        /// Its id.
        id: String,
        /// The request.
        request: OwnRequest,
    },
    /// A payment request is being paid, perhaps not for the first time.
    AddPayment {
        /// Its id.
        id: String,
        /// How many payments it must have now.
        from: usize,
        /// The operation that receives the payment.
        operation: OperationId,
    },
    /// A payment request is no longer answered.
    RemoveRequest {
        /// Its id.
        id: String,
    },
    /// The receiver of a token says that it has it.
    SetDelivered {
        /// Id of the token.
        id: OperationId,
    },
    /// A payment carries outputs for a refund.
    OfferRefund {
        /// Id of its token.
        id: OperationId,
        /// What it carries.
        refundable: Refundable,
    },
    /// No refund of a payment is waited for any more.
    ForgetRefund {
        /// Id of its token.
        id: OperationId,
    },
    /// A passport is another, or what is known of it.
    SetPassport {
        /// The operator's desk.
        desk: MintUrl,
        /// What is kept from now on, a version later than what is kept now; the first is 1.
        kept: Box<Kept>,
    },
    /// The person's own words about an entry.
    SetNote {
        /// Its id.
        id: OperationId,
        /// The words.
        note: String,
    },
}

/// The state is not what the batch was made for. Nothing has changed: begin the operation again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another change came first")]
pub struct Conflict;

impl State {
    /// Applies a batch, whole or not at all. What a storage keeps must follow the same rules.
    ///
    /// # Errors
    /// [`Conflict`] if a change does not find what it expects.
    pub fn apply(&mut self, batch: &Batch) -> Result<(), Conflict> {
        // A copy is the simplest way to leave nothing half done, and a wallet's state is small.
        let mut next = self.clone();
        batch.changes.iter().try_for_each(|change| next.change(change))?;
        *self = next;
        Ok(())
    }

    fn change(&mut self, change: &Change) -> Result<(), Conflict> {
        match change {
            Change::PinKeyset { id, pinned } => self.pin(*id, pinned),
            Change::SetActive { id, is_active } => {
                self.keyset_mut(*id)?.is_active = *is_active;
                Ok(())
            }
            Change::AdvanceCounter { keyset, from, to } => {
                let keyset = self.keyset_mut(*keyset)?;
                ensure(keyset.counter == *from && from <= to)?;
                keyset.counter = *to;
                Ok(())
            }
            Change::ReturnCounter { keyset, from, to } => {
                self.keyset_mut(*keyset)?.give_back(*from, *to)
            }
            Change::AddProof { id, proof } => {
                let keyset = self.keyset_mut(id.keyset)?;
                ensure(id.counter < keyset.counter)?;
                keyset.proofs.entry(id.counter).or_insert_with(|| proof.clone());
                Ok(())
            }
            Change::SetStatus { id, from, to } => {
                let keyset = self.keyset_mut(id.keyset)?;
                let proof = keyset.proofs.get_mut(&id.counter).ok_or(Conflict)?;
                ensure(proof.status == *from)?;
                proof.status = *to;
                Ok(())
            }
            Change::Open { id, operation } => {
                self.take_id(*id)?;
                self.operations.insert(*id, operation.clone());
                Ok(())
            }
            Change::Replace { id, from, to } => {
                let operation = self.operations.get_mut(id).ok_or(Conflict)?;
                ensure(*operation == **from)?;
                operation.clone_from(to);
                Ok(())
            }
            Change::Close { id } => self.operations.remove(id).map(|_| ()).ok_or(Conflict),
            Change::AddToken { id, token } => {
                if *id == self.next_operation {
                    self.take_id(*id)?;
                }
                ensure(self.tokens.insert(*id, token.clone()).is_none())
            }
            Change::RemoveToken { id } => self.tokens.remove(id).map(|_| ()).ok_or(Conflict),
            Change::UseQuoteKey { number } => use_key(&mut self.quote_keys, *number),
            Change::UseLockKey { number } => use_key(&mut self.lock_keys, *number),
            Change::AddRequest { id, request } => {
                ensure(self.requests.insert(id.clone(), request.clone()).is_none())
            }
            Change::AddPayment { id, from, operation } => self.add_payment(id, *from, *operation),
            Change::RemoveRequest { id } => self.requests.remove(id).map(|_| ()).ok_or(Conflict),
            Change::SetDelivered { id } => self.set_delivered(*id),
            Change::OfferRefund { id, refundable } => self.offer_refund(*id, refundable),
            Change::ForgetRefund { id } => self.refunds.remove(id).map(|_| ()).ok_or(Conflict),
            Change::Record { id, entry } => self.record(*id, entry),
            Change::Amend { id, from, to, amount, fee, at } => {
                let entry = self.history.get_mut(id).ok_or(Conflict)?;
                ensure(entry.progress == *from)?;
                (entry.progress, entry.amount, entry.fee, entry.changed) =
                    (*to, *amount, *fee, *at);
                Ok(())
            }
            Change::SetPassport { desk, kept } => self.set_passport(desk, kept),
            Change::SetNote { id, note } => self.set_note(*id, note),
        }
    }

    fn set_note(&mut self, id: OperationId, note: &str) -> Result<(), Conflict> {
        note.clone_into(&mut self.history.get_mut(&id).ok_or(Conflict)?.note);
        Ok(())
    }

    fn set_passport(&mut self, desk: &MintUrl, kept: &Kept) -> Result<(), Conflict> {
        let before = self.passports.get(desk).map_or(0, |known| known.version);
        ensure(kept.version == before + 1)?;
        self.passports.insert(desk.clone(), kept.clone());
        Ok(())
    }

    fn add_payment(
        &mut self,
        id: &str,
        from: usize,
        operation: OperationId,
    ) -> Result<(), Conflict> {
        let payments = &mut self.requests.get_mut(id).ok_or(Conflict)?.payments;
        ensure(payments.len() == from)?;
        payments.push(operation);
        Ok(())
    }

    /// The receiver of a token has it.
    fn set_delivered(&mut self, id: OperationId) -> Result<(), Conflict> {
        let delivery = self.tokens.get_mut(&id).and_then(|token| token.delivery.as_mut());
        let delivery = delivery.ok_or(Conflict)?;
        (delivery.is_done, delivery.receipt) = (true, None);
        Ok(())
    }

    fn offer_refund(&mut self, id: OperationId, refundable: &Refundable) -> Result<(), Conflict> {
        ensure(self.refunds.insert(id, refundable.clone()).is_none())
    }

    fn record(&mut self, id: OperationId, entry: &Entry) -> Result<(), Conflict> {
        if id == self.next_operation {
            self.take_id(id)?;
        }
        ensure(self.history.insert(id, entry.clone()).is_none())
    }

    fn pin(&mut self, id: KeysetId, pinned: &PinnedKeyset) -> Result<(), Conflict> {
        ensure(!self.keysets.contains_key(&id))?;
        let (counter, proofs) = (0, std::collections::BTreeMap::new());
        let keyset = KeysetState { pinned: pinned.clone(), is_active: false, counter, proofs };
        self.keysets.insert(id, keyset);
        Ok(())
    }

    fn take_id(&mut self, id: OperationId) -> Result<(), Conflict> {
        ensure(id == self.next_operation)?;
        self.next_operation = id.next();
        Ok(())
    }

    fn keyset_mut(&mut self, id: KeysetId) -> Result<&mut KeysetState, Conflict> {
        self.keysets.get_mut(&id).ok_or(Conflict)
    }
}

/// Numbers of keys are counted up; one that is used twice joins what it stands for.
fn use_key(used: &mut u32, number: u32) -> Result<(), Conflict> {
    ensure(*used == number)?;
    *used = number.checked_add(1).ok_or(Conflict)?;
    Ok(())
}

impl KeysetState {
    /// Counters that have a proof are never free again.
    fn give_back(&mut self, from: u64, to: u64) -> Result<(), Conflict> {
        ensure(self.counter == from && to <= from && self.proofs.range(to..).next().is_none())?;
        self.counter = to;
        Ok(())
    }
}

fn ensure(holds: bool) -> Result<(), Conflict> {
    if holds { Ok(()) } else { Err(Conflict) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tacit_core::unit::Unit;
    use tacit_ecash::message::Dleq;
    use tacit_ecash::point::PointBytes;

    use super::*;

    const KEYSET: KeysetId = KeysetId::V2([1; 33]);

    fn proof(status: Status) -> StoredProof {
        let signature = PointBytes::from_bytes([2; 33]);
        StoredProof { amount: 8, signature, dleq: Dleq { e: [0; 32], s: [0; 32] }, status }
    }

    fn id(counter: u64) -> ProofId {
        ProofId { keyset: KEYSET, counter }
    }

    fn pin() -> Change {
        let pinned = PinnedKeyset {
            mint: "https://mint.example".parse().unwrap(),
            unit: Unit::new("usd").unwrap(),
            input_fee_ppk: 0,
            final_expiry: None,
            keys: BTreeMap::new(),
        };
        Change::PinKeyset { id: KEYSET, pinned }
    }

    fn applied(state: &State, changes: &[Change]) -> Result<State, Conflict> {
        let mut next = state.clone();
        next.apply(&Batch { changes: changes.to_vec() }).map(|()| next)
    }

    /// A keyset with its first four counters used, and a spent proof under counter 3.
    fn begun() -> State {
        let changes = [
            pin(),
            Change::AdvanceCounter { keyset: KEYSET, from: 0, to: 4 },
            Change::AddProof { id: id(3), proof: proof(Status::Spent) },
        ];
        applied(&State::default(), &changes).unwrap()
    }

    #[test]
    fn what_is_spent_does_not_come_back() {
        let state = begun();
        let again = Change::AddProof { id: id(3), proof: proof(Status::Unspent) };
        assert_eq!(applied(&state, &[again]), Ok(state));
    }

    #[test]
    fn a_change_that_does_not_find_what_it_expects_is_a_conflict() {
        let (state, operation) = (begun(), OperationId::default());
        let (unspent, spent) = (Status::Unspent, Status::Spent);
        for change in [
            pin(),
            Change::AdvanceCounter { keyset: KEYSET, from: 3, to: 9 },
            Change::AdvanceCounter { keyset: KEYSET, from: 4, to: 3 },
            Change::AddProof { id: id(4), proof: proof(unspent) },
            Change::ReturnCounter { keyset: KEYSET, from: 4, to: 3 },
            Change::ReturnCounter { keyset: KEYSET, from: 3, to: 0 },
            Change::ReturnCounter { keyset: KEYSET, from: 4, to: 5 },
            Change::SetStatus { id: id(3), from: unspent, to: spent },
            Change::SetStatus { id: id(2), from: unspent, to: spent },
            Change::SetActive { id: KeysetId::V2([9; 33]), is_active: true },
            Change::Close { id: operation },
            Change::RemoveToken { id: operation },
            Change::ForgetRefund { id: operation },
        ] {
            assert_eq!(applied(&state, std::slice::from_ref(&change)), Err(Conflict), "{change:?}");
        }
        let used = Change::AdvanceCounter { keyset: KEYSET, from: 4, to: 9 };
        let returned = Change::ReturnCounter { keyset: KEYSET, from: 9, to: 4 };
        assert_eq!(applied(&state, &[used, returned]), Ok(state.clone()));
        let released = Change::SetStatus { id: id(3), from: spent, to: unspent };
        assert!(applied(&state, &[released]).is_ok());
    }
}
