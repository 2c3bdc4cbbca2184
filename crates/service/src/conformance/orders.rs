//! Orders of merchants: paid by one payer, refunded at most as much, told to the desk until it has heard.

use secp256k1::{PublicKey, SecretKey};
use tacit_core::time::{Day, Timestamp};
use tacit_ecash::blinding::Blinding;
use tacit_ecash::condition::witness::{Witness, sign_input};
use tacit_ecash::point::PointBytes;
use tacit_ecash::proof::Proof;

use super::rig::{Rig, messages, usd};
use crate::account::{AccountId, Holder, HolderKind, HolderState, Level};
use crate::decide::{PAID_ORDER_RETENTION_DAYS, QUOTE_RETENTION_DAYS};
use crate::ledger::Account;
use crate::mint::InputError;
use crate::order::{
    EventKind, FetchError, Order, OrderId, OrderState, PayError, PreparedPayment, RefundError,
    RefundTo, sale_fee,
};
use crate::posting::{FactId, PostError, Posted};
use crate::swap::SwapError;
use crate::vault::{Change, Outcome, ProofState};

/// The nonce of a lock, and the rest of a secret that is locked to `key`.
fn locked_secret(key: &str, nonce: &str) -> String {
    format!("[\"P2PK\",{{\"nonce\":\"{nonce}\",\"data\":\"{key}\"}}]")
}

/// A merchant's secret key: the same for every rig, as that of a shop that has lost nothing.
fn secret_key() -> SecretKey {
    SecretKey::from_byte_array([9; 32]).expect("a scalar")
}

fn merchant(rig: &mut Rig) -> (AccountId, PointBytes) {
    let id = AccountId::from_random(*rig.draw().first_chunk().expect("32 bytes"));
    let key = PointBytes::from(PublicKey::from_secret_key_global(&secret_key()));
    let holder = Holder {
        id,
        kind: HolderKind::Merchant,
        level: Level::default(),
        state: HolderState::Open,
        key: Some(key),
    };
    assert_eq!(rig.commit_one(Change::OpenHolder(holder)), Outcome::Applied(true));
    let kept = rig.bed().reader().holder(id).expect("readable").expect("there");
    assert_eq!(kept.key, Some(key));
    (id, key)
}

fn order(rig: &mut Rig, holder: AccountId, amount: u64) -> Order {
    let order = Order {
        id: OrderId::from_bytes(*rig.draw().first_chunk().expect("32 bytes")),
        holder,
        unit: usd(),
        amount,
        expiry: Timestamp::from_seconds(rig.now.seconds() + 900),
        state: OrderState::Open,
        refunded: 0,
        blanks: Vec::new(),
    };
    let open = || Change::OpenOrder(order.clone());
    assert_eq!(rig.commit(&[open(), open()]), [Outcome::Applied(true), Outcome::Applied(false)]);
    order
}

fn kept(rig: &mut Rig, order: &Order) -> Option<Order> {
    rig.bed().reader().order(order.id).expect("readable")
}

fn prepare(rig: &Rig, order: &Order, proofs: &[Proof], blanks: &[Blinding]) -> PreparedPayment {
    let prepared = rig.mint.prepare_payment(order, None, proofs, &messages(blanks));
    prepared.expect("a good request")
}

fn pay(rig: &mut Rig, order: &Order, proofs: &[Proof], blanks: &[Blinding]) -> Outcome {
    let payment = prepare(rig, order, proofs, blanks);
    rig.commit_one(Change::PayOrder(payment))
}

fn fact(rig: &mut Rig) -> FactId {
    FactId::from_bytes(*rig.draw().first_chunk().expect("32 bytes"))
}

fn owed(rig: &mut Rig, holder: AccountId) -> u64 {
    let purse = rig.bed().reader().purse(holder, usd()).expect("readable");
    purse.balance.owed().expect("not overdrawn")
}

fn refused(error: PayError) -> Outcome {
    Outcome::Paid(Err(error))
}

fn refund(rig: &mut Rig, order: &Order, name: FactId, amount: u64, to: RefundTo) -> Outcome {
    let order = kept(rig, order).expect("kept");
    rig.commit_one(Change::Refund { order, refund: name, amount, to })
}

