//! From HTTP to WebSocket: judging a handshake, answering it, and handing the socket over to its
//! shard. Almost every handshake is the whole of what a socket's first read brings; those are
//! answered here and never meet hyper. The rest come from hyper, with the same rules.

use std::io::IoSlice;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use hyper::{HeaderMap, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use protocol::close::Close;
use tokio::time::timeout;
use websocket::handshake::{self, HandshakeError};

use super::answer::{Answer, ErrorAnswer};
use super::connection::{Connection, Front};
use super::health::NOT_JOINED;
use super::route;
use crate::frames;
use crate::hub::Shard;
use crate::limits::OpenSocket;
use crate::net::{ClientStream, Transport, client_address};
use crate::node::Node;
use crate::seats::Seat;
use crate::session::{self, Admission, Arrival, Gate, Handshake, new_socket_id};

/// How long a refused client may take to read why.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// The most headers of a handshake that is answered without hyper.
pub(super) const MAX_HEADERS: usize = 32;

/// A handshake that has been judged and is answered with 101.
pub(super) struct Upgrade {
    admission: Admission,
    socket: OpenSocket,
    /// Who connects, as far as is known.
    client: IpAddr,
}

/// A request's headers, whoever has read them.
pub(super) trait Headers {
    /// Every value of a header; `name` is in lower case.
    fn all<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]>;
}

impl Headers for HeaderMap {
    fn all<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.get_all(name).into_iter().map(HeaderValue::as_bytes)
    }
}

impl Headers for [httparse::Header<'_>] {
    fn all<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        let named = self.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value)
    }
}

/// `GET /app/{key}` as hyper has read it: the protocol's errors are told after the upgrade (W3).
pub(super) fn upgrade(
    connection: &Connection,
    request: &Request<Incoming>,
    key: Option<&str>,
) -> Result<Answer, ErrorAnswer> {
    let node = &connection.front.node;
    if node.readiness.is_draining() {
        return Err(ErrorAnswer::new(503, "The server is closing, choose another one!"));
    }
    if !node.readiness.has_joined() {
        return Err(ErrorAnswer::unavailable(NOT_JOINED));
    }
    let headers = request.headers();
    let accept = accept_key(request.method().as_str(), headers).map_err(|error| {
        let mut refused = ErrorAnswer::new(error.status(), &error.to_string());
        for (name, value) in error.headers() {
            let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
            refused.0.headers_mut().insert(name, value);
        }
        refused
    })?;
    let Some(socket) = connection.socket.take() else {
        return Err(ErrorAnswer::new(400, "This connection has been upgraded already"));
    };
    let query = request.uri().query().unwrap_or_default();
    let upgrade = Upgrade::judge(node, connection.peer, (key, query), headers, socket);
    connection.upgrade.set(Some(upgrade));

    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let accept = HeaderValue::from_bytes(&accept);
    let accept = accept.map_err(|error| ErrorAnswer::new(400, &error.to_string()))?;
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    Ok(answer)
}

/// The answer to whoever asks for `/app/...` without wanting a WebSocket.
pub(super) fn required() -> ErrorAnswer {
    let mut refused =
        ErrorAnswer::new(426, "This is a WebSocket endpoint, connect with ws:// or wss://");
    refused.0.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    refused
}

/// The first bytes of a socket, if they are a whole handshake: what comes of it, the answer, and
/// how many bytes it took. Everything else, and whatever is wrong with it, is hyper's.
pub(super) fn at_once(
    node: &Node,
    peer: IpAddr,
    bytes: &[u8],
    socket: &mut Option<OpenSocket>,
) -> Option<(Upgrade, Vec<u8>, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let head = read_head(bytes, &mut request, &node.config.path_prefix)?;
    if node.readiness.is_draining() || !node.readiness.has_joined() || !node.serves_clients() {
        return None;
    }
    let socket = socket.take()?;
    let asked = (head.key, head.query);
    let upgrade = Upgrade::judge(node, peer, asked, &*request.headers, socket);
    Some((upgrade, handshake::response(&head.accept), head.length))
}

/// What a whole handshake asks for, besides its headers.
pub(super) struct Head<'a> {
    /// Still percent-encoded; none in a bare `/app`.
    pub(super) key: Option<&'a str>,
    pub(super) query: &'a str,
    /// The value of `Sec-WebSocket-Accept`.
    pub(super) accept: [u8; 28],
    /// How many bytes the handshake has.
    pub(super) length: usize,
}

/// The bytes of a request's target that mean the same to everybody (RFC 3986, section 2), among them
/// the percent sign of all others.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let (all, mut at) = (b"-._~%!$&'()*+,;=:@/?", 0);
    while at < all.len() {
        plain[all[at] as usize] = true;
        at += 1;
    }
    let mut byte = 0;
    while byte < 128_u8 {
        plain[byte as usize] |= byte.is_ascii_alphanumeric();
        byte += 1;
    }
    plain
};

