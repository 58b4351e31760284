//! Last events of cache channels that a peer's snapshot tells, but another peer published.
//!
//! Their publisher's own stream has them as well, and may be behind the snapshot: who subscribed
//! between the two would get such an event twice, as the last one and then as it comes. So they
//! count when their publisher cannot tell them any more. If it can again, and tells them after all,
//! they are not sent: who was here when it was gone may miss them, but nobody gets them twice.

use std::sync::Arc;
use std::time::Duration;

use super::Channels;
use crate::last_events::{CachedEvent, ChannelKey, LastEvents};
use crate::replication::{ChannelName, EventFrame, LastEventInfo};
use crate::runtime::Runtime;

/// The latest of each channel that is on its way in the stream of a peer that is up: it goes when
/// its publisher tells it or is gone. Bounded as last events are.
pub(super) struct Hearsay(LastEvents);

impl Hearsay {
    pub(super) fn new(ttl: Option<Duration>, limit: usize) -> Self {
        Hearsay(LastEvents::new(ttl, limit))
    }
}

impl<R: Runtime> Channels<R> {
    /// A peer tells a last event of a cache channel, as it comes or in a snapshot.
    pub(super) fn hear_kept(
        &self,
        topic: ChannelName<'_>,
        event: &EventFrame,
        kept: LastEventInfo<'_>,
        by_publisher: bool,
    ) {
        let Hearsay(hearsay) = &self.hearsay;
        let app = || self.runtime.app(topic.app).id;
        if by_publisher {
            if !hearsay.is_empty() {
                hearsay.forget(&app(), topic.channel, kept.stamp);
            }
            return self.receive(topic, event, Some(kept));
        }
        let now = self.runtime.now();
        let event = CachedEvent { is_hearsay: true, ..CachedEvent::received(event, &kept, now) };
        let (app, publisher) = (app(), kept.stamp.node);
        if self.quotas.number(publisher).is_none() {
            return self.believe((app, topic.channel.into()), Arc::new(event));
        }
        let last = self.last_events.get(&app, topic.channel, now);
        if last.is_none_or(|last| last.stamp < event.stamp) {
            hearsay.learn(&app, topic.channel, Arc::new(event), now);
        }
    }

    /// A peer is gone: what it may not have told us itself counts now.
    pub(super) fn believe_hearsay(&self, publisher: u64) {
        let Hearsay(hearsay) = &self.hearsay;
        for (key, event) in hearsay.take_of(publisher) {
            self.believe(key, event);
        }
    }

    fn believe(&self, (app, channel): ChannelKey, event: Arc<CachedEvent>) {
        self.registry.read(&app, &channel, |_, _| {
            self.last_events.learn(&app, &channel, event, self.runtime.now());
        });
    }

    /// Lets go of last events that have expired.
    pub fn sweep_last_events(&self) {
        let now = self.runtime.now();
        self.last_events.sweep(now);
        self.hearsay.0.sweep(now);
    }
}
