//! One node: everything that the server joins, without the server.

use std::collections::BTreeMap;
use std::sync::Arc;

use channels::registry::{Change, NodeId, Registry, STRIPES, ShardId};
use channels::replication::{Replica, Snapshots};
use cluster::{Cluster, Incarnation, Now, PeerInfo, Settings};

use crate::Channel;
use crate::ledger::Ledger;
use crate::load::Names;
use crate::local::Local;

/// The one app.
pub(crate) const APP: &str = "app";

pub(crate) struct Node {
    pub(crate) info: PeerInfo,
    pub(crate) app: Arc<str>,
    pub(crate) cluster: Cluster,
    pub(crate) registry: Registry,
    pub(crate) replica: Replica,
    pub(crate) snapshots: Snapshots,
    pub(crate) local: Local,
    pub(crate) peers: BTreeMap<NodeId, Peer>,
    /// Peers that went down, whose connections are to be closed.
    pub(crate) gone: Vec<Incarnation>,
    /// Whether it takes in clients.
    pub(crate) serves: bool,
    pub(crate) started: u64,
    /// The number that the last socket got.
    pub(crate) last_socket: u64,
}

pub(crate) struct Peer {
    pub(crate) incarnation: Incarnation,
    /// Its snapshot is whole.
    pub(crate) whole: bool,
    /// It has said that it serves.
    pub(crate) ready: bool,
}

impl Node {
    pub(crate) fn new(
        now: u64,
        incarnation: Incarnation,
        name: String,
        settings: Settings,
        registry: Registry,
    ) -> Self {
        Node {
            info: PeerInfo { incarnation, name, version: 1 },
            app: APP.into(),
            cluster: Cluster::new(incarnation, settings),
            registry,
            replica: Replica::default(),
            snapshots: Snapshots::default(),
            local: Local::new(incarnation),
            peers: BTreeMap::new(),
            gone: Vec::new(),
            serves: false,
            started: now,
            last_socket: 0,
        }
    }

    pub(crate) fn me(&self) -> Incarnation {
        self.info.incarnation
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Now, ledger: &mut Ledger) {
        self.cluster.tick(now);
        self.drain(now, ledger);
        if !self.peers.is_empty() {
            self.local.tell_counts(&self.registry);
            self.advance();
        }
    }

    /// Everything that may be sent to peers is sent by the caller from here on.
    pub(crate) fn advance(&mut self) {
        self.local.woken |= self.snapshots.advance(&self.registry, Vec::new);
    }
}

/// A registry of which a snapshot begins and ends with the ballast. Its hashes are random, which a
/// run must not be; the order of the channels in between makes no difference.
pub(crate) fn registry(names: &Names) -> Registry {
    let Some([first, last]) = &names.ballast else { return Registry::default() };
    loop {
        let registry = Registry::default();
        let (first, last) = (stripe(&registry, first), stripe(&registry, last));
        let is_between = |channel| (first + 1..last).contains(&stripe(&registry, channel));
        if names.busy.iter().all(is_between) {
            return registry;
        }
    }
}

fn stripe(registry: &Registry, channel: &Channel) -> usize {
    let (app, shard) = (Arc::from(APP), ShardId(0));
    let apply = |change| drop(registry.update(&app, channel, |entry| entry.apply(shard, change)));
    let holds = |stripe: &usize| registry.snapshot(NodeId::LOCAL, *stripe, |held| !held.is_empty());
    apply(Change::Subscribe { member: None });
    let stripe = (0..STRIPES).find(holds).unwrap();
    apply(Change::Unsubscribe { user_id: None });
    stripe
}
