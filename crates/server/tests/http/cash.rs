//! Cash at agents over HTTP: codes, second clicks, races, guesses, fees, cards, and who may take agents in.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tacit_core::time::Timestamp;
use tacit_core::unit::Unit;
use tacit_server::config::agent::Fees;
use tacit_server::server::Parts;
use tacit_service::account::{AccountId, Holder, HolderKind, HolderState, Level};
use tacit_service::desk::agent::{Agent, AgentState, AgentTakenIn};
use tacit_service::desk::cash::{Cash, CashHash, CashKind, CashState};
use tacit_service::desk::identification::{CaseId, Document, Seen, Sighting};
use tacit_service::desk::judgement::{DecisionId, Judgement};
use tacit_service::desk::person::{KycLevel, Name};
use tacit_service::desk::staff::Role;
use tacit_service::desk::trail::{Action, Deed};
use tacit_service::desk::{DeskStore, Owner};
use tacit_service::fee::Fee;
use tacit_service::posting::{Assignee, EntryId, FactId, Posted, Posting, Source};
use tacit_service::vault::{Change, Outcome};

use crate::support::client::Client;
use crate::support::console::{Browser, Somebody, person, staff};
use crate::support::local::Local;
use crate::support::till::now;

pub(crate) const TELLER: u8 = 101;
pub(crate) const COMPLIANCE: u8 = 102;

/// A demo with Anna, who has 100.00, and two agents with floats of 1000.00.
pub(crate) struct Town {
    pub(crate) local: Local,
    pub(crate) anna: Browser,
    pub(crate) anna_is: Somebody,
    pub(crate) kiosk: Browser,
    pub(crate) kiosk_is: Somebody,
    pub(crate) bakery: Browser,
}

/// A document of somebody was seen, and a level set by it.
fn identify(store: &mut dyn DeskStore, of: Somebody, number: u8) {
    let (case, number) = (CaseId::from_bytes([number; 16]), [number; 32]);
    let document = Document::Passport;
    let seen = Sighting { person: of.id, case, number, document, by: None, now: now() };
    assert_eq!(store.see_document(&seen).unwrap(), Seen::Done);
    let deed = Deed::about(now(), None, Action::LevelSet, Owner::Person(of.id));
    let (level, decision) =
        (Judgement::Level(KycLevel::Identified), DecisionId::from_bytes(of.id.bytes()));
    assert!(store.judge(of.id, level, decision, &deed).unwrap());
}

fn agent(parts: &mut Parts, of: Somebody, number: u8, name: &str) {
    let account = AccountId::from_random([number; 8]);
    let usd = Unit::new("usd").unwrap();
    let taken_in = Agent {
        account,
        name: Name::new(name).unwrap(),
        owner: of.id,
        unit: usd,
        opened: now().day(),
        state: AgentState::Working,
        is_in_vault: false,
    };
    let deed = Deed::about(now(), None, Action::AgentTakenIn, Owner::Person(of.id));
    identify(parts.desk[0].as_mut(), of, number);
    let done = parts.desk[0].take_in_agent(&taken_in, &deed).unwrap();
    assert_eq!(done, AgentTakenIn::Done);
    let level = Level::new(Level::MAX).unwrap();
    let (kind, state) = (HolderKind::Agent, HolderState::Open);
    let entry = EntryId::from_bytes([number; 32]);
    let to = Assignee::Holder { holder: account, limits: None, source: Source::Own };
    let batch = [
        Change::OpenHolder(Holder { id: account, kind, level, state, key: None }),
        Change::Post(Posting::Arrived { entry, unit: usd, amount: 100_000 }),
        Change::Post(Posting::Assign { entry, unit: usd, to }),
    ];
    parts.store.commit(&batch, now()).unwrap();
}

pub(crate) async fn town(fees: Fees) -> Town {
    let mut people = Vec::new();
    let local = Local::with(
        |config| {
            config.bounds.receipt_delay = Duration::from_secs(3600);
            config.units[0].fees = fees;
        },
        |parts| {
            let store = parts.desk[0].as_mut();
            staff(store, TELLER, Role::Teller);
            staff(store, COMPLIANCE, Role::Compliance);
            for (number, name) in [(1, "Anna Apfel"), (2, "Kim"), (3, "Bo")] {
                people.push(person(store, number, name));
            }
            agent(parts, people[1], 22, "Corner Kiosk");
            agent(parts, people[2], 33, "Bakery");
        },
    )
    .await;
    let mut anna = people[0].browser(&local);
    until(&mut anna, "/portal", "0.00 USD").await;
    assert_eq!(anna.send("/portal/demo-money", &[]).await.0, StatusCode::SEE_OTHER);
    let (kiosk, bakery) = (people[1].browser(&local), people[2].browser(&local));
    Town { local, anna, anna_is: people[0], kiosk, kiosk_is: people[1], bakery }
}

