//! A mesh: every node is connected to every other one over TCP, without a broker and without a
//! leader. It must not know what an entry means, nor who is dead: that is the core's to decide.
//!
//! ```text
//!   discovery, resolve      hellos over UDP; names and lists of nodes; what peers tell
//!        |
//!   candidates, dialling    addresses that may be peers', each tried until there is a link
//!        |
//!   handshake               who is there, and does it know the secret?
//!        |
//!   links, connection       one connection per peer to send on; packets from and to the driver
//! ```
//!
//! **Finding.** A hello says who is where, and nothing else: everything that counts is proved in
//! the handshake. Several processes of one host share the UDP port, and whoever does not get the
//! TCP port takes another one, which its hello names.
//!
//! **Which hosts hear which hellos.** With `host` 0.0.0.0 everything that is sent to this host. With
//! one address, sockets of their own listen for what is sent to the broadcast or multicast address
//! and to 127.255.255.255, which works on Linux. An IPv6 address hears multicast and unicast only.
//!
//! **A connection that ends** says nothing about the peer: it is dialled again at once, and what
//! was lost is transmitted again. Only the core's clock holds somebody for dead, and a goodbye.

mod candidates;
mod config;
mod connection;
mod counters;
mod dialling;
mod discovery;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod handshake;
mod hello;
mod links;
mod message;
mod node;
mod resolve;
mod secret;
mod tasks;
mod tls;
mod udp;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, lookup_host};
use tokio::time::{interval, timeout};

pub use self::tls::MeshTls;
pub use config::{Discovery, MeshConfig, MeshError};
pub use counters::{Counter, MeshCounters};

use crate::driver::Driver;
use discovery::Discoverer;
use handshake::MeshIdentity;
use hello::Realm;
use node::MeshNode;
use secret::ClusterSecret;
use udp::Udp;

/// How often peers tell each other where the others are, besides when that changes.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How long a node that goes waits until its goodbyes are read.
const PARTING: Duration = Duration::from_millis(200);

/// A node that takes part in a mesh, until [`stop`](Self::stop) or until it is dropped.
pub struct Mesh {
    node: Rc<MeshNode>,
}

impl Mesh {
    /// Opens the ports and begins to look for peers, which `driver` is told of. To be called on
    /// the driver's thread, inside of a `LocalSet`; all tasks stay on it.
    ///
    /// # Errors
    /// A port cannot be opened, or an address is none, see [`MeshError`].
    pub async fn start(config: MeshConfig, driver: Rc<Driver>) -> Result<Mesh, MeshError> {
        config.check()?;
        let host = resolve_host(&config.host).await?;
        let udp = Udp::open(host, config.port, &config.discovery)?;
        let (listener, port) = listen(SocketAddr::new(host, config.port)).await?;
        let identity = MeshIdentity {
            incarnation: driver.me(),
            name: config.name,
            port,
            agreement: driver.settings().agreement,
            realm: Realm::new(&config.host, config.port, &config.prefix),
            secret: ClusterSecret::new(&config.secret.unwrap_or_default()),
        };
        let node = MeshNode::new(identity, driver, config.tls);
        node.servers.spawn(node.driver.clone().keep_time());
        node.servers.spawn(wake(node.clone()));
        node.servers.spawn(tell(node.clone()));
        node.finders.spawn(dialling::accept(node.clone(), listener));
        for name in config.dns.into_iter().chain(config.peers) {
            let finder = node.clone();
            let found = move |addresses: Vec<_>| {
                addresses.into_iter().for_each(|at| finder.suggest(at, None, resolve::RESOLVED));
            };
            node.finders.spawn(resolve::keep_resolving(node.clone(), name, config.port, found));
        }
        let at = (host, config.port);
        Discoverer::start(&node, udp, at, config.hello_interval, &config.discovery);
        Ok(Mesh { node })
    }

    /// How many peers there is a connection to.
    pub fn answered(&self) -> usize {
        self.node.links.len()
    }

    /// The TCP port that peers connect to.
    pub fn port(&self) -> u16 {
        self.node.identity.port
    }

    /// What has been seen so far; counts on by itself.
    pub fn counters(&self) -> &Arc<MeshCounters> {
        &self.node.counters
    }

    /// Says goodbye to all peers, waits for a moment until they have read it, and closes all
    /// sockets. The driver is of no use afterwards.
    pub async fn stop(self) {
        self.node.finders.shutdown().await;
        self.node.leaving.set(true);
        self.node.driver.goodbye();
        self.node.links.wake_all();
        let _ = timeout(PARTING, self.node.links.until(|links| links.len() == 0)).await;
        self.node.servers.shutdown().await;
    }

    /// Cuts all connections, as a network would that fails; for tests.
    #[doc(hidden)]
    pub fn cut(&self) {
        self.node.cut.notify_waiters();
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        self.node.finders.abort();
        self.node.servers.abort();
    }
}

async fn resolve_host(host: &str) -> Result<IpAddr, MeshError> {
    if let Ok(ip) = host.parse() {
        return Ok(ip);
    }
    let failed = |error| MeshError::Host { host: host.to_owned(), error };
    let mut addresses = lookup_host((host, 0)).await.map_err(failed)?;
    let none = || failed(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
    addresses.next().map(|address| address.ip()).ok_or_else(none)
}

/// Listens at an address, or on a port that the system chooses if another process has this one.
async fn listen(address: SocketAddr) -> Result<(TcpListener, u16), MeshError> {
    let mut listener = TcpListener::bind(address).await;
    if listener.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse) {
        listener = listen_anywhere(address.ip());
    }
    let listening = listener.and_then(|listener| {
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    });
    listening.map_err(|error| MeshError::Bind { protocol: "TCP", address, error })
}

/// On a port that nobody has, and nobody is about to listen on: without `SO_REUSEADDR`, which other
/// listeners have, the system does not choose one that is only bound.
fn listen_anywhere(ip: IpAddr) -> io::Result<TcpListener> {
    let socket = if ip.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(SocketAddr::new(ip, 0))?;
    socket.listen(1024)
}

/// Wakes the connections that have something to send.
async fn wake(node: Rc<MeshNode>) {
    loop {
        node.driver.woken().await;
        node.driver.due().into_iter().for_each(|peer| node.links.wake(peer));
    }
}

/// Tells the peers now and then where the others are, as what they were told is not believed for
/// ever.
async fn tell(node: Rc<MeshNode>) {
    let mut ticks = interval(TELL_EVERY);
    loop {
        ticks.tick().await;
        node.links.tell_all();
    }
}

#[cfg(test)]
mod tests;
