//! What could be wrong with a card although it measures well: whom it treats how, and whether it has seen the answer.
//!
//! Protected columns are read here and nowhere else: no counter may be made of them.
//! Sources: 29 CFR 1607.4(D) (four fifths as the mark of adverse impact); S. Kaufman et al., "Leakage in Data Mining",
//! 2012.

use std::collections::HashSet;

use crate::scorecard::measure::Auc;
use crate::scorecard::sample::{Audited, Sample};
use crate::scorecard::split::Split;
use crate::scorecard::{CounterName, Riskier};

/// A counter that alone tells this well who pays has probably seen the answer.
pub const LEAK_AUC: f64 = 0.9;
/// Rows of a group, and of those who paid and who did not in it, below which nothing is said of it.
pub const GROUP_ROWS_MIN: usize = 30;

/// How a card treats the groups of one column, on the rows it has not seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Fairness {
    /// The column.
    pub column: String,
    /// Its groups.
    pub groups: Vec<Group>,
    /// The lowest approval rate of a group divided by the highest; `None` if fewer than two groups have
    /// [`GROUP_ROWS_MIN`] rows.
    pub impact_ratio: Option<f64>,
}

/// One group.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its value.
    pub name: String,
    /// Rows.
    pub rows: usize,
    /// Share that did not pay.
    pub bad_rate: f64,
    /// Share at the cut-off or above it.
    pub approval_rate: f64,
    /// AUC within the group, if there are rows enough.
    pub auc: Option<Auc>,
    /// How well the score alone tells the group from all others, from 0.5: not at all; if there are rows enough.
    pub guess: Option<f64>,
}

/// The highest score at or above which at least `percent` of the rows lie.
pub fn cut_off(scores: &[u16], percent: u8) -> u16 {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|left, right| right.cmp(left));
    let needed = (sorted.len() * usize::from(percent)).div_ceil(100).max(1);
    sorted.get(needed - 1).copied().unwrap_or(0)
}

/// Holds groups of rows against each other. `rows` says which rows of the sample the scores are of.
pub fn fairness(
    audited: &Audited,
    rows: &[usize],
    scores: &[u16],
    bad: &[bool],
    cut_off: u16,
) -> Fairness {
    let plain: Vec<f64> = scores.iter().map(|score| f64::from(*score)).collect();
    let groups: Vec<Group> = audited
        .groups
        .iter()
        .enumerate()
        .filter_map(|(group, name)| {
            let within: Vec<bool> = rows.iter().map(|row| audited.of_row[*row] == group).collect();
            let chosen = || within.iter().zip(scores.iter().zip(bad)).filter(|(is_in, _)| **is_in);
            let count = chosen().count();
            let share = |many: usize| many as f64 / count as f64;
            let bads = chosen().filter(|(_, (_, bad))| **bad).count();
            let approved = chosen().filter(|(_, (score, _))| **score >= cut_off).count();
            let is_told = bads.min(count - bads) >= GROUP_ROWS_MIN;
            let own: (Vec<f64>, Vec<bool>) =
                chosen().map(|(_, (score, bad))| (f64::from(*score), *bad)).unzip();
            let others = within.len() - count;
            let guess = Auc::of(&plain, &within).map(|auc| auc.value.max(1.0 - auc.value));
            (count > 0).then(|| Group {
                name: name.clone(),
                rows: count,
                bad_rate: share(bads),
                approval_rate: share(approved),
                auc: if is_told { Auc::of(&own.0, &own.1) } else { None },
                guess: guess.filter(|_| count.min(others) >= GROUP_ROWS_MIN),
            })
        })
        .collect();
    let told = || groups.iter().filter(|group| group.rows >= GROUP_ROWS_MIN);
    let rates = || told().map(|group| group.approval_rate);
    let (lowest, highest) = (rates().fold(1.0, f64::min), rates().fold(0.0, f64::max));
    let impact_ratio = (told().count() > 1 && highest > 0.0).then(|| lowest / highest);
    Fairness { column: audited.column.clone(), groups, impact_ratio }
}

/// What a card may have seen that it should not.
#[derive(Clone, Debug, PartialEq)]
pub struct Leakage {
    /// AUC of each counter alone on the training rows, its direction given; 0.5 tells nothing.
    pub alone: Vec<(CounterName, f64)>,
    /// Counters that are the same in all training rows.
    pub constant: Vec<CounterName>,
    /// Test rows that equal a training row in all that is read.
    pub repeated: usize,
    /// AUC on the other test rows.
    pub auc_unrepeated: Option<f64>,
}

impl Leakage {
    /// Counters that alone tell too well who pays.
    pub fn suspects(&self) -> impl Iterator<Item = &(CounterName, f64)> {
        self.alone.iter().filter(|(_, auc)| *auc >= LEAK_AUC)
    }
}

/// Looks for leaks. `scores` are those of the test rows.
pub fn leakage(
    counters: &[(CounterName, Riskier)],
    sample: &Sample,
    split: &Split,
    scores: &[u16],
) -> Leakage {
    let bad: Vec<bool> = split.train.iter().map(|row| sample.bad[*row]).collect();
    let mut constant = Vec::new();
    let mut alone = Vec::new();
    for ((name, riskier), column) in counters.iter().zip(&sample.counters) {
        let values: Vec<f64> = split.train.iter().map(|row| f64::from(column[*row])).collect();
        if values.windows(2).all(|pair| pair[0] == pair[1]) {
            constant.push(name.clone());
        }
        let auc = Auc::of(&values, &bad).map_or(0.5, |auc| auc.value);
        alone.push((name.clone(), if *riskier == Riskier::High { 1.0 - auc } else { auc }));
    }
    let known: HashSet<&[u8; 16]> =
        split.train.iter().map(|row| &sample.fingerprints[*row]).collect();
    let fresh: Vec<(f64, bool)> = split
        .test
        .iter()
        .zip(scores)
        .filter(|(row, _)| !known.contains(&sample.fingerprints[**row]))
        .map(|(row, score)| (f64::from(*score), sample.bad[*row]))
        .collect();
    let (fresh_scores, fresh_bad): (Vec<f64>, Vec<bool>) = fresh.iter().copied().unzip();
    Leakage {
        alone,
        constant,
        repeated: split.test.len() - fresh.len(),
        auc_unrepeated: Auc::of(&fresh_scores, &fresh_bad).map(|auc| auc.value),
    }
}
