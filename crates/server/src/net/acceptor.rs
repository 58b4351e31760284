//! One acceptor deals sockets out to the shards.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use registry::ShardId;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::hub::Op;
use crate::limits::OpenSocket;
use crate::node::Node;

/// Connections that the kernel keeps for us while we do not accept.
const BACKLOG: i32 = 4096;
/// How long accepting pauses when there is no descriptor to spare, unless one comes free.
const PAUSE: Duration = Duration::from_millis(50);
/// How often that is said.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// A socket that was accepted and is counted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: std::net::TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) open: OpenSocket,
}

/// Opens a listening socket. A host name is resolved; `::` listens on IPv4 too where the system
/// allows it.
pub(crate) fn bind(host: &str, port: u16) -> io::Result<std::net::TcpListener> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut last = io::Error::new(ErrorKind::NotFound, format!("{host} has no address"));
    for address in (host, port).to_socket_addrs()? {
        match bind_to(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_to(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // Where the system knows IPv6 only, that is what we listen on.
        let _ = socket.set_only_v6(false);
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts until the node drains; then the listener is closed.
pub(crate) async fn accept(node: Arc<Node>, listener: TcpListener) {
    let mut shards = node.shards().cycle();
    let drained = node.drained();
    tokio::pin!(drained);
    let mut said: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut drained => return,
            accepted = accept_one(&node, &listener) => accepted,
        };
        match accepted {
            Ok(accepted) => {
                let shard = shards.next().unwrap_or(ShardId(0));
                node.inbox(shard).send(Op::Accept(accepted));
            }
            // The client went away before it was its turn.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if said.is_none_or(|at| at.elapsed() > SAY_EVERY) {
                    said = Some(Instant::now());
                    let (open, limit) = (node.descriptors.open(), node.descriptors.limit());
                    tracing::error!(%error, open, limit, "accepting pauses; raise the file limit");
                }
                sleep(PAUSE).await;
            }
        }
    }
}

async fn accept_one(node: &Node, listener: &TcpListener) -> io::Result<Accepted> {
    // Counted first: a socket for which there is no room stays in the kernel's queue.
    let open = node.descriptors.open_socket().ok_or_else(|| {
        io::Error::new(ErrorKind::QuotaExceeded, "every file descriptor is in use")
    })?;
    let (socket, peer) = listener.accept().await?;
    // A socket that has died already says so when it is read.
    let _ = socket.set_nodelay(true);
    Ok(Accepted { socket: socket.into_std()?, peer, open })
}
