//! Log lines that could come as often as something fails.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Says when a line may be written: at most once in a while.
#[derive(Debug)]
pub struct LogThrottle {
    every: Duration,
    last: Mutex<Option<Instant>>,
}

impl Default for LogThrottle {
    fn default() -> Self {
        Self::new()
    }
}

impl LogThrottle {
    /// Once in ten seconds.
    pub const fn new() -> Self {
        Self::every(Duration::from_secs(10))
    }

    /// Once in so long.
    pub const fn every(every: Duration) -> Self {
        LogThrottle { every, last: Mutex::new(None) }
    }

    /// Whether it is time, as it is at first; then it is not for a while.
    pub fn may_log(&self) -> bool {
        let mut last = self.last.lock();
        let is_time = last.is_none_or(|last| last.elapsed() >= self.every);
        if is_time {
            *last = Some(Instant::now());
        }
        is_time
    }
}

/// Says the same for each of many kinds of lines, which are told apart by a key.
#[derive(Debug)]
pub struct LogThrottles<K> {
    every: Duration,
    most: usize,
    lines: Mutex<HashMap<K, Line>>,
}

#[derive(Debug)]
struct Line {
    last: Instant,
    /// How often it was not written since.
    unsaid: u64,
}

impl<K: Eq + Hash> LogThrottles<K> {
    /// Each once in so long, and no more than `most` different ones in that time: whoever can
    /// invent keys cannot flood the log.
    pub fn new(every: Duration, most: usize) -> Self {
        LogThrottles { every, most, lines: Mutex::default() }
    }

    /// How often this line was not written since it was written last, if it may be written now;
    /// then it may not for a while.
    pub fn may_log(&self, key: K) -> Option<u64> {
        self.may_log_at(key, Instant::now())
    }

    fn may_log_at(&self, key: K, now: Instant) -> Option<u64> {
        let mut lines = self.lines.lock();
        if let Some(line) = lines.get_mut(&key) {
            if now < line.last + self.every {
                line.unsaid += 1;
                return None;
            }
            line.last = now;
            return Some(std::mem::take(&mut line.unsaid));
        }
        if lines.len() >= self.most {
            lines.retain(|_, line| now < line.last + self.every);
        }
        let has_room = lines.len() < self.most;
        has_room.then(|| {
            lines.insert(key, Line { last: now, unsaid: 0 });
            0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(10);

    #[test]
    fn twice_is_too_often() {
        let throttle = LogThrottle::new();
        assert!(throttle.may_log());
        assert!(!throttle.may_log());
        let always = LogThrottle::every(Duration::ZERO);
        assert!(always.may_log() && always.may_log());
    }

    #[test]
    fn each_line_has_its_own_time_and_what_is_not_said_is_counted() {
        let (lines, start) = (LogThrottles::new(EVERY, 10), Instant::now());
        let at = |key, second| lines.may_log_at(key, start + Duration::from_secs(second));
        assert_eq!((at("one", 1), at("two", 1)), (Some(0), Some(0)));
        assert_eq!((at("one", 2), at("one", 10)), (None, None));
        assert_eq!((at("one", 11), at("two", 12)), (Some(2), Some(0)));
    }

    #[test]
    fn strangers_cannot_flood_the_log_with_names() {
        let (lines, start) = (LogThrottles::new(EVERY, 50), Instant::now());
        let written = |second| {
            let at = start + Duration::from_secs(second);
            (0..1000).filter(|n| lines.may_log_at(second * 1000 + n, at).is_some()).count()
        };
        assert_eq!([written(0), written(9), written(10)], [50, 0, 50]);
    }
}
