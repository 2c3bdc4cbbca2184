//! A new way into an account: who makes it, who confirms it, who stops it; and what does not count as being logged in.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;
use tacit_service::desk::staff::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::Client;
use crate::support::console::{self, Browser, Somebody};
use crate::support::local::Local;

const TELLER: u8 = 101;
const SECOND: u8 = 102;
const COMPLIANCE: u8 = 103;
const FINANCE: u8 = 104;
const AUDITOR: u8 = 105;
const ADMIN: u8 = 106;

const STAFF: [(u8, Role); 6] = [
    (TELLER, Role::Teller),
    (SECOND, Role::Teller),
    (COMPLIANCE, Role::Compliance),
    (FINANCE, Role::Finance),
    (AUDITOR, Role::Auditor),
    (ADMIN, Role::Admin),
];

/// What stands on every page of somebody into whose account a code leads.
const ALARM: &str = "Somebody asked for a new way into this account";

async fn desk_with(names: &[&str]) -> (Local, Vec<Somebody>) {
    console::desk_with(&STAFF, names, |_| {}).await
}

fn path_of(somebody: Somebody, end: &str) -> String {
    format!("/operator/people/{}{end}", somebody.id)
}

/// What stands in a page between two texts.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let rest = page.split(before).nth(1).unwrap_or_else(|| panic!("no {before}: {page}"));
    rest.split(after).next().unwrap()
}

/// Has a code made, and returns it with the slip.
async fn invite(teller: &mut Browser, of: Somebody, number: &str) -> (String, String) {
    let fields = [("why", "served"), ("country", "DE"), ("number", number)];
    let (status, _, slip) = teller.send(&path_of(of, "/invite"), &fields).await;
    assert_eq!(status, StatusCode::OK, "{slip}");
    (between(&slip, "/invitation#", "<").to_owned(), slip)
}

/// Whether a code leads to a passkey.
async fn begin(browser: &mut Browser, code: &str) -> (StatusCode, String) {
    browser.tell("/invitation/begin", &json!({ "code": code, "label": "new" })).await
}

