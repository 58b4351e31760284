//! What clients and backends of a cluster do, over and over, and how long each thing takes.

use std::fmt;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::http::{AppKeys, Http};
use crate::nodes::Nodes;
use crate::roster::ask_to_join;
use crate::ws::Client;

/// How long one thing took, each time.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub fn most(&self) -> Duration {
        self.0.iter().max().copied().unwrap_or_default()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort();
        let at = |share: f64| {
            let index = (sorted.len() as f64 * share) as usize;
            let time = sorted.get(index.min(sorted.len().saturating_sub(1)));
            time.map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        let (half, p99, most) = (at(0.5), at(0.99), at(1.0));
        write!(f, "{} times, p50 {half:.2} ms, p99 {p99:.2} ms, max {most:.2} ms", sorted.len())
    }
}

/// What a [`Probe`] measures.
pub const KINDS: [&str; 5] = ["join", "subscribe", "first subscriber", "API read", "publish"];

/// Measures on two nodes.
pub struct Probe<'a> {
    nodes: &'a Nodes,
    channel: &'a str,
    /// A backend of each node.
    backends: [Http; 2],
    /// A subscriber of each node.
    subscribers: [Client; 2],
    round: usize,
}

impl<'a> Probe<'a> {
    /// On the nodes 0 and 1; members join and leave `channel`.
    pub fn new(nodes: &'a Nodes, channel: &'a str) -> Self {
        let mut subscribers = [0, 1].map(|node| nodes.node(node).connect());
        subscribers.iter_mut().for_each(|client| client.subscribe("busy"));
        let backends = [0, 1].map(|node| nodes.node(node).http());
        Probe { nodes, channel, backends, subscribers, round: 0 }
    }

    /// Measures until this is so; in the order of [`KINDS`].
    pub fn until(&mut self, mut done: impl FnMut() -> bool) -> [Times; 5] {
        let mut times: [Times; 5] = Default::default();
        while !done() {
            let measured = self.measure();
            measured.into_iter().zip(&mut times).for_each(|(time, times)| times.add(time));
            // A pace, so that most of the machine is the servers'.
            std::thread::sleep(Duration::from_millis(5));
        }
        times
    }

    fn measure(&mut self) -> [Duration; 5] {
        self.round += 1;
        let (round, here, there) = (self.round, self.round % 2, (self.round + 1) % 2);
        let mut client = self.nodes.node(here).connect();
        let time = |act: &mut dyn FnMut()| {
            let began = Instant::now();
            act();
            began.elapsed()
        };
        let join = time(&mut || {
            ask_to_join(&mut client, self.channel, &format!("probe-{round}"));
            client.expect_subscribed(self.channel);
        });
        client.unsubscribe(self.channel);
        let mut client = self.nodes.node(here).connect();
        let subscribe = time(&mut || client.subscribe("busy"));
        client.unsubscribe("busy");
        client.expect_silence();
        let fresh = format!("fresh-{round}");
        let first = time(&mut || client.subscribe(&fresh));
        let app = AppKeys::default();
        let read = time(&mut || {
            let page = format!("/channels/{}/users", self.channel);
            assert_eq!(self.backends[there].get(&app, &page, &[]).status, 200);
        });
        let data = round.to_string();
        let body = json!({"name": "e", "channels": ["busy", &fresh], "data": data}).to_string();
        let publish = time(&mut || {
            let answer = self.backends[there].post(&app, "/events", body.as_bytes());
            assert_eq!(answer.status, 200);
            for subscriber in &mut self.subscribers {
                subscriber.expect_event("e", "busy", &data);
            }
        });
        [join, subscribe, first, read, publish]
    }
}
