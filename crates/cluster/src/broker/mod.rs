//! What all transports over a broker share; it knows no broker by name.
//!
//! ```text
//!   Bus      a broker: its messages and whether it is there
//!    |
//!   reader   hellos, packets and their parts, to the driver
//!   writer   hellos and packets, from the driver; one message each, or several parts
//!   health   does what we say come back?
//! ```
//!
//! **Finding.** Every node says hello to everybody, now and then, and at once when it is connected;
//! that hello asks for answers, so a start takes milliseconds. Packets go to the inboxes of single
//! nodes.
//!
//! **Blindness.** While our own hellos do not come back from the broker it is not the peers who are
//! dead: their clocks stand still, and packets wait in the logs.

mod bus;
mod config;
mod counters;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod health;
mod message;
mod node;
mod parts;
mod reader;
mod writer;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

pub use bus::{Bus, BusError, BusEvent, To};
pub use config::BrokerConfig;
pub use counters::{BrokerCounters, Counter};

use crate::driver::Driver;
use node::BrokerNode;

/// How long a node that goes waits until its goodbyes are with the broker.
const PARTING: Duration = Duration::from_millis(200);

/// A node that takes part over a broker, until [`stop`](Self::stop) or until it is dropped.
pub struct Broker {
    node: Rc<BrokerNode>,
    tasks: JoinSet<()>,
}

impl Broker {
    /// Begins to look for peers, which `driver` is told of; whether the broker is there or not. To
    /// be called on the driver's thread, inside of a `LocalSet` or a local runtime; all tasks stay
    /// on it.
    pub async fn start<B: Bus>(bus: B, driver: Rc<Driver>, config: BrokerConfig) -> Broker {
        let (bus, node) =
            (Rc::new(bus), BrokerNode::new(driver, config.name, config.hello_interval));
        let mut tasks = JoinSet::new();
        tasks.spawn_local(node.driver.clone().keep_time());
        tasks.spawn_local(watch(node.clone()));
        tasks.spawn_local(reader::read(bus.clone(), node.clone()));
        tasks.spawn_local(writer::write(bus, node.clone()));
        Broker { node, tasks }
    }

    /// Whether what we say comes back from the broker, so that peers hear us, and we them.
    pub fn is_up(&self) -> bool {
        self.node.counters.up()
    }

    /// What has been seen so far; counts on by itself.
    pub fn counters(&self) -> &Arc<BrokerCounters> {
        &self.node.counters
    }

    /// Says goodbye to all peers, waits for a moment until that is with the broker, and leaves it.
    /// The driver is of no use afterwards.
    pub async fn stop(mut self) {
        self.node.leaving.set(true);
        self.node.driver.goodbye();
        if self.is_up() {
            let _ = timeout(PARTING, self.node.parted.notified()).await;
        }
        self.tasks.shutdown().await;
        self.node.counters.set_up(false);
    }
}

/// Lets time pass for the node, for ever.
async fn watch(node: Rc<BrokerNode>) {
    let node_timeout = node.driver.settings().node_timeout;
    let pause = (node_timeout / 16).max(Duration::from_millis(1));
    loop {
        let began = Instant::now();
        sleep(pause).await;
        if began.elapsed() > node_timeout / 2 {
            node.resume();
        }
        node.watch();
    }
}
