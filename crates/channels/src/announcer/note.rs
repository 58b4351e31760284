//! What was decided and may be a backend's business, in the order of decisions.

use std::time::Duration;

use crate::announcer::{NodeName, Subject};

/// Something for the announcer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A channel is occupied, or a member was added.
    Came(Subject),
    /// A channel is vacated, or a member was removed.
    Went(Subject),
    /// A channel has so many subscriptions.
    Counted(Subject, u64),
    /// Somebody found a cache channel empty: here, or at another node that leaves it to us.
    Missed(Subject, Origin),
    /// A client sent an event to this node; the event as webhooks have it (K2).
    ClientEvent(Subject, String),
    /// A node is ready, and has been for so long: it announces its channels.
    Ready(NodeName, Duration),
    /// A node is going, and says by itself what it has to say.
    Retired(NodeName),
    /// A node is dead.
    Dead(NodeName),
}

/// Where something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// At this node.
    Here,
    /// At another node.
    Elsewhere,
}
