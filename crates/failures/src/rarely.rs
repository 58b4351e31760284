//! Log lines that could come as often as something fails.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How often one of them is written.
const EVERY: Duration = Duration::from_secs(10);

/// Says when a line may be written: at most once in ten seconds.
#[derive(Debug, Default)]
pub struct Rarely(Mutex<Option<Instant>>);

impl Rarely {
    /// It is time at once.
    pub const fn new() -> Self {
        Rarely(Mutex::new(None))
    }

    /// Whether it is time; then it is not for a while.
    pub fn now(&self) -> bool {
        let mut last = self.0.lock();
        let now = last.is_none_or(|last| last.elapsed() >= EVERY);
        if now {
            *last = Some(Instant::now());
        }
        now
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn twice_is_too_often() {
        let rarely = super::Rarely::new();
        assert!(rarely.now());
        assert!(!rarely.now());
    }
}
