//! `balance`, `history`, `note`: what the wallet knows by itself. No mint is asked.

use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};
use tacit_core::unit::Unit;
use tacit_wallet::history::{Entry, Kind, Progress};
use tacit_wallet::mint::MintUrl;
use tacit_wallet::state::OperationId;

use crate::wallet::error::WalletError;
use crate::wallet::money::{figure, read_unit, shown};
use crate::wallet::place::Options;
use crate::wallet::session::Session;

/// Show what you have, at each mint and of each unit
#[derive(Args)]
pub(crate) struct Balance {}

/// Show what became of your money
///
/// It is kept in the wallet file and nowhere else.
#[derive(Args)]
pub(crate) struct History {
    /// Only entries whose memo, note, mint or kind holds this text, in either case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only of this mint
    #[arg(long, value_name = "URL")]
    mint: Option<MintUrl>,
    /// Only of this unit
    #[arg(long, value_parser = read_unit)]
    unit: Option<Unit>,
    /// Only the last so many
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    /// Print comma-separated values (RFC 4180), for spreadsheets
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Write a few words beside an entry of the history
#[derive(Args)]
pub(crate) struct Note {
    /// Number of the entry
    number: u64,
    /// The words; none takes them away
    #[arg(default_value = "")]
    text: String,
}

pub(crate) fn balance(_: &Balance, options: &Options) -> Result<(), WalletError> {
    let session = Session::open(options)?;
    let (mut lines, mut list) = (Vec::new(), Vec::new());
    for account in session.accounts() {
        let (mint, unit) = (&account.mint, account.unit);
        let value = session.state().balance(mint, unit);
        let entries = session.state().history().values();
        let out = entries.filter(|entry| {
            entry.kind == Kind::Sent
                && entry.progress == Progress::Pending
                && (&entry.mint, entry.unit) == (mint, unit)
        });
        let out: u64 = out.map(|entry| entry.amount).sum();
        let sent = if out == 0 {
            String::new()
        } else {
            format!("  ({} sent and not yet received)", figure(i128::from(out), unit))
        };
        lines.push(format!("{:>16}  {mint}{sent}", shown(value, unit)));
        list.push(json!({"mint": mint, "unit": unit, "amount": value, "pending": out}));
    }
    if list.is_empty() {
        session.terminal.say("nothing yet: `tacit wallet mint 10 usd --mint URL` puts money in");
    }
    session.terminal.result(&lines.join("\n"), &Value::Array(list))
}

pub(crate) fn history(arguments: &History, options: &Options) -> Result<(), WalletError> {
    let session = Session::open(options)?;
    let all = session.state().history().iter();
    let mut found: Vec<(&OperationId, &Entry)> =
        all.filter(|(_, entry)| arguments.takes(entry)).collect();
    if let Some(last) = arguments.last {
        found.drain(..found.len().saturating_sub(last));
    }
    if found.is_empty() {
        session.terminal.say("no entry");
    }
    let text = if arguments.csv { csv(&found) } else { table(&found) };
    let list = found.iter().map(|(id, entry)| to_json(**id, entry)).collect();
    session.terminal.result(text.trim_end(), &Value::Array(list))
}

pub(crate) fn note(arguments: &Note, options: &Options) -> Result<(), WalletError> {
    let mut session = Session::open(options)?;
    let id = OperationId::from_number(arguments.number);
    session.persist(|state| state.note(id, &arguments.text))?;
    session.terminal.result("", &json!({"operation": arguments.number, "note": arguments.text}))
}

impl History {
    fn takes(&self, entry: &Entry) -> bool {
        let holds = |text: &str| {
            let wanted = self.search.as_deref().unwrap_or_default().to_lowercase();
            text.to_lowercase().contains(&wanted)
        };
        let texts = [
            entry.memo.as_deref().unwrap_or_default(),
            &entry.note,
            entry.mint.as_str(),
            kind(entry),
        ];
        self.mint.as_ref().is_none_or(|mint| *mint == entry.mint)
            && self.unit.is_none_or(|unit| unit == entry.unit)
            && texts.into_iter().any(holds)
    }
}

fn kind(entry: &Entry) -> &'static str {
    match entry.kind {
        Kind::Minted => "minted",
        Kind::Sent => "sent",
        Kind::Received => "received",
        Kind::Reclaimed { .. } => "reclaimed",
        Kind::Refunded { .. } => "refunded",
        Kind::PaidOut => "paid",
        Kind::Restored => "restored",
    }
}

fn progress(entry: &Entry) -> &'static str {
    match entry.progress {
        Progress::Pending => "pending",
        Progress::Done => "done",
        Progress::Failed => "failed",
        Progress::Returned => "returned",
    }
}

