//! Swap (NUT-03): spends proofs, signs outputs of the same value less fees.

use std::collections::HashSet;

use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_ecash::condition::Spend;
use tacit_ecash::point::Y;
use tacit_ecash::proof::{BlindSignature, BlindedMessage, Proof};

use crate::keyset::KeysetNumber;
use crate::ledger::{DayFlow, flows};
use crate::mint::{InputError, Mint, OutputError};
use crate::quote::Output;
use crate::vault::{Outcome, SpentProof};

/// Why a swap was refused. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwapError {
    /// An input cannot be spent.
    #[error(transparent)]
    Input(#[from] InputError),
    /// An output cannot be signed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// NUT error 11005. All in minor units; an overflow of the outputs counts as unbalanced, too.
    #[error("inputs of {inputs} less a fee of {fee} do not equal the outputs")]
    Unbalanced {
        /// Sum of the inputs.
        inputs: u64,
        /// Fee for spending them.
        fee: u64,
    },
}

/// A swap that was checked and signed, and has not happened yet. Made only by [`Mint::prepare_swap`].
///
/// Holds the signatures back until the vault's [`Outcome`] opens it.
pub struct PreparedSwap {
    inputs: Vec<SpentProof>,
    outputs: Vec<Output>,
    flows: Vec<((KeysetNumber, KeysetNumber), DayFlow)>,
    signatures: Vec<BlindSignature>,
}

impl PreparedSwap {
    /// Proofs to be spent: at least one, all different.
    pub fn inputs(&self) -> &[SpentProof] {
        &self.inputs
    }

    /// Outputs to be signed: at least one, all different.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// What it moves between keysets.
    pub fn flows(&self) -> &[((KeysetNumber, KeysetNumber), DayFlow)] {
        &self.flows
    }

    /// The answer, once the vault has said what became of the swap: one signature an output, in order.
    ///
    /// # Errors
    /// The [`SwapError`] the vault refused it with.
    ///
    /// # Panics
    /// If the outcome is not a swap's: a store answers each change in kind.
    pub fn answer(self, outcome: Outcome) -> Result<Vec<BlindSignature>, SwapError> {
        match outcome {
            Outcome::Swap(result) => result.map(|()| self.signatures),
            Outcome::Mint(_)
            | Outcome::Melt(_)
            | Outcome::Finished(_)
            | Outcome::Posted(_)
            | Outcome::Paid(_)
            | Outcome::Refunded(_)
            | Outcome::Fetched(_)
            | Outcome::Answered(_)
            | Outcome::Billed(_)
            | Outcome::BillPaid(_)
            | Outcome::MonthClosed(_)
            | Outcome::Applied(_) => {
                unreachable!("a swap has a swap's outcome")
            }
        }
    }
}

/// How to look at the locks of inputs.
#[derive(Clone, Copy)]
enum Locks<'a> {
    /// At a moment, with their witnesses.
    InForce(Timestamp),
    /// Those of these names bind nobody.
    Released(&'a HashSet<Y>),
}

impl Mint {
    /// Checks and signs a swap (NUT-03): pure computation, for the crypto pool. Nothing is changed yet.
    ///
    /// Signs before the commit. Signing is pure and a signature nobody has seen is worth nothing,
    /// so a crash in between loses no money and there is nothing to undo. Whether the keysets still sign and
    /// redeem is the vault's to say: a repetition of an old swap must be answered even after a rotation.
    ///
    /// # Errors
    /// [`SwapError`], all but what the vault knows.
    pub fn prepare_swap(
        &self,
        unit: Unit,
        inputs: &[Proof],
        outputs: &[BlindedMessage],
        now: Timestamp,
    ) -> Result<PreparedSwap, SwapError> {
        self.prepare_swap_under(unit, inputs, outputs, Locks::InForce(now))
    }

    /// The same for inputs that merchants have released, as the vault says: their locks bind nobody any more. Other locks
    /// cannot be opened in the same swap.
    ///
    /// # Errors
    /// [`SwapError`], all but what the vault knows.
    pub fn prepare_released_swap(
        &self,
        unit: Unit,
        inputs: &[Proof],
        outputs: &[BlindedMessage],
        released: &HashSet<Y>,
    ) -> Result<PreparedSwap, SwapError> {
        self.prepare_swap_under(unit, inputs, outputs, Locks::Released(released))
    }

    fn prepare_swap_under(
        &self,
        unit: Unit,
        inputs: &[Proof],
        outputs: &[BlindedMessage],
        locks: Locks<'_>,
    ) -> Result<PreparedSwap, SwapError> {
        let counted_inputs = self.count_inputs(unit, inputs)?;
        if outputs.is_empty() {
            return Err(OutputError::Empty.into());
        }
        let counted_outputs = self.count_outputs(unit, outputs)?;
        let (total, fee) = (counted_inputs.total, counted_inputs.fee);
        if counted_outputs.total.is_none_or(|signed| total.checked_sub(fee) != Some(signed)) {
            return Err(SwapError::Unbalanced { inputs: total, fee });
        }
        let spent = match locks {
            Locks::InForce(now) => {
                let spend = Spend { inputs, outputs, melt_quote: None };
                self.verify_inputs(&spend, &counted_inputs, now)?
            }
            Locks::Released(released) => self.verify_released(inputs, &counted_inputs, released)?,
        };
        let signatures = self.sign_outputs(outputs, &counted_outputs)?;
        let flows = flows(&counted_inputs.by_keyset, &counted_outputs.by_keyset, fee);
        Ok(PreparedSwap { inputs: spent, outputs: counted_outputs.outputs, flows, signatures })
    }
}
