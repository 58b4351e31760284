//! One socket that speaks HTTP, until it is closed or becomes a WebSocket.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::net::{IpAddr, TcpListener};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;
use std::{future, io};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioTimer;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{sleep, timeout};

use super::replay::Replay;
use super::upgrade::{Upgrade, at_once};
use super::{cors, route};
use crate::hub::Shard;
use crate::limits::OpenSocket;
use crate::net::{self, Accepted, ClientStream, open};
use crate::node::Node;

/// The most bytes of a request's head.
const MAX_HEAD: usize = 64 * 1024;
/// For how long a node that leaves still waits for a request on a socket that is open: it may be
/// under way, and whoever sent it would never know what became of it.
const UNDER_WAY: Duration = Duration::from_millis(250);
/// How long a proxy's header and a TLS handshake may take: clients begin them at once.
const OPENING: Duration = Duration::from_secs(10);

/// What all sockets of one shard's HTTP share.
pub(super) struct Front {
    pub(super) node: Arc<Node>,
    pub(super) shard: Rc<Shard>,
}

/// What requests on one socket share.
pub(super) struct Connection {
    pub(super) front: Rc<Front>,
    pub(super) peer: IpAddr,
    /// Counts the socket; goes along when it becomes a WebSocket.
    pub(super) socket: RefCell<Option<OpenSocket>>,
    /// Set by the request that turns the socket into a WebSocket.
    pub(super) upgrade: Cell<Option<Upgrade>>,
}

/// Counts a shard's HTTP connections.
struct Counted(Rc<Front>);

impl Counted {
    fn new(front: Rc<Front>) -> Self {
        front.shard.http_connections.update(|count| count + 1);
        Counted(front)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.shard.http_connections.update(|count| count - 1);
    }
}

/// Serves what arrives at a shard's listener, on that shard's thread, until the node is on its way
/// out.
pub(crate) async fn listen(node: Arc<Node>, shard: Rc<Shard>, listener: TcpListener) {
    let (id, descriptors, drained) = (shard.id, node.descriptors.clone(), node.readiness.drained());
    let front = Rc::new(Front { node, shard });
    net::accept(id, listener, descriptors, drained, |accepted| serve(front.clone(), accepted))
        .await;
}

/// Serves an accepted socket on its shard, with one task for its whole life.
fn serve(front: Rc<Front>, accepted: Accepted) {
    tokio::task::spawn_local(async move {
        // The task has room for its largest state for its whole life, and a WebSocket, which most
        // become, needs little: so the beginning is boxed, and what follows stays where it is made.
        let begun = Box::pin(begin(front.clone(), accepted)).await;
        let Some(WebSocket { upgrade, stream, early, answer }) = begun else { return };
        let reader = pin!(upgrade.hand_over(&front, stream, early, answer));
        if let Some(reader) = reader.as_pin_mut() {
            reader.await;
        }
    });
}

/// Speaks HTTP until the socket becomes a WebSocket, or ends.
async fn begin(front: Rc<Front>, accepted: Accepted) -> Option<WebSocket> {
    let _counted = Counted::new(front.clone());
    let peer = accepted.peer.ip();
    let begun = try_begin(&front, accepted).await;
    begun.unwrap_or_else(|error| {
        tracing::debug!(%peer, %error, "an HTTP connection ended");
        None
    })
}

/// A socket that speaks WebSocket from now on.
struct WebSocket {
    upgrade: Upgrade,
    stream: ClientStream,
    /// What was read behind the handshake.
    early: Bytes,
    /// The answer to it, if that is still to be sent.
    answer: Vec<u8>,
}

async fn try_begin(front: &Rc<Front>, accepted: Accepted) -> io::Result<Option<WebSocket>> {
    let node = &*front.node;
    let patience = node.config.http.keep_alive_timeout;
    let Accepted { socket, peer, open: counted } = accepted;
    let opened =
        timeout(patience.min(OPENING), open(&node.config, node.tls.as_deref(), socket, peer.ip()))
            .await;
    let (mut stream, peer) = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;

    let mut counted = Some(counted);
    let first = first_read(&front.shard, &mut stream, |bytes| {
        match at_once(node, peer, bytes, &mut counted) {
            Some((upgrade, answer, length)) => {
                First::Handshake(upgrade, answer, Bytes::copy_from_slice(&bytes[length..]))
            }
            None => First::Http(Bytes::copy_from_slice(bytes)),
        }
    });
    let first = tokio::select! {
        biased;
        first = timeout(patience, first) => first,
        () = gone(node) => return Ok(None),
    };
    match first.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))? {
        First::Handshake(upgrade, answer, early) => {
            Ok(Some(WebSocket { upgrade, stream, early, answer }))
        }
        First::Http(first) if first.is_empty() => Ok(None),
        First::Http(first) => {
            let connection = Rc::new(Connection {
                front: front.clone(),
                peer,
                socket: RefCell::new(counted),
                upgrade: Cell::new(None),
            });
            // Most connections become WebSockets without it.
            Box::pin(serve_http(connection, Replay::new(first, stream))).await
        }
    }
}

/// What the first read of a socket brought.
enum First {
    /// A whole handshake.
    Handshake(Upgrade, Vec<u8>, Bytes),
    /// Something else; nothing if the client has gone.
    Http(Bytes),
}

/// Reads once, into the buffer that all of the shard's connections share.
async fn first_read<T>(
    shard: &Shard,
    stream: &mut ClientStream,
    mut look: impl FnMut(&[u8]) -> T,
) -> io::Result<T> {
    future::poll_fn(|context| {
        let mut buffer = shard.read_buffer.borrow_mut();
        let mut buffer = ReadBuf::new(&mut buffer);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(look(buffer.filled())))
    })
    .await
}

/// Answers requests until the connection ends, or one of them turns it into a WebSocket.
async fn serve_http(connection: Rc<Connection>, stream: Replay) -> io::Result<Option<WebSocket>> {
    let node = connection.front.node.clone();
    let service =
        service_fn(|request: Request<Incoming>| Box::pin(answer(connection.clone(), request)));
    let http = http1(node.config.http.keep_alive_timeout);
    let mut http = http.serve_connection(stream, service);

    let mut gone = pin!(gone(&node));
    let mut is_gone = false;
    future::poll_fn(|context| {
        if !is_gone && gone.as_mut().poll(context).is_ready() {
            is_gone = true;
            Pin::new(&mut http).graceful_shutdown();
        }
        http.poll_without_shutdown(context).map_err(io::Error::other)
    })
    .await?;

    let parts = http.into_parts();
    let (stream, early) = (parts.io.into_inner(), parts.read_buf);
    let Some(upgrade) = connection.upgrade.take() else {
        stream.close();
        return Ok(None);
    };
    Ok(Some(WebSocket { upgrade, stream, early, answer: Vec::new() }))
}

/// How HTTP is spoken. `patience` is for the head of the first request, and between requests.
pub(super) fn http1(patience: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(MAX_HEAD);
    // Head and body of our small answers are one write of one buffer.
    http.writev(false);
    http
}

/// Resolves when the node is on its way out, and nothing that was sent before can still come.
async fn gone(node: &Node) {
    node.readiness.drained().await;
    sleep(UNDER_WAY).await;
}

async fn answer(
    connection: Rc<Connection>,
    request: Request<Incoming>,
) -> Result<super::Answer, Infallible> {
    let node = &connection.front.node;
    let cors = cors::Cors::of(&node.config.cors, &request);
    let mut answer = route::route(&connection, request).await;
    cors.stamp(answer.headers_mut());
    if node.readiness.is_draining() && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        // The next request is for another node.
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer)
}
