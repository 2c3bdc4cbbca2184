//! The vaults kept under `tests/fixtures`, one of each schema there has been.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row};
use tacit_service::conformance::rig;
use tacit_store::sqlite::backup::Standing;
use tacit_store::sqlite::mark;

/// Where they are kept.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Puts the mark beside a vault that its writer would have left there; that of the first schema had none of need.
pub(crate) fn vouch_for(path: &Path) {
    let vault = Connection::open(path).unwrap();
    let schema: u32 = vault.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    if schema > 1 {
        let of = |row: &Row<'_>| {
            let (commits, lineage) = (row.get(0)?, row.get(1)?);
            Ok(Standing { mint: rig::identity(), commits, lineage })
        };
        let standing = vault.query_row("SELECT commits, lineage FROM vault", [], of).unwrap();
        mark::vouch(path, &standing).unwrap();
    }
}
