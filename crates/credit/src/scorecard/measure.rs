//! How well scores tell who pays. Higher scores are safer; `bad` marks those who did not pay.

/// Two-sided 95 % of a normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// Area under the ROC curve, with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Auc {
    /// The chance that somebody who paid has a higher score than somebody who did not; ties count half.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

impl Auc {
    /// The AUC of scores, by mid-ranks. `None` unless there are rows of both kinds.
    ///
    /// Source: E. DeLong, D. DeLong, D. Clarke-Pearson, 1988, in the form of X. Sun and W. Xu, 2014.
    pub fn of(scores: &[f64], bad: &[bool]) -> Option<Self> {
        let bads = bad.iter().filter(|bad| **bad).count();
        let goods = bad.len() - bads;
        if bads == 0 || goods == 0 {
            return None;
        }
        let all = mid_ranks(scores);
        let of_class = |class: bool| {
            let rows = scores.iter().zip(bad).zip(&all).filter(move |((_, bad), _)| **bad == class);
            rows.map(|((score, _), rank)| (*score, *rank)).unzip::<f64, f64, Vec<_>, Vec<_>>()
        };
        // For each row, the share of the other class that it stands above.
        let placed = |class: bool, others: usize| -> Vec<f64> {
            let (scores, ranks) = of_class(class);
            let own = mid_ranks(&scores);
            ranks.iter().zip(own).map(|(rank, own)| (rank - own) / others as f64).collect()
        };
        let (good, bad) = (placed(false, bads), placed(true, goods));
        let value = mean(&good);
        let variance = variance(&good) / goods as f64 + variance(&bad) / bads as f64;
        Some(Self { value, error: variance.sqrt() })
    }

    /// The interval that 95 of 100 such samples would put the true value in.
    pub fn interval(self) -> (f64, f64) {
        let reach = Z_95 * self.error;
        ((self.value - reach).max(0.0), (self.value + reach).min(1.0))
    }

    /// Twice the distance from chance.
    pub fn gini(self) -> f64 {
        2.0 * self.value - 1.0
    }
}

/// The rank of each value from 1, equal values sharing the middle of theirs.
fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|left, right| values[*left].total_cmp(&values[*right]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for run in order.chunk_by(|left, right| values[*left] == values[*right]) {
        let rank = first as f64 + (run.len() as f64 + 1.0) / 2.0;
        for at in run {
            ranks[*at] = rank;
        }
        first += run.len();
    }
    ranks
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Of a sample; 0 for one value.
fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if values.len() < 2 { 0.0 } else { squares / (values.len() - 1) as f64 }
}

/// One point of the ROC curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// Share of those who paid at this score or below it.
    pub good: f64,
    /// Share of those who did not.
    pub bad: f64,
}

/// The ROC curve of whole scores, from the lowest up: one point a score that occurs, (0, 0) first.
pub fn roc(scores: &[u16], bad: &[bool]) -> Vec<RocPoint> {
    let mut rows: Vec<(u16, bool)> = scores.iter().copied().zip(bad.iter().copied()).collect();
    rows.sort_unstable();
    let bads = rows.iter().filter(|(_, bad)| *bad).count();
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    let (mut good, mut ill) = (0, 0);
    let mut points = vec![RocPoint { good: 0.0, bad: 0.0 }];
    for run in rows.chunk_by(|left, right| left.0 == right.0) {
        let here = run.iter().filter(|(_, bad)| *bad).count();
        ill += here;
        good += run.len() - here;
        points.push(RocPoint { good: share(good, rows.len() - bads), bad: share(ill, bads) });
    }
    points
}

/// The greatest distance between the shares of both kinds at or below a score (Kolmogorov and Smirnov).
pub fn ks(points: &[RocPoint]) -> f64 {
    points.iter().fold(0.0, |most, point| most.max(point.bad - point.good))
}

/// Mean squared distance of stated chances from what came (Brier, 1950).
pub fn brier(chances: &[f64], bad: &[bool]) -> f64 {
    let squares: Vec<f64> =
        chances.iter().zip(bad).map(|(chance, bad)| (chance - f64::from(*bad)).powi(2)).collect();
    mean(&squares)
}

