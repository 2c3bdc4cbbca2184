//! Parsers of bank files; `crates/bank/tests/fuzz.rs` includes this file and runs them on stable.

use tacit_bank::reference::{self, Found};
use tacit_bank::statement::{self, Parts, References};

/// A target: bytes in, whether they were read out.
pub type Target = fn(&[u8]) -> bool;

/// All targets by name; each has its file in `fuzz_targets/` and its folder in `seeds/`.
pub const TARGETS: &[(&str, Target)] =
    &[("bank_statement", bank_statement), ("creditor_reference", creditor_reference)];

/// camt.053, camt.054. A booking that is divided is divided whole, and what is read is read again.
pub fn bank_statement(data: &[u8]) -> bool {
    let Ok(file) = statement::read(data, References::EntryReference) else { return false };
    assert_eq!(statement::read(data, References::EntryReference).as_ref(), Ok(&file));
    for entry in file.statements.iter().flat_map(|statement| &statement.entries) {
        if let Parts::Divided(parts) = &entry.parts {
            let sum: u64 = parts.iter().map(|part| part.amount.value()).sum();
            assert_eq!(sum, entry.amount.value());
        }
    }
    true
}

/// A reference in free text. One that is found reads back, alone and among other words.
pub fn creditor_reference(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let Found::One(found) = reference::find(&text) else { return false };
    assert_eq!(found.as_str().parse().as_ref(), Ok(&found));
    assert_eq!(reference::find(&format!("x {} x", found.grouped())), Found::One(found));
    true
}
