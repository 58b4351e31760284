//! The last places of a presence channel, while a node does not answer: nobody is held up by it for
//! longer than once, and its members' places are free when it is dead.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use testkit::eventually;
use testkit::nodes::{Adapter, Nodes};
use testkit::probe::Times;
use testkit::roster::ask_to_join;
use testkit::ws::Client;

const CHANNEL: &str = "presence-room";
const LIMIT: usize = 20;
/// So many joins, of which a few at most wait for the node that is frozen.
const JOINS: usize = 40;
const FEW: f64 = 10.0;
/// A dead node's places are free after this time.
const FREE: Duration = Duration::from_secs(5);
const ANYTHING: Duration = Duration::from_secs(2);

/// Whether there is a place.
fn joins(client: &mut Client, user: &str) -> bool {
    ask_to_join(client, CHANNEL, user);
    loop {
        let frame: Value = client.json();
        match frame["event"].as_str().unwrap() {
            "pusher_internal:subscription_succeeded" => return true,
            "pusher:subscription_error" => return false,
            _ => {}
        }
    }
}

fn unanswered(nodes: &Nodes) -> f64 {
    let of = |node: usize| nodes.node(node).metrics().sum("unanswered_claims_total");
    of(0) + of(1)
}

pub(crate) fn a_node_that_does_not_answer_is_waited_for_once(adapter: &Adapter) {
    let limit = LIMIT.to_string();
    // It is not held for dead while it is frozen.
    let env = [("PRESENCE_MAX_MEMBERS", &*limit), ("CLUSTER_NODE_TIMEOUT", "60000")];
    let nodes = Nodes::start(adapter, 3, &env);
    let mut members: Vec<Client> = (0..LIMIT - 1).map(|n| nodes.node(n % 3).connect()).collect();
    for (n, member) in members.iter_mut().enumerate() {
        assert!(joins(member, &format!("u{n}")));
    }
    let before = unanswered(&nodes);
    nodes.node(2).signal(Signal::STOP);
    let mut times = Times::default();
    for n in 0..JOINS {
        let mut client = nodes.node(n % 2).connect();
        let start = Instant::now();
        let joined = joins(&mut client, &format!("late-{n}"));
        times.add(start.elapsed());
        // On the other node its predecessor may not be gone yet.
        assert!(joined || n > 0);
        client.close();
    }
    let waited = unanswered(&nodes) - before;
    nodes.node(2).signal(Signal::CONT);
    println!("joins near the limit, a node is frozen: {times}; {waited} waited for it");
    assert!(times.most() < ANYTHING && (1.0..FEW).contains(&waited), "{waited}, {times}");

    let mut last = nodes.node(2).connect();
    eventually("it is part of the cluster again", || joins(&mut last, "last"));
    assert!((0..3).all(|node| !joins(&mut nodes.node(node).connect(), "one-too-many")));
    nodes.have_no_bugs();
}

pub(crate) fn those_of_a_killed_node_are_free(adapter: &Adapter) {
    let limit = LIMIT.to_string();
    let mut nodes = Nodes::start(adapter, 3, &[("PRESENCE_MAX_MEMBERS", &limit)]);
    let mut members: Vec<Client> = (0..LIMIT).map(|n| nodes.node(n % 2 + 1).connect()).collect();
    for (n, member) in members.iter_mut().enumerate() {
        assert!(joins(member, &format!("u{n}")));
    }
    assert!(!joins(&mut nodes.node(0).connect(), "one-too-many"));
    nodes.kill(2);
    let killed = Instant::now();
    let mut new: Vec<Client> = (0..LIMIT / 2).map(|n| nodes.node(n % 2).connect()).collect();
    for (n, client) in new.iter_mut().enumerate() {
        eventually("there is a place", || joins(client, &format!("new-{n}")));
    }
    let took = killed.elapsed();
    println!("the places of a killed node were taken {took:?} later");
    assert!(took < FREE, "{took:?}");
    assert!((0..2).all(|node| !joins(&mut nodes.node(node).connect(), "one-too-many")));
    nodes.have_no_bugs();
}
