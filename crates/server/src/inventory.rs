//! What the process keeps beside its databases: log fields, metrics, files. With theirs, it is all there is.

use serde_json::{Value, json};
use tacit_service::inventory::{Declaration, Kind, Section};
use tacit_store::inventory::desk::DESK;
use tacit_store::inventory::postgres::VAULT_ON_POSTGRES;
use tacit_store::inventory::{DEMO_RAIL, VAULT};

use crate::log::{Field, HEAD};
use crate::metric::{COMMIT_SIZES, Counter, Gauge, REFUSALS, RELEASE};

/// All that a seizure of this mint could return.
pub const SECTIONS: [&Section; 7] =
    [&VAULT, &VAULT_ON_POSTGRES, &DESK, &DEMO_RAIL, &FILES, &LOG, &METRICS];

/// Files of the data directory that are no databases.
pub const FILES: Section = Section {
    title: "Files",
    about: "In the data directory, readable by the operator's account alone.",
    declarations: &[
        file(
            "seed",
            "What the mint's keys are derived from, encrypted under a passphrase except in demo mode: whoever has \
             both can issue e-cash. Also the mint's public key.",
            "mint",
        ),
        Declaration {
            kind: Kind::File,
            name: "seed.new",
            purpose: "While a seed is made or its passphrase changed: what is to take the place of `seed`.",
            reader: "nobody",
            retention: "that is done",
        },
        file("lock", "Empty: keeps a second process out.", "tacitd"),
        file("vault.sqlite.lock", "Empty: keeps a second writer out.", "writer"),
        file("desk.sqlite.lock", "Empty: keeps a second instance out.", "desk"),
        file(
            "vault.sqlite.mark",
            "How many commits the vault has had, its lineage, and whether it was closed: an older copy is refused.",
            "writer",
        ),
        file(
            "database.mark",
            "With `--vault-url`: which keysets the database had, its open day, and how many commits each server had made \
             in all: an older copy is refused.",
            "writer",
        ),
        Declaration {
            retention: "the next certificate",
            ..file(
                "acme",
                "With `[acme]`: a directory with the TLS certificate and its key, the account's key at the authority, and \
                 the names and authority the certificate is of.",
                "tacitd",
            )
        },
        file(
            "control",
            "A socket: what the operator asks of the mint that runs. Holds nothing.",
            "mint",
        ),
        file("demo-clock", "In demo mode: how many days the clock is ahead.", "mint"),
    ],
};

/// Fields of log lines.
pub const LOG: Section = Section {
    title: "Log",
    about: "Standard error of `tacitd serve`. There is no access log: no line is written for a request, unless \
            the program or the machine is at fault, and then it holds nothing of what was asked.",
    declarations: &LOG_FIELDS,
};

/// Metrics and their labels.
pub const METRICS: Section = Section {
    title: "Metrics",
    about: "`GET /metrics`, for this machine only: totals since the process started, in memory. Read often enough \
            on a quiet mint, they tell when something happened.",
    declarations: &ALL_METRICS,
};

/// All of it as JSON, for programs: a list of sections.
pub fn json() -> String {
    let declared = |declaration: &Declaration| {
        let Declaration { kind, name, purpose, reader, retention } = declaration;
        let kind = kind.to_string();
        json!({"kind": kind, "name": name, "purpose": purpose, "reader": reader, "retention": retention})
    };
    let section = |section: &Section| {
        let kept: Vec<Value> = section.declarations.iter().map(declared).collect();
        json!({"title": section.title, "about": section.about, "kept": kept})
    };
    let all: Vec<Value> = SECTIONS.into_iter().map(section).collect();
    format!("{:#}", Value::Array(all))
}

const LOG_FIELDS: [Declaration; HEAD.len() + Field::ALL.len()] = {
    let mut all = [HEAD[0]; HEAD.len() + Field::ALL.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = match at.checked_sub(HEAD.len()) {
            None => HEAD[at],
            Some(field) => Field::ALL[field].declaration(),
        };
        at += 1;
    }
    all
};

const SIMPLE: usize = Counter::ALL.len() + Gauge::ALL.len();

const ALL_METRICS: [Declaration; SIMPLE + 6] = {
    let mut all = [REFUSALS[0]; SIMPLE + 6];
    let mut at = 0;
    while at < SIMPLE {
        all[at] = match at.checked_sub(Counter::ALL.len()) {
            None => Counter::ALL[at].declaration(),
            Some(gauge) => Gauge::ALL[gauge].declaration(),
        };
        at += 1;
    }
    all[SIMPLE] = REFUSALS[0];
    all[SIMPLE + 1] = REFUSALS[1];
    all[SIMPLE + 2] = COMMIT_SIZES[0];
    all[SIMPLE + 3] = COMMIT_SIZES[1];
    all[SIMPLE + 4] = RELEASE[0];
    all[SIMPLE + 5] = RELEASE[1];
    all
};

const fn file(name: &'static str, purpose: &'static str, reader: &'static str) -> Declaration {
    Declaration { kind: Kind::File, name, purpose, reader, retention: "for good" }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tacit_service::inventory::page;

    use super::*;

    const TITLE: &str = "\
# What is kept

Generated from the declarations in the source: `BLESS=1 cargo test -p tacit-server inventory` writes it anew. A table, column,
log field or metric that is not listed here does not pass the tests. `tacitd inventory` prints the same.

";

    #[test]
    fn the_page_of_the_inventory_is_up_to_date() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/inventory.md");
        let text = format!("{TITLE}{}", page(&SECTIONS.map(|section| *section)).trim_end()) + "\n";
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(found, text, "stale: BLESS=1 cargo test -p tacit-server inventory");
    }
}
