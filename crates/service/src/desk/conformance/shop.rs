//! What every desk must do for merchants: shops and keys, orders and refunds on paper, webhooks.

use std::time::Duration;

use tacit_core::secret::Secret;
use tacit_core::time::Day;
use tacit_core::unit::Unit;
use tacit_ecash::point::PointBytes;

use super::super::DeskStore;
use super::super::login::Label;
use super::super::merchant::{
    API_KEYS_MAX, ApiKey, ApiKeyText, Merchant, NamingSecret, Scope, Scopes,
};
use super::super::paper::{Begun, DaySales, Line, OrderPaper, PaperState, RefundPaper, RefundWay};
use super::super::person::PersonId;
use super::super::webhook::{Attempt, Delivery, DeliveryState};
use super::{NOW, name};
use crate::account::AccountId;
use crate::order::{EventId, EventKind, OrderId, OutboxEvent};

/// Of the shop's currency.
fn usd() -> Unit {
    Unit::new("usd").expect("a unit")
}

fn shop(number: u8) -> Merchant {
    Merchant {
        account: AccountId::from_random([number; 8]),
        name: name("Corner Café"),
        owner: PersonId::from_bytes([number; 16]),
        unit: usd(),
        key: PointBytes::from_bytes([2; 33]),
        naming: NamingSecret::new([number; 32]),
        webhook: None,
        webhook_secret: Secret::new([number; 32]),
        opened: NOW.day(),
        is_in_vault: false,
    }
}

pub(super) fn register(desk: &mut dyn DeskStore, number: u8) -> Merchant {
    let merchant = shop(number);
    assert!(desk.register(&merchant).expect("it answers"));
    merchant
}

/// What a shop is known by from outside, for a secret has no equality.
fn face(merchant: &Merchant) -> (AccountId, &str, PersonId, Option<&str>, [u8; 32], bool) {
    let Merchant { account, name, owner, webhook, webhook_secret, is_in_vault, .. } = merchant;
    (*account, name.as_str(), *owner, webhook.as_deref(), *webhook_secret.expose(), *is_in_vault)
}

pub(super) fn shops(desk: &mut dyn DeskStore) {
    let own = register(desk, 1);
    register(desk, 2);
    assert!(!desk.register(&own).expect("it answers"));
    let second = Merchant { account: AccountId::from_random([9; 8]), ..shop(1) };
    assert!(!desk.register(&second).expect("it answers"), "one person, one shop");
    let taken = Merchant { owner: PersonId::from_bytes([9; 16]), ..shop(1) };
    assert!(!desk.register(&taken).expect("it answers"), "one account, one shop");
    let of = |desk: &mut dyn DeskStore, owner: u8| {
        desk.merchant_of(PersonId::from_bytes([owner; 16])).expect("it answers")
    };
    let known = of(desk, 1).expect("there");
    assert_eq!(face(&known), face(&own));
    assert_eq!((known.unit, known.key, known.opened), (own.unit, own.key, own.opened));
    assert_eq!(known.naming.expose(), own.naming.expose());
    assert!(of(desk, 9).is_none());
    assert!(desk.merchant(second.account).expect("it answers").is_none());
    let url = "https://shop.example/told";
    desk.set_webhook(own.account, Some(url)).expect("it answers");
    let known = desk.merchant(own.account).expect("it answers").expect("there");
    assert_eq!(known.webhook.as_deref(), Some(url));
    desk.set_webhook(own.account, None).expect("it answers");
    assert_eq!(of(desk, 1).expect("there").webhook, None);
    assert_eq!(desk.merchants_not_in_vault(1).expect("it answers").len(), 1);
    for _ in 0..2 {
        desk.set_merchant_in_vault(own.account).expect("it answers");
    }
    let left = desk.merchants_not_in_vault(9).expect("it answers");
    assert_eq!(left.iter().map(|shop| shop.account).collect::<Vec<_>>(), [shop(2).account]);
    assert!(of(desk, 1).expect("there").is_in_vault);
}

pub(super) fn key(merchant: &Merchant, number: u8) -> ApiKey {
    ApiKey {
        hash: ApiKeyText::from_random([number; 32]).hash(),
        merchant: merchant.account,
        label: Label::new("till").expect("a label"),
        scopes: Scopes::new(&[Scope::ReadOrders, Scope::WriteRefunds]).expect("two"),
        added: NOW.day(),
        expires: Day::from_number(NOW.day().number() + 1),
        is_revoked: false,
    }
}

