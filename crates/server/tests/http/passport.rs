//! The passport desk over HTTP: one passport an account, months, income, what is found again, and what is refused.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tacit_core::secret::Secret;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::{Event, Passport};
use tacit_credit::passport::message::Request;
use tacit_credit::passport::standing::INCOME_MAX;
use tacit_credit::passport::wire::{Bucket, Enrolment, Income, Info};

use crate::support::client::Answer;
use crate::support::passport::{Traveller, ask, code, code_of, enrolment, passport};
use crate::support::till::Till;

const REFUSED: u32 = 40_000;
const MONTH: u32 = 40_002;
const SHOWN: u32 = 40_003;
const PROOF: u32 = 40_004;
const CODE: u32 = 40_006;
const OTHER_WALLET: u32 = 40_007;

async fn advance(till: &mut Till, days: u64) -> Epoch {
    till.client.post("/demo/clock", &json!({"advance_days": days})).await.ok::<Value>();
    till.client.get("/v1/passport").await.ok::<Info>().month
}

/// Into the next month, at its beginning or in its middle.
async fn next_month(till: &mut Till) -> Epoch {
    let before = till.client.get("/v1/passport").await.ok::<Info>().month;
    loop {
        let month = advance(till, 1).await;
        if month != before {
            return month;
        }
    }
}

