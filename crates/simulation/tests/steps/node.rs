//! One node, as far as its peers and its channels are concerned.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channels::registry::{Member, ShardId};
use channels::replication::PeerMessage;
use channels::{
    ChannelSettings, Channels, ConnectionId, ConnectionRef, Delivery, Interests, Peers,
    Subscription, Topic, Welcome,
};
use cluster::{Cluster, Incarnation, Output, PeerInfo, Reason, Settings, Slot};
use simulation::{APP, Clock, INTERESTS, SimRuntime};

pub(crate) const ME: Incarnation = Incarnation(1);

pub(crate) struct Node {
    pub(crate) channels: Channels<SimRuntime>,
    cluster: Cluster,
    peers: Peers,
    app: Arc<str>,
    connections: u32,
    /// Of each presence channel.
    pub(crate) max_members: usize,
    now: Duration,
}

impl Node {
    /// A node without peers and clients.
    pub(crate) fn new() -> Self {
        let settings =
            ChannelSettings { me: ME.0, last_event_ttl: None, last_event_bytes: usize::MAX };
        Node {
            channels: Channels::new(settings, SimRuntime::new(Clock::default())),
            cluster: Cluster::new(ME, Settings::default()),
            peers: Peers::default(),
            app: APP.into(),
            connections: 0,
            max_members: 100,
            now: Duration::ZERO,
        }
    }

    pub(crate) fn app(&self) -> &Arc<str> {
        &self.app
    }

    /// Finds a peer, which begins to be told everything.
    pub(crate) fn up(&mut self, peer: Incarnation) {
        self.cluster.found(self.now, info(peer));
        while let Some(output) = self.cluster.poll_output() {
            self.peers.take(&self.channels, output);
        }
    }

    /// A heartbeat's time has passed.
    pub(crate) fn beat(&mut self) {
        self.peers.tick(&self.channels);
    }

    /// Whether every peer has been told everything.
    pub(crate) fn has_told(&self) -> bool {
        self.peers.has_told()
    }

    pub(crate) fn down(&mut self, peer: Incarnation) {
        let (slot, reason) = (self.slot(peer), Reason::Silent);
        self.peers.take(&self.channels, Output::Down { slot, incarnation: peer, reason });
    }

    /// A peer says something.
    pub(crate) fn hears(&mut self, peer: Incarnation, message: PeerMessage<'_>) {
        let (slot, entry) = (self.slot(peer), message.encode());
        self.peers.take(&self.channels, Output::Entry { slot, entry });
    }

    fn slot(&self, peer: Incarnation) -> Slot {
        let found = self.peers.all().find(|(_, info, _)| info.incarnation == peer);
        Slot(found.unwrap().0.0)
    }

    /// A new client subscribes; what it is told at once, if it is.
    pub(crate) fn subscribe(
        &mut self,
        channel: &str,
        member: Option<&Arc<Member>>,
    ) -> Option<Welcome> {
        self.subscribe_with(INTERESTS, channel, member);
        welcome(self.delivered())
    }

    /// The same, of an app that wants to hear of these things.
    pub(crate) fn subscribe_with(
        &mut self,
        interests: Interests,
        channel: &str,
        member: Option<&Arc<Member>>,
    ) {
        self.connections += 1;
        let id = ConnectionId { index: self.connections, generation: 1 };
        let who = ConnectionRef { shard: ShardId(0), id };
        let topic = Topic::subscribers(&self.app, channel.into());
        let max_members = member.map(|_| self.max_members);
        let subscription = Subscription { who, member, max_members, asked: true };
        self.channels.subscribe(&topic, interests, subscription);
    }

    /// The client that came last asks for its subscription again; what it is told at once.
    pub(crate) fn subscribe_again(&mut self, channel: &str) -> Option<Welcome> {
        let id = ConnectionId { index: self.connections, generation: 1 };
        let who = ConnectionRef { shard: ShardId(0), id };
        let topic = Topic::subscribers(&self.app, channel.into());
        self.channels.subscribe_again(&topic, INTERESTS, who);
        welcome(self.delivered())
    }

    /// A peer begins to tell everything anew.
    pub(crate) fn restarted(&mut self, peer: Incarnation) {
        let slot = self.slot(peer);
        self.peers.take(&self.channels, Output::Restarted { slot });
    }

    /// What came to the clients since the last time.
    pub(crate) fn delivered(&self) -> Vec<Delivery> {
        self.channels.runtime().inbox(0)
    }

    /// Every entry that a peer is sent now, which is there for that and says nothing. What it
    /// acknowledges nobody hears of here, so a snapshot does not go on.
    pub(crate) fn sent(&mut self, far: &mut Far) -> Vec<Bytes> {
        let Far(peer, far) = far;
        let mut sent = Vec::new();
        for _ in 0..200 {
            self.now += Duration::from_millis(10);
            self.cluster.tick(self.now);
            far.tick(self.now);
            while let Some(packet) = self.cluster.next_packet(self.now, *peer) {
                far.receive(self.now, packet);
            }
            while let Some(packet) = far.next_packet(self.now, ME) {
                self.cluster.receive(self.now, packet);
            }
            while self.cluster.poll_output().is_some() {}
            while let Some(output) = far.poll_output() {
                if let Output::Entry { entry, .. } = output {
                    sent.push(entry);
                }
            }
        }
        sent
    }
}

fn welcome(deliveries: Vec<Delivery>) -> Option<Welcome> {
    deliveries.into_iter().find_map(|delivery| match delivery {
        Delivery::Welcome { welcome, .. } => Some(welcome),
        _ => None,
    })
}

/// A peer's end of its link to the node.
pub(crate) struct Far(Incarnation, Cluster);

impl Far {
    pub(crate) fn new(peer: Incarnation) -> Self {
        let mut cluster = Cluster::new(peer, Settings::default());
        cluster.found(Duration::ZERO, info(ME));
        Far(peer, cluster)
    }
}

fn info(incarnation: Incarnation) -> PeerInfo {
    let agreement = Settings::default().agreement;
    PeerInfo { incarnation, name: incarnation.to_string(), version: 1, agreement }
}
