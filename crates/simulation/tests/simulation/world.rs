//! Several nodes and the network between them, step by step.

use std::time::Duration;

use cluster::{Incarnation, Now, Packet};

use crate::ledger::{Ledger, Summary};
use crate::load::Names;
use crate::network::Network;
use crate::node::{self, Node};
use crate::random::Random;
use crate::schedule::{Schedule, Transport};

/// Milliseconds per step, as all numbers below.
const STEP: u64 = 5;
const HELLO: u64 = 400;
const TICK: u64 = 200;
/// A way that is down, or up again, is noticed within this time.
const NOTICED: u64 = 500;
/// How long there are faults.
pub(crate) const FAULTS: u64 = 10_000;
/// How long there are none after them.
const QUIET: u64 = 5000;
/// So long before the end, nothing happens at the nodes any more.
const SILENCE: u64 = 2500;
/// A node that knows nobody serves after this time.
const ALONE: u64 = 1000;

/// A place where a node runs; a restart puts a new incarnation into the same place.
pub(crate) struct Place {
    pub(crate) node: Option<Node>,
    pub(crate) starts_at: u64,
    pub(crate) frozen_until: u64,
    inbox: Vec<Packet>,
    /// When the driver notices that its way to the others is down, or up again.
    notices_at: u64,
    next_tick: u64,
    next_hello: u64,
}

pub(crate) struct World {
    pub(crate) schedule: Schedule,
    pub(crate) random: Random,
    pub(crate) now: u64,
    pub(crate) places: Vec<Place>,
    pub(crate) network: Network,
    pub(crate) ledger: Ledger,
    pub(crate) names: Names,
    incarnations: u64,
}

impl World {
    pub(crate) fn new(schedule: Schedule, mut random: Random) -> Self {
        let places = (0..schedule.nodes).map(|_| {
            let late = schedule.latecomers && random.one_in(2);
            Place::new(if late { random.between(0, FAULTS) } else { 0 })
        });
        let places = places.collect();
        World {
            places,
            network: Network::new(schedule.nodes, schedule.transport),
            ledger: Ledger::new(!schedule.is_rough()),
            names: Names::new(schedule.ballast),
            schedule,
            random,
            now: 0,
            incarnations: 0,
        }
    }

    /// Runs faults and quiet, and checks that in the end everybody knows everything.
    pub(crate) fn run(mut self) -> Summary {
        while self.now < FAULTS + QUIET {
            match self.now {
                FAULTS => self.heal(),
                now if now < FAULTS => self.break_something(),
                _ => {}
            }
            self.start_nodes();
            let running: Vec<usize> =
                (0..self.places.len()).filter(|at| self.running(*at)).collect();
            self.connect();
            for (to, packet) in self.network.arrivals(self.now) {
                if self.running(to) || self.schedule.waits {
                    self.places[to].inbox.push(packet);
                }
            }
            running.into_iter().for_each(|at| self.step(at));
            self.now += STEP;
        }
        self.check_end();
        self.ledger.summary
    }

    pub(crate) fn time(&self) -> Now {
        Duration::from_millis(self.now)
    }

    pub(crate) fn running(&self, at: usize) -> bool {
        self.places[at].node.is_some() && self.places[at].frozen_until <= self.now
    }

    pub(crate) fn node(&mut self, at: usize) -> &mut Node {
        self.places[at].node.as_mut().unwrap()
    }

    fn place_of(&self, incarnation: Incarnation) -> Option<usize> {
        let lives = |node: &Node| node.me() == incarnation;
        self.places.iter().position(|place| place.node.as_ref().is_some_and(lives))
    }

    fn start_nodes(&mut self) {
        for (at, place) in self.places.iter_mut().enumerate() {
            if place.node.is_none() && place.starts_at <= self.now {
                self.incarnations += 1;
                let incarnation = Incarnation(self.incarnations * 10 + at as u64);
                let (name, settings) = (format!("node-{at}"), self.schedule.settings.clone());
                let registry = node::registry(&self.names);
                place.node = Some(Node::new(self.now, incarnation, name, settings, registry));
            }
        }
    }

