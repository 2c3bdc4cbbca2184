//! Lists as they are published: comma-separated values of two shapes.
//!
//! Sources: OpenSanctions, "Targets as simplified CSV" (`targets.simple.csv`), whose first line names its columns and whose
//! aliases are a line of their own, separated by semicolons; OFAC, "Specially Designated Nationals and Blocked Persons: Data
//! Specification" (2023), `sdn.csv` of twelve columns and `alt.csv` of five, without a first line, with `-0-` for nothing.

use std::io::Read;

/// A name on a list; an entry has as many as it has spellings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What the list calls the entry.
    pub entry: String,
    /// A name of it.
    pub name: String,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// OpenSanctions' `targets.simple.csv`.
    OpenSanctions,
    /// OFAC's `sdn.csv`.
    Sdn,
    /// OFAC's `alt.csv`: other names of what `sdn.csv` names.
    Alt,
}

/// Why a file is no list. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It cannot be read, is no text, or no table.
    #[error("line {line} cannot be read")]
    Table {
        /// Where, counted from 1; 0 if that is not known.
        line: u64,
        /// Why.
        source: csv::Error,
    },
    /// Neither of the shapes.
    #[error("it is neither targets.simple.csv of OpenSanctions nor sdn.csv or alt.csv of OFAC")]
    Shape,
    /// No people are on it.
    #[error("it names nobody")]
    Empty,
}

/// Columns of `targets.simple.csv`, as far as they are needed; others may stand between and after them.
const OPEN_SANCTIONS: [&str; 4] = ["id", "schema", "name", "aliases"];

/// What OFAC writes for nothing.
const NOTHING: &str = "-0-";

/// Longest name that is taken: OFAC's are at most 350 characters.
const NAME_MAX: usize = 400;

/// People on a list, in the order of the file, each with all its names. Firms, ships and aeroplanes are left out.
///
/// # Errors
/// [`ListError`].
pub fn read(file: impl Read) -> Result<(Shape, Vec<Listed>), ListError> {
    let mut builder = csv::ReaderBuilder::new();
    let mut rows = builder.has_headers(false).flexible(true).from_reader(file).into_records();
    let first = rows.next().transpose().map_err(table)?.ok_or(ListError::Empty)?;
    let shape = shape(&first).ok_or(ListError::Shape)?;
    let mut found = Vec::new();
    match shape {
        Shape::OpenSanctions => {
            let columns = OPEN_SANCTIONS.map(|name| place(&first, name).unwrap_or(usize::MAX));
            for row in rows {
                open_sanctions(&row.map_err(table)?, columns, &mut found);
            }
        }
        Shape::Sdn | Shape::Alt => {
            ofac(shape, &first, &mut found);
            for row in rows {
                ofac(shape, &row.map_err(table)?, &mut found);
            }
        }
    }
    if found.is_empty() { Err(ListError::Empty) } else { Ok((shape, found)) }
}

fn table(source: csv::Error) -> ListError {
    ListError::Table { line: source.position().map_or(0, csv::Position::line), source }
}

fn shape(first: &csv::StringRecord) -> Option<Shape> {
    if OPEN_SANCTIONS.iter().all(|name| place(first, name).is_some()) {
        return Some(Shape::OpenSanctions);
    }
    let is_number =
        |column: usize| first.get(column).is_some_and(|cell| cell.trim().parse::<u64>().is_ok());
    match first.len() {
        12 if is_number(0) => Some(Shape::Sdn),
        5 if is_number(0) && is_number(1) => Some(Shape::Alt),
        _ => None,
    }
}

/// Where a column is. A mark of the order of bytes may stand before the first.
fn place(first: &csv::StringRecord, name: &str) -> Option<usize> {
    first.iter().position(|cell| cell.trim_start_matches('\u{feff}').trim() == name)
}

fn open_sanctions(row: &csv::StringRecord, columns: [usize; 4], found: &mut Vec<Listed>) {
    let cell = |column: usize| row.get(columns[column]).unwrap_or_default();
    // What is a legal entity only may be a person.
    if !matches!(cell(1), "Person" | "LegalEntity") {
        return;
    }
    push(cell(0), cell(2), found);
    let mut builder = csv::ReaderBuilder::new();
    let aliases =
        builder.has_headers(false).flexible(true).delimiter(b';').from_reader(cell(3).as_bytes());
    // A cell that is no line has no names in it that could be told apart.
    for alias in aliases
        .into_records()
        .flatten()
        .flat_map(|line| line.iter().map(str::to_owned).collect::<Vec<_>>())
    {
        push(cell(0), &alias, found);
    }
}

