//! How a file is shaped: its size, the size of its functions, its name, its header, what it hands on.

use crate::fault::Fault;
use crate::source::Source;

/// Lines a file may have.
pub const FILE_LINES_MAX: usize = 600;
/// Lines a function may have, from `fn` to its closing brace.
pub const FUNCTION_LINES_MAX: usize = 70;

/// Names that say nothing of the field; a thing belongs to the noun it is about.
const NAMELESS: [&str; 8] =
    ["util", "utils", "common", "helper", "helpers", "misc", "shared", "prelude"];

/// Every rule of shape for one Rust file.
pub fn check(source: &Source) -> Vec<Fault> {
    [sizes(source), name(source), header(source), re_exports(source), exceptions(source)].concat()
}

fn sizes(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    let lines = source.text.lines().count();
    if lines > FILE_LINES_MAX {
        let what =
            format!("{lines} lines: a file is one noun of the field, at most {FILE_LINES_MAX}");
        faults.push(Fault::new(&source.path, 0, what));
    }
    for function in
        source.functions().into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX)
    {
        let what = format!(
            "`{}` has {} lines, at most {FUNCTION_LINES_MAX}",
            function.name, function.lines
        );
        faults.push(Fault::new(&source.path, function.line, what));
    }
    faults
}

fn name(source: &Source) -> Vec<Fault> {
    let stems = source.path.split('/').map(|part| part.trim_end_matches(".rs"));
    let mut faults = Vec::new();
    for stem in stems.filter(|stem| NAMELESS.contains(stem)) {
        faults.push(Fault::new(&source.path, 0, format!("`{stem}` names no noun of the field")));
    }
    for (line, text) in source.product_lines() {
        let declared = text.trim().trim_start_matches("pub").trim_start_matches("(crate)").trim();
        let module =
            declared.strip_prefix("mod ").map(|rest| rest.trim_end_matches([' ', '{', ';']));
        if module.is_some_and(|module| NAMELESS.contains(&module)) {
            faults.push(Fault::new(
                &source.path,
                line,
                "this module's name names no noun of the field",
            ));
        }
    }
    faults
}

/// The header of `lib.rs` says what must stay absent.
fn header(source: &Source) -> Vec<Fault> {
    let is_root = source.path.ends_with("/src/lib.rs");
    let mut header = source.text.lines().take_while(|line| line.starts_with("//!"));
    if !is_root || header.any(|line| line.starts_with("//! Architecture invariant: ")) {
        return Vec::new();
    }
    vec![Fault::new(&source.path, 1, "the header states no `Architecture invariant: …`")]
}

/// A type has one path: no crate of ours hands on another's.
fn re_exports(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (line, text) in source.product_lines() {
        let text = text.trim();
        if text.starts_with("pub use tacit_") || text.starts_with("pub extern crate tacit_") {
            faults.push(Fault::new(
                &source.path,
                line,
                "a crate of ours is re-exported: name it where it is used",
            ));
        }
    }
    faults
}

/// An exception from a lint gives its reason; a test that is left out says how long it takes, or what it needs that
/// not every machine has.
fn exceptions(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (at, (code, text)) in source.code.lines().zip(source.text.lines()).enumerate() {
        let code = code.trim();
        let is_exception = ["#[allow(", "#![allow(", "#[expect(", "#![expect("]
            .iter()
            .any(|p| code.starts_with(p));
        let whole: String = source.text.lines().skip(at).take(9).collect();
        let own = whole.split(")]").next().unwrap_or_default();
        if is_exception && !own.contains("reason = \"") {
            faults.push(Fault::new(
                &source.path,
                at + 1,
                "an exception from a lint wants `reason = \"…\"`",
            ));
        }
        let is_told = ["long: about ", "postgres: "]
            .iter()
            .any(|reason| text.contains(&format!("#[ignore = \"{reason}")));
        if code.starts_with("#[ignore") && !is_told {
            let what = "a test left out says how long it takes, `#[ignore = \"long: about N minutes\"]`, or what it needs";
            faults.push(Fault::new(&source.path, at + 1, what));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> Vec<String> {
        check(&Source::new(path, text)).into_iter().map(|fault| fault.what).collect()
    }

    #[test]
    fn long_files_and_functions_are_caught() {
        assert!(faults("a.rs", &"\n".repeat(FILE_LINES_MAX)).is_empty());
        assert_eq!(faults("a.rs", &"\n".repeat(FILE_LINES_MAX + 1)).len(), 1);
        let function = |inner: usize| format!("fn long() {{\n{}}}\n", "    x();\n".repeat(inner));
        assert!(faults("a.rs", &function(FUNCTION_LINES_MAX - 2)).is_empty());
        assert_eq!(faults("a.rs", &function(FUNCTION_LINES_MAX - 1)).len(), 1);
    }

    #[test]
    fn nameless_modules_are_caught() {
        assert_eq!(faults("crates/a/src/utils.rs", "").len(), 1);
        assert_eq!(faults("crates/a/src/helpers/x.rs", "").len(), 1);
        assert_eq!(faults("crates/a/src/x.rs", "pub(crate) mod common {\n}\n").len(), 1);
        assert!(faults("crates/a/src/amount.rs", "mod unit;\n").is_empty());
    }

    #[test]
    fn a_header_without_invariant_is_caught() {
        assert_eq!(faults("crates/a/src/lib.rs", "//! Says nothing.\n").len(), 1);
        assert!(
            faults("crates/a/src/lib.rs", "//! Says.\n//! Architecture invariant: no clock.\n")
                .is_empty()
        );
    }

    #[test]
    fn re_exports_are_caught() {
        assert_eq!(faults("a.rs", "pub use tacit_core::amount::Amount;\n").len(), 1);
        assert!(
            faults("a.rs", "use tacit_core::amount::Amount;\n// pub use tacit_core;\n").is_empty()
        );
    }

    #[test]
    fn exceptions_without_reason_are_caught() {
        assert_eq!(faults("a.rs", "#[allow(dead_code)]\nfn f() {}\n").len(), 1);
        assert_eq!(faults("a.rs", "#[test]\n#[ignore]\nfn f() {}\n").len(), 1);
        assert_eq!(faults("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}\n").len(), 1);
        assert!(
            faults("a.rs", "#[allow(\n    dead_code,\n    reason = \"x\"\n)]\nfn f() {}\n")
                .is_empty()
        );
        assert!(faults("a.rs", "#[ignore = \"long: about 3 minutes\"]\nfn f() {}\n").is_empty());
    }
}
