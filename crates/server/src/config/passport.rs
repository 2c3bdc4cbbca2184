//! What passports and certificates are made by.

use std::path::PathBuf;

use serde::Deserialize;

/// What passports and certificates are made by.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PassportTerms {
    /// The scorecard of certificates, signed. Without one there are none; a demonstration has one of its own.
    pub scorecard: Option<PathBuf>,
    /// Months until the passport of whoever had one before counts as new: as long as the longest loan, and some.
    pub again_months: u16,
}

impl Default for PassportTerms {
    fn default() -> Self {
        Self { scorecard: None, again_months: 24 }
    }
}

impl PassportTerms {
    /// Minor units that count as one in a passport, if nobody says otherwise: ten of most currencies.
    pub(super) const UNIT: u64 = 1000;

    /// Whether nobody waits for a lifetime.
    pub(super) fn is_good(&self) -> bool {
        self.again_months <= 120
    }
}
