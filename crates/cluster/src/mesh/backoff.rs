//! How long to wait before trying again.

use std::time::Duration;

use crate::jitter::jittered;

const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Pauses that double, each half of it random, so that nodes that failed together do not come back
/// together.
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Backoff(SHORTEST)
    }

    /// The next pause; the one after it will be twice as long.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        jittered(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let mut backoff = Backoff::new();
        let first = backoff.next();
        assert!(SHORTEST / 2 <= first && first <= SHORTEST);
        let pauses: Vec<_> = (0..20).map(|_| backoff.next()).collect();
        assert!(pauses.iter().all(|pause| *pause <= LONGEST));
        assert!(pauses[10..].iter().all(|pause| *pause >= LONGEST / 2));
    }
}
