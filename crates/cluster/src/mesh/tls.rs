//! Encrypted connections, where both ends show a certificate of one authority.

use std::fmt;
use std::io;
use std::sync::Arc;

use certificates::AnyName;
use parking_lot::Mutex;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{ClientConfig, Error, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// How a node encrypts its connections. A peer has to show a certificate that the authority has
/// signed; which name is in it does not matter, since nodes come and go and have no names.
///
/// Clones are one: what one of them is replaced with is what all encrypt with.
#[derive(Clone)]
pub struct Tls(Arc<Mutex<Ends>>);

/// What either end of a connection is encrypted with.
#[derive(Clone)]
struct Ends {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

/// Why TLS cannot be spoken as configured.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate or the key cannot be used, or they do not fit each other.
    #[error("cluster certificate: {0}")]
    Certificate(#[from] Error),
    /// The authority cannot be used.
    #[error("cluster certificate authority: {0}")]
    Authority(#[from] VerifierBuilderError),
}

impl Tls {
    /// Takes this node's certificate with what leads from it to the authority, its key, and the
    /// certificates of the authority. The certificate has to be good for both ends of a connection
    /// (server and client authentication).
    ///
    /// # Errors
    /// They cannot be used, see [`TlsError`].
    pub fn new(
        certificate: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        authority: Vec<CertificateDer<'static>>,
    ) -> Result<Tls, TlsError> {
        let mut roots = RootCertStore::empty();
        for root in authority {
            roots.add(root)?;
        }
        let (roots, provider) = (Arc::new(roots), Arc::new(default_provider()));
        let clients =
            WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build()?;
        let servers = AnyName::signed_by(roots, &provider)?;
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(certificate.clone(), key.clone_key())?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(servers))
            .with_client_auth_cert(certificate, key)?;
        let ends = Ends { acceptor: Arc::new(server).into(), connector: Arc::new(client).into() };
        Ok(Tls(Arc::new(Mutex::new(ends))))
    }

    /// From now on connections begin with what `other` has; those that there are stay as they are.
    pub fn replace(&self, other: &Tls) {
        let ends = other.ends();
        *self.0.lock() = ends;
    }

    fn ends(&self) -> Ends {
        self.0.lock().clone()
    }

    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<server::TlsStream<TcpStream>> {
        self.ends().acceptor.accept(stream).await
    }

    pub(super) async fn connect(
        &self,
        stream: TcpStream,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let name = ServerName::IpAddress(stream.peer_addr()?.ip().into());
        self.ends().connector.connect(name, stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}
