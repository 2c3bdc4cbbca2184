//! The model card: one page that says what a scorecard is, is for, and is not for.
//!
//! Source: M. Mitchell et al., "Model Cards for Model Reporting", 2019.

use askama::Template;
use tacit_core::hex;
use tacit_credit::scorecard::audit::Fairness;
use tacit_credit::scorecard::signed::SignedCard;
use tacit_credit::scorecard::{BASE, CAP, Riskier};

use super::error::ScoreError;
use super::figure::{bad_rate, bin, optional, percent, thousands};
use super::fit::Fitted;
use super::plot;

#[derive(Template)]
#[template(path = "model_card.html")]
struct Page<'a> {
    fitted: &'a Fitted<'a>,
    id: String,
    key: String,
    data_sha256: String,
    rows: String,
    train_rows: String,
    test_rows: String,
    /// Name and figure.
    figures: Vec<(&'static str, String)>,
    plots: Vec<Figure>,
    counters: Vec<CounterRows>,
    bands: Vec<[String; 5]>,
    withheld: Option<[String; 3]>,
    groups: Vec<GroupRows>,
    leaks: Vec<String>,
}

struct Figure {
    svg: String,
    title: &'static str,
    words: String,
}

struct CounterRows {
    name: String,
    title: String,
    riskier: &'static str,
    formula: String,
    /// Value, points, rows, defaults.
    bins: Vec<[String; 4]>,
}

struct GroupRows {
    column: String,
    told: String,
    /// Group, rows, defaults, approved, AUC, guessed.
    rows: Vec<[String; 6]>,
}

/// The page.
pub(super) fn html(fitted: &Fitted<'_>, signed: &SignedCard) -> Result<String, ScoreError> {
    let study = fitted.study;
    let plots = [
        plot::roc(&study.test.roc, study.test.auc.value),
        plot::calibration(&study.test.calibration, study.test.ece),
        plot::scores(&study.test.scores),
    ];
    let page = Page {
        fitted,
        id: signed.id().to_string(),
        key: signed.key().to_string(),
        data_sha256: hex::encode(&fitted.sample.digest),
        rows: thousands(fitted.sample.bad.len()),
        train_rows: thousands(study.split.train.len()),
        test_rows: thousands(study.split.test.len()),
        figures: figures(fitted),
        plots: plots
            .into_iter()
            .map(|plot| Figure { svg: plot.svg(), title: plot.title, words: plot.words })
            .collect(),
        counters: counters(fitted),
        bands: bands(fitted),
        withheld: study.withheld.map(|withheld| {
            let auc = |auc: f64| format!("{auc:.4}");
            [optional(&study.card), auc(withheld.by_all), auc(withheld.by_late)]
        }),
        groups: study.fairness.iter().map(groups).collect(),
        leaks: leaks(fitted),
    };
    Ok(page.render()?)
}

fn figures(fitted: &Fitted<'_>) -> Vec<(&'static str, String)> {
    let study = fitted.study;
    let (low, high) = study.test.auc.interval();
    vec![
        ("AUC on rows it has not seen", format!("{:.4}", study.test.auc.value)),
        ("Interval of 95 %", format!("{low:.4} to {high:.4}")),
        ("AUC in the mean of five folds", format!("{:.4}", study.cv_auc())),
        ("AUC on the rows that taught", format!("{:.4}", study.train_auc)),
        ("Gini", format!("{:.4}", study.test.auc.gini())),
        ("Kolmogorov and Smirnov", format!("{:.4}", study.test.ks)),
        ("Brier, of the bands’ chances", format!("{:.4}", study.test.brier)),
        ("Expected calibration error", format!("{:.4}", study.test.ece)),
    ]
}

fn count((good, bad): (u32, u32)) -> String {
    thousands((good + bad) as usize)
}

fn counters(fitted: &Fitted<'_>) -> Vec<CounterRows> {
    let counters = fitted.study.card.counters().iter().zip(&fitted.definition.counters);
    counters
        .zip(&fitted.study.table)
        .map(|((counter, defined), rows)| CounterRows {
            name: counter.name().to_string(),
            title: counter.texts().title.clone(),
            riskier: match counter.riskier() {
                Riskier::High => "more is riskier",
                Riskier::Low => "less is riskier",
            },
            formula: defined.written.clone(),
            bins: counter
                .points()
                .iter()
                .zip(rows)
                .enumerate()
                .map(|(at, (points, pair))| {
                    [bin(counter, at), points.to_string(), count(*pair), bad_rate(*pair)]
                })
                .collect(),
        })
        .collect()
}

fn bands(fitted: &Fitted<'_>) -> Vec<[String; 5]> {
    let bands = &fitted.study.bands;
    let row = |(at, rows): (usize, &tacit_credit::scorecard::study::BandRows)| {
        let last = bands.get(at + 1).map_or(CAP, |next| next.band.from - 1);
        [
            format!("{} to {last}", rows.band.from),
            percent(f64::from(rows.band.default_per_10000) / 10_000.0),
            count(rows.train),
            count(rows.test),
            bad_rate(rows.test),
        ]
    };
    bands.iter().enumerate().map(row).collect()
}

fn groups(fairness: &Fairness) -> GroupRows {
    let or_few = |figure: Option<f64>| {
        figure.map_or_else(|| "too few".to_owned(), |figure| format!("{figure:.3}"))
    };
    let rows = fairness.groups.iter().map(|group| {
        [
            group.name.clone(),
            thousands(group.rows),
            percent(group.bad_rate),
            percent(group.approval_rate),
            or_few(group.auc.map(|auc| auc.value)),
            or_few(group.guess),
        ]
    });
    GroupRows {
        column: fairness.column.clone(),
        told: or_few(fairness.impact_ratio),
        rows: rows.collect(),
    }
}

fn leaks(fitted: &Fitted<'_>) -> Vec<String> {
    let leakage = &fitted.study.leakage;
    let mut said: Vec<String> = leakage
        .suspects()
        .map(|(name, auc)| format!("{name} alone has an AUC of {auc:.3}, which is suspicious."))
        .collect();
    if said.is_empty() {
        let best = leakage.alone.iter().map(|(_, auc)| *auc).fold(0.5, f64::max);
        said.push(format!("No counter alone is suspicious; the best has an AUC of {best:.3}."));
    }
    said.extend(leakage.constant.iter().map(|name| format!("{name} never changes.")));
    let without = leakage
        .auc_unrepeated
        .map_or_else(String::new, |auc| format!(" Without them the AUC is {auc:.4}."));
    said.push(format!(
        "{} test rows equal one that taught in all that is read.{without}",
        thousands(leakage.repeated)
    ));
    said
}
