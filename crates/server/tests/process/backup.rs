//! Backups as an operator meets them: taken under load, refused when older, accepted at a price.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tacit_ecash::code::Code;
use tacit_ecash::proof::Proof;
use tempfile::{TempDir, tempdir};

use crate::support::process::{Done, Tacitd, run, serve, tacitd, verify};
use crate::support::wallet::{Wallet, mint_request, split, total};

/// A data directory and a place for backups.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempdir().unwrap() }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn backup(&self, name: &str) -> Done {
        run(tacitd().arg("backup").arg(self.data()).arg(self.at(name)))
    }

    /// Loses the vault and all that SQLite keeps beside it; the mark stays, unless it is said to go too.
    fn lose_vault(&self, mark: bool) {
        for ending in ["", "-wal", "-shm"] {
            _ = fs::remove_file(self.data().join(format!("vault.sqlite{ending}")));
        }
        if mark {
            fs::remove_file(self.data().join("vault.sqlite.mark")).unwrap();
        }
    }

    fn restore(&self, name: &str, more: &[&str]) -> Done {
        let mut command = tacitd();
        command.arg("restore").arg(self.at(name)).arg("--data").arg(self.data()).args(more);
        run(&mut command)
    }
}

#[track_caller]
fn is_refused(done: &Done, because: &str) {
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{done:?}");
    assert!(done.stderr.contains(because), "{done:?}");
}

async fn refuses(wallet: &mut Wallet, proofs: &[Proof], code: Code) {
    let swap = wallet.prepare_swap(proofs, &split(total(proofs)));
    wallet.post("/v1/swap", &swap.request).await.refused(u32::from(code.number()));
}

fn has_vault(place: &Place) -> bool {
    place.data().join("vault.sqlite").exists()
}

/// The mint stops in order, the machine is lost but for the mark: the copy is current, and all is as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_mint_that_stopped_in_order_is_put_back_whole() {
    let place = Place::new();
    let mint = Tacitd::start(&place.data());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let spent = wallet.mint("bank", 1050).await;
    let proofs = wallet.swap(&spent, &split(1050)).await;
    assert_eq!(mint.terminate().code, Some(0));
    let taken = place.backup("copy");
    assert_eq!((taken.code, taken.stderr.as_str()), (Some(0), ""), "{taken:?}");
    is_refused(&place.restore("copy", &[]), "move it away first");

    let mark = fs::read(place.data().join("vault.sqlite.mark")).unwrap();
    place.lose_vault(true);
    is_refused(&place.restore("copy", &[]), "there is no mark of the vault");
    let kept = place.at("kept-mark");
    fs::write(&kept, mark).unwrap();
    let restored = place.restore("copy", &["--mark", kept.to_str().unwrap()]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert!(restored.stdout.contains("It is current"), "{restored:?}");
    assert_eq!(verify(&place.data()).code, Some(0));
    let mint = Tacitd::start(&place.data());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    refuses(&mut wallet, &spent, Code::AlreadySpent).await;
    wallet.swap(&proofs, &split(1050)).await;
}

