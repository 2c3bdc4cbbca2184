//! What became of the money, for the person it belongs to: one entry for each operation that changes the balance.
//!
//! Entries are committed in the batch that changes the money, so that neither is ever without the other: the sum of
//! [`Entry::change`] over a unit at a mint is its balance. Nothing of the history ever goes to a mint.

use serde::{Deserialize, Serialize};
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;

use crate::batch::{Batch, Change};
use crate::mint::MintUrl;
use crate::operation::Wallet;
use crate::state::{OperationId, State};

/// Bytes of a note, and of what is kept of a memo: as much as a mint quote's description may have.
pub const NOTE_MAX: usize = 1_024;

/// What one operation did, or is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it was.
    pub kind: Kind,
    /// With whom.
    pub mint: MintUrl,
    /// What is counted.
    pub unit: Unit,
    /// What it was about, in minor units, fees aside: what was sent, paid or issued; the face of a token received.
    pub amount: u64,
    /// What it cost beside that, in minor units; see [`Entry::change`].
    pub fee: u64,
    /// Where it stands.
    pub progress: Progress,
    /// When it began, by the driver's clock.
    pub began: Timestamp,
    /// When its progress, amount or fee last changed.
    pub changed: Timestamp,
    /// The memo of a token, or what was paid (a payto address, an invoice): at most [`NOTE_MAX`] bytes, and text from
    /// outside if it was received.
    pub memo: Option<String>,
    /// The person's own words; empty at first.
    pub note: String,
}

/// What an operation was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// E-cash for a payment. Pending until it is issued.
    Minted,
    /// A token was made. Pending until it is known to be spent.
    Sent,
    /// A token was received.
    Received,
    /// A token that was sent was taken back, or what was left of it.
    Reclaimed {
        /// Its operation: the entry of the token.
        token: OperationId,
    },
    /// A shop gave back what it was paid, or part of it; there may be several of one payment.
    Refunded {
        /// Its operation: the entry of the payment.
        payment: OperationId,
    },
    /// The mint made a payment. Its fee is what that cost, change deducted.
    PaidOut,
    /// A search found proofs that were not known. Its fee is the sum of those that were thought to be unspent and are
    /// not: another device has the same words, or this state was an older copy.
    Restored,
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// Not at its end: see [`State::operations`] and [`State::tokens`] for what can be done.
    Pending,
    /// As it was meant.
    Done,
    /// Not done. The fee is what was lost by it, which is 0 unless somebody else had spent the same proofs.
    Failed,
    /// Sent, and taken back whole or in part: an entry of [`Kind::Reclaimed`] or [`Kind::Received`] says how much.
    Returned,
}

/// The note is longer than [`NOTE_MAX`] bytes, or there is no such entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// No operation of this id has changed the balance.
    #[error("there is no such entry in the history")]
    UnknownEntry,
    /// Too long.
    #[error("a note has at most {NOTE_MAX} bytes")]
    TooLong,
}

impl Entry {
    /// By how much the balance has changed, in minor units. Of a quote that waits for its payment: not at all.
    pub fn change(&self) -> i128 {
        let (amount, fee) = (i128::from(self.amount), i128::from(self.fee));
        match (self.progress, self.kind) {
            (Progress::Failed, _) => -fee,
            // Neither is in the balance before its end.
            (
                Progress::Pending,
                Kind::Minted | Kind::Received | Kind::Reclaimed { .. } | Kind::Refunded { .. },
            ) => 0,
            (_, Kind::Sent | Kind::PaidOut) => -amount - fee,
            (
                _,
                Kind::Minted
                | Kind::Received
                | Kind::Reclaimed { .. }
                | Kind::Refunded { .. }
                | Kind::Restored,
            ) => amount - fee,
        }
    }
}

