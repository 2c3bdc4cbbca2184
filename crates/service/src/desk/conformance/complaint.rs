//! Complaints: numbered, once each, by their deadlines, answered once.

use tacit_core::time::Day;

use super::super::complaint::{
    Answer, Complained, ComplaintId, NewComplaint, OPEN_MAX, Said, Topic,
};
use super::super::person::PersonId;
use super::super::trail::Action;
use super::super::{DeskStore, Owner};
use super::{NOW, deed, sign_up};

fn said(text: &str) -> Said {
    Said::new(text).expect("a text")
}

fn day(offset: u64) -> Day {
    Day::from_number(NOW.day().number() + offset)
}

fn complain(desk: &mut dyn DeskStore, owner: Owner, number: u8, due: u64) -> Complained {
    let complaint = NewComplaint {
        id: ComplaintId::from_bytes([number; 16]),
        person: PersonId::from_bytes(owner.id()),
        topic: Topic::Fee,
        text: said("Too dear.\n\nWhy?"),
        came: NOW.day(),
        due: day(due),
    };
    desk.complain(&complaint).expect("it answers")
}

pub(super) fn clocks(desk: &mut dyn DeskStore) {
    let (ada, alan) = (sign_up(desk, 1, "Ada"), sign_up(desk, 2, "Alan"));
    assert_eq!(complain(desk, ada, 1, 20), Complained::Done(1));
    assert_eq!(complain(desk, ada, 1, 20), Complained::Done(1), "sent twice");
    assert_eq!(complain(desk, alan, 2, 5), Complained::Done(2));
    assert_eq!(complain(desk, ada, 3, 10), Complained::Done(3));
    let open = |desk: &mut dyn DeskStore| -> Vec<(u64, String)> {
        let open = desk.open_complaints(0, 9).expect("it answers");
        open.into_iter().map(|(one, name)| (one.number, name.as_str().to_owned())).collect()
    };
    let rows = |of: &[(u64, &str)]| -> Vec<(u64, String)> {
        of.iter().map(|(number, name)| (*number, (*name).to_owned())).collect()
    };
    assert_eq!(open(desk), rows(&[(2, "Alan"), (3, "Ada"), (1, "Ada")]));
    assert_eq!(desk.open_complaints(0, 1).expect("it answers").len(), 1);
    assert_eq!(desk.open_complaints(1, 9).expect("it answers").len(), 2, "the rest");
    let overdue = |desk: &mut dyn DeskStore, at| desk.overdue_complaints(at).expect("it answers");
    assert_eq!([overdue(desk, day(5)), overdue(desk, day(6)), overdue(desk, day(30))], [0, 1, 3]);
    let (held, answered) =
        (deed(Action::ComplaintHeld, alan), deed(Action::ComplaintAnswered, alan));
    for expected in [true, false] {
        let done = desk.hold_complaint(2, &said("We ask the bank."), day(40), &held);
        assert_eq!(done.expect("it answers"), expected);
    }
    assert_eq!(open(desk).last().map(|(number, _)| *number), Some(2), "it has longer now");
    let answer = Answer { text: said("You are right."), day: day(3) };
    for expected in [true, false] {
        let done = desk.answer_complaint(2, &answer, &answered);
        assert_eq!(done.expect("it answers"), expected);
    }
    let done = desk.hold_complaint(2, &said("Later."), day(50), &held);
    assert!(!done.expect("it answers"), "answered is answered");
    assert!(!desk.answer_complaint(9, &answer, &answered).expect("it answers"), "there is none");
    assert_eq!(open(desk), rows(&[(3, "Ada"), (1, "Ada")]));
    let (found, name) = desk.complaint(2).expect("it answers").expect("there");
    assert_eq!((found.answer, found.due, name.as_str()), (Some(answer), day(40), "Alan"));
    assert_eq!(found.holding, Some(said("We ask the bank.")));
    let own = desk.complaints_of(PersonId::from_bytes(ada.id())).expect("it answers");
    assert_eq!(own.iter().map(|one| one.number).collect::<Vec<_>>(), [3, 1]);
    assert_eq!((own[0].topic, own[0].text.as_str()), (Topic::Fee, "Too dear.\n\nWhy?"));
    assert_eq!(desk.complaint(9).expect("it answers"), None);
    for number in 10..8 + u8::try_from(OPEN_MAX).expect("few") {
        assert!(matches!(complain(desk, ada, number, 9), Complained::Done(_)));
    }
    assert_eq!(complain(desk, ada, 99, 9), Complained::TooMany);
    assert!(matches!(complain(desk, alan, 98, 9), Complained::Done(_)), "others may");
    assert_eq!(desk.trail_head().expect("it answers").length, 2);
}