/// Of a sale the merchant has the amount less its fee, once, with the payment; never less than nothing.
pub fn a_sale_pays_its_fee_once(rig: &mut Rig) {
    let (shop, _) = merchant(rig);
    for (parts, fee, left) in [(&[8, 4][..], 5, 7), (&[8], 8, 7), (&[4], u64::MAX, 7)] {
        let amount = parts.iter().sum();
        let (order, proofs) = (order(rig, shop, amount), rig.issue(parts));
        let pay = |rig: &Rig| Change::PayOrder(prepare(rig, &order, &proofs, &[]).with_fee(fee));
        let batch = [pay(rig), pay(rig)];
        let both = [Posted::Now, Posted::Before].map(|posted| Outcome::Paid(Ok(posted)));
        assert_eq!(rig.commit(&batch), both);
        rig.restart();
        let again = pay(rig);
        assert_eq!(rig.commit_one(again), Outcome::Paid(Ok(Posted::Before)));
        assert_eq!(owed(rig, shop), left);
        let taken = rig.bed().reader().transfer(sale_fee(order.id)).expect("readable");
        assert_eq!(taken.expect("posted").amount, fee.min(amount));
    }
    // What is refunded is the whole amount; the fee stays, and is the merchant's to bear.
    let order = order(rig, shop, 8);
    let proofs = rig.issue(&[8]);
    let payment = prepare(rig, &order, &proofs, &[]).with_fee(3);
    assert_eq!(rig.commit_one(Change::PayOrder(payment)), Outcome::Paid(Ok(Posted::Now)));
    let name = fact(rig);
    let back = refund(rig, &order, name, 8, RefundTo::Code);
    assert_eq!(back, Outcome::Refunded(Ok(Posted::Now)));
    assert_eq!(owed(rig, shop), 7 + 8 - 3 - 8);
    let fees = rig.audit().transfers[&Account::Fees(usd())];
    assert_eq!((fees.credits, fees.debits), (5 + 8 + 4 + 3, 0));
}

/// A payment goes straight to the merchant; sent again, it is answered; the desk hears of it until it says that it has.
pub fn an_order_is_paid_once_and_told_once(rig: &mut Rig) {
    let (shop, _) = merchant(rig);
    let order = order(rig, shop, 12);
    let proofs = rig.issue(&[8, 4]);
    let paid = || Outcome::Paid(Ok(Posted::Now));
    assert_eq!(pay(rig, &order, &proofs, &[]), paid());
    let before = rig.audit();
    rig.restart();
    assert_eq!(pay(rig, &order, &proofs, &[]), Outcome::Paid(Ok(Posted::Before)));
    assert_eq!(rig.audit(), before, "a repetition changes nothing");
    assert_eq!(rig.states(&proofs), [ProofState::Spent(None); 2]);
    assert_eq!(owed(rig, shop), 12);
    assert_eq!(kept(rig, &order).expect("kept").state, OrderState::Paid);
    assert_eq!(rig.commit_one(Change::CancelOrder(order.id)), Outcome::Applied(false));

    let events = rig.bed().reader().outbox(10).expect("readable");
    let [event] = events[..] else { panic!("one event") };
    assert_eq!((event.kind, event.order, event.amount), (EventKind::OrderPaid, order.id, 12));
    rig.commit_one(Change::Forget(vec![event.id]));
    assert!(rig.bed().reader().outbox(10).expect("readable").is_empty());
}

