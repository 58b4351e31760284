//! What one node's driver does in one step.

use bytes::Bytes;
use cluster::Incarnation;
use testkit::simulated::SimulatedTransport;

use crate::version;
use crate::world::{FAULTS, QUIET, World};

/// In milliseconds, as all numbers below.
const HELLO: u64 = 400;
const TICK: u64 = 200;
const COUNTS: u64 = 1000;
/// A way that is down, or up again, is noticed within this time.
const NOTICED: u64 = 500;
/// So long before the end, nothing happens at the nodes any more.
const SILENCE: u64 = 2500;
/// So long before the end, nodes say for the last time what they say with every heartbeat.
const LAST_WORDS: u64 = 2200;
/// A node that knows nobody serves after this time.
const ALONE: u64 = 1000;

impl World {
    /// Everything that one node does in one step.
    pub(crate) fn step(&mut self, at: usize) {
        // After a pause, the tick may come before what is waiting was read.
        let tick_first = self.random.one_in(2);
        if tick_first {
            self.tick(at);
        }
        self.read(at);
        if self.places[at].next_hello <= self.now {
            self.places[at].next_hello = self.now + HELLO;
            self.say_hello(at);
        }
        let way_down = self.network.way_down(self.now, at);
        self.see_way(at, way_down);
        if !tick_first {
            self.tick(at);
        }
        self.serve(at);
        let now = self.time();
        let node = self.places[at].node.as_mut().unwrap();
        node.ring(now, &self.names, &mut self.ledger);
        for peer in std::mem::take(&mut node.gone) {
            if let Some(from) = self.place_of(peer) {
                self.network.cut(at, from);
            }
        }
        if !(way_down && self.schedule.refused) {
            self.send(at);
        }
        self.speak(at);
    }

    fn tick(&mut self, at: usize) {
        let (now, place) = (self.time(), &mut self.places[at]);
        if place.next_tick <= self.now {
            place.next_tick = self.now + TICK;
            let node = place.node.as_mut().unwrap();
            node.beat(now, &self.names, &mut self.ledger);
            if self.now < FAULTS + QUIET - LAST_WORDS {
                node.tell_counts(now, &self.names, &mut self.ledger);
            }
            let has_news = self.schedule.upgrade && version::is_later(at) && self.now < FAULTS;
            if has_news {
                node.woken |= node.told.tell(&Bytes::from_static(version::NEWS));
            }
        }
        let place = &mut self.places[at];
        if place.next_counts <= self.now {
            place.next_counts = self.now + COUNTS;
            let node = place.node.as_mut().unwrap();
            node.channels.say_late_counts();
            node.settle(now, &self.names, &mut self.ledger);
        }
    }

    fn read(&mut self, at: usize) {
        let (now, place) = (self.time(), &mut self.places[at]);
        let node = place.node.as_mut().unwrap();
        for packet in std::mem::take(&mut place.inbox) {
            node.cluster.receive(now, packet);
            node.drain(now, &self.names, &mut self.ledger);
        }
    }

    /// By way of a broker, everybody who can be reached finds this node, again and again.
    fn say_hello(&mut self, at: usize) {
        if self.schedule.transport == SimulatedTransport::Mesh {
            return;
        }
        for to in (0..self.places.len()).filter(|to| *to != at) {
            if self.running(to) && self.network.open(self.now, at, to) {
                self.find(at, to);
            }
        }
    }

    /// The driver notices what has become of its way.
    fn see_way(&mut self, at: usize, way_down: bool) {
        if self.places[at].notices_at > self.now {
            return;
        }
        let now = self.time();
        self.node(at).cluster.set_blind(now, way_down);
        self.node(at).woken = true;
        self.places[at].notices_at = u64::MAX;
        if way_down {
            self.notice_way(at, self.network.way_down_until[at]);
        }
    }

    /// The driver will notice what becomes of its way at `change`.
    pub(crate) fn notice_way(&mut self, at: usize, change: u64) {
        self.places[at].notices_at = change + self.random.between(0, NOTICED);
    }

    /// Clients and backends do something, at a node that has joined.
    fn serve(&mut self, at: usize) {
        let now = self.time();
        if !self.node(at).serves {
            if !self.has_joined(at) {
                return;
            }
            let node = self.places[at].node.as_mut().unwrap();
            node.open(now, &self.names, &mut self.ledger);
        }
        if self.now >= FAULTS + QUIET - SILENCE || self.random.one_in(2) {
            return;
        }
        let node = self.places[at].node.as_mut().unwrap();
        for _ in 0..self.random.pick(&[1, 1, 1, 4]) {
            node.do_something(now, &self.names, &mut self.random, &mut self.ledger);
        }
    }

    /// Whether a node knows everything of everybody it knows; where nothing may be lost, of
    /// everybody there is.
    fn has_joined(&self, at: usize) -> bool {
        let node = self.places[at].node.as_ref().unwrap();
        if self.ledger.strict {
            let others = self.places.iter().filter_map(|place| place.node.as_ref());
            let mut others = others.filter(|other| other.me() != node.me());
            return others.all(|other| self.ledger.are_linked(node.me(), other.me()));
        }
        node.peers.is_whole() && (!node.peers.is_empty() || node.started + ALONE <= self.now)
    }

    pub(crate) fn send(&mut self, at: usize) {
        let now = self.time();
        let peers: Vec<Incarnation> = self.node(at).cluster.peers_with_output(now).collect();
        let lingered = self.node(at).lingers.is_some_and(|until| until <= now);
        assert!(self.node(at).woken || lingered || peers.is_empty(), "the driver is woken");
        self.node(at).woken = false;
        for peer in peers {
            // What goes to somebody who was replaced comes to the replacement.
            let to = self.place_of(peer).unwrap_or((peer.0 % 10) as usize);
            while let Some(packet) = self.node(at).cluster.next_packet(now, peer) {
                let random = &mut self.random;
                let later = self.schedule.upgrade && version::is_later(at);
                let wire = if later { version::later(&packet) } else { packet.to_bytes() };
                self.network.transmit(
                    self.now,
                    (at, to),
                    &wire,
                    self.schedule.conditions(),
                    random,
                );
            }
        }
        let lingers = self.node(at).cluster.lingers(now);
        self.node(at).lingers = lingers;
    }
}
