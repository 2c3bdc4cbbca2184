//! Finds a wallet's money again from its words (NUT-13, "Restore from seed phrase"; NUT-09).
//!
//! NUT-13 asks for signatures first and for states then, which shows the mint every secret this wallet ever had beside
//! its blinded form: its whole history. Here the states come first, in small shuffled batches, and signatures are asked
//! for only where something is unspent or was never issued.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};
use tacit_core::secret::Secret;
use tacit_core::unit::Unit;
use tacit_ecash::blind::hash_to_curve;
use tacit_ecash::blinding::Blinding;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message::{
    CheckStateRequest, CheckStateResponse, RestoreRequest, RestoreResponse, SpendState,
};
use tacit_ecash::point::PointBytes;

use super::{Wallet, Yield};
use crate::batch::{Batch, Change};
use crate::derive::DeriveError;
use crate::history::{Draft, Entry, Kind, Progress};
use crate::mint::MintUrl;
use crate::output::unblind;
use crate::state::{OperationId, ProofId, State, Status, StoredProof};
use crate::transport::{Answer, Reading, Request, read};

/// How far and how fast to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Counters searched together.
    pub window: u64,
    /// Windows without any trace after which a keyset is done.
    pub empty_windows: u64,
    /// Proofs in one request.
    pub batch: usize,
}

impl Default for Pace {
    /// Three empty windows of 100, as NUT-13 recommends; 20 proofs in one request.
    fn default() -> Self {
        Self { window: 100, empty_windows: 3, batch: 20 }
    }
}

/// Searches every keyset of one unit at one mint, whose keysets must be known. Each window is persisted as it is found;
/// after a crash, begin again: no signature is asked for twice. What the state holds as unspent is asked about, too, so
/// that an older copy of a state comes right. What an open operation or a token holds is left to those.
#[derive(Debug)]
pub struct Restore {
    mint: MintUrl,
    unit: Unit,
    pace: Pace,
    order: Shuffle,
    phase: Phase,
    /// Keysets still to be searched; the first is being searched.
    keysets: VecDeque<KeysetId>,
    start: u64,
    empty: u64,
    window: Window,
    restored: Restored,
    /// The entry that says so, once there is one.
    entry: Option<OperationId>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Begin,
    States,
    Signatures,
    Persisting,
}

/// What a search found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Proofs added that can be spent.
    pub proofs: usize,
    /// Their sum, in minor units.
    pub amount: u64,
    /// The sum of what was thought to be unspent and is not, in minor units.
    pub gone: u64,
}

/// Why a search has ended early. What was found before is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The mint could not be reached, or answered something else: begin again later.
    #[error("the mint did not answer")]
    NoAnswer,
    /// The mint gave a signature that its key did not make.
    #[error("the mint's signature for counter {counter} is false")]
    BadSignature {
        /// Counter of the secret.
        counter: u64,
    },
    /// The words lead to no secret.
    #[error(transparent)]
    Derive(#[from] DeriveError),
}

/// Counters searched together.
#[derive(Debug, Default)]
struct Window {
    /// To be asked for their states, with `Y`.
    unasked: Vec<(u64, PointBytes)>,
    asked: Vec<(u64, PointBytes)>,
    /// Not spent: to be asked for their signatures.
    unsigned: Vec<(u64, Status)>,
    sought: Vec<(u64, Status, Blinding)>,
    changes: Vec<Change>,
    /// The last counter with a trace.
    last: Option<u64>,
}

type Next = Result<Yield<Result<Restored, RestoreError>>, RestoreError>;