pub(super) fn keys(desk: &mut dyn DeskStore) {
    let (own, other) = (register(desk, 1), register(desk, 2));
    let most = u8::try_from(API_KEYS_MAX).expect("few");
    for number in 0..most {
        assert!(desk.add_api_key(&key(&own, number)).expect("it answers"));
    }
    assert!(!desk.add_api_key(&key(&own, most)).expect("it answers"), "as many as there may be");
    assert!(desk.add_api_key(&key(&other, 100)).expect("it answers"), "the other's are its own");
    let first = key(&own, 0);
    let (found, whose) = desk.api_key(first.hash, NOW).expect("it answers").expect("it counts");
    assert_eq!((found, whose.account), (first.clone(), own.account));
    let tomorrow = first.expires.start();
    assert!(desk.api_key(first.hash, tomorrow).expect("it answers").is_none(), "it has ended");
    assert!(!desk.revoke_api_key(other.account, first.hash).expect("it answers"), "not theirs");
    assert!(desk.revoke_api_key(own.account, first.hash).expect("it answers"));
    assert!(desk.api_key(first.hash, NOW).expect("it answers").is_none(), "taken back");
    let left = desk.api_keys(own.account).expect("it answers");
    assert_eq!((left.len(), left.contains(&first)), (usize::from(most) - 1, false));
    assert!(desk.add_api_key(&key(&own, most)).expect("it answers"), "there is room again");
}

fn paper(merchant: &Merchant, request_key: &str) -> OrderPaper {
    let checkout = merchant.naming.checkout(request_key);
    OrderPaper {
        id: checkout.order(),
        checkout,
        merchant: merchant.account,
        number: 0,
        request_key: request_key.to_owned(),
        request_digest: [7; 32],
        reference: None,
        description: Line::new("Two coffees").expect("a line"),
        amount: 1050,
        unit: usd(),
        created: NOW.day(),
        expiry: NOW.after(Duration::from_secs(600)),
        state: PaperState::Begun,
        paid: None,
        refunded: 0,
    }
}

fn begin(desk: &mut dyn DeskStore, merchant: &Merchant, request_key: &str) -> OrderPaper {
    let begun = desk.begin_order(&paper(merchant, request_key)).expect("it answers");
    let Begun::New(paper) = begun else { panic!("{begun:?}") };
    paper
}

fn order(desk: &mut dyn DeskStore, id: OrderId) -> OrderPaper {
    desk.order_paper(id).expect("it answers").expect("there")
}

pub(super) fn orders(desk: &mut dyn DeskStore) {
    let (own, other) = (register(desk, 1), register(desk, 2));
    let first = begin(desk, &own, "a");
    assert_eq!(first, OrderPaper { number: 1, ..paper(&own, "a") });
    let reference = Some(Line::new("basket “7”").expect("a line"));
    let asked = OrderPaper { reference, ..paper(&own, "b") };
    let second = OrderPaper { number: 2, ..asked.clone() };
    assert_eq!(desk.begin_order(&asked).expect("it answers"), Begun::New(second.clone()));
    assert_eq!(begin(desk, &other, "a").number, 1, "each shop counts its own");
    assert_eq!(desk.begin_order(&asked).expect("it answers"), Begun::Same(second.clone()));
    let changed = OrderPaper { request_digest: [8; 32], ..asked };
    assert_eq!(desk.begin_order(&changed).expect("it answers"), Begun::Other);
    assert_eq!(order(desk, second.id), second);
    let nobodys = OrderId::from_bytes([9; 16]);
    assert_eq!(desk.order_paper(nobodys).expect("it answers"), None);
    let list = |desk: &mut dyn DeskStore, below, limit| -> Vec<u64> {
        let found = desk.orders(own.account, below, limit).expect("it answers");
        found.iter().map(|paper| paper.number).collect()
    };
    assert_eq!(list(desk, None, 10), [2, 1]);
    assert_eq!((list(desk, None, 1), list(desk, Some(2), 10)), (vec![2], vec![1]));
    assert_eq!(desk.orders_begun(2).expect("it answers").len(), 2);

    let set = |desk: &mut dyn DeskStore, id, state, day: u64| {
        desk.set_order_state(id, state, Day::from_number(day)).expect("it answers");
        let known = order(desk, id);
        (known.state, known.paid.map(Day::number))
    };
    assert_eq!(set(desk, first.id, PaperState::Open, 5), (PaperState::Open, None));
    assert_eq!(set(desk, first.id, PaperState::Begun, 5), (PaperState::Open, None), "not back");
    assert_eq!(set(desk, first.id, PaperState::Cancelled, 5), (PaperState::Cancelled, None));
    assert_eq!(set(desk, first.id, PaperState::Open, 5), (PaperState::Cancelled, None));
    // The payment was quicker than the cancellation, whatever the desk heard first.
    assert_eq!(set(desk, first.id, PaperState::Paid, 6), (PaperState::Paid, Some(6)));
    assert_eq!(set(desk, first.id, PaperState::Paid, 7), (PaperState::Paid, Some(6)));
    assert_eq!(set(desk, first.id, PaperState::Cancelled, 8), (PaperState::Paid, Some(6)));
    let left = desk.orders_begun(9).expect("it answers");
    assert_eq!(left.len(), 2, "those of which the vault has said nothing");
}

