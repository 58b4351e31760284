//! The last event of a cache channel in a Redis that the test starts (`CACHE_DRIVER=redis`; W43,
//! W44).

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod deployments;
mod support;

use std::net::TcpListener;
use std::time::Instant;

use redis::TypedCommands;
use serde_json::{Value, json};

use support::Server;
use testkit::broker::Broker;
use testkit::ws::{Client, text};
use testkit::{TEST_TIMEOUT, eventually};

const KEY: &str = "dunlin:cache:app-id:cache-a";

/// A node that keeps last events in the Redis at a port, with more variables.
fn node(port: u16, more: &[(&str, &str)]) -> Server {
    let port = port.to_string();
    let env = [&[("CACHE_DRIVER", "redis"), ("DB_REDIS_PORT", &port)], more].concat();
    Server::with(&env)
}

/// A node that has a connection to Redis.
fn joined(broker: &Broker, more: &[(&str, &str)]) -> Server {
    let node = node(broker.port, more);
    is_up(&node, true);
    node
}

fn is_up(node: &Server, up: bool) {
    node.wait_for("Redis is as it should be", |m| m.sum("cache_redis_up") == f64::from(up));
}

/// Waits until Redis has everything.
fn written(node: &Server) {
    node.wait_for("Redis has it", |metrics| metrics.sum("cache_redis_unwritten") == 0.0);
}

fn reads(node: &Server, outcome: &str) -> f64 {
    node.metrics().labelled("cache_redis_reads_total", &format!("outcome=\"{outcome}\""))
}

fn connection(broker: &Broker) -> redis::Connection {
    let client = redis::Client::open(format!("redis://127.0.0.1:{}/", broker.port)).unwrap();
    client.get_connection().unwrap()
}

fn expect_miss(client: &mut Client, channel: &str) {
    client.expect(&format!(
        "{{\"event\":\"pusher:cache_miss\",\"channel\":\"{channel}\",\"data\":\"{{}}\"}}"
    ));
}

/// What a new subscriber finds: the data of the last event, none for a cache miss.
fn found(node: &Server, channel: &str) -> Option<String> {
    let mut client = node.connect();
    client.subscribe(channel);
    let frame = client.json();
    client.expect_silence();
    match frame["event"].as_str().unwrap() {
        "pusher:cache_miss" => None,
        _ => Some(frame["data"].as_str().unwrap().to_owned()),
    }
}

/// What the API finds.
fn info(node: &Server, channel: &str) -> Value {
    node.get(&format!("/channels/{channel}"), &[("info", "cache")]).json()["cache"].clone()
}

fn since_1970() -> u64 {
    testkit::http::now() * 1000
}

/// A value as a node writes it.
fn value(millis: u64, data: &str) -> String {
    let frame = json!({"event": "e", "channel": "cache-a", "data": data});
    format!("1 {millis} 00000000000000aa {frame}")
}

#[test]
fn it_survives_a_restart_of_the_only_node() {
    let broker = Broker::redis();
    let first = joined(&broker, &[]);
    first.publish("cache-a", "e", "one");
    first.publish("cache-a", "e", "two");
    // What is not written yet is written before it ends.
    drop(first);
    let second = node(broker.port, &[]);
    // It may not have connected yet: that is waited for.
    let mut client = second.connect();
    client.subscribe("cache-a");
    client.expect_event("e", "cache-a", "two");
    client.expect_silence();
    assert_eq!(info(&second, "cache-a")["data"], "two");
    second.publish("cache-a", "e", "three");
    client.expect_event("e", "cache-a", "three");
    assert_eq!(found(&second, "cache-a").unwrap(), "three");
    drop(client);
    second.is_clean();
}

#[test]
fn nodes_without_an_adapter_share_it_and_the_newest_wins() {
    let broker = Broker::redis();
    let nodes = [joined(&broker, &[]), joined(&broker, &[])];
    for round in 0..2 {
        let data = format!("{round}");
        nodes[round].publish("cache-a", "e", &data);
        written(&nodes[round]);
        for node in &nodes {
            // An answer will do for a moment.
            eventually("the node knows it", || found(node, "cache-a") == Some(data.clone()));
            assert_eq!(info(node, "cache-a")["data"], *data);
        }
    }
}

#[test]
fn the_api_asks_too() {
    let broker = Broker::redis();
    let first = joined(&broker, &[]);
    first.publish("cache-a", "e", "one");
    written(&first);
    let second = joined(&broker, &[("CHANNEL_CACHE_TTL", "60")]);
    let cache = info(&second, "cache-a");
    assert_eq!(cache["data"], "one");
    assert!(cache["ttl"].as_u64().unwrap() <= 60, "{cache}: no longer than events live here");
    assert_eq!(info(&second, "cache-b"), Value::Null);
}

