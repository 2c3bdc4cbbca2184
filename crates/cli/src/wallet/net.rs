//! The wire: one request to a mint, and what came back.
//!
//! Nothing goes with a request that tells this wallet from another: no cookie, no user agent, no language. Names are
//! resolved by the proxy where there is one that can.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use http::Uri;
use tacit_core::secret::Secret;
use tacit_credit::certificate::request::Address;
use tacit_wallet::mint::MintUrl;
use tacit_wallet::transport::{Answer, Recipient, Request};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Proxy, ProxyProtocol};

/// Most bytes of an answer: keys of a hundred keysets.
const ANSWER_MAX: u64 = 16 << 20;
/// Most bytes of a request for a certificate: as many as are read.
const REACHED_MAX: u64 = 64 << 10;
/// Pauses before a request is sent again.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1500)];

/// How to reach mints.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// As in `socks5h://127.0.0.1:9050`; else what the environment says.
    pub(super) proxy: Option<String>,
    /// How long one request may take.
    pub(super) timeout: Duration,
    /// Whether `http` is used beyond this machine.
    pub(super) is_insecure: bool,
}

/// Looks names up. Those under `localhost` are this machine's, which not every system knows (RFC 6761, section 6.3).
#[derive(Debug, Default)]
struct Names(DefaultResolver);

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        if host != "localhost" && !host.ends_with(".localhost") {
            return self.0.resolve(uri, config, timeout);
        }
        let is_https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let mut found = self.empty();
        found.push((Ipv4Addr::LOCALHOST, port).into());
        found.push((Ipv6Addr::LOCALHOST, port).into());
        Ok(found)
    }
}

/// Connections to mints.
pub(super) struct Net {
    agent: Agent,
    proxy: Option<Proxy>,
    settings: Settings,
    /// Why no answer came, the last time.
    trouble: Option<String>,
}

/// Why a mint is not asked. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub(super) enum NetError {
    #[error("the proxy is not one: use http://, socks5:// or socks5h://HOST:PORT")]
    Proxy,
    #[error("{mint} is not an address that can be called")]
    Address { mint: MintUrl },
    #[error(
        "{mint} is without encryption: who listens could take the money; use https, or --insecure if it is yours"
    )]
    Insecure { mint: MintUrl },
    #[error("{mint} is reached through Tor only: use --proxy socks5h://127.0.0.1:9050")]
    NeedsTor { mint: MintUrl },
}

impl Net {
    /// Opens nothing yet.
    ///
    /// # Errors
    /// [`NetError::Proxy`].
    pub(super) fn new(settings: Settings) -> Result<Self, NetError> {
        let proxy = match &settings.proxy {
            Some(proxy) => Some(Proxy::new(proxy).map_err(|_| NetError::Proxy)?),
            None => Proxy::try_from_env(),
        };
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .proxy(proxy.clone())
            .http_status_as_error(false)
            .max_redirects(0) // A mint that has moved is another mint, until its owner says otherwise.
            .max_redirects_will_error(false)
            .user_agent("")
            .accept("application/json")
            .timeout_connect(Some(settings.timeout.min(Duration::from_secs(20))))
            .timeout_global(Some(settings.timeout));
        let agent =
            Agent::with_parts(config.build(), DefaultConnector::default(), Names::default());
        Ok(Self { agent, proxy, settings, trouble: None })
    }

    /// Whether this mint may be asked at all.
    ///
    /// # Errors
    /// [`NetError`].
    pub(super) fn check(&self, mint: &MintUrl) -> Result<(), NetError> {
        self.check_address(mint, false)
    }

    /// A payee's address is looked at as a mint's is, but that it may carry a query.
    fn check_address(&self, mint: &MintUrl, may_ask: bool) -> Result<(), NetError> {
        let address = || NetError::Address { mint: mint.clone() };
        let uri: Uri = mint.as_str().parse().map_err(|_| address())?;
        let host = uri.host().ok_or_else(address)?.trim_matches(['[', ']']).to_ascii_lowercase();
        // A name and password in an address would end up in histories and on screens.
        if uri.authority().is_some_and(|it| it.as_str().contains('@'))
            || (uri.query().is_some() && !may_ask)
        {
            return Err(address());
        }
        let is_onion = host.ends_with(".onion");
        let resolves = self.proxy.as_ref().is_some_and(|proxy| {
            !proxy.resolve_target() && proxy.protocol() != ProxyProtocol::Socks4
        });
        if is_onion && !resolves {
            return Err(NetError::NeedsTor { mint: mint.clone() });
        }
        let is_https = uri.scheme_str() == Some("https");
        if is_https || is_onion || is_this_machine(&host) || self.settings.is_insecure {
            return Ok(());
        }
        Err(NetError::Insecure { mint: mint.clone() })
    }

    /// Sends a request, again if nothing came back: what a mint has done it does not do twice.
    ///
    /// # Errors
    /// [`NetError`]; then nothing was sent.
    pub(super) fn send(&mut self, request: &Request) -> Result<Answer, NetError> {
        match &request.to {
            Recipient::Mint(mint) => self.check(mint)?,
            Recipient::Desk(account) => self.check(&account.url)?,
            Recipient::Payee(url) => {
                let url = url.as_str().parse().expect("a payee's address is one a mint could have");
                self.check_address(&url, true)?;
            }
        }
        self.trouble = None;
        let mut pauses = PAUSES.into_iter();
        loop {
            let (answer, is_final) = self.try_once(request);
            match pauses.next().filter(|_| !is_final) {
                Some(pause) => sleep(pause),
                None => return Ok(answer),
            }
        }
    }

