//! How long to wait before trying again.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(100);
/// Short, because a broker that is back should be found at once, and an attempt costs it little.
const LONGEST: Duration = Duration::from_secs(1);
/// A connection that lasted for so long was a success.
const LASTED: Duration = Duration::from_secs(5);

/// Pauses between attempts, the shortest again after a connection that lasted.
pub(super) struct Backoff(failures::Backoff);

impl Backoff {
    pub(super) fn new() -> Self {
        Backoff(failures::Backoff::new(SHORTEST, LONGEST))
    }

    /// The next pause, after a connection that lasted for so long. Only one that lasted was a
    /// success: a server may let us in and refuse the rest.
    pub(super) fn next(&mut self, lasted: Duration) -> Duration {
        if lasted >= LASTED {
            self.0.reset();
        }
        self.0.pause()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_a_connection_lasts() {
        let mut backoff = Backoff::new();
        let pauses: Vec<_> = (0..20).map(|_| backoff.next(Duration::from_secs(1))).collect();
        assert!(SHORTEST / 2 <= pauses[0] && pauses[0] <= SHORTEST);
        assert!(pauses.iter().all(|pause| *pause <= LONGEST));
        assert!(pauses[10..].iter().all(|pause| *pause >= LONGEST / 2));
        assert!(backoff.next(LASTED) <= SHORTEST);
    }
}
