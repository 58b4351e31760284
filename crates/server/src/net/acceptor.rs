//! Listening and accepting. Every shard has a listening socket of its own on the same port and
//! accepts what it serves; the kernel deals the connections out.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener as Listener, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use channels::registry::ShardId;
use failures::LogThrottle;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::limits::{Descriptors, OpenSocket};

/// Connections that the kernel keeps for each shard while it does not accept.
const BACKLOG: i32 = 4096;
/// How long accepting pauses when there is no descriptor to spare, unless one comes free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

static PAUSED: LogThrottle = LogThrottle::new();

/// A socket that was accepted and is counted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) open: OpenSocket,
}

/// Sockets of one address that do not listen yet: whoever connects is refused.
pub(crate) struct Bound {
    address: SocketAddr,
    sockets: Vec<Socket>,
    shared: bool,
}

/// Binds `count` sockets to one address; port 0 lets the system choose it. A host name is resolved;
/// `::` listens on IPv4 too where the system allows it. With `shared`, other processes may do the
/// same.
pub(crate) fn bind(host: &str, port: u16, count: usize, shared: bool) -> io::Result<Bound> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut last = io::Error::new(ErrorKind::NotFound, format!("{host} has no address"));
    for address in (host, port).to_socket_addrs()? {
        match bind_to(address, count, shared) {
            Ok(bound) => return Ok(bound),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_to(address: SocketAddr, count: usize, shared: bool) -> io::Result<Bound> {
    let first = socket(address, shared)?;
    let address = first.local_addr()?.as_socket().unwrap_or(address);
    if count == 1 {
        return Ok(Bound { address, sockets: vec![first], shared });
    }
    // Sockets that share a port would share it with another server, too. One that does not share
    // has just found out that the port is free.
    drop(first);
    let sockets = (0..count).map(|_| socket(address, true)).collect::<io::Result<_>>()?;
    Ok(Bound { address, sockets, shared })
}

impl Bound {
    /// The address, with the port that the system chose.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on connections are taken.
    pub(crate) fn listen(self) -> io::Result<Vec<Listener>> {
        if self.sockets.len() > 1 && !self.shared {
            // They share the port; another server may have come meanwhile.
            drop(socket(self.address, false)?);
        }
        let listen = |socket: Socket| {
            socket.listen(BACKLOG)?;
            // What is left of its connections does not keep a successor from the port, whoever chose it.
            socket.set_reuse_address(true)?;
            Ok(socket.into())
        };
        self.sockets.into_iter().map(listen).collect()
    }
}

fn socket(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // Where the system knows IPv6 only, that is what we listen on.
        let _ = socket.set_only_v6(false);
    }
    // A port of the system's choice is one that nobody has, and nobody is about to listen on.
    socket.set_reuse_address(address.port() != 0)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    // Accepted sockets inherit it.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Accepts what arrives at a shard's listener until the node is on its way out (`drained`); then the
/// listener is closed.
pub(crate) async fn accept(
    shard: ShardId,
    listener: Listener,
    descriptors: Arc<Descriptors>,
    drained: impl Future<Output = ()>,
    serve: impl Fn(Accepted),
) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, shard = shard.0, "a shard cannot accept"),
    };
    tokio::pin!(drained);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut drained => return accept_the_last(&descriptors, listener, serve),
            accepted = accept_one(&descriptors, &listener) => accepted,
        };
        match accepted {
            Ok(accepted) => serve(accepted),
            // The client went away before it was its turn.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if PAUSED.may_log() {
                    let (open, limit) = (descriptors.open(), descriptors.limit());
                    tracing::error!(%error, open, limit, "accepting pauses; raise the file limit");
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Takes who has connected already, and closes the listener: to close it at once would reset them.
fn accept_the_last(
    descriptors: &Arc<Descriptors>,
    listener: TcpListener,
    serve: impl Fn(Accepted),
) {
    let Ok(listener) = listener.into_std() else { return };
    while let Some(open) = descriptors.open_socket()
        && let Ok((socket, peer)) = listener.accept()
    {
        let socket = socket.set_nonblocking(true).and_then(|()| TcpStream::from_std(socket));
        if let Ok(socket) = socket {
            serve(Accepted { socket, peer, open });
        }
    }
}

async fn accept_one(
    descriptors: &Arc<Descriptors>,
    listener: &TcpListener,
) -> io::Result<Accepted> {
    // Counted first: a socket for which there is no room stays in the kernel's queue.
    let open = descriptors.open_socket().ok_or_else(|| {
        io::Error::new(ErrorKind::QuotaExceeded, "every file descriptor is in use")
    })?;
    let (socket, peer) = listener.accept().await?;
    Ok(Accepted { socket, peer, open })
}
