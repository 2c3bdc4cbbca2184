//! Who people are: taken in at the desk, identified, let in again; screened; and what they complain of.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use tacit_server::control::screening::ask_to_import;
use tacit_service::desk::identification::{
    CaseId, Document, Finding, KycProvider, NumberKey, Place, ProviderError,
};
use tacit_service::desk::person::Name;
use tacit_service::desk::screening::list::Listed;
use tacit_service::desk::screening::matching::Likeness;
use tacit_service::desk::screening::{Alike, Screener, ScreenerError};
use tacit_service::desk::staff::Role;

use crate::support::client::Client;
use crate::support::console::{self, Browser, Somebody};
use crate::support::local::Local;

const TELLER: u8 = 101;
const COMPLIANCE: u8 = 102;
const AUDITOR: u8 = 104;
const ADMIN: u8 = 105;

const STAFF: [(u8, Role); 4] = [
    (TELLER, Role::Teller),
    (COMPLIANCE, Role::Compliance),
    (AUDITOR, Role::Auditor),
    (ADMIN, Role::Admin),
];

async fn desk_with(
    names: &[&str],
    change: impl FnOnce(&mut tacit_server::server::Parts),
) -> (Local, Vec<Somebody>) {
    let (local, people) = console::desk_with(&STAFF, names, change).await;
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

fn path_of(somebody: Somebody, end: &str) -> String {
    format!("/operator/people/{}{end}", somebody.id)
}

fn looked_at(somebody: Somebody) -> String {
    path_of(somebody, "?why=identification")
}

async fn show(
    browser: &mut Browser,
    somebody: Somebody,
    country: &str,
    number: &str,
) -> (StatusCode, String, String) {
    let fields =
        [("why", "served"), ("document", "passport"), ("country", country), ("number", number)];
    browser.send(&path_of(somebody, "/document"), &fields).await
}

async fn level(
    browser: &mut Browser,
    somebody: Somebody,
    level: &str,
) -> (StatusCode, String, String) {
    let fields = [("why", "identification"), ("level", level), ("reason", "as the rules say")];
    browser.send(&path_of(somebody, "/level"), &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_asks_shows_a_document_and_may_do_more() {
    let (local, people) = desk_with(&["Ada", "Grace"], |_| {}).await;
    let (ada, grace) = (people[0], people[1]);
    let mut own = ada.browser(&local);
    let mut teller = Browser::of_staff(&local, TELLER);
    let mut compliance = Browser::of_staff(&local, COMPLIANCE);
    assert!(own.page("/portal/identify").await.contains("Ask to be identified"));
    for _ in 0..2 {
        let (status, to, _) = own.send("/portal/identify", &[]).await;
        assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/portal/identify?done=asked"));
    }
    assert!(own.page("/portal/identify").await.contains("Come to the desk"));
    let queue = teller.page("/operator/identification").await;
    assert!(queue.contains("Ada") && !queue.contains("Grace"), "{queue}");
    let (status, _, page) = level(&mut compliance, ada, "1").await;
    assert!(
        status == StatusCode::OK && page.contains("a teller has to look at one first"),
        "{page}"
    );
    for (country, number, said) in [("D", "L01X00T47", "two letters"), ("DE", "L?", "4 to 32")] {
        let (status, _, page) = show(&mut teller, ada, country, number).await;
        assert!(status == StatusCode::OK && page.contains(said), "{page}");
        assert!(page.contains(&format!("value=\"{number}\"")), "what was typed is kept");
    }
    let (status, _, _) = show(&mut compliance, ada, "DE", "L01X00T47").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, to, page) = show(&mut teller, ada, "de", "L01 X00-T47").await;
    assert!(status == StatusCode::SEE_OTHER && to.ends_with("done=document"), "{page}");
    let (_, _, page) = show(&mut teller, grace, "DE", "l01x00t47").await;
    assert!(page.contains("one account a person"), "{page}");
    assert_eq!(level(&mut teller, ada, "1").await.0, StatusCode::FORBIDDEN);
    let page = compliance.page(&looked_at(ada)).await;
    assert!(page.contains("passport seen: compliance decides"), "{page}");
    assert!(!page.contains("L01X00T47"), "nothing of the number is left");
    for _ in 0..2 {
        let (status, to, page) = level(&mut compliance, ada, "1").await;
        assert!(status == StatusCode::SEE_OTHER && to.ends_with("done=level"), "{page}");
    }
    let page = compliance.page(&looked_at(ada)).await;
    assert!(page.contains("0.00 of 2000.00"), "the vault's limits are those of level 1: {page}");
    assert!(own.page("/portal").await.contains("By a document that was seen"));
    let (_, _, page) = show(&mut teller, ada, "DE", "other12345").await;
    assert!(page.contains("by another number"), "{page}");
    let (status, _, _) = level(&mut compliance, ada, "0").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let page = compliance.page(&looked_at(ada)).await;
    assert!(page.contains("0.00 of 500.00"), "and lowered: {page}");
    for bad in ["3", "9", "x", ""] {
        assert_eq!(level(&mut compliance, ada, bad).await.0, StatusCode::BAD_REQUEST, "{bad}");
    }
    let mut hers = grace.browser(&local);
    hers.send("/portal/identify", &[]).await;
    level(&mut compliance, grace, "refuse").await;
    assert!(hers.page("/portal/identify").await.contains("could not be identified"));
    let trail = Browser::of_staff(&local, AUDITOR).page("/operator/trail").await;
    assert_eq!(trail.matches("level-set").count(), 2, "a second click is no deed: {trail}");
    for action in ["document-seen", "document-refused", "identification-refused"] {
        assert!(trail.contains(action), "{action}");
    }
    assert!(!trail.to_lowercase().contains("l01x00t47"), "{trail}");
    local.stop().await;
}

/// A provider that sends people to its site, and may have seen what Ada showed there.
struct Elsewhere {
    has_seen: bool,
}

impl KycProvider for Elsewhere {
    fn begin(&self, case: CaseId) -> Result<Place, ProviderError> {
        Ok(Place::Site(format!("https://kyc.example/{case}")))
    }

    fn finding(&self, _: CaseId, key: &NumberKey) -> Result<Option<Finding>, ProviderError> {
        let number = key.hash("DE", "L01X00T47").expect("a number");
        Ok(self.has_seen.then_some(Finding { number, document: Document::IdentityCard }))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_provider_takes_the_place_of_the_desk() {
    let (local, people) =
        desk_with(&["Ada"], |parts| parts.kyc = Arc::new(Elsewhere { has_seen: false })).await;
    let mut own = people[0].browser(&local);
    own.send("/portal/identify", &[]).await;
    let page = own.page("/portal/identify").await;
    assert!(page.contains("https://kyc.example/"), "{page}");
    assert!(!page.contains(&people[0].id.to_string()), "it is told nothing of the person");
    // The next round asks it: that of the next start.
    let directory = local.stop().await;
    let local =
        Local::on(directory, |_| {}, |parts| parts.kyc = Arc::new(Elsewhere { has_seen: true }))
            .await;
    let mut compliance = Browser::of_staff(&local, COMPLIANCE);
    until(&mut compliance, "/operator/identification", "identity card seen").await;
    local.stop().await;
}

async fn invite(browser: &mut Browser, path: &str, number: &str) -> (StatusCode, String) {
    let fields = [("why", "served"), ("country", "DE"), ("number", number)];
    let (status, _, page) = browser.send(&format!("{path}/invite"), &fields).await;
    (status, page)
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_without_a_phone_is_taken_in_and_given_a_login_later() {
    let (local, people) = desk_with(&["Ada"], |_| {}).await;
    let mut teller = Browser::of_staff(&local, TELLER);
    let mut compliance = Browser::of_staff(&local, COMPLIANCE);
    for number in [COMPLIANCE, AUDITOR, ADMIN] {
        let (status, _) = Browser::of_staff(&local, number).look("/operator/people/new").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{number}");
    }
    let page = teller.page("/operator/people/new").await;
    let nonce = page.split("name=\"nonce\" value=\"").nth(1).unwrap()[..32].to_owned();
    let fields = |name: &'static str, iban: &'static str| {
        [
            ("nonce", nonce.clone()),
            ("name", name.to_owned()),
            ("contact", "next door".to_owned()),
            ("iban", iban.to_owned()),
        ]
    };
    let send = async |browser: &mut Browser, fields: [(&'static str, String); 4]| {
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.send("/operator/people/new", &fields).await
    };
    let (status, _, page) = send(&mut teller, fields(" ", "DE1")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        page.contains("name-wrong") && page.contains("iban-wrong") && page.contains("next door"),
        "{page}"
    );
    let (status, to, page) = send(&mut teller, fields("Emil Ohnefon", "")).await;
    assert!(status == StatusCode::SEE_OTHER && to.ends_with("done=taken-in"), "{page}");
    let (_, again, _) = send(&mut teller, fields("Emil Ohnefon", "")).await;
    let path = to.split('?').next().unwrap().to_owned();
    assert!(
        again.starts_with(&path) && !again.contains("done"),
        "a second click opens no second account"
    );
    until(&mut teller, &format!("{path}?why=served"), "0.00 USD").await;
    assert_eq!(invite(&mut compliance, &path, "").await.0, StatusCode::FORBIDDEN);
    let (status, slip) = invite(&mut teller, &path, "").await;
    assert!(status == StatusCode::OK && slip.contains("/invitation#"), "{slip}");
    assert!(slip.contains("<svg class=\"code\""), "{slip}");
    let (status, _, page) = show(&mut teller, people[0], "DE", "L01X00T47").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let hers = path_of(people[0], "");
    let (_, page) = invite(&mut teller, &hers, "L01X00T48").await;
    assert!(page.contains("not the number on record") && !page.contains("/invitation#"), "{page}");
    let mut made = 1;
    loop {
        let (_, page) = invite(&mut teller, &hers, "L01X00T47").await;
        if !page.contains("/invitation#") {
            assert!(page.contains("ten codes within an hour"), "{page}");
            break;
        }
        made += 1;
    }
    assert_eq!(made, 9, "and one number that was tried");
    assert_eq!(
        people[0].browser(&local).look("/portal").await.0,
        StatusCode::OK,
        "a code alone ends nothing"
    );
    let trail = Browser::of_staff(&local, AUDITOR).page("/operator/trail").await;
    for action in ["person-taken-in", "invited", "invitation-denied"] {
        assert!(trail.contains(action), "{action}");
    }
    local.stop().await;
}

fn listed(names: &[&str]) -> Vec<Listed> {
    names.iter().map(|name| Listed { entry: "Q7".to_owned(), name: (*name).to_owned() }).collect()
}

/// A list that is in use goes only if that is said, and what goes is said before.
async fn replaces_when_told(control: &Path, auditor: &mut Browser, first: &[Listed]) {
    let refused = ask_to_import(control, "one", &listed(&["Nobody"]), false).await.unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("one is in use: 2 names") && refused.contains("These 1 "),
        "{refused}"
    );
    let page = auditor.page("/operator/screening").await;
    assert_eq!(
        page.matches("<td data-name=\"Names\" class=\"number\">2</td>").count(),
        1,
        "{page}"
    );
    let before = ask_to_import(control, "one", first, true).await.unwrap().expect("one before");
    assert_eq!(before.names, 2);
}

/// That something was done, and not why: suspicions are nobody's but compliance's and the auditors'.
async fn admins_read_no_reasons(admin: &mut Browser) {
    let trail = admin.page("/operator/trail").await;
    assert!(
        trail.contains("person-frozen") && trail.contains("for compliance and auditors"),
        "{trail}"
    );
    for hidden in ["same birthday", "forty years", "Q7"] {
        assert!(!trail.contains(hidden), "{hidden}: {trail}");
    }
    assert!(trail.contains("in the place of 2 of"), "what lists there are is no secret: {trail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_called_like_somebody_on_a_list_waits_for_compliance() {
    let (local, people) =
        desk_with(&["Ivan Example", "Grace Hopper", "Example Iwan"], |_| {}).await;
    let control = local.directory.path().join("control");
    let first = listed(&["EXAMPLE, Ivan", "Somebody Else"]);
    assert_eq!(ask_to_import(&control, "one", &first, false).await.unwrap(), None);
    let mut compliance = Browser::of_staff(&local, COMPLIANCE);
    until(&mut compliance, "/operator/screening", "Example Iwan").await;
    let page = compliance.page("/operator/screening").await;
    assert!(
        page.contains("100 %") && page.contains("Ivan Example") && !page.contains("Grace"),
        "{page}"
    );
    for number in [TELLER, ADMIN] {
        let (status, _) = Browser::of_staff(&local, number).look("/operator/screening").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{number}");
    }
    let mut auditor = Browser::of_staff(&local, AUDITOR);
    assert!(!auditor.page("/operator/screening").await.contains("<button class=\"danger\""));
    let ids: Vec<String> = page
        .split("action=\"/operator/screening/")
        .skip(1)
        .map(|part| part[..32].to_owned())
        .collect();
    assert_eq!(ids.len(), 2);
    let path = |number: usize| format!("/operator/screening/{}", ids[number]);
    let (status, _, _) = auditor.send(&path(0), &[("what", "clear"), ("reason", "x")]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _, page) = compliance.send(&path(0), &[("what", "freeze"), ("reason", " ")]).await;
    assert!(status == StatusCode::OK && page.contains("The reason cannot be used"), "{page}");
    for _ in 0..2 {
        let (status, _, page) =
            compliance.send(&path(0), &[("what", "freeze"), ("reason", "same birthday")]).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    }
    let (_, to, _) =
        compliance.send(&path(1), &[("what", "clear"), ("reason", "forty years younger")]).await;
    assert!(to.contains("done=cleared"), "{to}");
    let mut ivan = people[0].browser(&local);
    assert!(ivan.page("/portal").await.contains("This account is frozen"));
    let (status, _, _) = ivan.send("/portal/demo-money", &[]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "the vault knows");
    // The same list again brings nothing new; another one does.
    replaces_when_told(&control, &mut auditor, &first).await;
    assert_eq!(
        ask_to_import(&control, "two", &listed(&["Hopper Grace"]), true).await.unwrap(),
        None
    );
    until(&mut compliance, "/operator/screening", "Grace Hopper").await;
    let page = compliance.page("/operator/screening").await;
    assert!(!page.contains("Example Iwan") && !page.contains("Ivan Example"), "{page}");
    for (list, names) in [("", listed(&["A B"])), ("a/b", listed(&["A B"])), ("empty", Vec::new())]
    {
        assert!(ask_to_import(&control, list, &names, false).await.is_err(), "{list}");
    }
    let trail = auditor.page("/operator/trail").await;
    for said in
        ["list-imported", "hit-cleared", "hit-confirmed", "person-frozen", "one Q7: same birthday"]
    {
        assert!(trail.contains(said), "{said}: {trail}");
    }
    admins_read_no_reasons(&mut Browser::of_staff(&local, ADMIN)).await;
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_longer_than_a_page_says_so_and_leads_to_the_rest() {
    let (local, people) = desk_with(&["Ivan Example"; 3], |_| {}).await;
    let control = local.directory.path().join("control");
    let names: Vec<Listed> = (0..20)
        .map(|number| Listed { entry: format!("N{number:02}"), name: "Ivan Example".to_owned() })
        .collect();
    ask_to_import(&control, "one", &names, false).await.unwrap();
    let mut compliance = Browser::of_staff(&local, COMPLIANCE);
    until(&mut compliance, "/operator/screening?page=1", "Shown are 51 to 60.").await;
    let entries = |page: &str| page.matches("action=\"/operator/screening/").count();
    let first = compliance.page("/operator/screening").await;
    assert!(first.contains("Shown are 1 to 50; there are more."), "{first}");
    assert_eq!(entries(&first), 50);
    let second = compliance.page("/operator/screening?page=1").await;
    assert!(second.contains("Shown are 51 to 60.") && second.contains("?page=0"), "{second}");
    assert_eq!(entries(&second), 10);
    let id = &second.split("action=\"/operator/screening/").nth(1).unwrap()[..32];
    let path = format!("/operator/screening/{id}");
    let (_, _, again) =
        compliance.send(&path, &[("what", "clear"), ("reason", " "), ("page", "1")]).await;
    assert!(again.contains("The reason cannot be used") && again.contains("51 to 60"), "{again}");
    let (_, to, _) =
        compliance.send(&path, &[("what", "clear"), ("reason", "no"), ("page", "1")]).await;
    assert!(to.ends_with("done=cleared&page=1"), "{to}");
    assert!(compliance.page("/operator/screening?page=9999999").await.contains("Nothing is left"));
    assert_ne!(compliance.look("/operator/screening?page=-1").await.0, StatusCode::OK);
    // What staff did about somebody goes back further than a page, too.
    for _ in 0..60 {
        compliance.page(&looked_at(people[0])).await;
    }
    let page = compliance.page(&looked_at(people[0])).await;
    let older = page.split("&amp;before=").nth(1).or_else(|| page.split("&#38;before=").nth(1));
    let before = older.unwrap_or_else(|| panic!("no older: {page}")).split('#').next().unwrap();
    let page = compliance.page(&format!("{}&before={before}", looked_at(people[0]))).await;
    assert!(!page.contains("before=") && page.contains("person-seen"), "the rest: {page}");
    local.stop().await;
}

/// Somebody who finds everybody called Grace.
struct Outside;

impl Screener for Outside {
    fn alike(&self, name: &Name) -> Result<Vec<Alike>, ScreenerError> {
        let likeness = Likeness::new(900).expect("at most 1000");
        let alike = Alike {
            list: "theirs".to_owned(),
            entry: "77".to_owned(),
            name: "GRACE".to_owned(),
            likeness,
        };
        Ok(if name.as_str().starts_with("Grace") { vec![alike] } else { Vec::new() })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_screener_takes_the_place_of_the_lists() {
    let names = ["Ada Lovelace", "Grace Hopper"];
    let (local, _) = desk_with(&names, |parts| parts.screener = Some(Arc::new(Outside))).await;
    let mut compliance = Browser::of_staff(&local, COMPLIANCE);
    until(&mut compliance, "/operator/screening", "Grace Hopper").await;
    let page = compliance.page("/operator/screening").await;
    assert!(page.contains("theirs 77") && page.contains("90 %") && !page.contains("Ada"), "{page}");
    local.stop().await;
}

async fn complain(browser: &mut Browser, nonce: &str, text: &str) -> (StatusCode, String, String) {
    browser
        .send("/portal/complaints", &[("nonce", nonce), ("topic", "account"), ("text", text)])
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_has_a_number_a_deadline_and_an_answer() {
    let (local, people) = desk_with(&["Ada", "Grace"], |_| {}).await;
    let mut own = people[0].browser(&local);
    assert!(own.page("/portal/complaints").await.contains("within 15 business days"));
    let nonce = "ab".repeat(16);
    let long = "x".repeat(4001);
    for text in ["", long.as_str()] {
        let (status, _, page) = complain(&mut own, &nonce, text).await;
        assert!(status == StatusCode::OK && page.contains("cannot be used"), "{page}");
    }
    assert_eq!(complain(&mut own, "short", "why").await.0, StatusCode::BAD_REQUEST);
    for _ in 0..2 {
        let (status, to, _) = complain(&mut own, &nonce, "Why am I <frozen>?\r\nI am not.").await;
        assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/portal/complaints?done=1"));
    }
    let page = own.page("/portal/complaints?done=1").await;
    assert!(
        page.contains("Your complaint has number 1") && page.contains("An answer is due by"),
        "{page}"
    );
    let mut other = people[1].browser(&local);
    let page = other.page("/portal/complaints?done=1").await;
    assert!(
        !page.contains("has number") && !page.contains("frozen&#62;"),
        "others see nothing: {page}"
    );
    let mut compliance = Browser::of_staff(&local, COMPLIANCE);
    let mut teller = Browser::of_staff(&local, TELLER);
    assert_eq!(
        Browser::of_staff(&local, ADMIN).look("/operator/complaints").await.0,
        StatusCode::FORBIDDEN
    );
    let queue = teller.page("/operator/complaints").await;
    assert!(queue.contains("15 business days") && !queue.contains("Ada"), "{queue}");
    let path = "/operator/complaints/1";
    let page = teller.page(path).await;
    assert!(
        page.contains("Ada") && page.contains("&#60;frozen&#62;") && !page.contains("<textarea"),
        "{page}"
    );
    assert_eq!(
        teller.send(path, &[("what", "answer"), ("text", "no")]).await.0,
        StatusCode::FORBIDDEN
    );
    let (status, _, page) = compliance.send(path, &[("what", "answer"), ("text", " ")]).await;
    assert!(status == StatusCode::OK && page.contains("cannot be used"), "{page}");
    let (_, to, _) =
        compliance.send(path, &[("what", "hold"), ("text", "A bank has to answer us.")]).await;
    assert!(to.ends_with("done=held"), "{to}");
    let page = own.page("/portal/complaints").await;
    assert!(page.contains("A bank has to answer us."), "{page}");
    assert!(compliance.page("/operator/complaints").await.contains("35 business days"));
    for _ in 0..2 {
        let answer = [("what", "answer"), ("text", "You were right.")];
        assert_eq!(compliance.send(path, &answer).await.0, StatusCode::SEE_OTHER, "a second click");
    }
    let (status, _, page) =
        compliance.send(path, &[("what", "answer"), ("text", "You were wrong.")]).await;
    assert!(status == StatusCode::OK && page.contains("Not sent: a colleague"), "{page}");
    let page = own.page("/portal/complaints").await;
    assert!(page.contains("You were right.") && !page.contains("You were wrong."), "{page}");
    assert!(compliance.page("/operator/complaints").await.contains("No complaint waits"));
    assert_eq!(compliance.look("/operator/complaints/9").await.0, StatusCode::NOT_FOUND);
    let metrics = Client::new(local.address()).method(hyper::Method::GET, "/metrics", &[]).await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    assert!(metrics.contains("\ntacit_complaints_overdue 0\n"), "{metrics}");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_answered_in_time_is_counted_and_nothing_more() {
    let (local, people) = desk_with(&["Ada"], |_| {}).await;
    let mut own = people[0].browser(&local);
    assert_eq!(
        complain(&mut own, &"cd".repeat(16), "Nobody hears me.").await.0,
        StatusCode::SEE_OTHER
    );
    let mut client = Client::new(local.address());
    let ahead = serde_json::json!({ "advance_days": 40 });
    assert_eq!(client.post("/demo/clock", &ahead).await.status, StatusCode::OK);
    let local = Local::on(local.stop().await, |_| {}, |_| {}).await;
    let mut client = Client::new(local.address());
    for _ in 0..400 {
        let metrics = client.method(hyper::Method::GET, "/metrics", &[]).await;
        let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
        assert!(!metrics.contains("Ada") && !metrics.contains("hears"), "{metrics}");
        if metrics.contains("\ntacit_complaints_overdue 1\n") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing is overdue after forty days");
}
