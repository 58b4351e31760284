//! Last events of cache channels that a peer's snapshot tells, but another peer published.
//!
//! Their publisher's own stream has them as well, and may be behind the snapshot: who subscribed
//! between the two would get such an event twice, as the last one and then as it comes. So they
//! count when their publisher cannot tell them any more. If it can again, and tells them after all,
//! they are not sent: who was here when it was gone may miss them, but nobody gets them twice.

use std::collections::HashMap;

use super::{Channels, Peers};
use crate::last_events::{CachedEvent, Key};
use crate::registry::NodeId;
use crate::replication::{Event, Kept, Topic as Told};
use crate::runtime::Runtime;

/// The latest of each channel. It holds what is on its way in the streams of peers that are up: each
/// goes when its publisher tells it, or is gone.
#[derive(Debug, Default)]
pub(super) struct Hearsay(HashMap<Key, CachedEvent>);

impl Peers {
    /// A peer tells a last event of a cache channel, as it comes or in a snapshot.
    pub(super) fn hear_kept<R: Runtime>(
        &mut self,
        channels: &Channels<R>,
        from: NodeId,
        topic: Told<'_>,
        event: &Event,
        kept: Kept<'_>,
    ) {
        let publisher = kept.stamp.node;
        let told_itself = self.peer(from).is_some_and(|peer| peer.incarnation.0 == publisher);
        let Hearsay(hearsay) = &mut self.hearsay;
        let key = || -> Key { (channels.runtime.app(topic.app).id, topic.channel.into()) };
        if told_itself {
            let older = |known: &CachedEvent| known.stamp <= kept.stamp;
            if !hearsay.is_empty() && hearsay.get(&key()).is_some_and(older) {
                hearsay.remove(&key());
            }
            return channels.receive(topic, event, Some(kept));
        }
        let event = CachedEvent::received(event, &kept, channels.runtime.now());
        let event = CachedEvent { is_hearsay: true, ..event };
        if channels.quotas.number(publisher).is_none() {
            return channels.believe(key(), event);
        }
        let key = key();
        if hearsay.get(&key).is_none_or(|known| known.stamp < event.stamp) {
            hearsay.insert(key, event);
        }
    }

    /// A peer is gone: what it may not have told us itself counts now.
    pub(super) fn believe_hearsay<R: Runtime>(&mut self, channels: &Channels<R>, publisher: u64) {
        let of_it = |_: &Key, event: &mut CachedEvent| event.stamp.node == publisher;
        for (key, event) in self.hearsay.0.extract_if(of_it) {
            channels.believe(key, event);
        }
    }
}

impl<R: Runtime> Channels<R> {
    fn believe(&self, (app, channel): Key, event: CachedEvent) {
        self.registry.read(&app, &channel, |_, _| {
            self.last_events.learn(&app, &channel, event, self.runtime.now());
        });
    }
}
