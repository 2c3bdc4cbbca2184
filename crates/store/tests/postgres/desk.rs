//! The desk on PostgreSQL: the suite, several at once, and one database for one of the two.

use std::sync::Barrier;

use secp256k1::PublicKey;
use tacit_core::secret::Secret;
use tacit_core::time::Timestamp;
use tacit_service::conformance::rig;
use tacit_service::desk::conformance::CHECKS;
use tacit_service::desk::trail::{self, Action, Deed, TrailStore};
use tacit_service::identity::Identity;
use tacit_service::inventory::{Kind, differences};
use tacit_store::desk::OpenError;
use tacit_store::inventory::desk::DESK;
use tacit_store::postgres::PostgresVault;
use tacit_store::postgres::desk::PostgresDesk;

use crate::postgres::Postgres;

fn mint() -> PublicKey {
    Identity::derive(&Secret::new([1; 32])).public()
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn the_desk_on_postgres_conforms() {
    let server = Postgres::start();
    for (name, check) in CHECKS {
        println!("conformance: {name}");
        check(&mut PostgresDesk::open(&server.new_target(), &mint()).unwrap());
    }
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_desk_belongs_to_one_mint_and_is_no_vault() {
    let server = Postgres::start();
    let target = server.new_target();
    drop(PostgresDesk::open(&target, &mint()).unwrap());
    let other = Identity::derive(&Secret::new([2; 32])).public();
    assert!(matches!(PostgresDesk::open(&target, &other), Err(OpenError::OtherMint)));
    let target = server.new_target();
    drop(PostgresVault::open(&target, &rig::identity()).unwrap());
    assert!(matches!(PostgresDesk::open(&target, &mint()), Err(OpenError::Vault)));
}

/// Six at once write into one chain, which has a place for each and no two.
#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_trail_that_many_write_at_once_is_one_chain() {
    const WRITERS: u64 = 6;
    const DEEDS: u64 = 15;
    let server = Postgres::start();
    let target = server.new_target();
    let start = Barrier::new(WRITERS.try_into().unwrap());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (target, start) = (&target, &start);
            scope.spawn(move || {
                start.wait(); // They make the tables at once, too.
                let mut desk = PostgresDesk::open(target, &mint()).unwrap();
                for number in 0..DEEDS {
                    let deed = Deed {
                        moment: Timestamp::from_seconds(number),
                        staff: None,
                        action: Action::PersonSeen,
                        subject: format!("person {writer}"),
                        detail: String::new(),
                    };
                    // Whoever was overtaken too often is told to come again.
                    while desk.note(&deed).is_err() {}
                }
            });
        }
    });
    let mut desk = PostgresDesk::open(&target, &mint()).unwrap();
    let head = trail::check(&mut desk).unwrap().unwrap();
    assert_eq!(head.length, WRITERS * DEEDS);
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn every_column_of_the_desk_is_declared() {
    let server = Postgres::start();
    drop(PostgresDesk::open(&server.new_target(), &mint()).unwrap());
    let found = crate::inventory::schema(&server);
    // What the migrations queue up at, on this database alone.
    let found = found.into_iter().filter(|(_, name)| !name.starts_with("schema_version"));
    assert_eq!(differences(DESK.declarations, found.collect::<Vec<(Kind, String)>>()), [""; 0]);
}
