//! People on the console: found, looked at, frozen, closed; and what a crash leaves is taken up again.

use std::time::Duration;

use hyper::StatusCode;
use secp256k1::PublicKey;
use tacit_ecash::message::info::InfoResponse;
use tacit_service::desk::identification::{CaseId, Document, IdentificationStore, Sighting};
use tacit_service::desk::judgement::{DecisionId, Judgement, JudgementStore};
use tacit_service::desk::person::{KycLevel, PersonState, PersonStore};
use tacit_service::desk::staff::Role;
use tacit_service::desk::trail::{Action, Deed, TrailStore};
use tacit_service::desk::{DeskStore, Owner};
use tacit_store::desk::sqlite::SqliteDesk;
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::console::{self, Browser, Somebody};
use crate::support::local::Local;
use crate::support::till::now;

/// Numbers of staff, by role.
const STAFF: [(u8, Role); 5] = [
    (101, Role::Teller),
    (102, Role::Compliance),
    (103, Role::Finance),
    (104, Role::Auditor),
    (105, Role::Admin),
];
const TELLER: u8 = 101;
const COMPLIANCE: u8 = 102;
const AUDITOR: u8 = 104;

/// A demo with staff of every role, and these people.
async fn desk_with(names: &[&str]) -> (Local, Vec<Somebody>) {
    let (local, people) = console::desk_with(&STAFF, names, |_| {}).await;
    for somebody in &people {
        until(&mut somebody.browser(&local), "/portal", "0.00 USD").await;
    }
    (local, people)
}

