//! `tacitd verify`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use secp256k1::PublicKey;
use serde::Serialize;
use tacit_server::data_dir::{desk_of, vault_of};
use tacit_server::vault::with_password;
use tacit_service::account::{Holder, HolderKind};
use tacit_service::audit::{self, Check};
use tacit_service::desk::{DeskStore, trail};
use tacit_service::vault::{StoreError, VaultReader};
use tacit_store::desk::sqlite::SqliteDesk;
use tacit_store::postgres::desk::PostgresDesk;
use tacit_store::postgres::{PostgresReader, Target};
use tacit_store::sqlite::SqliteReader;

use super::VaultArgs;

/// Recompute every sum of a vault from its own rows, and hold them against each other
///
/// Also follows the trail of the desk from its first entry to its last, and looks for accounts of the vault that nobody at the
/// desk has, as there are after an older desk was put back: if a desk is in the directory, or its database is given.
/// Works while the mint runs: it reads one moment. Exits 0 if all holds, 1 if something does not, 2 if the vault
/// cannot be read.
#[derive(clap::Args)]
pub(crate) struct Verify {
    /// Data directory of the mint
    dir: PathBuf,
    #[command(flatten)]
    vault: VaultArgs,
    /// Database of the desk, in place of the file in the data directory: postgres://user@host/database. Its password as
    /// with --vault-url
    #[arg(long, value_name = "URL", env = "TACITD_DESK_URL", hide_env_values = true)]
    desk_url: Option<String>,
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
    let (mut reader, mint) = open_vault(args)?;
    let cannot = || "the vault cannot be read";
    let mut checks = audit::check(&reader.books().with_context(cannot)?, &mint);
    if let Some(mut desk) = open_desk(args, &mint)? {
        // The desk comes second: whoever came meanwhile is known to it.
        let accounts = accounts(reader.as_mut()).with_context(cannot)?;
        let cannot = || "the desk cannot be read";
        checks.push(check_trail(desk.as_mut()).with_context(cannot)?);
        checks.push(check_owners(desk.as_mut(), &accounts).with_context(cannot)?);
    }
    let holds = checks.iter().all(|check| check.holds);
    let text = if args.json { json(&checks, holds)? } else { table(&checks) };
    stdout.write_all(text.as_bytes())?;
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The vault, and the mint it is of.
fn open_vault(args: &Verify) -> anyhow::Result<(Box<dyn VaultReader>, PublicKey)> {
    if let Some(target) = args.vault.target()? {
        let cannot = || format!("{target} cannot be read");
        let mut reader = PostgresReader::open(&target).with_context(cannot)?;
        let mint = reader.mint().with_context(cannot)?;
        return Ok((Box::new(reader), mint));
    }
    let path = vault_of(&args.dir);
    let cannot = || format!("{} cannot be read", path.display());
    let reader = SqliteReader::open(&path).with_context(cannot)?;
    let mint = reader.mint().with_context(cannot)?;
    Ok((Box::new(reader), mint))
}

/// The desk, if there is one.
fn open_desk(args: &Verify, mint: &PublicKey) -> anyhow::Result<Option<Box<dyn DeskStore>>> {
    if let Some(url) = &args.desk_url {
        let target = with_password(url.parse::<Target>()?);
        let cannot = || format!("{target} cannot be read");
        return Ok(Some(Box::new(PostgresDesk::open(&target, mint).with_context(cannot)?)));
    }
    let path = desk_of(&args.dir);
    if !path.exists() {
        return Ok(None);
    }
    let cannot = || format!("{} cannot be read", path.display());
    Ok(Some(Box::new(SqliteDesk::look(&path, mint).with_context(cannot)?)))
}

/// Whether the desk's trail is whole.
fn check_trail(desk: &mut dyn DeskStore) -> Result<Check, StoreError> {
    let checked = trail::check(desk)?;
    Ok(Check {
        claim: "the trail of what staff did is whole".to_owned(),
        holds: checked.is_ok(),
        found: match checked {
            Ok(head) => format!("{} entries, the last is {}", head.length, head.hash),
            Err(broken) => broken.to_string(),
        },
    })
}

/// Accounts of people and shops, and floats of agents, in the vault.
fn accounts(reader: &mut dyn VaultReader) -> Result<Vec<Holder>, StoreError> {
    const PAGE: u64 = 5000;
    let mut found: Vec<Holder> = Vec::new();
    loop {
        let page = reader.holders(found.last().map(|holder| holder.id), PAGE)?;
        let is_last = (page.len() as u64) < PAGE;
        found.extend(page);
        if is_last {
            found.retain(|holder| {
                matches!(
                    holder.kind,
                    HolderKind::Customer | HolderKind::Merchant | HolderKind::Agent
                )
            });
            return Ok(found);
        }
    }
}

/// How many accounts somebody at the desk has, and which nobody.
fn check_owners(desk: &mut dyn DeskStore, accounts: &[Holder]) -> Result<Check, StoreError> {
    const SHOWN: usize = 20;
    let mut without = Vec::new();
    for holder in accounts {
        let is_owned = match holder.kind {
            HolderKind::Merchant => desk.merchant(holder.id)?.is_some(),
            HolderKind::Agent => desk.agent(holder.id)?.is_some(),
            HolderKind::Customer | HolderKind::Lender => {
                desk.person_of_account(holder.id)?.is_some()
            }
        };
        if !is_owned {
            without.push(holder.id.to_string());
        }
    }
    let known = accounts.len() - without.len();
    let more = if SHOWN < without.len() { " and more" } else { "" };
    let shown = without[..without.len().min(SHOWN)].join(" ");
    Ok(Check {
        claim: "accounts whose owner the desk knows".to_owned(),
        // Not a fault: nothing gives them an owner again, and the sums hold all the same.
        holds: true,
        found: match without.len() {
            0 => format!("all {known}"),
            _ => format!("{known} of {}, nobody has {shown}{more}", accounts.len()),
        },
    })
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