#[test]
fn a_miss_is_said_once_redis_has_answered_and_remembered() {
    let broker = Broker::redis();
    let node = joined(&broker, &[]);
    let mut clients: Vec<Client> = (0..3).map(|_| node.connect()).collect();
    for client in &mut clients {
        client.subscribe("cache-a");
        expect_miss(client, "cache-a");
    }
    let asked = reads(&node, "miss");
    assert!((1.0..=3.0).contains(&asked), "{asked} questions");
    // It is over with the first event.
    node.publish("cache-a", "e", "one");
    clients[0].expect_event("e", "cache-a", "one");
    assert_eq!(found(&node, "cache-a").unwrap(), "one");
}

#[test]
fn without_redis_memory_goes_on_and_what_changed_is_written_when_it_is_back() {
    let mut broker = Broker::redis();
    let node = joined(&broker, &[]);
    node.publish("cache-a", "e", "one");
    written(&node);
    broker.stop();
    node.publish("cache-a", "e", "two");
    node.publish("cache-b", "e", "b");
    is_up(&node, false);
    node.publish("cache-a", "e", "three");
    assert_eq!(found(&node, "cache-a").unwrap(), "three");
    assert_eq!(found(&node, "cache-b").unwrap(), "b");
    assert_eq!(found(&node, "cache-c"), None);
    assert_eq!(info(&node, "cache-a")["data"], "three");
    node.wait_for("two wait", |metrics| metrics.sum("cache_redis_unwritten") == 2.0);

    broker.start();
    is_up(&node, true);
    written(&node);
    let other = joined(&broker, &[]);
    assert_eq!(found(&other, "cache-a").unwrap(), "three");
    assert_eq!(found(&other, "cache-b").unwrap(), "b");
    assert_eq!(node.metrics().sum("cache_redis_dropped_total"), 0.0);
}

