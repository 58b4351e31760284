//! Last events of cache channels that somebody else tells than their publisher, step by step.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channels::registry::ShardId;
use channels::replication::{ChannelName, EventFrame, LastEventInfo, PeerMessage, Stamp};
use channels::{
    ChannelSettings, Channels, ConnectionId, ConnectionRef, Delivery, LastEvent, Peers,
    Subscription, Topic, Welcome,
};
use cluster::{Cluster, Incarnation, Output, PeerInfo, Reason, Settings, Slot};
use simulation::{APP, Clock, INTERESTS, SimRuntime};

const TELLER: Incarnation = Incarnation(2);
const PUBLISHER: Incarnation = Incarnation(3);
const CHANNEL: &str = "cache-a";
const FRAME: &[u8] = b"frame";

struct Node {
    cluster: Cluster,
    channels: Channels<SimRuntime>,
    peers: Peers,
    app: Arc<str>,
    connections: u32,
}

impl Node {
    /// A node with one client of the channel, which found it empty, and these peers.
    fn with_peers(peers: &[Incarnation]) -> Self {
        let settings =
            ChannelSettings { me: 1, last_event_ttl: None, last_event_bytes: usize::MAX };
        let mut node = Node {
            cluster: Cluster::new(Incarnation(1), Settings::default()),
            channels: Channels::new(settings, SimRuntime::new(Clock::default())),
            peers: Peers::default(),
            app: APP.into(),
            connections: 0,
        };
        assert!(node.last_event_of_a_newcomer().is_none());
        peers.iter().for_each(|peer| node.up(*peer));
        node.delivered();
        node
    }

    fn up(&mut self, peer: Incarnation) {
        let agreement = Settings::default().agreement;
        let info = PeerInfo { incarnation: peer, name: peer.to_string(), version: 1, agreement };
        self.cluster.found(Duration::ZERO, info);
        while let Some(output) = self.cluster.poll_output() {
            self.peers.take(&self.channels, output);
        }
    }

    fn slot(&self, peer: Incarnation) -> Slot {
        let mut all = self.peers.all();
        let found = all.find(|(_, info, _)| info.incarnation == peer);
        Slot(found.expect("it is up").0.0)
    }

    fn down(&mut self, peer: Incarnation) {
        let (slot, reason) = (self.slot(peer), Reason::Silent);
        self.peers.take(&self.channels, Output::Down { slot, incarnation: peer, reason });
    }

    /// A peer tells the publisher's event: as it comes, or in a snapshot.
    fn hears_from(&mut self, peer: Incarnation, fresh: bool) {
        let topic = ChannelName { app: APP, channel: CHANNEL };
        let event = EventFrame { except: None, frame: Bytes::from_static(FRAME) };
        let stamp = Stamp { millis: 7, node: PUBLISHER.0 };
        let kept = LastEventInfo { data: "\"data\"", stamp, ttl: 60_000, fresh };
        let entry = PeerMessage::Cached(topic, event, kept).encode();
        let slot = self.slot(peer);
        self.peers.take(&self.channels, Output::Entry { slot, entry });
    }

    /// How often the channel's clients were sent the event since the last time.
    fn delivered(&self) -> usize {
        let deliveries = self.channels.runtime().inbox(0);
        deliveries.iter().filter(|delivery| matches!(delivery, Delivery::Frame { .. })).count()
    }

    /// What a client gets that subscribes now.
    fn last_event_of_a_newcomer(&mut self) -> Option<Bytes> {
        self.connections += 1;
        let id = ConnectionId { index: self.connections, generation: 1 };
        let who = ConnectionRef { shard: ShardId(0), id };
        let topic = Topic::subscribers(&self.app, CHANNEL.into());
        let subscription = Subscription { who, member: None, max_members: None, asked: true };
        self.channels.subscribe(&topic, INTERESTS, subscription);
        let deliveries = self.channels.runtime().inbox(0);
        let mut welcomes = deliveries.into_iter().filter_map(|delivery| match delivery {
            Delivery::Welcome { welcome: Welcome::Succeeded { last, .. }, .. } => Some(last),
            _ => None,
        });
        match welcomes.next().expect("nobody is waited for") {
            LastEvent::Event(event) => Some(event.frame.clone()),
            LastEvent::Missing => None,
            LastEvent::NotKept => panic!("it is a cache channel"),
        }
    }
}

/// A newcomer that had it from the snapshot would get it twice.
#[test]
fn what_its_publisher_has_yet_to_tell_is_not_the_last_event() {
    let mut node = Node::with_peers(&[TELLER, PUBLISHER]);
    node.hears_from(TELLER, false);
    assert_eq!(node.last_event_of_a_newcomer(), None);
    node.hears_from(PUBLISHER, true);
    assert_eq!(node.delivered(), 1);
    assert_eq!(node.last_event_of_a_newcomer().as_deref(), Some(FRAME));
}

#[test]
fn what_its_publisher_cannot_tell_any_more_is_the_last_event() {
    let mut node = Node::with_peers(&[TELLER, PUBLISHER]);
    node.hears_from(TELLER, false);
    node.down(PUBLISHER);
    assert_eq!(node.last_event_of_a_newcomer().as_deref(), Some(FRAME));
}

#[test]
fn what_a_publisher_tells_that_came_back_nobody_gets_twice() {
    let mut node = Node::with_peers(&[TELLER]);
    node.hears_from(TELLER, false);
    assert_eq!(node.last_event_of_a_newcomer().as_deref(), Some(FRAME));
    node.up(PUBLISHER);
    node.hears_from(PUBLISHER, true);
    assert_eq!(node.delivered(), 0);
}

/// So it does not count a second time, for which there is no room.
#[test]
fn what_its_publisher_has_told_is_not_kept_twice() {
    let mut node = Node::with_peers(&[TELLER, PUBLISHER]);
    node.hears_from(PUBLISHER, true);
    node.hears_from(TELLER, false);
    node.down(PUBLISHER);
    let event = node.channels.last_events().get(&node.app, CHANNEL, Duration::ZERO);
    assert!(!event.expect("it is known").is_hearsay);
}
