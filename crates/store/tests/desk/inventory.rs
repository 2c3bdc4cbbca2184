//! Nothing is kept that is not declared.

use std::path::Path;

use rusqlite::Connection;
use tacit_service::inventory::{Kind, differences};
use tacit_store::inventory::desk::DESK;

use crate::opening::desk;

/// Tables and columns of a database, as they are.
fn schema(path: &Path) -> Vec<(Kind, String)> {
    let connection = Connection::open(path).unwrap();
    let strings = |sql: &str, of: &[&str]| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map(rusqlite::params_from_iter(of), |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut found = Vec::new();
    for table in strings("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')", &[]) {
        let columns = strings("SELECT name FROM pragma_table_xinfo(?1)", &[&table]);
        found.extend(columns.iter().map(|column| (Kind::Column, format!("{table}.{column}"))));
        found.push((Kind::Table, table));
    }
    found
}

#[test]
fn every_column_of_the_desk_is_declared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.sqlite");
    drop(desk(&path));
    assert_eq!(differences(DESK.declarations, schema(&path)), [""; 0]);
    let extended = "ALTER TABLE person ADD COLUMN religion text; CREATE TABLE visitor (name text)";
    Connection::open(&path).unwrap().execute_batch(extended).unwrap();
    assert_eq!(differences(DESK.declarations, schema(&path)).len(), 3, "what is not is caught");
}

#[test]
fn tables_stand_before_their_columns_and_every_part_says_something() {
    let mut table = "";
    for declaration in DESK.declarations {
        let said = [declaration.name, declaration.purpose, declaration.retention];
        assert!(said.iter().all(|part| !part.is_empty()), "{declaration:?}");
        match declaration.kind {
            Kind::Table => table = declaration.name,
            Kind::Column => {
                assert!(!declaration.reader.is_empty(), "{declaration:?}");
                assert_eq!(declaration.name.split('.').next(), Some(table), "{declaration:?}");
            }
            Kind::LogField | Kind::Metric | Kind::File => {
                panic!("a database has none: {declaration:?}")
            }
        }
    }
}

/// What must be nowhere at the desk, whatever others add to it (DESIGN, "Deliberately absent").
#[test]
fn no_column_is_for_what_must_not_be_known() {
    let absent = [
        "nationality",
        "religion",
        "ethnic",
        "politic",
        "location",
        "latitude",
        "face",
        "photo",
        "address",
        "ip",
        "user_agent",
        "proof",
        "quote",
        "serial",
        "payer",
        "score",
    ];
    for declaration in DESK.declarations {
        let words: Vec<&str> = declaration.name.split(['.', '_']).collect();
        for word in absent {
            assert!(!words.contains(&word), "{}", declaration.name);
        }
    }
}
