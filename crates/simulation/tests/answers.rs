//! What a node tells a peer that does not know everything yet, step by step: cases that random
//! schedules meet rarely.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use channels::registry::{Member, ShardId};
use channels::replication::{ChannelName, PeerMessage};
use channels::reservations::{ReservationMessage, Stamp};
use channels::{
    ChannelSettings, Channels, ConnectionId, ConnectionRef, Peers, Publish, Subscription, Topic,
};
use cluster::{Cluster, Incarnation, Output, PeerInfo, Settings, Slot};
use simulation::{APP, Clock, INTERESTS, SimRuntime};

const ME: Incarnation = Incarnation(1);
const PEER: Incarnation = Incarnation(2);
const CHANNEL: &str = "presence-a";

struct Node {
    cluster: Cluster,
    /// The peer's end of the link.
    far: Cluster,
    now: Duration,
    channels: Channels<SimRuntime>,
    peers: Peers,
    slot: Slot,
}

fn member(id: &str, info: usize) -> Arc<Member> {
    let info_json = Some(format!("\"{}\"", "x".repeat(info)).into());
    Arc::new(Member { id: id.into(), id_json: format!("\"{id}\"").into(), info_json })
}

impl Node {
    /// A node that has a member in the channel, and so much else that a peer, which it has just
    /// found, can only be told a part of it at first.
    fn with_much_to_tell() -> Self {
        let settings =
            ChannelSettings { me: ME.0, last_event_ttl: None, last_event_bytes: usize::MAX };
        let mut node = Node {
            cluster: Cluster::new(ME, Settings::default()),
            far: Cluster::new(PEER, Settings::default()),
            now: Duration::ZERO,
            channels: Channels::new(settings, SimRuntime::new(Clock::default())),
            peers: Peers::default(),
            slot: Slot(0),
        };
        node.subscribe(CHANNEL, member("here", 1), 0);
        for n in 1..40 {
            node.subscribe(&format!("presence-ballast-{n}"), member("ballast", 100_000), n);
        }
        let agreement = Settings::default().agreement;
        let info = |incarnation: Incarnation| {
            let name = incarnation.to_string();
            PeerInfo { incarnation, name, version: 1, agreement }
        };
        node.cluster.found(node.now, info(PEER));
        node.far.found(node.now, info(ME));
        while let Some(output) = node.cluster.poll_output() {
            if let Output::Up { slot, .. } = output {
                node.slot = slot;
            }
            node.peers.take(&node.channels, output);
        }
        assert!(!node.peers.has_told(), "it is too much");
        node.sent();
        node
    }

    fn subscribe(&self, channel: &str, member: Arc<Member>, index: u32) {
        let who = ConnectionRef { shard: ShardId(0), id: ConnectionId { index, generation: 1 } };
        let topic = Topic::subscribers(&APP.into(), channel.into());
        let member = Some(&member);
        let subscription = Subscription { who, member, max_members: Some(100), asked: true };
        self.channels.subscribe(&topic, INTERESTS, subscription);
    }

    /// The peer says something.
    fn hears(&mut self, message: PeerMessage<'_>) {
        let entry = Output::Entry { slot: self.slot, entry: message.encode() };
        self.peers.take(&self.channels, entry);
    }

    /// Every entry that the peer is sent now. What it acknowledges nobody hears of here, so the
    /// snapshot does not go on.
    fn sent(&mut self) -> Vec<Bytes> {
        let mut sent = Vec::new();
        for _ in 0..200 {
            self.now += Duration::from_millis(10);
            self.cluster.tick(self.now);
            self.far.tick(self.now);
            while let Some(packet) = self.cluster.next_packet(self.now, PEER) {
                self.far.receive(self.now, packet);
            }
            while let Some(packet) = self.far.next_packet(self.now, ME) {
                self.cluster.receive(self.now, packet);
            }
            while self.cluster.poll_output().is_some() {}
            while let Some(output) = self.far.poll_output() {
                if let Output::Entry { entry, .. } = output {
                    sent.push(entry);
                }
            }
        }
        sent
    }

    /// Which of the entries is the first that fits.
    fn position(entries: &[Bytes], fits: impl Fn(&PeerMessage<'_>) -> bool) -> Option<usize> {
        entries.iter().position(|entry| PeerMessage::decode(entry).is_ok_and(|m| fits(&m)))
    }
}

fn is_about(topic: &ChannelName<'_>) -> bool {
    topic.channel == CHANNEL
}

/// An answer means that everything that was decided without the claim is known.
#[test]
fn a_claim_is_answered_after_the_members_that_were_there_before_it() {
    let mut node = Node::with_much_to_tell();
    let stamp = Stamp { time: 7, node: PEER.0 };
    let claim = ReservationMessage::Claim { stamp, user: "new".into() };
    node.hears(PeerMessage::Claim(ChannelName { app: APP, channel: CHANNEL }, claim));
    let sent = node.sent();
    let fact = Node::position(&sent, |message| {
        matches!(message, PeerMessage::Everything(topic, 1, members)
            if is_about(topic) && &*members[0].id == "here")
    });
    let answer = Node::position(&sent, |message| {
        matches!(message, PeerMessage::Claim(topic, ReservationMessage::Seen { stamp: seen })
            if is_about(topic) && *seen == stamp)
    });
    assert!(answer.is_some() && fact.is_some() && fact < answer, "{fact:?}, {answer:?}");
}

/// An event never overtakes the fact that it depends on.
#[test]
fn an_event_comes_after_the_members_that_were_there_before_it() {
    let mut node = Node::with_much_to_tell();
    let topic = ChannelName { app: APP, channel: CHANNEL };
    node.hears(PeerMessage::Subscriptions(topic, 1));
    let frame = Bytes::from_static(b"frame");
    node.channels.publish(Publish {
        app: &APP.into(),
        channel: CHANNEL,
        frame: &frame,
        except: None,
        kept: None,
    });
    let sent = node.sent();
    let fact = Node::position(
        &sent,
        |message| matches!(message, PeerMessage::Everything(topic, 1, _) if is_about(topic)),
    );
    let event = Node::position(
        &sent,
        |message| matches!(message, PeerMessage::Event(topic, _) if is_about(topic)),
    );
    assert!(event.is_some() && fact.is_some() && fact < event, "{fact:?}, {event:?}");
}
