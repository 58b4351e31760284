//! What the cluster tells its owner.

use std::sync::Arc;

use bytes::Bytes;

use crate::{Incarnation, Log, PeerInfo, Slot};

/// Something that happened, in the order in which it happened. For one slot it is always
/// [`Up`](Self::Up), anything else, [`Down`](Self::Down).
#[derive(Clone, Debug)]
pub enum Output {
    /// A peer is there. The owner puts its snapshot into `log`, and then whatever changes.
    Up {
        /// The peer's number from now on.
        slot: Slot,
        /// Who it is.
        info: PeerInfo,
        /// The stream to it, still empty.
        log: Arc<Log>,
    },
    /// Our stream to a peer was begun anew, because the old one broke or the peer had forgotten
    /// us. The owner uses `log` instead of the old one and begins with a snapshot again.
    Stream {
        /// The peer.
        slot: Slot,
        /// The stream to it from now on, still empty.
        log: Arc<Log>,
    },
    /// A peer began its stream to us, for the first time or anew: what it has told so far is to be
    /// replaced by what follows.
    Restarted {
        /// The peer.
        slot: Slot,
    },
    /// The next entry of a peer's stream. None is missing since the last
    /// [`Restarted`](Self::Restarted), and none ever comes twice.
    Entry {
        /// The peer.
        slot: Slot,
        /// What it appended.
        entry: Bytes,
    },
    /// A peer has received more of our stream.
    Acked {
        /// The peer.
        slot: Slot,
        /// Which stream, see [`Log::epoch`].
        epoch: u64,
        /// The sequence number up to which it has everything.
        seq: u64,
    },
    /// A peer began or ceased to be ready. Nobody is ready at first.
    Ready {
        /// The peer.
        slot: Slot,
        /// Whether it is ready now.
        ready: bool,
    },
    /// A peer is gone, and nothing more comes from its slot. When the owner has dropped what it
    /// knew of it, it calls [`Cluster::forget`](crate::Cluster::forget).
    Down {
        /// What the peer's number was.
        slot: Slot,
        /// Who it was.
        incarnation: Incarnation,
        /// How it went.
        reason: Reason,
    },
}

/// Why a peer is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It said that it goes.
    Goodbye,
    /// It was not heard for [`node_timeout`](crate::Settings::node_timeout).
    Silent,
    /// The driver knew that it is gone.
    Lost,
}
