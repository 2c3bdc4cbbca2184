//! What somebody has beside their account follows it: a shop, an agent's float, cash that is set apart.

use hyper::StatusCode;
use tacit_core::unit::Unit;
use tacit_server::config::agent::Fees;
use tacit_service::account::{AccountId, HolderState};
use tacit_service::desk::Owner;
use tacit_service::desk::judgement::{DecisionId, Judgement};
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::posting::{Assignee, EntryId, FactId, Posting};
use tacit_service::vault::Change;

use crate::cash::{COMPLIANCE, TELLER, ask_out, between, confirm, look, town, until};
use crate::support::console::{Browser, Somebody};
use crate::support::local::Local;
use crate::support::till::now;

/// The float of Kim's kiosk.
const FLOAT: u8 = 22;

async fn decide(
    compliance: &mut Browser,
    of: Somebody,
    what: &str,
) -> (StatusCode, String, String) {
    let fields = [("why", "served"), ("what", what), ("reason", "as the rules say")];
    compliance.send(&format!("/operator/people/{}/state", of.id), &fields).await
}

async fn page(compliance: &mut Browser, of: Somebody) -> String {
    compliance.page(&format!("/operator/people/{}?why=served", of.id)).await
}

/// What the vault says of an account that stands on somebody's page under this heading.
fn in_vault<'a>(page: &'a str, heading: &str) -> &'a str {
    let part = between(page, &format!("<h2>{heading}</h2>"), "</section>");
    between(part, "<dt>In the vault</dt><dd>", "<")
}

