//! A Redis that keeps the rates, and goes away.

use std::time::{Duration, Instant};

use testkit::broker::{Broker, BrokerKind};
use testkit::eventually;
use testkit::nodes::{Adapter, Nodes};
use testkit::process::Process;

use super::flood::{Flood, RATE};

const LASTS: Duration = Duration::from_secs(3);

/// One node alone lets the whole rate through, as the other one uses nothing of it.
fn is_whole(node: &Process) -> bool {
    let flood = Flood::of("one node, of the whole", &[node], LASTS);
    let share = flood.shares(1.0)[0];
    assert!(share <= 1.5, "{share} of the rate");
    share > 0.7
}

/// Waits until all nodes have found it so many times.
fn have_it(nodes: &Nodes, times: usize) {
    for node in nodes.up() {
        let found = || node.logged("rate limits are kept in Redis") == times;
        eventually("it keeps the rates in Redis", found);
    }
}

fn goes_on_without(fault: fn(&mut Broker), remedy: fn(&mut Broker)) {
    let mut redis = Broker::run(BrokerKind::Redis, "");
    let (port, rate) = (redis.port.to_string(), RATE.to_string());
    let env = [
        ("RATE_LIMITER_DRIVER", "redis"),
        ("DB_REDIS_PORT", &*port),
        ("DEFAULT_APP_MAX_BACKEND_EVENTS_PER_SEC", &*rate),
    ];
    let nodes = Nodes::start(&Adapter::mesh(), 2, &env);
    let [one, other] = [nodes.node(0), nodes.node(1)];
    have_it(&nodes, 1);
    assert!(is_whole(one));
    let both = Flood::of("both nodes, of the whole", &[one, other], LASTS);
    let whole = f64::from(both.total()) / (f64::from(RATE) * both.took.as_secs_f64());
    assert!((0.7..1.5).contains(&whole), "{whole} of the rate");

    fault(&mut redis);
    let both = Flood::of("both nodes without it, of their shares", &[one, other], LASTS);
    for share in both.shares(0.5) {
        // A second's worth may be used at once, and the last answers may still be on their way.
        assert!((0.6..1.7).contains(&share), "{share} of its share");
    }
    let one_alone = Flood::of("one node without it, of its share", &[one], LASTS);
    let share = one_alone.shares(0.5)[0];
    assert!((0.6..1.4).contains(&share), "{share} of its share, with nobody else there");

    remedy(&mut redis);
    let began = Instant::now();
    have_it(&nodes, 2);
    println!("both nodes use it again {:?} after its return", began.elapsed());
    assert!(is_whole(one));
    let both = Flood::of("both nodes, of the whole again", &[one, other], LASTS);
    let whole = f64::from(both.total()) / (f64::from(RATE) * both.took.as_secs_f64());
    assert!((0.7..1.5).contains(&whole), "{whole} of the rate");
    nodes.have_no_bugs();
}

#[test]
fn killed_each_node_goes_on_by_its_share() {
    goes_on_without(Broker::stop, Broker::start);
}

#[test]
fn frozen_each_node_goes_on_by_its_share() {
    goes_on_without(|redis| redis.freeze(), |redis| redis.thaw());
}
