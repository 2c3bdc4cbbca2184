//! Whether anything is said that is not declared, and whether a counter or a score is said anywhere.

use std::collections::BTreeSet;

use rusqlite::types::Value as Cell;
use serde_json::Value;

use crate::Recording;
use crate::event::{Holds, leaves};
use crate::names::{COLUMNS, EVENTS, LOG, holds};

/// Drawn evenly: among some hundred, one of them is a counter of somebody by chance.
const BUCKET: &str = "answer.bucket";

/// What is said and should not be, in words; nothing if all is well.
pub(crate) fn undeclared(recording: &Recording) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let is_counter = |number: u64| recording.secrets.contains(&number);
    for leaf in recording.exchanges.iter().flat_map(leaves) {
        match holds(&leaf.place) {
            None => {
                found.insert(format!("{} is not declared: {}", leaf.place, leaf.value));
            }
            Some(Holds::Plain(fits)) if !fits(&leaf.value) => {
                found.insert(format!("{} is not what is declared: {}", leaf.place, leaf.value));
            }
            Some(
                Holds::Plain(_)
                | Holds::Text
                | Holds::Bytes
                | Holds::Request
                | Holds::Receipt
                | Holds::Creq,
            ) => {}
        }
        if leaf.value.as_u64().is_some_and(is_counter) {
            found.insert(format!("{} tells a counter or a score: {}", leaf.place, leaf.value));
        }
    }
    for row in &recording.rows {
        for (name, value) in &row.cells {
            let place = format!("{}.{name}", row.table);
            if !COLUMNS.iter().any(|(column, _)| *column == place) {
                found.insert(format!("{place} is not declared"));
            }
            let number = match value {
                Cell::Integer(number) => u64::try_from(*number).ok(),
                Cell::Null | Cell::Real(_) | Cell::Text(_) | Cell::Blob(_) => None,
            };
            // One row of totals, which are not anybody's; and two bytes of a digest, which may be any number.
            let is_free = row.table == "vault" || place == BUCKET;
            if !is_free && number.is_some_and(is_counter) {
                found.insert(format!("{place} has a counter or a score"));
            }
        }
    }
    for (name, bytes) in recording.others.iter().filter(|(name, _)| name == LOG) {
        for line in String::from_utf8_lossy(bytes).lines() {
            found.extend(odd_line(line));
            // The time and the clock's days are declared, and may be as many as anything.
            let said = line.split_once("\"level\"").map_or(line, |(_, said)| said);
            let said = said.split("\"days\"").next().unwrap_or_default();
            let words = said.split(|c: char| !c.is_ascii_digit());
            if words.filter_map(|word| word.parse().ok()).any(is_counter) {
                found.insert(format!("{name} tells a counter or a score: {line}"));
            }
        }
    }
    found
}

/// What is wrong with a line of the log.
fn odd_line(line: &str) -> Option<String> {
    let Ok(Value::Object(said)) = serde_json::from_str(line) else {
        return Some(format!("no line of the log: {line}"));
    };
    let fields = ["time", "level", "event", "days"];
    let is_known = said.keys().all(|name| fields.contains(&name.as_str()))
        && said["event"].as_str().is_some_and(|event| EVENTS.contains(&event));
    (!is_known).then(|| format!("the log says {line}"))
}