/// Takes all that a float holds out of it, as a payout that the bank has paid.
fn empty_float(account: AccountId) -> Vec<Change> {
    let usd = Unit::new("usd").unwrap();
    let (hold, entry) = (FactId::from_bytes([77; 16]), EntryId::from_bytes([77; 32]));
    let held =
        Posting::Hold { hold, holder: account, unit: usd, amount: 100_000, fee: 0, limits: None };
    let left = Posting::Departed { entry, unit: usd, amount: 100_000 };
    let to = Assignee::Hold { hold, holder: account };
    let paid = Posting::Assign { entry, unit: usd, to };
    [held, left, paid].map(Change::Post).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_float_is_frozen_thawed_and_closed_with_its_owner() {
    let mut town = town(Fees::default()).await;
    let kim = town.kiosk_is;
    let mut compliance = Browser::of_staff(&town.local, COMPLIANCE);
    let code = ask_out(&mut town.anna, "10").await;
    let (_, shown) = look(&mut town.kiosk, &code, "").await;
    assert_eq!(in_vault(&page(&mut compliance, kim).await, "Agent"), "open");
    let (_, to, _) = decide(&mut compliance, kim, "freeze").await;
    assert!(to.ends_with("done=frozen"), "{to}");
    assert_eq!(in_vault(&page(&mut compliance, kim).await, "Agent"), "frozen");
    let (status, _, said) = confirm(&mut town.kiosk, &shown, "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
    let (_, to, _) = decide(&mut compliance, kim, "thaw").await;
    assert!(to.ends_with("done=thawed"), "{to}");
    assert_eq!(in_vault(&page(&mut compliance, kim).await, "Agent"), "open");
    let (status, _, said) = decide(&mut compliance, kim, "close").await;
    assert_eq!(status, StatusCode::OK);
    assert!(said.contains("1000.00 USD in the shop") && said.contains("float"), "{said}");
    let account = AccountId::from_random([FLOAT; 8]);
    let local = Local::on(
        town.local.stop().await,
        |_| {},
        |parts| {
            parts.store.commit(&empty_float(account), now()).unwrap();
        },
    )
    .await;
    let mut compliance = Browser::of_staff(&local, COMPLIANCE);
    let (_, to, said) = decide(&mut compliance, kim, "close").await;
    assert!(to.ends_with("done=closed"), "{to} {said}");
    let said = page(&mut compliance, kim).await;
    assert_eq!(in_vault(&said, "Agent"), "closed");
    assert!(!said.contains("and the person otherwise"), "{said}");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_that_is_set_apart_keeps_an_account_from_being_closed() {
    let mut town = town(Fees::default()).await;
    let anna = town.anna_is;
    let mut compliance = Browser::of_staff(&town.local, COMPLIANCE);
    let code = ask_out(&mut town.anna, "100").await;
    assert!(!town.anna.page("/portal").await.contains("100.00 USD"), "all of it is set apart");
    let (status, _, said) = decide(&mut compliance, anna, "close").await;
    assert_eq!(status, StatusCode::OK);
    assert!(said.contains("sums set apart for cash: 1"), "{said}");
    let (_, shown) = look(&mut town.kiosk, &code, "").await;
    let (status, _, said) = confirm(&mut town.kiosk, &shown, "").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "the code is as good as it was: {said}");
    let (_, to, said) = decide(&mut compliance, anna, "close").await;
    assert!(to.ends_with("done=closed"), "once it was fetched: {to} {said}");
    town.local.stop().await;
}

/// Killed after the vault closed the person's account and before it closed the float, and something else was decided since.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_left_with_half_of_their_accounts_closed() {
    for judgement in [Judgement::Freeze, Judgement::Thaw] {
        let town = town(Fees::default()).await;
        let kim = town.kiosk_is;
        let account = AccountId::from_random([FLOAT; 8]);
        let local = Local::on(
            town.local.stop().await,
            |_| {},
            |parts| {
                let mut done = empty_float(account);
                let units = vec![Unit::new("usd").unwrap()];
                let set =
                    |holder, state| Change::SetHolderState { holder, state, units: units.clone() };
                done.push(set(account, HolderState::Frozen));
                done.push(set(kim.account, HolderState::Closed));
                parts.store.commit(&done, now()).unwrap();
                let desk = parts.desk[0].as_mut();
                let closing =
                    Deed::about(now(), None, Action::PersonClosing, Owner::Person(kim.id));
                let first = DecisionId::from_bytes([1; 16]);
                assert!(desk.judge(kim.id, Judgement::Close, first, &closing).unwrap());
                let other = Deed { action: Action::PersonFrozen, ..closing };
                let second = DecisionId::from_bytes([2; 16]);
                assert!(desk.judge(kim.id, judgement, second, &other).unwrap());
            },
        )
        .await;
        let mut compliance = Browser::of_staff(&local, COMPLIANCE);
        let path = format!("/operator/people/{}?why=served", kim.id);
        until(&mut compliance, &path, "person-closed").await;
        let said = page(&mut compliance, kim).await;
        assert_eq!(in_vault(&said, "Agent"), "closed", "{judgement:?}");
        assert!(!said.contains("and the person otherwise"), "{judgement:?}: {said}");
        let (_, to, _) = decide(&mut compliance, kim, "thaw").await;
        assert!(!to.contains("done=thawed"), "closed is for good: {to}");
        local.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_closed_comes_back_once_compliance_says_so() {
    let town = town(Fees::default()).await;
    let (anna, kim) = (town.anna_is, town.kiosk_is);
    let number = format!("NUMBER{}", anna.account);
    let seen =
        [("why", "served"), ("document", "passport"), ("country", "DE"), ("number", &number)];
    let mut teller = Browser::of_staff(&town.local, TELLER);
    let mut compliance = Browser::of_staff(&town.local, COMPLIANCE);
    let path = |of: Somebody, end: &str| format!("/operator/people/{}{end}", of.id);
    let (status, _, said) = teller.send(&path(anna, "/document"), &seen).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{said}");
    assert!(!page(&mut compliance, anna).await.contains("id=\"release\""), "it is hers");
    let local = Local::on(
        town.local.stop().await,
        |_| {},
        |parts| {
            let usd = Unit::new("usd").unwrap();
            let (held, account) = (FactId::from_bytes([78; 16]), anna.account);
            let entry = EntryId::from_bytes([78; 32]);
            let hold = Posting::Hold {
                hold: held,
                holder: account,
                unit: usd,
                amount: 10_000,
                fee: 0,
                limits: None,
            };
            let left = Posting::Departed { entry, unit: usd, amount: 10_000 };
            let to = Assignee::Hold { hold: held, holder: account };
            let paid = Posting::Assign { entry, unit: usd, to };
            parts.store.commit(&[hold, left, paid].map(Change::Post), now()).unwrap();
        },
    )
    .await;
    let (mut teller, mut compliance) =
        (Browser::of_staff(&local, TELLER), Browser::of_staff(&local, COMPLIANCE));
    let (_, to, said) = decide(&mut compliance, anna, "close").await;
    assert!(to.ends_with("done=closed"), "{to} {said}");
    let (_, _, said) = teller.send(&path(kim, "/document"), &seen).await;
    assert!(said.contains("by another number"), "{said}");
    assert!(page(&mut compliance, anna).await.contains("id=\"release\""));
    let release = [("why", "served"), ("level", "release"), ("reason", "she comes back")];
    assert_eq!(teller.send(&path(anna, "/level"), &release).await.0, StatusCode::FORBIDDEN);
    let (_, to, _) = compliance.send(&path(anna, "/level"), &release).await;
    assert!(to.ends_with("done=level"), "{to}");
    let said = page(&mut compliance, anna).await;
    assert!(said.contains("number-released") && !said.contains("id=\"release\""), "{said}");
    local.stop().await;
}
