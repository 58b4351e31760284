//! The progress line. It must not know what gets along.

use std::time::{Duration, Instant};

/// A line on standard error, once a second.
pub(crate) struct Progress {
    label: &'static str,
    began: Instant,
    next: Instant,
    last: usize,
}

impl Progress {
    /// Begins now; every line starts with `label`.
    pub(crate) fn new(label: &'static str) -> Self {
        let began = Instant::now();
        Self { label, began, next: began + Duration::from_secs(1), last: 0 }
    }

    /// When the next line is due: nobody should wait longer than this.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// Shows `done` (so far, of `what`) and its rate, if a second has gone by.
    pub(crate) fn show(&mut self, now: Instant, done: usize, what: &str) {
        if now < self.next {
            return;
        }
        let since = 1.0 + now.duration_since(self.next).as_secs_f64();
        let rate = done.saturating_sub(self.last) as f64 / since;
        let at = now.duration_since(self.began).as_secs_f64();
        eprintln!("{}: {at:5.1} s  {done} {what}  {rate:.0}/s", self.label);
        self.last = done;
        self.next = now + Duration::from_secs(1);
    }
}