/// What the copy forgot was spent cannot be spent again: not without accepting the loss, and not after it.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_lets_nothing_be_spent_again() {
    let place = Place::new();
    let mint = Tacitd::start(&place.data());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let coins = wallet.mint("bank", 1050).await;
    let open = wallet.mint_quote("bank", 700).await;
    wallet.until_paid(&open).await;
    let taken = place.backup("copy");
    assert_eq!((taken.code, taken.stderr.as_str()), (Some(0), ""), "{taken:?}");
    // After the copy: the coins are spent, the quote is issued.
    wallet.swap(&coins, &split(1050)).await;
    wallet.issue("bank", &open.quote, &split(700)).await;
    mint.kill();
    place.lose_vault(false);

    is_refused(&place.restore("copy", &[]), "--accept-loss");
    assert!(!has_vault(&place));
    let restored = place.restore("copy", &["--accept-loss"]);
    assert_eq!((restored.code, restored.stderr.as_str()), (Some(0), ""), "{restored:?}");
    let said = &restored.stdout;
    assert!(said.contains("10.50 usd\n") && said.contains("7.00 usd of quotes paid"), "{said}");
    assert!(said.contains("At risk"), "{said}");
    assert_eq!(verify(&place.data()).code, Some(0));

    let mint = Tacitd::start(&place.data());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    refuses(&mut wallet, &coins, Code::ExpiredKeyset).await;
    let again = mint_request(&open.quote, &wallet.blind(&split(700)));
    let again = wallet.post("/v1/mint/bank", &again).await;
    assert!(!again.status.is_success(), "it was issued before: {again:?}");
    let fresh = wallet.mint("bank", 300).await;
    wallet.swap(&fresh, &split(300)).await;
    assert_eq!(mint.terminate().code, Some(0));
    assert_eq!(verify(&place.data()).code, Some(0));

    // Lost: nothing is made in its place by itself.
    place.lose_vault(false);
    let lost = run(&mut serve(&place.data(), &["--demo", "--listen", "127.0.0.1:0"]));
    is_refused(&lost, "the vault of");

    // The backup is now of a vault that another took the place of.
    place.lose_vault(false);
    is_refused(&place.restore("copy", &[]), "another has taken the place of");
    let json = place.restore("copy", &["--accept-loss", "--json"]);
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(report["loss"]["retired"].as_array().unwrap().len(), 5, "{report}");
    // What was spent in the life between is as unknown to this copy as the rest: no keyset comes back.
    let mint = Tacitd::start(&place.data());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let swap = wallet.prepare_swap(&fresh, &split(300));
    let again = wallet.post("/v1/swap", &swap.request).await;
    assert!(!again.status.is_success(), "spent before: {again:?}");
}

/// A copy put in the vault's place by hand, with its own mark, would not be found out: so it is not made by hand.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_taken_under_load_is_whole() {
    let place = Place::new();
    let mint = Tacitd::start(&place.data());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let mut proofs = wallet.mint("bank", 500).await;
    for round in 0..3 {
        let name = format!("copy-{round}");
        let target = (place.data(), place.at(&name));
        let taking = tokio::task::spawn_blocking(move || {
            run(tacitd().arg("backup").arg(target.0).arg(target.1).arg("--json"))
        });
        while !taking.is_finished() {
            proofs = wallet.swap(&proofs, &split(500)).await;
        }
        let taken = taking.await.unwrap();
        assert_eq!((taken.code, taken.stderr.as_str()), (Some(0), ""), "{taken:?}");
        let note: Value = serde_json::from_str(&taken.stdout).unwrap();
        assert!(note["commits"].as_u64().unwrap() > 0);
    }
    is_refused(&place.backup("copy-0"), "is there already");
    mint.kill();
    assert_eq!(verify(&place.data()).code, Some(0));
}

