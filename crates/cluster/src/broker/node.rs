//! This node's end of a broker transport: what its tasks share.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::counters::BrokerCounters;
use super::health::BrokerHealth;
use super::message::Hello;
use crate::driver::Driver;
use crate::warnings::Warnings;
use crate::{Disagreement, Incarnation, PeerInfo, VERSION};

/// The least time between two hellos, however many ask for one.
const HELLO_PAUSE: Duration = Duration::from_millis(50);
/// For how long a peer that said goodbye is not believed when it seems to say more: a broker may
/// deliver that late.
const DEPARTED: Duration = Duration::from_secs(10);
/// How many of them are remembered.
const MAX_DEPARTED: usize = 1024;

/// Owned by the broker and its tasks, all on one thread.
pub(super) struct BrokerNode {
    pub(super) driver: Rc<Driver>,
    pub(super) counters: Arc<BrokerCounters>,
    /// Something has changed for the writer.
    pub(super) changed: Notify,
    /// What we sent to ourselves at last came back, and so everything has gone out.
    pub(super) parted: Notify,
    /// We go: no more hellos.
    pub(super) leaving: Cell<bool>,
    name: String,
    hello_interval: Duration,
    sight: RefCell<BrokerHealth>,
    /// When the last hello was said over this connection.
    said: Cell<Option<Instant>>,
    /// A hello is due as soon as possible.
    wanted: Cell<bool>,
    /// The next hello asks for answers.
    asks: Cell<bool>,
    departed: RefCell<BTreeMap<Incarnation, Instant>>,
    warnings: Warnings,
}

impl BrokerNode {
    /// A node that is blind.
    pub(super) fn new(driver: Rc<Driver>, name: String, hello_interval: Duration) -> Rc<Self> {
        let node_timeout = driver.settings().node_timeout;
        driver.set_blind(true);
        Rc::new(BrokerNode {
            counters: Arc::default(),
            changed: Notify::new(),
            parted: Notify::new(),
            leaving: Cell::new(false),
            name,
            hello_interval: hello_interval.min(node_timeout / 4),
            sight: RefCell::new(BrokerHealth::new(Instant::now(), node_timeout)),
            said: Cell::new(None),
            wanted: Cell::new(false),
            asks: Cell::new(false),
            departed: RefCell::default(),
            warnings: Warnings::default(),
            driver,
        })
    }

    /// Whether packets come through, as far as we know.
    pub(super) fn sees(&self) -> bool {
        self.sight.borrow().sees()
    }

    /// The connection stands.
    pub(super) fn up(&self, again: bool) {
        self.sight.borrow_mut().connect();
        if again {
            self.counters.reconnects.add();
        }
        self.said.set(None);
        self.want_hello(true);
    }

    /// The connection broke, which the bus has logged.
    pub(super) fn down(&self, reason: &str) {
        let saw = self.sight.borrow_mut().disconnect();
        if saw {
            self.blinded();
        }
        tracing::debug!(reason, "the broker is down, peers' clocks stand still");
    }

    /// The broker did not take a message.
    pub(super) fn interrupt(&self, error: &dyn std::error::Error) {
        let saw = self.sight.borrow_mut().interrupt();
        if saw {
            self.blinded();
            tracing::debug!(%error, "what the broker did not take is sent again");
        }
        self.want_hello(true);
    }

    /// Lets time pass: notices that our hellos do not come back, and that everybody else is back.
    pub(super) fn watch(&self) {
        let silence = self.sight.borrow_mut().check(Instant::now());
        if let Some(silence) = silence {
            self.blinded();
            tracing::warn!(?silence, "our own hellos do not come back from the broker");
        }
        self.settle();
    }

    /// This process was away for longer than we wait for our hello.
    pub(super) fn resume(&self) {
        self.sight.borrow_mut().resume(Instant::now());
    }

    /// A hello came.
    pub(super) fn heard(&self, hello: Hello) {
        if hello.peer.incarnation == self.driver.me() {
            return self.heard_ourselves(hello.number);
        }
        self.counters.hellos_heard.add();
        if self.has_departed(hello.peer.incarnation) {
            return;
        }
        if hello.asks {
            self.want_hello(false);
        }
        match hello.peer.agrees_with(self.driver.settings().agreement) {
            Ok(()) => self.driver.found(hello.peer),
            Err(error) => self.refuse(&error),
        }
    }

    /// Counts a node that must not be a peer, and says so, rarely: its hellos come again and again.
    fn refuse(&self, error: &Disagreement) {
        self.counters.disagreements.add();
        self.warnings.warn(format!("cluster refuses a node: {error}"));
    }

    /// A hello is due as soon as possible.
    pub(super) fn want_hello(&self, asks: bool) {
        self.wanted.set(true);
        self.asks.set(asks || self.asks.get());
        self.changed.notify_one();
    }

    /// When the next hello is due; none if there is nobody to say it to.
    pub(super) fn hello_due(&self) -> Option<Instant> {
        let mute = self.leaving.get() || !self.sight.borrow().is_connected();
        let pause = if self.wanted.get() { HELLO_PAUSE } else { self.hello_interval };
        (!mute).then(|| self.said.get().map_or_else(Instant::now, |said| said + pause))
    }

    /// A hello, if it is time for one.
    pub(super) fn next_hello(&self) -> Option<Bytes> {
        self.hello_due().filter(|due| *due <= Instant::now())?;
        self.said.set(Some(Instant::now()));
        self.wanted.set(false);
        self.counters.hellos_sent.add();
        let mut sight = self.sight.borrow_mut();
        let peer = PeerInfo {
            incarnation: self.driver.me(),
            name: self.name.clone(),
            version: VERSION,
            agreement: self.driver.settings().agreement,
        };
        // Whoever is blind has missed what others said, and wants to know who is there.
        let asks = self.asks.take() || !sight.sees();
        Some(Hello { peer, number: sight.number(), asks }.encode())
    }

    /// A peer has said goodbye.
    pub(super) fn depart(&self, peer: Incarnation) {
        let mut departed = self.departed.borrow_mut();
        departed.retain(|_, at| at.elapsed() < DEPARTED);
        if departed.len() < MAX_DEPARTED {
            departed.insert(peer, Instant::now());
        }
    }

    /// Whether a peer said goodbye a while ago.
    pub(super) fn has_departed(&self, peer: Incarnation) -> bool {
        let departed = self.departed.borrow();
        departed.get(&peer).is_some_and(|at| at.elapsed() < DEPARTED)
    }

    fn heard_ourselves(&self, number: u64) {
        let proved = self.sight.borrow_mut().confirm(Instant::now(), number);
        let Some(torn) = proved else { return };
        self.counters.set_up(true);
        let peers = self.driver.peers();
        tracing::debug!(peers = peers.len(), "our hello came back from the broker");
        if torn {
            peers.iter().for_each(|peer| self.driver.reconnected(peer.info.incarnation));
        }
        self.settle();
        self.changed.notify_one();
    }

    /// Lets peers' clocks run again if it is time for that.
    fn settle(&self) {
        let heard = |within| self.driver.peers().iter().all(|peer| peer.silent_for <= within);
        let settled = self.sight.borrow_mut().settle(Instant::now(), heard);
        if settled {
            self.driver.set_blind(false);
        }
    }

    fn blinded(&self) {
        self.driver.set_blind(true);
        self.counters.set_up(false);
        self.counters.outages.add();
    }
}
