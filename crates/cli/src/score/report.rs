//! What a fit says, for people at a terminal of 100 columns.

use std::fmt::{self, Write};

use tacit_credit::scorecard::audit::{Fairness, GROUP_ROWS_MIN, LEAK_AUC};
use tacit_credit::scorecard::{BASE, CAP, Riskier};

use super::figure::{bad_rate, bin, optional, percent, thousands, wrapped};
use super::fit::Fitted;

const WIDTH: usize = 100;

/// The whole report.
pub(super) fn text(fitted: &Fitted<'_>) -> String {
    let mut out = String::new();
    let parts = [head, figures, points, bands, withheld, audit, leakage];
    let written = parts.iter().try_for_each(|part| part(fitted, &mut out));
    written.expect("a String takes what is written to it");
    out
}

fn head(fitted: &Fitted<'_>, out: &mut String) -> fmt::Result {
    let Fitted { definition, sample, study, seed, .. } = fitted;
    let heading =
        format!("{}, version {}: {}", definition.name, definition.version, definition.title);
    writeln!(out, "{}", wrapped(&heading, WIDTH, ""))?;
    let bads = sample.bad.iter().filter(|bad| **bad).count();
    writeln!(
        out,
        "{} rows, {} of them defaults. {} teach, {} examine, split by {:?}.",
        thousands(sample.bad.len()),
        percent(bads as f64 / sample.bad.len() as f64),
        thousands(study.split.train.len()),
        thousands(study.split.test.len()),
        seed
    )?;
    if !definition.card.proxy.is_empty() {
        writeln!(out, "\n{}", wrapped(&definition.card.proxy, WIDTH, ""))?;
    }
    Ok(())
}

fn figures(fitted: &Fitted<'_>, out: &mut String) -> fmt::Result {
    let study = fitted.study;
    let (low, high) = study.test.auc.interval();
    let folds = || study.fold_aucs.iter().copied();
    let (worst, best) = (folds().fold(1.0, f64::min), folds().fold(0.0, f64::max));
    writeln!(out, "\nHow well it tells who pays, on rows it has not seen")?;
    writeln!(
        out,
        "  AUC     {:.4}, 95 % of such samples: {low:.4} to {high:.4}",
        study.test.auc.value
    )?;
    let cv = study.cv_auc();
    writeln!(out, "          {cv:.4} in the mean of five folds, {worst:.4} to {best:.4}")?;
    writeln!(out, "          {:.4} on the rows that taught", study.train_auc)?;
    writeln!(out, "  Gini    {:.4}", study.test.auc.gini())?;
    writeln!(out, "  KS      {:.4}", study.test.ks)?;
    writeln!(out, "  Brier   {:.4}, of the chances that the bands state", study.test.brier)?;
    writeln!(out, "  ECE     {:.4}", study.test.ece)
}

fn points(fitted: &Fitted<'_>, out: &mut String) -> fmt::Result {
    let study = fitted.study;
    writeln!(out, "\nPoints, added to {BASE}, {CAP} at most")?;
    let (counter, value) = ("counter", "value");
    writeln!(
        out,
        "  {counter:<32}  {value:<16}  {:>6}  {:>13}  {:>8}",
        "points", "training rows", "defaults"
    )?;
    for (counter, rows) in study.card.counters().iter().zip(&study.table) {
        let riskier = match counter.riskier() {
            Riskier::High => "more is riskier",
            Riskier::Low => "less is riskier",
        };
        if counter.cuts().is_empty() {
            writeln!(out, "  {:<32}  teaches nothing beside the others", counter.name())?;
            continue;
        }
        for (at, (points, pair)) in counter.points().iter().zip(rows).enumerate() {
            let label = match at {
                0 => counter.name().to_string(),
                1 => format!("  {riskier}"),
                _ => String::new(),
            };
            let (rows, bads) = (thousands((pair.0 + pair.1) as usize), bad_rate(*pair));
            writeln!(
                out,
                "  {label:<32}  {:<16}  {points:>6}  {rows:>13}  {bads:>8}",
                bin(counter, at)
            )?;
        }
    }
    Ok(())
}

