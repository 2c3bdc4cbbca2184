//! `tacit bench swaps` against a small mint that is honest or at fault in one way: each fault must be found.
#![allow(clippy::unwrap_used, reason = "tests")]

mod fake_mint;

use std::net::TcpListener;
use std::process::{Command, Output};

use fake_mint::{FakeMint, Fault};
use serde_json::{Value, json};

/// The program run to its end.
fn tacit(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tacit")).args(arguments).output().unwrap()
}

/// Forty swaps over four connections: the exit code and the JSON.
fn bench(mint: &FakeMint) -> (Option<i32>, Value) {
    let output = tacit(&[
        "bench",
        "swaps",
        "--mint",
        &mint.url,
        "--unit",
        "usd",
        "--swaps",
        "40",
        "--connections",
        "4",
        "--json",
    ]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.is_empty(), "no progress is shown where nobody looks: {stderr}");
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

/// What the program says when it has no result, with its exit code.
fn failure(arguments: &[&str]) -> (Option<i32>, String) {
    let output = tacit(arguments);
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn verdicts(report: &Value) -> Vec<(&str, &str)> {
    let checks = report["checks"].as_object().unwrap();
    checks.iter().map(|(name, check)| (name.as_str(), check["verdict"].as_str().unwrap())).collect()
}

/// The names of the checks that did not hold.
fn failed(report: &Value) -> Vec<&str> {
    let failed = verdicts(report).into_iter().filter(|(_, verdict)| *verdict != "ok");
    failed.map(|(name, _)| name).collect()
}

#[test]
fn an_honest_mint_passes_with_and_without_fee() {
    for (fee_ppk, inputs, outputs) in
        [(0, [1, 1], [1, 1]), (100, [1, 2], [1, 1]), (1000, [1, 4], [1, 2])]
    {
        let (code, report) = bench(&FakeMint::start(Fault::None, fee_ppk));
        assert_eq!((code, &report["passed"]), (Some(0), &json!(true)), "{report}");
        assert!(failed(&report).is_empty(), "{report}");
        assert_eq!(report["input_amounts"], json!(inputs));
        assert_eq!(report["output_amounts"], json!(outputs));
        assert_eq!((&report["signed"], &report["errors"]), (&json!(40), &json!({})));
        assert_eq!(report["method"], "bank", "the native method is preferred");
        assert!(report["swaps_per_second"].as_f64().unwrap() > 0.0);
        let latency = |name: &str| report["latency_ms"][name].as_f64().unwrap();
        assert!(
            0.0 < latency("p50")
                && latency("p50") <= latency("p99")
                && latency("p99") <= latency("max")
        );
        assert_eq!(report["checks"]["signatures"]["tried"], 80);
        assert_eq!(report["checks"]["double_spends"]["tried"], 40);
    }
}

#[test]
fn a_mint_that_signs_double_spends_is_caught() {
    let (code, report) = bench(&FakeMint::start(Fault::SignsDoubleSpends, 0));
    assert_eq!((code, failed(&report)), (Some(1), vec!["double_spends"]));
    assert_eq!(report["checks"]["double_spends"]["instead"], json!({ "signed a second time": 40 }));
}

#[test]
fn a_mint_that_fails_on_double_spends_has_not_refused_them() {
    let (code, report) = bench(&FakeMint::start(Fault::FailsOnDoubleSpends, 0));
    assert_eq!((code, failed(&report)), (Some(1), vec!["double_spends"]));
    assert_eq!(report["checks"]["double_spends"]["instead"], json!({ "status 500": 40 }));
}

#[test]
fn a_mint_with_a_false_dleq_is_caught() {
    let (code, report) = bench(&FakeMint::start(Fault::FalseDleqInSwaps, 0));
    assert_eq!((code, failed(&report)), (Some(1), vec!["received", "signatures"]));
    let instead = &report["checks"]["signatures"]["instead"];
    assert_eq!(instead, &json!({ "the DLEQ proof of the signature is false": 80 }));
}

#[test]
fn a_mint_that_issues_false_signatures_is_not_measured() {
    let mint = FakeMint::start(Fault::FalseDleqInIssues, 0);
    let (code, error) =
        failure(&["bench", "swaps", "--mint", &mint.url, "--unit", "usd", "--swaps", "64"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("the DLEQ proof of the signature is false"), "{error}");
}

#[test]
fn a_mint_that_signs_with_a_key_of_another_amount_is_caught() {
    let (code, report) = bench(&FakeMint::start(Fault::OtherKeyInSwaps, 0));
    assert_eq!((code, failed(&report)), (Some(1), vec!["received", "signatures"]));
}

#[test]
fn a_mint_that_answers_repeats_differently_is_caught() {
    let (code, report) = bench(&FakeMint::start(Fault::RepeatsDiffer, 0));
    assert_eq!((code, failed(&report)), (Some(1), vec!["repeats"]));
    assert_eq!(report["checks"]["repeats"]["instead"], json!({ "other signatures": 40 }));
}

#[test]
fn a_mint_that_promises_no_repeats_and_makes_none_is_told_apart() {
    let (code, report) = bench(&FakeMint::start(Fault::NoRepeats, 0));
    assert_eq!((code, failed(&report)), (Some(1), vec!["repeats"]));
    assert_eq!(report["checks"]["repeats"]["verdict"], "unsupported");
    assert_eq!(report["checks"]["repeats"]["instead"], json!({ "status 400, code 11001": 40 }));

    let (_, report) = bench(&FakeMint::start(Fault::BreaksPromiseOfRepeats, 0));
    assert_eq!(report["checks"]["repeats"]["verdict"], "failed");
}

#[test]
fn missing_signatures_refusals_and_lost_connections_are_counted_by_kind() {
    let (code, report) = bench(&FakeMint::start(Fault::EveryTenthSwapFails, 0));
    assert_eq!((code, failed(&report)), (Some(1), vec!["answers"]));
    let kinds = json!({ "connection closed": 1, "status 503": 1, "unreadable answer": 1, "wrong number of signatures": 1 });
    assert_eq!((&report["errors"], &report["signed"]), (&kinds, &json!(36)));
}

#[test]
fn a_mint_that_never_pays_is_given_up() {
    let mint = FakeMint::start(Fault::NeverPays, 0);
    let (code, error) = failure(&[
        "bench",
        "swaps",
        "--mint",
        &mint.url,
        "--unit",
        "usd",
        "--swaps",
        "64",
        "--pay-timeout",
        "1",
    ]);
    assert_eq!(code, Some(1));
    assert!(error.contains("unpaid after 1 s"), "{error}");
}

#[test]
fn a_keyset_under_a_false_name_is_not_used() {
    let mint = FakeMint::start(Fault::FalseKeysetId, 0);
    let (code, error) =
        failure(&["bench", "swaps", "--mint", &mint.url, "--unit", "usd", "--swaps", "64"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("are not the ones it is named after"), "{error}");
}

#[test]
fn requests_that_make_no_sense_are_usage_errors() {
    let mint = FakeMint::start(Fault::None, 0);
    let url = mint.url.as_str();
    let with = |more: &[&str]| failure(&[&["bench", "swaps", "--mint", url], more].concat());
    for (more, said) in [
        (&["--unit", "usd", "--swaps", "0"][..], "0 is not in 1.."),
        (
            &["--unit", "usd", "--swaps", "3", "--connections", "4"],
            "4 connections cannot share 3 swaps",
        ),
        (&["--unit", "USD"], "three lower-case letters"),
        (&["--unit", "eur"], "the mint has no active keyset of the unit eur; it has: usd"),
        (&["--unit", "usd", "--method", "bolt12"], "invalid value 'bolt12'"),
        (&["--unit", "usd", "--mint-process", "4294967295"], "process 4294967295 cannot be read"),
        (&["--unit", "usd", "--inputs", "1001"], "1001 is not in 1..=1000"),
    ] {
        let (code, error) = with(more);
        assert_eq!(code, Some(2), "{more:?}");
        assert!(error.contains(said), "{error}");
    }
    let (code, error) = failure(&[
        "bench",
        "swaps",
        "--mint",
        "https://localhost",
        "--unit",
        "usd",
        "--swaps",
        "64",
    ]);
    assert_eq!(code, Some(2));
    assert!(error.contains("only http:// is spoken here"), "{error}");
}

#[test]
fn a_fee_that_no_amounts_can_pay_is_a_usage_error() {
    let mint = FakeMint::start(Fault::None, 5000);
    let one_each = ["--unit", "usd", "--inputs", "1", "--outputs", "1"];
    let (code, error) =
        failure(&[&["bench", "swaps", "--mint", &mint.url], &one_each[..]].concat());
    assert_eq!(code, Some(2));
    assert!(error.contains("allows no swap of 1 inputs and 1 outputs"), "{error}");
}

#[test]
fn a_mint_that_cannot_be_reached_is_a_temporary_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (code, error) =
        failure(&["bench", "swaps", "--mint", &url, "--unit", "usd", "--swaps", "64"]);
    assert_eq!(code, Some(75));
    assert!(error.contains("cannot connect"), "{error}");
}

#[test]
fn the_table_says_the_same_in_words() {
    let mint = FakeMint::start(Fault::SignsDoubleSpends, 100);
    let own = std::process::id().to_string(); // The mint runs in the test's process.
    let load = "--unit usd --swaps 8 --connections 2";
    let line = format!("bench swaps --mint {} {load} --mint-process {own}", mint.url);
    let output = tacit(&line.split(' ').collect::<Vec<_>>());
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for said in [
        "8 swaps of 1+2 into 1+1 usd, over 2 connections",
        "swaps/s",
        "p99",
        "generator   0.",
        "mint        0.",
        "FAILED      spent inputs with fresh outputs were refused: 0 of 8",
        "instead: signed a second time (8 times)",
    ] {
        assert!(table.contains(said), "{table}");
    }
}

#[test]
fn the_version_is_told() {
    let output = tacit(&["--version"]);
    let expected = format!("tacit {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
