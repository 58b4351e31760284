//! Subscriptions that are decided but not yet told to the client. The first one of a channel on
//! this node is told when the live peers know of it, so that an event published anywhere afterwards
//! arrives here; or after 50 ms, so that nobody waits for a peer that does not answer. Whoever
//! subscribes to the channel meanwhile is told at the same time.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use channels::registry::ShardId;
use channels::replication::{Ticket, Tickets};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::hub::{ConnectionId, Topic};
use crate::node::Node;

/// The most that a client waits for peers.
const PATIENCE: Duration = Duration::from_millis(50);

/// A connection whose subscription waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiter {
    pub(crate) shard: ShardId,
    pub(crate) connection: ConnectionId,
    /// Whether the client asked, and is told.
    pub(crate) asked: bool,
}

/// A topic of which the peers do not know yet.
struct Wait {
    /// Tells it from another one of the same topic.
    number: u64,
    tickets: Tickets,
    until: Instant,
    waiters: Vec<Waiter>,
}

#[derive(Default)]
struct State {
    topics: HashMap<Topic, Wait>,
    /// In the order in which they began; some may have ended.
    order: VecDeque<(u64, Instant, Topic)>,
    numbers: u64,
}

/// Owned by the node. A topic's waiters come and go under its channel's lock; the lock in here is
/// taken inside of that, never around it. It is bounded by what connections may subscribe to within
/// the patience.
#[derive(Default)]
pub(super) struct Waits {
    state: Mutex<State>,
    /// How many topics wait, so that those who leave one need no lock while none does.
    topics: AtomicUsize,
    added: Notify,
}

impl Wait {
    fn is_over(&self, now: Instant) -> bool {
        self.until <= now || self.tickets.iter().all(Ticket::is_settled)
    }
}

impl Waits {
    pub(super) fn len(&self) -> usize {
        self.topics.load(Relaxed)
    }

    /// A topic's first subscriber waits for these tickets.
    pub(super) fn begin(&self, topic: &Topic, tickets: Tickets, first: Waiter) {
        let mut state = self.state.lock();
        state.numbers += 1;
        let (number, until) = (state.numbers, Instant::now() + PATIENCE);
        state.topics.insert(topic.clone(), Wait { number, tickets, until, waiters: vec![first] });
        state.order.push_back((number, until, topic.clone()));
        self.topics.store(state.topics.len(), Relaxed);
        drop(state);
        self.added.notify_one();
    }

    /// Somebody who subscribes waits with the first, if that waits still.
    pub(super) fn join(&self, topic: &Topic, waiter: Waiter) -> bool {
        let mut state = self.state.lock();
        let wait = state.topics.get_mut(topic);
        wait.map(|wait| wait.waiters.push(waiter)).is_some()
    }

    /// A client asks for a subscription that it has already. If that waits, it is told in time;
    /// false if it does not.
    pub(super) fn ask(&self, topic: &Topic, shard: ShardId, connection: ConnectionId) -> bool {
        let mut state = self.state.lock();
        let Some(wait) = state.topics.get_mut(topic) else { return false };
        let same = |waiter: &&mut Waiter| waiter.connection == connection && waiter.shard == shard;
        wait.waiters.iter_mut().find(same).map(|waiter| waiter.asked = true).is_some()
    }

    /// A connection has left the topic. With the last one the wait is over: the next one is the
    /// first again.
    pub(super) fn leave(&self, topic: &Topic, shard: ShardId, connection: ConnectionId) {
        // What was begun under this channel's lock is seen by whoever has it now.
        if self.len() == 0 {
            return;
        }
        let mut state = self.state.lock();
        let Some(wait) = state.topics.get_mut(topic) else { return };
        wait.waiters.retain(|waiter| waiter.connection != connection || waiter.shard != shard);
        if wait.waiters.is_empty() {
            state.topics.remove(topic);
            self.topics.store(state.topics.len(), Relaxed);
        }
    }

    /// Ends a wait, unless it has ended; those who have waited.
    pub(super) fn end(&self, topic: &Topic, number: u64) -> Vec<Waiter> {
        let mut state = self.state.lock();
        let is_it = state.topics.get(topic).is_some_and(|wait| wait.number == number);
        let ended = if is_it { state.topics.remove(topic) } else { None };
        self.topics.store(state.topics.len(), Relaxed);
        ended.map(|wait| wait.waiters).unwrap_or_default()
    }

    /// The first waits that need not go on any longer. Streams are acknowledged in order, so those
    /// behind one that goes on do so, too, or soon will not.
    fn over(&self) -> Vec<(u64, Topic)> {
        let now = Instant::now();
        let mut over = Vec::new();
        let mut state = self.state.lock();
        while let Some((number, _, topic)) = state.order.front() {
            let wait = state.topics.get(topic).filter(|wait| wait.number == *number);
            let goes_on = wait.is_some_and(|wait| !wait.is_over(now));
            if goes_on {
                break;
            }
            over.extend(state.order.pop_front().map(|(number, _, topic)| (number, topic)));
        }
        over
    }

    fn first_ends(&self) -> Option<Instant> {
        self.state.lock().order.front().map(|(_, until, _)| *until)
    }
}

impl Node {
    /// Tells everybody who need not wait any longer.
    pub(crate) fn settle_waits(&self) {
        // Every shard is woken once for all of them.
        let mut dispatch = self.dispatch();
        for (number, topic) in self.peers.waits.over() {
            self.welcome_late(&mut dispatch, &topic, number);
        }
    }

    /// Sees to it that nobody waits for too long. Runs for as long as the node does.
    pub(super) async fn end_waits(&self) {
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
