//! The table of attributes, from which `circuit.rs` is written.
//!
//! A statement somebody forgets lets a wallet write whatever it likes, without a warning: so nobody writes the statements of an
//! attribute by hand. Each protocol has a rule for each attribute here, and `BLESS=1 cargo test -p tacit-tidy circuits` writes
//! the circuits from them.

/// What a protocol does to an attribute of the passport it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Stays as it is, hidden.
    Keep,
    /// The serial: revealed in the old passport, random and hidden in the new one.
    Fresh,
    /// Both sides know it before and after; nothing of it is sent.
    Known,
    /// Hidden before, and known to both sides after.
    Settled,
    /// Grows by the parameter `units`, which both sides know.
    Plus,
    /// A statement of the protocol's own says what becomes of it.
    Stated,
}
use Rule::{Fresh, Keep, Known, Plus, Settled, Stated};

/// The protocols that show a passport and receive another, in the order of the table's columns.
pub(crate) const UPDATES: [&str; 5] = ["income", "borrow", "repay", "certify", "tick"];

/// Attribute by attribute, what each of [`UPDATES`] does to it.
pub(crate) const TABLE: [(&str, [Rule; 5]); 14] = [
    ("holder", [Keep, Keep, Keep, Keep, Keep]),
    ("serial", [Fresh, Fresh, Fresh, Fresh, Fresh]),
    ("epoch", [Known, Known, Known, Known, Known]),
    ("since", [Keep, Keep, Keep, Keep, Keep]),
    ("arrears", [Keep, Keep, Keep, Keep, Stated]),
    ("late", [Keep, Keep, Keep, Keep, Stated]),
    ("behind", [Keep, Keep, Keep, Keep, Stated]),
    ("paid", [Keep, Keep, Keep, Keep, Stated]),
    ("paid_months", [Keep, Keep, Keep, Keep, Stated]),
    ("income", [Plus, Keep, Keep, Keep, Stated]),
    ("repaid", [Keep, Keep, Plus, Keep, Settled]),
    ("due", [Keep, Known, Known, Keep, Keep]),
    ("contract1", [Keep, Keep, Keep, Keep, Stated]),
    ("contract2", [Keep, Keep, Keep, Keep, Stated]),
];
