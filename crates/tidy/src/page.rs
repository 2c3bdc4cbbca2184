//! Pages that must agree with the tree: the README's tables and the index of decisions.

use std::collections::BTreeSet;

use crate::fault::Fault;

/// NUTs that the mint speaks: each has a row in the README.
pub const NUTS: [u8; 17] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 17, 19, 20];

/// The README's crate table names each crate of the tree and no other, and the NUT table each NUT.
pub fn readme(text: &str, crates: &BTreeSet<String>) -> Vec<Fault> {
    let fault = |what: String| Fault::new("README.md", 0, what);
    let mut faults = Vec::new();
    let listed: BTreeSet<String> = first_cells(text)
        .filter_map(|cell| cell.strip_prefix("`crates/")?.strip_suffix('`').map(str::to_owned))
        .collect();
    faults.extend(
        crates
            .difference(&listed)
            .map(|name| fault(format!("the crate table lacks `crates/{name}`"))),
    );
    faults.extend(
        listed
            .difference(crates)
            .map(|name| fault(format!("`crates/{name}` of the table does not exist"))),
    );
    let numbers: BTreeSet<u8> = first_cells(text)
        .flat_map(|cell| cell.split(','))
        .filter_map(|number| number.trim().parse().ok())
        .collect();
    for nut in NUTS.iter().filter(|nut| !numbers.contains(nut)) {
        faults.push(fault(format!("the table of NUTs lacks {nut:02}")));
    }
    faults
}

/// Decisions are numbered from 0001 without a gap, and `docs/adr/README.md` links each.
pub fn decisions(files: &BTreeSet<String>, index: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (expected, file) in (1..).zip(files) {
        let path = format!("docs/adr/{file}");
        if !file.starts_with(&format!("{expected:04}-")) {
            faults.push(Fault::new(
                &path,
                0,
                format!("not numbered {expected:04}, which is the next"),
            ));
        }
        if !index.contains(&format!("({file})")) {
            faults.push(Fault::new(&path, 0, "not linked from docs/adr/README.md"));
        }
    }
    faults
}

/// The first cell of each row of the page's tables.
fn first_cells(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next()).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_readme_that_differs_from_the_tree_is_caught() {
        let nuts =
            "| 00, 01, 02, 03, 04, 05, 06, 07, 08, 09, 10, 11, 12, 14, 17, 19, 20 | all | yes |\n";
        let good = format!("| Crate | x |\n|---|---|\n| `crates/core` | words |\n{nuts}");
        assert_eq!(readme(&good, &set(&["core"])), []);
        assert_eq!(readme(&good, &set(&["core", "ecash"])).len(), 1);
        assert_eq!(readme(&good, &set(&[])).len(), 1);
        assert_eq!(readme(&good.replace(" 20 |", " 21 |"), &set(&["core"])).len(), 1);
    }

    #[test]
    fn gaps_and_unlinked_decisions_are_caught() {
        let index = "(0001-a.md) (0002-b.md) (0003-c.md)";
        assert_eq!(decisions(&set(&["0001-a.md", "0002-b.md"]), index), []);
        assert_eq!(decisions(&set(&["0001-a.md", "0003-c.md"]), index).len(), 1);
        assert_eq!(decisions(&set(&["0001-a.md", "0002-x.md"]), index).len(), 1);
    }
}