async fn until(browser: &mut Browser, path: &str, said: &str) {
    for _ in 0..400 {
        if browser.look(path).await.1.contains(said) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{path} did not say {said:?} within ten seconds");
}

fn page_of(somebody: Somebody) -> String {
    format!("/operator/people/{}?why=served", somebody.id)
}

async fn decide(
    browser: &mut Browser,
    somebody: Somebody,
    what: &str,
    reason: &str,
) -> (StatusCode, String, String) {
    let path = format!("/operator/people/{}/state", somebody.id);
    browser.send(&path, &[("why", "served"), ("what", what), ("reason", reason)]).await
}

/// The desk of a server that has stopped.
fn desk_of(directory: &TempDir, mint: &PublicKey) -> SqliteDesk {
    SqliteDesk::open(&directory.path().join("desk.sqlite"), mint).unwrap()
}

async fn mint_of(local: &Local) -> PublicKey {
    let info: InfoResponse = Client::new(local.address()).get("/usd/v1/info").await.ok();
    info.pubkey.unwrap().to_string().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_those_who_may_and_every_look_is_noted() {
    let (local, people) = desk_with(&["Ada Lovelace", "Adam <b>Smith</b>", "Grace Hopper"]).await;
    for (number, role) in STAFF {
        let may = matches!(role, Role::Teller | Role::Compliance | Role::Auditor);
        let mut browser = Browser::of_staff(&local, number);
        for path in ["/operator/people".to_owned(), page_of(people[0])] {
            let (status, _) = browser.look(&path).await;
            let expected = if may { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(status, expected, "{} {path}", role.name());
        }
        let (_, home) = browser.look("/operator").await;
        assert_eq!(home.contains("/operator/people"), may, "{}", role.name());
    }
    let mut teller = Browser::of_staff(&local, TELLER);
    let account = people[1].account.to_string();
    let reference = format!("RF18 {account}");
    for (query, found, not) in [
        ("ada", "Ada Lovelace", "Grace"),
        ("GRACE", "Grace Hopper", "Ada"),
        (account.as_str(), "Adam &#60;b&#62;Smith", "Grace"),
        (reference.as_str(), "Adam &#60;b&#62;Smith", "Ada Lovelace"),
        ("Smith", "Nobody is called so", "Adam"),
    ] {
        let fields = [("query", query), ("why", "served")];
        let (status, _, page) = teller.send("/operator/people", &fields).await;
        assert_eq!(status, StatusCode::OK, "{query}");
        assert!(page.contains(found) && !page.contains(not), "{query}: {page}");
    }
    for (query, why, said) in [
        ("a", "served", "at least two characters"),
        ("Ada", "", "Choose what you look for"),
        ("Ada", "curiosity", "Choose what you look for"),
    ] {
        let (status, _, page) =
            teller.send("/operator/people", &[("query", query), ("why", why)]).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains(said) && !page.contains("Ada Lovelace"), "{query}: {page}");
        assert!(page.contains(&format!("value=\"{query}\"")), "what was typed is kept");
    }
    let asked = teller.page(&format!("/operator/people/{}", people[0].id)).await;
    assert!(asked.contains("What for") && !asked.contains("Lovelace"), "{asked}");
    let page = teller.page(&page_of(people[0])).await;
    assert!(
        page.contains("Ada Lovelace") && page.contains("the system does not know it"),
        "{page}"
    );
    assert!(page.contains("0.00 of 500.00"), "limits and what is used of them: {page}");
    assert!(!page.contains("What staff did") && !page.contains("Freeze"), "not a teller's");
    let (status, _) = teller.look(&format!("/operator/people/{}?why=served", "0".repeat(32))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let trail = Browser::of_staff(&local, AUDITOR).page("/operator/trail").await;
    for said in ["people-searched", "served, 1 found", "person-seen"] {
        assert!(trail.contains(said), "{said}: {trail}");
    }
    assert!(!trail.contains("Lovelace") && !trail.contains(&account), "no names, no numbers");
    let seen = trail.matches(&format!("person {}", people[0].id)).count();
    assert_eq!(seen, 4, "three roles and one more look");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn freezing_reaches_the_vault_and_thawing_undoes_it() {
    let (local, people) = desk_with(&["Ada"]).await;
    let ada = people[0];
    let mut own = ada.browser(&local);
    assert_eq!(own.send("/portal/demo-money", &[]).await.0, StatusCode::SEE_OTHER);
    let mut teller = Browser::of_staff(&local, TELLER);
    let (status, _, _) = decide(&mut teller, ada, "freeze", "a hit").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a teller judges nobody");
    let mut compliance = Browser::of_staff(&local, COMPLIANCE);
    let path = format!("/operator/people/{}/state", ada.id);
    let fields = [("why", "served"), ("what", "freeze"), ("reason", "a hit")];
    let (status, _, _) = compliance.send_with(&path, &fields, &"00".repeat(32)).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a forged form");
    let long = "x".repeat(301);
    for reason in ["", "two\nlines", long.as_str()] {
        let (status, _, page) = decide(&mut compliance, ada, "freeze", reason).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("The reason cannot be used"), "{page}");
    }
    for what in ["burn", ""] {
        let (status, _, _) = decide(&mut compliance, ada, what, "a hit").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{what}");
    }
    let (status, to, _) = decide(&mut compliance, ada, "freeze", "a hit <1>").await;
    assert!(status == StatusCode::SEE_OTHER && to.ends_with("done=frozen"), "{status} {to}");
    let page = compliance.page(&to).await;
    assert!(page.contains("The account is frozen") && page.contains("a hit &#60;1&#62;"), "{page}");
    assert!(page.contains("thaw it before"), "what is left to do before closing: {page}");
    let (status, _, text) = own.send("/portal/demo-money", &[]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "the vault knows: {text}");
    let portal = own.page("/portal").await;
    assert!(portal.contains("This account is frozen") && !portal.contains("a hit"), "{portal}");
    let (_, to, _) = decide(&mut compliance, ada, "freeze", "again").await;
    assert!(!to.contains("done"), "a second click does nothing: {to}");
    let (_, _, text) =
        own.send("/merchant/register", &[("name", "x"), ("unit", "usd"), ("key", "")]).await;
    assert!(text.contains("frozen"), "no shop is opened meanwhile: {text}");
    for done in ["done=thawed", "why=served"] {
        let (_, to, _) = decide(&mut compliance, ada, "thaw", "cleared").await;
        assert!(to.ends_with(done), "{to}");
    }
    assert_eq!(own.send("/portal/demo-money", &[]).await.0, StatusCode::SEE_OTHER);
    let trail = Browser::of_staff(&local, AUDITOR).page("/operator/trail").await;
    assert_eq!(trail.matches("person-frozen").count(), 1, "{trail}");
    assert_eq!(trail.matches("person-thawed").count(), 1, "{trail}");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_closed_once_it_is_empty_and_its_login_goes() {
    let (local, people) = desk_with(&["Ada", "Grace"]).await;
    let (ada, grace) = (people[0], people[1]);
    let mut compliance = Browser::of_staff(&local, COMPLIANCE);
    let mut own = ada.browser(&local);
    assert_eq!(own.send("/portal/demo-money", &[]).await.0, StatusCode::SEE_OTHER);
    let (status, _, page) = decide(&mut compliance, ada, "close", "they asked").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("100.00 USD in the account"), "{page}");
    assert!(page.contains("value=\"they asked\"") && !page.contains("value=\"close\""), "{page}");
    assert!(own.page("/portal").await.contains("100.00 USD"));
    let page = compliance.page(&page_of(grace)).await;
    assert!(page.contains("it can be closed"), "{page}");
    let (_, to, _) = decide(&mut compliance, grace, "close", "they asked").await;
    assert!(to.ends_with("done=closed"), "{to}");
    let page = compliance.page(&to).await;
    assert!(page.contains("closed") && !page.contains("name=\"reason\""), "{page}");
    let (_, to, _) = decide(&mut compliance, grace, "thaw", "a mistake").await;
    assert!(!to.contains("done"), "closed is for good: {to}");
    let (status, _) = grace.browser(&local).look("/portal").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "no way in");
    let trail = Browser::of_staff(&local, AUDITOR).page("/operator/trail").await;
    assert!(trail.contains("person-closing") && trail.contains("person-closed"), "{trail}");
    local.stop().await;
}

fn judge(desk: &mut dyn DeskStore, somebody: Somebody, judgement: Judgement) {
    let deed = Deed::about(now(), None, Action::PersonFrozen, Owner::Person(somebody.id));
    let decision = DecisionId::from_bytes(*b"decided elsewhen");
    assert!(desk.judge(somebody.id, judgement, decision, &deed).unwrap());
}

/// Killed after the desk wrote, and killed after the vault committed: the next start finishes both.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_leaves_between_desk_and_vault_is_taken_up() {
    let (local, people) = desk_with(&["Ada", "Grace", "Kurt"]).await;
    let (ada, grace, kurt) = (people[0], people[1], people[2]);
    let mint = mint_of(&local).await;
    let mut own = kurt.browser(&local);
    assert_eq!(own.send("/portal/demo-money", &[]).await.0, StatusCode::SEE_OTHER);
    let directory = local.stop().await;
    let mut desk = desk_of(&directory, &mint);
    judge(&mut desk, ada, Judgement::Freeze);
    let (case, number) = (CaseId::from_bytes([9; 16]), [9; 32]);
    let document = Document::Passport;
    let seen = Sighting { person: ada.id, case, number, document, by: None, now: now() };
    desk.see_document(&seen).unwrap();
    judge(&mut desk, ada, Judgement::Level(KycLevel::Identified));
    judge(&mut desk, grace, Judgement::Close);
    judge(&mut desk, kurt, Judgement::Close);
    drop(desk);
    let (path, kept) = (directory.path().join("desk.sqlite"), directory.path().join("kept"));
    std::fs::copy(&path, &kept).unwrap();
    let mut directory = directory;
    // Once with an older vault, once with one that has it all done already.
    for round in 0..2 {
        let local = Local::on(directory, |_| {}, |_| {}).await;
        let mut compliance = Browser::of_staff(&local, COMPLIANCE);
        until(&mut compliance, &page_of(grace), ">closed<").await;
        until(&mut compliance, &page_of(kurt), "person-not-closed").await;
        let page = compliance.page(&page_of(ada)).await;
        assert!(page.contains("0.00 of 2000.00"), "the level's limits count: {page}");
        let mut own = ada.browser(&local);
        let (status, _, text) = own.send("/portal/demo-money", &[]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
        assert!(text.contains("frozen"), "{text}");
        let (status, _) = grace.browser(&local).look("/portal").await;
        assert_eq!(status, StatusCode::SEE_OTHER, "no way in");
        let mut own = kurt.browser(&local);
        assert_eq!(
            own.send("/portal/demo-money", &[]).await.0,
            StatusCode::SEE_OTHER,
            "open again"
        );
        directory = local.stop().await;
        let mut desk = desk_of(&directory, &mint);
        assert_eq!(desk.undecided(10).unwrap(), [], "round {round}");
        let grace = desk.person(grace.id).unwrap().unwrap();
        assert_eq!(grace.state, PersonState::Closed);
        assert!(tacit_service::desk::trail::check(&mut desk).unwrap().is_ok());
        assert!(desk.trail_head().unwrap().length > 0);
        drop(desk);
        if round == 0 {
            for name in ["desk.sqlite-wal", "desk.sqlite-shm"] {
                _ = std::fs::remove_file(directory.path().join(name));
            }
            std::fs::copy(&kept, &path).unwrap();
        }
    }
}
