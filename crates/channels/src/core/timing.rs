//! What time does, and what a node says of itself.

use std::time::Duration;

use cluster::Now;

use super::Channels;
use crate::announcer::Note;
use crate::registry::Found;
use crate::runtime::Runtime;

impl<R: Runtime> Channels<R> {
    /// When [`tick`](Self::tick) has something to do next; whoever asks looks then, and nobody is
    /// woken for what is due later. It may change at [`Wake::Timer`](crate::Wake::Timer).
    pub fn deadline(&self) -> Option<Now> {
        self.joins.deadline()
    }

    /// Time has passed: those who have waited for long enough go on.
    pub fn tick(&self) {
        let expired = self.joins.expire(self.runtime.now());
        if !expired.is_empty() {
            self.advance_all(&expired);
            // Who was refused by that lets others go on whose claims are behind.
            self.advance_all(&self.joins.applied_for());
        }
    }

    /// Says the counts of busy channels that were held back and are due now; to be called every
    /// second or so (W52).
    pub fn say_late_counts(&self) {
        for topic in self.subscription_counts.late(self.runtime.now()) {
            let interests = self.runtime.app(&topic.app).interests;
            let mut dispatch = self.dispatch();
            self.registry.read(&topic.app, &topic.channel, |locked, found| {
                let Some(Found { entry, .. }) = found else { return };
                dispatch.say_count(locked, &topic, entry, interests);
            });
        }
    }

    /// This node serves from now on, or does not any more: it announces its channels.
    pub fn set_serving(&self, serves: bool) {
        let now = self.runtime.now();
        let note = {
            let mut serving = self.serving.lock();
            match serves {
                true => {
                    let since = *serving.get_or_insert(now);
                    Note::Ready(self.me, now.saturating_sub(since))
                }
                false => {
                    *serving = None;
                    Note::Retired(self.me)
                }
            }
        };
        self.note(note);
    }

    /// For how long this node has served; none if it does not.
    pub fn serving(&self) -> Option<Duration> {
        let since = *self.serving.lock();
        since.map(|since| self.runtime.now().saturating_sub(since))
    }
}
