//! What shards and the loader share about apps that are looked up: who waits, what is fresh, whether
//! the store answers. Its lock is short and taken only by those who find nothing fresh.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::freshness::Policy;
use super::pending::PendingLookups;

/// Owned by the node, if its apps are in a store.
#[derive(Debug)]
pub(super) struct Lookups {
    pub(super) policy: Policy,
    /// The store's name, as in `appManager.driver`.
    pub(super) store: &'static str,
    pending: Mutex<PendingLookups>,
    /// Tells the loader that somebody waits.
    pub(super) asked: Notify,
    pub(super) counts: Counts,
    /// The store has answered at least once.
    pub(super) reached: AtomicBool,
    /// The last question had an answer.
    pub(super) up: AtomicBool,
    /// Everything is to be looked up again, however fresh.
    pub(super) anew: AtomicBool,
    started: Instant,
}

/// Counters; they only grow.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) hits: AtomicU64,
    pub(super) found: AtomicU64,
    pub(super) unknown: AtomicU64,
    pub(super) errors: AtomicU64,
    pub(super) overflows: AtomicU64,
    pub(super) queries: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) nanos: AtomicU64,
}

/// What the metrics tell about looking apps up.
#[derive(Clone, Debug)]
pub(crate) struct LookupNumbers {
    /// Look-ups by what became of them.
    pub(crate) outcomes: [(&'static str, u64); 5],
    /// Questions that the store was asked, those of them that it did not answer, and how long all
    /// of them took.
    pub(crate) queries: u64,
    pub(crate) failures: u64,
    pub(crate) took: Duration,
    /// Ids and keys that are known not to be there, and those that somebody waits for.
    pub(crate) unknown: usize,
    pub(crate) waiting: usize,
    /// Whether the last question had an answer.
    pub(crate) up: bool,
}

impl Lookups {
    pub(super) fn new(store: &'static str, policy: Policy) -> Self {
        Lookups {
            policy,
            store,
            pending: Mutex::default(),
            asked: Notify::new(),
            counts: Counts::default(),
            reached: AtomicBool::new(false),
            up: AtomicBool::new(false),
            anew: AtomicBool::new(false),
            started: Instant::now(),
        }
    }

    /// Never held across anything that waits.
    pub(super) fn pending(&self) -> MutexGuard<'_, PendingLookups> {
        self.pending.lock()
    }

    /// Milliseconds since the node started.
    pub(super) fn now(&self) -> u64 {
        self.millis(Instant::now())
    }

    pub(super) fn millis(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.started).as_millis() as u64
    }

    /// Whether the store was there and is away: then what is known serves for longer.
    pub(super) fn is_away(&self) -> bool {
        !self.up.load(Relaxed)
    }

    pub(super) fn numbers(&self) -> LookupNumbers {
        let of = |count: &AtomicU64| count.load(Relaxed);
        let counts = &self.counts;
        let pending = self.pending();
        LookupNumbers {
            outcomes: [
                ("hit", of(&counts.hits)),
                ("found", of(&counts.found)),
                ("unknown", of(&counts.unknown)),
                ("error", of(&counts.errors)),
                ("overflow", of(&counts.overflows)),
            ],
            queries: of(&counts.queries),
            failures: of(&counts.failures),
            took: Duration::from_nanos(of(&counts.nanos)),
            unknown: pending.unknown.len(),
            waiting: pending.len(),
            up: self.up.load(Relaxed),
        }
    }
}
