//! Whether the peers know that a node has subscribers of a channel, as it can be seen from outside:
//! by what is acknowledged of the streams to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use channels::registry::{NodeId, Registry};
use cluster::{EntryKind, Log, Now, Slot};

use crate::Channel;
use simulation::APP;

/// The least that a client waits for peers that do not answer, in milliseconds.
const PEER_TIMEOUT: u64 = 50;

/// One stream, and between which two of its entries the first subscriber was told.
struct Told {
    log: Arc<Log>,
    after: u64,
    until: u64,
}

/// Since a channel has had subscribers at this node.
struct Interest {
    since: Now,
    told: Vec<Told>,
}

#[derive(Default)]
pub(crate) struct InterestsTold {
    channels: BTreeMap<Channel, Interest>,
    /// The streams, and how many entries each had at the end of the last input.
    streams: BTreeMap<Slot, (Arc<Log>, u64)>,
}

impl InterestsTold {
    /// There is a new stream to a peer.
    pub(crate) fn begin(&mut self, slot: Slot, log: Arc<Log>) {
        self.streams.insert(slot, (log, 0));
    }

    /// Tells every peer something that this version has no word for. True if the driver has to be
    /// woken.
    pub(crate) fn tell(&self, entry: &Bytes) -> bool {
        let append = |(log, _): &(Arc<Log>, u64)| log.append(entry.clone(), EntryKind::Fact);
        let told = self.streams.values().filter_map(append);
        told.fold(false, |wake, appended| wake | appended.wake)
    }

    pub(crate) fn end(&mut self, slot: Slot) {
        self.streams.remove(&slot);
    }

    /// A subscriber leaves. If it is the last one, the next one is the first again, perhaps at once.
    pub(crate) fn leaves(&mut self, registry: &Registry, channel: &Channel) {
        if subscribed_here(registry, channel) <= 1 {
            self.channels.remove(channel);
        }
    }

    /// Something was done: notes which channels have first subscribers since, and how much was told.
    pub(crate) fn look<'a>(
        &mut self,
        now: Now,
        registry: &Registry,
        all: impl Iterator<Item = &'a Channel>,
    ) {
        for channel in all {
            if subscribed_here(registry, channel) == 0 {
                self.channels.remove(channel);
            } else if !self.channels.contains_key(channel) {
                let told = |(log, after): &(Arc<Log>, u64)| Told {
                    log: log.clone(),
                    after: *after,
                    until: appended(log),
                };
                let told = self.streams.values().map(told).collect();
                self.channels.insert(channel.clone(), Interest { since: now, told });
            }
        }
        self.streams.values_mut().for_each(|(log, after)| *after = appended(log));
    }

    /// A subscriber is welcome: whether that is so early that it is excused from missing something.
    pub(crate) fn is_early(&self, now: Now, channel: &Channel) -> bool {
        let Interest { since, told } = &self.channels[channel];
        let waited = (now - *since).as_millis() as u64;
        for Told { log, after, .. } in told {
            let unknown = !log.is_ended() && log.acked() <= *after;
            assert!(!unknown || waited >= PEER_TIMEOUT, "{channel} did not wait for the peers");
        }
        told.iter().any(|Told { log, until, .. }| !log.is_ended() && log.acked() < *until)
    }
}

fn subscribed_here(registry: &Registry, channel: &Channel) -> u32 {
    registry.read(APP, channel, |_, found| {
        found.map_or(0, |found| found.entry.subscribers().of_node(NodeId::LOCAL))
    })
}

/// How many entries a stream has had.
fn appended(log: &Log) -> u64 {
    log.acked() + log.stats().unacked_entries as u64
}
