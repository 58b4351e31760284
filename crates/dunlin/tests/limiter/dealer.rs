//! The node that deals the rate out goes away. Which one that is nobody tells, so it is each in turn.

use std::time::Duration;

use rustix::process::Signal;
use testkit::nodes::{Adapter, Nodes};
use testkit::process::Process;

use super::flood::{Flood, RATE};

const LASTS: Duration = Duration::from_secs(3);

/// All nodes let the rate through together.
fn is_whole(nodes: &Nodes) {
    let all: Vec<&Process> = nodes.up().collect();
    // What was granted in advance, and what is left of a second's worth, is used up.
    Flood::of("all nodes, to begin with", &all, Duration::from_secs(1));
    let flood = Flood::of("all nodes", &all, LASTS);
    let whole = f64::from(flood.total()) / (f64::from(RATE) * flood.took.as_secs_f64());
    assert!((0.75..1.25).contains(&whole), "{whole} of the rate");
}

/// Floods all nodes but this one, which does not answer any more.
fn goes_on_without(gone: usize, nodes: &[&Process]) {
    let what = format!("all but node {gone}");
    let flood = Flood::of(&what, nodes, LASTS);
    let whole = f64::from(flood.total()) / (f64::from(RATE) * flood.took.as_secs_f64());
    // A share of three each, and then all; whoever deals anew begins with a second's worth.
    assert!((0.5..2.0).contains(&whole), "{whole} of the rate");
}

fn start() -> Nodes {
    let rate = RATE.to_string();
    let env =
        [("RATE_LIMITER_DRIVER", "cluster"), ("DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC", &*rate)];
    Nodes::start(&Adapter::mesh(), 3, &env)
}

#[test]
fn frozen_the_others_go_on_by_their_shares() {
    let nodes = start();
    for gone in 0..3 {
        is_whole(&nodes);
        nodes.node(gone).signal(Signal::STOP);
        let others: Vec<&Process> =
            (0..3).filter(|node| *node != gone).map(|node| nodes.node(node)).collect();
        goes_on_without(gone, &others);
        nodes.node(gone).signal(Signal::CONT);
        nodes.are_joined();
    }
    is_whole(&nodes);
    nodes.have_no_bugs();
}

#[test]
fn killed_the_others_go_on_by_their_shares() {
    let mut nodes = start();
    for gone in 0..3 {
        is_whole(&nodes);
        nodes.kill(gone);
        goes_on_without(gone, &nodes.up().collect::<Vec<_>>());
        nodes.restart(gone);
        nodes.are_joined();
    }
    is_whole(&nodes);
    nodes.have_no_bugs();
}
