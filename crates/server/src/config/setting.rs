//! Every setting there is, by name: what it is for, and where it may be given.

pub mod list;

use std::fmt;
use std::path::PathBuf;

use self::list::SETTINGS;
use crate::passphrase::Names;

/// Something an operator may decide.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name; in the file the key, with the names of the tables it stands in.
    pub name: &'static str,
    /// Whether it may stand in the file.
    pub in_file: bool,
    /// Its flag, with a word for what follows it.
    pub flag: Option<&'static str>,
    /// Its variable of the environment.
    pub variable: Option<&'static str>,
    /// What its value looks like.
    pub form: &'static str,
    /// Its default in words, where that is not simply the value in force.
    pub default: Option<&'static str>,
    /// What it is for.
    pub purpose: &'static str,
}

/// Where a value comes from. Later ones win.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// A file.
    File(PathBuf),
    /// A variable of the environment.
    Environment(&'static str),
    /// A flag.
    Flag(&'static str),
}

/// A value, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub source: Source,
}

impl<T> Given<T> {
    /// A value of a flag.
    pub fn flag(name: &'static str, value: T) -> Self {
        Self { value, source: Source::Flag(name) }
    }
}

impl Source {
    /// Its kind, in one word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File(_) => "file",
            Self::Environment(_) => "environment",
            Self::Flag(_) => "flag",
        }
    }

    /// The file, variable or flag.
    pub fn at(&self) -> Option<String> {
        match self {
            Self::Default => None,
            Self::File(path) => Some(path.display().to_string()),
            Self::Environment(name) | Self::Flag(name) => Some((*name).to_owned()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at() {
            None => f.write_str(self.kind()),
            Some(at) => write!(f, "{} {at}", self.kind()),
        }
    }
}

/// Names that may stand in the file.
pub(super) fn in_files() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter(|setting| setting.in_file).map(|setting| setting.name)
}

/// Variables of the environment that mean something.
fn variables() -> impl Iterator<Item = &'static str> {
    let of_settings = SETTINGS.iter().filter_map(|setting| setting.variable);
    of_settings.chain([Names::CURRENT.variable, Names::NEW.variable])
}

/// The variable that this one is most likely meant to be; `None` if it is one, or nothing like one.
///
/// Not every other `TACITD_` is a slip: Kubernetes, for one, makes `TACITD_PORT` of a service's name.
pub(super) fn misspelt(variable: &str) -> Option<&'static str> {
    let scored = variables().map(|known| (strsim::damerau_levenshtein(variable, known), known));
    let (score, known) = scored.min()?;
    (1..=2).contains(&score).then_some(known)
}

