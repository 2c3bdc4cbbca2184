//! Where the database is, and who asks: a URL, and a password that stands elsewhere.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// A database to keep a vault in. Prints without its password.
#[derive(Clone)]
pub struct Target {
    config: Config,
    /// Host, port and name, as given.
    shown: String,
}

/// Why a database URL cannot be used. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Another scheme.
    #[error("a vault's URL begins with postgres://")]
    Scheme,
    /// Asked for TLS, which the connection to the database does not speak yet.
    #[error(
        "sslmode={mode} is not supported: use a Unix socket, or a tunnel or a network of your own with sslmode=disable"
    )]
    Tls {
        /// What was asked for.
        mode: String,
    },
    /// Not to be read.
    #[error("the vault's URL cannot be read")]
    Form(#[source] tokio_postgres::Error),
    /// No database was named.
    #[error("the vault's URL names no {what}")]
    Incomplete {
        /// What is missing.
        what: &'static str,
    },
    /// A name of another machine, in the clear, without having been asked for.
    #[error(
        "the connection to {host} would not be encrypted: add sslmode=disable if its network is yours alone"
    )]
    Plain {
        /// The host.
        host: String,
    },
}

impl FromStr for Target {
    type Err = TargetError;

    /// Reads `postgres://user@host[:port][,host…]/database[?option=value…]`, as PostgreSQL's own programs do. Several
    /// hosts are tried in order; `target_session_attrs=read-write` finds the one that leads.
    fn from_str(url: &str) -> Result<Self, TargetError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(TargetError::Scheme);
        }
        let asked = option(url, "sslmode");
        if let Some(mode) = asked.filter(|mode| !matches!(*mode, "disable" | "prefer" | "allow")) {
            return Err(TargetError::Tls { mode: mode.to_owned() });
        }
        let mut config: Config =
            url.replace("sslmode=allow", "sslmode=prefer").parse().map_err(TargetError::Form)?;
        let incomplete = |what| TargetError::Incomplete { what };
        config.get_user().ok_or(incomplete("user"))?;
        config.get_dbname().ok_or(incomplete("database"))?;
        if config.get_hosts().is_empty() {
            return Err(incomplete("host"));
        }
        for host in config.get_hosts() {
            if let Host::Tcp(name) = host
                && asked != Some("disable")
                && !is_this_machine(name)
            {
                return Err(TargetError::Plain { host: name.clone() });
            }
        }
        config.ssl_mode(SslMode::Disable);
        config.application_name("tacitd");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(3));
        }
        config.keepalives_idle(Duration::from_secs(10));
        config.tcp_user_timeout(Duration::from_secs(20));
        Ok(Self { config, shown: without_password(url) })
    }
}

impl Target {
    /// Whether the URL itself holds a password.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// The same with a password from elsewhere.
    pub fn with_password(mut self, password: &[u8]) -> Self {
        self.config.password(password);
        self
    }

    /// What a line of a password file must name: hosts with their ports, database, user.
    pub fn names(&self) -> Vec<[String; 4]> {
        let ports = self.config.get_ports();
        let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(5432).to_string();
        let database = self.config.get_dbname().unwrap_or_default();
        let user = self.config.get_user().unwrap_or_default();
        let named = |(at, host): (usize, &Host)| {
            let host = match host {
                Host::Tcp(name) => name.clone(),
                Host::Unix(_) => "localhost".to_owned(),
            };
            [host, port(at), database.to_owned(), user.to_owned()]
        };
        self.config.get_hosts().iter().enumerate().map(named).collect()
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }
}

/// Without the password and without options.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.shown)
    }
}

fn is_this_machine(name: &str) -> bool {
    let address: Option<std::net::IpAddr> = name.parse().ok();
    name == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// The value of an option in the part behind the question mark.
fn option<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, options) = url.split_once('?')?;
    let pairs = options.split('&').filter_map(|pair| pair.split_once('='));
    pairs.rev().find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn without_password(url: &str) -> String {
    let bare = url.split_once('?').map_or(url, |(bare, _)| bare);
    let Some((scheme, rest)) = bare.split_once("://") else { return String::new() };
    let (login, place) =
        rest.rsplit_once('@').map_or((None, rest), |(login, place)| (Some(login), place));
    let user = login.map(|login| login.split(':').next().unwrap_or_default());
    match user {
        Some(user) => format!("{scheme}://{user}@{place}"),
        None => format!("{scheme}://{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> TargetError {
        url.parse::<Target>().unwrap_err()
    }

    #[test]
    fn a_target_prints_without_its_password() {
        let url = "postgres://tacit:se%40cret@127.0.0.1:5433/vault?options=-csearch_path%3Da";
        let target: Target = url.parse().unwrap();
        assert!(target.has_password());
        assert_eq!(target.to_string(), "postgres://tacit@127.0.0.1:5433/vault");
        assert_eq!(format!("{target:?}"), "Target(postgres://tacit@127.0.0.1:5433/vault)");
    }

    #[test]
    fn what_would_not_be_encrypted_must_be_asked_for() {
        assert!(matches!(
            refusal("postgres://tacit@db.example.org/vault"),
            TargetError::Plain { .. }
        ));
        assert!("postgres://tacit@db.example.org/vault?sslmode=disable".parse::<Target>().is_ok());
        assert!("postgres://tacit@%2Frun%2Fpostgresql/vault".parse::<Target>().is_ok());
        for mode in ["require", "verify-ca", "verify-full"] {
            let url = format!("postgres://tacit@localhost/vault?sslmode={mode}");
            assert!(matches!(refusal(&url), TargetError::Tls { .. }), "{mode}");
        }
    }

    #[test]
    fn a_target_is_complete() {
        assert!(matches!(refusal("mysql://tacit@localhost/vault"), TargetError::Scheme));
        assert!(matches!(
            refusal("postgres://localhost/vault"),
            TargetError::Incomplete { what: "user" }
        ));
        assert!(matches!(
            refusal("postgres://tacit@localhost"),
            TargetError::Incomplete { what: "database" }
        ));
        assert!(matches!(
            refusal("postgres://tacit@/vault"),
            TargetError::Incomplete { what: "host" }
        ));
        assert!(matches!(refusal("postgres://tacit@localhost:x/vault"), TargetError::Form(_)));
    }
}
