//! Freezing, thawing, closing, levels; and what stands in the way of closing.

use tacit_core::unit::Unit;

use super::super::identification::{CaseId, Document, Seen, Sighting};
use super::super::judgement::{CarriedOut, Decision, DecisionId, Judgement};
use super::super::payout::{Asker, Payout, PayoutState, Whose};
use super::super::person::{KycLevel, PersonId, PersonState};
use super::super::trail::{Action, Deed};
use super::super::{DeskStore, Owner};
use super::{NOW, deed, invitation, passkey, session, sign_up};
use crate::account::AccountId;
use crate::posting::FactId;

fn judge(desk: &mut dyn DeskStore, owner: Owner, judgement: Judgement, number: u8) -> bool {
    let Owner::Person(id) = owner else { panic!("a person") };
    let action = match judgement {
        Judgement::Freeze => Action::PersonFrozen,
        Judgement::Thaw => Action::PersonThawed,
        Judgement::Close | Judgement::Level(_) => Action::PersonClosing,
    };
    let decision = DecisionId::from_bytes([number; 16]);
    desk.judge(id, judgement, decision, &deed(action, owner)).expect("it answers")
}

/// A document of theirs was seen, of a number of their own.
fn show(desk: &mut dyn DeskStore, owner: Owner) {
    let (id, case) = (PersonId::from_bytes(owner.id()), CaseId::from_bytes(owner.id()));
    let (number, document) = ([owner.id()[0]; 32], Document::Passport);
    let seen = Sighting { person: id, case, number, document, by: None, now: NOW };
    assert_eq!(desk.see_document(&seen).expect("it answers"), Seen::Done);
}

fn decision(desk: &mut dyn DeskStore, owner: Owner) -> Option<Decision> {
    desk.decision(PersonId::from_bytes(owner.id())).expect("it answers")
}

fn carry_out(desk: &mut dyn DeskStore, decision: &Decision, is_closed: bool) -> CarriedOut {
    desk.carry_out(decision, is_closed, NOW).expect("it answers")
}

pub(super) fn closing(desk: &mut dyn DeskStore) {
    let owner = sign_up(desk, 1, "Ada");
    let id = PersonId::from_bytes(owner.id());
    let hash = session(1, owner).hash;
    assert!(judge(desk, owner, Judgement::Freeze, 1));
    assert!(!judge(desk, owner, Judgement::Freeze, 2), "frozen already");
    assert!(desk.session(hash, NOW).expect("it answers").is_some(), "whoever is frozen may look");
    assert!(judge(desk, owner, Judgement::Thaw, 3));
    assert!(judge(desk, owner, Judgement::Close, 4));
    assert!(!judge(desk, owner, Judgement::Close, 5), "it is under way");
    assert!(desk.session(hash, NOW).expect("it answers").is_some(), "until the vault has said so");
    let made = decision(desk, owner).expect("on its way");
    assert_eq!(carry_out(desk, &made, true), CarriedOut::Closed);
    let known = desk.person(id).expect("it answers").expect("there");
    assert_eq!(known.state, PersonState::Closed);
    assert!(desk.session(hash, NOW).expect("it answers").is_none());
    assert_eq!(desk.passkeys(owner).expect("it answers"), []);
    for judgement in
        [Judgement::Freeze, Judgement::Thaw, Judgement::Close, Judgement::Level(KycLevel::Verified)]
    {
        assert!(!judge(desk, owner, judgement, 6), "closed is for good");
    }
    assert!(!desk.set_person_details(id, None, None).expect("it answers"));
    let invited = desk.invite(&invitation(1, owner), &deed(Action::Invited, owner));
    assert!(!invited.expect("it answers"));
    let head = desk.trail_head().expect("it answers");
    assert_eq!(head.length, 4, "what changed nothing is no deed, and what the vault said is one");
}

pub(super) fn on_its_way(desk: &mut dyn DeskStore) {
    let (ada, alan) = (sign_up(desk, 1, "Ada"), sign_up(desk, 2, "Alan"));
    assert_eq!(desk.undecided(10).expect("it answers"), []);
    show(desk, alan);
    assert!(judge(desk, alan, Judgement::Level(KycLevel::Identified), 1));
    assert!(!judge(desk, alan, Judgement::Level(KycLevel::Identified), 2), "known as well as that");
    assert!(judge(desk, ada, Judgement::Freeze, 3));
    let both = [ada, alan].map(|owner| PersonId::from_bytes(owner.id()));
    assert_eq!(desk.undecided(10).expect("it answers"), both);
    assert_eq!(desk.undecided(1).expect("it answers"), both[..1]);
    let first = decision(desk, ada).expect("on its way");
    assert_eq!((first.person.state, first.is_closing), (PersonState::Frozen, false));
    assert!(judge(desk, ada, Judgement::Thaw, 4));
    assert_eq!(carry_out(desk, &first, false), CarriedOut::Overtaken);
    let second = decision(desk, ada).expect("on its way");
    assert_eq!(second.person.state, PersonState::Open);
    assert_eq!(carry_out(desk, &second, false), CarriedOut::Done);
    assert_eq!(carry_out(desk, &second, false), CarriedOut::Overtaken, "it is done once");
    assert_eq!(decision(desk, ada), None);
    let level = decision(desk, alan).expect("on its way");
    assert_eq!(level.person.kyc, KycLevel::Identified);
    assert_eq!(carry_out(desk, &level, false), CarriedOut::Done);
    assert_eq!(desk.undecided(10).expect("it answers"), []);
    assert!(judge(desk, ada, Judgement::Thaw, 5), "the vault may have frozen it by itself");
    let nobody = Owner::Person(PersonId::from_bytes([9; 16]));
    assert!(
        !judge(desk, nobody, Judgement::Freeze, 6) && !judge(desk, nobody, Judgement::Close, 7)
    );
}

