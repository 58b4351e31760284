//! Several nodes and the network between them, step by step.

use std::time::Duration;

use cluster::{Incarnation, Now, Packet};
use testkit::simulated::Network;
use testkit::simulated::Random;

use crate::ledger::{Ledger, Summary};
use crate::load::Names;
use crate::node::Node;
use crate::schedule::Schedule;
use simulation::Clock;

/// Milliseconds per step, as all numbers below.
const STEP: u64 = 5;
/// How long there are faults.
pub(crate) const FAULTS: u64 = 10_000;
/// How long there are none after them.
pub(crate) const QUIET: u64 = 5000;

/// A place where a node runs; a restart puts a new incarnation into the same place.
pub(crate) struct Place {
    pub(crate) node: Option<Node>,
    pub(crate) starts_at: u64,
    pub(crate) frozen_until: u64,
    pub(crate) inbox: Vec<Packet>,
    /// When the driver notices that its way to the others is down, or up again.
    pub(crate) notices_at: u64,
    pub(crate) next_tick: u64,
    pub(crate) next_hello: u64,
    pub(crate) next_counts: u64,
}

pub(crate) struct World {
    pub(crate) schedule: Schedule,
    pub(crate) random: Random,
    pub(crate) now: u64,
    clock: Clock,
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
            clock: Clock::default(),
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
            for (to, wire) in self.network.arrivals(self.now) {
                let packet = Packet::decode(wire).unwrap();
                if self.running(to) || self.schedule.waits {
                    self.places[to].inbox.push(packet);
                }
            }
            for at in running {
                self.step(at);
                self.check_limits();
                self.check_seats();
            }
            self.now += STEP;
            self.clock.set(self.time());
        }
        self.check_end();
        self.ledger.summary.unanswered = self.unanswered();
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

    pub(crate) fn place_of(&self, incarnation: Incarnation) -> Option<usize> {
        let lives = |node: &Node| node.me() == incarnation;
        self.places.iter().position(|place| place.node.as_ref().is_some_and(lives))
    }

    fn start_nodes(&mut self) {
        for (at, place) in self.places.iter_mut().enumerate() {
            if place.node.is_none() && place.starts_at <= self.now {
                self.incarnations += 1;
                let incarnation = Incarnation(self.incarnations * 10 + at as u64);
                let (name, settings) = (format!("node-{at}"), self.schedule.settings.clone());
                let node = Node::new(&self.clock, incarnation, name, settings, &self.names);
                place.node = Some(node);
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
                    self.node(to).woken = true;
                }
            }
        }
    }

    /// The node at `to` finds the one at `from`, whose predecessor it may know to be lost.
    pub(crate) fn find(&mut self, from: usize, to: usize) -> Incarnation {
        let (now, info) = (self.time(), self.node(from).info.clone());
        let node = self.places[to].node.as_mut().unwrap();
        for old in node.cluster.peers(now) {
            let is_predecessor = old.info.name == info.name && old.info != info;
            if is_predecessor && self.random.one_in(2) {
                node.cluster.lost(old.info.incarnation);
            }
        }
        node.cluster.found(now, info.clone());
        node.drain(now, &self.names, &mut self.ledger);
        info.incarnation
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
            next_counts: 0,
        }
    }
}
