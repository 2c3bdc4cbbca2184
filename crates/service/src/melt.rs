//! Melt (NUT-05): proofs are held, the rail pays, the proofs are spent and what was not needed comes back.
//!
//! The only use case with a pending state, because the world outside is slow. It survives a crash: whoever
//! starts again asks the rail what became of each pending payment by the id it was started under.

use std::collections::BTreeMap;

use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::condition::Spend;
use tacit_ecash::proof::{BlindedMessage, Proof};

use crate::account::AccountId;
use crate::keyset::KeysetNumber;
use crate::mint::{InputError, Mint, OutputError};
use crate::quote::{MeltQuote, Method, Output, PendingMelt, QuoteId};
use crate::vault::SpentProof;

/// Why a payment was not started. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeltError {
    /// No quote of this name, unit and method.
    #[error("the quote is not known")]
    UnknownQuote,
    /// An input cannot be spent.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A change output cannot be signed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// NUT error 11005. All in minor units.
    #[error(
        "inputs of {inputs} do not cover {amount}, a fee reserve of {reserve} and an input fee of {fee}"
    )]
    Unbalanced {
        /// Sum of the inputs.
        inputs: u64,
        /// What the payee is to get.
        amount: u64,
        /// What is held for the rail's cost.
        reserve: u64,
        /// Fee for spending the inputs.
        fee: u64,
    },
    /// NUT error 20005.
    #[error("the quote's payment is under way")]
    Pending,
    /// NUT error 20007.
    #[error("the quote has expired")]
    Expired,
    /// The account to be paid is not known, frozen or closed.
    #[error("the account to be paid takes nothing")]
    PayeeClosed,
}

/// The rail's final word on a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeltEnd {
    /// The payee has the money.
    Paid {
        /// What the rail took beside it, in minor units.
        fee: u64,
        /// A preimage or end-to-end reference.
        evidence: Option<String>,
    },
    /// The payee will never get the money under this payment's id.
    Failed,
}

/// A payment that may be started: proofs checked, change outputs known to be points. Made only by
/// [`Mint::prepare_melt`].
pub struct PreparedMelt {
    quote: QuoteId,
    payee: Option<AccountId>,
    inputs: Vec<SpentProof>,
    by_keyset: BTreeMap<KeysetNumber, u64>,
    fee: u64,
    outputs: Vec<Output>,
}

impl PreparedMelt {
    /// The quote it is for.
    pub fn quote(&self) -> QuoteId {
        self.quote
    }

    /// The account here that is to be paid, if it is one.
    pub fn payee(&self) -> Option<AccountId> {
        self.payee
    }

    /// Proofs to be held, all different.
    pub fn inputs(&self) -> &[SpentProof] {
        &self.inputs
    }

    /// Blank outputs for change, all different and all points.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// What the quote remembers while the payment is under way.
    pub fn pending(&self) -> PendingMelt {
        PendingMelt {
            inputs: self.by_keyset.clone(),
            input_fee: self.fee,
            outputs: self.outputs.clone(),
        }
    }
}

impl Mint {
    /// Checks the proofs and change outputs of a melt request (NUT-05, NUT-08). Nothing is changed yet.
    ///
    /// `quote`: as the vault has it; its state is looked at again when the change is committed.
    ///
    /// # Errors
    /// [`MeltError`], all but what the vault knows.
    pub fn prepare_melt(
        &self,
        (unit, method): (Unit, Method),
        quote: &MeltQuote,
        inputs: &[Proof],
        outputs: &[BlindedMessage],
        now: Timestamp,
    ) -> Result<PreparedMelt, MeltError> {
        if (quote.unit, quote.method) != (unit, method) {
            return Err(MeltError::UnknownQuote);
        }
        let counted = self.count_inputs(unit, inputs)?;
        let blanks = self.count_blanks(unit, outputs)?;
        let (amount, reserve, fee) = (quote.amount, quote.fee_reserve, counted.fee);
        let needed = amount.checked_add(reserve).and_then(|sum| sum.checked_add(fee));
        if needed.is_none_or(|needed| counted.total < needed) {
            return Err(MeltError::Unbalanced { inputs: counted.total, amount, reserve, fee });
        }
        let quote_id = quote.id.to_string();
        let spend = Spend { inputs, outputs, melt_quote: Some(&quote_id) };
        let held = self.verify_inputs(&spend, &counted, now)?;
        Ok(PreparedMelt {
            quote: quote.id,
            payee: quote.payee(),
            inputs: held,
            by_keyset: counted.by_keyset,
            fee,
            outputs: blanks,
        })
    }
}

