//! What every desk must do for agents, and for cash that is asked of them.

use std::time::Duration;

use tacit_core::time::{Day, Timestamp};
use tacit_core::unit::Unit;

use super::super::agent::{Agent, AgentState, AgentTakenIn};
use super::super::cash::{
    AgentDay, Cash, CashHash, CashKind, CashState, DONE_MAX, Deal, Dealt, READY_MAX, RETENTION_DAYS,
};
use super::super::identification::{CaseId, Document, Seen, Sighting};
use super::super::judgement::{DecisionId, Judgement};
use super::super::person::{KycLevel, PersonId, SignedUp};
use super::super::trail::Action;
use super::super::{DeskStore, Owner};
use super::{NOW, deed, invitation, name, person, sign_up};
use crate::account::AccountId;
use crate::posting::FactId;

fn unit(code: &str) -> Unit {
    Unit::new(code).expect("a unit")
}

fn account(number: u8) -> AccountId {
    AccountId::from_random([number; 8])
}

fn agent(number: u8, called: &str) -> Agent {
    Agent {
        account: account(number),
        name: name(called),
        owner: PersonId::from_bytes([number; 16]),
        unit: unit("usd"),
        opened: NOW.day(),
        state: AgentState::Working,
        is_in_vault: false,
    }
}

/// A document of somebody was seen, and a level set by it.
pub(super) fn identify(desk: &mut dyn DeskStore, number: u8) {
    let (id, case) = (PersonId::from_bytes([number; 16]), CaseId::from_bytes([number; 16]));
    let (number, document) = ([number; 32], Document::Passport);
    let seen = Sighting { person: id, case, number, document, by: None, now: NOW };
    assert_eq!(desk.see_document(&seen).expect("it answers"), Seen::Done);
    let level = Judgement::Level(KycLevel::Identified);
    let set = deed(Action::LevelSet, Owner::Person(id));
    let decision = DecisionId::from_bytes(id.bytes());
    assert!(desk.judge(id, level, decision, &set).expect("it answers"));
}

fn about(action: Action, number: u8) -> super::super::trail::Deed {
    deed(action, Owner::Person(PersonId::from_bytes([number; 16])))
}

pub(super) fn agents(desk: &mut dyn DeskStore) {
    let (first, second) = (agent(1, "Kiosk"), agent(2, "Bakery"));
    let take_in = |desk: &mut dyn DeskStore, agent: &Agent| {
        desk.take_in_agent(agent, &about(Action::AgentTakenIn, 1)).expect("it answers")
    };
    assert_eq!(take_in(desk, &first), AgentTakenIn::Unidentified, "there is nobody");
    for number in [1, 2, 9] {
        sign_up(desk, number, "Kim");
    }
    assert_eq!(take_in(desk, &first), AgentTakenIn::Unidentified, "nobody knows who that is");
    for number in [1, 2, 9] {
        identify(desk, number);
    }
    let before = desk.trail_head().expect("it answers").length;
    for new in [&first, &second] {
        assert_eq!(take_in(desk, new), AgentTakenIn::Done);
    }
    assert_eq!(take_in(desk, &first), AgentTakenIn::Taken);
    let twice = Agent { account: account(9), ..first.clone() };
    assert_eq!(take_in(desk, &twice), AgentTakenIn::Taken, "one person is one agent");
    let taken = Agent { owner: PersonId::from_bytes([9; 16]), ..first.clone() };
    assert_eq!(take_in(desk, &taken), AgentTakenIn::Taken, "one float, one agent");
    assert_eq!(desk.agent(first.account).expect("it answers"), Some(first.clone()));
    assert_eq!(desk.agent_of(first.owner).expect("it answers"), Some(first.clone()));
    assert_eq!(desk.agent_of(taken.owner).expect("it answers"), None);
    let listed = |desk: &mut dyn DeskStore, skip, max| desk.agents(skip, max).expect("it answers");
    assert_eq!(listed(desk, 0, 9), [second.clone(), first.clone()], "by name");
    assert_eq!(listed(desk, 0, 1), std::slice::from_ref(&second));
    assert_eq!(listed(desk, 1, 9), std::slice::from_ref(&first));
    let set = |desk: &mut dyn DeskStore, account, state| {
        desk.set_agent_state(account, state, &about(Action::AgentStopped, 1)).expect("it answers")
    };
    assert!(set(desk, first.account, AgentState::Stopped));
    assert!(!set(desk, first.account, AgentState::Stopped), "it is so already");
    assert!(!set(desk, account(9), AgentState::Stopped));
    let known = desk.agent(first.account).expect("it answers").expect("there");
    assert_eq!(known.state, AgentState::Stopped);
    assert!(set(desk, first.account, AgentState::Working));
    let deeds = desk.trail_head().expect("it answers").length - before;
    assert_eq!(deeds, 4, "what changed nothing is no deed");
    assert_eq!(desk.agents_not_in_vault(1).expect("it answers").len(), 1);
    for _ in 0..2 {
        desk.set_agent_in_vault(first.account).expect("it answers");
        let left = desk.agents_not_in_vault(9).expect("it answers");
        assert_eq!(left, std::slice::from_ref(&second));
    }
}

