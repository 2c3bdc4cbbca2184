//! What the vault keeps on PostgreSQL. A test holds this against the real schema.

use tacit_service::inventory::{Declaration, Section};

use super::tables::{self, count, joined};
use super::{DAY, FOR_GOOD, HOLD, column, table};

/// When the row of a server that is gone goes, too.
const GONE: &str = "the second day after its last commit";

/// The same where several servers write to one database.
pub const VAULT_ON_POSTGRES: Section = Section {
    title: "Vault on PostgreSQL",
    about: "With `--vault-url`, in place of the vault above. No times and no request ids; but PostgreSQL notes in each row \
            which transaction wrote it (`xmin`), keeps rows in the order they came (`ctid`), and keeps what was deleted until \
            it is vacuumed and written over. Who reads its files, or asks as its administrator, sees which rows of one commit \
            came together: as few as one swap on a quiet mint. Its log of changes and the backups made of it show the same. \
            [0011](../adr/0011-vault-on-postgresql.md) says what is done about it.",
    declarations: &ALL,
};

const ALL: [Declaration; count(PARTS)] = joined(PARTS);

const PARTS: &[&[Declaration]] = &[
    &[
        table("schema_version", "Which migrations were applied: one row.", FOR_GOOD),
        column("schema_version.one", "Always 1: there is one row.", "writers", FOR_GOOD),
        column("schema_version.version", "How many were applied.", "writers, readers", FOR_GOOD),
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
            "vault.epoch",
            "How often keysets or the open day changed: what a writer knew before is out of date.",
            "writers",
            FOR_GOOD,
        ),
        table(
            "writer",
            "Servers that write, one row each. Holds nothing of what they wrote.",
            GONE,
        ),
        column("writer.id", "A random name, drawn when the server starts.", "its server", GONE),
        column(
            "writer.epoch",
            "The epoch it knows: held against in each of its commits.",
            "its server",
            GONE,
        ),
        column(
            "writer.commits",
            "How many commits it made: tells whether one that got no answer was done.",
            "its server",
            GONE,
        ),
        column("writer.day", "The open day at its last commit.", "writers", GONE),
    ],
    &tables::KEYSET,
    &tables::SEALED_KEYSET,
    &[
        table(
            "proof",
            "Proofs that were spent, so that none is spent twice, and those that a payment under way holds.",
            FOR_GOOD,
        ),
        column(
            "proof.y",
            "Name of the proof: a hash of its secret. Not its signature, nor when or with what it was spent.",
            "writers, state checks (NUT-07)",
            FOR_GOOD,
        ),
        column("proof.keyset", "Keyset that signed it.", "verify", FOR_GOOD),
        column("proof.exponent", "Its denomination: 2 to this power.", "verify", FOR_GOOD),
        column("proof.quote", "While it is held: the payment that holds it.", "writers", HOLD),
        table(
            "output",
            "Outputs that were signed, so that a lost answer can be given again, and blank ones promised to a payment under way.",
            FOR_GOOD,
        ),
        column(
            "output.b_",
            "The blinded secret, which the mint cannot connect to the proof made of it.",
            "writers, restore (NUT-09)",
            FOR_GOOD,
        ),
        column(
            "output.keyset",
            "Keyset that signed it. The signature itself is made again from the seed.",
            "writers, restore, verify",
            FOR_GOOD,
        ),
        column(
            "output.exponent",
            "Its denomination: 2 to this power.",
            "writers, restore, verify",
            FOR_GOOD,
        ),
        column("output.quote", "While it is promised: the payment it belongs to.", "writers", HOLD),
    ],
    &tables::PREIMAGE,
    &tables::MINT_QUOTE,
    &tables::MELT_QUOTE,
    &tables::TRANSFER,
    &tables::HOLDER,
    &tables::EDGE_USAGE,
    &tables::SALE,
    &tables::OUTBOX,
    &tables::RELEASED,
    &tables::PASSPORT,
    &tables::BILLS,
    &[
        table(
            "balance",
            "The operator's own accounts, with the sums of their transfers: each server's share. None is a person's.",
            FOR_GOOD,
        ),
        column("balance.writer", "Whose share; folded into one when a day ends.", "writers", DAY),
        column("balance.account", "Kind, unit and keyset.", "writers, verify", FOR_GOOD),
        column("balance.debits", "Sum of debits.", "writers, verify", FOR_GOOD),
        column("balance.credits", "Sum of credits.", "writers, verify", FOR_GOOD),
        table(
            "day_flow",
            "What the open day's swaps moved between keysets, in sum: each server's share.",
            DAY,
        ),
        column("day_flow.writer", "Whose share.", "writers", DAY),
        column("day_flow.keyset_from", "Keyset of what was spent.", "writer, verify", DAY),
        column("day_flow.keyset_to", "Keyset of what was signed.", "writer, verify", DAY),
        column("day_flow.value", "How much in all.", "writer, verify", DAY),
        column("day_flow.fee", "Fees in all.", "writer, verify", DAY),
    ],
];
