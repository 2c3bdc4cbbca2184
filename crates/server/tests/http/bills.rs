//! Contracts and bills: by the API and at the console, paid with a receipt, and what billing oneself would buy.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tacit_core::hex;
use tacit_core::secret::Secret;
use tacit_core::time::Day;
use tacit_credit::passport::epoch::Epoch;
use tacit_credit::passport::holder::{Prover, Receipt};
use tacit_credit::passport::key::IssuerKeys;
use tacit_credit::passport::pending::{Pending, Received};
use tacit_credit::passport::standing::Contract;
use tacit_credit::passport::tag::Holder;
use tacit_ecash::message::SpendState;
use tacit_ecash::proof::Proof;
use tacit_service::desk::biller::LicenceTerms;
use tacit_service::passport::key_epoch;

use crate::support::till::{Till, license, merchant, now};
use crate::support::wallet::{Wallet, random};

/// From 5.00 on, and two contracts.
const TERMS: LicenceTerms = LicenceTerms { floor: 500, contracts_max: 2 };

/// A request that was answered, or something that has its receipt.
const SHOWN: u32 = 40_003;

/// A shop with a licence, and the keys of the passport desk, which a wallet has from the log.
async fn licensed() -> (Till, IssuerKeys) {
    let mut keys = None;
    let till = Till::with(merchant(), |parts| {
        keys = Some(IssuerKeys::derive(&parts.seed, key_epoch(Epoch::of(now()))));
        license(parts, TERMS);
    })
    .await;
    (till, keys.unwrap())
}

fn in_days(days: u64) -> Day {
    Day::from_number(now().day().number() + days)
}

async fn api(till: &mut Till, path: &str, key: &str, body: &Value) -> (u16, Value) {
    let method = if *body == json!(null) { Method::GET } else { Method::POST };
    let answer = till.api(method, path, key, body).await;
    (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap())
}

/// A contract, by the API.
async fn contract(till: &mut Till, key: &str) -> Value {
    let asked = json!({"description": "Electricity, Mill Lane 4", "reference": "customer 7"});
    let (status, told) = api(till, "/api/v1/contracts", key, &asked).await;
    assert_eq!(status, 200, "{told}");
    told
}

fn id(contract: &Value) -> String {
    contract["id"].as_str().unwrap().to_owned()
}

async fn bill(till: &mut Till, contract: &Value, amount: u64, days: u64) -> (u16, Value) {
    let bill =
        json!({"contract": id(contract), "amount": amount, "due": in_days(days).to_string()});
    api(till, "/api/v1/bills", "", &json!({"bills": [bill]})).await
}

/// What a payer reads of a contract.
async fn look(wallet: &mut Wallet, contract: &Value) -> Value {
    wallet.get(&format!("/v1/contracts/{}", id(contract))).await.ok()
}

fn month_of(days: u64) -> Epoch {
    Epoch::of(in_days(days).start())
}

/// The month of a contract, as its payer reads it.
async fn month(wallet: &mut Wallet, contract: &Value, month: Epoch) -> Value {
    let told = look(wallet, contract).await;
    let months = told["months"].as_array().unwrap();
    let found = months.iter().find(|told| told["month"] == month.to_string());
    found.unwrap_or_else(|| panic!("{month}: {told}")).clone()
}

/// Somebody with a passport's secret, who asks for receipts.
struct Payer<'a> {
    keys: &'a IssuerKeys,
    holder: Holder,
}

impl<'a> Payer<'a> {
    fn new(keys: &'a IssuerKeys) -> Self {
        Self { keys, holder: Holder::of_seed(&[1; 64]) }
    }

    fn ask(&self, contract: &Value, month: &Value) -> Pending {
        let keys = self.keys.public();
        let prover = Prover { holder: &self.holder, shown: keys, received: keys };
        let subject = BASE64_URL_SAFE_NO_PAD.decode(month["subject"].as_str().unwrap()).unwrap();
        let subject = subject.try_into().unwrap();
        let epoch = month["month"].as_str().unwrap().parse().unwrap();
        let of = Contract::try_from(id(contract)).unwrap();
        prover.receipt(epoch, subject, Some(of), &Secret::new(random())).unwrap()
    }

