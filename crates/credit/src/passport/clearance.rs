//! Showing that one is not the borrower of some loans: what a second enrolment asks for.
//!
//! Who lost the words, or starts over, must not leave an overdue loan behind. For each loan that is overdue, the holder shows the
//! tag the loan would have been drawn with, and proves that it is of the account's secret. The desk compares it with the tag the
//! loan *was* drawn with. A tag of a loan somebody else drew says nothing about its holder, and is of no use to anybody.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::caught::catch;
use super::circuit::same_holder;
use super::tag::{self, Base, Entropy, Holder, Loan, Tag};

/// A holder's tag for one loan, and the proof that it is of the same holder as the account's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clearance {
    tag: Tag,
    #[serde(with = "serde_bytes")]
    proof: Vec<u8>,
}

/// Why somebody is not cleared. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotClear {
    /// Not one clearance for each loan.
    #[error("expected {expected} clearances, found {found}")]
    Count {
        /// Loans that are overdue.
        expected: usize,
        /// Clearances that were shown.
        found: usize,
    },
    /// A tag that is not of the account's holder.
    #[error("clearance {index} does not hold")]
    Proof {
        /// Counted from 0.
        index: usize,
    },
    /// The account's holder drew the loan, and it is overdue.
    #[error("loan {index} is overdue")]
    Overdue {
        /// Counted from 0.
        index: usize,
    },
}

/// The clearances of a holder for some loans, for one enrolment: `session` is that request's nonce.
pub fn clear(
    holder: &Holder,
    loans: &[Loan],
    session: &[u8; 32],
    entropy: &Entropy,
) -> Vec<Clearance> {
    let mut random = tag::generator_of(entropy);
    let one = |loan: &Loan| {
        let own = holder.tag(Base::Loan(*loan));
        let instance = instance(holder.tag(Base::Account), own, *loan);
        let witness = same_holder::Witness { holder: *holder.scalar() };
        let session = bound(session, *loan);
        let proof = same_holder::prove(&instance, &witness, &session, &mut random);
        Clearance { tag: own, proof: proof.expect("the witness satisfies the statement") }
    };
    loans.iter().map(one).collect()
}

/// Checks that the holder of an account's tag drew none of some overdue loans; each with the tag it was drawn with.
///
/// # Errors
/// [`NotClear`], by the first loan it concerns.
pub fn check_clear(
    account: Tag,
    overdue: &[(Loan, Tag)],
    session: &[u8; 32],
    shown: &[Clearance],
) -> Result<(), NotClear> {
    if shown.len() != overdue.len() {
        return Err(NotClear::Count { expected: overdue.len(), found: shown.len() });
    }
    for (index, ((loan, drawn), clearance)) in overdue.iter().zip(shown).enumerate() {
        let instance = instance(account, clearance.tag, *loan);
        let session = bound(session, *loan);
        let checked = catch(|| same_holder::verify(&instance, &clearance.proof, &session).is_ok());
        if checked != Some(true) {
            return Err(NotClear::Proof { index });
        }
        if clearance.tag == *drawn {
            return Err(NotClear::Overdue { index });
        }
    }
    Ok(())
}

fn instance(account: Tag, own: Tag, loan: Loan) -> same_holder::Instance {
    same_holder::Instance {
        ACCOUNT: account.point(),
        OWN: own.point(),
        LOAN: Base::Loan(loan).point(),
        GENERATOR: Base::Account.point(),
    }
}

fn bound(session: &[u8; 32], loan: Loan) -> [u8; 32] {
    let hash = Sha256::new_with_prefix(b"tacit passport clearance");
    hash.chain_update(session).chain_update(loan.0).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacit_core::secret::Secret;

    const LOANS: [Loan; 2] = [Loan([1; 32]), Loan([2; 32])];

    #[test]
    fn who_drew_none_of_the_loans_is_clear() {
        let (holder, other) = (Holder::of_seed(&[1; 64]), Holder::of_seed(&[2; 64]));
        let (session, entropy) = ([5; 32], Secret::new([6; 32]));
        let shown = clear(&holder, &LOANS, &session, &entropy);
        let account = holder.tag(Base::Account);
        let drawn_by = |who: &Holder| LOANS.map(|loan| (loan, who.tag(Base::Loan(loan))));
        let theirs = drawn_by(&other);
        assert_eq!(check_clear(account, &theirs, &session, &shown), Ok(()));
        assert_eq!(check_clear(account, &[], &session, &[]), Ok(()));
        let own = [theirs[0], drawn_by(&holder)[1]];
        assert_eq!(
            check_clear(account, &own, &session, &shown),
            Err(NotClear::Overdue { index: 1 })
        );
    }

    #[test]
    fn a_clearance_of_somebody_or_something_else_is_none() {
        let (holder, other) = (Holder::of_seed(&[1; 64]), Holder::of_seed(&[2; 64]));
        let (session, entropy) = ([5; 32], Secret::new([6; 32]));
        let overdue = LOANS.map(|loan| (loan, holder.tag(Base::Loan(loan))));
        let account = holder.tag(Base::Account);
        let check = |shown: &[Clearance]| check_clear(account, &overdue, &session, shown);
        let none = Err(NotClear::Proof { index: 0 });
        assert_eq!(check(&clear(&other, &LOANS, &session, &entropy)), none);
        assert_eq!(check(&clear(&holder, &LOANS, &[7; 32], &entropy)), none, "another enrolment's");
        let mut turned = clear(&holder, &LOANS, &session, &entropy);
        turned.reverse();
        assert_eq!(check(&turned), none, "of other loans");
        assert_eq!(check(&turned[..1]), Err(NotClear::Count { expected: 2, found: 1 }));
        let mut empty = clear(&other, &LOANS, &session, &entropy);
        empty[0] = Clearance { tag: other.tag(Base::Loan(LOANS[0])), proof: Vec::new() };
        assert_eq!(check(&empty), none);
        let mut edited = clear(&holder, &LOANS, &session, &entropy);
        edited[0].tag = other.tag(Base::Loan(LOANS[0]));
        assert_eq!(check(&edited), none);
    }
}
