//! Keysets as the vault remembers them: which exist, which sign, which are closed for good.

use std::fmt;

use tacit_core::time::Timestamp;
use tacit_ecash::keyset::{KeysetId, KeysetSpec};

/// The vault's own short number for a keyset, from 1: one byte instead of 33 in each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeysetNumber(u32);

impl KeysetNumber {
    /// The keyset of a number. Whether it exists is the vault's to say.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for KeysetNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a keyset is in its life. It only ever moves down this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeysetState {
    /// Signs and redeems.
    Active,
    /// Redeems only (NUT-02, "Active keysets").
    Inactive,
    /// Past its final expiry, latched: redeems at the desk only, whatever the clock says later.
    Closed,
    /// Closed, and what was outstanding has moved to the expired e-cash account under signed totals.
    Sealed,
}

/// A keyset's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysetRecord {
    /// The vault's number for it.
    pub number: KeysetNumber,
    /// Its public name.
    pub id: KeysetId,
    /// What its keys are derived from.
    pub spec: KeysetSpec,
    /// How far it is in its life.
    pub state: KeysetState,
}

impl KeysetRecord {
    /// Whether its e-cash is redeemable at the mint at `now`: neither closed nor past its final expiry.
    pub fn redeems(&self, now: Timestamp) -> bool {
        self.state < KeysetState::Closed && self.spec.final_expiry.is_none_or(|expiry| now < expiry)
    }

    /// Whether it signs new e-cash at `now`.
    pub fn signs(&self, now: Timestamp) -> bool {
        self.state == KeysetState::Active && self.redeems(now)
    }
}

/// Totals of a closed keyset, signed by the mint's identity key: what it issued, what came back, what did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTotals {
    /// Which keyset.
    pub keyset: KeysetId,
    /// Minor units ever credited to its liability account.
    pub issued: u64,
    /// Minor units ever debited from it, before the seal.
    pub redeemed: u64,
    /// `issued - redeemed`: moved to the expired e-cash account.
    pub outstanding: u64,
    /// BIP-340 signature over [`Self::message`].
    pub signature: [u8; 64],
}

impl SealedTotals {
    /// What is signed: a domain, the keyset's name and the three totals, in decimal.
    pub fn message(&self) -> String {
        format!(
            "tacit/sealed-keyset/v1|{}|{}|{}|{}",
            self.keyset, self.issued, self.redeemed, self.outstanding
        )
    }
}
