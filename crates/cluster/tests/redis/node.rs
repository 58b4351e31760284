//! A node for tests: a driver over Redis, whose owner takes down what it is told.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cluster::broker::{Broker, BrokerConfig};
use cluster::driver::{Driver, Owner, Wake};
use cluster::redis::{RedisBus, RedisConfig};
use cluster::{EntryKind, Incarnation, Log, Output, Reason, Settings, Slot};
use tokio::time::{Instant, sleep};

/// What an owner was told.
#[derive(Default)]
pub(crate) struct Told {
    names: BTreeMap<Slot, String>,
    /// The streams to the peers that are up.
    pub(crate) logs: BTreeMap<String, Arc<Log>>,
    /// What each peer said.
    entries: BTreeMap<String, Vec<String>>,
    /// How many streams were begun, to us and by us.
    streams: usize,
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
                told.streams += 1;
                told.logs.insert(name, log);
            }
            Output::Restarted { .. } => told.streams += 1,
            Output::Entry { slot, entry } => {
                let name = told.names[&slot].clone();
                let text = String::from_utf8(entry.to_vec()).unwrap();
                told.entries.entry(name).or_default().push(text);
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
    pub(crate) broker: Broker,
    wake: Wake,
    pub(crate) told: Rc<RefCell<Told>>,
    /// How many entries it has said.
    said: usize,
}

impl Node {
    pub(crate) async fn start(number: u64, config: RedisConfig) -> Node {
        Self::start_with(number, config, Settings::default()).await
    }

    pub(crate) async fn start_with(number: u64, config: RedisConfig, settings: Settings) -> Node {
        let (told, wake) = (Rc::<RefCell<Told>>::default(), Wake::new());
        let owner = Box::new(Recorder(told.clone()));
        let me = Incarnation(number);
        let driver = Driver::new(me, settings, wake.clone(), owner);
        let bus = RedisBus::start(config, me).unwrap();
        let config = BrokerConfig { name: number.to_string(), ..BrokerConfig::default() };
        let broker = Broker::start(bus, driver, config).await;
        Node { broker, wake, told, said: 0 }
    }

    /// Says the next number to all peers.
    fn say(&mut self) {
        for log in self.told.borrow().logs.values() {
            if log.append(self.said.to_string().into(), EntryKind::Event).expect("it is open").wake
            {
                self.wake.wake();
            }
        }
        self.said += 1;
    }

    /// The names of the peers that are up.
    pub(crate) fn peers(&self) -> Vec<String> {
        self.told.borrow().logs.keys().cloned().collect()
    }
}

/// Nodes that begin to talk when all of them know each other.
pub(crate) struct Nodes(pub(crate) Vec<Node>);

impl Nodes {
    /// Three that know each other.
    pub(crate) async fn start(config: &RedisConfig) -> Nodes {
        Self::start_from(1, config).await
    }

    pub(crate) async fn start_from(first: u64, config: &RedisConfig) -> Nodes {
        let mut nodes = Vec::new();
        for number in first..first + 3 {
            nodes.push(Node::start(number, config.clone()).await);
        }
        let whole = || nodes.iter().all(|node| node.peers().len() == 2);
        until("all know each other", whole).await;
        Nodes(nodes)
    }

    /// Everybody says something every few milliseconds.
    pub(crate) async fn talk(&mut self, time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            self.0.iter_mut().for_each(Node::say);
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Everything that was said has come, in order and once, and nobody was held for dead.
    pub(crate) async fn check(&self) {
        for node in &self.0 {
            for from in self.0.iter().filter(|from| !std::ptr::eq(*from, node)) {
                let name = self.name_for(from);
                let count = || node.told.borrow().entries.get(&name).map_or(0, Vec::len);
                until("everything has come", || count() >= from.said).await;
                let expected: Vec<_> = (0..from.said).map(|number| number.to_string()).collect();
                assert!(node.told.borrow().entries[&name] == expected, "not in order, or twice");
            }
            let told = node.told.borrow();
            assert_eq!((told.streams, &told.down), (2, &vec![]), "each peer began once");
        }
    }

    /// How the others call a node: it is the one that it does not know itself.
    fn name_for(&self, node: &Node) -> String {
        let own = node.peers();
        let all = self.0.iter().flat_map(Node::peers);
        all.into_iter().find(|name| !own.contains(name)).expect("the others know it")
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(40), "not in time: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
