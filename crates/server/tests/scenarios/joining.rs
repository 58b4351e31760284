//! Nodes that come while others serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use serde_json::json;
use testkit::http::AppKeys;

use super::Cluster;

#[test]
fn a_node_that_joins_under_load_misses_nothing_and_knows_everything() {
    let mut cluster = Cluster::new(3);
    let mut members: Vec<_> = (0..60).map(|n| cluster.node(n).connect()).collect();
    for (n, member) in members.iter_mut().enumerate() {
        member.ask_for_signed("presence-x", Some(&format!(r#"{{"user_id":"u{n:02}"}}"#)));
        member.expect_subscribed("presence-x");
    }
    let mut subscribers: Vec<_> = cluster.nodes.iter().map(|node| node.connect()).collect();
    subscribers.iter_mut().for_each(|client| {
        client.subscribe_signed("private-load", None);
    });
    // The load: numbered events through the first node.
    let (stop, published) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load = std::thread::spawn({
        let (stop, published, mut http) = (stop.clone(), published.clone(), cluster.node(0).http());
        move || {
            while !stop.load(SeqCst) {
                let n = published.fetch_add(1, SeqCst);
                let body = json!({"name": "n", "channel": "private-load", "data": n.to_string()});
                assert_eq!(
                    http.post(&AppKeys::default(), "/events", body.to_string().as_bytes()).status,
                    200
                );
            }
        }
    });
    for round in 0..10 {
        let newcomer = cluster.start();
        // Through it from its first connection on, to subscribers of all other nodes.
        newcomer.publish("private-load", "through", &round.to_string());
        let mut first = newcomer.connect();
        first.ask_for_signed("presence-x", Some(r#"{"user_id":"new"}"#));
        let roster = first.expect_subscribed("presence-x");
        assert_eq!(roster["presence"]["count"], 61, "round {round}");
        first.close();
    }
    stop.store(true, SeqCst);
    load.join().unwrap();
    cluster.node(0).publish("private-load", "end", "");
    let total = published.load(SeqCst);
    for subscriber in &mut subscribers {
        let (mut next, mut through) = (0, 0);
        loop {
            let frame = subscriber.json();
            match frame["event"].as_str().unwrap() {
                "n" => {
                    assert_eq!(frame["data"], next.to_string());
                    next += 1;
                }
                "through" => {
                    assert_eq!(frame["data"], through.to_string());
                    through += 1;
                }
                "end" => break,
                _ => {}
            }
        }
        assert_eq!((next, through), (total, 10));
    }
    cluster.nodes.truncate(3);
}
