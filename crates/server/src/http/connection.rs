//! One socket that speaks HTTP, until it is closed or becomes a WebSocket.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use std::{future, io};

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::time::timeout;

use super::handover::{Handover, Held};
use super::upgrade::Upgrade;
use super::{cors, route};
use crate::hub::Shard;
use crate::limits::OpenSocket;
use crate::net::{Accepted, open};

/// The most bytes of a request's head.
const MAX_HEAD: usize = 64 * 1024;
/// How long a proxy's header and a TLS handshake may take: clients begin them at once.
const OPENING: Duration = Duration::from_secs(10);

/// What requests on one socket share.
pub(super) struct Connection {
    pub(super) shard: Rc<Shard>,
    pub(super) peer: IpAddr,
    /// Counts the socket; goes along when it becomes a WebSocket.
    pub(super) socket: RefCell<Option<OpenSocket>>,
    /// The answer to the handshake.
    pub(super) held: Held,
    /// Set by the request that turns the socket into a WebSocket.
    pub(super) upgrade: Cell<Option<Upgrade>>,
}

/// Counts a shard's HTTP connections.
struct Counted(Rc<Shard>);

impl Counted {
    fn new(shard: Rc<Shard>) -> Self {
        shard.http_connections.update(|count| count + 1);
        Counted(shard)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.http_connections.update(|count| count - 1);
    }
}

/// Serves an accepted socket on its shard.
pub(crate) fn accept(shard: &Rc<Shard>, accepted: Accepted) {
    let shard = shard.clone();
    tokio::task::spawn_local(async move {
        let counted = Counted::new(shard.clone());
        let peer = accepted.peer.ip();
        match serve(shard.clone(), accepted).await {
            Ok(Some(arrival)) => {
                drop(counted);
                arrival(&shard);
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(%peer, %error, "an HTTP connection ended"),
        }
    });
}

/// What is left to do when a socket has become a WebSocket.
type HandOver = Box<dyn FnOnce(&Rc<Shard>)>;

async fn serve(shard: Rc<Shard>, accepted: Accepted) -> io::Result<Option<HandOver>> {
    let node = shard.node.clone();
    let patience = node.config.http.keep_alive_timeout;
    let Accepted { socket, peer, open: socket_count } = accepted;
    let opened = timeout(patience.min(OPENING), open(&node, socket, peer.ip())).await;
    let (stream, peer) = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;

    let connection = Rc::new(Connection {
        shard: shard.clone(),
        peer,
        socket: RefCell::new(Some(socket_count)),
        held: Held::default(),
        upgrade: Cell::new(None),
    });
    let service =
        service_fn(|request: Request<Incoming>| Box::pin(answer(connection.clone(), request)));
    let mut http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(MAX_HEAD)
        // Head and body of our small answers are one write of one buffer.
        .writev(false)
        .serve_connection(Handover::new(stream, connection.held.clone()), service);

    let mut drained = pin!(node.drained());
    let mut draining = false;
    future::poll_fn(|context| {
        if !draining && drained.as_mut().poll(context).is_ready() {
            draining = true;
            std::pin::Pin::new(&mut http).graceful_shutdown();
        }
        http.poll_without_shutdown(context).map_err(io::Error::other)
    })
    .await?;

    let parts = http.into_parts();
    let Some(upgrade) = connection.upgrade.take() else {
        parts.io.into_inner().close();
        return Ok(None);
    };
    let (stream, early, answer) = (parts.io.into_inner(), parts.read_buf, connection.held.take());
    Ok(Some(Box::new(move |shard| upgrade.hand_over(shard, stream, early, answer))))
}

async fn answer(
    connection: Rc<Connection>,
    request: Request<Incoming>,
) -> Result<super::Answer, Infallible> {
    let cors = cors::Cors::of(&connection.shard.node.config.cors, &request);
    let mut answer = route::route(&connection, request).await;
    cors.stamp(answer.headers_mut());
    Ok(answer)
}
