//! `tacitd inventory`.

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};
use tacit_server::inventory::SECTIONS;
use tacit_service::inventory::{Declaration, Section, page};

/// Print all that is kept, logged or counted: what it is for, who reads it, how long it stays
///
/// It is what a seizure of this mint could return.
#[derive(clap::Args)]
pub(crate) struct Inventory {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Inventory, stdout: &mut impl Write) -> anyhow::Result<ExitCode> {
    let sections = SECTIONS.map(|section| *section);
    if args.json {
        let all: Vec<Value> = sections.iter().map(json_of).collect();
        writeln!(stdout, "{}", serde_json::to_string_pretty(&all)?)?;
    } else {
        write!(stdout, "{}", page(&sections))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn json_of(section: &Section) -> Value {
    let declared = |declaration: &Declaration| {
        let Declaration { kind, name, purpose, reader, retention } = declaration;
        let kind = kind.to_string();
        json!({"kind": kind, "name": name, "purpose": purpose, "reader": reader, "retention": retention})
    };
    let kept: Vec<Value> = section.declarations.iter().map(declared).collect();
    json!({"title": section.title, "about": section.about, "kept": kept})
}
