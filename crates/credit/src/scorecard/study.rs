//! A card, fitted and measured: all that a report or a model card says of it.

use crate::scorecard::audit::{self, Fairness, Leakage};
use crate::scorecard::definition::Definition;
use crate::scorecard::fit::{self, Bins, Column, FitError};
use crate::scorecard::measure::{self, Auc, Calibrated, RocPoint};
use crate::scorecard::sample::Sample;
use crate::scorecard::split::{Split, SplitName};
use crate::scorecard::{
    BASE, Band, CardError, Counter, CounterError, CounterName, CounterParts, Riskier, Scorecard,
};

/// Bands of the score; fewer where scores are too few to cut.
pub const BANDS: usize = 12;

/// What is asked of a study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The seed of the split.
    pub seed: String,
    /// The share of people that a lender would approve, for fairness: 1 to 99.
    pub approval_percent: u8,
}

/// Why there is no study. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// Nothing can be fitted.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// What was fitted is no counter: its largest value is below a cut.
    #[error(transparent)]
    Counter(#[from] CounterError),
    /// What was fitted is no card.
    #[error(transparent)]
    Card(#[from] CardError),
}

/// A card with its figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// The card.
    pub card: Scorecard,
    /// Which rows taught and which examined.
    pub split: Split,
    /// For each counter its bins, with the training rows in each: those who paid, and those who did not.
    pub table: Vec<Vec<(u32, u32)>>,
    /// Figures on the test rows.
    pub test: Figures,
    /// AUC on the training rows, to see whether it learned by heart.
    pub train_auc: f64,
    /// AUC of each fold of the cross-validation, each with a card of its own.
    pub fold_aucs: Vec<f64>,
    /// The bands, with the rows in each.
    pub bands: Vec<BandRows>,
    /// What remains when people leave away what they may; `None` if no counter is optional.
    pub withheld: Option<Withheld>,
    /// The cut-off that approves the share that was asked for.
    pub cut_off: u16,
    /// The audited columns.
    pub fairness: Vec<Fairness>,
    /// What a card may have seen.
    pub leakage: Leakage,
}

/// Figures of a card on some rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// AUC.
    pub auc: Auc,
    /// Kolmogorov and Smirnov's distance.
    pub ks: f64,
    /// Brier's score of the bands' chances.
    pub brier: f64,
    /// Expected calibration error of the bands' chances.
    pub ece: f64,
    /// The ROC curve.
    pub roc: Vec<RocPoint>,
    /// Chances and what came.
    pub calibration: Vec<Calibrated>,
    /// Scores, those who paid first.
    pub scores: [Vec<u16>; 2],
}

/// Rows of a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandRows {
    /// The band.
    pub band: Band,
    /// Training rows in it: those who paid, and those who did not.
    pub train: (u32, u32),
    /// Test rows in it.
    pub test: (u32, u32),
}

/// AUC of the same card on the test rows with optional counters at 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Withheld {
    /// For everybody.
    pub by_all: f64,
    /// For those alone in whom a counter that cannot be left away says something bad.
    pub by_late: f64,
}

impl Study {
    /// Fits a card to the training rows of a sample and measures it on the others.
    ///
    /// # Errors
    /// [`StudyError`].
    pub fn make(
        definition: &Definition,
        sample: &Sample,
        request: &Request,
    ) -> Result<Self, StudyError> {
        let name = SplitName { data: definition.data.split.clone(), seed: request.seed.clone() };
        let split = name.hold_out(&sample.bad);
        let counters = fit_counters(definition, sample, &split.train)?;
        // Scores need no bands yet; one that says nothing stands in.
        let unbanded = Scorecard::new(counters, vec![Band { from: BASE, default_per_10000: 0 }])?;
        let train_scores = scores(&unbanded, sample, &split.train);
        let test_scores = scores(&unbanded, sample, &split.test);
        let (train_bad, test_bad) = (labels(sample, &split.train), labels(sample, &split.test));
        let bands = bands(&train_scores, &train_bad);
        let card = Scorecard::new(unbanded.counters().to_vec(), bands)?;

        let fold_aucs = name
            .folds(&sample.bad)
            .into_iter()
            .map(|fold| fold_auc(definition, sample, &fold))
            .collect::<Result<_, _>>()?;
        let cut_off = audit::cut_off(&test_scores, request.approval_percent);
        let fairness = sample.audited.iter();
        let fairness = fairness
            .map(|audited| audit::fairness(audited, &split.test, &test_scores, &test_bad, cut_off));
        let directions: Vec<(CounterName, Riskier)> =
            card.counters().iter().map(|c| (c.name().clone(), c.riskier())).collect();
        Ok(Self {
            table: table(&card, sample, &split.train),
            test: figures(&card, &test_scores, &test_bad)?,
            train_auc: auc(&train_scores, &train_bad)?.value,
            fold_aucs,
            bands: band_rows(&card, (&train_scores, &train_bad), (&test_scores, &test_bad)),
            withheld: withheld(&card, sample, &split.test)?,
            cut_off,
            fairness: fairness.collect(),
            leakage: audit::leakage(&directions, sample, &split, &test_scores),
            card,
            split,
        })
    }

