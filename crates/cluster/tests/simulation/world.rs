//! Several nodes and the network between them, step by step.

use std::time::Duration;

use bytes::Bytes;
use cluster::{Incarnation, Now, Packet, Reason, Received};
use testkit::simulated::Network;
use testkit::simulated::Random;
use testkit::simulated::SimulatedTransport;

use crate::node::{Node, Truth};
use crate::schedule::Schedule;

/// Milliseconds per step, as all numbers below.
const STEP: u64 = 10;
const HELLO: u64 = 400;
const TICK: u64 = 200;
/// A way that is down, or up again, is noticed within this time.
const NOTICED: u64 = 500;
const FAULTS: u64 = 15_000;
const QUIET: u64 = 6000;
/// So long before the end, nothing happens at the nodes any more.
const SILENCE: u64 = 2500;

/// A place where a node runs; a restart puts a new incarnation into the same place.
struct Place {
    node: Option<Node>,
    starts_at: u64,
    frozen_until: u64,
    inbox: Vec<Bytes>,
    /// When the driver notices that its way to the others is down, or up again.
    notices_at: u64,
    next_tick: u64,
    next_hello: u64,
}

pub(crate) struct World {
    schedule: Schedule,
    random: Random,
    now: u64,
    places: Vec<Place>,
    network: Network,
    incarnations: u64,
    truth: Truth,
    deaths: u64,
}

/// What one run brought.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) deaths: u64,
    pub(crate) streams_renewed: u64,
    pub(crate) events_lost: u64,
}

impl World {
    pub(crate) fn new(schedule: Schedule, random: Random) -> Self {
        World {
            places: (0..schedule.nodes).map(|_| Place::new(0)).collect(),
            network: Network::new(schedule.nodes, schedule.transport),
            schedule,
            random,
            now: 0,
            incarnations: 0,
            truth: Truth::new(),
            deaths: 0,
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
            let running: Vec<bool> = (0..self.places.len()).map(|at| self.running(at)).collect();
            self.network.note_impairments(self.now, &running);
            self.connect();
            for (to, bytes) in self.network.arrivals(self.now) {
                if self.running(to) || self.schedule.waits {
                    self.places[to].inbox.push(bytes);
                }
            }
            (0..self.places.len()).filter(|at| running[*at]).for_each(|at| self.step(at));
            self.now += STEP;
        }
        self.check_end();
        let nodes = || self.places.iter().filter_map(|place| place.node.as_ref());
        Summary {
            deaths: self.deaths,
            streams_renewed: nodes().map(|node| node.streams_renewed).sum(),
            events_lost: nodes().map(|node| node.cluster.losses().events()).sum(),
        }
    }

    fn time(&self) -> Now {
        Duration::from_millis(self.now)
    }

    fn running(&self, at: usize) -> bool {
        self.places[at].node.is_some() && self.places[at].frozen_until <= self.now
    }

    fn node(&mut self, at: usize) -> &mut Node {
        self.places[at].node.as_mut().unwrap()
    }

    fn place_of(&self, incarnation: Incarnation) -> Option<usize> {
        let lives = |node: &Node| node.info.incarnation == incarnation;
        self.places.iter().position(|place| place.node.as_ref().is_some_and(lives))
    }

    /// Draws a fault every second or so.
    fn break_something(&mut self) {
        if !self.random.one_in(100) {
            return;
        }
        let until = self.now + self.random.pick(&[300, 1000, 3000, 8000]);
        let at = self.random.between(0, self.places.len() as u64 - 1) as usize;
        match self.random.between(0, 5) {
            0 if self.schedule.partitions => self.network.partition(at, until, &mut self.random),
            1 if self.schedule.lost_ways => self.lose_way(at, until),
            2 if self.schedule.outages => {
                (0..self.places.len()).for_each(|at| self.lose_way(at, until));
            }
            3 if self.schedule.freezes => self.places[at].frozen_until = until,
            4 if self.schedule.deaths => {
                if self.random.one_in(3) && self.running(at) {
                    self.say_goodbye(at);
                }
                self.places[at] = Place::new(until);
                self.network.way_down_until[at] = 0;
                self.network.cut_all(at);
            }
            5 => self.network.cut_all(at),
            _ => {}
        }
    }

    fn lose_way(&mut self, at: usize, until: u64) {
        self.network.way_down_until[at] = until.max(self.network.way_down_until[at]);
        self.notice_way(at, self.now);
    }

    /// The driver will notice what becomes of its way at `change`.
    fn notice_way(&mut self, at: usize, change: u64) {
        self.places[at].notices_at = change + self.random.between(0, NOTICED);
    }

    /// All faults end. Some of the dead come back, the others never do.
    fn heal(&mut self) {
        for at in 0..self.places.len() {
            self.places[at].frozen_until = 0;
            if self.network.way_down(self.now, at) {
                self.network.way_down_until[at] = 0;
                self.notice_way(at, self.now);
            }
            let returns = self.random.one_in(2);
            self.places[at].starts_at = if returns { self.now } else { u64::MAX };
        }
        self.network.end_partitions();
        (self.schedule.lost, self.schedule.doubled) = (0, 0);
    }

    fn start_nodes(&mut self) {
        for (at, place) in self.places.iter_mut().enumerate() {
            if place.node.is_none() && place.starts_at <= self.now {
                self.incarnations += 1;
                let incarnation = Incarnation(self.incarnations * 10 + at as u64);
                let settings = self.schedule.settings.clone();
                place.node = Some(Node::new(incarnation, format!("node-{at}"), settings));
            }
        }
    }

