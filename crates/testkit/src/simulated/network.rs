//! What lies between the places: connections or a broker, and messages on their way.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Random;

/// How packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulatedTransport {
    /// Connections: nothing is lost or overtaken until the connection is.
    Mesh,
    /// Messages by way of somebody in the middle, to whom every node has a way of its own.
    Broker,
}

/// What may happen to messages on their way.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// How many are lost, of 100 messages.
    pub lost: u64,
    /// How many come twice, of 100 messages.
    pub doubled: u64,
    /// How long one takes at most, in milliseconds.
    pub delay: u64,
    /// Whether messages may overtake each other.
    pub unordered: bool,
}

/// Paths between places, which are numbered from 0. Times are in milliseconds.
pub struct Network {
    transport: SimulatedTransport,
    /// Until when each place's own way to the others is down.
    pub way_down_until: Vec<u64>,
    /// By (from, to).
    paths: BTreeMap<(usize, usize), Path>,
    wire: Vec<InFlight>,
}

#[derive(Default)]
struct Path {
    blocked_until: u64,
    /// Whether there is a connection; of no meaning with a broker.
    connected: bool,
    /// Which one it is, or was.
    connection: u64,
    /// When the last message on it arrives.
    last_arrival: u64,
    /// When the receiver was last kept from hearing the sender, by no fault of its own.
    impaired: u64,
}

struct InFlight {
    at: u64,
    from: usize,
    to: usize,
    connection: u64,
    bytes: Bytes,
}

impl Network {
    pub fn new(places: usize, transport: SimulatedTransport) -> Self {
        let from = |from| (0..places).map(move |to| (from, to));
        let pairs = (0..places).flat_map(from).filter(|(from, to)| from != to);
        Network {
            transport,
            way_down_until: vec![0; places],
            paths: pairs.map(|pair| (pair, Path::default())).collect(),
            wire: Vec::new(),
        }
    }

    pub fn way_down(&self, now: u64, at: usize) -> bool {
        self.way_down_until[at] > now
    }

    /// Whether a message or a connection could pass.
    pub fn open(&self, now: u64, from: usize, to: usize) -> bool {
        let blocked = self.paths[&(from, to)].blocked_until > now;
        !blocked && !self.way_down(now, from) && !self.way_down(now, to)
    }

    /// Whether there is a connection, or none is needed.
    pub fn connected(&self, from: usize, to: usize) -> bool {
        self.transport == SimulatedTransport::Broker || self.paths[&(from, to)].connected
    }

    /// When `to` was last kept from hearing `from`, by no fault of its own.
    pub fn impaired(&self, from: usize, to: usize) -> u64 {
        self.paths[&(from, to)].impaired
    }

    pub fn connect(&mut self, a: usize, b: usize) {
        for pair in [(a, b), (b, a)] {
            let path = self.path(pair);
            path.connected = true;
            path.connection += 1;
        }
    }

    /// The connection between two places ends.
    pub fn cut(&mut self, a: usize, b: usize) {
        self.path((a, b)).connected = false;
        self.path((b, a)).connected = false;
    }

    /// All connections of a place end.
    pub fn cut_all(&mut self, at: usize) {
        for (_, path) in self.paths.iter_mut().filter(|((from, to), _)| *from == at || *to == at) {
            path.connected = false;
        }
    }

    /// Nothing comes from this place to some of the others, or in one of the two directions.
    pub fn partition(&mut self, at: usize, until: u64, random: &mut Random) {
        let both = random.one_in(2);
        for (&(from, to), path) in &mut self.paths {
            if (from == at || (both && to == at)) && !random.one_in(3) {
                path.blocked_until = until;
            }
        }
    }

    pub fn end_partitions(&mut self) {
        self.paths.values_mut().for_each(|path| path.blocked_until = 0);
    }

    /// Notes who cannot be heard by whom just now.
    pub fn note_impairments(&mut self, now: u64, running: &[bool]) {
        let pairs: Vec<_> = self.paths.keys().copied().collect();
        for (from, to) in pairs {
            let reaches = running[from] && !self.way_down(now, from) && self.connected(from, to);
            let path = self.path((from, to));
            if !reaches || path.blocked_until > now {
                path.impaired = now;
            }
        }
    }

    /// Sends a message, which may be lost, doubled and delayed.
    pub fn transmit(
        &mut self,
        now: u64,
        (from, to): (usize, usize),
        bytes: &Bytes,
        conditions: Conditions,
        random: &mut Random,
    ) {
        if !self.open(now, from, to) {
            self.cut(from, to);
            return;
        }
        if !self.connected(from, to) {
            return;
        }
        let copies = 1 + u64::from(random.percent(conditions.doubled));
        for _ in 0..copies {
            if random.percent(conditions.lost) {
                continue;
            }
            let path = self.path((from, to));
            let mut at = now + random.between(1, conditions.delay);
            if !conditions.unordered {
                at = at.max(path.last_arrival);
                path.last_arrival = at;
            }
            let connection = path.connection;
            self.wire.push(InFlight { at, from, to, connection, bytes: bytes.clone() });
        }
    }

    /// The messages that arrive by now, with where.
    pub fn arrivals(&mut self, now: u64) -> Vec<(usize, Bytes)> {
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.wire).into_iter().partition(|message| message.at <= now);
        self.wire = later;
        due.sort_by_key(|message| message.at);
        // What was on a connection that has ended is lost.
        due.retain(|message| {
            let path = &self.paths[&(message.from, message.to)];
            self.transport == SimulatedTransport::Broker
                || (path.connected && path.connection == message.connection)
        });
        due.into_iter().map(|message| (message.to, message.bytes)).collect()
    }

    fn path(&mut self, pair: (usize, usize)) -> &mut Path {
        self.paths.get_mut(&pair).unwrap()
    }
}
