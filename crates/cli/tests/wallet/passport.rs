//! `tacit passport` as its user runs it: an account's passport, months, income, a lost file, and kills at every step.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_server::server::Parts;
use tacit_service::account::{AccountId, Holder, HolderKind, HolderState, Level};
use tacit_service::desk::Owner;
use tacit_service::desk::enrolment::{EnrolmentCode, Offer};
use tacit_service::desk::login::{CredentialId, Label, Passkey, Session, SessionKey};
use tacit_service::desk::person::{
    KycLevel, Name, Person, PersonId, PersonState, SignUp, SignedUp,
};
use tacit_service::posting::{Assignee, EntryId, Posting, Source};
use tacit_service::vault::Change;

use crate::demo::{Demo, Done, Wallet};
use crate::relay::{Fate, Relay};

const CODE: [u8; 16] = [7; 16];
pub(crate) const ADA: PersonId = PersonId::from_bytes([5; 16]);

pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

fn account() -> AccountId {
    AccountId::from_random([5; 8])
}

/// Ada has an account, took a code, and was paid 2,000.00 dollars of wages.
pub(crate) fn ada(parts: &mut Parts) {
    let owner = Owner::Person(ADA);
    let person = Person {
        kyc: KycLevel::Unknown,
        state: PersonState::Open,
        is_in_vault: true,
        ..Person::newcomer(ADA, account(), Name::new("Ada").unwrap(), now().day())
    };
    let passkey = Passkey {
        credential: CredentialId::new(vec![1]).unwrap(),
        owner,
        record: "{}".to_owned(),
        label: Label::new("phone").unwrap(),
        added: now().day(),
        last_used: None,
    };
    let session = Session::begin(&SessionKey::from_random([6; 32]), owner, now());
    let desk = parts.desk[0].as_mut();
    assert_eq!(desk.sign_up(&SignUp { person, passkey, session }).unwrap(), SignedUp::Done);
    let (code, expires) =
        (EnrolmentCode::from_random(CODE), now().after(Duration::from_secs(3600)));
    assert!(desk.offer_enrolment(ADA, Offer::Same, code.hash(), expires).unwrap().is_some());
    let (entry, unit) = (EntryId::from_bytes([1; 32]), Unit::new("usd").unwrap());
    let to = Assignee::Holder { holder: account(), limits: None, source: Source::Others };
    let level = Level::new(Level::MAX).unwrap();
    let (kind, state) = (HolderKind::Customer, HolderState::Open);
    let batch = [
        Change::OpenHolder(Holder { id: account(), kind, level, state, key: None }),
        Change::Post(Posting::Arrived { entry, unit, amount: 200_000 }),
        Change::Post(Posting::Assign { entry, unit, to }),
    ];
    parts.store.commit(&batch, now()).unwrap();
}

pub(crate) fn link(desk: &str) -> String {
    format!("{desk}/portal/passport#{}", EnrolmentCode::from_random(CODE).reveal())
}

/// A command of `tacit passport`.
pub(crate) fn run(wallet: &Wallet, arguments: &[&str]) -> Done {
    crate::demo::ended(wallet.passport(arguments).spawn().unwrap())
}

pub(crate) fn must(wallet: &Wallet, arguments: &[&str]) -> Value {
    let done = run(wallet, &[arguments, &["--json"]].concat());
    assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
    serde_json::from_str(&done.stdout).unwrap()
}

