//! Panics of the generated code, which points that nobody honest sends can reach: caught, and told apart from bugs.
//!
//! Source: PASSPORT.md, rule 4.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread would now be caught here and be a refusal: a hook that writes panics has nothing to write.
pub fn is_caught() -> bool {
    IS_CAUGHT.get()
}

/// What came of something; none if it panicked.
pub(super) fn catch<T>(what: impl FnOnce() -> T) -> Option<T> {
    let before = IS_CAUGHT.replace(true);
    let done = catch_unwind(AssertUnwindSafe(what));
    IS_CAUGHT.set(before);
    done.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_apart_while_it_is_caught_and_not_after() {
        assert!(!is_caught());
        assert_eq!(catch(is_caught), Some(true));
        assert_eq!(catch(|| -> u8 { panic!("caught") }), None);
        assert_eq!(catch(|| catch(|| panic!("within")).is_none() && is_caught()), Some(true));
        assert!(!is_caught());
    }
}