    /// Fetches what an address has, or sends it a form, once: whoever asks for a certificate need not keep what it has done.
    ///
    /// # Errors
    /// [`NetError`]; then nothing was sent.
    pub(super) fn reach(&mut self, to: &Address, form: Option<&str>) -> Result<Answer, NetError> {
        self.trouble = None;
        let Ok(url) = to.url().parse() else { return Ok(Answer::Lost) };
        self.check_address(&url, true)?;
        let sent = match form {
            None => self.agent.get(to.url()).header("accept", "*/*").call(),
            Some(form) => {
                let post = self.agent.post(to.url()).header("accept", "*/*");
                post.header("content-type", "application/x-www-form-urlencoded").send(form)
            }
        };
        let read = sent.and_then(|mut response| {
            let status = response.status().as_u16();
            let body = response.body_mut().with_config().limit(REACHED_MAX).read_to_vec()?;
            Ok((status, body))
        });
        Ok(match read {
            Ok((status, body)) => Answer::Received { status, body: Secret::new(body) },
            Err(error) => {
                self.trouble = Some(reason(&error));
                Answer::Lost
            }
        })
    }

    /// Why no answer came, the last time.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Sends a request once; whether it makes no sense to send it again now.
    fn try_once(&mut self, request: &Request) -> (Answer, bool) {
        let url = request.url();
        let shown = match &request.to {
            Recipient::Desk(account) => Some(format!("Bearer {}", account.bearer.expose())),
            Recipient::Mint(_) | Recipient::Payee(_) => None,
        };
        let sent = match &request.body {
            None => {
                let get = self.agent.get(&url);
                shown.iter().fold(get, |get, shown| get.header("authorization", shown)).call()
            }
            Some(body) => {
                let post = self.agent.post(&url).header("content-type", "application/json");
                let post =
                    shown.iter().fold(post, |post, shown| post.header("authorization", shown));
                post.send(body.expose())
            }
        };
        let read = sent.and_then(|mut response| {
            let status = response.status().as_u16();
            let body = response.body_mut().with_config().limit(ANSWER_MAX).read_to_vec()?;
            Ok((status, body))
        });
        match read {
            Ok((status, body)) => {
                let is_passing = matches!(status, 429 | 502..=504);
                if !(200..500).contains(&status) || status == 429 {
                    self.trouble = Some(format!("it answers with status {status}"));
                }
                (Answer::Received { status, body: Secret::new(body) }, !is_passing)
            }
            Err(error) => {
                // Who has waited long enough does not wait again.
                let is_final = matches!(error, ureq::Error::Timeout(_) | ureq::Error::BadUri(_));
                self.trouble = Some(reason(&error));
                (Answer::Lost, is_final)
            }
        }
    }
}

/// What went wrong, in words. Never the request: its body may be money.
fn reason(error: &ureq::Error) -> String {
    let is_refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    if matches!(error, ureq::Error::Timeout(_)) {
        "it took too long".to_owned()
    } else if matches!(error, ureq::Error::HostNotFound) {
        "its name is not known here".to_owned()
    } else if matches!(error, ureq::Error::Io(error) if is_refused(error)) {
        "nothing listens there".to_owned()
    } else {
        error.to_string()
    }
}

/// Whether a host is this machine: then nobody listens on the way (RFC 6761, section 6.3).
fn is_this_machine(host: &str) -> bool {
    let is_loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback || host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(proxy: Option<&str>, is_insecure: bool) -> Net {
        let timeout = Duration::from_secs(1);
        let proxy = Some(proxy.unwrap_or("http://127.0.0.1:1").to_owned());
        Net::new(Settings { proxy, timeout, is_insecure }).unwrap()
    }

    #[test]
    fn only_this_machine_and_onions_are_called_without_encryption() {
        let tor = Some("socks5h://127.0.0.1:9050");
        let check = |address: &str| net(tor, false).check(&address.parse().unwrap());
        for good in [
            "https://mint.example/usd",
            "http://127.0.0.1:3338/usd",
            "http://[::1]:3338",
            "http://mint.localhost:3338/usd",
            "http://localhost",
            "http://abcdefgh.onion/usd",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for open in ["http://mint.example", "http://10.0.0.1", "http://localhost.example"] {
            assert!(matches!(check(open), Err(NetError::Insecure { .. })), "{open}");
            assert!(net(tor, true).check(&open.parse().unwrap()).is_ok());
        }
        for odd in [
            "https://me:secret@mint.example",
            "https://mint.example?a=b",
            "https://[",
            "https://a^b",
        ] {
            assert!(matches!(check(odd), Err(NetError::Address { .. })), "{odd}");
        }
    }

    #[test]
    fn an_onion_is_never_asked_of_the_local_resolver() {
        let onion: MintUrl = "http://abcdefgh.onion".parse().unwrap();
        for proxy in ["socks5://127.0.0.1:9050", "socks4://127.0.0.1:9050"] {
            let checked = net(Some(proxy), true).check(&onion);
            assert!(matches!(checked, Err(NetError::NeedsTor { .. })), "{proxy}");
        }
        let other = Settings {
            proxy: Some("gopher://x".to_owned()),
            timeout: Duration::from_secs(1),
            is_insecure: false,
        };
        assert!(matches!(Net::new(other), Err(NetError::Proxy)));
    }
}
