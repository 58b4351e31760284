//! How often a busy channel's `subscription_count` is said (W52): above 100 subscribers at most
//! every 5 s, and the last count always.

use std::collections::HashMap;
use std::time::Duration;

use cluster::Now;
use parking_lot::Mutex;

use crate::topic::Topic;

const BUSY_SUBSCRIPTIONS: u64 = 100;
const COUNT_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Said {
    at: Now,
    changed_since: bool,
}

/// When the counts of busy channels were said. Its lock is taken under a stripe's lock, never
/// around one. It holds channels that were busy within the last pause, and no others.
#[derive(Debug, Default)]
pub(crate) struct SubscriptionCounts(Mutex<HashMap<Topic, Said>>);

impl SubscriptionCounts {
    /// Whether a changed count is said now; otherwise it will be among the late ones.
    pub(crate) fn is_due(&self, topic: &Topic, count: u64, now: Now) -> bool {
        if count <= BUSY_SUBSCRIPTIONS {
            return true;
        }
        let mut said = self.0.lock();
        if let Some(said) = said.get_mut(topic) {
            said.changed_since = true;
            return false;
        }
        said.insert(topic.clone(), Said { at: now, changed_since: false });
        true
    }

    /// The channels whose pause is over and whose count has changed meanwhile.
    pub(crate) fn late(&self, now: Now) -> Vec<Topic> {
        let mut late = Vec::new();
        self.0.lock().retain(|topic, said| {
            if now.saturating_sub(said.at) < COUNT_PAUSE {
                return true;
            }
            if said.changed_since {
                late.push(topic.clone());
                *said = Said { at: now, changed_since: false };
                return true;
            }
            false
        });
        late
    }

    /// Channels held.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::Audience;

    #[test]
    fn a_busy_channel_is_told_at_once_then_at_most_every_five_seconds() {
        let counts = SubscriptionCounts::default();
        let topic = Topic { app: "a".into(), channel: "c".into(), audience: Audience::Subscribers };
        let start = Now::from_secs(7);
        let at = |seconds| start + Duration::from_secs(seconds);

        assert!(counts.is_due(&topic, 100, at(0)));
        assert!(counts.is_due(&topic, 101, at(0)));
        assert!(!counts.is_due(&topic, 102, at(1)));
        assert!(counts.late(at(4)).is_empty());
        assert_eq!(counts.late(at(5)), [topic]);
        assert!(counts.late(at(9)).is_empty());
        assert!(counts.late(at(10)).is_empty());
        assert_eq!(counts.len(), 0);
    }
}