pub(crate) async fn until(browser: &mut Browser, path: &str, said: &str) {
    for _ in 0..400 {
        if browser.look(path).await.1.contains(said) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{path} did not say {said:?} within ten seconds");
}

/// What stands in a page between two texts.
pub(crate) fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let rest = page.split(before).nth(1).unwrap_or_else(|| panic!("no {before}: {page}"));
    rest.split(after).next().unwrap()
}

fn field<'a>(page: &'a str, name: &str) -> &'a str {
    between(page, &format!("name=\"{name}\" value=\""), "\"")
}

fn code_in(page: &str) -> String {
    between(page, "<p class=\"amount\"><code>", "<").to_owned()
}

async fn nonce(browser: &mut Browser, path: &str) -> String {
    field(&browser.page(path).await, "nonce").to_owned()
}

/// Anna asks for cash, twice with one form, and reads her code.
pub(crate) async fn ask_out(anna: &mut Browser, amount: &str) -> String {
    let sure = anna.page(&format!("/portal/cash?unit=usd&amount={amount}")).await;
    let nonce = field(&sure, "nonce").to_owned();
    let fields = [("unit", "usd"), ("amount", amount), ("nonce", nonce.as_str())];
    for _ in 0..2 {
        let (status, to, page) = anna.send("/portal/cash/out", &fields).await;
        assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/portal/cash"), "{page}");
    }
    code_in(&anna.page("/portal/cash").await)
}

async fn ask_in(anna: &mut Browser) -> String {
    let nonce = nonce(anna, "/portal/cash").await;
    let (status, _, _) = anna.send("/portal/cash/in", &[("nonce", &nonce)]).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    code_in(&anna.page("/portal/cash").await)
}

/// An agent types a code, and for cash that comes in an amount: what the page says.
pub(crate) async fn look(agent: &mut Browser, code: &str, amount: &str) -> (StatusCode, String) {
    let nonce = nonce(agent, "/agent").await;
    let fields = [("code", code), ("nonce", nonce.as_str()), ("amount", amount)];
    let (status, _, page) = agent.send("/agent/code", &fields).await;
    (status, page)
}

