//! Rates by the generic cell rate algorithm: one number says when the budget will be whole again,
//! so a limit costs eight bytes and no timer.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

/// Takes `count` from a budget of `per_second`, of which one second's worth may be used at once.
///
/// `full_at` is when the budget will be whole again, `now` is the same clock; both in nanoseconds.
/// Gives the new `full_at`, or how long to wait until `count` will be there.
fn take(full_at: u64, now: u64, count: u32, per_second: u32) -> Result<u64, Duration> {
    if per_second == 0 {
        return Err(Duration::from_secs(1));
    }
    let cost = u64::from(count) * SECOND / u64::from(per_second);
    let full_at = full_at.max(now) + cost;
    match full_at.checked_sub(now + SECOND) {
        None | Some(0) => Ok(full_at),
        Some(too_early) => Err(Duration::from_nanos(too_early)),
    }
}

/// A budget with one owner.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gcra(u64);

impl Gcra {
    /// Takes `count`, or says how long to wait. `now` is in nanoseconds of any one clock.
    pub fn take(&mut self, now: u64, count: u32, per_second: u32) -> Result<(), Duration> {
        self.0 = take(self.0, now, count, per_second)?;
        Ok(())
    }
}

/// A budget that all threads draw on.
#[derive(Debug, Default)]
pub struct SharedGcra(AtomicU64);

impl SharedGcra {
    /// As [`Gcra::take`].
    pub fn take(&self, now: u64, count: u32, per_second: u32) -> Result<(), Duration> {
        let mut full_at = self.0.load(Relaxed);
        loop {
            let next = take(full_at, now, count, per_second)?;
            match self.0.compare_exchange_weak(full_at, next, Relaxed, Relaxed) {
                Ok(_) => return Ok(()),
                Err(changed) => full_at = changed,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_worth_the_rate_and_no_more() {
        let mut budget = Gcra::default();
        let start = 5 * SECOND;
        for _ in 0..10 {
            budget.take(start, 1, 10).unwrap();
        }
        assert_eq!(budget.take(start, 1, 10), Err(Duration::from_millis(100)));
        budget.take(start + SECOND / 10, 1, 10).unwrap();
        assert!(budget.take(start + SECOND / 10, 1, 10).is_err());
        for _ in 0..10 {
            budget.take(start + 9 * SECOND, 1, 10).unwrap();
        }
        assert!(budget.take(start + 9 * SECOND, 1, 10).is_err());
    }

    #[test]
    fn several_are_taken_together_or_not_at_all() {
        let budget = SharedGcra::default();
        budget.take(0, 7, 10).unwrap();
        assert_eq!(budget.take(0, 4, 10), Err(Duration::from_millis(100)));
        budget.take(0, 3, 10).unwrap();
        assert!(budget.take(0, 11, 10).is_err());
        assert!(budget.take(100 * SECOND, 11, 10).is_err());
    }

    #[test]
    fn a_rate_of_zero_allows_nothing() {
        assert!(Gcra::default().take(SECOND, 1, 0).is_err());
    }
}