    /// The mean AUC of the folds.
    pub fn cv_auc(&self) -> f64 {
        self.fold_aucs.iter().sum::<f64>() / self.fold_aucs.len() as f64
    }
}

fn labels(sample: &Sample, rows: &[usize]) -> Vec<bool> {
    rows.iter().map(|row| sample.bad[*row]).collect()
}

fn fit_counters(
    definition: &Definition,
    sample: &Sample,
    rows: &[usize],
) -> Result<Vec<Counter>, StudyError> {
    let values: Vec<Vec<u32>> = sample
        .counters
        .iter()
        .map(|column| rows.iter().map(|row| column[*row]).collect())
        .collect();
    let columns: Vec<Column<'_>> = definition
        .counters
        .iter()
        .zip(&values)
        .map(|(counter, values)| Column { riskier: counter.riskier, values })
        .collect();
    let bins = fit::fit(&columns, &labels(sample, rows), definition.cuts)?;
    let counters = definition.counters.iter().zip(bins).map(|(counter, Bins { cuts, points })| {
        Counter::new(CounterParts {
            name: counter.name.clone(),
            riskier: counter.riskier,
            most: counter.most,
            cuts,
            points,
            history: counter.history,
            optional: counter.optional,
            texts: counter.texts.clone(),
        })
    });
    Ok(counters.collect::<Result<_, _>>()?)
}

fn scores(card: &Scorecard, sample: &Sample, rows: &[usize]) -> Vec<u16> {
    let score = |row: &usize| card.score_of(sample.counters.iter().map(|column| column[*row]));
    rows.iter().map(score).collect()
}

fn auc(scores: &[u16], bad: &[bool]) -> Result<Auc, FitError> {
    let plain: Vec<f64> = scores.iter().map(|score| f64::from(*score)).collect();
    let bads = || bad.iter().filter(|bad| **bad).count();
    Auc::of(&plain, bad).ok_or_else(|| FitError::OneClass { bads: bads(), rows: bad.len() })
}

fn fold_auc(definition: &Definition, sample: &Sample, fold: &Split) -> Result<f64, StudyError> {
    let counters = fit_counters(definition, sample, &fold.train)?;
    let card = Scorecard::new(counters, vec![Band { from: BASE, default_per_10000: 0 }])?;
    let auc = auc(&scores(&card, sample, &fold.test), &labels(sample, &fold.test))?;
    Ok(auc.value)
}

fn table(card: &Scorecard, sample: &Sample, rows: &[usize]) -> Vec<Vec<(u32, u32)>> {
    let of_counter = |(counter, column): (&Counter, &Vec<u32>)| {
        let mut bins = vec![(0, 0); counter.points().len()];
        for row in rows {
            count(&mut bins[counter.bin(column[*row])], sample.bad[*row]);
        }
        bins
    };
    card.counters().iter().zip(&sample.counters).map(of_counter).collect()
}

fn count(pair: &mut (u32, u32), is_bad: bool) {
    if is_bad {
        pair.1 += 1;
    } else {
        pair.0 += 1;
    }
}

