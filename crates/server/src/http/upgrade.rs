//! From HTTP to WebSocket: the handshake, and handing the socket over to its shard.

use std::io::IoSlice;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use protocol::close::Close;
use tokio::time::timeout;
use websocket::handshake;

use super::answer::{Answer, Refused};
use super::connection::Connection;
use crate::frames;
use crate::hub::{Arrival, Shard};
use crate::limits::OpenSocket;
use crate::net::{ClientStream, Transport, client_address};
use crate::session::{Admission, Handshake, admit, new_socket_id};

/// How long a refused client may take to read why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A handshake that has been answered.
pub(super) struct Upgrade {
    admission: Admission,
    socket: OpenSocket,
    /// Who connects, as far as is known.
    client: IpAddr,
}

/// `GET /app/{key}`: the protocol's errors are told after the upgrade (W3).
pub(super) fn upgrade(
    connection: &Connection,
    request: &Request<Incoming>,
    key: Option<&str>,
) -> Result<Answer, Refused> {
    let node = &connection.shard.node;
    if node.is_draining() {
        return Err(Refused::new(503, "The server is closing, choose another one!"));
    }
    let accept = accept_key(request)?;
    let Some(mut socket) = connection.socket.take() else {
        return Err(Refused::new(400, "This connection has been upgraded already"));
    };
    let key = key.and_then(|key| percent_decode_str(key).decode_utf8().ok());
    let origin = request.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok());
    let client = client(connection, request);
    let handshake = Handshake {
        key: key.as_deref().filter(|key| !key.is_empty()),
        query: request.uri().query().unwrap_or_default(),
        origin,
        client,
    };
    let admission = admit(node, &handshake, &mut socket);
    connection.upgrade.set(Some(Upgrade { admission, socket, client }));
    connection.held.hold();

    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    Ok(answer)
}

/// Who asks, if need be as trusted proxies tell it.
fn client(connection: &Connection, request: &Request<Incoming>) -> IpAddr {
    let forwarded = request.headers().get_all("x-forwarded-for").into_iter();
    let trusted = &connection.shard.node.config.trusted_proxies;
    client_address(connection.peer, forwarded.map(HeaderValue::as_bytes), trusted)
}

/// The answer to whoever asks for `/app/...` without wanting a WebSocket.
pub(super) fn required() -> Refused {
    let mut refused =
        Refused::new(426, "This is a WebSocket endpoint, connect with ws:// or wss://");
    refused.0.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    refused
}

fn accept_key(request: &Request<Incoming>) -> Result<HeaderValue, Refused> {
    let headers = request.headers();
    let one = |name: HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let all = |name: HeaderName| headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    let accept = handshake::validate(
        request.method().as_str(),
        all(UPGRADE),
        all(CONNECTION),
        one(SEC_WEBSOCKET_VERSION),
        one(SEC_WEBSOCKET_KEY),
    );
    let accept = accept.map_err(|error| {
        let mut refused = Refused::new(error.status(), &error.to_string());
        for (name, value) in error.headers() {
            let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
            refused.0.headers_mut().insert(name, value);
        }
        refused
    })?;
    HeaderValue::from_bytes(&accept).map_err(|error| Refused::new(400, &error.to_string()))
}

impl Upgrade {
    /// Gives the socket to its shard, or tells the client why not.
    pub(super) fn hand_over(
        self,
        shard: &Rc<Shard>,
        stream: ClientStream,
        early: Bytes,
        answer: Vec<u8>,
    ) {
        let Upgrade { admission, socket, client } = self;
        let transport = stream.into_transport();
        match admission {
            Admission::Seated(seat) => {
                let socket_id = new_socket_id();
                tracing::debug!(app = %seat.app().id, %socket_id, %client, "connected");
                shard.admit(Arrival { transport, answer, early, seat, socket_id, socket });
            }
            Admission::Refused(close) => {
                if !tell(&transport, &answer, &close) || close == Close::over_capacity() {
                    // Where descriptors are scarce, nobody is waited for.
                    return;
                }
                tokio::task::spawn_local(async move {
                    // Whoever does not listen misses it.
                    let _ = timeout(LAST_WORDS, transport.hang_up()).await;
                    drop(socket);
                });
            }
        }
    }
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
