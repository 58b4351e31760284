//! Several nodes behave as one, whichever adapter joins them: what a client or backend sees does
//! not depend on the node that it is connected to.

#![allow(clippy::unwrap_used, reason = "a helper of tests, too, may fail the test")]

mod support;

#[path = "cluster/api.rs"]
mod api;
#[path = "cluster/cache.rs"]
mod cache;
#[path = "cluster/events.rs"]
mod events;
#[path = "cluster/joining.rs"]
mod joining;
#[path = "cluster/presence.rs"]
mod presence;
#[path = "cluster/quotas.rs"]
mod quotas;
#[path = "cluster/rates.rs"]
mod rates;
#[path = "cluster/users.rs"]
mod users;

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use serde_json::{Value, json};
use support::Server;

/// Several nodes of one cluster that is nobody else's.
struct Cluster {
    env: Vec<(String, String)>,
    nodes: Vec<Server>,
}

/// The default app, with everything on that is off by default.
fn app() -> Value {
    json!({"appManager.array.apps": [{
        "id": "app-id", "key": "app-key", "secret": "app-secret",
        "enableClientMessages": true, "enableSubscriptionCount": true,
    }]})
}

impl Cluster {
    /// Joined by the mesh.
    fn mesh(count: usize) -> Self {
        Self::of(count, &[])
    }

    /// Joined by the mesh, with these variables in every node's environment.
    fn of(count: usize, env: &[(&str, &str)]) -> Self {
        let port = free_port().to_string();
        let mesh =
            [("ADAPTER_DRIVER", "cluster"), ("CLUSTER_HOST", "127.0.0.1"), ("CLUSTER_PORT", &port)];
        let env = mesh.iter().chain(env).map(|(name, value)| (name.to_string(), value.to_string()));
        let mut cluster = Cluster { env: env.collect(), nodes: Vec::new() };
        (0..count).for_each(|_| cluster.add());
        cluster
    }

    /// One node more; it has joined when this returns.
    fn add(&mut self) {
        let node = self.start();
        self.nodes.push(node);
        self.is_joined();
    }

    fn start(&self) -> Server {
        let env: Vec<(&str, &str)> = self.env.iter().map(|(n, v)| (&**n, &**v)).collect();
        Server::with_file(&env, &app())
    }

    /// Waits until every node knows every other one to be ready.
    fn is_joined(&self) {
        let others = (self.nodes.len() - 1) as f64;
        for node in &self.nodes {
            node.wait_for("every node is ready", |metrics| {
                metrics.labelled("cluster_peers", "state=\"ready\"") == others
            });
        }
    }

    fn node(&self, index: usize) -> &Server {
        &self.nodes[index % self.nodes.len()]
    }

    /// Waits until nothing of any client is left on any node.
    fn is_clean(&self) {
        self.nodes.iter().for_each(Server::is_clean);
        for node in &self.nodes {
            let metrics = node.metrics();
            assert_eq!(metrics.sum("cluster_lost_events_total"), 0.0);
            assert_eq!(metrics.sum("cluster_broken_streams_total"), 0.0);
        }
    }
}

/// A port that is free for UDP and TCP.
fn free_port() -> u16 {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = udp.local_addr().unwrap().port();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
