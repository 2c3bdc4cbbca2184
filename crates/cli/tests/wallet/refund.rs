//! A payment of a shop's order and what the shop gives back, as the payer's wallet sees it.

use serde_json::{Value, json};
use tacit_ecash::payment_request::PaymentRequest;

use crate::bills::{api_under, town};
use crate::demo::{Demo, Wallet};
use crate::passport::{distinct, strike};
use crate::relay::{Fate, Relay};

fn port(address: &str) -> String {
    address.rsplit(':').next().unwrap().to_owned()
}

/// A new order: its id, and its request as wallets see it that reach the mint at a port of this machine.
fn order(demo: &Demo, key: &str, amount: u64, seen_at: &str) -> (String, String) {
    let asked = json!({"amount": amount, "description": "Two coffees"});
    let told = api_under(demo, "/api/v1/orders", key, &asked);
    let mut request: PaymentRequest = told["payment_request"].as_str().unwrap().parse().unwrap();
    let move_to = |url: &mut String| *url = url.replace(&port(&demo.address()), seen_at);
    request.mints.iter_mut().for_each(move_to);
    request.transports.iter_mut().for_each(|transport| move_to(&mut transport.target));
    (told["id"].as_str().unwrap().to_owned(), request.to_creq_a().unwrap())
}

/// How the shop's refund went out.
fn refund(demo: &Demo, order: &str, key: &str, amount: u64) -> Value {
    let path = format!("/api/v1/orders/{order}/refunds");
    api_under(demo, &path, key, &json!({"amount": amount}))["way"].clone()
}

/// A wallet with 30 dollars at a mint seen at a port of this machine.
fn alice(demo: &Demo, name: &str, seen_at: &str) -> Wallet {
    let alice = demo.wallet(name);
    alice.must(&["mint", "30 usd", "--mint", &format!("http://localhost:{seen_at}/usd")]);
    alice
}

fn pay(wallet: &Wallet, request: &str) {
    let paid = wallet.feed(&["pay", "-", "--yes"], request);
    assert!(paid.code == Some(0) && paid.stderr.contains("the receiver has it"), "{paid:?}");
}

fn amounts(wallet: &Wallet) -> Vec<u64> {
    let list = wallet.json(&["refunds"]);
    list.as_array().unwrap().iter().map(|row| row["amount"].as_u64().unwrap()).collect()
}

#[test]
fn what_a_shop_gives_back_arrives_by_itself_and_once() {
    let demo = Demo::start_with(town);
    let own = port(&demo.address());
    let alice = alice(&demo, "alice", &own);
    let (coffee, request) = order(&demo, "coffee", 1_050, &own);
    pay(&alice, &request);
    let (cake, request) = order(&demo, "cake", 333, &own);
    pay(&alice, &request);
    let paid = 3_000 - 1_050 - 333;
    let none = alice.must(&["refunds"]);
    assert!(none.stderr.contains("nothing has come back"), "{none:?}");
    assert_eq!(refund(&demo, &coffee, "part", 400), "blanks");
    assert_eq!(alice.balance("usd"), paid, "nobody asks by the way");
    assert_eq!((amounts(&alice), alice.balance("usd")), (vec![400], paid + 400));
    assert_eq!((amounts(&alice), alice.balance("usd")), (vec![], paid + 400), "once");
    assert_eq!(refund(&demo, &coffee, "rest", 650), "blanks");
    assert_eq!(refund(&demo, &cake, "all", 333), "blanks");
    let history = alice.json(&["history"]);
    let last = history.as_array().unwrap().iter().rev().find(|it| it["kind"] == "sent").unwrap();
    let number = last["operation"].to_string();
    let one = alice.json(&["refunds", &number]);
    assert_eq!((&one[0]["amount"], alice.balance("usd")), (&json!(333), paid + 400 + 333));
    assert_eq!((amounts(&alice), alice.balance("usd")), (vec![650], 3_000));
    let over = alice.run(&["refunds", &number]);
    assert!(over.code == Some(2) && over.stderr.contains("refunded by itself"), "{over:?}");
    let history = alice.json(&["history"]);
    let back = history.as_array().unwrap().iter().filter(|entry| entry["kind"] == "refunded");
    let back: Vec<u64> = back.map(|entry| entry["change"].as_u64().unwrap()).collect();
    assert_eq!(back, [400, 333, 650]);
    // It is money like any other.
    alice.must(&["send", "30", "--yes"]);
}

#[test]
fn the_words_find_a_refund_that_nobody_asked_for() {
    let demo = Demo::start_with(town);
    let own = port(&demo.address());
    let alice = Wallet { file: demo.path("alice") };
    let words = alice.must(&["init"]).line();
    let mint = format!("http://localhost:{own}/usd");
    alice.must(&["mint", "30 usd", "--mint", &mint]);
    let (order, request) = order(&demo, "o", 1_050, &own);
    pay(&alice, &request);
    assert_eq!(refund(&demo, &order, "r", 1_050), "blanks");
    let carol = Wallet { file: demo.path("carol") };
    assert_eq!(carol.feed(&["init", "--words", "-"], &words).code, Some(0));
    carol.must(&["restore", "--mint", &mint]);
    assert_eq!(carol.balance("usd"), 3_000);
}

/// Every request in turn is lost, or its answer, or the mint is in trouble: it is paid once, and comes back once.
#[test]
fn a_refund_comes_once_with_trouble_at_every_step() {
    let demo = Demo::start_with(town);
    let relay = Relay::to(demo.address());
    let seen_at = port(&relay.address);
    for fate in [Fate::LoseRequest, Fate::LoseAnswer, Fate::Status(503)] {
        let mut struck = 0;
        loop {
            let name = format!("{fate:?}{struck}").replace(['(', ')'], "-");
            let alice = alice(&demo, &name, &seen_at);
            let (order, request) = order(&demo, &name, 1_050, &seen_at);
            strike(&relay, struck, fate);
            let paid = alice.feed(&["pay", "-", "--yes"], &request);
            let mut steps = distinct(&relay);
            relay.pass();
            if paid.code != Some(0) {
                assert_eq!(paid.code, Some(75), "{name}: {paid:?}");
                if alice.balance("usd") == 3_000 {
                    pay(&alice, &request);
                } else {
                    // What is open is taken up, and may be a token that nobody was sent yet.
                    alice.must(&["deliver"]);
                }
            }
            assert_eq!(alice.balance("usd"), 1_950, "{name}");
            for (key, part) in [("part", 400), ("rest", 650)] {
                assert_eq!(refund(&demo, &order, &format!("{name}-{key}"), part), "blanks");
                strike(&relay, struck, fate);
                let asked = alice.run(&["refunds"]);
                steps = steps.max(distinct(&relay));
                relay.pass();
                assert!(matches!(asked.code, Some(0 | 75)), "{name}: {asked:?}");
                if asked.code == Some(75) {
                    assert_eq!(amounts(&alice), [part], "{name}");
                }
                assert_eq!(amounts(&alice), [] as [u64; 0], "{name}");
            }
            assert_eq!(alice.balance("usd"), 3_000, "{name}");
            struck += 1;
            if steps <= struck {
                break;
            }
        }
    }
}
