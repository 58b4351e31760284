//! Listening and accepting. Every shard has a listening socket of its own on the same port and
//! accepts what it serves; the kernel deals the connections out.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener as Listener, ToSocketAddrs};
use std::rc::Rc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::rarely::Rarely;
use crate::hub::Shard;
use crate::limits::OpenSocket;

/// Connections that the kernel keeps for each shard while it does not accept.
const BACKLOG: i32 = 4096;
/// How long accepting pauses when there is no descriptor to spare, unless one comes free.
const PAUSE: Duration = Duration::from_millis(50);

static PAUSED: Rarely = Rarely::new();

/// A socket that was accepted and is counted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) open: OpenSocket,
}

/// Opens `count` listening sockets on one address; port 0 lets the system choose it. A host name is
/// resolved; `::` listens on IPv4 too where the system allows it.
pub(crate) fn bind(host: &str, port: u16, count: usize) -> io::Result<Vec<Listener>> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut last = io::Error::new(ErrorKind::NotFound, format!("{host} has no address"));
    for address in (host, port).to_socket_addrs()? {
        match bind_to(address, count) {
            Ok(listeners) => return Ok(listeners),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_to(address: SocketAddr, count: usize) -> io::Result<Vec<Listener>> {
    // Sockets that share a port would share it with another server, too. One that does not share
    // finds out whether the port is free.
    let alone = socket(address, false)?;
    if count == 1 {
        alone.listen(BACKLOG)?;
        return Ok(vec![alone.into()]);
    }
    let chosen = alone.local_addr()?.as_socket().unwrap_or(address);
    drop(alone);
    let listen = |_| {
        let socket = socket(chosen, true)?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    (0..count).map(listen).collect()
}

fn socket(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // Where the system knows IPv6 only, that is what we listen on.
        let _ = socket.set_only_v6(false);
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    // Accepted sockets inherit it.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Accepts until the node drains; then the listener is closed.
pub(crate) async fn accept(shard: Rc<Shard>, listener: Listener, serve: fn(&Rc<Shard>, Accepted)) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, shard = shard.id.0, "a shard cannot accept"),
    };
    let drained = shard.node.drained();
    tokio::pin!(drained);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut drained => return,
            accepted = accept_one(&shard, &listener) => accepted,
        };
        match accepted {
            Ok(accepted) => serve(&shard, accepted),
            // The client went away before it was its turn.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if PAUSED.now() {
                    let descriptors = &shard.node.descriptors;
                    let (open, limit) = (descriptors.open(), descriptors.limit());
                    tracing::error!(%error, open, limit, "accepting pauses; raise the file limit");
                }
                sleep(PAUSE).await;
            }
        }
    }
}

async fn accept_one(shard: &Shard, listener: &TcpListener) -> io::Result<Accepted> {
    // Counted first: a socket for which there is no room stays in the kernel's queue.
    let open = shard.node.descriptors.open_socket().ok_or_else(|| {
        io::Error::new(ErrorKind::QuotaExceeded, "every file descriptor is in use")
    })?;
    let (socket, peer) = listener.accept().await?;
    Ok(Accepted { socket, peer, open })
}
