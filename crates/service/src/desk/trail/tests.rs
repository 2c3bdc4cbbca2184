//! Whatever is changed in a trail is found.

use super::*;

fn trail(length: u64) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for number in 1..=length {
        let head = entries
            .last()
            .map_or(Head::EMPTY, |last| Head { length: last.number, hash: last.hash });
        let deed = Deed {
            moment: Timestamp::from_seconds(1000 + number),
            staff: (number % 2 == 0)
                .then(|| StaffId::from_bytes([u8::try_from(number % 256).unwrap(); 16])),
            action: Action::ALL[usize::try_from(number).unwrap() % Action::ALL.len()],
            subject: format!("person {number}"),
            detail: "why".to_owned(),
        };
        entries.push(deed.entry_after(head));
    }
    entries
}

fn check(entries: &[Entry], head: Head) -> Result<(), Break> {
    let mut checker = Checker::default();
    entries.iter().try_for_each(|entry| checker.next(entry))?;
    checker.end(head)
}

/// Every field of every entry, every entry taken out, every two swapped, an end cut off, one added.
#[test]
fn whatever_is_changed_in_a_trail_is_found() {
    let whole = trail(9);
    let head = Head { length: 9, hash: whole[8].hash };
    assert_eq!(check(&whole, head), Ok(()));
    let changes: [fn(&mut Entry); 8] = [
        |entry| entry.number += 1,
        |entry| entry.moment = Timestamp::from_seconds(1),
        |entry| entry.staff = Some(StaffId::from_bytes([99; 16])),
        |entry| entry.action.push('x'),
        // From one field into the next.
        |entry| {
            let first = entry.detail.remove(0);
            entry.subject.push(first);
        },
        |entry| entry.detail.clear(),
        |entry| entry.previous = EntryHash([7; 32]),
        |entry| entry.hash = EntryHash([7; 32]),
    ];
    for at in 0..whole.len() {
        for (number, change) in changes.iter().enumerate() {
            let mut changed = whole.clone();
            change(&mut changed[at]);
            assert!(check(&changed, head).is_err(), "change {number} of entry {at}");
            // Hashed anew, which whoever changes it may do as well, it no longer fits the one after or the head.
            changed[at].hash = changed[at].computed_hash();
            let is_same = changed[at] == whole[at];
            assert!(
                is_same || check(&changed, head).is_err(),
                "change {number} of entry {at}, hashed"
            );
        }
        let mut without = whole.clone();
        without.remove(at);
        assert!(check(&without, head).is_err(), "without {at}");
        for other in 0..at {
            let mut swapped = whole.clone();
            swapped.swap(at, other);
            assert!(check(&swapped, head).is_err(), "{at} and {other} swapped");
        }
        assert_eq!(check(&whole[..at], head), Err(Break::Cut { found: at as u64, length: 9 }));
    }
    let longer = trail(10);
    assert_eq!(check(&longer, head), Err(Break::Cut { found: 10, length: 9 }));
}

#[test]
fn each_action_has_a_name_of_its_own() {
    let mut names: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Action::ALL.len());
}

/// A trail in memory.
struct Kept(Vec<Entry>);

impl TrailStore for Kept {
    fn note(&mut self, deed: &Deed) -> Result<(), StoreError> {
        let head = self.trail_head()?;
        self.0.push(deed.entry_after(head));
        Ok(())
    }

    fn trail_head(&mut self) -> Result<Head, StoreError> {
        let head = |last: &Entry| Head { length: last.number, hash: last.hash };
        Ok(self.0.last().map_or(Head::EMPTY, head))
    }

    fn trail(&mut self, from: u64, max: u32) -> Result<Vec<Entry>, StoreError> {
        let after = self.0.iter().filter(|entry| from <= entry.number);
        Ok(after.take(max as usize).cloned().collect())
    }

    fn trail_about(&mut self, _: &str, _: Option<u64>, _: u32) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }

    fn count_deeds(
        &mut self,
        _: Option<StaffId>,
        _: Action,
        _: Timestamp,
    ) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[test]
fn what_was_checked_is_gone_on_from_unless_it_has_changed() {
    let mut kept = Kept(trail(1200));
    let head = kept.trail_head().unwrap();
    let early = Head { length: 700, hash: kept.0[699].hash };
    for from in [Head::EMPTY, early, head] {
        assert_eq!(go_on(&mut kept, from), Ok(head), "{from:?}");
    }
    // Of what comes after, all is found; of what came before, that its last is another.
    kept.0[1000].detail.push('x');
    assert_eq!(go_on(&mut kept, early), Err(Break::Changed { number: 1001 }));
    let mut kept = Kept(trail(1200));
    kept.0[699].detail.push('x');
    assert_eq!(go_on(&mut kept, early), Err(Break::Changed { number: 700 }));
    kept.0[699].hash = kept.0[699].computed_hash();
    assert_eq!(go_on(&mut kept, early), Err(Break::Unlinked { number: 701 }));
    let mut cut = Kept(trail(600));
    assert_eq!(go_on(&mut cut, early), Err(Break::Cut { found: 600, length: 700 }));
    let mut anew = Kept(Vec::new());
    let deed = Deed {
        moment: Timestamp::from_seconds(1),
        staff: None,
        action: Action::StaffAdded,
        subject: "person 1".to_owned(),
        detail: String::new(),
    };
    for _ in 0..800 {
        anew.note(&deed).unwrap();
    }
    let changed = Break::Changed { number: 700 };
    assert_eq!(go_on(&mut anew, early), Err(changed), "whole, and not what it was");
}

fn go_on(kept: &mut Kept, from: Head) -> Result<Head, Break> {
    check_on(kept, from).unwrap()
}

#[test]
fn whoever_reads_the_trail_reads_no_reasons_that_are_not_theirs() {
    let entry = |action: &str, detail: &str| {
        let deed = Deed {
            moment: Timestamp::from_seconds(1),
            staff: None,
            action: Action::StaffAdded,
            subject: "person 00".to_owned(),
            detail: detail.to_owned(),
        };
        Entry { action: action.to_owned(), ..deed.entry_after(Head::EMPTY) }
    };
    assert!(entry("staff-role-changed", "teller").is_for_all());
    for action in ["person-frozen", "hit-cleared", "level-set", "booking-set-aside"] {
        assert!(!entry(action, "a reason").is_for_all(), "{action}");
    }
    assert!(entry("person-frozen", "").is_for_all(), "nothing is said");
    assert!(!entry("of-a-later-program", "something").is_for_all());
    for action in Action::ALL {
        assert_eq!(Action::of_name(action.name()), Some(action));
    }
}