impl State {
    /// The batch that replaces an entry's note.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn note(&self, id: OperationId, note: &str) -> Result<Batch, NoteError> {
        if !self.history.contains_key(&id) {
            return Err(NoteError::UnknownEntry);
        }
        if NOTE_MAX < note.len() {
            return Err(NoteError::TooLong);
        }
        Ok(Batch { changes: vec![Change::SetNote { id, note: note.to_owned() }] })
    }
}

/// An entry about to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    pub(crate) amount: u64,
    pub(crate) fee: u64,
    pub(crate) memo: Option<String>,
}

impl Draft {
    pub(crate) fn entry(self, mint: MintUrl, unit: Unit, now: Timestamp) -> Entry {
        let Self { kind, amount, fee, memo } = self;
        let (progress, note) = (Progress::Pending, String::new());
        let memo = memo.map(shortened);
        Entry { kind, mint, unit, amount, fee, progress, began: now, changed: now, memo, note }
    }
}

/// The change of an entry's progress, and of its amount and fee, if they turn out otherwise.
///
/// `None` if there is no such entry, or it has come to its end before.
pub(crate) fn amended(
    wallet: Wallet<'_>,
    id: OperationId,
    to: Progress,
    figures: impl FnOnce(&Entry) -> (u64, u64),
) -> Option<Change> {
    let entry = wallet.state.history.get(&id)?;
    if entry.progress != Progress::Pending {
        return None;
    }
    let (amount, fee) = figures(entry);
    Some(Change::Amend { id, from: entry.progress, to, amount, fee, at: wallet.now })
}

/// As [`amended`], with amount and fee as they stand.
pub(crate) fn ended(wallet: Wallet<'_>, id: OperationId, to: Progress) -> Option<Change> {
    amended(wallet, id, to, |entry| (entry.amount, entry.fee))
}

/// The beginning of a text that may come from outside.
fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(NOTE_MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: Kind, progress: Progress) -> Entry {
        let draft = Draft { kind, amount: 10, fee: 1, memo: None };
        let mint = "https://mint.example".parse().unwrap();
        let entry = draft.entry(mint, Unit::new("usd").unwrap(), Timestamp::from_seconds(5));
        Entry { progress, ..entry }
    }

    #[test]
    fn what_is_under_way_out_is_gone_and_what_is_under_way_in_is_not_yet_there() {
        use Progress::{Done, Failed, Pending, Returned};
        for (kind, progress, change) in [
            (Kind::Sent, Pending, -11),
            (Kind::Sent, Done, -11),
            (Kind::Sent, Returned, -11),
            (Kind::Sent, Failed, -1),
            (Kind::PaidOut, Pending, -11),
            (Kind::Received, Pending, 0),
            (Kind::Received, Done, 9),
            (Kind::Minted, Pending, 0),
            (Kind::Refunded { payment: OperationId::default() }, Done, 9),
            (Kind::Restored, Done, 9),
        ] {
            assert_eq!(entry(kind, progress).change(), change, "{kind:?} {progress:?}");
        }
    }

    #[test]
    fn a_long_memo_is_cut_between_characters() {
        let draft = Draft { kind: Kind::Received, amount: 1, fee: 0, memo: Some("é".repeat(600)) };
        let mint = "https://mint.example".parse().unwrap();
        let entry = draft.entry(mint, Unit::new("usd").unwrap(), Timestamp::from_seconds(5));
        assert_eq!(entry.memo, Some("é".repeat(512)));
    }

    #[test]
    fn notes_are_bounded_and_need_an_entry() {
        let (id, mut state) = (OperationId::default(), State::default());
        assert_eq!(state.note(id, "rent"), Err(NoteError::UnknownEntry));
        let entry = entry(Kind::Sent, Progress::Done);
        state.history.insert(id, entry);
        assert_eq!(state.note(id, &"x".repeat(NOTE_MAX + 1)), Err(NoteError::TooLong));
        state.apply(&state.note(id, "rent").unwrap()).unwrap();
        assert_eq!(state.history[&id].note, "rent");
    }
}
