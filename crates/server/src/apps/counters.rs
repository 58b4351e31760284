//! What an app has used since the node started.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters of one app, over all shards. They only grow.
#[derive(Debug, Default)]
pub(crate) struct AppCounters {
    pub(crate) new_connections: AtomicU64,
    pub(crate) new_disconnections: AtomicU64,
    pub(crate) socket_received_bytes: AtomicU64,
    pub(crate) socket_transmitted_bytes: AtomicU64,
    pub(crate) ws_messages_received: AtomicU64,
    pub(crate) ws_messages_sent: AtomicU64,
    pub(crate) http_received_bytes: AtomicU64,
    pub(crate) http_transmitted_bytes: AtomicU64,
    pub(crate) http_calls_received: AtomicU64,
    /// Events taken in, over HTTP and from clients, one for each channel.
    pub(crate) publishes: AtomicU64,
    /// Events handed to connections.
    pub(crate) deliveries: AtomicU64,
}

impl AppCounters {
    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Relaxed);
    }
}