#[test]
fn nobody_waits_for_a_redis_that_hangs() {
    // The system accepts, nobody answers, and the attempt to connect does not end.
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = [("CACHE_REDIS_OPTIONS", r#"{"connectTimeout": 600000}"#)];
    let node = node(hangs.local_addr().unwrap().port(), &options);

    let began = Instant::now();
    let (mut waits, mut leaves) = (node.connect(), node.connect());
    // Each in one piece, so that it is heard within the wait.
    let say = |action: &str, channel: &str| {
        let event = format!("pusher:{action}");
        text(&json!({"event": event, "data": {"channel": channel}}).to_string())
    };
    leaves.write(&[say("subscribe", "cache-e"), say("unsubscribe", "cache-e")].concat());
    let (asks, other) = (say("subscribe", "cache-a"), say("subscribe", "other"));
    waits.write(&[&*asks, &*asks, &*other].concat());
    // What need not wait does not, and whoever asks twice while it waits is told once.
    waits.expect_subscribed("other");
    waits.expect_subscribed("cache-a");
    expect_miss(&mut waits, "cache-a");
    assert!(began.elapsed() < TEST_TIMEOUT / 2);
    waits.expect_silence();
    leaves.expect_silence();
    assert!(reads(&node, "late") >= 1.0);
    assert_eq!(info(&node, "cache-b"), Value::Null);

    // What is published meanwhile comes once, whether it was the last event or the next.
    waits.ask_for("cache-c", None, None);
    node.publish("cache-c", "e", "one");
    waits.expect_subscribed("cache-c");
    let mut frame = waits.json();
    if frame["event"] == "pusher:cache_miss" {
        frame = waits.json();
    }
    assert_eq!(frame, json!({"event": "e", "channel": "cache-c", "data": "one"}));
    waits.expect_silence();

    // Whoever goes while it waits leaves nothing behind.
    let mut gone = node.connect();
    gone.ask_for("cache-d", None, None);
    drop((gone, waits, leaves));
    node.is_clean();
    node.wait_for("no question is open", |m| m.sum("cache_redis_questions") == 0.0);
}

#[test]
fn what_is_no_event_is_a_miss_and_written_over() {
    let broker = Broker::redis();
    let mut redis = connection(&broker);
    let now = since_1970();
    let values = [
        "garbage".to_owned(),
        value(now, "x").replacen('1', "2", 1),
        value(now, "x").replace("cache-a", "cache-b"),
        value(now + 400 * 24 * 3_600_000, "from the future"),
        value(u64::MAX, "from the far future"),
    ];
    for value in &values {
        redis.set(KEY, value).unwrap();
        let node = joined(&broker, &[]);
        assert_eq!(found(&node, "cache-a"), None, "{value}");
        assert_eq!(reads(&node, "invalid"), 1.0, "{value}");
        node.publish("cache-a", "e", "ours");
        assert_eq!(found(&node, "cache-a").unwrap(), "ours");
        written(&node);
        assert!(redis.get(KEY).unwrap().unwrap().ends_with(r#""data":"ours"}"#));
    }
    redis.del(KEY).unwrap();
    redis.lpush(KEY, "a list").unwrap();
    let node = joined(&broker, &[]);
    assert_eq!(found(&node, "cache-a"), None);
    assert_eq!(reads(&node, "invalid"), 1.0);
    node.publish("cache-a", "e", "ours");
    written(&node);
    assert!(redis.get(KEY).unwrap().is_some());
}

#[test]
fn a_later_event_is_not_written_over_by_an_earlier_one() {
    let broker = Broker::redis();
    let mut redis = connection(&broker);
    let later = value(since_1970() + 600_000, "later");
    redis.set(KEY, &later).unwrap();
    let node = joined(&broker, &[]);
    node.publish("cache-a", "e", "earlier");
    written(&node);
    assert_eq!(redis.get(KEY).unwrap().unwrap(), later);
    assert_eq!(found(&node, "cache-a").unwrap(), "later");
    // Whoever knows it publishes after it.
    node.publish("cache-a", "e", "last");
    written(&node);
    assert!(redis.get(KEY).unwrap().unwrap().ends_with(r#""data":"last"}"#));
}

#[test]
fn keys_have_their_prefix_and_their_end() {
    let broker = Broker::redis();
    let env = [("DB_REDIS_KEY_PREFIX", "p:"), ("CHANNEL_CACHE_TTL", "1000")];
    let node = joined(&broker, &env);
    node.publish("cache-a", "e", "one");
    node.publish("not-a-cache", "e", "one");
    written(&node);
    let mut redis = connection(&broker);
    let keys: Vec<String> = redis.keys("*").unwrap();
    assert_eq!(keys, [format!("p:{KEY}")]);
    let ttl: i64 = redis::cmd("TTL").arg(&keys[0]).query(&mut redis).unwrap();
    assert!((1..=1000).contains(&ttl), "{ttl}");
    assert_eq!(node.metrics().sum("cache_redis_writes_total"), 1.0);
}

#[test]
fn channels_of_every_kind_keep_their_order() {
    let broker = Broker::redis();
    let first = joined(&broker, &[]);
    let channels = ["private-cache-a", "presence-cache-a", "private-encrypted-cache-a"];
    for channel in channels {
        first.publish(channel, "e", r#"{"nonce":"a","ciphertext":"b"}"#);
    }
    written(&first);
    let second = joined(&broker, &[]);
    let mut client = second.connect();
    for channel in channels {
        let data = channel.starts_with("presence-").then_some(r#"{"user_id":"u"}"#);
        let welcome = client.subscribe_signed(channel, data);
        if data.is_some() {
            assert_eq!(welcome["presence"]["ids"], json!(["u"]));
        }
        client.expect_event("e", channel, r#"{"nonce":"a","ciphertext":"b"}"#);
    }
    client.expect_silence();
    drop(client);
    second.is_clean();
}

#[test]
fn nodes_of_a_cluster_tell_each_other_and_need_not_ask() {
    let broker = Broker::redis();
    let port = broker.port.to_string();
    let env =
        [("ADAPTER_DRIVER", "redis"), ("ADAPTER_REDIS_PREFIX", "t:"), ("DB_REDIS_PORT", &*port)];
    let nodes = [joined(&broker, &env), joined(&broker, &env)];
    for node in &nodes {
        node.wait_for("they know each other", |metrics| {
            metrics.labelled("cluster_peers", "state=\"ready\"") == 1.0
        });
    }
    nodes[0].publish("cache-a", "e", "one");
    eventually("the other node knows it", || info(&nodes[1], "cache-a")["data"] == "one");
    written(&nodes[0]);
    let asked = ["hit", "miss"].map(|outcome| reads(&nodes[1], outcome));
    assert_eq!(found(&nodes[1], "cache-a").unwrap(), "one");
    assert_eq!(["hit", "miss"].map(|outcome| reads(&nodes[1], outcome)), asked);
    assert_eq!(nodes[1].metrics().sum("cache_redis_writes_total"), 0.0);
    // The first one in a channel waits for its peers and for Redis.
    assert_eq!(found(&nodes[1], "cache-b"), None);
    nodes.iter().for_each(Server::is_clean);
    drop(nodes);
    let late = joined(&broker, &env);
    assert_eq!(found(&late, "cache-a").unwrap(), "one");
}
