//! Encrypted connections, where both ends show a certificate of one authority.

use std::fmt;
use std::io;
use std::sync::Arc;

use ::tls::{ClientAuth, Identity, TlsError, Trust, client_config, server_config};
use parking_lot::Mutex;
use rustls::RootCertStore;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// How a node encrypts its connections. A peer has to show a certificate that the authority has
/// signed; which name is in it does not matter, since nodes come and go and have no names.
///
/// Clones are one: what one of them is replaced with is what all encrypt with.
#[derive(Clone)]
pub struct MeshTls(Arc<Mutex<Ends>>);

/// What either end of a connection is encrypted with.
#[derive(Clone)]
struct Ends {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl MeshTls {
    /// Takes this node's certificate, which has to be good for both ends of a connection (server
    /// and client authentication), and the authority that signs those of all nodes.
    ///
    /// # Errors
    /// The authority cannot be used.
    pub fn new(identity: &Identity, authority: Arc<RootCertStore>) -> Result<MeshTls, TlsError> {
        let server = server_config(identity, ClientAuth::Required(authority.clone()))?;
        let client = client_config(Trust::AnyName(authority), Some(identity))?;
        let ends = Ends { acceptor: Arc::new(server).into(), connector: Arc::new(client).into() };
        Ok(MeshTls(Arc::new(Mutex::new(ends))))
    }

    /// From now on connections begin with what `other` has; those that there are stay as they are.
    pub fn replace(&self, other: &MeshTls) {
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

impl fmt::Debug for MeshTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeshTls(..)")
    }
}
