//! A node for tests: what it says are the numbers from 1 on, to everybody, and it checks that it
//! hears the same of others.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cluster::broker::{Broker, BrokerConfig, Bus};
use cluster::driver::{Driver, Owner, Wake};
use cluster::{EntryKind, Incarnation, Log, Output, Reason, Settings, Slot};
use tokio::time::{Instant, sleep};

/// What an owner knows and was told.
#[derive(Default)]
pub(crate) struct Told {
    said: Cell<u64>,
    names: BTreeMap<Slot, String>,
    logs: BTreeMap<Slot, Arc<Log>>,
    /// The last number of each peer.
    pub(crate) last: BTreeMap<String, u64>,
    /// How many streams were begun to us.
    pub(crate) streams: usize,
    /// How many entries were not the next number.
    pub(crate) wrong: usize,
    pub(crate) down: Vec<(String, Reason)>,
}

impl Told {
    /// Says where we are, as every stream has to begin.
    fn begin(&mut self, slot: Slot, log: Arc<Log>) {
        let snapshot = format!("={}", self.said.get());
        log.append(snapshot.into(), EntryKind::Snapshot).unwrap();
        self.logs.insert(slot, log);
    }

    fn hear(&mut self, slot: Slot, entry: &[u8]) {
        // A number may be followed by padding.
        let text = std::str::from_utf8(entry).unwrap().trim_end();
        let name = self.names[&slot].clone();
        if let Some(snapshot) = text.strip_prefix('=') {
            self.last.insert(name, snapshot.parse().unwrap());
            return;
        }
        let number = text.parse().unwrap();
        let last = self.last.insert(name, number);
        self.wrong += usize::from(last != Some(number - 1));
    }
}

struct Recorder(Rc<RefCell<Told>>);

impl Owner for Recorder {
    fn output(&mut self, driver: &Driver, output: Output) {
        let mut told = self.0.borrow_mut();
        match output {
            Output::Up { slot, info, log } => {
                told.names.insert(slot, info.name);
                told.begin(slot, log);
            }
            Output::Stream { slot, log } => told.begin(slot, log),
            Output::Restarted { slot } => {
                let name = told.names[&slot].clone();
                told.streams += 1;
                told.last.remove(&name);
            }
            Output::Entry { slot, entry } => told.hear(slot, &entry),
            Output::Down { slot, reason, .. } => {
                let name = told.names.remove(&slot).unwrap();
                told.logs.remove(&slot);
                told.last.remove(&name);
                told.down.push((name, reason));
                driver.forget(slot);
            }
            Output::Acked { .. } | Output::Ready { .. } => {}
        }
    }
}

pub(crate) struct Node {
    pub(crate) broker: Broker,
    pub(crate) driver: Rc<Driver>,
    wake: Wake,
    told: Rc<RefCell<Told>>,
    name: String,
}

impl Node {
    pub(crate) async fn start<B: Bus>(number: u64, bus: B) -> Node {
        Self::start_with(number, bus, Settings::default()).await
    }

    pub(crate) async fn start_with<B: Bus>(number: u64, bus: B, settings: Settings) -> Node {
        let (told, wake, name) = (Rc::<RefCell<Told>>::default(), Wake::new(), number.to_string());
        let owner = Box::new(Recorder(told.clone()));
        let driver = Driver::new(Incarnation(number), settings, wake.clone(), owner);
        let config = BrokerConfig { name: name.clone(), ..BrokerConfig::default() };
        let broker = Broker::start(bus, driver.clone(), config).await;
        Node { broker, driver, wake, told, name }
    }

    /// The names of the peers that are up.
    pub(crate) fn peers(&self) -> Vec<String> {
        self.told.borrow().names.values().cloned().collect()
    }

    /// Says the next number to all peers.
    pub(crate) fn say(&self) {
        self.say_long(0);
    }

    /// Says the next number to all peers, padded to a length.
    pub(crate) fn say_long(&self, length: usize) {
        let told = self.told.borrow();
        told.said.set(told.said.get() + 1);
        let mut entry = told.said.get().to_string().into_bytes();
        entry.resize(entry.len().max(length), b' ');
        let entry = Bytes::from(entry);
        for log in told.logs.values() {
            if log.append(entry.clone(), EntryKind::Event).is_some_and(|appended| appended.wake) {
                self.wake.wake();
            }
        }
    }

    fn said(&self) -> u64 {
        self.told.borrow().said.get()
    }

    pub(crate) fn streams(&self) -> usize {
        self.told.borrow().streams
    }

    /// Who went, and why.
    pub(crate) fn down(&self) -> Vec<(String, Reason)> {
        self.told.borrow().down.clone()
    }

    /// Whether it has heard everything that the others have said so far, and nothing was wrong.
    pub(crate) fn has_all_of(&self, others: &[&Node]) -> bool {
        let told = self.told.borrow();
        assert_eq!(told.wrong, 0, "entries at {}", self.name);
        others.iter().all(|other| told.last.get(&other.name) == Some(&other.said()))
    }
}

/// Waits until a condition holds, which it has to within some seconds.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(15), "not in time: {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Waits until all these nodes have heard everything that each has said.
pub(crate) async fn all_told(nodes: &[&Node]) {
    let others = |node: &Node| {
        nodes.iter().copied().filter(|other| other.name != node.name).collect::<Vec<_>>()
    };
    until("everybody has heard everything", || {
        nodes.iter().all(|node| node.has_all_of(&others(node)))
    })
    .await;
}

/// All nodes say numbers for a while, one every 10 ms each.
pub(crate) async fn talk(nodes: &[&Node], time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        nodes.iter().for_each(|node| node.say());
        sleep(Duration::from_millis(10)).await;
    }
}

/// Nobody was held for dead, and no stream had to begin anew.
pub(crate) fn assert_undisturbed(nodes: &[&Node]) {
    for node in nodes {
        assert_eq!(node.down(), [], "at {}", node.name);
        assert_eq!(node.streams(), nodes.len() - 1, "at {}", node.name);
        assert_eq!(node.driver.losses().events(), 0, "at {}", node.name);
    }
}
