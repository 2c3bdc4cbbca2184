//! The model under a card: logistic regression on thermometer columns, with weights that are never below 0.
//!
//! One column for each candidate cut, 1 on its riskier side. What is minimised is convex, so that whatever finds the
//! minimum finds the same one: log-loss summed over rows + [`LASSO`] Σw + [`RIDGE`] Σw², w >= 0, the intercept free.
//! Here by Newton steps. Columns of one counter are nested, so that all second derivatives of a step follow from
//! sums over pairs of ranks: one pass over the rows for each pair of counters, and no pass for each pair of columns.
//! Each step's quadratic problem is solved by cyclic coordinate descent, which keeps weights from falling below 0.
//! Sources: J. Friedman, T. Hastie, R. Tibshirani, "Regularization Paths for Generalized Linear Models via Coordinate
//! Descent", 2010.

/// Price of each unit of weight: what is not worth it stays 0.
pub(super) const LASSO: f64 = 2.0;
/// Price of each squared unit of weight.
pub(super) const RIDGE: f64 = 0.25;

/// Steps that a fit may take; a dozen are usual.
const STEPS_MAX: usize = 100;
/// Sweeps over the coordinates within one step.
const SWEEPS_MAX: usize = 20_000;
/// A step that moves no weight by more is the last.
const STEP_MIN: f64 = 1e-8;
/// The share of a step that is tried at last.
const LENGTH_MIN: f64 = 1e-6;
/// How far rounding may take a sum over all rows, as a share of it.
const NOISE: f64 = 1e-11;

/// Rows as ranks: on how many cuts of each counter a row is on the riskier side.
#[derive(Clone, Debug)]
pub(super) struct Ranks {
    /// For each counter, a rank a row.
    pub(super) columns: Vec<Vec<u8>>,
    /// For each counter, how many cuts there are, which is the highest rank.
    pub(super) highest: Vec<usize>,
    /// Which rows did not pay.
    pub(super) bad: Vec<bool>,
}

/// A fitted model.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weights {
    pub(super) intercept: f64,
    /// For each counter, the weight of each rank's step from the one below it, in nats.
    pub(super) steps: Vec<Vec<f64>>,
}

impl Ranks {
    /// The minimum, sought from `start`.
    pub(super) fn fit(&self, start: Weights) -> Weights {
        let mut weights = start;
        let mut loss = self.loss(&weights);
        for _ in 0..STEPS_MAX {
            let (step, size) = self.step(&weights);
            if size < STEP_MIN {
                break;
            }
            // Whole steps nearly always do; the loss must not rise by more than sums are rounded.
            let mut length = 1.0;
            let next = loop {
                let next = weights.moved(&step, length);
                let next_loss = self.loss(&next);
                if next_loss <= loss * (1.0 + NOISE) || length < LENGTH_MIN {
                    loss = next_loss;
                    break next;
                }
                length /= 2.0;
            };
            weights = next;
        }
        weights
    }

    /// Weights of nothing but the average.
    pub(super) fn average(&self) -> Weights {
        let bads = self.bad.iter().filter(|bad| **bad).count() as f64;
        let goods = self.bad.len() as f64 - bads;
        let steps = self.highest.iter().map(|highest| vec![0.0; *highest]).collect();
        Weights { intercept: (bads / goods).ln(), steps }
    }

    /// For each row the log-odds of not paying.
    fn log_odds(&self, weights: &Weights) -> Vec<f64> {
        let mut odds = vec![weights.intercept; self.bad.len()];
        for (column, steps) in self.columns.iter().zip(&weights.steps) {
            let sums = running(steps);
            for (odds, rank) in odds.iter_mut().zip(column) {
                *odds += sums[usize::from(*rank)];
            }
        }
        odds
    }

    fn loss(&self, weights: &Weights) -> f64 {
        let odds = self.log_odds(weights);
        // ln(1 + e^z) - y z, without overflow.
        let rows = odds
            .iter()
            .zip(&self.bad)
            .map(|(z, bad)| z.max(0.0) + (-z.abs()).exp().ln_1p() - if *bad { *z } else { 0.0 });
        let prices = weights.steps.iter().flatten().map(|w| LASSO * w + RIDGE * w * w);
        rows.sum::<f64>() + prices.sum::<f64>()
    }

