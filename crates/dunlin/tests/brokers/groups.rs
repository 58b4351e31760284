//! Several servers together: a Redis behind sentinels, and a Redis Cluster.

use testkit::broker::{Broker, BrokerKind, free_port};
use testkit::eventually;
use testkit::nodes::Adapter;

/// What has to be known to get in.
const PASSWORD: &str = "secret";
/// The same at the sentinels.
const GUARDED: &str = "guarded";

/// A master and its replica.
pub(crate) struct Sentinels {
    pub(crate) master: Broker,
    _replica: Broker,
    sentinels: Vec<Broker>,
}

fn replicates(replica: &Broker, password: Option<&str>) -> bool {
    let auth = password.map(|password| format!("AUTH {password}")).unwrap_or("PING".into());
    replica.tell(&[&auth, "INFO replication"]).contains("master_link_status:up")
}

impl Sentinels {
    /// With three sentinels, who take a server for dead after a second.
    pub(crate) fn run() -> Self {
        let passwords = format!("requirepass {PASSWORD}\nmasterauth {PASSWORD}");
        let master = Broker::run(BrokerKind::Redis, &passwords);
        let follows = format!("{passwords}\nreplicaof 127.0.0.1 {}", master.port);
        let replica = Broker::run(BrokerKind::Redis, &follows);
        eventually("the replica follows", || replicates(&replica, Some(PASSWORD)));
        let lines = format!(
            "requirepass {GUARDED}\nsentinel sentinel-pass {GUARDED}\n\
             sentinel monitor some 127.0.0.1 {} 2\nsentinel auth-pass some {PASSWORD}\n\
             sentinel down-after-milliseconds some 1000\nsentinel failover-timeout some 3000",
            master.port
        );
        let sentinels: Vec<Broker> =
            (0..3).map(|_| Broker::run(BrokerKind::Sentinel, &lines)).collect();
        for sentinel in &sentinels {
            eventually("the sentinels know each other and the replica", || {
                let told = sentinel.tell(&[&format!("AUTH {GUARDED}"), "INFO sentinel"]);
                told.contains("slaves=1,sentinels=3")
            });
        }
        Sentinels { master, _replica: replica, sentinels }
    }

    pub(crate) fn adapter(&self) -> Adapter {
        Adapter::redis(1).with(&[
            ("DB_REDIS_SENTINELS", &list(&self.sentinels)),
            ("DB_REDIS_INSTANCE_NAME", "some"),
            ("DB_REDIS_SENTINEL_PASSWORD", GUARDED),
            ("DB_REDIS_PASSWORD", PASSWORD),
        ])
    }
}

/// Servers as the options name them.
fn list(servers: &[Broker]) -> String {
    let one = |server: &Broker| format!(r#"{{"host":"127.0.0.1","port":{}}}"#, server.port);
    format!("[{}]", servers.iter().map(one).collect::<Vec<_>>().join(","))
}

/// Three masters, and a replica of the one whose number is `followed`.
pub(crate) struct RedisCluster {
    pub(crate) masters: Vec<Broker>,
    pub(crate) followed: usize,
    _replica: Broker,
}

impl RedisCluster {
    /// The replica follows the master that has a channel.
    pub(crate) fn run(channel: &str) -> Self {
        let bus: Vec<u16> = (0..4).map(|_| free_port()).collect();
        let server = |bus: &u16| {
            let lines = format!(
                "cluster-enabled yes\ncluster-port {bus}\ncluster-node-timeout 1500\n\
                 cluster-require-full-coverage no\ncluster-replica-validity-factor 0"
            );
            Broker::run(BrokerKind::Redis, &lines)
        };
        let mut servers: Vec<Broker> = bus.iter().map(server).collect();
        for (server, slots) in servers.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
            assert_eq!(server.tell(&[&format!("CLUSTER ADDSLOTSRANGE {slots}")]), "+OK\r\n");
        }
        for (at, server) in servers.iter().enumerate() {
            assert_eq!(server.tell(&[&format!("CLUSTER SET-CONFIG-EPOCH {}", at + 1)]), "+OK\r\n");
            let meet = format!("CLUSTER MEET 127.0.0.1 {} {}", servers[0].port, bus[0]);
            assert_eq!(server.tell(&[&meet]), "+OK\r\n");
        }
        let whole = |server: &Broker| {
            let info = server.tell(&["CLUSTER INFO"]);
            ["state:ok", "known_nodes:4", "slots_ok:16384"].iter().all(|part| info.contains(part))
        };
        eventually("the cluster is whole", || servers.iter().all(whole));
        let slot = servers[0].tell(&[&format!("CLUSTER KEYSLOT {channel}")]);
        let slot: u32 = slot.trim_start_matches(':').trim().parse().unwrap();
        let followed = (slot / 5461).min(2) as usize;
        let replica = servers.pop().unwrap();
        let id = servers[followed].tell(&["CLUSTER MYID"]).lines().nth(1).unwrap().to_owned();
        assert_eq!(replica.tell(&[&format!("CLUSTER REPLICATE {id}")]), "+OK\r\n");
        eventually("the replica follows", || {
            let known = |server: &Broker| server.tell(&["CLUSTER NODES"]).contains("slave");
            replicates(&replica, None) && servers.iter().all(known)
        });
        RedisCluster { masters: servers, followed, _replica: replica }
    }

    pub(crate) fn adapter(&self) -> Adapter {
        Adapter::redis(1).with(&[
            ("ADAPTER_REDIS_CLUSTER_MODE", "true"),
            ("DB_REDIS_CLUSTER_NODES", &list(&self.masters)),
        ])
    }
}
