//! `tacitd verify`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;
use tacit_server::data_dir::vault_of;
use tacit_service::audit::{self, Check};
use tacit_service::vault::VaultReader;
use tacit_store::postgres::PostgresReader;
use tacit_store::sqlite::SqliteReader;

use super::VaultArgs;

/// Recompute every sum of a vault from its own rows, and hold them against each other
///
/// Works while the mint runs: it reads one moment. Exits 0 if all holds, 1 if something does not, 2 if the vault
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
    let checks = audit::check(&books, &mint);
    let holds = checks.iter().all(|check| check.holds);
    let text = if args.json { json(&checks, holds)? } else { table(&checks) };
    stdout.write_all(text.as_bytes())?;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
