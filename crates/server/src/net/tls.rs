//! TLS on the main port: certificate and key from their files, read again when the files change.
//! It must not know a socket.

use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use config::Ssl;
use parking_lot::Mutex;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use super::private_key::private_key;

/// Why TLS cannot be spoken as configured.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub(crate) struct TlsError {
    /// The file.
    pub(crate) path: PathBuf,
    /// What is wrong with it.
    pub(crate) reason: String,
}

impl TlsError {
    fn new(path: &Path, reason: impl Display) -> Self {
        TlsError { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// What the files held when they were read together.
#[derive(Hash)]
struct Files {
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
        let files = Files::read(ssl);
        let seen = Mutex::new(fingerprint(&files));
        let current = ArcSwap::from_pointee(server_config(ssl, &files?)?);
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
        let files = Files::read(&self.ssl);
        let now = fingerprint(&files);
        let before = std::mem::replace(&mut *self.seen.lock(), now);
        if before == now && !asked {
            return;
        }
        match files.and_then(|files| server_config(&self.ssl, &files)) {
            Ok(config) => {
                self.current.store(Arc::new(config));
                tracing::info!(path = %self.ssl.cert.display(), "the certificate is read again");
            }
            Err(error) => tracing::error!(%error, "the certificate is kept as it was"),
        }
    }
}

impl Files {
    fn read(ssl: &Ssl) -> Result<Self, TlsError> {
        let read = |path: &PathBuf| std::fs::read(path).map_err(|e| TlsError::new(path, e));
        let client_ca = ssl.client_ca.as_ref().map(read).transpose()?;
        Ok(Files { cert: read(&ssl.cert)?, key: read(&ssl.key)?, client_ca })
    }
}

/// Tells one state of the files from another; that one cannot be read is a state, too.
fn fingerprint(files: &Result<Files, TlsError>) -> u64 {
    let mut hasher = DefaultHasher::new();
    files.as_ref().map_err(TlsError::to_string).hash(&mut hasher);
    hasher.finish()
}

fn server_config(ssl: &Ssl, files: &Files) -> Result<ServerConfig, TlsError> {
    let of_cert = |error: Error| TlsError::new(&ssl.cert, error);
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(of_cert)?;
    let builder = match ssl.client_ca.as_deref().zip(files.client_ca.as_deref()) {
        None => builder.with_no_client_auth(),
        Some((path, pem)) => {
            let roots = Arc::new(roots(path, pem)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
            let verifier = match ssl.require_client_cert {
                true => verifier,
                false => verifier.allow_unauthenticated(),
            };
            let verifier = verifier.build().map_err(|error| TlsError::new(path, error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = private_key(&files.key, ssl.passphrase.as_ref().map(|secret| secret.expose()))
        .map_err(|reason| TlsError::new(&ssl.key, reason))?;
    let key = provider.key_provider.load_private_key(key).map_err(|error| {
        TlsError::new(&ssl.key, format_args!("the private key cannot be used: {error}"))
    })?;
    let certified = CertifiedKey::new(certificates(&ssl.cert, &files.cert)?, key);
    match certified.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(Error::InconsistentKeys(_)) => {
            let cert = ssl.cert.display();
            let reason = format_args!("is not the private key of the certificate in {cert}");
            return Err(TlsError::new(&ssl.key, reason));
        }
        Err(error) => return Err(of_cert(error)),
    }
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Without state in the server; early data stays off, because it can be replayed.
    config.ticketer = Ticketer::new().map_err(of_cert)?;
    Ok(config)
}

/// The certificates in a file.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = std::fs::read(path).map_err(|error| TlsError::new(path, error))?;
    certificates(path, &pem)
}

/// The private key in a file that is not encrypted.
pub(crate) fn read_private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = std::fs::read(path).map_err(|error| TlsError::new(path, error))?;
    private_key(&pem, None).map_err(|reason| TlsError::new(path, reason))
}

/// The chain, the server's own certificate first.
fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| TlsError::new(path, error))?;
    match certificates.is_empty() {
        true => Err(TlsError::new(path, "holds no certificate in PEM form")),
        false => Ok(certificates),
    }
}

fn roots(path: &Path, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, pem)? {
        roots.add(certificate).map_err(|error| TlsError::new(path, error))?;
    }
    Ok(roots)
}
