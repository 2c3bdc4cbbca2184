//! `tacitd verify`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use secp256k1::PublicKey;
use serde::Serialize;
use tacit_server::data_dir::{desk_of, vault_of};
use tacit_service::audit::{self, Check};
use tacit_service::desk::trail;
use tacit_service::vault::VaultReader;
use tacit_store::desk::sqlite::SqliteDesk;
use tacit_store::postgres::PostgresReader;
use tacit_store::sqlite::SqliteReader;

use super::VaultArgs;

/// Recompute every sum of a vault from its own rows, and hold them against each other
///
/// Also follows the trail of the desk, if one is in the directory, from its first entry to its last. /// Works while the mint runs: it reads one moment. Exits 0 if all holds, 1 if something does not, 2 if the vault
/// cannot be read.
#[derive(clap::Args)]
pub(crate) struct Verify {
    /// Data directory of the mint
    dir: PathBuf,
    #[command(flatten)]
    vault: VaultArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    holds: bool,
    checks: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    claim: &'a str,
    found: &'a str,
    holds: bool,
}

pub(crate) fn run(args: &Verify, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    let (books, mint) = match args.vault.target()? {
        Some(target) => {
            let cannot = || format!("{target} cannot be read");
            let mut reader = PostgresReader::open(&target).with_context(cannot)?;
            let mint = reader.mint().with_context(cannot)?;
            (reader.books().with_context(cannot)?, mint)
        }
        None => {
            let path = vault_of(&args.dir);
            let cannot = || format!("{} cannot be read", path.display());
            let mut reader = SqliteReader::open(&path).with_context(cannot)?;
            let mint = reader.mint().with_context(cannot)?;
            (reader.books().with_context(cannot)?, mint)
        }
    };
    let mut checks = audit::check(&books, &mint);
    checks.extend(check_desk(&args.dir, &mint)?);
    let holds = checks.iter().all(|check| check.holds);
    let text = if args.json { json(&checks, holds)? } else { table(&checks) };
    stdout.write_all(text.as_bytes())?;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the desk's trail is whole, where there is a desk in the directory.
fn check_desk(dir: &Path, mint: &PublicKey) -> anyhow::Result<Option<Check>> {
    let path = desk_of(dir);
    if !path.exists() {
        return Ok(None);
    }
    let cannot = || format!("{} cannot be read", path.display());
    let mut desk = SqliteDesk::look(&path, mint).with_context(cannot)?;
    let checked = trail::check(&mut desk).with_context(cannot)?;
    Ok(Some(Check {
        claim: "the trail of what staff did is whole".to_owned(),
        holds: checked.is_ok(),
        found: match checked {
            Ok(head) => format!("{} entries, the last is {}", head.length, head.hash),
            Err(broken) => broken.to_string(),
        },
    }))
}

fn json(checks: &[Check], holds: bool) -> anyhow::Result<String> {
    let checks = checks
        .iter()
        .map(|Check { claim, found, holds }| Line { claim, found, holds: *holds })
        .collect();
    let report = Report { holds, checks };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

fn table(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.claim.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for Check { claim, found, holds } in checks {
        let verdict = if *holds { "ok" } else { "FAILED" };
        text.push_str(&format!("{verdict:6}  {claim:width$}  {found}\n"));
    }
    let failed = checks.iter().filter(|check| !check.holds).count();
    text.push_str(&match failed {
        0 => format!("\n{} checks, all hold\n", checks.len()),
        _ => format!("\n{} checks, {failed} FAILED\n", checks.len()),
    });
    text
}