/// Whoever comes second keeps the e-cash, in the same batch or later.
pub fn two_payers_cannot_both_pay(rig: &mut Rig) {
    let (shop, _) = merchant(rig);
    let order = order(rig, shop, 4);
    let (first, second) = (rig.issue(&[4]), rig.issue(&[4]));
    let both = [&first, &second].map(|proofs| prepare(rig, &order, proofs, &[]));
    let outcomes = rig.commit(&both.map(Change::PayOrder));
    assert_eq!(outcomes, [Outcome::Paid(Ok(Posted::Now)), refused(PayError::AlreadyPaid)]);
    assert_eq!(pay(rig, &order, &second, &[]), refused(PayError::AlreadyPaid));
    assert_eq!(rig.states(&second), [ProofState::Unspent]);
    let third = rig.issue(&[2, 2]);
    let drafts = rig.drafts(&[4]);
    rig.swap(&second, &drafts).expect("it can be spent elsewhere");
    // Two orders, one payment.
    let other = self::order(rig, shop, 4);
    let again = self::order(rig, shop, 4);
    let both = [&other, &again].map(|order| prepare(rig, order, &third, &[]));
    let outcomes = rig.commit(&both.map(Change::PayOrder));
    let spent = InputError::AlreadySpent { index: 0 };
    assert_eq!(outcomes, [Outcome::Paid(Ok(Posted::Now)), refused(spent.into())]);
    assert_eq!(owed(rig, shop), 8);
}

/// Another amount, another's lock, too late, cancelled, frozen: the payer keeps what was sent.
pub fn what_does_not_pay_an_order_is_refused_and_kept(rig: &mut Rig) {
    let (shop, key) = merchant(rig);
    let order = order(rig, shop, 12);
    let proofs = rig.issue(&[8, 4]);
    let try_pay = |rig: &Rig, order: &Order, proofs: &[Proof]| {
        rig.mint.prepare_payment(order, Some(&key), proofs, &[]).map(|_| ())
    };
    let short = PayError::WrongAmount { inputs: 8, amount: 12, fee: 0 };
    assert_eq!(try_pay(rig, &order, &proofs[..1]), Err(short));
    let long = PayError::WrongAmount { inputs: 12, amount: 11, fee: 0 };
    let less = Order { amount: 11, ..order.clone() };
    assert_eq!(try_pay(rig, &less, &proofs), Err(long));

    let keyset = rig.active();
    let (own, other) = (key.to_string(), rig.mint.keysets()[0].keys().key(1).expect("a key"));
    let other = PointBytes::from_bytes(other.public().serialize()).to_string();
    let mut of = |secret: String, amount| {
        let draft = rig.draft_of(secret, amount, keyset);
        rig.issue_on(&[draft])
    };
    let wrong = of(locked_secret(&other, "a"), 8);
    let two = of(
        format!(
            "[\"P2PK\",{{\"nonce\":\"b\",\"data\":\"{own}\",\"tags\":[[\"pubkeys\",\"{other}\"],[\"n_sigs\",\"2\"]]}}]"
        ),
        8,
    );
    let right = of(locked_secret(&own, "c"), 8);
    for proof in [&wrong, &two] {
        let mixed = [proof.clone(), proofs[1..].to_vec()].concat();
        assert_eq!(try_pay(rig, &order, &mixed), Err(PayError::WrongLock { index: 0 }));
    }
    let mixed = [right, proofs[1..].to_vec()].concat();
    let prepared = rig.mint.prepare_payment(&order, Some(&key), &mixed, &[]).expect("locked");

    let unknown = Order { id: OrderId::from_bytes([1; 16]), ..order.clone() };
    assert_eq!(pay(rig, &unknown, &proofs, &[]), refused(PayError::UnknownOrder));
    let set = |rig: &mut Rig, state| {
        let change = Change::SetHolderState { holder: shop, state, units: vec![usd()] };
        assert_eq!(rig.commit_one(change), Outcome::Applied(true));
    };
    set(rig, HolderState::Frozen);
    assert_eq!(pay(rig, &order, &proofs, &[]), refused(PayError::MerchantClosed));
    set(rig, HolderState::Open);
    let withdrawn = self::order(rig, shop, 12);
    assert_eq!(rig.commit_one(Change::CancelOrder(withdrawn.id)), Outcome::Applied(true));
    assert_eq!(pay(rig, &withdrawn, &proofs, &[]), refused(PayError::Cancelled));
    assert_eq!(rig.commit_one(Change::PayOrder(prepared)), Outcome::Paid(Ok(Posted::Now)));
    let late = self::order(rig, shop, 8);
    rig.now = late.expiry;
    assert_eq!(pay(rig, &late, &proofs[..1], &[]), refused(PayError::Expired));
    assert_eq!(rig.states(&proofs[..1]), [ProofState::Unspent]);
}

