//! What the operator keeps, declared once: what it is for, who reads it, how long it stays.
//!
//! Each crate that keeps something declares it in this form, and a test of that crate holds its declarations against
//! what is really kept, both ways. [`page`] makes the list that people read.

use std::collections::BTreeSet;
use std::fmt;

/// What kind of thing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A table.
    Table,
    /// A column, named `table.column`.
    Column,
    /// A field of a log line.
    LogField,
    /// A metric, or a label of one.
    Metric,
    /// A file, where it is no database.
    File,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table => "table",
            Self::Column => "column",
            Self::LogField => "log field",
            Self::Metric => "metric",
            Self::File => "file",
        })
    }
}

/// One thing that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// What kind of thing.
    pub kind: Kind,
    /// Its name where it is kept.
    pub name: &'static str,
    /// What it says, and what that is needed for.
    pub purpose: &'static str,
    /// Which part of the system reads it.
    pub reader: &'static str,
    /// When it goes.
    pub retention: &'static str,
}

/// A part of the inventory: one database, one log, one set of metrics.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name.
    pub title: &'static str,
    /// Where it is kept, and who else can see it.
    pub about: &'static str,
    /// What it holds, each table before its columns.
    pub declarations: &'static [Declaration],
}

/// What differs between what is declared and what is found: one line each, empty if nothing does.
pub fn differences(
    declared: &[Declaration],
    found: impl IntoIterator<Item = (Kind, String)>,
) -> Vec<String> {
    let found: BTreeSet<(Kind, String)> = found.into_iter().collect();
    let mut known = BTreeSet::new();
    let mut lines = Vec::new();
    for Declaration { kind, name, .. } in declared {
        if !known.insert((*kind, (*name).to_owned())) {
            lines.push(format!("{kind} {name} is declared twice"));
        }
    }
    let line = |(kind, name): &(Kind, String), what| format!("{kind} {name} is {what}");
    lines.extend(found.difference(&known).map(|kept| line(kept, "kept and not declared")));
    lines.extend(known.difference(&found).map(|kept| line(kept, "declared and not kept")));
    lines
}

/// The inventory in Markdown, without a title: a heading and a table for each section.
pub fn page(sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        text.push_str(&format!("## {}\n\n{}\n\n", section.title, section.about));
        text.push_str("| Kept | What for | Read by | Until |\n|---|---|---|---|\n");
        for Declaration { kind, name, purpose, reader, retention } in section.declarations {
            let name = match kind {
                Kind::Table => format!("**{kind} `{name}`**"),
                Kind::Column | Kind::LogField | Kind::Metric | Kind::File => format!("`{name}`"),
            };
            text.push_str(&format!("| {name} | {purpose} | {reader} | {retention} |\n"));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMN: Declaration = Declaration {
        kind: Kind::Column,
        name: "t.c",
        purpose: "a reason",
        reader: "somebody",
        retention: "a while",
    };

    #[test]
    fn differences_are_found_both_ways() {
        let found = |names: &[&str]| -> Vec<(Kind, String)> {
            names.iter().map(|name| (Kind::Column, (*name).to_owned())).collect()
        };
        assert_eq!(differences(&[COLUMN], found(&["t.c"])), [""; 0]);
        let lines = differences(&[COLUMN], found(&["t.d"]));
        let undeclared = "column t.d is kept and not declared";
        assert_eq!(lines, [undeclared, "column t.c is declared and not kept"]);
        assert_eq!(differences(&[COLUMN, COLUMN], found(&["t.c"])).len(), 1);
        let other_kind = [(Kind::Metric, "t.c".to_owned())];
        assert_eq!(differences(&[COLUMN], other_kind).len(), 2);
    }

    #[test]
    fn a_page_names_everything() {
        let section = Section { title: "Title", about: "About.", declarations: &[COLUMN] };
        let page = page(&[section]);
        for part in ["## Title", "About.", "`t.c`", "a reason", "somebody", "a while"] {
            assert!(page.contains(part), "{part}");
        }
    }
}
