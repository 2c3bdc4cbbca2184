//! Where and how a server is reached: its origins, its listeners, what it takes on, and TLS.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use crate::origin::{Origins, Site};

/// How a server is reached, beside the one address it listens on.
#[derive(Clone, Debug, Default)]
pub struct Serving {
    /// Under which names it is known; in demo mode, what is missing is a name under `localhost`.
    pub origins: Origins,
    /// Listeners of their own.
    pub listeners: Listeners,
    /// How much is taken on in a second, and how many connections at once.
    pub limits: Limits,
    /// A certificate in files.
    pub tls: TlsFiles,
    /// A certificate from an authority, asked for as it is needed.
    pub acme: Option<Acme>,
    /// Whether other machines may be spoken to without TLS: a proxy that speaks it stands in front.
    pub insecure_http: bool,
}

/// How much is taken on. 0 means without a limit. None of them is kept by address: see the guide.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections; further ones wait in the system's own queue. At least 1.
    pub connections: u32,
    /// Requests a second, of everyone together.
    pub requests_per_second: u32,
    /// Quotes opened a second, of everyone together: each is a row for 30 days.
    pub quotes_per_second: u32,
    /// Questions about proofs and outputs a second, of everyone together: each may name many.
    pub lookups_per_second: u32,
    /// WebSockets opened a second, of everyone together.
    pub sockets_per_second: u32,
    /// Passkeys asked for a second, of everyone together: to log in, to open an account, to add one.
    pub logins_per_second: u32,
    /// Requests a second over one connection, and messages over one WebSocket.
    pub connection_requests_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let each_core = |count: u32| u32::try_from(cores).unwrap_or(u32::MAX).saturating_mul(count);
        Self {
            connections: 4096,
            requests_per_second: each_core(10_000),
            quotes_per_second: 200,
            lookups_per_second: each_core(1_000),
            sockets_per_second: 200,
            logins_per_second: 20,
            connection_requests_per_second: 5_000,
        }
    }
}

/// Files of a certificate: both or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsFiles {
    /// The certificate and those it leads back to, in PEM, its own first.
    pub certificate: Option<PathBuf>,
    /// Its key, in PEM.
    pub key: Option<PathBuf>,
}

/// How a certificate is got by ACME (RFC 8555), proven by TLS-ALPN-01 (RFC 8737).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// Whether the operator has agreed to the authority's terms of service.
    #[serde(default)]
    pub terms_agreed: bool,
    /// Where the authority writes to before a certificate ends, such as `mailto:ops@example.org`.
    pub contact: Option<String>,
    /// The authority's directory.
    #[serde(default = "Acme::directory")]
    pub directory: String,
    /// Roots that the authority's own certificate leads back to, in PEM.
    #[serde(default = "Acme::roots")]
    pub roots: PathBuf,
}

impl Acme {
    /// Let's Encrypt.
    fn directory() -> String {
        "https://acme-v02.api.letsencrypt.org/directory".to_owned()
    }

    /// Where Debian, and most others, keep the system's.
    fn roots() -> PathBuf {
        PathBuf::from("/etc/ssl/certs/ca-certificates.crt")
    }
}

/// Listeners for one site alone. The desk or the wallet, once it has one, answers there and nowhere else.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listeners {
    /// Address and port of the desk's.
    pub desk: Option<String>,
    /// Address and port of the wallet's.
    pub wallet: Option<String>,
    /// Address and port of `/health`, `/ready` and `/metrics`.
    pub operator: Option<String>,
}

/// Why a server cannot be reached so. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum ServingError {
    /// Two origins with one host: browsers send logins by host, whatever the port.
    #[error(
        "two origins have the host {host}: browsers keep logins by host, so each needs its own"
    )]
    SameHost {
        /// The host.
        host: String,
    },
    /// No address to listen on.
    #[error(
        "cannot listen on {listen}: an address of this machine and a free port are wanted, such as 127.0.0.1:3338"
    )]
    Listen {
        /// What was given.
        listen: String,
    },
    /// A listener of a site that has no origin.
    #[error("listener.{key} wants origin.{key}: nobody would know what to ask it for")]
    NoOrigin {
        /// Which.
        key: &'static str,
    },
    /// Nobody could connect.
    #[error("limit.connections must be at least 1")]
    NoConnections,
    /// A certificate without its key, or a key alone.
    #[error("tls.certificate and tls.key go together: one of them is missing")]
    HalfTls,
    /// Two certificates for one listener.
    #[error("[tls] and [acme] are two ways to one certificate: keep one of them")]
    TwiceTls,
    /// An authority's terms were not agreed to.
    #[error("acme.terms_agreed must be true: read the terms of service of {directory} first")]
    Terms {
        /// The authority's directory.
        directory: String,
    },
    /// A certificate is for names, and there are none.
    #[error(
        "[acme] wants an origin that begins with https://, such as origin.mint, to ask a certificate for"
    )]
    NoNames,
    /// Anybody on the way could read and change what is said.
    #[error(
        "{listen} is open to other machines without TLS: set [tls] or [acme], or --insecure-http if a proxy in front speaks TLS"
    )]
    Insecure {
        /// Where.
        listen: String,
    },
}