fn until(minutes: u64) -> Timestamp {
    NOW.after(Duration::from_secs(60 * minutes))
}

fn hash(number: u8) -> CashHash {
    CashHash::from_bytes([number; 32])
}

/// Asked for by the person of account 1; good for ten minutes.
fn out(number: u8) -> Cash {
    Cash {
        id: FactId::from_bytes([number; 16]),
        kind: CashKind::Out,
        account: account(1),
        unit: Some(unit("usd")),
        amount: 5000,
        fee: 50,
        code: Some(hash(number)),
        expires: until(10),
        state: CashState::Asked,
        agent: None,
        day: None,
    }
}

fn into(number: u8) -> Cash {
    Cash {
        kind: CashKind::In,
        unit: None,
        amount: 0,
        fee: 0,
        state: CashState::Ready,
        ..out(number)
    }
}

fn ask(desk: &mut dyn DeskStore, cash: &Cash) -> bool {
    desk.ask_cash(cash).expect("it answers")
}

fn kept(desk: &mut dyn DeskStore, cash: &Cash) -> Option<Cash> {
    desk.cash(cash.id).expect("it answers")
}

fn go(desk: &mut dyn DeskStore, cash: &Cash, from: CashState, to: CashState) -> bool {
    desk.move_cash(cash.id, from, to).expect("it answers")
}

/// What an agent confirms who was told this code; a deal's own name counts for cards alone.
fn deal(agent: u8, cash: &Cash) -> Deal {
    let code = cash.code.expect("it has a code");
    let (agent, unit) = (account(agent), unit("usd"));
    Deal { id: cash.id, code, agent, unit, amount: 700, fee: 7, now: NOW }
}

fn confirm(desk: &mut dyn DeskStore, deal: &Deal) -> Dealt {
    desk.deal(deal).expect("it answers")
}

pub(super) fn codes(desk: &mut dyn DeskStore) {
    let asked = out(1);
    assert!(ask(desk, &asked) && ask(desk, &asked), "asked twice, it is asked once");
    assert_eq!(kept(desk, &asked), Some(asked.clone()));
    assert!(go(desk, &asked, CashState::Asked, CashState::Ready));
    assert!(!go(desk, &asked, CashState::Asked, CashState::Ready));
    let of_code = |desk: &mut dyn DeskStore, number, now| {
        desk.cash_of_code(hash(number), now).expect("it answers")
    };
    let ready = Cash { state: CashState::Ready, ..asked };
    assert_eq!(of_code(desk, 1, NOW), Some(ready.clone()));
    assert_eq!((of_code(desk, 1, ready.expires), of_code(desk, 9, NOW)), (None, None));
    for number in 2..=u8::try_from(READY_MAX).expect("few") {
        assert!(ask(desk, &out(number)));
    }
    assert!(!ask(desk, &out(90)), "as many as there may be");
    assert!(ask(desk, &into(20)) && ask(desk, &into(21)));
    assert_eq!(kept(desk, &into(20)), None, "a later code to pay in with takes its place");
    let other = Cash { account: account(2), ..out(30) };
    assert!(ask(desk, &other), "others have their own");
    let listed = desk.cash_of(account(1)).expect("it answers").len() as u64;
    assert_eq!(listed, READY_MAX + 1);

    let call_off = |desk: &mut dyn DeskStore, cash: &Cash, by| {
        desk.call_off(cash.id, account(by)).expect("it answers")
    };
    assert!(!call_off(desk, &ready, 2), "not theirs");
    assert!(call_off(desk, &ready, 1));
    assert!(!call_off(desk, &ready, 1));
    assert_eq!(kept(desk, &ready).map(|cash| cash.state), Some(CashState::Ending));
    assert_eq!(confirm(desk, &deal(7, &ready)), Dealt::Unknown, "it is called off");
    desk.drop_cash(ready.id).expect("it answers");
    assert_eq!((kept(desk, &ready), of_code(desk, 1, NOW)), (None, None));
    assert!(call_off(desk, &into(21), 1));
    assert_eq!(kept(desk, &into(21)), None, "nothing was held for it");
}

