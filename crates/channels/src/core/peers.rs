//! The peers as they come and go: what each is told at first, and what its end means.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use cluster::{Output, PeerInfo, Reason, Slot};

use super::Channels;
use super::sending::told;
use crate::announcer::Note;
use crate::registry::NodeId;
use crate::replication::{ChannelName, EventFrame, PeerMessage, Replica, Snapshots};
use crate::reservations;
use crate::runtime::Runtime;
use crate::topic::Topic;

/// A peer, from its first sign of life on.
#[derive(Debug)]
struct KnownPeer {
    info: PeerInfo,
    /// Its snapshot is whole.
    whole: bool,
    ready: bool,
}

/// Takes in what comes out of the cluster. Owned by whoever drives that.
#[derive(Default)]
pub struct Peers {
    peers: BTreeMap<NodeId, KnownPeer>,
    pub(super) replica: Replica,
    snapshots: Snapshots,
}

/// The number of a peer's slot is its number in the registry, where 0 is ourselves.
fn node_id(slot: Slot) -> NodeId {
    NodeId(slot.0)
}

impl Peers {
    /// Whether every peer that we know has told us everything.
    pub fn is_whole(&self) -> bool {
        self.peers.values().all(|peer| peer.whole)
    }

    /// Whether every peer has been told everything.
    pub fn has_told(&self) -> bool {
        self.snapshots.is_idle()
    }

    /// How many peers there are.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// Who a peer is.
    pub fn info(&self, slot: Slot) -> Option<&PeerInfo> {
        self.peers.get(&node_id(slot)).map(|peer| &peer.info)
    }

    /// Every peer with its number, and whether it is ready.
    pub fn all(&self) -> impl Iterator<Item = (NodeId, &PeerInfo, bool)> {
        self.peers.iter().map(|(id, peer)| (*id, &peer.info, peer.ready))
    }

    /// A heartbeat's time has passed: tells counts that changed, and goes on with snapshots.
    pub fn tick<R: Runtime>(&mut self, channels: &Channels<R>) {
        channels.send_counts();
        channels.joins.forget_confirmed();
        self.advance(channels);
    }

    /// Takes in what comes out of the cluster. The slot if it is free again.
    pub fn take<R: Runtime>(&mut self, channels: &Channels<R>, output: Output) -> Option<Slot> {
        match output {
            Output::Up { slot, info, log } => {
                let (id, name) = (node_id(slot), info.incarnation.0);
                self.peers.insert(id, KnownPeer { info, whole: false, ready: false });
                self.snapshots.begin(&channels.streams, id, log);
                channels.introduce_quotas(id, name);
                channels.send_claims_to(id, channels.joins.up(id));
                self.advance(channels);
            }
            Output::Stream { slot, log } => {
                let id = node_id(slot);
                let name = self.peers.get(&id)?.info.incarnation.0;
                self.snapshots.begin(&channels.streams, id, log);
                channels.introduce_quotas(id, name);
                channels.send_claims_to(id, channels.joins.ours());
                self.advance(channels);
            }
            Output::Restarted { slot } => {
                let id = node_id(slot);
                self.replica.restarted(id);
                if let Some(peer) = self.peers.get(&id) {
                    channels.quotas_restarted(peer.info.incarnation.0);
                }
                channels.send_claims_to(id, channels.joins.restarted(id));
            }
            Output::Entry { slot, entry } => self.hear(channels, node_id(slot), &entry),
            Output::Acked { .. } => {
                channels.advance_acknowledged();
                self.advance(channels);
            }
            Output::Ready { slot, ready } => self.set_ready(channels, node_id(slot), ready),
            Output::Down { slot, reason, .. } => {
                self.lose(channels, node_id(slot), reason);
                return Some(slot);
            }
        }
        None
    }

    /// A peer's run and name.
    pub(super) fn peer(&self, id: NodeId) -> Option<&PeerInfo> {
        self.peers.get(&id).map(|peer| &peer.info)
    }

    /// A peer's snapshot is whole.
    pub(super) fn set_whole(&mut self, id: NodeId) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.whole = true;
        }
    }

    fn set_ready<R: Runtime>(&mut self, channels: &Channels<R>, id: NodeId, ready: bool) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.ready = ready;
            let name = peer.info.incarnation.0;
            channels.quotas_ready(name, ready);
            channels.note(match ready {
                true => Note::Ready(name, Duration::ZERO),
                false => Note::Retired(name),
            });
        }
        let ready = self.peers.values().filter(|peer| peer.ready).count();
        channels.ready_peers.store(ready, Relaxed);
    }

    /// A peer is gone: so is everything that it held.
    fn lose<R: Runtime>(&mut self, channels: &Channels<R>, id: NodeId, reason: Reason) {
        let name = self.peers.get(&id).map(|peer| peer.info.incarnation.0);
        if let Some(name) = name {
            // Before everything that follows from its end, so that somebody else announces that.
            channels.note(match reason {
                Reason::Goodbye => Note::Retired(name),
                Reason::Silent | Reason::Lost => Note::Dead(name),
            });
        }
        self.snapshots.end(&channels.streams, id);
        channels.runtime.withdrawn_by(id, Vec::new());
        channels.peer_connections.lock().remove(&id);
        self.replica.forget(&channels.registry, id, &mut channels.dispatch());
        self.peers.remove(&id);
        if let Some(name) = name {
            channels.quotas_down(name);
            channels.believe_hearsay(name);
        }
        self.set_ready(channels, id, false);
        channels.joins.down(id);
        channels.advance_acknowledged();
        channels.advance_all(&channels.joins.applied_for());
    }

    fn advance<R: Runtime>(&mut self, channels: &Channels<R>) {
        let rest = || channels.rest_of_snapshot();
        channels.wake_links(self.snapshots.advance(&channels.registry, rest));
    }
}

impl<R: Runtime> Channels<R> {
    /// Peers know more of what they were told.
    pub(super) fn advance_acknowledged(&self) {
        let known = self.joins.acknowledged();
        if !known.is_empty() {
            self.advance_all(&known);
        }
    }

    /// A peer is told what is claimed here.
    fn send_claims_to(&self, node: NodeId, claims: Vec<(Topic, reservations::ReservationMessage)>) {
        let mut wake = false;
        for (topic, claim) in claims {
            wake |= self.streams.send_to(node, PeerMessage::Claim(told(&topic), claim).encode());
        }
        self.wake_links(wake);
    }

    /// What a snapshot has to have besides the channels.
    fn rest_of_snapshot(&self) -> Vec<Bytes> {
        let now = self.runtime.now();
        let mut rest = Vec::new();
        for ((app, channel), event) in self.last_events.all() {
            let topic = ChannelName { app: &app, channel: &channel };
            let frame = EventFrame { except: None, frame: event.frame.clone() };
            rest.push(PeerMessage::Cached(topic, frame, event.told(now, false)).encode());
        }
        self.runtime.for_each_app(|app, _| {
            rest.push(PeerMessage::Connections(app, self.connections_told(app)).encode());
        });
        let serving = self.serving().map(|ago| PeerMessage::Serving(ago.as_millis() as u64));
        rest.extend(serving.map(|message| message.encode()));
        rest.push(PeerMessage::Withdrawn(self.runtime.withdrawn()).encode());
        rest
    }
}
