//! Questions that change nothing: signatures given before (NUT-09).

use tacit_core::unit::Unit;
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::{BlindSignature, BlindedMessage, SignError};

use crate::mint::Mint;
use crate::quote::Output;
use crate::vault::SignedOutput;

impl Mint {
    /// The signatures on those outputs that were signed (NUT-09), each beside its message with the amount and
    /// keyset it was signed under. Outputs of other units are left out, as unsigned ones are.
    ///
    /// `known`: what the vault says of each output, in order.
    ///
    /// # Errors
    /// [`SignError`] if a row of the vault cannot have been signed by this mint: its seed is another's.
    pub fn restore(
        &self,
        unit: Unit,
        outputs: &[PointBytes],
        known: &[Option<SignedOutput>],
    ) -> Result<Vec<(BlindedMessage, BlindSignature)>, SignError> {
        let mut found = Vec::new();
        for (blinded, signed) in outputs.iter().zip(known) {
            let Some(SignedOutput { keyset, amount }) = *signed else { continue };
            let of_unit =
                self.numbered(keyset).is_some_and(|keyset| keyset.record().spec.unit == unit);
            if of_unit {
                let signature = self.sign_again(&Output { keyset, amount, blinded: *blinded })?;
                let keyset = signature.keyset;
                found.push((BlindedMessage { amount, keyset, blinded: *blinded }, signature));
            }
        }
        Ok(found)
    }
}
