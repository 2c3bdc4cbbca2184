//! What no standby has is not told, whatever happens to the server that has it.

use std::time::Duration;

use tacit_service::conformance::rig::{self, Rig};
use tacit_service::swap::SwapError;
use tacit_service::vault::{Change, Outcome, ProofState, StoreError, VaultReader, VaultStore};
use tacit_store::postgres::{PostgresReader, PostgresVault};

use crate::bed::OnServer;
use crate::postgres::Postgres;

fn require_standby(server: &Postgres, name: &str) {
    server.psql(&format!("ALTER SYSTEM SET synchronous_standby_names = '{name}'")).unwrap();
    server.psql("SELECT pg_reload_conf()").unwrap();
    std::thread::sleep(Duration::from_millis(500));
}

/// A commit waits for a standby that is away; the server is killed and starts again by itself, and then shows that commit.
#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_commit_that_no_standby_has_is_told_to_nobody() {
    let mut server = Postgres::start();
    let bed = OnServer::new(&server, 1);
    let target = bed.target().clone();
    let mut rig = Rig::new(Box::new(bed));
    let open = || PostgresVault::open(&target, &rig::identity()).unwrap();
    let (mut one, mut other) = (open(), open());
    let mut reader = PostgresReader::open(&target).unwrap();
    let coins = rig.issue(&[8]);
    let drafts = rig.drafts(&[8]);
    let swap = || [Change::Swap(rig.prepare_swap(&coins, &drafts))];
    let (first, again, later) = (swap(), swap(), swap());
    let (now, ys) = (rig.now, coins.iter().map(rig::y_of).collect::<Vec<_>>());

    require_standby(&server, "nobody");
    let waiting = std::thread::spawn(move || one.commit(&first, now));
    std::thread::sleep(Duration::from_secs(2));
    assert!(!waiting.is_finished(), "it waits for the standby");
    server.kill();
    server.run();
    let told = other.commit(&again, now);
    assert!(matches!(told, Err(StoreError::Away(_) | StoreError::Busy)), "{told:?}");
    let states = reader.proof_states(&ys);
    assert!(matches!(states, Err(StoreError::Away(_) | StoreError::Busy)), "{states:?}");

    require_standby(&server, "");
    let granted: Result<(), SwapError> = Ok(());
    assert_eq!(other.commit(&later, now).unwrap(), [Outcome::Swap(granted)]);
    assert_eq!(reader.proof_states(&ys).unwrap(), [ProofState::Spent(None)]);
    _ = waiting.join().unwrap(); // In doubt, or done: that is another test's.
}
