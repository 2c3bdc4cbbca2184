//! Which amounts each swap moves: every one a denomination, and the fee paid to the unit.

use std::collections::BTreeSet;

/// No fee above this is planned for: the search for amounts grows with it.
const FEE_MAX: u64 = 1 << 20;

/// The amounts of one swap, each list smallest first: `sum(inputs) = sum(outputs) + fee`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) inputs: Vec<u64>,
    pub(crate) outputs: Vec<u64>,
    pub(crate) fee: u64,
}

impl Plan {
    /// The plan of the smallest total: a mint's work does not depend on the amount, and mints limit amounts.
    ///
    /// Two inputs and two outputs: without fee 1+1 becomes 1+1; at 100 ppk, which is a fee of 1, 1+2 becomes 1+1.
    /// The outputs are worth more than what it costs to spend them, so that this can be tried. `None` if no amounts
    /// of powers of two among `denominations` satisfy all this, as with 1 input and a fee of 5.
    pub(crate) fn new(
        inputs: u16,
        outputs: u16,
        fee_ppk: u64,
        denominations: &BTreeSet<u64>,
    ) -> Option<Self> {
        let fee = fee(inputs, fee_ppk).filter(|fee| *fee <= FEE_MAX)?;
        let next_fee = self::fee(outputs, fee_ppk)?;
        let smallest = denominations.iter().find(|amount| amount.is_power_of_two())?;
        // Whatever is possible at all is possible within a few powers of two of the counts and the fee.
        let steps = 8 * (fee + u64::from(inputs) + u64::from(outputs)).next_power_of_two();
        (1..steps).find_map(|step| {
            let total = smallest.checked_mul(step)?;
            let received = total.checked_sub(fee).filter(|received| next_fee < *received)?;
            let inputs = split(total, inputs, denominations)?;
            let outputs = split(received, outputs, denominations)?;
            Some(Self { inputs, outputs, fee })
        })
    }

    /// What the inputs of one swap are worth.
    pub(crate) fn total(&self) -> u64 {
        self.inputs.iter().sum()
    }
}

/// What it costs to spend so many inputs, rounded up to whole minor units; `None` beyond all amounts (NUT-02, "Fees").
pub(crate) fn fee(inputs: u16, fee_ppk: u64) -> Option<u64> {
    u64::from(inputs).checked_mul(fee_ppk).map(|ppk| ppk.div_ceil(1000))
}

/// Exactly so many powers of two among the denominations that make up an amount, smallest first.
fn split(amount: u64, parts: u16, denominations: &BTreeSet<u64>) -> Option<Vec<u64>> {
    let wanted = usize::from(parts);
    if amount < u64::from(parts) {
        return None;
    }
    let mut split = Vec::with_capacity(wanted);
    let mut rest = amount;
    for part in denominations.iter().rev().filter(|part| part.is_power_of_two()) {
        while *part <= rest {
            if split.len() == wanted {
                return None;
            }
            split.push(*part);
            rest -= part;
        }
    }
    if rest != 0 {
        return None;
    }
    while split.len() < wanted {
        let halvable = |part: &u64| *part > 1 && denominations.contains(&(part / 2));
        let index = split.iter().position(halvable)?;
        let half = split[index] / 2;
        split[index] = half;
        split.push(half);
    }
    split.sort_unstable();
    Some(split)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn powers(orders: u32) -> BTreeSet<u64> {
        (0..orders).map(|order| 1 << order).collect()
    }

    fn amounts(inputs: u16, outputs: u16, fee_ppk: u64) -> Option<(Vec<u64>, Vec<u64>, u64)> {
        Plan::new(inputs, outputs, fee_ppk, &powers(21))
            .map(|plan| (plan.inputs, plan.outputs, plan.fee))
    }

    #[test]
    fn plans_are_the_smallest() {
        assert_eq!(amounts(2, 2, 0), Some((vec![1, 1], vec![1, 1], 0)));
        assert_eq!(amounts(2, 2, 100), Some((vec![1, 2], vec![1, 1], 1)));
        assert_eq!(amounts(1, 1, 0), Some((vec![1], vec![1], 0)));
        assert_eq!(amounts(1, 2, 100), Some((vec![4], vec![1, 2], 1)));
        assert_eq!(amounts(3, 1, 0), Some((vec![1, 1, 2], vec![4], 0)));
    }

    #[test]
    fn where_no_amounts_fit_there_is_no_plan() {
        assert_eq!(amounts(1, 1, 5_000), None, "no two powers of two are 5 apart");
        assert_eq!(amounts(2, 2, u64::MAX), None);
        assert_eq!(amounts(2, 2, 1_000_000_000), None);
        assert_eq!(Plan::new(2, 2, 0, &BTreeSet::new()), None);
        assert_eq!(Plan::new(2, 2, 0, &BTreeSet::from([3, 5])), None, "no powers of two");
    }

    #[test]
    fn denominations_without_a_one_are_planned_for() {
        let plan = Plan::new(2, 2, 0, &BTreeSet::from([1024, 2048])).unwrap();
        assert_eq!((plan.inputs, plan.outputs), (vec![1024, 1024], vec![1024, 1024]));
        assert_eq!(
            Plan::new(2, 2, 100, &BTreeSet::from([1024, 2048])),
            None,
            "nothing pays a fee of 1"
        );
    }

    proptest! {
        /// Counts, sums and denominations are as asked for, and the outputs can be spent.
        #[test]
        fn plans_add_up(inputs in 1..=1000_u16, outputs in 1..=1000_u16, fee_ppk in 0..5000_u64) {
            let denominations = powers(30);
            if let Some(plan) = Plan::new(inputs, outputs, fee_ppk, &denominations) {
                prop_assert_eq!(plan.inputs.len(), usize::from(inputs));
                prop_assert_eq!(plan.outputs.len(), usize::from(outputs));
                prop_assert_eq!(Some(plan.fee), fee(inputs, fee_ppk));
                let received: u64 = plan.outputs.iter().sum();
                prop_assert_eq!(plan.total(), received + plan.fee);
                prop_assert!(fee(outputs, fee_ppk).is_some_and(|next| next < received));
                prop_assert!(plan.inputs.iter().chain(&plan.outputs).all(|part| denominations.contains(part)));
            }
        }

        /// From two inputs on there is a plan for every fee up to one unit an input.
        #[test]
        fn usual_fees_have_plans(inputs in 2..=100_u16, outputs in 2..=100_u16, fee_ppk in 0..=1000_u64) {
            prop_assert!(Plan::new(inputs, outputs, fee_ppk, &powers(30)).is_some());
        }
    }
}
