//! What a shard holds, told by the shard itself when somebody looks: so a gauge equals the truth.

/// Table sizes of one shard at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ShardReport {
    pub(crate) connections: usize,
    pub(crate) channels: usize,
    pub(crate) subscriptions: usize,
    pub(crate) timers: usize,
    /// Bytes that wait for slow sockets.
    pub(crate) pending_bytes: usize,
    /// HTTP connections, and sockets on their way to become WebSockets.
    pub(crate) http_connections: usize,
}
