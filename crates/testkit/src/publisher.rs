//! A backend that publishes through whichever node takes it.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};

use serde_json::json;

use crate::http::{AppKeys, Http, request};

/// An event's number among those that were published through the same node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number {
    pub node: usize,
    pub count: usize,
}

impl Number {
    /// From an event's data.
    pub fn read(data: &str) -> Self {
        let (node, count) = data.split_once(':').unwrap();
        Number { node: node.parse().unwrap(), count: count.parse().unwrap() }
    }
}

/// How often it had to try another node, and why.
#[derive(Debug, Default)]
pub struct Tally {
    pub published: usize,
    /// No node took it.
    pub failed: usize,
    pub refused: usize,
    /// The node said that it goes.
    pub going: usize,
    /// The connection ended instead: whether these events were published, nobody knows.
    pub unanswered: BTreeSet<Number>,
    /// Anything else that was answered.
    pub strange: Vec<(u16, String)>,
}

impl Tally {
    /// Nothing failed while nodes left and came.
    pub fn check(&self) {
        println!("{self:?}");
        assert_eq!((self.failed, self.strange.len()), (0, 0));
        // A node that leaves answers what had been sent to it when it closed its port. Between its
        // last look at who waits and the closing somebody may slip through.
        assert!(self.unanswered.len() <= 2, "{:?}", self.unanswered);
    }

    pub fn add(&mut self, other: Tally) {
        self.published += other.published;
        self.failed += other.failed;
        self.refused += other.refused;
        self.going += other.going;
        self.unanswered.extend(other.unanswered);
        self.strange.extend(other.strange);
    }
}

/// A kept connection, and a second handle to look at it.
struct KeptConnection {
    http: Http,
    stream: TcpStream,
}

pub struct Publisher {
    addresses: Vec<SocketAddr>,
    connections: Vec<Option<KeptConnection>>,
    /// Whether a connection is used more than once.
    keeps: bool,
    next: usize,
    /// The next event's number, for each node.
    counts: Vec<usize>,
    pub tally: Tally,
}

impl Publisher {
    pub fn new(addresses: &[SocketAddr], keeps: bool) -> Self {
        Publisher {
            addresses: addresses.to_vec(),
            connections: addresses.iter().map(|_| None).collect(),
            keeps,
            next: 0,
            counts: vec![0; addresses.len()],
            tally: Tally::default(),
        }
    }

    /// Publishes a numbered event, through the nodes in turns; one that does not take it is passed
    /// over. Its number, if any node took it.
    pub fn publish(&mut self, channel: &str) -> Option<Number> {
        for _ in 0..self.addresses.len() {
            self.next = (self.next + 1) % self.addresses.len();
            let (node, count) = (self.next, self.counts[self.next]);
            let data = format!("{node}:{count}");
            let body = json!({"name": "n", "channel": channel, "data": data}).to_string();
            let number = Number { node, count };
            if self.try_node(number, body.as_bytes()) {
                self.counts[node] += 1;
                self.tally.published += 1;
                return Some(number);
            }
        }
        self.tally.failed += 1;
        None
    }

    fn try_node(&mut self, number: Number, body: &[u8]) -> bool {
        let node = number.node;
        let kept = self.connections[node].take().filter(|kept| !kept.has_ended());
        let Some(mut kept) = kept.or_else(|| KeptConnection::open(self.addresses[node])) else {
            self.tally.refused += 1;
            return false;
        };
        let target = AppKeys::default().target("POST", "/events", &[], body);
        kept.http.write(&request("POST", &target, &[], body));
        let Some(answer) = kept.http.try_answer("POST") else {
            self.counts[node] += 1;
            self.tally.unanswered.insert(number);
            return false;
        };
        if self.keeps && answer.header("connection") != Some("close") {
            self.connections[node] = Some(kept);
        }
        match answer.status {
            200 => return true,
            503 => self.tally.going += 1,
            status => self.tally.strange.push((status, answer.text())),
        }
        false
    }
}

impl KeptConnection {
    fn open(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        Some(KeptConnection { http: Http::over(stream.try_clone().unwrap()), stream })
    }

    /// The server closed it since it was used last, as every HTTP client finds out before it sends.
    fn has_ended(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let waiting = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        !matches!(waiting, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}
