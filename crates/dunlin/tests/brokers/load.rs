//! Numbered events through all nodes in turns, and what subscribers of each node got of them.

use std::thread;
use std::time::{Duration, Instant};

use testkit::nodes::Nodes;
use testkit::probe::Times;
use testkit::publisher::{Number, Publisher};
use testkit::ws::Client;

const CHANNEL: &str = "numbers";

/// An event as a subscriber got it.
struct Heard {
    number: Number,
    at: Instant,
}

/// What was published when, and what was heard of it.
pub(crate) struct Story {
    /// By the node that it was published through.
    sent: Vec<Vec<Instant>>,
    /// By the node of the subscriber.
    heard: Vec<Vec<Heard>>,
}

/// Publishes so many events at this pace, and meanwhile does something. When both are done, so is
/// this.
pub(crate) fn while_published<T>(
    nodes: &Nodes,
    (total, pace): (usize, Duration),
    act: impl FnOnce() -> T,
) -> (Story, T) {
    let count = nodes.addresses.len();
    let mut subscribers: Vec<Client> = (0..count).map(|node| nodes.node(node).connect()).collect();
    subscribers.iter_mut().for_each(|subscriber| subscriber.subscribe(CHANNEL));
    thread::scope(|scope| {
        let listening: Vec<_> = subscribers
            .into_iter()
            .map(|client| scope.spawn(move || listen(client, count)))
            .collect();
        let publishing = scope.spawn(|| publish(nodes, total, pace));
        let done = act();
        let sent = publishing.join().unwrap();
        // Behind everything else that went through the node.
        nodes.up().for_each(|node| node.publish(CHANNEL, "end", ""));
        let heard = listening.into_iter().map(|listening| listening.join().unwrap()).collect();
        (Story { sent, heard }, done)
    })
}

fn publish(nodes: &Nodes, total: usize, pace: Duration) -> Vec<Vec<Instant>> {
    let mut publisher = Publisher::new(&nodes.addresses, true);
    let mut sent = vec![Vec::new(); nodes.addresses.len()];
    let began = Instant::now();
    for index in 0..total {
        thread::sleep((began + pace * index as u32).saturating_duration_since(Instant::now()));
        let at = Instant::now();
        let number = publisher.publish(CHANNEL).expect("every node takes every event at once");
        assert_eq!(number.count, sent[number.node].len());
        sent[number.node].push(at);
    }
    assert_eq!((publisher.tally.published, publisher.tally.refused), (total, 0));
    sent
}

/// Until the end came through every node.
fn listen(mut client: Client, mut ends: usize) -> Vec<Heard> {
    let mut heard = Vec::new();
    while ends > 0 {
        let frame = client.json();
        match frame["event"].as_str().unwrap() {
            "n" => {
                let number = Number::read(frame["data"].as_str().unwrap());
                heard.push(Heard { number, at: Instant::now() });
            }
            "end" => ends -= 1,
            _ => panic!("{frame}"),
        }
    }
    client.expect_silence();
    heard
}

impl Story {
    fn between(&self, from: usize, to: usize) -> impl Iterator<Item = &Heard> {
        self.heard[to].iter().filter(move |heard| heard.number.node == from)
    }

    /// How many events from one node never came to another. None came twice or out of order.
    pub(crate) fn missing(&self, from: usize, to: usize) -> usize {
        let counts: Vec<usize> = self.between(from, to).map(|heard| heard.number.count).collect();
        for pair in counts.windows(2) {
            assert!(pair[0] < pair[1], "{from} -> {to}: {} after {}", pair[1], pair[0]);
        }
        self.sent[from].len() - counts.len()
    }

    /// Every subscriber got every event, once, in order.
    pub(crate) fn is_whole(&self) {
        for (from, to) in self.pairs() {
            assert_eq!(self.missing(from, to), 0, "of what went from {from} to {to}");
        }
    }

    /// How long the events took that were published between two moments: within a node, and
    /// between nodes.
    pub(crate) fn delays(&self, since: Instant, until: Instant) -> [Times; 2] {
        let mut times: [Times; 2] = Default::default();
        for (from, to) in self.pairs() {
            for heard in self.between(from, to) {
                let sent = self.sent[from][heard.number.count];
                if since <= sent && sent < until {
                    times[usize::from(from != to)].add(heard.at.saturating_duration_since(sent));
                }
            }
        }
        times
    }

    /// When the last of the events came that had been published before a moment, seen from there.
    pub(crate) fn caught_up(&self, moment: Instant) -> Duration {
        let late = self.pairs().flat_map(|(from, to)| {
            let before = move |heard: &&Heard| self.sent[from][heard.number.count] < moment;
            self.between(from, to).filter(before).map(|heard| heard.at)
        });
        late.max().map_or(Duration::ZERO, |last| last.saturating_duration_since(moment))
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let count = self.sent.len();
        (0..count).flat_map(move |from| (0..count).map(move |to| (from, to)))
    }
}