/// What a chance was stated for, and what came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibrated {
    /// The stated chance of default.
    pub chance: f64,
    /// Rows it was stated for.
    pub rows: usize,
    /// Those of them that did not pay.
    pub bads: usize,
}

/// Rows by the chance that was stated for them, by rising chance.
pub fn calibration(chances: &[f64], bad: &[bool]) -> Vec<Calibrated> {
    let mut rows: Vec<(f64, bool)> = chances.iter().copied().zip(bad.iter().copied()).collect();
    rows.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    let runs = rows.chunk_by(|left, right| left.0 == right.0);
    runs.map(|run| Calibrated {
        chance: run[0].0,
        rows: run.len(),
        bads: run.iter().filter(|(_, bad)| *bad).count(),
    })
    .collect()
}

/// Expected calibration error: the mean distance of stated chances from shares that came, weighted by rows.
pub fn calibration_error(calibrated: &[Calibrated]) -> f64 {
    let rows: usize = calibrated.iter().map(|group| group.rows).sum();
    let distances =
        calibrated.iter().map(|group| (group.chance * group.rows as f64 - group.bads as f64).abs());
    distances.sum::<f64>() / rows.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_half_and_the_order_of_rows_does_not_matter() {
        let auc = |scores: &[f64], bad: &[bool]| Auc::of(scores, bad).map(|auc| auc.value);
        assert_eq!(auc(&[1.0, 2.0], &[true, false]), Some(1.0));
        assert_eq!(auc(&[2.0, 1.0], &[true, false]), Some(0.0));
        assert_eq!(auc(&[1.0, 1.0], &[true, false]), Some(0.5));
        assert_eq!(auc(&[3.0, 1.0, 2.0, 2.0], &[false, true, true, false]), Some(0.875));
        assert_eq!(auc(&[1.0, 2.0], &[false, false]), None);
        assert_eq!(auc(&[], &[]), None);
    }

    /// The definition of 1988, pair by pair, against the sums over ranks.
    #[test]
    fn the_standard_error_is_that_of_delong() {
        let scores: Vec<f64> = (0..40).map(|n| f64::from(n * 37 % 11)).collect();
        let bad: Vec<bool> = (0..40).map(|n| n * 53 % 7 < 3).collect();
        let of = |class: bool| {
            scores.iter().zip(&bad).filter(move |(_, bad)| **bad == class).map(|(s, _)| *s)
        };
        let psi = |good: f64, bad: f64| {
            if good > bad {
                1.0
            } else if good == bad {
                0.5
            } else {
                0.0
            }
        };
        let (goods, bads): (Vec<f64>, Vec<f64>) = (of(false).collect(), of(true).collect());
        let of_good: Vec<f64> = goods
            .iter()
            .map(|g| mean(&bads.iter().map(|b| psi(*g, *b)).collect::<Vec<_>>()))
            .collect();
        let of_bad: Vec<f64> = bads
            .iter()
            .map(|b| mean(&goods.iter().map(|g| psi(*g, *b)).collect::<Vec<_>>()))
            .collect();
        let variance =
            variance(&of_good) / goods.len() as f64 + variance(&of_bad) / bads.len() as f64;
        let auc = Auc::of(&scores, &bad).unwrap();
        assert!((auc.value - mean(&of_good)).abs() < 1e-12);
        assert!((auc.error - variance.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn figures_of_a_small_sample_are_as_counted_by_hand() {
        let points = roc(&[400, 500, 500, 600], &[true, true, false, false]);
        assert_eq!(points.len(), 4);
        assert_eq!(points[2], RocPoint { good: 0.5, bad: 1.0 });
        assert!((ks(&points) - 0.5).abs() < 1e-12);
        assert!((brier(&[0.5, 0.0], &[true, false]) - 0.125).abs() < 1e-12);
        let groups = calibration(&[0.5, 0.5, 0.0, 0.0], &[true, true, false, false]);
        assert_eq!(groups[1], Calibrated { chance: 0.5, rows: 2, bads: 2 });
        assert!((calibration_error(&groups) - 0.25).abs() < 1e-12);
    }
}
