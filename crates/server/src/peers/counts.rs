//! Counts that peers need not know at once: how many are subscribed to a channel that was occupied
//! before, and how many connections an app has. They are told with the next heartbeat, so that
//! subscribing to an occupied channel costs no message.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use channels::registry::NodeId;
use channels::replication::{Message, Topic as Told};
use parking_lot::Mutex;

use crate::hub::Topic;
use crate::node::Node;

/// For how long a node tells with each heartbeat since when it has served, so that all agree on it.
const YOUNG: Duration = Duration::from_secs(30);

/// Its lock is taken under a channel's lock, never around one. It holds what changed since the last
/// heartbeat, and nothing while there is no peer.
#[derive(Default)]
pub(super) struct Counts {
    changed: Mutex<HashSet<(Arc<str>, Arc<str>)>>,
    /// The connections of each app as they were told.
    told: Mutex<HashMap<Arc<str>, u32>>,
}

impl Counts {
    /// A channel's number of subscriptions here has changed.
    pub(super) fn mark(&self, topic: &Topic) {
        self.changed.lock().insert((topic.app.clone(), topic.channel.clone()));
    }
}

impl Node {
    /// Tells the peers which apps this node's configuration switches off.
    pub(crate) fn tell_withdrawn(&self) {
        let message = Message::Withdrawn(self.apps.withdrawn());
        if self.peers.outlets.tell(&message.encode()) {
            self.peers.wake();
        }
    }

    /// Tells the peers the counts that have changed.
    pub(super) fn tell_counts(&self) {
        let peers = &self.peers;
        let mut wake = false;
        let changed = std::mem::take(&mut *peers.counts.changed.lock());
        for (app, channel) in changed {
            self.registry.read(&app, &channel, |entry| {
                let of_us =
                    |entry: &channels::registry::Entry| entry.subscribers().of_node(NodeId::LOCAL);
                let count = entry.map_or(0, |(_, entry)| of_us(entry));
                let topic = Told { app: &app, channel: &channel };
                wake |=
                    peers.outlets.tell_patiently(&Message::Subscriptions(topic, count).encode());
            });
        }
        // Each time it comes through a little later or sooner; the soonest is the truest.
        if let Some(ago) = self.serving().filter(|ago| *ago < YOUNG) {
            wake |= peers.outlets.tell(&Message::Serving(ago.as_millis() as u64).encode());
        }
        let mut told = peers.counts.told.lock();
        for app in self.apps.all() {
            let count = app.connections();
            if told.get(&app.id).copied().unwrap_or(0) != count {
                told.insert(app.id.clone(), count);
                wake |=
                    peers.outlets.tell_patiently(&Message::Connections(&app.id, count).encode());
            }
        }
        // An app that is gone has no connections any more.
        for (app, count) in told.iter_mut().filter(|(app, _)| self.apps.by_id(app).is_none()) {
            *count = 0;
            wake |= peers.outlets.tell(&Message::Connections(app, 0).encode());
        }
        told.retain(|_, count| *count > 0);
        drop(told);
        if wake {
            peers.wake();
        }
    }
}
