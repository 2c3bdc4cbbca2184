//! `tacit passport bills` as a payer uses it: contracts, payments that count, months without one, and lost answers.

use serde_json::{Value, json};
use tacit_core::secret::Secret;
use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_credit::passport::epoch::Epoch;
use tacit_ecash::point::PointBytes;
use tacit_server::server::Parts;
use tacit_service::account::AccountId;
use tacit_service::desk::biller::{Granted, LicenceProposal, LicenceTerms};
use tacit_service::desk::merchant::{ApiKey, ApiKeyText, Merchant, NamingSecret, Scope, Scopes};
use tacit_service::desk::person::Name;
use tacit_service::desk::staff::StaffId;
use tacit_service::desk::trail::{Action, Deed};

use crate::demo::{Demo, Wallet};
use crate::passport::{ADA, ada, distinct, link, must, now, run, strike};
use crate::relay::{Fate, Relay};

/// A shop that may bill, and Ada, whose wallet pays.
pub(crate) fn town(parts: &mut Parts) {
    ada(parts);
    let secret = secp256k1::SecretKey::from_byte_array([7; 32]).unwrap();
    let account = AccountId::from_random([9; 8]);
    let merchant = Merchant {
        account,
        name: Name::new("Municipal Water").unwrap(),
        owner: ADA,
        unit: Unit::new("usd").unwrap(),
        key: PointBytes::from(secret.public_key(secp256k1::SECP256K1)),
        naming: NamingSecret::new([3; 32]),
        webhook: None,
        webhook_secret: Secret::new([4; 32]),
        opened: now().day(),
        is_in_vault: false,
    };
    let store = parts.desk[0].as_mut();
    assert!(store.register(&merchant).unwrap());
    let key = ApiKey {
        hash: ApiKeyText::from_random([1; 32]).hash(),
        merchant: account,
        label: tacit_service::desk::login::Label::new("till").unwrap(),
        scopes: Scopes::new(&Scope::ALL).unwrap(),
        added: now().day(),
        expires: Day::from_number(now().day().number() + 3_650),
        is_revoked: false,
    };
    assert!(store.add_api_key(&key).unwrap());
    let terms = LicenceTerms { floor: 500, contracts_max: 9 };
    let (one, other) = (StaffId::from_bytes([71; 16]), StaffId::from_bytes([72; 16]));
    let deed = |action, staff| Deed {
        moment: now(),
        staff: Some(staff),
        action,
        subject: "shop".to_owned(),
        detail: String::new(),
    };
    let proposal = LicenceProposal { merchant: account, terms, by: one, day: now().day() };
    assert!(store.propose_licence(&proposal, &deed(Action::LicenceProposed, one)).unwrap());
    let granted = deed(Action::LicenceGranted, other);
    assert_eq!(store.grant_licence(account, terms, other, &granted).unwrap(), Granted::Done);
}

/// Asks the desk with the shop's key.
fn api(demo: &Demo, path: &str, body: &Value) -> Value {
    api_under(demo, path, &body.to_string().len().to_string(), body)
}

