//! Payments to an address that does not answer, and tokens that pay a request without saying so.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tacit_ecash::payment_request::payload::Payload;
use tacit_ecash::payment_request::{PaymentRequest, Transport, TransportKind};

use crate::demo::{Demo, Wallet};
use crate::relay::{Fate, Relay};

/// Whoever asks to be paid at an address, and what came there.
struct Shop {
    relay: Relay,
    came: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Shop {
    fn new() -> Self {
        // It never passes anything on.
        Self { relay: Relay::to("127.0.0.1:1".to_owned()), came: Arc::default() }
    }

    /// From now on it takes what comes, and this becomes of the answer.
    fn answers(&self, fate: Fate) {
        let came = Arc::clone(&self.came);
        self.relay.decide(move |_, _, body| {
            came.lock().unwrap().push(body.to_vec());
            fate
        });
    }

    fn came(&self) -> Vec<Vec<u8>> {
        self.came.lock().unwrap().clone()
    }

    /// The token that came last.
    fn token(&self) -> String {
        let payload = Payload::from_json(self.came().last().unwrap()).unwrap();
        payload.token.to_text().expose().clone()
    }

    fn request(&self, id: &str, mint: String) -> String {
        let target = format!("http://{}/pay", self.relay.address);
        let request = PaymentRequest {
            id: Some(id.to_owned()),
            amount: Some(125),
            unit: Some("usd".to_owned()),
            mints: vec![mint],
            transports: vec![Transport { kind: TransportKind::Post, target, tags: Vec::new() }],
            ..PaymentRequest::default()
        };
        request.to_creq_a().unwrap()
    }
}

/// A wallet with 10.50 dollars, and a shop.
fn begin() -> (Demo, Wallet, Shop) {
    let demo = Demo::start();
    let alice = demo.wallet("alice");
    alice.must(&["mint", "10.50", "usd", "--mint", &demo.url("usd")]);
    (demo, alice, Shop::new())
}

fn kinds(wallet: &Wallet) -> Vec<Value> {
    let pending = wallet.json(&["pending"]);
    pending.as_array().unwrap().iter().map(|row| row["kind"].clone()).collect()
}

#[test]
fn a_payment_that_did_not_arrive_is_sent_again_as_it_was() {
    let (demo, alice, shop) = begin();
    let request = shop.request("r1", demo.url("usd"));
    for fate in [Fate::Status(503), Fate::LoseRequest] {
        shop.answers(fate);
        let paid = match shop.came().is_empty() {
            true => alice.feed(&["pay", "-", "--yes"], &request),
            false => alice.run(&["deliver"]),
        };
        assert!(paid.code == Some(75) && !paid.stdout.contains("cashu"), "{paid:?}");
        assert_eq!(kinds(&alice), [json!("payment")]);
        let came = shop.came().len();
        let twice = alice.feed(&["pay", "-", "--yes"], &request);
        assert!(
            twice.code == Some(75) && twice.stderr.contains("tacit wallet deliver"),
            "{twice:?}"
        );
        assert_eq!((shop.came().len(), alice.balance("usd")), (came, 925), "nothing is paid twice");
    }
    shop.answers(Fate::Status(200));
    let number = alice.json(&["pending"])[0]["operation"].as_u64().unwrap();
    let other = alice.run(&["deliver", &(number + 1).to_string()]);
    assert_eq!(other.code, Some(2), "{other:?}");
    let done = alice.json(&["deliver", &number.to_string()]);
    assert_eq!(done, json!([{"operation": number, "delivered": true}]));
    let came = shop.came();
    assert!(
        3 <= came.len() && came.iter().all(|body| *body == came[0]),
        "the same bytes each time"
    );
    assert_eq!(alice.json(&["deliver"]), json!([]), "once is enough");
    assert_eq!((kinds(&alice), alice.balance("usd")), (vec![json!("token")], 925));
    let bob = demo.wallet("bob");
    bob.must(&["mints", "add", &demo.url("usd")]);
    assert_eq!(bob.feed(&["receive", "-"], &shop.token()).code, Some(0));
    assert_eq!((kinds(&alice), bob.balance("usd")), (vec![], 125));
}

#[test]
fn a_payment_that_arrived_unheard_is_not_sent_again() {
    let (demo, alice, shop) = begin();
    shop.answers(Fate::LoseRequest); // It is noted down first.
    let paid = alice.feed(&["pay", "-", "--yes"], &shop.request("r1", demo.url("usd")));
    assert_eq!(paid.code, Some(75), "{paid:?}");
    let bob = demo.wallet("bob");
    assert_eq!(bob.feed(&["receive", "--trust", "-"], &shop.token()).code, Some(0));
    let came = shop.came().len();
    let done = alice.must(&["deliver"]);
    assert!(done.stderr.contains("it was received before"), "{done:?}");
    assert_eq!((shop.came().len(), kinds(&alice)), (came, vec![]));
    assert_eq!((alice.balance("usd"), bob.balance("usd")), (925, 125));
}

#[test]
fn a_payment_that_is_refused_can_be_taken_back_and_made_anew() {
    let (demo, alice, shop) = begin();
    let request = shop.request("r1", demo.url("usd"));
    shop.answers(Fate::Status(400));
    let paid = alice.feed(&["pay", "-", "--yes"], &request);
    assert!(paid.code == Some(75) && paid.stderr.contains("HTTP status 400"), "{paid:?}");
    let again = alice.run(&["deliver"]);
    assert!(again.code == Some(75) && again.stderr.contains("HTTP status 400"), "{again:?}");
    alice.must(&["reclaim", "--all"]);
    assert_eq!((alice.balance("usd"), kinds(&alice)), (1050, vec![]));
    assert_eq!(alice.json(&["deliver"]), json!([]));
    shop.answers(Fate::Status(200));
    assert_eq!(alice.feed(&["pay", "-", "--yes"], &request).code, Some(0));
    assert_eq!(alice.balance("usd"), 925);
}

#[test]
fn a_token_that_pays_a_request_marks_it_paid() {
    let (demo, alice, _shop) = begin();
    let bob = demo.wallet("bob");
    bob.must(&["mints", "add", &demo.url("usd")]);
    let ask = |amount: &str, what: &str| -> [String; 2] {
        let asked = bob.json(&["request", amount, "usd", "--description", what]);
        ["id", "request"].map(|field| asked[field].as_str().unwrap().to_owned())
    };
    let state = |id: &str| {
        let all = bob.json(&["requests"]);
        all.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone()
    };
    let [coffee, request] = ask("1.25", "coffee");
    // Less, and more, is something else.
    for amount in ["1.24", "1.26"] {
        let token = alice.must(&["send", amount, "--yes"]).line();
        let done = bob.feed(&["receive", "-", "--json"], &token);
        let received: Value = serde_json::from_str(&done.line()).unwrap();
        assert_eq!((&received["request"], &state(&coffee)["paid"]), (&Value::Null, &json!(false)));
    }
    let token = alice.feed(&["pay", "-", "--yes"], &request).line();
    let done = bob.feed(&["receive", "-", "--json"], &token);
    let received: Value = serde_json::from_str(&done.line()).unwrap();
    assert_eq!(received["request"], json!(coffee));
    let paid = state(&coffee);
    assert_eq!(
        (&paid["paid"], &paid["operations"]),
        (&json!(true), &json!([received["operation"]]))
    );
    // Two ask for the same: nobody but the receiver knows which is meant.
    let [tea, _] = ask("2", "tea");
    let [cake, _] = ask("2", "cake");
    let tokens = [(); 3].map(|()| alice.must(&["send", "2", "--yes"]).line());
    assert_eq!(bob.feed(&["receive", "-"], &tokens[0]).code, Some(0));
    assert!([&tea, &cake].iter().all(|id| state(id)["paid"] == json!(false)));
    assert_eq!(bob.feed(&["receive", "-", "--request", &cake], &tokens[1]).code, Some(0));
    assert_eq!((&state(&tea)["paid"], &state(&cake)["paid"]), (&json!(false), &json!(true)));
    let twice = bob.feed(&["receive", "-", "--request", &cake], &tokens[2]);
    assert!(twice.code == Some(1) && twice.stderr.contains("paid already"), "{twice:?}");
    bob.must(&["requests", "--withdraw", &tea]);
    assert_eq!(bob.run(&["requests", "--withdraw", &tea]).code, Some(2));
    assert_eq!(bob.feed(&["receive", "-"], &tokens[2]).code, Some(0), "a token like any other");
    assert_eq!(bob.json(&["requests"]).as_array().unwrap().len(), 2);
}