/// In parts or whole, by code or on outputs: no more goes back than was paid, and no more than the shop has.
pub fn refunds_never_exceed_the_payment(rig: &mut Rig) {
    let (shop, _) = merchant(rig);
    let order = order(rig, shop, 12);
    let name = fact(rig);
    let failed = |error| Outcome::Refunded(Err(error));
    let not_paid = failed(RefundError::NotPaid);
    assert_eq!(refund(rig, &order, name, 1, RefundTo::Code), not_paid);
    let proofs = rig.issue(&[8, 4]);
    assert_eq!(pay(rig, &order, &proofs, &[]), Outcome::Paid(Ok(Posted::Now)));
    for amount in [0, 13, u64::MAX] {
        let too_much = failed(RefundError::TooMuch);
        assert_eq!(refund(rig, &order, name, amount, RefundTo::Code), too_much);
    }
    let no_blanks = failed(RefundError::NoBlanks);
    assert_eq!(refund(rig, &order, name, 5, RefundTo::Blanks), no_blanks);
    let done = |posted| Outcome::Refunded(Ok(posted));
    assert_eq!(refund(rig, &order, name, 5, RefundTo::Code), done(Posted::Now));
    assert_eq!(refund(rig, &order, name, 5, RefundTo::Code), done(Posted::Before));
    let conflict = failed(RefundError::Conflict);
    assert_eq!(refund(rig, &order, name, 6, RefundTo::Code), conflict);
    let order_now = kept(rig, &order).expect("kept");
    let names = [fact(rig), fact(rig)];
    let batch = names.map(|refund| Change::Refund {
        order: order_now.clone(),
        refund,
        amount: 4,
        to: RefundTo::Code,
    });
    assert_eq!(rig.commit(&batch), [done(Posted::Now), failed(RefundError::TooMuch)]);
    assert_eq!((owed(rig, shop), kept(rig, &order).expect("kept").refunded), (3, 9));
    let charge =
        crate::posting::Posting::Charge { fact: fact(rig), holder: shop, unit: usd(), amount: 1 };
    rig.commit_one(Change::Post(charge));
    let poor = failed(RefundError::Account(PostError::Insufficient));
    let last = fact(rig);
    assert_eq!(refund(rig, &order, last, 3, RefundTo::Code), poor);
    let unknown = Order { id: OrderId::from_bytes([1; 16]), ..order };
    let change = Change::Refund { order: unknown, refund: last, amount: 1, to: RefundTo::Code };
    assert_eq!(rig.commit_one(change), failed(RefundError::UnknownOrder));
}

/// The payer's wallet finds the signatures under the outputs it sent; what it did not send enough of is refused.
pub fn a_refund_is_signed_on_the_payers_outputs(rig: &mut Rig) {
    let (shop, _) = merchant(rig);
    let order = order(rig, shop, 12);
    let proofs = rig.issue(&[8, 4]);
    let blanks = rig.drafts(&[1, 1, 1]);
    assert_eq!(pay(rig, &order, &proofs, &blanks), Outcome::Paid(Ok(Posted::Now)));
    let (first, second) = (fact(rig), fact(rig));
    let done = Outcome::Refunded(Ok(Posted::Now));
    assert_eq!(refund(rig, &order, first, 5, RefundTo::Blanks), done);
    let asked: Vec<_> = messages(&blanks).iter().map(|message| message.blinded).collect();
    let signed = rig.bed().reader().signed(&asked).expect("readable");
    let amounts: Vec<u64> = signed.iter().flatten().map(|signed| signed.amount).collect();
    assert_eq!(amounts, [1, 4]);
    assert_eq!(kept(rig, &order).expect("kept").blanks.len(), 1);
    let no_blanks = Outcome::Refunded(Err(RefundError::NoBlanks));
    assert_eq!(refund(rig, &order, second, 3, RefundTo::Blanks), no_blanks, "two parts, one left");
    // The wallet has used what was left: nothing is signed twice, and nothing lost.
    let coins = rig.issue(&[2]);
    let last = [blanks[2].clone()];
    let used = rig.draft_of("other".to_owned(), 2, rig.active());
    assert_eq!(last[0].message().keyset, used.message().keyset);
    let reused = tacit_ecash::proof::BlindedMessage { amount: 2, ..*last[0].message() };
    let swap = rig.try_prepare_swap(&coins, &[reused]).expect("a good request");
    assert_eq!(rig.commit_one(Change::Swap(swap)), Outcome::Swap(Ok(())));
    let no_blanks = Outcome::Refunded(Err(RefundError::NoBlanks));
    assert_eq!(refund(rig, &order, second, 2, RefundTo::Blanks), no_blanks);
    assert_eq!(owed(rig, shop), 7);
}

