//! How connections come: into the shard's tables, for as long as whoever reads them holds on to their
//! [`Presence`].

use std::rc::Rc;

use channels::ConnectionId;
use channels::rates::Gcra;
use protocol::socket_id::SocketId;

use super::connection::{Connection, Phase};
use super::outbox::Turn;
use super::shard::{Shard, ShardState};
use super::wheel::TimerPosition;
use crate::limits::OpenSocket;
use crate::net::Transport;
use crate::seats::Seat;

/// Takes the connection out of every table when its task ends, however it ends.
pub(crate) struct Presence {
    pub(crate) shard: Rc<Shard>,
    pub(crate) id: ConnectionId,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.shard.remove(self.id);
    }
}

impl Shard {
    /// Takes a connection in: from here on it is sent to.
    pub(crate) fn insert(
        self: &Rc<Self>,
        transport: Rc<Transport>,
        seat: Seat,
        socket_id: SocketId,
        socket: OpenSocket,
    ) -> Presence {
        let mut state = self.state.borrow_mut();
        let ShardState { connections, wheel, generation, .. } = &mut *state;
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
        let id = ConnectionId { index: index as u32, generation: *generation };
        Presence { shard: self.clone(), id }
    }
}
