//! Leases on several nodes with messages that take their time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use channels::leases::{LeaseMessage, LeaseOutput, Leases, NodeName, SlotRequestId, Taken};
use proptest::prelude::*;

/// What is in a stream.
enum Item {
    Message(LeaseMessage),
    /// What came before may be incomplete.
    Restart,
}

/// Nodes, the ordered streams between them, and what their users know.
struct World {
    nodes: BTreeMap<NodeName, Leases>,
    streams: BTreeMap<(NodeName, NodeName), VecDeque<Item>>,
    /// Slots in use, by node.
    used: BTreeMap<NodeName, u32>,
    waiting: BTreeMap<SlotRequestId, NodeName>,
    granted: u32,
    denied: u32,
    requests: SlotRequestId,
    key: Arc<str>,
    limit: u32,
}

impl World {
    fn new(nodes: NodeName, limit: u32) -> Self {
        let mut world = World {
            nodes: BTreeMap::new(),
            streams: BTreeMap::new(),
            used: BTreeMap::new(),
            waiting: BTreeMap::new(),
            granted: 0,
            denied: 0,
            requests: 0,
            key: "app".into(),
            limit,
        };
        (1..=nodes).for_each(|node| world.join(node));
        world
    }

    /// A node comes, and tells that it is ready when it knows everything.
    fn join(&mut self, name: NodeName) {
        self.meet(name);
        let others: Vec<NodeName> = self.nodes.keys().copied().filter(|n| *n != name).collect();
        others.iter().for_each(|other| while self.deliver(*other, name) {});
        for other in others {
            self.with(other, |leases| leases.set_ready(name, true));
            self.with(name, |leases| leases.set_ready(other, true));
        }
    }

    /// A node comes, and nobody has heard yet that it is ready, nor it of anybody.
    fn meet(&mut self, name: NodeName) {
        let mut newcomer = Leases::new(name);
        for (other, leases) in &mut self.nodes {
            leases.up(name);
            newcomer.up(*other);
            self.streams.insert((*other, name), everything(leases));
            self.streams.insert((name, *other), everything(&newcomer));
        }
        self.nodes.insert(name, newcomer);
    }

    fn kill(&mut self, name: NodeName) {
        self.nodes.remove(&name);
        self.used.remove(&name);
        self.waiting.retain(|_, node| *node != name);
        self.streams.retain(|(from, to), _| *from != name && *to != name);
        let others: Vec<NodeName> = self.nodes.keys().copied().collect();
        others.into_iter().for_each(|other| self.with(other, |leases| leases.down(name)));
    }

    fn with(&mut self, node: NodeName, act: impl FnOnce(&mut Leases)) {
        let Some(leases) = self.nodes.get_mut(&node) else { return };
        act(leases);
        while let Some(output) = self.nodes.get_mut(&node).and_then(Leases::poll_output) {
            match output {
                LeaseOutput::Tell(message) => {
                    let to = self.streams.iter_mut().filter(|((from, _), _)| *from == node);
                    to.for_each(|(_, stream)| stream.push_back(Item::Message(message.clone())));
                }
                LeaseOutput::Send(to, message) => {
                    self.streams.entry((node, to)).or_default().push_back(Item::Message(message));
                }
                LeaseOutput::Answer(request, granted) => {
                    assert_eq!(self.waiting.remove(&request), Some(node));
                    self.count(node, granted);
                }
            }
        }
    }

    fn count(&mut self, node: NodeName, granted: bool) {
        if granted {
            *self.used.entry(node).or_default() += 1;
            self.granted += 1;
            let used: u32 = self.used.values().sum();
            assert!(used <= self.limit, "{used} of {}", self.limit);
        } else {
            self.denied += 1;
        }
    }

    fn take(&mut self, node: NodeName) {
        self.requests += 1;
        let (request, key, limit) = (self.requests, self.key.clone(), self.limit);
        self.waiting.insert(request, node);
        let mut taken = Taken::Wait;
        self.with(node, |leases| taken = leases.take(&key, limit, request));
        if taken == Taken::Yes {
            self.waiting.remove(&request);
            self.count(node, true);
        }
    }

    fn give_back(&mut self, node: NodeName) {
        let key = self.key.clone();
        if let Some(used) = self.used.get_mut(&node).filter(|used| **used > 0) {
            *used -= 1;
            self.with(node, |leases| leases.give_back(&key));
        }
    }

    fn deliver(&mut self, from: NodeName, to: NodeName) -> bool {
        let item = self.streams.get_mut(&(from, to)).and_then(VecDeque::pop_front);
        match item {
            Some(Item::Message(message)) => self.with(to, |leases| leases.hear(from, message)),
            Some(Item::Restart) => self.with(to, |leases| leases.restarted(from)),
            None => return false,
        }
        true
    }

    /// What is on its way is lost, and everything is told anew.
    fn break_off(&mut self, from: NodeName, to: NodeName) {
        let Some(stream) = self.streams.get_mut(&(from, to)) else { return };
        *stream = everything(&self.nodes[&from]);
        stream.push_front(Item::Restart);
        self.with(from, |leases| leases.resync(to));
    }