pub(super) fn deals(desk: &mut dyn DeskStore) {
    let (asked, paid_in) = (out(1), into(2));
    assert!(ask(desk, &asked) && ask(desk, &paid_in));
    assert_eq!(confirm(desk, &deal(7, &asked)), Dealt::Unknown, "the money is not held yet");
    assert!(go(desk, &asked, CashState::Asked, CashState::Ready));
    let euros = Deal { unit: unit("eur"), ..deal(7, &asked) };
    assert_eq!(confirm(desk, &euros), Dealt::OtherUnit);
    let late = Deal { now: asked.expires, ..deal(7, &asked) };
    assert_eq!(confirm(desk, &late), Dealt::Unknown);
    let begun = Cash { state: CashState::Dealing, agent: Some(account(7)), ..asked.clone() };
    for _ in 0..2 {
        assert_eq!(confirm(desk, &deal(7, &asked)), Dealt::Begun(begun.clone()));
    }
    assert_eq!(confirm(desk, &deal(8, &asked)), Dealt::Elsewhere);
    assert!(!desk.call_off(asked.id, account(1)).expect("it answers"), "an agent was quicker");
    desk.reopen_cash(asked.id).expect("it answers");
    assert_eq!(kept(desk, &asked), Some(Cash { state: CashState::Ready, ..asked.clone() }));
    assert_eq!(
        confirm(desk, &deal(8, &asked)),
        Dealt::Begun(Cash { agent: Some(account(8)), ..begun })
    );
    for _ in 0..2 {
        desk.finish_cash(asked.id, NOW.day()).expect("it answers");
    }
    desk.reopen_cash(asked.id).expect("it answers");
    desk.drop_cash(asked.id).expect("it answers");
    let done = Cash {
        state: CashState::Done,
        agent: Some(account(8)),
        code: None,
        expires: Timestamp::from_seconds(0),
        day: Some(NOW.day()),
        ..asked.clone()
    };
    assert_eq!(kept(desk, &asked), Some(done.clone()), "what is done stays done");
    assert_eq!(confirm(desk, &deal(8, &asked)), Dealt::Begun(done.clone()), "the second click");
    assert_eq!(confirm(desk, &deal(7, &asked)), Dealt::Unknown, "the code is forgotten");
    let today = desk.deals_of(account(8), NOW.day()).expect("it answers");
    assert_eq!(today, std::slice::from_ref(&done));
    let day_of = |desk: &mut dyn DeskStore, agent, day| {
        desk.day_of(account(agent), day).expect("it answers")
    };
    let sums = AgentDay { given: done.amount, taken: 0, count: 1 };
    assert_eq!(day_of(desk, 8, NOW.day()), sums);
    let tomorrow = Day::from_number(NOW.day().number() + 1);
    assert_eq!(desk.deals_of(account(8), tomorrow).expect("it answers"), []);
    assert_eq!(day_of(desk, 8, tomorrow), AgentDay::default());

    // More than are listed at once, and all of them summed.
    let many = u8::try_from(DONE_MAX).expect("few") + 10;
    for number in 100..100 + many {
        let paid = Cash { account: account(number), ..into(number) };
        assert!(ask(desk, &paid));
        assert!(matches!(confirm(desk, &deal(9, &paid)), Dealt::Begun(_)));
        desk.finish_cash(paid.id, NOW.day()).expect("it answers");
    }
    let listed = desk.deals_of(account(9), NOW.day()).expect("it answers").len();
    assert_eq!(listed, DONE_MAX as usize);
    let many = u64::from(many);
    assert_eq!(day_of(desk, 9, NOW.day()), AgentDay { given: 0, taken: 700 * many, count: many });

    let Dealt::Begun(taken) = confirm(desk, &deal(7, &paid_in)) else { panic!("it is good") };
    assert_eq!((taken.unit, taken.amount, taken.fee), (Some(unit("usd")), 700, 7));
    desk.reopen_cash(paid_in.id).expect("it answers");
    assert_eq!(kept(desk, &paid_in), Some(paid_in.clone()), "as if nobody had said an amount");
    let listed = desk.cash_of(account(1)).expect("it answers");
    assert_eq!(listed, [paid_in, done]);
}

