//! Encrypted connections.

use redis_client::{Address, Pem, RedisOptions, TlsOptions, Topology};
use testkit::redis::{LOOPBACK, RedisCertificates, RedisServer};

use crate::{at, refused, works};

fn believing(ca: &RedisCertificates) -> TlsOptions {
    TlsOptions { ca: vec![Pem::new(&ca.ca())], ..TlsOptions::default() }
}

fn with(server: &RedisServer, tls: TlsOptions) -> RedisOptions {
    RedisOptions { tls: Some(tls), ..at(server) }
}

#[tokio::test]
async fn the_server_has_to_prove_who_it_is() {
    let (ca, other) = (RedisCertificates::new(), RedisCertificates::new());
    let server = RedisServer::start_tls(&ca, "tls-auth-clients no");
    works(&with(&server, believing(&ca))).await.unwrap();

    refused(&with(&server, believing(&other)), "invalid peer certificate").await;
    refused(&with(&server, TlsOptions::default()), "invalid peer certificate").await;
    let anybody = TlsOptions { verify: false, ..TlsOptions::default() };
    works(&with(&server, anybody)).await.unwrap();

    let called = |name: &str| TlsOptions { server_name: Some(name.into()), ..believing(&ca) };
    works(&with(&server, called("redis.test"))).await.unwrap();
    refused(&with(&server, called("other.test")), "not valid for name").await;

    let file = ca.server_files()[0].display().to_string();
    let both = TlsOptions { ca: vec![Pem::new(&other.ca()), Pem::new(&file)], ..believing(&ca) };
    works(&with(&server, both)).await.unwrap();
    refused(&at(&server), "Redis").await;
}

#[tokio::test]
async fn the_client_has_to_prove_who_it_is() {
    let (ca, other) = (RedisCertificates::new(), RedisCertificates::new());
    let server = RedisServer::start_tls(&ca, "requirepass secret");
    let showing = |issuer: &RedisCertificates| {
        let [certificate, key] = issuer.issue(&["client"]).map(|pem| Some(Pem::new(&pem)));
        let tls = TlsOptions { certificate, key, ..believing(&ca) };
        RedisOptions { password: Some("secret".into()), ..with(&server, tls) }
    };
    works(&showing(&ca)).await.unwrap();
    refused(&showing(&other), "Redis").await;
    refused(&with(&server, believing(&ca)), "Redis").await;
}

#[tokio::test]
async fn what_cannot_be_used_is_named() {
    let ca = RedisCertificates::new();
    let server = RedisServer::start("");
    let file = |path| TlsOptions { ca: vec![Pem::new(path)], ..TlsOptions::default() };
    let missing = file("/nonexistent/ca.pem");
    refused(&with(&server, missing), "PEM file /nonexistent/ca.pem: No such file").await;
    let empty = file("/dev/null");
    refused(&with(&server, empty), "/dev/null: there is no certificate in it").await;
    let [certificate, _] = ca.issue(&["one"]).map(|pem| Some(Pem::new(&pem)));
    let [_, key] = ca.issue(&["two"]).map(|pem| Some(Pem::new(&pem)));
    let unfitting = TlsOptions { certificate: certificate.clone(), key, ..believing(&ca) };
    refused(&with(&server, unfitting), "PEM text of the options: ").await;
    let half = TlsOptions { certificate, ..believing(&ca) };
    refused(&with(&server, half), "it must have both or none").await;
    let name = TlsOptions { server_name: Some("a b".into()), ..believing(&ca) };
    refused(&with(&server, name), "server name \"a b\"").await;
}

#[tokio::test]
async fn a_redis_cluster_of_one_node() {
    let ca = RedisCertificates::new();
    let server =
        RedisServer::start_tls(&ca, "tls-auth-clients no\ncluster-enabled yes\ntls-cluster yes");
    let nodes = vec![Address::new(LOOPBACK, server.port)];
    let cluster = |tls| RedisOptions {
        topology: Topology::Cluster(nodes.clone()),
        tls: Some(tls),
        ..RedisOptions::default()
    };
    let options = cluster(believing(&ca));
    let mut wire = options.open(&nodes[0]).await.unwrap();
    wire.call(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await.unwrap();
    loop {
        let told = wire.call(&["CLUSTER", "INFO"]).await.unwrap();
        if told.text().unwrap().contains("cluster_state:ok") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    works(&options).await.unwrap();
    works(&cluster(TlsOptions { verify: false, ..TlsOptions::default() })).await.unwrap();
    assert_eq!(options.slots(&[]).await.unwrap().unwrap().owner(b"a"), Some(&nodes[0]));
    refused(&cluster(TlsOptions { server_name: Some("x".into()), ..believing(&ca) }), "servername")
        .await;
}
