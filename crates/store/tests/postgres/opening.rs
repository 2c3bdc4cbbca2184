//! What is opened, and what is not.

use secp256k1::{PublicKey, SecretKey};
use tacit_service::conformance::rig::identity;
use tacit_store::postgres::{OpenError, PostgresReader, PostgresVault, Target, is_made};

use crate::postgres::Postgres;

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn servers_that_start_at_once_make_one_vault() {
    let server = Postgres::start();
    for _ in 0..5 {
        let target = server.new_target();
        assert!(!is_made(&target).unwrap());
        std::thread::scope(|scope| {
            let starts: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| PostgresVault::open(&target, &identity()).map(drop)))
                .collect();
            for start in starts {
                start.join().unwrap().unwrap();
            }
        });
        assert!(is_made(&target).unwrap());
        assert_eq!(PostgresReader::open(&target).unwrap().mint().unwrap(), identity());
    }
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn what_is_not_this_mints_vault_is_refused() {
    let server = Postgres::start();
    let target = server.new_target();
    assert!(matches!(PostgresReader::open(&target), Err(OpenError::NoVault)));
    drop(PostgresVault::open(&target, &identity()).unwrap());
    let other = PublicKey::from_secret_key_global(&SecretKey::from_byte_array([9; 32]).unwrap());
    assert!(matches!(PostgresVault::open(&target, &other), Err(OpenError::OtherMint)));
    server.psql("UPDATE vault_0.schema_version SET version = 99").unwrap();
    let newer = PostgresVault::open(&target, &identity());
    assert!(matches!(newer, Err(OpenError::TooNew { found: 99, .. })));
    let newer = PostgresReader::open(&target);
    assert!(matches!(newer, Err(OpenError::TooNew { found: 99, .. })));
    let nowhere: Target = "postgres://tacit@127.0.0.1:1/postgres".parse().unwrap();
    assert!(matches!(PostgresVault::open(&nowhere, &identity()), Err(OpenError::Database(_))));
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_server_that_may_lose_commits_or_keeps_their_times_is_refused() {
    let careless = Postgres::start_with(&["fsync=off"]);
    let refused = PostgresVault::open(&careless.new_target(), &identity());
    assert!(matches!(refused, Err(OpenError::Careless { setting: "fsync=off" })));
    let timing = Postgres::start_with(&["track_commit_timestamp=on"]);
    let refused = PostgresVault::open(&timing.new_target(), &identity());
    assert!(matches!(refused, Err(OpenError::Timestamps)));
}
