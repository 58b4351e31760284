//! How long to wait before trying again.

use std::time::Duration;

/// Pauses that double, each half of it random, so that what failed together does not come back
/// together.
#[derive(Clone, Debug)]
pub struct Backoff {
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Pauses between these; the first one is the shortest.
    pub const fn new(shortest: Duration, longest: Duration) -> Self {
        Backoff { shortest, longest, next: shortest }
    }

    /// The pause that is due; the one after it will be twice as long.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        // Without randomness the pauses are only less even.
        jittered(pause, getrandom::u32().unwrap_or_default())
    }

    /// It worked: the next pause is the shortest again.
    pub fn reset(&mut self) {
        self.next = self.shortest;
    }
}

/// A pause of which half is random: `random` is from all of `u32`.
pub fn jittered(pause: Duration, random: u32) -> Duration {
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(2);

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let mut backoff = Backoff::new(SHORTEST, LONGEST);
        let first = backoff.pause();
        assert!(SHORTEST / 2 <= first && first <= SHORTEST);
        let pauses: Vec<_> = (0..20).map(|_| backoff.pause()).collect();
        assert!(pauses.iter().all(|pause| *pause <= LONGEST));
        assert!(pauses[10..].iter().all(|pause| *pause >= LONGEST / 2));
        backoff.reset();
        assert!(backoff.pause() <= SHORTEST);
    }

    #[test]
    fn half_of_a_pause_is_random() {
        assert_eq!(jittered(LONGEST, 0), LONGEST / 2);
        assert_eq!(jittered(LONGEST, u32::MAX), LONGEST);
    }
}
