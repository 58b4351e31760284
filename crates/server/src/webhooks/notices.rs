//! What was decided and may be a backend's business, on its way from the shards to the desk.

use std::time::Duration;

use channels::announcer::{NodeName, Subject};

use super::backlog::{Backlog, Waits};

/// The most bytes that notices may take in all.
const MOST_BYTES: usize = 64 << 20;
/// What a notice takes beside the text in it.
const OVERHEAD: usize = 128;

/// Something for the desk.
#[derive(Debug)]
pub(crate) enum Notice {
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
    /// A node is ready, and has been for so long: it speaks for its channels.
    Ready(NodeName, Duration),
    /// A node is going, and says by itself what it has to say.
    Retired(NodeName),
    /// A node is dead.
    Dead(NodeName),
}

/// Where something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Here,
    Elsewhere,
}

/// Notices that wait for the desk.
pub(crate) type Notices = Backlog<Notice>;

impl Default for Notices {
    fn default() -> Self {
        Backlog::new(MOST_BYTES)
    }
}

impl Waits for Notice {
    fn weight(&self) -> usize {
        let text = |subject: &Subject| {
            subject.channel.len() + subject.member.as_ref().map_or(0, |member| member.len())
        };
        let text = match self {
            Self::Came(subject) | Self::Went(subject) => text(subject),
            Self::Counted(subject, _) | Self::Missed(subject, _) => text(subject),
            Self::ClientEvent(subject, json) => text(subject) + json.len(),
            Self::Ready(..) | Self::Retired(_) | Self::Dead(_) => 0,
        };
        OVERHEAD + text
    }

    /// Everything depends on knowing which nodes there are.
    fn may_be_lost(&self) -> bool {
        !matches!(self, Self::Ready(..) | Self::Retired(_) | Self::Dead(_))
    }
}
