//! How long to wait before trying again.

use std::time::Duration;

/// A connection that lasted for so long was a success: a server may let us in and refuse the rest.
const SUCCESS: Duration = Duration::from_secs(5);

/// Pauses that double, each half of it random, so that what failed together does not come back
/// together.
#[derive(Clone, Debug)]
pub struct Backoff {
    shortest: Duration,
    longest: Duration,
    /// In a row.
    failures: u32,
}

impl Backoff {
    /// Pauses between these; the first one is the shortest.
    pub const fn new(shortest: Duration, longest: Duration) -> Self {
        Backoff { shortest, longest, failures: 0 }
    }

    /// The pause that is due after one more failure.
    pub fn pause(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        // Without randomness the pauses are only less even.
        self.after(self.failures, getrandom::u32().unwrap_or_default())
    }

    /// The pause that is due when a connection has ended that lasted for so long; zero if there
    /// was none.
    pub fn pause_after(&mut self, lasted: Duration) -> Duration {
        if lasted >= SUCCESS {
            self.reset();
        }
        self.pause()
    }

    /// It worked: the next pause is the shortest again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The pause after so many failures in a row, of which the first is 1; `random` is from all of
    /// `u32`.
    pub fn after(&self, failures: u32, random: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let pause = self.shortest.saturating_mul(1 << doublings).min(self.longest);
        pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: Duration = Duration::from_secs(1);
    const LONGEST_PAUSE: Duration = Duration::from_secs(30);

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let mut backoff = Backoff::new(SHORTEST, LONGEST_PAUSE);
        let first = backoff.pause();
        assert!(SHORTEST / 2 <= first && first <= SHORTEST);
        let pauses: Vec<_> = (0..20).map(|_| backoff.pause()).collect();
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE));
        assert!(pauses[10..].iter().all(|pause| *pause >= LONGEST_PAUSE / 2));
        backoff.reset();
        assert!(backoff.pause() <= SHORTEST);
    }

    #[test]
    fn pauses_grow_until_a_connection_lasts() {
        let mut backoff = Backoff::new(SHORTEST, LONGEST_PAUSE);
        let short = SUCCESS - Duration::from_millis(1);
        let pauses: Vec<_> = (0..20).map(|_| backoff.pause_after(short)).collect();
        assert!(pauses[10..].iter().all(|pause| *pause >= LONGEST_PAUSE / 2));
        assert!(backoff.pause_after(SUCCESS) <= SHORTEST);
    }

    #[test]
    fn half_of_a_pause_is_random() {
        let backoff = Backoff::new(SHORTEST, LONGEST_PAUSE);
        let seconds = |failures, random| backoff.after(failures, random).as_secs_f64();
        assert_eq!([1, 2, 3, 4, 5].map(|n| seconds(n, u32::MAX)), [1.0, 2.0, 4.0, 8.0, 16.0]);
        assert_eq!((seconds(6, u32::MAX), seconds(u32::MAX, u32::MAX)), (30.0, 30.0));
        assert_eq!((seconds(1, 0), seconds(9, 0)), (0.5, 15.0));
    }
}
