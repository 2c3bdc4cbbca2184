//! Requests to be identified: asked once, seen, decided; one account a person.

use super::super::identification::{CaseId, CaseState, Document, Seen, Sighting};
use super::super::judgement::{DecisionId, Judgement};
use super::super::person::{KycLevel, PersonId};
use super::super::trail::Action;
use super::super::{DeskStore, Owner};
use super::{NOW, deed, sign_up};

fn id(owner: Owner) -> PersonId {
    PersonId::from_bytes(owner.id())
}

fn case(number: u8) -> CaseId {
    CaseId::from_bytes([number; 16])
}

fn ask(desk: &mut dyn DeskStore, owner: Owner, number: u8) -> bool {
    desk.ask_identification(id(owner), case(number), NOW.day()).expect("it answers")
}

fn see(desk: &mut dyn DeskStore, owner: Owner, number: u8) -> Seen {
    let seen = Sighting {
        person: id(owner),
        case: case(number),
        number: [number; 32],
        document: Document::Passport,
        by: None,
        now: NOW,
    };
    desk.see_document(&seen).expect("it answers")
}

fn level(desk: &mut dyn DeskStore, owner: Owner, level: KycLevel) -> bool {
    let decision = DecisionId::from_bytes([1; 16]);
    let set = deed(Action::LevelSet, owner);
    desk.judge(id(owner), Judgement::Level(level), decision, &set).expect("it answers")
}

fn state(desk: &mut dyn DeskStore, owner: Owner) -> Option<CaseState> {
    desk.case(id(owner)).expect("it answers").map(|case| case.state)
}

pub(super) fn cases(desk: &mut dyn DeskStore) {
    let (ada, alan) = (sign_up(desk, 1, "Ada"), sign_up(desk, 2, "Alan"));
    assert!(ask(desk, ada, 1));
    assert!(!ask(desk, ada, 2), "once");
    assert!(!ask(desk, Owner::Person(PersonId::from_bytes([9; 16])), 3), "nobody");
    assert_eq!(state(desk, ada), Some(CaseState::Asked));
    assert!(!level(desk, ada, KycLevel::Identified), "no document was seen");
    assert_eq!(see(desk, ada, 5), Seen::Done);
    assert_eq!(state(desk, ada), Some(CaseState::Seen(Document::Passport)));
    assert_eq!(see(desk, alan, 5), Seen::Taken, "one account a person");
    assert_eq!(state(desk, alan), None, "what is refused leaves no trace");
    assert_eq!(see(desk, alan, 6), Seen::Done, "who did not ask has a request now");
    assert_eq!(see(desk, alan, 7), Seen::Differs, "a number that was seen stays");
    let waiting: Vec<PersonId> =
        desk.cases(0, 9).expect("it answers").into_iter().map(|case| case.person.id).collect();
    assert_eq!(waiting, [id(ada), id(alan)]);
    assert_eq!(desk.cases(0, 1).expect("it answers").len(), 1);
    let rest = desk.cases(1, 9).expect("it answers");
    assert_eq!(rest.iter().map(|case| case.person.id).collect::<Vec<_>>(), [id(alan)]);
    assert!(level(desk, alan, KycLevel::Verified));
    assert_eq!(state(desk, alan), None, "decided");
    assert_eq!(see(desk, alan, 8), Seen::Differs, "whoever is known stays who they are");
    let refused = deed(Action::IdentificationRefused, ada);
    for expected in [true, false] {
        let done = desk.refuse_identification(id(ada), NOW.day(), &refused);
        assert_eq!(done.expect("it answers"), expected);
    }
    assert_eq!(state(desk, ada), Some(CaseState::Refused));
    assert_eq!(desk.cases(0, 9).expect("it answers"), []);
    assert!(ask(desk, ada, 4), "another try");
    assert_eq!(desk.case(id(ada)).expect("it answers").map(|found| found.id), Some(case(4)));
    assert!(level(desk, alan, KycLevel::Unknown), "lowered");
    let known = desk.person(id(alan)).expect("it answers").expect("there");
    assert_eq!((known.kyc, known.national_number), (KycLevel::Unknown, Some([6; 32])));
    let close = deed(Action::PersonClosing, alan);
    let decision = DecisionId::from_bytes([2; 16]);
    assert!(desk.judge(id(alan), Judgement::Close, decision, &close).expect("it answers"));
    let decided = desk.decision(id(alan)).expect("it answers").expect("on its way");
    desk.carry_out(&decided, true, NOW).expect("it answers");
    assert_eq!(see(desk, alan, 6), Seen::Unknown);
    assert!(!ask(desk, alan, 5));
    let grace = sign_up(desk, 3, "Grace");
    assert_eq!(see(desk, grace, 6), Seen::Taken, "the number outlives a closed account");
    assert!(release(desk, alan), "until compliance lets its owner come back");
    assert!(!release(desk, alan));
    assert_eq!(see(desk, grace, 6), Seen::Done);
    let count = |desk: &mut dyn DeskStore, action, since| {
        desk.count_deeds(None, action, since).expect("it answers")
    };
    assert_eq!(count(desk, Action::DocumentSeen, NOW), 3);
    assert_eq!(count(desk, Action::DocumentRefused, NOW), 0, "a provider is asked again and again");
    let later = NOW.after(std::time::Duration::from_secs(1));
    assert_eq!(count(desk, Action::DocumentSeen, later), 0);
}

fn release(desk: &mut dyn DeskStore, owner: Owner) -> bool {
    let released = deed(Action::NumberReleased, owner);
    desk.release_number(id(owner), &released).expect("it answers")
}

/// Whoever could write another number down in the place of the first would be that person afterwards.
pub(super) fn numbers_stay(desk: &mut dyn DeskStore) {
    let (ada, alan) = (sign_up(desk, 1, "Ada"), sign_up(desk, 2, "Alan"));
    let number = |desk: &mut dyn DeskStore, of| {
        desk.person(id(of)).expect("it answers").expect("there").national_number
    };
    assert!(!release(desk, ada), "there is none");
    assert_eq!(see(desk, ada, 5), Seen::Done);
    assert_eq!(see(desk, ada, 5), Seen::Done, "the same again changes nothing");
    assert_eq!(see(desk, ada, 6), Seen::Differs, "at level 0, too");
    assert_eq!(number(desk, ada), Some([5; 32]));
    assert!(
        desk.refuse_identification(id(ada), NOW.day(), &deed(Action::IdentificationRefused, ada))
            .expect("it answers")
    );
    assert_eq!(see(desk, ada, 6), Seen::Differs, "whatever became of the request");
    assert_eq!(see(desk, ada, 5), Seen::Done);
    assert!(level(desk, ada, KycLevel::Identified));
    assert!(!release(desk, ada), "a level was set by it");
    assert!(level(desk, ada, KycLevel::Unknown));
    assert_eq!(see(desk, ada, 6), Seen::Differs, "whoever was known stays who they were");
    let before = desk.trail_head().expect("it answers").length;
    assert!(release(desk, ada));
    assert!(!release(desk, ada), "once");
    assert_eq!(desk.trail_head().expect("it answers").length, before + 1);
    assert_eq!((number(desk, ada), state(desk, ada)), (None, None));
    assert_eq!(see(desk, alan, 5), Seen::Done, "it may be somebody else's");
    assert_eq!(see(desk, ada, 6), Seen::Done);
}
