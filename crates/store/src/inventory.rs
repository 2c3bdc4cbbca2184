//! What the databases keep: every table and column, declared once. A test holds this against the real schema.

mod agent;
mod biller;
pub mod desk;
mod merchant;
mod people;
pub mod postgres;
mod tables;
mod verifier;

use tacit_service::inventory::{Declaration, Kind, Section};

use tables::{count, joined};

const FOR_GOOD: &str = "for good";
const OPEN: &str = "for good; once the keyset is sealed, in the archive";
const HOLD: &str = "the payment has its final answer";
const QUOTE: &str = "30 days after its expiry, unless it is paid and not issued";
const MELT: &str = "30 days after its expiry, unless its payment is under way";
const DAY: &str = "the day is over";
const ORDER: &str = "30 days after its expiry; if it was paid, 400 days";
const OUT: &str = "the desk has it: seconds";
const EDGE: &str = "the next of the account passes the edge";
const SEAL: &str = "the keyset is sealed";

/// The vault: money and cryptography, no names.
pub const VAULT: Section = Section {
    title: "Vault",
    about: "`vault.sqlite`, readable by the operator's account alone. Rows of swap tables are clustered by key: no row ids, \
            no times, no request ids. What is deleted is overwritten. Until the next tick with no reader in the way, the \
            write-ahead log beside it also shows which pages were written in one commit.",
    declarations: &ALL,
};

const ALL: [Declaration; count(PARTS)] = joined(PARTS);

const PARTS: &[&[Declaration]] = &[
    &[
        table("vault", "The vault itself: one row.", FOR_GOOD),
        column("vault.one", "Always 1: there is one row.", "writer", FOR_GOOD),
        column(
            "vault.mint",
            "Public identity key of the mint: the vault of another is not opened.",
            "writer, verify",
            FOR_GOOD,
        ),
        column(
            "vault.open_day",
            "The day that swaps are counted on: it never moves back.",
            "writer, verify",
            FOR_GOOD,
        ),
        column(
            "vault.commits",
            "How many commits it has had: an older copy has had fewer. The file `vault.sqlite.mark` repeats it and the lineage.",
            "writer",
            FOR_GOOD,
        ),
        column(
            "vault.filter_salt",
            "Random bytes, drawn once: what filters of eras are hashed with.",
            "writer, readers",
            FOR_GOOD,
        ),
        column(
            "vault.lineage",
            "Random bytes, drawn anew when an older copy took the vault's place or the vault moved: which of several copies it is.",
            "writer, restore",
            FOR_GOOD,
        ),
        column(
            "vault.moved",
            "Whether another store takes over: 0 no, 1 a move is under way, 2 it is done and this is not opened again.",
            "writer",
            FOR_GOOD,
        ),
    ],
    &tables::KEYSET,
    &tables::SEALED_KEYSET,
    &[
        table(
            "era",
            "Stretches of days: what was spent and signed in one lies together. A closed one holds a million rows or more, the open one may be minutes old.",
            FOR_GOOD,
        ),
        column(
            "era.number",
            "Its number; the highest is the one that is open.",
            "writer, readers",
            FOR_GOOD,
        ),
        column(
            "era.spent_filter",
            "Bits that tell which proofs were not spent in it: made of `spent.y`, and telling less.",
            "writer, readers",
            FOR_GOOD,
        ),
        column(
            "era.signed_filter",
            "Bits that tell which outputs were not signed in it: made of `signed.b_`, and telling less.",
            "writer, readers",
            FOR_GOOD,
        ),
        table("spent", "Proofs that were spent, so that none is spent twice.", OPEN),
        column(
            "spent.era",
            "Era in which it was spent. Rows of the open one were written since the last was closed, and may be few.",
            "writer, state checks (NUT-07)",
            OPEN,
        ),
        column(
            "spent.y",
            "Name of the proof: a hash of its secret. Not its signature, nor when or with what it was spent.",
            "writer, state checks (NUT-07)",
            OPEN,
        ),
        column("spent.keyset", "Keyset that signed it.", "verify", OPEN),
        column("spent.exponent", "Its denomination: 2 to this power.", "verify", OPEN),
        table(
            "spent_archive",
            "The same for sealed keysets: redeemable at the desk, once.",
            FOR_GOOD,
        ),
        column("spent_archive.era", "As `spent.era`.", "writer, state checks (NUT-07)", FOR_GOOD),
        column("spent_archive.y", "As `spent.y`.", "writer, desk, state checks (NUT-07)", FOR_GOOD),
        column("spent_archive.keyset", "As `spent.keyset`.", "verify", FOR_GOOD),
        column("spent_archive.exponent", "As `spent.exponent`.", "verify", FOR_GOOD),
        table(
            "signed",
            "Outputs that were signed, so that a lost answer can be given again.",
            FOR_GOOD,
        ),
        column(
            "signed.era",
            "Era in which it was signed, as `spent.era`.",
            "writer, restore (NUT-09)",
            FOR_GOOD,
        ),
        column(
            "signed.b_",
            "The blinded secret, which the mint cannot connect to the proof made of it.",
            "writer, restore (NUT-09)",
            FOR_GOOD,
        ),
        column(
            "signed.keyset",
            "Keyset that signed it. The signature itself is made again from the seed.",
            "writer, restore, verify",
            FOR_GOOD,
        ),
        column(
            "signed.exponent",
            "Its denomination: 2 to this power.",
            "writer, restore, verify",
            FOR_GOOD,
        ),
    ],
    &tables::PREIMAGE,
    &[
        table("held", "Proofs held by a payment that is under way.", HOLD),
        column("held.y", "Name of the proof.", "writer, state checks (NUT-07)", HOLD),
        column("held.keyset", "Keyset that signed it.", "writer, verify", HOLD),
        column("held.exponent", "Its denomination: 2 to this power.", "writer, verify", HOLD),
        column("held.quote", "The payment that holds it.", "writer", HOLD),
        column("held.preimage", "What opened its hash lock, if it had one.", "writer", HOLD),
        table("promised", "Blank outputs that a payment under way may sign as change.", HOLD),
        column("promised.b_", "The blinded secret.", "writer", HOLD),
        column("promised.quote", "The payment it belongs to.", "writer", HOLD),
    ],
    &tables::MINT_QUOTE,
    &tables::MELT_QUOTE,
    &[
        table(
            "account",
            "The operator's own accounts, with the sums of their transfers. None is a person's.",
            FOR_GOOD,
        ),
        column(
            "account.number",
            "The short number transfers name it by.",
            "writer, verify",
            FOR_GOOD,
        ),
        column("account.name", "Kind, unit and keyset.", "writer, verify", FOR_GOOD),
        column("account.debits", "Sum of debits.", "writer, verify", FOR_GOOD),
        column("account.credits", "Sum of credits.", "writer, verify", FOR_GOOD),
    ],
    &tables::TRANSFER,
    &tables::HOLDER,
    &tables::EDGE_USAGE,
    &tables::SALE,
    &tables::OUTBOX,
    &tables::RELEASED,
    &tables::PASSPORT,
    &tables::BILLS,
    &[
        table("day_flow", "What the open day's swaps moved between keysets, in sum.", DAY),
        column("day_flow.keyset_from", "Keyset of what was spent.", "writer, verify", DAY),
        column("day_flow.keyset_to", "Keyset of what was signed.", "writer, verify", DAY),
        column("day_flow.value", "How much in all.", "writer, verify", DAY),
        column("day_flow.fee", "Fees in all.", "writer, verify", DAY),
    ],
];

