//! Fitting a card: candidate cuts, the monotone model of `newton.rs`, whole points.
//!
//! It replaces binning, weights of evidence, regression and the check of signs: a cut that teaches nothing gets no
//! weight and vanishes, and no counter can turn against its direction.

mod newton;

use newton::{Ranks, Weights};

use crate::scorecard::{BASE, CAP, Riskier};

/// One counter's values where a card is fitted.
#[derive(Clone, Debug)]
pub struct Column<'a> {
    /// Where the risk lies.
    pub riskier: Riskier,
    /// A value a row.
    pub values: &'a [u32],
}

/// How many cuts there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutLimits {
    /// That a counter is tried with.
    pub candidates: usize,
    /// That it may keep; the least useful leave first.
    pub kept: usize,
}

/// Bins of one fitted counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bins {
    /// Upper edges of all bins but the last.
    pub cuts: Vec<u32>,
    /// Points of the bins, by rising values.
    pub points: Vec<u16>,
}

/// Why there is no card. Variants stand in the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Everybody paid, or nobody did.
    #[error("{bads} of {rows} rows are defaults: there must be some of both")]
    OneClass {
        /// How many did not pay.
        bads: usize,
        /// Of how many.
        rows: usize,
    },
    /// No counter tells one from the other.
    #[error("no counter tells who pays: each is constant, too rare, or turned the wrong way")]
    NothingFound,
}

/// Fits bins to columns of equal length; `bad` says which rows did not pay.
///
/// # Errors
/// [`FitError`].
pub fn fit(columns: &[Column<'_>], bad: &[bool], limits: CutLimits) -> Result<Vec<Bins>, FitError> {
    let bads = bad.iter().filter(|bad| **bad).count();
    if bads == 0 || bads == bad.len() {
        return Err(FitError::OneClass { bads, rows: bad.len() });
    }
    let candidates = columns.iter().map(|column| candidates(column.values, limits.candidates));
    let mut cuts: Vec<Vec<u32>> = candidates.collect();
    let mut ranks = ranks(columns, &cuts, bad);
    let mut weights = ranks.fit(ranks.average());
    while drop_cuts(columns, &mut cuts, &mut weights, limits.kept) {
        ranks = self::ranks(columns, &cuts, bad);
        // From where it stood: what was dropped weighed little.
        weights = ranks.fit(weights);
    }
    let span: f64 = weights.steps.iter().flatten().sum();
    if span <= 0.0 {
        return Err(FitError::NothingFound);
    }
    let scale = f64::from(CAP - BASE) / span;
    let counters = columns.iter().zip(cuts).zip(&weights.steps);
    Ok(counters.map(|((column, cuts), steps)| bins(column.riskier, cuts, steps, scale)).collect())
}

/// Candidate cuts of a counter: each bin between two holds at least `max(25, 0.5 %)` of the rows; if there are more
/// than `most`, those nearest to even shares of the rows.
fn candidates(values: &[u32], most: usize) -> Vec<u32> {
    let rows = values.len();
    let need = (rows as f64 * 0.005).max(25.0);
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let mut found: Vec<(u32, usize)> = Vec::new();
    let mut last = 0;
    for below in 1..rows {
        let is_edge = sorted[below - 1] != sorted[below];
        let is_wide = |rows: usize| rows as f64 >= need;
        if is_edge && is_wide(below - last) && is_wide(rows - below) {
            found.push((sorted[below - 1], below));
            last = below;
        }
    }
    if found.len() > most {
        let nearest = |share: usize| {
            let place = rows as f64 * share as f64 / (most + 1) as f64;
            let distance = |(_, below): &(u32, usize)| (*below as f64 - place).abs();
            *found
                .iter()
                .min_by(|left, right| distance(left).total_cmp(&distance(right)))
                .expect("there are more than `most`")
        };
        found = (1..=most).map(nearest).collect();
        found.dedup();
    }
    found.into_iter().map(|(cut, _)| cut).collect()
}

fn ranks(columns: &[Column<'_>], cuts: &[Vec<u32>], bad: &[bool]) -> Ranks {
    let rank = |column: &Column<'_>, cuts: &[u32], value: u32| {
        let below = cuts.partition_point(|cut| *cut < value);
        let rank = match column.riskier {
            Riskier::High => below,
            Riskier::Low => cuts.len() - below,
        };
        u8::try_from(rank).expect("a counter has fewer than 256 cuts")
    };
    let of_column = |(column, cuts): (&Column<'_>, &Vec<u32>)| {
        column.values.iter().map(|value| rank(column, cuts, *value)).collect()
    };
    Ranks {
        columns: columns.iter().zip(cuts).map(of_column).collect(),
        highest: cuts.iter().map(Vec::len).collect(),
        bad: bad.to_vec(),
    }
}

/// Drops cuts without weight and, from each counter that keeps more than `kept`, the one of least weight. Whether
/// another fit is needed.
fn drop_cuts(
    columns: &[Column<'_>],
    cuts: &mut [Vec<u32>],
    weights: &mut Weights,
    kept: usize,
) -> bool {
    let mut is_changed = false;
    for ((column, cuts), steps) in columns.iter().zip(cuts).zip(&mut weights.steps) {
        let is_too_many = steps.iter().filter(|step| **step > 0.0).count() > kept;
        if is_too_many {
            let least = steps
                .iter_mut()
                .filter(|step| **step > 0.0)
                .min_by(|left, right| left.total_cmp(right))
                .expect("there are more than `kept`");
            *least = 0.0;
            is_changed = true;
        }
        // By rising values, as cuts stand; steps stand by rising risk.
        let mut keeps: Vec<bool> = steps.iter().map(|step| *step > 0.0).collect();
        if column.riskier == Riskier::Low {
            keeps.reverse();
        }
        let mut keeps = keeps.into_iter();
        cuts.retain(|_| keeps.next().expect("there is a step a cut"));
        steps.retain(|step| *step > 0.0);
    }
    is_changed
}

/// Points by rising values. Neighbours that round to the same points become one bin.
fn bins(riskier: Riskier, cuts: Vec<u32>, steps: &[f64], scale: f64) -> Bins {
    let total: f64 = steps.iter().sum();
    let of_rank = |rank: usize| points(scale * (total - steps[..rank].iter().sum::<f64>()));
    let rank = |bin: usize| match riskier {
        Riskier::High => bin,
        Riskier::Low => steps.len() - bin,
    };
    let mut bins = Bins { cuts: Vec::new(), points: vec![of_rank(rank(0))] };
    for (bin, cut) in (1..).zip(cuts) {
        let next = of_rank(rank(bin));
        if bins.points.last() != Some(&next) {
            bins.cuts.push(cut);
            bins.points.push(next);
        }
    }
    bins
}

/// Whole points, halves to the even neighbour.
fn points(points: f64) -> u16 {
    let rounded = points.round_ties_even().clamp(0.0, f64::from(CAP - BASE));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and between 0 and 600"
    )]
    let whole = rounded as u16;
    whole
}