/// A refund that waits is fetched with one list of outputs; the same list is answered again.
pub fn a_refund_by_code_is_fetched_once(rig: &mut Rig) {
    let (shop, _) = merchant(rig);
    let order = order(rig, shop, 12);
    let proofs = rig.issue(&[8, 4]);
    assert_eq!(pay(rig, &order, &proofs, &[]), Outcome::Paid(Ok(Posted::Now)));
    let name = fact(rig);
    let fetch = |rig: &mut Rig, drafts: &[Blinding]| {
        let prepare =
            || rig.mint.prepare_fetch(usd(), name, &messages(drafts)).expect("a good request");
        let (sent, answered) = (prepare(), prepare());
        let outcome = rig.commit_one(Change::FetchRefund(sent));
        answered.answer(outcome)
    };
    let (drafts, others, wrong) = (rig.drafts(&[8, 2]), rig.drafts(&[8, 2]), rig.drafts(&[8, 1]));
    assert_eq!(fetch(rig, &drafts), Err(FetchError::Unknown));
    let granted = refund(rig, &order, name, 10, RefundTo::Code);
    assert_eq!(granted, Outcome::Refunded(Ok(Posted::Now)));
    assert_eq!(fetch(rig, &wrong), Err(FetchError::WrongAmount));
    let signatures = fetch(rig, &drafts).expect("fetched");
    rig.restart();
    assert_eq!(fetch(rig, &drafts).expect("answered again"), signatures);
    assert_eq!(fetch(rig, &others), Err(FetchError::Fetched));
    let coins = rig.unblind(&drafts, &signatures);
    let fresh = rig.drafts(&[8, 2]);
    rig.swap(&coins, &fresh).expect("it is money");
    assert_eq!(owed(rig, shop), 2);
}

/// What is locked to a merchant passes no swap, signed or not, until its locktime or until the merchant lets it go.
pub fn what_is_locked_to_a_merchant_only_pays_orders(rig: &mut Rig) {
    let (shop, key) = merchant(rig);
    let keyset = rig.active();
    let locktime = rig.now.seconds() + 1000;
    let stranger =
        PublicKey::from_secret_key_global(&SecretKey::from_byte_array([11; 32]).expect("a scalar"));
    let mut of = |tags: String, nonce: &str| {
        let secret =
            format!("[\"P2PK\",{{\"nonce\":\"{nonce}\",\"data\":\"{key}\",\"tags\":[{tags}]}}]");
        let draft = rig.draft_of(secret, 4, keyset);
        let mut proofs = rig.issue_on(&[draft]);
        let signature = sign_input(&proofs[0].secret, &secret_key(), &[0; 32]);
        let witness = Witness { preimage: None, signatures: vec![signature] };
        proofs[0].witness = Some(witness.to_text());
        proofs
    };
    let locktime_tag = format!("[\"locktime\",\"{locktime}\"]");
    let for_good = of(String::new(), "a");
    let for_anyone = of(locktime_tag.clone(), "b");
    let for_stranger = of(format!("{locktime_tag},[\"refund\",\"{stranger}\"]"), "c");
    let drafts = rig.drafts(&[4]);
    let swap = |rig: &Rig, proofs: &[Proof]| {
        rig.try_prepare_swap(proofs, &messages(&drafts)).map(|_| ()).map_err(|error| match error {
            SwapError::Input(error) => error,
            SwapError::Output(_) | SwapError::Unbalanced { .. } => panic!("{error}"),
        })
    };
    let locked = Err(InputError::OfMerchant { index: 0 });
    for proofs in [&for_good, &for_anyone, &for_stranger] {
        assert_eq!(swap(rig, proofs), locked, "signed by the merchant's own key");
    }
    rig.now = Timestamp::from_seconds(locktime + 1);
    assert_eq!(swap(rig, &for_good), locked, "it has no locktime");
    assert_eq!(swap(rig, &for_anyone), Ok(()));
    assert_eq!(swap(rig, &for_stranger), locked, "the merchant is not whom it goes back to");

    let names = rig.mint.locked_to(&key, &for_good).expect("locked to it");
    let other = PointBytes::from(stranger);
    assert_eq!(rig.mint.locked_to(&other, &for_good), None);
    let release = || Change::Release(names.iter().copied().collect());
    assert_eq!(
        rig.commit(&[release(), release()]),
        [Outcome::Applied(true), Outcome::Applied(true)]
    );
    let released = rig.bed().reader().released(&names).expect("readable");
    let mut unsigned = for_good.clone();
    unsigned[0].witness = None;
    let free = rig.mint.prepare_released_swap(usd(), &unsigned, &messages(&drafts), &released);
    let still = rig.mint.prepare_released_swap(usd(), &for_stranger, &messages(&drafts), &released);
    assert!(matches!(still, Err(SwapError::Input(InputError::OfMerchant { index: 0 }))));
    assert_eq!(rig.commit_one(Change::Swap(free.expect("let go"))), Outcome::Swap(Ok(())));
    // Once spent, it pays no order any more.
    let order = order(rig, shop, 4);
    let payment = rig.mint.prepare_payment(&order, Some(&key), &for_good, &[]).expect("locked");
    let spent = InputError::AlreadySpent { index: 0 };
    assert_eq!(rig.commit_one(Change::PayOrder(payment)), refused(spent.into()));
}

