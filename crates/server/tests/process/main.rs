//! `tacitd` as an operator meets it: a process with flags, signals and exit codes.
#![allow(clippy::unwrap_used, reason = "tests")]

mod backup;
mod bank;
mod config;
mod disk;
mod earlier;
mod hostile;
mod rotate;
mod seed;
#[path = "../support/mod.rs"]
mod support;
mod systemd;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tacit_server::inventory::{FILES, SECTIONS};
use tempfile::tempdir;

use crate::support::process::{PASSPHRASE, Tacitd, free_address, init, run, serve, tacitd, verify};
use crate::support::wallet::{Wallet, split};

/// Serves, without demo mode, until it has ended by itself: it does not get that far.
fn cannot_serve(data: &Path, arguments: &[&str]) -> String {
    let done = run(&mut serve(data, arguments));
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{}", done.stderr);
    done.stderr
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_mint_adds_up_and_goes_on() {
    let data = tempdir().unwrap();
    let mint = Tacitd::start(data.path());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let proofs = wallet.mint("bank", 1050).await;
    let proofs = wallet.swap(&proofs, &split(1050)).await;
    let running = verify(data.path());
    assert_eq!(running.code, Some(0), "{running:?}");
    assert_eq!(mint.terminate().code, Some(0));
    let stopped = verify(data.path());
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    assert!(stopped.stdout.contains("keyset 1 (usd): signed - spent = liability"), "{stopped:?}");
    assert!(stopped.stdout.ends_with("all hold\n"), "{stopped:?}");
    let mint = Tacitd::start(data.path());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    wallet.swap(&proofs, &split(1050)).await;
    mint.kill();
    assert_eq!(verify(data.path()).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_fails_when_a_row_is_missing() {
    let data = tempdir().unwrap();
    let mint = Tacitd::start(data.path());
    let mut wallet = Wallet::new(mint.address, "usd").await;
    let proofs = wallet.mint("bank", 3).await;
    wallet.swap(&proofs, &split(3)).await;
    assert_eq!(mint.terminate().code, Some(0));
    let vault = tacit_server::data_dir::vault_of(data.path());
    let bent = rusqlite::Connection::open(vault).unwrap();
    assert_eq!(bent.execute("DELETE FROM spent WHERE exponent = 1", []).unwrap(), 1);
    drop(bent);
    let done = verify(data.path());
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stdout.contains("FAILED"), "{done:?}");
    let json = run(tacitd().arg("verify").arg(data.path()).arg("--json"));
    assert_eq!(json.code, Some(1));
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(report["holds"], false);
    assert!(report["checks"].as_array().unwrap().len() > 10);
}

#[test]
fn what_cannot_be_read_is_not_verified() {
    let data = tempdir().unwrap();
    assert_eq!(verify(data.path()).code, Some(2));
    fs::write(data.path().join("vault.sqlite"), "no database").unwrap();
    assert_eq!(verify(data.path()).code, Some(2));
}

#[test]
fn a_second_process_is_refused() {
    let data = tempdir().unwrap();
    let _first = Tacitd::start(data.path());
    let said = cannot_serve(data.path(), &["--demo", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("another tacitd is using the data directory"), "{said}");
    let passphrase = run(tacitd().args(["seed", "passphrase"]).arg(data.path()));
    assert_eq!(passphrase.code, Some(1));
    assert!(passphrase.stderr.contains("another tacitd"), "{passphrase:?}");
}

#[test]
fn a_port_in_use_is_named() {
    let data = tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = cannot_serve(data.path(), &["--demo", "--listen", &address]);
    assert!(said.contains(&address) && said.contains("another program listens there"), "{said}");
    let said = cannot_serve(data.path(), &["--demo", "--listen", "nowhere"]);
    assert!(said.contains("such as 127.0.0.1:3338"), "{said}");
}

#[test]
fn seeds_are_kept_from_others_and_not_exchanged() {
    let (data, other) = (tempdir().unwrap(), tempdir().unwrap());
    for directory in [&data, &other] {
        Tacitd::start(directory.path()).terminate();
    }
    let seed = data.path().join("seed");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&seed), 0o600);
    assert_eq!(mode(&data.path().join("vault.sqlite")), 0o600);
    let kept = fs::read(&seed).unwrap();
    fs::write(&seed, fs::read(other.path().join("seed")).unwrap()).unwrap();
    let listen = ["--demo", "--listen", "127.0.0.1:0"];
    let said = cannot_serve(data.path(), &listen);
    assert!(said.contains("belongs to another vault"), "{said}");
    fs::remove_file(&seed).unwrap();
    let said = cannot_serve(data.path(), &listen);
    assert!(said.contains("there is no seed"), "{said}");
    assert!(!seed.exists(), "no seed is made for a vault that has one");
    fs::write(&seed, &kept).unwrap();
    let said = cannot_serve(data.path(), &listen);
    assert!(said.contains("chmod 600"), "{said}");
    fs::set_permissions(&seed, fs::Permissions::from_mode(0o600)).unwrap();
    Tacitd::start(data.path()).terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_configures_and_the_environment_wins_over_it() {
    let data = tempdir().unwrap();
    let file = data.path().join("mint.toml");
    let (listen, other) = (free_address(), free_address());
    let text = format!(
        "listen = '{other}'\n[about]\nname = 'Harbour'\npublic_url = 'https://mint.example/'\n\
         [[unit]]\nunit = 'chf'\npath = 'francs'\ninput_fee_ppk = 10\n"
    );
    fs::write(&file, text).unwrap();
    let made = data.path().join("data");
    init(&made);
    let mut child = serve(&made, &["--config", file.to_str().unwrap()])
        .env("TACITD_PASSPHRASE", PASSPHRASE)
        .env("TACITD_LISTEN", listen.to_string())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut client = support::client::Client::new(listen);
    for _ in 0..1_000 {
        if client.connect().await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let info: Value = client.get("/francs/v1/info").await.ok();
    assert_eq!(info["name"], "Harbour");
    assert_eq!(info["urls"], serde_json::json!(["https://mint.example/francs"]));
    assert_eq!(info["nuts"]["4"]["methods"].as_array().map(Vec::len), Some(1), "no alias");
    assert_eq!(client.get("/usd/v1/info").await.status, 404);
    assert_eq!(client.get("/demo/clock").await.status, 404);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_mint_without_units_says_what_to_do() {
    let data = tempdir().unwrap();
    let said = cannot_serve(data.path(), &[]);
    assert!(said.contains("[[unit]]") && said.contains("--demo"), "{said}");
}

#[test]
fn the_inventory_names_tables_fields_and_metrics() {
    let done = run(tacitd().arg("inventory"));
    assert_eq!(done.code, Some(0));
    for name in ["`vault`", "`seed`", "`seed.new`", "`event`", "`tacit_swaps_total`"] {
        assert!(done.stdout.contains(name), "{name}");
    }
    let json = run(tacitd().args(["inventory", "--json"]));
    let sections: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(sections.as_array().map(Vec::len), Some(SECTIONS.len()));
}

#[test]
fn every_file_of_the_data_directory_is_declared() {
    let data = tempdir().unwrap();
    let mint = Tacitd::start(data.path());
    let databases = ["vault.sqlite", "desk.sqlite", "demo-rail.sqlite"];
    for entry in fs::read_dir(data.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let database = name.trim_end_matches("-wal").trim_end_matches("-shm");
        let is_file = FILES.declarations.iter().any(|declared| declared.name == name);
        assert!(is_file || databases.contains(&database), "{name} is kept and not declared");
    }
    drop(mint);
}

#[test]
fn help_and_mistakes_have_their_exit_codes() {
    assert_eq!(run(tacitd().arg("--help")).code, Some(0));
    assert_eq!(run(tacitd().arg("--version")).code, Some(0));
    assert_eq!(run(tacitd().arg("sing")).code, Some(2));
    assert_eq!(run(&mut tacitd()).code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_prints_what_to_try_and_logs_no_request() {
    let data = tempdir().unwrap();
    let mint = Tacitd::start(data.path());
    let address = mint.address;
    let mut wallet = Wallet::new(address, "usd").await;
    let quote = wallet.mint_quote("bank", 3).await;
    wallet.until_paid(&quote).await;
    wallet.issue("bank", &quote.quote, &[2, 1]).await;
    wallet.get("/v1/nothing").await;
    let done = mint.terminate();
    assert_eq!(done.code, Some(0), "{done:?}");
    for part in [format!("http://{address}/kes"), "cashu==0.20.2".to_owned()] {
        assert!(done.stdout.contains(&part), "{part}");
    }
    assert!(!done.stderr.contains(&quote.quote) && !done.stderr.contains("/v1/"), "{done:?}");
    let events: Vec<Value> =
        done.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["the mint is up", "the mint is stopping", "the mint has stopped"]);
}
