//! Pauses that differ, so that nodes that failed together do not come back together.

use std::time::Duration;

/// A pause, half of it random.
pub(crate) fn jittered(pause: Duration) -> Duration {
    // Without randomness the pauses are only less even.
    let random = getrandom::u32().unwrap_or_default();
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}
