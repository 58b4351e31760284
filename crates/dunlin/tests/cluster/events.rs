//! Events between processes: none is lost after a subscription has succeeded, and all come in order.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::http::{AppKeys, request};
use testkit::nodes::{Adapter, Nodes};
use testkit::probe::Times;

/// A first subscriber waits no longer than that for the other nodes to know of it; whoever waited
/// so long may miss what is published at once.
const WAIT: Duration = Duration::from_millis(50);

/// With so many subscriptions.
pub(crate) fn none_is_lost_after_a_subscription(adapter: &Adapter, subscriptions: usize) {
    let nodes = Nodes::start(adapter, 3, &[]);
    let mut subscriber = nodes.node(0).connect();
    subscriber.subscribe("fence");
    let mut publishers = [nodes.node(1).http(), nodes.node(2).http()];
    let (mut lost, mut late, mut waits) = (Vec::new(), 0, Times::default());
    let began = Instant::now();
    for n in 0..subscriptions {
        let channel = format!("fresh-{n}");
        let asked = Instant::now();
        subscriber.subscribe(&channel);
        let waited = asked.elapsed();
        // The fence takes the same way, behind it.
        let body = json!({"name": "e", "channels": [&channel, "fence"], "data": n.to_string()});
        let body = body.to_string();
        let answer = publishers[n % 2].post(&AppKeys::default(), "/events", body.as_bytes());
        assert_eq!(answer.status, 200);
        let first = subscriber.json();
        if first["channel"] == *channel {
            subscriber.expect_event("e", "fence", &n.to_string());
        } else if waited < WAIT {
            lost.push((n, waited));
        } else {
            late += 1;
        }
        waits.add(waited);
        subscriber.unsubscribe(&channel);
    }
    let took = began.elapsed();
    println!(
        "{subscriptions} first subscriptions in {took:?}: {waits}, {late} lost after {WAIT:?}"
    );
    assert!(lost.is_empty(), "lost although the subscription had succeeded in time: {lost:?}");
    nodes.have_no_bugs();
}

const EVENTS: usize = 20_000;
/// Requests that are under way at once.
const PIPELINED: usize = 200;
/// Subscribers on each node.
const SUBSCRIBERS: usize = 3;

pub(crate) fn all_arrive_in_order(adapter: &Adapter) {
    let nodes = Nodes::start(adapter, 3, &[]);
    let mut subscribers: Vec<_> =
        (0..3 * SUBSCRIBERS).map(|index| nodes.node(index % 3).connect()).collect();
    subscribers.iter_mut().for_each(|subscriber| subscriber.subscribe("numbers"));
    let began = Instant::now();
    thread::scope(|scope| {
        for subscriber in &mut subscribers {
            scope.spawn(|| {
                (0..EVENTS).for_each(|n| subscriber.expect_event("n", "numbers", &n.to_string()));
            });
        }
        let (app, mut http) = (AppKeys::default(), nodes.node(0).http());
        let ask = |n: usize| {
            let body = json!({"name": "n", "channel": "numbers", "data": n.to_string()});
            let body = body.to_string();
            let target = app.target("POST", "/events", &[], body.as_bytes());
            request("POST", &target, &[], body.as_bytes())
        };
        http.write(&(0..PIPELINED).flat_map(ask).collect::<Vec<u8>>());
        for n in 0..EVENTS {
            assert_eq!(http.answer().status, 200);
            if n + PIPELINED < EVENTS {
                http.write(&ask(n + PIPELINED));
            }
        }
    });
    subscribers.iter_mut().for_each(|subscriber| subscriber.expect_silence());
    let took = began.elapsed();
    println!("{EVENTS} events to {} subscribers on 3 nodes in {took:?}", subscribers.len());
    nodes.have_no_bugs();
}