/// The setting of the file whose name is nearest; `None` if none is near.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let scored = in_files().map(|known| {
        let whole = strsim::damerau_levenshtein(name, known);
        let own = strsim::damerau_levenshtein(&last(name), &last(known)) + 1;
        (whole.min(own), known)
    });
    let (score, known) = scored.min()?;
    (score <= 2.max(last(name).len() / 3)).then_some(known)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use serde_json::Value;

    use super::super::in_force::{InForce, in_force};
    use super::super::{Config, Overrides};
    use super::*;

    #[test]
    fn a_slip_has_its_nearest_name() {
        for (slip, meant) in [
            ("lisen", "listen"),
            ("about.nmae", "about.name"),
            ("name", "about.name"),
            ("public_url", "about.public_url"),
            ("unit.input-fee-ppk", "unit.input_fee_ppk"),
            ("unit.mint_mx", "unit.mint_max"),
        ] {
            assert_eq!(nearest(slip), Some(meant), "{slip}");
        }
        assert_eq!(nearest("colour"), None);
    }

    #[test]
    fn only_what_looks_like_a_variable_of_ours_is_misspelt() {
        assert_eq!(misspelt("TACITD_LISTN"), Some("TACITD_LISTEN"));
        assert_eq!(misspelt("TACITD_PASSPRHASE"), Some("TACITD_PASSPHRASE"));
        for fine in ["TACITD_LISTEN", "TACITD_PASSPHRASE", "TACITD_PORT", "TACITD_SERVICE_HOST"] {
            assert_eq!(misspelt(fine), None, "{fine}");
        }
    }

    #[test]
    fn no_name_stands_twice() {
        let names: BTreeSet<_> = SETTINGS.iter().map(|it| it.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
    }
    const TITLE: &str = "\
# Configuration

Generated from the declarations in the source: `BLESS=1 cargo test -p tacit-server config` writes it anew. Flags win over the
environment, the environment over the file, the file over the defaults. A setting that does not exist is an error, with its line and the
nearest name that does; so is a variable that begins with `TACITD_` and is one or two letters off a known one.

`tacitd config check` takes what `tacitd serve` takes, starts nothing, and prints what is in force and where each value comes from
(`--json` for programs; the passphrase is not shown). It exits 0 if a mint may be configured so, else 1.

";
    const EXAMPLE: &str = r#"
listen = "[::]:443"
data = "/var/lib/tacit"

[tls]                                   # or [acme]
certificate = "/etc/tacit/fullchain.pem"
key = "/etc/tacit/privkey.pem"

[origin]                                # three names for one server: see the guide
mint = "https://mint.example.org"
desk = "https://desk.example.org"
wallet = "https://wallet.example.org"

[about]                                 # what wallets show (NUT-06)
name = "Example e-money"
description = "Dollars and euros, redeemable at par"
contact = [{ method = "email", info = "help@example.org" }]
tos_url = "https://example.org/terms"

[[unit]]                                # one table for each unit, at least one
unit = "usd"
mint_max = 100000000                    # a million dollars, in cents

[[unit]]
unit = "eur"
path = "euro"
"#;
    const NOTES: &str = "
In demo mode without `[[unit]]`, five units are served: `usd`, `eur`, `kes`, `inr` without fee, and `sat` with 100 thousandths an input.

Fee and denominations are those of a unit's first keyset: an existing one keeps its own, and `tacitd keyset rotate` gives the next one its fee.

The passphrase itself stands in a file, in the environment's `TACITD_PASSPHRASE` or in a credential of systemd, never in the file of settings:
[Look after a mint](../guides/operate.md#make-a-mint). What lies in the data directory is in the [inventory](inventory.md#files).
";

    /// What counts without flags, environment, and a file that says no more than it must.
    fn defaults() -> Vec<InForce> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tacit.toml");
        std::fs::write(&path, "[[unit]]\nunit = 'usd'\n").unwrap();
        in_force(Overrides::default(), Some(&path)).unwrap()
    }

    fn default_of(setting: &Setting, rows: &[InForce]) -> String {
        if let Some(words) = setting.default {
            return words.to_owned();
        }
        let shown = setting.name.replacen("unit.", "unit.usd.", 1);
        let row = rows.iter().find(|row| row.name == shown).unwrap();
        assert_eq!(row.source, Source::Default, "{}", setting.name);
        match &row.value {
            Value::Null => "none".to_owned(),
            Value::String(text) => format!("`{text}`"),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                format!("`{}`", row.value)
            }
        }
    }

    #[test]
    fn the_page_of_the_configuration_is_up_to_date() {
        let rows = defaults();
        let mut text = TITLE.to_owned();
        text.push_str("| In the file | Flag | Environment | Form | Default | What for |\n|---|---|---|---|---|---|\n");
        for setting in &SETTINGS {
            let code =
                |name: Option<&str>| name.map(|name| format!("`{name}`")).unwrap_or_default();
            let key = code(setting.in_file.then_some(setting.name));
            let (flag, variable) = (code(setting.flag), code(setting.variable));
            let (form, default, purpose) =
                (setting.form, default_of(setting, &rows), setting.purpose);
            text.push_str(&format!(
                "| {key} | {flag} | {variable} | {form} | {default} | {purpose} |\n"
            ));
        }
        text.push_str(&format!("\nThe file is TOML:\n\n```toml{EXAMPLE}```\n{NOTES}"));
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/configuration.md");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(found, text, "stale: BLESS=1 cargo test -p tacit-server config");
    }

    #[test]
    fn the_example_of_the_page_is_a_configuration() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tacit.toml");
        std::fs::write(&path, EXAMPLE).unwrap();
        let config = Config::load(Overrides::default(), Some(&path)).unwrap();
        assert_eq!(config.units.len(), 2);
        assert_eq!(config.about.contact.len(), 1);
    }

    /// What a mistake would be told may stand in the file is what is declared here.
    #[test]
    fn what_is_declared_for_the_file_is_what_it_may_hold() {
        let expected = |text: &str, inside: &str| -> Vec<String> {
            let error = toml::from_str::<super::super::table::File>(text).err().unwrap();
            let message = error.message().to_owned();
            let list = message.split("expected ").nth(1).unwrap_or_else(|| panic!("{message}"));
            // Every second part stands between backticks.
            list.split('`').skip(1).step_by(2).map(|name| format!("{inside}{name}")).collect()
        };
        let mut known = expected("zzz = 1", "");
        known.extend(expected("about.zzz = 1", "about."));
        known.extend(expected("unit = [{ zzz = 1 }]", "unit."));
        const TABLES: &str =
            "origin listener tls acme limit bank merchants complaint agent passport wallet";
        for table in TABLES.split(' ') {
            known.extend(expected(&format!("{table}.zzz = 1"), &format!("{table}.")));
        }
        let inside = ["about", "unit", "about.contact"];
        let is_table =
            |name: &str| inside.contains(&name) || TABLES.split(' ').any(|it| it == name);
        let known: BTreeSet<String> = known.into_iter().filter(|name| !is_table(name)).collect();
        let declared: BTreeSet<String> = in_files()
            .filter(|name| !name.starts_with("about.contact."))
            .map(str::to_owned)
            .collect();
        assert_eq!(declared, known);
    }
}