    fn open(&self, pending: &Pending, told: &Value) -> Receipt {
        let reply = BASE64_URL_SAFE_NO_PAD.decode(told["reply"].as_str().unwrap()).unwrap();
        let Ok(Received::Receipt(receipt)) = pending.finish(&reply, self.keys.public()) else {
            panic!("the reply is a receipt: {told}")
        };
        receipt
    }
}

fn asked(pending: &Pending) -> Value {
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    json!({"request": text(pending.request()), "sealed": text(b"sealed")})
}

fn payload(proofs: &[Proof], receipt: Option<&Pending>) -> Value {
    let proofs: Vec<tacit_ecash::message::Proof> =
        proofs.iter().cloned().map(tacit_ecash::message::Proof::from).collect();
    json!({"unit": "usd", "proofs": proofs, "receipt": receipt.map(asked)})
}

fn pay_path(contract: &Value, month: Epoch) -> String {
    format!("/v1/contracts/{}/{month}/pay", id(contract))
}

async fn advance(till: &mut Till, days: u64) {
    let answer = till.client.post("/demo/clock", &json!({"advance_days": days})).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_is_paid_once_with_its_receipt_and_answered_alike_again() {
    let (mut till, keys) = licensed().await;
    let of = contract(&mut till, "a").await;
    assert!(of["code"].as_str().unwrap().ends_with(&format!("/usd/v1/contracts/{}", id(&of))));
    assert_eq!(bill(&mut till, &of, 4120, 10).await.0, 200);
    let (mut wallet, payer, due) = (till.wallet().await, Payer::new(&keys), month_of(10));
    let told = look(&mut wallet, &of).await;
    assert_eq!(told["biller"], "Corner Café");
    assert_eq!(told["description"], "Electricity, Mill Lane 4");
    assert_eq!(told.get("reference"), None, "what the biller calls its customer is the biller's");
    let told = month(&mut wallet, &of, due).await;
    assert_eq!((&told["bill"]["state"], &told["bill"]["units"]), (&json!("open"), &json!(4)));

    let (proofs, others) = (wallet.mint("bank", 4120).await, wallet.mint("bank", 4120).await);
    let (pending, other) = (payer.ask(&of, &told), payer.ask(&of, &told));
    let path = pay_path(&of, due);
    let first = wallet.post(&path, &payload(&proofs, Some(&pending))).await;
    assert!(first.headers.get("set-cookie").is_none());
    assert_eq!(first.headers["access-control-allow-origin"], "*");
    let first: Value = first.ok();
    assert_eq!(first["state"], "paid");
    let receipt = payer.open(&pending, &first["receipt"]);
    assert!(receipt.facts().met && receipt.facts().amount == 4 && !receipt.facts().last);
    // Killed between commit and reply, or asked again for any other reason: the same bytes, also on another day.
    let mut till = till.again(|_| {}).await;
    wallet.client = crate::support::client::Client::new(till.local.address());
    advance(&mut till, 40).await;
    let again: Value = wallet.post(&path, &payload(&proofs, Some(&pending))).await.ok();
    assert_eq!(again, first);
    wallet.post(&path, &payload(&others, Some(&other))).await.refused(20_006);
    wallet.post(&path, &payload(&others, None)).await.refused(20_006);
    let states = wallet.states(&others).await;
    assert!(states.iter().all(|state| *state == SpendState::Unspent));
    let (_, told) =
        api(&mut till, &format!("/api/v1/contracts/{}/bills", id(&of)), "", &json!(null)).await;
    assert_eq!(
        (&told["bills"][0]["state"], &told["bills"][0]["amount"]),
        (&json!("paid"), &json!(4120))
    );
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_payment_and_a_month_without_a_bill_say_so() {
    let (mut till, keys) = licensed().await;
    let of = contract(&mut till, "a").await;
    assert_eq!(bill(&mut till, &of, 1500, 8).await.0, 200);
    let (mut wallet, payer, due) = (till.wallet().await, Payer::new(&keys), month_of(8));
    let proofs = wallet.mint("bank", 1500).await;
    let close = |month: Epoch| format!("/v1/contracts/{}/{month}/receipt", id(&of));
    let told = month(&mut wallet, &of, due).await;
    wallet.post(&close(due), &asked(&payer.ask(&of, &told))).await.refused(10_000);
    advance(&mut till, 75).await;
    // Two months later: unpaid, so that the months since are not met.
    let later = month_of(8 + 40);
    let told = month(&mut wallet, &of, later).await;
    let quiet = &told["quiet"];
    assert_eq!(quiet, &json!({"contract": id(&of), "met": false, "amount": 0, "last": false}));
    let bill_told = month(&mut wallet, &of, due).await;
    let pending = payer.ask(&of, &bill_told);
    let paid: Value =
        wallet.post(&pay_path(&of, due), &payload(&proofs, Some(&pending))).await.ok();
    assert_eq!(paid["state"], "paid-late");
    let receipt = payer.open(&pending, &paid["receipt"]);
    assert!(!receipt.facts().met && receipt.facts().amount == 1);
    let (pending, other) = (payer.ask(&of, &told), payer.ask(&of, &told));
    let path = close(later);
    let first: Value = wallet.post(&path, &asked(&pending)).await.ok();
    assert!(payer.open(&pending, &first).facts().met, "nothing is owed any more");
    assert_eq!(wallet.post(&path, &asked(&pending)).await.ok::<Value>(), first);
    wallet.post(&path, &asked(&other)).await.refused(SHOWN);
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_a_bill_is_refused_and_costs_nothing() {
    let (mut till, keys) = licensed().await;
    let (of, other) = (contract(&mut till, "a").await, contract(&mut till, "b").await);
    for contract in [&of, &other] {
        assert_eq!(bill(&mut till, contract, 1000, 10).await.0, 200);
    }
    let (mut wallet, payer, due) = (till.wallet().await, Payer::new(&keys), month_of(10));
    let proofs = wallet.mint("bank", 1000).await;
    let (told, elsewhere) =
        (month(&mut wallet, &of, due).await, month(&mut wallet, &other, due).await);
    let path = pay_path(&of, due);
    wallet.post(&path, &payload(&proofs[1..], None)).await.refused(11_005);
    let mut euros = payload(&proofs, None);
    euros["unit"] = json!("eur");
    wallet.post(&path, &euros).await.refused(11_013);
    // A request for another contract's receipt, for another month's, cut off, lengthened, of random bytes, sealed too large.
    let good = payer.ask(&of, &told);
    let mut wrong = vec![payload(&proofs, Some(&payer.ask(&other, &elsewhere)))];
    let mut later = told.clone();
    later["month"] = json!(month_of(50).to_string());
    wrong.push(payload(&proofs, Some(&payer.ask(&of, &later))));
    let text = |bytes: &[u8]| json!(BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let request = good.request();
    let long = [request, &[0]].concat();
    let mut edited = request.to_vec();
    *edited.last_mut().unwrap() ^= 1;
    for bytes in [&request[..request.len() - 1], &long, &edited, &[7; 300], b""] {
        let mut body = payload(&proofs, Some(&good));
        body["receipt"]["request"] = text(bytes);
        wrong.push(body);
    }
    let mut body = payload(&proofs, Some(&good));
    body["receipt"]["sealed"] = text(&[0; 8193]);
    wrong.push(body);
    let mut body = payload(&proofs, Some(&good));
    body["receipt"]["request"] = json!("no base64url!");
    wrong.push(body);
    for body in wrong {
        let code = wallet.post(&path, &body).await.refusal();
        assert!(code == 10_000 || (40_000..50_000).contains(&code), "{code}");
    }
    wallet.post(&path, &json!({"unit": "usd"})).await.refused(10_000);
    for unknown in [
        format!("/v1/contracts/{}/{due}/pay", "00".repeat(16)),
        format!("/v1/contracts/{}/2199-13/pay", id(&of)),
        format!("/v1/contracts/{}/2200-01/pay", id(&of)),
        "/v1/contracts/nothing/2026-11/pay".to_owned(),
    ] {
        wallet.post(&unknown, &payload(&proofs, None)).await.refused(20_000);
    }
    wallet.get("/v1/contracts/nothing").await.refused(20_000);
    let of_other_unit = till.client.get(&format!("/eur/v1/contracts/{}", id(&of))).await;
    of_other_unit.refused(20_000);
    assert!(wallet.states(&proofs).await.iter().all(|state| *state == SpendState::Unspent));
    let paid: Value = wallet.post(&path, &payload(&proofs, Some(&good))).await.ok();
    payer.open(&good, &paid["receipt"]);
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_payers_of_a_bill_one_pays_and_the_other_keeps_the_money() {
    let (mut till, keys) = licensed().await;
    let of = contract(&mut till, "a").await;
    assert_eq!(bill(&mut till, &of, 1000, 10).await.0, 200);
    let (mut one, mut other) = (till.wallet().await, till.wallet().await);
    let (mine, yours) = (one.mint("bank", 1000).await, other.mint("bank", 1000).await);
    let (payer, due) = (Payer::new(&keys), month_of(10));
    let told = month(&mut one, &of, due).await;
    let (first, second) = (payer.ask(&of, &told), payer.ask(&of, &told));
    let bodies = (payload(&mine, Some(&first)), payload(&yours, Some(&second)));
    let path = pay_path(&of, due);
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
async fn programs_write_contracts_and_bills_within_the_licence() {
    let (mut till, _) = licensed().await;
    let first = contract(&mut till, "a").await;
    assert_eq!(contract(&mut till, "a").await, first, "asked again, it is the same");
    let else_asked = json!({"description": "Water"});
    let (status, told) = api(&mut till, "/api/v1/contracts", "a", &else_asked).await;
    assert_eq!((status, &told["type"]), (422, &json!("/problems#idempotency-key-reused")));
    let (status, _) = api(&mut till, "/api/v1/contracts", "", &else_asked).await;
    assert_eq!(status, 400, "without a key of its own");
    let second = contract(&mut till, "b").await;
    let (status, told) = api(&mut till, "/api/v1/contracts", "c", &else_asked).await;
    assert_eq!((status, &told["type"]), (409, &json!("/problems#contracts-full")));
    // All of them or none, each wrong one named.
    let line = |contract: &Value, amount: u64, days: u64| json!({"contract": id(contract), "amount": amount, "due": in_days(days).to_string()});
    let stranger = json!({"id": "11".repeat(16)});
    let wrong = [
        line(&first, 900, 10),
        line(&first, 499, 45),
        line(&second, 900, 6),
        line(&stranger, 900, 9),
    ];
    let (status, told) = api(&mut till, "/api/v1/bills", "", &json!({"bills": wrong})).await;
    let detail = told["detail"].as_str().unwrap();
    assert_eq!(status, 422);
    assert!(["Bill 1:", "Bill 2:", "Bill 3:"].iter().all(|part| detail.contains(part)), "{detail}");
    assert!(!detail.contains("Bill 0:"), "{detail}");
    let bills = format!("/api/v1/contracts/{}/bills", id(&first));
    assert_eq!(api(&mut till, &bills, "", &json!(null)).await.1, json!({"bills": []}));
    for body in [
        json!({"bills": []}),
        json!({"bills": [{"contract": "x", "amount": 900, "due": "2026-12-15"}]}),
    ] {
        assert_eq!(api(&mut till, "/api/v1/bills", "", &body).await.0, 422, "{body}");
    }
    for _ in 0..2 {
        assert_eq!(bill(&mut till, &first, 900, 10).await.0, 200, "the same again is the same");
    }
    assert_eq!(bill(&mut till, &first, 901, 10).await.0, 422);
    let withdraw = format!("{bills}/{}/withdraw", month_of(10));
    for _ in 0..2 {
        let (status, told) = api(&mut till, &withdraw, "", &json!({})).await;
        assert_eq!((status, &told["state"]), (200, &json!("withdrawn")));
    }
    let end = format!("/api/v1/contracts/{}/end", id(&first));
    for _ in 0..2 {
        let (status, told) = api(&mut till, &end, "", &json!({})).await;
        assert_eq!((status, &told["state"]), (200, &json!("ended")));
    }
    assert_eq!(contract(&mut till, "c").await["number"], 3, "there is room again");
    let (_, told) = api(&mut till, "/api/v1/contracts?limit=2", "", &json!(null)).await;
    assert_eq!((told["contracts"].as_array().unwrap().len(), &told["next"]), (2, &json!(2)));
    let (status, _) = api(&mut till, "/api/v1/contracts/nothing", "", &json!(null)).await;
    assert_eq!(status, 404);
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_licence_or_the_scope_nothing_is_billed() {
    use tacit_service::desk::merchant::Scope;
    let mut weak = String::new();
    let mut till = Till::with(merchant(), |parts| {
        let scopes = [Scope::ReadOrders, Scope::WriteOrders, Scope::WriteRefunds];
        weak = crate::support::till::key_for(parts.desk[0].as_mut(), 9, &scopes);
    })
    .await;
    let asked = json!({"description": "Electricity"});
    let (status, told) = api(&mut till, "/api/v1/contracts", "a", &asked).await;
    assert_eq!((status, &told["type"]), (403, &json!("/problems#unlicensed")));
    assert_eq!(api(&mut till, "/api/v1/contracts", "", &json!(null)).await.0, 200);
    let page = till.own_page("/merchant/contracts").await;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    assert!(
        page.contains("needs a licence")
            && !page.contains("<form method=\"post\" action=\"/merchant/contracts\"")
    );
    till.key = weak;
    for (path, body) in [
        ("/api/v1/contracts", asked),
        ("/api/v1/contracts", json!(null)),
        ("/api/v1/bills", json!({"bills": []})),
    ] {
        let (status, told) = api(&mut till, path, "x", &body).await;
        assert_eq!((status, &told["type"]), (403, &json!("/problems#scope")), "{path}");
    }
    till.local.stop().await;
}

/// What a biller who pays its own bills in a circle has in the end: no more units than the caps, for the fees of real sales, of a
/// licence that two granted, in the open.
#[tokio::test(flavor = "multi_thread")]
async fn billing_oneself_costs_fees_and_buys_capped_months_alone() {
    let fee = |config: &mut tacit_server::config::Config| {
        for terms in &mut config.units {
            terms.fees.sale = tacit_service::fee::Fee::new(10, 100).unwrap();
        }
    };
    let mut keys = None;
    let mut till = Till::with_config(merchant(), fee, |parts| {
        keys = Some(IssuerKeys::derive(&parts.seed, key_epoch(Epoch::of(now()))));
        license(parts, TERMS);
    })
    .await;
    let keys = keys.unwrap();
    let (mut wallet, payer) = (till.wallet().await, Payer::new(&keys));
    let contracts = [contract(&mut till, "a").await, contract(&mut till, "b").await];
    // A third contract would be one more slot's worth, and the licence has no room for it.
    let asked = json!({"description": "Mine"});
    assert_eq!(api(&mut till, "/api/v1/contracts", "c", &asked).await.0, 409);
    let (mut units, mut spent) = (0_u32, 0_u64);
    for contract in &contracts {
        // However much is sent in a circle, a month of a contract counts for 127 units of 10.00 at most.
        let amount = 1_000_000;
        assert_eq!(bill(&mut till, contract, amount, 10).await.0, 200);
        let told = month(&mut wallet, contract, month_of(10)).await;
        assert_eq!(told["bill"]["units"], 127);
        let proofs = wallet.mint("bank", amount).await;
        let pending = payer.ask(contract, &told);
        let path = pay_path(contract, month_of(10));
        let paid: Value = wallet.post(&path, &payload(&proofs, Some(&pending))).await.ok();
        units += u32::from(payer.open(&pending, &paid["receipt"]).facts().amount);
        spent += amount;
        // The month has no second bill, and no second receipt.
        assert_eq!(bill(&mut till, contract, amount, 11).await.0, 422);
    }
    assert_eq!(units, 2 * 127);
    let home = till.own_page("/merchant").await;
    let held = String::from_utf8_lossy(&home.body).into_owned();
    let lost = 2 * (10 + 1_000_000 / 100);
    let left = format!("{}.{:02} USD", (spent - lost) / 100, (spent - lost) % 100);
    assert!(held.contains(&left), "{left}: {held}");
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_makes_contracts_takes_files_and_keeps_what_was_typed() {
    let (mut till, _) = licensed().await;
    let text = |answer: &crate::support::client::Answer| {
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    let page = text(&till.own_page("/merchant/contracts").await);
    assert!(
        page.contains("No contracts yet") && page.contains("from 5.00 USD on, and 2 contracts"),
        "{page}"
    );
    let nonce = "ab".repeat(16);
    let form = |description| {
        [("description", description), ("reference", "no. 7"), ("nonce", nonce.as_str())]
    };
    let wrong = till.own_form("/merchant/contracts", &form(" ")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let shown = text(&wrong);
    assert!(shown.contains("value=\"no. 7\"") && shown.contains(&nonce), "{shown}");
    let forged = till.form("/merchant/contracts", &form("Water")).await;
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
    let mut made = Vec::new();
    for _ in 0..2 {
        let answer = till.own_form("/merchant/contracts", &form("Water <b>")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        made.push(answer.headers["location"].to_str().unwrap().to_owned());
    }
    assert_eq!(made[0], made[1], "the second click finds it made");
    let path = made[0].split('?').next().unwrap().to_owned();
    let page = text(&till.own_page(&path).await);
    assert!(page.contains("Water &#60;b&#62;") && page.contains("class=\"qr\""), "{page}");
    let early = in_days(3).to_string();
    let answer =
        till.own_form(&format!("{path}/bill"), &[("due", &early), ("amount", "12.50")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        text(&answer).contains("less than seven days") && text(&answer).contains("value=\"12.50\"")
    );
    let due = in_days(20).to_string();
    for _ in 0..2 {
        let answer =
            till.own_form(&format!("{path}/bill"), &[("due", &due), ("amount", "12.50")]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
    }
    let month = month_of(20).to_string();
    for _ in 0..2 {
        let answer = till.own_form(&format!("{path}/withdraw"), &[("month", &month)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        let answer = till.own_form(&format!("{path}/end"), &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
    }
    let page = text(&till.own_page(&path).await);
    assert!(
        page.contains("taken back") && page.contains("ended") && !page.contains("New bill"),
        "{page}"
    );
    let answer = till.own_page(&format!("/merchant/contracts/{}", "00".repeat(16))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    till.local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_bills_is_taken_whole_or_not_at_all() {
    let (mut till, _) = licensed().await;
    let of = contract(&mut till, "a").await;
    let path = format!("/merchant/contracts/{}", id(&of));
    let text = |answer: &crate::support::client::Answer| {
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    let (later, sum) = (in_days(55).to_string(), "12.50");
    let file = format!("contract,due,amount\n1,{later},{sum}\n2,{later},{sum}\n1,{later},{sum}\n");
    let answer = upload(&mut till, &file, true).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let shown = text(&answer);
    assert!(shown.contains("Line 3: The contract is not one of yours"), "{shown}");
    assert!(shown.contains("Line 4: The same contract and month stand in line 2"), "{shown}");
    assert!(!text(&till.own_page(&path).await).contains(&later), "nothing is half taken");
    let file = format!("contract;due;amount\n1;{later};12,50\n");
    assert_eq!(
        upload(&mut till, &file, false).await.status,
        StatusCode::FORBIDDEN,
        "a forged form"
    );
    for _ in 0..2 {
        let answer = upload(&mut till, &file, true).await;
        assert_eq!(answer.headers["location"], "/merchant/contracts?done=billed&count=1");
    }
    till.local.stop().await;
}

/// A file of bills, with the form's token or another.
async fn upload(till: &mut Till, file: &str, is_own: bool) -> crate::support::client::Answer {
    let cookie = format!("person={}", hex::encode(till.session.expose()));
    let token = hex::encode(till.session.form_token().expose());
    let token = if is_own { token } else { "0".repeat(64) };
    let origin = till.local.running.origins().desk.as_ref().unwrap().to_string();
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"form_token\"\r\n\r\n{token}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"bills.csv\"\r\n\
         Content-Type: text/csv\r\n\r\n{file}\r\n--x--\r\n"
    );
    let headers = [
        ("cookie", cookie.as_str()),
        ("origin", origin.as_str()),
        ("content-type", "multipart/form-data; boundary=x"),
    ];
    till.desk(Method::POST, "/merchant/contracts/file", &headers, body).await
}