impl Restore {
    /// `random`: 32 random bytes, which decide in which order proofs are asked for.
    pub fn new(mint: MintUrl, unit: Unit, pace: Pace, random: [u8; 32]) -> Self {
        Self {
            mint,
            unit,
            pace,
            order: Shuffle { random: Secret::new(random), drawn: 0 },
            phase: Phase::Begin,
            keysets: VecDeque::new(),
            start: 0,
            empty: 0,
            window: Window::default(),
            restored: Restored::default(),
            entry: None,
        }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<Restored, RestoreError>> {
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(&mut self, wallet: Wallet<'_>, answer: Option<Answer>) -> Next {
        match self.phase {
            Phase::Begin => {
                let keysets = wallet.state.keysets_of(&self.mint, self.unit);
                self.keysets = keysets.map(|(id, _)| id).collect();
                self.open_window(wallet)?;
            }
            Phase::States => self.take_states(wallet, &taken(answer)?)?,
            Phase::Signatures => self.take_signatures(wallet, &taken(answer)?)?,
            Phase::Persisting => self.next_window(wallet)?,
        }
        self.ask(wallet)
    }

    /// The next question, or what is to be persisted, or the end.
    fn ask(&mut self, wallet: Wallet<'_>) -> Next {
        loop {
            let Some(keyset) = self.keysets.front().copied() else {
                return Ok(Yield::Done(Ok(self.restored)));
            };
            let window = &mut self.window;
            if !window.unasked.is_empty() {
                let rest = window.unasked.len().saturating_sub(self.pace.batch.max(1));
                window.asked = window.unasked.split_off(rest);
                let ys = window.asked.iter().map(|(_, y)| *y).collect();
                let request = CheckStateRequest { ys };
                self.phase = Phase::States;
                return Ok(Yield::Send(Request::post(&self.mint, "/v1/checkstate", &request)));
            }
            if !window.unsigned.is_empty() {
                self.order.shuffle(&mut window.unsigned);
                let rest = window.unsigned.len().saturating_sub(self.pace.batch.max(1));
                for (counter, status) in window.unsigned.split_off(rest) {
                    let blinding = wallet.seed.blinding(keyset, counter, 1)?;
                    window.sought.push((counter, status, blinding));
                }
                let outputs = window.sought.iter();
                let outputs = outputs.map(|(.., blinding)| (*blinding.message()).into());
                let request = RestoreRequest { outputs: outputs.collect() };
                self.phase = Phase::Signatures;
                return Ok(Yield::Send(Request::post(&self.mint, "/v1/restore", &request)));
            }
            if let Some(changes) = self.found(wallet, keyset) {
                self.phase = Phase::Persisting;
                return Ok(Yield::Persist(Batch { changes }));
            }
            self.next_window(wallet)?;
        }
    }

    /// What the window found, if it changes anything.
    fn found(&mut self, wallet: Wallet<'_>, keyset: KeysetId) -> Option<Vec<Change>> {
        let from = wallet.state.keysets[&keyset].counter;
        let to = self.window.last.map_or(from, |last| from.max(last + 1));
        let mut changes = std::mem::take(&mut self.window.changes);
        changes.extend(self.record(wallet));
        if from < to {
            changes.insert(0, Change::AdvanceCounter { keyset, from, to });
        }
        (!changes.is_empty()).then_some(changes)
    }

    /// One entry for the whole search, as far as it has come: it may stop at any window.
    fn record(&mut self, wallet: Wallet<'_>) -> Option<Change> {
        let Restored { amount, gone: fee, .. } = self.restored;
        if let Some((id, entry)) = self.entry.and_then(|id| wallet.state.history.get_key_value(&id))
        {
            let (id, from, at) = (*id, entry.progress, wallet.now);
            let is_new = (entry.amount, entry.fee) != (amount, fee);
            return is_new.then_some(Change::Amend { id, from, to: from, amount, fee, at });
        }
        if (amount, fee) == (0, 0) {
            return None;
        }
        let id = wallet.state.next_operation;
        self.entry = Some(id);
        let draft = Draft { kind: Kind::Restored, amount, fee, memo: None };
        let entry = draft.entry(self.mint.clone(), self.unit, wallet.now);
        let entry = Box::new(Entry { progress: Progress::Done, ..entry });
        Some(Change::Record { id, entry })
    }

    /// Goes on behind the window, or to the next keyset.
    fn next_window(&mut self, wallet: Wallet<'_>) -> Result<(), RestoreError> {
        let Some(keyset) = self.keysets.front() else { return Ok(()) };
        self.start += self.pace.window.max(1);
        self.empty = if self.window.last.is_some() { 0 } else { self.empty + 1 };
        let is_past = wallet.state.keysets[keyset].counter <= self.start;
        if is_past && self.pace.empty_windows <= self.empty {
            self.keysets.pop_front();
            (self.start, self.empty) = (0, 0);
        }
        self.open_window(wallet)
    }

    fn open_window(&mut self, wallet: Wallet<'_>) -> Result<(), RestoreError> {
        self.window = Window::default();
        let Some(keyset) = self.keysets.front().copied() else { return Ok(()) };
        let known = &wallet.state.keysets[&keyset].proofs;
        for counter in self.start..self.start + self.pace.window.max(1) {
            let status = known.get(&counter).map(|proof| proof.status);
            // Outputs under way are their operation's: it will say which go into a token.
            if status.is_some() || is_under_way(wallet.state, keyset, counter) {
                self.window.last = Some(counter);
            }
            let is_sought = match status {
                None => !is_under_way(wallet.state, keyset, counter),
                // An older copy of the state does not know what was spent since.
                Some(Status::Unspent | Status::Pending { token: None }) => true,
                Some(
                    Status::Reserved { .. } | Status::Pending { token: Some(_) } | Status::Spent,
                ) => false,
            };
            if is_sought {
                let secret = wallet.seed.derive(&keyset, counter)?.secret;
                let point = hash_to_curve(secret.expose().as_bytes())
                    .map_err(|error| DeriveError::Blinding(error.into()))?;
                self.window.unasked.push((counter, point.y().to_point()));
            }
        }
        self.order.shuffle(&mut self.window.unasked);
        Ok(())
    }

    fn take_states(
        &mut self,
        wallet: Wallet<'_>,
        answer: &CheckStateResponse,
    ) -> Result<(), RestoreError> {
        let keyset = *self.keysets.front().expect("a keyset is being searched");
        for (counter, y) in std::mem::take(&mut self.window.asked) {
            let state = answer.states.iter().find(|state| state.y == y);
            let state = state.ok_or(RestoreError::NoAnswer)?.state;
            let status = match state {
                SpendState::Unspent => Status::Unspent,
                SpendState::Pending => Status::Pending { token: None },
                SpendState::Spent => Status::Spent,
            };
            if status != Status::Unspent {
                self.window.last = self.window.last.max(Some(counter));
            }
            let id = ProofId { keyset, counter };
            match wallet.state.proof(&id) {
                Some(known) if known.status != status => {
                    let from = known.status;
                    self.window.changes.push(Change::SetStatus { id, from, to: status });
                    if let Status::Unspent = status {
                        self.count(known.amount);
                    } else if let Status::Unspent = from {
                        self.restored.gone = self.restored.gone.saturating_add(known.amount);
                    }
                }
                Some(_) => {}
                None if status == Status::Spent => {}
                None => self.window.unsigned.push((counter, status)),
            }
        }
        Ok(())
    }

    fn take_signatures(
        &mut self,
        wallet: Wallet<'_>,
        answer: &RestoreResponse,
    ) -> Result<(), RestoreError> {
        if answer.outputs.len() != answer.signatures.len() {
            return Err(RestoreError::NoAnswer);
        }
        let keyset = *self.keysets.front().expect("a keyset is being searched");
        for (counter, status, blinding) in std::mem::take(&mut self.window.sought) {
            let blinded = blinding.message().blinded;
            let mut signed = answer.outputs.iter().zip(&answer.signatures);
            let Some((_, signed)) = signed.find(|(output, _)| output.blinded == blinded) else {
                continue;
            };
            let proof: StoredProof = unblind(wallet, &blinding, signed, true, status)
                .ok_or(RestoreError::BadSignature { counter })?;
            if status == Status::Unspent {
                self.count(proof.amount);
            }
            let id = ProofId { keyset, counter };
            self.window.changes.push(Change::AddProof { id, proof });
            self.window.last = self.window.last.max(Some(counter));
        }
        Ok(())
    }

    fn count(&mut self, amount: u64) {
        self.restored.proofs += 1;
        self.restored.amount = self.restored.amount.saturating_add(amount);
    }
}

fn is_under_way(state: &State, keyset: KeysetId, counter: u64) -> bool {
    let mut outputs = state.operations.values().filter_map(|operation| operation.exchange.as_ref());
    outputs.any(|exchange| {
        let outputs = &exchange.outputs;
        outputs.keyset == keyset && (outputs.first..outputs.end()).contains(&counter)
    })
}

/// Random order from 32 random bytes.
#[derive(Debug)]
struct Shuffle {
    random: Secret<[u8; 32]>,
    drawn: u64,
}

impl Shuffle {
    /// Fisher-Yates. The remainder's bias, below 2^-50 for such short lists, tells the mint nothing.
    fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let at = self.draw() % (last as u64 + 1);
            list.swap(last, usize::try_from(at).expect("below the list's length"));
        }
    }

    fn draw(&mut self) -> u64 {
        let digest = Sha256::new()
            .chain_update(self.random.expose())
            .chain_update(self.drawn.to_be_bytes())
            .finalize();
        self.drawn += 1;
        u64::from_be_bytes(*digest.first_chunk().expect("32 bytes have a first 8"))
    }
}

fn taken<T: serde::de::DeserializeOwned>(answer: Option<Answer>) -> Result<T, RestoreError> {
    match read(answer) {
        Reading::Taken(message) => Ok(message),
        Reading::Refused(_) | Reading::Unclear => Err(RestoreError::NoAnswer),
    }
}