fn refund(merchant: &Merchant, of: &OrderPaper, request_key: &str, amount: u64) -> RefundPaper {
    let id = merchant.naming.refund(of.id, request_key);
    RefundPaper {
        id,
        order: of.id,
        request_key: request_key.to_owned(),
        request_digest: [u8::try_from(amount % 251).expect("small"); 32],
        amount,
        way: RefundWay::Blanks,
        code_hash: merchant.naming.refund_code(id).hash(),
        created: NOW.day(),
        is_done: false,
    }
}

pub(super) fn refunds(desk: &mut dyn DeskStore) {
    let own = register(desk, 1);
    let sold = begin(desk, &own, "a");
    desk.set_order_state(sold.id, PaperState::Paid, NOW.day()).expect("it answers");
    let (first, second) = (refund(&own, &sold, "x", 400), refund(&own, &sold, "y", 50));
    for asked in [&first, &second] {
        let begun = desk.begin_refund(asked).expect("it answers");
        assert_eq!(begun, Begun::New(asked.clone()));
        let again = desk.begin_refund(asked).expect("it answers");
        assert_eq!(again, Begun::Same(asked.clone()));
    }
    let other = refund(&own, &sold, "x", 401);
    assert_eq!(desk.begin_refund(&other).expect("it answers"), Begun::Other);
    assert_eq!(desk.refunds_begun(9).expect("it answers").len(), 2);
    assert_eq!(desk.refunds_begun(1).expect("it answers").len(), 1);
    desk.set_refund_way(first.id, RefundWay::Code).expect("it answers");
    for _ in 0..2 {
        desk.finish_refund(first.id).expect("it answers");
        assert_eq!(order(desk, sold.id).refunded, 400, "done twice, it counts once");
    }
    let done = RefundPaper { way: RefundWay::Code, is_done: true, ..first.clone() };
    desk.set_refund_way(first.id, RefundWay::Blanks).expect("it answers");
    desk.drop_refund(first.id).expect("it answers");
    let found = desk.refund_of_code(first.code_hash).expect("it answers");
    assert_eq!(found, Some(done.clone()), "what is done stays as it is");
    assert_eq!(desk.refund_of_code([0; 32]).expect("it answers"), None);
    assert_eq!(desk.refunds(sold.id).expect("it answers").len(), 2);
    desk.drop_refund(second.id).expect("it answers");
    assert_eq!(desk.refunds(sold.id).expect("it answers"), [done]);
    assert_eq!(desk.refunds_begun(9).expect("it answers"), []);
    desk.finish_refund(second.id).expect("it answers");
    assert_eq!(order(desk, sold.id).refunded, 400, "what was forgotten counts for nothing");
    let begun = desk.begin_refund(&second).expect("it answers");
    assert_eq!(begun, Begun::New(second), "and may be asked for anew");
}

pub(super) fn sales(desk: &mut dyn DeskStore) {
    let (own, other) = (register(desk, 1), register(desk, 2));
    let mut sell = |merchant: &Merchant, request_key: &str, day: u64| {
        let sold = begin(desk, merchant, request_key);
        desk.set_order_state(sold.id, PaperState::Paid, Day::from_number(day)).expect("it answers");
        sold
    };
    sell(&own, "a", 10);
    let second = sell(&own, "b", 10);
    sell(&own, "c", 12);
    sell(&own, "d", 9);
    sell(&other, "a", 12);
    begin(desk, &own, "unpaid");
    let back = refund(&own, &second, "x", 50);
    desk.begin_refund(&back).expect("it answers");
    desk.finish_refund(back.id).expect("it answers");
    let day = |day, orders, paid, refunded| DaySales {
        day: Day::from_number(day),
        orders,
        paid,
        refunded,
    };
    let found = desk.sales(own.account, Day::from_number(10)).expect("it answers");
    assert_eq!(found, [day(10, 2, 2100, 50), day(12, 1, 1050, 0)]);
    let nobodys = AccountId::from_random([9; 8]);
    assert_eq!(desk.sales(nobodys, Day::from_number(0)).expect("it answers"), []);
}

