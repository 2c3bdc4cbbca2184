//! What a fit says, for programs.

use serde_json::{Map, Value, json};
use tacit_core::hex;
use tacit_credit::scorecard::Riskier;
use tacit_credit::scorecard::audit::{Fairness, LEAK_AUC};

use super::fit::Fitted;

/// One object with everything. Fields may be added; those here stay.
pub(super) fn json(fitted: &Fitted<'_>) -> Value {
    let Fitted { definition, sample, study, seed, approval } = fitted;
    let (low, high) = study.test.auc.interval();
    let bands: Vec<Value> = study
        .bands
        .iter()
        .map(|rows| {
            json!({
                "from": rows.band.from,
                "default_per_10000": rows.band.default_per_10000,
                "train_good_bad": rows.train,
                "test_good_bad": rows.test,
            })
        })
        .collect();
    let leakage = &study.leakage;
    json!({
        "name": definition.name,
        "version": definition.version,
        "seed": seed,
        "data_sha256": hex::encode(&sample.digest),
        "n_train": study.split.train.len(),
        "n_test": study.split.test.len(),
        "test_auc": study.test.auc.value,
        "test_auc_interval": [low, high],
        "train_auc": study.train_auc,
        "cv_auc": study.cv_auc(),
        "fold_aucs": study.fold_aucs,
        "gini": study.test.auc.gini(),
        "ks": study.test.ks,
        "brier": study.test.brier,
        "ece": study.test.ece,
        "table": table(fitted),
        "bands": bands,
        "withheld": study.withheld.map(|withheld| json!({
            "auc_by_all": withheld.by_all,
            "auc_by_late": withheld.by_late,
        })),
        "fairness": {
            "approval_percent": approval,
            "cut_off": study.cut_off,
            "columns": study.fairness.iter().map(fairness).collect::<Vec<_>>(),
        },
        "leakage": {
            "auc_alone": leakage.alone.iter().map(|(name, auc)| (name.to_string(), json!(auc)))
                .collect::<Map<_, _>>(),
            "auc_alone_suspect_from": LEAK_AUC,
            "constant": leakage.constant,
            "test_rows_repeated": leakage.repeated,
            "test_auc_unrepeated": leakage.auc_unrepeated,
        },
    })
}

/// Bins by counter.
fn table(fitted: &Fitted<'_>) -> Value {
    let counters = fitted.study.card.counters().iter().zip(&fitted.study.table);
    let row = |(counter, rows): (&tacit_credit::scorecard::Counter, &Vec<(u32, u32)>)| {
        let direction = match counter.riskier() {
            Riskier::High => 1,
            Riskier::Low => -1,
        };
        let bins = json!({
            "edges_upper_inclusive": counter.cuts(),
            "points": counter.points(),
            "risk_direction": direction,
            "train_good_bad": rows,
        });
        (counter.name().to_string(), bins)
    };
    Value::Object(counters.map(row).collect())
}

fn fairness(fairness: &Fairness) -> Value {
    let groups: Vec<Value> = fairness
        .groups
        .iter()
        .map(|group| {
            json!({
                "group": group.name,
                "rows": group.rows,
                "bad_rate": group.bad_rate,
                "approval_rate": group.approval_rate,
                "auc": group.auc.map(|auc| auc.value),
                "guess_auc": group.guess,
            })
        })
        .collect();
    json!({
        "column": fairness.column,
        "impact_ratio": fairness.impact_ratio,
        "groups": groups,
    })
}
