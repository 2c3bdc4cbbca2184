//! Which proofs to spend: enough for the amount and the fee of spending them, and few more.

/// A proof to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<K> {
    /// What the caller knows it by.
    pub key: K,
    /// Denomination, in minor units.
    pub amount: u64,
    /// Fee for spending it, in thousandths of the minor unit (NUT-02, "Fees").
    pub fee_ppk: u64,
}

/// The proofs do not cover what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is not enough to spend: {missing} more is needed")]
pub struct NotEnough {
    /// How much is lacking at least, in minor units, fees included.
    pub missing: u64,
}

/// The fee of spending proofs: the sum of their shares, rounded up once.
///
/// `fees_ppk`: one entry a proof, in thousandths of the minor unit.
///
/// Source: NUT-02, "Fees".
pub fn fee(fees_ppk: impl IntoIterator<Item = u64>) -> u64 {
    let total: u128 = fees_ppk.into_iter().map(u128::from).sum();
    u64::try_from(total.div_ceil(1000)).unwrap_or(u64::MAX)
}

/// Proofs whose sum, less the fee of spending them, is at least `amount`; none of them could be left out.
///
/// A fee rounded up once is covered exactly if the sum of `1000 amount - fee_ppk` reaches `1000 amount`, so each
/// proof has a worth of its own, and proofs that cost more than they hold are never taken.
///
/// # Errors
/// [`NotEnough`] exactly if no choice would do.
pub fn at_least<K: Copy>(amount: u64, choices: &[Choice<K>]) -> Result<Vec<Choice<K>>, NotEnough> {
    let mut sorted: Vec<&Choice<K>> = choices.iter().filter(|choice| 0 < worth(choice)).collect();
    sorted.sort_by_key(|choice| std::cmp::Reverse(worth(choice)));
    let mut rest = i128::from(amount) * 1000;
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    for choice in sorted {
        if worth(choice) <= rest {
            rest -= worth(choice);
            taken.push(*choice);
        } else {
            left.push(choice);
        }
    }
    if 0 < rest {
        // Each one left is worth more than the rest was when it was passed over: the smallest will do.
        let Some(smallest) = left.last() else {
            let missing = rest.unsigned_abs().div_ceil(1000);
            return Err(NotEnough { missing: u64::try_from(missing).unwrap_or(u64::MAX) });
        };
        rest -= worth(smallest);
        taken.push(**smallest);
    }
    // Whatever that one made superfluous goes back, smallest first, so that many small ones are freed.
    taken.sort_by_key(worth);
    taken.retain(|choice| {
        let superfluous = worth(choice) <= -rest;
        if superfluous {
            rest += worth(choice);
        }
        !superfluous
    });
    Ok(taken)
}

/// Proofs whose sum is exactly `amount`, or, with `is_fee_added`, that and the fee of spending them, so that their
/// receiver can swap them for `amount`. `None` if the greedy search finds none; where every denomination divides the
/// next, as powers of two do, and no fee is added, that is: if there are none.
pub fn exactly<K: Copy>(
    amount: u64,
    choices: &[Choice<K>],
    is_fee_added: bool,
) -> Option<Vec<Choice<K>>> {
    let mut sorted: Vec<&Choice<K>> = choices.iter().filter(|choice| choice.amount != 0).collect();
    // Among equals the cheaper to spend first.
    sorted.sort_by_key(|choice| (std::cmp::Reverse(choice.amount), choice.fee_ppk));
    let mut added = 0;
    loop {
        let wanted = amount.checked_add(added)?;
        let mut rest = wanted;
        let mut taken = Vec::new();
        for choice in &sorted {
            if choice.amount <= rest {
                rest -= choice.amount;
                taken.push(**choice);
            }
        }
        if rest != 0 && !is_fee_added {
            return None;
        }
        let cost = fee(taken.iter().map(|choice| choice.fee_ppk));
        if rest == 0 && (!is_fee_added || cost == added) {
            return Some(taken);
        }
        // The fee sought only grows, so the search ends.
        added = cost.max(added + 1);
        if fee(sorted.iter().map(|choice| choice.fee_ppk)) < added {
            return None;
        }
    }
}

