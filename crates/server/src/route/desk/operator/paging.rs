//! Lists that are longer than a page: what is shown of them, and where the rest is.

use serde::Deserialize;

use crate::text::{ENGLISH, fill};

/// Pages that can be asked for: further ones are nobody's to read.
const PAGES_MAX: u32 = 100_000;

/// What the address of a list asks for.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// What was just done, for the page that is shown after it.
    pub(super) done: Option<String>,
    /// Which page, from 0.
    #[serde(default)]
    pub(super) page: u32,
}

/// Which part of a list is shown, where it is not all of it.
pub(in crate::route::desk) struct Paging {
    pub(in crate::route::desk) said: String,
    pub(in crate::route::desk) before: Option<String>,
    pub(in crate::route::desk) after: Option<String>,
}

/// How many rows come before a page.
pub(in crate::route::desk) fn skipped(page: u32, rows: u32) -> u64 {
    u64::from(page.min(PAGES_MAX)) * u64::from(rows)
}

/// Cuts what was found to a page of so many rows: one more was asked for, which tells whether there are further ones. `None` if that
/// is all there is.
pub(in crate::route::desk) fn cut<T>(
    found: &mut Vec<T>,
    path: &str,
    page: u32,
    rows: u32,
) -> Option<Paging> {
    let (text, page) = (&ENGLISH.operator, page.min(PAGES_MAX));
    let has_more = (rows as usize) < found.len();
    found.truncate(rows as usize);
    if page == 0 && !has_more {
        return None;
    }
    let from = skipped(page, rows);
    let said = match (found.is_empty(), has_more) {
        (true, _) => text.paging_none,
        (false, true) => text.paging_more,
        (false, false) => text.paging,
    };
    let said = fill(said, "from", from + 1);
    let at = |page: u32| format!("{path}?page={page}");
    Some(Paging {
        said: fill(&said, "to", from + found.len() as u64),
        before: page.checked_sub(1).map(at),
        after: has_more.then(|| at(page + 1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_cut_says_so_and_leads_to_the_rest() {
        let of = |page: u32, found: usize| {
            let mut rows = vec![0; found];
            let paging = cut(&mut rows, "/list", page, 3);
            (rows.len(), paging.map(|paging| (paging.said, paging.before, paging.after)))
        };
        let at = |page: u32| Some(format!("/list?page={page}"));
        assert_eq!(of(0, 0), (0, None));
        assert_eq!(of(0, 3), (3, None));
        let first = ("Shown are 1 to 3; there are more.".to_owned(), None, at(1));
        assert_eq!(of(0, 4), (3, Some(first)));
        let second = ("Shown are 4 to 6; there are more.".to_owned(), at(0), at(2));
        assert_eq!(of(1, 4), (3, Some(second)));
        assert_eq!(of(2, 1), (1, Some(("Shown are 7 to 7.".to_owned(), at(1), None))));
        assert_eq!(
            of(2, 0),
            (0, Some(("Nothing is left here.".to_owned(), at(1), None))),
            "gone meanwhile"
        );
        assert_eq!(skipped(u32::MAX, 50), 5_000_000);
    }
}
