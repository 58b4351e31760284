//! A budget per second of one app, as this node sees it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::SharedGcra;

/// What a budget is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spending {
    /// Events published over HTTP.
    Events,
    /// Reading requests.
    Reads,
}

impl Spending {
    /// For keys.
    pub fn name(self) -> &'static str {
        match self {
            Spending::Events => "events",
            Spending::Reads => "reads",
        }
    }
}

/// What was granted in advance is good for this long, in nanoseconds: what is not spent is lost,
/// so that a quiet node does not hoard.
const GOOD_FOR: u64 = 1_000_000_000;

/// Shared by all threads.
#[derive(Debug, Default)]
pub struct Budget {
    /// The budget itself: of this node, or if this node deals it out, of all nodes.
    pub whole: SharedGcra,
    /// What another node that deals it out has granted in advance, and until when it is good.
    advance: AtomicU32,
    until: AtomicU64,
}

impl Budget {
    /// Takes from what was granted in advance; false if that is not enough. `now` as in
    /// [`SharedGcra::take`].
    pub fn take_advance(&self, now: u64, count: u32) -> bool {
        let less = |advance: u32| advance.checked_sub(count);
        now < self.until.load(Relaxed) && self.advance.fetch_update(Relaxed, Relaxed, less).is_ok()
    }

    /// Keeps what was granted and is not spent yet.
    pub fn put_advance(&self, now: u64, count: u32) {
        if now >= self.until.swap(now + GOOD_FOR, Relaxed) {
            self.advance.store(0, Relaxed);
        }
        self.advance.fetch_add(count, Relaxed);
    }

    /// Takes as much as there is, from `least` to `most`.
    pub fn take_between(
        &self,
        now: u64,
        (least, most): (u32, u32),
        rate: u32,
    ) -> Result<u32, Duration> {
        match self.whole.take(now, most, rate) {
            Ok(()) => Ok(most),
            Err(_) => self.whole.take(now, least, rate).map(|()| least),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advance_is_spent_once_and_does_not_keep() {
        let budget = Budget::default();
        assert!(!budget.take_advance(0, 1));
        budget.put_advance(0, 5);
        assert!(budget.take_advance(1, 3));
        assert!(!budget.take_advance(1, 3));
        assert!(budget.take_advance(GOOD_FOR - 1, 2));
        budget.put_advance(GOOD_FOR, 5);
        assert!(!budget.take_advance(3 * GOOD_FOR, 1));
        budget.put_advance(3 * GOOD_FOR, 1);
        assert!(!budget.take_advance(3 * GOOD_FOR, 2), "what was left has gone");
    }

    #[test]
    fn the_least_is_taken_if_the_most_is_not_there() {
        let budget = Budget::default();
        assert_eq!(budget.take_between(0, (1, 6), 10), Ok(6));
        assert_eq!(budget.take_between(0, (3, 6), 10), Ok(3));
        assert!(budget.take_between(0, (3, 6), 10).is_err());
    }
}
