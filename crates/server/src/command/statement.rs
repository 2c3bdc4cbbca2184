//! `tacitd statement`.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};
use tacit_bank::reference::Found;
use tacit_bank::statement::paper::Paper;
use tacit_bank::statement::{
    self, Balance, BankFile, Direction, Entry, Message, Parts, References, Refused, Undivided,
    Unidentified,
};

/// Read a bank's file (camt.053 or camt.054) and print what is in it
///
/// Nothing is imported and no mint is needed. It prints names, texts and account numbers. Exits 1 if the file
/// cannot be read.
#[derive(clap::Args)]
pub(crate) struct Statement {
    /// The file, as the bank sent it
    file: PathBuf,
    /// Rely on NtryRef, too: only if the bank says that it never uses one again
    #[arg(long)]
    entry_reference: bool,
    /// Print JSON, with amounts in minor units
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Statement, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    let file = read(args).with_context(|| format!("cannot read {}", args.file.display()))?;
    if args.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&json_of_file(&file))?)?;
    } else {
        print(&file, stdout)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads at most one byte more than a file may have, whatever the path names.
fn read(args: &Statement) -> anyhow::Result<BankFile> {
    let limit = u64::try_from(statement::BYTES_MAX)? + 1;
    let mut bytes = Vec::new();
    File::open(&args.file)?.take(limit).read_to_end(&mut bytes)?;
    let references =
        if args.entry_reference { References::EntryReference } else { References::Standard };
    Ok(statement::read(&bytes, references)?)
}

// ------------------------------------------------------------------------------------------- text

fn print(file: &BankFile, stdout: &mut impl Write) -> std::io::Result<()> {
    let version = file.version.map_or_else(String::new, |version| format!(".001.{version:02}"));
    writeln!(stdout, "{}{version}", name_of(file.message))?;
    for statement in &file.statements {
        let account = visible(statement.account.as_str());
        writeln!(stdout, "\nstatement {} of account {account}", visible(&statement.id))?;
        for (name, balance) in [("opening", statement.opening), ("closing", statement.closing)] {
            if let Some(Balance { amount, direction, day }) = balance {
                writeln!(stdout, "  {name} balance {}{amount} on {day}", sign(direction))?;
            }
        }
        match statement.adds_up() {
            Some(true) => writeln!(stdout, "  the bookings lead from one balance to the other")?,
            Some(false) => {
                writeln!(stdout, "  THE BOOKINGS DO NOT LEAD FROM ONE BALANCE TO THE OTHER")?
            }
            None => {}
        }
        for entry in &statement.entries {
            print_entry(entry, stdout)?;
        }
        for Refused { line, direction, amount, reason, papers, .. } in &statement.refused {
            let reason = match reason {
                Unidentified::NoReference => "the bank gives it no reference",
                Unidentified::SameReference => "another booking has its reference",
            };
            writeln!(
                stdout,
                "  {}{amount}, line {line}: to be looked at, {reason}",
                sign(*direction)
            )?;
            papers.iter().try_for_each(|paper| print_paper(paper, stdout))?;
        }
        if statement.unbooked > 0 {
            writeln!(stdout, "  not booked yet, and not read: {}", statement.unbooked)?;
        }
    }
    Ok(())
}

fn print_entry(entry: &Entry, stdout: &mut impl Write) -> std::io::Result<()> {
    let Entry { id, line, booked, direction, reversal, amount, .. } = entry;
    let day = booked.map_or_else(String::new, |day| format!(" on {day}"));
    let reversal = if *reversal { ", a reversal" } else { "" };
    writeln!(stdout, "  {}{amount}{day}, line {line}{reversal}", sign(*direction))?;
    writeln!(stdout, "    id {id}")?;
    match &entry.parts {
        Parts::Divided(parts) => {
            for part in parts {
                if parts.len() > 1 {
                    writeln!(stdout, "    part of {}, id {}", part.amount, part.id)?;
                }
                print_paper(&part.paper, stdout)?;
            }
        }
        Parts::Undivided { reason, papers } => {
            writeln!(stdout, "    to be looked at, several payments: {}", reason_of(*reason))?;
            papers.iter().try_for_each(|paper| print_paper(paper, stdout))?;
        }
    }
    Ok(())
}

fn print_paper(paper: &Paper, stdout: &mut impl Write) -> std::io::Result<()> {
    let account = paper.counterparty.account.as_ref().map(|account| account.as_str());
    let reason = paper
        .returned
        .as_ref()
        .map(|returned| returned.reason.as_deref().unwrap_or("no reason given"));
    for (name, value) in [
        ("name", paper.counterparty.name.as_deref()),
        ("account", account),
        ("end-to-end id", paper.end_to_end_id.as_deref()),
        ("came back", reason),
    ] {
        if let Some(value) = value {
            writeln!(stdout, "      {name}: {}", visible(value))?;
        }
    }
    for text in paper.structured.iter().chain(&paper.remittance).chain(&paper.additional) {
        writeln!(stdout, "      text: {}", visible(text))?;
    }
    match paper.reference() {
        Found::Nothing => Ok(()),
        Found::One(reference) => writeln!(stdout, "      reference: {}", reference.grouped()),
        Found::Several => writeln!(stdout, "      references: several that differ"),
    }
}

/// A text of the payer's without what would move a terminal's cursor.
fn visible(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn sign(direction: Direction) -> char {
    match direction {
        Direction::Credit => '+',
        Direction::Debit => '-',
    }
}

fn name_of(message: Message) -> &'static str {
    match message {
        Message::Statement => "camt.053",
        Message::Notification => "camt.054",
    }
}

fn reason_of(reason: Undivided) -> &'static str {
    match reason {
        Undivided::NoDetails => "the file has no details of them",
        Undivided::Count => "the file has details of more or fewer",
        Undivided::NoAmount => "the file does not say what each brought",
        Undivided::Sum => "they do not add up to the booking",
    }
}

