//! Which denominations to ask for: few, and such that the next payment finds its exact parts.

use std::collections::BTreeMap;

/// How many proofs of each small denomination a wallet likes to hold. With three of each, most payments find their
/// exact amount and need no swap: no fee, no wait, and nothing for the mint to see.
pub const HELD_TARGET: usize = 3;

/// An amount cannot be made of these denominations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no denominations of the keyset make up {amount}")]
pub struct NotExpressible {
    /// The amount, in minor units.
    pub amount: u64,
}

/// The parts of an amount, largest denomination first chosen, smallest first listed; few parts, for a token.
///
/// `denominations`: those the keyset has, in any order, in minor units; at most `parts_max` parts.
///
/// # Errors
/// [`NotExpressible`] if the greedy choice leaves a rest (never with 1, 2, 4, …), or takes too many parts.
pub fn split(
    amount: u64,
    denominations: impl IntoIterator<Item = u64>,
    parts_max: usize,
) -> Result<Vec<u64>, NotExpressible> {
    let mut sorted: Vec<u64> = denominations.into_iter().filter(|part| *part != 0).collect();
    sorted.sort_unstable_by(|left, right| right.cmp(left));
    let mut rest = amount;
    let mut parts = Vec::new();
    for denomination in sorted {
        while denomination <= rest {
            if parts.len() == parts_max {
                return Err(NotExpressible { amount });
            }
            parts.push(denomination);
            rest -= denomination;
        }
    }
    if rest != 0 {
        return Err(NotExpressible { amount });
    }
    parts.reverse();
    Ok(parts)
}

/// The parts of an amount that the wallet keeps: first what it lacks of the small denominations, smallest first,
/// up to [`HELD_TARGET`] of each; the rest as [`split`] does it. Smallest first.
///
/// `held`: how many proofs of each denomination the wallet has already.
///
/// # Errors
/// [`NotExpressible`], as [`split`].
pub fn split_to_keep(
    amount: u64,
    denominations: impl IntoIterator<Item = u64>,
    held: &BTreeMap<u64, usize>,
    parts_max: usize,
) -> Result<Vec<u64>, NotExpressible> {
    let mut sorted: Vec<u64> = denominations.into_iter().filter(|part| *part != 0).collect();
    sorted.sort_unstable();
    let mut rest = amount;
    let mut parts = Vec::new();
    for denomination in &sorted {
        let lacking = HELD_TARGET.saturating_sub(held.get(denomination).copied().unwrap_or(0));
        // A denomination larger than half of what is left would break it up again at once.
        for _ in 0..lacking {
            if rest / 2 < *denomination || parts.len() == parts_max {
                break;
            }
            parts.push(*denomination);
            rest -= denomination;
        }
    }
    match split(rest, sorted.iter().copied(), parts_max - parts.len()) {
        Ok(more) => parts.extend(more),
        // What was set aside may leave a rest that the denominations cannot make: then do without.
        Err(_) => {
            parts = split(amount, sorted, parts_max).map_err(|_| NotExpressible { amount })?
        }
    }
    parts.sort_unstable();
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn powers(orders: u32) -> impl Iterator<Item = u64> + Clone {
        (0..orders).map(|order| 1 << order)
    }

    proptest! {
        /// Powers of two express every amount, each used at most once below the largest.
        #[test]
        fn a_split_adds_up_and_is_short(amount in 0..1_u64 << 40) {
            let parts = split(amount, powers(40), 1000).unwrap();
            prop_assert_eq!(parts.iter().sum::<u64>(), amount);
            prop_assert_eq!(parts.len(), usize::try_from(amount.count_ones()).unwrap());
            prop_assert!(parts.is_sorted());
        }

        /// What is kept adds up, respects the bound, and fills what is lacking.
        #[test]
        fn what_is_kept_adds_up(
            amount in 0..1_u64 << 30,
            held in prop::collection::btree_map((0..20_u32).prop_map(|order| 1_u64 << order), 0..6_usize, 0..20),
            parts_max in 40..80_usize,
        ) {
            let parts = split_to_keep(amount, powers(32), &held, parts_max).unwrap();
            prop_assert_eq!(parts.iter().sum::<u64>(), amount);
            prop_assert!(parts.len() <= parts_max);
            prop_assert!(parts.is_sorted() && parts.iter().all(|part| part.is_power_of_two()));
        }

        /// Holding enough of everything, the wallet asks for no more parts than it must.
        #[test]
        fn who_lacks_nothing_asks_for_few(amount in 0..1_u64 << 30) {
            let held = powers(32).map(|part| (part, HELD_TARGET)).collect();
            prop_assert_eq!(split_to_keep(amount, powers(32), &held, 100), split(amount, powers(32), 100));
        }

        /// Any denominations: the parts are theirs and add up, or the amount is refused.
        #[test]
        fn foreign_denominations_add_up_or_are_refused(
            amount in 0..10_000_u64,
            denominations in prop::collection::btree_set(0..500_u64, 0..8),
            parts_max in 0..60_usize,
        ) {
            for parts in [
                split(amount, denominations.iter().copied(), parts_max),
                split_to_keep(amount, denominations.iter().copied(), &BTreeMap::new(), parts_max),
            ]
            .into_iter()
            .flatten()
            {
                prop_assert_eq!(parts.iter().sum::<u64>(), amount);
                prop_assert!(parts.len() <= parts_max);
                prop_assert!(parts.iter().all(|part| *part != 0 && denominations.contains(part)));
            }
        }
    }

    #[test]
    fn an_empty_wallet_fills_up_with_small_denominations() {
        let parts = split_to_keep(100, powers(20), &BTreeMap::new(), 100).unwrap();
        assert_eq!(parts, [1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 16, 16, 16]);
    }

    #[test]
    fn what_cannot_be_made_is_refused() {
        assert_eq!(split(3, [2], 9), Err(NotExpressible { amount: 3 }));
        assert_eq!(split(7, powers(3), 2), Err(NotExpressible { amount: 7 }));
        assert_eq!(split(0, [], 0), Ok(vec![]));
    }
}
