//! The suite of `tacit_service::conformance`, on SQLite.

use tacit_service::conformance::rig::Rig;
use tacit_service::conformance::{CHECKS, run};

use crate::bed::OnDisk;

#[test]
fn the_vault_on_sqlite_conforms() {
    run(&mut || Box::new(OnDisk::new()));
}

/// Checks in which days pass close an era with each.
#[test]
fn the_vault_on_sqlite_conforms_with_an_era_for_each_day() {
    run(&mut || Box::new(OnDisk::with_era_rows(1)));
}

#[test]
fn the_vault_on_sqlite_conforms_with_a_restart_before_each_commit() {
    for (name, check) in CHECKS {
        println!("conformance: {name}");
        check(&mut Rig::restarting(Box::new(OnDisk::new())));
    }
}
