//! What a status page shows of a peer.

use std::time::Duration;

use crate::{PeerInfo, Slot};

/// One peer as it is now.
#[derive(Clone, Debug)]
pub struct PeerStatus {
    /// Who it is.
    pub info: PeerInfo,
    /// Its number here.
    pub slot: Slot,
    /// How long ago the last sign of life was.
    pub silent_for: Duration,
    /// Whether it says that it is ready.
    pub ready: bool,
    /// How many entries wait to be acknowledged.
    pub unacked_entries: usize,
    /// How many bytes those are.
    pub unacked_bytes: usize,
    /// How often entries from it were missing or out of order, and had to be asked for again.
    pub gaps: u64,
    /// How many entries were transmitted to it more than once.
    pub resent: u64,
    /// How many streams to it were begun; one if all went well.
    pub streams_begun: u64,
    /// Whether the stream to it is broken, to be begun anew when the peer is heard again.
    pub broken: bool,
}