fn bend(path: &Path, bend: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    bend(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_sound_backup_is_refused_and_nothing_is_put_in_place() {
    let place = Place::new();
    Tacitd::start(&place.data()).terminate();
    assert_eq!(place.backup("copy").code, Some(0));
    let other = Place::new();
    Tacitd::start(&other.data()).terminate();
    place.lose_vault(false);
    is_refused(&place.restore("nowhere", &[]), "cannot be used");
    let refused = run(tacitd()
        .arg("restore")
        .arg(place.at("copy"))
        .arg("--data")
        .arg(other.folder.path().join("nowhere")));
    is_refused(&refused, "there is no data directory");
    other.lose_vault(false);
    let refused =
        run(tacitd().arg("restore").arg(place.at("copy")).arg("--data").arg(other.data()));
    is_refused(&refused, "the seed here");

    let (vault, note) = (place.at("copy/vault.sqlite"), place.at("copy/backup.json"));
    let (sound, text) = (fs::read(&vault).unwrap(), fs::read_to_string(&note).unwrap());
    bend(&vault, |bytes| bytes[5000] ^= 1);
    is_refused(&place.restore("copy", &[]), "damaged");
    fs::write(&vault, &sound[..sound.len() / 2]).unwrap();
    is_refused(&place.restore("copy", &[]), "damaged");
    fs::write(&vault, &sound).unwrap();
    for wrong in ["", "{}", "[]", "\u{0}", &text[..40], &text.replace("backup/1", "backup/2")] {
        fs::write(&note, wrong).unwrap();
        is_refused(&place.restore("copy", &[]), "no backup");
    }
    let commits = text.replace("\"commits\": ", "\"commits\": 1");
    fs::write(&note, commits).unwrap();
    is_refused(&place.restore("copy", &["--accept-loss"]), "damaged");
    assert!(!has_vault(&place) && !place.data().join("restoring").exists());
    fs::write(&note, text).unwrap();
    assert_eq!(place.restore("copy", &[]).code, Some(0));
    is_refused(&run(tacitd().arg("backup").arg(place.at("x")).arg(place.at("y"))), "cannot be");
    assert!(!place.at("y").exists() && !place.at("y.partial").exists());
}

/// A vault that contradicts itself has no backup that could be put in its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_vault_that_contradicts_itself_is_not_kept() {
    let place = Place::new();
    let mint = Tacitd::start(&place.data());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let proofs = wallet.mint("bank", 3).await;
    wallet.swap(&proofs, &split(3)).await;
    mint.terminate();
    let bent = rusqlite::Connection::open(place.data().join("vault.sqlite")).unwrap();
    assert_eq!(bent.execute("DELETE FROM spent WHERE exponent = 1", []).unwrap(), 1);
    drop(bent);
    is_refused(&place.backup("copy"), "contradicts itself");
    assert!(!place.at("copy").exists() && !place.at("copy.partial").exists());
}

/// Whatever moment it is killed at: there is no vault, or one that gave up what it may have forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_puts_nothing_in_place_or_all() {
    let place = Place::new();
    let mint = Tacitd::start(&place.data());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let coins = wallet.mint("bank", 7).await;
    assert_eq!(place.backup("copy").code, Some(0));
    wallet.swap(&coins, &split(7)).await;
    mint.kill();
    let (mut finished, mut unfinished) = (0, 0);
    for delay in [1, 5, 10, 20, 30, 40, 50, 60, 80, 100, 140, 200, 400, 800] {
        place.lose_vault(false);
        let mut child = tacitd()
            .arg("restore")
            .arg(place.at("copy"))
            .arg("--data")
            .arg(place.data())
            .arg("--accept-loss")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        if !has_vault(&place) {
            unfinished += 1;
            continue;
        }
        finished += 1;
        assert_eq!(verify(&place.data()).code, Some(0), "after {delay} ms");
        let mint = Tacitd::start(&place.data());
        let mut wallet = Wallet::new(mint.address, "usd").await;
        refuses(&mut wallet, &coins, Code::ExpiredKeyset).await;
        mint.kill();
    }
    assert!(finished > 0 && unfinished > 0, "{finished} finished, {unfinished} did not");
    place.lose_vault(false);
    assert_eq!(place.restore("copy", &["--accept-loss"]).code, Some(0), "and can be begun anew");
}

/// The log of a vault that was moved away without it would be replayed into the copy.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_left_behind_is_not_taken_for_the_copys() {
    let place = Place::new();
    let mint = Tacitd::start(&place.data());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let coins = wallet.mint("bank", 7).await;
    assert_eq!(place.backup("copy").code, Some(0));
    wallet.swap(&coins, &split(7)).await;
    mint.kill();
    fs::rename(place.data().join("vault.sqlite"), place.at("away")).unwrap();
    assert!(place.data().join("vault.sqlite-wal").exists(), "it was killed");
    is_refused(&place.restore("copy", &["--accept-loss"]), "vault.sqlite-wal is there");
    assert!(!has_vault(&place));
}

/// A mark from another time proves nothing where the vault's own says more.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_from_elsewhere_does_not_overrule_the_one_that_is_here() {
    let place = Place::new();
    Tacitd::start(&place.data()).terminate();
    assert_eq!(place.backup("copy").code, Some(0));
    let kept = place.at("kept-mark");
    fs::copy(place.data().join("vault.sqlite.mark"), &kept).unwrap();
    let mint = Tacitd::start(&place.data());
    Wallet::new(mint.address, "usd").await.mint("bank", 7).await;
    mint.kill();
    place.lose_vault(false);
    let refused = place.restore("copy", &["--mark", kept.to_str().unwrap()]);
    is_refused(&refused, "not put in place");
}