/// OFAC's last line holds a sign of the end of the file: it is too short, and so left out.
fn ofac(shape: Shape, row: &csv::StringRecord, found: &mut Vec<Listed>) {
    let cell = |column: usize| {
        row.get(column).map(str::trim).filter(|cell| *cell != NOTHING).unwrap_or_default()
    };
    match shape {
        Shape::Sdn if cell(2) == "individual" => push(cell(0), cell(1), found),
        // What the names are of does not stand here: firms' are compared with people, and hit nobody.
        Shape::Alt if row.len() == 5 => push(cell(0), cell(3), found),
        Shape::Sdn | Shape::Alt | Shape::OpenSanctions => {}
    }
}

fn push(entry: &str, name: &str, found: &mut Vec<Listed>) {
    let (entry, name) = (entry.trim(), name.trim());
    if !entry.is_empty() && !name.is_empty() && name.len() <= NAME_MAX && entry.len() <= NAME_MAX {
        found.push(Listed { entry: entry.to_owned(), name: name.to_owned() });
    }
}

impl Shape {
    /// What a list of this shape is called, unless the operator says otherwise.
    pub const fn list_name(self) -> &'static str {
        match self {
            Self::OpenSanctions => "opensanctions",
            Self::Sdn => "ofac-sdn",
            Self::Alt => "ofac-alt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `zavod` writes it: all cells quoted.
    const OPEN: &str = "\"id\",\"schema\",\"name\",\"aliases\",\"birth_date\",\"countries\",\"addresses\",\"identifiers\",\"sanctions\",\"phones\",\"emails\",\"dataset\",\"first_seen\",\"last_seen\",\"last_change\"\n\
        \"Q1\",\"Person\",\"Ivan Example\",\"Example, I.;Ivan 'the Name' Example;\"\"Iwan; Example\"\"\",\"1950-01-01\",\"zz\",\"1, Road\",\"\",\"\",\"\",\"\",\"A list\",\"2021\",\"2026\",\"2024\"\n\
        \"Q2\",\"Vessel\",\"Good Ship\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"\n\
        \"Q3\",\"LegalEntity\",\"Иван Пример\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"\n";

    const SDN: &str = "36,\"AEROCARIBBEAN AIRLINES\",-0- ,\"CUBA\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n\
        173,\"EXAMPLE, Ivan\",\"individual\",\"CUBA\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,\"DOB 1 Jan 1950; alt.\"\r\n\x1a\r\n";

    fn names(text: &str) -> (Shape, Vec<(String, String)>) {
        let (shape, found) = read(text.as_bytes()).unwrap();
        (shape, found.into_iter().map(|listed| (listed.entry, listed.name)).collect())
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(entry, name)| ((*entry).to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn both_publishers_lists_are_read() {
        let expected = pairs(&[
            ("Q1", "Ivan Example"),
            ("Q1", "Example, I."),
            ("Q1", "Ivan 'the Name' Example"),
            ("Q1", "Iwan; Example"),
            ("Q3", "Иван Пример"),
        ]);
        assert_eq!(names(OPEN), (Shape::OpenSanctions, expected.clone()));
        assert_eq!(names(&format!("\u{feff}{OPEN}")).1, expected);
        assert_eq!(names(SDN), (Shape::Sdn, pairs(&[("173", "EXAMPLE, Ivan")])));
        let alt = "173,12,\"aka\",\"SAMPLE, Ivan\",-0- \r\n\x1a\r\n";
        assert_eq!(names(alt), (Shape::Alt, pairs(&[("173", "SAMPLE, Ivan")])));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(matches!(read(&b""[..]), Err(ListError::Empty)));
        for text in ["name,country\nIvan,zz\n", "<html></html>", "1,2,3\n", "a,b,c,d,e\n"] {
            assert!(matches!(read(text.as_bytes()), Err(ListError::Shape)), "{text}");
        }
        assert!(matches!(
            read(&b"id,schema,name,aliases\n1,Vessel,Ship,\n"[..]),
            Err(ListError::Empty)
        ));
        assert!(matches!(
            read(&b"id,schema,name,aliases\n1,Person,\xff,\n"[..]),
            Err(ListError::Table { line: 2, .. })
        ));
    }
}
