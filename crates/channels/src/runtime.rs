//! The outside world of one node's channels: time comes from it, and every effect goes to it.

use std::sync::Arc;
use std::time::Duration;

use cluster::Now;

use crate::announcer::Note;
use crate::delivery::Delivery;
use crate::rates::{Budget, Spending};
use crate::registry::{NodeId, ShardId};
use crate::replication::{Malformed, RateAnswer};
use crate::topic::Topic;

/// What the channels need from outside, and all that they do to it. Methods that say so are called
/// while a channel is locked: they must return at once, and must not call the channels.
pub trait Runtime {
    /// To whom an answer goes that comes later.
    type Reply;

    /// How long ago an arbitrary moment of this process was, by a monotonic clock.
    fn now(&self) -> Now;

    /// How long ago 1970 began, by the wall clock, which may jump.
    fn unix_time(&self) -> Duration;

    /// Puts something into a shard's inbox, while a channel is locked. True if the shard has to be
    /// woken for it.
    fn deliver(&self, shard: ShardId, delivery: Delivery) -> bool;

    /// Whether the shards can take more events.
    fn has_room(&self) -> bool;

    /// Keeps something for the announcer, while a channel is locked.
    fn note(&self, note: Note);

    /// Has somebody look. Never called while a channel is locked, for it may be a system call.
    fn wake(&self, whom: Wake);

    /// What is known of an app, without asking anybody; also called while a channel is locked.
    fn app(&self, id: &str) -> App;

    /// Shows every app that is known, and how many connections it has at this node.
    fn for_each_app(&self, show: impl FnMut(&Arc<str>, u32));

    /// The ids of the apps that this node's configuration switches off.
    fn withdrawn(&self) -> Vec<Arc<str>>;

    /// Another node's configuration switches these apps off, and no others.
    fn withdrawn_by(&self, node: NodeId, apps: Vec<Arc<str>>);

    /// Uses an app's budget and its rate per second, if that is limited. None if the app is not
    /// known yet.
    fn budget<T>(
        &self,
        app: &str,
        on: Spending,
        take: impl FnOnce(&Budget, Option<u32>) -> T,
    ) -> Option<T>;

    /// Has a cache channel's last event fetched from where all nodes keep it, if there is such a
    /// place and it has to be asked; `is_known`: this node has one. True if
    /// [`last_event_fetched`](crate::Channels::last_event_fetched) will be called. The channel is
    /// locked.
    fn fetch_last_event(&self, topic: &Topic, is_known: bool) -> bool;

    /// This node has a new last event of a cache channel, for the place where all nodes keep it. The
    /// channel is locked. True if [`Wake::Store`] has to follow.
    fn store_last_event(&self, app: &Arc<str>, channel: &str) -> bool;

    /// Somebody who waited has an answer.
    fn reply(&self, to: Self::Reply, answer: Answer);

    /// Something went wrong that an operator should know.
    fn report(&self, problem: Problem<'_>);
}

/// What of an app's configuration matters to its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interests {
    /// A backend wants to hear of channels that become occupied or vacated.
    pub occupancy: bool,
    /// A backend wants to hear of members that come and go.
    pub members: bool,
    /// A backend wants to hear of cache channels that somebody found empty.
    pub cache_misses: bool,
    /// A backend wants to hear how many are subscribed.
    pub counts: bool,
    /// Clients want to hear how many are subscribed (W52).
    pub counts_for_clients: bool,
}

impl Interests {
    /// Of an app that this node does not know: what its backend wants is found out later.
    pub const UNKNOWN: Interests = Interests {
        occupancy: true,
        members: true,
        cache_misses: true,
        counts: false,
        counts_for_clients: false,
    };
}

/// What is known of an app.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id, as it is shared.
    pub id: Arc<str>,
    /// What it wants.
    pub interests: Interests,
}

/// Who is to look whether there is something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// A shard: its inbox.
    Shard(ShardId),
    /// The driver of the cluster: the streams to the peers.
    Links,
    /// The announcer: its notes.
    Announcer,
    /// Whoever talks to the place where all nodes keep last events.
    Store,
    /// Whoever calls [`tick`](crate::Channels::tick): the deadline may be sooner.
    Timer,
}

/// An answer that somebody waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Whether there is a slot, see [`take_slot`](crate::Channels::take_slot).
    Slot(bool),
    /// What is granted of a budget, see [`spend`](crate::Channels::spend).
    Rate(RateAnswer),
}

/// What an operator should know.
#[derive(Debug)]
pub enum Problem<'a> {
    /// A node tells something that cannot be read; it is ignored.
    Malformed {
        /// What operators call the node.
        node: &'a str,
        /// What is wrong with it.
        error: Malformed,
    },
    /// The shards are so far behind that an event of another node is dropped.
    EventDropped,
}