// ------------------------------------------------------------------------------------------- JSON

fn json_of_file(file: &BankFile) -> Value {
    let statements = file.statements.iter().map(|statement| {
        json!({
            "id": statement.id,
            "account": statement.account.as_str(),
            "opening": statement.opening.map(json_of_balance),
            "closing": statement.closing.map(json_of_balance),
            "adds_up": statement.adds_up(),
            "entries": statement.entries.iter().map(json_of_entry).collect::<Vec<_>>(),
            "refused": statement.refused.iter().map(json_of_refused).collect::<Vec<_>>(),
            "unbooked": statement.unbooked,
        })
    });
    let statements: Vec<Value> = statements.collect();
    json!({"message": name_of(file.message), "version": file.version, "statements": statements})
}

fn json_of_balance(balance: Balance) -> Value {
    let Balance { amount, direction, day } = balance;
    json!({
        "amount": amount.value(),
        "unit": amount.unit(),
        "direction": json_of_direction(direction),
        "day": day.to_string(),
    })
}

fn json_of_entry(entry: &Entry) -> Value {
    let (undivided, parts) = match &entry.parts {
        Parts::Divided(parts) => {
            let part = |part: &statement::Part| {
                let paper = json_of_paper(&part.paper);
                json!({"id": part.id.to_string(), "amount": part.amount.value(), "paper": paper})
            };
            (None, parts.iter().map(part).collect::<Vec<_>>())
        }
        Parts::Undivided { reason, papers } => {
            let part = |paper| json!({"paper": json_of_paper(paper)});
            (Some(reason_of(*reason)), papers.iter().map(part).collect())
        }
    };
    json!({
        "id": entry.id.to_string(),
        "line": entry.line,
        "booked": entry.booked.map(|day| day.to_string()),
        "direction": json_of_direction(entry.direction),
        "reversal": entry.reversal,
        "amount": entry.amount.value(),
        "unit": entry.amount.unit(),
        "message_id": entry.batch.as_ref().and_then(|batch| batch.message_id.clone()),
        "undivided": undivided,
        "parts": parts,
    })
}

fn json_of_refused(refused: &Refused) -> Value {
    json!({
        "line": refused.line,
        "booked": refused.booked.map(|day| day.to_string()),
        "direction": json_of_direction(refused.direction),
        "amount": refused.amount.value(),
        "unit": refused.amount.unit(),
        "reason": match refused.reason {
            Unidentified::NoReference => "no reference",
            Unidentified::SameReference => "same reference",
        },
        "papers": refused.papers.iter().map(json_of_paper).collect::<Vec<_>>(),
    })
}

fn json_of_paper(paper: &Paper) -> Value {
    let returned = paper.returned.as_ref();
    json!({
        "name": paper.counterparty.name,
        "account": paper.counterparty.account.as_ref().map(|account| account.as_str()),
        "end_to_end_id": paper.end_to_end_id,
        "payment_information_id": paper.payment_information_id,
        "structured": paper.structured,
        "remittance": paper.remittance,
        "additional": paper.additional,
        "returned": returned.map(|back| json!({"reason": back.reason, "information": back.information})),
        "reference": match paper.reference() {
            Found::Nothing | Found::Several => None,
            Found::One(reference) => Some(reference.to_string()),
        },
    })
}

fn json_of_direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Credit => "credit",
        Direction::Debit => "debit",
    }
}
