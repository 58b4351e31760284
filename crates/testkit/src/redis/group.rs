//! Several servers together.

use super::{LOOPBACK, RedisServer, free_port, until};

/// A Redis Cluster of three masters, each of which has a third of the slots.
pub fn cluster(lines: &str) -> Vec<RedisServer> {
    let lines = format!(
        "cluster-enabled yes\ncluster-node-timeout 2000\ncluster-require-full-coverage no\n{lines}"
    );
    let nodes: Vec<_> = (0..3).map(|_| RedisServer::start(&lines)).collect();
    for (node, slots) in nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
        assert_eq!(node.tell(&format!("CLUSTER ADDSLOTSRANGE {slots}")), "+OK\r\n");
    }
    for (at, node) in nodes.iter().enumerate() {
        assert_eq!(node.tell(&format!("CLUSTER SET-CONFIG-EPOCH {}", at + 1)), "+OK\r\n");
        let meet = format!("CLUSTER MEET {LOOPBACK} {}", nodes[0].port);
        assert_eq!(node.tell(&meet), "+OK\r\n");
    }
    for node in &nodes {
        until("the cluster is whole", || {
            let info = node.tell("CLUSTER INFO");
            info.contains("cluster_state:ok")
                && info.contains("cluster_known_nodes:3")
                && info.contains("cluster_slots_ok:16384")
        });
    }
    nodes
}

/// A master and a replica, and three sentinels that call it `name`, and take it for dead after
/// half a second.
pub fn sentinels(name: &str, lines: &str) -> (Vec<RedisServer>, Vec<RedisServer>) {
    let master = RedisServer::start("repl-diskless-sync-delay 0");
    let replica = RedisServer::start(&format!("replicaof {LOOPBACK} {}", master.port));
    until("the replica follows", || replica.tell("INFO replication").contains("link_status:up"));
    let sentinel = || {
        let port = free_port();
        let lines = format!(
            "port {port}\nsentinel monitor {name} {LOOPBACK} {} 2\n\
             sentinel down-after-milliseconds {name} 500\n\
             sentinel failover-timeout {name} 3000\n{lines}",
            master.port
        );
        RedisServer::start_at("redis-sentinel", port, &lines)
    };
    let sentinels: Vec<_> = (0..3).map(|_| sentinel()).collect();
    for sentinel in &sentinels {
        until("the sentinels know each other and the replica", || {
            let told = sentinel.tell("INFO sentinel");
            lines.contains("requirepass") || told.contains("slaves=1,sentinels=3")
        });
    }
    (vec![master, replica], sentinels)
}

/// Has the sentinels put the replica in the master's place, which has everything by then, while both
/// live. The old master will take itself for one for ten seconds yet.
pub fn fail_over(name: &str, servers: &[RedisServer], sentinels: &[RedisServer]) {
    let [old, new] = servers else { panic!("a master and a replica") };
    has_everything(new, old);
    let sentinel = &sentinels[0];
    let command = format!("SENTINEL FAILOVER {name}");
    until("the sentinels go about it", || sentinel.tell(&command).starts_with("+OK"));
    let (command, port) = (format!("SENTINEL GET-MASTER-ADDR-BY-NAME {name}"), new.port);
    until("the replica is the master", || sentinel.tell(&command).contains(&port.to_string()));
    until("nobody follows the old one", || {
        old.tell("INFO replication").contains("connected_slaves:0")
    });
}

/// Puts the replica in the master's place without the master's notice, as it is for one that is cut
/// off from its sentinels and from its successor, with its clients.
pub fn replace_unnoticed(name: &str, servers: &[RedisServer], sentinels: &[RedisServer]) {
    let tell_all = |command: &str| {
        for sentinel in sentinels {
            assert_eq!(sentinel.tell(command), "+OK\r\n");
        }
    };
    tell_all(&format!("SENTINEL REMOVE {name}"));
    assert_eq!(servers[1].tell("REPLICAOF NO ONE"), "+OK\r\n");
    tell_all(&format!("SENTINEL MONITOR {name} {LOOPBACK} {} 2", servers[1].port));
}

/// Waits until a replica has everything that its master has now.
pub fn has_everything(replica: &RedisServer, master: &RedisServer) {
    let sent = offset(master);
    until("the replica has everything", || offset(replica) >= sent);
}

/// How much of the master's history a server has, in bytes.
fn offset(server: &RedisServer) -> u64 {
    let told = server.tell("INFO replication");
    let line = told.lines().find_map(|line| line.strip_prefix("master_repl_offset:"));
    line.unwrap().parse().unwrap()
}
