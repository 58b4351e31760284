//! Connections to real servers, all on loopback.

#![allow(clippy::unwrap_used)]

mod client;
mod tls;

use std::time::{Duration, Instant};

use redis::cmd;
use redis_client::{Address, ConnectError, RedisOptions, Reply, Sentinels, Topology, is_away};
use testkit::redis::{LOOPBACK, RedisServer, cluster, replace_unnoticed, sentinels};
use tokio::time::sleep;

fn address(server: &RedisServer) -> Address {
    Address::new(LOOPBACK, server.port)
}

fn at(server: &RedisServer) -> RedisOptions {
    RedisOptions { topology: Topology::Standalone(address(server)), ..RedisOptions::default() }
}

fn behind(sentinels: &[RedisServer], master: &str) -> Sentinels {
    let nodes = sentinels.iter().map(address).collect();
    Sentinels { nodes, master: master.into(), ..Sentinels::default() }
}

/// Sets a key and gets it back.
async fn works(options: &RedisOptions) -> Result<(), ConnectError> {
    let mut commands = options.commands().await?;
    for key in ["a", "b", "c", "d"] {
        cmd("SET").arg(key).arg("1").exec_async(&mut commands).await?;
        let value: String = cmd("GET").arg(key).query_async(&mut commands).await?;
        assert_eq!(value, "1");
    }
    Ok(())
}

async fn refused(options: &RedisOptions, expected: &str) {
    let told = works(options).await.unwrap_err().to_string();
    assert!(told.contains(expected), "{told:?} does not say {expected:?}");
}

#[tokio::test]
async fn a_database_behind_a_password() {
    let server = RedisServer::start("requirepass secret");
    let with = |password: Option<&str>| RedisOptions {
        password: password.map(Into::into),
        database: 3,
        ..at(&server)
    };
    let right = with(Some("secret"));
    works(&right).await.unwrap();
    let mut commands = RedisOptions { database: 0, ..right }.commands().await.unwrap();
    let keys: i64 = cmd("DBSIZE").query_async(&mut commands).await.unwrap();
    assert_eq!(keys, 0, "they are in another database");
    refused(&with(Some("wrong")), "WRONGPASS").await;
    refused(&with(None), "NOAUTH").await;
    refused(&RedisOptions { database: 16, ..with(Some("secret")) }, "out of range").await;
}

#[tokio::test]
async fn an_acl_user() {
    let server = RedisServer::start("user default off\nuser some on >secret ~* &* +@all");
    let with = |username: &str, password: &str| RedisOptions {
        username: Some(username.into()),
        password: Some(password.into()),
        ..at(&server)
    };
    works(&with("some", "secret")).await.unwrap();
    refused(&with("some", "wrong"), "WRONGPASS").await;
    refused(&with("other", "secret"), "WRONGPASS").await;
}

#[tokio::test]
async fn one_that_is_not_there_frozen_or_stopped() {
    let mut server = RedisServer::start("");
    let options = RedisOptions { connect_timeout: Duration::from_millis(300), ..at(&server) };
    works(&options).await.unwrap();
    let mut commands = options.commands().await.unwrap();
    server.freeze();
    refused(&options, "no answer within 300ms").await;
    let began = Instant::now();
    let late = cmd("GET").arg("a").exec_async(&mut commands).await;
    assert!(late.unwrap_err().is_timeout() && began.elapsed() < Duration::from_secs(1));
    server.thaw();
    works(&options).await.unwrap();
    server.stop();
    refused(&options, &format!("Redis {LOOPBACK}:{}: Connection refused", server.port)).await;
    server.start_again();
    works(&options).await.unwrap();
}

#[tokio::test]
async fn a_wire_takes_what_comes_when_it_is_asked_for() {
    let server = RedisServer::start("");
    let mut other = at(&server).open(&address(&server)).await.unwrap();
    let wire = at(&server).open(&address(&server)).await.unwrap();
    let (mut incoming, mut outgoing) = wire.split();
    outgoing.put(&[b"SUBSCRIBE", b"news"]).await.unwrap();
    outgoing.flush().await.unwrap();
    assert_eq!(incoming.next().await.unwrap().elements()[2], Reply::Integer(1));
    let long = "x".repeat(1 << 20);
    for message in ["", "a\r\nb", &long] {
        assert_eq!(other.call(&["PUBLISH", "news", message]).await.unwrap(), Reply::Integer(1));
    }
    for message in ["", "a\r\nb", &long] {
        let told = incoming.next().await.unwrap();
        let told: Vec<_> = told.elements().iter().filter_map(Reply::text).collect();
        assert!(told == ["message", "news", message]);
    }
    let error = other.call(&["NONSENSE"]).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    drop(server);
    let end = incoming.next().await.unwrap_err();
    assert_eq!(end.to_string(), "the server closed the connection");
}

