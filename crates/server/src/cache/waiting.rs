//! Subscriptions and requests that wait for what Redis has of a cache channel. What is said of the
//! channel meanwhile is in memory by then, and the subscription has not begun: nothing is missed,
//! and nothing comes twice (W44).

use std::sync::Arc;
use std::time::Instant;

use channels::registry::ShardId;
use protocol::channel;

use super::shared::{Counters, PATIENCE};
use super::{CachedEvent, Key, Shared};
use crate::hub::{ConnectionId, Dispatch, Topic};
use crate::node::Node;
use crate::peers::Waiter;

fn key(topic: &Topic) -> Key {
    (topic.app.clone(), topic.channel.clone())
}

impl Node {
    /// What is shared of the last event of a topic, if it is a cache channel.
    fn shared(&self, topic: &Topic) -> Option<&Shared> {
        self.shared_cache.as_ref().filter(|_| channel::classify(&topic.channel).is_cache())
    }

    fn knows_last(&self, (app, channel): &Key) -> bool {
        self.cache.get(app, channel, Instant::now()).is_some()
    }

    /// Somebody is about to need a channel's last event: it is asked for, if need be.
    pub(crate) fn ask_for_last(&self, dispatch: &mut Dispatch<'_>, topic: &Topic) {
        if let Some(shared) = self.shared(topic) {
            let key = key(topic);
            dispatch.wake_cache |= shared.ask(&key, self.knows_last(&key));
        }
    }

    /// Holds a subscription back until the channel's last event is known; false if it is. To be
    /// called under the channel's lock.
    pub(crate) fn await_last(
        &self,
        dispatch: &mut Dispatch<'_>,
        topic: &Topic,
        waiter: Waiter,
    ) -> bool {
        let Some(shared) = self.shared(topic) else { return false };
        let key = key(topic);
        let is_held_back = shared.hold_back(&key, self.knows_last(&key), waiter);
        dispatch.wake_cache |= is_held_back;
        is_held_back
    }

    /// Whether a subscription waits for the channel's last event.
    pub(crate) fn awaits_last(&self, topic: &Topic, shard: ShardId, to: ConnectionId) -> bool {
        self.shared(topic).is_some_and(|shared| shared.is_held_back(&key(topic), shard, to))
    }

    /// A connection has left a channel. To be called under the channel's lock.
    pub(crate) fn await_last_no_more(&self, topic: &Topic, shard: ShardId, of: ConnectionId) {
        if let Some(shared) = self.shared(topic) {
            shared.leave(&key(topic), shard, of);
        }
    }

    /// Waits until a cache channel's last event is in memory if there is one, but not for long.
    pub(crate) async fn last_is_known(&self, app: &Arc<str>, channel: &str) {
        let Some(shared) = &self.shared_cache else { return };
        let key: Key = (app.clone(), channel.into());
        if let Some(answered) = shared.read(&key, self.knows_last(&key)) {
            shared.wake();
            // An error means that there is an answer.
            let _ = tokio::time::timeout(PATIENCE, answered).await;
        }
    }

    /// Nobody waits for a channel's last event any longer: there is an answer, or none will come.
    /// If it `is_settled`, Redis is not asked again for a moment.
    pub(super) fn settle_last(&self, key: &Key, event: Option<CachedEvent>, is_settled: bool) {
        let Some(shared) = &self.shared_cache else { return };
        let (app, channel) = key;
        let topic = Topic::subscribers(app, channel.clone());
        let mut dispatch = self.dispatch();
        let ended = self.registry.read(app, channel, |entry| {
            if let Some(event) = event {
                self.cache.learn(app, channel, event, Instant::now());
            }
            let ended = shared.end(key, is_settled)?;
            if let Some((_, entry)) = entry.filter(|_| !ended.waiters.is_empty()) {
                self.welcome_all(&mut dispatch, &topic, entry, &ended.waiters);
            }
            Some(ended)
        });
        // Requests go on, without a lock.
        drop(ended);
    }

    /// Sees to it that nobody waits for too long. Runs for as long as the node does.
    pub(super) async fn end_waits_for_last(&self) {
        let Some(shared) = &self.shared_cache else { return };
        loop {
            let asked = shared.asked.notified();
            match shared.first_ends() {
                Some(until) => {
                    tokio::time::sleep_until(until.into()).await;
                    for key in shared.overdue(Instant::now()) {
                        Counters::count(&shared.counters.late);
                        // Settled, or whoever comes next would wait as long for nothing.
                        self.settle_last(&key, None, true);
                    }
                }
                None => asked.await,
            }
        }
    }
}
