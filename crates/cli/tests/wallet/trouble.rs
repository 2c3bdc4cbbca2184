//! Networks that fail, mints that misbehave, and processes that are killed at every point: no money is lost or made.

use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use crate::demo::{Demo, Wallet, ended};
use crate::relay::{Fate, Relay};

/// A wallet with 10.50 dollars through a relay.
fn begin(demo: &Demo) -> (Relay, Wallet) {
    let relay = Relay::to(demo.address());
    let alice = demo.wallet("alice");
    alice.must(&["mint", "10.50", "usd", "--mint", &relay.url("usd")]);
    (relay, alice)
}

/// All that a wallet has, in cents, once it has taken up what was open and taken back what it sent.
fn all_of(wallet: &Wallet) -> u64 {
    wallet.must(&["reclaim", "--all"]);
    // A payment takes the demo a second, and what it holds is not in the balance until then.
    for _ in 0..40 {
        if wallet.json(&["pending"]) == serde_json::json!([]) {
            break;
        }
        wallet.must(&["quotes", "--wait", "4"]);
    }
    wallet.balance("usd")
}

/// A command, what comes before it, and by how much it may change all that a wallet has.
struct Case {
    before: &'static [&'static [&'static str]],
    arguments: &'static [&'static str],
    change: std::ops::RangeInclusive<i64>,
}

#[test]
fn a_kill_or_a_loss_while_taking_back_loses_nothing() {
    let before: &[&[&str]] = &[&["send", "1.23"]];
    strike_everywhere(&Case { before, arguments: &["reclaim", "--all"], change: 0..=0 });
}

#[test]
fn a_kill_or_a_loss_while_minting_loses_nothing() {
    let arguments = &["mint", "0.01", "usd", "--wait", "4"];
    strike_everywhere(&Case { before: &[], arguments, change: 0..=1 });
}

#[test]
fn a_kill_or_a_loss_while_paying_loses_nothing() {
    // One cent paid, and one for the rail.
    let arguments = &["pay", "payto://demo/x?amount=usd:0.01", "--yes"];
    strike_everywhere(&Case { before: &[], arguments, change: -2..=0 });
}

/// Every request of a command in turn is lost, or its answer, or the process is killed before or after the mint has seen
/// it. The next commands find everything.
fn strike_everywhere(case: &Case) {
    let demo = Demo::start();
    let (relay, alice) = begin(&demo);
    let (mut before, mut struck_in_all) = (1050_u64, 0);
    for (fate, is_killed) in
        [(Fate::LoseRequest, true), (Fate::LoseAnswer, true), (Fate::LoseAnswer, false)]
    {
        // The first request asks for keysets and changes nothing.
        for number in 1.. {
            case.before.iter().for_each(|arguments| _ = alice.must(arguments));
            let is_struck = struck(&relay, &alice, case.arguments, (number, fate, is_killed));
            let after = all_of(&alice);
            let change = after.cast_signed() - before.cast_signed();
            let what = format!("{:?} {number} {fate:?} {is_killed}", case.arguments);
            assert!(case.change.contains(&change), "{what}: {before} to {after}");
            assert_eq!(booked(&alice), after.cast_signed(), "{what}");
            before = after;
            struck_in_all += usize::from(is_struck);
            if !is_struck {
                break;
            }
        }
    }
    assert!(9 <= struck_in_all, "{:?}: {struck_in_all} requests suffered", case.arguments);
}

/// What the history adds up to.
fn booked(wallet: &Wallet) -> i64 {
    let history = wallet.json(&["history"]);
    history.as_array().unwrap().iter().map(|entry| entry["change"].as_i64().unwrap()).sum()
}

/// Runs a command whose request of this number suffers; whether there was one.
fn struck(
    relay: &Relay,
    alice: &Wallet,
    arguments: &[&str],
    (number, fate, is_killed): (usize, Fate, bool),
) -> bool {
    let victim: Arc<Mutex<Option<Child>>> = Arc::default();
    let (shared, reached) = (Arc::clone(&victim), Arc::new(Mutex::new(false)));
    let seen = Arc::clone(&reached);
    relay.decide(move |count, _, _| {
        // Who is not killed sends again, and is heard.
        if count < number || number < count && !is_killed {
            return Fate::Pass;
        }
        if count == number {
            *seen.lock().unwrap() = true;
        }
        if is_killed {
            // SIGKILL. The mint may follow the request all the same.
            if let Some(child) = shared.lock().unwrap().as_mut() {
                _ = child.kill();
            }
        }
        fate
    });
    {
        // Held while it starts, so that no request is decided about before there is somebody to kill.
        let mut victim = victim.lock().unwrap();
        *victim = Some(alice.spawn(arguments));
    }
    loop {
        let mut child = victim.lock().unwrap();
        if child.as_mut().unwrap().try_wait().unwrap().is_some() {
            break;
        }
        drop(child);
        sleep(Duration::from_millis(5));
    }
    ended(victim.lock().unwrap().take().unwrap());
    relay.pass();
    *reached.lock().unwrap()
}

