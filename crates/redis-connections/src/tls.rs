//! How a connection is encrypted.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use certificates::AnyName;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;

use crate::options::masked;
use crate::{ConnectError, OptionError};

/// A certificate or a key: the file that has it, or itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// A PEM file, read at every connect, so that a renewed one is noticed.
    File(PathBuf),
    /// The PEM text.
    Text(String),
}

/// How connections to a server are encrypted. Without `ca` the system's authorities are believed.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// The authorities that may have signed the server's certificate.
    pub ca: Vec<Pem>,
    /// Our own certificate and what leads from it to its authority.
    pub certificate: Option<Pem>,
    /// The key of our certificate.
    pub key: Option<Pem>,
    /// The name that is in the server's certificate, if it is not the host that is connected to.
    pub server_name: Option<String>,
    /// Whether the server's certificate is looked at.
    pub verify: bool,
}

impl Default for TlsOptions {
    fn default() -> Self {
        TlsOptions { ca: Vec::new(), certificate: None, key: None, server_name: None, verify: true }
    }
}

impl Pem {
    /// Takes what contains a PEM block as PEM text, anything else as the path of a file.
    pub fn new(text: &str) -> Pem {
        match text.contains("-----BEGIN") {
            true => Pem::Text(text.into()),
            false => Pem::File(text.into()),
        }
    }

    pub(crate) fn read(&self) -> Result<Vec<u8>, ConnectError> {
        match self {
            Pem::Text(text) => Ok(text.clone().into_bytes()),
            Pem::File(path) => std::fs::read(path).map_err(|error| unusable(self, error)),
        }
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
        let pem = self.read()?;
        let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.map_err(|error| unusable(self, error))?;
        match certificates.is_empty() {
            true => Err(unusable(self, "there is no certificate in it")),
            false => Ok(certificates),
        }
    }
}

impl TlsOptions {
    pub(crate) fn check(&self) -> Result<(), OptionError> {
        match self.certificate.is_some() == self.key.is_some() {
            true => Ok(()),
            false => Err(OptionError::HalfCertificate),
        }
    }

    /// What encrypts a connection, and the name that the server has to prove.
    pub(crate) fn connector(
        &self,
        host: &str,
    ) -> Result<(TlsConnector, ServerName<'static>), ConnectError> {
        let name = self.server_name.as_deref().unwrap_or(host);
        let server = ServerName::try_from(name.to_owned())
            .map_err(|error| unusable(format_args!("server name {name:?}"), error))?;
        let provider = Arc::new(default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("TLS", error))?;
        let builder = match self.verify {
            true => builder.with_root_certificates(self.roots()?),
            false => {
                let anybody = Arc::new(AnyName::unverified(&provider));
                builder.dangerous().with_custom_certificate_verifier(anybody)
            }
        };
        let config = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                let pem = key.read()?;
                let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|e| unusable(key, e))?;
                let configured = builder.with_client_auth_cert(certificate.certificates()?, key);
                configured.map_err(|error| unusable(certificate, error))?
            }
            _ => builder.with_no_client_auth(),
        };
        Ok((Arc::new(config).into(), server))
    }

    fn roots(&self) -> Result<Arc<RootCertStore>, ConnectError> {
        if self.ca.is_empty() {
            return system_roots();
        }
        let mut roots = RootCertStore::empty();
        for ca in &self.ca {
            for root in ca.certificates()? {
                roots.add(root).map_err(|error| unusable(ca, error))?;
            }
        }
        Ok(Arc::new(roots))
    }
}

/// The system's authorities, read once: there are many of them.
fn system_roots() -> Result<Arc<RootCertStore>, ConnectError> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Ok(roots.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A few that cannot be used are normal.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let reason = found.errors.first().map_or("there are none".into(), ToString::to_string);
        return Err(unusable("authorities of this system", reason));
    }
    Ok(ROOTS.get_or_init(|| Arc::new(roots)).clone())
}

fn unusable(what: impl fmt::Display, error: impl fmt::Display) -> ConnectError {
    ConnectError::Tls { what: what.to_string(), error: error.to_string() }
}

/// Makes the `redis` crate, which asks for the process's provider, find one.
pub(crate) fn install_provider() {
    if CryptoProvider::get_default().is_none() {
        // Somebody else was faster, which is as good.
        let _ = default_provider().install_default();
    }
}

impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pem::File(path) => write!(f, "PEM file {}", path.display()),
            Pem::Text(_) => f.write_str("PEM text of the options"),
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("ca", &self.ca)
            .field("certificate", &self.certificate)
            .field("key", &masked(&self.key))
            .field("server_name", &self.server_name)
            .field("verify", &self.verify)
            .finish()
    }
}
