//! Orders are paid, refunded, told of, and taken up again after a crash.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::time::Day;
use tacit_ecash::message::{RestoreResponse, SignaturesResponse, SpendState};
use tacit_ecash::token::Token;
use tacit_service::desk::paper::{Begun, Line, OrderPaper, PaperState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::till::{Till, lock, merchant, now, pay_path, payload, public_key, request_of};
use crate::support::wallet::{messages, split, total};

async fn paid(till: &mut Till, key: &str) -> Value {
    let order = till.order(key).await;
    let request = request_of(&order);
    let mut wallet = till.wallet().await;
    let proofs = lock(&mut wallet, &request).await;
    let answer = wallet.post(&pay_path(&request), &payload(&request, &proofs)).await;
    assert_eq!(answer.ok::<Value>()["state"], "PAID");
    order
}

async fn refund(till: &mut Till, order: &Value, key: &str, body: &Value) -> (u16, Value) {
    let path = format!("/api/v1/orders/{}/refunds", order["id"].as_str().unwrap());
    let answer = till.api(Method::POST, &path, key, body).await;
    (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_pays_an_order_once_and_is_answered_alike_again() {
    let mut till = Till::open().await;
    let order = till.order("pay").await;
    let request = request_of(&order);
    let mut wallet = till.wallet().await;
    let proofs = lock(&mut wallet, &request).await;
    let body = payload(&request, &proofs);
    let (path, cookie) = (pay_path(&request), [("cookie", "person=1")]);
    let preflight = format!("/usd{path}");
    let allowed = till.client.method(Method::OPTIONS, &preflight, &cookie).await;
    assert_eq!(allowed.headers["access-control-allow-origin"], "*");
    for _ in 0..2 {
        let answer = wallet.post(&path, &body).await;
        assert!(answer.headers.get("set-cookie").is_none());
        assert_eq!(answer.ok::<Value>(), json!({"state": "PAID", "unit": "usd"}));
    }
    assert_eq!(wallet.states(&proofs).await[0], SpendState::Spent);
    let mut told = till.look(&order).await;
    for _ in 0..100 {
        if told["paid"] != json!(null) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        told = till.look(&order).await;
    }
    assert_eq!((&told["state"], told["paid"].is_string()), (&json!("paid"), true));
    let page = till.page(&format!("/checkout/{}", order["id"].as_str().unwrap())).await;
    assert!(page.contains("Corner Café has your payment of 10.50 USD"), "{page}");
    let home = till.own_page("/merchant").await;
    assert!(String::from_utf8_lossy(&home.body).contains("10.50 USD"));
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_payers_at_once_one_pays_and_the_other_keeps_its_money() {
    let mut till = Till::open().await;
    let order = till.order("race").await;
    let request = request_of(&order);
    let (mut one, mut other) = (till.wallet().await, till.wallet().await);
    let (mine, yours) = (lock(&mut one, &request).await, lock(&mut other, &request).await);
    let path = pay_path(&request);
    let bodies = (payload(&request, &mine), payload(&request, &yours));
    let (first, second) = tokio::join!(one.post(&path, &bodies.0), other.post(&path, &bodies.1));
    let (loser, kept) = if first.status == 200 {
        (second, other.states(&yours).await)
    } else {
        assert_eq!(second.status, 200);
        (first, one.states(&mine).await)
    };
    loser.refused(20_006);
    assert!(kept.iter().all(|state| *state == SpendState::Unspent));
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_does_not_fit_is_refused_and_costs_nothing() {
    let mut till = Till::open().await;
    let order = till.order("misfit").await;
    let request = request_of(&order);
    let mut wallet = till.wallet().await;
    let proofs = lock(&mut wallet, &request).await;
    let path = pay_path(&request);
    wallet.post(&path, &payload(&request, &proofs[1..])).await.refused(11_005);
    // Locked to another shop.
    let mut elsewhere = request.clone();
    let option = elsewhere.lock.as_mut().unwrap();
    option.data = public_key(8).to_string();
    let wrong = lock(&mut wallet, &elsewhere).await;
    wallet.post(&path, &payload(&request, &wrong)).await.refused(10_001);
    let mut body = payload(&request, &proofs);
    body["unit"] = json!("eur");
    wallet.post(&path, &body).await.refused(11_013);
    let mut body = payload(&request, &proofs);
    body["id"] = json!("another");
    wallet.post(&path, &body).await.refused(10_000);
    let unknown = "/pay/00000000000000000000000000000000";
    let mut body = payload(&request, &proofs);
    body["id"] = json!(null);
    wallet.post(unknown, &body).await.refused(20_000);
    wallet.post("/pay/nothing", &body).await.refused(20_000);
    // Too late.
    let answer = till.client.post("/demo/clock", &json!({"advance_days": 1})).await;
    assert_eq!(answer.status, 200);
    wallet.post(&path, &payload(&request, &proofs)).await.refused(20_007);
    assert_eq!(till.look(&order).await["state"], "expired");
    let page = till.page(&format!("/checkout/{}", order["id"].as_str().unwrap())).await;
    assert!(page.contains("Nothing was paid"), "{page}");
    // After the locktime it is the payer's again.
    let back = wallet.swap(&proofs, &split(total(&proofs))).await;
    assert_eq!(total(&back), 1050);
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_pasted_pays_and_one_that_does_not_fit_stays_its_owners() {
    let mut till = Till::open().await;
    let order = till.order("paste").await;
    let mut wallet = till.wallet().await;
    let path = format!("/checkout/{}", order["id"].as_str().unwrap());
    let token = |proofs: Vec<tacit_ecash::proof::Proof>| {
        let proofs = proofs.into_iter().map(|proof| tacit_ecash::token::TokenProof {
            amount: proof.amount,
            keyset: tacit_ecash::token::TokenKeyset::Full(proof.keyset),
            secret: proof.secret,
            signature: proof.signature,
            witness: None,
            dleq: None,
        });
        let (mint, unit) = ("http://localhost/usd".to_owned(), Some("usd".to_owned()));
        let token = Token { mint, unit, memo: None, proofs: proofs.collect() };
        token.to_text().expose().clone()
    };
    let small = wallet.mint("bank", 1000).await;
    for (text, said) in
        [("hello", "That is no e-cash token"), (token(small.clone()).as_str(), "still yours")]
    {
        let answer = till.form(&format!("{path}/token"), &[("token", text)]).await;
        let page = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(page.contains(said), "{said}: {page}");
    }
    assert_eq!(wallet.states(&small).await[0], SpendState::Unspent);
    let right = token(wallet.mint("bank", 1050).await);
    let answer = till.form(&format!("{path}/token"), &[("token", &right)]).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["location"]),
        (303, &path.parse().unwrap())
    );
    assert_eq!(till.look(&order).await["state"], "paid");
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_by_code_is_the_same_token_however_often_it_is_asked_for() {
    let mut till = Till::open().await;
    let order = paid(&mut till, "code").await;
    let (status, _) = refund(&mut till, &order, "r0", &json!({"amount": 1051})).await;
    assert_eq!(status, 422);
    let (status, given) = refund(&mut till, &order, "r1", &json!({"amount": 400})).await;
    assert_eq!((status, &given["way"]), (200, &json!("code")));
    assert_eq!(refund(&mut till, &order, "r1", &json!({"amount": 400})).await.1, given);
    assert_eq!(refund(&mut till, &order, "r1", &json!({"amount": 401})).await.0, 422);
    assert_eq!(refund(&mut till, &order, "r2", &json!({"amount": 651})).await.0, 422, "too much");
    let receipt = till.page(&format!("/checkout/{}", order["id"].as_str().unwrap())).await;
    let url = given["refund_url"].as_str().unwrap();
    let path = url[url.find("/refund/").unwrap()..].to_owned();
    assert!(receipt.contains(&path) && receipt.contains("4.00 USD waits for you"), "{receipt}");
    assert!(!till.page(&path).await.contains("cashuB"), "a look takes nothing");
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let page = till.form(&path, &[]).await;
        let page = String::from_utf8(page.body.to_vec()).unwrap();
        let text = page.split("readonly>").nth(1).unwrap().split('<').next().unwrap();
        tokens.push(text.to_owned());
        // A rotation in between changes nothing.
        till.client.post("/demo/rotate", &json!({"unit": "usd"})).await.ok::<Value>();
    }
    assert_eq!(tokens[0], tokens[1]);
    let mut wallet = till.wallet().await;
    let token: Token = tokens[0].parse().unwrap();
    let keysets: Value = wallet.get("/v1/keysets").await.ok();
    let known = keysets["keysets"].as_array().unwrap().iter();
    let known: Vec<tacit_ecash::keyset::KeysetId> =
        known.map(|keyset| keyset["id"].as_str().unwrap().parse().unwrap()).collect();
    let proofs = token.resolve(&known).unwrap();
    let received = wallet.swap(&proofs, &split(400)).await;
    assert_eq!(total(&received), 400);
    assert_eq!(till.look(&order).await["refunded"], 400);
    assert_eq!(till.form("/refund/00000000000000000000000000000000", &[]).await.status, 404);
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_goes_onto_the_outputs_that_came_with_the_payment() {
    let mut till = Till::open().await;
    let order = till.order("blanks").await;
    let request = request_of(&order);
    let mut wallet = till.wallet().await;
    let proofs = lock(&mut wallet, &request).await;
    let blanks = wallet.blind(&[1; 8]);
    let outputs: Vec<Value> = messages(&blanks)
        .into_iter()
        .map(|message| {
            serde_json::to_value(tacit_ecash::message::BlindedMessage::from(message)).unwrap()
        })
        .collect();
    let mut body = payload(&request, &proofs);
    body["refund_outputs"] = json!(outputs);
    wallet.post(&pay_path(&request), &body).await.ok::<Value>();
    let (status, given) = refund(&mut till, &order, "r", &json!({})).await;
    assert_eq!(
        (status, &given["way"], &given["refund_url"]),
        (200, &json!("blanks"), &json!(null))
    );
    let restored: RestoreResponse =
        wallet.post("/v1/restore", &json!({"outputs": outputs})).await.ok();
    let is_used = |blinded| restored.outputs.iter().any(|output| output.blinded == blinded);
    let used = blanks.iter().filter(|blank| is_used(blank.message().blinded));
    let used: Vec<_> = used.cloned().collect();
    let signatures = restored.signatures.clone();
    let back = wallet.unblind(&used, &SignaturesResponse { signatures });
    assert_eq!(total(&back), 1050);
    let (status, _) = refund(&mut till, &order, "again", &json!({"amount": 1})).await;
    assert_eq!(status, 422, "all of it is back");
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_cut_off_between_desk_and_vault_is_taken_up() {
    let own = merchant();
    let checkout = own.naming.checkout("api:cut");
    let paper = OrderPaper {
        id: checkout.order(),
        checkout,
        merchant: own.account,
        number: 0,
        request_key: "api:cut".to_owned(),
        request_digest: [0; 32],
        reference: None,
        description: Line::new("Cut off").unwrap(),
        amount: 500,
        unit: own.unit,
        created: Day::from_number(20_000),
        expiry: now().after(Duration::from_secs(600)),
        state: PaperState::Begun,
        paid: None,
        refunded: 0,
    };
    let mut till = Till::with(own, |parts| {
        let begun = parts.desk[0].begin_order(&paper).unwrap();
        assert!(matches!(begun, Begun::New(_)));
    })
    .await;
    let order = json!({"id": paper.checkout.to_string()});
    let request = request_of(&till.look(&order).await);
    let mut wallet = till.wallet().await;
    let proofs = lock(&mut wallet, &request).await;
    wallet.post(&pay_path(&request), &payload(&request, &proofs)).await.ok::<Value>();
    assert_eq!(till.look(&order).await["state"], "paid");
    till.local.stop().await;
}

/// Reads one request, answers with `status`, and returns what came.
async fn serve(listener: &TcpListener, status: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            break;
        }
    }
    stream.write_all(status.as_bytes()).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_told_of_a_payment_until_it_has_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut own = merchant();
    own.webhook = Some(format!("http://127.0.0.1:{port}/paid"));
    let mut till = Till::with(own, |_| {}).await;
    let order = paid(&mut till, "told").await;
    // It is not followed elsewhere, and tried again.
    let moved = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let first = serve(&listener, moved).await;
    let (head, body) = first.split_once("\r\n\r\n").unwrap();
    let told: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["type"], &told["amount"]), (&json!("order.paid"), &json!(1050)));
    assert_eq!(told["order"]["id"], order["id"]);
    let signed = head.split("tacit-signature: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let moment = signed.strip_prefix("t=").unwrap().split(',').next().unwrap();
    let key = hex::encode(&[4; 32]);
    let mut mac =
        <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(key.as_bytes()).unwrap();
    hmac::Mac::update(&mut mac, format!("{moment}.{body}").as_bytes());
    let code: [u8; 32] = hmac::Mac::finalize(mac).into_bytes().into();
    assert_eq!(signed, format!("t={moment},v1={}", hex::encode(&code)));
    let log =
        |answer: crate::support::client::Answer| String::from_utf8(answer.body.to_vec()).unwrap();
    let mut shown = log(till.own_page("/merchant/webhooks").await);
    for _ in 0..100 {
        if shown.contains(">302<") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        shown = log(till.own_page("/merchant/webhooks").await);
    }
    assert!(shown.contains(">302<") && shown.contains("waiting"), "{shown}");
    let event = told["id"].as_str().unwrap().to_owned();
    let again = till.own_form("/merchant/webhooks/again", &[("id", &event)]).await;
    assert_eq!(again.status, 303);
    let second = serve(&listener, "HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(second.split_once("\r\n\r\n").unwrap().1, body, "the same event, told again");
    for _ in 0..100 {
        if shown.contains("arrived") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        shown = log(till.own_page("/merchant/webhooks").await);
    }
    assert!(shown.contains("arrived") && shown.contains(">204<"), "{shown}");
    till.local.stop().await;
}
