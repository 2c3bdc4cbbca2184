//! Cards on real people: Taiwan's card holders and German credit, whose files stand in `data/`.

#![allow(clippy::unwrap_used, reason = "the lint knows #[test] functions only, not what they call")]

use std::path::Path;

use serde_json::Value;
use tacit_credit::passport::counter::COUNTERS;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::proof::{self, Bins, NoProof};
use tacit_credit::passport::standing::Standing;
use tacit_credit::scorecard::Riskier;
use tacit_credit::scorecard::definition::{Definition, Preset};
use tacit_credit::scorecard::sample::Sample;
use tacit_credit::scorecard::study::{Request, Study};

fn data(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn study(definition: &Definition, audit: &[&str]) -> Study {
    let audit: Vec<String> = audit.iter().map(|column| (*column).to_owned()).collect();
    let bytes = data("taiwan_default_credit_card_clients.csv");
    let sample = Sample::read(&bytes, definition, &audit).unwrap();
    let request = Request { seed: "seed0".to_owned(), approval_percent: 70 };
    Study::make(definition, &sample, &request).unwrap()
}

fn taiwan(preset: Preset, audit: &[&str]) -> Study {
    study(&Definition::new(preset.text()).unwrap(), audit)
}

fn counters(name: &str) -> Definition {
    Definition::new(&String::from_utf8(data(name)).unwrap()).unwrap()
}

fn near(value: f64, expected: f64, by: f64) {
    assert!((value - expected).abs() <= by, "{value} is not {expected} within {by}");
}

/// `taiwan_t10_scorecard.json` was fitted by another program with another way down to the same minimum.
#[test]
fn the_card_of_reference_is_fitted_again() {
    let study = taiwan(Preset::TaiwanT10, &["SEX"]);
    assert_eq!((study.split.train.len(), study.split.test.len()), (20_999, 9_001));
    assert_eq!(study.split.test[..8], [0, 1, 4, 5, 10, 11, 13, 16]);

    let reference: Value = serde_json::from_slice(&data("taiwan_t10_scorecard.json")).unwrap();
    let counters = reference["counters"].as_object().unwrap();
    assert_eq!(study.card.counters().len(), counters.len());
    for (counter, bins) in study.card.counters().iter().zip(&study.table) {
        let expected = &counters[counter.name().as_str()];
        let riskier = if expected["risk_direction"] == 1 { Riskier::High } else { Riskier::Low };
        assert_eq!(counter.riskier(), riskier);
        let name = counter.name();
        assert_eq!(serde_json::json!(counter.cuts()), expected["edges_upper_inclusive"], "{name}");
        assert_eq!(serde_json::json!(counter.points()), expected["points"], "{name}");
        assert_eq!(serde_json::json!(bins), expected["train_good_bad"], "{name}");
    }
    let test = &reference["test"];
    near(study.test.auc.value, test["auc"].as_f64().unwrap(), 1e-12);
    near(study.test.auc.gini(), test["gini"].as_f64().unwrap(), 1e-12);
    near(study.test.ks, test["ks"].as_f64().unwrap(), 1e-12);
    // Theirs are of a line through all scores, ours of twelve bands.
    near(study.test.brier, test["brier"].as_f64().unwrap(), 0.002);
    assert!(study.test.ece < 0.015, "{}", study.test.ece);
    // SCORING's figures beside it: five folds, sex at 70 % approval, sex guessed from the score.
    near(study.cv_auc(), 0.780, 0.001);
    let sex = &study.fairness[0];
    near(sex.impact_ratio.unwrap(), 0.948, 0.0005);
    near(sex.groups[0].guess.unwrap(), 0.532, 0.0005);
    assert_eq!(study.leakage.suspects().count(), 0);
    assert_eq!(study.leakage.constant, []);
}

#[test]
fn the_passports_counters_reach_their_figure() {
    let study = taiwan(Preset::Passport, &[]);
    near(study.test.auc.value, 0.7707, 0.00005);
    near(study.cv_auc(), 0.7699, 0.0005);
    for counter in study.card.counters() {
        assert!(counter.cuts().len() <= 4, "the proof of a score has room for four cuts");
    }
    let withheld = study.withheld.unwrap();
    near(withheld.by_all, 0.7357, 0.0005);
    near(withheld.by_late, 0.7650, 0.0005);
    let most: Vec<u32> = study.card.counters().iter().map(|counter| counter.most()).collect();
    assert_eq!(most, [3, 56, 56, 3048, 56, 4080]); // Two bits, six, six, twelve, six, twelve.
}

/// What the passport proves in the dark is what the card says in the open.
#[test]
fn the_passports_proof_counts_the_points_of_its_card() {
    let card = taiwan(Preset::Passport, &[]).card;
    let bins = Bins::of_card(&card).unwrap();
    let empty = Standing::new(Epoch::new(80).unwrap());
    for step in 0_u16..400 {
        let (low, high) = (step % 50, step * 7);
        let small = |value: u16| u8::try_from(value).unwrap();
        let standing = Standing {
            arrears: small(step % 4),
            late: small(low),
            behind: small(low * 7 % 50),
            paid: high,
            paid_months: small(low * 3 % 50),
            income: 4000 - high,
            ..empty.clone()
        };
        let names = COUNTERS.map(|counter| counter.name);
        let values = proof::values(&standing).map(u32::from);
        let read = card.read(names.into_iter().zip(values)).unwrap();
        if let Some(score) = read.score() {
            assert_eq!(bins.score(&standing).min(950), score, "{standing:?}");
        }
    }
    let other = taiwan(Preset::TaiwanT10, &[]).card;
    assert_eq!(Bins::of_card(&other), Err(NoProof::Counters));
}

#[test]
fn a_card_without_income_is_a_little_worse() {
    let definition = Definition::new(Preset::Passport.text()).unwrap().without("income").unwrap();
    near(study(&definition, &[]).test.auc.value, 0.7682, 0.0005);
}

/// What the decision on fading counters is founded on (docs/adr).
#[test]
fn two_windows_a_quantity_need_twelve_counters_for_as_much() {
    let mut definition = counters("taiwan_two_windows.toml");
    near(study(&definition, &[]).test.auc.value, 0.7709, 0.00005);
    definition.cuts.kept = 4;
    near(study(&definition, &[]).test.auc.value, 0.7709, 0.00005);
    definition.cuts.candidates = 4;
    near(study(&definition, &[]).test.auc.value, 0.7698, 0.00005);
}

#[test]
fn german_credit_is_read_without_header_and_with_codes() {
    let definition = counters("german_credit.toml");
    let audit = ["13".to_owned(), "9".to_owned()];
    let sample = Sample::read(&data("statlog_german_credit.data"), &definition, &audit).unwrap();
    assert_eq!(sample.bad.iter().filter(|bad| **bad).count(), 300);
    let request = Request { seed: "seed0".to_owned(), approval_percent: 70 };
    let study = Study::make(&definition, &sample, &request).unwrap();
    assert_eq!((study.split.train.len(), study.split.test.len()), (700, 300));
    assert!(0.70 < study.test.auc.value, "{}", study.test.auc.value);
    assert!(0.70 < study.cv_auc(), "{}", study.cv_auc());
    // Ages are many numbers, and become quarters; sex with marriage is four words.
    assert_eq!(study.fairness[0].groups.len(), 4);
    assert_eq!(study.fairness[0].groups[0].name, "19 to 26");
    let words: Vec<&str> = study.fairness[1].groups.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(words, ["A91", "A92", "A93", "A94"]);
    let rows: usize = study.fairness.iter().flat_map(|f| &f.groups).map(|group| group.rows).sum();
    assert_eq!(rows, 600);
}
