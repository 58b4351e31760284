//! TLS on the main port: certificate and key from their files, read again when the files change.
//! It must not know a socket.

use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::tls::{ClientAuth, Identity, KeyError, TlsError as Error, add_roots, server_config};
use arc_swap::ArcSwap;
use config::Ssl;
use parking_lot::Mutex;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::{RootCertStore, ServerConfig};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

/// Why TLS cannot be spoken as configured.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct TlsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl TlsError {
    /// What is wrong with a file.
    pub(crate) fn new(path: &Path, reason: impl Display) -> Self {
        TlsError { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// What the files held when they were read together.
#[derive(Hash)]
struct CertificateFiles {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// Shared by the shards, which accept with what is current, and the background runtime, which
/// replaces it.
///
/// A new certificate also brings new ticket keys: a session that was begun under the old
/// certificates may not go around what the new files ask of a client.
pub(crate) struct Tls {
    ssl: Ssl,
    current: ArcSwap<ServerConfig>,
    /// The fingerprint of what was read last, whether it could be used or not.
    seen: Mutex<u64>,
    asked: Notify,
}

impl Tls {
    /// Reads the files.
    pub(crate) fn load(ssl: &Ssl) -> Result<Self, TlsError> {
        let files = CertificateFiles::read(ssl);
        let seen = Mutex::new(fingerprint(&files));
        let current = ArcSwap::from_pointee(files?.server_config(ssl)?);
        Ok(Tls { ssl: ssl.clone(), current, seen, asked: Notify::new() })
    }

    /// Accepts one connection with the certificate of this moment.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.current.load_full().into()
    }

    /// Asks for the files to be read now, whether they have changed or not.
    pub(crate) fn ask(&self) {
        self.asked.notify_one();
    }

    /// Takes over what the files hold whenever that is something else. It looks at the content once
    /// a second: that also sees what renames and symbolic links do.
    pub(crate) async fn keep_fresh(self: Arc<Self>) {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                () = self.asked.notified() => true,
                _ = seconds.tick() => false,
            };
            let tls = self.clone();
            // A file system that hangs, or a key that is hard to decrypt, holds nothing else up. A
            // panic there has been counted and logged.
            let _ = tokio::task::spawn_blocking(move || tls.renew(asked)).await;
        }
    }

    fn renew(&self, asked: bool) {
        let files = CertificateFiles::read(&self.ssl);
        let now = fingerprint(&files);
        let before = std::mem::replace(&mut *self.seen.lock(), now);
        if before == now && !asked {
            return;
        }
        match files.and_then(|files| files.server_config(&self.ssl)) {
            Ok(config) => {
                self.current.store(Arc::new(config));
                tracing::info!(path = %self.ssl.cert.display(), "the certificate is read again");
            }
            Err(error) => tracing::error!(%error, "the certificate is kept as it was"),
        }
    }
}

impl CertificateFiles {
    fn read(ssl: &Ssl) -> Result<Self, TlsError> {
        let client_ca = ssl.client_ca.as_deref().map(read).transpose()?;
        Ok(CertificateFiles { cert: read(&ssl.cert)?, key: read(&ssl.key)?, client_ca })
    }
}

/// Tells one state of the files from another; that one cannot be read is a state, too.
fn fingerprint(files: &Result<CertificateFiles, TlsError>) -> u64 {
    let mut hasher = DefaultHasher::new();
    files.as_ref().map_err(TlsError::to_string).hash(&mut hasher);
    hasher.finish()
}

impl CertificateFiles {
    /// What the port is encrypted with.
    fn server_config(&self, ssl: &Ssl) -> Result<ServerConfig, TlsError> {
        let clients = match ssl.client_ca.as_deref().zip(self.client_ca.as_deref()) {
            None => ClientAuth::None,
            Some((path, pem)) => {
                let roots = roots(pem).map_err(|error| TlsError::new(path, error))?;
                match ssl.require_client_cert {
                    true => ClientAuth::Required(roots),
                    false => ClientAuth::Optional(roots),
                }
            }
        };
        let passphrase = ssl.passphrase.as_ref().map(|secret| secret.expose());
        let identity = Identity::from_pem(&self.cert, &self.key, passphrase);
        let identity = identity.map_err(|error| match error {
            Error::Key(KeyError::Encrypted) => {
                TlsError::new(&ssl.key, "the key is encrypted: set ssl.passphrase")
            }
            Error::Key(KeyError::Passphrase) => {
                TlsError::new(&ssl.key, "ssl.passphrase does not open the key")
            }
            error => unusable(&ssl.cert, &ssl.key, error),
        })?;
        let mut config = server_config(&identity, clients)
            .map_err(|error| TlsError::new(ssl.client_ca.as_ref().unwrap_or(&ssl.cert), error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Without state in the server; early data stays off, because it can be replayed.
        config.ticketer = Ticketer::new().map_err(|error| TlsError::new(&ssl.cert, error))?;
        Ok(config)
    }
}

/// What a node proves itself with, out of files of which the key is not encrypted.
pub(crate) fn read_identity(cert: &Path, key: &Path) -> Result<Identity, TlsError> {
    let (chain, private) = (read(cert)?, read(key)?);
    Identity::from_pem(&chain, &private, None).map_err(|error| unusable(cert, key, error))
}

/// The authorities in a file.
pub(crate) fn read_roots(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    roots(&read(path)?).map_err(|error| TlsError::new(path, error))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::new(path, error))
}

fn roots(pem: &[u8]) -> Result<Arc<RootCertStore>, Error> {
    let mut roots = RootCertStore::empty();
    add_roots(&mut roots, pem)?;
    Ok(Arc::new(roots))
}

/// Which of two files is of no use.
fn unusable(cert: &Path, key: &Path, error: Error) -> TlsError {
    match error {
        Error::OtherKey => {
            let cert = cert.display();
            let reason = format_args!("is not the private key of the certificate in {cert}");
            TlsError::new(key, reason)
        }
        error if error.is_about_the_key() => TlsError::new(key, error),
        error => TlsError::new(cert, error),
    }
}
