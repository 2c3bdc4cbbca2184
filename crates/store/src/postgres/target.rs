//! Where the database is, and who asks: a URL, and a password that stands elsewhere.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::tls::{Tls, Trust};

/// A database to keep a vault in. Prints without its password.
#[derive(Clone)]
pub struct Target {
    config: Config,
    /// `None`: in the clear.
    tls: Option<Tls>,
    /// Host, port and name, as given.
    shown: String,
}

/// Why a database URL cannot be used. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Another scheme.
    #[error("a vault's URL begins with postgres://")]
    Scheme,
    /// A mode of encryption that is none.
    #[error("sslmode={mode} is unknown: verify-full, verify-ca, require and disable are known")]
    Mode {
        /// What was asked for.
        mode: String,
    },
    /// Says how to encrypt, where nothing is.
    #[error(
        "{option} is given, and the connection is not to be encrypted: add sslmode=verify-full"
    )]
    Unused {
        /// The option.
        option: &'static str,
    },
    /// Any name will do, and any of the many that the system's authorities sign for has one.
    #[error(
        "sslmode=verify-ca needs the certificate of the database's own authority: sslrootcert=FILE"
    )]
    Authority,
    /// A certificate without its key, or a key without its certificate.
    #[error("sslcert and sslkey belong together")]
    HalfCertificate,
    /// Not to be read.
    #[error("the vault's URL cannot be read")]
    Form(#[source] tokio_postgres::Error),
    /// No database was named.
    #[error("the vault's URL names no {what}")]
    Incomplete {
        /// What is missing.
        what: &'static str,
    },
    /// Hosts and Unix sockets, with TLS, which a socket does not carry.
    #[error("a Unix socket carries no TLS: name sockets alone, or hosts alone")]
    Mixed,
    /// A name of another machine, in the clear, without having been asked for.
    #[error(
        "the connection to {host} would not be encrypted: add sslmode=verify-full, or sslmode=disable if its network is \
         yours alone"
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
    ///
    /// `sslmode`, `sslrootcert`, `sslcert` and `sslkey` say how the connection is encrypted. Other than those programs,
    /// `require` checks the certificate as `verify-full` does, and what is not asked for is refused between machines.
    fn from_str(url: &str) -> Result<Self, TargetError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(TargetError::Scheme);
        }
        let (rest, asked) = Asked::taken_from(url);
        let tls = asked.tls()?;
        let mut config: Config = rest.parse().map_err(TargetError::Form)?;
        let incomplete = |what| TargetError::Incomplete { what };
        config.get_user().ok_or(incomplete("user"))?;
        config.get_dbname().ok_or(incomplete("database"))?;
        if config.get_hosts().is_empty() {
            return Err(incomplete("host"));
        }
        let sockets = config.get_hosts().iter().filter(|host| matches!(host, Host::Unix(_)));
        let tls = match (tls, sockets.count()) {
            (Some(_), some) if some == config.get_hosts().len() => None, // It does not leave the machine.
            (Some(_), 1..) => return Err(TargetError::Mixed),
            (tls, _) => tls,
        };
        for host in config.get_hosts() {
            if let Host::Tcp(name) = host
                && tls.is_none()
                && asked.mode() != Some("disable")
                && !is_this_machine(name)
            {
                return Err(TargetError::Plain { host: name.clone() });
            }
        }
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        config.application_name("tacitd");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(3));
        }
        config.keepalives_idle(Duration::from_secs(10));
        config.tcp_user_timeout(Duration::from_secs(20));
        Ok(Self { config, tls, shown: without_password(url) })
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

    pub(super) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
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

