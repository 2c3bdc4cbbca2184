//! Nothing is kept that is not declared.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tacit_core::secret::Secret;
use tacit_core::time::{Clock, Timestamp};
use tacit_service::inventory::{Kind, Section, differences};
use tacit_store::demo_rail::DemoRail;
use tacit_store::inventory::{DEMO_RAIL, VAULT};

use crate::bed::rig_on_disk;

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
        assert!(!columns.is_empty(), "{table}");
        found.extend(columns.iter().map(|column| (Kind::Column, format!("{table}.{column}"))));
        found.push((Kind::Table, table));
    }
    found
}

#[test]
fn every_column_of_the_vault_is_declared() {
    let (_rig, path) = rig_on_disk();
    assert_eq!(differences(VAULT.declarations, schema(&path)), [""; 0]);
    let extended = "ALTER TABLE spent ADD COLUMN ip TEXT; CREATE TABLE visitor (name)";
    Connection::open(&path).unwrap().execute_batch(extended).unwrap();
    assert_eq!(
        differences(VAULT.declarations, schema(&path)).len(),
        3,
        "and one that is not is caught"
    );
}

#[test]
fn every_column_of_the_demo_rail_is_declared() {
    struct Stopped;
    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(0)
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo-rail.sqlite");
    let _rail = DemoRail::open(&path, Arc::new(Stopped), &Secret::new([0; 32])).unwrap();
    assert_eq!(differences(DEMO_RAIL.declarations, schema(&path)), [""; 0]);
}

#[test]
fn tables_stand_before_their_columns_and_every_part_says_something() {
    for Section { declarations, .. } in [VAULT, DEMO_RAIL] {
        let mut table = "";
        for declaration in declarations {
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
}