async fn income(till: &mut Till, method: Method, access: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {access}");
    let path = "/api/v1/passport/income";
    till.desk(method, path, &[("authorization", &bearer)], body.to_owned()).await
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_for_one_wallet_and_an_account_has_one_passport() {
    let mut till = Till::open().await;
    let ada = Traveller::new(&mut till.client, 1).await;
    let other = Traveller::new(&mut till.client, 2).await;
    let portal = text(&till.own_page("/portal/passport").await);
    assert!(portal.contains("Take a code") && !portal.contains("The words are lost"), "{portal}");

    enrolment(&mut till, Method::GET, &"7".repeat(32), "").await.refused(CODE);
    enrolment(&mut till, Method::GET, "", "").await.refused(CODE);
    let answer = enrolment(&mut till, Method::PUT, "", "").await;
    assert_eq!((answer.status, answer.refusal()), (StatusCode::METHOD_NOT_ALLOWED, 10_000));
    let code = code(&mut till).await;
    let terms: Enrolment = enrolment(&mut till, Method::GET, &code, "").await.ok();
    assert_eq!((terms.month, terms.since), (ada.info.month, ada.info.month));
    // What is no request is refused, and the code counts as before.
    for body in ["", "{}", "[]", r#"{"request":"","sealed":"","access":""}"#] {
        enrolment(&mut till, Method::POST, &code, body).await.refusal();
    }
    let older = Enrolment { since: Epoch::new(terms.since.number() - 24).unwrap(), ..terms };
    let forged = ada.wish(&older).to_string();
    enrolment(&mut till, Method::POST, &code, &forged).await.refused(REFUSED);

    let wish = ada.wish(&terms).to_string();
    let first = text(&enrolment(&mut till, Method::POST, &code, &wish).await);
    let again = text(&enrolment(&mut till, Method::POST, &code, &wish).await);
    assert_eq!(first, again, "the same bytes get the same passport");
    // The same wallet asks for a second one, and so does another.
    let second = ada.wish(&terms).to_string();
    enrolment(&mut till, Method::POST, &code, &second).await.refused(SHOWN);
    let others = other.wish(&terms).to_string();
    enrolment(&mut till, Method::POST, &code, &others).await.refused(OTHER_WALLET);
    let portal = text(&till.own_page("/portal/passport").await);
    assert!(portal.contains("Your wallet has it") && !portal.contains("Take a"), "{portal}");

    advance(&mut till, 1).await;
    enrolment(&mut till, Method::GET, &code, "").await.refused(CODE);
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_begins_again_waits_and_the_wallet_before_asks_for_no_more() {
    let mut till = Till::open().await;
    let ada = Traveller::new(&mut till.client, 1).await;
    let code = code(&mut till).await;
    ada.enrol(&mut till, &code).await;
    income(&mut till, Method::GET, &ada.access, "").await.ok::<Income>();

    let unsure = till.own_form("/portal/passport/again", &[("number", "1")]).await;
    assert!(text(&unsure).contains("mark first"), "{}", text(&unsure));
    let sure = [("number", "1"), ("sure", "yes")];
    code_of(till.own_form("/portal/passport/again", &sure).await);
    let code = code_of(till.own_form("/portal/passport/again", &sure).await); // A second click.
    let terms: Enrolment = enrolment(&mut till, Method::GET, &code, "").await.ok();
    assert_eq!(terms.since.number(), terms.month.number() + 24);
    income(&mut till, Method::GET, &ada.access, "").await.refused(CODE);
    let other = Traveller::new(&mut till.client, 2).await;
    let forged = Enrolment { since: terms.month, ..terms };
    let forged = other.wish(&forged).to_string();
    enrolment(&mut till, Method::POST, &code, &forged).await.refused(REFUSED);
    let held = other.enrol(&mut till, &code).await;
    assert_eq!(held.standing().since, terms.since);
    till.local.stop().await;
}

/// The whole bucket of a passport, page by page.
async fn bucket_of(till: &mut Till, bucket: u16) -> Bucket {
    let found: Bucket = till.client.get(&format!("/v1/passport/answers/{bucket}")).await.ok();
    assert_eq!(found.next, None);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_closed_once_and_a_lost_reply_is_found_again() {
    let mut till = Till::open().await;
    let ada = Traveller::new(&mut till.client, 1).await;
    let code = code(&mut till).await;
    let held = ada.enrol(&mut till, &code).await;
    let receipts =
        [ada.blank(&mut till.client, &held).await, ada.blank(&mut till.client, &held).await];
    let event = Event::Tick { receipts: &receipts };
    let tick = ada.pending(&held, event);
    till.client.post("/v1/passport/tick", &ask(&tick)).await.refused(MONTH);
    next_month(&mut till).await;
    let answer = till.client.post("/v1/passport/tick", &ask(&tick)).await;
    let first = text(&answer);
    let closed = passport(ada.finish(&tick, answer));
    assert_eq!(closed.standing().epoch, held.standing().epoch.next().unwrap());
    assert_eq!(text(&till.client.post("/v1/passport/tick", &ask(&tick)).await), first);
    // The old passport again, with another request; and the new one, whose month is not over.
    let other = ada.pending(&held, event);
    till.client.post("/v1/passport/tick", &ask(&other)).await.refused(SHOWN);
    let early =
        [ada.blank(&mut till.client, &closed).await, ada.blank(&mut till.client, &closed).await];
    let early = ada.pending(&closed, Event::Tick { receipts: &early });
    till.client.post("/v1/passport/tick", &ask(&early)).await.refused(MONTH);

    let bucket = bucket_of(&mut till, tick.mark().bucket()).await;
    let found = bucket.answers.iter().find_map(|kept| {
        let key = ada.keys.last().unwrap();
        tick.finish(&kept.reply, key).ok().map(passport)
    });
    assert_eq!(found, Some(closed.clone()), "the reply is kept with what was sealed");
    assert!(bucket.answers.iter().all(|kept| kept.sealed == [1, 2, 3]));
    for wrong in ["65536", "x", "1?after=7", "1?after=7&after=7"] {
        till.client.get(&format!("/v1/passport/answers/{wrong}")).await.refused(10_000);
    }
    // A wallet that stayed away closes one month after another.
    next_month(&mut till).await;
    next_month(&mut till).await;
    let caught_up = ada.tick(&mut till.client, &closed).await;
    let caught_up = ada.tick(&mut till.client, &caught_up).await;
    assert_eq!(
        caught_up.standing().epoch,
        ada.info.month.next().unwrap().next().unwrap().next().unwrap()
    );
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_months_income_counts_once_in_the_month_after() {
    let mut till = Till::open().await;
    let ada = Traveller::new(&mut till.client, 1).await;
    let code = code(&mut till).await;
    let held = ada.enrol(&mut till, &code).await;
    let nothing: Income = income(&mut till, Method::GET, &ada.access, "").await.ok();
    assert_eq!((nothing.units, nothing.is_counted), (0, false));
    till.own_form("/portal/demo-money", &[("nonce", &"ab".repeat(16))]).await;
    let earned = ada.info.month;
    next_month(&mut till).await;
    let held = ada.tick(&mut till.client, &held).await;
    let may: Income = income(&mut till, Method::GET, &ada.access, "").await.ok();
    assert_eq!((may.of, may.month, may.is_counted), (earned, held.standing().epoch, false));
    assert_eq!(may.units, 10, "a hundred dollars, ten to a unit");

    let more = ada.pending(&held, Event::Income { units: may.units + 1 });
    income(&mut till, Method::POST, &ada.access, &ask(&more).to_string()).await.refused(REFUSED);
    let pending = ada.pending(&held, Event::Income { units: may.units });
    let body = ask(&pending).to_string();
    income(&mut till, Method::POST, &"00".repeat(32), &body).await.refused(CODE);
    let answer = income(&mut till, Method::POST, &ada.access, &body).await;
    let richer = passport(ada.finish(&pending, answer));
    assert_eq!(richer.standing().income, may.units);
    let counted: Income = income(&mut till, Method::GET, &ada.access, "").await.ok();
    assert!(counted.is_counted);
    let twice = ada.pending(&richer, Event::Income { units: may.units });
    income(&mut till, Method::POST, &ada.access, &ask(&twice).to_string()).await.refused(SHOWN);
    // Elsewhere nobody says who they are, so nobody's income counts there.
    till.client.post("/v1/passport/tick", &ask(&twice)).await.refused(REFUSED);
    let later = Event::Income { units: INCOME_MAX };
    let later = ada.pending(&richer, later);
    next_month(&mut till).await;
    advance(&mut till, 8).await;
    income(&mut till, Method::POST, &ada.access, &ask(&later).to_string()).await.refused(MONTH);
    till.local.stop().await;
}

/// A passport of a few months, and a certificate nobody of its age gets.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_change_nothing_and_the_desk_goes_on() {
    let mut till = Till::open().await;
    let ada = Traveller::new(&mut till.client, 1).await;
    let code = code(&mut till).await;
    let held = ada.enrol(&mut till, &code).await;
    let blank = ada.prover().receipt(held.standing().epoch, [9; 32], None, &Secret::new([7; 32]));
    let blank = blank.unwrap();
    let honest = blank.request().to_vec();
    for path in ["blank", "tick"] {
        let path = format!("/v1/passport/{path}");
        for body in ["", "null", "[]", "{}", r#"{"request":1}"#, r#"{"request":"***"}"#] {
            let answer = till.client.post_bytes(&path, body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {body}");
        }
        for length in [0, 1, 2, honest.len() - 1] {
            let body = json!({"request": base64url(&honest[..length])});
            till.client.post(&path, &body).await.refused(REFUSED);
        }
        let long = json!({"request": base64url(&vec![1; 100_000])});
        till.client.post(&path, &long).await.refused(REFUSED);
        let huge = vec![b'"'; 9 << 20];
        let answer = till.client.post_bytes(&path, huge).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    // Every byte behind the head is the proof: none can be changed. Neutral points are none.
    let head = honest.len() - 167;
    for at in (head..honest.len()).step_by(7) {
        let mut changed = honest.clone();
        changed[at] ^= 1;
        till.client
            .post("/v1/passport/blank", &json!({"request": base64url(&changed)}))
            .await
            .refused(PROOF);
    }
    let mut neutral = honest.clone();
    neutral[head..].fill(0);
    till.client
        .post("/v1/passport/blank", &json!({"request": base64url(&neutral)}))
        .await
        .refused(PROOF);
    let much = json!({"request": base64url(&honest), "sealed": base64url(&[0; 8193])});
    till.client.post("/v1/passport/blank", &much).await.refused(REFUSED);
    assert!(Request::read(&honest).is_ok());
    till.client.post("/v1/passport/blank", &ask(&blank)).await.ok::<Value>();
    no_certificate_yet(&ada, &held);
    till.local.stop().await;
}

fn base64url(bytes: &[u8]) -> String {
    let kept = tacit_credit::passport::wire::Answer { reply: bytes.to_vec() };
    let value = serde_json::to_value(kept).unwrap();
    value["reply"].as_str().unwrap().to_owned()
}

fn no_certificate_yet(ada: &Traveller, held: &Passport) {
    let card = ada.info.scorecard.as_ref().unwrap();
    assert!(card.thresholds.len() >= 5 && card.tenures == [3, 6, 12, 24], "{card:?}");
    assert_eq!(held.standing().paid_months, 0);
}
