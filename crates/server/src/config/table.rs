//! The file of settings: its tables in TOML, and which settings stand in it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tacit_core::unit::Unit;
use tacit_service::desk::complaint::Clock;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::about::About;
use super::agent::AgentTerms;
use super::passport::PassportTerms;
use super::serving::{Acme, Limits, Listeners, TlsFiles};
use super::setting::{in_files, nearest};
use super::wallet::WalletTerms;
use crate::origin::{Origin, Origins};

/// A file, and the settings that stand in it.
#[derive(Default)]
pub(super) struct Read {
    pub(super) file: File,
    /// Dotted, with the number of each table of an array: `unit.0.path`.
    pub(super) present: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) data: Option<PathBuf>,
    pub(super) vault_url: Option<String>,
    pub(super) desk_url: Option<String>,
    pub(super) demo: Option<bool>,
    pub(super) origin: Origins,
    pub(super) listener: Listeners,
    pub(super) limit: Limits,
    pub(super) tls: TlsFiles,
    pub(super) acme: Option<Acme>,
    pub(super) insecure_http: Option<bool>,
    pub(super) about: About,
    pub(super) bank: BankTable,
    pub(super) merchants: MerchantTable,
    pub(super) complaint: ComplaintTable,
    pub(super) agent: AgentTerms,
    pub(super) passport: PassportTerms,
    pub(super) wallet: WalletTerms,
    pub(super) unit: Vec<UnitTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BankTable {
    pub(super) folder: Option<PathBuf>,
    pub(super) name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MerchantTable {
    pub(super) webhook_origins: Vec<Origin>,
}

/// Days that make sense: at least one, a holding reply makes it no fewer, and nobody waits for a year.
#[derive(Deserialize)]
#[serde(try_from = "ComplaintDays")]
pub(super) struct ComplaintTable(pub(super) Clock);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ComplaintDays {
    days: u16,
    days_extended: u16,
}

impl Default for ComplaintDays {
    fn default() -> Self {
        let Clock { days, days_extended } = Clock::PSD2;
        Self { days, days_extended }
    }
}

impl Default for ComplaintTable {
    fn default() -> Self {
        Self(Clock::PSD2)
    }
}

impl TryFrom<ComplaintDays> for ComplaintTable {
    type Error = &'static str;

    fn try_from(table: ComplaintDays) -> Result<Self, Self::Error> {
        let ComplaintDays { days, days_extended } = table;
        if days == 0 || days_extended < days || 250 < days_extended {
            return Err("days are at least 1, and days_extended at least as many and at most 250");
        }
        Ok(Self(Clock { days, days_extended }))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnitTable {
    pub(super) unit: Unit,
    pub(super) path: Option<String>,
    pub(super) bolt11: Option<bool>,
    #[serde(default)]
    pub(super) input_fee_ppk: u64,
    pub(super) denominations: Option<u8>,
    pub(super) mint_min: Option<u64>,
    pub(super) mint_max: Option<u64>,
    pub(super) melt_min: Option<u64>,
    pub(super) melt_max: Option<u64>,
    pub(super) bank_account: Option<String>,
    #[serde(default)]
    pub(super) bank_entry_reference: bool,
    #[serde(default)]
    pub(super) limits_in: Vec<[u64; 2]>,
    #[serde(default)]
    pub(super) limits_out: Vec<[u64; 2]>,
    #[serde(default)]
    pub(super) payout_alone_max: u64,
    #[serde(default)]
    pub(super) fee_payout: u64,
    #[serde(default)]
    pub(super) fee_cash_out: [u64; 2],
    #[serde(default)]
    pub(super) fee_cash_in: [u64; 2],
    #[serde(default)]
    pub(super) fee_sale: [u64; 2],
    pub(super) passport_unit: Option<u64>,
}

/// Settings of a file that do not exist, at least one.
#[derive(Debug)]
pub struct Unknown(Vec<Found>);

/// A setting as it stands in a file.
#[derive(Debug)]
struct Found {
    /// Dotted, without numbers: `unit.path`.
    name: String,
    /// Dotted, with numbers: `unit.0.path`.
    place: String,
    line: usize,
}

/// Reads a file.
///
/// # Errors
/// [`ConfigError::Read`], [`ConfigError::Unknown`], [`ConfigError::Parse`].
pub(super) fn read(path: &Path) -> Result<Read, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.into(), source })?;
    let wrong = |source| ConfigError::Parse { path: path.into(), source: Box::new(source) };
    let document = DeTable::parse(&text).map_err(wrong)?;
    let mut found = Vec::new();
    walk(document.get_ref(), "", "", &text, &mut found);
    let (known, unknown): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|found| in_files().any(|name| name == found.name));
    if !unknown.is_empty() {
        return Err(ConfigError::Unknown { path: path.into(), unknown: Unknown(unknown) });
    }
    let file = toml::from_str(&text).map_err(wrong)?;
    Ok(Read { file, present: known.into_iter().map(|found| found.place).collect() })
}

/// Collects what stands in a table and in those inside it.
fn walk(table: &DeTable<'_>, name: &str, place: &str, text: &str, found: &mut Vec<Found>) {
    let join = |before: &str, key: &str| match before {
        "" => key.to_owned(),
        _ => format!("{before}.{key}"),
    };
    for (key, value) in table {
        let line = text[..key.span().start].matches('\n').count() + 1;
        let (name, place) = (join(name, key.get_ref()), join(place, key.get_ref()));
        let inside = name.clone() + ".";
        if !in_files().any(|known| known.starts_with(&inside)) {
            found.push(Found { name, place, line });
        } else if let DeValue::Table(table) = value.get_ref() {
            walk(table, &name, &place, text, found);
        } else if let DeValue::Array(array) = value.get_ref() {
            for (number, item) in array.iter().enumerate() {
                if let DeValue::Table(table) = item.get_ref() {
                    walk(table, &name, &join(&place, &number.to_string()), text, found);
                }
            }
        } // Anything else is of the wrong type, which is said when the types are read.
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Found { name, line, .. }) in self.0.iter().enumerate() {
            let between = if number == 0 { "" } else { "; " };
            write!(f, "{between}line {line}: there is no setting {name}")?;
            if let Some(nearest) = nearest(name) {
                write!(f, ", the nearest is {nearest}")?;
            }
        }
        Ok(())
    }
}