    /// The step to the minimum of the quadratic that touches the loss at `weights`, and its largest move.
    fn step(&self, weights: &Weights) -> (Weights, f64) {
        let (slopes, bends) = self.derivatives(weights);
        let mut quadratic = Quadratic {
            at: std::iter::once(0.0).chain(weights.steps.iter().flatten().copied()).collect(),
            slopes,
            bends,
        };
        let moved = quadratic.minimise();
        let size = moved.iter().fold(0.0_f64, |size, step| size.max(step.abs()));
        let mut rest = moved.into_iter();
        let intercept = rest.next().expect("the intercept stands first");
        let steps = self.highest.iter().map(|highest| rest.by_ref().take(*highest).collect());
        (Weights { intercept, steps: steps.collect() }, size)
    }

    /// First and second derivatives of the log-loss: intercept first, then the columns of each counter in turn.
    fn derivatives(&self, weights: &Weights) -> (Vec<f64>, Vec<Vec<f64>>) {
        let odds = self.log_odds(weights);
        let risks: Vec<f64> = odds.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect();
        let misses: Vec<f64> =
            risks.iter().zip(&self.bad).map(|(risk, bad)| risk - f64::from(*bad)).collect();
        let doubts: Vec<f64> = risks.iter().map(|risk| risk * (1.0 - risk)).collect();

        let starts: Vec<usize> = self
            .highest
            .iter()
            .scan(1, |next, highest| {
                let start = *next;
                *next += highest;
                Some(start)
            })
            .collect();
        let size = 1 + self.highest.iter().sum::<usize>();
        let mut slopes = vec![0.0; size];
        let mut bends = vec![vec![0.0; size]; size];
        slopes[0] = misses.iter().sum();
        bends[0][0] = doubts.iter().sum();
        for (j, column) in self.columns.iter().enumerate() {
            let start = starts[j];
            let above_misses = above(column, &misses, self.highest[j]);
            let above_doubts = above(column, &doubts, self.highest[j]);
            for t in 0..self.highest[j] {
                slopes[start + t] = above_misses[t];
                bends[0][start + t] = above_doubts[t];
                bends[start + t][0] = above_doubts[t];
                for u in 0..self.highest[j] {
                    bends[start + t][start + u] = above_doubts[t.max(u)];
                }
            }
            for k in 0..j {
                let pairs = self.above_both(j, k, &doubts);
                for t in 0..self.highest[j] {
                    for u in 0..self.highest[k] {
                        bends[start + t][starts[k] + u] = pairs[t][u];
                        bends[starts[k] + u][start + t] = pairs[t][u];
                    }
                }
            }
        }
        (slopes, bends)
    }

    /// For each pair of ranks of two counters, the sum of a quantity over the rows above both.
    fn above_both(&self, j: usize, k: usize, quantity: &[f64]) -> Vec<Vec<f64>> {
        let width = self.highest[k] + 1;
        let mut sums = vec![0.0; (self.highest[j] + 1) * width];
        for ((left, right), quantity) in self.columns[j].iter().zip(&self.columns[k]).zip(quantity)
        {
            sums[usize::from(*left) * width + usize::from(*right)] += quantity;
        }
        let mut found = vec![vec![0.0; self.highest[k]]; self.highest[j]];
        let mut below = vec![0.0; self.highest[k]];
        for t in (0..self.highest[j]).rev() {
            let mut row = 0.0;
            for u in (0..self.highest[k]).rev() {
                row += sums[(t + 1) * width + u + 1];
                below[u] += row;
                found[t][u] = below[u];
            }
        }
        found
    }
}

impl Weights {
    fn moved(&self, step: &Self, length: f64) -> Self {
        let steps = self.steps.iter().zip(&step.steps).map(|(weights, steps)| {
            // A whole step ends at 0 or above; what rounding leaves of one to 0 is none.
            weights.iter().zip(steps).map(|(w, step)| (w + length * step).max(0.0)).collect()
        });
        Self { intercept: self.intercept + length * step.intercept, steps: steps.collect() }
    }
}

/// A quadratic function of a step from `at`, with the prices of weights, over steps that leave no weight below 0.
struct Quadratic {
    at: Vec<f64>,
    slopes: Vec<f64>,
    bends: Vec<Vec<f64>>,
}

impl Quadratic {
    fn minimise(&mut self) -> Vec<f64> {
        let mut moved = vec![0.0; self.at.len()];
        for _ in 0..SWEEPS_MAX {
            let mut largest = 0.0_f64;
            for (f, moved) in moved.iter_mut().enumerate() {
                let by = self.best_move(f, *moved);
                if by != 0.0 {
                    *moved += by;
                    for (slope, bend) in self.slopes.iter_mut().zip(&self.bends[f]) {
                        *slope += by * bend;
                    }
                    largest = largest.max(by.abs());
                }
            }
            if largest < STEP_MIN / 10.0 {
                break;
            }
        }
        moved
    }