/// How a paid melt's inputs are divided. All in minor units; the parts add up to the inputs and the loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// To the payee and the rail.
    pub paid_out: u64,
    /// Change, on the first of the blank outputs.
    pub change: Vec<Output>,
    /// Input fee, and change for which there was no output.
    pub fees: u64,
    /// What the rail took beyond what the inputs cover: the operator's loss.
    pub loss: u64,
}

/// Divides the inputs of a paid melt (NUT-08).
///
/// Change is made of powers of two. If the wallet supplied too few outputs, the largest parts that fit are
/// given and the rest is kept as a fee; parts stand in ascending order on the outputs in the order supplied.
pub fn settle(quote: &MeltQuote, pending: &PendingMelt, rail_fee: u64) -> Settled {
    let inputs: u64 = pending.inputs.values().sum();
    let paid_out = quote.amount.saturating_add(rail_fee);
    let available = inputs.saturating_sub(pending.input_fee);
    let over = available.saturating_sub(paid_out);
    let mut parts: Vec<u64> =
        (0..u64::BITS).rev().map(|bit| 1 << bit).filter(|part| over & part != 0).collect();
    parts.truncate(pending.outputs.len());
    parts.reverse();
    let change: Vec<Output> = pending
        .outputs
        .iter()
        .zip(parts)
        .map(|(blank, amount)| Output { amount, ..*blank })
        .collect();
    let returned: u64 = change.iter().map(|output| output.amount).sum();
    Settled {
        paid_out,
        fees: pending.input_fee.min(inputs) + over - returned,
        loss: paid_out.saturating_sub(available),
        change,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tacit_ecash::point::PointBytes;

    use super::*;
    use crate::quote::MeltQuoteState;

    fn quote(amount: u64, fee_reserve: u64) -> MeltQuote {
        MeltQuote {
            id: QuoteId::from_random([0; 16]),
            unit: Unit::new("usd").unwrap(),
            method: Method::Bank,
            request: String::new(),
            amount,
            fee_reserve,
            expiry: Timestamp::from_seconds(0),
            attempt: 1,
            state: MeltQuoteState::Unpaid,
        }
    }

    fn pending(inputs: u64, input_fee: u64, outputs: usize) -> PendingMelt {
        let keyset = KeysetNumber::new(1);
        let blank = |byte: usize| PointBytes::from_bytes([u8::try_from(byte).unwrap(); 33]);
        PendingMelt {
            inputs: BTreeMap::from([(keyset, inputs)]),
            input_fee,
            outputs: (0..outputs)
                .map(|byte| Output { keyset, amount: 0, blinded: blank(byte) })
                .collect(),
        }
    }

    #[test]
    fn change_comes_in_ascending_powers_on_the_first_outputs() {
        // The example of NUT-08: 100,000 with a reserve of 1,000, of which the rail took 100.
        let settled = settle(&quote(100_000, 1_000), &pending(101_000, 0, 10), 100);
        let amounts: Vec<u64> = settled.change.iter().map(|output| output.amount).collect();
        assert_eq!(amounts, [4, 128, 256, 512]);
        assert_eq!(settled.fees, 0);
    }

    #[test]
    fn too_few_outputs_get_the_largest_parts() {
        let settled = settle(&quote(100, 7), &pending(107, 0, 1), 0);
        assert_eq!(settled.change.iter().map(|output| output.amount).collect::<Vec<_>>(), [4]);
        assert_eq!(settled.fees, 3);
    }

    proptest! {
        /// Nothing is made and nothing vanishes, whatever the rail takes.
        #[test]
        fn settling_conserves_value(
            amount in 1_u64..1000, reserve in 0_u64..100, fee in 0_u64..10, extra in 0_u64..50,
            rail in 0_u64..300, outputs in 0_usize..12,
        ) {
            let inputs = amount + reserve + fee + extra;
            let settled = settle(&quote(amount, reserve), &pending(inputs, fee, outputs), rail);
            let change: u64 = settled.change.iter().map(|output| output.amount).sum();
            prop_assert_eq!(inputs + settled.loss, settled.paid_out + change + settled.fees);
            prop_assert!(rail > reserve + extra || settled.loss == 0);
        }
    }
}
