//! How a connection is encrypted.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ::tls::{Identity, TlsError, Trust, add_roots, client_config, system_roots};
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use crate::masked::masked;
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
        let trust = match (self.verify, self.ca.is_empty()) {
            (false, _) => Trust::Anybody,
            (true, true) => Trust::Named(
                system_roots().map_err(|error| unusable("authorities of this system", error))?,
            ),
            (true, false) => Trust::Named(self.roots()?),
        };
        let identity = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                let identity = Identity::from_pem(&certificate.read()?, &key.read()?, None);
                Some(identity.map_err(|error| match error.is_about_the_key() {
                    true => unusable(key, error),
                    false => unusable(certificate, error),
                })?)
            }
            _ => None,
        };
        let config = client_config(trust, identity.as_ref());
        let config = config.map_err(|error| unusable("TLS", error))?;
        Ok((Arc::new(config).into(), server))
    }

    fn roots(&self) -> Result<Arc<RootCertStore>, ConnectError> {
        let mut roots = RootCertStore::empty();
        for ca in &self.ca {
            add_roots(&mut roots, &ca.read()?).map_err(|error| match error {
                TlsError::NoCertificate => unusable(ca, "there is no certificate in it"),
                error => unusable(ca, error),
            })?;
        }
        Ok(Arc::new(roots))
    }
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
