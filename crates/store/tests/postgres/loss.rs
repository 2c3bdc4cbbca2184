//! Connections that are lost, and servers that are killed: what was acknowledged stays, what was in doubt is learnt.

use tacit_service::conformance::rig::{self, Rig};
use tacit_service::vault::{Change, Outcome, ProofState, StoreError, VaultReader, VaultStore};
use tacit_store::postgres::{PostgresReader, PostgresVault, Target};

use crate::bed::OnServer;
use crate::postgres::Postgres;
use crate::proxy::{Cut, Proxy};

struct Bench {
    server: Postgres,
    rig: Rig,
    proxy: Proxy,
    /// A writer behind the proxy.
    writer: PostgresVault,
    schema: String,
}

fn bench() -> Bench {
    let server = Postgres::start();
    let bed = OnServer::new(&server, 1);
    let schema = bed.target().to_string();
    let rig = Rig::new(Box::new(bed));
    let proxy = Proxy::to(server.port());
    let target: Target = server.url_of("vault_0", proxy.port()).parse().unwrap();
    let writer = PostgresVault::open(&target, &rig::identity()).unwrap();
    Bench { server, rig, proxy, writer, schema }
}

/// Commits as the server's writer does.
fn insist(writer: &mut PostgresVault, batch: &[Change], rig: &Rig) -> Vec<Outcome> {
    for _ in 0..100 {
        match writer.commit(batch, rig.now) {
            Err(StoreError::Busy | StoreError::Away(_) | StoreError::InDoubt(_)) => {
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            done => return done.unwrap(),
        }
    }
    panic!("the database does not come back")
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_commit_that_lost_its_answer_is_told_as_it_was() {
    let Bench { server: _server, mut rig, proxy, mut writer, .. } = bench();
    for cut in [Cut::AfterCommit, Cut::BeforeCommit, Cut::AfterCommit] {
        let quote = rig.new_mint_quote(8);
        rig.commit(&[Change::OpenMintQuote(quote.clone())]);
        let coins = rig.issue(&[8]);
        let drafts = rig.drafts(&[8]);
        let swap = Change::Swap(rig.prepare_swap(&coins, &drafts));
        // One that is not answered alike when it is done twice, beside one that is.
        let batch = [Change::Receive { quote: quote.id, amount: 8 }, swap];
        let cuts = proxy.cuts();
        proxy.cut_at(cut);
        let outcomes = insist(&mut writer, &batch, &rig);
        assert_eq!(proxy.cuts(), cuts + 1, "{cut:?}: it was cut");
        assert_eq!(outcomes, [Outcome::Applied(true), Outcome::Swap(Ok(()))], "{cut:?}");
        assert_eq!(rig.states(&coins), [ProofState::Spent(None)], "{cut:?}");
        rig.audit();
    }
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_killed_server_forgets_nothing_it_acknowledged() {
    let Bench { mut server, mut rig, proxy, mut writer, .. } = bench();
    let coins: Vec<_> = (0..4).map(|_| rig.issue(&[8])).collect();
    for (round, coins) in coins.iter().enumerate() {
        let drafts = rig.drafts(&[8]);
        let batch = [Change::Swap(rig.prepare_swap(coins, &drafts))];
        if round % 2 == 0 {
            assert_eq!(writer.commit(&batch, rig.now).unwrap(), [Outcome::Swap(Ok(()))]);
            server.kill();
        } else {
            proxy.cut_at(Cut::AfterCommit);
            server.kill();
            let away = writer.commit(&batch, rig.now);
            assert!(matches!(away, Err(StoreError::Away(_))), "{away:?}");
        }
        server.run();
        assert_eq!(insist(&mut writer, &batch, &rig), [Outcome::Swap(Ok(()))], "round {round}");
        assert_eq!(rig.states(coins), [ProofState::Spent(None)]);
    }
    rig.audit();
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn what_becomes_of_a_commit_is_asked_until_it_is_known() {
    let Bench { mut server, mut rig, proxy, mut writer, .. } = bench();
    let coins = rig.issue(&[8]);
    let drafts = rig.drafts(&[8]);
    let batch = [Change::Swap(rig.prepare_swap(&coins, &drafts))];
    // The server hears of the commit, the wire breaks, and then the server is gone for a while.
    let at_commit = std::thread::scope(|scope| {
        let killing = scope.spawn(|| {
            while proxy.cuts() == 0 {
                std::thread::yield_now();
            }
            server.kill();
        });
        proxy.cut_at(Cut::AfterCommit);
        let ended = writer.commit(&batch, rig.now);
        killing.join().unwrap();
        ended
    });
    // Killed before it was asked, or after.
    assert!(matches!(at_commit, Ok(_) | Err(StoreError::InDoubt(_))), "{at_commit:?}");
    server.run();
    assert_eq!(insist(&mut writer, &batch, &rig), [Outcome::Swap(Ok(()))]);
    rig.audit();
}

/// A failover to a copy that was behind, or a restore: this server knows better, and stops.
#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_database_that_forgot_commits_is_not_written_any_more() {
    let Bench { server, mut rig, proxy, mut writer, .. } = bench();
    let coins = rig.issue(&[8]);
    let drafts = rig.drafts(&[8]);
    insist(&mut writer, &[Change::Swap(rig.prepare_swap(&coins, &drafts))], &rig);
    server.psql("UPDATE vault_0.writer SET commits = commits - 1 WHERE commits > 0").unwrap();
    proxy.cut_all();
    let refused = writer.commit(&[Change::Tick], rig.now);
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn readers_connect_again() {
    let Bench { mut server, mut rig, proxy, schema, .. } = bench();
    assert!(schema.starts_with("postgres://tacit@127.0.0.1"));
    let coins = rig.issue(&[8]);
    let target: Target = server.url_of("vault_0", proxy.port()).parse().unwrap();
    let mut reader = PostgresReader::open(&target).unwrap();
    let ys: Vec<_> = coins.iter().map(rig::y_of).collect();
    proxy.cut_all();
    assert_eq!(reader.proof_states(&ys).unwrap(), [ProofState::Unspent]);
    server.kill();
    let away = reader.proof_states(&ys);
    assert!(matches!(away, Err(StoreError::Away(_))), "{away:?}");
    server.run();
    assert_eq!(reader.proof_states(&ys).unwrap(), [ProofState::Unspent]);
}