    /// The best move of one coordinate, all others held.
    fn best_move(&self, f: usize, moved: f64) -> f64 {
        let bend = self.bends[f][f].max(1e-9);
        if f == 0 {
            return -self.slopes[0] / bend; // The intercept: free, and without a price.
        }
        let weight = self.at[f] + moved;
        let slope = self.slopes[f] + LASSO + 2.0 * RIDGE * weight;
        (weight - slope / (bend + 2.0 * RIDGE)).max(0.0) - weight
    }
}

/// Sums of the first 0, 1, 2, .. of some numbers.
fn running(steps: &[f64]) -> Vec<f64> {
    let sums = steps.iter().scan(0.0, |sum, step| {
        *sum += step;
        Some(*sum)
    });
    std::iter::once(0.0).chain(sums).collect()
}

/// For each rank below the highest, the sum of a quantity over the rows above it.
fn above(column: &[u8], quantity: &[f64], highest: usize) -> Vec<f64> {
    let mut sums = vec![0.0; highest + 1];
    for (rank, quantity) in column.iter().zip(quantity) {
        sums[usize::from(*rank)] += quantity;
    }
    let mut above = vec![0.0; highest];
    let mut sum = 0.0;
    for rank in (0..highest).rev() {
        sum += sums[rank + 1];
        above[rank] = sum;
    }
    above
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two counters that overlap, with some noise.
    fn ranks() -> Ranks {
        let row = |n: usize| (u8::try_from(n % 4).unwrap(), u8::try_from(n / 3 % 3).unwrap());
        let bad = |n: usize| {
            let (left, right) = row(n);
            (n * 7919 % 13) < usize::from(left) + 2 * usize::from(right)
        };
        let columns =
            vec![(0..900).map(|n| row(n).0).collect(), (0..900).map(|n| row(n).1).collect()];
        Ranks { columns, highest: vec![3, 2], bad: (0..900).map(bad).collect() }
    }

    #[test]
    fn the_fit_is_where_no_weight_can_move_and_gain() {
        let ranks = ranks();
        let weights = ranks.fit(ranks.average());
        let loss = ranks.loss(&weights);
        for counter in 0..2 {
            for step in 0..ranks.highest[counter] {
                for by in [-1e-3, 1e-3] {
                    let mut moved = weights.clone();
                    let weight = &mut moved.steps[counter][step];
                    *weight = (*weight + by).max(0.0);
                    assert!(ranks.loss(&moved) >= loss, "counter {counter}, step {step}, {by}");
                }
            }
        }
        assert!(weights.steps.iter().flatten().any(|weight| *weight > 0.1), "nothing was found");
    }

    #[test]
    fn derivatives_are_those_of_the_loss() {
        let ranks = ranks();
        let mut weights = ranks.average();
        weights.steps = vec![vec![0.3, 0.1, 0.2], vec![0.4, 0.6]];
        let (slopes, bends) = ranks.derivatives(&weights);
        let prices: Vec<f64> =
            weights.steps.iter().flatten().map(|w| LASSO + 2.0 * RIDGE * w).collect();
        for f in 0..5 {
            let moved = |by: f64| {
                let mut moved = weights.clone();
                *moved.steps.iter_mut().flatten().nth(f).unwrap() += by;
                moved
            };
            let slope = (ranks.loss(&moved(1e-5)) - ranks.loss(&moved(-1e-5))) / 2e-5;
            assert!((slope - slopes[f + 1] - prices[f]).abs() < 1e-3, "slope {f}");
            let (after, before) =
                (ranks.derivatives(&moved(1e-5)).0, ranks.derivatives(&moved(-1e-5)).0);
            for g in 0..6 {
                let bend = (after[g] - before[g]) / 2e-5;
                assert!((bend - bends[f + 1][g]).abs() < 1e-3, "bend {f} {g}");
            }
        }
    }

    #[test]
    fn a_fit_from_elsewhere_ends_at_the_same_place() {
        let ranks = ranks();
        let cold = ranks.fit(ranks.average());
        let mut start = ranks.average();
        start.steps = vec![vec![2.0; 3], vec![1.0; 2]];
        let warm = ranks.fit(start);
        for (cold, warm) in cold.steps.iter().flatten().zip(warm.steps.iter().flatten()) {
            assert!((cold - warm).abs() < 1e-6, "{cold} {warm}");
        }
    }
}
