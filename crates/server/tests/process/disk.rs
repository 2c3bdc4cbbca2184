//! Disks that fail: full, and damaged. The mint stops clearly, and answers nothing wrong.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::tempdir;

use crate::support::client::Client;
use crate::support::process::{Tacitd, free_address, run, serve, verify};
use crate::support::wallet::{Wallet, split};

/// Every table's first page in turn: the mint does not start, or stops as soon as it meets it.
#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_page_never_makes_a_wrong_answer() {
    let data = tempdir().unwrap();
    let mint = Tacitd::start(data.path());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let spent = wallet.mint("bank", 7).await;
    let coins = wallet.swap(&spent, &split(7)).await;
    mint.terminate();
    let vault = data.path().join("vault.sqlite");
    let sound = fs::read(&vault).unwrap();
    for table in ["vault", "keyset", "spent", "signed"] {
        let page = root_page(&vault, table);
        let mut bent = sound.clone();
        bent[(page - 1) * 2048..page * 2048].fill(0xa5);
        fs::write(&vault, bent).unwrap();
        let address = free_address();
        let mut command = serve(data.path(), &["--demo", "--listen", &address.to_string()]);
        let serving = tokio::task::spawn_blocking(move || run(&mut command));
        let mut client = Client::new(address);
        for _ in 0..100 {
            if serving.is_finished() || client.connect().await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if !serving.is_finished() {
            let again = wallet.prepare_swap(&spent, &split(7));
            if let Ok(answer) = client.try_post("/usd/v1/swap", &again.request).await {
                assert!(!answer.status.is_success(), "{table}: spent again: {answer:?}");
            }
            let fresh = wallet.prepare_swap(&coins, &split(7));
            _ = client.try_post("/usd/v1/swap", &fresh.request).await;
        }
        let done = tokio::time::timeout(Duration::from_secs(20), serving).await;
        let done = done.expect("it stops by itself").unwrap();
        assert!(matches!(done.code, Some(1 | 70)), "{table}: {done:?}");
        assert!(
            done.stderr.contains("corrupt")
                || done.stderr.contains("damaged")
                || done.stderr.contains("malformed"),
            "{table}: {done:?}"
        );
        assert_eq!(verify(data.path()).code, Some(2), "{table}: it cannot be verified");
        fs::write(&vault, &sound).unwrap();
        for ending in ["-wal", "-shm"] {
            _ = fs::remove_file(data.path().join(format!("vault.sqlite{ending}")));
        }
    }
    assert_eq!(verify(data.path()).code, Some(0), "the sound file is sound");
}

fn root_page(vault: &Path, table: &str) -> usize {
    let file = rusqlite::Connection::open(vault).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    file.query_row(sql, [table], |row| row.get(0)).unwrap()
}

/// A file system of its own, of a few megabytes. Needs root.
struct Small {
    folder: tempfile::TempDir,
}

impl Small {
    fn mount() -> Self {
        let folder = tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=6m,mode=700", "tacit-drill"])
            .arg(folder.path())
            .status();
        assert!(
            mounted.is_ok_and(|status| status.success()),
            "this drill mounts a small disk: be root"
        );
        Self { folder }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}

/// Swaps until the disk is full, looks at what the mint says then, makes room, and goes on without a restart.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: about 1 minutes"]
async fn a_full_disk_refuses_changes_and_goes_on_when_there_is_room() {
    let disk = Small::mount();
    let filler = disk.folder.path().join("filler");
    fs::write(&filler, vec![0; 3 << 20]).unwrap();
    let data = disk.folder.path().join("data");
    let mint = Tacitd::start(&data);
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let mut coins = wallet.mint("bank", 1023).await;
    let mut last = None;
    for _ in 0..20_000 {
        let swap = wallet.prepare_swap(&coins, &split(1023));
        let answer = wallet.try_swap(&swap).await.expect("an answer");
        if !answer.status.is_success() {
            last = Some((swap, answer));
            break;
        }
        coins = wallet.unblind(&swap.blindings, &answer.ok());
    }
    let (swap, answer) = last.expect("the disk is soon full");
    assert_eq!(answer.status.as_u16(), 503, "{answer:?}");
    let mut client = Client::new(mint.address);
    assert_eq!(client.get("/ready").await.status.as_u16(), 503);
    assert!(client.get("/usd/v1/keysets").await.status.is_success(), "questions are answered");
    let states = wallet.states(&coins).await;
    assert!(states.iter().all(|state| *state == tacit_ecash::message::SpendState::Unspent));

    fs::remove_file(filler).unwrap();
    let mut again = wallet.try_swap(&swap).await.expect("an answer");
    for _ in 0..100 {
        if again.status.is_success() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        again = wallet.try_swap(&swap).await.expect("an answer");
    }
    coins = wallet.unblind(&swap.blindings, &again.ok());
    wallet.swap(&coins, &split(1023)).await;
    assert_eq!(client.get("/ready").await.status.as_u16(), 200);
    assert_eq!(mint.terminate().code, Some(0));
    assert_eq!(verify(&data).code, Some(0));
}
