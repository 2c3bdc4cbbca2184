//! TLS: one certificate for all sites, from files that are read anew when they change, or by ACME ([`acme`]).
//!
//! No session is ever resumed: a ticket would tell the mint that two connections are of one wallet.

pub(crate) mod acme;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{
    Acceptor, ClientHello, NoServerSessionStorage, ResolvesServerCert,
};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::server::TlsStream;

use self::acme::AcmeError;
use crate::config::serving::Serving;
use crate::log::{self, Level};
use crate::metric::{Counter, Metrics};

/// How long a client may take to agree on keys.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);

/// Why there is no TLS. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("{path} cannot be read", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// No certificate stands in the file, or something that is none.
    #[error("there is no certificate in {path}: PEM is wanted, that of this server first", path = path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// No key stands in the file.
    #[error("there is no private key in {path}: PEM is wanted, without a passphrase", path = path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is of a kind that cannot sign here.
    #[error("the key in {path} cannot be used", path = path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// The key is another certificate's.
    #[error("the key in {key} is not that of the certificate in {certificate}", key = key.display(), certificate = certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// The authority cannot be asked.
    #[error(transparent)]
    Acme(#[from] AcmeError),
}

/// What speaks TLS on the sites' listeners.
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    /// Answers the authority that asks whether a name is ours.
    challenge: Option<Arc<ServerConfig>>,
    files: Option<Arc<Files>>,
}

impl Tls {
    /// What is configured; `None` if that is no TLS.
    ///
    /// # Errors
    /// [`TlsError`].
    pub(crate) fn of(serving: &Serving, data: &Path) -> Result<Option<Certificates>, TlsError> {
        if let Some((certificate, key)) = serving.tls.both() {
            let files = Arc::new(Files::open(certificate, key)?);
            let config = config(Arc::clone(&files) as Arc<dyn ResolvesServerCert>);
            let tls = Arc::new(Self { config, challenge: None, files: Some(files) });
            return Ok(Some(Certificates { tls, order: None }));
        }
        let Some(acme) = &serving.acme else { return Ok(None) };
        let order = acme::Order::new(acme, serving.secure_hosts(), &data.join("acme"))?;
        let config = config(order.resolver());
        let challenge = Some(order.challenge());
        let tls = Arc::new(Self { config, challenge, files: None });
        Ok(Some(Certificates { tls, order: Some(order) }))
    }

    /// Agrees on keys with a client. `None` if that failed, was too slow, or was an authority's question, which is
    /// answered by it.
    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Option<TlsStream<S>> {
        // Why a client failed is its affair.
        tokio::time::timeout(HANDSHAKE_WAIT, self.agree(stream)).await.ok()?.ok()?
    }

    async fn agree<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<Option<TlsStream<S>>> {
        let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        match &self.challenge {
            Some(challenge) if acme::is_challenge(&begun.client_hello()) => {
                begun.into_stream(Arc::clone(challenge)).await?.shutdown().await?;
                Ok(None)
            }
            _ => begun.into_stream(Arc::clone(&self.config)).await.map(Some),
        }
    }

    /// Looks at the files, and takes them if they have changed and hold together; else keeps what it has.
    pub(crate) fn look(&self, metrics: &Metrics) {
        let Some(files) = &self.files else { return };
        match files.read_anew() {
            Ok(false) => {}
            Ok(true) => {
                metrics.add(Counter::CertificatesTaken, 1);
                metrics.set_certificate_end(files.ends());
                log::write(Level::Info, "a new certificate was taken from its files", &[]);
            }
            Err(error) => {
                metrics.add(Counter::CertificatesRefused, 1);
                let event = "the new certificate cannot be used, the old one stays";
                log::error_chain(Level::Warn, event, &error);
            }
        }
    }
}

/// TLS, and what must be done beside it so that there is a certificate.
pub(crate) struct Certificates {
    pub(crate) tls: Arc<Tls>,
    pub(crate) order: Option<acme::Order>,
}

impl Certificates {
    /// Tells the metrics when the certificate ends, if there is one yet.
    pub(crate) fn announce(&self, metrics: &Metrics) {
        if let Some(files) = &self.tls.files {
            metrics.set_certificate_end(files.ends());
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn config(certificates: Arc<dyn ResolvesServerCert>) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("ring has what TLS 1.2 and 1.3 want")
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// A certificate and its key in two files.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
    /// Of the files' bytes as they were last tried, so that a broken one is told of once.
    tried: Mutex<[u8; 32]>,
}

impl Files {
    fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = Bytes::read(certificate, key)?;
        let current = RwLock::new(Arc::new(read.parse(certificate, key)?));
        let tried = Mutex::new(read.hash());
        Ok(Self { certificate: certificate.into(), key: key.into(), current, tried })
    }

    /// Whether there was something new.
    fn read_anew(&self) -> Result<bool, TlsError> {
        let read = Bytes::read(&self.certificate, &self.key)?;
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = read.hash();
        if hash == *tried {
            return Ok(false);
        }
        *tried = hash;
        let new = Arc::new(read.parse(&self.certificate, &self.key)?);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if new.cert == current.cert {
            return Ok(false); // A broken file was put right again.
        }
        *current = new;
        Ok(true)
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// When the certificate ends, in seconds since 1970.
    fn ends(&self) -> u64 {
        self.current().end_entity_cert().map_or(0, |certificate| ends(certificate))
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Files {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

/// What stands in the two files.
struct Bytes {
    certificate: Vec<u8>,
    key: zeroize::Zeroizing<Vec<u8>>,
}

impl Bytes {
    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| TlsError::Read { path: path.into(), source })
        };
        Ok(Self { certificate: read(certificate)?, key: read(key)?.into() })
    }

    fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update((self.certificate.len() as u64).to_be_bytes());
        hash.update(&self.certificate);
        hash.update(self.key.as_slice());
        hash.finalize().into()
    }

    fn parse(&self, certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain: Vec<CertificateDer<'static>> = chain
            .ok()
            .filter(|chain| !chain.is_empty())
            .ok_or_else(|| TlsError::NoCertificate { path: certificate.into() })?;
        let parsed = PrivateKeyDer::from_pem_slice(&self.key);
        let parsed = parsed.map_err(|_| TlsError::NoKey { path: key.into() })?;
        let signing = provider().key_provider.load_private_key(parsed);
        let signing = signing.map_err(|source| TlsError::BadKey { path: key.into(), source })?;
        let both = CertifiedKey::new(chain, signing);
        both.keys_match().map_err(|source| TlsError::Mismatch {
            certificate: certificate.into(),
            key: key.into(),
            source,
        })?;
        Ok(both)
    }
}

/// When a certificate ends, in seconds since 1970; 0 if it does not say so in a way we understand.
fn ends(certificate: &[u8]) -> u64 {
    let parsed = x509_parser::parse_x509_certificate(certificate);
    let end = parsed.map_or(0, |(_, parsed)| parsed.validity().not_after.timestamp());
    u64::try_from(end).unwrap_or(0)
}
