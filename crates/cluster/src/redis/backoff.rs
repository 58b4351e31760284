//! How long to wait before trying again.

use std::time::Duration;

use crate::jitter::jittered;

const SHORTEST: Duration = Duration::from_millis(100);
/// Short, because a broker that is back should be found at once, and an attempt costs it little.
const LONGEST: Duration = Duration::from_secs(1);
/// A connection that lasted for so long was a success.
const LASTED: Duration = Duration::from_secs(5);

/// Pauses that double, each half of it random, so that nodes that failed together do not come back
/// together.
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Backoff(SHORTEST)
    }

    /// The next pause, after a connection that lasted for so long; the one after it will be twice
    /// as long. Only one that lasted was a success: a server may let us in and refuse the rest.
    pub(super) fn next(&mut self, lasted: Duration) -> Duration {
        if lasted >= LASTED {
            self.0 = SHORTEST;
        }
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        jittered(pause)
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