async fn confirm(browser: &mut Browser, of: Somebody, code: &str) -> (StatusCode, String) {
    let fields = [("why", "served"), ("code", code)];
    let (status, to, _) = browser.send(&path_of(of, "/confirm"), &fields).await;
    (status, to)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teller_alone_comes_into_no_account_of_which_the_holder_knows_nothing() {
    let (local, people) = desk_with(&["Ada"]).await;
    let ada = people[0];
    let mut own = ada.browser(&local);
    let (mut teller, mut second) =
        (Browser::of_staff(&local, TELLER), Browser::of_staff(&local, SECOND));
    let pages = [
        "/portal",
        "/portal/statement",
        "/portal/complaints",
        "/portal/identify",
        "/merchant",
        "/agent",
    ];
    for page in pages {
        assert!(!own.look(page).await.1.contains(ALARM), "{page}");
    }
    let (code, slip) = invite(&mut teller, ada, "").await;
    assert!(slip.contains("It is not good yet") && slip.contains("(UTC) on, or once"), "{slip}");
    let (status, said) = begin(&mut own, &code).await;
    assert!(status == StatusCode::FORBIDDEN && said.contains("The code is not good yet"), "{said}");
    for page in pages {
        let (_, text) = own.look(page).await;
        assert!(text.contains(ALARM) && text.contains("It is good from"), "{page}: {text}");
    }
    // Whoever made it cannot confirm it, nor can who has no business with it.
    let page = teller.page(&path_of(ada, "?why=served")).await;
    assert!(page.contains("You made it: a colleague") && !page.contains("/confirm"), "{page}");
    let page = second.page(&path_of(ada, "?why=served")).await;
    assert!(page.contains("teller 101 made a code that leads into this account"), "{page}");
    let name = between(&page, "name=\"code\" value=\"", "\"").to_owned();
    for number in [TELLER, FINANCE, AUDITOR, ADMIN] {
        let mut other = Browser::of_staff(&local, number);
        assert_eq!(confirm(&mut other, ada, &name).await.0, StatusCode::FORBIDDEN, "{number}");
    }
    let path = path_of(ada, "/confirm");
    let fields = [("why", "served"), ("code", name.as_str())];
    let (status, _, _) = second.send_with(&path, &fields, &"0".repeat(64)).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a forged form");
    for bad in ["", "xy", "00"] {
        assert_eq!(confirm(&mut second, ada, bad).await.0, StatusCode::BAD_REQUEST, "{bad}");
    }
    let page = second.page("/operator/identification").await;
    assert!(page.contains("Logins to confirm") && page.contains("teller 101"), "{page}");
    assert_eq!(begin(&mut own, &code).await.0, StatusCode::FORBIDDEN, "all of that was nothing");
    // The holder stops it: nobody can confirm it any more.
    for _ in 0..2 {
        let (_, to, _) = own.send("/portal/stop-login", &[]).await;
        assert_eq!(to, "/portal?done=login-stopped", "a second click finds it done");
    }
    let page = own.page("/portal?done=login-stopped").await;
    assert!(page.contains("the code leads nowhere any more") && !page.contains(ALARM), "{page}");
    let (_, to) = confirm(&mut second, ada, &name).await;
    assert!(to.ends_with("done=confirmed-late"), "{to}");
    assert!(second.page(&to).await.contains("Nothing was confirmed"));
    assert_eq!(begin(&mut own, &code).await.0, StatusCode::BAD_REQUEST);
    let trail = Browser::of_staff(&local, AUDITOR).page("/operator/trail").await;
    assert_eq!(trail.matches("invitation-stopped").count(), 1, "{trail}");
    assert!(trail.contains("by the account&#39;s holder") && trail.contains("in-a-day"), "{trail}");
    assert!(!trail.contains("invitation-confirmed"), "{trail}");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_person_makes_a_code_good_and_a_day_does_for_level_0_alone() {
    let (local, people) = desk_with(&["Ada", "Grace"]).await;
    let (ada, grace) = (people[0], people[1]);
    let (mut teller, mut compliance) =
        (Browser::of_staff(&local, TELLER), Browser::of_staff(&local, COMPLIANCE));
    let (by_time, _) = invite(&mut teller, grace, "").await;
    let fields =
        [("why", "served"), ("document", "passport"), ("country", "DE"), ("number", "L01X00T47")];
    let (status, _, page) = teller.send(&path_of(ada, "/document"), &fields).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let (code, slip) = invite(&mut teller, ada, "l01 x00 t47").await;
    assert!(
        slip.contains("good once a second member of staff") && !slip.contains("(UTC)"),
        "{slip}"
    );
    let mut own = ada.browser(&local);
    assert!(own.page("/portal").await.contains("It is good once a second member of staff"));
    assert_eq!(begin(&mut own, &code).await.0, StatusCode::FORBIDDEN);
    let page = compliance.page(&path_of(ada, "?why=served")).await;
    let name = between(&page, "name=\"code\" value=\"", "\"").to_owned();
    for done in ["done=confirmed", "done=confirmed-late"] {
        let (_, to) = confirm(&mut compliance, ada, &name).await;
        assert!(to.ends_with(done), "{to}");
    }
    assert!(own.page("/portal").await.contains("It is good now"), "it can be stopped still");
    assert_eq!(begin(&mut own, &code).await.0, StatusCode::OK);
    let trail = Browser::of_staff(&local, AUDITOR).page("/operator/trail").await;
    assert_eq!(trail.matches("invitation-confirmed").count(), 1, "{trail}");
    // Another number cannot be put in the place of the one on record, which would make the account another's.
    let fields = [fields[0], fields[1], fields[2], ("number", "OTHER12345")];
    let (_, _, page) = teller.send(&path_of(ada, "/document"), &fields).await;
    assert!(page.contains("by another number, which stays"), "{page}");
    let release = [("why", "served"), ("level", "release"), ("reason", "misread")];
    let path = path_of(ada, "/level");
    assert_eq!(teller.send(&path, &release).await.0, StatusCode::FORBIDDEN);
    for _ in 0..2 {
        let (_, to, _) = compliance.send(&path, &release).await;
        assert!(to.ends_with("done=level"), "{to}");
    }
    assert_eq!(begin(&mut own, &code).await.0, StatusCode::BAD_REQUEST, "it went with the number");
    let (status, _, page) = teller.send(&path_of(ada, "/document"), &fields).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let trail = Browser::of_staff(&local, AUDITOR).page("/operator/trail").await;
    assert_eq!(trail.matches("number-released").count(), 1, "{trail}");
    // A day later, of two codes that nobody confirmed one is good.
    let (unconfirmed, _) = invite(&mut teller, ada, "OTHER12345").await;
    let mut client = Client::new(local.address());
    let ahead = json!({ "advance_days": 1 });
    assert_eq!(client.post("/demo/clock", &ahead).await.status, StatusCode::OK);
    assert_eq!(begin(&mut own, &by_time).await.0, StatusCode::OK);
    assert_ne!(begin(&mut own, &unconfirmed).await.0, StatusCode::OK);
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_tried_at_once_are_counted_as_those_tried_one_after_another() {
    let (local, people) = desk_with(&["Ada", "Grace"]).await;
    let mut teller = Browser::of_staff(&local, SECOND);
    let fields =
        [("why", "served"), ("document", "passport"), ("country", "DE"), ("number", "L01X00T47")];
    let (status, _, _) = teller.send(&path_of(people[0], "/document"), &fields).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..24 {
        let mut teller = Browser::of_staff(&local, TELLER);
        let (of, end) =
            if number % 2 == 0 { (people[0], "/invite") } else { (people[0], "/document") };
        tries.spawn(async move {
            let tried = format!("GUESS{number:04}");
            let fields = [fields[0], fields[1], fields[2], ("number", tried.as_str())];
            teller.send(&path_of(of, end), &fields).await.2
        });
    }
    let told = tries.join_all().await;
    let stopped = told.iter().filter(|page| page.contains("ten codes within an hour")).count();
    assert_eq!(stopped, 14, "ten were tried");
    let trail = Browser::of_staff(&local, AUDITOR).page("/operator/trail").await;
    let noted = ["invitation-denied", "document-refused"].map(|what| trail.matches(what).count());
    assert_eq!(noted.iter().sum::<usize>(), 10, "{noted:?}");
    local.stop().await;
}

/// The beginning of a request is sent, the session ends, and the rest of the form follows.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_whose_sender_was_logged_out_before_it_had_come_counts_for_nothing() {
    let (local, people) = desk_with(&["Ada"]).await;
    let ada = people[0];
    let (form, cookie) =
        ada.browser(&local).signed(&[("contact", "late@example.org"), ("iban", "")]);
    let port = local.address().port();
    let head = format!(
        "POST /portal/details HTTP/1.1\r\nhost: desk.localhost:{port}\r\norigin: http://desk.localhost:{port}\r\n\
         cookie: {cookie}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        form.len()
    );
    let answers = async |logs_out: bool| -> String {
        let mut stream = TcpStream::connect(local.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&form.as_bytes()[..10]).await.unwrap();
        stream.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        if logs_out {
            let (status, _, _) = ada.browser(&local).send("/portal/sign-out-everywhere", &[]).await;
            assert_eq!(status, StatusCode::SEE_OTHER);
        }
        stream.write_all(&form.as_bytes()[10..]).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = answers(false).await;
    assert!(answer.contains("/portal?done=details"), "it counts while the session lasts: {answer}");
    let answer = answers(true).await;
    assert!(!answer.contains("done=details"), "{answer}");
    assert!(answer.contains("/portal/sign-in") || answer.contains("signed out"), "{answer}");
    local.stop().await;
}
