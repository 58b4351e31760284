//! A node on a host, and what all nodes have to do together.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use testkit::process::Process;
use testkit::roster::Witness;
use testkit::ws::Client;

use super::network::Host;

/// The channel that the witnesses are members of.
pub(crate) const CHANNEL: &str = "presence-room";

/// A process, and where it runs.
pub(crate) struct Node<'a> {
    host: &'a Host,
    process: Process,
}

impl<'a> Node<'a> {
    /// With these variables.
    pub(crate) fn start(host: &'a Host, env: &[(&str, &str)]) -> Self {
        Node { host, process: Process::in_namespace(&host.space.name, env) }
    }

    /// One on each of these hosts, all at once.
    pub(crate) fn start_all(
        hosts: impl IntoIterator<Item = &'a Host>,
        env: &[(&str, &str)],
    ) -> Vec<Self> {
        thread::scope(|scope| {
            let starting: Vec<_> =
                hosts.into_iter().map(|host| scope.spawn(|| Self::start(host, env))).collect();
            starting.into_iter().map(|node| node.join().unwrap()).collect()
        })
    }

    /// Asks the process from its own host.
    pub(crate) fn within<T: Send>(&self, ask: impl FnOnce(&Process) -> T + Send) -> T {
        self.host.space.within(|| ask(&self.process))
    }

    /// A client on the same host.
    pub(crate) fn connect(&self) -> Client {
        self.within(Process::connect)
    }

    /// A member of [`CHANNEL`] on the same host.
    pub(crate) fn witness(&self, user: &str) -> Witness {
        Witness::join(self.connect(), CHANNEL, user)
    }

    /// Who is in [`CHANNEL`], as a backend is told.
    pub(crate) fn users(&self) -> BTreeSet<String> {
        let page = format!("/channels/{CHANNEL}/users");
        let answer = self.within(|process| process.get(&page, &[]).json());
        let users = answer["users"].as_array().cloned().unwrap_or_default();
        users.iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
    }

    /// How many others it knows to be ready at this moment.
    pub(crate) fn peers(&self) -> usize {
        let metrics = self.within(Process::metrics);
        metrics.labelled("cluster_peers", "state=\"ready\"") as usize
    }

    /// Waits until it knows so many others to be ready, and nobody else.
    pub(crate) fn knows(&self, others: usize) {
        self.within(|process| {
            process.wait_for("the others are known, and nobody else", |metrics| {
                let ready = metrics.labelled("cluster_peers", "state=\"ready\"");
                (ready, metrics.sum("cluster_peers")) == (others as f64, others as f64)
            })
        });
    }

    /// No task has panicked.
    pub(crate) fn has_no_bugs(&self) {
        let metrics = self.within(Process::metrics);
        assert_eq!(metrics.sum("panics_total"), 0.0);
        assert_eq!(metrics.sum("cluster_broken_streams_total"), 0.0);
    }

    /// How often it has logged this.
    pub(crate) fn logged(&self, part: &str) -> usize {
        self.process.logged(part)
    }

    /// How long it took from its start until it served.
    pub(crate) fn took(&self) -> Duration {
        self.process.took
    }
}

/// Waits until all know each other; then what is published through any of them reaches everybody.
pub(crate) fn are_one(nodes: &[Node<'_>]) {
    let waited = Instant::now();
    nodes.iter().for_each(|node| node.knows(nodes.len() - 1));
    let waited = waited.elapsed();
    let mut clients: Vec<Client> = nodes.iter().map(Node::connect).collect();
    clients.iter_mut().for_each(|client| client.subscribe("all"));
    for (number, node) in nodes.iter().enumerate() {
        let data = number.to_string();
        node.within(|process| process.publish("all", "e", &data));
        clients.iter_mut().for_each(|client| client.expect_event("e", "all", &data));
    }
    clients.iter_mut().for_each(Client::expect_silence);
    nodes.iter().for_each(Node::has_no_bugs);
    let took: Vec<Duration> = nodes.iter().map(Node::took).collect();
    println!("from start to ready: {took:?}; then {waited:?} until all knew each other");
}
