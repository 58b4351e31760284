//! Nodes over real Redis servers, all on loopback.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used)]

mod bus;
mod groups;
mod node;

use std::time::Duration;

use cluster::redis::{RedisConfig, RedisOptions};
use cluster::{Reason, Settings};
use redis_client::{Address, Pem, TlsOptions, Topology};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

use node::{Node, Nodes, until};
use testkit::redis::{LOOPBACK, RedisCertificates, RedisServer};

/// How long a server is away.
const OUTAGE: Duration = Duration::from_secs(3);
const A_MOMENT: Duration = Duration::from_millis(500);

async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

/// Where a server is, as the client wants it.
fn address(server: &RedisServer) -> Address {
    Address::new(LOOPBACK, server.port)
}

fn options(server: &RedisServer) -> RedisOptions {
    RedisOptions { topology: Topology::Standalone(address(server)), ..RedisOptions::default() }
}

fn config(server: &RedisServer) -> RedisConfig {
    RedisConfig::new(options(server))
}

#[tokio::test]
async fn nodes_find_each_other_at_once_and_say_goodbye() {
    local(async {
        let server = RedisServer::start("");
        let began = Instant::now();
        let mut nodes = Nodes::start(&config(&server)).await;
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        nodes.talk(A_MOMENT).await;
        nodes.check().await;
        let (last, first) = (nodes.0.pop().unwrap(), &nodes.0[0]);
        last.broker.stop().await;
        until("it has said goodbye", || first.peers() == ["2"]).await;
        assert_eq!(first.told.borrow().down, [("3".into(), Reason::Goodbye)]);
    })
    .await;
}

#[tokio::test]
async fn nodes_that_do_not_agree_refuse_each_other() {
    local(async {
        let server = RedisServer::start("");
        let settings = Settings { agreement: 2, ..Settings::default() };
        let one = Node::start(1, config(&server)).await;
        let newer = Node::start_with(2, config(&server), settings).await;
        for node in [&one, &newer] {
            until("it is refused", || node.broker.counters().disagreements.get() > 1).await;
            assert_eq!(node.peers(), [""; 0]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_frozen_delays_and_loses_nothing() {
    local(async {
        let server = RedisServer::start("");
        let mut nodes = Nodes::start(&config(&server)).await;
        nodes.talk(A_MOMENT).await;
        server.freeze();
        nodes.talk(OUTAGE).await;
        assert!(nodes.0.iter().all(|node| !node.broker.is_up()));
        server.thaw();
        nodes.talk(A_MOMENT).await;
        nodes.check().await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_started_again_delays_and_loses_nothing() {
    local(async {
        let mut server = RedisServer::start("");
        let mut nodes = Nodes::start(&config(&server)).await;
        nodes.talk(A_MOMENT).await;
        server.stop();
        nodes.talk(OUTAGE).await;
        server.start_again();
        nodes.talk(A_MOMENT).await;
        nodes.check().await;
        assert!(nodes.0.iter().all(|node| node.broker.counters().reconnects.get() == 1));
    })
    .await;
}

#[tokio::test]
async fn a_node_may_start_before_its_server() {
    local(async {
        let mut server = RedisServer::start("");
        server.stop();
        let one = Node::start(1, config(&server)).await;
        let two = Node::start(2, config(&server)).await;
        sleep(A_MOMENT).await;
        server.start_again();
        until("they have found each other", || one.peers() == ["2"] && two.peers() == ["1"]).await;
    })
    .await;
}

#[tokio::test]
async fn other_prefixes_are_other_clusters() {
    local(async {
        let server = RedisServer::start("");
        let with = |prefix: &str| RedisConfig { prefix: prefix.into(), ..config(&server) };
        let mut one = Nodes::start_from(1, &with("one:")).await;
        let mut two = Nodes::start_from(4, &with("two:")).await;
        one.talk(A_MOMENT).await;
        two.talk(A_MOMENT).await;
        one.check().await;
        two.check().await;
        for node in &one.0 {
            assert!(node.peers().iter().all(|name| ["1", "2", "3"].contains(&name.as_str())));
            assert_eq!(node.broker.counters().malformed.get(), 0);
        }
    })
    .await;
}

#[tokio::test]
async fn tls_with_certificates_and_a_user_who_may_do_little() {
    local(async {
        let ca = RedisCertificates::new();
        let user = "user some on >secret resetchannels &p:dunlin:* -@all +ping +subscribe +publish";
        let server = RedisServer::start_tls(&ca, &format!("user default off\n{user}"));
        let [certificate, key] = ca.issue(&["client"]).map(|pem| Some(Pem::new(&pem)));
        let tls = TlsOptions {
            ca: vec![Pem::new(&ca.ca())],
            certificate,
            key,
            server_name: Some("redis.test".into()),
            verify: true,
        };
        let options = RedisOptions {
            username: Some("some".into()),
            password: Some("secret".into()),
            database: 7,
            key_prefix: "k:".into(),
            tls: Some(tls),
            ..options(&server)
        };
        let config = RedisConfig { prefix: "p:".into(), ..RedisConfig::new(options) };
        let mut nodes = Nodes::start(&config).await;
        nodes.talk(A_MOMENT).await;
        nodes.check().await;
    })
    .await;
}
