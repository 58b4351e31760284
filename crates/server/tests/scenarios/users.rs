//! Signed-in users: what is sent to one, who watches one, and closing one's connections.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::http::AppKeys;
use testkit::ws::Client;

use super::Cluster;

fn sign_in(client: &mut Client, user_data: &str) {
    client.sign_in(user_data);
    assert_eq!(client.json()["event"], "pusher:signin_success");
}

#[test]
fn what_is_sent_to_a_user_reaches_all_its_connections() {
    let cluster = Cluster::new(3);
    let mut clients: Vec<Client> = cluster.nodes.iter().map(|node| node.connect()).collect();
    for client in &mut clients {
        sign_in(client, r#"{"id":"u"}"#);
        client.ask_for("#server-to-user-u", None, None);
        client.expect_subscribed("#server-to-user-u");
    }
    cluster.node(1).publish("#server-to-user-u", "note", "x");
    for client in &mut clients {
        client.expect_event("note", "#server-to-user-u", "x");
    }
}

#[test]
fn terminating_a_user_closes_its_connections_on_every_node() {
    let cluster = Cluster::new(3);
    let mut clients: Vec<Client> = (0..30).map(|n| cluster.node(n).connect()).collect();
    for client in &mut clients {
        sign_in(client, r#"{"id":"u"}"#);
        client.ask_for("#server-to-user-u", None, None);
        client.expect_subscribed("#server-to-user-u");
    }
    let mut other = cluster.node(0).connect();
    sign_in(&mut other, r#"{"id":"v"}"#);
    let asked = Instant::now();
    let answer =
        cluster.node(2).http().post(&AppKeys::default(), "/users/u/terminate_connections", b"{}");
    assert_eq!(answer.status, 200);
    for client in &mut clients {
        client.expect_refusal(4009);
    }
    assert!(asked.elapsed() < Duration::from_secs(1));
    other.expect_silence();
}

#[test]
fn a_watchlist_sees_users_of_all_nodes_come_and_go() {
    let cluster = Cluster::new(3);
    let mut watcher = cluster.node(0).connect();
    sign_in(&mut watcher, r#"{"id":"w","watchlist":["u"]}"#);
    let state = |client: &mut Client, name: &str| {
        let frame = client.json();
        assert_eq!(frame["event"], "pusher_internal:watchlist_events");
        let events = json!({"events": [{"name": name, "user_ids": ["u"]}]});
        assert_eq!(frame["data"], events.to_string());
    };
    state(&mut watcher, "offline");
    let mut first = cluster.node(1).connect();
    sign_in(&mut first, r#"{"id":"u"}"#);
    state(&mut watcher, "online");
    let mut second = cluster.node(2).connect();
    sign_in(&mut second, r#"{"id":"u"}"#);
    second.ask_for("#server-to-user-u", None, None);
    second.expect_subscribed("#server-to-user-u");
    first.close();
    second.close();
    state(&mut watcher, "offline");
    watcher.expect_silence();
}
