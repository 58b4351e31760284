//! How many things happened in each second of a time.

use std::fmt;
use std::time::{Duration, Instant};

/// Counts by second, from the first thing to the last one.
pub(crate) struct Histogram(Vec<usize>);

impl Histogram {
    /// Of what happened from one moment to another.
    pub(crate) fn of(moments: &[Instant], from: Instant, to: Instant) -> Self {
        let mut seconds = vec![0; (to - from).as_secs_f64().ceil() as usize];
        for moment in moments.iter().filter(|moment| (from..to).contains(*moment)) {
            seconds[(*moment - from).as_secs() as usize] += 1;
        }
        Histogram(seconds)
    }

    pub(crate) fn total(&self) -> usize {
        self.0.iter().sum()
    }

    pub(crate) fn most(&self) -> usize {
        self.0.iter().copied().max().unwrap_or(0)
    }

    /// How many of them would be a second's over this time.
    pub(crate) fn mean(&self, over: Duration) -> f64 {
        self.total() as f64 / over.as_secs_f64()
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.most().max(1);
        for (second, count) in self.0.iter().enumerate() {
            let bar = "#".repeat(50 * count / longest);
            writeln!(f, "  {second:>3} s {count:>6} {bar}")?;
        }
        Ok(())
    }
}
