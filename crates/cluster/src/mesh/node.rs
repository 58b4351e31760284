//! This node's end of the mesh: what its tasks share.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::candidates::Candidates;
use super::connection::{self, MeshStream};
use super::counters::MeshCounters;
use super::dialling;
use super::handshake::{self, HandshakeError, MeshIdentity, Role};
use super::links::{Link, Links, Rank, SAME_HOST};
use super::message::Address;
use super::tasks::Tasks;
use super::tls::MeshTls;
use crate::Incarnation;
use crate::driver::Driver;
use crate::warnings::Warnings;

/// How long an address is believed in after a peer has told it, or was connected to from there.
/// Peers tell theirs every few seconds.
const HEARSAY: Duration = Duration::from_secs(30);

/// Owned by the mesh and its tasks, all on one thread.
pub(super) struct MeshNode {
    pub(super) identity: MeshIdentity,
    pub(super) driver: Rc<Driver>,
    pub(super) links: Links,
    pub(super) candidates: Candidates,
    pub(super) counters: Arc<MeshCounters>,
    /// Tasks that find peers and make connections.
    pub(super) finders: Tasks,
    /// Tasks that serve connections, and the core.
    pub(super) servers: Tasks,
    /// We go: a connection with nothing to send is done.
    pub(super) leaving: Cell<bool>,
    /// Every connection ends, as if the network had.
    pub(super) cut: Notify,
    tls: Option<MeshTls>,
    attempts: Cell<u64>,
    warnings: Warnings,
}

impl MeshNode {
    pub(super) fn new(
        identity: MeshIdentity,
        driver: Rc<Driver>,
        tls: Option<MeshTls>,
    ) -> Rc<Self> {
        Rc::new(MeshNode {
            identity,
            driver,
            links: Links::default(),
            candidates: Candidates::default(),
            counters: Arc::default(),
            finders: Tasks::default(),
            servers: Tasks::default(),
            leaving: Cell::new(false),
            cut: Notify::new(),
            tls,
            attempts: Cell::new(0),
            warnings: Warnings::default(),
        })
    }

    /// This run of this node.
    pub(super) fn me(&self) -> Incarnation {
        self.identity.incarnation
    }

    /// There may be a peer at this address; it is believed for `lifetime`.
    pub(super) fn suggest(
        self: &Rc<Self>,
        address: SocketAddr,
        peer: Option<Incarnation>,
        lifetime: Duration,
    ) {
        let known = peer == Some(self.me());
        if !known && self.candidates.mention(address, peer, lifetime) {
            self.finders.spawn(dialling::pursue(self.clone(), address));
        }
    }

    /// A peer has told over a link where its peers are.
    pub(super) fn told(self: &Rc<Self>, link: &Link, addresses: &[Address]) {
        for (peer, address) in addresses {
            let at = match address.ip() {
                SAME_HOST => at_port(link.address, address.port()),
                _ => *address,
            };
            self.suggest(at, Some(*peer), HEARSAY);
        }
    }

    /// The connection to a peer has ended; it may still be where it was.
    pub(super) fn rediscover(self: &Rc<Self>, link: &Link) {
        self.suggest(link.address, Some(link.peer.incarnation), HEARSAY);
    }

    /// Our role in the next connection that we dial.
    pub(super) fn dialler(&self) -> Role {
        self.attempts.update(|attempts| attempts + 1);
        Role::Dialler { attempt: self.attempts.get() }
    }

    /// Makes a link out of a new connection to or from `address`, and gives who is there.
    pub(super) async fn greet(
        self: &Rc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        role: Role,
    ) -> Result<Incarnation, HandshakeError> {
        stream.set_nodelay(true)?;
        let shake = async {
            let mut stream = self.encrypt(stream, role).await?;
            let peer = handshake::shake(&mut stream, &self.identity, role).await?;
            Ok::<_, HandshakeError>((stream, peer))
        };
        let shaken = tokio::time::timeout(handshake::HANDSHAKE_TIMEOUT, shake).await;
        let (stream, peer) = shaken.unwrap_or(Err(HandshakeError::TimedOut))?;
        let incarnation = peer.info.incarnation;
        let (dialler, address) = match role {
            Role::Dialler { .. } => (self.me(), address),
            Role::Acceptor => (incarnation, at_port(address, peer.port)),
        };
        let link = Rc::new(Link {
            rank: Rank { by_smaller: dialler == self.me().min(incarnation), attempt: peer.attempt },
            peer: peer.info,
            address,
            woken: Notify::new(),
            untold: Cell::new(true),
        });
        self.servers.spawn(connection::serve(self.clone(), stream, link));
        Ok(incarnation)
    }

    async fn encrypt(&self, stream: TcpStream, role: Role) -> io::Result<Box<dyn MeshStream>> {
        Ok(match (&self.tls, role) {
            (None, _) => Box::new(stream),
            (Some(tls), Role::Acceptor) => Box::new(tls.accept(stream).await?),
            (Some(tls), Role::Dialler { .. }) => Box::new(tls.connect(stream).await?),
        })
    }

    /// A handshake has failed: counts it and says so, rarely.
    pub(super) fn failed(&self, address: SocketAddr, error: &HandshakeError) {
        match error {
            HandshakeError::WrongSecret { name } => {
                self.counters.refused_secrets.add();
                self.warn(format!("mesh refuses {name:?} at {}: {error}", address.ip()));
            }
            // Nobody dials another cluster by chance: it is in somebody's list of peers.
            HandshakeError::WrongRealm { .. } => {
                self.counters.strangers.add();
                self.warn(format!("mesh does not link to {}: {error}", address.ip()));
            }
            HandshakeError::Disagreement(_) => {
                self.counters.disagreements.add();
                self.warn(format!("mesh refuses {}: {error}", address.ip()));
            }
            HandshakeError::Foreign => {
                self.counters.strangers.add();
                tracing::debug!(%address, %error, "mesh ignores a stranger");
            }
            // What TLS says: a certificate that is refused, or a peer without TLS.
            HandshakeError::Io(reason) if reason.kind() == ErrorKind::InvalidData => {
                self.warn(format!("mesh cannot encrypt to {}: {reason}", address.ip()));
            }
            _ => tracing::debug!(%address, %error, "mesh connection failed"),
        }
    }

    /// Logs a line that might come often.
    pub(super) fn warn(&self, line: String) {
        self.warnings.warn(line);
    }
}

/// Where a host that was heard from `source` accepts connections on `port`.
pub(super) fn at_port(mut source: SocketAddr, port: u16) -> SocketAddr {
    // Sockets of both families give IPv4 addresses in the clothes of IPv6; in all other cases the
    // scope of the address must be kept.
    source.set_ip(source.ip().to_canonical());
    source.set_port(port);
    source
}
