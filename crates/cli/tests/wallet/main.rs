//! `tacit wallet` as its users run it: one process a command, against a demo mint, through good and bad networks.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bills;
mod demo;
mod file;
mod passport;
mod refund;
mod relay;
mod request;
mod trouble;

use demo::{Demo, program};
use serde_json::json;

#[test]
fn money_goes_from_one_wallet_to_another() {
    for (unit, amount, part, value, sent) in
        [("usd", "10.50", "2.50", 1050, 250), ("sat", "1000", "70", 1000, 70)]
    {
        let demo = Demo::start();
        let (alice, bob) = (demo.wallet("alice"), demo.wallet("bob"));
        let minted = alice.json(&["mint", amount, unit, "--mint", &demo.url(unit)]);
        assert_eq!(minted["amount"], json!(value));
        let done = alice.must(&["send", part, "--yes", "--memo", "lunch", "--note", "to Bob"]);
        let token = done.line();
        assert!(token.starts_with("cashuB") && done.stdout.lines().count() == 1, "{done:?}");
        assert!(!done.stderr.contains("cashu"), "the token is on stdout alone: {done:?}");
        let unknown = bob.feed(&["receive", "-"], &token);
        assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(5), ""), "{unknown:?}");
        assert_eq!(bob.json(&["mints"]), json!([]), "a mint is not dealt with unasked");
        // As a chat breaks lines.
        let (first, rest) = token.split_at(50);
        let received = bob.feed(&["receive", "--trust", "-"], &format!("  {first}\n{rest}\n"));
        assert_eq!(received.code, Some(0), "{received:?}");
        assert_eq!(bob.balance(unit), sent, "the receiver gets what was typed");
        let again = bob.feed(&["receive", "-"], &token);
        assert!(again.code == Some(1) && again.stderr.contains("spent already"), "{again:?}");
        assert_eq!(alice.json(&["pending"]), json!([]));
        let history = alice.json(&["history", "--search", "to bob"]);
        assert_eq!(history.as_array().unwrap().len(), 1);
        assert_eq!((&history[0]["state"], &history[0]["memo"]), (&json!("done"), &json!("lunch")));
        let fee = history[0]["fee"].as_u64().unwrap();
        assert_eq!(alice.balance(unit), value - sent - fee, "{history}");
    }
}

#[test]
fn a_fee_needs_consent() {
    let demo = Demo::start();
    let alice = demo.wallet("alice");
    alice.must(&["mint", "100", "sat", "--mint", &demo.url("sat")]);
    let unasked = alice.run(&["send", "7"]);
    assert_eq!((unasked.code, unasked.stdout.as_str()), (Some(5), ""), "{unasked:?}");
    assert!(unasked.stderr.contains("for a fee of 1 sat"), "{unasked:?}");
    assert_eq!(alice.balance("sat"), 100);
    let sent = alice.json(&["send", "7", "--yes"]);
    assert_eq!(sent["fee"], 1);
    assert_eq!(alice.balance("sat"), 92);
    // Nobody received it: it comes back, and what the mint takes for that is told.
    let back = alice.json(&["reclaim", "--all"]);
    assert_eq!(back[0]["amount"], 7);
    assert_eq!(alice.balance("sat"), 99);
}

#[test]
fn what_is_paid_out_is_asked_for_and_booked() {
    let demo = Demo::start();
    let alice = demo.wallet("alice");
    alice.must(&["mint", "10.50", "usd", "--mint", &demo.url("usd")]);
    alice.must(&["mint", "5", "kes", "--mint", &demo.url("kes")]);
    let target = "payto://demo/somebody?amount=usd:2.25";
    let unasked = alice.run(&["pay", target]);
    assert!(unasked.code == Some(5) && unasked.stderr.contains("Pay 2.25 usd"), "{unasked:?}");
    let paid = alice.json(&["pay", target, "--yes", "--note", "rent"]);
    assert_eq!((&paid["amount"], &paid["unit"]), (&json!(225), &json!("usd")));
    assert_eq!(alice.balance("usd"), 1050 - 225 - paid["fee"].as_u64().unwrap());
    assert_eq!(alice.balance("kes"), 500);
    let csv = alice.must(&["history", "--csv", "--search", "rent"]).stdout;
    let line = csv.lines().nth(1).unwrap();
    assert!(line.contains(",paid,done,-2.2") && line.contains(",2.25,"), "{csv}");
}

#[test]
fn a_request_is_paid_with_what_it_asks_for() {
    let demo = Demo::start();
    let (alice, bob) = (demo.wallet("alice"), demo.wallet("bob"));
    alice.must(&["mint", "10.50", "usd", "--mint", &demo.url("usd")]);
    bob.must(&["mints", "add", &demo.url("usd")]);
    let request = bob.must(&["request", "1.25", "usd", "--description", "coffee"]).line();
    assert!(request.starts_with("creqA"), "{request}");
    let unasked = alice.feed(&["pay", "-"], &request);
    assert!(unasked.code == Some(5) && unasked.stderr.contains("\"coffee\""), "{unasked:?}");
    let paid = alice.feed(&["pay", "-", "--yes"], &request);
    let received = bob.feed(&["receive", "-"], &paid.line());
    assert_eq!(received.code, Some(0), "{received:?}");
    assert_eq!((alice.balance("usd"), bob.balance("usd")), (925, 125));
    let asked = &bob.json(&["requests"])[0];
    assert_eq!((&asked["paid"], &asked["description"]), (&json!(true), &json!("coffee")));
    let other = alice.feed(&["pay", "-", "--yes", "--amount", "2"], &request);
    assert!(other.code == Some(1) && other.stderr.contains("another amount"), "{other:?}");
    let torn = alice.feed(&["pay", "-", "--yes"], &request[..request.len() - 9]);
    assert_eq!((torn.code, torn.stdout.as_str()), (Some(2), ""), "{torn:?}");
}

