//! The processes of one cluster that is nobody else's.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rustix::process::Signal;
use serde_json::Value;

use crate::process::Process;

/// How the nodes of one cluster reach each other.
pub struct Adapter(Vec<(&'static str, String)>);

impl Adapter {
    /// By the mesh, on loopback.
    pub fn mesh() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // Another test may be given the same free port.
        let prefix = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        Adapter(vec![
            ("ADAPTER_DRIVER", "cluster".into()),
            ("CLUSTER_HOST", "127.0.0.1".into()),
            ("CLUSTER_BROADCAST_ADDRESS", "127.255.255.255".into()),
            ("CLUSTER_PORT", free_port().to_string()),
            ("CLUSTER_PREFIX", prefix),
        ])
    }

    /// By the Redis on a port of loopback.
    pub fn redis(port: u16) -> Self {
        Adapter(vec![("ADAPTER_DRIVER", "redis".into()), ("DB_REDIS_PORT", port.to_string())])
    }

    /// By the NATS server on a port of loopback.
    pub fn nats(port: u16) -> Self {
        let servers = format!(r#"["127.0.0.1:{port}"]"#);
        Adapter(vec![("ADAPTER_DRIVER", "nats".into()), ("ADAPTER_NATS_SERVERS", servers)])
    }

    /// With more variables, or others.
    pub fn with(&self, env: &[(&'static str, &str)]) -> Self {
        let mut all = self.0.clone();
        all.retain(|(name, _)| env.iter().all(|(other, _)| name != other));
        all.extend(env.iter().map(|(name, value)| (*name, value.to_string())));
        Adapter(all)
    }

    /// The environment of a node.
    pub fn env(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, &**value)).collect()
    }
}

/// How many shards the node with this number has: every other one of a cluster does everything on one
/// thread.
pub fn shards(node: usize) -> &'static str {
    if node.is_multiple_of(2) { "2" } else { "1" }
}

/// A port that is free for UDP and TCP.
pub fn free_port() -> u16 {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = udp.local_addr().unwrap().port();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// The processes; a place is empty while its process is down.
pub struct Nodes {
    env: Vec<(&'static str, String)>,
    nodes: Vec<Option<Process>>,
    /// Where each one serves, also after a restart.
    pub addresses: Vec<SocketAddr>,
}

impl Nodes {
    /// So many nodes, which know each other, with these variables in every one's environment.
    pub fn start(adapter: &Adapter, count: usize, env: &[(&'static str, &str)]) -> Self {
        let env = adapter.with(env).0;
        let mut nodes = Nodes { env, nodes: Vec::new(), addresses: Vec::new() };
        for _ in 0..count {
            nodes.add("0");
        }
        nodes.are_joined();
        nodes
    }

    /// So many processes that listen on one port.
    pub fn sharing_a_port(adapter: &Adapter, count: usize) -> Self {
        let mut nodes = Self::start(adapter, 1, &[("REUSE_PORT", "true")]);
        for _ in 1..count {
            nodes.add(&nodes.addresses[0].port().to_string());
        }
        nodes.are_joined();
        nodes
    }

    /// One more.
    fn add(&mut self, port: &str) {
        let process = self.process(self.nodes.len(), port);
        self.addresses.push(process.address);
        self.nodes.push(Some(process));
    }

    fn process(&self, index: usize, port: &str) -> Process {
        let env = self.env.iter().map(|(name, value)| (*name, &**value));
        let own = [("PORT", port), ("SHARDS", shards(index))];
        let env: Vec<(&str, &str)> = env.chain(own).collect();
        Process::start(&env)
    }

    /// One that is up.
    pub fn node(&self, index: usize) -> &Process {
        self.nodes[index].as_ref().unwrap()
    }

    /// All that are up.
    pub fn up(&self) -> impl Iterator<Item = &Process> {
        self.nodes.iter().flatten()
    }

    /// Waits until every node that is up knows every other one to be ready, and nobody else.
    pub fn are_joined(&self) {
        let others = (self.up().count() - 1) as f64;
        for node in self.up() {
            node.wait_for("the others are known, and nobody else", |metrics| {
                metrics.labelled("cluster_peers", "state=\"ready\"") == others
                    && metrics.sum("cluster_peers") == others
            });
        }
    }

    /// Ends one without a word.
    pub fn kill(&mut self, index: usize) {
        let node = self.nodes[index].take().unwrap();
        node.signal(Signal::KILL);
        node.wait();
    }

    /// Has one leave in good order.
    pub fn terminate(&mut self, index: usize) {
        let node = self.nodes[index].take().unwrap();
        node.signal(Signal::TERM);
        assert_eq!(node.wait().code(), Some(0));
    }

    /// Starts one that is down, where it was before.
    pub fn restart(&mut self, index: usize) {
        let port = self.addresses[index].port().to_string();
        self.nodes[index] = Some(self.process(index, &port));
    }

    /// No task of any node that is up has panicked, and no stream has outgrown its bounds.
    pub fn have_no_bugs(&self) {
        for node in self.up() {
            let metrics = node.metrics();
            for name in ["panics_total", "cluster_broken_streams_total"] {
                assert_eq!(metrics.sum(name), 0.0, "{name}");
            }
        }
    }
}

/// The members of a presence channel, as a node tells backends.
pub fn users(node: &Process, channel: &str) -> BTreeSet<String> {
    let answer = node.get(&format!("/channels/{channel}/users"), &[]).json();
    let users = answer["users"].as_array().cloned().unwrap_or_default();
    let id = |user: &Value| user["id"].as_str().unwrap().to_owned();
    let set: BTreeSet<String> = users.iter().map(id).collect();
    assert_eq!(set.len(), users.len(), "a member twice");
    set
}

/// The subscriptions of a channel, as a node tells backends.
pub fn subscriptions(node: &Process, channel: &str) -> u64 {
    let info = [("info", "subscription_count")];
    let answer = node.get(&format!("/channels/{channel}"), &info).json();
    answer["subscription_count"].as_u64().unwrap_or(0)
}

/// The connections of the default app, as a node tells backends.
pub fn connections(node: &Process) -> u64 {
    node.get("/connections", &[]).json()["connections"].as_u64().unwrap()
}