impl TlsFiles {
    /// Certificate and key.
    pub fn both(&self) -> Option<(&PathBuf, &PathBuf)> {
        self.certificate.as_ref().zip(self.key.as_ref())
    }
}

impl Listeners {
    /// Each that there is, with whose it is.
    pub fn known(&self) -> impl Iterator<Item = (Site, &str)> {
        let all = [
            (Site::Desk, &self.desk),
            (Site::Wallet, &self.wallet),
            (Site::Operator, &self.operator),
        ];
        all.into_iter().filter_map(|(site, listen)| Some((site, listen.as_deref()?)))
    }

    /// Whether a site has one.
    pub fn has(&self, site: Site) -> bool {
        self.known().any(|(own, _)| own == site)
    }
}

impl Serving {
    /// Checks what can be checked before anything is opened. `listen` is the one address that all answer on.
    ///
    /// # Errors
    /// [`ServingError`].
    pub(super) fn check(&self, listen: &str, demo: bool) -> Result<(), ServingError> {
        let mut hosts: Vec<&str> = self.origins.known().map(|(_, it)| it.host()).collect();
        hosts.sort_unstable();
        if let Some(same) = hosts.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ServingError::SameHost { host: same[0].to_owned() });
        }
        for listen in std::iter::once(listen).chain(self.listeners.known().map(|(_, at)| at)) {
            if !is_address(listen) {
                return Err(ServingError::Listen { listen: listen.to_owned() });
            }
        }
        for (key, site) in [("desk", Site::Desk), ("wallet", Site::Wallet)] {
            let has_origin = demo || self.origins.known().any(|(own, _)| own == site);
            if self.listeners.has(site) && !has_origin {
                return Err(ServingError::NoOrigin { key });
            }
        }
        if self.limits.connections == 0 {
            return Err(ServingError::NoConnections);
        }
        self.check_tls()?;
        self.check_privacy(listen, demo)
    }

    fn check_tls(&self) -> Result<(), ServingError> {
        let TlsFiles { certificate, key } = &self.tls;
        if certificate.is_some() != key.is_some() {
            return Err(ServingError::HalfTls);
        }
        let Some(acme) = &self.acme else { return Ok(()) };
        if certificate.is_some() {
            return Err(ServingError::TwiceTls);
        }
        if !acme.terms_agreed {
            return Err(ServingError::Terms { directory: acme.directory.clone() });
        }
        if self.secure_hosts().next().is_none() {
            return Err(ServingError::NoNames);
        }
        Ok(())
    }

    /// What is said to other machines is said over TLS. A demo has nothing to lose.
    fn check_privacy(&self, listen: &str, demo: bool) -> Result<(), ServingError> {
        if demo || self.insecure_http {
            return Ok(());
        }
        let common = (Site::Mint, listen);
        let mut in_the_clear = std::iter::once(common)
            .chain(self.listeners.known())
            .filter(|(site, _)| *site == Site::Operator || !self.is_secure());
        match in_the_clear.find(|(_, listen)| !is_of_this_machine(listen)) {
            Some((_, listen)) => Err(ServingError::Insecure { listen: listen.to_owned() }),
            None => Ok(()),
        }
    }

    /// Whether the sites are served over TLS. The operator's own listener never is.
    pub fn is_secure(&self) -> bool {
        self.tls.both().is_some() || self.acme.is_some()
    }

    /// Hosts that are reached over TLS.
    pub fn secure_hosts(&self) -> impl Iterator<Item = &str> {
        let origins = self.origins.known().map(|(_, origin)| origin);
        origins.filter(|origin| origin.is_secure()).map(|origin| origin.host())
    }
}