#[tokio::test]
async fn sentinels_tell_the_master_and_its_successor() {
    let (mut servers, sentinels) = sentinels("some", "");
    let topology = Topology::Sentinel(behind(&sentinels, "some"));
    let options = RedisOptions { topology, ..RedisOptions::default() };
    works(&options).await.unwrap();
    assert_eq!(options.master().await.unwrap(), Some(address(&servers[0])));
    let replica = options.open(&address(&servers[1])).await;
    assert!(matches!(replica, Err(ConnectError::NoMaster(_))), "writes would be refused there");

    servers[0].stop();
    let began = Instant::now();
    while options.commands().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "nobody succeeds");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(options.master().await.unwrap(), Some(address(&servers[1])));
    works(&options).await.unwrap();

    let unknown = Topology::Sentinel(behind(&sentinels, "other"));
    refused(&RedisOptions { topology: unknown, ..options }, "knows no master \"other\"").await;
}

#[tokio::test]
async fn a_connection_ends_when_its_server_is_not_the_master_any_more() {
    let (servers, sentinels) = sentinels("some", "");
    let topology = Topology::Sentinel(behind(&sentinels, "some"));
    let options = RedisOptions { topology, ..RedisOptions::default() };
    let mut commands = options.commands().await.unwrap();
    replace_unnoticed("some", &servers, &sentinels);
    assert_eq!(options.successor(&address(&servers[0])).await, address(&servers[1]));
    let began = Instant::now();
    let ended = loop {
        match cmd("PING").exec_async(&mut commands).await {
            Ok(()) => assert!(began.elapsed() < Duration::from_secs(30), "it goes on"),
            Err(error) => break error,
        }
        sleep(Duration::from_millis(20)).await;
    };
    assert!(is_away(&ended), "{ended}");
    works(&options).await.unwrap();
    assert!(servers[1].tell("INFO commandstats").contains("cmdstat_set:"));
}

#[tokio::test]
async fn a_master_that_lacks_replicas_cannot_do_anything_now() {
    let server = RedisServer::start("min-replicas-to-write 1");
    let mut commands = at(&server).commands().await.unwrap();
    let refused = cmd("SET").arg("a").arg("1").exec_async(&mut commands).await.unwrap_err();
    assert!(is_away(&refused), "{refused}");
    let wrong = cmd("SET").arg("a").exec_async(&mut commands).await.unwrap_err();
    assert!(!is_away(&wrong), "{wrong}");
}

#[tokio::test]
async fn sentinels_with_a_password_and_some_that_are_gone() {
    let (_servers, mut sentinels) = sentinels("mymaster", "requirepass \"guarded\"");
    let password = Some("guarded".to_owned());
    let with = |sentinels: Sentinels| RedisOptions {
        topology: Topology::Sentinel(sentinels),
        ..RedisOptions::default()
    };
    let right = with(Sentinels { password, ..behind(&sentinels, "mymaster") });
    works(&right).await.unwrap();
    refused(&with(behind(&sentinels, "mymaster")), "NOAUTH").await;
    sentinels[0].freeze();
    sentinels[1].stop();
    works(&right).await.unwrap();
    sentinels[2].stop();
    refused(&right, "no sentinel knows the master \"mymaster\": Redis 127.0.0.1:").await;
}

#[tokio::test]
async fn a_redis_cluster() {
    let mut nodes = cluster("");
    let known = vec![address(&nodes[0]), address(&nodes[1])];
    let options = RedisOptions { topology: Topology::Cluster(known), ..RedisOptions::default() };
    works(&options).await.unwrap();
    assert_eq!(options.master().await.unwrap(), None);
    let slots = options.slots(&[]).await.unwrap().unwrap();
    assert!(slots.sharded(), "it is Redis 7 or newer");
    assert_eq!(slots.masters().len(), 3);
    // Keys of the slots 3300, 7365 and 15495.
    for (key, node) in [("b", 0), ("c", 1), ("a", 2)] {
        assert_eq!(slots.owner(key.as_bytes()), Some(&address(&nodes[node])));
    }

    nodes[0].freeze();
    nodes[1].stop();
    let third = Address::new(LOOPBACK, nodes[2].port);
    let told = options.slots(&[third]).await.unwrap().unwrap();
    assert_eq!(told.owner(b"a"), Some(&address(&nodes[2])));
    let told = options.slots(&[]).await.unwrap_err().to_string();
    assert!(told.contains("no node of the Redis Cluster tells its slots: "), "{told}");
}
