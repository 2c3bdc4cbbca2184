//! The bank's files by the console: what is taken, what is refused and why, and whether it all agrees.

use hyper::{Method, StatusCode};
use tacit_bank::statement::BYTES_MAX;
use tacit_server::control::bank::ask_to_reconcile;
use tacit_server::data_dir::control_of;
use tacit_service::desk::staff::Role;

use crate::support::client::Answer;
use crate::support::office::{Console, Who, ada, text, to};

const STATEMENT: &str = include_str!("../../../bank/tests/fixtures/statement-08.xml");

const FINANCE: Who = Who(0);
const AUDITOR: Who = Who(1);
const SECOND: Who = Who(2);
const COMPLIANCE: Who = Who(3);
const ROLES: [Role; 4] = [Role::Finance, Role::Auditor, Role::Finance, Role::Compliance];
const PATH: &str = "/operator/statements";

/// A form with a file, as browsers send it.
fn form(token: &str, file: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--frontier\r\nContent-Disposition: form-data; name=\"form_token\"\r\n\r\n{token}\r\n--frontier\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"a.xml\"\r\nContent-Type: text/xml\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--frontier--\r\n");
    body
}

async fn send(console: &mut Console, who: Who, body: Vec<u8>) -> Answer {
    let kind = "multipart/form-data; boundary=frontier";
    console.ask(who, Method::POST, PATH, kind, body).await
}

async fn upload(console: &mut Console, file: &[u8]) -> Answer {
    let token = console.token(FINANCE);
    send(console, FINANCE, form(&token, file)).await
}