/// What a proof adds once the fee for it is paid, in thousandths of the minor unit.
fn worth<K>(choice: &Choice<K>) -> i128 {
    i128::from(choice.amount) * 1000 - i128::from(choice.fee_ppk)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arb_choices(fees: Vec<u64>) -> impl Strategy<Value = Vec<Choice<usize>>> {
        let one = ((0..12_u32).prop_map(|order| 1_u64 << order), prop::sample::select(fees));
        prop::collection::vec(one, 0..14).prop_map(|choices| {
            let choice = |(key, (amount, fee_ppk))| Choice { key, amount, fee_ppk };
            choices.into_iter().enumerate().map(choice).collect()
        })
    }

    fn net(chosen: &[Choice<usize>]) -> i128 {
        let sum: u64 = chosen.iter().map(|choice| choice.amount).sum();
        i128::from(sum) - i128::from(fee(chosen.iter().map(|choice| choice.fee_ppk)))
    }

    fn subsets(choices: &[Choice<usize>]) -> impl Iterator<Item = Vec<Choice<usize>>> + '_ {
        (0..1_u32 << choices.len()).map(|mask| {
            choices.iter().filter(|choice| mask >> choice.key & 1 == 1).copied().collect()
        })
    }

    fn is_choice_of(chosen: &[Choice<usize>], choices: &[Choice<usize>]) -> bool {
        let keys: std::collections::BTreeSet<usize> =
            chosen.iter().map(|choice| choice.key).collect();
        keys.len() == chosen.len() && chosen.iter().all(|choice| choices[choice.key] == *choice)
    }

    proptest! {
        /// Enough is found exactly if it exists, and nothing chosen could be left out.
        #[test]
        fn at_least_finds_enough_and_not_more(
            amount in 0..6000_u64,
            choices in arb_choices(vec![0, 1, 100, 1000, 2500]),
        ) {
            match at_least(amount, &choices) {
                Ok(chosen) => {
                    prop_assert!(is_choice_of(&chosen, &choices));
                    prop_assert!(i128::from(amount) <= net(&chosen));
                    for leave_out in &chosen {
                        let fewer: Vec<_> = chosen.iter().filter(|choice| *choice != leave_out).copied().collect();
                        prop_assert!(net(&fewer) < i128::from(amount), "{leave_out:?} is superfluous");
                    }
                }
                Err(NotEnough { missing }) => {
                    let most = subsets(&choices).map(|chosen| net(&chosen)).max().unwrap();
                    prop_assert!(most < i128::from(amount));
                    prop_assert_eq!(i128::from(amount) - most, i128::from(missing));
                }
            }
        }

        /// Without a fee, an exact choice is found whenever there is one.
        #[test]
        fn exactly_finds_what_exists(amount in 0..6000_u64, choices in arb_choices(vec![0, 100])) {
            let exists = subsets(&choices).any(|chosen| {
                chosen.iter().map(|choice| choice.amount).sum::<u64>() == amount
            });
            match exactly(amount, &choices, false) {
                Some(chosen) => {
                    prop_assert!(is_choice_of(&chosen, &choices));
                    prop_assert_eq!(chosen.iter().map(|choice| choice.amount).sum::<u64>(), amount);
                }
                None => prop_assert!(!exists),
            }
        }

        /// With the fee added, the receiver is left with the amount and not a unit more or less.
        #[test]
        fn exactly_leaves_the_receiver_the_amount(
            amount in 0..6000_u64,
            choices in arb_choices(vec![0, 100, 1000, 2500]),
        ) {
            if let Some(chosen) = exactly(amount, &choices, true) {
                prop_assert!(is_choice_of(&chosen, &choices));
                prop_assert_eq!(net(&chosen), i128::from(amount));
            }
        }
    }

    #[test]
    fn fees_are_rounded_up_once() {
        assert_eq!(fee([]), 0);
        assert_eq!(fee([100; 10]), 1);
        assert_eq!(fee([100; 11]), 2);
        assert_eq!(fee([u64::MAX; 2000]), u64::MAX);
    }

    #[test]
    fn a_fee_is_found_together_with_the_amount() {
        let choices: Vec<_> = (0..10).map(|key| Choice { key, amount: 1, fee_ppk: 500 }).collect();
        let chosen = exactly(3, &choices, true).unwrap();
        assert_eq!(chosen.len(), 6, "six proofs of 1 cost 3");
    }
}
