//! What a broker transport counts.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// A number that only goes up.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// How often it has happened.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    pub(crate) fn add(&self) {
        self.add_many(1);
    }

    pub(crate) fn add_many(&self, many: usize) {
        self.0.fetch_add(many as u64, Relaxed);
    }
}

/// What a broker transport has seen since its start. Counted on its thread, read on any.
#[derive(Debug, Default)]
pub struct BrokerCounters {
    up: AtomicBool,
    /// Messages that were handed to the broker.
    pub messages_out: Counter,
    /// The bytes of those.
    pub bytes_out: Counter,
    /// Messages that came from the broker, our own hellos among them.
    pub messages_in: Counter,
    /// The bytes of those.
    pub bytes_in: Counter,
    /// Hellos that we said.
    pub hellos_sent: Counter,
    /// Hellos of others that were heard.
    pub hellos_heard: Counter,
    /// Hellos that were refused because their sender has another agreement.
    pub disagreements: Counter,
    /// Messages of no kind that we know, or broken ones; all ignored.
    pub malformed: Counter,
    /// Messages that the broker did not take, so that the links had to send their content again.
    pub failed: Counter,
    /// How often the connection stood again after it had broken.
    pub reconnects: Counter,
    /// How often the way to the broker and back was lost.
    pub outages: Counter,
}

impl BrokerCounters {
    /// Whether what we say comes back from the broker, so that peers hear us, and we them.
    pub fn up(&self) -> bool {
        self.up.load(Relaxed)
    }

    pub(super) fn set_up(&self, up: bool) {
        self.up.store(up, Relaxed);
    }
}
