//! Finance at the console: suspense, payouts, orders; who may do what, and what a second click does.

use hyper::{Method, StatusCode};
use tacit_server::bank::order::Wanted;
use tacit_server::control::bank::{ask_to_import, ask_to_pay_out};
use tacit_server::data_dir::control_of;
use tacit_service::desk::staff::Role;

use crate::support::office::{Console, Who, ada, text, to};

const STATEMENT: &str = include_str!("../../../bank/tests/fixtures/statement-08.xml");

const FINANCE: Who = Who(0);
const COMPLIANCE: Who = Who(1);
const AUDITOR: Who = Who(2);
const ADMIN: Who = Who(3);
const TELLER: Who = Who(4);
const ADA: Who = Who(5);
const ROLES: [Role; 5] =
    [Role::Finance, Role::Compliance, Role::Auditor, Role::Admin, Role::Teller];

async fn import(console: &Console, file: &str) {
    let path = control_of(console.local.directory.path());
    ask_to_import(&path, file.as_bytes().to_vec()).await.unwrap();
}

/// Where the booking is whose row in a list has this text.
async fn booking(console: &mut Console, list: &str, with: &str) -> String {
    let page = console.look(FINANCE, list).await;
    let row = page.split("<tr>").find(|row| row.contains(with));
    let row = row.unwrap_or_else(|| panic!("no {with}: {page}"));
    let begin = row.find("/operator/bookings/").unwrap();
    row[begin..].split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_for_those_whose_role_says_so() {
    let mut console = Console::with(&ROLES).await;
    import(&console, STATEMENT).await;
    let path = booking(&mut console, "/operator/bookings", "150.00").await;
    for (page, may) in [
        ("/operator/bookings", [true, true, true, false, false]),
        (path.as_str(), [true, true, true, false, false]),
        ("/operator/payouts", [true, true, true, false, false]),
    ] {
        for (number, may) in may.into_iter().enumerate() {
            let status = console.get(Who(number), page).await.status;
            let expected = if may { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(status, expected, "{page} for {}", ROLES[number].name());
        }
        assert_ne!(console.get(ADA, page).await.status, StatusCode::OK, "a person's login");
    }
    let cost = [("purpose", "cost"), ("reason", "x")];
    for who in [COMPLIANCE, AUDITOR, ADMIN, TELLER] {
        assert_eq!(console.send(who, &path, &cost).await.status, StatusCode::FORBIDDEN);
        let judge = format!("{path}/judge");
        let fields = [("what", "set-aside"), ("reason", "x")];
        assert_eq!(console.send(who, &judge, &fields).await.status, StatusCode::FORBIDDEN);
        let order =
            [("unit", "eur"), ("in_days", "0"), ("nonce", "00112233445566778899aabbccddeeff")];
        let made = console.send(who, "/operator/payouts/order", &order).await;
        assert_eq!(made.status, StatusCode::FORBIDDEN);
        assert!(!console.get(who, "/operator").await.status.is_server_error());
    }
    let page = console.look(AUDITOR, &path).await;
    assert!(
        !page.contains("<form method=\"post\" action=\"/operator/bookings"),
        "looks, changes nothing"
    );
    let kind = "application/x-www-form-urlencoded";
    let bare = b"purpose=cost&reason=x".to_vec();
    let forged = console.ask(FINANCE, Method::POST, &path, kind, bare).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN, "without the form's token");
    console.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suspense_is_resolved_once_and_what_strangers_wrote_is_text() {
    let mut console = Console::with(&ROLES).await;
    assert!(console.look(FINANCE, "/operator/bookings").await.contains("Nothing waits"));
    let evil = "&lt;script&gt;alert(1)&lt;/script&gt;";
    import(&console, &STATEMENT.replace("Anna Apfel &amp; Co", evil)).await;
    let list = console.look(FINANCE, "/operator/bookings").await;
    assert!(!list.contains("<script>alert") && list.contains("&#60;script&#62;alert"), "{list}");
    let path = booking(&mut console, "/operator/bookings", "150.00").await;
    let page = console.look(FINANCE, &path).await;
    assert!(!page.contains("<script>alert") && page.contains("Unknown reference"), "{page}");
    assert!(page.contains("Back to FR14 2004 1010 0505 0001 3M02 606"), "{page}");
    let number = ada().to_string();
    for (fields, said) in [
        ([("purpose", ""), ("account", ""), ("reason", "x")], "Choose what it was for"),
        ([("purpose", "account"), ("account", "5A"), ("reason", "x")], "twelve letters and digits"),
        ([("purpose", "account"), ("account", &number), ("reason", " ")], "Give a reason"),
        (
            [("purpose", "account"), ("account", "ZZZZZZZZZZZZ"), ("reason", "x")],
            "no account of this number",
        ),
        ([("purpose", "cost"), ("account", ""), ("reason", "x")], "went the other way"),
        (
            [
                ("purpose", "returned:00112233445566778899aabbccddeeff"),
                ("account", ""),
                ("reason", "x"),
            ],
            "not held",
        ),
    ] {
        let answer = console.send(FINANCE, &path, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        let page = text(&answer);
        assert!(page.contains(said), "{said}: {page}");
        assert!(fields[1].1.is_empty() || page.contains(fields[1].1), "what was typed is kept");
    }
    let fields = [("purpose", "account"), ("account", &number), ("reason", "She called about it")];
    assert_eq!(to(&console.send(FINANCE, &path, &fields).await), format!("{path}?done=booked"));
    assert_eq!(to(&console.send(FINANCE, &path, &fields).await), path, "a second click");
    assert!(console.look(ADA, "/portal").await.contains("150.00 EUR"), "credited once");
    let page = console.look(FINANCE, &path).await;
    assert!(page.contains(&format!("It was credited to account {number}.")), "{page}");
    let hidden = console.look(ADMIN, "/operator/trail").await;
    assert!(hidden.contains("booking-resolved") && !hidden.contains("She called"), "{hidden}");
    let trail = console.look(AUDITOR, "/operator/trail").await;
    assert!(trail.contains("booking-resolved") && trail.contains("She called about it"), "{trail}");
    assert_eq!(trail.matches("booking-not-resolved").count(), 2, "{trail}");
    assert!(trail.contains("unbroken"));
    // Whoever looked at what strangers wrote is there, too.
    let seen = format!("booking {}", path.rsplit('/').next().unwrap());
    assert!(trail.contains("booking-seen") && trail.contains(&seen), "{trail}");
    assert!(trail.contains("bookings-listed") && trail.contains("bookings waiting"), "{trail}");
    console.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_of_the_banks_takes_two() {
    let mut console = Console::with(&ROLES).await;
    import(&console, STATEMENT).await;
    let went = booking(&mut console, "/operator/bookings", "−100.00").await;
    let cost = [("purpose", "cost"), ("account", ""), ("reason", "Yearly charge")];
    for _ in 0..2 {
        to(&console.send(FINANCE, &went, &cost).await);
    }
    let waits = console.look(COMPLIANCE, &went).await;
    assert!(waits.contains("Yearly charge") && waits.contains("finance 1"), "{waits}");
    assert!(!console.look(FINANCE, &went).await.contains("what the bank charges"));
    let approve = format!("{went}/approve");
    let own = console.send(FINANCE, &approve, &[]).await;
    assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody is two");
    assert_eq!(console.send(AUDITOR, &approve, &[]).await.status, StatusCode::FORBIDDEN);
    let list = console.look(COMPLIANCE, "/operator/bookings?show=proposed").await;
    assert!(list.contains(&went), "{list}");
    for _ in 0..2 {
        to(&console.send(COMPLIANCE, &approve, &[]).await);
    }
    assert!(console.look(FINANCE, &went).await.contains("what the bank charges"));
    console.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_where_they_are_cut_and_nowhere_else() {
    let mut console = Console::with(&ROLES).await;
    import(&console, STATEMENT).await;
    for path in [
        "/operator/bookings/00",
        "/operator/bookings?after=x",
        "/operator/bookings?day=-1",
        "/operator/payouts?held=x",
        "/operator/payouts?sent=1-",
        "/operator/exceptions?raised=1&kind=x&subject=y",
    ] {
        assert!(console.get(FINANCE, path).await.status.is_client_error(), "{path}");
    }
    for path in ["/operator/bookings?show=returned", "/operator/statements?older=1"] {
        console.look(FINANCE, path).await;
    }
    console.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unclear_booking_is_set_aside_or_taken_in() {
    let mut console = Console::with(&ROLES).await;
    import(&console, &STATEMENT.replace("<AcctSvcrRef>REF-A</AcctSvcrRef>", "")).await;
    let path = booking(&mut console, "/operator/bookings", "150.00").await;
    let judge = format!("{path}/judge");
    let page = console.look(FINANCE, &path).await;
    assert!(page.contains("Without the bank&#39;s reference"), "{page}");
    let fields = |what, reason| [("what", what), ("reason", reason)];
    let bare = console.send(FINANCE, &judge, &fields("set-aside", "")).await;
    assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY);
    for (what, done) in [("set-aside", "aside"), ("bring-back", "back"), ("take-in", "taken")] {
        for _ in 0..2 {
            let answer =
                console.send(FINANCE, &judge, &fields(what, "Known by the other file")).await;
            assert_eq!(to(&answer), format!("{path}?done={done}"));
        }
        let list = console.look(FINANCE, "/operator/bookings?show=aside").await;
        assert_eq!(list.contains(&path), what == "set-aside", "{list}");
    }
    let page = console.look(FINANCE, &path).await;
    assert!(page.contains("Unknown reference") && page.contains("What was it for?"), "{page}");
    console.local.stop().await;
}

async fn ask(console: &Console, amount: u64) -> String {
    let path = control_of(console.local.directory.path());
    let wanted = Wanted {
        account: ada().to_string(),
        name: "Ada <Lovelace>".to_owned(),
        iban: "FR1420041010050500013M02606".to_owned(),
        unit: "eur".to_owned(),
        amount,
        text: "Payout".to_owned(),
    };
    let asked = ask_to_pay_out(&path, &wanted).await.unwrap();
    assert!(asked.held);
    format!("/operator/payouts/{}", asked.id)
}

/// A console where Ada has 150 euros.
async fn with_money() -> Console {
    let mut console = Console::with(&ROLES).await;
    import(&console, STATEMENT).await;
    let path = booking(&mut console, "/operator/bookings", "150.00").await;
    let number = ada().to_string();
    let fields = [("purpose", "account"), ("account", number.as_str()), ("reason", "x")];
    to(&console.send(FINANCE, &path, &fields).await);
    console
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_is_taken_back_by_two_and_what_is_gone_is_said() {
    let mut console = with_money().await;
    let day = console.look(FINANCE, "/operator/statements").await;
    let begin = day.find("/operator/bookings?day=").unwrap();
    let day = day[begin..].split('"').next().unwrap().to_owned();
    let path = booking(&mut console, &day, "150.00").await;
    let (reverse, approve, decline) =
        (format!("{path}/reverse"), format!("{path}/approve"), format!("{path}/decline"));
    let why = [("reason", "It was for her sister")];
    for who in [COMPLIANCE, AUDITOR, ADMIN, TELLER] {
        assert_eq!(console.send(who, &reverse, &why).await.status, StatusCode::FORBIDDEN);
    }
    let bare = console.send(FINANCE, &reverse, &[("reason", " ")]).await;
    assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY);
    for _ in 0..2 {
        to(&console.send(FINANCE, &reverse, &why).await);
    }
    assert_eq!(console.send(AUDITOR, &decline, &why).await.status, StatusCode::FORBIDDEN);
    to(&console.send(COMPLIANCE, &decline, &[("reason", "She says it is hers")]).await);
    to(&console.send(FINANCE, &reverse, &why).await);
    // Some of it is on its way out: nothing is taken, and that is not forgotten.
    let payout = ask(&console, 10_000).await;
    let own = console.send(FINANCE, &approve, &[]).await;
    assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody is two");
    let gone = console.send(COMPLIANCE, &approve, &[]).await;
    assert_eq!(gone.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(&gone).contains("does not hold as much any more"), "{}", text(&gone));
    assert!(console.look(ADA, "/portal").await.contains("50.00 EUR"), "what she holds is hers");
    let exceptions = "/operator/exceptions";
    let page = console.look(AUDITOR, exceptions).await;
    assert!(page.contains("credited by mistake is gone") && page.contains(&path), "{page}");
    let subject = path.replace("/operator/bookings/", "booking ");
    let ended = |reason| [("kind", "gone"), ("subject", subject.as_str()), ("reason", reason)];
    let by_auditor = console.send(AUDITOR, exceptions, &ended("x")).await;
    assert_eq!(by_auditor.status, StatusCode::FORBIDDEN);
    let bare = console.send(COMPLIANCE, exceptions, &ended("")).await;
    assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY);
    for _ in 0..2 {
        to(&console.send(COMPLIANCE, exceptions, &ended("The payout was stopped")).await);
    }
    assert!(console.look(AUDITOR, exceptions).await.contains("Nothing waits"));
    let reject = format!("{payout}/reject");
    to(&console.send(COMPLIANCE, &reject, &[("reason", "Not her money")]).await);
    to(&console.send(FINANCE, &reverse, &why).await);
    for _ in 0..2 {
        to(&console.send(COMPLIANCE, &approve, &[]).await);
    }
    assert!(console.look(ADA, "/portal").await.contains("0.00 EUR"));
    let page = console.look(FINANCE, &path).await;
    assert!(page.contains("was taken back") && !page.contains("Propose to take"), "{page}");
    anew(&mut console).await;
    console.local.stop().await;
}

/// What was taken back waits under another name, and is the operator's own money if two people say so.
async fn anew(console: &mut Console) {
    let path = booking(console, "/operator/bookings", "150.00").await;
    assert!(console.look(FINANCE, &path).await.contains("Nothing places it by itself"));
    let own = [("purpose", "own"), ("reason", "Capital")];
    to(&console.send(FINANCE, &path, &own).await);
    to(&console.send(COMPLIANCE, &format!("{path}/approve"), &[]).await);
    let page = console.look(FINANCE, &path).await;
    assert!(page.contains("the operator&#39;s own money"), "{page}");
    let trail = console.look(ADMIN, "/operator/trail").await;
    for action in ["resolution-approved", "resolution-declined", "exception-raised"] {
        assert!(trail.contains(action), "{action}: {trail}");
    }
    assert!(trail.contains("exception-ended") && trail.contains("unbroken"), "{trail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_payout_needs_two_people_and_stands_in_one_order() {
    let mut console = with_money().await;
    let (small, large) = (ask(&console, 5000).await, ask(&console, 5001).await);
    let page = console.look(FINANCE, "/operator/payouts").await;
    for part in ["Ada &#60;Lovelace&#62;", "0 of 2", "none needed", "50.01 EUR", "in euros only"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let approve = format!("{large}/approve");
    for who in [AUDITOR, ADMIN, TELLER] {
        assert_eq!(console.send(who, &approve, &[]).await.status, StatusCode::FORBIDDEN);
    }
    to(&console.send(FINANCE, &approve, &[]).await);
    let again = console.send(FINANCE, &approve, &[]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody is two");
    assert!(text(&again).contains("you approved it before"), "{}", text(&again));
    let page = console.look(FINANCE, &large).await;
    assert!(page.contains("You have approved it. It needs somebody else, too."), "{page}");
    assert!(page.contains("finance 1") && !page.contains(&approve), "{page}");
    let nonce = |number: u8| format!("{number:032x}");
    let order = |nonce| [("unit", "eur".to_owned()), ("in_days", "1".to_owned()), ("nonce", nonce)];
    let send = async |console: &mut Console, number| {
        let fields = order(nonce(number));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        console.send(FINANCE, "/operator/payouts/order", &fields).await
    };
    to(&send(&mut console, 1).await);
    let first = "/operator/payouts/orders/TO00000000000000000000000000000001.xml";
    let file = text(&console.get(FINANCE, first).await);
    assert!(file.contains(">50.00<") && !file.contains(">50.01<"), "{file}");
    to(&console.send(COMPLIANCE, &approve, &[]).await);
    assert!(console.look(FINANCE, &large).await.contains("It has the approvals it needs."));
    to(&send(&mut console, 2).await);
    to(&send(&mut console, 2).await); // A second click.
    let third = send(&mut console, 3).await;
    assert!(text(&third).contains("Nothing may go out in EUR"), "{}", text(&third));
    let answer = console.get(FINANCE, &first.replace("0001.xml", "0002.xml")).await;
    assert_eq!(answer.headers["content-type"], "application/xml; charset=utf-8");
    assert!(text(&answer).contains(">50.01<") && !text(&answer).contains(">50.00<"));
    let same = console.get(FINANCE, &first.replace("0001.xml", "0002.xml")).await;
    assert_eq!(answer.body, same.body, "byte for byte");
    assert_eq!(console.get(AUDITOR, first).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        console.get(FINANCE, &first.replace("0001", "0009")).await.status,
        StatusCode::NOT_FOUND
    );
    let rejected = console.send(FINANCE, &format!("{small}/reject"), &[("reason", "late")]).await;
    assert!(text(&rejected).contains("Not rejected"), "{}", text(&rejected));
    let trail = console.look(ADMIN, "/operator/trail").await;
    for (action, count) in [("payout-asked", 2), ("payout-approved", 2), ("payouts-ordered", 2)] {
        assert_eq!(trail.matches(action).count(), count, "{action}: {trail}");
    }
    console.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_payout_gives_the_money_back_with_a_reason() {
    let mut console = with_money().await;
    let path = ask(&console, 6000).await;
    assert!(console.look(ADA, "/portal").await.contains("90.00 EUR"));
    let reject = format!("{path}/reject");
    let bare = console.send(FINANCE, &reject, &[("reason", "")]).await;
    assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY, "without a reason");
    assert_eq!(console.send(AUDITOR, &reject, &[("reason", "x")]).await.status, 403);
    to(&console.send(FINANCE, &reject, &[("reason", "Not her account")]).await);
    assert!(console.look(FINANCE, &path).await.contains("Rejected, given back"));
    assert!(console.look(ADA, "/portal").await.contains("150.00 EUR"));
    let approve = console.send(COMPLIANCE, &format!("{path}/approve"), &[]).await;
    assert_eq!(approve.status, StatusCode::UNPROCESSABLE_ENTITY, "it waits for nothing");
    console.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_goes_back_to_its_sender_once_two_agree() {
    let mut console = Console::with(&ROLES).await;
    import(&console, STATEMENT).await;
    let path = booking(&mut console, "/operator/bookings", "150.00").await;
    let back = [("purpose", "back"), ("account", ""), ("reason", "Sent to us by mistake")];
    for _ in 0..2 {
        to(&console.send(FINANCE, &path, &back).await);
    }
    let page = console.look(FINANCE, "/operator/payouts").await;
    assert_eq!(page.matches("goes back to its sender").count(), 1, "{page}");
    let begin = page.find("href=\"/operator/payouts/").unwrap() + "href=\"".len();
    let payout = page[begin..].split('"').next().unwrap().to_owned();
    assert!(console.look(FINANCE, &path).await.contains("Goes back"));
    to(&console.send(FINANCE, &format!("{payout}/reject"), &[("reason", "She came")]).await);
    assert!(console.look(FINANCE, &path).await.contains("What was it for?"));
    to(&console.send(FINANCE, &path, &back).await);
    let page = console.look(FINANCE, "/operator/payouts").await;
    let begin = page.find("href=\"/operator/payouts/").unwrap() + "href=\"".len();
    let payout = page[begin..].split('"').next().unwrap().to_owned();
    for who in [FINANCE, COMPLIANCE] {
        to(&console.send(who, &format!("{payout}/approve"), &[]).await);
    }
    let late = console.send(FINANCE, &format!("{payout}/reject"), &[("reason", "x")]).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "two have let it go");
    let nonce = format!("{:032x}", 7);
    let order = [("unit", "eur"), ("in_days", "0"), ("nonce", nonce.as_str())];
    to(&console.send(FINANCE, "/operator/payouts/order", &order).await);
    let path = format!("/operator/payouts/orders/TO{nonce}.xml");
    let file = text(&console.get(FINANCE, &path).await);
    for part in ["FR1420041010050500013M02606", ">150.00<", "Anna Apfel"] {
        assert!(file.contains(part), "{part}: {file}");
    }
    console.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_paid_out_to_the_iban_they_gave_once() {
    let mut console = with_money().await;
    let page = console.look(ADA, "/portal/payout").await;
    assert!(page.contains("Say first where your money is to go"), "{page}");
    let details = [("contact", ""), ("iban", "FR14 2004 1010 0505 0001 3M02 606")];
    to(&console.send(ADA, "/portal/details", &details).await);
    let page = console.look(ADA, "/portal/payout").await;
    assert!(
        page.contains("FR14 2004 1010 0505 0001 3M02 606") && page.contains("150.00 EUR"),
        "{page}"
    );
    let number = ada().to_string();
    let nonce = format!("{:032x}", 5);
    let fields =
        |amount| [("from", number.as_str()), ("amount", amount), ("nonce", nonce.as_str())];
    for (amount, said) in [
        ("", "cannot be read"),
        ("1.005", "cannot be read"),
        ("0", "cannot be read"),
        ("150.01", "does not hold as much"),
    ] {
        let answer = console.send(ADA, "/portal/payout", &fields(amount)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{amount}");
        assert!(text(&answer).contains(said), "{said}: {}", text(&answer));
    }
    let other = [("from", "ZZZZZZZZZZZZ"), ("amount", "1"), ("nonce", nonce.as_str())];
    let answer = console.send(ADA, "/portal/payout", &other).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "somebody else's account");
    for _ in 0..2 {
        let answer = console.send(ADA, "/portal/payout", &fields("100.00")).await;
        assert_eq!(to(&answer), "/portal/payout?done=asked");
    }
    let page = console.look(ADA, "/portal/payout").await;
    assert_eq!(page.matches("Waits for approval").count(), 1, "{page}");
    assert!(page.contains("50.00 EUR"), "{page}");
    let list = console.look(FINANCE, "/operator/payouts").await;
    assert!(list.contains("Ada Lovelace") && list.contains("0 of 2"), "{list}");
    console.local.stop().await;
}
