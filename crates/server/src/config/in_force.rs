//! The configuration in force: each value, and where it comes from. Nothing secret is in it.

use std::path::Path;

use serde_json::{Value, json};
use tacit_bank::statement::References;
use tacit_service::account::Limits;

use super::serving::Serving;
use super::setting::Source;
use super::table::Read;
use super::{About, Config, ConfigError, Overrides, UnitConfig, resolve};
use crate::origin::Origin;
use crate::passphrase::{PassphraseError, Place};

/// A setting and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Its name; that of a unit has the unit's code in it: `unit.usd.path`.
    pub name: String,
    /// Its value; null if there is none. Of the passphrase, only that there is one.
    pub value: Value,
    /// Where the value comes from.
    pub source: Source,
}

/// What stands for the passphrase.
const HIDDEN: &str = "set, not shown";

/// Everything that is in force with these flags, this environment and this file. Also looks for the passphrase.
///
/// # Errors
/// [`ConfigError`].
pub fn in_force(overrides: Overrides, file: Option<&Path>) -> Result<Vec<InForce>, ConfigError> {
    let passphrase = match overrides.passphrase.find() {
        Ok((_, place)) => Some(place),
        // A demo needs none, nor does a seed in the clear.
        Err(PassphraseError::Missing { .. }) => None,
        Err(error) => return Err(ConfigError::Passphrase(error)),
    };
    let given_insecure_http = overrides.insecure_http.as_ref().map(|given| given.source.clone());
    let (given_demo, given_data, given_listen) = (
        overrides.demo.as_ref().map(|given| given.source.clone()),
        overrides.data.as_ref().map(|given| given.source.clone()),
        overrides.listen.as_ref().map(|given| given.source.clone()),
    );
    let given_vault_url = overrides.vault_url.as_ref().map(|given| given.source.clone());
    let given_wallet = overrides.wallet.as_ref().map(|given| given.source.clone());
    let given_desk_url = overrides.desk_url.as_ref().map(|given| given.source.clone());
    let (config, read) = resolve(overrides, file)?;
    let origin = Placed { file, read: &read };
    let row = |name: &str, value, given: Option<Source>| InForce {
        name: name.to_owned(),
        value,
        source: given.unwrap_or_else(|| origin.of(name)),
    };
    let mut rows = vec![
        row("data", json!(config.data), given_data),
        // Without its password.
        row(
            "vault_url",
            json!(config.vault_url.as_ref().map(ToString::to_string)),
            given_vault_url,
        ),
        row("desk_url", json!(config.desk_url.as_ref().map(ToString::to_string)), given_desk_url),
        row("listen", json!(config.listen), given_listen),
        row("demo", json!(config.demo), given_demo),
        InForce {
            name: "passphrase".to_owned(),
            value: passphrase.as_ref().map_or(Value::Null, |_| json!(HIDDEN)),
            source: passphrase.map_or(Source::Default, Source::from),
        },
    ];
    let insecure_http = json!(config.serving.insecure_http);
    rows.push(row("insecure_http", insecure_http, given_insecure_http));
    let serving = serving(&config.serving).into_iter();
    rows.extend(serving.map(|(name, value)| row(name, value, None)));
    rows.extend(about(&config.about).map(|(name, value)| row(name, value, None)));
    rows.push(row("bank.name", json!(config.bank_name), None));
    rows.push(row("bank.folder", json!(config.bank_folder), None));
    let origins: Vec<String> = config.webhook_origins.iter().map(ToString::to_string).collect();
    rows.push(row("merchants.webhook_origins", json!(origins), None));
    rows.push(row("complaint.days", json!(config.complaints.days), None));
    rows.push(row("complaint.days_extended", json!(config.complaints.days_extended), None));
    rows.push(row("agent.code_hours", json!(config.agent.code_hours), None));
    rows.push(row("agent.deposit_minutes", json!(config.agent.deposit_minutes), None));
    rows.push(row("passport.scorecard", json!(config.passport.scorecard), None));
    rows.push(row("passport.again_months", json!(config.passport.again_months), None));
    rows.push(row("wallet.directory", json!(config.wallet.directory), given_wallet));
    rows.extend(units(&config, &origin));
    Ok(rows)
}