/// The demo rail, which plays the world outside.
pub const DEMO_RAIL: Section = Section {
    title: "Demo rail",
    about: "`demo-rail.sqlite`, in demo mode only. It plays the bank, and keeps what a bank would.",
    declarations: &[
        table("payment", "Payments that were submitted.", FOR_GOOD),
        column("payment.quote", "The melt quote it is for.", "demo rail", FOR_GOOD),
        column("payment.attempt", "Which attempt of it.", "demo rail", FOR_GOOD),
        column(
            "payment.target",
            "Payment hash of an invoice, which is paid once; empty for a person.",
            "demo rail",
            FOR_GOOD,
        ),
        column("payment.settles", "When it has its end.", "demo rail", FOR_GOOD),
        column("payment.fee", "What it costs; absent if it fails.", "demo rail", FOR_GOOD),
        column("payment.evidence", "Preimage or reference.", "demo rail", FOR_GOOD),
        table("invoice", "Invoices it made.", FOR_GOOD),
        column("invoice.hash", "Payment hash.", "demo rail", FOR_GOOD),
        column("invoice.preimage", "What proves that it was paid.", "demo rail", FOR_GOOD),
    ],
};

const fn table(name: &'static str, purpose: &'static str, retention: &'static str) -> Declaration {
    Declaration { kind: Kind::Table, name, purpose, reader: "", retention }
}

const fn column(
    name: &'static str,
    purpose: &'static str,
    reader: &'static str,
    retention: &'static str,
) -> Declaration {
    Declaration { kind: Kind::Column, name, purpose, reader, retention }
}
