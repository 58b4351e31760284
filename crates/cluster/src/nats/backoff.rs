//! How long to wait before trying to connect.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use failures::jittered;

const SHORTEST: Duration = Duration::from_millis(100);
/// Short, because a broker that is back should be found at once, and an attempt costs it little.
const LONGEST: Duration = Duration::from_secs(1);

/// Pauses that double, each half of it random, so that nodes that failed together do not come back
/// together. Within one round over all servers there are none, nor before the first attempt ever.
pub(super) struct Backoff {
    servers: usize,
    tried: AtomicBool,
}

impl Backoff {
    pub(super) fn new(servers: usize) -> Self {
        Backoff { servers: servers.max(1), tried: AtomicBool::new(false) }
    }

    /// The pause before an attempt: the first one since the connection broke is 1.
    pub(super) fn pause(&self, attempt: usize) -> Duration {
        let before = attempt.saturating_sub(1);
        let first = !self.tried.swap(true, Relaxed);
        if first || !before.is_multiple_of(self.servers) {
            return Duration::ZERO;
        }
        let doublings = (before / self.servers).min(16) as u32;
        let pause = (SHORTEST * 2_u32.pow(doublings)).min(LONGEST);
        // Without randomness the pauses are only less even.
        jittered(pause, getrandom::u32().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_attempt_is_made_at_once_and_others_ever_later() {
        let backoff = Backoff::new(1);
        assert_eq!(backoff.pause(1), Duration::ZERO);
        for (attempt, longest) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (9999, 1000)]
        {
            let (pause, longest) = (backoff.pause(attempt), Duration::from_millis(longest));
            assert!(longest / 2 <= pause && pause <= longest, "{attempt}: {pause:?}");
        }
    }

    #[test]
    fn all_servers_are_tried_before_the_next_pause() {
        let backoff = Backoff::new(3);
        backoff.pause(1);
        let waits: Vec<bool> = (1..=7).map(|n| backoff.pause(n) > Duration::ZERO).collect();
        assert_eq!(waits, [true, false, false, true, false, false, true]);
        assert!(backoff.pause(4) >= SHORTEST);
    }
}
