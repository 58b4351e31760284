//! A cluster without faults, and the time in it. Every message takes as long as any other.

use std::cell::Cell;
use std::ops::{Add, Sub};
use std::time::Duration;

use cluster::{Incarnation, Now, Packet, Settings};

use testkit::simulated::{Conditions, Network, Random, SimulatedTransport};

use crate::node::Node;
use simulation::Clock;

/// How long a message takes from node to node, in milliseconds, as all numbers below. It is also the
/// step of the time.
pub(crate) const LATENCY: u64 = 1;
/// How often a driver lets time pass for its links: half a heartbeat.
pub(crate) const TICK: u64 = 250;
/// Nothing takes longer than this.
const SETTLE_TIMEOUT: u64 = 60_000;

/// What has gone over the links.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Traffic {
    pub(crate) messages: u64,
    /// Without the headers of TCP and IP.
    pub(crate) bytes: u64,
    /// Those of the entries alone, without headers of packets.
    pub(crate) entries: u64,
}

impl Add for Traffic {
    type Output = Traffic;

    fn add(self, other: Traffic) -> Traffic {
        Traffic {
            messages: self.messages + other.messages,
            bytes: self.bytes + other.bytes,
            entries: self.entries + other.entries,
        }
    }
}

impl Sub for Traffic {
    type Output = Traffic;

    fn sub(self, before: Traffic) -> Traffic {
        Traffic {
            messages: self.messages - before.messages,
            bytes: self.bytes - before.bytes,
            entries: self.entries - before.entries,
        }
    }
}

/// Nothing is lost, and everything arrives in order.
const CONDITIONS: Conditions = Conditions { lost: 0, doubled: 0, delay: LATENCY, unordered: false };

pub(crate) struct World {
    pub(crate) now: u64,
    clock: Clock,
    /// By their places; none where a node has died.
    nodes: Vec<Option<Node>>,
    network: Network,
    random: Random,
    incarnations: u64,
    pub(crate) traffic: Traffic,
}

impl World {
    /// So many nodes that have found each other and serve.
    pub(crate) fn new(nodes: usize) -> Self {
        let mut world = World {
            now: 0,
            clock: Clock::default(),
            nodes: (0..nodes).map(|_| None).collect(),
            network: Network::new(nodes, SimulatedTransport::Mesh),
            random: Random::new(0),
            incarnations: 0,
            traffic: Traffic::default(),
        };
        // One after the other: all at once, so much would be under way that it fills the memory.
        for at in 0..nodes {
            world.start(at);
            world.settle();
            world.node(at).serve();
            world.settle();
        }
        world
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&mut self, at: usize) -> &mut Node {
        self.nodes[at].as_mut().expect("the node lives")
    }

    /// A new node starts in this place, and is connected to all others.
    pub(crate) fn start(&mut self, at: usize) {
        self.incarnations += 1;
        let incarnation = Incarnation(self.incarnations * self.nodes.len() as u64 + at as u64);
        let now = self.time();
        let mut node = Node::new(&self.clock, incarnation, &Settings::default());
        // Nodes start one after the other, so their heartbeats are spread over time.
        node.next_tick = self.now + TICK * at as u64 / self.nodes.len() as u64;
        for (other, peer) in self.nodes.iter_mut().enumerate() {
            let Some(peer) = peer else { continue };
            self.network.connect(at, other);
            peer.found(now, &node);
            node.found(now, peer);
        }
        self.nodes[at] = Some(node);
    }

    /// The node in this place is gone without a word.
    pub(crate) fn kill(&mut self, at: usize) {
        self.nodes[at] = None;
        self.network.cut_all(at);
    }

    /// How many nodes know and have heard everything of `peers` peers.
    pub(crate) fn whole(&self, peers: usize) -> usize {
        let knows = |node: &&Node| node.peers.len() == peers && node.peers.is_whole();
        self.nodes.iter().flatten().filter(knows).count()
    }

    /// How many nodes have no more than `peers` peers.
    pub(crate) fn noticed(&self, peers: usize) -> usize {
        self.nodes.iter().flatten().filter(|node| node.peers.len() <= peers).count()
    }

    /// Lets time pass, with everything that it brings, until `is_over`.
    pub(crate) fn run_until(&mut self, is_over: impl Fn(&World) -> bool) {
        self.pass(true, is_over);
    }

    /// The same without heartbeats.
    pub(crate) fn settle_until(&mut self, is_over: impl Fn(&World) -> bool) {
        self.pass(false, is_over);
    }

    /// Lets so much time pass.
    pub(crate) fn wait(&mut self, time: u64) {
        let until = self.now + time;
        self.run_until(|world| world.now >= until);
    }

    /// Lets time pass without heartbeats until nothing is under way.
    pub(crate) fn settle(&mut self) {
        let before = Cell::new(None);
        self.pass(false, |world| {
            let waits = world.nodes.iter().flatten().any(Node::waits);
            before.replace(Some(world.traffic)) == Some(world.traffic) && !waits
        });
    }

    fn pass(&mut self, has_ticks: bool, is_over: impl Fn(&World) -> bool) {
        let patience = self.now + SETTLE_TIMEOUT;
        while !is_over(self) {
            assert!(self.now < patience, "it takes longer than {SETTLE_TIMEOUT} ms");
            self.step(has_ticks);
        }
    }

    /// A millisecond passes.
    fn step(&mut self, has_ticks: bool) {
        self.now += LATENCY;
        self.clock.set(self.time());
        for (to, wire) in self.network.arrivals(self.now) {
            let packet = Packet::decode(wire).expect("what was sent can be read");
            if let Some(node) = &mut self.nodes[to] {
                node.inbox.push(packet);
            }
        }
        let now = self.time();
        for at in 0..self.nodes.len() {
            let Some(node) = &mut self.nodes[at] else { continue };
            let ticks = has_ticks && node.next_tick <= self.now;
            if !ticks && node.inbox.is_empty() && !node.is_due(now) {
                continue;
            }
            node.read(now);
            if ticks {
                node.next_tick = self.now + TICK;
                node.tick(now);
            }
            node.ring(now);
            for (peer, packet) in node.packets(now) {
                let to = (peer.0 % self.nodes.len() as u64) as usize;
                let wire = packet.to_bytes();
                self.traffic.messages += 1;
                self.traffic.bytes += wire.len() as u64;
                self.traffic.entries +=
                    packet.entries.iter().map(|e| 4 + e.len() as u64).sum::<u64>();
                let random = &mut self.random;
                self.network.transmit(self.now, (at, to), &wire, CONDITIONS, random);
            }
        }
    }

    fn time(&self) -> Now {
        Duration::from_millis(self.now)
    }
}
