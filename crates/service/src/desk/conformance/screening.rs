//! Lists come whole or not at all, everybody is screened once for each, and what was cleared stays cleared.

use super::super::person::PersonId;
use super::super::screening::list::Listed;
use super::super::screening::matching::Likeness;
use super::super::screening::{Due, Hit, HitEnd, HitId, ImportId, ImportedList};
use super::super::trail::Action;
use super::super::{DeskStore, Owner};
use super::{NOW, deed, sign_up};

fn listed(names: &[&str]) -> Vec<Listed> {
    names
        .iter()
        .map(|name| Listed { entry: format!("Q{}", name.len()), name: (*name).to_owned() })
        .collect()
}

/// Never that of a person, who has a small number.
fn import_id(number: u8) -> ImportId {
    ImportId::from_bytes([0x80 | number; 16])
}

fn import(desk: &mut dyn DeskStore, list: &str, number: u8, names: &[&str]) -> bool {
    let own = import_id(number);
    assert!(desk.add_listed(own, 0, &listed(names)).expect("it answers"));
    put(desk, list, number, names.len() as u64)
}

fn put(desk: &mut dyn DeskStore, list: &str, number: u8, names: u64) -> bool {
    let import = import_id(number);
    let list = ImportedList { name: list.to_owned(), import, names, imported: NOW.day() };
    let owner = Owner::Person(PersonId::from_bytes([0; 16]));
    desk.put_list(&list, &deed(Action::ListImported, owner)).expect("it answers")
}

fn due(desk: &mut dyn DeskStore) -> Vec<Due> {
    desk.due(9).expect("it answers")
}

fn hit(number: u8, list: &str, name: &str, likeness: u16) -> Hit {
    Hit {
        id: HitId::from_bytes([number; 16]),
        list: list.to_owned(),
        entry: format!("Q{}", name.len()),
        name: name.to_owned(),
        likeness: Likeness::new(likeness).expect("at most 1000"),
        found: NOW.day(),
    }
}

pub(super) fn lists(desk: &mut dyn DeskStore) {
    let own = import_id(1);
    let names = listed(&["Ivan Example", "Jane Example"]);
    assert!(desk.add_listed(own, 0, &names[..1]).expect("it answers"));
    assert!(!desk.add_listed(own, 0, &names[..1]).expect("it answers"), "a part sent twice");
    assert!(!desk.add_listed(own, 2, &names[1..]).expect("it answers"), "a part is missing");
    assert!(!put(desk, "one", 1, 2), "not all of it is there");
    assert_eq!(desk.lists().expect("it answers"), []);
    assert!(desk.add_listed(own, 1, &names[1..]).expect("it answers"));
    assert!(put(desk, "one", 1, 2));
    assert!(!put(desk, "none", 9, 0), "an empty list frees everybody");
    assert_eq!(desk.listed(own, 0, 9).expect("it answers"), names);
    assert_eq!(desk.listed(own, 1, 9).expect("it answers"), names[1..]);
    assert!(import(desk, "two", 2, &["Kim Example"]));
    assert!(import(desk, "one", 3, &["Lee Example"]));
    assert_eq!(desk.listed(own, 0, 9).expect("it answers"), [], "the list before is gone");
    let known: Vec<(String, u64)> =
        desk.lists().expect("it answers").into_iter().map(|list| (list.name, list.names)).collect();
    assert_eq!(known, [("one".to_owned(), 1), ("two".to_owned(), 1)]);
    assert_eq!(desk.trail_head().expect("it answers").length, 3);
}

pub(super) fn hits(desk: &mut dyn DeskStore) {
    let ada = sign_up(desk, 1, "Ada Example");
    let id = PersonId::from_bytes(ada.id());
    let first = due(desk);
    assert_eq!(
        first.iter().map(|due| (due.person, due.name.as_str())).collect::<Vec<_>>(),
        [(id, "Ada Example")]
    );
    assert!(import(desk, "one", 1, &["Ada Exampel", "Adam Example"]));
    desk.screened(&first[0], &[]).expect("it answers");
    let second = due(desk);
    assert_eq!(second.len(), 1, "a list came meanwhile");
    let found = [hit(1, "one", "Ada Exampel", 900), hit(2, "one", "Adam Example", 950)];
    desk.screened(&second[0], &found).expect("it answers");
    assert_eq!(due(desk), []);
    let open = |desk: &mut dyn DeskStore| -> Vec<String> {
        let open = desk.open_hits(0, 9).expect("it answers");
        open.into_iter()
            .map(|(hit, person)| format!("{} {}", hit.name, person.name.as_str()))
            .collect()
    };
    assert_eq!(open(desk), ["Adam Example Ada Example", "Ada Exampel Ada Example"]);
    assert_eq!(desk.open_hits(0, 1).expect("it answers").len(), 1);
    let second_page = desk.open_hits(1, 9).expect("it answers");
    assert_eq!(second_page.iter().map(|(hit, _)| hit.id).collect::<Vec<_>>(), [found[0].id]);
    let cleared = deed(Action::HitCleared, ada);
    for expected in [true, false] {
        let done = desk.end_hit(found[0].id, HitEnd::Cleared, &cleared).expect("it answers");
        assert_eq!(done, expected);
    }
    assert_eq!(desk.open_hit(found[0].id).expect("it answers"), None);
    assert_eq!(
        desk.open_hit(found[1].id).expect("it answers").map(|(hit, _)| hit),
        Some(found[1].clone())
    );
    assert!(import(desk, "one", 2, &["Ada Exampel", "Adam Example"]));
    let third = due(desk);
    let again = [hit(3, "one", "Ada Exampel", 900), hit(4, "one", "Adam Example", 950)];
    desk.screened(&third[0], &again).expect("it answers");
    assert_eq!(open(desk), ["Adam Example Ada Example"], "what was cleared stays cleared");
    assert!(import(desk, "one", 3, &["Adam Example"]));
    assert!(import(desk, "one", 4, &["Ada Exampel"]));
    let fourth = due(desk);
    desk.screened(&fourth[0], &[hit(5, "one", "Ada Exampel", 900)]).expect("it answers");
    assert_eq!(open(desk).len(), 2, "it left the list, and came back");
    let frozen = deed(Action::PersonFrozen, ada);
    assert!(desk.end_hit(found[1].id, HitEnd::Frozen, &frozen).expect("it answers"));
    assert_eq!(open(desk), ["Ada Exampel Ada Example"]);
}
