//! `tacitd config check`.

use std::io::Write;
use std::process::ExitCode;

use clap::ArgMatches;
use serde_json::{Value, json};
use tacit_server::config::in_force::{InForce, in_force};

use super::ConfigArgs;

/// Check file, environment and flags together, and print what is in force and where it comes from
///
/// Takes what `tacitd serve` takes, and starts nothing. The passphrase is not shown, only where it stands. Exits 0 if
/// a mint may be configured so, 1 if not.
#[derive(clap::Args)]
pub(crate) struct Check {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(
    args: &Check,
    matches: &ArgMatches,
    stdout: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let checked = in_force(args.config.overrides(matches), args.config.config.as_deref())
        .map_err(anyhow::Error::from);
    if args.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&report(&checked))?)?;
    }
    let rows = checked?;
    if !args.json {
        stdout.write_all(table(&rows).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn report(checked: &anyhow::Result<Vec<InForce>>) -> Value {
    let rows = match checked {
        Ok(rows) => rows,
        Err(error) => return json!({"valid": false, "error": format!("{error:#}")}),
    };
    let row = |InForce { name, value, source }: &InForce| json!({"name": name, "value": value, "source": source.kind(), "at": source.at()});
    json!({"valid": true, "settings": rows.iter().map(row).collect::<Vec<_>>()})
}

fn table(rows: &[InForce]) -> String {
    let shown: Vec<[String; 3]> = rows
        .iter()
        .map(|row| [row.name.clone(), words(&row.value), row.source.to_string()])
        .collect();
    let width = |at: usize| shown.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let (names, values) = (width(0), width(1).min(40));
    let line =
        |[name, value, source]: &[String; 3]| format!("{name:names$}  {value:values$}  {source}\n");
    shown.iter().map(line).collect()
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
