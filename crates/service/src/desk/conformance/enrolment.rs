//! Passports at the desk: who may have one, and which wallet asks.

use std::time::Duration;

use super::super::enrolment::{
    AccessHash, CODE_LIFE, CodeHash, EnrolError, Enrolment, HolderPoint, Offer,
};
use super::super::judgement::{DecisionId, Judgement};
use super::super::person::PersonId;
use super::super::trail::Action;
use super::super::{DeskStore, Owner};
use super::{NOW, deed, sign_up};

const fn code(number: u8) -> CodeHash {
    CodeHash::from_bytes([number; 32])
}

const fn point(number: u8) -> HolderPoint {
    HolderPoint::from_bytes([number; 32])
}

const fn access(number: u8) -> AccessHash {
    AccessHash::from_bytes([number; 32])
}

fn id(owner: Owner) -> PersonId {
    PersonId::from_bytes(owner.id())
}

fn offer(desk: &mut dyn DeskStore, of: PersonId, offer: Offer, number: u8) -> Option<Enrolment> {
    let expires = NOW.after(CODE_LIFE);
    desk.offer_enrolment(of, offer, code(number), expires).expect("it answers")
}

fn begin(desk: &mut dyn DeskStore, number: u8, wallet: u8) -> Result<Enrolment, EnrolError> {
    let begun = desk.begin_enrolment(code(number), point(wallet), access(wallet), NOW);
    begun.expect("it answers")
}

pub(super) fn codes(desk: &mut dyn DeskStore) {
    let ada = id(sign_up(desk, 1, "Ada"));
    assert_eq!(desk.enrolment(ada).expect("it answers"), None);
    assert_eq!(offer(desk, PersonId::from_bytes([9; 16]), Offer::Same, 1), None, "nobody");
    let new = Enrolment { person: ada, number: 1, holder: None, access: None };
    assert_eq!(offer(desk, ada, Offer::Same, 1), Some(new));
    let of_code = |desk: &mut dyn DeskStore, number, after| {
        let found = desk.enrolment_of_code(code(number), NOW.after(after)).expect("it answers");
        found.map(|(enrolment, person)| (enrolment, person.id))
    };
    assert_eq!(of_code(desk, 1, Duration::ZERO), Some((new, ada)));
    assert_eq!(of_code(desk, 1, CODE_LIFE), None, "its time is over");
    assert_eq!(offer(desk, ada, Offer::Same, 2), Some(new));
    assert_eq!(of_code(desk, 1, Duration::ZERO), None, "another took its place");
    let stored = desk.enrolment(ada).expect("it answers");
    assert_eq!(stored, Some((new, Some(NOW.after(CODE_LIFE)))));
}

pub(super) fn wallets(desk: &mut dyn DeskStore) {
    let ada = id(sign_up(desk, 1, "Ada"));
    assert_eq!(begin(desk, 1, 7), Err(EnrolError::Unknown));
    offer(desk, ada, Offer::Same, 1);
    let begun = begin(desk, 1, 7).expect("it counts");
    assert_eq!((begun.holder, begun.access), (Some(point(7)), Some(access(7))));
    assert_eq!(begin(desk, 1, 7), Ok(begun), "the same wallet asks again");
    assert_eq!(begin(desk, 1, 8), Err(EnrolError::OtherWallet));
    offer(desk, ada, Offer::Same, 2);
    assert_eq!(begin(desk, 2, 8), Err(EnrolError::OtherWallet), "a new code is none for others");
    let found = desk.enrolment_of_access(access(7)).expect("it answers");
    assert_eq!(found.map(|(enrolment, person)| (enrolment, person.id)), Some((begun, ada)));
    assert_eq!(desk.enrolment_of_access(access(8)).expect("it answers"), None);
}

pub(super) fn again(desk: &mut dyn DeskStore) {
    let owner = sign_up(desk, 1, "Ada");
    let ada = id(owner);
    offer(desk, ada, Offer::Same, 1);
    begin(desk, 1, 7).expect("it counts");
    let begun = offer(desk, ada, Offer::Instead { number: 1 }, 2).expect("it is open");
    assert_eq!((begun.number, begun.holder, begun.access), (2, None, None));
    assert_eq!(desk.enrolment_of_access(access(7)).expect("it answers"), None);
    // A second click begins nothing more.
    let same = offer(desk, ada, Offer::Instead { number: 1 }, 3).expect("it is open");
    assert_eq!(same.number, 2);
    begin(desk, 3, 8).expect("another wallet");
    let anew = offer(desk, ada, Offer::Anew { number: 2 }, 4).expect("it is open");
    assert_eq!((anew.number, anew.holder), (2, None));
    begin(desk, 4, 9).expect("a third one");
    // Whoever is frozen begins nothing.
    let frozen = deed(Action::PersonFrozen, owner);
    let decision = DecisionId::from_bytes([1; 16]);
    assert!(desk.judge(ada, Judgement::Freeze, decision, &frozen).expect("it answers"));
    assert_eq!(offer(desk, ada, Offer::Same, 5), None);
    assert_eq!(begin(desk, 4, 9), Err(EnrolError::Unknown));
}
