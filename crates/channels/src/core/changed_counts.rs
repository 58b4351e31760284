//! Counts that peers need not know at once: how many are subscribed to a channel that was occupied
//! before, and how many connections an app has. They are told with the next heartbeat, so that
//! subscribing to an occupied channel costs no message.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::Channels;
use crate::registry::NodeId;
use crate::replication::{ChannelName, PeerMessage};
use crate::runtime::Runtime;
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
        let message = PeerMessage::Withdrawn(self.runtime.withdrawn());
        self.wake_links(self.streams.send(&message.encode()));
    }

    /// Tells the peers the counts that have changed.
    pub(super) fn send_counts(&self) {
        let mut wake = self.send_subscription_counts();
        // Each time it comes through a little later or sooner; the soonest is the truest.
        if let Some(ago) = self.serving().filter(|ago| *ago < YOUNG) {
            wake |= self.streams.send(&PeerMessage::Serving(ago.as_millis() as u64).encode());
        }
        wake |= self.send_connection_counts();
        self.wake_links(wake);
    }

    /// An app's connections as they were told last: whoever is told something newer in a snapshot
    /// would not hear that it was so briefly.
    pub(super) fn connections_told(&self, app: &str) -> u32 {
        self.changed_counts.told.lock().get(app).copied().unwrap_or(0)
    }

    fn send_subscription_counts(&self) -> bool {
        let mut wake = false;
        let changed = std::mem::take(&mut *self.changed_counts.changed.lock());
        for (app, channel) in changed {
            self.registry.read(&app, &channel, |_, found| {
                let count =
                    found.map_or(0, |found| found.entry.subscribers().of_node(NodeId::LOCAL));
                let topic = ChannelName { app: &app, channel: &channel };
                let fact = PeerMessage::Subscriptions(topic, count).encode();
                wake |= self.streams.send_patiently(&fact);
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
                wake |= self.streams.send_patiently(&PeerMessage::Connections(app, count).encode());
            }
        });
        // An app that is gone has no connections any more.
        told.retain(|app, count| {
            if !known.contains(app) {
                wake |= self.streams.send(&PeerMessage::Connections(app, 0).encode());
                return false;
            }
            *count > 0
        });
        wake
    }
}
