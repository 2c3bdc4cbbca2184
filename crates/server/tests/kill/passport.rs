//! The server is killed while it takes in a passport's update: before, at, or after its commit, and before its reply.

use std::time::Duration;

use serde_json::{Value, json};
use tacit_credit::passport::holder::Event;

use crate::support::client::Client;
use crate::support::passport::{Traveller, ask, code, passport};
use crate::support::process::Tacitd;
use crate::support::till::Till;

/// The code of what was shown before.
const SHOWN: u32 = 40_003;
/// Months that are caught up with, a kill in each.
const KILLS: u64 = 10;

/// The same bytes bring the passport after each kill, whatever became of them, and other bytes never a second one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passport_outlives_the_process_that_was_to_answer() {
    let mut till = Till::open().await;
    let ada = Traveller::new(&mut till.client, 1).await;
    let code = code(&mut till).await;
    let mut held = ada.enrol(&mut till, &code).await;
    let days = json!({"advance_days": 31 * KILLS});
    till.client.post("/demo/clock", &days).await.ok::<Value>();
    // Another year may have begun, with other keys.
    let ada = Traveller::new(&mut till.client, 1).await;
    let folder = till.local.stop().await;
    let mut tacitd = Tacitd::start(folder.path());
    let address = tacitd.address;
    let mut answered = 0;
    for kill in 0..KILLS - 1 {
        let mut client = Client::new(address);
        let receipts = [ada.blank(&mut client, &held).await, ada.blank(&mut client, &held).await];
        let event = Event::Tick { receipts: &receipts };
        let (tick, other) = (ada.pending(&held, event), ada.pending(&held, event));
        let body = ask(&tick);
        let sent = tokio::spawn(async move { client.try_post("/v1/passport/tick", &body).await });
        tokio::time::sleep(Duration::from_millis(8 * kill)).await;
        tacitd.kill();
        answered += u64::from(sent.await.unwrap().is_ok());
        tacitd = Tacitd::start_at(folder.path(), address);
        let mut client = Client::new(address);
        let answer = client.post("/v1/passport/tick", &ask(&tick)).await;
        held = passport(ada.finish(&tick, answer));
        client.post("/v1/passport/tick", &ask(&other)).await.refused(SHOWN);
    }
    println!("{answered} of {} were answered before the kill", KILLS - 1);
    assert_eq!(held.standing().epoch.number(), held.standing().since.number() + 9);
    let done = tacitd.terminate();
    assert_eq!(done.code, Some(0), "{done:?}");
}
