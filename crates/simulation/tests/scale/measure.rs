//! The questions that are asked of a cluster, one after the other.

use std::sync::Arc;

use channels::registry::Member;

use testkit::simulated::Random;

use crate::MEMORY;
use crate::world::{TICK, Traffic, World};

/// Each question is asked so often, each time when everything else is quiet.
const REPEATS: u64 = 3;
/// So many nodes die, one after the other.
const DEATHS: usize = 10;
/// The distinct members that a presence channel may have, as the options have it.
pub(crate) const MEMBERS: usize = 100;
/// Bytes of an event's data.
pub(crate) const DATA: usize = 128;
/// Private channels with one subscriber each that every node holds, and as many members of one
/// presence channel.
pub(crate) const FACTS: usize = 64;
/// Subscriptions that are made at a node at a time.
const AT_A_TIME: usize = 8;
/// A node says more of itself as long as it has served for less than this, in milliseconds.
const YOUNG: u64 = 31_000;
/// For how long nothing happens while heartbeats are counted, in milliseconds.
const IDLE: u64 = 5000;
/// After this time everything that was told is acknowledged, in milliseconds.
const ACKNOWLEDGED: u64 = 1000;

/// What one thing costs all nodes together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) messages: f64,
    pub(crate) bytes: f64,
}

/// What there is to know of a cluster of one size.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) nodes: usize,
    /// A subscribe that is the first to its channel on its node.
    pub(crate) subscribe: Cost,
    /// The same hundred times at once, each.
    pub(crate) crowd: Cost,
    /// Any other subscribe to that channel: what the next heartbeats have more.
    pub(crate) again: Cost,
    /// A member that joins a presence channel without a limit.
    pub(crate) join: Cost,
    /// The same in a channel that may have [`MEMBERS`].
    pub(crate) limited_join: Cost,
    /// An event that one other node wants.
    pub(crate) event: Cost,
    /// An event that all nodes want.
    pub(crate) event_for_all: Cost,
    /// What all nodes send in a second in which nothing happens.
    pub(crate) heartbeats: Cost,
    /// What each node has in memory for [`FACTS`] channels of each node, in bytes.
    pub(crate) channels: f64,
    /// The same for [`FACTS`] members of each node.
    pub(crate) members: f64,
    pub(crate) deaths: Deaths,
}

/// How it goes when nodes die and new ones come, at worst, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deaths {
    /// Until the first of the others has removed what the dead node held.
    pub(crate) first: u64,
    /// Until the last one has.
    pub(crate) last: u64,
    /// Until a new node knows everything and everybody knows the new node.
    pub(crate) whole: u64,
    /// What that takes, of a node that has replaced the first dead one.
    pub(crate) new: Cost,
}

impl Cost {
    /// One of so many that cost this together.
    fn of(all: Traffic, many: u64) -> Self {
        let each = |sum: u64| sum as f64 / many as f64;
        Cost { messages: each(all.messages), bytes: each(all.bytes) }
    }
}

impl Figures {
    /// What one of all nodes sends in a second in which nothing happens.
    pub(crate) fn of_each_node(&self) -> Cost {
        let Cost { messages, bytes } = self.heartbeats;
        let nodes = self.nodes as f64;
        Cost { messages: messages / nodes, bytes: bytes / nodes }
    }

    /// Bytes at each node for a channel with one subscriber somewhere.
    pub(crate) fn channel(&self) -> f64 {
        self.channels / (self.nodes * FACTS) as f64
    }

    /// Bytes at each node for a member somewhere.
    pub(crate) fn member(&self) -> f64 {
        self.members / (self.nodes * FACTS) as f64
    }
}

/// Builds a cluster and asks it everything.
pub(crate) fn measure(nodes: usize) -> Figures {
    let mut world = World::new(nodes);
    world.wait(YOUNG);
    let heartbeats = idle(&mut world);

    let subscribe = each(&mut world, |world, i| {
        world.node(0).subscribe(&name("private-first", i), None, None);
    });
    let before = world.traffic;
    for i in 0..100 {
        world.node(1).subscribe(&name("private-crowd", i), None, None);
    }
    world.settle();
    let crowd = Cost::of(world.traffic - before, 100);
    let again = again(&mut world);
    let join = joins(&mut world, "presence-free", None);
    let limited_join = joins(&mut world, "presence-limited", Some(MEMBERS));

    let frame = "x".repeat(DATA);
    world.node(1).subscribe(&"private-one".into(), None, None);
    for at in 0..nodes {
        world.node(at).subscribe(&"private-all".into(), None, None);
    }
    world.settle();
    let event = each(&mut world, |world, _| {
        world.node(0).publish("private-one", frame.as_bytes());
    });
    let event_for_all = each(&mut world, |world, _| {
        world.node(0).publish("private-all", frame.as_bytes());
    });

    let channels = load_channels(&mut world);
    let members = load_members(&mut world);
    let deaths = deaths(&mut world);
    Figures {
        nodes,
        subscribe,
        crowd,
        again,
        join,
        limited_join,
        event,
        event_for_all,
        heartbeats,
        channels,
        members,
        deaths,
    }
}

