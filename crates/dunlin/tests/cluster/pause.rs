//! Pauses after which nobody is dead: a short one of one node, and a long one of all.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use testkit::nodes::{Adapter, Nodes, users};
use testkit::process::Process;
use testkit::publisher::Publisher;
use testkit::roster::Witness;

const CHANNEL: &str = "presence-room";
/// Half of what the others wait for a sign of life.
const SHORT: Duration = Duration::from_secs(1);
/// Much longer than that.
const LONG: Duration = Duration::from_secs(5);
/// Whoever is to be held for dead is so after that.
const WATCHED: Duration = Duration::from_secs(3);

/// A witness on each of three nodes.
fn witnesses(nodes: &Nodes) -> Vec<Witness> {
    let mut witnesses: Vec<Witness> = (0..3)
        .map(|node| Witness::join(nodes.node(node).connect(), CHANNEL, &format!("w{node}")))
        .collect();
    for witness in &mut witnesses {
        witness.until(|witness| witness.roster.0.len() == 3);
        witness.seen.clear();
    }
    witnesses
}

/// Nobody came, nobody went, nobody was held for dead.
fn nothing_happened(nodes: &Nodes, witnesses: &mut [Witness]) {
    for witness in witnesses {
        witness.catch_up();
        assert!(witness.seen.is_empty(), "{:?}", witness.seen);
    }
    let deaths: usize = nodes.up().map(|node: &Process| node.logged("a node is dead")).sum();
    assert_eq!(deaths, 0);
    nodes.have_no_bugs();
}

pub(crate) fn a_short_one_delays_events_and_loses_none(adapter: &Adapter) {
    let nodes = Nodes::start(adapter, 3, &[]);
    let mut witnesses = witnesses(&nodes);
    let mut publisher = Publisher::new(&nodes.addresses[..1], true);
    nodes.node(2).signal(Signal::STOP);
    let (stopped, mut count) = (Instant::now(), 0);
    while stopped.elapsed() < SHORT {
        publisher.publish(CHANNEL);
        count += 1;
    }
    nodes.node(2).signal(Signal::CONT);
    let resumed = Instant::now();
    witnesses[2].until(|witness| witness.events.len() == count);
    println!("{count} events, all of them there {:?} after a pause", resumed.elapsed());
    witnesses[1].until(|witness| witness.events.len() == count);
    for witness in &mut witnesses {
        witness.catch_up();
        let numbers = witness.events.iter().map(|event| event["data"].as_str().unwrap());
        assert!(numbers.eq((0..count).map(|n| format!("0:{n}"))), "not in order");
    }
    nothing_happened(&nodes, &mut witnesses);
}

pub(crate) fn a_long_one_of_all_removes_nobody(adapter: &Adapter) {
    let nodes = Nodes::start(adapter, 3, &[]);
    let mut witnesses = witnesses(&nodes);
    nodes.up().for_each(|node| node.signal(Signal::STOP));
    std::thread::sleep(LONG);
    nodes.up().for_each(|node| node.signal(Signal::CONT));
    let resumed = Instant::now();
    while resumed.elapsed() < WATCHED {
        nothing_happened(&nodes, &mut witnesses);
        std::thread::sleep(Duration::from_millis(50));
    }
    for node in nodes.up() {
        assert_eq!(users(node, CHANNEL).len(), 3);
        node.publish(CHANNEL, "e", "x");
    }
    witnesses.iter_mut().for_each(|witness| witness.until(|witness| witness.events.len() == 3));
}
