//! The HTTP API answers for the whole cluster.

use serde_json::json;
use testkit::eventually;

use super::Cluster;

#[test]
fn channels_users_and_counts_are_those_of_all_nodes() {
    let cluster = Cluster::new(3);
    let mut clients: Vec<_> = (0..9).map(|n| cluster.node(n).connect()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.ask_for("public", None, None);
        client.ask_for_signed("presence-x", Some(&format!(r#"{{"user_id":{}}}"#, n % 4)));
        client.ask_for(&format!("own-{n}"), None, None);
    }
    for node in &cluster.nodes {
        let both = [("info", "user_count,subscription_count")];
        eventually("the counts are those of all nodes", || {
            let public = node.get("/channels/public", &[("info", "subscription_count")]).json();
            let presence = node.get("/channels/presence-x", &both).json();
            let channels = node.get("/channels", &[("filter_by_prefix", "own-")]).json();
            let connections = node.get("/connections", &[]).json();
            public == json!({"occupied": true, "subscription_count": 9})
                && presence == json!({"occupied": true, "user_count": 4, "subscription_count": 9})
                && channels["channels"].as_object().unwrap().len() == 9
                && connections == json!({"connections": 9})
        });
    }
    clients.into_iter().for_each(|client| client.close());
    cluster.is_clean();
    for node in &cluster.nodes {
        assert_eq!(node.get("/channels", &[]).json(), json!({"channels": {}}));
        eventually("no connection is left", || {
            node.get("/connections", &[]).json() == json!({"connections": 0})
        });
    }
}

#[test]
fn the_subscription_count_is_that_of_all_nodes() {
    let cluster = Cluster::new(2);
    let mut first = cluster.node(0).connect();
    first.subscribe("busy");
    let count = |frame: serde_json::Value| {
        assert_eq!(frame["event"], "pusher_internal:subscription_count");
        frame["data"].as_str().unwrap().to_owned()
    };
    assert_eq!(count(first.json()), r#"{"subscription_count":1}"#);
    let mut others: Vec<_> = (0..3).map(|_| cluster.node(1).connect()).collect();
    others.iter_mut().for_each(|client| client.subscribe("busy"));
    // Those of another node may be told together.
    while count(first.json()) != r#"{"subscription_count":4}"# {}
    first.expect_silence();
}
