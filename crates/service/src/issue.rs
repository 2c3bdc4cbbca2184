//! Mint (NUT-04): issues e-cash for a paid quote.

use tacit_core::unit::Unit;
use tacit_ecash::proof::{BlindSignature, BlindedMessage};
use tacit_ecash::quote_lock;

use crate::mint::{Mint, OutputError};
use crate::quote::{Method, MintQuote, MintQuoteState, Output, QuoteId, outputs_digest};
use crate::vault::Outcome;

/// Why nothing was issued. Variants stand in the order they are checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// No quote of this name, unit and method. NUT has no code of its own for it.
    #[error("the quote is not known")]
    UnknownQuote,
    /// NUT error 20008.
    #[error("the mint request lacks a valid signature of the quote's key")]
    BadSignature,
    /// NUT error 20002: issued before, for other outputs.
    #[error("the quote has already been issued")]
    AlreadyIssued,
    /// NUT error 20001.
    #[error("the quote is not paid")]
    NotPaid,
    /// An output cannot be signed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// NUT error 11005. In minor units.
    #[error("the outputs do not add up to the quote's {amount}")]
    Unbalanced {
        /// What the quote is for.
        amount: u64,
    },
}

/// An issue that was checked and signed, and has not happened yet. Made only by [`Mint::prepare_mint`].
pub struct PreparedMint {
    quote: QuoteId,
    outputs: Vec<Output>,
    digest: [u8; 32],
    signatures: Vec<BlindSignature>,
}

impl PreparedMint {
    /// The quote it is for.
    pub fn quote(&self) -> QuoteId {
        self.quote
    }

    /// Outputs to be signed, all different; their sum is the quote's amount.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Digest of the list of outputs.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The answer, once the vault has said what became of it: one signature an output, in order.
    ///
    /// # Errors
    /// The [`MintError`] the vault refused it with.
    ///
    /// # Panics
    /// If the outcome is not a mint's: a store answers each change in kind.
    pub fn answer(self, outcome: Outcome) -> Result<Vec<BlindSignature>, MintError> {
        match outcome {
            Outcome::Mint(result) => result.map(|()| self.signatures),
            Outcome::Swap(_)
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
                unreachable!("a mint has a mint's outcome")
            }
        }
    }
}

impl Mint {
    /// Checks and signs the outputs of a mint request (NUT-04, NUT-20). Nothing is changed yet.
    ///
    /// `quote`: as the vault has it; its state is looked at again when the change is committed. `signature`:
    /// the 64 bytes of NUT-20, if the request had them.
    ///
    /// # Errors
    /// [`MintError`], all but what the vault knows.
    pub fn prepare_mint(
        &self,
        (unit, method): (Unit, Method),
        quote: &MintQuote,
        outputs: &[BlindedMessage],
        signature: Option<&[u8; 64]>,
    ) -> Result<PreparedMint, MintError> {
        if (quote.unit, quote.method) != (unit, method) {
            return Err(MintError::UnknownQuote);
        }
        if let Some(key) = &quote.pubkey {
            let signature = signature.ok_or(MintError::BadSignature)?;
            quote_lock::verify(key, &quote.id.to_string(), outputs, signature)
                .map_err(|_| MintError::BadSignature)?;
        }
        // Before any signing, which nobody may ask for in vain.
        let digest = outputs_digest(outputs);
        match quote.state {
            MintQuoteState::Unpaid => return Err(MintError::NotPaid),
            MintQuoteState::Issued { outputs } if outputs != digest => {
                return Err(MintError::AlreadyIssued);
            }
            MintQuoteState::Paid | MintQuoteState::Issued { .. } => {}
        }
        if outputs.is_empty() {
            return Err(OutputError::Empty.into());
        }
        let counted = self.count_outputs(unit, outputs)?;
        if counted.total != Some(quote.amount) {
            return Err(MintError::Unbalanced { amount: quote.amount });
        }
        let signatures = self.sign_outputs(outputs, &counted)?;
        Ok(PreparedMint { quote: quote.id, outputs: counted.outputs, digest, signatures })
    }
}
