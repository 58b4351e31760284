//! A backend that publishes through whichever node takes it.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};

use serde_json::json;

use crate::support::http::{App, Http, request};

/// How often it had to try another node, and why.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) published: usize,
    /// No node took it.
    pub(crate) failed: usize,
    pub(crate) refused: usize,
    /// The node said that it goes.
    pub(crate) going: usize,
    /// The connection ended instead: whether the event was published, nobody knows.
    pub(crate) unanswered: usize,
    /// Anything else that was answered.
    pub(crate) strange: Vec<(u16, String)>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Tally) {
        self.published += other.published;
        self.failed += other.failed;
        self.refused += other.refused;
        self.going += other.going;
        self.unanswered += other.unanswered;
        self.strange.extend(other.strange);
    }
}

/// A kept connection, and a second handle to look at it.
struct Kept {
    http: Http,
    stream: TcpStream,
}

pub(crate) struct Publisher {
    addresses: Vec<SocketAddr>,
    connections: Vec<Option<Kept>>,
    /// Whether a connection is used more than once.
    keeps: bool,
    next: usize,
    pub(crate) tally: Tally,
}

impl Publisher {
    pub(crate) fn new(addresses: &[SocketAddr], keeps: bool) -> Self {
        Publisher {
            addresses: addresses.to_vec(),
            connections: addresses.iter().map(|_| None).collect(),
            keeps,
            next: 0,
            tally: Tally::default(),
        }
    }

    /// Publishes once, through the nodes in turns; one that does not take it is passed over.
    pub(crate) fn publish(&mut self, channel: &str, event: &str, data: &str) {
        let body = json!({"name": event, "channel": channel, "data": data}).to_string();
        for _ in 0..self.addresses.len() {
            self.next = (self.next + 1) % self.addresses.len();
            if self.try_node(self.next, body.as_bytes()) {
                self.tally.published += 1;
                return;
            }
        }
        self.tally.failed += 1;
    }

    fn try_node(&mut self, node: usize, body: &[u8]) -> bool {
        let kept = self.connections[node].take().filter(|kept| !kept.has_ended());
        let Some(mut kept) = kept.or_else(|| Kept::open(self.addresses[node])) else {
            self.tally.refused += 1;
            return false;
        };
        let target = App::default().target("POST", "/events", &[], body);
        kept.http.write(&request("POST", &target, &[], body));
        let Some(answer) = kept.http.try_answer("POST") else {
            self.tally.unanswered += 1;
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

impl Kept {
    fn open(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        Some(Kept { http: Http::over(stream.try_clone().unwrap()), stream })
    }

    /// The server closed it since it was used last, as every HTTP client finds out before it sends.
    fn has_ended(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let waiting = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        !matches!(waiting, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}