/// The same under a key that makes it once.
pub(crate) fn api_under(demo: &Demo, path: &str, key: &str, body: &Value) -> Value {
    let address = demo.address();
    let port = address.rsplit(':').next().unwrap();
    let sent = ureq::post(format!("http://{address}{path}"))
        .header("host", format!("desk.localhost:{port}"))
        .header("authorization", format!("Bearer {}", ApiKeyText::from_random([1; 32]).reveal()))
        .header("idempotency-key", key)
        .header("content-type", "application/json")
        .send(body.to_string());
    let text = sent.unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A new contract: its number and its code.
fn contract(demo: &Demo, what: &str) -> (String, String) {
    let told = api(demo, "/api/v1/contracts", &json!({"description": what}));
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    (text("id"), text("code"))
}

/// The present month, by the operator's clock.
fn month(demo: &Demo) -> Epoch {
    let url = format!("http://{}/v1/passport", demo.address());
    let text = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    let info: Value = serde_json::from_str(&text).unwrap();
    Epoch::new(u16::try_from(info["month"].as_u64().unwrap()).unwrap()).unwrap()
}

fn later(month: Epoch, months: u16) -> Epoch {
    Epoch::new(month.number() + months).unwrap()
}

/// A bill that is due on the 20th of a month.
fn bill(demo: &Demo, contract: &str, month: Epoch, amount: u64) {
    let bill = json!({"contract": contract, "amount": amount, "due": format!("{month}-20")});
    api(demo, "/api/v1/bills", &json!({"bills": [bill]}));
}

/// Ada's wallet with a passport, a contract and money.
fn alice(demo: &Demo) -> (Wallet, String) {
    let alice = demo.wallet("alice");
    alice.must(&["mint", "300 usd", "--mint", &demo.url("usd")]);
    must(&alice, &["enrol", &link(&demo.desk())]);
    let (id, code) = contract(demo, "Electricity, Mill Lane 4");
    must(&alice, &["bills", "add", &code]);
    (alice, id)
}

fn months_paid(wallet: &Wallet) -> u64 {
    must(wallet, &["show"])["counters"]["paid_months"].as_u64().unwrap()
}

#[test]
fn bills_that_are_paid_make_a_score_and_certificates() {
    let demo = Demo::start_with(town);
    let (alice, id) = alice(&demo);
    let listed = must(&alice, &["bills"]);
    assert_eq!(listed[0]["biller"], "Municipal Water", "{listed}");
    for _ in 0..5 {
        let next = later(month(&demo), 1);
        bill(&demo, &id, next, 4_120);
        let before = alice.balance("usd");
        let paid = must(&alice, &["bills", "pay", "1", "--yes"]);
        assert_eq!((&paid["in_time"], &paid["units"]), (&json!(true), &json!(4)), "{paid}");
        assert_eq!(alice.balance("usd"), before - 4_120, "no fee in the demo");
        let again = run(&alice, &["bills", "pay", "1", "--yes"]);
        assert!(again.code == Some(2) && again.stderr.contains("no such bill"), "{again:?}");
        demo.next_month();
        let updated = must(&alice, &["update", "--without-income"]);
        assert_eq!(updated["missed"], json!([]), "{updated}");
    }
    demo.next_month();
    must(&alice, &["update", "--without-income"]);
    let shown = must(&alice, &["show"]);
    assert!(350 < shown["score"].as_u64().unwrap(), "{shown}");
    assert_eq!(shown["counters"]["late"], 0, "{shown}");
    let listed = run(&alice, &["bills"]);
    assert!(listed.stdout.contains("counted by the passport"), "{listed:?}");
    let certified = must(&alice, &["certify"]);
    assert_eq!(certified["certificates"], 4, "{certified}");
}

#[test]
fn a_bill_that_is_not_paid_makes_its_month_late() {
    let demo = Demo::start_with(town);
    let (alice, id) = alice(&demo);
    let first = later(month(&demo), 1);
    bill(&demo, &id, first, 4_120);
    must(&alice, &["bills", "pay", "1", "--yes"]);
    bill(&demo, &id, later(first, 1), 4_120);
    // The second is left: the month after it is due in, the one before has long counted.
    for _ in 0..3 {
        demo.next_month();
    }
    let updated = run(&alice, &["update", "--without-income"]);
    assert!(updated.stderr.contains("counts as late"), "{updated:?}");
    let shown = must(&alice, &["show"]);
    assert_eq!((&shown["counters"]["late"], months_paid(&alice)), (&json!(7), 6), "{shown}");
    // It is still to be paid, and makes no difference to the month that is closed.
    let paid = must(&alice, &["bills", "pay", "1", "--yes"]);
    assert_eq!(paid["in_time"], Value::Null, "{paid}");
    // A month without a bill is neither late nor paid: its receipt is fetched when it is closed.
    demo.next_month();
    let updated = must(&alice, &["update", "--without-income"]);
    assert_eq!(updated["missed"], json!([]), "{updated}");
    assert_eq!(must(&alice, &["show"])["counters"]["late"], 6);
    let far = run(&alice, &["bills", "drop", "1", "--yes"]);
    assert!(far.code == Some(1) && far.stderr.contains("until its biller ends it"), "{far:?}");
}

#[test]
fn receipts_outlive_the_year_whose_keys_they_are_under() {
    let demo = Demo::start_with(town);
    let (alice, id) = alice(&demo);
    while month(&demo).number() % 12 != 11 {
        demo.next_month();
    }
    must(&alice, &["update", "--without-income"]);
    let december = month(&demo);
    for months in [1, 3, 4] {
        bill(&demo, &id, later(december, months), 4_120);
    }
    // In December, of January and March; April is too far.
    must(&alice, &["bills", "pay", "1", "--yes"]);
    must(&alice, &["bills", "pay", "1", "--yes"]);
    let far = run(&alice, &["bills", "pay", "1", "--yes"]);
    assert!(far.code == Some(1) && far.stderr.contains(&later(december, 1).to_string()), "{far:?}");
    for _ in 0..4 {
        demo.next_month();
        let updated = must(&alice, &["update"]);
        assert_eq!(updated["missed"], json!([]), "{updated}");
    }
    assert_eq!(months_paid(&alice), 12, "January, faded twice, and March");
    // Paid in its own month, under the new year's keys.
    must(&alice, &["bills", "pay", "1", "--yes"]);
    demo.next_month();
    assert_eq!(must(&alice, &["update"])["missed"], json!([]));
}

#[test]
fn what_fits_no_contract_is_refused_and_changes_nothing() {
    let demo = Demo::start_with(town);
    let alice = demo.wallet("alice");
    let none = run(&alice, &["bills"]);
    assert!(none.code == Some(2) && none.stderr.contains("no passport"), "{none:?}");
    must(&alice, &["enrol", &link(&demo.desk())]);
    let empty = run(&alice, &["bills"]);
    assert!(empty.stdout.contains("No contract is taken on"), "{empty:?}");
    let (id, code) = contract(&demo, "Rent");
    for wrong in ["", "rent", &id, &code[..code.len() - 1], &code.replace("/usd/", "/")] {
        let done = run(&alice, &["bills", "add", wrong]);
        assert!(done.code == Some(2) && done.stderr.contains("no code of a contract"), "{done:?}");
    }
    let other = code.replace(&id, &"0".repeat(32));
    let done = run(&alice, &["bills", "add", &other]);
    assert!(done.code == Some(1) && done.stderr.contains("does not know"), "{done:?}");
    must(&alice, &["bills", "add", &code]);
    let twice = run(&alice, &["bills", "add", &code]);
    assert!(twice.code == Some(1) && twice.stderr.contains("already"), "{twice:?}");
    for number in ["0", "2"] {
        let done = run(&alice, &["bills", "pay", number, "--yes"]);
        assert!(done.code == Some(2) && done.stderr.contains("no contract"), "{done:?}");
    }
    let next = later(month(&demo), 1);
    bill(&demo, &id, next, 4_120);
    let poor = run(&alice, &["bills", "pay", "1", "--yes"]);
    assert!(poor.code == Some(2) || poor.code == Some(3), "{poor:?}");
    must(&alice, &["bills", "drop", "1", "--yes"]);
    assert_eq!(must(&alice, &["bills"]), json!([]));
}

#[test]
fn two_contracts_count_and_a_third_once_one_has_ended() {
    let demo = Demo::start_with(town);
    let (alice, water) = alice(&demo);
    let (rent, code) = contract(&demo, "Rent");
    must(&alice, &["bills", "add", &code]);
    let (phone, code) = contract(&demo, "Telephone");
    must(&alice, &["bills", "add", &code]);
    let counted = || -> Vec<bool> {
        let listed = must(&alice, &["bills"]);
        listed.as_array().unwrap().iter().map(|it| it["counted"].as_bool().unwrap()).collect()
    };
    for id in [&water, &rent, &phone] {
        bill(&demo, id, later(month(&demo), 1), 4_120);
    }
    for number in ["3", "1", "2"] {
        must(&alice, &["bills", "pay", number, "--yes"]);
    }
    demo.next_month();
    demo.next_month();
    let updated = must(&alice, &["update", "--without-income"]);
    assert_eq!(updated["missed"], json!([]), "{updated}");
    assert_eq!(counted(), [true, true, false], "as they were taken on");
    assert_eq!(must(&alice, &["show"])["counters"]["paid"], 8, "two bills of four units");
    // The first ends with this month.
    api(&demo, &format!("/api/v1/contracts/{water}/end"), &json!({}));
    bill(&demo, &phone, later(month(&demo), 1), 4_120);
    must(&alice, &["bills", "pay", "3", "--yes"]);
    demo.next_month();
    let updated = must(&alice, &["update", "--without-income"]);
    assert_eq!((&updated["missed"], counted()), (&json!([]), vec![false, true, false]));
    must(&alice, &["bills", "drop", "1", "--yes"]);
    demo.next_month();
    let updated = must(&alice, &["update", "--without-income"]);
    assert_eq!((&updated["missed"], counted()), (&json!([]), vec![true, true]));
    assert_eq!(must(&alice, &["show"])["counters"]["late"], 0);
}

/// The file is lost between payment and month's end: the words bring the passport, its contract's number, and the receipt.
#[test]
fn a_receipt_is_found_again_from_the_words() {
    let demo = Demo::start_with(town);
    let alice = Wallet { file: demo.path("alice") };
    let words = alice.must(&["init"]).line();
    alice.must(&["mint", "300 usd", "--mint", &demo.url("usd")]);
    must(&alice, &["enrol", &link(&demo.desk())]);
    let (id, code) = contract(&demo, "Rent");
    must(&alice, &["bills", "add", &code]);
    for _ in 0..2 {
        let next = later(month(&demo), 1);
        bill(&demo, &id, next, 4_120);
        must(&alice, &["bills", "pay", "1", "--yes"]);
        demo.next_month();
        must(&alice, &["update", "--without-income"]);
    }
    demo.next_month();
    let carol = Wallet { file: demo.path("carol") };
    assert_eq!(carol.feed(&["init", "--words", "-"], &words).code, Some(0));
    must(&carol, &["recover", &demo.desk()]);
    let updated = must(&carol, &["update", "--without-income"]);
    assert_eq!(updated["missed"], json!([]), "{updated}");
    assert_eq!(months_paid(&carol), 14 - 1);
}

/// Every request in turn is lost, or its answer, or the mint is in trouble: the next command pays what is not paid, and the month counts.
#[test]
fn a_bill_is_paid_once_with_trouble_at_every_step() {
    for fate in [Fate::LoseRequest, Fate::LoseAnswer, Fate::Status(503)] {
        let mut struck = 0;
        loop {
            let demo = Demo::start_with(town);
            let relay = Relay::to(demo.address());
            let port = |address: &str| address.rsplit(':').next().unwrap().to_owned();
            let (own, theirs) = (port(&demo.address()), port(&relay.address));
            let desk = format!("http://desk.localhost:{theirs}");
            let (from, to) = (own.clone(), theirs.clone());
            relay.bend(move |_, body| body.replace(&format!(":{from}"), &format!(":{to}")));
            let alice = demo.wallet("alice");
            alice.must(&["mint", "100 usd", "--mint", &format!("http://127.0.0.1:{theirs}/usd")]);
            must(&alice, &["enrol", &link(&desk)]);
            let (id, code) = contract(&demo, "Rent");
            let code = code.replace(&format!("localhost:{own}"), &format!("127.0.0.1:{theirs}"));
            must(&alice, &["bills", "add", &code]);
            bill(&demo, &id, later(month(&demo), 1), 4_120);
            strike(&relay, struck, fate);
            let paid = run(&alice, &["bills", "pay", "1", "--yes"]);
            let mut steps = distinct(&relay);
            relay.pass();
            if paid.code != Some(0) {
                assert_eq!(paid.code, Some(75), "{fate:?} {struck}: {paid:?}");
                // Unless it was paid, and only the answer was lost.
                let again = run(&alice, &["bills", "pay", "1", "--yes"]);
                assert!(matches!(again.code, Some(0 | 2)), "{fate:?} {struck}: {again:?}");
            }
            assert_eq!(alice.balance("usd"), 10_000 - 4_120, "{fate:?} {struck}");
            demo.next_month();
            demo.next_month();
            strike(&relay, struck, fate);
            let updated = run(&alice, &["update", "--without-income"]);
            steps = steps.max(distinct(&relay));
            relay.pass();
            if updated.code != Some(0) {
                assert_eq!(updated.code, Some(75), "{fate:?} {struck}: {updated:?}");
                must(&alice, &["update", "--without-income"]);
            }
            assert_eq!(months_paid(&alice), 7, "{fate:?} {struck}");
            struck += 1;
            if steps <= struck {
                break;
            }
        }
    }
}
