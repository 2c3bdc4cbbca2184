//! The three origins, and what may be asked on which.
//!
//! A browser keeps what it holds for a page (logins, storage, permissions) by origin. The mint, the desk and the wallet have
//! one each, so that no login of the desk can ride along with a payment, and nothing the mint serves can reach a wallet.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// Scheme, host and port of a site, as a browser sees it: `https://mint.example.org`.
///
/// Invariants: the host is of `a-z`, `0-9`, `-` and `.`, so that it can stand in a page, a header and a shell's line as it
/// is; no path follows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin {
    is_secure: bool,
    host: String,
    port: u16,
}

/// Why a text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is http:// or https://, a name of a-z, 0-9, - and ., and at most a port: https://mint.example.org"
)]
pub struct OriginError;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// Mints, and what an operator's machines ask for. Answers wherever neither of the others is asked for.
    Mint,
    /// People with names: portal, consoles, checkout.
    Desk,
    /// The wallet that people carry.
    Wallet,
    /// `/health`, `/ready` and `/metrics` alone, on a listener of their own.
    Operator,
}

/// The origins of a server, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Origins {
    /// Where wallets are told to find the mints. They answer under every other name, too.
    pub mint: Option<Origin>,
    /// The desk's; without one there is no desk.
    pub desk: Option<Origin>,
    /// The wallet's; without one there is none.
    pub wallet: Option<Origin>,
}

impl Origin {
    /// An origin.
    ///
    /// # Errors
    /// [`OriginError`] if the host is not of the characters allowed, or is too long for a name.
    pub fn new(is_secure: bool, host: &str, port: u16) -> Result<Self, OriginError> {
        let is_plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
        };
        let is_name = !host.starts_with(['.', '-']) && !host.ends_with('.') && !host.contains("..");
        if host.is_empty() || host.len() > 253 || !host.bytes().all(is_plain) || !is_name {
            return Err(OriginError);
        }
        Ok(Self { is_secure, host: host.to_owned(), port })
    }

    /// The origin of a URL; `None` if its host is of other characters, or the URL of another scheme.
    pub(crate) fn of_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next()?;
        format!("{scheme}://{host}").to_ascii_lowercase().parse().ok()
    }

    /// Its host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is reached over TLS.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let (is_secure, rest) = match text.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("http://").ok_or(OriginError)?),
        };
        let (host, port) = match rest.split_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (host, port.parse().map_err(|_| OriginError)?)
            }
            Some(_) => return Err(OriginError),
            None => (rest, port_of(is_secure)),
        };
        Self::new(is_secure, host, port)
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        text.parse()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == port_of(self.is_secure) { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

fn port_of(is_secure: bool) -> u16 {
    if is_secure { 443 } else { 80 }
}

impl Origins {
    /// Each that is known, with whose it is.
    pub fn known(&self) -> impl Iterator<Item = (Site, &Origin)> {
        let all =
            [(Site::Mint, &self.mint), (Site::Desk, &self.desk), (Site::Wallet, &self.wallet)];
        all.into_iter().filter_map(|(site, origin)| Some((site, origin.as_ref()?)))
    }

    /// Names under `localhost` for those that nobody gave: browsers look for them on this machine.
    ///
    /// `port` is where a site is reached.
    pub fn or_localhost(self, is_secure: bool, port: impl Fn(Site) -> u16) -> Self {
        let of = |name: &str, site| {
            let origin = Origin::new(is_secure, &format!("{name}.localhost"), port(site));
            Some(origin.expect("letters and a dot"))
        };
        Self {
            mint: self.mint.or_else(|| of("mint", Site::Mint)),
            desk: self.desk.or_else(|| of("desk", Site::Desk)),
            wallet: self.wallet.or_else(|| of("wallet", Site::Wallet)),
        }
    }

    /// Whose a host is. The mint's is every host that is neither of the others'.
    ///
    /// `host` may carry a port, which says nothing: browsers keep logins by host, whatever the port.
    pub fn site_of(&self, host: &str) -> Site {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        let found = self.known().find(|(_, origin)| origin.host.eq_ignore_ascii_case(name));
        found.map_or(Site::Mint, |(site, _)| site)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_a_plain_host_and_no_path() {
        for text in ["https://mint.example.org", "http://mint.localhost:3338", "http://127.0.0.1"] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), text);
        }
        assert_eq!("http://a:80".parse::<Origin>().unwrap().to_string(), "http://a");
        for text in [
            "mint.example.org",
            "ftp://a",
            "https://",
            "https://a/",
            "https://a/b",
            "https://A",
            "https://a@b",
            "https://a:",
            "https://a:65536",
            "https://a:+1",
            "https://a b",
            "https://.a",
            "https://a..b",
            "https://a.",
            "https://[::1]",
            "https://ä.example",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError), "{text}");
        }
    }

    #[test]
    fn the_origin_of_a_url_is_what_stands_before_its_path() {
        let of = |url: &str| Origin::of_url(url).map(|origin| origin.to_string());
        let mint = Some("https://mint.example.org".to_owned());
        assert_eq!(of("https://Mint.example.org/a/usd?x#y"), mint);
        assert_eq!(of("https://mint.example.org:443"), mint);
        assert_eq!(of("http://localhost:1/usd"), Some("http://localhost:1".to_owned()));
        for url in ["", "mint.example.org", "ftp://a", "https://a@b/", "https:///x", "https://a;b/"]
        {
            assert_eq!(of(url), None, "{url}");
        }
    }

    #[test]
    fn a_host_is_known_in_any_case_with_any_port_and_a_final_dot() {
        let origins = Origins::default().or_localhost(false, |_| 3338);
        for host in ["desk.localhost", "DESK.localhost:1", "desk.localhost.", "desk.localhost.:80"]
        {
            assert_eq!(origins.site_of(host), Site::Desk, "{host}");
        }
        assert_eq!(origins.site_of("wallet.localhost:3338"), Site::Wallet);
        for host in ["mint.localhost", "127.0.0.1:3338", "[::1]:3338", "", "desk.localhost.evil"] {
            assert_eq!(origins.site_of(host), Site::Mint, "{host}");
        }
    }

    #[test]
    fn what_was_given_stays() {
        let given = Origins {
            desk: Some("https://desk.example.org".parse().unwrap()),
            ..Origins::default()
        };
        let all = given.or_localhost(true, |_| 443);
        let shown: Vec<String> = all.known().map(|(_, origin)| origin.to_string()).collect();
        assert_eq!(
            shown,
            ["https://mint.localhost", "https://desk.example.org", "https://wallet.localhost"]
        );
    }
}