    fn settle(&mut self) {
        loop {
            let busy = self.streams.iter().find(|(_, stream)| !stream.is_empty());
            let Some((&(from, to), _)) = busy else { break };
            self.deliver(from, to);
        }
        assert!(self.waiting.is_empty(), "{:?} wait for ever", self.waiting);
    }
}

fn everything(of: &Leases) -> VecDeque<Item> {
    of.everything().into_iter().map(Item::Message).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Take(usize),
    GiveBack(usize),
    Deliver(usize),
    Join,
    Kill(usize),
    Break(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..8usize).prop_map(Step::Take),
        4 => (0..8usize).prop_map(Step::GiveBack),
        12 => any::<usize>().prop_map(Step::Deliver),
        1 => Just(Step::Join),
        1 => (0..8usize).prop_map(Step::Kill),
        1 => any::<usize>().prop_map(Step::Break),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// Whoever comes, goes, joins and dies, in whichever order messages arrive on different ways:
    /// never more than the limit, nobody waits for ever, and nothing is left.
    #[test]
    fn the_limit_holds(limit in 0..30u32, steps in prop::collection::vec(step(), 1..200)) {
        let mut world = World::new(3, limit);
        world.settle();
        let mut names = 3;
        for step in steps {
            let nodes: Vec<NodeName> = world.nodes.keys().copied().collect();
            let node = |n: usize| nodes[n % nodes.len()];
            match step {
                Step::Take(n) => world.take(node(n)),
                Step::GiveBack(n) => world.give_back(node(n)),
                Step::Deliver(n) => {
                    let busy: Vec<_> =
                        world.streams.iter().filter(|(_, s)| !s.is_empty()).map(|(k, _)| *k).collect();
                    if !busy.is_empty() {
                        let (from, to) = busy[n % busy.len()];
                        world.deliver(from, to);
                    }
                }
                Step::Join if nodes.len() < 6 => {
                    names += 1;
                    world.join(names);
                }
                Step::Join => {}
                Step::Kill(n) if nodes.len() > 1 => world.kill(node(n)),
                Step::Kill(_) => {}
                Step::Break(n) => {
                    let streams: Vec<_> = world.streams.keys().copied().collect();
                    if !streams.is_empty() {
                        let (from, to) = streams[n % streams.len()];
                        world.break_off(from, to);
                    }
                }
            }
        }
        world.settle();
        let nodes: Vec<NodeName> = world.nodes.keys().copied().collect();
        for node in &nodes {
            while world.used.get(node).is_some_and(|used| *used > 0) {
                world.give_back(*node);
            }
        }
        world.settle();
        // Everything is free again: one node gets all of it, and not one more.
        world.granted = 0;
        (0..limit + 1).for_each(|_| world.take(nodes[0]));
        world.settle();
        prop_assert_eq!(world.granted, limit);
    }
}

#[test]
fn a_cap_of_a_hundred_serves_a_hundred_of_six_hundred() {
    let mut world = World::new(3, 100);
    world.settle();
    for n in 0..600 {
        world.take(1 + n % 3);
    }
    world.settle();
    assert_eq!((world.granted, world.denied), (100, 500));
    world.kill(2);
    world.settle();
    world.granted = 0;
    (0..200).for_each(|_| world.take(1));
    world.settle();
    let used: u32 = world.used.values().sum();
    assert_eq!(used, 100);
}

#[test]
fn coming_and_going_on_one_node_asks_nobody() {
    let mut world = World::new(3, 1000);
    world.settle();
    world.take(1);
    world.settle();
    for _ in 0..100 {
        world.take(1);
        world.give_back(1);
        assert!(world.streams.values().all(VecDeque::is_empty));
    }
}

#[test]
fn a_node_on_its_own_keeps_no_key_that_nobody_uses() {
    let mut world = World::new(1, 3);
    (0..5).for_each(|_| world.take(1));
    assert_eq!((world.granted, world.denied), (3, 2));
    (0..3).for_each(|_| world.give_back(1));
    assert!(world.nodes[&1].is_empty());
}

/// Each is ready before it hears that the other one is.
#[test]
fn nodes_that_begin_to_serve_at_once_do_not_both_deal_all_out() {
    let mut world = World::new(0, 4);
    [1, 2].into_iter().for_each(|name| world.meet(name));
    (0..8).for_each(|n| world.take(1 + n % 2));
    let streams = [(1, 2), (2, 1)];
    while streams.into_iter().any(|(from, to)| world.deliver(from, to)) {}
    assert_eq!(world.granted, 0, "nobody knows yet who serves");
    for (at, other) in streams {
        world.with(at, |leases| leases.set_ready(other, true));
        while streams.into_iter().any(|(from, to)| world.deliver(from, to)) {}
    }
    world.settle();
    assert_eq!((world.granted, world.denied), (4, 4));
}
