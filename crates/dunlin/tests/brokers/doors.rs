//! Brokers that do not let everybody in, or that several deployments share.

use serde_json::json;
use testkit::broker::{Broker, BrokerKind};
use testkit::eventually;
use testkit::nodes::{Adapter, Nodes, users};
use testkit::process::Process;
use testkit::ws::Client;

use super::certificates::Certificates;

const ROOM: &str = "presence-room";

/// Two nodes with a subscriber each, who is a member, too.
struct Pair {
    nodes: Nodes,
    clients: Vec<Client>,
}

impl Pair {
    fn join(adapter: &Adapter, names: [&str; 2]) -> Self {
        let nodes = Nodes::start(adapter, 2, &[]);
        let mut clients: Vec<Client> = nodes.up().map(|node| node.connect()).collect();
        for (client, name) in clients.iter_mut().zip(names) {
            client.subscribe("a");
            client.subscribe_signed(ROOM, Some(&json!({"user_id": name}).to_string()));
        }
        let first = clients[0].json();
        assert_eq!(first["event"], "pusher_internal:member_added", "{first}");
        let all = names.map(String::from).into();
        eventually("both know both", || nodes.up().all(|node| users(node, ROOM) == all));
        Pair { nodes, clients }
    }

    /// Events of this pair reach both, and no other ones do.
    fn hear_each_other(&mut self, data: &str) {
        for node in self.nodes.up() {
            node.publish("a", "e", data);
        }
        for client in &mut self.clients {
            (0..2).for_each(|_| client.expect_event("e", "a", data));
            client.expect_silence();
        }
        self.nodes.are_joined();
        self.nodes.have_no_bugs();
    }
}

/// With the rights that the documentation says, and no others.
#[test]
fn a_redis_with_an_acl_user_a_database_and_a_prefix() {
    let redis = Broker::run(
        BrokerKind::Redis,
        "user default off\nuser admin on >admin ~* &* +@all\n\
         user dunlin on >secret resetkeys resetchannels &prod:dunlin:* \
         -@all +ping +subscribe +publish",
    );
    let adapter = Adapter::redis(redis.port).with(&[
        ("DB_REDIS_USERNAME", "dunlin"),
        ("DB_REDIS_PASSWORD", "secret"),
        ("DB_REDIS_DB", "3"),
        ("ADAPTER_REDIS_PREFIX", "prod:"),
    ]);
    Pair::join(&adapter, ["u", "v"]).hear_each_other("x");
    let pair =
        Pair::join(&adapter.with(&[("ADAPTER_REDIS_PREFIX", "prod:dunlin:two:")]), ["u", "v"]);
    let channels = redis.tell(&["AUTH admin admin", "PUBSUB CHANNELS"]);
    assert_eq!(channels.matches("prod:dunlin:two:dunlin:").count(), 3, "{channels}");
    assert!(channels.starts_with("*3"), "{channels}");
    drop(pair);
}

#[test]
fn a_redis_over_tls_that_wants_a_certificate() {
    let certificates = Certificates::new();
    let file = |name| certificates.file(name).display().to_string();
    let mut redis = Broker::away(BrokerKind::Redis, "");
    redis.lines = format!(
        "port 0\ntls-port {}\ntls-auth-clients yes\ntls-ca-cert-file {}\ntls-cert-file {}\n\
         tls-key-file {}",
        redis.port,
        file("ca"),
        file("server"),
        file("server-key")
    );
    redis.start();
    let tls = json!({"ca": file("ca"), "cert": file("client"), "key": file("client-key")});
    let options = json!({"tls": tls}).to_string();
    let adapter = Adapter::redis(redis.port).with(&[("DB_REDIS_OPTIONS", &options)]);
    Pair::join(&adapter, ["u", "v"]).hear_each_other("x");
}

#[test]
fn a_nats_server_with_a_user_and_a_prefix() {
    let nats = Broker::run(
        BrokerKind::Nats,
        "authorization { users: [{ user: dunlin, password: secret, permissions: {\
         publish: \"prod.dunlin.>\", subscribe: \"prod.dunlin.>\" } }] }",
    );
    let adapter = Adapter::nats(nats.port).with(&[
        ("ADAPTER_NATS_USER", "dunlin"),
        ("ADAPTER_NATS_PASSWORD", "secret"),
        ("ADAPTER_NATS_PREFIX", "prod."),
    ]);
    Pair::join(&adapter, ["u", "v"]).hear_each_other("x");
}

#[test]
fn a_nats_server_over_tls_with_an_authority_of_its_own() {
    let certificates = Certificates::new();
    let file = |name| certificates.file(name).display().to_string();
    let (cert, key, ca) = (file("server"), file("server-key"), file("ca"));
    let nats =
        Broker::run(BrokerKind::Nats, &format!("tls {{ cert_file: {cert:?}, key_file: {key:?} }}"));
    let servers = format!("tls://127.0.0.1:{}", nats.port);
    let adapter = Adapter::nats(nats.port).with(&[("ADAPTER_NATS_SERVERS", &servers)]);
    let stranger = Process::start(&adapter.env());
    eventually("it says why it waits", || stranger.logged("certificate is not believed") > 0);
    assert_eq!(stranger.http().ask("GET", "/ready", &[], b"").status, 503);
    drop(stranger);
    Pair::join(&adapter.with(&[("ADAPTER_NATS_TLS_CA", &ca)]), ["u", "v"]).hear_each_other("x");
}

fn do_not_meet(adapter: &Adapter, prefix: &'static str) {
    let mut one = Pair::join(&adapter.with(&[(prefix, "one")]), ["u", "v"]);
    let mut two = Pair::join(&adapter.with(&[(prefix, "two")]), ["v", "w"]);
    one.hear_each_other("in one");
    two.hear_each_other("in two");
    one.hear_each_other("in one again");
}

#[test]
fn two_deployments_on_one_redis_exchange_nothing() {
    let redis = Broker::run(BrokerKind::Redis, "");
    do_not_meet(&Adapter::redis(redis.port), "ADAPTER_REDIS_PREFIX");
}

#[test]
fn two_deployments_on_one_nats_server_exchange_nothing() {
    let nats = Broker::run(BrokerKind::Nats, "");
    do_not_meet(&Adapter::nats(nats.port), "ADAPTER_NATS_PREFIX");
}
