//! Pauses before the next attempt, ever longer, and each a bit different.

use std::time::Duration;

/// The shortest and the longest pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long to wait the next time.
#[derive(Debug)]
pub struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Pause(PAUSES.0)
    }
}

impl Pause {
    /// The pause that is due, and the next one is longer; half of it is random, so that nodes that failed together do not come back
    /// together.
    pub fn lengthen(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(PAUSES.1);
        // Without randomness the pauses are only less even.
        let random = getrandom::u32().unwrap_or_default();
        pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
    }

    /// It worked.
    pub fn reset(&mut self) {
        *self = Pause::default();
    }
}
