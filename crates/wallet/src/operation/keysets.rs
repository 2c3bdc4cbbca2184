//! Learns a mint's keysets, and refuses a mint that changes one.

use std::collections::VecDeque;

use tacit_core::unit::Unit;
use tacit_ecash::keyset::KeysetId;
use tacit_ecash::message::{self, KeysResponse, KeysetsResponse};

use super::{Wallet, Yield};
use crate::batch::{Batch, Change};
use crate::mint::{MintUrl, PinnedKeyset};
use crate::transport::{Answer, Reading, Refusal, Request, read};

/// Asks a mint for its keysets and pins those not seen before. Run it before operations on a mint: once to know it,
/// and then from time to time, for mints rotate their keysets.
#[derive(Debug)]
pub struct Keysets {
    mint: MintUrl,
    phase: Phase,
    announced: Vec<Announced>,
    /// Keysets whose keys are still to be asked for.
    missing: VecDeque<KeysetId>,
    changes: Vec<Change>,
}

#[derive(Debug)]
enum Phase {
    Begin,
    Listed,
    ActiveKeys,
    KeysOf,
    Persisting,
}

/// A keyset as the mint announces it now.
#[derive(Clone, Copy, Debug)]
struct Announced {
    id: KeysetId,
    unit: Unit,
    is_active: bool,
    input_fee_ppk: u64,
    final_expiry: Option<tacit_core::time::Timestamp>,
}

/// Why a mint's keysets are not taken. Nothing of the answer was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysetsError {
    /// The mint could not be reached, or answered something else: try again later.
    #[error("the mint did not answer")]
    NoAnswer,
    /// The mint answered with an error.
    #[error("the mint refuses to tell its keysets: {refusal}")]
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// The id belongs to another mint: to derive secrets for both would let the one spend at the other.
    #[error("the keyset {id} belongs to another mint")]
    OtherMint {
        /// Which keyset.
        id: KeysetId,
    },
    /// Known with another unit, fee, expiry or keys. Do not trust this mint with more money.
    #[error("the mint has changed its keyset {id}")]
    Changed {
        /// Which keyset.
        id: KeysetId,
    },
    /// The id is not the name of these keys (NUT-02).
    #[error("the id of the keyset {id} is not that of its keys")]
    FalseId {
        /// Which keyset.
        id: KeysetId,
    },
}

impl Keysets {
    /// Of this mint.
    pub fn new(mint: MintUrl) -> Self {
        let (announced, missing, changes) = (Vec::new(), VecDeque::new(), Vec::new());
        Self { mint, phase: Phase::Begin, announced, missing, changes }
    }

