//! The auditor: after every step the vault's books must agree with themselves, the wallet and the world outside.

use std::collections::BTreeSet;

use tacit_service::audit;
use tacit_service::identity::Identity;
use tacit_service::ledger::Account;
use tacit_service::quote::MeltQuoteState;
use tacit_service::vault::{ProofState, VaultReader};

use crate::town::Town;
use crate::wallet::{Errand, Kind, Wallet};

impl Town {
    pub(crate) fn audit(&mut self) {
        let reader = self.site.reader();
        let books = reader.books().expect("the store works");
        let identity = Identity::derive(&self.seed).public();
        let broken: Vec<audit::Check> =
            audit::check(&books, &identity).into_iter().filter(|check| !check.holds).collect();
        assert!(broken.is_empty(), "the books contradict themselves: {broken:#?}");

        let settlement =
            books.transfers.get(&Account::Settlement(self.unit)).copied().unwrap_or_default();
        assert_eq!(settlement.debits, self.outside.received, "what came in is booked");
        assert_eq!(settlement.credits, self.outside.paid_out, "what went out is booked");

        for (holder, owed) in &self.edge.owed {
            let purse = reader.purse(*holder, self.unit).expect("the store works");
            let kept = purse.balance.owed().expect("not overdrawn");
            assert_eq!(kept, *owed, "an account holds what came and did not go");
        }
        let owned: Vec<_> = self.wallet.coins.iter().map(|coin| coin.y).collect();
        let states = reader.proof_states(&owned).expect("the store works");
        assert!(
            states.iter().all(|state| *state == ProofState::Unspent),
            "what the wallet owns is unspent"
        );
        let names: BTreeSet<_> = owned.iter().collect();
        assert_eq!(names.len(), owned.len(), "no coin twice");

        let mut value = Wallet::value(&self.wallet.coins);
        for errand in self.wallet.errands.values() {
            value += worth(errand, &mut *reader);
        }
        let outstanding: u64 =
            books.keysets.iter().map(|keyset| keyset.signed - keyset.spent).sum();
        assert_eq!(outstanding, value, "e-cash outstanding is what the wallet owns");
    }
}

/// What an open errand is worth to the wallet, by what the vault says: its inputs or its outputs, never both.
fn worth(errand: &Errand, reader: &mut dyn VaultReader) -> u64 {
    let ys: Vec<_> = errand.inputs.iter().map(|coin| coin.y).collect();
    let states = reader.proof_states(&ys).expect("the store works");
    let blinded: Vec<_> = errand.outputs.iter().map(|blank| blank.message().blinded).collect();
    let signed = reader.signed(&blinded).expect("the store works");
    let signed: Vec<u64> = signed.iter().flatten().map(|output| output.amount).collect();
    let all = |state: &ProofState| states.iter().all(|found| found == state);
    match errand.kind {
        Kind::Mint(_) => {
            assert!(
                signed.is_empty() || signed.len() == errand.outputs.len(),
                "issued whole or not at all"
            );
            signed.iter().sum()
        }
        Kind::Swap => {
            let whole = all(&ProofState::Spent(None)) && signed.len() == errand.outputs.len();
            assert!(
                whole || (all(&ProofState::Unspent) && signed.is_empty()),
                "swapped whole or not at all"
            );
            if whole { signed.iter().sum() } else { Wallet::value(&errand.inputs) }
        }
        Kind::Melt(quote) => {
            let quote = reader.melt_quote(quote).expect("the store works").expect("open");
            let (state, paid) = match quote.state {
                MeltQuoteState::Unpaid => (ProofState::Unspent, false),
                MeltQuoteState::Pending(_) => (ProofState::Pending, false),
                MeltQuoteState::Paid { .. } => (ProofState::Spent(None), true),
            };
            assert!(all(&state), "proofs are where their quote is");
            assert!(paid || signed.is_empty(), "change is signed with the payment");
            if paid { signed.iter().sum() } else { Wallet::value(&errand.inputs) }
        }
    }
}
