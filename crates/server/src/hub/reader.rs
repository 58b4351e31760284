//! Reads one connection: bytes into frames, frames to the session. It holds no buffer: what is
//! read is handled before the next await.

use std::rc::Rc;

use bytes::Bytes;
use channels::ConnectionId;
use channels::rates::Gcra;
use protocol::close::Close;
use protocol::socket_id::SocketId;
use websocket::{Decoder, Message, ProtocolError};

use super::connection::{Connection, Phase, live};
use super::op::Op;
use super::outbox::Turn;
use super::shard::{Shard, State};
use super::wheel::TimerPosition;
use crate::apps::{App, Counters};
use crate::frames;
use crate::limits::OpenSocket;
use crate::net::Transport;
use crate::seats::Seat;
use crate::session::Session;

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

/// Takes the connection out of every table when its task ends, however it ends.
struct Presence {
    shard: Rc<Shard>,
    id: ConnectionId,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.shard.remove(self.id);
    }
}

impl Shard {
    /// Takes a connection in: from here on it is sent to. What is returned reads it until its end;
    /// none if it has ended already.
    pub(crate) fn admit(
        self: &Rc<Self>,
        arrival: Arrival,
    ) -> Option<impl Future<Output = ()> + use<>> {
        let Arrival { transport, answer, early, seat, socket_id, socket } = arrival;
        let transport = Rc::new(transport);
        let app = seat.app().clone();
        let id = self.insert(transport.clone(), seat, socket_id, socket);
        let presence = Presence { shard: self.clone(), id };

        let timeout = self.node.config.activity_timeout.as_secs() as u32;
        let established = frames::connection_established(&socket_id.text(), timeout);
        let first = [&answer[..], &established].concat();
        self.inbox().send(Op::Send { to: id, frame: first.into() });
        if !app.settings.load().config.enabled {
            // The app went while the handshake was on its way.
            self.condemn(id, Close::app_disabled());
        }
        let mut decoder = Decoder::new(self.node.config.connection.max_frame);
        if !early.is_empty() && self.hear(id, &mut decoder, &mut early.to_vec()) == Next::End {
            return None;
        }
        // A block uses in place what it captures, where a function would keep it twice: every
        // connection has one of these for its whole life.
        Some(async move {
            while transport.readable().await.is_ok() {
                let Presence { shard, id } = &presence;
                if shard.read_once(*id, &transport, &mut decoder) == Next::End {
                    return;
                }
            }
        })
    }

    fn insert(
        &self,
        transport: Rc<Transport>,
        seat: Seat,
        socket_id: SocketId,
        socket: OpenSocket,
    ) -> ConnectionId {
        let mut state = self.state.borrow_mut();
        let State { connections, wheel, generation, .. } = &mut *state;
        *generation = generation.wrapping_add(1);
        let now = wheel.now();
        let index = connections.insert(Connection {
            turn: Turn::default(),
            transport,
            backlog: None,
            subscriptions: Vec::new(),
            seat,
            socket_id,
            generation: *generation,
            phase: Phase::Open,
            probed: false,
            authorized: false,
            heard: now,
            since: now,
            timer: TimerPosition::default(),
            client_events: Gcra::default(),
            user: None,
            _socket: socket,
        });
        let deadline = self.deadline(&connections[index]);
        wheel.set(connections, index as u32, deadline);
        ConnectionId { index: index as u32, generation: *generation }
    }

    /// Reads once and handles what came.
    fn read_once(&self, id: ConnectionId, transport: &Transport, decoder: &mut Decoder) -> Next {
        let mut buffer = self.read_buffer.borrow_mut();
        match transport.try_read(&mut buffer) {
            Ok(Some(0)) | Err(_) => Next::End,
            Ok(None) => Next::Read,
            Ok(Some(count)) => self.hear(id, decoder, &mut buffer[..count]),
        }
    }

    /// Handles bytes from the client.
    fn hear(&self, id: ConnectionId, decoder: &mut Decoder, bytes: &mut [u8]) -> Next {
        let app = {
            let mut state = self.state.borrow_mut();
            let now = state.wheel.now();
            let Some(connection) = live(&mut state.connections, id) else { return Next::End };
            connection.heard = now;
            connection.probed = false;
            connection.app().clone()
        };
        Counters::add(&app.counters.socket_received_bytes, bytes.len());
        let session = Session { shard: self, id, app: &app };
        let mut frames = decoder.feed(bytes);
        loop {
            match frames.next() {
                Ok(None) => return Next::Read,
                Ok(Some(Message::Close(code, _))) => return self.answer_close(id, code),
                Ok(Some(_)) if !self.listens(id) => {}
                Ok(Some(Message::Text(text))) => {
                    Counters::add(&app.counters.ws_messages_received, 1);
                    session.on_text(text);
                }
                Ok(Some(Message::Binary(_))) => session.on_binary(),
                Ok(Some(Message::Ping(payload))) => {
                    session.reply(websocket::pong(payload));
                }
                Ok(Some(Message::Pong(_))) => {}
                Err(error) => return self.refuse(id, &app, &error),
            }
        }
    }

    /// Whether what the client says still matters.
    fn listens(&self, id: ConnectionId) -> bool {
        let mut state = self.state.borrow_mut();
        live(&mut state.connections, id).is_some_and(|c| c.phase == Phase::Open)
    }

    /// The peer's close frame: ours is the answer if we have not sent one (RFC 6455 5.5.1).
    fn answer_close(&self, id: ConnectionId, code: Option<u16>) -> Next {
        let mut state = self.state.borrow_mut();
        if let Some(connection) = live(&mut state.connections, id)
            && connection.phase != Phase::Closing
            && connection.backlog.is_none()
        {
            let echo = websocket::close(code.unwrap_or(1000), "");
            // The peer is leaving: whether it still gets the answer is its own affair.
            let _ = connection.transport.try_write(&[std::io::IoSlice::new(&echo)]);
        }
        Next::End
    }

    /// Bytes that are no WebSocket frames end this connection and nothing else.
    fn refuse(&self, id: ConnectionId, app: &App, error: &ProtocolError) -> Next {
        tracing::debug!(app = %app.id, %error, "a client broke the WebSocket protocol");
        let close = Close::new(error.close_code(), error.to_string());
        self.condemn(id, close);
        Next::Read
    }
}