/// What a URL says of encryption, as it is written there. What stands last counts.
#[derive(Default)]
struct Asked<'a> {
    mode: Option<Cow<'a, str>>,
    root: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl<'a> Asked<'a> {
    /// Takes what the client library does not know, or knows otherwise, from the part behind the question mark.
    fn taken_from(url: &'a str) -> (String, Self) {
        let mut asked = Self::default();
        let Some((place, options)) = url.split_once('?') else { return (url.to_owned(), asked) };
        let mut others = Vec::new();
        for option in options.split('&') {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let decoded = percent_decode_str(value);
            match percent_decode_str(name).decode_utf8_lossy().as_ref() {
                "sslmode" => asked.mode = Some(decoded.decode_utf8_lossy()),
                "sslrootcert" => asked.root = Some(path(decoded.collect())),
                "sslcert" => asked.certificate = Some(path(decoded.collect())),
                "sslkey" => asked.key = Some(path(decoded.collect())),
                _ => others.push(option),
            }
        }
        let rest = if others.is_empty() {
            place.to_owned()
        } else {
            format!("{place}?{}", others.join("&"))
        };
        (rest, asked)
    }

    fn mode(&self) -> Option<&str> {
        self.mode.as_deref()
    }

    fn tls(&self) -> Result<Option<Tls>, TargetError> {
        let is_named = match self.mode() {
            None | Some("disable" | "allow" | "prefer") => return self.plain().map(|()| None),
            Some("verify-ca") => false,
            Some("verify-full" | "require") => true,
            Some(mode) => return Err(TargetError::Mode { mode: mode.to_owned() }),
        };
        let trust = match &self.root {
            Some(path) if path.as_os_str() != "system" => Trust::File(path.clone()),
            _ if is_named => Trust::System,
            _ => return Err(TargetError::Authority),
        };
        let own = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (None, None) => None,
            _ => return Err(TargetError::HalfCertificate),
        };
        Ok(Some(Tls { trust, is_named, own }))
    }

    /// Refuses what would be heeded only if the connection were encrypted.
    fn plain(&self) -> Result<(), TargetError> {
        let given =
            [("sslrootcert", &self.root), ("sslcert", &self.certificate), ("sslkey", &self.key)];
        match given.iter().find(|(_, value)| value.is_some()) {
            Some((option, _)) => Err(TargetError::Unused { option }),
            None => Ok(()),
        }
    }
}

fn path(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
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
        for mode in ["allow", "prefer"] {
            let url = format!("postgres://tacit@db.example.org/vault?sslmode={mode}");
            assert!(matches!(refusal(&url), TargetError::Plain { .. }), "{mode}");
            let here: Target =
                format!("postgres://tacit@[::1]/vault?sslmode={mode}").parse().unwrap();
            assert_eq!(here.tls(), None, "{mode}");
        }
    }

    #[test]
    fn encryption_is_as_it_is_asked_for() {
        let asked = |options: &str| {
            let url = format!("postgres://tacit@db.example.org/vault?{options}");
            url.parse::<Target>()
        };
        let tls = |options: &str| asked(options).unwrap().tls().cloned();
        let named = Tls { trust: Trust::System, is_named: true, own: None };
        for options in ["sslmode=require", "ssl%6Dode=verify-full&sslrootcert=system"] {
            assert_eq!(tls(options), Some(named.clone()), "{options}");
        }
        let own = Some(("own.pem".into(), "key.pem".into()));
        let all = Tls { trust: Trust::File("/etc/a&b.pem".into()), is_named: false, own };
        let options = "sslmode=disable&sslrootcert=%2Fetc%2Fa%26b.pem&sslkey=key.pem&connect_timeout=2\
            &sslcert=own.pem&sslmode=verify-ca";
        assert_eq!(tls(options), Some(all), "the last mode counts");
        assert_eq!(tls("sslmode=disable&connect_timeout=2"), None);
        let refusal = |options: &str| asked(options).unwrap_err();
        assert!(matches!(refusal("sslmode=on"), TargetError::Mode { .. }));
        for options in ["sslmode=verify-ca", "sslmode=verify-ca&sslrootcert=system"] {
            assert!(matches!(refusal(options), TargetError::Authority), "{options}");
        }
        assert!(matches!(refusal("sslmode=require&sslkey=k"), TargetError::HalfCertificate));
        for option in ["sslrootcert", "sslcert", "sslkey"] {
            let unused = refusal(&format!("{option}=file&sslmode=disable"));
            assert!(matches!(unused, TargetError::Unused { option: found } if found == option));
        }
        assert!(matches!(refusal("sslcrl=list"), TargetError::Form(_)), "not ignored");
    }

    #[test]
    fn a_socket_carries_no_tls() {
        let socket = "postgres://tacit@%2Frun%2Fpostgresql/vault?sslmode=require";
        assert_eq!(socket.parse::<Target>().unwrap().tls(), None);
        let mixed = "postgres://tacit@%2Frun%2Fpostgresql,db.example.org/vault?sslmode=require";
        assert!(matches!(refusal(mixed), TargetError::Mixed));
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