fn to_json(id: OperationId, entry: &Entry) -> Value {
    let Entry { mint, unit, amount, fee, memo, note, .. } = entry;
    let change = i64::try_from(entry.change()).unwrap_or_default();
    json!({"operation": id.number(), "kind": kind(entry), "state": progress(entry), "mint": mint, "unit": unit,
        "amount": amount, "fee": fee, "change": change, "began": entry.began.to_string(),
        "changed": entry.changed.to_string(), "memo": memo, "note": note})
}

fn table(entries: &[(&OperationId, &Entry)]) -> String {
    let mut text = String::new();
    for (id, entry) in entries {
        let Entry { unit, mint, .. } = entry;
        let change = figure(entry.change(), *unit);
        let began = entry.began.to_string();
        let began = began.get(..16).unwrap_or(&began).replace('T', " ");
        let words: Vec<String> = [entry.memo.as_deref().unwrap_or_default(), &entry.note]
            .into_iter()
            .filter(|words| !words.is_empty())
            .map(|words| words.escape_debug().to_string())
            .collect();
        let state = if entry.progress == Progress::Done { "" } else { progress(entry) };
        let fee = if entry.fee == 0 {
            String::new()
        } else {
            format!("fee {}", figure(i128::from(entry.fee), *unit))
        };
        let rest = [state, &fee, mint.as_str(), &words.join(" / ")];
        let rest: Vec<&str> = rest.into_iter().filter(|part| !part.is_empty()).collect();
        let line = format!(
            "{:>4}  {began}  {:<9} {change:>12} {unit}  {}",
            id.number(),
            kind(entry),
            rest.join("  ")
        );
        _ = writeln!(text, "{line}"); // Writing to a text does not fail.
    }
    text
}

/// Amounts in whole units; texts such that no spreadsheet takes them for a formula.
fn csv(entries: &[(&OperationId, &Entry)]) -> String {
    let mut text =
        "operation,began,changed,kind,state,change,amount,fee,unit,mint,memo,note\r\n".to_owned();
    for (id, entry) in entries {
        let Entry { unit, mint, .. } = entry;
        let number = id.number().to_string();
        let money = |value: u64| figure(i128::from(value), *unit);
        let fields = [
            number.as_str(),
            &entry.began.to_string(),
            &entry.changed.to_string(),
            kind(entry),
            progress(entry),
            &figure(entry.change(), *unit),
            &money(entry.amount),
            &money(entry.fee),
            unit.code(),
            mint.as_str(),
            &harmless(entry.memo.as_deref().unwrap_or_default()),
            &harmless(&entry.note),
        ];
        text += &fields.map(quoted).join(",");
        text += "\r\n";
    }
    text
}

/// A text from outside that a spreadsheet would compute is set off by an apostrophe (OWASP, "CSV Injection").
fn harmless(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

/// A field of RFC 4180.
fn quoted(field: &str) -> String {
    let is_plain = !field.contains(['"', ',', '\r', '\n']);
    if is_plain { field.to_owned() } else { format!("\"{}\"", field.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use tacit_core::time::Timestamp;

    use super::*;

    fn entry(memo: &str) -> Entry {
        let at = Timestamp::from_seconds(1_795_305_600);
        Entry {
            kind: Kind::Sent,
            mint: "https://mint.example/usd".parse().unwrap(),
            unit: Unit::new("usd").unwrap(),
            amount: 250,
            fee: 1,
            progress: Progress::Pending,
            began: at,
            changed: at,
            memo: Some(memo.to_owned()),
            note: "a \"note\", long".to_owned(),
        }
    }

    #[test]
    fn csv_is_quoted_and_computes_nothing() {
        let (id, entry) = (OperationId::from_number(7), entry("=HYPERLINK(\"x\")"));
        let text = csv(&[(&id, &entry)]);
        let line = text.lines().nth(1).unwrap();
        assert_eq!(
            line,
            "7,2026-11-22T00:00:00Z,2026-11-22T00:00:00Z,sent,pending,-2.51,2.50,0.01,usd,https://mint.example/usd,\
             \"'=HYPERLINK(\"\"x\"\")\",\"a \"\"note\"\", long\""
        );
    }

    #[test]
    fn a_memo_cannot_command_the_terminal() {
        let (id, entry) = (OperationId::from_number(7), entry("\u{1b}[2Jhello"));
        let text = table(&[(&id, &entry)]);
        assert!(
            !text.contains('\u{1b}') && text.contains("hello") && text.contains("-2.51 usd"),
            "{text}"
        );
    }

    #[test]
    fn a_search_looks_into_every_text() {
        let takes = |search: &str| {
            let search = Some(search.to_owned());
            History { search, mint: None, unit: None, last: None, csv: false }.takes(&entry("Rent"))
        };
        assert!(takes("rent") && takes("NOTE") && takes("mint.example") && takes("sent"));
        assert!(!takes("groceries"));
    }
}
