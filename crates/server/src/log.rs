//! The log: few lines, each of declared fields only. Nothing that a request brought is ever written.
//!
//! There is no access log. The vault keeps no time of a request, and the log keeps none either: what is counted
//! stands in [`crate::metric`], as totals.

use std::error::Error;
use std::fmt::{Display, Write as _};
use std::io::{IsTerminal, Write as _};
use std::sync::OnceLock;

use tacit_core::time::Clock;
use tacit_credit::passport::caught::is_caught;
use tacit_service::inventory::{Declaration, Kind};

use crate::clock::SystemClock;

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something an operator may want to know.
    Info,
    /// Something an operator should look at.
    Warn,
    /// A bug, or a fault of the machine.
    Error,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// What a line may say, beside its time, level and event. What is not here cannot be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Address and port the server itself listens on.
    Listen,
    /// Directory of the data.
    Data,
    /// Version of the program.
    Version,
    /// Unit of a keyset.
    Unit,
    /// Public name of a keyset.
    Keyset,
    /// Hash of a release of the web wallet.
    Release,
    /// How many of something, over the whole process.
    Count,
    /// Days the demo clock is ahead.
    Days,
    /// An error of our own or of the machine, with its causes.
    Error,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 9] = [
        Self::Listen,
        Self::Data,
        Self::Version,
        Self::Unit,
        Self::Keyset,
        Self::Release,
        Self::Count,
        Self::Days,
        Self::Error,
    ];

    /// Its name, and why it is written.
    pub const fn declaration(self) -> Declaration {
        match self {
            Self::Listen => declare("listen", "Where the server itself listens."),
            Self::Data => declare("data", "Which data directory is served."),
            Self::Version => declare("version", "Which program ran."),
            Self::Unit => declare("unit", "Unit of a keyset that was added or sealed."),
            Self::Keyset => declare("keyset", "Public name of a keyset that was added or sealed."),
            Self::Release => {
                declare("release", "Which release of the web wallet is served: its list's hash.")
            }
            Self::Count => declare(
                "count",
                "How many payments were taken up at start, files a release has, or connections cut.",
            ),
            Self::Days => declare("days", "How far the demo clock is ahead."),
            Self::Error => {
                declare("error", "An error of the program or the machine, with its causes.")
            }
        }
    }
}

/// What each line says, beside its fields.
pub const HEAD: [Declaration; 3] = [
    declare("time", "When something happened to the server, to the second; never a request."),
    declare("level", "How grave it is."),
    declare("event", "What happened: one of the texts in the program."),
];

const fn declare(name: &'static str, purpose: &'static str) -> Declaration {
    Declaration {
        kind: Kind::LogField,
        name,
        purpose,
        reader: "operator",
        retention: "as long as the operator keeps the log",
    }
}

/// Writes a line to standard error: JSON, or plain words if a person is watching.
pub fn write(level: Level, event: &'static str, fields: &[(Field, &dyn Display)]) {
    static FOR_PEOPLE: OnceLock<bool> = OnceLock::new();
    let for_people = *FOR_PEOPLE.get_or_init(|| std::io::stderr().is_terminal());
    let line = if for_people { plain(level, event, fields) } else { json(level, event, fields) };
    // A log that cannot be written must not stop a mint.
    _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// Writes an error with all its causes.
pub fn error_chain(level: Level, event: &'static str, error: &(dyn Error + 'static)) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.ends_with(&said) {
            _ = write!(text, ": {said}"); // Writing to a String does not fail.
        }
        cause = next.source();
    }
    write(level, event, &[(Field::Error, &text)]);
}

/// Writes what a panic said as one line, in place of the several that Rust would write. Nothing of a panic that is caught
/// and refused, as hostile proofs can bring about: it is counted, and whoever sends them does not fill the log.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if is_caught() {
            return;
        }
        write(Level::Error, "a bug: a thread panicked", &[(Field::Error, panic)]);
    }));
}

fn plain(level: Level, event: &str, fields: &[(Field, &dyn Display)]) -> String {
    let mut line = format!("{} {:5} {event}", SystemClock.now(), level.name());
    for (field, value) in fields {
        _ = write!(line, " {}={}", field.declaration().name, value.to_string().escape_debug());
    }
    line.push('\n');
    line
}

fn json(level: Level, event: &str, fields: &[(Field, &dyn Display)]) -> String {
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let [time, head_level, head_event] = HEAD.map(|declared| declared.name);
    let mut line = format!(
        "{{\"{time}\":\"{}\",\"{head_level}\":\"{}\",\"{head_event}\":{}",
        SystemClock.now(),
        level.name(),
        quote(event)
    );
    for (field, value) in fields {
        _ = write!(line, ",\"{}\":{}", field.declaration().name, quote(&value.to_string()));
    }
    line.push_str("}\n");
    line
}

#[cfg(test)]
mod tests {
    use tacit_service::inventory::differences;

    use super::*;

    #[test]
    fn a_line_is_one_json_object() {
        let line =
            json(Level::Warn, "it \"broke\"", &[(Field::Error, &"a\nb"), (Field::Count, &3)]);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["event"], "it \"broke\"");
        assert_eq!(value["error"], "a\nb");
        assert_eq!(value["count"], "3");
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn all_lists_every_field_in_order() {
        for (at, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, at);
        }
        assert_eq!(Field::ALL.len(), Field::Error as usize + 1, "Error is the last variant");
    }

    #[test]
    fn a_line_holds_declared_fields_only() {
        let all = Field::ALL.map(|field| (field, &"value" as &dyn Display));
        let line: serde_json::Value =
            serde_json::from_str(&json(Level::Info, "event", &all)).unwrap();
        let found = line.as_object().unwrap().keys().map(|name| (Kind::LogField, name.clone()));
        assert_eq!(differences(crate::inventory::LOG.declarations, found), [""; 0]);
    }
}