pub(super) fn the_vaults_word(desk: &mut dyn DeskStore) {
    let owner = sign_up(desk, 1, "Ada");
    let id = PersonId::from_bytes(owner.id());
    show(desk, owner);
    assert!(judge(desk, owner, Judgement::Close, 1));
    assert!(judge(desk, owner, Judgement::Level(KycLevel::Identified), 2));
    let made = decision(desk, owner).expect("on its way");
    assert!(made.is_closing, "another level does not keep it open");
    assert_eq!(carry_out(desk, &made, false), CarriedOut::NotEmpty);
    let known = desk.person(id).expect("it answers").expect("there");
    assert_eq!((known.state, known.kyc), (PersonState::Open, KycLevel::Identified));
    assert_eq!(desk.passkeys(owner).expect("it answers"), [passkey(1, owner)]);
    assert!(judge(desk, owner, Judgement::Close, 3), "another try");
    assert!(judge(desk, owner, Judgement::Freeze, 4), "somebody thinks better of it");
    let made = decision(desk, owner).expect("on its way");
    assert!(!made.is_closing);
    // The vault had closed it before it heard that.
    assert_eq!(carry_out(desk, &made, true), CarriedOut::Closed);
    let known = desk.person(id).expect("it answers").expect("there");
    assert_eq!(known.state, PersonState::Closed);
    let actions: Vec<String> = desk
        .trail(1, 10)
        .expect("it answers")
        .into_iter()
        .filter(|entry| entry.staff.is_none())
        .map(|entry| entry.action)
        .collect();
    assert_eq!(actions.last().map(String::as_str), Some("person-closed"));
    assert!(actions.iter().any(|action| action == "person-not-closed"));
}

pub(super) fn about(desk: &mut dyn DeskStore) {
    let (ada, alan) = (sign_up(desk, 1, "Ada"), sign_up(desk, 2, "Alan"));
    for (owner, detail) in [(ada, "one"), (alan, "two"), (ada, "three")] {
        let seen = Deed { detail: detail.to_owned(), ..deed(Action::PersonSeen, owner) };
        desk.note(&seen).expect("it answers");
    }
    let about = |desk: &mut dyn DeskStore, owner: Owner, max| -> Vec<String> {
        let entries = desk.trail_about(&owner.to_string(), None, max).expect("it answers");
        entries.into_iter().map(|entry| entry.detail).collect()
    };
    let before = |desk: &mut dyn DeskStore, number| -> Vec<u64> {
        let entries = desk.trail_about(&ada.to_string(), Some(number), 9).expect("it answers");
        entries.into_iter().map(|entry| entry.number).collect()
    };
    assert_eq!((before(desk, 3), before(desk, 1)), (vec![1], Vec::new()), "older ones");
    assert_eq!(about(desk, ada, 9), ["three", "one"]);
    assert_eq!(about(desk, ada, 1), ["three"]);
    assert_eq!(about(desk, alan, 9), ["two"]);
    let account = AccountId::from_random([1; 8]);
    for (number, state) in (1..).zip(PayoutState::ALL) {
        let payout = Payout {
            id: FactId::from_bytes([number; 16]),
            whose: Whose::Account(account),
            by: Asker::Holder,
            asked: NOW.day(),
            name: "Ada".to_owned(),
            iban: "DE89370400440532013000".to_owned(),
            unit: Unit::new("eur").expect("a unit"),
            amount: 5,
            text: String::new(),
            state,
            approvals: 0,
        };
        assert!(desk.add_payout(&payout, None).expect("it answers"));
    }
    let found = desk.payouts_of(account).expect("it answers");
    let states: Vec<PayoutState> = found.iter().map(|payout| payout.state).collect();
    let under_way = [
        PayoutState::Asked,
        PayoutState::Releasing,
        PayoutState::Held,
        PayoutState::Rejecting,
        PayoutState::Ordered,
    ];
    assert_eq!(states, under_way);
    assert_eq!(desk.payouts_of(AccountId::from_random([2; 8])).expect("it answers"), []);
}