/// Bands of about equal numbers of people, each with the share that did not pay; neighbours that would become riskier
/// with a higher score are one (pool adjacent violators).
fn bands(scores: &[u16], bad: &[bool]) -> Vec<Band> {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable();
    let mut starts: Vec<u16> = (1..BANDS)
        .map(|band| sorted[band * sorted.len() / BANDS])
        .filter(|s| *s > sorted[0])
        .collect();
    starts.insert(0, BASE);
    starts.dedup();
    let mut counts = vec![(0_u32, 0_u32); starts.len()];
    for (score, is_bad) in scores.iter().zip(bad) {
        count(&mut counts[starts.partition_point(|start| start <= score) - 1], *is_bad);
    }
    let mut pooled: Vec<(u16, u32, u32)> = Vec::new();
    for (start, (good, bad)) in starts.into_iter().zip(counts) {
        let mut band = (start, good, bad);
        // a/b < c/d without dividing.
        while let Some(&(from, below_good, below_bad)) = pooled.last().filter(|below| {
            let product = |bad: u32, rows: u32| u64::from(bad) * u64::from(rows);
            product(below.2, band.1 + band.2) <= product(band.2, below.1 + below.2)
        }) {
            band = (from, below_good + band.1, below_bad + band.2);
            pooled.pop();
        }
        pooled.push(band);
    }
    let per_10000 = |good: u32, bad: u32| {
        let rows = u64::from(good + bad).max(1);
        let rounded = (u64::from(bad) * 20_000 + rows) / (2 * rows);
        u16::try_from(rounded).expect("a share is at most 10,000 in 10,000")
    };
    let band = |(from, good, bad)| Band { from, default_per_10000: per_10000(good, bad) };
    pooled.into_iter().map(band).collect()
}

fn figures(card: &Scorecard, scores: &[u16], bad: &[bool]) -> Result<Figures, FitError> {
    let chance = |score: &u16| f64::from(card.band(*score).default_per_10000) / 10_000.0;
    let chances: Vec<f64> = scores.iter().map(chance).collect();
    let roc = measure::roc(scores, bad);
    let calibration = measure::calibration(&chances, bad);
    let of_class = |class: bool| {
        let rows = scores.iter().zip(bad).filter(|(_, bad)| **bad == class);
        rows.map(|(score, _)| *score).collect()
    };
    Ok(Figures {
        auc: auc(scores, bad)?,
        ks: measure::ks(&roc),
        brier: measure::brier(&chances, bad),
        ece: measure::calibration_error(&calibration),
        roc,
        calibration,
        scores: [of_class(false), of_class(true)],
    })
}

fn band_rows(card: &Scorecard, train: (&[u16], &[bool]), test: (&[u16], &[bool])) -> Vec<BandRows> {
    let counted = |(scores, bad): (&[u16], &[bool]), band: Band| {
        let mut pair = (0, 0);
        for (_, bad) in scores.iter().zip(bad).filter(|(score, _)| card.band(**score) == band) {
            count(&mut pair, *bad);
        }
        pair
    };
    let rows = |band: &Band| BandRows {
        band: *band,
        train: counted(train, *band),
        test: counted(test, *band),
    };
    card.bands().iter().map(rows).collect()
}

fn withheld(
    card: &Scorecard,
    sample: &Sample,
    rows: &[usize],
) -> Result<Option<Withheld>, FitError> {
    if !card.counters().iter().any(Counter::is_optional) {
        return Ok(None);
    }
    let bad = labels(sample, rows);
    let pairs = || card.counters().iter().zip(&sample.counters);
    let is_late = |row: usize| {
        let kept = pairs().filter(|(counter, _)| !counter.is_optional());
        kept.into_iter()
            .any(|(counter, column)| counter.riskier() == Riskier::High && column[row] > 0)
    };
    let hidden = |hides: &dyn Fn(usize) -> bool| {
        let score = |row: &usize| {
            let is_hidden = hides(*row);
            card.score_of(pairs().map(|(counter, column)| {
                if is_hidden && counter.is_optional() { 0 } else { column[*row] }
            }))
        };
        rows.iter().map(score).collect::<Vec<u16>>()
    };
    Ok(Some(Withheld {
        by_all: auc(&hidden(&|_| true), &bad)?.value,
        by_late: auc(&hidden(&is_late), &bad)?.value,
    }))
}
