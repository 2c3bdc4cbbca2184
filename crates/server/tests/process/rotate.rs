//! Rotation as an operator meets it: of a mint that is stopped, and of one that runs under load.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tacit_ecash::code::Code;
use tempfile::tempdir;

use crate::support::process::{Done, Tacitd, run, tacitd, verify};
use crate::support::wallet::{Wallet, split};

fn rotate(data: &Path, arguments: &[&str]) -> Done {
    run(tacitd().args(["keyset", "rotate"]).arg(data).args(arguments))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyset_is_rotated_while_the_mint_is_stopped() {
    let data = tempdir().unwrap();
    let mint = Tacitd::start(data.path());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let proofs = wallet.mint("bank", 3).await;
    mint.terminate();
    let done =
        rotate(data.path(), &["--unit", "usd", "--fee-ppk", "500", "--final-expiry", "4000000000"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let mint = Tacitd::start(data.path());
    wallet = Wallet::new(mint.address, "usd").await;
    assert_eq!((wallet.keyset.to_string(), wallet.fee_ppk), (done.stdout.trim().to_owned(), 500));
    wallet.swap(&proofs, &split(3)).await;
    mint.terminate();
    assert_eq!(rotate(data.path(), &["--unit", "gbp"]).code, Some(1));
    assert_eq!(rotate(data.path(), &["--unit", "usd", "--final-expiry", "1"]).code, Some(1));
    assert_eq!(rotate(data.path(), &["--unit", "dollars"]).code, Some(2));
    let nowhere = run(tacitd().args(["keyset", "rotate", "/nowhere/at/all", "--unit", "usd"]));
    assert_eq!(nowhere.code, Some(1));
}

/// Swaps until told to stop, and asks for the keysets whenever the mint says that the one it knows signs no more. Returns
/// how often it asked: for some milliseconds, until the mint has read its keysets anew, it may be told of the old one.
async fn swap_on(mut wallet: Wallet, stop: Arc<AtomicBool>) -> (Wallet, u32) {
    let mut proofs = wallet.mint("bank", 100).await;
    let mut moved = 0;
    while !stop.load(Ordering::Relaxed) {
        let swap = wallet.prepare_swap(&proofs, &split(100));
        let answer = wallet.try_swap(&swap).await.expect("an answer");
        if answer.status.is_success() {
            proofs = wallet.unblind(&swap.blindings, &answer.ok());
        } else {
            answer.refused(u32::from(Code::InactiveKeyset.number()));
            wallet.refresh().await;
            moved += 1;
        }
    }
    let last = wallet.swap(&proofs, &split(100)).await;
    wallet.swap(&last, &split(100)).await; // Whatever keyset they were of.
    (wallet, moved)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_rotates_under_load_and_nobody_loses_anything() {
    let data = tempdir().unwrap();
    let mint = Tacitd::start(data.path());
    let stop = Arc::new(AtomicBool::new(false));
    let mut wallets = Vec::new();
    for _ in 0..4 {
        let wallet = Wallet::new(mint.address, "usd").await;
        wallets.push(tokio::spawn(swap_on(wallet, Arc::clone(&stop))));
    }
    let mut last = String::new();
    for _ in 0..3 {
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        let path = data.path().to_owned();
        let done = tokio::task::spawn_blocking(move || rotate(&path, &["--unit", "usd"]));
        let done = done.await.unwrap();
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
        assert_ne!(done.stdout, last);
        last = done.stdout;
        let now = Wallet::new(mint.address, "usd").await;
        assert_eq!(now.keyset.to_string(), last.trim(), "it signs once the command has ended");
    }
    stop.store(true, Ordering::Relaxed);
    for wallet in wallets {
        let (wallet, moved) = wallet.await.unwrap();
        assert_eq!(wallet.keyset.to_string(), last.trim());
        assert!(moved >= 1, "it met a rotation");
    }
    assert_eq!(mint.terminate().code, Some(0));
    let checked = verify(data.path());
    assert_eq!(checked.code, Some(0), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_that_runs_says_why_it_does_not_rotate() {
    let data = tempdir().unwrap();
    let mint = Tacitd::start(data.path());
    let socket = data.path().join("control");
    for (arguments, because) in [
        (["--unit", "gbp", "--fee-ppk", "0"], "no keyset of unit gbp"),
        (["--unit", "usd", "--final-expiry", "1"], "must lie in the future"),
    ] {
        let done = rotate(data.path(), &arguments);
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
        assert!(done.stderr.contains(because), "{done:?}");
    }
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let idle = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    assert_eq!(mint.terminate().code, Some(0), "whoever holds a connection holds nothing up");
    drop(idle);
    assert!(!socket.exists());
    let mint = Tacitd::start(data.path());
    assert_eq!(rotate(data.path(), &["--unit", "usd"]).code, Some(0), "once it listens");
    mint.kill();
    assert!(socket.exists(), "left behind");
    assert_eq!(rotate(data.path(), &["--unit", "usd"]).code, Some(0), "nobody listens there");
    Tacitd::start(data.path()).terminate();
}