/// An agent confirms what a page shows: where that leads, and what it says.
pub(crate) async fn confirm(
    agent: &mut Browser,
    page: &str,
    amount: &str,
) -> (StatusCode, String, String) {
    let (code, nonce, deal) = (field(page, "code"), field(page, "nonce"), field(page, "deal"));
    let fields = [("code", code), ("nonce", nonce), ("deal", deal), ("amount", amount)];
    agent.send("/agent/deal", &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_is_given_for_a_code_once() {
    let mut town = town(Fees::default()).await;
    let code = ask_out(&mut town.anna, "60").await;
    assert!(town.anna.page("/portal").await.contains("40.00 USD"), "set aside, and once");
    let typed = code.replace(' ', "-").to_lowercase();
    let (status, shown) = look(&mut town.kiosk, &typed, "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(shown.contains("Pay out 60.00 USD in cash?"), "{shown}");
    let account = town.anna_is.account.to_string();
    assert!(!shown.contains("Anna") && !shown.contains(&account), "the agent learns no more");
    let (status, receipt, _) = confirm(&mut town.kiosk, &shown, "").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let page = town.kiosk.page(&receipt).await;
    assert!(page.contains("Hand over 60.00 USD in cash"), "{page}");
    let number = between(&page, "<dd><code>", "<").to_owned();
    let (status, again, _) = confirm(&mut town.kiosk, &shown, "").await;
    assert_eq!((status, &again), (StatusCode::SEE_OTHER, &receipt), "the second click");
    let till = town.kiosk.page("/agent").await;
    assert!(till.contains("1060.00 USD") && till.contains("60.00 USD given, 0.00 USD taken"));
    let (status, page) = look(&mut town.bakery, &code, "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("No code is called so") && page.contains(&code), "what was typed stays");
    let (status, page) = town.bakery.look(&receipt).await;
    assert!(
        status == StatusCode::OK && !page.contains("60.00"),
        "another agent's deal is not its own"
    );

    let page = town.anna.page("/portal/cash").await;
    assert!(page.contains(&number) && page.contains("Cash given to you"), "{page}");
    let path = between(&page, "<a href=\"/portal/cash/receipt/", "\"").to_owned();
    let page = town.anna.page(&format!("/portal/cash/receipt/{path}")).await;
    assert!(page.contains("Corner Kiosk gave you 60.00 USD in cash."), "{page}");
    let (status, _) = town.kiosk.look(&format!("/portal/cash/receipt/{path}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "a receipt is its owner's");
    assert!(town.kiosk.page("/agent/statement").await.contains("Cash given"));
    town.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_agents_at_once_one_gives_cash() {
    let mut town = town(Fees::default()).await;
    let code = ask_out(&mut town.anna, "60").await;
    let (_, one) = look(&mut town.kiosk, &code, "").await;
    let (_, other) = look(&mut town.bakery, &code, "").await;
    let (first, second) =
        tokio::join!(confirm(&mut town.kiosk, &one, ""), confirm(&mut town.bakery, &other, ""));
    let mut won = 0;
    for (agent, (status, receipt, page)) in [(&mut town.kiosk, first), (&mut town.bakery, second)] {
        let till = agent.page("/agent").await;
        if status == StatusCode::SEE_OTHER {
            won += 1;
            assert!(agent.page(&receipt).await.contains("Hand over 60.00 USD in cash"));
            assert!(till.contains("1060.00 USD"));
        } else {
            assert!(page.contains("Give no cash for it"), "{page}");
            assert!(till.contains("1000.00 USD"));
        }
    }
    assert_eq!(won, 1);
    town.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_was_called_off_is_worth_nothing_and_the_money_is_back() {
    let fees = Fees { cash_out: Fee::new(100, 50).unwrap(), ..Fees::default() };
    let mut town = town(fees).await;
    let sure = town.anna.page("/portal/cash?unit=usd&amount=60").await;
    assert!(sure.contains("The fee is 1.30 USD."), "{sure}");
    let code = ask_out(&mut town.anna, "60").await;
    assert!(town.anna.page("/portal").await.contains("38.70 USD"));
    let (_, shown) = look(&mut town.kiosk, &code, "").await;
    let page = town.anna.page("/portal/cash").await;
    let id = field(&page, "id").to_owned();
    for _ in 0..2 {
        let (status, to, _) = town.anna.send("/portal/cash/call-off", &[("id", &id)]).await;
        assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/portal/cash?done=called-off"));
    }
    assert!(town.anna.page("/portal").await.contains("100.00 USD"), "with its fee");
    let (status, _, page) = confirm(&mut town.kiosk, &shown, "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("Give no cash for it"), "{page}");

    let code = ask_out(&mut town.anna, "60").await;
    // Whether its owner calls off what an agent has not confirmed is nobody else's to do.
    let id = field(&town.anna.page("/portal/cash").await, "id").to_owned();
    town.kiosk.send("/portal/cash/call-off", &[("id", &id)]).await;
    assert!(town.anna.page("/portal/cash").await.contains(&code));
    town.local.stop().await;
}

/// What a process that died left behind, a hold whose time is over, is given back before anything else.
#[tokio::test(flavor = "multi_thread")]
async fn what_expired_while_nobody_was_there_is_given_back_at_the_start() {
    let town = town(Fees::default()).await;
    let (unit, holder) = (Unit::new("usd").unwrap(), town.anna_is.account);
    let hold = FactId::from_bytes([7; 16]);
    let cash = Cash {
        id: hold,
        kind: CashKind::Out,
        account: holder,
        unit: Some(unit),
        amount: 6000,
        fee: 100,
        code: Some(CashHash::from_bytes([7; 32])),
        expires: Timestamp::from_seconds(now().seconds() - 60),
        state: CashState::Ready,
        agent: None,
        day: None,
    };
    let directory = town.local.stop().await;
    let change = |parts: &mut Parts| {
        assert!(parts.desk[0].ask_cash(&cash).unwrap());
        let held = Posting::Hold { hold, holder, unit, amount: 6000, fee: 100, limits: None };
        let outcome = parts.store.commit(&[Change::Post(held)], now()).unwrap();
        assert_eq!(outcome, [Outcome::Posted(Ok(Posted::Now))]);
    };
    let local = Local::on(directory, |_| {}, change).await;
    let mut anna = town.anna_is.browser(&local);
    until(&mut anna, "/portal", "100.00 USD").await;
    assert!(anna.page("/portal/cash").await.contains("You have no code just now."));
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_comes_in_for_a_code_once_with_its_fee_and_within_the_limits() {
    let fees = Fees { cash_in: Fee::new(0, 100).unwrap(), ..Fees::default() };
    let mut town = town(fees).await;
    let code = ask_in(&mut town.anna).await;
    let (status, page) = look(&mut town.kiosk, &code, "").await;
    assert!(status == StatusCode::OK && page.contains("How much, in USD?"), "{page}");
    assert!(!page.contains("Anna") && !page.contains(&town.anna_is.account.to_string()));
    for bad in ["0", "-1", "1.234", "ten", "99999999999999999999"] {
        let (status, page) = look(&mut town.kiosk, &code, bad).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        assert!(page.contains("cannot be read") && page.contains(bad), "{bad}: {page}");
    }
    for (amount, said) in
        [("1000.01", "Your float does not hold as much"), ("400.01", "more would come in")]
    {
        let (_, sure) = look(&mut town.kiosk, &code, amount).await;
        let (status, _, page) = confirm(&mut town.kiosk, &sure, amount).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{amount}");
        assert!(page.contains(said) && page.contains(amount), "{amount}: {page}");
    }
    let (_, sure) = look(&mut town.kiosk, &code, "20").await;
    assert!(sure.contains("19.80 USD goes to the account; the fee is 0.20 USD."), "{sure}");
    let (status, receipt, page) = confirm(&mut town.kiosk, &sure, "20").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let (status, again, _) = confirm(&mut town.kiosk, &sure, "20").await;
    assert_eq!((status, &again), (StatusCode::SEE_OTHER, &receipt));
    assert!(town.kiosk.page(&receipt).await.contains("20.00 USD taken in cash"));
    let file = town.kiosk.page("/agent/statement.csv").await;
    assert!(file.starts_with("day,kind,amount,currency\r\n"), "{file}");
    assert!(file.contains(",\"Cash taken\",-20.00,USD\r\n"), "{file}");
    assert_eq!(town.anna.look("/agent/statement.csv").await.0, StatusCode::NOT_FOUND, "no agent's");
    assert!(town.kiosk.page("/agent").await.contains("980.00 USD"));
    assert!(town.anna.page("/portal").await.contains("119.80 USD"));
    assert!(town.anna.page("/portal/statement").await.contains("Fee"));
    let (_, page) = look(&mut town.bakery, &code, "20").await;
    assert!(page.contains("No code is called so"), "one code, one payment: {page}");
    assert!(town.anna.page("/fees").await.contains("1 %"));
    town.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_codes_is_stopped_and_nobody_else() {
    let mut town = town(Fees::default()).await;
    let code = ask_out(&mut town.anna, "60").await;
    let (status, page) = look(&mut town.kiosk, "7K2M9", "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("it has ten letters and digits"), "what is no code is no guess: {page}");
    for number in 0..20 {
        let guess = format!("00000 000{number:02}");
        let (status, page) = look(&mut town.kiosk, &guess, "").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    }
    let (status, page) = look(&mut town.kiosk, &code, "").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "the right one is of no use now");
    assert!(page.contains("Too many wrong codes"), "{page}");
    let id = "0".repeat(32);
    let nonce = nonce(&mut town.kiosk, "/agent").await;
    let fields = [("code", code.as_str()), ("nonce", &nonce), ("deal", &id)];
    let (status, _, _) = town.kiosk.send("/agent/deal", &fields).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "nor is the other door open");
    assert_eq!(look(&mut town.bakery, &code, "").await.0, StatusCode::OK);
    town.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_tried_at_once_are_counted_as_those_tried_one_after_another() {
    let town = town(Fees::default()).await;
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..40 {
        let mut kiosk = town.kiosk_is.browser(&town.local);
        tries.spawn(async move { look(&mut kiosk, &format!("00000 000{number:02}"), "").await.0 });
    }
    let told = tries.join_all().await;
    let unknown = told.iter().filter(|status| **status == StatusCode::UNPROCESSABLE_ENTITY).count();
    let refused = told.iter().filter(|status| **status == StatusCode::TOO_MANY_REQUESTS).count();
    assert_eq!((unknown, refused), (20, 20), "{told:?}");
    town.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_refused_in_words() {
    let mut town = town(Fees::default()).await;
    for (amount, status, said) in [
        ("100.01", StatusCode::OK, "does not hold as much"),
        ("nothing", StatusCode::OK, "cannot be read"),
    ] {
        let nonce = nonce(&mut town.anna, "/portal/cash").await;
        let fields = [("unit", "usd"), ("amount", amount), ("nonce", nonce.as_str())];
        let (found, _, page) = town.anna.send("/portal/cash/out", &fields).await;
        assert_eq!(found, status, "{page}");
        assert!(page.contains(said) && page.contains(amount), "{page}");
    }
    for _ in 0..5 {
        ask_out(&mut town.anna, "1").await;
    }
    let nonce = nonce(&mut town.anna, "/portal/cash").await;
    let fields = [("unit", "usd"), ("amount", "1"), ("nonce", nonce.as_str())];
    let (_, _, page) = town.anna.send("/portal/cash/out", &fields).await;
    assert!(page.contains("five codes for cash already"), "{page}");
    assert!(town.anna.page("/portal").await.contains("95.00 USD"), "nothing was taken for it");
    // An agent's own code, and whoever is none.
    let own = {
        let nonce = field(&town.kiosk.page("/portal/cash").await, "nonce").to_owned();
        town.kiosk.send("/portal/cash/in", &[("nonce", &nonce)]).await;
        code_in(&town.kiosk.page("/portal/cash").await)
    };
    assert!(look(&mut town.kiosk, &own, "").await.1.contains("of an account of your own"));
    let (status, page) = town.anna.look("/agent").await;
    assert!(status == StatusCode::NOT_FOUND && page.contains("You are no agent"), "{page}");
    assert_eq!(town.anna.send("/agent/code", &[("code", "x"), ("nonce", "x")]).await.0, 404);
    let forged = town.kiosk.send_with("/agent/deal", &[("code", "x")], &"0".repeat(64)).await;
    assert_eq!(forged.0, StatusCode::FORBIDDEN);
    town.local.stop().await;
}

/// A teller looks at a document of somebody's, and compliance sets the level.
async fn set_level(local: &Local, of: Somebody, level: &str) {
    let path = format!("/operator/people/{}", of.id);
    let number = format!("NUMBER{}", of.account);
    let seen =
        [("why", "served"), ("document", "passport"), ("country", "DE"), ("number", &number)];
    let mut teller = Browser::of_staff(local, TELLER);
    let (status, _, page) = teller.send(&format!("{path}/document"), &seen).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let set = [("why", "identification"), ("level", level), ("reason", "seen")];
    let mut compliance = Browser::of_staff(local, COMPLIANCE);
    let (_, to, page) = compliance.send(&format!("{path}/level"), &set).await;
    assert!(to.ends_with("done=level"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn compliance_takes_agents_in_and_stops_them_and_a_teller_looks() {
    let mut town = town(Fees::default()).await;
    let (mut teller, mut compliance) =
        (Browser::of_staff(&town.local, TELLER), Browser::of_staff(&town.local, COMPLIANCE));
    let page = teller.page("/operator/agents").await;
    assert!(page.contains("Corner Kiosk") && !page.contains("/operator/agents/add"), "{page}");
    let account = town.anna_is.account.to_string();
    let fields = [("account", account.as_str()), ("name", "Anna's"), ("unit", "usd")];
    assert_eq!(teller.send("/operator/agents/add", &fields).await.0, StatusCode::FORBIDDEN);
    let forged = compliance.send_with("/operator/agents/add", &fields, &"0".repeat(64)).await;
    assert_eq!(forged.0, StatusCode::FORBIDDEN);
    for (bad, said) in [
        ([("account", "000000000000"), ("name", "Anna's"), ("unit", "usd")], "No open account"),
        ([("account", account.as_str()), ("name", " "), ("unit", "usd")], "cannot be used"),
        ([("account", account.as_str()), ("name", "Anna's"), ("unit", "zzz")], "not served"),
    ] {
        let (status, _, page) = compliance.send("/operator/agents/add", &bad).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains(said) && page.contains(bad[0].1), "{said}: {page}");
    }
    let (status, _, page) = compliance.send("/operator/agents/add", &fields).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("Nobody knows yet who this person is"), "{page}");
    set_level(&town.local, town.anna_is, "1").await;
    assert_eq!(compliance.send("/operator/agents/add", &fields).await.0, StatusCode::SEE_OTHER);
    let (status, _, page) = compliance.send("/operator/agents/add", &fields).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("is an agent already"), "{page}");
    assert!(town.anna.page("/agent").await.contains("0.00 USD"), "she has a till, and its float");
    set_level(&town.local, town.anna_is, "0").await;
    let page = town.anna.page("/agent").await;
    assert!(page.contains("until the operator knows who you are"), "{page}");
    assert!(!page.contains("/agent/code"), "whoever is unknown again works no more: {page}");
    set_level(&town.local, town.anna_is, "1").await;

    let kiosk = AccountId::from_random([22; 8]).to_string();
    let stop = [("account", kiosk.as_str()), ("what", "stop")];
    assert_eq!(teller.send("/operator/agents/change", &stop).await.0, StatusCode::FORBIDDEN);
    let code = ask_out(&mut town.anna, "10").await;
    let (_, shown) = look(&mut town.kiosk, &code, "").await;
    for _ in 0..2 {
        assert_eq!(compliance.send("/operator/agents/change", &stop).await.0, 303);
    }
    let (status, _, page) = confirm(&mut town.kiosk, &shown, "").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("You may not take or give cash"), "{page}");
    let till = town.kiosk.page("/agent").await;
    assert!(till.contains("1000.00 USD") && !till.contains("/agent/code"), "{till}");
    let resume = [("account", kiosk.as_str()), ("what", "resume")];
    assert_eq!(compliance.send("/operator/agents/change", &resume).await.0, 303);
    assert_eq!(confirm(&mut town.kiosk, &shown, "").await.0, StatusCode::SEE_OTHER);
    let trail = compliance.page("/operator/trail").await;
    for (action, count) in [("agent-taken-in", 3), ("agent-stopped", 1), ("agent-resumed", 1)] {
        assert_eq!(trail.matches(action).count(), count, "{action}: {trail}");
    }
    town.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_opened_at_an_agent_is_paid_into_with_its_card_and_made_ones_own_with_its_link()
{
    let mut town = town(Fees::default()).await;
    let nonce = nonce(&mut town.kiosk, "/agent/open").await;
    let fields = [("name", ""), ("nonce", nonce.as_str())];
    let (status, _, card) = town.kiosk.send("/agent/open", &fields).await;
    assert_eq!(status, StatusCode::OK, "{card}");
    let (code, link) = (code_in(&card), between(&card, "<p><code>", "<").to_owned());
    let (_, _, again) = town.kiosk.send("/agent/open", &fields).await;
    assert_eq!((code_in(&again), between(&again, "<p><code>", "<")), (code.clone(), link.as_str()));
    // Any agent takes cash for it, more than once; each form once.
    for (agent, amount) in [(&mut town.bakery, "15"), (&mut town.kiosk, "5")] {
        let (_, sure) = look(agent, &code, amount).await;
        let (status, receipt, page) = confirm(agent, &sure, amount).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        assert_eq!(confirm(agent, &sure, amount).await.1, receipt, "the second click");
    }
    assert!(town.bakery.page("/agent").await.contains("985.00 USD"));
    let (_, sure) = look(&mut town.bakery, &code, "480.01").await;
    let (_, _, page) = confirm(&mut town.bakery, &sure, "480.01").await;
    assert!(page.contains("more would come in"), "the limits of level 0: {page}");
    // The link leads to a passkey.
    let secret = link.split('#').nth(1).unwrap();
    let port = town.local.address().port();
    let request = Request::builder()
        .method(Method::POST)
        .uri("/invitation/begin")
        .header("host", format!("desk.localhost:{port}"))
        .header("origin", format!("http://desk.localhost:{port}"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(json!({"code": secret, "label": "phone"}).to_string())))
        .unwrap();
    let question: Value = Client::new(town.local.address()).send(request).await.unwrap().ok();
    assert!(question.to_string().contains("Account opened at a shop"), "{question}");
    town.local.stop().await;
}