/// Reads a handshake without hyper, if `bytes` begin with a whole one that hyper would take in the
/// same way.
pub(super) fn read_head<'a>(
    bytes: &'a [u8],
    request: &mut httparse::Request<'_, 'a>,
    prefix: &str,
) -> Option<Head<'a>> {
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if request.version == Some(1) => length,
        _ => return None,
    };
    let target = request.path?;
    // Of other bytes hyper refuses some, and a fragment is no part of what is asked for.
    if !target.bytes().all(|byte| PLAIN[usize::from(byte)]) {
        return None;
    }
    // A body ends where HTTP says, and what follows it is for the WebSocket.
    let mut framing = ["content-length", "transfer-encoding"].into_iter();
    if framing.any(|name| request.headers.all(name).next().is_some()) {
        return None;
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let key = route::socket_key(route::behind_prefix(prefix, path)?)?;
    let accept = accept_key(request.method?, &*request.headers).ok()?;
    Some(Head { key, query, accept, length })
}

pub(super) fn accept_key(
    method: &str,
    headers: &(impl Headers + ?Sized),
) -> Result<[u8; 28], HandshakeError> {
    handshake::validate(
        method,
        headers.all("upgrade"),
        headers.all("connection"),
        headers.all("sec-websocket-version").next(),
        headers.all("sec-websocket-key").next(),
    )
}

/// Who decides on requests for WebSockets.
fn gate(node: &Node) -> Gate<'_> {
    Gate {
        config: &node.config,
        apps: &node.apps,
        channels: &node.channels,
        readiness: &node.readiness,
        stats: &node.stats,
    }
}

impl Upgrade {
    /// Decides who gets the socket. `key` is still percent-encoded.
    fn judge(
        node: &Node,
        peer: IpAddr,
        (key, query): (Option<&str>, &str),
        headers: &(impl Headers + ?Sized),
        mut socket: OpenSocket,
    ) -> Self {
        let key = key.and_then(|key| percent_decode_str(key).decode_utf8().ok());
        let forwarded = headers.all("x-forwarded-for");
        let client = client_address(peer, forwarded, &node.config.trusted_proxies);
        let handshake = Handshake {
            key: key.as_deref().filter(|key| !key.is_empty()),
            query,
            origin: headers.all("origin").next().and_then(|origin| str::from_utf8(origin).ok()),
            client,
        };
        let admission = gate(node).admit(&handshake, &mut socket);
        Upgrade { admission, socket, client }
    }

    /// Gives the socket to its shard, or tells the client why not. `answer` is what is still to be
    /// sent before the first frame, `early` what was read behind the handshake. What is returned
    /// serves the connection until its end.
    pub(super) fn hand_over(
        self,
        front: &Rc<Front>,
        stream: ClientStream,
        early: Bytes,
        answer: Vec<u8>,
    ) -> Option<impl Future<Output = ()> + use<>> {
        let Upgrade { admission, mut socket, client } = self;
        let transport = stream.into_transport();
        let arrive = move |shard: &Rc<Shard>, transport, answer, seat: Seat, socket| {
            let socket_id = new_socket_id();
            tracing::debug!(app = %seat.app().id, %socket_id, %client, "connected");
            session::serve(shard, Arrival { transport, answer, early, seat, socket_id, socket })
        };
        match admission {
            Admission::Seated(seat) => {
                return arrive(&front.shard, transport, answer, seat, socket);
            }
            Admission::Waiting(waiting) => {
                let front = front.clone();
                tokio::task::spawn_local(async move {
                    match waiting.answer(gate(&front.node), &mut socket).await {
                        Ok(seat) => {
                            let shard = &front.shard;
                            if let Some(reader) = arrive(shard, transport, answer, seat, socket) {
                                reader.await;
                            }
                        }
                        Err(close) => refuse(transport, &answer, &close, socket).await,
                    }
                });
            }
            Admission::Refused(close) => {
                tokio::task::spawn_local(async move {
                    refuse(transport, &answer, &close, socket).await;
                });
            }
        }
        None
    }
}

/// Tells a client why it is closed. Where descriptors are scarce, nobody is waited for.
async fn refuse(transport: Transport, answer: &[u8], close: &Close, socket: OpenSocket) {
    if tell(&transport, answer, close) && *close != Close::over_capacity() {
        // Whoever does not listen misses it.
        let _ = timeout(LAST_WORDS, transport.hang_up()).await;
    }
    drop(socket);
}

/// The answer to the handshake, an error frame and a close frame (W14); false if the client is gone.
fn tell(transport: &Transport, answer: &[u8], close: &Close) -> bool {
    let error = frames::error(Some(close.code), &close.reason, None);
    let frame = websocket::close(close.code, close.frame_reason());
    let frames = [IoSlice::new(answer), IoSlice::new(&error), IoSlice::new(&frame)];
    let told = matches!(transport.try_write(&frames), Ok(written) if written > 0);
    transport.finish();
    told
}
