//! A mint moves from its file to a database in the middle of its business: killed, moved, started again.

use std::time::Duration;

use tacit_ecash::code::Code;

use crate::postgres::Postgres;
use crate::reader;
use crate::support::process::{Tacitd, free_address, run, serve, tacitd};
use crate::support::wallet::{Wallet, split};
use crate::worker::{Crew, WORKERS, outstanding};

/// Swaps, payments and quotes are under way when it stops; whoever asks again afterwards is answered by the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "postgres: ./tacit test --only postgres"]
async fn a_mint_moves_to_a_database_with_money_in_flight() {
    let server = Postgres::start();
    let (url, folder) = (server.new_url(), tempfile::tempdir().unwrap());
    let mint = Tacitd::start(folder.path());
    let address = mint.address;
    let crew = Crew::at(&[address]).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let running = run(tacitd().arg("migrate").arg(folder.path()).args(["--vault-url", &url]));
    assert_eq!(running.code, Some(1), "not while the mint runs: {running:?}");
    mint.kill();
    let moved = run(tacitd().arg("migrate").arg(folder.path()).args(["--vault-url", &url]));
    assert_eq!((moved.code, moved.stderr.as_str()), (Some(0), ""), "{moved:?}");
    let old = run(&mut serve(folder.path(), &["--demo", "--listen", &address.to_string()]));
    assert!(old.code == Some(1) && old.stderr.contains("moved to another store"), "{old:?}");
    let mint = Tacitd::start_with(folder.path(), address, &["--vault-url", &url]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (tally, left) = crew.finish().await;
    println!("{tally:?}");
    assert!(tally.swaps > WORKERS && tally.sent_again > 0, "there was load: {tally:?}");
    assert_eq!(outstanding(reader(&url)), left, "what is outstanding is what the wallets have");
    assert_eq!(mint.terminate().code, Some(0));
    let checked = run(tacitd().arg("verify").arg(folder.path()).args(["--vault-url", &url]));
    assert_eq!(checked.code, Some(0), "{checked:?}");
}

/// The database is put back to an earlier moment; what was spent since is not spent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "postgres: ./tacit test --only postgres"]
async fn a_recovered_database_serves_again_once_the_loss_is_accepted() {
    let server = Postgres::start();
    let (url, folder) = (server.new_url(), tempfile::tempdir().unwrap());
    let mint = Tacitd::start_with(folder.path(), free_address(), &["--vault-url", &url]);
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let coins = wallet.mint("bank", 1050).await;
    assert_eq!(mint.terminate().code, Some(0));
    let accept = |more: &[&str]| {
        let mut command = tacitd();
        command.arg("accept-loss").arg(folder.path()).args(["--vault-url", &url]).args(more);
        run(&mut command)
    };
    assert_eq!(accept(&[]).code, Some(1), "not without --yes");
    let done = accept(&["--yes"]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    assert!(done.stdout.contains("10.50 usd") && done.stdout.contains("At risk"), "{done:?}");
    let mint = Tacitd::start_with(folder.path(), free_address(), &["--vault-url", &url]);
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let swap = wallet.prepare_swap(&coins, &split(1050));
    let refused = wallet.post("/v1/swap", &swap.request).await;
    refused.refused(u32::from(Code::ExpiredKeyset.number()));
    let fresh = wallet.mint("bank", 300).await;
    wallet.swap(&fresh, &split(300)).await;
    assert_eq!(mint.terminate().code, Some(0));
    let checked = run(tacitd().arg("verify").arg(folder.path()).args(["--vault-url", &url]));
    assert_eq!(checked.code, Some(0), "{checked:?}");
}
