//! What a worker knows of the messages that it has. Knows no server and no clock; time is an argument.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::scheduler::HandoutId;

/// How long a message is hidden from others at a time.
pub(super) const HIDDEN: Duration = Duration::from_secs(30);
/// After how long it is hidden anew.
const RENEW: Duration = Duration::from_secs(10);
/// How long a message is put off, the first time and at most.
const OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// A message that was received.
#[derive(Clone, Debug)]
struct SqsMessage {
    partition: Arc<str>,
    /// What SQS calls this reception of it.
    receipt: String,
    hidden_at: Instant,
}

/// Messages by what they are called by the scheduler.
#[derive(Debug, Default)]
pub(super) struct Messages(HashMap<HandoutId, SqsMessage>);

impl Messages {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// A message was received, maybe not for the first time; the last receipt counts.
    pub(super) fn received(
        &mut self,
        handout: HandoutId,
        partition: &str,
        receipt: String,
        now: Instant,
    ) {
        let message = SqsMessage { partition: partition.into(), receipt, hidden_at: now };
        self.0.insert(handout, message);
    }

    pub(super) fn receipt(&self, handout: HandoutId) -> Option<String> {
        self.0.get(&handout).map(|message| message.receipt.clone())
    }

    /// It is deleted, or somebody else's. The partition that it belongs to.
    pub(super) fn remove(&mut self, handout: HandoutId) -> Option<Arc<str>> {
        self.0.remove(&handout).map(|message| message.partition)
    }

    /// The receipts of those that have to be hidden anew.
    pub(super) fn hide_again(&mut self, now: Instant) -> Vec<String> {
        let mut receipts = Vec::new();
        for message in self.0.values_mut() {
            if now - message.hidden_at >= RENEW {
                message.hidden_at = now;
                receipts.push(message.receipt.clone());
            }
        }
        receipts
    }

    /// All receipts.
    pub(super) fn receipts(&self) -> Vec<String> {
        self.0.values().map(|message| message.receipt.clone()).collect()
    }
}

/// How long a message is put off that was received so often.
pub(super) fn put_off(received: u32) -> Duration {
    let doubled = 1_u32.checked_shl(received.saturating_sub(1)).unwrap_or(u32::MAX);
    OFF.0.saturating_mul(doubled).min(OFF.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ever_longer_but_not_for_ever() {
        let seconds = [0, 1, 2, 3, 9, 10, 32, 33, u32::MAX].map(|count| put_off(count).as_secs());
        assert_eq!(seconds, [1, 1, 2, 4, 256, 300, 300, 300, 300]);
    }

    #[test]
    fn what_is_in_hand_stays_hidden() {
        let (mut messages, now) = (Messages::default(), Instant::now());
        messages.received(1, "a", "old".into(), now);
        messages.received(1, "a", "new".into(), now);
        assert!(messages.hide_again(now + RENEW / 2).is_empty());
        assert_eq!(messages.hide_again(now + RENEW), ["new"]);
        assert!(messages.hide_again(now + RENEW).is_empty());
        assert_eq!(messages.remove(1).as_deref(), Some("a"));
        assert_eq!(messages.len(), 0);
    }
}