    /// Makes the connections of a mesh, after a while.
    fn connect(&mut self) {
        let now = self.time();
        for a in 0..self.places.len() {
            for b in a + 1..self.places.len() {
                let open = self.network.open(self.now, a, b) && self.network.open(self.now, b, a);
                let possible = open && self.running(a) && self.running(b);
                if self.network.connected(a, b) || !possible || !self.random.one_in(20) {
                    continue;
                }
                self.network.connect(a, b);
                for (from, to) in [(a, b), (b, a)] {
                    let info = self.find(now, from, to);
                    self.node(to).cluster.reconnected(info);
                }
            }
        }
    }

    /// The node at `to` finds the one at `from`.
    fn find(&mut self, now: Now, from: usize, to: usize) -> Incarnation {
        let info = self.node(from).info.clone();
        let node = self.places[to].node.as_mut().unwrap();
        node.found(now, &info, &mut self.random);
        self.drain(to);
        info.incarnation
    }

    /// Everything that one node does in one step.
    fn step(&mut self, at: usize) {
        let now = self.time();
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
        if self.places[at].notices_at <= self.now {
            self.node(at).cluster.set_blind(now, way_down);
            self.places[at].notices_at = u64::MAX;
            if way_down {
                self.notice_way(at, self.network.way_down_until[at]);
            }
        }
        if !tick_first {
            self.tick(at);
        }

        let node = self.places[at].node.as_mut().unwrap();
        node.forget(&mut self.random);
        if self.now < FAULTS + QUIET - SILENCE {
            if !node.ready && self.random.one_in(100) {
                node.ready = true;
                node.cluster.set_ready(true);
            }
            if self.random.one_in(8) {
                (0..self.random.between(1, 4)).for_each(|_| node.happen(&mut self.random));
            }
        }
        if !(way_down && self.schedule.refused) {
            self.send(at);
        }
    }

    fn tick(&mut self, at: usize) {
        let now = self.time();
        if self.places[at].next_tick <= self.now {
            self.places[at].next_tick = self.now + TICK;
            self.node(at).cluster.tick(now);
            self.drain(at);
        }
    }

    fn read(&mut self, at: usize) {
        let now = self.time();
        for bytes in std::mem::take(&mut self.places[at].inbox) {
            let packet = Packet::decode(bytes).unwrap();
            let (from, to) = (packet.header.from, packet.header.to);
            let node = self.node(at);
            let known = node.views.values().any(|view| view.incarnation == from);
            match node.cluster.receive(now, packet) {
                Received::Taken => assert_eq!(to, node.info.incarnation),
                Received::Unknown => assert!(!known),
                Received::NotForUs => assert_ne!(to, node.info.incarnation),
            }
            self.drain(at);
        }
    }

    fn drain(&mut self, at: usize) {
        let node = self.places[at].node.as_mut().unwrap();
        for (incarnation, reason) in node.drain(&mut self.truth) {
            self.deaths += 1;
            let Some(from) = self.place_of(incarnation) else { continue };
            let timeout = self.schedule.settings.node_timeout.as_millis() as u64;
            let impaired = self.network.impaired(from, at);
            assert_eq!(reason, Reason::Silent, "{incarnation} lives");
            assert!(self.now < impaired + timeout, "{incarnation} lives and could be heard");
            self.network.cut(at, from);
        }
    }

    /// By way of a broker, everybody who can be reached finds this node, again and again.
    fn say_hello(&mut self, at: usize) {
        if self.schedule.transport == SimulatedTransport::Mesh {
            return;
        }
        for to in (0..self.places.len()).filter(|to| *to != at) {
            if self.running(to) && self.network.open(self.now, at, to) {
                self.find(self.time(), at, to);
            }
        }
    }

    fn say_goodbye(&mut self, at: usize) {
        self.node(at).cluster.goodbye();
        self.send(at);
    }

    fn send(&mut self, at: usize) {
        let now = self.time();
        let peers: Vec<Incarnation> = self.node(at).cluster.peers_with_output(now).collect();
        for peer in peers {
            // What goes to somebody who was replaced comes to the replacement.
            let to = self.place_of(peer).unwrap_or((peer.0 % 10) as usize);
            let mut packets = 0;
            while let Some(packet) = self.node(at).cluster.next_packet(now, peer) {
                packets += 1;
                assert!(packets < 1000, "it must end");
                let (bytes, random) = (packet.to_bytes(), &mut self.random);
                self.network.transmit(
                    self.now,
                    (at, to),
                    &bytes,
                    self.schedule.conditions(),
                    random,
                );
            }
            assert!(packets > 0, "a peer with output had none");
        }
        assert_eq!(self.node(at).cluster.peers_with_output(now).count(), 0);
    }

    /// After the quiet, every node knows all the living, what they told, and nobody else.
    fn check_end(&self) {
        let live: Vec<&Node> = self.places.iter().filter_map(|place| place.node.as_ref()).collect();
        for node in &live {
            let name = &node.info.name;
            assert_eq!(node.views.len(), live.len() - 1, "{name} sees all and only the living");
            assert_eq!(node.unacked(), 0, "everything is acknowledged to {name}");
            for view in node.views.values() {
                let told = |peer: &&&Node| peer.info.incarnation == view.incarnation;
                let peer = live.iter().find(told).expect("only the living are up");
                assert_eq!(view.number, peer.counter, "{name} was told everything");
                assert_eq!(view.ready, peer.ready, "{name} knows who is ready");
            }
        }
    }
}

impl Place {
    fn new(starts_at: u64) -> Self {
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
