//! Two `tacitd` on one PostgreSQL, which the test starts, kills and cuts off under load.
//!
//! No answer that a client saw may be lost, by whichever server it is asked for again; no request may be done twice; and
//! in the end the books hold and everybody has what is theirs. Not part of `cargo test`, which needs nothing installed.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../../store/tests/support/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test program uses its part of this")]
mod postgres;
#[path = "../../../store/tests/support/proxy.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test program uses its part of this")]
mod proxy;
#[path = "../support/mod.rs"]
mod support;
#[path = "../kill/worker.rs"]
mod worker;

mod failover;
mod group;
mod moving;
mod older;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;
use support::client::Client;
use support::process::{Tacitd, free_address, run, tacitd};
use support::wallet::random;
use tacit_store::postgres::{PostgresReader, Target};

use postgres::Postgres;
use proxy::{Cut, Proxy};
use worker::{Crew, outstanding};

/// Two servers with a wire to the database each.
struct Pair {
    server: Postgres,
    /// A way to the database that is not cut.
    url: String,
    folders: [tempfile::TempDir; 2],
    wires: [Proxy; 2],
    mints: [Tacitd; 2],
}

impl Pair {
    fn start() -> Self {
        let server = Postgres::start();
        let url = server.new_url();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let wires = [Proxy::to(server.port()), Proxy::to(server.port())];
        let start = |at: usize| {
            let url = server.url_of("vault_0", wires[at].port());
            Tacitd::start_with(folders[at].path(), free_address(), &["--vault-url", &url])
        };
        let first = start(0);
        share(&folders);
        let mints = [first, start(1)];
        Self { server, url, folders, wires, mints }
    }

    fn assert_books(&self, when: &str) {
        let folder: &Path = self.folders[0].path();
        let done = run(tacitd().arg("verify").arg(folder).args(["--vault-url", &self.url]));
        assert_eq!(done.code, Some(0), "{when}: {done:?}");
    }
}

/// Gives the second server what both must have, once the first has made it.
fn share(folders: &[tempfile::TempDir; 2]) {
    let [one, other] = [folders[0].path(), folders[1].path()];
    std::fs::copy(one.join("seed"), other.join("seed")).unwrap();
    // The demo's bank is a file, and there is one bank.
    symlink(one.join("demo-rail.sqlite"), other.join("demo-rail.sqlite")).unwrap();
}

/// A reader of the vault in a database.
fn reader(url: &str) -> PostgresReader {
    let target: Target = url.parse().unwrap();
    PostgresReader::open(&target).unwrap()
}

async fn ready(client: &mut Client) -> Option<StatusCode> {
    client.try_get("/ready").await.ok().map(|answer| answer.status)
}

async fn await_ready(client: &mut Client, wanted: StatusCode) {
    for _ in 0..300 {
        if ready(client).await == Some(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not {wanted} after half a minute");
}

/// Kills the database and cuts wires so often, then asks whether everybody has what is theirs.
async fn survive(troubles: usize) {
    let mut pair = Pair::start();
    let crew = Crew::at(&pair.mints.each_ref().map(|mint| mint.address)).await;
    let mut kills = 0;
    for trouble in 0..troubles {
        let [low, high, dice, ..] = random();
        let pause = 150 + u64::from(u16::from_le_bytes([low, high])) % 700;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let wire = &pair.wires[usize::from(dice % 2)];
        match trouble % 4 {
            0 => {
                pair.server.kill();
                pair.server.run();
                kills += 1;
            }
            1 => wire.cut_at(Cut::AfterCommit),
            2 => wire.cut_at(Cut::BeforeCommit),
            _ => wire.cut_all(),
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (tally, left) = crew.finish().await;
    let cuts = pair.wires[0].cuts() + pair.wires[1].cuts();
    println!("{kills} kills, {cuts} cuts: {tally:?}");
    assert!(
        tally.swaps > troubles && cuts > troubles / 2,
        "there was load: {tally:?}, {cuts} cuts"
    );
    pair.assert_books("at the end");
    assert_eq!(
        outstanding(reader(&pair.url)),
        left,
        "what is outstanding is what the wallets have"
    );
    for mint in pair.mints {
        let done = mint.terminate();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(!done.stderr.contains("postgres://tacit:"), "no password: {done:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "postgres: ./tacit test --only postgres"]
async fn nothing_is_lost_when_the_database_is_killed_and_cut_off() {
    survive(16).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "postgres: ./tacit test --only postgres"]
async fn a_mint_without_its_database_says_so_and_comes_back() {
    let mut pair = Pair::start();
    let mut clients = pair.mints.each_ref().map(|mint| Client::new(mint.address));
    for client in &mut clients {
        await_ready(client, StatusCode::OK).await;
    }
    pair.server.kill();
    for client in &mut clients {
        await_ready(client, StatusCode::SERVICE_UNAVAILABLE).await;
        let body = Bytes::from(r#"{"amount": 8, "unit": "usd"}"#);
        let refused = client.try_post_bytes("/usd/v1/mint/quote/bank", body).await.unwrap();
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
    }
    pair.server.run();
    for client in &mut clients {
        await_ready(client, StatusCode::OK).await;
    }
    pair.assert_books("after it came back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "postgres: ./tacit test --only postgres"]
async fn a_rotation_reaches_every_server_while_they_run() {
    let pair = Pair::start();
    let rotated = run(tacitd()
        .args(["keyset", "rotate", "--unit", "usd", "--vault-url", &pair.url])
        .arg(pair.folders[1].path()));
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let new = rotated.stdout.trim().to_owned();
    for mint in &pair.mints {
        let mut client = Client::new(mint.address);
        let mut is_known = false;
        for _ in 0..100 {
            let keys = client.try_get("/usd/v1/keys").await.unwrap();
            is_known = String::from_utf8_lossy(&keys.body).contains(&new);
            if is_known {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(is_known, "{new} is signed with");
    }
    pair.assert_books("after the rotation");
}

#[test]
#[ignore = "postgres: ./tacit test --only postgres"]
fn a_password_in_a_flag_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = "postgres://tacit:sesame@127.0.0.1:1/vault";
    let arguments = ["serve", "--demo", "--vault-url", url, "--data"];
    let done = run(tacitd().args(arguments).arg(folder.path()));
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stderr.contains("PGPASSFILE") && !done.stderr.contains("sesame"), "{done:?}");
    let done = run(tacitd()
        .args(["serve", "--demo", "--data"])
        .arg(folder.path())
        .env("TACITD_VAULT_URL", url));
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(
        done.stderr.contains("127.0.0.1:1/vault") && !done.stderr.contains("sesame"),
        "{done:?}"
    );
}
