//! Cash at agents, and what the operator asks for its services.

use serde::Deserialize;
use tacit_service::fee::Fee;

use super::table::UnitTable;

/// How long codes at agents are good.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentTerms {
    /// For cash.
    pub code_hours: u64,
    /// To pay cash in.
    pub deposit_minutes: u64,
}

impl Default for AgentTerms {
    fn default() -> Self {
        Self { code_hours: 24, deposit_minutes: 15 }
    }
}

impl AgentTerms {
    /// Whether each lasts at all, and not for ever.
    pub(super) fn is_good(self) -> bool {
        (1..=720).contains(&self.code_hours) && (1..=1440).contains(&self.deposit_minutes)
    }
}

/// What the operator asks for its services in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fees {
    /// For a payout, in minor units, beside it.
    pub payout: u64,
    /// For cash at an agent, beside it.
    pub cash_out: Fee,
    /// For cash paid in at an agent, out of it.
    pub cash_in: Fee,
    /// For a paid order, out of it.
    pub sale: Fee,
}

impl Fees {
    /// As they stand in the file; `None` if one of them is no fee.
    pub(super) fn of(table: &UnitTable) -> Option<Self> {
        let fee = |[fixed, basis_points]: [u64; 2]| Fee::new(fixed, basis_points);
        Some(Self {
            payout: Fee::new(table.fee_payout, 0)?.fixed(),
            cash_out: fee(table.fee_cash_out)?,
            cash_in: fee(table.fee_cash_in)?,
            sale: fee(table.fee_sale)?,
        })
    }

    /// Whether nothing is asked for at all.
    pub fn are_none(self) -> bool {
        self == Self::default()
    }
}
