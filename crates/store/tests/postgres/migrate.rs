//! A vault that lived on SQLite, in every schema there has been, lives on here.

use std::path::{Path, PathBuf};

use tacit_service::audit;
use tacit_service::conformance::rig::{self, Rig};
use tacit_service::vault::{Change, VaultReader};
use tacit_store::migrate::{MigrateError, migrate};
use tacit_store::postgres::{PostgresReader, PostgresVault};
use tacit_store::sqlite::{OpenError, SqliteReader, SqliteVault};

use crate::bed::OnServer;
use crate::kept;
use crate::postgres::Postgres;

fn copy_of(version: u32, folder: &Path) -> PathBuf {
    let path = folder.join("vault.sqlite");
    std::fs::copy(kept::folder().join(format!("vault-{version}.sqlite")), &path).unwrap();
    kept::vouch_for(&path);
    path
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_vault_of_any_schema_moves_with_all_its_money() {
    let server = Postgres::start();
    for version in 1..=5 {
        let folder = tempfile::tempdir().unwrap();
        let source = copy_of(version, folder.path());
        let target = server.new_target();
        assert!(
            migrate(&source, &rig::identity(), &target, |_| {}).unwrap() > 40,
            "schema {version}"
        );
        let moved = SqliteVault::open(&source, &rig::identity());
        assert!(matches!(moved, Err(OpenError::Moved)), "nobody goes on with the old one");

        let before = SqliteReader::open(&source).unwrap().books().unwrap();
        let books = PostgresReader::open(&target).unwrap().books().unwrap();
        assert_eq!((&books.keysets, &books.balances), (&before.keysets, &before.balances));
        let wrong: Vec<_> = audit::check(&books, &rig::identity())
            .into_iter()
            .filter(|check| !check.holds)
            .collect();
        assert_eq!(wrong, [], "schema {version}");

        let mut rig = Rig::unaudited(Box::new(OnServer::at(target.clone())));
        rig.skip(10_000);
        rig.now = (books.open_day).start();
        let pending = PostgresReader::open(&target).unwrap().pending_melt_quotes().unwrap();
        assert_eq!(pending.len(), 1);
        let paid = tacit_service::melt::MeltEnd::Paid { fee: 0, evidence: None };
        rig.finish_melt(&pending[0], paid).expect("what was under way ends here");
        let coins = rig.issue(&[4]);
        let drafts = rig.drafts(&[4]);
        rig.swap(&coins, &drafts).unwrap();
        rig.now = tacit_core::time::Timestamp::from_seconds(rig.now.seconds() + 86_400);
        rig.commit(&[Change::Tick]); // The day that came along is posted.
        rig.audit();
    }
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_move_that_was_cut_off_is_finished_and_another_vault_is_not_touched() {
    let server = Postgres::start();
    let folder = tempfile::tempdir().unwrap();
    let source = copy_of(2, folder.path());
    let target = server.new_target();
    migrate(&source, &rig::identity(), &target, |_| {}).unwrap();
    // Cut off after the commit: the file does not know yet.
    let unknowing = rusqlite::Connection::open(&source).unwrap();
    unknowing.execute("UPDATE vault SET moved = 1", []).unwrap();
    drop(unknowing);
    assert_eq!(
        migrate(&source, &rig::identity(), &target, |_| {}).unwrap(),
        0,
        "nothing is sent twice"
    );
    assert!(matches!(SqliteVault::open(&source, &rig::identity()), Err(OpenError::Moved)));

    let other = tempfile::tempdir().unwrap();
    let source = copy_of(2, other.path());
    let mut rig = Rig::unaudited(Box::new(OnServer::at(target.clone())));
    rig.skip(20_000);
    rig.issue(&[1]); // It has gone on.
    let refused = migrate(&source, &rig::identity(), &target, |_| {});
    assert!(matches!(refused, Err(MigrateError::TargetInUse)), "{refused:?}");
    let waits = SqliteVault::open(&source, &rig::identity());
    assert!(matches!(waits, Err(OpenError::Moving)), "until somebody calls it off");
    let vault = SqliteVault::open_to_move(&source, &rig::identity()).unwrap();
    vault.call_move_off().unwrap();
    SqliteVault::open(&source, &rig::identity()).expect("and goes on where it is");
    PostgresVault::open(&target, &rig::identity()).expect("so does the other");
}
