//! Subscriptions that are decided but not yet told to the client: the first one of a channel on
//! this node is told when the live peers know of it, so that an event published anywhere afterwards
//! arrives here; or after 50 ms, so that nobody waits for a peer that does not answer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use registry::ShardId;
use replication::{Ticket, Tickets};
use tokio::sync::Notify;

use crate::hub::{ConnectionId, Topic};
use crate::node::Node;

/// The most that a client waits for peers.
const PATIENCE: Duration = Duration::from_millis(50);

/// A subscription that waits.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) topic: Topic,
    pub(crate) shard: ShardId,
    pub(crate) connection: ConnectionId,
    /// Whether the client asked, and is told.
    pub(crate) asked: bool,
    tickets: Tickets,
    until: Instant,
}

impl Wait {
    pub(crate) fn new(
        topic: Topic,
        shard: ShardId,
        connection: ConnectionId,
        asked: bool,
        tickets: Tickets,
    ) -> Self {
        let until = Instant::now() + PATIENCE;
        Wait { topic, shard, connection, asked, tickets, until }
    }

    fn is_over(&self, now: Instant) -> bool {
        self.until <= now || self.tickets.iter().all(Ticket::is_acknowledged)
    }
}

/// In the order in which they were decided. Its lock is taken under a channel's lock, never around
/// one. It is bounded by what connections may subscribe to within the patience.
#[derive(Default)]
pub(super) struct Waits {
    queue: Mutex<VecDeque<Wait>>,
    added: Notify,
}

impl Waits {
    pub(super) fn len(&self) -> usize {
        self.queue.lock().len()
    }

    pub(super) fn push(&self, wait: Wait) {
        let mut queue = self.queue.lock();
        queue.push_back(wait);
        if queue.len() == 1 {
            self.added.notify_one();
        }
    }

    /// A client asks for a subscription that it has already. If that waits, it is told in time;
    /// false if it does not.
    pub(super) fn ask(&self, topic: &Topic, shard: ShardId, connection: ConnectionId) -> bool {
        let mut queue = self.queue.lock();
        let same = |wait: &&mut Wait| {
            wait.connection == connection && wait.shard == shard && wait.topic == *topic
        };
        queue.iter_mut().find(same).map(|wait| wait.asked = true).is_some()
    }

    /// The first ones that need not wait any longer. Streams are acknowledged in order, so those
    /// behind one that waits do so, too, or soon will not.
    fn over(&self) -> Vec<Wait> {
        let now = Instant::now();
        let mut queue = self.queue.lock();
        let over = queue.iter().take_while(|wait| wait.is_over(now)).count();
        queue.drain(..over).collect()
    }

    fn first_ends(&self) -> Option<Instant> {
        self.queue.lock().front().map(|wait| wait.until)
    }
}

impl Node {
    /// Tells everybody who need not wait any longer.
    pub(super) fn settle_waits(&self) {
        for wait in self.peers.waits.over() {
            self.welcome_late(wait);
        }
    }

    /// Sees to it that nobody waits longer than that. Runs for as long as the node does.
    pub(crate) async fn end_waits(&self) {
        loop {
            let added = self.peers.waits.added.notified();
            match self.peers.waits.first_ends() {
                Some(until) => {
                    tokio::time::sleep_until(until.into()).await;
                    self.settle_waits();
                }
                None => added.await,
            }
        }
    }
}