/// The fixture, on the day before the present one, so that it lies within the days that are shown.
fn statement() -> String {
    let today = crate::support::till::now().day().number();
    let yesterday = tacit_core::time::Day::from_number(today - 1).to_string();
    STATEMENT.replace("2026-11-22", &yesterday)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_once_by_whoever_may() {
    let mut console = Console::with(&ROLES).await;
    let file = statement();
    assert!(console.look(FINANCE, PATH).await.contains("No file was imported yet"));
    let done = to(&upload(&mut console, file.as_bytes()).await);
    let page = console.look(FINANCE, &done).await;
    assert!(page.contains(">Imported<") && page.contains("See what waits for you"), "{page}");
    assert!(page.contains("1240.50 EUR") && page.contains("add up"), "{page}");
    let again = to(&upload(&mut console, file.as_bytes()).await);
    assert_eq!(again, format!("{done}&known=true"));
    let page = console.look(FINANCE, &again).await;
    assert!(page.contains("This file was imported before"), "{page}");
    assert_eq!(page.matches("camt.053</td>").count(), 1, "{page}");
    // Another file that tells of the same bookings.
    let other = file.replace("M-1", "M-2");
    let page = to(&upload(&mut console, other.as_bytes()).await);
    let page = console.look(FINANCE, &page).await;
    assert!(page.contains("<dt>New bookings</dt><dd>0</dd>"), "{page}");
    for (who, token) in [(AUDITOR, console.token(AUDITOR)), (FINANCE, console.token(AUDITOR))] {
        let refused = send(&mut console, who, form(&token, b"<a/>")).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    let kind = "multipart/form-data; boundary=frontier";
    let tokenless = b"--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--frontier--\r\n";
    let refused = console.ask(FINANCE, Method::POST, PATH, kind, tokenless.to_vec()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "nothing is read before the token");
    let plain = console.ask(FINANCE, Method::POST, PATH, "text/xml", b"<a/>".to_vec()).await;
    assert_eq!(plain.status, StatusCode::BAD_REQUEST);
    assert!(!console.look(AUDITOR, PATH).await.contains("type=\"file\""), "looks, changes nothing");
    console.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_statement_is_refused_with_the_reason_and_changes_nothing() {
    let mut console = Console::with(&ROLES).await;
    let file = statement();
    let bomb = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>";
    let other = file.replace("DE89370400440532013000", "DE02120300000000202051");
    for (file, said) in [
        ("", "no file was chosen"),
        ("<html/>", "neither a camt.053 nor a camt.054"),
        ("not XML <at> all", "not imported"),
        (&file[..1000], "ends in the middle"),
        (bomb, "a document type is not allowed"),
        (&file.replace(">150.00<", ">150.001<"), "the amount cannot be read"),
        (&other, "is of an account that no unit has"),
    ] {
        let answer = upload(&mut console, file.as_bytes()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        let page = text(&answer).to_lowercase();
        assert!(page.contains(said) && page.contains("type=\"file\""), "{said}: {page}");
    }
    let large = vec![b' '; BYTES_MAX + 1];
    let answer = upload(&mut console, &large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text(&answer).contains("larger than 32 MB"), "{}", text(&answer));
    let larger = vec![b' '; BYTES_MAX + 100 * 1024];
    assert_eq!(upload(&mut console, &larger).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let page = console.look(FINANCE, PATH).await;
    assert!(page.contains("No file was imported yet"), "{page}");
    assert!(console.look(FINANCE, "/operator/bookings").await.contains("Nothing waits"));
    // In another currency: it is imported, and nothing of it is booked.
    let foreign = file.replace("\"EUR\"", "\"CHF\"");
    let page = to(&upload(&mut console, foreign.as_bytes()).await);
    assert!(console.look(FINANCE, &page).await.contains("<dt>Unclear</dt><dd>4</dd>"));
    let list = console.look(FINANCE, "/operator/bookings").await;
    assert!(list.contains("In another currency"), "{list}");
    console.local.stop().await;
}

/// Neither who said it nor who handed the file in, whoever said it; and nobody without the permission.
async fn nobody_who_has_a_hand_in_it_approves(console: &mut Console, path: &str) {
    let fields = [("difference", "100000"), ("reason", "So it is")];
    to(&console.send(SECOND, path, &fields).await);
    let approve = format!("{path}/approve");
    for (who, number, said) in
        [(FINANCE, "1", "it is your own"), (FINANCE, "2", "you handed in a file")]
    {
        let answer = console.send(who, &approve, &[("number", number)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(text(&answer).contains(said), "{said}: {}", text(&answer));
    }
    for (who, number, status) in [
        (AUDITOR, "1", StatusCode::FORBIDDEN),
        (COMPLIANCE, "3", StatusCode::NOT_FOUND),
        (COMPLIANCE, "x", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(console.send(who, &approve, &[("number", number)]).await.status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bank_and_books_agree_or_somebody_says_why_not() {
    let mut console = Console::with(&ROLES).await;
    let control = control_of(console.local.directory.path());
    let page = console.look(FINANCE, "/operator/reconciliation").await;
    assert!(page.contains("The bank has not told a balance"), "{page}");
    assert!(ask_to_reconcile(&control).await.unwrap().holds);
    to(&upload(&mut console, statement().as_bytes()).await);
    // The bank had 1,000 euros before the first booking that was imported.
    let report = ask_to_reconcile(&control).await.unwrap();
    let day = &report.units[0].days[0];
    assert_eq!((day.bank, day.books, day.difference), (Some(124_050), 24_050, Some(100_000)));
    assert_eq!((report.holds, day.verdict.as_str()), (false, "differs"));
    let page = console.look(AUDITOR, "/operator/reconciliation").await;
    for part in ["1240.50 EUR", "240.50 EUR", "1000.00 EUR", "Days to be looked at: 1."] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let begin = page.find("/operator/reconciliation/eur/").unwrap();
    let path = page[begin..].split('"').next().unwrap().to_owned();
    let explained = |difference, reason| [("difference", difference), ("reason", reason)];
    let fields = explained("100000", "Our own money, there before");
    assert_eq!(console.send(AUDITOR, &path, &fields).await.status, StatusCode::FORBIDDEN);
    for (fields, said) in [
        (explained("100000", " "), "Give a reason"),
        (explained("99999", "x"), "another one now"),
        (explained("none", "x"), "another one now"),
    ] {
        let answer = console.send(FINANCE, &path, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(text(&answer).contains(said), "{said}: {}", text(&answer));
    }
    for _ in 0..2 {
        to(&console.send(FINANCE, &path, &fields).await);
    }
    let page = console.look(AUDITOR, &path).await;
    assert_eq!(page.matches("Our own money, there before").count(), 1, "{page}");
    assert!(page.contains("finance 1") && page.contains("nobody else has approved"), "{page}");
    assert!(!ask_to_reconcile(&control).await.unwrap().holds, "one alone explains nothing");
    nobody_who_has_a_hand_in_it_approves(&mut console, &path).await;
    let approve = format!("{path}/approve");
    assert!(!console.look(FINANCE, &path).await.contains("Approve explanation 1"));
    assert!(console.look(COMPLIANCE, &path).await.contains("Approve explanation 1"));
    for _ in 0..2 {
        to(&console.send(COMPLIANCE, &approve, &[("number", "1")]).await);
    }
    let page = console.look(AUDITOR, &path).await;
    assert_eq!(page.matches("approved by compliance 4").count(), 1, "{page}");
    assert!(ask_to_reconcile(&control).await.unwrap().holds);
    // What is said of a booking moves money within the books, and what they have at the bank stays.
    let list = console.look(FINANCE, "/operator/bookings").await;
    let begin = list.find("/operator/bookings/").unwrap();
    let booking = list[begin..].split('"').next().unwrap().to_owned();
    let number = ada().to_string();
    let fields = [("purpose", "account"), ("account", number.as_str()), ("reason", "x")];
    console.send(FINANCE, &booking, &fields).await;
    assert!(ask_to_reconcile(&control).await.unwrap().holds);
    for path in ["/operator/reconciliation/usd/20000", "/operator/reconciliation/eur/1"] {
        assert_eq!(console.get(FINANCE, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    console.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_stays_missing_whatever_two_people_say() {
    let mut console = Console::with(&ROLES).await;
    let control = control_of(console.local.directory.path());
    to(&upload(&mut console, statement().replace("1240.50", "1200.00").as_bytes()).await);
    // Its bookings do not lead to that balance; somebody sends another of its name that leads to it.
    let report = ask_to_reconcile(&control).await.unwrap();
    assert_eq!(report.units[0].days[0].verdict, "contradicts");
    to(&upload(&mut console, statement().as_bytes()).await);
    let report = ask_to_reconcile(&control).await.unwrap();
    assert_eq!(report.units[0].days[0].verdict, "contradicts", "the later word hides no other");
    console.local.stop().await;

    let mut console = Console::with(&ROLES).await;
    let control = control_of(console.local.directory.path());
    let less = statement()
        .replace("1000.00</Amt><CdtDbtInd>CRDT", "500.00</Amt><CdtDbtInd>DBIT")
        .replace("1240.50</Amt><CdtDbtInd>CRDT", "259.50</Amt><CdtDbtInd>DBIT");
    to(&upload(&mut console, less.as_bytes()).await);
    let report = ask_to_reconcile(&control).await.unwrap();
    let day = &report.units[0].days[0];
    assert_eq!((day.difference, day.verdict.as_str()), (Some(-50_000), "missing"));
    assert!(report.is_unexplained && day.explanation.is_none());
    let page = console.look(FINANCE, "/operator/reconciliation").await;
    let begin = page.find("/operator/reconciliation/eur/").unwrap();
    let path = page[begin..].split('"').next().unwrap().to_owned();
    let fields = [("difference", "-50000"), ("reason", "Overdrawn since May")];
    to(&console.send(FINANCE, &path, &fields).await);
    to(&console.send(COMPLIANCE, &format!("{path}/approve"), &[("number", "1")]).await);
    let report = ask_to_reconcile(&control).await.unwrap();
    let day = &report.units[0].days[0];
    assert_eq!(
        (day.verdict.as_str(), day.explanation.as_deref()),
        ("missing", Some("Overdrawn since May"))
    );
    assert_eq!((report.holds, report.is_unexplained), (false, false));
    let page = console.look(AUDITOR, "/operator/reconciliation").await;
    assert!(page.contains("Two people have said why") && page.contains("Overdrawn"), "{page}");
    assert!(page.contains("wrong-tag") && !page.contains("is explained; all"), "{page}");
    console.local.stop().await;
}
