//! What a payer is told where no rail is attached.

use sha2::{Digest, Sha256};
use tacit_bank::reference::Reference;
use tacit_service::account::AccountId;
use tacit_service::quote::QuoteId;

/// The reference to be put on a bank transfer (ISO 11649). It names the quote without telling its id, which is the right
/// to the e-cash.
pub(crate) fn reference(quote: QuoteId) -> String {
    let digest = Sha256::new_with_prefix(b"tacit/reference/v1").chain_update(quote.as_bytes());
    let digest: [u8; 32] = digest.finalize().into();
    let first = *digest.first_chunk().expect("32 bytes");
    of_account(AccountId::from_random(first)).as_str().to_owned()
}

/// The reference under which money comes in for an account: its number, with check digits.
pub(crate) fn of_account(account: AccountId) -> Reference {
    Reference::of_body(&account.to_string()).expect("an account number is of the same alphabet")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_quotes_are_found_and_tell_nothing_of_their_ids() {
        let quote = QuoteId::from_random([7; 16]);
        let text = reference(quote);
        assert!(text.parse::<Reference>().is_ok_and(|reference| reference.as_str() == text));
        assert_ne!(text, reference(QuoteId::from_random([8; 16])));
        let account = AccountId::from_random([255; 8]);
        assert_eq!(of_account(account).body().parse(), Ok(account));
    }
}
