//! One shard: a thread's connections and its channel table.

use std::cell::{Cell, RefCell};
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use channels::registry::ShardId;
use channels::{ConnectionId, ConnectionRef};
use tokio::time::MissedTickBehavior;

use super::channels::Channels;
use super::connection::Connections;
use super::inbox::Inbox;
use super::op::Op;
use super::outbox::Outbox;
use super::report::ShardReport;
use super::wheel::Wheel;
use crate::node::Node;
use crate::task_thread::TaskThread;
use crate::{http, net};

/// The read buffer that a shard's connections share.
const READ_BUFFER: usize = 64 * 1024;

/// What a shard's thread owns. Nothing in it is shared with another thread.
pub(crate) struct Shard {
    pub(crate) id: ShardId,
    pub(crate) node: Arc<Node>,
    /// Borrowed only between two awaits.
    pub(crate) state: RefCell<State>,
    /// Where connections read into; in use only between two awaits.
    pub(crate) read_buffer: RefCell<Box<[u8]>>,
    /// Connections that speak HTTP, or have not said yet what they speak.
    pub(crate) http_connections: Cell<usize>,
    pub(super) stopped: Cell<bool>,
}

/// The shard's tables.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) connections: Connections,
    pub(crate) channels: Channels,
    pub(super) wheel: Wheel,
    pub(super) outbox: Outbox,
    /// How many connections there have been.
    pub(super) generation: u32,
}

impl Shard {
    /// Starts the shard on its thread, where it serves until it is told to stop.
    pub(crate) fn start(id: ShardId, node: Arc<Node>, listener: TcpListener, thread: &TaskThread) {
        thread.spawn(move || Shard::run(id, node, listener));
    }

    async fn run(id: ShardId, node: Arc<Node>, listener: TcpListener) {
        let shard = Rc::new(Shard {
            id,
            node,
            state: RefCell::default(),
            read_buffer: RefCell::new(vec![0; READ_BUFFER].into_boxed_slice()),
            http_connections: Cell::new(0),
            stopped: Cell::new(false),
        });
        tokio::task::spawn_local(shard.clone().keep_time());
        tokio::task::spawn_local(net::accept(shard.clone(), listener, http::accept));
        let mut ops: Vec<Op> = Vec::new();
        while !shard.stopped.get() {
            shard.inbox().ready().await;
            // Everything that is ready runs first, so that what came together leaves together.
            tokio::task::yield_now().await;
            shard.turn(&mut ops);
        }
        shard.cut_off_everybody();
    }

    async fn keep_time(self: Rc<Self>) {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        seconds.tick().await;
        loop {
            seconds.tick().await;
            self.second();
        }
    }

    /// One of the shard's connections, as the channels call it.
    pub(crate) fn own(&self, id: ConnectionId) -> ConnectionRef {
        ConnectionRef { shard: self.id, id }
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        self.node.inbox(self.id)
    }

    pub(super) fn report(&self) -> ShardReport {
        let state = self.state.borrow();
        let backlogs = state.connections.iter().filter_map(|(_, c)| c.backlog.as_ref());
        ShardReport {
            connections: state.connections.len(),
            channels: state.channels.len(),
            subscriptions: state.channels.subscriptions(),
            timers: state.wheel.len(),
            pending_bytes: backlogs.map(|backlog| backlog.bytes()).sum(),
            http_connections: self.http_connections.get(),
        }
    }
}
