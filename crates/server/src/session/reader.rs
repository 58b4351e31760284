//! Reads one connection: bytes into frames, frames to the session. It holds no buffer: what is
//! read is handled before the next await.

use std::io::IoSlice;
use std::rc::Rc;

use bytes::Bytes;
use channels::ConnectionId;
use protocol::close::Close;
use protocol::socket_id::SocketId;
use websocket::{Decoder, Message, ProtocolError};

use super::Session;
use crate::apps::AppCounters;
use crate::frames;
use crate::hub::{Phase, Presence, Shard, live};
use crate::inbox::Op;
use crate::limits::OpenSocket;
use crate::net::Transport;
use crate::seats::Seat;

/// A connection whose handshake is done.
pub(crate) struct Arrival {
    pub(crate) transport: Transport,
    /// The answer to the handshake, if that is still to be sent.
    pub(crate) answer: Vec<u8>,
    /// What was read behind the handshake.
    pub(crate) early: Bytes,
    pub(crate) seat: Seat,
    pub(crate) socket_id: SocketId,
    pub(crate) socket: OpenSocket,
}

/// What comes after a read.
#[derive(PartialEq, Eq)]
enum Next {
    Read,
    End,
}

/// Takes a connection in: from here on it is sent to. What is returned reads it until its end; none
/// if it has ended already.
pub(crate) fn serve(
    shard: &Rc<Shard>,
    arrival: Arrival,
) -> Option<impl Future<Output = ()> + use<>> {
    let Arrival { transport, answer, early, seat, socket_id, socket } = arrival;
    let transport = Rc::new(transport);
    let app = seat.app().clone();
    let presence = shard.insert(transport.clone(), seat, socket_id, socket);
    let id = presence.id;

    let timeout = shard.config.activity_timeout.as_secs() as u32;
    let established = frames::connection_established(&socket_id.text(), timeout);
    let first = [&answer[..], &established].concat();
    shard.inbox().send(Op::Send { to: id, frame: first.into() });
    if !app.settings.load().config.enabled {
        // The app went while the handshake was on its way.
        shard.condemn(id, Close::app_disabled());
    }
    let mut decoder = Decoder::new(shard.config.connection.max_frame);
    if !early.is_empty() && hear(shard, id, &mut decoder, &mut early.to_vec()) == Next::End {
        return None;
    }
    // A block uses in place what it captures, where a function would keep it twice: every
    // connection has one of these for its whole life.
    Some(async move {
        while transport.readable().await.is_ok() {
            let Presence { shard, id } = &presence;
            if read_once(shard, *id, &transport, &mut decoder) == Next::End {
                return;
            }
        }
    })
}

/// Reads once and handles what came.
fn read_once(
    shard: &Shard,
    id: ConnectionId,
    transport: &Transport,
    decoder: &mut Decoder,
) -> Next {
    let mut buffer = shard.read_buffer.borrow_mut();
    match transport.try_read(&mut buffer) {
        Ok(Some(0)) | Err(_) => Next::End,
        Ok(None) => Next::Read,
        Ok(Some(count)) => hear(shard, id, decoder, &mut buffer[..count]),
    }
}

/// Handles bytes from the client.
fn hear(shard: &Shard, id: ConnectionId, decoder: &mut Decoder, bytes: &mut [u8]) -> Next {
    let Some(app) = shard.heard(id) else { return Next::End };
    AppCounters::add(&app.counters.socket_received_bytes, bytes.len());
    let session = Session { shard, id, app: &app };
    let mut frames = decoder.feed(bytes);
    loop {
        match frames.next() {
            Ok(None) => return Next::Read,
            Ok(Some(Message::Close(code, _))) => return session.answer_close(code),
            Ok(Some(_)) if !session.listens() => {}
            Ok(Some(Message::Text(text))) => {
                AppCounters::add(&app.counters.ws_messages_received, 1);
                session.on_text(text);
            }
            Ok(Some(Message::Binary(_))) => session.on_binary(),
            Ok(Some(Message::Ping(payload))) => {
                session.reply(websocket::pong(payload));
            }
            Ok(Some(Message::Pong(_))) => {}
            Err(error) => return session.refuse(&error),
        }
    }
}

impl Session<'_> {
    /// Whether what the client says still matters.
    fn listens(self) -> bool {
        let mut state = self.shard.state.borrow_mut();
        live(&mut state.connections, self.id).is_some_and(|c| c.phase == Phase::Open)
    }

    /// The peer's close frame: ours is the answer if we have not sent one (RFC 6455 5.5.1).
    fn answer_close(self, code: Option<u16>) -> Next {
        let mut state = self.shard.state.borrow_mut();
        if let Some(connection) = live(&mut state.connections, self.id)
            && connection.phase != Phase::Closing
            && connection.backlog.is_none()
        {
            let echo = websocket::close(code.unwrap_or(1000), "");
            // The peer is leaving: whether it still gets the answer is its own affair.
            let _ = connection.transport.try_write(&[IoSlice::new(&echo)]);
        }
        Next::End
    }

    /// Bytes that are no WebSocket frames end this connection and nothing else.
    fn refuse(self, error: &ProtocolError) -> Next {
        tracing::debug!(app = %self.app.id, %error, "a client broke the WebSocket protocol");
        let close = Close::new(error.close_code(), error.to_string());
        self.shard.condemn(self.id, close);
        Next::Read
    }
}
