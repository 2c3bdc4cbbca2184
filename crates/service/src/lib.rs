//! The operator's use cases: the mint and its ledger. The storage they need stands here as traits.
//!
//! Reading order: [`keyset`], [`quote`], [`ledger`], [`account`], [`posting`], [`order`], [`bill`], [`fee`], [`passport`] (the nouns); [`vault`] (what must not be forgotten);
//! [`decide`] (the rules, applied to a batch); [`mint`], [`swap`], [`issue`], [`melt`], [`lookup`] (what a
//! request asks for); [`rail`], [`bank`] and [`cash`] (how money comes and goes); [`audit`] (whether it all adds up);
//! [`inventory`] (what is kept).
//! Architecture invariant: no HTTP, no SQL, no I/O, no clock and no randomness of its own. This is the only
//! crate of the operator's where e-cash meets accounts: review it for linkage. No type joins inputs to outputs
//! longer than one commit, or an account to either; no type here holds a passport's counters.
//! Sources: Cashu NUT-02 to NUT-20; for the ledger, double entry as in TigerBeetle's documentation
//! ("Data Modeling": immutable transfers, client-made ids).

pub mod account;
pub mod audit;
pub mod bank;
pub mod bill;
pub mod cash;
#[cfg(any(test, feature = "test-util"))]
pub mod conformance;
pub mod decide;
pub mod desk;
pub mod fee;
pub mod identity;
pub mod income;
pub mod inventory;
pub mod invoice;
pub mod issue;
pub mod keyset;
pub mod ledger;
pub mod lookup;
pub mod melt;
#[cfg(any(test, feature = "test-util"))]
pub mod memory;
pub mod mint;
pub mod order;
pub mod passport;
pub mod payout;
pub mod payto;
pub mod posting;
pub mod quote;
pub mod rail;
pub mod reconcile;
pub mod swap;
pub mod vault;