fn event(number: u8, kind: EventKind, order: OrderId) -> OutboxEvent {
    OutboxEvent { id: EventId::from_bytes([number; 16]), kind, order, amount: 1050 }
}

pub(super) fn told(desk: &mut dyn DeskStore) {
    let (own, quiet) = (register(desk, 1), register(desk, 2));
    desk.set_webhook(own.account, Some("https://shop.example/told")).expect("it answers");
    let (first, second) = (begin(desk, &own, "a"), begin(desk, &quiet, "a"));
    let events = [
        event(1, EventKind::OrderPaid, first.id),
        event(2, EventKind::OrderRefunded, first.id),
        event(3, EventKind::OrderPaid, second.id),
        event(4, EventKind::OrderPaid, OrderId::from_bytes([9; 16])),
    ];
    let later = Day::from_number(NOW.day().number() + 1);
    desk.take_over(&events, NOW.day()).expect("it answers");
    desk.take_over(&events, later).expect("it answers");
    for paper in [&first, &second] {
        let known = order(desk, paper.id);
        assert_eq!((known.state, known.paid), (PaperState::Paid, Some(NOW.day())), "once");
    }
    let own_log = desk.deliveries(own.account, 0, 9).expect("it answers");
    assert_eq!(own_log.len(), 2);
    assert_eq!(desk.deliveries(own.account, 1, 9).expect("it answers"), own_log[1..]);
    let of_first = own_log.iter().find(|(delivery, _)| delivery.order == first.id);
    assert_eq!(of_first.and_then(|(_, number)| *number), Some(order(desk, first.id).number));
    let kept = Delivery {
        event: events[0].id,
        merchant: own.account,
        kind: EventKind::OrderPaid,
        order: first.id,
        amount: 1050,
        day: NOW.day(),
        attempts: 0,
        next_attempt: Some(tacit_core::time::Timestamp::from_seconds(0)),
        state: DeliveryState::Waiting,
        last: None,
    };
    assert_eq!(desk.delivery(events[0].id).expect("it answers"), Some(kept));
    let nothing = desk.deliveries(quiet.account, 0, 9).expect("it answers");
    assert_eq!(nothing, [], "who wants to be told nothing is told nothing");
    assert_eq!(desk.delivery(events[3].id).expect("it answers"), None);
}

pub(super) fn deliveries(desk: &mut dyn DeskStore) {
    let (own, other) = (register(desk, 1), register(desk, 2));
    desk.set_webhook(own.account, Some("https://shop.example/told")).expect("it answers");
    let sold = begin(desk, &own, "a");
    let told = event(1, EventKind::OrderPaid, sold.id);
    let back = event(2, EventKind::OrderRefunded, sold.id);
    desk.take_over(&[told, back], NOW.day()).expect("it answers");
    let due = |desk: &mut dyn DeskStore, now, limit| -> Vec<EventId> {
        let due = desk.due_deliveries(now, limit).expect("it answers");
        due.iter().map(|delivery| delivery.event).collect()
    };
    assert_eq!((due(desk, NOW, 9), due(desk, NOW, 1)), (vec![told.id, back.id], vec![told.id]));
    let failed = Attempt { is_arrived: false, said: "500".to_owned() };
    let heard = Attempt { is_arrived: true, said: "204".to_owned() };
    desk.note_attempt(told.id, &failed, NOW).expect("it answers");
    desk.note_attempt(back.id, &heard, NOW).expect("it answers");
    assert_eq!(due(desk, NOW, 9), []);
    let known = desk.delivery(told.id).expect("it answers").expect("there");
    let next = known.next_attempt.expect("it is tried again");
    assert_eq!((known.attempts, known.last.as_deref()), (1, Some("500")));
    assert_eq!(due(desk, next, 9), [told.id], "what arrived is not sent again");
    let arrived = desk.delivery(back.id).expect("it answers").expect("there");
    assert_eq!((arrived.state, arrived.next_attempt), (DeliveryState::Arrived, None));
    assert!(!desk.send_again(other.account, back.id).expect("it answers"), "not theirs");
    assert!(desk.send_again(own.account, back.id).expect("it answers"));
    let again = desk.delivery(back.id).expect("it answers").expect("there");
    assert_eq!((again.state, again.attempts), (DeliveryState::Waiting, 0));
    assert_eq!(due(desk, NOW, 9), [back.id]);
    let nobodys = EventId::from_bytes([9; 16]);
    desk.note_attempt(nobodys, &heard, NOW).expect("what is not there changes nothing");
}
