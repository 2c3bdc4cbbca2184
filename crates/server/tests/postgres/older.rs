//! A database that is put back to an earlier moment serves nobody before the loss is accepted.

use std::path::Path;
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;
use tacit_ecash::code::Code;
use tacit_ecash::proof::Proof;

use crate::postgres::Postgres;
use crate::support::client::Client;
use crate::support::process::{Done, Tacitd, free_address, run, serve, tacitd};
use crate::support::wallet::{Wallet, split, total};
use crate::{await_ready, share};

/// What a copy lacks, and what it has.
struct Bed {
    server: Postgres,
    url: String,
    folders: [tempfile::TempDir; 2],
}

impl Bed {
    fn new() -> Self {
        let server = Postgres::start();
        let url = server.new_url();
        Self { server, url, folders: [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()] }
    }

    fn folder(&self, number: usize) -> &Path {
        self.folders[number].path()
    }

    fn start(&self, number: usize) -> Tacitd {
        Tacitd::start_with(self.folder(number), free_address(), &["--vault-url", &self.url])
    }

    /// Starts where it must not.
    fn refused(&self, number: usize) -> String {
        let address = free_address().to_string();
        let arguments = ["--demo", "--listen", &address, "--vault-url", &self.url];
        let Done { code, stderr, .. } = run(&mut serve(self.folder(number), &arguments));
        assert_eq!(code, Some(1), "{stderr}");
        stderr
    }

    fn accept_loss(&self) {
        let mut command = tacitd();
        command.arg("accept-loss").arg(self.folder(0)).args(["--vault-url", &self.url, "--yes"]);
        let done = run(&mut command);
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    }
}

/// Swaps all for others of the same worth.
async fn pass_on(wallet: &mut Wallet, coins: &[Proof]) -> Vec<Proof> {
    wallet.swap(coins, &split(total(coins) - wallet.fee(coins.len()))).await
}

async fn is_spent(wallet: &mut Wallet, coins: &[Proof], code: Code) {
    let swap = wallet.prepare_swap(coins, &split(total(coins) - wallet.fee(coins.len())));
    wallet.post("/v1/swap", &swap.request).await.refused(u32::from(code.number()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "postgres: ./tacit test --only postgres"]
async fn a_server_that_is_started_on_an_older_copy_refuses_it() {
    let mut bed = Bed::new();
    let mint = bed.start(0);
    share(&bed.folders);
    let other = bed.start(1);
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let coins = wallet.mint("bank", 500).await;
    let mut beside = Wallet::new(other.address, "usd").await;
    bed.server.copy("earlier");
    await_ready(&mut wallet.client, StatusCode::OK).await;
    let fresh = pass_on(&mut wallet, &coins).await;
    // The other one writes nothing, but with what it is asked it sees what the first has written.
    await_ready(&mut beside.client, StatusCode::OK).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    is_spent(&mut beside, &coins, Code::AlreadySpent).await;
    other.kill();
    assert_eq!(mint.terminate().code, Some(0));

    bed.server.go_back_to("earlier", "latest");
    for number in 0..2 {
        let said = bed.refused(number);
        assert!(said.contains("older copy") && said.contains("tacitd accept-loss"), "{said}");
    }
    bed.server.go_back_to("latest", "spoilt");
    let mint = bed.start(0);
    let mut wallet = Wallet::new(mint.address, "usd").await;
    is_spent(&mut wallet, &coins, Code::AlreadySpent).await;
    let fresh = pass_on(&mut wallet, &fresh).await;
    assert_eq!(mint.terminate().code, Some(0));

    bed.server.go_back_to("earlier", "lost");
    assert!(bed.refused(0).contains("older copy"), "also what it was right about before");
    bed.accept_loss();
    // The other is not told: its own mark shows it that nothing it knew can be spent again.
    for number in [1, 0] {
        let mint = bed.start(number);
        let mut wallet = Wallet::new(mint.address, "usd").await;
        for gone in [&coins, &fresh] {
            is_spent(&mut wallet, gone, Code::ExpiredKeyset).await;
        }
        let new = wallet.mint("bank", 300).await;
        pass_on(&mut wallet, &new).await;
        assert_eq!(mint.terminate().code, Some(0));
    }
    // That was the last chance for what was lost.
    bed.server.go_back_to("lost", "accepted");
    assert!(bed.refused(0).contains("older copy"), "the loss is accepted");
    bed.server.go_back_to("accepted", "lost again");
    assert_eq!(bed.start(0).terminate().code, Some(0));
}

/// Stopped by what it found, it stays so: whoever starts it again, be it systemd, is told the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "postgres: ./tacit test --only postgres"]
async fn a_server_that_found_commits_lost_is_not_just_started_again() {
    let mut bed = Bed::new();
    let mint = bed.start(0);
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let coins = wallet.mint("bank", 500).await;
    let coins = pass_on(&mut wallet, &coins).await;
    bed.server.copy("earlier");
    await_ready(&mut wallet.client, StatusCode::OK).await;
    // More than the mark of a second ago may know.
    let mut kept = coins.clone();
    for _ in 0..3 {
        kept = pass_on(&mut wallet, &kept).await;
    }
    bed.server.go_back_to("earlier", "latest");
    let mut client = Client::new(mint.address);
    for _ in 0..100 {
        let body = Bytes::from(r#"{"amount": 8, "unit": "usd"}"#);
        match client.try_post_bytes("/usd/v1/mint/quote/bank", body).await {
            Ok(answer) => assert_ne!(answer.status, StatusCode::OK, "{answer:?}"),
            Err(_) => break, // It is gone.
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let done = mint.wait();
    assert_eq!(done.code, Some(70), "{done:?}");
    assert!(done.stderr.contains("older copy"), "{done:?}");
    for _ in 0..2 {
        assert!(bed.refused(0).contains("older copy"));
    }
    bed.server.go_back_to("latest", "spoilt");
    let mint = bed.start(0);
    let mut wallet = Wallet::new(mint.address, "usd").await;
    is_spent(&mut wallet, &coins, Code::AlreadySpent).await;
    pass_on(&mut wallet, &kept).await;
    assert_eq!(mint.terminate().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "postgres: ./tacit test --only postgres"]
async fn a_database_without_e_cash_is_not_taken_for_one_with() {
    let bed = Bed::new();
    let mint = bed.start(0);
    let mut wallet = Wallet::new(mint.address, "usd").await;
    wallet.mint("bank", 500).await;
    assert_eq!(mint.terminate().code, Some(0));
    let elsewhere = Bed { url: bed.server.new_url(), ..bed };
    assert!(elsewhere.refused(0).contains("it is not the one"));
    let mark = elsewhere.folder(0).join("database.mark");
    std::fs::write(&mark, "rubbish").unwrap();
    let said = elsewhere.refused(0);
    assert!(said.contains("database.mark cannot be used") && said.contains("no mark"), "{said}");
    std::fs::remove_file(&mark).unwrap();
    assert_eq!(elsewhere.start(0).terminate().code, Some(0), "as the operator says");
}
