//! Whichever node something happens on, a backend hears of it once.

use serde_json::{Value, json};
use testkit::http::AppKeys;
use testkit::target::Target;
use testkit::ws::Client;

use super::nodes::{Cluster, borrowed};
use crate::support::Server;

/// How long nothing has to come, so that it is likely that nothing will.
const GRACE: (&str, &str) = ("WEBHOOKS_GRACE", "300");

fn node(target: &Target, env: &[(&str, &str)]) -> Server {
    let kinds =
        ["channel_occupied", "channel_vacated", "member_added", "member_removed", "cache_miss"];
    let AppKeys { id, key, secret } = AppKeys::default();
    let webhooks = json!([target.webhook(&kinds)]);
    let app = json!({"id": id, "key": key, "secret": secret, "webhooks": webhooks});
    Server::with_file(env, &json!({"appManager.array.apps": [app]}))
}

/// Three nodes whose default app tells a target everything.
fn cluster(target: &Target, env: &[(&str, &str)]) -> Cluster {
    Cluster::of(3, env, |env| node(target, &borrowed(env)))
}

fn count(events: &[Value], name: &str) -> usize {
    events.iter().filter(|event| event["name"] == name).count()
}

/// Waits until something that happens now has been told, which is after everything before it.
fn settle(target: &Target, cluster: &Cluster, round: usize) {
    let channel = format!("settled-{round}");
    cluster.node(0).connect().subscribe(&channel);
    target.wait_for(&channel, |received| {
        let events: Vec<Value> =
            received.iter().flat_map(|received| received.events_of(&AppKeys::default())).collect();
        events
            .iter()
            .any(|event| event["channel"] == *channel && event["name"] == "channel_vacated")
    });
}

/// Without what only settles.
fn events(target: &Target) -> Vec<Value> {
    let mut events = target.events();
    events.retain(|event| !event["channel"].as_str().unwrap().starts_with("settled-"));
    events
}

#[test]
fn a_hundred_first_subscribers_at_once_occupy_a_channel_once() {
    let target = Target::new();
    let cluster = cluster(&target, &[GRACE]);
    let threads: Vec<_> = (0..100)
        .map(|number| {
            let address = cluster.node(number).address();
            std::thread::spawn(move || {
                let mut client = Client::connect(address, "/app/app-key");
                client.subscribe("busy");
                client
            })
        })
        .collect();
    let clients: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    settle(&target, &cluster, 0);
    assert_eq!(events(&target), [json!({"name": "channel_occupied", "channel": "busy"})]);
    drop(clients);
    settle(&target, &cluster, 1);
    settle(&target, &cluster, 2);
    assert_eq!((count(&events(&target), "channel_vacated"), events(&target).len()), (1, 2));
}

#[test]
fn moving_to_another_node_within_the_grace_tells_nobody_anything() {
    let target = Target::new();
    let cluster = cluster(&target, &[("WEBHOOKS_GRACE", "3000")]);
    let come = |number| {
        let mut client = cluster.node(number).connect();
        client.subscribe_signed("presence-room", Some(r#"{"user_id":"u"}"#));
        client
    };
    let mut client = come(0);
    target.wait_for_events(2);
    for number in 1..=10 {
        client.close();
        client = come(number);
    }
    settle(&target, &cluster, 0);
    assert_eq!(events(&target).len(), 2, "{:?}", events(&target));
}

#[test]
fn every_change_is_told_once_wherever_it_happens() {
    let target = Target::new();
    let cluster = cluster(&target, &[GRACE]);
    let channel = |number: usize| format!("presence-{number}");
    let clients: Vec<Client> = (0..30)
        .map(|number| {
            let mut client = cluster.node(number).connect();
            client.subscribe_signed(&channel(number), Some(r#"{"user_id":"u"}"#));
            client
        })
        .collect();
    target.wait_for_events(60);
    clients.into_iter().for_each(Client::close);
    target.wait_for_events(120);
    settle(&target, &cluster, 0);
    let events = events(&target);
    assert_eq!(events.len(), 120, "{events:?}");
    for number in 0..30 {
        let of: Vec<&str> = events
            .iter()
            .filter(|event| event["channel"] == *channel(number))
            .map(|event| event["name"].as_str().unwrap())
            .collect();
        let expected = ["channel_occupied", "member_added", "member_removed", "channel_vacated"];
        assert_eq!(of, expected);
    }
}

#[test]
fn a_cache_miss_on_any_node_is_told_once() {
    let target = Target::new();
    let cluster = cluster(&target, &[GRACE]);
    for number in 0..6 {
        let mut client = cluster.node(number).connect();
        client.subscribe("cache-a");
        client.expect_event("pusher:cache_miss", "cache-a", "{}");
    }
    settle(&target, &cluster, 0);
    assert_eq!(count(&events(&target), "cache_miss"), 1);
}

#[test]
fn a_node_that_leaves_hands_its_channels_to_the_others() {
    let target = Target::new();
    let mut cluster = cluster(&target, &[GRACE]);
    let clients: Vec<Client> = (0..30)
        .map(|number| {
            let mut client = cluster.node(2).connect();
            client.subscribe(&format!("c{number}"));
            client
        })
        .collect();
    target.wait_for_events(30);
    drop(cluster.nodes.pop());
    let events = target.wait_for_events(60);
    assert_eq!((count(&events, "channel_occupied"), count(&events, "channel_vacated")), (30, 30));
    drop(clients);
    settle(&target, &cluster, 0);
    assert_eq!(self::events(&target).len(), 60);
}