    /// Moves on; see [`crate::operation`].
    pub fn step(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Yield<Result<(), KeysetsError>> {
        self.advance(wallet, answer).unwrap_or_else(|error| Yield::Done(Err(error)))
    }

    fn advance(
        &mut self,
        wallet: Wallet<'_>,
        answer: Option<Answer>,
    ) -> Result<Yield<Result<(), KeysetsError>>, KeysetsError> {
        match self.phase {
            Phase::Begin => {
                self.phase = Phase::Listed;
                Ok(Yield::Send(Request::get(&self.mint, "/v1/keysets".to_owned())))
            }
            Phase::Listed => {
                self.take_list(wallet, &taken(answer)?)?;
                self.phase = Phase::ActiveKeys;
                Ok(Yield::Send(Request::get(&self.mint, "/v1/keys".to_owned())))
            }
            Phase::ActiveKeys => {
                self.take_keys(wallet, &taken(answer)?)?;
                Ok(self.next_missing())
            }
            Phase::KeysOf => {
                let answer: KeysResponse = taken(answer)?;
                let asked = self.missing.pop_front().expect("a keyset was asked for");
                self.take_keys(wallet, &answer)?;
                if !self.changes.iter().any(|change| is_pin_of(change, asked)) {
                    return Err(KeysetsError::NoAnswer); // Keys, but not those asked for.
                }
                Ok(self.next_missing())
            }
            Phase::Persisting => Ok(Yield::Done(Ok(()))),
        }
    }

    /// Compares what is announced with what is pinned.
    fn take_list(
        &mut self,
        wallet: Wallet<'_>,
        answer: &KeysetsResponse,
    ) -> Result<(), KeysetsError> {
        for keyset in answer.keysets.iter().filter_map(announced) {
            let Announced { id, .. } = keyset;
            self.announced.push(keyset);
            let Some(known) = wallet.state.keysets.get(&id) else {
                self.missing.push_back(id);
                continue;
            };
            if known.pinned.mint != self.mint {
                return Err(KeysetsError::OtherMint { id });
            }
            if !keyset.agrees_with(&known.pinned) {
                return Err(KeysetsError::Changed { id });
            }
        }
        Ok(())
    }

    /// Pins keys of keysets that are missing, and compares those of keysets that are known.
    fn take_keys(&mut self, wallet: Wallet<'_>, answer: &KeysResponse) -> Result<(), KeysetsError> {
        for keys in &answer.keysets {
            let Some(id) = keys.keyset.id.id() else { continue };
            if let Some(known) = wallet.state.keysets.get(&id) {
                if known.pinned.mint == self.mint && known.pinned.keys != keys.keys {
                    return Err(KeysetsError::Changed { id });
                }
                continue;
            }
            let is_pinned = self.changes.iter().any(|change| is_pin_of(change, id));
            let Some(announced) = self.announced.iter().find(|keyset| keyset.id == id) else {
                continue;
            };
            let Announced { unit, input_fee_ppk, final_expiry, .. } = *announced;
            let (mint, keys) = (self.mint.clone(), keys.keys.clone());
            let pinned = PinnedKeyset { mint, unit, input_fee_ppk, final_expiry, keys };
            if !pinned.is_named(&id) {
                return Err(KeysetsError::FalseId { id });
            }
            if !is_pinned {
                self.changes.push(Change::PinKeyset { id, pinned });
            }
        }
        Ok(())
    }

    /// Asks for the keys of the next keyset not yet known; persists once there is none.
    fn next_missing(&mut self) -> Yield<Result<(), KeysetsError>> {
        let changes = &self.changes;
        self.missing.retain(|id| !changes.iter().any(|change| is_pin_of(change, *id)));
        if let Some(id) = self.missing.front() {
            self.phase = Phase::KeysOf;
            return Yield::Send(Request::get(&self.mint, format!("/v1/keys/{id}")));
        }
        self.phase = Phase::Persisting;
        let mut changes = std::mem::take(&mut self.changes);
        let active = self.announced.iter().map(|keyset| {
            let Announced { id, is_active, .. } = *keyset;
            Change::SetActive { id, is_active }
        });
        changes.extend(active);
        Yield::Persist(Batch { changes })
    }
}

impl Announced {
    fn agrees_with(&self, pinned: &PinnedKeyset) -> bool {
        (self.unit, self.input_fee_ppk, self.final_expiry)
            == (pinned.unit, pinned.input_fee_ppk, pinned.final_expiry)
    }
}

/// `None` for keysets of versions or units that this wallet does not know: they are left alone.
fn announced(keyset: &message::Keyset) -> Option<Announced> {
    let (id, unit) = (keyset.id.id()?, Unit::new(&keyset.unit).ok()?);
    let message::Keyset { active, input_fee_ppk, final_expiry, .. } = *keyset;
    Some(Announced { id, unit, is_active: active, input_fee_ppk, final_expiry })
}

fn is_pin_of(change: &Change, wanted: KeysetId) -> bool {
    matches!(change, Change::PinKeyset { id, .. } if *id == wanted)
}

fn taken<T: serde::de::DeserializeOwned>(answer: Option<Answer>) -> Result<T, KeysetsError> {
    match read(answer) {
        Reading::Taken(message) => Ok(message),
        Reading::Refused(refusal) => Err(KeysetsError::Refused { refusal }),
        Reading::Unclear => Err(KeysetsError::NoAnswer),
    }
}
