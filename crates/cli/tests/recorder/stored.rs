//! What the server keeps: every row of every table, every other file, and the log.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

/// A row, or a line of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) table: String,
    pub(crate) cells: Vec<(String, Value)>,
}

/// All rows of all databases of a directory.
pub(crate) fn rows(directory: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for path in files(directory) {
        if path.extension().is_none_or(|it| it != "sqlite") {
            continue;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = Connection::open_with_flags(&path, flags).unwrap();
        let mut tables = database
            .prepare(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            )
            .unwrap();
        let tables: Vec<String> =
            tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for table in tables {
            read(&database, &table, &mut rows);
        }
    }
    rows
}

fn read(database: &Connection, table: &str, rows: &mut Vec<Row>) {
    let mut all = database.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
    let names: Vec<String> = all.column_names().map(str::to_owned).collect();
    let mut found = all.query([]).unwrap();
    while let Some(row) = found.next().unwrap() {
        let cell = |(at, name): (usize, &String)| (name.clone(), row.get(at).unwrap());
        let cells = names.iter().enumerate().map(cell).collect();
        rows.push(Row { table: table.to_owned(), cells });
    }
}

/// Whatever else is in the directory, with what is in it.
pub(crate) fn others(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let is_other = |name: &str| !name.contains(".sqlite") || name.ends_with(".mark");
    let mut others = Vec::new();
    for path in files(directory) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_file() && is_other(&name) {
            others.push((name, std::fs::read(&path).unwrap()));
        }
    }
    others
}

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}
