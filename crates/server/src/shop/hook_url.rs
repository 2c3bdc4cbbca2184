//! Where a webhook may go: to a name on the public internet, over TLS, or where the operator says. Else a merchant could have
//! the operator's server ask what only that server can reach.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use http::Uri;

use crate::config::Config;
use crate::origin::Origin;

/// Bytes it may have.
const MAX: usize = 500;

/// Where a webhook goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HookUrl {
    text: String,
    pub(super) is_secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as a request names them.
    pub(super) authority: String,
    /// Path and query.
    pub(super) target: String,
}

/// Why a text is no address for webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HookUrlError {
    /// No address of the web, or with a name and password in it.
    #[error("this is no address such as https://shop.example/paid")]
    Form,
    /// Without TLS.
    #[error("it must begin with https://")]
    Insecure,
}

/// Where webhooks may go beside that.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    is_everywhere: bool,
    origins: Vec<Origin>,
}

impl Reach {
    /// Everywhere in a demonstration, where merchants try things on their own machine; else to what the operator names.
    pub(crate) fn of(config: &Config) -> Self {
        Self { is_everywhere: config.demo, origins: config.webhook_origins.clone() }
    }

    /// Whether an address may be private and without TLS.
    pub(super) fn has(&self, url: &HookUrl) -> bool {
        let own = Origin::new(url.is_secure, &url.host, url.port);
        self.is_everywhere || own.is_ok_and(|own| self.origins.contains(&own))
    }
}

impl HookUrl {
    /// Whether it may be used here.
    pub(crate) fn allowed(self, reach: &Reach) -> Result<Self, HookUrlError> {
        if self.is_secure || reach.has(&self) { Ok(self) } else { Err(HookUrlError::Insecure) }
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for HookUrl {
    type Err = HookUrlError;

    fn from_str(text: &str) -> Result<Self, HookUrlError> {
        let text = text.trim();
        if MAX < text.len() {
            return Err(HookUrlError::Form);
        }
        let uri: Uri = text.parse().map_err(|_| HookUrlError::Form)?;
        let is_secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(HookUrlError::Form),
        };
        let authority = uri.authority().ok_or(HookUrlError::Form)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if authority.as_str().contains('@') || host.is_empty() {
            return Err(HookUrlError::Form);
        }
        // What is no port is not there for the library, and would be 443 in silence.
        let port = match authority.as_str().strip_prefix(authority.host()).unwrap_or(":") {
            "" => Some(if is_secure { 443 } else { 80 }),
            rest => rest.strip_prefix(':').and_then(|port| port.parse().ok()),
        };
        let port = port.filter(|port: &u16| *port != 0).ok_or(HookUrlError::Form)?;
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        Ok(Self {
            text: text.to_owned(),
            is_secure,
            host: host.to_ascii_lowercase(),
            port,
            authority: authority.as_str().to_owned(),
            target: if target.is_empty() { "/".to_owned() } else { target.to_owned() },
        })
    }
}

impl fmt::Display for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether an address is on the public internet, as far as the registries of special addresses say (IANA, RFC 6890).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b, c) {
        (0 | 10 | 127 | 224..=255, _, _) => true,
        (100, 64..=127, _) => true, // Carriers' own (RFC 6598).
        (169, 254, _) | (172, 16..=31, _) | (192, 168, _) => true,
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) => true,
        (198, 51, 100) | (203, 0, 113) => true,
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let segments = address.segments();
    // Global unicast alone; of it, what carries an address of version 4 inside counts as that, and documentation as nothing.
    match segments {
        [0x0064, 0xff9b, 0, 0, 0, 0, _, _] => is_public_v4(inner(segments[6], segments[7])),
        [0x2002, high, low, ..] => is_public_v4(inner(high, low)),
        [0x2001, 0x0db8 | 0x0000..=0x01ff, ..] | [0x3fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

fn inner(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_not_public() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101"]
        {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_address_is_https_without_a_password() {
        let url: HookUrl = "https://shop.example:8443/paid?x=1".parse().unwrap();
        assert_eq!((url.host.as_str(), url.port), ("shop.example", 8443));
        assert_eq!(
            (url.authority.as_str(), url.target.as_str()),
            ("shop.example:8443", "/paid?x=1")
        );
        for text in [
            "",
            "shop.example",
            "ftp://shop.example/",
            "https://",
            "https://user:pw@shop.example/",
            "https://shop.example:0/",
            "https://shop.example:99999/",
            "javascript:alert(1)",
        ] {
            assert_eq!(text.parse::<HookUrl>(), Err(HookUrlError::Form), "{text}");
        }
    }

    #[test]
    fn without_tls_it_goes_where_the_operator_says_alone() {
        let url = |text: &str| text.parse::<HookUrl>().unwrap();
        let demo = Reach { is_everywhere: true, origins: Vec::new() };
        let nowhere = Reach { is_everywhere: false, origins: Vec::new() };
        let tills =
            Reach { origins: vec!["http://tills.internal:8080".parse().unwrap()], ..nowhere };
        let nowhere = Reach { is_everywhere: false, origins: Vec::new() };
        let plain = "http://tills.internal:8080/paid";
        assert_eq!(url(plain).allowed(&nowhere), Err(HookUrlError::Insecure));
        assert!(url(plain).allowed(&demo).is_ok() && url(plain).allowed(&tills).is_ok());
        for other in ["http://tills.internal/", "http://localhost:8080/", "http://127.0.0.1:8080/"]
        {
            assert_eq!(url(other).allowed(&tills), Err(HookUrlError::Insecure), "{other}");
        }
        let own = "https://tills.internal:8080/";
        assert!(!tills.has(&url(own)), "over TLS it is another origin, and may not be private");
        assert!(url(own).allowed(&nowhere).is_ok());
    }
}