/// Which values the file gave.
struct Placed<'a> {
    file: Option<&'a Path>,
    read: &'a Read,
}

impl Placed<'_> {
    /// Of a setting, or of a table in which one of them stands.
    fn of(&self, place: &str) -> Source {
        let inside = format!("{place}.");
        let stands = |found: &String| found == place || found.starts_with(&inside);
        match self.file {
            Some(file) if self.read.present.iter().any(stands) => Source::File(file.into()),
            _ => Source::Default,
        }
    }
}

impl From<Place> for Source {
    fn from(place: Place) -> Self {
        match place {
            Place::File(path) | Place::Credential(path) => Self::File(path),
            Place::Variable(name) => Self::Environment(name),
        }
    }
}

fn serving(serving: &Serving) -> Vec<(&'static str, Value)> {
    let Serving { origins, listeners, limits, tls, acme, insecure_http: _ } = serving;
    let origin = |origin: &Option<Origin>| json!(origin.as_ref().map(ToString::to_string));
    let acme = acme.as_ref();
    vec![
        ("origin.mint", origin(&origins.mint)),
        ("origin.desk", origin(&origins.desk)),
        ("origin.wallet", origin(&origins.wallet)),
        ("listener.desk", json!(listeners.desk)),
        ("listener.wallet", json!(listeners.wallet)),
        ("listener.operator", json!(listeners.operator)),
        ("tls.certificate", json!(tls.certificate)),
        ("tls.key", json!(tls.key)),
        ("acme.terms_agreed", json!(acme.map(|acme| acme.terms_agreed))),
        ("acme.contact", json!(acme.and_then(|acme| acme.contact.as_ref()))),
        ("acme.directory", json!(acme.map(|acme| &acme.directory))),
        ("acme.roots", json!(acme.map(|acme| &acme.roots))),
        ("limit.connections", json!(limits.connections)),
        ("limit.requests_per_second", json!(limits.requests_per_second)),
        ("limit.quotes_per_second", json!(limits.quotes_per_second)),
        ("limit.lookups_per_second", json!(limits.lookups_per_second)),
        ("limit.sockets_per_second", json!(limits.sockets_per_second)),
        ("limit.logins_per_second", json!(limits.logins_per_second)),
        ("limit.connection_requests_per_second", json!(limits.connection_requests_per_second)),
    ]
}

