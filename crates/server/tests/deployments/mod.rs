//! The same in every kind of Redis that options can name: many servers, one of several, and one that
//! is encrypted.

use serde_json::json;
use testkit::eventually;
use testkit::redis::{
    self, RedisCertificates, fail_over, has_everything, replace_unnoticed, sentinels,
};

use crate::support::Server;
use crate::{found, info, is_up, reads, written};

type Env = Vec<(&'static str, String)>;

/// A node that has a connection to Redis.
fn joined(env: &Env) -> Server {
    let env = env.iter().map(|(name, value)| (*name, value.as_str()));
    let env: Vec<_> = [("CACHE_DRIVER", "redis")].into_iter().chain(env).collect();
    let node = Server::with(&env);
    is_up(&node, true);
    node
}

/// Addresses as the options have them.
fn addresses(servers: &[redis::RedisServer]) -> String {
    let address = |server: &redis::RedisServer| json!({ "host": "127.0.0.1", "port": server.port });
    serde_json::Value::from_iter(servers.iter().map(address)).to_string()
}

fn behind(sentinels: &[redis::RedisServer]) -> Env {
    vec![("DB_REDIS_SENTINELS", addresses(sentinels))]
}

/// Whoever looks may have to look twice, since nobody waits for Redis for long.
fn finds(node: &Server, channel: &str, data: &str) {
    eventually("the node finds it", || found(node, channel).as_deref() == Some(data));
}

fn nothing_was_lost(node: &Server) {
    assert_eq!(node.metrics().sum("cache_redis_dropped_total"), 0.0);
    assert_eq!(reads(node, "invalid"), 0.0);
}

/// What holds in all of them.
fn last_events_are_kept(env: &Env) {
    let first = joined(env);
    // In a Redis Cluster, each server has some of them.
    let channels: Vec<_> = (0..12).map(|number| format!("cache-{number}")).collect();
    for channel in &channels {
        first.publish(channel, "e", "one");
        first.publish(channel, "e", channel);
    }
    written(&first);
    let second = joined(env);
    for channel in &channels {
        finds(&second, channel, channel);
    }
    eventually("the API finds it", || info(&second, "cache-0")["data"] == "cache-0");
    assert_eq!(found(&second, "cache-none"), None);
    second.wait_for("Redis has said so", |_| reads(&second, "miss") >= 1.0);
    second.publish("cache-0", "e", "next");
    finds(&first, "cache-0", "next");
    for node in [first, second] {
        written(&node);
        nothing_was_lost(&node);
        node.is_clean();
    }
}

#[test]
fn a_redis_cluster() {
    let servers = redis::cluster("");
    last_events_are_kept(&vec![
        ("CACHE_REDIS_CLUSTER_MODE", "true".to_owned()),
        ("DB_REDIS_CLUSTER_NODES", addresses(&servers[..1])),
    ]);
    for server in &servers {
        assert_ne!(server.tell("DBSIZE"), ":0\r\n");
    }
}

#[test]
fn tls_and_a_user_who_may_do_little() {
    let ca = RedisCertificates::new();
    let user = "user some on >secret ~p:dunlin:cache:* resetchannels -@all \
        +eval +getrange +pttl +set +ping";
    let server = redis::RedisServer::start_tls(&ca, &format!("user default off\n{user}"));
    let [certificate, key] = ca.issue(&["client"]);
    let tls = json!({ "ca": ca.server_files()[0], "cert": certificate, "key": key });
    last_events_are_kept(&vec![
        ("DB_REDIS_PORT", server.port.to_string()),
        ("DB_REDIS_KEY_PREFIX", "p:".to_owned()),
        ("DB_REDIS_USERNAME", "some".to_owned()),
        ("DB_REDIS_PASSWORD", "secret".to_owned()),
        ("DB_REDIS_OPTIONS", json!({ "tls": tls }).to_string()),
    ]);
}

#[test]
fn sentinels_that_tell_the_master() {
    let (_servers, sentinels) = sentinels("mymaster", "");
    last_events_are_kept(&behind(&sentinels));
}

#[test]
fn a_dead_master_s_successor_is_told_what_changed() {
    let (mut servers, sentinels) = sentinels("mymaster", "");
    let env = behind(&sentinels);
    let node = joined(&env);
    node.publish("cache-a", "e", "one");
    node.publish("cache-b", "e", "kept");
    written(&node);
    has_everything(&servers[1], &servers[0]);
    servers[0].stop();
    node.publish("cache-a", "e", "two");
    assert_eq!(found(&node, "cache-a").unwrap(), "two");
    let other = joined(&env);
    finds(&other, "cache-a", "two");
    finds(&other, "cache-b", "kept");
    nothing_was_lost(&node);
}

#[test]
fn a_planned_successor_has_everything() {
    let (servers, sentinels) = sentinels("mymaster", "");
    let env = behind(&sentinels);
    let node = joined(&env);
    node.publish("cache-a", "e", "one");
    node.publish("cache-b", "e", "kept");
    written(&node);
    // A master that has lost its replica would lose what it took, so it must not take anything.
    assert_eq!(servers[0].tell("CONFIG SET min-replicas-to-write 1"), "+OK\r\n");
    fail_over("mymaster", &servers, &sentinels);
    node.publish("cache-a", "e", "two");
    let other = joined(&env);
    finds(&other, "cache-a", "two");
    finds(&other, "cache-b", "kept");
    nothing_was_lost(&node);
}

#[test]
fn a_master_that_does_not_notice_that_it_is_none_is_left() {
    let (servers, sentinels) = sentinels("mymaster", "");
    let env = behind(&sentinels);
    let node = joined(&env);
    replace_unnoticed("mymaster", &servers, &sentinels);
    // What is asked of a master is not asked of its replica.
    eventually("the successor is asked", || {
        found(&node, "cache-none");
        servers[1].tell("INFO commandstats").contains("cmdstat_eval:")
    });
    node.publish("cache-a", "e", "one");
    finds(&joined(&env), "cache-a", "one");
    assert!(servers[0].tell("ROLE").contains("master"), "it has not noticed");
    nothing_was_lost(&node);
}
