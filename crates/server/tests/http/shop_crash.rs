//! A refund that a crash cut off between any two of its steps is carried out once.

use hyper::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tacit_server::server::Parts;
use tacit_service::desk::paper::{Begun, CheckoutId, RefundPaper, RefundWay};
use tacit_service::order::RefundTo;
use tacit_service::posting::Posted;
use tacit_service::vault::{Change, Outcome};

use crate::support::till::{Till, lock, merchant, now, pay_path, payload, request_of};

/// How far a refund had come when the process died.
#[derive(Clone, Copy, Debug)]
enum Stop {
    /// The desk wrote down that it is wanted.
    Begun,
    /// The payer sent no outputs: it goes by a code.
    WayChosen,
    /// The vault has done it, and the desk has not heard.
    DoneInVault,
}

/// Leaves both databases as a process does that died there.
fn leave(parts: &mut Parts, refund: &RefundPaper, stop: Stop) {
    let desk = parts.desk[0].as_mut();
    assert!(matches!(desk.begin_refund(refund).unwrap(), Begun::New(_)));
    if matches!(stop, Stop::Begun) {
        return;
    }
    desk.set_refund_way(refund.id, RefundWay::Code).unwrap();
    if matches!(stop, Stop::WayChosen) {
        return;
    }
    let order = (parts.readers)().unwrap().order(refund.order).unwrap().unwrap();
    let (refund, amount, to) = (refund.id, refund.amount, RefundTo::Code);
    let done = parts.store.commit(&[Change::Refund { order, refund, amount, to }], now()).unwrap();
    assert_eq!(done, [Outcome::Refunded(Ok(Posted::Now))]);
}

async fn refunded(till: &mut Till, order: &Value) -> Value {
    till.look(order).await["refunded"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_a_crash_cut_off_is_made_once() {
    for stop in [Stop::Begun, Stop::WayChosen, Stop::DoneInVault] {
        let mut till = Till::open().await;
        let order = till.order("sold").await;
        let request = request_of(&order);
        let mut wallet = till.wallet().await;
        let proofs = lock(&mut wallet, &request).await;
        wallet.post(&pay_path(&request), &payload(&request, &proofs)).await.ok::<Value>();
        assert_eq!(till.look(&order).await["state"], "paid");

        let own = merchant();
        let sold: CheckoutId = order["id"].as_str().unwrap().parse().unwrap();
        let id = own.naming.refund(sold.order(), "api:back");
        let asked = RefundPaper {
            id,
            order: sold.order(),
            request_key: "api:back".to_owned(),
            request_digest: Sha256::digest("400").into(),
            amount: 400,
            way: RefundWay::Blanks,
            code_hash: own.naming.refund_code(id).hash(),
            created: now().day(),
            is_done: false,
        };
        let mut till = till.again(|parts| leave(parts, &asked, stop)).await;
        for _ in 0..400 {
            if refunded(&mut till, &order).await == json!(400) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        // The program asks again, and another process takes over: it stays one refund.
        let path = format!("/api/v1/orders/{}/refunds", order["id"].as_str().unwrap());
        for _ in 0..2 {
            let body = json!({"amount": 400});
            let given: Value = till.api(Method::POST, &path, "back", &body).await.ok();
            assert_eq!((&given["amount"], &given["way"]), (&json!(400), &json!("code")));
            assert_eq!(refunded(&mut till, &order).await, 400, "{stop:?}");
            till = till.again(|_| {}).await;
        }
        let home = till.own_page("/merchant").await;
        let home = String::from_utf8_lossy(&home.body);
        assert!(home.contains("6.50 USD"), "{stop:?}: 10.50 less 4.00, once");
        till.local.stop().await;
    }
}
