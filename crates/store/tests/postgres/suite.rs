//! The suite of `tacit_service::conformance`, on PostgreSQL.

use tacit_service::conformance::rig::Rig;
use tacit_service::conformance::{CHECKS, run};

use crate::bed::OnServer;
use crate::postgres::Postgres;

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn the_vault_on_postgres_conforms() {
    let server = Postgres::start();
    run(&mut || Box::new(OnServer::new(&server, 1)));
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn the_vault_on_postgres_conforms_when_each_commit_is_another_writers() {
    let server = Postgres::start();
    run(&mut || Box::new(OnServer::new(&server, 3)));
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn the_vault_on_postgres_conforms_with_a_restart_before_each_commit() {
    let server = Postgres::start();
    for (name, check) in CHECKS {
        println!("conformance: {name}");
        check(&mut Rig::restarting(Box::new(OnServer::new(&server, 1))));
    }
}
