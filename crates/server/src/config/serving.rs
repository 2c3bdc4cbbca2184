//! Where a server is reached: its origins, and listeners of their own for some.

use serde::Deserialize;

use crate::origin::{Origins, Site};

/// Where a server is reached, beside the one address it listens on.
#[derive(Clone, Debug, Default)]
pub struct Serving {
    /// Under which names it is known; in demo mode, what is missing is a name under `localhost`.
    pub origins: Origins,
    /// Listeners of their own.
    pub listeners: Listeners,
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
        Ok(())
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
    fn what_is_no_origin_is_refused_with_its_line() {
        let wrong = with("[origin]\nmint = 'mint.example.org'").unwrap_err();
        assert!(matches!(wrong, ConfigError::Parse { .. }), "{wrong}");
    }
}
