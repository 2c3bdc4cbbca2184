//! The suite of `tacit_service::desk::conformance`, on SQLite, and what a trail is worth against whoever can write to the file.

use rusqlite::Connection;
use tacit_core::time::Timestamp;
use tacit_service::desk::conformance::CHECKS;
use tacit_service::desk::trail::{self, Action, Deed, TrailStore};

use crate::opening::desk;

#[test]
fn the_desk_on_sqlite_conforms() {
    for (name, check) in CHECKS {
        println!("conformance: {name}");
        let folder = tempfile::tempdir().unwrap();
        check(&mut desk(&folder.path().join("desk.sqlite")));
    }
}

/// Rows changed, taken out, moved or added by hand, behind the program's back.
#[test]
fn a_trail_that_was_tampered_with_in_the_file_is_found() {
    let cases = [
        "UPDATE trail SET detail = 'another' WHERE number = 3",
        "UPDATE trail SET subject = subject || 'x' WHERE number = 5",
        "UPDATE trail SET staff = zeroblob(16) WHERE number = 1",
        "UPDATE trail SET moment = moment + 1 WHERE number = 4",
        "UPDATE trail SET action = 'person-seen' WHERE number = 2",
        "UPDATE trail SET previous = zeroblob(32) WHERE number = 2",
        "DELETE FROM trail WHERE number = 1",
        "DELETE FROM trail WHERE number = 3",
        "DELETE FROM trail WHERE number = 5",
        "DELETE FROM trail",
        "UPDATE trail SET number = 9 WHERE number = 2; UPDATE trail SET number = 2 WHERE number = 3; UPDATE trail SET number = 3 WHERE number = 9",
        "INSERT INTO trail SELECT 6, moment, staff, action, subject, detail, previous, hash FROM trail WHERE number = 5",
        "UPDATE desk SET trail_length = 4",
        "UPDATE desk SET trail_hash = zeroblob(32)",
    ];
    for tampered in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.sqlite");
        let mut desk = desk(&path);
        for number in 0..5 {
            desk.note(&Deed {
                moment: Timestamp::from_seconds(1000 + number),
                staff: None,
                action: Action::PersonFrozen,
                subject: format!("person {number}"),
                detail: "a reason".to_owned(),
            })
            .unwrap();
        }
        assert!(trail::check(&mut desk).unwrap().is_ok());
        Connection::open(&path).unwrap().execute_batch(tampered).unwrap();
        let checked = trail::check(&mut desk).unwrap();
        let is_added = tampered.starts_with("INSERT");
        // An entry behind the head's back belongs to no trail: it is not shown, and the next deed is refused its number.
        assert!(is_added || checked.is_err(), "{tampered}");
        if is_added {
            let again = Deed {
                moment: Timestamp::from_seconds(2000),
                staff: None,
                action: Action::PersonFrozen,
                subject: String::new(),
                detail: String::new(),
            };
            assert!(desk.note(&again).is_err(), "{tampered}");
        }
    }
}
