//! `tacitd restore`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use secp256k1::PublicKey;
use serde_json::{Value, json};
use tacit_core::amount::Amount;
use tacit_core::time::{Clock, Timestamp};
use tacit_core::unit::Unit;
use tacit_server::backup::Note;
use tacit_server::clock::DemoClock;
use tacit_server::data_dir::DataDir;
use tacit_server::restore::{Doubt, Loss, Restore as Restoring, RestoreError};
use tacit_server::{desk_backup, seed};

use super::progress::Progress;
use super::{PassphraseArgs, need_data_dir};

/// Put a backup in the place of a vault that is lost
///
/// The data directory has the seed, and no vault. A copy is put in place if the mark of the vault (vault.sqlite.mark)
/// proves that nothing came after it. Else it is refused, because an older copy would let be spent again what was spent
/// since; with --accept-loss its keysets redeem no more at the mint, its open quotes are withdrawn, and new keysets
/// take over. A backup of the desk is put back with --desk, whatever its age. Exits 0 if it is in place.
#[derive(clap::Args)]
pub(crate) struct Restore {
    /// Directory that tacitd backup made
    backup: PathBuf,
    /// Data directory of the mint, with its seed and without a vault
    #[arg(long, value_name = "DIR", env = "TACITD_DATA")]
    data: PathBuf,
    /// Put the desk back, from what tacitd backup --desk made
    #[arg(long, conflicts_with_all = ["mark", "accept_loss"])]
    desk: bool,
    /// Mark of the lost vault [default: vault.sqlite.mark in the data directory]
    #[arg(long, value_name = "FILE")]
    mark: Option<PathBuf>,
    /// Give up all e-cash that the copy knows, because it may have been spent since
    #[arg(long)]
    accept_loss: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Restore, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    need_data_dir(&args.data)?;
    let data = DataDir::lock(&args.data)?;
    let seed = seed::read(&data.seed()).context("put the mint's seed there first")?;
    if args.desk {
        return restore_desk(args, &data, &seed.mint(), stdout);
    }
    let clock = DemoClock::open(data.demo_clock()).context("the demo clock cannot be read")?;
    let restoring = Restoring {
        backup: &args.backup,
        data: &data,
        mark: args.mark.as_deref(),
        mint: seed.mint(),
    };
    let mut progress = Progress::start();
    let accept = |doubt: Doubt| {
        if !args.accept_loss {
            return Err(anyhow::Error::from(RestoreError::NotCurrent(doubt)).context(REFUSED));
        }
        Ok(seed.open(&args.passphrase.places())?)
    };
    let mut show = |phase: tacit_server::backup::Phase, done, all| {
        progress.show(phase.name(), done, all);
    };
    let restored = restoring.run(clock.now(), &mut show, accept);
    progress.end();
    let (note, loss) = restored?;
    let now = clock.now();
    if args.json {
        let report = in_json(&note, loss.as_ref());
        writeln!(stdout, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        stdout.write_all(in_words(&note, loss.as_ref(), now).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn restore_desk(
    args: &Restore,
    data: &DataDir,
    mint: &PublicKey,
    stdout: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let mut progress = Progress::start();
    let mut show = |phase: tacit_server::backup::Phase, done, all| {
        progress.show(phase.name(), done, all);
    };
    let note = desk_backup::restore(&args.backup, mint, &data.desk(), &mut show);
    progress.end();
    let note = note?;
    if args.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&json!({ "backup": note }))?)?;
    } else {
        writeln!(stdout, "The desk is in place, with {} entries in its trail.", note.trail_length)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Said before the reason for it.
const REFUSED: &str = "the backup is not put in place, for what was spent after it could be spent again. If no newer \
    copy is to be had: --accept-loss gives up the e-cash it knows";

fn in_json(note: &Note, loss: Option<&Loss>) -> Value {
    json!({"backup": note, "loss": loss.map(loss_in_json)})
}

pub(super) fn loss_in_json(loss: &Loss) -> Value {
    let retired: Vec<Value> = loss
        .retired
        .iter()
        .map(|(keyset, outstanding)| {
            json!({"keyset": keyset.id.to_string(), "unit": keyset.spec.unit.code(), "outstanding": outstanding})
        })
        .collect();
    let set_aside: Vec<Value> = loss
        .set_aside
        .iter()
        .map(|(unit, amount)| json!({"unit": unit.code(), "amount": amount}))
        .collect();
    let added: Vec<Value> = loss
        .added
        .iter()
        .map(|(unit, id)| json!({"keyset": id.to_string(), "unit": unit.code()}))
        .collect();
    let reason = loss.doubt.to_string();
    json!({"reason": reason, "retired": retired, "set_aside": set_aside, "added": added})
}

fn in_words(note: &Note, loss: Option<&Loss>, now: Timestamp) -> String {
    let age = now.seconds().saturating_sub(note.taken);
    let text =
        format!("The copy of {} ago, after {} commits, is in place.\n", in_time(age), note.commits);
    match loss {
        None => text + "It is current: nothing came after it.\n",
        Some(loss) => text + "\n" + &loss_in_words(loss),
    }
}

pub(super) fn loss_in_words(loss: &Loss) -> String {
    let mut text = format!("It is not known to be current: {}.\n", loss.doubt);
    text += "\nThese keysets redeem no more at the mint, because what was spent since could be spent again.\n\
        Outstanding at that moment:\n";
    for (keyset, outstanding) in &loss.retired {
        text += &format!("  {}  {}\n", keyset.id, money(*outstanding, keyset.spec.unit));
    }
    for (unit, amount) in &loss.set_aside {
        let amount = money(i128::from(*amount), *unit);
        text += &format!("\n{amount} of quotes paid and not issued are set aside.\n");
    }
    text += "\nNew keysets:\n";
    for (unit, id) in &loss.added {
        text += &format!("  {id}  {unit}\n");
    }
    text + AT_RISK
}

/// What nobody can recompute.
const AT_RISK: &str = "
At risk, and in no book any more: what was issued, redeemed and paid out after that moment.
  - Whoever holds e-cash of the keysets above is owed it: redeem it by hand, against what else is known
    (wallets can show when a proof was theirs; bank statements show what came in and went out).
  - Money that came in for a quote opened or paid after it is not known here: the bank's statement knows it.
  - Payments made after it are not known here: do not make them again for the same melt quote.
  - Every account is frozen: hold each against bank statements and the desk, then open it again. Orders that were
    open are cancelled.
";

/// A sum for a person: in the unit's decimals, or as it is counted if it is too large for that.
fn money(minor: i128, unit: Unit) -> String {
    let amount = u64::try_from(minor).ok().and_then(|minor| Amount::new(minor, unit).ok());
    amount.map_or_else(|| format!("{minor} minor units {unit}"), |amount| amount.to_string())
}

fn in_time(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
