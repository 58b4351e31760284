//! What is counted, per app and target. It must not know how it is shown.

use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;

use crate::{Destination, Failure, Outcome, Reason};

/// Pairs of app and target that are counted by themselves; all others are counted together.
pub const MAX_SERIES: usize = 1000;

/// What the pairs beyond [`MAX_SERIES`] are called.
pub const OTHER: &str = "other";

/// The upper ends of [`Latency`]'s buckets, in seconds; the last bucket has none.
pub const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 30.0];

/// What is known of one target of one app.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetCounters {
    /// The app's id, or [`OTHER`].
    pub app: Arc<str>,
    /// A host, `lambda:function`, or [`OTHER`].
    pub target: Arc<str>,
    /// What came of attempts.
    pub attempts: Attempts,
    /// How long attempts took.
    pub latency: Latency,
    /// Events that arrived.
    pub events_delivered: u64,
    /// Events in jobs that were given up.
    pub events_given_up: u64,
    /// Jobs that were given up.
    pub given_up: GivenUp,
    /// Jobs that wait or are under way now.
    pub pending_jobs: usize,
    /// What those take, in bytes.
    pub pending_bytes: usize,
    /// For how long the oldest of them has been here.
    pub oldest: Duration,
}

/// What came of attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Arrived.
    pub delivered: u64,
    /// Answered with a status other than 200 to 299.
    pub status: u64,
    /// Not answered in time.
    pub timed_out: u64,
    /// Not made, for the address is private.
    pub private: u64,
    /// Nobody was there, or the connection broke.
    pub unreachable: u64,
    /// AWS Lambda refused, or the function failed.
    pub function: u64,
    /// Not made, for the app could not be looked up, is gone, or its webhook cannot be used.
    pub not_made: u64,
}

impl Attempts {
    /// Each class by its name.
    pub fn classes(&self) -> [(&'static str, u64); 7] {
        [
            ("delivered", self.delivered),
            ("status", self.status),
            ("timed_out", self.timed_out),
            ("private", self.private),
            ("unreachable", self.unreachable),
            ("function", self.function),
            ("not_made", self.not_made),
        ]
    }

    fn count(&mut self, result: &Result<(), Failure>) {
        let class = match result {
            Ok(()) => &mut self.delivered,
            Err(Failure::Status { .. }) => &mut self.status,
            Err(Failure::TimedOut(_)) => &mut self.timed_out,
            Err(Failure::Private(_)) => &mut self.private,
            Err(Failure::Unreachable(_)) => &mut self.unreachable,
            Err(Failure::Function(_)) => &mut self.function,
            Err(Failure::Credentials(_) | Failure::UnknownApp | Failure::Unusable(_)) => {
                &mut self.not_made
            }
        };
        *class += 1;
    }
}

/// Jobs that were given up, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// Too much was waiting.
    pub full: u64,
    /// The target failed for too long.
    pub expired: u64,
    /// It was of no use to try.
    pub hopeless: u64,
}

impl GivenUp {
    /// Each reason by its name.
    pub fn reasons(&self) -> [(&'static str, u64); 3] {
        [("full", self.full), ("expired", self.expired), ("hopeless", self.hopeless)]
    }
}

/// How long attempts took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    /// All together.
    pub sum: Duration,
    /// How many.
    pub count: u64,
    /// How many took up to as long as [`BUCKETS`] says and longer than the bucket before; the last
    /// one is for those that took even longer.
    pub buckets: [u64; BUCKETS.len() + 1],
}

impl Latency {
    fn count(&mut self, took: Duration) {
        self.sum += took;
        self.count += 1;
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|end| seconds <= *end).unwrap_or(BUCKETS.len());
        self.buckets[bucket] += 1;
    }
}

/// All that is counted.
#[derive(Debug, Default)]
pub(crate) struct WebhookCounters {
    series: HashMap<(Arc<str>, Arc<str>), TargetCounters>,
    other: Option<TargetCounters>,
}

impl WebhookCounters {
    /// The series of a destination.
    pub(crate) fn of(&mut self, to: &Destination) -> &mut TargetCounters {
        let key = (to.app.clone(), to.label.clone());
        if !self.series.contains_key(&key) && self.series.len() >= MAX_SERIES {
            return self
                .other
                .get_or_insert_with(|| TargetCounters::new(OTHER.into(), OTHER.into()));
        }
        let (app, target) = key.clone();
        self.series.entry(key).or_insert_with(|| TargetCounters::new(app, target))
    }

    /// A copy of all series.
    pub(crate) fn all(&self) -> Vec<TargetCounters> {
        self.series.values().chain(&self.other).cloned().collect()
    }

    /// Forgets what was waiting, before it is counted anew.
    pub(crate) fn clear_pending(&mut self) {
        for series in self.series.values_mut().chain(&mut self.other) {
            (series.pending_jobs, series.pending_bytes) = (0, 0);
            series.oldest = Duration::ZERO;
        }
    }
}

impl TargetCounters {
    fn new(app: Arc<str>, target: Arc<str>) -> Self {
        TargetCounters {
            app,
            target,
            attempts: Attempts::default(),
            latency: Latency::default(),
            events_delivered: 0,
            events_given_up: 0,
            given_up: GivenUp::default(),
            pending_jobs: 0,
            pending_bytes: 0,
            oldest: Duration::ZERO,
        }
    }

    pub(crate) fn attempted(&mut self, took: Duration, result: &Result<(), Failure>) {
        self.attempts.count(result);
        self.latency.count(took);
    }

    pub(crate) fn finished(&mut self, events: u32, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Delivered => {
                self.events_delivered += u64::from(events);
                return;
            }
            Outcome::GivenUp(Reason::Full) => &mut self.given_up.full,
            Outcome::GivenUp(Reason::Expired { .. }) => &mut self.given_up.expired,
            Outcome::GivenUp(Reason::Hopeless(_)) => &mut self.given_up.hopeless,
        };
        *counter += 1;
        self.events_given_up += u64::from(events);
    }
}
