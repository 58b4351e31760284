//! The last events of cache channels, as they were published.

use std::collections::BTreeMap;

use channels::replication::Stamp;
use channels::{CachedEvent, LastEvent};
use cluster::Incarnation;

use crate::Channel;
use crate::frame::{Event, Said};
use crate::ledger::Ledger;
use crate::load::is_cache;
use crate::node::Node;
use crate::world::World;

/// The latest stamp of each channel, by publishing node.
#[derive(Default)]
pub(crate) struct Kept(BTreeMap<(Incarnation, Channel), Stamp>);

impl Kept {
    pub(crate) fn insert(&mut self, publisher: Incarnation, channel: &Channel, stamp: Stamp) {
        let before = self.0.insert((publisher, channel.clone()), stamp);
        assert!(before < Some(stamp), "what is published later is later");
    }

    /// Whether a node need not know anything later than `stamp`: what it published itself, it knows.
    fn is_latest_at(&self, node: Incarnation, channel: &Channel, stamp: Option<Stamp>) -> bool {
        self.0.get(&(node, channel.clone())).copied() <= stamp
    }

    /// The latest of all.
    fn latest(&self, channel: &Channel) -> Option<Stamp> {
        let all = self.0.iter().filter(|((_, of), _)| of == channel);
        all.map(|(_, stamp)| *stamp).max()
    }
}

/// What a newcomer at `me` is sent of what was published before it came.
pub(crate) fn check_last(
    me: Incarnation,
    channel: &Channel,
    last: &LastEvent,
    ledger: &mut Ledger,
) -> Option<Event> {
    let event = match last {
        LastEvent::NotKept => {
            assert!(!is_cache(channel), "{channel} keeps its last event");
            return None;
        }
        LastEvent::Missing => None,
        LastEvent::Event(event) => Some(event),
    };
    assert!(is_cache(channel), "{channel} keeps nothing");
    let stamp = event.map(|event| event.stamp);
    assert!(ledger.kept.is_latest_at(me, channel, stamp), "{me} knows a later event of {channel}");
    ledger.summary.replayed += u64::from(event.is_some());
    event.map(|event| decode(event, channel))
}

fn decode(cached: &CachedEvent, channel: &Channel) -> Event {
    let Said::Event(event) = Said::decode(&cached.frame, channel) else {
        panic!("events are kept, and nothing else");
    };
    assert_eq!(*cached.data, *event.data());
    assert_eq!(cached.stamp.node, event.publisher.0, "the stamp is the publisher's");
    event
}

impl World {
    /// In the end all nodes have the same last event; where nothing may be lost, the latest.
    pub(crate) fn check_kept(&self, live: &[&Node]) {
        for channel in self.names.channels().filter(|channel| is_cache(channel)) {
            let last = |node: &&Node| {
                let event = node.channels.last_events().get(&node.app, channel, self.time())?;
                decode(&event, channel);
                Some(event.stamp)
            };
            let stamps: Vec<Option<Stamp>> = live.iter().map(last).collect();
            assert!(stamps.iter().all(|stamp| *stamp == stamps[0]), "{channel}: {stamps:?}");
            if self.ledger.strict {
                assert_eq!(stamps[0], self.ledger.kept.latest(channel), "{channel}");
            }
        }
    }
}
