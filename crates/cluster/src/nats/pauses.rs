//! How long to wait before trying to connect.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use failures::Backoff;

/// Short, because a broker that is back should be found at once, and an attempt costs it little.
const BETWEEN_ROUNDS: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));

/// Pauses between rounds over all servers. Within one there are none, nor before the first attempt
/// ever.
pub(super) struct Pauses {
    servers: usize,
    tried: AtomicBool,
}

impl Pauses {
    pub(super) fn new(servers: usize) -> Self {
        Pauses { servers: servers.max(1), tried: AtomicBool::new(false) }
    }

    /// The pause before an attempt: the first one since the connection broke is 1.
    pub(super) fn before(&self, attempt: usize) -> Duration {
        let before = attempt.saturating_sub(1);
        let first = !self.tried.swap(true, Relaxed);
        if first || !before.is_multiple_of(self.servers) {
            return Duration::ZERO;
        }
        let round = u32::try_from(before / self.servers).unwrap_or(u32::MAX);
        // Without randomness the pauses are only less even.
        BETWEEN_ROUNDS.after(round.saturating_add(1), getrandom::u32().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_attempt_is_made_at_once_and_others_ever_later() {
        let pauses = Pauses::new(1);
        assert_eq!(pauses.before(1), Duration::ZERO);
        for (attempt, longest) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (9999, 1000)]
        {
            let (pause, longest) = (pauses.before(attempt), Duration::from_millis(longest));
            assert!(longest / 2 <= pause && pause <= longest, "{attempt}: {pause:?}");
        }
    }

    #[test]
    fn all_servers_are_tried_before_the_next_pause() {
        let pauses = Pauses::new(3);
        pauses.before(1);
        let waits: Vec<bool> = (1..=7).map(|n| pauses.before(n) > Duration::ZERO).collect();
        assert_eq!(waits, [true, false, false, true, false, false, true]);
        assert!(pauses.before(4) >= Duration::from_millis(100));
    }
}
