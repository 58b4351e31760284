//! Nodes over several servers: behind sentinels, and in a Redis Cluster.

use std::time::Duration;

use cluster::redis::{RedisConfig, RedisOptions};
use redis_client::{Address, Sentinels, Topology, slot_of};
use testkit::redis::{RedisServer, cluster, replace_unnoticed, sentinels};

use crate::node::{Nodes, until};
use crate::{A_MOMENT, OUTAGE, address, local};

fn behind(sentinels: &[RedisServer]) -> RedisConfig {
    let nodes = sentinels.iter().map(address).collect();
    let sentinels = Sentinels { nodes, ..Sentinels::default() };
    let topology = Topology::Sentinel(sentinels);
    RedisConfig::new(RedisOptions { topology, ..RedisOptions::default() })
}

fn among(nodes: &[RedisServer]) -> RedisConfig {
    let known: Vec<Address> = nodes.iter().map(address).collect();
    let topology = Topology::Cluster(known);
    RedisConfig::new(RedisOptions { topology, ..RedisOptions::default() })
}

/// Which of the three servers has the slot of a channel.
fn server_of(channel: &str) -> usize {
    match slot_of(channel.as_bytes()) {
        0..=5460 => 0,
        5461..=10922 => 1,
        _ => 2,
    }
}

fn inbox(number: u64) -> String {
    format!("dunlin:node:{number:016x}")
}

async fn take_place(nodes: &mut Nodes, successor: &RedisServer) {
    let listens = || {
        let told = successor.try_tell("PUBSUB NUMSUB dunlin:hello");
        told.is_ok_and(|told| told.ends_with(":3\r\n"))
    };
    for _ in 0..40 {
        nodes.talk(A_MOMENT).await;
        if listens() {
            return;
        }
    }
    panic!("nobody listens to the successor");
}

#[tokio::test]
async fn a_dead_master_s_successor_is_found() {
    local(async {
        let (mut servers, sentinels) = sentinels("mymaster", "");
        let mut nodes = Nodes::start(&behind(&sentinels)).await;
        nodes.talk(A_MOMENT).await;
        servers[0].stop();
        take_place(&mut nodes, &servers[1]).await;
        nodes.check().await;
    })
    .await;
}

#[tokio::test]
async fn a_frozen_master_s_successor_is_found() {
    local(async {
        let (servers, sentinels) = sentinels("mymaster", "");
        let mut nodes = Nodes::start(&behind(&sentinels)).await;
        nodes.talk(A_MOMENT).await;
        servers[0].freeze();
        take_place(&mut nodes, &servers[1]).await;
        servers[0].thaw();
        nodes.talk(A_MOMENT).await;
        nodes.check().await;
    })
    .await;
}

#[tokio::test]
async fn a_planned_successor_is_found() {
    local(async {
        let (servers, sentinels) = sentinels("mymaster", "");
        let mut nodes = Nodes::start(&behind(&sentinels)).await;
        nodes.talk(A_MOMENT).await;
        until("the sentinels go about it", || {
            sentinels[0].tell("SENTINEL FAILOVER mymaster").starts_with("+OK")
        })
        .await;
        take_place(&mut nodes, &servers[1]).await;
        nodes.check().await;
    })
    .await;
}

#[tokio::test]
async fn a_master_that_does_not_notice_that_it_is_none_is_left() {
    local(async {
        let (servers, sentinels) = sentinels("mymaster", "");
        let mut nodes = Nodes::start(&behind(&sentinels)).await;
        nodes.talk(A_MOMENT).await;
        replace_unnoticed("mymaster", &servers, &sentinels);
        take_place(&mut nodes, &servers[1]).await;
        nodes.check().await;
    })
    .await;
}

#[tokio::test]
async fn a_redis_cluster_without_sharded_channels() {
    local(async {
        let servers = cluster("rename-command SPUBLISH \"\"\nrename-command SSUBSCRIBE \"\"");
        let mut nodes = Nodes::start(&among(&servers)).await;
        nodes.talk(A_MOMENT).await;
        nodes.check().await;
        let told = servers[server_of("dunlin:hello")].tell("PUBSUB NUMSUB dunlin:hello");
        assert!(told.ends_with(":3\r\n"), "{told}");
    })
    .await;
}

#[tokio::test]
async fn channels_are_spread_over_a_redis_cluster() {
    local(async {
        let servers = cluster("");
        let mut nodes = Nodes::start(&among(&servers)).await;
        nodes.talk(A_MOMENT).await;
        nodes.check().await;
        let hello = servers[server_of("dunlin:hello")].tell("PUBSUB SHARDNUMSUB dunlin:hello");
        assert!(hello.ends_with(":3\r\n"), "{hello}");
        for number in 1..=3 {
            let inbox = inbox(number);
            let told = servers[server_of(&inbox)].tell(&format!("PUBSUB SHARDNUMSUB {inbox}"));
            assert!(told.ends_with(":1\r\n"), "{told}");
        }
    })
    .await;
}

/// The first number of three in a row of which one has its inbox elsewhere than the hello channel,
/// and which of the servers has it.
fn apart() -> (u64, usize) {
    let hello = server_of("dunlin:hello");
    let elsewhere = |number: &u64| server_of(&inbox(*number)) != hello;
    let number = (1..100).find(elsewhere).expect("one of them is");
    (number, server_of(&inbox(number)))
}

#[tokio::test]
async fn a_frozen_master_of_inboxes_blinds_nobody() {
    local(async {
        // Without failover: there are no replicas.
        let servers = cluster("");
        let (number, server) = apart();
        let mut nodes = Nodes::start_from(number, &among(&servers)).await;
        nodes.talk(A_MOMENT).await;
        servers[server].freeze();
        nodes.talk(OUTAGE).await;
        assert!(nodes.0.iter().all(|node| node.broker.is_up()), "hellos go on");
        servers[server].thaw();
        nodes.talk(A_MOMENT).await;
        nodes.check().await;
        assert!(nodes.0.iter().all(|node| node.broker.counters().reconnects.get() == 0));
    })
    .await;
}

#[tokio::test]
async fn a_frozen_master_of_the_hello_channel_delays_and_loses_nothing() {
    local(async {
        let servers = cluster("");
        let mut nodes = Nodes::start(&among(&servers)).await;
        nodes.talk(A_MOMENT).await;
        let server = &servers[server_of("dunlin:hello")];
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
async fn slots_that_move_are_followed() {
    local(async {
        let servers = cluster("");
        let mut nodes = Nodes::start(&among(&servers)).await;
        nodes.talk(A_MOMENT).await;
        for channel in ["dunlin:hello".into(), inbox(1), inbox(2)] {
            let (slot, to) = (slot_of(channel.as_bytes()), (server_of(&channel) + 1) % 3);
            let id = servers[to].tell("CLUSTER MYID").lines().nth(1).unwrap().to_owned();
            // The new master first, then those that have to know.
            for server in [to, (to + 2) % 3, (to + 1) % 3] {
                let told = servers[server].tell(&format!("CLUSTER SETSLOT {slot} NODE {id}"));
                assert_eq!(told, "+OK\r\n");
            }
            nodes.talk(A_MOMENT).await;
            until("somebody listens there", || {
                !servers[to].tell(&format!("PUBSUB SHARDNUMSUB {channel}")).ends_with(":0\r\n")
            })
            .await;
        }
        nodes.talk(Duration::from_secs(1)).await;
        nodes.check().await;
    })
    .await;
}
