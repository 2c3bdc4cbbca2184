//! TLS to the database: what is asked for in the URL, and what is checked of the server's certificate.
//!
//! An encrypted connection to whoever answers protects from nobody who can answer in the database's place. So there is no
//! mode that encrypts and checks nothing: what PostgreSQL's own programs do with `sslmode=require` and no authority.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as RustlsError, RootCertStore,
    SignatureScheme,
};
use rustls_platform_verifier::Verifier as PlatformVerifier;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How a connection is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tls {
    pub(super) trust: Trust,
    /// Whether the certificate must be of the host's name; else any that the authority signed will do.
    pub(super) is_named: bool,
    /// Files with the certificate and the key that say who asks, where the database wants them.
    pub(super) own: Option<(PathBuf, PathBuf)>,
}

/// Whose certificates are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Those of the system's authorities.
    System,
    /// Those of the authorities in a file.
    File(PathBuf),
}

/// Why no encrypted connection can be made, before anybody was asked. Variants stand in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    /// The system's authorities cannot be had.
    #[error("the system's authorities cannot be used: name one's certificate with sslrootcert")]
    System(#[source] RustlsError),
    /// A file.
    #[error("{path} cannot be read", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// What is no PEM, or has none of what is looked for.
    #[error("there is no {what} in {path}: PEM is wanted, without a passphrase", path = path.display())]
    Nothing {
        /// What was looked for.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// No authority can be made of it.
    #[error("the certificate in {path} is no authority's", path = path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What rustls said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The key cannot sign, or is another certificate's.
    #[error("the key in {path} cannot be used with the certificate", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What rustls said.
        source: RustlsError,
    },
}

impl Tls {
    /// What makes such connections. Files are read anew each time, so that new certificates count from the next
    /// connection on.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let verifier = self.verifier(&provider)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 want")
            .dangerous() // What checks certificates is rustls's own, all but the name's.
            .with_custom_certificate_verifier(verifier);
        let config = match &self.own {
            None => config.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(certificate)?;
                let secret = PrivateKeyDer::from_pem_file(key);
                let secret = secret.map_err(|error| misread(key, "private key", error))?;
                let refused = |source| TlsError::Key { path: key.clone(), source };
                config.with_client_auth_cert(chain, secret).map_err(refused)?
            }
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        let named: Arc<dyn ServerCertVerifier> = match &self.trust {
            Trust::System => {
                let verifier = PlatformVerifier::new(Arc::clone(provider));
                Arc::new(verifier.map_err(TlsError::System)?)
            }
            Trust::File(path) => {
                let no_authority = |source| TlsError::Authority { path: path.clone(), source };
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path)? {
                    roots.add(certificate).map_err(|error| no_authority(error.into()))?;
                }
                let builder = WebPkiServerVerifier::builder_with_provider(
                    Arc::new(roots),
                    Arc::clone(provider),
                );
                builder.build().map_err(|error| no_authority(error.into()))?
            }
        };
        Ok(if self.is_named { named } else { Arc::new(AnyName(named)) })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let all: Vec<_> = all.map_err(|error| misread(path, "certificate", error))?;
    if all.is_empty() {
        return Err(TlsError::Nothing { what: "certificate", path: path.into() });
    }
    Ok(all)
}

fn misread(path: &Path, what: &'static str, error: PemError) -> TlsError {
    if let PemError::Io(source) = error {
        return TlsError::Read { path: path.into(), source };
    }
    TlsError::Nothing { what, path: path.into() } // What is wrong with it would quote the file.
}

/// Checks everything but the name (`sslmode=verify-ca`): the authority signs for nobody but the operator's databases.
#[derive(Debug)]
struct AnyName(Arc<dyn ServerCertVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, RustlsError> {
        let verified =
            self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The name is looked at last: all else held.
            Err(RustlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