/// Whether only this machine can reach a listener.
fn is_of_this_machine(listen: &str) -> bool {
    match listen.parse::<SocketAddr>() {
        Ok(address) => address.ip().is_loopback(),
        Err(_) => listen.rsplit_once(':').is_some_and(|(host, _)| host == "localhost"),
    }
}

/// An address or a name, and a port.
fn is_address(listen: &str) -> bool {
    let (host, port) = listen.rsplit_once(':').unwrap_or_default();
    !host.is_empty() && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;
    use super::super::{Config, ConfigError};
    use super::*;

    fn with(lines: &str) -> Result<Config, ConfigError> {
        parse(&format!("{lines}\n[[unit]]\nunit = 'usd'"))
    }

    fn refusal(lines: &str) -> ServingError {
        match with(lines) {
            Err(ConfigError::Serving(error)) => error,
            other => panic!("{lines}: {other:?}"),
        }
    }

    #[test]
    fn two_origins_with_one_host_are_refused_whatever_their_ports() {
        let same = "[origin]\nmint = 'https://example.org'\ndesk = 'https://example.org:8443'";
        assert!(matches!(refusal(same), ServingError::SameHost { host } if host == "example.org"));
    }

    #[test]
    fn a_listener_wants_an_address_and_an_origin() {
        for listen in ["nowhere", "3338", ":3338", "127.0.0.1:", "127.0.0.1:65536"] {
            let bad = format!("[listener]\noperator = '{listen}'");
            assert!(matches!(refusal(&bad), ServingError::Listen { .. }), "{listen}");
            let bad = format!("listen = '{listen}'");
            assert!(matches!(refusal(&bad), ServingError::Listen { .. }), "{listen}");
        }
        let desk = "[listener]\ndesk = '127.0.0.1:1'\n";
        assert!(matches!(refusal(desk), ServingError::NoOrigin { key: "desk" }));
        with(&format!("{desk}[origin]\ndesk = 'https://desk.example.org'")).unwrap();
        with(&format!("demo = true\n{desk}")).unwrap();
    }

    #[test]
    fn a_certificate_comes_whole_and_from_one_place() {
        let files = "[tls]\ncertificate = 'a'\nkey = 'b'\n";
        let acme = "[acme]\nterms_agreed = true\n";
        let origin = "[origin]\nmint = 'https://mint.example.org'\n";
        with(files).unwrap();
        with(&format!("{acme}{origin}")).unwrap();
        assert!(matches!(refusal("[tls]\nkey = 'b'"), ServingError::HalfTls));
        assert!(matches!(refusal("[tls]\ncertificate = 'b'"), ServingError::HalfTls));
        assert!(matches!(refusal(&format!("{files}{acme}{origin}")), ServingError::TwiceTls));
        assert!(matches!(refusal(&format!("[acme]\n{origin}")), ServingError::Terms { .. }));
        assert!(matches!(refusal(acme), ServingError::NoNames));
        let plain = origin.replace("https", "http");
        assert!(matches!(refusal(&format!("{acme}{plain}")), ServingError::NoNames));
        assert!(matches!(refusal("[limit]\nconnections = 0"), ServingError::NoConnections));
    }

    #[test]
    fn other_machines_are_not_spoken_to_in_the_clear_unless_that_is_said() {
        let tls = "[tls]\ncertificate = 'a'\nkey = 'b'\n";
        let operator = "[listener]\noperator = '0.0.0.0:9000'\n";
        for listen in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "mint.example.org:1"] {
            let open = format!("listen = '{listen}'\n");
            assert!(matches!(refusal(&open), ServingError::Insecure { .. }), "{listen}");
            with(&format!("{open}{tls}")).unwrap();
            with(&format!("insecure_http = true\n{open}")).unwrap();
            with(&format!("demo = true\n{open}")).unwrap();
        }
        for listen in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"] {
            with(&format!("listen = '{listen}'")).unwrap();
        }
        assert!(matches!(refusal(operator), ServingError::Insecure { .. }));
        assert!(matches!(refusal(&format!("{operator}{tls}")), ServingError::Insecure { .. }));
    }

    #[test]
    fn what_is_no_origin_is_refused_with_its_line() {
        let wrong = with("[origin]\nmint = 'mint.example.org'").unwrap_err();
        assert!(matches!(wrong, ConfigError::Parse { .. }), "{wrong}");
    }
}
