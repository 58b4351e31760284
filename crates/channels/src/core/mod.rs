//! One node's channels: what happens on them is decided here, under each channel's lock, together
//! with everything that follows for the node's own connections, its peers and its backends.
//!
//! ```text
//!   subscribe, unsubscribe, watch   subscribing --> joining    a join: place, interest, last event
//!   publish, close                  publishing                 to shards here, to nodes that care
//!   Output of the cluster           receiving                  what peers send: facts, events, requests
//!   tick                            timing                     joins that waited for too long, late counts
//!                                     |
//!                                   following   what our subscribers and our backends hear of a change
//!                                   sending     what peers are told, and in which order
//!                                   dispatch    collects who has to be woken, after the lock
//! ```
//!
//! `quotas` and `budgets` are what concerns an app and not a channel: slots for connections, rates.

mod budgets;
mod changed_counts;
mod dispatch;
mod following;
mod hearsay;
mod joining;
mod joins;
mod peers;
mod publishing;
mod quotas;
mod receiving;
mod sending;
mod subscribing;
mod subscription_counts;
mod timing;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use cluster::Now;
use parking_lot::Mutex;

pub use budgets::{Spend, Spent};
pub use peers::Peers;
pub use publishing::Publish;
pub use quotas::Slot;
pub use subscribing::{Subscribed, Subscription};

use crate::last_events::LastEvents;
use crate::registry::{NodeId, Registry};
use crate::replication::PeerStreams;
use crate::runtime::Runtime;
use budgets::Budgets;
use changed_counts::ChangedCounts;
use hearsay::Hearsay;
use joins::Joins;
use quotas::Quotas;
use subscription_counts::SubscriptionCounts;

/// What a node is called, and what it may keep.
#[derive(Clone, Copy, Debug)]
pub struct ChannelSettings {
    /// This run of this node; no other run of any node has this number.
    pub me: u64,
    /// How long a cache channel's last event is kept; none = for ever.
    pub last_event_ttl: Option<std::time::Duration>,
    /// How many bytes of last events are kept.
    pub last_event_bytes: usize,
}

/// Owned by the node, shared by all its threads. Nothing in here waits, blocks, or knows a clock.
pub struct Channels<R: Runtime> {
    me: u64,
    runtime: R,
    registry: Registry,
    last_events: LastEvents,
    hearsay: Hearsay,
    streams: PeerStreams,
    joins: Joins,
    quotas: Quotas<R::Reply>,
    budgets: Budgets<R::Reply>,
    changed_counts: ChangedCounts,
    subscription_counts: SubscriptionCounts,
    /// Each peer's connections by app.
    peer_connections: Mutex<HashMap<NodeId, HashMap<Box<str>, u32>>>,
    ready_peers: AtomicUsize,
    /// Since when this node has served, while it does.
    serving: Mutex<Option<Now>>,
}

/// How much of everything there is, for whoever wants to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Joins that wait for peers' acknowledgement of the channel's first subscriber, by channel.
    pub unacknowledged_channels: usize,
    /// Connections that wait for a place in a presence channel.
    pub place_applicants: usize,
    /// Places that were decided without every peer's answer, so far.
    pub unanswered_claims: u64,
    /// Connections that wait for a slot of their app.
    pub slot_requests: usize,
    /// Apps whose slots are counted.
    pub quotas: usize,
    /// Busy channels whose count was told lately.
    pub held_back_counts: usize,
}

impl<R: Runtime> Channels<R> {
    /// Nothing has happened yet, and no peer is there.
    pub fn new(settings: ChannelSettings, runtime: R) -> Self {
        let ChannelSettings { me, last_event_ttl, last_event_bytes } = settings;
        Channels {
            me,
            runtime,
            registry: Registry::default(),
            last_events: LastEvents::new(last_event_ttl, last_event_bytes),
            hearsay: Hearsay::new(last_event_ttl, last_event_bytes),
            streams: PeerStreams::default(),
            joins: Joins::new(me),
            quotas: Quotas::new(me),
            budgets: Budgets::default(),
            changed_counts: ChangedCounts::default(),
            subscription_counts: SubscriptionCounts::default(),
            peer_connections: Mutex::default(),
            ready_peers: AtomicUsize::new(0),
            serving: Mutex::default(),
        }
    }

    /// The outside world.
    pub fn runtime(&self) -> &R {
        &self.runtime
    }

    /// Who holds what.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The last event of each cache channel.
    pub fn last_events(&self) -> &LastEvents {
        &self.last_events
    }

    /// What makes this node's stamps different from everybody else's.
    pub fn incarnation(&self) -> u64 {
        self.me
    }

    /// Connections of an app, over all peers.
    pub fn peer_connections(&self, app: &str) -> u32 {
        let connections = self.peer_connections.lock();
        connections.values().filter_map(|of_node| of_node.get(app)).sum()
    }

    /// How many peers are ready.
    pub fn ready_peers(&self) -> usize {
        self.ready_peers.load(Relaxed)
    }

    /// How much of everything there is.
    pub fn sizes(&self) -> Sizes {
        let (slot_requests, quotas) = self.quotas.size();
        Sizes {
            unacknowledged_channels: self.joins.unacknowledged(),
            place_applicants: self.joins.applicants(),
            unanswered_claims: self.joins.unanswered(),
            slot_requests,
            quotas,
            held_back_counts: self.subscription_counts.len(),
        }
    }
}
