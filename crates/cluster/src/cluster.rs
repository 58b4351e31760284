//! The state machine: which peers are alive, and their links.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::link::{Peer, Speaker};
use crate::slots::Slots;
use crate::stream::Streams;
use crate::{
    Flags, Incarnation, Losses, Now, Output, Packet, PeerInfo, PeerStatus, Reason, Settings, Slot,
};

/// This node's view of the cluster. Owned by one driver, which calls it for every input and then
/// drains [`poll_output`](Self::poll_output) and the packets of
/// [`peers_with_output`](Self::peers_with_output). All calls are to come in the order of `now`.
pub struct Cluster {
    speaker: Speaker,
    settings: Settings,
    peers: BTreeMap<Incarnation, Peer>,
    slots: Slots,
    streams: Streams,
    outputs: VecDeque<Output>,
    /// Our own way to the others is down.
    blind: bool,
    last_tick: Option<Now>,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It was taken, or belonged to a stream that has been replaced.
    Taken,
    /// The sender was not found yet, or is down. It was ignored; a hello may make us known.
    Unknown,
    /// It is for another incarnation, perhaps our predecessor, or from ourselves. It was ignored.
    NotForUs,
}

impl Cluster {
    /// A cluster of one. `me` is this run of this node; no other may ever have the same.
    pub fn new(me: Incarnation, settings: Settings) -> Self {
        Cluster {
            speaker: Speaker { me, ready: false, leaving: false },
            streams: Streams::new(settings.clone()),
            settings,
            peers: BTreeMap::new(),
            slots: Slots::default(),
            outputs: VecDeque::new(),
            blind: false,
            last_tick: None,
        }
    }

    /// This run of this node.
    pub fn me(&self) -> Incarnation {
        self.speaker.me
    }

    /// A peer said hello, or a connection to it has proved who it is. One that is new gets a slot
    /// and a stream, for one that is known it is a sign of life. Ourselves, nodes with another
    /// [`agreement`](Settings::agreement), and more peers than there are slots, are ignored.
    pub fn found(&mut self, now: Now, info: PeerInfo) {
        if let Some(peer) = self.peers.get_mut(&info.incarnation) {
            return peer.hear(now);
        }
        if info.incarnation == self.speaker.me || info.agrees_with(self.settings.agreement).is_err()
        {
            return;
        }
        let Some(slot) = self.slots.take() else { return };
        let log = self.streams.begin();
        self.outputs.push_back(Output::Up { slot, info: info.clone(), log: log.clone() });
        self.peers.insert(info.incarnation, Peer::new(now, slot, info, log));
    }

    /// The transport to a peer was replaced, and what was in the old one is lost: everything that
    /// is not acknowledged is transmitted again, without waiting to be asked.
    pub fn reconnected(&mut self, peer: Incarnation) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.reconnected();
        }
    }

    /// A packet came.
    pub fn receive(&mut self, now: Now, packet: Packet) -> Received {
        let from = packet.header.from;
        if packet.header.to != self.speaker.me || from == self.speaker.me {
            return Received::NotForUs;
        }
        let Some(peer) = self.peers.get_mut(&from) else { return Received::Unknown };
        peer.hear(now);
        let goodbye = packet.header.flags.has(Flags::GOODBYE);
        peer.receive(now, packet, &mut self.streams, &mut self.outputs);
        if goodbye {
            self.down(from, Reason::Goodbye);
        }
        Received::Taken
    }

    /// The next packet to a peer; `None` if nothing is due. To be called when its transport can
    /// take something, until there is nothing.
    pub fn next_packet(&mut self, now: Now, peer: Incarnation) -> Option<Packet> {
        self.peers.get_mut(&peer)?.next_packet(now, &self.speaker)
    }

    /// The peers for which [`next_packet`](Self::next_packet) has something.
    pub fn peers_with_output(&mut self, now: Now) -> impl Iterator<Item = Incarnation> {
        let leaving = self.speaker.leaving;
        let due = move |peer: &mut Peer| peer.has_output(now, leaving);
        self.peers.iter_mut().filter_map(move |(at, peer)| due(peer).then_some(*at))
    }

    /// When [`peers_with_output`](Self::peers_with_output) has somebody next without another input:
    /// some entries wait a moment for others that they can go out with.
    pub fn lingers(&self, now: Now) -> Option<Now> {
        self.peers.values().filter_map(Peer::lingers).filter(|until| *until > now).min()
    }

    /// Time has passed: makes heartbeats due, breaks streams that wait for too long, and finds the
    /// dead. To be called every half [`heartbeat`](Settings::heartbeat) or more often, after what
    /// had arrived was passed in.
    ///
    /// If the last tick is long ago, or there was none, this process was away. What the peers sent meanwhile may
    /// not have been read yet, so nobody is held for dead, and every peer's clock starts anew.
    pub fn tick(&mut self, now: Now) {
        let longest_step = self.settings.longest_step();
        let paused = self.last_tick.is_none_or(|last| now.saturating_sub(last) > longest_step);
        self.last_tick = Some(now);
        for peer in self.peers.values_mut() {
            peer.tick(now, self.settings.heartbeat);
        }
        if paused {
            self.restart_clocks(now);
        }
        if !self.blind {
            let silent = |peer: &Peer| peer.silent_for(now) >= self.settings.node_timeout;
            let dead = self.peers.iter().filter(|(_, peer)| silent(peer)).map(|(at, _)| *at);
            for peer in dead.collect::<Vec<_>>() {
                self.down(peer, Reason::Silent);
            }
        }
    }

    /// Whether our own way to the others is down. While it is, nobody is held for dead; when it
    /// is back, every peer's clock starts anew.
    pub fn set_blind(&mut self, now: Now, blind: bool) {
        if self.blind && !blind {
            self.restart_clocks(now);
        }
        self.blind = blind;
    }

    /// Whether this node is ready to serve, which every peer is told now. It is not at first.
    pub fn set_ready(&mut self, ready: bool) {
        if self.speaker.ready != ready {
            self.speaker.ready = ready;
            self.peers.values_mut().for_each(Peer::owe);
        }
    }

    /// This node goes: the next packet to every peer is the last one, and says so.
    pub fn goodbye(&mut self) {
        self.speaker.leaving = true;
    }

    /// Nothing refers to the slot any more, so another peer may get it. To be called after
    /// [`Output::Down`]; the slot of a peer that is up stays taken.
    pub fn forget(&mut self, slot: Slot) {
        if self.peers.values().all(|peer| peer.slot() != slot) {
            self.slots.release(slot);
        }
    }

    /// A peer is gone for sure, for instance because its successor runs in its place.
    pub fn lost(&mut self, peer: Incarnation) {
        self.down(peer, Reason::Lost);
    }

    /// What happened, oldest first. To be drained after every input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// All peers that are up.
    pub fn peers(&self, now: Now) -> Vec<PeerStatus> {
        self.peers.values().map(|peer| peer.status(now)).collect()
    }

    /// What this node's streams have lost so far; counts on by itself.
    pub fn losses(&self) -> &Arc<Losses> {
        self.streams.losses()
    }

    fn restart_clocks(&mut self, now: Now) {
        self.peers.values_mut().for_each(|peer| peer.hear(now));
    }

    fn down(&mut self, incarnation: Incarnation, reason: Reason) {
        if let Some(peer) = self.peers.remove(&incarnation) {
            peer.log().close();
            self.outputs.push_back(Output::Down { slot: peer.slot(), incarnation, reason });
        }
    }
}
