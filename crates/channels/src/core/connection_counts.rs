//! Counts that peers need not know at once: how many are subscribed to a channel that was occupied
//! before, and how many connections an app has. They are told with the next heartbeat, so that
//! subscribing to an occupied channel costs no message.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::Channels;
use crate::registry::NodeId;
use crate::replication::{Message, Topic as Told};
use crate::runtime::{Runtime, Wake};
use crate::topic::Topic;

/// For how long a node tells with each heartbeat since when it has served, so that all agree on it.
const YOUNG: Duration = Duration::from_secs(30);

/// Its lock is taken under a channel's lock, never around one. It holds what changed since the last
/// heartbeat, and nothing while there is no peer.
#[derive(Default)]
pub(super) struct ChangedCounts {
    changed: Mutex<BTreeSet<(Arc<str>, Arc<str>)>>,
    /// The connections of each app as they were told.
    told: Mutex<HashMap<Arc<str>, u32>>,
}

impl ChangedCounts {
    /// A channel's number of subscriptions here has changed.
    pub(super) fn mark(&self, topic: &Topic) {
        self.changed.lock().insert((topic.app.clone(), topic.channel.clone()));
    }
}

impl<R: Runtime> Channels<R> {
    /// Tells the peers which apps this node's configuration switches off.
    pub fn send_withdrawn(&self) {
        let message = Message::Withdrawn(self.runtime.withdrawn());
        if self.streams.tell(&message.encode()) {
            self.runtime.wake(Wake::Links);
        }
    }

    /// Tells the peers the counts that have changed.
    pub(super) fn send_counts(&self) {
        let mut wake = self.send_subscription_counts();
        // Each time it comes through a little later or sooner; the soonest is the truest.
        if let Some(ago) = self.serving().filter(|ago| *ago < YOUNG) {
            wake |= self.streams.tell(&Message::Serving(ago.as_millis() as u64).encode());
        }
        wake |= self.send_connection_counts();
        if wake {
            self.runtime.wake(Wake::Links);
        }
    }

    fn send_subscription_counts(&self) -> bool {
        let mut wake = false;
        let changed = std::mem::take(&mut *self.changed_counts.changed.lock());
        for (app, channel) in changed {
            self.registry.read(&app, &channel, |_, found| {
                let count =
                    found.map_or(0, |found| found.entry.subscribers().of_node(NodeId::LOCAL));
                let topic = Told { app: &app, channel: &channel };
                let fact = Message::Subscriptions(topic, count).encode();
                wake |= self.streams.tell_patiently(&fact);
            });
        }
        wake
    }

    fn send_connection_counts(&self) -> bool {
        let mut wake = false;
        let mut told = self.changed_counts.told.lock();
        let mut known = HashSet::new();
        self.runtime.for_each_app(|app, count| {
            known.insert(app.clone());
            if told.get(app).copied().unwrap_or(0) != count {
                told.insert(app.clone(), count);
                wake |= self.streams.tell_patiently(&Message::Connections(app, count).encode());
            }
        });
        // An app that is gone has no connections any more.
        told.retain(|app, count| {
            if !known.contains(app) {
                wake |= self.streams.tell(&Message::Connections(app, 0).encode());
                return false;
            }
            *count > 0
        });
        wake
    }

    /// What a snapshot has to have besides the channels.
    pub(super) fn rest_of_snapshot(&self) -> Vec<bytes::Bytes> {
        use crate::replication::Event;
        let now = self.runtime.now();
        let mut rest = Vec::new();
        for ((app, channel), event) in self.last_events.all() {
            let topic = Told { app: &app, channel: &channel };
            let frame = Event { except: None, frame: event.frame.clone() };
            rest.push(Message::Cached(topic, frame, event.told(now, false)).encode());
        }
        // As it was told last: whoever is told something newer would not hear that it was so briefly.
        let told = self.changed_counts.told.lock();
        self.runtime.for_each_app(|app, _| {
            let count = told.get(app).copied().unwrap_or(0);
            rest.push(Message::Connections(app, count).encode());
        });
        drop(told);
        let serving = self.serving().map(|ago| Message::Serving(ago.as_millis() as u64));
        rest.extend(serving.map(|message| message.encode()));
        rest.push(Message::Withdrawn(self.runtime.withdrawn()).encode());
        rest
    }
}