#[test]
fn the_words_alone_give_the_money_back() {
    let demo = Demo::start();
    let alice = demo::Wallet { file: demo.path("alice") };
    let words = alice.must(&["init"]).line();
    assert_eq!(words.split(' ').count(), 12);
    alice.must(&["mint", "10.50", "usd", "--mint", &demo.url("usd")]);
    alice.must(&["mint", "99", "sat", "--mint", &demo.url("sat")]);
    let token = alice.must(&["send", "2.50", "usd"]).line();
    let bob = demo.wallet("bob");
    bob.feed(&["receive", "--trust", "-"], &token);
    let again = demo::Wallet { file: demo.path("again") };
    let made = again.feed(&["init", "--words", "-"], &words);
    assert!(made.code == Some(0) && !made.stdout.contains(&words), "{made:?}");
    assert_eq!(again.run(&["restore"]).code, Some(2), "the words do not say where");
    again.must(&["restore", "--mint", &demo.url("usd"), "--mint", &demo.url("sat")]);
    for unit in ["usd", "sat"] {
        assert_eq!(again.balance(unit), alice.balance(unit), "{unit}");
    }
    again.must(&["restore"]);
    assert_eq!(again.balance("usd"), 800, "twice does no harm");
    again.must(&["send", "8", "usd"]);
    let wrong = demo::Wallet { file: demo.path("wrong") };
    let wrong = wrong.feed(&["init", "--words", "-"], &words.replace(' ', " zoo "));
    assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(2), ""), "{wrong:?}");
}

#[test]
fn bad_input_is_told_and_loses_nothing() {
    let demo = Demo::start();
    let alice = demo.wallet("alice");
    alice.must(&["mint", "10.50", "usd", "--mint", &demo.url("usd")]);
    let token = alice.must(&["send", "1"]).line();
    for (input, code, said) in [
        ("", 2, "does not begin as a token"),
        ("hello", 2, "does not begin as a token"),
        ("cashuB!!", 2, "not base64"),
        (&token[..token.len() - 40], 2, "form of its version"),
        ("cashuBogA", 2, "form of its version"),
    ] {
        let done = alice.feed(&["receive", "-"], input);
        assert_eq!(done.code, Some(code), "{input:?} {done:?}");
        assert!(done.stderr.contains(said), "{input:?} {done:?}");
    }
    for (arguments, code) in [
        (vec!["send", "0"], 2),
        (vec!["send", "1.005"], 2),
        (vec!["send", "99999999999999999999"], 2),
        (vec!["send", "500"], 3),
        (vec!["send", "5", "eur"], 2),
        (vec!["send", "5", "euro"], 2),
        (vec!["mint", "5", "--mint", "ftp://x"], 2),
        (vec!["mint", "5", "--mint", "http://mint.example/usd"], 2),
        (vec!["mint", "5", "--mint", "http://x.onion"], 2),
        (vec!["mint", "90000000000000", "usd"], 1),
        (vec!["pay", "lnbcrt1nonsense", "--yes"], 1),
        (vec!["pay", &token], 2),
        (vec!["reclaim", "77"], 2),
        (vec!["pending", "--token", "77"], 2),
        (vec!["note", "77", "x"], 2),
        (vec!["mints", "remove", "https://mint.example"], 2),
        (vec!["balance", "--config", "/nonexistent"], 2),
    ] {
        let done = alice.run(&arguments);
        assert_eq!(done.code, Some(code), "{arguments:?} {done:?}");
        assert!(!done.stderr.is_empty() && !done.stderr.contains("panicked"), "{done:?}");
    }
    let told = alice.run(&["send", "500", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&told.stderr).unwrap();
    assert_eq!(error["exit"], 3, "{told:?}");
    assert_eq!(alice.balance("usd"), 950);
}

#[test]
fn every_command_has_help_and_a_page() {
    let demo = Demo::start();
    let help = demo::ended(program(&demo.path("")).arg("--help").spawn().unwrap());
    for command in ["init", "mint", "send", "receive", "pay", "balance", "history", "restore"] {
        assert!(help.stdout.contains(&format!("  {command} ")), "{command}: {help:?}");
    }
    let tacit = || std::process::Command::new(env!("CARGO_BIN_EXE_tacit"));
    let pages = demo.path("man");
    assert!(tacit().arg("man").arg(&pages).status().unwrap().success());
    assert!(pages.join("tacit-wallet-send.1").exists());
    for shell in ["bash", "zsh", "fish"] {
        let script = tacit().args(["completions", shell]).output().unwrap();
        assert!(String::from_utf8(script.stdout).unwrap().contains("reclaim"), "{shell}");
    }
}
