//! The other nodes of the cluster: what they are told, and what is done with what they tell. It
//! must not know how nodes find and reach each other; that is the `cluster` crate's, which `membership`
//! runs on a thread of its own.
//!
//! Out: `hub::decide` -> `tell` (under the channel's lock) -> the peers' streams. In: a peer's
//! stream -> `receive` -> registry and inboxes. `waits` holds back what a client may not hear before
//! the peers know of it; `admission` gives the last places of a presence channel away. A node on its
//! own has no peer, and nothing here costs it anything.

mod adapter;
mod admission;
mod certificates;
mod counts;
mod losses;
mod membership;
mod places;
mod quotas;
mod rates;
mod receive;
mod tell;
mod transport;
mod waits;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use channels::registry::{NodeId, ShardId};
use channels::replication::{Outlets, Tickets};
use parking_lot::Mutex;

pub(crate) use membership::{Membership, Status};
pub(crate) use places::{Place, Withdrawn};
pub(crate) use quotas::{Pending, Wish};
use receive::Receiver;
pub(crate) use transport::Counters as TransportCounters;
pub(crate) use waits::Waiter;

use crate::hub::{ConnectionId, Topic};
use counts::Counts;
use places::Places;
use quotas::Quotas;
use rates::Rates;
use waits::Waits;

/// Wakes the driver of the cluster.
type Wake = Box<dyn Fn() + Send + Sync>;

/// Owned by the node, shared by all its threads.
pub(crate) struct Peers {
    /// This run of this node.
    incarnation: u64,
    outlets: Outlets,
    quotas: Quotas,
    places: Places,
    rates: Rates,
    waits: Waits,
    counts: Counts,
    /// Each peer's connections by app.
    connections: Mutex<HashMap<NodeId, HashMap<Box<str>, u32>>>,
    /// Peers that are ready.
    ready: AtomicUsize,
    wake: OnceLock<Wake>,
}

impl Peers {
    /// Nobody is there yet. `incarnation` is a number that no other run of any node has.
    pub(crate) fn new(incarnation: u64) -> Self {
        Peers {
            incarnation,
            outlets: Outlets::default(),
            quotas: Quotas::new(incarnation),
            places: Places::new(incarnation),
            rates: Rates::default(),
            waits: Waits::default(),
            counts: Counts::default(),
            connections: Mutex::default(),
            ready: AtomicUsize::new(0),
            wake: OnceLock::new(),
        }
    }

    /// The node becomes part of a cluster.
    fn join(&self, wake: Wake) {
        // It happens once, before the node serves.
        let _ = self.wake.set(wake);
    }

    /// What makes this node's stamps different from everybody else's.
    pub(crate) fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// Has the driver send what was appended. Never under a channel's lock, for it may be a system
    /// call.
    pub(crate) fn wake(&self) {
        if let Some(wake) = self.wake.get() {
            wake();
        }
    }

    /// Connections of an app, over all peers.
    pub(crate) fn connections(&self, app: &str) -> u32 {
        let connections = self.connections.lock();
        connections.values().filter_map(|of_node| of_node.get(app)).sum()
    }

    /// How many peers are ready.
    pub(crate) fn ready(&self) -> usize {
        self.ready.load(Relaxed)
    }

    /// Holds a subscription back, if the peers have to know of it first, or if another one of the
    /// topic is held back. To be called under the channel's lock.
    pub(crate) fn hold_back(&self, topic: &Topic, tickets: Tickets, waiter: Waiter) -> bool {
        if self.outlets.is_alone() {
            return false;
        }
        if tickets.is_empty() {
            return self.waits.join(topic, waiter);
        }
        self.waits.begin(topic, tickets, waiter);
        true
    }

    /// A client asks for a subscription that it has already: whether that is held back, so that
    /// the client is told in time. To be called under the channel's lock.
    pub(crate) fn is_held_back(&self, topic: &Topic, shard: ShardId, to: ConnectionId) -> bool {
        self.waits.ask(topic, shard, to)
    }

    /// Those whose subscriptions need not be held back any longer. To be called under the
    /// channel's lock.
    pub(crate) fn let_go(&self, topic: &Topic, number: u64) -> Vec<Waiter> {
        self.waits.end(topic, number)
    }

    /// A connection has left a topic. To be called under the channel's lock.
    pub(crate) fn do_not_hold_back(&self, topic: &Topic, shard: ShardId, to: ConnectionId) {
        self.waits.leave(topic, shard, to);
    }

    /// Wishes for slots that wait, and keys of quotas that are known.
    pub(crate) fn quotas(&self) -> (usize, usize) {
        self.quotas.size()
    }

    /// How many subscriptions wait for peers to know of them.
    pub(crate) fn waiting(&self) -> usize {
        self.waits.len()
    }
}