fn name(stem: &str, number: u64) -> Arc<str> {
    format!("{stem}-{number:05}").into()
}

fn member(number: u64) -> Arc<Member> {
    let id = format!("user-{number:05}");
    let info = format!(r#"{{"name":"User number {number:05}","team":"support"}}"#);
    Arc::new(Member {
        id_json: format!("\"{id}\"").into(),
        id: id.into(),
        info_json: Some(info.into()),
    })
}

/// What something costs that happens when everything else is quiet.
fn each(world: &mut World, mut happens: impl FnMut(&mut World, u64)) -> Cost {
    let mut all = Traffic::default();
    for number in 0..REPEATS {
        world.wait(ACKNOWLEDGED);
        let before = world.traffic;
        happens(world, number);
        world.settle();
        all = all + (world.traffic - before);
    }
    Cost::of(all, REPEATS)
}

/// Others subscribe to channels that their node is subscribed to: the messages that it costs at once,
/// and the bytes that the next heartbeats have more.
fn again(world: &mut World) -> Cost {
    world.wait(ACKNOWLEDGED);
    let before = world.traffic;
    for number in 0..REPEATS {
        world.node(0).subscribe(&name("private-first", number), None, None);
    }
    world.settle();
    let Traffic { messages, .. } = world.traffic - before;
    world.wait(ACKNOWLEDGED);
    let Traffic { entries, .. } = world.traffic - before;
    Cost::of(Traffic { messages, bytes: entries, entries }, REPEATS)
}

/// A second in which nothing happens.
fn idle(world: &mut World) -> Cost {
    world.wait(ACKNOWLEDGED);
    let before = world.traffic;
    world.wait(IDLE);
    let Cost { messages, bytes } = Cost::of(world.traffic - before, 1);
    let seconds = IDLE as f64 / 1e3;
    Cost { messages: messages / seconds, bytes: bytes / seconds }
}

/// Members join a channel at a node that is subscribed to it, as every node is.
fn joins(world: &mut World, channel: &str, limit: Option<usize>) -> Cost {
    let channel = channel.into();
    for at in 0..world.len().min(8) {
        world.node(at).subscribe(&channel, Some(&member(at as u64)), limit);
        world.settle();
    }
    each(world, |world, i| world.node(0).subscribe(&channel, Some(&member(1000 + i)), limit))
}

/// Every node subscribes to channels of its own. Returns what each node has in memory for its own and
/// all others'.
fn load_channels(world: &mut World) -> f64 {
    load(world, |world, at, number| {
        world.node(at).subscribe(&name("private-channel", number), None, None);
    })
}

/// Members join one channel at all nodes. Returns what each node has in memory for all of them.
fn load_members(world: &mut World) -> f64 {
    let channel = "presence-everybody".into();
    load(world, |world, at, number| {
        world.node(at).subscribe(&channel, Some(&member(number)), None);
    })
}

fn load(world: &mut World, subscribes: impl Fn(&mut World, usize, u64)) -> f64 {
    world.wait(ACKNOWLEDGED);
    let before = MEMORY.current_usage();
    for first in (0..FACTS).step_by(AT_A_TIME) {
        for at in 0..world.len() {
            let numbers = (at * FACTS + first..).take(AT_A_TIME);
            numbers.for_each(|number| subscribes(world, at, number as u64));
        }
        world.settle();
    }
    world.wait(ACKNOWLEDGED);
    (MEMORY.current_usage() - before) as f64 / world.len() as f64
}

/// Nodes die at different moments between heartbeats, and another one comes in the place of each.
fn deaths(world: &mut World) -> Deaths {
    let (nodes, mut random) = (world.len(), Random::new(1));
    let mut deaths = Deaths { first: u64::MAX, last: 0, whole: 0, new: Cost::default() };
    for number in 0..DEATHS {
        let at = number % nodes;
        world.wait(ACKNOWLEDGED + random.between(0, 2 * TICK));
        let killed = world.now;
        world.kill(at);
        world.run_until(|world| world.noticed(nodes - 2) > 0);
        deaths.first = deaths.first.min(world.now - killed);
        world.run_until(|world| world.noticed(nodes - 2) == nodes - 1);
        deaths.last = deaths.last.max(world.now - killed);
        world.settle();

        let (before, started) = (world.traffic, world.now);
        world.start(at);
        world.settle_until(|world| world.whole(nodes - 1) == nodes);
        deaths.whole = deaths.whole.max(world.now - started);
        world.settle();
        if number == 0 {
            deaths.new = Cost::of(world.traffic - before, 1);
        }
        world.node(at).serve();
        world.settle();
    }
    deaths
}
