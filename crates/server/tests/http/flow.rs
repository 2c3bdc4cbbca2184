//! What a wallet does on a good day.

use crate::support::local::Local;
use crate::support::wallet::{Wallet, split, total};
use tacit_ecash::message::SpendState;

#[tokio::test(flavor = "multi_thread")]
async fn money_is_minted_and_swapped() {
    let local = Local::demo().await;
    for (unit, method) in [("usd", "bank"), ("kes", "bank"), ("usd", "bolt11")] {
        let mut wallet = Wallet::new(local.address(), unit).await;
        let proofs = wallet.mint(method, 1050).await;
        assert_eq!(total(&proofs), 1050);
        let swapped = wallet.swap(&proofs, &split(1050)).await;
        assert_eq!(wallet.states(&proofs).await, vec![SpendState::Spent; proofs.len()]);
        assert_eq!(wallet.states(&swapped).await, vec![SpendState::Unspent; swapped.len()]);
    }
    local.stop().await;
}