#[test]
fn a_passport_is_enrolled_kept_up_and_found_again() {
    let demo = Demo::start_with(ada);
    let alice = Wallet { file: demo.path("alice") };
    let words = alice.must(&["init"]).line();
    let none = run(&alice, &["show"]);
    assert!(none.code == Some(2) && none.stderr.contains("no passport"), "{none:?}");
    let wrong = run(&alice, &["enrol", &demo.desk()]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("portal"), "{wrong:?}");
    let link = link(&demo.desk());
    let enrolled = must(&alice, &["enrol", &link]);
    let twice = run(&alice, &["enrol", &link]);
    assert!(twice.code == Some(1) && twice.stderr.contains("already"), "{twice:?}");
    let shown = run(&alice, &["show"]);
    assert!(shown.stdout.contains("No score yet. That is not a low score"), "{shown:?}");
    // Another wallet, with the same link.
    let bob = demo.wallet("bob");
    let refused = run(&bob, &["enrol", &link]);
    assert!(refused.code == Some(1) && refused.stderr.contains("another wallet"), "{refused:?}");

    // Wages of the month before; then nothing more, however often it is asked.
    demo.next_month();
    let updated = must(&alice, &["update"]);
    assert_eq!((&updated["closed"], &updated["income"]), (&json!(1), &json!(200)), "{updated}");
    let again = must(&alice, &["update"]);
    assert_eq!((&again["closed"], &again["income"]), (&json!(0), &Value::Null));
    let shown = must(&alice, &["show"]);
    assert_eq!((&shown["counters"]["income"], &shown["score"]), (&json!(200), &Value::Null));
    assert_ne!(shown["month"], enrolled["month"]);
    // Away for months: each is closed in turn.
    demo.advance(70);
    let back = must(&alice, &["update", "--without-income"]);
    assert!((2..=3).contains(&back["closed"].as_u64().unwrap()), "{back}");

    // The file is lost: the words bring the passport back, and another file's words do not.
    let carol = Wallet { file: demo.path("carol") };
    assert_eq!(carol.feed(&["init", "--words", "-"], &words).code, Some(0));
    let found = must(&carol, &["recover", &demo.desk()]);
    assert_eq!(found["month"], back["month"]);
    let (was, is) = (must(&alice, &["show"]), must(&carol, &["show"]));
    assert_eq!(was, is, "it is the same passport");
    let nothing = run(&bob, &["recover", &demo.desk()]);
    assert!(nothing.code == Some(2), "{nothing:?}");
    // Both files go on from the same passport: the one that stayed behind finds the other's steps.
    demo.next_month();
    must(&carol, &["update"]);
    let caught_up = must(&alice, &["update"]);
    assert_eq!(caught_up["month"], must(&carol, &["show"])["month"]);
}

/// Every request in turn is lost, or its answer, as often as it is sent; or the desk is in trouble. The next command finishes what
/// was begun: no passport is lost, and there is one.
#[test]
fn a_passport_survives_trouble_at_every_step() {
    for fate in [Fate::LoseRequest, Fate::LoseAnswer, Fate::Status(503)] {
        let mut struck = 0;
        loop {
            let (demo, file) = (Demo::start_with(ada), format!("alice-{struck}"));
            let relay = Relay::to(demo.address());
            let (own, theirs) = (demo.address(), relay.address.clone());
            let port = |address: &str| address.rsplit(':').next().unwrap().to_owned();
            let (own, theirs) = (port(&own), port(&theirs));
            let desk = format!("http://desk.localhost:{theirs}");
            relay.bend(move |_, body| body.replace(&format!(":{own}"), &format!(":{theirs}")));
            let alice = demo.wallet(&file);
            // What is new is struck, each time it comes.
            strike(&relay, struck, fate);
            let enrolled = run(&alice, &["enrol", &link(&desk)]);
            let steps = distinct(&relay);
            relay.pass();
            if enrolled.code != Some(0) {
                assert_eq!(enrolled.code, Some(75), "{fate:?} {struck}: {enrolled:?}");
                let again = run(&alice, &["enrol", &link(&desk)]);
                assert_eq!(again.code, Some(0), "{fate:?} {struck}: {again:?}");
            }
            demo.next_month();
            strike(&relay, struck, fate);
            let updated = run(&alice, &["update"]);
            let steps = steps.max(distinct(&relay));
            relay.pass();
            if updated.code != Some(0) {
                assert_eq!(updated.code, Some(75), "{fate:?} {struck}: {updated:?}");
                must(&alice, &["update"]);
            }
            assert_eq!(must(&alice, &["show"])["counters"]["income"], 200, "{fate:?} {struck}");
            struck += 1;
            if steps <= struck {
                break;
            }
        }
    }
}

/// Requests that differ, since the relay was last told what to do.
pub(crate) fn distinct(relay: &Relay) -> usize {
    let mut seen = relay.seen();
    seen.dedup();
    seen.len()
}

/// From now on, the so-manieth request that is not the one before it meets its fate, as often as it is repeated.
pub(crate) fn strike(relay: &Relay, struck: usize, fate: Fate) {
    let (mut last, mut different) = (String::new(), 0_usize);
    relay.decide(move |_, what, _| {
        if what != last {
            last = what.to_owned();
            different += 1;
        }
        if different == struck + 1 { fate } else { Fate::Pass }
    });
}
