//! Counts of this node that belong to no app. It must not know who counts, nor who looks.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use channels::registry::ShardId;

/// Upper bounds of the turn times' buckets, in seconds.
pub(crate) const TURN_BUCKETS: [f64; 8] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5];

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts panics of the whole process from now on, and logs each.
pub(crate) fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Relaxed);
            tracing::error!("a bug: {info}");
            before(info);
        }));
    });
}

/// Panics of the process so far.
pub(crate) fn panics() -> u64 {
    PANICS.load(Relaxed)
}

/// The reasons for refusing a connection, as the metrics name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Path,
    UnknownKey,
    Disabled,
    Version,
    Origin,
    Quota,
    Capacity,
    /// The app cannot be looked up.
    Unavailable,
}

impl Refusal {
    /// All of them, for the metrics.
    pub(crate) const ALL: [Refusal; 8] = [
        Refusal::Path,
        Refusal::UnknownKey,
        Refusal::Disabled,
        Refusal::Version,
        Refusal::Origin,
        Refusal::Quota,
        Refusal::Capacity,
        Refusal::Unavailable,
    ];

    /// The value of the metric's `reason` label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Refusal::Path => "path",
            Refusal::UnknownKey => "unknown_key",
            Refusal::Disabled => "disabled",
            Refusal::Version => "version",
            Refusal::Origin => "origin",
            Refusal::Quota => "quota",
            Refusal::Capacity => "capacity",
            Refusal::Unavailable => "unavailable",
        }
    }
}

/// How long one shard's turns took.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    pub(crate) buckets: [AtomicU64; TURN_BUCKETS.len()],
    pub(crate) count: AtomicU64,
    pub(crate) nanos: AtomicU64,
}

/// Counters of one node; they only grow.
#[derive(Debug)]
pub(crate) struct Stats {
    pub(crate) turns: Box<[Turns]>,
    pub(crate) refused: [AtomicU64; Refusal::ALL.len()],
    pub(crate) slow_consumers: AtomicU64,
    pub(crate) dropped_peer_events: AtomicU64,
}

impl Stats {
    pub(crate) fn new(shards: u16) -> Self {
        Stats {
            turns: (0..shards).map(|_| Turns::default()).collect(),
            refused: Default::default(),
            slow_consumers: AtomicU64::new(0),
            dropped_peer_events: AtomicU64::new(0),
        }
    }

    /// A shard has taken a turn.
    pub(crate) fn turn(&self, shard: ShardId, took: Duration) {
        let turns = &self.turns[usize::from(shard.0)];
        turns.count.fetch_add(1, Relaxed);
        turns.nanos.fetch_add(took.as_nanos() as u64, Relaxed);
        let seconds = took.as_secs_f64();
        if let Some(bucket) = TURN_BUCKETS.iter().position(|&bound| seconds <= bound) {
            turns.buckets[bucket].fetch_add(1, Relaxed);
        }
    }

    /// A connection was refused.
    pub(crate) fn refused(&self, reason: Refusal) {
        self.refused[reason as usize].fetch_add(1, Relaxed);
    }

    /// An event of another node was dropped because the shards are far behind.
    pub(crate) fn dropped_peer_event(&self) {
        self.dropped_peer_events.fetch_add(1, Relaxed);
    }

    /// A connection was closed because it read too slowly.
    pub(crate) fn slow_consumer(&self) {
        self.slow_consumers.fetch_add(1, Relaxed);
    }
}
