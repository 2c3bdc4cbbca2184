//! Licences to bill, at the operator's console: who may do what, twice, in the wrong order, and with other people's forms.

use hyper::StatusCode;
use serde_json::json;
use tacit_service::desk::staff::Role;

use crate::support::console::{Browser, staff};
use crate::support::till::{Till, merchant};

const PROPOSE: &str = "/operator/billers/propose";
const DECIDE: &str = "/operator/billers/decide";
const END: &str = "/operator/billers/end";

/// A shop, and staff of each role, numbered from 41.
async fn office() -> (Till, [Browser; 6]) {
    let roles = [
        Role::Compliance,
        Role::Compliance,
        Role::Finance,
        Role::Teller,
        Role::Auditor,
        Role::Admin,
    ];
    let till = Till::with(merchant(), |parts| {
        for (number, role) in (41..).zip(roles) {
            staff(parts.desk[0].as_mut(), number, role);
        }
    })
    .await;
    let browsers = [41, 42, 43, 44, 45, 46].map(|number| Browser::of_staff(&till.local, number));
    (till, browsers)
}

fn proposal(account: &str) -> [(&str, &str); 4] {
    [("account", account), ("floor", "5.00"), ("max", "2"), ("reason", "saw their books")]
}

fn decision<'a>(account: &'a str, floor: &'a str, what: &'a str) -> [(&'a str, &'a str); 4] {
    [("account", account), ("floor", floor), ("max", "2"), ("what", what)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_licence_takes_two_who_may_and_is_ended_once() {
    let (mut till, [mut one, mut other, mut finance, mut teller, mut auditor, mut admin]) =
        office().await;
    let account = merchant().account.to_string();
    let (status, to, _) = one.send(PROPOSE, &proposal(&account)).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/operator/billers?done=proposed"));
    for nobody in [&mut finance, &mut teller, &mut auditor, &mut admin] {
        assert_eq!(nobody.send(PROPOSE, &proposal(&account)).await.0, StatusCode::FORBIDDEN);
        let end = [("account", account.as_str()), ("reason", "none")];
        assert_eq!(nobody.send(END, &end).await.0, StatusCode::FORBIDDEN);
    }
    for nobody in [&mut teller, &mut auditor, &mut admin] {
        for what in ["grant", "decline"] {
            let sent = nobody.send(DECIDE, &decision(&account, "500", what)).await;
            assert_eq!(sent.0, StatusCode::FORBIDDEN);
        }
    }
    assert_eq!(admin.look("/operator/billers").await.0, StatusCode::FORBIDDEN);
    assert!(auditor.page("/operator/billers").await.contains("proposed by compliance 41"));
    let (status, _, text) = one.send(DECIDE, &decision(&account, "500", "grant")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("Somebody else has to grant it"), "{text}");
    // Not what was proposed, and with a forged form.
    let (_, to, _) = other.send(DECIDE, &decision(&account, "1", "grant")).await;
    assert_eq!(to, "/operator/billers?done=changed");
    let forged = "0".repeat(64);
    let sent = other.send_with(DECIDE, &decision(&account, "500", "grant"), &forged).await;
    assert_eq!(sent.0, StatusCode::FORBIDDEN);
    let asked = json!({"description": "Electricity"});
    let refused = till.api(hyper::Method::POST, "/api/v1/contracts", "a", &asked).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "proposed is not granted");
    let mut done = Vec::new();
    for _ in 0..2 {
        done.push(finance.send(DECIDE, &decision(&account, "500", "grant")).await.1);
    }
    assert_eq!(done, ["/operator/billers?done=granted", "/operator/billers?done=changed"]);
    let made = till.api(hyper::Method::POST, "/api/v1/contracts", "a", &asked).await;
    assert_eq!(made.status, StatusCode::OK);
    for _ in 0..2 {
        let end = [("account", account.as_str()), ("reason", "closed its doors")];
        assert_eq!(one.send(END, &end).await.1, "/operator/billers?done=ended");
    }
    let refused = till.api(hyper::Method::POST, "/api/v1/contracts", "b", &asked).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let trail = auditor.page("/operator/trail").await;
    for (deed, times) in [("licence-proposed", 1), ("licence-granted", 1), ("licence-ended", 1)] {
        assert_eq!(trail.matches(deed).count(), times, "{deed}: {trail}");
    }
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_licence_is_said_and_nothing_typed_is_lost() {
    let (till, [mut one, mut other, ..]) = office().await;
    let account = merchant().account.to_string();
    assert!(one.page("/operator/billers").await.contains("No shop has a licence"));
    for (at, wrong, said) in [
        (0, "000000000000", "No shop has this account number"),
        (1, "five", "Write an amount"),
        (1, "0", "Write an amount"),
        (2, "0", "Write a number"),
        (2, "10000001", "Write a number"),
        (3, " ", "The reason cannot be used"),
    ] {
        let mut form = proposal(&account);
        form[at].1 = wrong;
        let (status, _, text) = one.send(PROPOSE, &form).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
        assert!(text.contains(said), "{said}: {text}");
        let kept = if at == 3 { "5.00" } else { "saw their books" };
        assert!(text.contains(&format!("value=\"{kept}\"")), "{text}");
    }
    let unknown = decision("nothing", "500", "grant");
    assert_eq!(other.send(DECIDE, &unknown).await.0, StatusCode::NOT_FOUND);
    let (_, to, _) = other.send(DECIDE, &decision(&account, "500", "decline")).await;
    assert_eq!(to, "/operator/billers?done=changed", "nothing is proposed");
    one.send(PROPOSE, &proposal(&account)).await;
    let (_, to, _) = one.send(DECIDE, &decision(&account, "500", "decline")).await;
    assert_eq!(to, "/operator/billers?done=declined", "taken back");
    till.local.stop().await;
}
