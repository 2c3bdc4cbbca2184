//! Certificates by ACME (RFC 8555). The authority connects to port 443 of each name and asks for a proof (TLS-ALPN-01,
//! RFC 8737); what it gives is kept in the data directory, and asked for anew when a third of its time is left.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use rustls_acme::{AccountCache, AcmeConfig, AcmeState, CertCache, EventOk};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::provider;
use crate::config::serving::Acme;
use crate::file;
use crate::log::{self, Level};
use crate::metric::{Counter, Metrics};
use crate::state::{Shared, stopped};

/// Why no authority can be asked. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The roots.
    #[error("the roots in {path} cannot be read: acme.roots names a file of certificates in PEM", path = path.display())]
    Roots {
        /// The file.
        path: PathBuf,
    },
    /// The directory for what the authority gives.
    #[error("{path} cannot be made", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// A certificate that is kept up to date.
pub(crate) struct Order {
    state: AcmeState<io::Error>,
    kept: PathBuf,
}

impl Order {
    /// An order for these names. Nobody is asked before [`Self::keep`].
    ///
    /// # Errors
    /// [`AcmeError`].
    pub(super) fn new<'a>(
        acme: &Acme,
        names: impl Iterator<Item = &'a str>,
        directory: &Path,
    ) -> Result<Self, AcmeError> {
        let no_roots = || AcmeError::Roots { path: acme.roots.clone() };
        let mut roots = RootCertStore::empty();
        let found = CertificateDer::pem_file_iter(&acme.roots).map_err(|_| no_roots())?;
        // As with the system's own: one that cannot be understood makes the others no worse.
        roots.add_parsable_certificates(found.filter_map(Result::ok));
        if roots.is_empty() {
            return Err(no_roots());
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|source| AcmeError::Directory { path: directory.into(), source })?;
        let client = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 want")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let config = AcmeConfig::new_with_client_config(names, Arc::new(client))
            .directory(&acme.directory)
            .contact(acme.contact.iter())
            .cache(Kept(directory.into()));
        Ok(Self { state: config.state(), kept: directory.into() })
    }

    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.state.resolver()
    }

    pub(super) fn challenge(&self) -> Arc<ServerConfig> {
        self.state.challenge_rustls_config_with_provider(provider())
    }

    /// Asks for certificates, as they are needed, until the server stops.
    pub(crate) async fn keep(mut self, shared: Arc<Shared>) {
        let mut stopping = shared.stopping.clone();
        loop {
            let event = tokio::select! {
                event = self.state.next() => event,
                () = stopped(&mut stopping) => return,
            };
            match event {
                Some(Ok(done)) => self.note(&done, &shared.metrics),
                Some(Err(error)) => {
                    shared.metrics.add(Counter::CertificatesRefused, 1);
                    log::error_chain(Level::Warn, "no certificate was got by ACME", &error);
                }
                None => return,
            }
        }
    }

    fn note(&self, done: &EventOk, metrics: &Metrics) {
        match done {
            EventOk::DeployedNewCert => {
                metrics.add(Counter::CertificatesTaken, 1);
                log::write(Level::Info, "a certificate was got by ACME", &[]);
            }
            EventOk::DeployedCachedCert | EventOk::CertCacheStore => {
                metrics.set_certificate_end(ends(&self.kept.join(CERTIFICATE)));
            }
            EventOk::AccountCacheStore => {}
        }
    }
}

/// Whether a client is an authority that asks whether a name is ours.
pub(super) fn is_challenge(hello: &ClientHello<'_>) -> bool {
    rustls_acme::is_tls_alpn_challenge(hello)
}

/// When the certificate in a file ends, in seconds since 1970; 0 if that cannot be said.
fn ends(path: &Path) -> u64 {
    let first = CertificateDer::from_pem_file(path);
    first.map_or(0, |certificate| super::ends(&certificate))
}

/// What is kept: see the inventory. One directory serves one set of names of one authority.
struct Kept(PathBuf);

const CERTIFICATE: &str = "certificate.pem";
const ACCOUNT: &str = "account";
const SUBJECT: &str = "subject";

impl Kept {
    fn load(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What a certificate is for, and who gave it: one for other names, or of a trial, is not taken for it.
fn subject(names: &[String], directory: &str) -> String {
    format!("{directory}\n{}\n", names.join("\n"))
}

#[async_trait]
impl CertCache for Kept {
    type EC = io::Error;

    async fn load_cert(&self, names: &[String], from: &str) -> io::Result<Option<Vec<u8>>> {
        let wanted = subject(names, from).into_bytes();
        if self.load(SUBJECT)? == Some(wanted) { self.load(CERTIFICATE) } else { Ok(None) }
    }

    async fn store_cert(&self, names: &[String], from: &str, bytes: &[u8]) -> io::Result<()> {
        // In this order: a crash in between leaves a certificate that is asked for once more.
        match fs::remove_file(self.0.join(SUBJECT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        file::replace(&self.0.join(CERTIFICATE), bytes)?;
        file::replace(&self.0.join(SUBJECT), subject(names, from).as_bytes())
    }
}

#[async_trait]
impl AccountCache for Kept {
    type EA = io::Error;

    async fn load_account(&self, _: &[String], from: &str) -> io::Result<Option<Vec<u8>>> {
        self.load(&account_of(from))
    }

    async fn store_account(&self, _: &[String], from: &str, bytes: &[u8]) -> io::Result<()> {
        file::replace(&self.0.join(account_of(from)), bytes)
    }
}

/// An account is one authority's: that of a trial is not the real one's.
fn account_of(directory: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash: [u8; 32] = Sha256::digest(directory).into();
    let short: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{ACCOUNT}-{short}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_certificate_is_kept_for_its_names_and_authority_alone() {
        let directory = tempfile::tempdir().unwrap();
        let kept = Kept(directory.path().to_owned());
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (ours, more) = (names(&["a.example"]), names(&["a.example", "b.example"]));
        assert_eq!(kept.load_cert(&ours, "https://ca/").await.unwrap(), None);
        kept.store_cert(&ours, "https://ca/", b"pem").await.unwrap();
        assert_eq!(kept.load_cert(&ours, "https://ca/").await.unwrap(), Some(b"pem".to_vec()));
        assert_eq!(kept.load_cert(&more, "https://ca/").await.unwrap(), None);
        assert_eq!(kept.load_cert(&ours, "https://trial/").await.unwrap(), None);
        kept.store_account(&[], "https://ca/", b"key").await.unwrap();
        assert_eq!(kept.load_account(&[], "https://ca/").await.unwrap(), Some(b"key".to_vec()));
        assert_eq!(kept.load_account(&[], "https://trial/").await.unwrap(), None);
    }
}
