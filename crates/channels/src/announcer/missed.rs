//! Cache channels that somebody found empty: a backend hears of each once in a while, however many
//! look (W44).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::announcer::Subject;

/// How long a channel's misses count as one.
const ONCE_IN: Duration = Duration::from_secs(10);
/// The most channels that are remembered; beyond it the oldest is forgotten, and told again sooner.
const MAX_CHANNELS: usize = 100_000;

/// Owned by the announcer.
#[derive(Debug, Default)]
pub struct Missed {
    told: HashMap<Subject, Duration>,
    order: VecDeque<(Duration, Subject)>,
}

impl Missed {
    /// Whether this miss is told.
    pub fn is_news(&mut self, channel: &Subject, now: Duration) -> bool {
        while self.order.front().is_some_and(|(at, _)| *at + ONCE_IN <= now)
            || self.order.len() >= MAX_CHANNELS
        {
            self.order.pop_front().map(|(_, channel)| self.told.remove(&channel));
        }
        if self.told.contains_key(channel) {
            return false;
        }
        self.told.insert(channel.clone(), now);
        self.order.push_back((now, channel.clone()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_miss_in_ten_seconds_is_told_for_each_channel() {
        let mut missed = Missed::default();
        let channel = |name: &str| Subject { app: "a".into(), channel: name.into(), member: None };
        let at = Duration::from_secs;
        assert!(missed.is_news(&channel("cache-a"), at(0)));
        assert!(!missed.is_news(&channel("cache-a"), at(9)));
        assert!(missed.is_news(&channel("cache-b"), at(9)));
        assert!(missed.is_news(&channel("cache-a"), at(10)));
        assert!(!missed.is_news(&channel("cache-b"), at(18)));
    }
}
