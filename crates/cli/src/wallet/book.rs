//! What a person decides about the wallet, beside its money: which mints to deal with.

use serde::{Deserialize, Serialize};
use tacit_wallet::mint::MintUrl;

/// Kept in the wallet file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Book {
    /// Mints to deal with, in the order in which they were added.
    #[serde(default)]
    pub(super) mints: Vec<MintUrl>,
}

impl Book {
    /// Adds a mint behind those there.
    pub(super) fn add(&mut self, mint: &MintUrl) {
        if !self.mints.contains(mint) {
            self.mints.push(mint.clone());
        }
    }

    /// Takes a mint out.
    pub(super) fn remove(&mut self, mint: &MintUrl) {
        self.mints.retain(|other| other != mint);
    }
}