/// Killed at moments that nobody chose, while it works.
#[test]
fn a_kill_at_any_moment_leaves_a_wallet_that_opens() {
    let demo = Demo::start();
    let (_relay, alice) = begin(&demo);
    for moment in 0..30 {
        let mut child = alice.spawn(&["send", "0.37", "usd", "--yes"]);
        sleep(Duration::from_millis(60 + 9 * moment));
        child.kill().unwrap();
        ended(child);
    }
    assert_eq!(all_of(&alice), 1050);
}

#[test]
fn two_processes_wait_for_each_other() {
    let demo = Demo::start();
    let (relay, alice) = begin(&demo);
    relay.decide(|_, _, _| {
        sleep(Duration::from_millis(30));
        Fate::Pass
    });
    let children: Vec<Child> =
        (0..6).map(|_| alice.spawn(&["send", "0.50", "usd", "--yes"])).collect();
    let tokens: Vec<String> = children.into_iter().map(|child| ended(child).line()).collect();
    relay.pass();
    assert_eq!(alice.balance("usd"), 1050 - 300);
    let bob = demo.wallet("bob");
    for token in tokens {
        let done = bob.feed(&["receive", "--trust", "-"], &token);
        assert_eq!(done.code, Some(0), "no proof is in two tokens: {done:?}");
    }
    assert_eq!(bob.balance("usd"), 300);
}

#[test]
fn a_mint_that_changes_a_keyset_is_refused() {
    let demo = Demo::start();
    let (relay, alice) = begin(&demo);
    for (from, to) in [("\"input_fee_ppk\":0", "\"input_fee_ppk\":900"), ("\"02", "\"03")] {
        relay.bend(
            move |what, body| {
                if what.contains("/v1/keys") { body.replace(from, to) } else { body }
            },
        );
        for arguments in [&["send", "3.33", "usd", "--yes"][..], &["mint", "1", "usd"]] {
            let done = alice.run(arguments);
            assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{arguments:?} {done:?}");
            assert!(done.stderr.contains("has changed its keyset"), "{arguments:?} {done:?}");
        }
    }
    relay.bend(|_, body| body);
    assert_eq!(all_of(&alice), 1050);
}

#[test]
fn a_false_signature_is_refused_and_the_operation_stays_open() {
    let demo = Demo::start();
    let (relay, alice) = begin(&demo);
    relay.bend(|what, body| {
        // Each signature's other point of the same coordinate.
        let bent = ["02", "03"].map(|sign| format!("\"C_\":\"{sign}"));
        let turned = |body: String| body.replace(&bent[0], "odd").replace(&bent[1], &bent[0]);
        if what.contains("/v1/swap") { turned(body).replace("odd", &bent[1]) } else { body }
    });
    alice.must(&["send", "1.23"]);
    let done = alice.run(&["reclaim", "--all"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("is not what was asked for"), "{done:?}");
    let open = alice.json(&["pending", "--offline"]);
    assert!(open.as_array().unwrap().iter().any(|row| row["kind"] == "receive"), "{open}");
    relay.bend(|_, body| body);
    assert_eq!(all_of(&alice), 1050);
}

#[test]
fn a_mint_out_of_reach_is_told_from_one_that_says_no() {
    let demo = Demo::start();
    let (relay, alice) = begin(&demo);
    for fate in [Fate::LoseRequest, Fate::Status(503), Fate::Status(500), Fate::Status(302)] {
        relay.decide(move |_, _, _| fate);
        let done = alice.run(&["mint", "1", "usd"]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(75), ""), "{fate:?} {done:?}");
        assert!(done.stderr.contains("does not answer"), "{fate:?} {done:?}");
    }
    relay.decide(|_, _, _| {
        sleep(Duration::from_secs(3));
        Fate::LoseRequest
    });
    let slow = alice.run(&["mint", "1", "usd", "--timeout", "1"]);
    assert!(slow.code == Some(75) && slow.stderr.contains("took too long"), "{slow:?}");
    // What needs no mint works without one.
    relay.decide(|_, _, _| Fate::LoseRequest);
    assert_eq!(alice.balance("usd"), 1050);
    let token = alice.must(&["send", "0.01", "usd"]).line();
    assert!(token.starts_with("cashuB"), "proofs that add up need no swap");
    relay.pass();
    assert_eq!(all_of(&alice), 1050);
}

/// Nothing tells this wallet from another, and no request says more than it must.
#[test]
fn requests_carry_no_name() {
    let demo = Demo::start();
    let (relay, alice) = begin(&demo);
    alice.must(&["send", "1.23"]);
    alice.must(&["reclaim", "--all"]);
    for head in relay.heads() {
        let names = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, _)| name.to_lowercase());
        for name in names {
            let usual = [
                "host",
                "accept",
                "content-type",
                "content-length",
                "transfer-encoding",
                "connection",
            ];
            assert!(usual.contains(&name.as_str()), "{name} in {head}");
        }
    }
    assert!(relay.seen().iter().any(|what| what == "POST /usd/v1/swap"), "{:?}", relay.seen());
}
