//! Several nodes of one cluster, whichever adapter joins them.

use serde_json::{Value, json};
use testkit::nodes::shards;

use crate::adapter;
use crate::support::Server;

/// Several nodes of one cluster that is nobody else's.
pub struct Cluster {
    pub env: Vec<(String, String)>,
    pub nodes: Vec<Server>,
    /// Ends after the nodes.
    _adapter: adapter::Adapter,
}

/// The default app, with everything on that is off by default.
fn app() -> Value {
    json!({"appManager.array.apps": [{
        "id": "app-id", "key": "app-key", "secret": "app-secret",
        "enableClientMessages": true, "enableSubscriptionCount": true,
    }]})
}

/// A node with these variables.
pub fn start(env: &[(&str, &str)]) -> Server {
    Server::with_file(env, &app())
}

impl Cluster {
    /// So many nodes, which have joined when this returns.
    pub fn new(count: usize) -> Self {
        Self::with(count, &[])
    }

    /// With these variables in every node's environment.
    pub fn with(count: usize, env: &[(&str, &str)]) -> Self {
        Self::of(count, env, |env| start(&borrowed(env)))
    }

    /// Of nodes that `start` makes.
    pub fn of(
        count: usize,
        env: &[(&str, &str)],
        start: impl Fn(&[(String, String)]) -> Server + Sync,
    ) -> Self {
        let adapter = adapter::Adapter::new();
        let own = env.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let env = adapter.env().into_iter().chain(own).collect();
        let mut cluster = Cluster { env, nodes: Vec::new(), _adapter: adapter };
        let (env, start) = (&cluster.env, &start);
        cluster.nodes = std::thread::scope(|scope| {
            let env_of = |node: usize| {
                [&env[..], &[("SHARDS".to_owned(), shards(node).to_owned())]].concat()
            };
            let threads: Vec<_> =
                (0..count).map(|node| scope.spawn(move || start(&env_of(node)))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        cluster.is_joined();
        cluster
    }

    /// One node more; it has joined when this returns.
    pub fn add(&mut self) {
        let node = self.start();
        self.nodes.push(node);
        self.is_joined();
    }

    /// One node more that the test keeps to itself.
    pub fn start(&self) -> Server {
        start(&borrowed(&self.env))
    }

    /// Waits until every node knows every other one to be ready.
    fn is_joined(&self) {
        let others = self.nodes.len() as f64 - 1.0;
        for node in &self.nodes {
            node.wait_for("every node is ready", |metrics| {
                metrics.labelled("cluster_peers", "state=\"ready\"") == others
            });
        }
    }

    pub fn node(&self, index: usize) -> &Server {
        &self.nodes[index % self.nodes.len()]
    }

    /// Waits until nothing of any client is left on any node.
    pub fn is_clean(&self) {
        self.nodes.iter().for_each(Server::is_clean);
        for node in &self.nodes {
            let metrics = node.metrics();
            assert_eq!(metrics.sum("cluster_lost_events_total"), 0.0);
            assert_eq!(metrics.sum("cluster_broken_streams_total"), 0.0);
        }
    }
}

pub fn borrowed(env: &[(String, String)]) -> Vec<(&str, &str)> {
    env.iter().map(|(name, value)| (&**name, &**value)).collect()
}