fn about(about: &About) -> [(&'static str, Value); 8] {
    let About { name, description, description_long, contact, motd, icon_url, tos_url, public_url } =
        about;
    [
        ("about.name", json!(name)),
        ("about.description", json!(description)),
        ("about.description_long", json!(description_long)),
        ("about.contact", if contact.is_empty() { Value::Null } else { json!(contact) }),
        ("about.motd", json!(motd)),
        ("about.icon_url", json!(icon_url)),
        ("about.tos_url", json!(tos_url)),
        ("about.public_url", json!(public_url)),
    ]
}

fn units(config: &Config, origin: &Placed<'_>) -> Vec<InForce> {
    let mut rows = Vec::new();
    for (number, terms) in config.units.iter().enumerate() {
        let UnitConfig {
            unit,
            path,
            bolt11,
            input_fee_ppk,
            denominations,
            mint,
            melt,
            bank,
            limits_in,
            limits_out,
            payout_alone_max,
            fees,
            passport_unit,
        } = terms;
        let account = bank.as_ref().map(|bank| bank.account.as_str());
        let by_entry =
            bank.as_ref().is_some_and(|bank| bank.references == References::EntryReference);
        let values = [
            ("unit", json!(unit)),
            ("path", json!(path)),
            ("bolt11", json!(bolt11)),
            ("input_fee_ppk", json!(input_fee_ppk)),
            ("denominations", json!(denominations)),
            ("mint_min", json!(mint.min)),
            ("mint_max", json!(mint.max)),
            ("melt_min", json!(melt.min)),
            ("melt_max", json!(melt.max)),
            ("bank_account", json!(account)),
            ("bank_entry_reference", json!(by_entry)),
            ("payout_alone_max", json!(payout_alone_max)),
            ("fee_payout", json!(fees.payout)),
            ("fee_cash_out", json!(fees.cash_out.parts())),
            ("fee_cash_in", json!(fees.cash_in.parts())),
            ("fee_sale", json!(fees.sale.parts())),
            ("passport_unit", json!(passport_unit)),
            ("limits_in", pairs(limits_in)),
            ("limits_out", pairs(limits_out)),
        ];
        rows.extend(values.map(|(key, value)| InForce {
            name: format!("unit.{unit}.{key}"),
            value,
            source: origin.of(&format!("unit.{number}.{key}")),
        }));
    }
    rows
}

fn pairs(limits: &[Limits]) -> Value {
    let pairs: Vec<[u64; 2]> = limits.iter().map(|limits| [limits.day, limits.month]).collect();
    if pairs.is_empty() { Value::Null } else { json!(pairs) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::super::setting::Given;
    use super::super::setting::list::SETTINGS;
    use super::*;
    use crate::passphrase::Places;

    const LEAST: &str = "[[unit]]\nunit = 'usd'\n";

    fn rows(overrides: Overrides, text: &str) -> Vec<InForce> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tacit.toml");
        fs::write(&path, text).unwrap();
        let mut rows = in_force(overrides, Some(&path)).unwrap();
        for row in &mut rows {
            if row.source == Source::File(path.clone()) {
                row.source = Source::File("tacit.toml".into());
            }
        }
        rows
    }

    fn row<'a>(rows: &'a [InForce], name: &str) -> &'a InForce {
        rows.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("{name}: {rows:?}"))
    }

    #[test]
    fn each_value_says_where_it_comes_from() {
        let text = "listen = '127.0.0.1:1'\ndata = 'a'\n[about]\nname = 'Harbour'\n\
                    [[about.contact]]\nmethod = 'email'\ninfo = 'a@b.example'\n\
                    [[unit]]\nunit = 'chf'\n[[unit]]\nunit = 'usd'\npath = 'dollars'\n";
        let overrides = Overrides {
            listen: Some(Given::flag("--listen", "127.0.0.1:2".to_owned())),
            demo: Some(Given { value: true, source: Source::Environment("TACITD_DEMO") }),
            ..Overrides::default()
        };
        let rows = rows(overrides, text);
        let file = Source::File("tacit.toml".into());
        for (name, value, source) in [
            ("listen", json!("127.0.0.1:2"), Source::Flag("--listen")),
            ("data", json!("a"), file.clone()),
            ("demo", json!(true), Source::Environment("TACITD_DEMO")),
            ("passphrase", Value::Null, Source::Default),
            ("about.name", json!("Harbour"), file.clone()),
            ("about.contact", json!([{"method": "email", "info": "a@b.example"}]), file.clone()),
            ("about.motd", Value::Null, Source::Default),
            ("unit.chf.path", json!("chf"), Source::Default),
            ("unit.chf.bolt11", json!(true), Source::Default),
            ("unit.usd.path", json!("dollars"), file),
        ] {
            let found = row(&rows, name);
            assert_eq!((&found.value, &found.source), (&value, &source), "{name}");
        }
    }

    #[test]
    fn the_passphrase_is_not_shown() {
        let directory = tempfile::tempdir().unwrap();
        let held = directory.path().join("passphrase");
        fs::write(&held, "open sesame").unwrap();
        let places = Places::file(held.clone());
        let overrides = || Overrides { passphrase: places.clone(), ..Overrides::default() };
        let rows = rows(overrides(), LEAST);
        assert_eq!(row(&rows, "passphrase").value, json!(HIDDEN));
        assert_eq!(row(&rows, "passphrase").source, Source::File(held.clone()));
        assert!(!format!("{rows:?}").contains("sesame"));
        fs::remove_file(held).unwrap();
        assert!(matches!(in_force(overrides(), None), Err(ConfigError::Passphrase(_))));
    }

    /// The rows and [`SETTINGS`] name the same.
    #[test]
    fn every_setting_is_shown() {
        let shown: BTreeSet<String> = rows(Overrides::default(), LEAST)
            .into_iter()
            .map(|row| row.name.replace("unit.usd.", "unit."))
            .collect();
        let declared: BTreeSet<String> = SETTINGS
            .iter()
            .map(|setting| setting.name.trim_end_matches(".method").trim_end_matches(".info"))
            .filter(|name| !["config", "new-passphrase"].contains(name))
            .map(str::to_owned)
            .collect();
        assert_eq!(shown, declared);
    }
}
