//! The streams to all peers, as those see them who have something to tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::registry::NodeId;
use arc_swap::ArcSwap;
use bytes::Bytes;
use cluster::{Appended, Kind, Log};
use smallvec::SmallVec;

use crate::replication::Entries;

/// Where an entry is in one peer's stream.
#[derive(Clone, Debug)]
pub struct Ticket {
    node: NodeId,
    log: Arc<Log>,
    seq: u64,
}

/// One for each peer that was told.
pub type Tickets = SmallVec<[Ticket; 3]>;

impl Ticket {
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
pub(crate) struct Outlet {
    pub(crate) node: NodeId,
    pub(crate) log: Arc<Log>,
    /// The peer has been told everything, or will be before what is appended now.
    pub(crate) whole: Arc<AtomicBool>,
}

/// How an entry is appended to a stream.
type Append = fn(&Log, Bytes, Kind) -> Option<Appended>;

impl Outlet {
    /// Appends an entry; before it the facts that it may depend on, if they are still to be told.
    fn tell_after(&self, entry: Bytes, kind: Kind, facts: impl Fn() -> Entries) -> bool {
        let missing = if self.whole.load(Relaxed) { Entries::new() } else { facts() };
        let missing = missing.into_iter().map(|fact| (fact, Kind::Snapshot));
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
pub struct Outlets(ArcSwap<Vec<Outlet>>);

impl Outlets {
    /// Whether there is nobody to tell anything.
    pub fn is_alone(&self) -> bool {
        self.0.load().is_empty()
    }

    /// Tells a fact to every peer. True if the cluster's driver has to be woken, once the
    /// channel's lock is released.
    #[must_use]
    pub fn tell(&self, fact: &Bytes) -> bool {
        self.tell_each(|log| log.append(fact.clone(), Kind::Fact))
    }

    /// As [`tell`](Self::tell), for a fact that may wait a moment for others to go out with.
    #[must_use]
    pub fn tell_patiently(&self, fact: &Bytes) -> bool {
        self.tell_each(|log| log.append_patient(fact.clone(), Kind::Fact))
    }

    /// As [`tell`](Self::tell), for a fact that somebody waits for the peers to know.
    #[must_use]
    pub fn tell_urgently(&self, fact: &Bytes, tickets: &mut Tickets) -> bool {
        self.tell_noted(fact, Log::append_urgent, tickets)
    }

    /// As [`tell`](Self::tell), for a fact of which it matters whether the peers know it. They are
    /// asked at once if that `is_urgent`; otherwise it waits a moment for others to go out with,
    /// and they tell it with the next heartbeat.
    #[must_use]
    pub fn tell_counted(&self, fact: &Bytes, is_urgent: bool, tickets: &mut Tickets) -> bool {
        let append = if is_urgent { Log::append_urgent } else { Log::append_patient };
        self.tell_noted(fact, append, tickets)
    }

    fn tell_noted(&self, fact: &Bytes, append: Append, tickets: &mut Tickets) -> bool {
        let mut wake = false;
        for Outlet { node, log, .. } in self.0.load().iter() {
            if let Some(Appended { seq, wake: asleep }) = append(log, fact.clone(), Kind::Fact) {
                tickets.push(Ticket { node: *node, log: log.clone(), seq });
                wake |= asleep;
            }
        }
        wake
    }

    /// Tells a fact to one peer.
    #[must_use]
    pub fn tell_one(&self, node: NodeId, fact: Bytes) -> bool {
        let outlets = self.0.load();
        let outlet = outlets.iter().find(|outlet| outlet.node == node);
        let told = outlet.and_then(|outlet| outlet.log.append(fact, Kind::Fact));
        told.is_some_and(|appended| appended.wake)
    }

    /// Tells a fact to one peer that may not have been told everything yet; then it gets `facts`,
    /// all that this node holds of the channel, before it.
    #[must_use]
    pub fn answer(&self, node: NodeId, fact: Bytes, facts: impl Fn() -> Entries) -> bool {
        let outlets = self.0.load();
        let outlet = outlets.iter().find(|outlet| outlet.node == node);
        outlet.is_some_and(|outlet| outlet.tell_after(fact, Kind::Fact, facts))
    }

    /// Sends an event to some peers, or to all. A peer that has not been told everything yet gets
    /// `facts`, all that this node holds of the channel, before it: an event never overtakes what
    /// it depends on.
    #[must_use]
    pub fn send(
        &self,
        to: impl Fn(NodeId) -> bool,
        event: &Bytes,
        facts: impl Fn() -> Entries,
    ) -> bool {
        let mut wake = false;
        for outlet in self.0.load().iter().filter(|outlet| to(outlet.node)) {
            wake |= outlet.tell_after(event.clone(), Kind::Event, &facts);
        }
        wake
    }

    fn tell_each(&self, append: impl Fn(&Log) -> Option<Appended>) -> bool {
        let outlets = self.0.load();
        let told = outlets.iter().filter_map(|outlet| append(&outlet.log));
        told.fold(false, |wake, appended| wake | appended.wake)
    }

    /// A peer has a new stream; everything has to be told in it.
    pub(crate) fn open(&self, node: NodeId, log: Arc<Log>) -> Outlet {
        let outlet = Outlet { node, log, whole: Arc::default() };
        self.change(|list| {
            list.retain(|other| other.node != node);
            list.push(outlet.clone());
        });
        outlet
    }

    /// A peer is gone.
    pub(crate) fn close(&self, node: NodeId) {
        self.change(|list| list.retain(|other| other.node != node));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Outlet>)) {
        let mut list = Vec::clone(&self.0.load());
        change(&mut list);
        self.0.store(Arc::new(list));
    }
}