    /// Makes the connections of a mesh, after a while.
    fn connect(&mut self) {
        for a in 0..self.places.len() {
            for b in a + 1..self.places.len() {
                let open = self.network.open(self.now, a, b) && self.network.open(self.now, b, a);
                let possible = open && self.running(a) && self.running(b);
                if self.network.connected(a, b) || !possible || !self.random.one_in(40) {
                    continue;
                }
                self.network.connect(a, b);
                for (from, to) in [(a, b), (b, a)] {
                    let peer = self.find(from, to);
                    self.node(to).cluster.reconnected(peer);
                    self.node(to).local.woken = true;
                }
            }
        }
    }

    /// The node at `to` finds the one at `from`, whose predecessor it may know to be lost.
    fn find(&mut self, from: usize, to: usize) -> Incarnation {
        let (now, info) = (self.time(), self.node(from).info.clone());
        let node = self.places[to].node.as_mut().unwrap();
        for old in node.cluster.peers(now) {
            let is_predecessor = old.info.name == info.name && old.info != info;
            if is_predecessor && self.random.one_in(2) {
                node.cluster.lost(old.info.incarnation);
            }
        }
        node.cluster.found(now, info.clone());
        node.drain(now, &mut self.ledger);
        info.incarnation
    }

    /// Everything that one node does in one step.
    fn step(&mut self, at: usize) {
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
        let node = self.places[at].node.as_mut().unwrap();
        node.settle_waits(self.now, &mut self.ledger);
        for peer in std::mem::take(&mut node.gone) {
            if let Some(from) = self.place_of(peer) {
                self.network.cut(at, from);
            }
        }
        if !(way_down && self.schedule.refused) {
            self.send(at);
        }
    }

    fn tick(&mut self, at: usize) {
        let (now, place) = (self.time(), &mut self.places[at]);
        if place.next_tick <= self.now {
            place.next_tick = self.now + TICK;
            place.node.as_mut().unwrap().tick(now, &mut self.ledger);
        }
    }

    fn read(&mut self, at: usize) {
        let (now, place) = (self.time(), &mut self.places[at]);
        let node = place.node.as_mut().unwrap();
        for packet in std::mem::take(&mut place.inbox) {
            node.cluster.receive(now, packet);
            node.drain(now, &mut self.ledger);
        }
    }

    /// By way of a broker, everybody who can be reached finds this node, again and again.
    fn say_hello(&mut self, at: usize) {
        if self.schedule.transport == Transport::Mesh {
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
        self.node(at).local.woken = true;
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
        if !self.node(at).serves {
            if !self.has_joined(at) {
                return;
            }
            let node = self.places[at].node.as_mut().unwrap();
            node.open(self.now, &self.names, &mut self.ledger);
        }
        if self.now >= FAULTS + QUIET - SILENCE || self.random.one_in(2) {
            return;
        }
        let node = self.places[at].node.as_mut().unwrap();
        for _ in 0..self.random.pick(&[1, 1, 1, 4]) {
            node.do_something(self.now, &self.names, &mut self.random, &mut self.ledger);
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
        let whole = node.peers.values().all(|peer| peer.whole);
        whole && (!node.peers.is_empty() || node.started + ALONE <= self.now)
    }

    pub(crate) fn send(&mut self, at: usize) {
        let now = self.time();
        let peers: Vec<Incarnation> = self.node(at).cluster.peers_with_output().collect();
        assert!(self.node(at).local.woken || peers.is_empty(), "the driver is woken");
        self.node(at).local.woken = false;
        for peer in peers {
            // What goes to somebody who was replaced comes to the replacement.
            let to = self.place_of(peer).unwrap_or((peer.0 % 10) as usize);
            while let Some(packet) = self.node(at).cluster.next_packet(now, peer) {
                let random = &mut self.random;
                self.network.transmit(self.now, (at, to), &packet, &self.schedule, random);
            }
        }
    }
}

impl Place {
    pub(crate) fn new(starts_at: u64) -> Self {
        Place {
            node: None,
            starts_at,
            frozen_until: 0,
            inbox: Vec::new(),
            notices_at: u64::MAX,
            next_tick: 0,
            next_hello: 0,
        }
    }
}
