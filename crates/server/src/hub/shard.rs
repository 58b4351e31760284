//! One shard: a thread's connections and its channel table.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use channels::registry::ShardId;
use channels::{ConnectionId, ConnectionRef};
use config::Config;

use super::channels::Channels;
use super::connection::Connections;
use super::outbox::Outbox;
use super::wheel::Wheel;
use crate::inbox::{Inbox, ShardReport};
use crate::outside::NodeChannels;
use crate::stats::Stats;

/// The read buffer that a shard's connections share.
const READ_BUFFER: usize = 64 * 1024;

/// What a shard's thread owns. Nothing in it is shared with another thread.
pub(crate) struct Shard {
    pub(crate) id: ShardId,
    pub(crate) config: Arc<Config>,
    /// What happens on channels, over all shards and nodes.
    pub(crate) channels: Arc<NodeChannels>,
    pub(super) stats: Arc<Stats>,
    /// Borrowed only between two awaits.
    pub(crate) state: RefCell<ShardState>,
    /// Where connections read into; in use only between two awaits.
    pub(crate) read_buffer: RefCell<Box<[u8]>>,
    /// Connections that speak HTTP, or have not said yet what they speak.
    pub(crate) http_connections: Cell<usize>,
    pub(super) stopped: Cell<bool>,
}

/// The shard's tables.
#[derive(Default)]
pub(crate) struct ShardState {
    pub(crate) connections: Connections,
    pub(crate) channels: Channels,
    pub(super) wheel: Wheel,
    pub(super) outbox: Outbox,
    /// How many connections there have been.
    pub(super) generation: u32,
}

impl Shard {
    /// A shard without connections, on the thread that is to be its own.
    pub(crate) fn new(
        id: ShardId,
        config: Arc<Config>,
        channels: Arc<NodeChannels>,
        stats: Arc<Stats>,
    ) -> Rc<Self> {
        Rc::new(Shard {
            id,
            config,
            channels,
            stats,
            state: RefCell::default(),
            read_buffer: RefCell::new(vec![0; READ_BUFFER].into_boxed_slice()),
            http_connections: Cell::new(0),
            stopped: Cell::new(false),
        })
    }

    /// One of the shard's connections, as the channels call it.
    pub(crate) fn own(&self, id: ConnectionId) -> ConnectionRef {
        ConnectionRef { shard: self.id, id }
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.channels.runtime().inboxes[usize::from(self.id.0)]
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