/// What accounts of an older copy hold may have been paid out since, and its orders paid: nothing moves until somebody has
/// looked.
pub fn an_older_copy_freezes_accounts_and_cancels_orders(rig: &mut Rig) {
    let (shop, _) = merchant(rig);
    let (paid, open) = (order(rig, shop, 4), order(rig, shop, 4));
    let proofs = rig.issue(&[4]);
    assert_eq!(pay(rig, &paid, &proofs, &[]), Outcome::Paid(Ok(Posted::Now)));
    rig.commit_one(Change::AcceptLoss);
    let states = [&paid, &open].map(|order| kept(rig, order).expect("kept").state);
    assert_eq!(states, [OrderState::Paid, OrderState::Cancelled]);
    let name = fact(rig);
    let frozen = RefundError::Account(PostError::Frozen);
    let refused = Outcome::Refunded(Err(frozen));
    assert_eq!(refund(rig, &paid, name, 4, RefundTo::Code), refused);
    let thaw =
        Change::SetHolderState { holder: shop, state: HolderState::Open, units: vec![usd()] };
    assert_eq!(rig.commit_one(thaw), Outcome::Applied(true));
    let granted = refund(rig, &paid, name, 4, RefundTo::Code);
    assert_eq!(granted, Outcome::Refunded(Ok(Posted::Now)));
}

/// Unpaid orders go with the quotes, paid ones when nothing is refunded any more.
pub fn orders_are_dropped_in_their_time(rig: &mut Rig) {
    let (shop, _) = merchant(rig);
    let (unpaid, paid) = (order(rig, shop, 1), order(rig, shop, 2));
    let proofs = rig.issue(&[2]);
    assert_eq!(pay(rig, &paid, &proofs, &[]), Outcome::Paid(Ok(Posted::Now)));
    let after = |rig: &mut Rig, days: u64| {
        rig.now = Timestamp::from_seconds(unpaid.expiry.seconds() + days * Day::SECONDS + 1);
        rig.commit_one(Change::Tick);
        [&unpaid, &paid].map(|order| kept(rig, order).is_some())
    };
    assert_eq!(after(rig, QUOTE_RETENTION_DAYS - 1), [true, true]);
    assert_eq!(after(rig, QUOTE_RETENTION_DAYS), [false, true]);
    assert_eq!(after(rig, PAID_ORDER_RETENTION_DAYS - 1), [false, true]);
    assert_eq!(after(rig, PAID_ORDER_RETENTION_DAYS), [false, false]);
}
