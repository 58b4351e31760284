//! What the mesh counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that only goes up.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// How often it has happened.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    pub(super) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// What a mesh has seen since its start. Counted on its thread, read on any.
#[derive(Debug, Default)]
pub struct MeshCounters {
    /// Hellos that were sent.
    pub hellos_sent: Counter,
    /// Hellos of other nodes of this cluster that were heard.
    pub hellos_heard: Counter,
    /// Hellos and connections of other clusters, and datagrams that are no hellos; all ignored.
    pub strangers: Counter,
    /// Hellos and handshakes that were refused because the other side has another secret.
    pub refused_secrets: Counter,
    /// Handshakes that were refused because the other side has another agreement.
    pub disagreements: Counter,
    /// Attempts to connect to a peer.
    pub dialled: Counter,
    /// Connections that others made to us, whoever they were.
    pub accepted: Counter,
    /// Handshakes that succeeded, so that a connection to a peer began.
    pub connections: Counter,
}
