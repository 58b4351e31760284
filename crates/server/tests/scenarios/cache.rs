//! The last event of a cache channel is the same on all nodes, also on those that come later.

use super::Cluster;

#[test]
fn the_last_event_is_known_on_every_node() {
    let mut cluster = Cluster::new(2);
    let mut first = cluster.node(0).connect();
    first.subscribe("cache-a");
    assert_eq!(first.json()["event"], "pusher:cache_miss");
    cluster.node(1).publish("cache-a", "e", "one");
    cluster.node(1).publish("cache-a", "e", "two");
    assert_eq!(first.json()["event"], "pusher_internal:subscription_count");
    first.expect_event("e", "cache-a", "one");
    first.expect_event("e", "cache-a", "two");
    cluster.node(0).publish("cache-a", "e", "three");
    first.expect_event("e", "cache-a", "three");

    cluster.add();
    for node in &cluster.nodes {
        let cached =
            || node.get("/channels/cache-a", &[("info", "cache")]).json()["cache"]["data"].clone();
        testkit::eventually("the node knows it", || cached() == "three");
        let mut late = node.connect();
        late.subscribe("cache-a");
        late.expect_event("e", "cache-a", "three");
    }
}
