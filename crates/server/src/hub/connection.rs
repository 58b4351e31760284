//! What a shard holds of one connection: nothing that an idle one does not need.

use std::rc::Rc;
use std::sync::Arc;

use channels::ConnectionId;
use channels::rates::Gcra;
use protocol::socket_id::SocketId;
use slab::Slab;

use super::channels::Subscription;
use super::outbox::{Backlog, Turn};
use super::wheel::TimerPosition;
use crate::apps::App;
use crate::limits::OpenSocket;
use crate::net::Transport;
use crate::seats::Seat;

/// A shard's connections by index.
pub(crate) type Connections = Slab<Connection>;

/// How far along its life a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its frames are heard.
    Open,
    /// We have decided to close it; what it still sends is thrown away.
    Condemned,
    /// Our close frame is on its way, the peer's is awaited.
    Closing,
}

/// The user that a connection is signed in as (W45).
#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) id: Arc<str>,
    pub(crate) info_json: Option<Box<str>>,
    /// The watched users' states, until all are known and told at once (W49).
    pub(crate) gathering: Option<Vec<(Arc<str>, bool)>>,
}

/// Owned by one shard. Everything that exists because of the connection is dropped with it.
pub(crate) struct Connection {
    /// Its part in the shard's present turn.
    pub(crate) turn: Turn,
    pub(crate) transport: Rc<Transport>,
    /// What the socket did not take yet.
    pub(crate) backlog: Option<Box<Backlog>>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) seat: Seat,
    pub(crate) socket_id: SocketId,
    pub(crate) generation: u32,
    pub(crate) phase: Phase,
    /// A control ping is unanswered (W10).
    pub(crate) probed: bool,
    /// It has signed in or joined a channel that needs authorization (W50).
    pub(crate) authorized: bool,
    /// When something was last received, and when it connected, in the shard's seconds.
    pub(crate) heard: u32,
    pub(crate) since: u32,
    pub(crate) timer: TimerPosition,
    /// The budget of client events (W42).
    pub(crate) client_events: Gcra,
    pub(crate) user: Option<Box<SignedIn>>,
    /// Counts the socket among the open ones.
    pub(super) _socket: OpenSocket,
}

impl Connection {
    /// The app that the connection belongs to.
    pub(crate) fn app(&self) -> &Arc<App> {
        self.seat.app()
    }

    /// Its name in the shard.
    pub(crate) fn id(&self, index: u32) -> ConnectionId {
        ConnectionId { index, generation: self.generation }
    }
}

/// The connection of that name, if it is still there.
pub(crate) fn live(connections: &mut Connections, id: ConnectionId) -> Option<&mut Connection> {
    let connection = connections.get_mut(id.index as usize)?;
    (connection.generation == id.generation).then_some(connection)
}
