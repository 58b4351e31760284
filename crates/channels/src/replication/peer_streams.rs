//! The streams to all peers, as those see them who have something to tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::registry::NodeId;
use arc_swap::ArcSwap;
use bytes::Bytes;
use cluster::{Appended, EntryKind, Log};
use smallvec::SmallVec;

use crate::replication::Entries;

/// Where an entry is in one peer's stream.
#[derive(Clone, Debug)]
pub struct AckHandle {
    node: NodeId,
    log: Arc<Log>,
    seq: u64,
}

/// One for each peer that was told.
pub type AckHandles = SmallVec<[AckHandle; 3]>;

impl AckHandle {
    /// Whose stream it is.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// Whether the peer has the entry, or never will: its stream has ended.
    pub fn is_settled(&self) -> bool {
        self.log.acked() >= self.seq || self.log.is_ended()
    }
}

/// The stream to one peer.
#[derive(Clone, Debug)]
pub(crate) struct PeerStream {
    pub(crate) node: NodeId,
    pub(crate) log: Arc<Log>,
    /// The peer has been told everything, or will be before what is appended now.
    pub(crate) whole: Arc<AtomicBool>,
}

/// How an entry is appended to a stream.
type Append = fn(&Log, Bytes, EntryKind) -> Option<Appended>;

impl PeerStream {
    /// Appends an entry; before it the facts that it may depend on, if they are still to be told.
    fn tell_after(&self, entry: Bytes, kind: EntryKind, facts: impl Fn() -> Entries) -> bool {
        let missing = if self.whole.load(Relaxed) { Entries::new() } else { facts() };
        let missing = missing.into_iter().map(|fact| (fact, EntryKind::Snapshot));
        let all = missing.chain([(entry, kind)]);
        let told = all.filter_map(|(entry, kind)| self.log.append(entry, kind));
        told.fold(false, |wake, appended| wake | appended.wake)
    }
}

/// Owned by the node, shared by all its threads; changed by the cluster's thread alone.
///
/// What is told about a channel is told under that channel's lock in the registry, which makes the
/// order of decisions the order of every stream, and leaves nothing out between a snapshot and the
/// changes after it: the list is looked at under the lock as well.
#[derive(Default)]
pub struct PeerStreams(ArcSwap<Vec<PeerStream>>);

impl PeerStreams {
    /// Whether there is nobody to tell anything.
    pub fn is_alone(&self) -> bool {
        self.0.load().is_empty()
    }

    /// Tells a fact to every peer. True if the cluster's driver has to be woken, once the
    /// channel's lock is released.
    #[must_use]
    pub fn send(&self, fact: &Bytes) -> bool {
        self.tell_each(|log| log.append(fact.clone(), EntryKind::Fact))
    }

    /// As [`send`](Self::send), for a fact that may wait a moment for others to go out with.
    #[must_use]
    pub fn send_patiently(&self, fact: &Bytes) -> bool {
        self.tell_each(|log| log.append_patient(fact.clone(), EntryKind::Fact))
    }

    /// As [`send`](Self::send), for a fact that somebody waits for the peers to know.
    #[must_use]
    pub fn send_urgently(&self, fact: &Bytes, acks: &mut AckHandles) -> bool {
        self.send_noted(fact, Log::append_urgent, acks)
    }

    /// As [`send`](Self::send), for a fact of which it matters whether the peers know it. They are
    /// asked at once if that `is_urgent`; otherwise it waits a moment for others to go out with,
    /// and they tell it with the next heartbeat.
    #[must_use]
    pub fn send_counted(&self, fact: &Bytes, is_urgent: bool, acks: &mut AckHandles) -> bool {
        let append = if is_urgent { Log::append_urgent } else { Log::append_patient };
        self.send_noted(fact, append, acks)
    }

    fn send_noted(&self, fact: &Bytes, append: Append, acks: &mut AckHandles) -> bool {
        let mut wake = false;
        for PeerStream { node, log, .. } in self.0.load().iter() {
            if let Some(Appended { seq, wake: asleep }) = append(log, fact.clone(), EntryKind::Fact)
            {
                acks.push(AckHandle { node: *node, log: log.clone(), seq });
                wake |= asleep;
            }
        }
        wake
    }

    /// Tells a fact to one peer.
    #[must_use]
    pub fn send_to(&self, node: NodeId, fact: Bytes) -> bool {
        let streams = self.0.load();
        let stream = streams.iter().find(|stream| stream.node == node);
        let told = stream.and_then(|stream| stream.log.append(fact, EntryKind::Fact));
        told.is_some_and(|appended| appended.wake)
    }

    /// Tells a fact to one peer that may not have been told everything yet; then it gets `facts`,
    /// all that this node holds of the channel, before it.
    #[must_use]
    pub fn answer(&self, node: NodeId, fact: Bytes, facts: impl Fn() -> Entries) -> bool {
        let streams = self.0.load();
        let stream = streams.iter().find(|stream| stream.node == node);
        stream.is_some_and(|stream| stream.tell_after(fact, EntryKind::Fact, facts))
    }

    /// Sends an event to some peers, or to all. A peer that has not been told everything yet gets
    /// `facts`, all that this node holds of the channel, before it: an event never overtakes what
    /// it depends on.
    #[must_use]
    pub fn send_event(
        &self,
        to: impl Fn(NodeId) -> bool,
        event: &Bytes,
        facts: impl Fn() -> Entries,
    ) -> bool {
        let mut wake = false;
        for stream in self.0.load().iter().filter(|stream| to(stream.node)) {
            wake |= stream.tell_after(event.clone(), EntryKind::Event, &facts);
        }
        wake
    }

    fn tell_each(&self, append: impl Fn(&Log) -> Option<Appended>) -> bool {
        let streams = self.0.load();
        let told = streams.iter().filter_map(|stream| append(&stream.log));
        told.fold(false, |wake, appended| wake | appended.wake)
    }

    /// A peer has a new stream; everything has to be told in it.
    pub(crate) fn open(&self, node: NodeId, log: Arc<Log>) -> PeerStream {
        let stream = PeerStream { node, log, whole: Arc::default() };
        self.change(|list| {
            list.retain(|other| other.node != node);
            list.push(stream.clone());
        });
        stream
    }

    /// A peer is gone.
    pub(crate) fn close(&self, node: NodeId) {
        self.change(|list| list.retain(|other| other.node != node));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<PeerStream>)) {
        let mut list = Vec::clone(&self.0.load());
        change(&mut list);
        self.0.store(Arc::new(list));
    }
}