/// That of an account of this number, good for ten hours.
pub(super) fn card(number: u8) -> Cash {
    let (kind, expires, agent) = (CashKind::Card, until(600), Some(account(7)));
    Cash { kind, account: account(number), expires, agent, ..into(number) }
}

pub(super) fn cards(desk: &mut dyn DeskStore) {
    let guest = person(1, "Guest");
    let card = card(1);
    let link = invitation(1, Owner::Person(guest.id));
    let open =
        |desk: &mut dyn DeskStore| desk.open_at_agent(&guest, &link, &card).expect("it answers");
    assert_eq!((open(desk), open(desk)), (SignedUp::Done, SignedUp::Taken));
    assert_eq!(desk.person(guest.id).expect("it answers"), Some(guest.clone()));
    assert_eq!(desk.invitation(link.hash, NOW).expect("it answers"), Some(link));
    for number in [40, 41] {
        let own = Deal { id: FactId::from_bytes([number; 16]), ..deal(8, &card) };
        for _ in 0..2 {
            let Dealt::Begun(begun) = confirm(desk, &own) else { panic!("the card is good") };
            assert_eq!((begun.id, begun.kind, begun.code), (own.id, CashKind::In, None));
            assert_eq!((begun.account, begun.amount), (guest.account, 700));
        }
    }
    let (kept_one, refused) = (FactId::from_bytes([40; 16]), FactId::from_bytes([41; 16]));
    desk.finish_cash(kept_one, NOW.day()).expect("it answers");
    desk.reopen_cash(refused).expect("it answers");
    assert_eq!(desk.cash(refused).expect("it answers"), None, "what was refused is forgotten");
    assert_eq!(kept(desk, &card), Some(card.clone()), "the card is as good as it was");
    let listed = desk.cash_of(guest.account).expect("it answers");
    assert_eq!(listed.iter().map(|cash| cash.id).collect::<Vec<_>>(), [kept_one]);
}

pub(super) fn endings(desk: &mut dyn DeskStore) {
    let (early, late, paid_in) = (out(1), Cash { expires: until(20), ..out(2) }, into(3));
    for cash in [&early, &late, &paid_in] {
        assert!(ask(desk, cash));
    }
    assert!(go(desk, &late, CashState::Asked, CashState::Ready));
    let begun = |desk: &mut dyn DeskStore, after, max| -> Vec<FactId> {
        let begun = desk.cash_begun(after, max).expect("it answers");
        begun.iter().map(|cash| cash.id).collect()
    };
    assert_eq!(begun(desk, None, 9), [early.id]);
    desk.expire_cash(until(10)).expect("it answers");
    assert_eq!(kept(desk, &early).map(|cash| cash.state), Some(CashState::Ending));
    assert_eq!(kept(desk, &late).map(|cash| cash.state), Some(CashState::Ready));
    assert_eq!(kept(desk, &paid_in), None);
    let Dealt::Begun(_) = confirm(desk, &deal(7, &late)) else { panic!("it is good") };
    desk.expire_cash(until(30)).expect("it answers");
    let state = kept(desk, &late).map(|cash| cash.state);
    assert_eq!(state, Some(CashState::Dealing), "what an agent has confirmed does not expire");
    assert_eq!(begun(desk, None, 9), [early.id, late.id]);
    assert_eq!(
        (begun(desk, None, 1), begun(desk, Some(early.id), 9)),
        (vec![early.id], vec![late.id])
    );
    desk.finish_cash(late.id, NOW.day()).expect("it answers");
    let years = |days| NOW.after(Duration::from_secs(days * Day::SECONDS));
    desk.expire_cash(years(RETENTION_DAYS)).expect("it answers");
    assert!(kept(desk, &late).is_some());
    desk.expire_cash(years(RETENTION_DAYS + 1)).expect("it answers");
    assert_eq!(kept(desk, &late), None, "forgotten in its time");
}