fn bands(fitted: &Fitted<'_>, out: &mut String) -> fmt::Result {
    let bands = &fitted.study.bands;
    writeln!(out, "\nBands of the score")?;
    writeln!(
        out,
        "  {:<10}  {:>13}  {:>15}  {:>9}  {:>15}",
        "score", "training rows", "stated defaults", "test rows", "defaults there"
    )?;
    for (at, rows) in bands.iter().enumerate() {
        let last = bands.get(at + 1).map_or(CAP, |next| next.band.from - 1);
        let count = |(good, bad): (u32, u32)| thousands((good + bad) as usize);
        writeln!(
            out,
            "  {:<10}  {:>13}  {:>15}  {:>9}  {:>15}",
            format!("{} to {last}", rows.band.from),
            count(rows.train),
            percent(f64::from(rows.band.default_per_10000) / 10_000.0),
            count(rows.test),
            bad_rate(rows.test)
        )?;
    }
    Ok(())
}

fn withheld(fitted: &Fitted<'_>, out: &mut String) -> fmt::Result {
    let study = fitted.study;
    let Some(withheld) = study.withheld else { return Ok(()) };
    writeln!(out, "\nWhen people leave away what they may ({})", optional(&study.card))?;
    writeln!(out, "  AUC     {:.4} if everybody does", withheld.by_all)?;
    writeln!(out, "          {:.4} if only those do who have been late", withheld.by_late)
}

fn audit(fitted: &Fitted<'_>, out: &mut String) -> fmt::Result {
    let study = fitted.study;
    writeln!(out, "\nFairness, if {} % are approved (from {})", fitted.approval, study.cut_off)?;
    if study.fairness.is_empty() {
        writeln!(out, "  Nothing was compared: name columns with --audit-columns.")?;
    }
    for fairness in &study.fairness {
        column(fairness, out)?;
    }
    Ok(())
}

fn column(fairness: &Fairness, out: &mut String) -> fmt::Result {
    let told = fairness.impact_ratio.map_or_else(
        || "too few rows to compare".to_owned(),
        |ratio| {
            let mark =
                if ratio < 0.8 { ", below the four fifths that are usually asked for" } else { "" };
            format!("lowest approval by highest {ratio:.3}{mark}")
        },
    );
    writeln!(out, "  {}: {told}", short(&fairness.column, 40))?;
    writeln!(
        out,
        "    {:<24}  {:>8}  {:>8}  {:>8}  {:>6}  {:>22}",
        "group", "rows", "defaults", "approved", "AUC", "guessed from the score"
    )?;
    for group in &fairness.groups {
        let or_few = |figure: Option<f64>| {
            figure.map_or_else(|| "few".to_owned(), |figure| format!("{figure:.3}"))
        };
        writeln!(
            out,
            "    {:<24}  {:>8}  {:>8}  {:>8}  {:>6}  {:>22}",
            short(&group.name, 24),
            thousands(group.rows),
            percent(group.bad_rate),
            percent(group.approval_rate),
            or_few(group.auc.map(|auc| auc.value)),
            or_few(group.guess)
        )?;
    }
    writeln!(
        out,
        "    (guessed: 0.5 is not at all, 1 always; few: fewer than {GROUP_ROWS_MIN} rows)"
    )
}

/// A text of the data's, cut to fit and without what disturbs a terminal.
fn short(text: &str, most: usize) -> String {
    let plain = text.chars().map(|sign| if sign.is_control() { '\u{fffd}' } else { sign });
    plain.take(most).collect()
}

fn leakage(fitted: &Fitted<'_>, out: &mut String) -> fmt::Result {
    let leakage = &fitted.study.leakage;
    writeln!(out, "\nWhether it may have seen the answer")?;
    for (name, auc) in leakage.suspects() {
        writeln!(out, "  {name} alone has an AUC of {auc:.3}: is it known before the outcome?")?;
    }
    if leakage.suspects().count() == 0 {
        let best = leakage.alone.iter().map(|(_, auc)| *auc).fold(0.5, f64::max);
        writeln!(out, "  No counter alone reaches {LEAK_AUC:.1}; the best has {best:.3}.")?;
    }
    for name in &leakage.constant {
        writeln!(out, "  {name} is the same in every row that teaches.")?;
    }
    for (name, auc) in leakage.alone.iter().filter(|(_, auc)| *auc < 0.5) {
        writeln!(out, "  {name} alone points the other way ({auc:.3}): is its direction right?")?;
    }
    let test = fitted.study.split.test.len();
    let without = leakage
        .auc_unrepeated
        .map_or_else(String::new, |auc| format!("; without them the AUC is {auc:.4}"));
    writeln!(
        out,
        "  {} of {} test rows equal one that taught in all that is read{without}.",
        thousands(leakage.repeated),
        thousands(test)
    )
}
