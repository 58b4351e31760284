//! A node for tests: a mesh, and an owner that takes down what it is told.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{TcpListener, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cluster::driver::{Driver, Owner, Wake};
use cluster::mesh::{Discovery, Mesh, MeshConfig};
use cluster::{EntryKind, Incarnation, Log, Output, Reason, Settings, Slot};
use tokio::time::{Instant, sleep};

pub(crate) const LOOPBACK: &str = "127.0.0.1";

/// What an owner was told.
#[derive(Default)]
pub(crate) struct Told {
    names: BTreeMap<Slot, String>,
    /// The streams to the peers that are up.
    pub(crate) logs: BTreeMap<String, Arc<Log>>,
    /// What each peer said, since its last stream began.
    pub(crate) entries: BTreeMap<String, Vec<String>>,
    /// How many streams were begun to us.
    pub(crate) streams: usize,
    pub(crate) down: Vec<(String, Reason)>,
}

struct Recorder(Rc<RefCell<Told>>);

impl Owner for Recorder {
    fn output(&mut self, driver: &Driver, output: Output) {
        let mut told = self.0.borrow_mut();
        match output {
            Output::Up { slot, info, log } => {
                told.names.insert(slot, info.name.clone());
                told.logs.insert(info.name, log);
            }
            Output::Stream { slot, log } => {
                let name = told.names[&slot].clone();
                told.logs.insert(name, log);
            }
            Output::Restarted { slot } => {
                let name = told.names[&slot].clone();
                told.streams += 1;
                told.entries.insert(name, Vec::new());
            }
            Output::Entry { slot, entry } => {
                let name = told.names[&slot].clone();
                let text = String::from_utf8(entry.to_vec()).unwrap();
                told.entries.get_mut(&name).expect("a stream began").push(text);
            }
            Output::Down { slot, reason, .. } => {
                let name = told.names.remove(&slot).unwrap();
                told.logs.remove(&name);
                told.down.push((name, reason));
                driver.forget(slot);
            }
            Output::Acked { .. } | Output::Ready { .. } => {}
        }
    }
}

pub(crate) struct Node {
    pub(crate) mesh: Mesh,
    pub(crate) driver: Rc<Driver>,
    pub(crate) wake: Wake,
    pub(crate) told: Rc<RefCell<Told>>,
}

impl Node {
    /// Starts a node; the name of the configuration has to be the incarnation's number.
    pub(crate) async fn start(config: MeshConfig) -> Node {
        Self::start_with(config, Settings::default()).await
    }

    pub(crate) async fn start_with(config: MeshConfig, settings: Settings) -> Node {
        let incarnation = Incarnation(config.name.parse().unwrap());
        let (told, wake) = (Rc::<RefCell<Told>>::default(), Wake::new());
        let owner = Box::new(Recorder(told.clone()));
        let driver = Driver::new(incarnation, settings, wake.clone(), owner);
        let mesh = Mesh::start(config, driver.clone()).await.unwrap();
        Node { mesh, driver, wake, told }
    }

    /// The names of the peers that are up.
    pub(crate) fn peers(&self) -> Vec<String> {
        self.told.borrow().logs.keys().cloned().collect()
    }

    pub(crate) fn say(&self, to: &str, what: String) {
        let log = self.told.borrow().logs[to].clone();
        if log.append(what.into(), EntryKind::Event).expect("the stream is open").wake {
            self.wake.wake();
        }
    }

    /// What a peer said.
    pub(crate) fn heard(&self, from: &str) -> Vec<String> {
        self.told.borrow().entries.get(from).cloned().unwrap_or_default()
    }
}

/// A node that finds others through 127.255.255.255.
pub(crate) fn config(name: &str, port: u16) -> MeshConfig {
    MeshConfig {
        host: LOOPBACK.into(),
        port,
        name: name.into(),
        discovery: Discovery::Broadcast("127.255.255.255".into()),
        ..MeshConfig::default()
    }
}

/// A node that finds others only through those that it is told of.
pub(crate) fn listed(name: &str, port: u16, peers: &[u16]) -> MeshConfig {
    let peers = peers.iter().map(|port| format!("{LOOPBACK}:{port}")).collect();
    MeshConfig { discovery: Discovery::Off, peers, ..config(name, port) }
}

/// A port that nobody has, neither of UDP nor of TCP.
pub(crate) fn free_port() -> u16 {
    loop {
        let tcp = TcpListener::bind((LOOPBACK, 0)).unwrap();
        let port = tcp.local_addr().unwrap().port();
        if UdpSocket::bind((LOOPBACK, port)).is_ok() {
            return port;
        }
    }
}

/// Waits until a condition holds, which it has to within some seconds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(8), "not in time: {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Waits until all these nodes are linked to each other.
pub(crate) async fn all_linked(nodes: &[&Node]) {
    let others = nodes.len() - 1;
    let linked = |node: &&Node| node.mesh.answered() == others && node.peers().len() == others;
    until("all are linked", || nodes.iter().all(linked)).await;
}
